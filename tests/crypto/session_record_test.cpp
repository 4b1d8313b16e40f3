// The stored form of a session: docs/protocol.md 7.6.
#include "forge.hpp"

namespace sotto::crypto::test {
namespace {

TEST(SessionRecord, ComesBackAsItWas) {
    Conversation c;
    for (const auto* const end : {&c.alice_end, &c.bob_end}) {
        const auto bytes = end->session().serialize();
        const auto parsed = Session::parse(bytes).value();
        EXPECT_EQ(parsed.serialize(), bytes);
        EXPECT_EQ(parsed.id(), end->session().id());
        EXPECT_EQ(parsed.initiator(), end->session().initiator());
        EXPECT_EQ(parsed.weak_start(), end->session().weak_start());
        EXPECT_EQ(parsed.awaiting_reply(), end->session().awaiting_reply());
    }
}

TEST(SessionRecord, KeepsAWeakStartAndTheHandshakePart) {
    auto a = alice();
    auto b = bob();
    const auto session = start(a, b, nullptr, false).value();
    const auto parsed = Session::parse(session.serialize()).value();
    EXPECT_TRUE(parsed.weak_start());
    EXPECT_TRUE(parsed.awaiting_reply());
    EXPECT_EQ(answer(b, parsed.seal(text("hello"), now_ms, a.rng)->envelope)->first.next.id(), session.id());
}

TEST(SessionRecord, IsSmall) {
    Conversation c;
    EXPECT_LT(c.alice_end.session().serialize().size(), 600U);
    for (int i = 0; i < 8; ++i) {
        (void)c.alice_end.seal("lost");
        EXPECT_TRUE(c.bob_end.open(c.alice_end.seal("x")).has_value());
        EXPECT_TRUE(c.alice_end.open(c.bob_end.seal("x")).has_value());
    }
    EXPECT_LT(c.bob_end.session().serialize().size(), 2048U);
}

TEST(SessionRecord, EveryOtherLengthIsRefused) {
    Conversation c;
    auto bytes = c.bob_end.session().serialize();
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(Session::parse(ByteView{bytes}.first(size)).has_value()) << size;
    bytes.push_back(std::byte{0});
    EXPECT_FALSE(Session::parse(bytes).has_value());
}

class DamagedRecord : public testing::Test {
  protected:
    Error parse_with(std::size_t at, std::initializer_list<unsigned> values) {
        auto bytes = c.bob_end.session().serialize();
        std::size_t i = at;
        for (const auto value : values) bytes.at(i++) = static_cast<std::byte>(value);
        const auto parsed = Session::parse(bytes);
        return parsed ? Error::duplicate : parsed.error();  // duplicate: never an answer of parse
    }
    Conversation c;
};

TEST_F(DamagedRecord, OtherFormatsAreOfALaterVersion) {
    EXPECT_EQ(parse_with(0, {0}), Error::unsupported);
    EXPECT_EQ(parse_with(0, {4}), Error::unsupported);
}

TEST_F(DamagedRecord, UnknownFlagsAreRefused) {
    EXPECT_EQ(parse_with(1, {8}), Error::malformed);
    EXPECT_EQ(parse_with(1, {0x80}), Error::malformed);
}

TEST_F(DamagedRecord, BadKeysAreRefused) {
    EXPECT_EQ(parse_with(offset::own_public, {3}), Error::malformed);
    EXPECT_EQ(parse_with(offset::peer_public, {1}), Error::malformed);
}

TEST_F(DamagedRecord, ImpossibleCountsAreRefused) {
    EXPECT_EQ(parse_with(offset::receiving_kept, {0, 0, 0, 2}), Error::malformed)
        << "more kept keys than messages";
    EXPECT_EQ(parse_with(offset::receiving_kept_at, {0x80}), Error::malformed) << "a time before 1970";
    EXPECT_EQ(parse_with(offset::closed_count, {7}), Error::malformed);
    EXPECT_EQ(parse_with(offset::receiving_number, {0, 0, 0, 0}), Error::malformed)
        << "nothing received, yet no handshake part";
}

class DueTurnRecord : public DamagedRecord {
  protected:
    void SetUp() override { ASSERT_TRUE(c.bob_end.open(c.alice_end.seal("turns the chain")).has_value()); }
    static constexpr unsigned flag = 4;
};

TEST_F(DueTurnRecord, HoldsNoRatchetKeyOfOurs) {
    const auto record = c.bob_end.session().serialize();
    EXPECT_EQ(std::to_integer<unsigned>(record[1]), flag);
    EXPECT_TRUE(all_zero(ByteView{record}.subspan(offset::own_secret, 32 + encoded_key_size)));
    (void)c.bob_end.seal("an answer");
    const auto later = c.bob_end.session().serialize();
    EXPECT_EQ(std::to_integer<unsigned>(later[1]), 0U);
    EXPECT_FALSE(all_zero(ByteView{later}.subspan(offset::own_secret, 32)));
}

TEST_F(DueTurnRecord, AKeyThatCanNotBeThereIsRefused) {
    EXPECT_EQ(parse_with(offset::own_secret, {1}), Error::malformed);
    EXPECT_EQ(parse_with(offset::own_public, {2}), Error::malformed);
    EXPECT_EQ(parse_with(1, {0}), Error::malformed) << "a turn that was made has a key";
}

TEST_F(DueTurnRecord, IsOfThisFormatAndOfWhoHasReceived) {
    EXPECT_EQ(parse_with(0, {2}), Error::malformed) << "format 2 knew no such flag";
    auto waiting = start(c.a, c.b).value().serialize();
    ASSERT_TRUE(Session::parse(waiting).has_value());
    waiting[1] = std::byte{flag | 1U};
    std::fill_n(waiting.begin() + offset::own_secret, 32 + encoded_key_size, std::byte{0});
    EXPECT_EQ(Session::parse(waiting).error(), Error::malformed);
}

class ClosedChainsRecord : public DamagedRecord {
  protected:
    void SetUp() override {
        for (int i = 0; i < 2; ++i) {
            (void)c.alice_end.seal("lost");
            ASSERT_TRUE(c.bob_end.open(c.alice_end.seal("x")).has_value());
            ASSERT_TRUE(c.alice_end.open(c.bob_end.seal("x")).has_value());
        }
        ASSERT_EQ(c.bob_end.session().serialize()[offset::closed_count], std::byte{1});
    }
    static constexpr std::size_t number = offset::closed_count + 1;
    static constexpr std::size_t kept = number + 4;
    static constexpr std::size_t kept_at = kept + 4;
};

TEST_F(ClosedChainsRecord, NumbersAndCountsAreChecked) {
    EXPECT_EQ(parse_with(number, {0, 0, 0, 0}), Error::malformed) << "chains count from 1";
    EXPECT_EQ(parse_with(number, {0, 0, 0, 9}), Error::malformed) << "not before the current one";
    EXPECT_EQ(parse_with(kept, {0, 0, 0x03, 0xe9}), Error::malformed) << "1,001 kept keys";
    EXPECT_EQ(parse_with(kept_at, {0xff}), Error::malformed);
    EXPECT_EQ(parse_with(kept, {0, 0, 0x00, 0x02}), Error::duplicate) << "this one is possible";
}

TEST_F(ClosedChainsRecord, AForgottenChainHasKeptKeys) {
    auto bytes = c.bob_end.session().serialize();
    put(bytes, kept, 0);
    put(bytes, offset::receiving_number, 100);
    EXPECT_EQ(Session::parse(bytes).error(), Error::malformed);
}

}  // namespace
}  // namespace sotto::crypto::test
