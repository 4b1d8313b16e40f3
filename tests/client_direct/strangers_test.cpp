// Whoever knocks at the ports that an attempt listens on.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "paths.hpp"

namespace sotto::client::test {
namespace {

using std::chrono::milliseconds;

[[nodiscard]] sockaddr_in place(ByteView address, std::uint16_t port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(port);
    std::memcpy(&out.sin_addr, address.data(), sizeof(out.sin_addr));
    return out;
}

const Bytes here{std::byte{127}, std::byte{0}, std::byte{0}, std::byte{1}};

/// A connection of nobody who is known.
class Knock {
  public:
    explicit Knock(const TcpEndpoint& to, ByteView from = {}) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        if (!from.empty()) {
            const auto at = place(from, 0);
            if (::bind(socket_, reinterpret_cast<const sockaddr*>(&at), sizeof(at)) != 0) return;
        }
        const auto at = place(to.address, to.port);
        connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&at), sizeof(at)) == 0;
    }
    Knock(const Knock&) = delete;
    Knock& operator=(const Knock&) = delete;
    ~Knock() { ::close(socket_); }
    [[nodiscard]] bool connected() const { return connected_; }
    void say() const { static_cast<void>(::send(socket_, "x", 1, MSG_NOSIGNAL)); }
    [[nodiscard]] bool ended_within(milliseconds limit) const {
        pollfd waiting{.fd = socket_, .events = POLLIN, .revents = 0};
        return ::poll(&waiting, 1, static_cast<int>(limit.count())) == 1;
    }

  private:
    int socket_;
    bool connected_ = false;
};

class StrangersTest : public PathsTest {
  protected:
    static std::optional<TcpEndpoint> find(const PathDescription& ours, bool loopback) {
        for (const auto& endpoint : ours.tcp)
            if (endpoint.address.size() == 4 && (endpoint.address[0] == here[0]) == loopback) return endpoint;
        return std::nullopt;
    }
};

TEST_F(StrangersTest, WhoComesThroughARouterIsNotLetIn) {
    const auto door = find(alice.gather(1, true, {}), false);
    if (!door) GTEST_SKIP() << "this machine is on no network";
    const Knock neighbour{*door};
    ASSERT_TRUE(neighbour.connected());
    EXPECT_TRUE(alice.next<StreamOpened>()) << "from the same network";
    const Knock far{*door, here};
    ASSERT_TRUE(far.connected());
    EXPECT_TRUE(far.ended_within(patience));
    EXPECT_FALSE(alice.next<StreamOpened>(milliseconds{200}));
}

TEST_F(StrangersTest, TheSilentOnesMakeRoomAgain) {
    constexpr std::size_t at_once = 8;
    const auto door = find(alice.gather(1, true), true).value();
    const Knock speaks{door};
    speaks.say();
    std::deque<Knock> silent;
    while (silent.size() + 1 < at_once) silent.emplace_back(door);
    for (std::size_t i = 0; i < at_once; ++i) ASSERT_TRUE(alice.next<StreamOpened>());
    const Knock late{door};
    EXPECT_TRUE(late.ended_within(patience)) << "no room";
    const auto begun = Clock::now();
    for (std::size_t i = 0; i < silent.size(); ++i) EXPECT_TRUE(alice.next<StreamClosed>());
    EXPECT_LT(Clock::now() - begun, milliseconds{5000});
    EXPECT_FALSE(alice.next<StreamClosed>(milliseconds{500})) << "who spoke may stay";
    const Knock again{door};
    EXPECT_TRUE(alice.next<StreamOpened>());
}

TEST_F(StrangersTest, ThereIsAnEndToThem) {
    constexpr int in_all = 64;
    const auto door = find(alice.gather(1, true), true).value();
    for (int i = 0; i < in_all; ++i) {
        {
            const Knock knock{door};
            ASSERT_TRUE(alice.next<StreamOpened>());
        }
        ASSERT_TRUE(alice.next<StreamClosed>());
    }
    const Knock one_more{door};
    EXPECT_TRUE(one_more.ended_within(patience));
    EXPECT_FALSE(alice.next<StreamOpened>(milliseconds{200}));
}

}  // namespace
}  // namespace sotto::client::test
