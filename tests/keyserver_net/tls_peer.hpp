// A client made of OpenSSL alone: blocking, and able to do what no honest client does.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "keyserver/rig.hpp"
#include "sotto/protocol/link.hpp"

struct ssl_st;
struct ssl_ctx_st;

namespace sotto::keyserver::test {

class TlsPeer {
  public:
    enum class Tls : std::uint8_t { v1_3, v1_2 };

    /// Connects and shakes hands; `connected()` says whether that worked. `receive_buffer`: what the kernel
    /// may hold for it, in bytes; 0 for as much as it likes.
    explicit TlsPeer(std::uint16_t port, Tls version = Tls::v1_3, int receive_buffer = 0);
    TlsPeer(TlsPeer&&) = default;
    TlsPeer& operator=(TlsPeer&&) = default;
    TlsPeer(const TlsPeer&) = delete;
    TlsPeer& operator=(const TlsPeer&) = delete;
    ~TlsPeer() = default;

    [[nodiscard]] bool connected() const { return connected_; }
    [[nodiscard]] std::string version() const;
    [[nodiscard]] protocol::Pin pin() const;
    [[nodiscard]] Array<32> exporter() const;
    [[nodiscard]] bool resumable() const;

    /// Sends a key update (RFC 8446 section 4.6.3) that asks for one in return.
    bool update_keys();

    // ---- bytes ----
    bool write(std::string_view bytes);
    /// Up to `most` bytes; nothing at the end, on an error, or after `patience`.
    std::optional<std::string> read(std::size_t most = 16'384);
    /// The head of the response to a request, and its body.
    std::string http(std::string_view request);
    /// True if the server ends the connection.
    bool wait_for_end();
    /// No goodbye.
    void cut();

    // ---- WebSocket ----
    bool upgrade(std::string_view target);
    [[nodiscard]] static std::string frame(unsigned first_byte, std::string_view payload, bool masked = true);
    bool send_frame(unsigned first_byte, std::string_view payload, bool masked = true);
    bool send(const wire::Request& request);
    /// The next message, past pings; nothing when the server has closed (see close_code) or says nothing.
    std::optional<wire::Reply> receive();
    /// Sends and waits for its reply; pushes that come before are kept for push().
    wire::Reply ask(wire::Request request);
    /// The next push; waits for it.
    std::optional<wire::Reply> push();
    /// The next push that came before a reply; never waits.
    std::optional<wire::Reply> pushed();
    [[nodiscard]] std::optional<unsigned> close_code() const { return close_code_; }

    // ---- Sotto ----
    /// Upgrades and takes the hello.
    bool open(std::string_view target);
    [[nodiscard]] const wire::Hello& hello() const { return hello_; }
    [[nodiscard]] std::string proof(const TestDevice& device, crypto::LoginPurpose purpose,
                                    const std::string& server = "127.0.0.1") const;

  private:
    struct Free {
        void operator()(ssl_st* ssl) const noexcept;
        void operator()(ssl_ctx_st* context) const noexcept;
    };
    bool fill(std::size_t size);

    std::unique_ptr<ssl_ctx_st, Free> context_;
    std::unique_ptr<ssl_st, Free> ssl_;
    bool connected_ = false;
    std::string buffer_;
    std::vector<wire::Reply> pushes_;
    std::optional<unsigned> close_code_;
    wire::Hello hello_;
    std::uint32_t next_request_ = 1;
};

}  // namespace sotto::keyserver::test
