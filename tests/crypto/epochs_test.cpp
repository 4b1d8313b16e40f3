// The post-quantum ratchet, rule by rule: docs/protocol.md 7.5. Every step goes through the serialised
// session (people.hpp).
#include <limits>

#include "epochs_steps.hpp"

namespace sotto::crypto::test {
namespace {

// ---- who starts, and when: Q1, Q2 ----

TEST(Epochs, TheFirstOneStartsAfterTheFirstReply) {
    auto a = alice();
    auto b = bob();
    End alice_end{start(a, b).value(), 1};
    const auto first = alice_end.seal("hello");
    const auto size = first.size();
    for (int i = 0; i < 30; ++i) EXPECT_EQ(alice_end.seal("hello").size(), size) << "nothing rides along";
    End bob_end{answer(b, first).value().first, 2};
    EXPECT_TRUE(keys_among(bob_end, 30).empty());
    pass(bob_end, alice_end);
    EXPECT_EQ(keys_among(alice_end, 1), std::vector{1});
}

TEST(Epochs, OneTakesARoundTripAndAHalf) {
    FreshConversation c;
    const auto key = send(c.alice_end);
    EXPECT_TRUE(carries_key(key));
    EXPECT_FALSE(carries_ciphertext(key));
    ASSERT_TRUE(c.bob_end.open(key.envelope).has_value());
    const auto ciphertext = send(c.bob_end);
    EXPECT_TRUE(carries_ciphertext(ciphertext));
    EXPECT_FALSE(carries_key(ciphertext));
    EXPECT_EQ(c.bob_end.session().epoch(), 0U);
    EXPECT_EQ(c.alice_end.session().epoch(), 0U);
    ASSERT_TRUE(c.alice_end.open(ciphertext.envelope).has_value());
    EXPECT_EQ(stage(c.alice_end), EpochStage::ready);
    const auto entered = send(c.alice_end);
    EXPECT_EQ(c.alice_end.session().epoch(), 1U) << "whoever decapsulates enters first";
    EXPECT_FALSE(carries_key(entered) || carries_ciphertext(entered));
    EXPECT_EQ(c.bob_end.session().epoch(), 0U);
    ASSERT_TRUE(c.bob_end.open(entered.envelope).has_value());
    EXPECT_EQ(c.bob_end.session().epoch(), 1U) << "the other only on seeing it";
    const auto after = send(c.bob_end);
    EXPECT_FALSE(carries_key(after) || carries_ciphertext(after));
    ASSERT_TRUE(c.alice_end.open(after.envelope).has_value());
}

TEST(Epochs, TheSidesTakeTurnsAndNobodyOffersOutOfTurn) {
    Conversation c;
    for (unsigned epoch = 2; epoch <= 7; ++epoch) {
        auto& offers = epoch % 2 == 1 ? c.alice_end : c.bob_end;
        auto& answers = epoch % 2 == 1 ? c.bob_end : c.alice_end;
        c.alice_end.now += 10 * hour;
        c.bob_end.now += 10 * hour;
        EXPECT_TRUE(keys_among(answers, 30).empty()) << epoch;
        EXPECT_EQ(keys_among(offers, 1), std::vector{1}) << epoch;
        for (int i = 0; i < 4; ++i) c.round_trip();
        EXPECT_EQ(offers.session().epoch(), epoch);
        EXPECT_EQ(answers.session().epoch(), epoch);
    }
}

TEST(Epochs, TheNextOneIsDueAfterTwentyMessagesAndNotBefore) {
    Conversation c;
    // Since Bob saw the first epoch he has sealed one message.
    EXPECT_TRUE(keys_among(c.bob_end, epoch_messages - 1).empty());
    EXPECT_EQ(keys_among(c.bob_end, 1), std::vector{1});
}

TEST(Epochs, MessagesBothWaysCount) {
    Conversation c;
    for (unsigned i = 1; i + 1 < epoch_messages; i += 2) {
        pass(c.alice_end, c.bob_end);
        EXPECT_TRUE(keys_among(c.bob_end, 1).empty());
    }
    pass(c.alice_end, c.bob_end);
    EXPECT_EQ(keys_among(c.bob_end, 1), std::vector{1});
}

TEST(Epochs, TheNextOneIsDueAfterAnHourAndNotBefore) {
    Conversation c;
    c.bob_end.now = now_ms + hour - 1;
    EXPECT_TRUE(keys_among(c.bob_end, 1).empty());
    c.bob_end.now = now_ms + hour;
    EXPECT_EQ(keys_among(c.bob_end, 1), std::vector{1});
}

TEST(Epochs, AClockThatIsSetBackByAnHourMakesOneDue) {
    Conversation c;
    c.bob_end.now = now_ms - hour + 1;
    EXPECT_TRUE(keys_among(c.bob_end, 1).empty());
    c.bob_end.now = now_ms - hour;
    EXPECT_EQ(keys_among(c.bob_end, 1), std::vector{1});
    Conversation before_1970;
    before_1970.bob_end.now = std::numeric_limits<std::int64_t>::min();
    EXPECT_EQ(keys_among(before_1970.bob_end, 1), std::vector{1});
}

// ---- what rides when: Q3 ----

TEST(Epochs, TheKeyRidesAtPowersOfTwoUntilItIsAnswered) {
    FreshConversation c;
    EXPECT_EQ(keys_among(c.alice_end, 33), (std::vector{1, 2, 4, 8, 16, 32}));
    pass(c.alice_end, c.bob_end);
    pass(c.bob_end, c.alice_end);
    EXPECT_EQ(keys_among(c.alice_end, 9), (std::vector{1, 2, 4, 8})) << "a new chain begins anew";
    pass(c.alice_end, c.bob_end);
    pass(c.bob_end, c.alice_end);
    EXPECT_EQ(stage(c.alice_end), EpochStage::offered) << "Bob has seen none of them";
    pass(c.alice_end, c.bob_end);
    pass(c.bob_end, c.alice_end);
    EXPECT_TRUE(keys_among(c.alice_end, 9).empty());
}

TEST(Epochs, TheCiphertextRidesAtPowersOfTwoUntilTheEpochIsSeen) {
    FreshConversation c;
    pass(c.alice_end, c.bob_end);
    EXPECT_EQ(ciphertexts_among(c.bob_end, 33), (std::vector{1, 2, 4, 8, 16, 32}));
    pass(c.alice_end, c.bob_end);
    EXPECT_EQ(ciphertexts_among(c.bob_end, 1), std::vector<int>{}) << "the same chain goes on";
    pass(c.bob_end, c.alice_end);
    pass(c.alice_end, c.bob_end);
    EXPECT_EQ(ciphertexts_among(c.bob_end, 5), (std::vector{1, 2, 4})) << "a new chain begins anew";
    pass(c.bob_end, c.alice_end);
    EXPECT_EQ(c.alice_end.session().epoch(), 0U) << "that one was the sixth";
    pass(c.bob_end, c.alice_end);
    const auto late = send(c.bob_end);
    ASSERT_TRUE(carries_ciphertext(late));
    pass(c.bob_end, c.alice_end);
    ASSERT_TRUE(c.alice_end.open(late.envelope).has_value());
    EXPECT_EQ(c.alice_end.session().epoch(), 0U) << "late, in a chain that has been turned on: waits";
    pass(c.alice_end, c.bob_end);
    pass(c.bob_end, c.alice_end);
    EXPECT_EQ(c.alice_end.session().epoch(), 1U);
    pass(c.alice_end, c.bob_end);
    EXPECT_TRUE(ciphertexts_among(c.bob_end, 9).empty());
}

TEST(Epochs, InTheMiddleOfAChainTheCountBeginsWhenTheKeyIsDue) {
    Conversation c;
    EXPECT_TRUE(keys_among(c.bob_end, 5).empty());
    make_due(c);
    EXPECT_EQ(keys_among(c.bob_end, 9), (std::vector{1, 2, 4, 8}));
}

TEST(Epochs, TheLargestContentLeavesRoomForAFrame) {
    FreshConversation c;
    const std::string most(max_content_size, 'm');
    const auto sent = send(c.alice_end, most);
    EXPECT_TRUE(carries_key(sent));
    EXPECT_LE(sent.envelope.size(), max_envelope_size);
    EXPECT_EQ(c.bob_end.open(sent.envelope).value(), most);
    const auto back = send(c.bob_end, most);
    EXPECT_TRUE(carries_ciphertext(back));
    EXPECT_EQ(c.alice_end.open(back.envelope).value(), most);
}

// ---- what comes twice, late, or for another epoch: Q4, Q5 ----

TEST(Epochs, AKeyThatComesAgainIsNotAnsweredAnew) {
    FreshConversation c;
    const auto one = send(c.alice_end);
    const auto two = send(c.alice_end);
    ASSERT_TRUE(carries_key(one) && carries_key(two));
    ASSERT_TRUE(c.bob_end.open(one.envelope).has_value());
    const auto answer_one = send(c.bob_end);
    ASSERT_TRUE(c.bob_end.open(two.envelope).has_value());
    const auto answer_two = send(c.bob_end);
    EXPECT_TRUE(std::ranges::equal(inside(answer_one).frames.kem_ciphertext->ciphertext,
                                   inside(answer_two).frames.kem_ciphertext->ciphertext));
}

TEST(Epochs, AFrameOfALateMessageCounts) {
    FreshConversation c;
    const auto key = send(c.alice_end);
    (void)send(c.alice_end);
    const auto third = send(c.alice_end);
    ASSERT_FALSE(carries_key(third));
    ASSERT_TRUE(c.bob_end.open(third.envelope).has_value());
    EXPECT_TRUE(ciphertexts_among(c.bob_end, 2).empty());
    ASSERT_TRUE(c.bob_end.open(key.envelope).has_value());
    EXPECT_TRUE(c.bob_end.late);
    EXPECT_EQ(ciphertexts_among(c.bob_end, 1), std::vector{1});
}

// ---- a copy that was restored ----

TEST(Epochs, ARestoredCopyThatOffersAnotherKeyIsAnsweredAnew) {
    Conversation c;
    make_due(c);
    const auto snapshot = c.bob_end.session().clone();
    pass(c.bob_end, c.alice_end);
    const auto to_the_lost_key = send(c.alice_end);
    ASSERT_TRUE(carries_ciphertext(to_the_lost_key));
    c.bob_end.session() = snapshot.clone();
    EXPECT_EQ(c.alice_end.open(c.bob_end.seal("again")).error(), Error::duplicate);
    const auto offered = send(c.bob_end);
    ASSERT_TRUE(carries_key(offered));
    ASSERT_TRUE(c.alice_end.open(offered.envelope).has_value());
    ASSERT_TRUE(c.bob_end.open(to_the_lost_key.envelope).has_value());
    EXPECT_EQ(stage(c.bob_end), EpochStage::offered) << "the answer to a key that it never had";
    const auto answer = send(c.alice_end);
    ASSERT_TRUE(carries_ciphertext(answer)) << "the count begins anew with the new key";
    ASSERT_TRUE(c.bob_end.open(answer.envelope).has_value());
    EXPECT_EQ(stage(c.bob_end), EpochStage::ready);
    for (int i = 0; i < 2; ++i) c.round_trip();
    EXPECT_EQ(c.alice_end.session().epoch(), 2U);
    EXPECT_EQ(c.bob_end.session().epoch(), 2U);
}

// ---- several sessions: Q10 ----

TEST(Epochs, SessionsThatCrossedHaveEpochsOfTheirOwn) {
    auto a = alice();
    auto b = bob();
    End from_alice{start(a, b).value(), 1};
    End from_bob{start(b, a).value(), 2};
    End to_bob{answer(b, from_alice.seal("from alice")).value().first, 3};
    End to_alice{answer(a, from_bob.seal("from bob")).value().first, 4};
    pass(to_bob, from_alice);
    pass(to_alice, from_bob);
    for (int i = 0; i < 2; ++i) {  // only the session that Alice began goes on
        pass(from_alice, to_bob);
        pass(to_bob, from_alice);
    }
    EXPECT_EQ(from_alice.session().epoch(), 1U);
    EXPECT_EQ(from_bob.session().epoch(), 0U);
    for (int i = 0; i < 2; ++i) {
        pass(from_bob, to_alice);
        pass(to_alice, from_bob);
    }
    EXPECT_EQ(from_bob.session().epoch(), 1U) << "Bob began this one, so the first epoch is his to offer";
}

TEST(Epochs, ASessionThatOnlyReceivesOpensWhateverComes) {
    FreshConversation c;
    pass(c.alice_end, c.bob_end);
    pass(c.bob_end, c.alice_end);
    // From here on Bob writes elsewhere. Alice enters the epoch that he has answered, and writes on for long.
    for (int i = 0; i < 100; ++i) {
        c.alice_end.now += hour;
        c.bob_end.now += hour;
        pass(c.alice_end, c.bob_end);
    }
    EXPECT_EQ(c.alice_end.session().epoch(), 1U);
    EXPECT_EQ(c.bob_end.session().epoch(), 1U);
    EXPECT_EQ(stage(c.bob_end), EpochStage::idle) << "the next one is his, and begins with a message of his";
}

// ---- the end of secrets: Q8 ----

TEST(Epochs, SecretsLeaveTheStateAsSoonAsTheyAreUsed) {
    FreshConversation c;
    const auto secrets = [](const End& end, std::size_t size) {
        const auto record = end.session().serialize();
        const auto at = ByteView{record}.subspan(offset::epochs(record) + offset::epochs_secrets, size);
        return to_secret_bytes(at);
    };
    const auto holds = [](const End& end, const SecretBytes& secret) {
        const auto record = end.session().serialize();
        return !std::ranges::search(record, secret).empty();
    };
    const auto key = send(c.alice_end);
    const auto seed = secrets(c.alice_end, 64);
    ASSERT_TRUE(c.bob_end.open(key.envelope).has_value());
    const auto shared = secrets(c.bob_end, 32);
    EXPECT_TRUE(holds(c.alice_end, seed));
    EXPECT_TRUE(holds(c.bob_end, shared));
    (void)c.bob_end.seal("lost");
    pass(c.alice_end, c.bob_end);
    EXPECT_TRUE(holds(c.bob_end, shared));
    pass(c.bob_end, c.alice_end);  // the second message: it carries the ciphertext
    EXPECT_FALSE(holds(c.alice_end, seed));
    EXPECT_TRUE(holds(c.alice_end, shared));
    pass(c.alice_end, c.bob_end);  // Alice turns
    EXPECT_EQ(c.alice_end.session().epoch(), 1U);
    EXPECT_FALSE(holds(c.alice_end, shared));
    EXPECT_EQ(c.bob_end.session().epoch(), 1U);
    EXPECT_FALSE(holds(c.bob_end, shared));
}

TEST(Epochs, TheSeedGoesWhenTheCiphertextHasComeEvenIfTheChainDoesNotTurn) {
    FreshConversation c;
    const auto early = send(c.bob_end);
    pass(c.alice_end, c.bob_end);
    (void)early;
    const auto record = c.alice_end.session().serialize();
    const auto at = offset::epochs(record) + offset::epochs_secrets;
    const auto seed = to_secret_bytes(ByteView{record}.subspan(at, 64));
    const auto ciphertext = send(c.bob_end);
    const auto second = c.bob_end.seal("begins the chain for Alice");
    (void)second;
    const auto third = c.bob_end.seal("carries nothing");
    ASSERT_TRUE(c.alice_end.open(third).has_value());
    EXPECT_EQ(stage(c.alice_end), EpochStage::offered);
    ASSERT_TRUE(c.alice_end.open(ciphertext.envelope).has_value());
    EXPECT_EQ(stage(c.alice_end), EpochStage::ready);
    const auto later = c.alice_end.session().serialize();
    EXPECT_TRUE(std::ranges::search(later, seed).empty());
}

TEST(Epochs, WhatIsUsedUpIsOverwrittenInMemoryToo) {
    SeededRng rng{1};
    const auto zero = [](const auto& bytes) { return all_zero(ByteView{bytes}); };
    Session::State offers;
    offers.initiator = true;
    offers.receiving.number = 1;
    Session::State answers;
    answers.receiving.number = 1;
    const auto key = frame_to_send(offers, now_ms, rng).value();
    EXPECT_FALSE(zero(offers.epochs.seed));
    const auto with_key = body({{frame_content, {}}, {key.type, key.value}});
    ASSERT_TRUE(take_frames(answers, read_frames(with_key).value(), false, rng));
    const auto ciphertext = frame_to_send(answers, now_ms, rng).value();
    const auto with_ciphertext = body({{frame_content, {}}, {ciphertext.type, ciphertext.value}});
    ASSERT_TRUE(take_frames(offers, read_frames(with_ciphertext).value(), false, rng));
    EXPECT_TRUE(zero(offers.epochs.seed));
    EXPECT_EQ(offers.epochs.secret.bytes, answers.epochs.secret.bytes);
    EXPECT_FALSE(zero(offers.epochs.secret.bytes));
    for (auto* const state : {&offers, &answers}) {
        enter_epoch(*state, 1, now_ms);
        EXPECT_TRUE(zero(state->epochs.secret.bytes));
        EXPECT_EQ(state->epochs.stage, EpochStage::idle);
        EXPECT_EQ(state->answer, nullptr);
    }
}

// ---- the last epoch ----

TEST(Epochs, NumbersStopBeforeTheyWrap) {
    SeededRng rng{1};
    Session::State state;
    state.initiator = true;  // odd ones are hers, and the last is odd
    state.receiving.number = 1;
    state.epoch = last_epoch - 1;
    EXPECT_FALSE(frame_to_send(state, hour - 1, rng).has_value());
    EXPECT_TRUE(frame_to_send(state, hour, rng).has_value());
    for (const bool initiator : {true, false}) {
        Session::State last;
        last.initiator = initiator;
        last.receiving.number = 1;
        last.epoch = last_epoch;
        EXPECT_FALSE(frame_to_send(last, hour, rng).has_value());
        const Frames frames{{}, KemKeyFrame{0, KemKeyPair::generate(rng).public_key()}, std::nullopt};
        EXPECT_TRUE(take_frames(last, frames, false, rng).has_value());
        EXPECT_EQ(last.epochs.stage, EpochStage::idle);
        EXPECT_TRUE(may_name(last, last_epoch));
        EXPECT_FALSE(may_name(last, 0));
    }
}

}  // namespace
}  // namespace sotto::crypto::test
