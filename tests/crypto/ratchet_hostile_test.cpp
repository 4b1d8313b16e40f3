// Headers and matches that no honest peer or caller would hand in.
#include <chrono>

#include "forge.hpp"

namespace sotto::crypto::test {
namespace {

// ---- headers of a malicious peer ----

class HostileHeader : public testing::Test {
  protected:
    Result<std::string> open_with(std::size_t field, std::uint32_t value) {
        const auto envelope = c.alice_end.seal("x");
        return c.bob_end.open(rewrite_header(c.alice_end.session(), envelope, field, value));
    }
    Conversation c;
};

TEST_F(HostileHeader, AnUnchangedOneIsOpened) {
    const auto envelope = c.alice_end.seal("x");
    EXPECT_EQ(rewrite_header(c.alice_end.session(), envelope, [](auto) {}), envelope);
    EXPECT_TRUE(c.bob_end.open(envelope).has_value());
}

/// A header that names another epoch is not even found: nothing is derived for it.
void expect_not_found(Conversation& c, const Session& sender, const Bytes& envelope) {
    for (const auto epoch : {0U, 2U, 0xffffffffU}) {
        const auto changed = rewrite_header(sender, envelope, field_epoch, epoch);
        EXPECT_EQ(c.bob_end.session().find(Envelope::parse(changed).value()).error(), Error::cannot_open)
            << epoch;
        EXPECT_EQ(c.bob_end.open(changed).error(), Error::cannot_open) << epoch;
    }
}

TEST_F(HostileHeader, AnotherEpochIsRefused) {
    const auto first = c.alice_end.seal("begins the chain");
    expect_not_found(c, c.alice_end.session(), first);
    EXPECT_TRUE(c.bob_end.open(first).has_value());
    const auto second = c.alice_end.seal("goes on");
    expect_not_found(c, c.alice_end.session(), second);
    EXPECT_TRUE(c.bob_end.open(second).has_value());
}

TEST_F(HostileHeader, AnotherEpochIsRefusedInAChainThatIsOver) {
    const auto late = c.alice_end.seal("late");
    const auto sender = c.alice_end.session().clone();
    turn(c);
    EXPECT_TRUE(c.bob_end.open(c.alice_end.seal("of the next chain")).has_value());
    for (const auto epoch : {2U, 0xffffffffU}) {
        const auto changed = rewrite_header(sender, late, field_epoch, epoch);
        EXPECT_EQ(c.bob_end.session().find(Envelope::parse(changed).value()).error(), Error::cannot_open);
    }
    EXPECT_EQ(c.bob_end.open(rewrite_header(sender, late, field_epoch, 0)).error(), Error::cannot_open);
    EXPECT_EQ(c.bob_end.open(late).value(), "late");
}

TEST_F(HostileHeader, CountersAtTheirEndAreRefusedAtOnce) {
    const auto start_time = std::chrono::steady_clock::now();
    EXPECT_EQ(open_with(field_n, 0xffffffff).error(), Error::cannot_open);
    EXPECT_EQ(open_with(field_n, 0xfffffffe).error(), Error::gap_too_large);
    EXPECT_EQ(open_with(field_n, 5000).error(), Error::gap_too_large);
    EXPECT_EQ(open_with(field_previous, 0xffffffff).error(), Error::gap_too_large);
    EXPECT_LT(std::chrono::steady_clock::now() - start_time, std::chrono::seconds{1});
}

TEST_F(HostileHeader, ACounterThatIsNotTheMessagesOwnOpensNothing) {
    EXPECT_EQ(open_with(field_n, 3).error(), Error::cannot_open);
}

TEST_F(HostileHeader, AnotherRatchetKeyUnderTheSameHeaderKeyIsRefused) {
    turn(c);
    EXPECT_TRUE(c.bob_end.open(c.alice_end.seal("current chain now")).has_value());
    const auto other = RatchetKeyPair::generate(c.a.rng).public_key();
    const auto envelope = rewrite_header(c.alice_end.session(), c.alice_end.seal("x"), [&](auto plain) {
        std::ranges::copy(other.raw(), plain.subspan(field_key).begin());
    });
    EXPECT_EQ(c.bob_end.open(envelope).error(), Error::cannot_open);
}

TEST_F(HostileHeader, WeakRatchetKeysAreRefused) {
    const auto zero = rewrite_header(c.alice_end.session(), c.alice_end.seal("x"), [](auto plain) {
        std::ranges::fill(plain.subspan(field_key, 32), std::byte{0});
    });
    EXPECT_EQ(c.bob_end.open(zero).error(), Error::cannot_open);
    const auto type = rewrite_header(c.alice_end.session(), c.alice_end.seal("x"),
                                     [](auto plain) { plain[0] = std::byte{1}; });
    EXPECT_EQ(c.bob_end.open(type).error(), Error::cannot_open);
}

TEST_F(HostileHeader, APreviousChainShorterThanWhatCameIsTolerated) {
    // A peer that was restored from an older copy says so.
    turn(c);
    for (const auto& envelope : burst(c.alice_end, 5)) EXPECT_TRUE(c.bob_end.open(envelope).has_value());
    EXPECT_TRUE(c.alice_end.open(c.bob_end.seal("turn")).has_value());
    const auto envelope = c.alice_end.seal("x");
    const auto changed = rewrite_header(c.alice_end.session(), envelope, field_previous, 2);
    EXPECT_EQ(c.bob_end.open(changed).error(), Error::cannot_open) << "the header is bound to the body";
    EXPECT_TRUE(c.bob_end.open(envelope).has_value());
}

TEST_F(HostileHeader, TheFirstChainOfAResponderFollowsNoOther) {
    auto a = alice();
    auto b = bob();
    End alice_end{start(a, b).value(), 1};
    End bob_end{answer(b, alice_end.seal("hello")).value().first, 2};
    const auto reply = bob_end.seal("reply");
    EXPECT_EQ(alice_end.open(rewrite_header(bob_end.session(), reply, field_previous, 1)).error(),
              Error::cannot_open);
    EXPECT_TRUE(alice_end.open(reply).has_value());
}

TEST_F(HostileHeader, TheFirstChainOfAnInitiatorFollowsNoOther) {
    auto a = alice();
    auto b = bob();
    for (const bool changed : {false, true}) {
        auto state = SessionAccess::state(start(a, b).value()).clone();
        if (changed) state->sending.previous = 1;
        const auto first = SessionAccess::wrap(std::move(state)).seal(text("hello"), now_ms, a.rng).value();
        EXPECT_EQ(answer(b, first.envelope).has_value(), !changed);
    }
}

TEST_F(HostileHeader, AChainThatTurnsWithoutAnAnswerIsRefused) {
    // Only who has seen our next ratchet key can turn again; while we have none, nobody can.
    ASSERT_TRUE(c.bob_end.open(c.alice_end.seal("turns")).has_value());
    auto state = SessionAccess::state(c.alice_end.session()).clone();
    detail::x25519_public(Array<32>{}, state->peer_public);  // of the zeros that stand for the missing key
    ASSERT_TRUE(turn_sending(*state, now_ms, c.alice_end.rng()));
    const auto again = SessionAccess::wrap(std::move(state)).seal(text("again"), now_ms, c.a.rng).value();
    EXPECT_FALSE(c.bob_end.open(again.envelope).has_value()) << "no key to agree with";
    const auto answer = c.bob_end.seal("answer");
    EXPECT_EQ(c.bob_end.open(again.envelope).error(), Error::cannot_open) << "agreed with an older key";
    EXPECT_EQ(c.alice_end.open(answer).value(), "answer");
}

// ---- matches of another state ----

TEST(Ratchet, AMatchOfAnOlderStateOpensNothing) {
    Conversation c;
    const auto one = c.alice_end.seal("one");
    const auto two = c.alice_end.seal("two");
    const auto envelope = Envelope::parse(one).value();
    const auto before = c.bob_end.session().clone();
    const auto match = before.find(envelope).value();
    EXPECT_EQ(match.chain, Match::Chain::next);
    EXPECT_TRUE(c.bob_end.open(two).has_value());
    const auto& after = c.bob_end.session();
    EXPECT_EQ(after.open(envelope, match, nullptr, now_ms, c.b.rng).error(), Error::cannot_open);
    const auto late = after.find(envelope).value();
    EXPECT_TRUE(late.needs.has_value());
    EXPECT_EQ(before.open(envelope, late, nullptr, now_ms, c.b.rng).error(), Error::cannot_open);

    auto other_chain = late;
    other_chain.chain = static_cast<Match::Chain>(9);
    EXPECT_EQ(after.open(envelope, other_chain, nullptr, now_ms, c.b.rng).error(), Error::cannot_open);
}

TEST(Ratchet, AWrongKeptKeyOpensNothing) {
    Conversation c;
    const auto one = c.alice_end.seal("one");
    EXPECT_TRUE(c.bob_end.open(c.alice_end.seal("two")).has_value());
    ASSERT_EQ(c.bob_end.keys.size(), 1U);
    c.bob_end.keys.begin()->second = c.b.rng.secret<MessageKey>();
    EXPECT_EQ(c.bob_end.open(one).error(), Error::cannot_open);
}

TEST(Ratchet, AKeptKeyThatTheStateDoesNotCountIsADuplicate) {
    Conversation c;
    const auto one = c.alice_end.seal("one");
    EXPECT_TRUE(c.bob_end.open(c.alice_end.seal("two")).has_value());
    auto key = c.bob_end.keys.begin()->second.clone();
    const auto id = c.bob_end.keys.begin()->first;
    EXPECT_TRUE(c.bob_end.open(one).has_value());
    c.bob_end.keys.emplace(id, std::move(key));
    EXPECT_EQ(c.bob_end.open(one).error(), Error::duplicate);
}

}  // namespace
}  // namespace sotto::crypto::test
