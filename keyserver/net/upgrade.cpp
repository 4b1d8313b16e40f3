#include "keyserver/net/upgrade.hpp"

#include <boost/asio/buffers_iterator.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/websocket/stream.hpp>

namespace sotto::keyserver {

// Beast finds these by their names where it ends a stream itself, which it doesn't do before the WebSocket is
// open.
void beast_close_socket(TlsStream& stream) {
    stream.close();
}
void teardown(boost::beast::role_type /*role*/, TlsStream& stream, TlsStream::Error& /*error*/) {
    stream.close();
}
template <class Handler>
void async_teardown(boost::beast::role_type /*role*/, TlsStream& stream, Handler&& handler) {
    stream.close();
    boost::asio::post(stream.get_executor(),
                      boost::beast::bind_front_handler(std::forward<Handler>(handler), TlsStream::Error{}));
}

namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using Error = TlsStream::Error;

constexpr std::uint32_t http_header_size = 8192;
constexpr std::size_t body_size = 0;

class Upgrade final : public std::enable_shared_from_this<Upgrade> {
  public:
    Upgrade(TlsStream& stream, std::move_only_function<void(std::optional<Upgraded>)> done)
        : stream_(stream), done_(std::move(done)) {}

    void read() {
        parser_.header_limit(http_header_size);
        parser_.body_limit(body_size);
        http::async_read(stream_, buffer_, parser_,
                         beast::bind_front_handler(&Upgrade::requested, shared_from_this()));
    }

  private:
    void requested(Error error, std::size_t /*size*/) {
        if (error) return finish(std::nullopt);
        const auto& request = parser_.get();
        if (!websocket::is_upgrade(request)) return answer(request);
        if (request.target() == protocol::identified_target)
            purpose_ = Purpose::identified;
        else if (request.target() == protocol::delivery_target)
            purpose_ = Purpose::delivery;
        else if (request.target() == protocol::presence_target)
            purpose_ = Purpose::presence;
        else
            return answer(request);
        auto& socket = socket_.emplace(stream_);
        // Whoever owns the stream keeps the time.
        socket.set_option(websocket::stream_base::timeout{.handshake_timeout = websocket::stream_base::none(),
                                                          .idle_timeout = websocket::stream_base::none(),
                                                          .keep_alive_pings = false});
        socket.set_option(websocket::stream_base::decorator(
            [](websocket::response_type& response) { response.erase(http::field::server); }));
        socket.async_accept(request, beast::bind_front_handler(&Upgrade::accepted, shared_from_this()));
    }

    void accepted(Error error) {
        if (error) return finish(std::nullopt);
        finish(Upgraded{.purpose = purpose_, .rest = beast::buffers_to_string(buffer_.data())});
    }

    void answer(const http::request<http::empty_body>& request) {
        const bool reading = request.method() == http::verb::get || request.method() == http::verb::head;
        const bool healthy = request.target() == "/healthz";
        response_.version(request.version());
        response_.result(!healthy ? http::status::not_found
                                  : (reading ? http::status::ok : http::status::method_not_allowed));
        response_.set(http::field::content_type, "text/plain; charset=utf-8");
        response_.set(http::field::cache_control, "no-store");
        response_.keep_alive(false);
        response_.body() = response_.result() == http::status::ok ? "ok\n" : "this is not here\n";
        response_.prepare_payload();
        if (request.method() == http::verb::head) response_.body().clear();
        http::async_write(stream_, response_,
                          [self = shared_from_this()](Error /*either way*/, std::size_t /*size*/) {
                              self->finish(std::nullopt);
                          });
    }

    void finish(std::optional<Upgraded> outcome) { std::exchange(done_, nullptr)(std::move(outcome)); }

    TlsStream& stream_;
    std::move_only_function<void(std::optional<Upgraded>)> done_;
    beast::flat_buffer buffer_;
    http::request_parser<http::empty_body> parser_;
    http::response<http::string_body> response_;
    std::optional<websocket::stream<TlsStream&>> socket_;
    Purpose purpose_ = Purpose::delivery;
};

}  // namespace

void upgrade(TlsStream& stream, std::move_only_function<void(std::optional<Upgraded>)> done) {
    std::make_shared<Upgrade>(stream, std::move(done))->read();
}

}  // namespace sotto::keyserver
