// Attack 19: a thief has all of a device's secrets at one moment, and sees every envelope from then on.
// For the post-quantum part it is given every later X25519 secret of the device as well, as a quantum
// computer would give it; what it doesn't get is what ML-KEM keeps between the two devices.
#include "forge.hpp"

namespace sotto::crypto::test {
namespace {

/// Gives out one key for every 32 bytes that are asked for.
class GivenKey final : public Rng {
  public:
    explicit GivenKey(ByteView key) : key_(to_bytes(key)) {}
    void fill(std::span<std::byte> out) override {
        if (out.size() == key_.size())
            std::ranges::copy(key_, out.begin());
        else
            other_.fill(out);
    }

  private:
    Bytes key_;
    SeededRng other_{666};
};

class Thief {
  public:
    explicit Thief(const End& victim) : copy_(stolen(victim)) {}

    /// An envelope to the victim; `rng` is what the thief knows of the randomness that the victim drew for
    /// it.
    [[nodiscard]] bool reads_incoming(ByteView envelope, Rng& rng) {
        auto opened = open(copy_, envelope, rng);
        if (!opened) return false;
        copy_ = std::move(opened->next);
        return true;
    }
    /// An envelope from the victim: the sending chain read as one receives. `turn` is what the thief knows of
    /// the randomness that the victim drew before it.
    [[nodiscard]] bool reads_outgoing(ByteView envelope, Rng& turn) {
        copy_ = turned(copy_, now_ms, turn);
        auto record = copy_.serialize();
        const auto move = [&](std::size_t from, std::size_t to, std::size_t size) {
            std::copy_n(record.begin() + static_cast<std::ptrdiff_t>(from), size,
                        record.begin() + static_cast<std::ptrdiff_t>(to));
        };
        move(offset::sending_header, offset::receiving_header, 32);
        move(offset::sending_chain, offset::receiving_chain, 32);
        move(offset::sending_n, offset::receiving_n, 4);
        move(offset::own_public, offset::peer_public, 33);
        move(offset::epoch, offset::epochs(record) + offset::epochs_receiving, 4);
        SeededRng rng{1};
        return open(Session::parse(record).value(), envelope, rng).has_value();
    }

  private:
    static Session stolen(const End& victim) { return Session::parse(victim.session().serialize()).value(); }
    static Result<Opened> open(const Session& session, ByteView bytes, Rng& rng) {
        const auto envelope = Envelope::parse(bytes).value();
        const auto match = session.find(envelope);
        if (!match) return std::unexpected(match.error());
        return session.open(envelope, *match, nullptr, now_ms, rng);
    }
    Session copy_;
};

enum class Given : std::uint8_t { nothing, x25519, everything };

/// What the thief read of a message to the victim and its answer, and in which epochs they were sealed.
struct ReadBoth {
    bool incoming;
    bool outgoing;
    std::uint32_t asked_in;
    std::uint32_t answered_in;
};

ReadBoth exchange(End& victim, End& other, Thief& thief, Given given) {
    const auto question = other.seal("question");
    const auto asked_in = other.session().epoch();
    SeededRng own{99};
    auto opening = victim.rng();  // copies: what the victim will draw
    EXPECT_TRUE(victim.open(question).has_value());
    const bool incoming = thief.reads_incoming(question, given == Given::everything ? opening : own);
    auto sealing = victim.rng();
    const auto answer = victim.seal("answer");
    EXPECT_TRUE(other.open(answer).has_value());
    const auto record = victim.session().serialize();
    GivenKey x25519{ByteView{record}.subspan(offset::own_secret, 32)};
    Rng* turn = &own;
    if (given == Given::x25519) turn = &x25519;
    if (given == Given::everything) turn = &sealing;
    return {incoming, thief.reads_outgoing(answer, *turn), asked_in, victim.session().epoch()};
}

TEST(Healing, OneExchangeShutsAThiefOut) {
    for (const bool of_alice : {false, true}) {
        Conversation c;
        auto& victim = of_alice ? c.alice_end : c.bob_end;
        auto& other = of_alice ? c.bob_end : c.alice_end;
        // Each is to begin its next chain with the next message that it opens.
        if (of_alice) {
            ASSERT_TRUE(c.bob_end.open(c.alice_end.seal("x")).has_value());
        }
        Thief thief{victim};
        SeededRng unused{1};
        EXPECT_TRUE(thief.reads_outgoing(victim.seal("still read"), unused));
        const auto first = exchange(victim, other, thief, Given::nothing);
        EXPECT_TRUE(first.incoming) << "sealed for the key that was stolen";
        EXPECT_FALSE(first.outgoing);
        for (int i = 0; i < 3; ++i) {
            const auto later = exchange(victim, other, thief, Given::nothing);
            EXPECT_FALSE(later.incoming || later.outgoing);
        }
        EXPECT_EQ(victim.session().epoch(), 1U) << "all of that without an epoch's help";
    }
}

/// With all X25519 secrets, a thief reads whatever belongs to the epoch of the theft, and nothing after it.
template <class Start>
void shut_out_after_an_epoch(bool of_alice) {
    Start c;
    auto& victim = of_alice ? c.alice_end : c.bob_end;
    auto& other = of_alice ? c.bob_end : c.alice_end;
    const auto stolen = victim.session().epoch();
    Thief thief{victim};
    if (of_alice) {
        auto sealing = c.alice_end.rng();
        const auto first = c.alice_end.seal("x");
        EXPECT_TRUE(thief.reads_outgoing(first, sealing));
        ASSERT_TRUE(c.bob_end.open(first).has_value());
    }
    int read = 0;
    int closed = 0;
    for (int i = 0; i < 16; ++i) {
        if (i == 4) {  // the first epoch doesn't wait, the others do
            c.alice_end.now += 3'600'000;
            c.bob_end.now += 3'600'000;
        }
        const auto both = exchange(victim, other, thief, Given::x25519);
        EXPECT_EQ(both.incoming, both.asked_in == stolen) << i;
        EXPECT_EQ(both.outgoing, both.answered_in == stolen) << i;
        read += both.incoming + both.outgoing;
        closed += !both.incoming && !both.outgoing;
    }
    EXPECT_GE(read, stolen == 0 ? 1 : 8) << "the thief follows every X25519 step";
    EXPECT_GE(closed, 8);
    EXPECT_GT(victim.session().epoch(), stolen);
}

TEST(Healing, OneEpochShutsOutAThiefWhoHasEveryX25519Secret) {
    for (const bool of_alice : {false, true}) {
        SCOPED_TRACE(of_alice ? "of Alice" : "of Bob");
        shut_out_after_an_epoch<FreshConversation>(of_alice);
        shut_out_after_an_epoch<Conversation>(of_alice);
    }
}

TEST(Healing, OnlyTheRandomnessOfTheKemKeepsThatThiefOut) {
    FreshConversation c;
    Thief thief{c.bob_end};
    for (int i = 0; i < 4; ++i) {
        const auto both = exchange(c.bob_end, c.alice_end, thief, Given::everything);
        EXPECT_TRUE(both.incoming && both.outgoing) << i;
    }
    EXPECT_EQ(c.bob_end.session().epoch(), 1U) << "the same thief, with one value more, follows into it";
}

TEST(Healing, AStolenOfferCostsThatEpochAndNoMore) {
    Conversation c;
    c.bob_end.now += 3'600'000;
    const auto offer = c.bob_end.seal("the key of epoch 2 is out");
    Thief thief{c.bob_end};  // with its seed
    ASSERT_TRUE(c.alice_end.open(offer).has_value());
    int in_second = 0;
    for (int i = 0; i < 30; ++i) {
        const auto both = exchange(c.bob_end, c.alice_end, thief, Given::x25519);
        EXPECT_EQ(both.incoming, both.asked_in <= 2) << i;
        EXPECT_EQ(both.outgoing, both.answered_in <= 2) << i;
        in_second += both.incoming && both.asked_in == 2 ? 1 : 0;
    }
    EXPECT_GT(in_second, 0);
    EXPECT_GT(c.alice_end.session().epoch(), 2U);
}

TEST(Healing, WhatWasReadBeforeStaysClosedToALaterThief) {
    Conversation c;
    std::vector<Bytes> earlier;
    for (int i = 0; i < 30; ++i) {
        earlier.push_back(c.alice_end.seal("question"));
        ASSERT_TRUE(c.bob_end.open(earlier.back()).has_value());
        ASSERT_TRUE(c.alice_end.open(c.bob_end.seal("answer")).has_value());
    }
    ASSERT_GT(c.bob_end.session().epoch(), 1U);
    End thief{c.bob_end.session().clone(), 666};
    for (const auto& envelope : earlier) EXPECT_FALSE(thief.open(envelope).has_value());
}

}  // namespace
}  // namespace sotto::crypto::test
