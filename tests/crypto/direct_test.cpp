// Streams between two devices: who may speak, and what a third party can do about it. Attacks 1, 34.
#include "sotto/crypto/direct.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

namespace sotto::crypto::test {
namespace {

class DirectCryptoTest : public testing::Test {
  protected:
    struct Two {
        DirectStream opener;
        DirectStream accepter;
    };
    /// Both streams, proven to each other.
    [[nodiscard]] Two connect(DirectRole opener = DirectRole::offerer) {
        const auto other = opener == DirectRole::offerer ? DirectRole::answerer : DirectRole::offerer;
        Bytes first;
        Two two{DirectStream::open(key, opener, rng, first), DirectStream::accept(key, other, rng)};
        const auto answer = two.accepter.take(first).value().reply;
        EXPECT_FALSE(two.accepter.proven()) << "a repeated first flight proves nothing";
        const auto confirmation = two.opener.take(answer).value().reply;
        EXPECT_TRUE(two.opener.proven());
        EXPECT_TRUE(two.accepter.take(confirmation).value().frames.empty());
        EXPECT_TRUE(two.accepter.proven());
        return two;
    }
    [[nodiscard]] static std::vector<std::string> texts(const DirectStream::Taken& taken) {
        std::vector<std::string> out;
        for (const auto& frame : taken.frames) out.emplace_back(chars_of(frame));
        return out;
    }
    [[nodiscard]] DirectKey derived(std::uint8_t change) {
        DirectAttempt attempt{};
        DirectSecret offered;
        DirectSecret answered;
        DirectEnd alice{.address = {"alice", "one.example"}, .device = 1};
        DirectEnd bob{.address = {"bob", "one.example"}, .device = 2};
        if (change == 1) attempt[0] = std::byte{1};
        if (change == 2) offered.writable()[0] = std::byte{1};
        if (change == 3) answered.writable()[0] = std::byte{1};
        if (change == 4) alice.device = 3;
        if (change == 5) bob.address.user = "bobby";
        if (change == 6) std::swap(alice, bob);
        return derive_direct_key(attempt, offered, answered, alice, bob);
    }

    SeededRng rng{11};
    DirectKey key{rng.bytes<32>()};
};

TEST_F(DirectCryptoTest, FramesArriveInOrderHoweverTheyAreCut) {
    for (const auto role : {DirectRole::offerer, DirectRole::answerer}) {
        auto [opener, accepter] = connect(role);
        Bytes wire;
        std::vector<std::string> sent;
        for (int i = 0; i < 50; ++i) {
            sent.emplace_back(static_cast<std::size_t>(1 + i * 37), static_cast<char>('a' + i % 26));
            const auto frame = opener.seal(bytes_of(sent.back()));
            EXPECT_EQ(frame.size(), sent.back().size() + direct_frame_overhead);
            wire.insert(wire.end(), frame.begin(), frame.end());
        }
        std::vector<std::string> got;
        for (std::size_t at = 0; at < wire.size();) {
            const auto size = std::min<std::size_t>(1 + rng.below(90), wire.size() - at);
            for (auto& text : texts(accepter.take(ByteView{wire}.subspan(at, size)).value()))
                got.push_back(std::move(text));
            at += size;
        }
        EXPECT_EQ(got, sent);
        const auto back = accepter.seal(bytes_of("heard"));
        EXPECT_EQ(texts(opener.take(back).value()), std::vector<std::string>{"heard"});
    }
}

TEST_F(DirectCryptoTest, TheLargestFramePassesAndNothingBeyondIsSent) {
    auto [opener, accepter] = connect();
    const Bytes largest(max_direct_frame, std::byte{7});
    EXPECT_EQ(accepter.take(opener.seal(largest)).value().frames.at(0).size(), max_direct_frame);
    EXPECT_THROW(static_cast<void>(opener.seal(Bytes(max_direct_frame + 1))), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(opener.seal({})), std::invalid_argument);
}

TEST_F(DirectCryptoTest, NothingIsSealedForSomebodyUnproven) {
    Bytes first;
    auto opener = DirectStream::open(key, DirectRole::offerer, rng, first);
    auto accepter = DirectStream::accept(key, DirectRole::answerer, rng);
    EXPECT_EQ(first.size(), direct_flight_size);
    EXPECT_THROW(static_cast<void>(opener.seal(bytes_of("x"))), std::logic_error);
    EXPECT_THROW(static_cast<void>(accepter.seal(bytes_of("x"))), std::logic_error);
    std::ignore = accepter.take(first).value();
    EXPECT_THROW(static_cast<void>(accepter.seal(bytes_of("x"))), std::logic_error);
}

TEST_F(DirectCryptoTest, AStrangerGetsNoAnswer) {
    auto accepter = DirectStream::accept(key, DirectRole::answerer, rng);
    const Bytes guess = to_bytes(rng.bytes<direct_flight_size>());
    for (std::size_t at = 0; at + 1 < guess.size(); ++at)
        EXPECT_TRUE(accepter.take(ByteView{guess}.subspan(at, 1)).value().reply.empty());
    EXPECT_EQ(accepter.take(ByteView{guess}.last(1)).error(), Error::cannot_open);
    EXPECT_EQ(accepter.take({}).error(), Error::cannot_open) << "an error is final";
    EXPECT_FALSE(accepter.proven());
}

TEST_F(DirectCryptoTest, AnotherKeyOpensNothing) {
    const DirectKey other{rng.bytes<32>()};
    Bytes first;
    auto opener = DirectStream::open(other, DirectRole::offerer, rng, first);
    auto accepter = DirectStream::accept(key, DirectRole::answerer, rng);
    EXPECT_EQ(accepter.take(first).error(), Error::cannot_open);
}

TEST_F(DirectCryptoTest, WhatASideSaysDoesNotServeToAnswerIt) {
    // Sent back to its own listening port, and as the answer to itself.
    Bytes first;
    auto opener = DirectStream::open(key, DirectRole::offerer, rng, first);
    auto listening = DirectStream::accept(key, DirectRole::offerer, rng);
    EXPECT_EQ(listening.take(first).error(), Error::cannot_open);
    EXPECT_EQ(opener.take(first).error(), Error::cannot_open);

    auto [alice, bob] = connect();
    EXPECT_EQ(alice.take(alice.seal(bytes_of("echo"))).error(), Error::cannot_open);
}

TEST_F(DirectCryptoTest, AFlightOfAnotherStreamOfTheSameAttemptProvesNothing) {
    Bytes first;
    auto opener = DirectStream::open(key, DirectRole::offerer, rng, first);
    auto accepter = DirectStream::accept(key, DirectRole::answerer, rng);
    const auto confirmation = opener.take(accepter.take(first).value().reply).value().reply;
    // Who recorded it repeats both to another stream that listens: its own nonce makes other keys.
    auto second = DirectStream::accept(key, DirectRole::answerer, rng);
    EXPECT_FALSE(second.take(first).value().reply.empty());
    EXPECT_EQ(second.take(confirmation).error(), Error::cannot_open);
    EXPECT_FALSE(second.proven());
}

TEST_F(DirectCryptoTest, EveryAlteredByteIsNoticed) {
    const auto untouched = [this] { return connect(); };
    for (std::size_t at = 0; at < 4 + direct_frame_overhead; ++at) {
        auto [opener, accepter] = untouched();
        auto frame = opener.seal(bytes_of("four"));
        frame[at] ^= std::byte{1};
        auto taken = accepter.take(frame);
        // A longer length waits for bytes that never come, or takes them from the next frame.
        if (taken) taken = accepter.take(opener.seal(Bytes(max_direct_frame)));
        EXPECT_FALSE(taken.has_value() && !taken->frames.empty()) << at;
    }
}

TEST_F(DirectCryptoTest, RepeatedMissingAndSwappedFramesAreNoticed) {
    {
        auto [opener, accepter] = connect();
        const auto frame = opener.seal(bytes_of("once"));
        EXPECT_TRUE(accepter.take(frame));
        EXPECT_EQ(accepter.take(frame).error(), Error::cannot_open);
    }
    auto [opener, accepter] = connect();
    std::ignore = opener.seal(bytes_of("left out"));
    EXPECT_EQ(accepter.take(opener.seal(bytes_of("next"))).error(), Error::cannot_open);
}

TEST_F(DirectCryptoTest, ALengthOutOfBoundsEndsTheStreamAtOnce) {
    for (const std::uint32_t size :
         {0U, 16U, static_cast<std::uint32_t>(max_direct_frame) + 18U, 0xffff'ffffU}) {
        auto [opener, accepter] = connect();
        const Array<4> length{static_cast<std::byte>(size >> 24U), static_cast<std::byte>(size >> 16U),
                              static_cast<std::byte>(size >> 8U), static_cast<std::byte>(size)};
        EXPECT_FALSE(accepter.take(length)) << size;
    }
}

TEST_F(DirectCryptoTest, TheKeyIsOfBothSecretsAndBothEnds) {
    std::vector<Bytes> keys;
    for (std::uint8_t change = 0; change <= 6; ++change) keys.push_back(to_bytes(derived(change).expose()));
    EXPECT_EQ(keys[0], to_bytes(derived(0).expose()));
    std::ranges::sort(keys);
    EXPECT_EQ(std::ranges::adjacent_find(keys), keys.end());
}

}  // namespace
}  // namespace sotto::crypto::test
