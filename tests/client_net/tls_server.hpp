// A small server on a loopback port for one test: TLS by OpenSSL, WebSocket by hand, and every kind of
// misbehaviour.
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "certificate.hpp"
#include "sotto/client/transport.hpp"

namespace sotto::test {

enum class Behaviour : std::uint8_t {
    echo,  ///< a WebSocket whose first frame is the connection's TLS exporter, and which then sends back
    plain_http,    ///< no TLS at all: answers in clear text
    silent,        ///< accepts the connection and says nothing
    hang_up,       ///< accepts the connection and closes it
    no_upgrade,    ///< answers the upgrade with 404
    busy,          ///< answers the upgrade with 503
    mute_upgrade,  ///< TLS works, the upgrade is never answered
    half_a_frame,  ///< upgrades, sends the first half of a frame and closes
    text_frame,    ///< upgrades and sends text
    oversized,     ///< upgrades and announces a frame over the limit
    flood,         ///< upgrades and sends 64 frames of 256 KiB
    deaf,          ///< upgrades and reads nothing any more
};

struct ServerOptions {
    Behaviour behaviour = Behaviour::echo;
    int newest_tls = TLS1_3_VERSION;
    std::string address = "127.0.0.1";
};

class TlsServer {
  public:
    explicit TlsServer(Certificate certificate, ServerOptions options = {});
    TlsServer(const TlsServer&) = delete;
    TlsServer& operator=(const TlsServer&) = delete;
    ~TlsServer();

    [[nodiscard]] std::uint16_t port() const { return port_; }
    /// The HTTP requests so far, each up to its empty line.
    [[nodiscard]] std::vector<std::string> requests() const;
    /// Of the last handshake, empty if the client named none.
    [[nodiscard]] std::string server_name_indicated() const;
    [[nodiscard]] int handshakes() const { return handshakes_; }
    [[nodiscard]] int resumed() const { return resumed_; }
    [[nodiscard]] int close_frames() const { return close_frames_; }

  private:
    void accept();
    void serve(int fd);
    void websocket(SSL* ssl);
    void echo(SSL* ssl);

    Certificate certificate_;
    ServerOptions options_;
    SSL_CTX* context_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<bool> stop_ = false;
    std::atomic<int> handshakes_ = 0;
    std::atomic<int> resumed_ = 0;
    std::atomic<int> close_frames_ = 0;
    mutable std::mutex mutex_;
    std::vector<std::string> requests_;
    std::string indicated_;
    std::vector<int> open_;
    std::vector<std::thread> workers_;
    std::thread acceptor_;
};

}  // namespace sotto::test
