// What is sent from other threads than the loop's own: its order, its end, and how much of it may wait.
#include <gtest/gtest.h>

#include <array>
#include <thread>

#include "paths.hpp"
#include "sotto/crypto/codec.hpp"

namespace sotto::client::test {
namespace {

class SendingTest : public PathsTest, public testing::WithParamInterface<int> {
  protected:
    static Only only() { return GetParam() == 0 ? Only::tcp : Only::ice; }
};

INSTANTIATE_TEST_SUITE_P(Paths, SendingTest, testing::Values(0, 1),
                         [](const auto& each) { return each.param == 0 ? "Tcp" : "Ice"; });

// More than sockets hold is always on its way, so that pieces go by both ways: at once, and by the loop.
TEST_P(SendingTest, PiecesOfSeveralThreadsStayWholeAndInOrder) {
    constexpr std::uint32_t threads = 3;
    constexpr std::uint32_t pieces = 250;
    constexpr std::size_t head_size = 12;
    constexpr std::size_t window = 7'000'000;
    const auto two = connect(only());
    std::atomic<std::size_t> sent = 0;
    std::atomic<std::size_t> got = 0;
    bob.read_nothing();
    std::vector<std::jthread> senders;
    for (std::uint32_t who = 0; who < threads; ++who)
        senders.emplace_back([&, who](const std::stop_token& stop) {
            for (std::uint32_t number = 0; number < pieces; ++number) {
                const auto size = number % 3 == 0 ? 20 : (number * 7919 + who * 104729) % 50'000;
                Bytes piece;
                crypto::Writer writer{piece};
                writer.u32(who);
                writer.u32(number);
                writer.u32(size);
                writer.raw(pattern(size));
                while (sent - got > window)
                    if (stop.stop_requested()) return;
                sent += piece.size();
                alice.act(SendStream{two.alice.stream, std::move(piece)});
            }
        });
    std::this_thread::sleep_for(std::chrono::milliseconds{200});
    bob.read_on();
    std::array<std::uint32_t, threads> next{};
    Bytes in;
    std::size_t at = 0;
    const auto need = [&](std::size_t size) {
        while (in.size() - at < size) {
            const auto piece = bob.next<StreamBytes>();
            if (!piece) return false;
            in.erase(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(std::exchange(at, 0)));
            in.insert(in.end(), piece->bytes.begin(), piece->bytes.end());
            got += piece->bytes.size();
        }
        return true;
    };
    for (std::uint32_t done = 0; done < threads * pieces; ++done) {
        ASSERT_TRUE(need(head_size));
        crypto::Reader head{ByteView{in}.subspan(at, head_size)};
        const auto who = head.u32();
        const auto number = head.u32();
        const auto size = head.u32();
        ASSERT_LT(who, threads);
        ASSERT_EQ(number, next[who]++);
        ASSERT_LT(size, 50'000U);
        ASSERT_TRUE(need(head_size + size));
        ASSERT_TRUE(to_bytes(ByteView{in}.subspan(at + head_size, size)) == pattern(size));
        at += head_size + size;
    }
}

TEST_P(SendingTest, AnEndThatNeverReadsIsGivenUp) {
    const auto two = connect(only());
    bob.read_nothing();
    constexpr std::size_t piece = 100'000;
    // What sockets hold doesn't count.
    for (std::size_t sent = 0; sent < max_unsent / 2; sent += piece)
        alice.act(SendStream{two.alice.stream, pattern(piece)});
    EXPECT_FALSE(alice.next<StreamClosed>(std::chrono::milliseconds{300})) << "not too much yet";
    for (std::size_t sent = 0; sent < 3 * max_unsent; sent += piece)
        alice.act(SendStream{two.alice.stream, pattern(piece)});
    const auto closed = alice.next<StreamClosed>();
    ASSERT_TRUE(closed);
    EXPECT_EQ(closed->stream, two.alice.stream);
    bob.read_on();
}

TEST_P(SendingTest, AStreamMayEndWhileSomebodySends) {
    for (AttemptId attempt = 10; attempt < 22; ++attempt) {
        const auto two = connect(only(), attempt);
        std::atomic<int> sent = 0;
        const std::jthread sender{[&](const std::stop_token& stop) {
            while (!stop.stop_requested() && sent < 2000) {
                alice.act(SendStream{two.alice.stream, pattern(1000)});
                ++sent;
            }
        }};
        while (sent < 20) std::this_thread::yield();
        if (attempt % 3 == 0) alice.act(CloseStream{two.alice.stream});
        if (attempt % 3 == 1) alice.act(EndPath{attempt});
        if (attempt % 3 == 2) alice.act(KeepStream{attempt, 0});
        EXPECT_FALSE(alice.next<StreamClosed>(std::chrono::milliseconds{20})) << "whoever ends it knows";
        bob.act(EndPath{attempt + 6});
    }
}

}  // namespace
}  // namespace sotto::client::test
