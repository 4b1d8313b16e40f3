// Two sides and the paths between them.
#pragma once

#include <algorithm>

#include "side.hpp"

namespace sotto::client::test {

class PathsTest : public testing::Test {
  protected:
    enum class Only : std::uint8_t { tcp, ice };
    static void keep(PathDescription& path, Only only) {
        if (only == Only::tcp) {
            path.candidates.clear();
            path.ufrag.clear();
            path.password.clear();
            path.tcp.resize(1);
        } else {
            path.tcp.clear();
        }
    }
    struct Two {
        StreamOpened alice;
        StreamOpened bob;
    };
    /// Alice offers, Bob answers; the first stream of each that belong together.
    Two connect(Only only, AttemptId attempt = 1) {
        auto offer = alice.gather(attempt, true);
        auto answer = bob.gather(attempt + 6, false);
        keep(offer, only);
        keep(answer, only);
        bob.act(ConnectPath{attempt + 6, offer});
        if (only == Only::ice) alice.act(ConnectPath{attempt, answer});
        const auto at_alice = alice.next<StreamOpened>();
        const auto at_bob = bob.next<StreamOpened>();
        EXPECT_TRUE(at_alice && at_bob);
        const Two two{at_alice.value_or(StreamOpened{}), at_bob.value_or(StreamOpened{})};
        // Whoever connects speaks first.
        bob.act(SendStream{two.bob.stream, pattern(1)});
        EXPECT_EQ(alice.read(two.alice.stream, 1), pattern(1));
        return two;
    }
    void expect_carries(const Two& two, std::size_t size) {
        const auto sent = pattern(size);
        for (std::size_t at = 0; at < size; at += 100'000)
            alice.act(SendStream{two.alice.stream, to_bytes(ByteView{sent}.subspan(
                                                       at, std::min<std::size_t>(100'000, size - at)))});
        EXPECT_TRUE(bob.read(two.bob.stream, size) == sent);
        bob.act(SendStream{two.bob.stream, pattern(10)});
        EXPECT_EQ(alice.read(two.alice.stream, 10), pattern(10));
    }

    Side alice;
    Side bob;
};

}  // namespace sotto::client::test
