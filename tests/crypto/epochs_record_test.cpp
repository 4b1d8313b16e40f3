// What of the post-quantum ratchet survives a restart: docs/protocol.md 7.6.
#include "epochs.hpp"
#include "forge.hpp"
#include "format1_states.hpp"

namespace sotto::crypto::test {
namespace {

Session stored(std::string_view hex) {
    return Session::parse(from_hex(hex).value()).value();
}

TEST(EpochRecord, StatesOfFormatOneOpenAndBeginTheFirstEpoch) {
    End alice_end{stored(format1_alice), 1};
    End bob_end{stored(format1_bob), 2};
    EXPECT_EQ(alice_end.session().epoch(), 0U);
    EXPECT_EQ(alice_end.open(bob_end.seal("after the update")).value(), "after the update");
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(bob_end.open(alice_end.seal("x")).has_value());
        EXPECT_TRUE(alice_end.open(bob_end.seal("y")).has_value());
    }
    EXPECT_EQ(alice_end.session().epoch(), 1U);
    EXPECT_EQ(bob_end.session().epoch(), 1U);
}

TEST(EpochRecord, FormatOneHasNeitherEpochNorArea) {
    auto record = from_hex(format1_bob).value();
    ASSERT_TRUE(Session::parse(record).has_value());
    put(record, offset::epoch, 1);
    EXPECT_EQ(Session::parse(record).error(), Error::malformed);
    put(record, offset::epoch, 0);
    record.back() = std::byte{1};
    record.push_back(std::byte{0});
    EXPECT_EQ(Session::parse(record).error(), Error::malformed);
}

TEST(EpochRecord, IsUnderTwoKibibytesWithEverythingInIt) {
    FreshConversation c;
    std::size_t largest = 0;
    for (int i = 0; i < 120; ++i) {
        c.alice_end.now += 3'600'000;
        c.bob_end.now += 3'600'000;
        if (i % 7 < 5) {
            (void)c.alice_end.seal("lost");
            (void)c.bob_end.seal("lost");
        }
        c.round_trip();
        for (const auto* const end : {&c.alice_end, &c.bob_end})
            largest = std::max(largest, end->session().serialize().size());
    }
    EXPECT_EQ(largest, largest_session_record)
        << "six chains and an answer: the number that the documentation gives";
}

/// A record in each stage: Alice has offered, Bob has answered, Alice is ready.
class StagedRecord : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(c.bob_end.open(c.alice_end.seal("key")).has_value());
        offered = c.alice_end.session().serialize();
        (void)c.bob_end.seal("ciphertext");
        const auto second = c.bob_end.seal("ciphertext again");
        (void)c.bob_end.seal("third");
        answered = c.bob_end.session().serialize();
        ASSERT_TRUE(c.alice_end.open(second).has_value());
        (void)c.alice_end.seal("entered");
    }
    /// What parsing says about a record with `value` at `at` of its epoch area; nothing if it parses.
    static std::optional<Error> damaged(SecretBytes record, std::size_t at, std::uint32_t value) {
        put(record, offset::epochs(record) + at, value);
        const auto parsed = Session::parse(record);
        return parsed ? std::nullopt : std::optional{parsed.error()};
    }
    static std::optional<Error> in_stage(SecretBytes record, unsigned stage) {
        record[offset::epochs(record) + offset::epochs_stage] = static_cast<std::byte>(stage);
        const auto parsed = Session::parse(record);
        return parsed ? std::nullopt : std::optional{parsed.error()};
    }
    FreshConversation c;
    SecretBytes offered;
    SecretBytes answered;
};

TEST_F(StagedRecord, EveryOtherLengthIsRefused) {
    for (auto record : {offered, answered}) {
        ASSERT_EQ(Session::parse(record)->serialize(), record);
        for (std::size_t size = 0; size < record.size(); ++size)
            ASSERT_FALSE(Session::parse(ByteView{record}.first(size)).has_value()) << size;
        record.push_back(std::byte{0});
        EXPECT_FALSE(Session::parse(record).has_value());
    }
}

TEST_F(StagedRecord, AnotherStageIsRefused) {
    for (const unsigned stage : {0U, 2U, 3U, 4U, 255U})
        EXPECT_EQ(in_stage(offered, stage), Error::malformed) << stage;
    for (const unsigned stage : {0U, 1U, 2U, 4U, 255U})
        EXPECT_EQ(in_stage(answered, stage), Error::malformed) << stage;
}

TEST_F(StagedRecord, ASideThatDoesNotDecapsulateCanNotHaveOffered) {
    auto record = offered;
    record[1] ^= std::byte{1};  // not the initiator
    EXPECT_EQ(Session::parse(record).error(), Error::malformed);
    record = answered;
    record[1] ^= std::byte{1};
    EXPECT_EQ(Session::parse(record).error(), Error::malformed);
}

TEST_F(StagedRecord, TheAnswerIsForTheNextEpochAndInShape) {
    const auto at = offset::epochs_secrets + 32;
    EXPECT_EQ(damaged(answered, at, 1), std::nullopt);
    EXPECT_EQ(damaged(answered, at, 0), Error::malformed);
    EXPECT_EQ(damaged(answered, at, 2), Error::malformed);
    EXPECT_EQ(damaged(answered, at, 3), Error::malformed);
    auto record = answered;
    record[offset::epochs(record) + at + 20] = std::byte{3};
    EXPECT_EQ(Session::parse(record).error(), Error::malformed) << "not a ciphertext";
}

TEST_F(StagedRecord, NumbersThatNoStepWroteAreRefused) {
    EXPECT_EQ(damaged(offered, offset::epochs_receiving, 1), Error::malformed) << "the peer ahead of us";
    EXPECT_EQ(damaged(offered, offset::epochs_since, 0x80000000), Error::malformed) << "before 1970";
    EXPECT_EQ(damaged(offered, offset::epochs_secrets + 64, 1), std::nullopt);
    EXPECT_EQ(damaged(offered, offset::epochs_secrets + 64, 2), Error::malformed) << "more than were sealed";
    EXPECT_EQ(damaged(answered, offset::epochs_secrets + 32 + kem_ciphertext_frame_size, 4),
              Error::malformed);
    EXPECT_EQ(damaged(offered, offset::epochs_messages, 0xffffffff), std::nullopt);
}

TEST_F(StagedRecord, OnlyWhoEntersFirstIsAheadOfThePeersChain) {
    auto record = c.alice_end.session().serialize();  // epoch 1, the peer's chain still in 0
    ASSERT_EQ(c.alice_end.session().epoch(), 1U);
    EXPECT_EQ(damaged(record, offset::epochs_receiving, 0), std::nullopt);
    EXPECT_EQ(damaged(record, offset::epochs_receiving, 1), std::nullopt);
    EXPECT_EQ(damaged(record, offset::epochs_receiving, 2), Error::malformed);
    put(record, offset::epoch, 2);
    EXPECT_EQ(damaged(record, offset::epochs_receiving, 1), Error::malformed) << "epoch 2 is Bob's to enter";
    EXPECT_EQ(damaged(record, offset::epochs_receiving, 0), Error::malformed);
}

TEST_F(StagedRecord, BeforeAnythingWasReceivedThereIsNoEpoch) {
    auto a = alice();
    auto b = bob();
    auto record = start(a, b).value().serialize();
    ASSERT_TRUE(Session::parse(record).has_value());
    put(record, offset::epoch, 1);
    put(record, offset::epochs(record), 1);
    EXPECT_EQ(Session::parse(record).error(), Error::malformed);
}

TEST_F(StagedRecord, TheCountOfMessagesStopsAtItsEnd) {
    auto record = c.bob_end.session().serialize();
    put(record, offset::epochs(record) + offset::epochs_messages, 0xffffffff);
    c.bob_end.session() = Session::parse(record).value();
    (void)c.bob_end.seal("one more");
    record = c.bob_end.session().serialize();
    const auto at = ByteView{record}.subspan(offset::epochs(record) + offset::epochs_messages, 4);
    EXPECT_EQ(Reader{at}.u32(), 0xffffffffU);
}

}  // namespace
}  // namespace sotto::crypto::test
