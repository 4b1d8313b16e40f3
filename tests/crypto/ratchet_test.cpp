// Every step of these conversations goes through the serialised session (people.hpp).
#include <chrono>
#include <random>

#include "forge.hpp"

namespace sotto::crypto::test {
namespace {

TEST(Ratchet, ConversationsGoBackAndForth) {
    Conversation c;
    for (int i = 0; i < 20; ++i) {
        const auto question = "question " + std::to_string(i);
        const auto reply = "reply " + std::to_string(i);
        EXPECT_EQ(c.bob_end.open(c.alice_end.seal(question)).value(), question);
        EXPECT_FALSE(c.bob_end.late);
        EXPECT_EQ(c.alice_end.open(c.bob_end.seal(reply)).value(), reply);
    }
}

TEST(Ratchet, BurstsComeInOrder) {
    Conversation c;
    for (int round = 0; round < 3; ++round) {
        for (const auto& envelope : burst(c.alice_end, 50)) EXPECT_TRUE(c.bob_end.open(envelope).has_value());
        for (const auto& envelope : burst(c.bob_end, 50)) EXPECT_TRUE(c.alice_end.open(envelope).has_value());
    }
    EXPECT_TRUE(c.bob_end.keys.empty());
}

TEST(Ratchet, OrderDoesNotMatterWithinAChain) {
    Conversation c;
    auto envelopes = burst(c.alice_end, 40);
    std::vector<std::size_t> order(envelopes.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::shuffle(order, std::mt19937{1});
    for (const auto i : order) EXPECT_EQ(c.bob_end.open(envelopes[i]).value(), "m" + std::to_string(i));
    EXPECT_TRUE(c.bob_end.keys.empty()) << "every kept key has been used";
    turn(c);
}

TEST(Ratchet, LateMessagesAreMarked) {
    Conversation c;
    const auto one = c.alice_end.seal("one");
    const auto two = c.alice_end.seal("two");
    EXPECT_EQ(c.bob_end.open(two).value(), "two");
    EXPECT_FALSE(c.bob_end.late);
    EXPECT_EQ(c.bob_end.open(one).value(), "one");
    EXPECT_TRUE(c.bob_end.late);
}

TEST(Ratchet, LateMessagesOfAnEarlierChainArrive) {
    Conversation c;
    const auto early = c.alice_end.seal("early");
    const auto last = c.alice_end.seal("last");
    turn(c);
    turn(c);
    EXPECT_EQ(c.bob_end.open(last).value(), "last");
    EXPECT_EQ(c.bob_end.open(early).value(), "early");
    EXPECT_TRUE(c.bob_end.keys.empty());
    turn(c);
}

TEST(Ratchet, LostMessagesDoNotStopTheOthers) {
    Conversation c;
    for (int i = 0; i < 10; ++i) {
        (void)c.alice_end.seal("lost");
        EXPECT_EQ(c.bob_end.open(c.alice_end.seal("arrives")).value(), "arrives");
        (void)c.bob_end.seal("lost");
        turn(c);
    }
}

TEST(Ratchet, DuplicatesAreKnownInTheCurrentChain) {
    Conversation c;
    const auto one = c.alice_end.seal("one");
    const auto two = c.alice_end.seal("two");
    const auto three = c.alice_end.seal("three");
    EXPECT_TRUE(c.bob_end.open(one).has_value());
    EXPECT_EQ(c.bob_end.open(one).error(), Error::duplicate);
    EXPECT_TRUE(c.bob_end.open(three).has_value());
    EXPECT_TRUE(c.bob_end.open(two).has_value());
    EXPECT_EQ(c.bob_end.open(two).error(), Error::duplicate);
    EXPECT_EQ(c.bob_end.open(three).error(), Error::duplicate);
    EXPECT_EQ(c.bob_end.open(c.alice_end.seal("four")).value(), "four");
}

TEST(Ratchet, DuplicatesAreKnownJustAfterTheirChainEnded) {
    Conversation c;
    const auto last = c.alice_end.seal("last of its chain");
    EXPECT_TRUE(c.bob_end.open(last).has_value());
    turn(c);
    EXPECT_TRUE(c.bob_end.open(c.alice_end.seal("of the next chain")).has_value());
    EXPECT_EQ(c.bob_end.open(last).error(), Error::duplicate);
    turn(c);
    EXPECT_TRUE(c.bob_end.open(c.alice_end.seal("of the chain after that")).has_value());
    EXPECT_EQ(c.bob_end.open(last).error(), Error::cannot_open) << "an emptied chain is forgotten after that";
}

TEST(Ratchet, SimultaneousMessagesBothArrive) {
    Conversation c;
    for (int i = 0; i < 10; ++i) {
        const auto from_alice = c.alice_end.seal("a");
        const auto from_bob = c.bob_end.seal("b");
        EXPECT_EQ(c.bob_end.open(from_alice).value(), "a");
        EXPECT_EQ(c.alice_end.open(from_bob).value(), "b");
    }
}

/// Two people write at random times over a network that delays, reorders, repeats and loses.
TEST(Ratchet, RandomTrafficOpensOnceEach) {
    for (unsigned seed = 1; seed <= 5; ++seed) {
        SCOPED_TRACE(seed);
        Conversation c;
        std::mt19937 random{seed};
        std::vector<std::pair<Bytes, std::string>> to_alice;
        std::vector<std::pair<Bytes, std::string>> to_bob;
        const auto deliver = [&](std::vector<std::pair<Bytes, std::string>>& queue, End& end) {
            if (queue.empty()) return;
            const auto i = static_cast<std::ptrdiff_t>(random() % std::min<std::size_t>(queue.size(), 6));
            if (random() % 10 != 0) {
                EXPECT_EQ(end.open(queue[static_cast<std::size_t>(i)].first).value(),
                          queue[static_cast<std::size_t>(i)].second);
                if (random() % 4 == 0) {
                    EXPECT_FALSE(end.open(queue[static_cast<std::size_t>(i)].first).has_value());
                }
            }
            queue.erase(queue.begin() + i);
        };
        for (int step = 0; step < 300; ++step) {
            const auto words = std::to_string(step);
            switch (random() % 4) {
                case 0:
                    to_bob.emplace_back(c.alice_end.seal(words), words);
                    break;
                case 1:
                    to_alice.emplace_back(c.bob_end.seal(words), words);
                    break;
                case 2:
                    deliver(to_bob, c.bob_end);
                    break;
                default:
                    deliver(to_alice, c.alice_end);
            }
        }
    }
}

TEST(Ratchet, ACompromisedStateIsShutOutAfterARoundTrip) {
    Conversation c;
    End thief{c.bob_end.session().clone(), 666};
    EXPECT_EQ(thief.open(c.alice_end.seal("still read")).value(), "still read");
    turn(c);
    turn(c);
    EXPECT_EQ(thief.open(c.alice_end.seal("not any more")).error(), Error::cannot_open);
}

TEST(Ratchet, ARatchetKeyIsDrawnWithTheMessageThatNeedsIt) {
    Conversation c;
    const auto question = c.alice_end.seal("question");
    const auto before = c.bob_end.session().serialize();
    const auto old_key = to_secret_bytes(ByteView{before}.subspan(offset::own_secret, 32));
    ASSERT_TRUE(c.bob_end.open(question).has_value());
    const auto waiting = c.bob_end.session().serialize();
    EXPECT_TRUE(std::ranges::search(waiting, old_key).empty()) << "it has no use any more";
    // A thief who comes now has no key that a later message could depend on.
    End thief{c.bob_end.session().clone(), 666};
    EXPECT_EQ(thief.open(c.alice_end.seal("of the same chain")).value(), "of the same chain");
    ASSERT_TRUE(c.alice_end.open(c.bob_end.seal("answer")).has_value());
    EXPECT_EQ(thief.open(c.alice_end.seal("not any more")).error(), Error::cannot_open);
}

TEST(Ratchet, PastMessagesStayClosedToALaterThief) {
    Conversation c;
    const auto earlier = c.alice_end.seal("earlier");
    EXPECT_TRUE(c.bob_end.open(earlier).has_value());
    End thief{c.bob_end.session().clone(), 666};
    EXPECT_EQ(thief.open(earlier).error(), Error::duplicate) << "the key is gone";
}

// ---- limits on kept keys ----

TEST(Ratchet, AThousandSkippedMessagesAreKept) {
    Conversation c;
    const auto envelopes = burst(c.alice_end, 1001);
    EXPECT_EQ(c.bob_end.open(envelopes.back()).value(), "m1000");
    EXPECT_EQ(c.bob_end.keys.size(), 1000U);
    for (const auto i : {0U, 1U, 500U, 999U})
        EXPECT_EQ(c.bob_end.open(envelopes[i]).value(), "m" + std::to_string(i));
}

TEST(Ratchet, AThousandAndOneAreAGap) {
    Conversation c;
    const auto envelopes = burst(c.alice_end, 1003);
    EXPECT_TRUE(c.bob_end.open(envelopes[0]).has_value());
    EXPECT_EQ(c.bob_end.open(envelopes[1002]).error(), Error::gap_too_large);
    EXPECT_TRUE(c.bob_end.open(envelopes[1001]).has_value()) << "one fewer is not";
}

TEST(Ratchet, AGapInANewChainCountsToo) {
    Conversation c;
    turn(c);
    const auto envelopes = burst(c.bob_end, 1002);
    EXPECT_EQ(c.alice_end.open(envelopes[1001]).error(), Error::gap_too_large);
    EXPECT_TRUE(c.alice_end.open(envelopes[1000]).has_value());
}

TEST(Ratchet, TheRestOfAChainCountsToo) {
    for (const int count : {1000, 1001}) {
        Conversation c;
        turn(c);
        EXPECT_TRUE(c.bob_end.open(c.alice_end.seal("the chain begins")).has_value());
        (void)burst(c.alice_end, count);
        EXPECT_TRUE(c.alice_end.open(c.bob_end.seal("turns alice's chain")).has_value());
        const auto result = c.bob_end.open(c.alice_end.seal("first of the new chain"));
        if (count == 1000) {
            EXPECT_TRUE(result.has_value());
            EXPECT_EQ(c.bob_end.keys.size(), 1000U);
        } else {
            EXPECT_EQ(result.error(), Error::gap_too_large);
        }
    }
}

TEST(Ratchet, ARestAndAGapThatAreTooMuchTogetherLoseTheRest) {
    Conversation c;
    turn(c);
    EXPECT_TRUE(c.bob_end.open(c.alice_end.seal("the chain begins")).has_value());
    const auto rest = burst(c.alice_end, 600);
    EXPECT_TRUE(c.alice_end.open(c.bob_end.seal("turn")).has_value());
    const auto next = burst(c.alice_end, 501, "n");
    EXPECT_EQ(c.bob_end.open(next[500]).value(), "n500");
    EXPECT_EQ(c.bob_end.keys.size(), 500U);
    EXPECT_EQ(c.bob_end.open(next[0]).value(), "n0");
    EXPECT_EQ(c.bob_end.open(rest[0]).error(), Error::duplicate) << "its key is not there any more";
}

TEST(Ratchet, WhatWasKeptOfThatChainGoesWithItsRest) {
    Conversation c;
    turn(c);
    const auto skipped = c.alice_end.seal("skipped");
    EXPECT_TRUE(c.bob_end.open(c.alice_end.seal("the chain begins")).has_value());
    EXPECT_EQ(c.bob_end.keys.size(), 1U);
    (void)burst(c.alice_end, 600);
    EXPECT_TRUE(c.alice_end.open(c.bob_end.seal("turn")).has_value());
    const auto next = burst(c.alice_end, 501, "n");
    EXPECT_EQ(c.bob_end.open(next[500]).value(), "n500");
    EXPECT_EQ(c.bob_end.keys.size(), 500U);
    EXPECT_EQ(c.bob_end.open(skipped).error(), Error::duplicate);
    turn(c);
}

TEST(Ratchet, OldestChainsGoFirstWhenTheTotalIsReached) {
    Conversation c;
    std::vector<std::vector<Bytes>> lost;
    for (int chain = 0; chain < 3; ++chain) {
        lost.push_back(burst(c.alice_end, 400, "c" + std::to_string(chain) + "-"));
        turn(c);
    }
    // 400 + 400 are kept, and the third chain's 400 pushed out the first chain's.
    EXPECT_EQ(c.bob_end.keys.size(), 800U);
    EXPECT_EQ(c.bob_end.open(lost[0][0]).error(), Error::cannot_open);
    EXPECT_EQ(c.bob_end.open(lost[1][0]).value(), "c1-0");
    EXPECT_EQ(c.bob_end.open(lost[2][0]).value(), "c2-0");
}

TEST(Ratchet, AChainMayPushOutItsOwnOlderKeys) {
    Conversation c;
    const auto envelopes = burst(c.alice_end, 1300);
    EXPECT_TRUE(c.bob_end.open(envelopes[600]).has_value());
    EXPECT_EQ(c.bob_end.keys.size(), 600U);
    EXPECT_TRUE(c.bob_end.open(envelopes[1299]).has_value());
    EXPECT_EQ(c.bob_end.keys.size(), 698U);
    EXPECT_EQ(c.bob_end.open(envelopes[0]).error(), Error::duplicate);
    EXPECT_EQ(c.bob_end.open(envelopes[601]).value(), "m601");
    turn(c);
}

TEST(Ratchet, AClosingChainMayPushOutItsOwnOlderKeys) {
    Conversation c;
    turn(c);
    const auto first = burst(c.alice_end, 701);
    EXPECT_TRUE(c.bob_end.open(first[700]).has_value());
    EXPECT_EQ(c.bob_end.keys.size(), 700U);
    const auto rest = burst(c.alice_end, 200, "r");
    EXPECT_TRUE(c.alice_end.open(c.bob_end.seal("turn")).has_value());
    const auto next = burst(c.alice_end, 201, "n");
    EXPECT_TRUE(c.bob_end.open(next[200]).has_value());
    // 700 + 200 + 200 are too many: the 700 go, the rest of that chain and what is ahead stay.
    EXPECT_EQ(c.bob_end.keys.size(), 400U);
    EXPECT_EQ(c.bob_end.open(first[0]).error(), Error::duplicate);
    EXPECT_EQ(c.bob_end.open(rest[199]).value(), "r199");
    EXPECT_EQ(c.bob_end.open(next[0]).value(), "n0");
    turn(c);
}

TEST(Ratchet, FiveChainsAreKeptAndTheSixthPushesOutTheFirst) {
    Conversation c;
    std::vector<Bytes> lost;
    for (int chain = 0; chain < 6; ++chain) {
        lost.push_back(c.alice_end.seal("chain " + std::to_string(chain)));
        turn(c);
    }
    EXPECT_EQ(c.bob_end.keys.size(), 5U);
    EXPECT_EQ(c.bob_end.open(lost[0]).error(), Error::cannot_open);
    for (std::size_t chain = 1; chain < 6; ++chain)
        EXPECT_EQ(c.bob_end.open(lost[chain]).value(), "chain " + std::to_string(chain));
    EXPECT_TRUE(c.bob_end.keys.empty());
}

TEST(Ratchet, TheCurrentChainIsOneOfTheFive) {
    Conversation c;
    std::vector<Bytes> lost;
    for (int chain = 0; chain < 5; ++chain) {
        lost.push_back(c.alice_end.seal("x"));
        turn(c);
    }
    EXPECT_EQ(c.bob_end.keys.size(), 5U);
    EXPECT_TRUE(c.bob_end.open(c.alice_end.seal("in order")).has_value());
    EXPECT_EQ(c.bob_end.keys.size(), 5U);
    const auto skipped = c.alice_end.seal("y");
    EXPECT_TRUE(c.bob_end.open(c.alice_end.seal("after a gap")).has_value());
    EXPECT_EQ(c.bob_end.keys.size(), 5U) << "the oldest made room";
    EXPECT_EQ(c.bob_end.open(lost[0]).error(), Error::cannot_open);
    EXPECT_TRUE(c.bob_end.open(lost[1]).has_value());
    EXPECT_EQ(c.bob_end.open(skipped).value(), "y");
}

TEST(Ratchet, ManyTurnsWithLossesStayBounded) {
    Conversation c;
    for (int i = 0; i < 40; ++i) {
        for (int lost = 0; lost < 30; ++lost) {
            (void)c.alice_end.seal("lost");
            (void)c.bob_end.seal("lost");
        }
        turn(c);
        EXPECT_LE(c.bob_end.keys.size(), 5U * 30U);
        EXPECT_LT(c.bob_end.session().serialize().size(), 2048U);
    }
}

// ---- expiry ----

TEST(Ratchet, KeptKeysAreDroppedAfterThirtyDays) {
    Conversation c;
    const auto early = c.alice_end.seal("early");
    turn(c);
    const auto current = c.alice_end.seal("current");
    EXPECT_TRUE(c.bob_end.open(c.alice_end.seal("x")).has_value());
    EXPECT_EQ(c.bob_end.keys.size(), 2U);

    auto session = c.bob_end.session().clone();
    EXPECT_TRUE(session.drop_expired_chains(now_ms).empty());
    EXPECT_TRUE(session.drop_expired_chains(now_ms - 1).empty()) << "a clock that was set back drops nothing";
    EXPECT_TRUE(session.drop_expired_chains(now_ms + kept_key_lifetime_ms).empty());
    const auto dropped = session.drop_expired_chains(now_ms + kept_key_lifetime_ms + 1);
    EXPECT_EQ(dropped.size(), 2U);
    EXPECT_TRUE(session.drop_expired_chains(now_ms + kept_key_lifetime_ms + 1).empty());
    EXPECT_TRUE(Session::parse(session.serialize()).has_value());

    c.bob_end.session() = std::move(session);
    for (const auto chain : dropped) c.bob_end.drop(chain);
    EXPECT_FALSE(c.bob_end.open(early).has_value());
    EXPECT_EQ(c.bob_end.open(current).error(), Error::duplicate);
    turn(c);
}

TEST(Ratchet, LaterKeptKeysProlongTheirChain) {
    Conversation c;
    (void)c.alice_end.seal("one");
    EXPECT_TRUE(c.bob_end.open(c.alice_end.seal("x")).has_value());
    c.bob_end.now = now_ms + kept_key_lifetime_ms;
    const auto two = c.alice_end.seal("two");
    EXPECT_TRUE(c.bob_end.open(c.alice_end.seal("y")).has_value());
    EXPECT_TRUE(c.bob_end.session().drop_expired_chains(now_ms + kept_key_lifetime_ms + 1).empty());
    EXPECT_EQ(c.bob_end.open(two).value(), "two");
}

// ---- counters near 2^32 ----

TEST(Ratchet, CountersStopBeforeTheyWrap) {
    Conversation c;
    EXPECT_TRUE(c.bob_end.open(c.alice_end.seal("new chain")).has_value());
    c.alice_end.session() = with(c.alice_end.session(), offset::sending_n, 0xfffffffe);
    c.bob_end.session() = with(c.bob_end.session(), offset::receiving_n, 0xfffffffe);
    EXPECT_EQ(c.bob_end.open(c.alice_end.seal("the last")).value(), "the last");
    EXPECT_EQ(c.alice_end.session().seal(text("one more"), now_ms, c.a.rng).error(), Error::exhausted);
    // The other direction turns the chain, and the count begins again.
    EXPECT_TRUE(c.alice_end.open(c.bob_end.seal("turn")).has_value());
    EXPECT_EQ(c.bob_end.open(c.alice_end.seal("new chain")).value(), "new chain");
    EXPECT_EQ(c.bob_end.open(c.alice_end.seal("and on")).value(), "and on");
}

TEST(Ratchet, ChainNumbersStopBeforeTheyWrap) {
    FreshConversation c;
    // The chain before it is forgotten with the jump, as its number would not fit.
    auto bytes = c.bob_end.session().serialize();
    put(bytes, offset::receiving_number, 0xffffffff);
    c.bob_end.session() = Session::parse(bytes).value();
    EXPECT_EQ(c.bob_end.open(c.alice_end.seal("x")).error(), Error::exhausted);
}

}  // namespace
}  // namespace sotto::crypto::test
