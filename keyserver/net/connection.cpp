#include "keyserver/net/connection.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/beast/websocket/stream.hpp>

namespace sotto::keyserver {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;

using Stream = websocket::stream<beast::ssl_stream<beast::tcp_stream>>;

constexpr std::uint32_t http_header_size = 8192;
constexpr std::size_t read_at_once = 16UL * 1024;
constexpr std::size_t kept_buffer = 16UL * 1024;
constexpr std::uint32_t closing_retry_ms = 2000;

class BeastConnection final : public Connection, public std::enable_shared_from_this<BeastConnection> {
  public:
    BeastConnection(Shard& shard, ConnectionId id, tcp::socket socket, asio::ssl::context& tls)
        : shard_(shard), id_(id), stream_(std::move(socket), tls) {}

    void start() override {
        error_code ignored;
        beast::get_lowest_layer(stream_).socket().set_option(tcp::no_delay(true), ignored);
        // One deadline for TLS and HTTP together.
        beast::get_lowest_layer(stream_).expires_after(milliseconds{limits::handshake_ms});
        stream_.next_layer().async_handshake(
            asio::ssl::stream_base::server,
            beast::bind_front_handler(&BeastConnection::secured, shared_from_this()));
    }

    void apply(Shard::Effect effect) override {
        if (gone_) return;
        std::visit([this](auto& what) { on(what); }, effect);
    }

    void retire() override {
        if (gone_) return;
        if (!session_) return drop();
        queue(closing_frame(closing_retry_ms));
        reason_ = websocket::close_code::going_away;
        closing_ = true;
        write();
    }

    void drop() override {
        beast::get_lowest_layer(stream_).close();
        leave();
    }

    [[nodiscard]] bool settled() const override { return session_ && session_->settled(); }

  private:
    // ---- coming ----

    void secured(error_code error) {
        if (error) return drop();
        parser_.emplace();
        parser_->header_limit(http_header_size);
        parser_->body_limit(0);
        http::async_read(stream_.next_layer(), buffer_, *parser_,
                         beast::bind_front_handler(&BeastConnection::requested, shared_from_this()));
    }

    void requested(error_code error, std::size_t /*size*/) {
        if (error || !parser_) return drop();
        const auto& request = parser_->get();
        if (!websocket::is_upgrade(request)) return answer_http(request);
        if (request.target() == protocol::identified_target)
            purpose_ = Purpose::identified;
        else if (request.target() == protocol::delivery_target)
            purpose_ = Purpose::delivery;
        else
            return answer_http(request);
        // From here on the WebSocket keeps the time.
        beast::get_lowest_layer(stream_).expires_never();
        stream_.set_option(
            websocket::stream_base::timeout{.handshake_timeout = milliseconds{limits::handshake_ms},
                                            .idle_timeout = milliseconds{limits::idle_ms},
                                            .keep_alive_pings = true});
        websocket::permessage_deflate no_compression;
        no_compression.server_enable = false;
        no_compression.client_enable = false;
        stream_.set_option(no_compression);
        stream_.set_option(websocket::stream_base::decorator(
            [](websocket::response_type& response) { response.erase(http::field::server); }));
        stream_.async_accept(request,
                             beast::bind_front_handler(&BeastConnection::opened, shared_from_this()));
    }

    void answer_http(const http::request<http::empty_body>& request) {
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
        http::async_write(stream_.next_layer(), response_,
                          [self = shared_from_this()](error_code error, std::size_t /*size*/) {
                              if (error) return self->drop();
                              self->stream_.next_layer().async_shutdown(
                                  [self](error_code /*done either way*/) { self->drop(); });
                          });
    }

    void opened(error_code error) {
        if (error) return drop();
        parser_.reset();
        buffer_.clear();
        std::optional<Array<32>> exporter{std::in_place};
        constexpr std::string_view label = protocol::exporter_label;
        if (SSL_export_keying_material(stream_.next_layer().native_handle(),
                                       reinterpret_cast<unsigned char*>(exporter->data()), exporter->size(),
                                       label.data(), label.size(), nullptr, 0, 0) != 1)
            exporter.reset();
        stream_.binary(true);
        stream_.auto_fragment(false);
        session_ = std::make_unique<Session>(shard_.service(), id_, purpose_, exporter);
        if (purpose_ == Purpose::identified) shard_.expect_login(id_);
        session_->begin();
        read();
    }

    // ---- reading ----

    void read() {
        if (gone_ || closing_ || reading_) return;
        if (session_->saturated()) return;
        reading_ = true;
        stream_.read_message_max(session_->frame_limit());
        stream_.async_read_some(buffer_, read_at_once,
                                beast::bind_front_handler(&BeastConnection::received, shared_from_this()));
    }

    void received(error_code error, std::size_t /*size*/) {
        reading_ = false;
        if (gone_) return;
        if (error) return leave();
        const auto now = shard_.service().clock.steady_ms();
        if (!stream_.is_message_done()) {
            if (message_since_ms_ == 0) message_since_ms_ = now;
            if (now > message_since_ms_ + limits::message_ms) return drop();
            return read();
        }
        message_since_ms_ = 0;
        if (!stream_.got_binary()) {
            reason_ = websocket::close_code::unknown_data;
            closing_ = true;
            return write();
        }
        const auto data = buffer_.cdata();
        if (!closing_) session_->receive({static_cast<const std::byte*>(data.data()), data.size()});
        buffer_.clear();
        if (buffer_.capacity() > kept_buffer) buffer_.shrink_to_fit();
        read();
    }

    // ---- writing ----

    void on(Shard::Reply& reply) {
        if (!session_) return;
        session_->answered();
        // A read that began before the login holds for what comes after it.
        stream_.read_message_max(session_->frame_limit());
        queue(std::move(reply.frame));
        write();
        read();
    }
    void on(Shard::Push& push) {
        queue(std::move(push.frame));
        write();
    }
    void on(Shard::Close& /*close*/) {
        closing_ = true;
        write();
    }
    void on(Shard::Resume& step) {
        if (session_ && !closing_) step(*session_);
    }

    void queue(std::string frame) {
        if (closing_) return;
        queued_bytes_ += frame.size();
        outbound_.push_back(std::move(frame));
    }

    void write() {
        if (gone_) return;
        // Before all else: the write under way may be one that never ends.
        if (queued_bytes_ > limits::outbound_bytes || outbound_.size() > limits::outbound_frames)
            return drop();
        if (writing_) return;
        if (outbound_.empty()) {
            if (closing_) finish();
            return;
        }
        writing_ = true;
        stream_.async_write(asio::buffer(outbound_.front()),
                            beast::bind_front_handler(&BeastConnection::written, shared_from_this()));
    }

    void written(error_code error, std::size_t /*size*/) {
        writing_ = false;
        if (gone_) return;
        if (error) return drop();
        queued_bytes_ -= outbound_.front().size();
        outbound_.pop_front();
        write();
    }

    // ---- going ----

    void finish() {
        if (finishing_) return;
        finishing_ = true;
        if (!stream_.is_open()) return drop();
        stream_.set_option(
            websocket::stream_base::timeout{.handshake_timeout = milliseconds{limits::close_ms},
                                            .idle_timeout = milliseconds{limits::close_ms},
                                            .keep_alive_pings = false});
        stream_.async_close(reason_,
                            [self = shared_from_this()](error_code /*closed either way*/) { self->drop(); });
    }

    /// Once: the session ends here, and the shard forgets this connection.
    void leave() {
        if (gone_) return;
        gone_ = true;
        session_.reset();
        shard_.remove(id_);
    }

    Shard& shard_;
    ConnectionId id_;
    Stream stream_;
    beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::empty_body>> parser_;
    http::response<http::string_body> response_;
    Purpose purpose_ = Purpose::delivery;
    std::unique_ptr<Session> session_;
    std::deque<std::string> outbound_;
    std::size_t queued_bytes_ = 0;
    std::uint64_t message_since_ms_ = 0;
    websocket::close_reason reason_ = websocket::close_code::normal;
    bool reading_ = false;
    bool writing_ = false;
    bool closing_ = false;
    bool finishing_ = false;
    bool gone_ = false;
};

}  // namespace

std::shared_ptr<Connection> Connection::make(Shard& shard, ConnectionId id, tcp::socket socket,
                                             asio::ssl::context& tls) {
    return std::make_shared<BeastConnection>(shard, id, std::move(socket), tls);
}

}  // namespace sotto::keyserver
