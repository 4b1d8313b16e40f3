// TLS straight on a socket's descriptor: OpenSSL reads and writes it, Asio says when it can. No bytes are
// kept in between, and while nothing moves no buffers are held (SSL_MODE_RELEASE_BUFFERS).
//
// Two ways to use it: calls that do what can be done at once, and, for Beast, an AsyncStream made of them.
#pragma once

#include <boost/asio/compose.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <optional>

#include "sotto/crypto/bytes.hpp"

struct ssl_st;
struct ssl_ctx_st;

namespace sotto::keyserver {

class TlsStream {
  public:
    // The executor as it is: one that could be any costs every waiting connection memory.
    using executor_type = boost::asio::io_context::executor_type;
    using Socket = boost::asio::ip::tcp::socket::rebind_executor<executor_type>::other;
    using Error = boost::system::error_code;

    enum class State : std::uint8_t {
        done,        ///< `size` bytes moved, or the handshake is over
        want_read,   ///< again when the socket is readable
        want_write,  ///< again when it is writable
        closed,      ///< the peer has said its last word
        failed       ///< broken, or against the protocol
    };
    struct Moved {
        State state = State::failed;
        std::size_t size = 0;
    };

    /// Not connected where OpenSSL has no memory: every call fails.
    TlsStream(Socket socket, ssl_ctx_st* context);

    // ---- at once ----
    [[nodiscard]] Moved accept();
    [[nodiscard]] Moved read(std::span<std::byte> into);
    /// After `want_write` the same bytes have to be offered again, wherever they lie by then.
    [[nodiscard]] Moved write(ByteView bytes);
    /// Says goodbye, as far as that can be done at once; reading goes on.
    void end_writing();
    /// The same, and closes.
    void shut_down();
    void close();

    /// The socket need not become readable for more to be read.
    [[nodiscard]] bool has_pending() const;
    /// RFC 9266; nothing where the library refuses.
    [[nodiscard]] std::optional<Array<32>> exporter() const;
    [[nodiscard]] Socket& socket() { return socket_; }

    // ---- as Beast wants it ----
    [[nodiscard]] executor_type get_executor() noexcept { return socket_.get_executor(); }

    template <class Buffers, class Token>
    auto async_read_some(const Buffers& buffers, Token&& token) {
        const boost::asio::mutable_buffer into = first_of<boost::asio::mutable_buffer>(buffers);
        return compose([this, into] { return read({static_cast<std::byte*>(into.data()), into.size()}); },
                       into.size(), has_pending(), token);
    }
    template <class Buffers, class Token>
    auto async_write_some(const Buffers& buffers, Token&& token) {
        const boost::asio::const_buffer from = first_of<boost::asio::const_buffer>(buffers);
        return compose(
            [this, from] { return write({static_cast<const std::byte*>(from.data()), from.size()}); },
            from.size(), true, token);
    }

  private:
    struct Free {
        void operator()(ssl_st* ssl) const noexcept;
    };

    [[nodiscard]] Moved outcome(int result, std::size_t size) const;

    /// The first part that is not empty; TLS moves one at a time.
    template <class Buffer, class Buffers>
    [[nodiscard]] static Buffer first_of(const Buffers& buffers) {
        for (auto at = boost::asio::buffer_sequence_begin(buffers);
             at != boost::asio::buffer_sequence_end(buffers); ++at)
            if (const Buffer one{*at}; one.size() > 0) return one;
        return {};
    }

    /// `at_once`: the first try need not wait for the socket. It is never made before the call returns.
    template <class Try, class Token>
    auto compose(Try attempt, std::size_t size, bool at_once, Token& token) {
        return boost::asio::async_compose<Token, void(Error, std::size_t)>(
            [this, attempt, size, at_once, begun = false](auto& self, Error error = {}) mutable {
                if (!begun) {
                    begun = true;
                    if (at_once || size == 0) return boost::asio::post(get_executor(), std::move(self));
                    return socket_.async_wait(Socket::wait_read, std::move(self));
                }
                if (error || size == 0) return self.complete(error, 0);
                const Moved moved = attempt();
                switch (moved.state) {
                    case State::done:
                        return self.complete({}, moved.size);
                    case State::want_read:
                        return socket_.async_wait(Socket::wait_read, std::move(self));
                    case State::want_write:
                        return socket_.async_wait(Socket::wait_write, std::move(self));
                    case State::closed:
                        return self.complete(boost::asio::error::eof, 0);
                    case State::failed:
                        break;
                }
                self.complete(boost::asio::error::connection_reset, 0);
            },
            token, socket_);
    }

    Socket socket_;
    std::unique_ptr<ssl_st, Free> ssl_;
};

}  // namespace sotto::keyserver
