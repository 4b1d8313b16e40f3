// The post-quantum ratchet, rule by rule: docs/protocol.md 7.5. Every step goes through the serialised
// session (people.hpp).
#include <limits>

#include "epochs.hpp"
#include "forge.hpp"

namespace sotto::crypto::test {
namespace {

constexpr std::int64_t hour = 3'600'000;

/// Numbers, from 1, of those of the next `count` messages that carry a frame.
std::vector<int> carrying(End& from, int count, bool (*carries)(const Sent&)) {
    std::vector<int> out;
    for (int i = 1; i <= count; ++i)
        if (carries(send(from))) out.push_back(i);
    return out;
}
std::vector<int> keys_among(End& from, int count) {
    return carrying(from, count, carries_key);
}
std::vector<int> ciphertexts_among(End& from, int count) {
    return carrying(from, count, carries_ciphertext);
}

void pass(End& from, End& to) {
    ASSERT_TRUE(to.open(from.seal("x")).has_value());
}

EpochStage stage(const End& end) {
    const auto record = end.session().serialize();
    return static_cast<EpochStage>(record[offset::epochs(record) + offset::epochs_stage]);
}

/// In a Conversation: until Bob's next message offers the key of epoch 2.
void make_due(Conversation& c) {
    c.bob_end.now += hour;
}

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
    EXPECT_EQ(c.alice_end.session().epoch(), 1U) << "whoever decapsulates enters first";
    const auto entered = send(c.alice_end);
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

/// Frames under the sender's own keys that no honest sender would send.
class ForgedFrames : public testing::Test {
  protected:
    using Frame = std::pair<std::uint8_t, ByteView>;
    /// Bob is whom epoch 2 is up to.
    Result<std::string> from_alice(std::initializer_list<Frame> frames) {
        return forge(c.alice_end, c.bob_end, frames);
    }
    Result<std::string> from_bob(std::initializer_list<Frame> frames) {
        return forge(c.bob_end, c.alice_end, frames);
    }
    Bytes other_key(std::uint32_t epoch) const { return encode_kem_key(epoch, other.public_key()); }
    Bytes answer_to(std::uint32_t epoch, const KemPublicKey& key) {
        return encode_kem_ciphertext(epoch, kem_key_id(key), key.encapsulate(c.a.rng)->ciphertext);
    }

    Conversation c;
    KemKeyPair other = KemKeyPair::generate(c.a.rng);

  private:
    static Result<std::string> forge(End& from, End& to, std::initializer_list<Frame> frames) {
        auto all = body({{frame_content, text("x")}});
        all.resize(frame_head_size + 1);
        const auto more = body(frames);
        all.insert(all.end(), more.begin(), more.end());
        return to.open(with_body(send(from), all));
    }
};

TEST_F(ForgedFrames, KeysForOtherEpochsChangeNothing) {
    for (const auto epoch : {1U, 3U, 4U, 0xffffffffU}) {
        EXPECT_TRUE(from_bob({{frame_kem_key, other_key(epoch)}}).has_value());
        EXPECT_EQ(stage(c.alice_end), EpochStage::idle) << epoch;
    }
    EXPECT_TRUE(from_bob({{frame_kem_key, other_key(2)}}).has_value());
    EXPECT_EQ(stage(c.alice_end), EpochStage::answered);
}

TEST_F(ForgedFrames, AKeyOutOfTurnChangesNothing) {
    EXPECT_TRUE(from_alice({{frame_kem_key, other_key(2)}}).has_value());
    EXPECT_EQ(stage(c.bob_end), EpochStage::idle);
    make_due(c);
    pass(c.bob_end, c.alice_end);
    EXPECT_TRUE(from_alice({{frame_kem_key, other_key(2)}}).has_value());
    EXPECT_EQ(stage(c.bob_end), EpochStage::offered);
    for (int i = 0; i < 2; ++i) c.round_trip();
    EXPECT_EQ(c.alice_end.session().epoch(), 2U);
}

TEST_F(ForgedFrames, CiphertextsThatNobodyAskedForChangeNothing) {
    EXPECT_TRUE(from_alice({{frame_kem_ciphertext, answer_to(2, other.public_key())}}).has_value());
    EXPECT_EQ(stage(c.bob_end), EpochStage::idle);
    make_due(c);
    const auto offered = send(c.bob_end);
    const auto key = inside(offered).frames.kem_key->key;
    ASSERT_TRUE(c.alice_end.open(offered.envelope).has_value());
    EXPECT_TRUE(from_alice({{frame_kem_ciphertext, answer_to(2, other.public_key())}}).has_value());
    EXPECT_EQ(stage(c.bob_end), EpochStage::offered) << "the ciphertext for another key";
    for (const auto epoch : {1U, 3U, 0xffffffffU}) {
        EXPECT_TRUE(from_alice({{frame_kem_ciphertext, answer_to(epoch, key)}}).has_value());
        EXPECT_EQ(stage(c.bob_end), EpochStage::offered) << epoch;
    }
    for (int i = 0; i < 4; ++i) pass(c.alice_end, c.bob_end);
    EXPECT_EQ(stage(c.bob_end), EpochStage::ready) << "Alice's chain had begun before the right one came";
    EXPECT_TRUE(from_alice({{frame_kem_ciphertext, answer_to(2, key)}}).has_value());
    for (int i = 0; i < 2; ++i) c.round_trip();
    EXPECT_EQ(c.alice_end.session().epoch(), 2U) << "a second one changed nothing";
}

TEST_F(ForgedFrames, OutOfShapeTheyMakeTheBodyOneThatDoesNotOpen) {
    const auto key = other_key(2);
    const auto ciphertext = answer_to(2, other.public_key());
    auto wrong_type = key;
    wrong_type[4] = std::byte{4};
    auto over_modulus = key;
    over_modulus[5] = over_modulus[6] = std::byte{0xff};
    auto key_zero = key;
    auto ciphertext_zero = ciphertext;
    key_zero[3] = ciphertext_zero[3] = std::byte{0};
    auto wrong_ciphertext = ciphertext;
    wrong_ciphertext[20] = std::byte{3};
    auto longer = ciphertext;
    longer.push_back(std::byte{0});
    const ByteView k{key};
    const ByteView t{ciphertext};
    const std::vector<std::vector<Frame>> all{{{frame_kem_key, k.first(k.size() - 1)}},
                                              {{frame_kem_key, {}}},
                                              {{frame_kem_key, wrong_type}},
                                              {{frame_kem_key, over_modulus}},
                                              {{frame_kem_key, key_zero}},
                                              {{frame_kem_key, t}},
                                              {{frame_kem_ciphertext, k}},
                                              {{frame_kem_ciphertext, {}}},
                                              {{frame_kem_ciphertext, t.first(t.size() - 1)}},
                                              {{frame_kem_ciphertext, longer}},
                                              {{frame_kem_ciphertext, wrong_ciphertext}},
                                              {{frame_kem_ciphertext, ciphertext_zero}}};
    for (const auto& frames : all) {
        const auto [type, value] = frames.front();
        EXPECT_EQ(from_bob({{type, value}}).error(), Error::cannot_open) << int{type} << ' ' << value.size();
    }
    EXPECT_EQ(from_bob({{frame_kem_key, k}, {frame_kem_key, k}}).error(), Error::cannot_open);
    EXPECT_EQ(from_bob({{frame_kem_ciphertext, t}, {frame_kem_ciphertext, t}}).error(), Error::cannot_open);
    EXPECT_EQ(stage(c.alice_end), EpochStage::idle);
    EXPECT_TRUE(from_bob({{frame_kem_key, k}, {frame_kem_ciphertext, t}}).has_value());
}

TEST_F(ForgedFrames, ALateKeyOfAnotherValueChangesNothing) {
    make_due(c);
    const auto first = send(c.bob_end);
    pass(c.bob_end, c.alice_end);
    ASSERT_EQ(stage(c.alice_end), EpochStage::answered);
    const auto before = send(c.alice_end);
    const auto forged = with_body(first, body({{frame_content, text("x")}, {frame_kem_key, other_key(2)}}));
    ASSERT_TRUE(c.alice_end.open(forged).has_value());
    EXPECT_TRUE(c.alice_end.late);
    const auto after = send(c.alice_end);
    EXPECT_TRUE(std::ranges::equal(inside(before).frames.kem_ciphertext->key_id,
                                   inside(after).frames.kem_ciphertext->key_id));
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

// ---- attacks on the fields: authenticate first, then commit ----

TEST(Epochs, EveryChangedByteOfAnEnvelopeWithAFrameIsRefused) {
    FreshConversation c;
    const auto check = [](End& to, const Sent& sent) {
        for (std::size_t i = 1; i < sent.envelope.size(); ++i) {
            auto changed = sent.envelope;
            changed[i] ^= std::byte{0x10};
            ASSERT_EQ(to.open(changed).error(), Error::cannot_open) << i;  // `open` compares the states
        }
        ASSERT_TRUE(to.open(sent.envelope).has_value());
    };
    const auto key = send(c.alice_end);
    ASSERT_TRUE(carries_key(key));
    check(c.bob_end, key);
    EXPECT_EQ(stage(c.bob_end), EpochStage::answered);
    const auto ciphertext = send(c.bob_end);
    ASSERT_TRUE(carries_ciphertext(ciphertext));
    check(c.alice_end, ciphertext);
    EXPECT_EQ(c.alice_end.session().epoch(), 1U);
}

TEST(Epochs, AStrippedOrZeroedPartNeverFallsBack) {
    FreshConversation c;
    const auto key = send(c.alice_end);
    ASSERT_TRUE(c.bob_end.open(key.envelope).has_value());
    const auto answer = send(c.bob_end);
    auto zeroed = inside(answer).plain;
    const auto at = frame_head_size + 1 + frame_head_size + 4 + 16 + 1;  // content, head, epoch, id, type
    std::fill_n(zeroed.begin() + static_cast<std::ptrdiff_t>(at), kem_ciphertext_size, std::byte{0});
    ASSERT_TRUE(c.alice_end.open(with_body(answer, zeroed)).has_value()) << "made by Bob's own keys";
    // She has entered an epoch that Bob isn't in. Nothing of hers opens, under epoch 0 as little as under 1.
    EXPECT_EQ(c.alice_end.session().epoch(), 1U);
    const auto entered = send(c.alice_end);
    EXPECT_EQ(c.bob_end.open(entered.envelope).error(), Error::cannot_open);
    for (const auto epoch : {0U, 1U})
        EXPECT_EQ(c.bob_end.open(rewrite_header(c.alice_end.session(), entered.envelope, field_epoch, epoch))
                      .error(),
                  Error::cannot_open);
    EXPECT_EQ(c.bob_end.session().epoch(), 0U);
}

TEST(Epochs, AZeroedKeyLeadsNowhereAndTheRealOneStillCounts) {
    FreshConversation c;
    const auto key = send(c.alice_end);
    auto zeroed = inside(key).plain;
    const auto at = frame_head_size + 1 + frame_head_size + 4 + 1;
    std::fill_n(zeroed.begin() + static_cast<std::ptrdiff_t>(at), kem_public_key_size, std::byte{0});
    ASSERT_TRUE(c.bob_end.open(with_body(key, zeroed)).has_value());
    pass(c.bob_end, c.alice_end);
    EXPECT_EQ(stage(c.alice_end), EpochStage::offered);
    for (int i = 0; i < 3; ++i) c.round_trip();
    EXPECT_EQ(c.alice_end.session().epoch(), 1U);
    EXPECT_EQ(c.bob_end.session().epoch(), 1U);
}

TEST(Epochs, AnEpochThatWasNotAnsweredCanNotBeNamed) {
    FreshConversation c;
    const auto sent = send(c.alice_end);
    for (const auto epoch : {1U, 2U, 0xffffffffU})
        EXPECT_EQ(
            c.bob_end.open(rewrite_header(c.alice_end.session(), sent.envelope, field_epoch, epoch)).error(),
            Error::cannot_open);
    EXPECT_TRUE(c.bob_end.open(sent.envelope).has_value());
}

TEST(Epochs, AMatchFromBeforeAnEpochOpensNothing) {
    FreshConversation c;
    pass(c.alice_end, c.bob_end);
    const auto before = c.bob_end.session().clone();
    pass(c.bob_end, c.alice_end);
    const auto entered = c.alice_end.seal("in epoch 1");
    const auto envelope = Envelope::parse(entered).value();
    const auto match = c.bob_end.session().find(envelope).value();
    EXPECT_EQ(match.epoch, 1U);
    auto lowered = match;
    lowered.epoch = 0;
    auto raised = match;
    raised.epoch = 2;
    for (const auto& other : {lowered, raised})
        EXPECT_EQ(before.open(envelope, other, nullptr, now_ms, c.b.rng).error(), Error::cannot_open);
    EXPECT_TRUE(before.open(envelope, match, nullptr, now_ms, c.b.rng).has_value());
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
    pass(c.bob_end, c.alice_end);  // the second message: it carries the ciphertext, and Alice turns
    EXPECT_EQ(c.alice_end.session().epoch(), 1U);
    EXPECT_FALSE(holds(c.alice_end, seed));
    EXPECT_FALSE(holds(c.alice_end, shared));
    pass(c.alice_end, c.bob_end);
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
