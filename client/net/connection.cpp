#include "connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <deque>
#include <utility>

#include "lookup.hpp"
#include "sotto/protocol/limits.hpp"
#include "tls.hpp"

namespace sotto::client::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

struct Failure {
    NetworkError error = NetworkError::closed;
    std::string detail;
};

const char* target_of(Purpose purpose) {
    switch (purpose) {
        case Purpose::identified:
            return protocol::identified_target;
        case Purpose::presence:
            return protocol::presence_target;
        case Purpose::delivery:
            break;
    }
    return protocol::delivery_target;
}

std::string host_header(const protocol::Endpoint& endpoint) {
    const bool v6 = endpoint.host.find(':') != std::string::npos;
    return (v6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" + std::to_string(endpoint.port);
}

class BeastConnection final : public Connection, public std::enable_shared_from_this<BeastConnection> {
  public:
    BeastConnection(asio::io_context& io, Target target, EventQueue& events, std::function<void()> ended)
        : io_(io),
          target_(std::move(target)),
          events_(events),
          ended_(std::move(ended)),
          check_{.pin = target_.endpoint.pin, .refused = {}, .detail = {}},
          tls_(make_context(check_)),
          ws_(io, tls_),
          timer_(io),
          deadline_(Clock::now() + target_.connect_timeout) {}

    void start() {
        asio::co_spawn(
            io_, run(shared_from_this()),
            [self = shared_from_this()](const std::exception_ptr& thrown) { self->finished(thrown); });
    }

    void send(Bytes frame) override {
        if (state_ != State::connecting && state_ != State::open) return;
        queued_ += frame.size();
        outbox_.push_back(std::move(frame));
        if (queued_ > max_queued) {
            fail({.error = NetworkError::closed, .detail = "the server takes too long to read"});
            abort();
        } else if (state_ == State::open) {
            write_next();
        }
    }

    void close() override {
        if (state_ == State::open) {
            state_ = State::closing;
            timer_.cancel();
            if (!writing_) say_goodbye();
        } else if (state_ == State::connecting) {
            state_ = State::closing;
            abort();
        }
    }

    void abort() override {
        if (state_ != State::ended) state_ = State::closing;
        if (lookup_) lookup_->abandon();
        timer_.cancel();
        beast::get_lowest_layer(ws_).close();
    }

    void resume() override {
        if (state_ == State::open) timer_.cancel();
    }

  private:
    enum class State : std::uint8_t { connecting, open, closing, ended };

    static asio::awaitable<void> run(std::shared_ptr<BeastConnection> self) {
        auto failure = co_await self->establish();
        if (!failure && self->state_ == State::connecting) {
            self->opened();
            failure = co_await self->read();
        }
        if (failure) self->fail(*failure);
    }

    // ---- connecting: every step ends at `deadline_` ----

    asio::awaitable<std::optional<Failure>> establish() {
        auto failure = co_await look_up();
        if (!failure) failure = co_await connect_tcp();
        if (!failure) failure = co_await secure();
        if (!failure) failure = co_await upgrade();
        co_return failure;
    }

    asio::awaitable<std::optional<Failure>> look_up() {
        error_code error;
        const auto address = asio::ip::make_address(target_.endpoint.host, error);
        if (!error) {
            addresses_.emplace_back(address, target_.endpoint.port);
            co_return std::nullopt;
        }
        lookup_ =
            Lookup::start(io_, target_.endpoint.host, target_.endpoint.port,
                          [self = shared_from_this()](std::vector<tcp::endpoint> found, std::string why) {
                              self->addresses_ = std::move(found);
                              self->lookup_error_ = std::move(why);
                              self->timer_.cancel();
                          });
        timer_.expires_at(deadline_);
        co_await timer_.async_wait(as_result);
        lookup_->abandon();
        lookup_.reset();
        if (addresses_.empty())
            co_return Failure{
                .error = NetworkError::unreachable,
                .detail = lookup_error_.empty() ? "looking up the name took too long" : lookup_error_};
        co_return std::nullopt;
    }

    asio::awaitable<std::optional<Failure>> connect_tcp() {
        auto& stream = beast::get_lowest_layer(ws_);
        std::string detail = "no address";
        for (std::size_t i = 0; i < addresses_.size() && state_ == State::connecting; ++i) {
            // Each address gets its share of the time, so that one that swallows packets leaves some to the
            // next.
            const auto left = deadline_ - Clock::now();
            stream.expires_after(left / static_cast<std::int64_t>(addresses_.size() - i));
            const auto [error] = co_await stream.async_connect(addresses_[i], as_result);
            if (!error) {
                error_code ignored;
                stream.socket().set_option(tcp::no_delay{true}, ignored);
                co_return std::nullopt;
            }
            detail = error.message();
            stream.close();
        }
        co_return Failure{.error = NetworkError::unreachable, .detail = detail};
    }

    asio::awaitable<std::optional<Failure>> secure() {
        beast::get_lowest_layer(ws_).expires_at(deadline_);
        auto& stream = ws_.next_layer();
        prepare(stream.native_handle(), target_.endpoint.host, check_);
        const auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::client, as_result);
        if (!error) co_return std::nullopt;
        const bool from_tls = error.category() == asio::error::get_ssl_category();
        const auto code = from_tls ? static_cast<unsigned long>(error.value()) : 0UL;
        co_return Failure{.error = explain_failure(check_, code),
                          .detail = check_.detail.empty() ? error.message() : check_.detail};
    }

    asio::awaitable<std::optional<Failure>> upgrade() {
        // From here the WebSocket layer keeps the time; both at once would disturb each other.
        beast::get_lowest_layer(ws_).expires_never();
        const auto left = std::max<Clock::duration>(deadline_ - Clock::now(), std::chrono::milliseconds{1});
        ws_.set_option(websocket::stream_base::timeout{.handshake_timeout = left,
                                                       .idle_timeout = websocket::stream_base::none(),
                                                       .keep_alive_pings = false});
        websocket::permessage_deflate no_compression;
        no_compression.client_enable = false;
        ws_.set_option(no_compression);
        ws_.read_message_max(protocol::max_frame_size);
        ws_.auto_fragment(false);
        ws_.binary(true);
        const auto* path = target_of(target_.purpose);
        const std::string host = host_header(target_.endpoint);
        websocket::response_type response;
        const auto [error] = co_await ws_.async_handshake(response, host, path, as_result);
        if (!error) co_return std::nullopt;
        // A server that says it is busy, or nothing at all, may well be one of ours.
        const auto status = response.result_int();
        const bool busy = status == 429 || status == 503;
        const bool silent = error == beast::error::timeout || error == asio::error::operation_aborted;
        auto detail = error.message();
        if (error == websocket::error::upgrade_declined) detail += " (HTTP " + std::to_string(status) + ")";
        co_return Failure{.error = busy || silent ? NetworkError::unreachable : NetworkError::not_sotto,
                          .detail = std::move(detail)};
    }

    // ---- connected ----

    void opened() {
        ws_.set_option(websocket::stream_base::timeout{
            .handshake_timeout = close_timeout, .idle_timeout = idle_timeout, .keep_alive_pings = true});
        state_ = State::open;
        auto* ssl = ws_.next_layer().native_handle();
        Connected event{.id = target_.id,
                        .exporter = channel_binding(ssl),
                        .verified_host = {},
                        .tls = describe_tls(ssl)};
        if (!target_.endpoint.pin) event.verified_host = target_.endpoint.host;
        events_.push(target_.serial, std::move(event));
        write_next();
    }

    asio::awaitable<std::optional<Failure>> read() {
        while (state_ == State::open || state_ == State::closing) {
            while (state_ == State::open && events_.full()) {
                timer_.expires_at(Clock::time_point::max());
                co_await timer_.async_wait(as_result);
            }
            beast::flat_buffer buffer;
            const auto [error, size] = co_await ws_.async_read(buffer, as_result);
            if (error == websocket::error::closed)
                co_return Failure{.error = NetworkError::closed,
                                  .detail = "close frame " + std::to_string(ws_.reason().code)};
            if (error) co_return Failure{.error = NetworkError::closed, .detail = error.message()};
            if (!ws_.got_binary()) {
                abort();
                co_return Failure{.error = NetworkError::closed, .detail = "a text frame"};
            }
            const auto data = buffer.cdata();
            const std::span view{static_cast<const std::byte*>(data.data()), data.size()};
            events_.push(target_.serial,
                         FrameReceived{.id = target_.id, .frame = {view.begin(), view.end()}});
        }
        co_return std::nullopt;
    }

    void write_next() {
        if (writing_) return;
        if (outbox_.empty()) {
            if (state_ == State::closing) say_goodbye();
            return;
        }
        writing_ = true;
        ws_.async_write(
            asio::buffer(outbox_.front()),
            [self = shared_from_this()](const error_code& error, std::size_t) { self->written(error); });
    }

    void written(const error_code& error) {
        writing_ = false;
        if (error) {
            fail({.error = NetworkError::closed, .detail = "writing: " + error.message()});
            abort();
            return;
        }
        queued_ -= outbox_.front().size();
        outbox_.pop_front();
        write_next();
    }

    void say_goodbye() {
        if (std::exchange(goodbye_, true)) return;
        ws_.async_close(websocket::close_code::normal,
                        [self = shared_from_this()](const error_code&) { self->parted(); });
    }

    // ---- the end ----

    void fail(const Failure& failure) {
        if (std::exchange(told_, true)) return;
        events_.push(target_.serial,
                     Disconnected{.id = target_.id, .error = failure.error, .detail = failure.detail});
    }

    void finished(const std::exception_ptr& thrown) {
        if (thrown) {
            try {
                std::rethrow_exception(thrown);
            } catch (const std::exception& error) {
                fail({.error = NetworkError::closed, .detail = error.what()});
            }
        }
        run_over_ = true;
        parted_or_not();
    }
    void parted() {
        parted_ = true;
        parted_or_not();
    }
    void parted_or_not() {
        if (!run_over_ || (goodbye_ && !parted_) || state_ == State::ended) return;
        state_ = State::ended;
        beast::get_lowest_layer(ws_).close();
        std::exchange(ended_, nullptr)();
    }

    asio::io_context& io_;
    Target target_;
    EventQueue& events_;
    std::function<void()> ended_;
    CertificateCheck check_;
    asio::ssl::context tls_;
    websocket::stream<asio::ssl::stream<beast::tcp_stream>> ws_;
    asio::steady_timer timer_;  // first the lookup's, then the pause of reading
    Clock::time_point deadline_;
    std::shared_ptr<Lookup> lookup_;
    std::vector<tcp::endpoint> addresses_;
    std::string lookup_error_;
    State state_ = State::connecting;
    std::deque<Bytes> outbox_;
    std::size_t queued_ = 0;
    bool writing_ = false;
    bool goodbye_ = false;  // the close frame is on its way
    bool parted_ = false;   // and was answered, or not in time
    bool run_over_ = false;
    bool told_ = false;
};

}  // namespace

std::shared_ptr<Connection> connect(asio::io_context& io, Target target, EventQueue& events,
                                    std::function<void()> ended) {
    auto connection = std::make_shared<BeastConnection>(io, std::move(target), events, std::move(ended));
    connection->start();
    return connection;
}

}  // namespace sotto::client::net
