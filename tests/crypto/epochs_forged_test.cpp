// What comes of frames, epochs and envelopes that no honest sender would send: docs/protocol.md 7.5, Q4 to
// Q9.
#include "epochs_steps.hpp"

namespace sotto::crypto::test {
namespace {

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
    pass(c.alice_end, c.bob_end);
    EXPECT_EQ(c.bob_end.session().epoch(), 1U);
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
    // She enters an epoch that Bob isn't in. Nothing of hers opens, under epoch 0 as little as under 1.
    const auto entered = send(c.alice_end);
    EXPECT_EQ(c.alice_end.session().epoch(), 1U);
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
    const auto due = c.bob_end.session().clone();
    const auto answer = c.bob_end.seal("x");
    const auto before = c.bob_end.session().clone();
    ASSERT_TRUE(c.alice_end.open(answer).has_value());
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
    EXPECT_EQ(due.open(envelope, match, nullptr, now_ms, c.b.rng).error(), Error::cannot_open);
    EXPECT_TRUE(before.open(envelope, match, nullptr, now_ms, c.b.rng).has_value());
}

}  // namespace
}  // namespace sotto::crypto::test
