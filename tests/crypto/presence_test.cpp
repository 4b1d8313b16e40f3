// Presence keys, topics and blobs. Attacks 9, 20 and 33.
#include "sotto/crypto/presence.hpp"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

namespace sotto::crypto::test {
namespace {

class PresenceCryptoTest : public testing::Test {
  protected:
    [[nodiscard]] PresenceKey fresh() { return PresenceKey{rng.bytes<32>()}; }
    SeededRng rng{7};
    PresenceState state{.status = PresenceStatus::away,
                        .capabilities = 1,
                        .device = 4'000'000'000U,
                        .since = 1'795'000'000'123,
                        .text = "back at three"};
};

TEST_F(PresenceCryptoTest, AKeyOpensWhatItSealed) {
    const auto key = fresh();
    for (const auto status :
         {PresenceStatus::online, PresenceStatus::away, PresenceStatus::busy, PresenceStatus::leaving}) {
        state.status = status;
        const auto opened = open_presence(key, seal_presence(key, state, rng));
        ASSERT_TRUE(opened);
        EXPECT_EQ(*opened, state);
    }
}

TEST_F(PresenceCryptoTest, ABlobHasOneOfThreeSizes) {
    const auto key = fresh();
    std::set<std::size_t> sizes;
    for (std::size_t length = 0; length <= max_presence_text; ++length) {
        state.text.assign(length, 'x');
        const auto blob = seal_presence(key, state, rng);
        sizes.insert(blob.size());
        const auto opened = open_presence(key, blob);
        ASSERT_TRUE(opened) << length;
        EXPECT_EQ(opened->text.size(), length);
    }
    EXPECT_EQ(sizes, (std::set<std::size_t>{52, 116, 180}));
}

TEST_F(PresenceCryptoTest, TheSameStatusIsNeverTheSameBlob) {
    const auto key = fresh();
    std::set<Bytes> blobs;
    for (int i = 0; i < 100; ++i) blobs.insert(seal_presence(key, state, rng));
    EXPECT_EQ(blobs.size(), 100U);
}

TEST_F(PresenceCryptoTest, AnAlteredBlobIsRefused) {
    const auto key = fresh();
    const auto blob = seal_presence(key, state, rng);
    for (std::size_t at = 0; at < blob.size(); ++at) {
        auto altered = blob;
        altered[at] ^= std::byte{1};
        EXPECT_EQ(open_presence(key, altered).error(), Error::cannot_open) << at;
    }
    for (std::size_t size = 0; size < blob.size(); ++size)
        EXPECT_FALSE(open_presence(key, ByteView{blob}.first(size))) << size;
    auto longer = blob;
    longer.push_back(std::byte{0});
    EXPECT_EQ(open_presence(key, longer).error(), Error::malformed);
    longer.resize(180);
    EXPECT_EQ(open_presence(key, longer).error(), Error::cannot_open);
}

TEST_F(PresenceCryptoTest, AnOldBlobIsRefusedOnAnotherDay) {
    const auto key = fresh();
    const auto tomorrow = presence_key_at(key, 100, 101);
    ASSERT_TRUE(tomorrow);
    EXPECT_EQ(open_presence(*tomorrow, seal_presence(key, state, rng)).error(), Error::cannot_open);
    EXPECT_EQ(open_presence(fresh(), seal_presence(key, state, rng)).error(), Error::cannot_open);
}

TEST_F(PresenceCryptoTest, EachDayHasItsOwnTopic) {
    const auto key = fresh();
    std::set<PresenceTopic> topics;
    for (std::uint32_t day = 20'000; day < 20'050; ++day) {
        const auto at = presence_key_at(key, 20'000, day);
        ASSERT_TRUE(at);
        topics.insert(presence_topic(*at));
    }
    EXPECT_EQ(topics.size(), 50U);
    EXPECT_EQ(presence_topic(*presence_key_at(key, 20'000, 20'000)), presence_topic(key));
}

TEST_F(PresenceCryptoTest, TwoStepsAreOneOfTwoDays) {
    const auto key = fresh();
    const auto one = presence_key_at(key, 5, 6);
    const auto two = presence_key_at(*one, 6, 7);
    EXPECT_EQ(presence_topic(*two), presence_topic(*presence_key_at(key, 5, 7)));
}

TEST_F(PresenceCryptoTest, EachTopicHasItsOwnWriteKey) {
    const PresenceWriteSecret secret{rng.bytes<16>()};
    const PresenceWriteSecret other{rng.bytes<16>()};
    std::set<Array<16>> keys;
    const auto add = [&](const PresenceWriteKey& key) {
        Array<16> bytes{};
        std::ranges::copy(key.expose(), bytes.begin());
        keys.insert(bytes);
    };
    PresenceTopic topic{};
    for (int i = 0; i < 50; ++i) {
        topic = rng.bytes<16>();
        add(presence_write_key(secret, topic));
        add(presence_write_key(other, topic));
    }
    add(PresenceWriteKey{secret.expose()});
    EXPECT_EQ(keys.size(), 101U);
    add(presence_write_key(secret, topic));
    EXPECT_EQ(keys.size(), 101U) << "the same again";
}

TEST_F(PresenceCryptoTest, DummiesDifferByDayPlaceAndNumber) {
    const auto seed = fresh();
    const auto tomorrow = presence_key_at(seed, 1, 2);
    std::set<PresenceTopic> topics{presence_topic(seed)};
    for (const auto* const each : {&seed, &*tomorrow})
        for (const std::string_view place : {"", "one.example", "two.example"})
            for (std::uint32_t index = 0; index < 20; ++index)
                topics.insert(presence_topic(presence_dummy_key(*each, bytes_of(place), index)));
    EXPECT_EQ(topics.size(), 121U);
    EXPECT_TRUE(topics.contains(presence_topic(presence_dummy_key(seed, {}, 7)))) << "the same again";
    EXPECT_FALSE(equal_constant_time(presence_dummy_write_secret(seed).expose(),
                                     presence_dummy_write_secret(*tomorrow).expose()));
}

TEST_F(PresenceCryptoTest, KeysGoForwardAloneAndNotWithoutEnd) {
    const auto key = fresh();
    EXPECT_FALSE(presence_key_at(key, 10, 9));
    EXPECT_TRUE(presence_key_at(key, 10, 10 + max_presence_days));
    EXPECT_FALSE(presence_key_at(key, 10, 11 + max_presence_days));
    EXPECT_FALSE(presence_key_at(key, 0, 0xFFFF'FFFF));
}

TEST_F(PresenceCryptoTest, WhatCantBeWrittenIsRefused) {
    const auto key = fresh();
    state.text.assign(max_presence_text + 1, 'x');
    EXPECT_THROW(std::ignore = seal_presence(key, state, rng), std::invalid_argument);
    state.text.clear();
    state.since = -1;
    EXPECT_THROW(std::ignore = seal_presence(key, state, rng), std::invalid_argument);
}

}  // namespace
}  // namespace sotto::crypto::test
