// A whole server inside the test's process, and people who use it.
#pragma once

#include <thread>

#include "keyserver/app/commands.hpp"
#include "keyserver/app/node.hpp"
#include "keyserver_net/tls_peer.hpp"

namespace sotto::keyserver::test {

class NodeTest : public testing::Test {
  protected:
    explicit NodeTest(unsigned threads = 2, std::size_t most_connections = 1000) {
        InitOptions options;
        options.data = folder / "server";
        options.listen = "127.0.0.1:0";
        options.registration = "open";
        // What the command prints is for people.
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        const auto made = init(options);
        testing::internal::GetCapturedStdout();
        testing::internal::GetCapturedStderr();
        EXPECT_TRUE(made) << made.error().sentence;
        config = read_config(options.data).value();
        config.threads = threads;
        config.max_connections = most_connections;
        start();
    }
    void start() {
        auto started = Node::start(folder / "server", config);
        ASSERT_TRUE(started) << started.error().sentence;
        node = *std::move(started);
    }
    void stop() {
        node->stop();
        node.reset();
    }
    [[nodiscard]] TlsPeer connect(std::string_view target) const {
        TlsPeer peer{node->port()};
        EXPECT_TRUE(peer.open(target));
        return peer;
    }
    [[nodiscard]] TlsPeer registered(const TestDevice& device) const {
        auto peer = connect(protocol::identified_target);
        const auto answer =
            peer.ask(register_request(device, peer.proof(device, crypto::LoginPurpose::registration)));
        EXPECT_TRUE(answer.has_welcome()) << code_of(answer);
        return peer;
    }
    [[nodiscard]] TlsPeer logged_in(const TestDevice& device) const {
        auto peer = connect(protocol::identified_target);
        const auto answer = peer.ask(login_request(device, peer.proof(device, crypto::LoginPurpose::login)));
        EXPECT_TRUE(answer.has_welcome()) << code_of(answer);
        return peer;
    }
    static void set_shared(TlsPeer& peer, std::string_view word) {
        wire::Request request;
        auto& entry = *request.mutable_set_tokens()->add_tokens();
        entry.set_hash(token_hash_of(word));
        entry.set_kind(wire::TOKEN_KIND_SHARED);
        EXPECT_TRUE(peer.ask(request).has_done());
    }
    /// The next envelope that is pushed.
    static std::optional<std::string> incoming(TlsPeer& peer) {
        while (const auto push = peer.push())
            if (push->has_incoming()) return push->incoming().envelope();
        return std::nullopt;
    }

    sotto::test::TemporaryFolder folder;
    Config config;
    std::unique_ptr<Node> node;
};

/// Everything in these tests happens today.
[[nodiscard]] inline std::uint32_t real_today() {
    return static_cast<std::uint32_t>(std::time(nullptr) / 86'400);
}

}  // namespace sotto::keyserver::test
