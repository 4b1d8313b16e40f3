#include "keyserver/metrics/net/listener.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <thread>

namespace sotto::keyserver {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t most_visitors = 16;
constexpr auto patience = std::chrono::seconds{10};
constexpr auto accept_pause = std::chrono::milliseconds{100};
constexpr std::uint32_t header_size = 8192;

/// One connection, one request.
class Visitor : public std::enable_shared_from_this<Visitor> {
  public:
    Visitor(tcp::socket socket, const Pages& pages, std::size_t& visitors)
        : stream_(std::move(socket)), pages_(pages), visitors_(visitors) {
        ++visitors_;
        parser_.header_limit(header_size);
        parser_.body_limit(0);
    }
    Visitor(const Visitor&) = delete;
    Visitor& operator=(const Visitor&) = delete;
    ~Visitor() { --visitors_; }

    void start() {
        stream_.expires_after(patience);
        http::async_read(stream_, buffer_, parser_,
                         beast::bind_front_handler(&Visitor::requested, shared_from_this()));
    }

  private:
    void requested(error_code error, std::size_t /*size*/) {
        if (error) return;
        const auto& request = parser_.get();
        const bool reading = request.method() == http::verb::get || request.method() == http::verb::head;
        const auto target = std::string_view{request.target().data(), request.target().size()};
        const auto page = reading ? pages_(target.substr(0, target.find('?'))) : std::nullopt;
        response_.version(request.version());
        response_.keep_alive(false);
        if (!reading)
            response_.result(http::status::method_not_allowed);
        else if (!page)
            response_.result(http::status::not_found);
        else
            response_.result(page->good ? http::status::ok : http::status::service_unavailable);
        response_.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
        response_.set(http::field::cache_control, "no-store");
        response_.body() = page ? page->text : "this is not here\n";
        response_.prepare_payload();
        if (request.method() == http::verb::head) response_.body().clear();
        stream_.expires_after(patience);
        http::async_write(stream_, response_,
                          beast::bind_front_handler(&Visitor::answered, shared_from_this()));
    }
    void answered(error_code /*either way*/, std::size_t /*size*/) {
        error_code ignored;
        stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    }

    beast::tcp_stream stream_;
    const Pages& pages_;
    std::size_t& visitors_;
    beast::flat_buffer buffer_;
    http::request_parser<http::empty_body> parser_;
    http::response<http::string_body> response_;
};

class Listener final : public MetricsListener {
  public:
    explicit Listener(Pages pages) : pages_(std::move(pages)) {}
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    // A thread that can't be joined may end the process: it must not outlive what it uses.
    ~Listener() override {  // NOLINT(bugprone-exception-escape)
        context_.stop();
        if (thread_.joinable()) thread_.join();
    }

    [[nodiscard]] error_code open(const ListenAddress& listen) {
        error_code error;
        const auto address = asio::ip::make_address(listen.host, error);
        const tcp::endpoint at{address, listen.port};
        if (!error) acceptor_.open(at.protocol(), error);
        if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
        if (!error) acceptor_.bind(at, error);
        if (!error) acceptor_.listen(most_visitors, error);
        return error;
    }
    void run() {
        accept();
        thread_ = std::thread{[this] { context_.run(); }};
    }
    [[nodiscard]] std::uint16_t port() const override { return acceptor_.local_endpoint().port(); }

  private:
    void accept() {
        acceptor_.async_accept([this](error_code error, tcp::socket socket) {
            if (error == asio::error::operation_aborted) return;
            if (error) return accept_later();
            if (visitors_ < most_visitors)
                std::make_shared<Visitor>(std::move(socket), pages_, visitors_)->start();
            accept();
        });
    }

    /// No descriptors left, most likely.
    void accept_later() {
        pause_.expires_after(accept_pause);
        pause_.async_wait([this](error_code error) {
            if (!error) accept();
        });
    }

    Pages pages_;
    std::size_t visitors_ = 0;
    asio::io_context context_{1};
    tcp::acceptor acceptor_{context_};
    asio::steady_timer pause_{context_};
    std::thread thread_;
};

}  // namespace

std::expected<std::unique_ptr<MetricsListener>, std::string> MetricsListener::start(
    const ListenAddress& listen, Pages pages) {
    auto listener = std::make_unique<Listener>(std::move(pages));
    if (const auto error = listener->open(listen))
        return std::unexpected("The metrics can't be offered on " + listen.host + " port " +
                               std::to_string(listen.port) + ": " + error.message() + ".");
    listener->run();
    return listener;
}

}  // namespace sotto::keyserver
