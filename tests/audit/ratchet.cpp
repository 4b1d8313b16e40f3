// The ratchet through its public headers. Each end refuses only without changing (people.cpp).
#include <algorithm>
#include <random>

#include "groups.hpp"
#include "people.hpp"
#include "vectors.hpp"

namespace sotto::audit {
namespace {

using namespace crypto;  // NOLINT(google-build-using-namespace)

std::vector<Bytes> burst(End& from, std::size_t count) {
    std::vector<Bytes> out;
    for (std::size_t i = 0; i < count; ++i) out.push_back(from.seal(std::to_string(i)));
    return out;
}

void back_and_forth(Check& check) {
    SystemRng rng;
    Conversation c{rng};
    for (int i = 0; i < 100; ++i) check.expect(c.round_trip(), "a message each way");
}

void any_order(Check& check) {
    SystemRng rng;
    Conversation c{rng};
    for (int round = 0; round < 4; ++round) {
        auto envelopes = burst(c.alice, 60);
        std::vector<std::size_t> order(envelopes.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        std::ranges::shuffle(order, std::mt19937_64{rng.below(UINT64_MAX)});
        for (const auto i : order) check.expect(c.bob.hears(envelopes[i], std::to_string(i)), "each arrives");
        for (const auto i : order) check.expect(c.bob.refuses(envelopes[i]), "and only once");
        check.expect(c.bob.kept() == 0, "no key is left over");
        check.expect(c.round_trip(), "the session goes on");
    }
}

void losses(Check& check) {
    SystemRng rng;
    Conversation c{rng};
    for (int i = 0; i < 50; ++i) {
        for (std::uint64_t lost = rng.below(4); lost > 0; --lost) {
            (void)c.alice.seal("lost");
            (void)c.bob.seal("lost");
        }
        check.expect(c.round_trip(), "what comes after a loss arrives");
    }
}

void across_turns(Check& check) {
    SystemRng rng;
    Conversation c{rng};
    std::vector<Bytes> waiting;
    for (int i = 0; i < 4; ++i) {
        waiting.push_back(c.alice.seal("late " + std::to_string(i)));
        check.expect(c.round_trip(), "the chain turns");
    }
    for (std::size_t i = waiting.size(); i-- > 0;) {
        check.expect(c.bob.hears(waiting[i], "late " + std::to_string(i)), "a message of an earlier chain");
        check.expect(c.bob.late(), "is marked late");
    }
}

/// Two people over a network that delays, reorders, repeats and loses.
void random_traffic(Check& check) {
    SystemRng rng;
    struct Waiting {
        Bytes envelope;
        std::string words;
    };
    for (int round = 0; round < 6; ++round) {
        Conversation c{rng};
        std::vector<Waiting> to_bob;
        std::vector<Waiting> to_alice;
        const auto deliver = [&](std::vector<Waiting>& queue, End& end) {
            if (queue.empty()) return;
            const auto i = rng.below(std::min<std::size_t>(queue.size(), 8));
            const auto at = queue.begin() + static_cast<std::ptrdiff_t>(i);
            if (rng.below(10) != 0) {
                check.expect(end.hears(at->envelope, at->words), "what arrives is read");
                if (rng.below(3) == 0) check.expect(end.refuses(at->envelope), "a repeat is refused");
            }
            queue.erase(at);
        };
        for (int step = 0; step < 300; ++step) {
            const auto words = std::to_string(step);
            switch (rng.below(4)) {
                case 0:
                    to_bob.push_back({c.alice.seal(words), words});
                    break;
                case 1:
                    to_alice.push_back({c.bob.seal(words), words});
                    break;
                case 2:
                    deliver(to_bob, c.bob);
                    break;
                default:
                    deliver(to_alice, c.alice);
            }
        }
    }
}

void kept_keys_at_the_limit(Check& check) {
    SystemRng rng;
    Conversation c{rng};
    const auto envelopes = burst(c.alice, max_kept_keys + 3);
    check.expect(c.bob.refuses(envelopes[max_kept_keys + 2], Error::gap_too_large), "over a thousand: a gap");
    check.expect(c.bob.kept() == 0, "and nothing is kept of it");
    check.expect(c.bob.hears(envelopes[max_kept_keys], std::to_string(max_kept_keys)), "a thousand: kept");
    check.expect(c.bob.kept() == max_kept_keys, "each of them");
    for (std::size_t i = 0; i < max_kept_keys; i += 37)
        check.expect(c.bob.hears(envelopes[i], std::to_string(i)), "and they open");
    check.note(std::to_string(max_kept_keys) + " kept keys");
}

void kept_chains_at_the_limit(Check& check) {
    SystemRng rng;
    Conversation c{rng};
    std::vector<Bytes> lost;
    for (std::size_t chain = 0; chain < max_kept_chains + 1; ++chain) {
        lost.push_back(c.alice.seal("chain"));
        check.expect(c.round_trip(), "the chain turns");
    }
    check.expect(c.bob.kept() == max_kept_chains, "five chains are kept");
    check.expect(c.bob.refuses(lost.front()), "the sixth pushed out the first");
    for (std::size_t chain = 1; chain < lost.size(); ++chain)
        check.expect(c.bob.hears(lost[chain], "chain"), "the others open");
}

void keys_expire(Check& check) {
    SystemRng rng;
    Conversation c{rng};
    (void)c.alice.seal("skipped");
    check.expect(c.bob.hears(c.alice.seal("read"), "read"), "a key is kept");
    auto session = c.bob.session().clone();
    check.expect(session.drop_expired_chains(now_ms + kept_key_lifetime_ms).empty(), "for thirty days");
    check.expect(session.drop_expired_chains(now_ms + kept_key_lifetime_ms + 1).size() == 1,
                 "and not longer");
}

void stored_sessions(Check& check) {
    SystemRng rng;
    Conversation c{rng};
    const auto bytes = c.bob.session().serialize();
    for (std::size_t size = 0; size < bytes.size(); ++size)
        check.expect(!Session::parse(ByteView{bytes}.first(size)), "a cut record is refused");
    check.expect(!Session::parse(joined(bytes, repeated(1, 0))), "a longer record is refused");
    for (unsigned format = 0; format < 256; ++format) {
        auto other = bytes;
        other[0] = static_cast<std::byte>(format);
        if (format == 0 || format > std::to_integer<unsigned>(bytes[0]))
            check.expect(!Session::parse(other), "another format is refused");
    }
    check.expect(bytes.size() < 2048, "a record has less than 2 KiB");
    check.note("a session is stored in " + std::to_string(bytes.size()) + " bytes");
}

void healing(Check& check) {
    SystemRng rng;
    Conversation c{rng};
    const auto before = c.alice.seal("before");
    check.expect(c.bob.hears(before, "before"), "read");
    auto thief = c.bob.copy(rng);
    check.expect(thief.refuses(before), "what was read before stays closed");
    check.expect(thief.hears(c.alice.seal("now"), "now"), "a thief of the state reads on");
    check.expect(c.round_trip_before(thief) && c.round_trip_before(thief), "they go on, overheard");
    for (int i = 0; i < 3; ++i) {
        check.expect(thief.refuses(c.alice.seal("after")), "and the thief is shut out");
        check.expect(c.round_trip_before(thief), "for good");
    }
}

void epochs_go_on(Check& check) {
    SystemRng rng;
    Conversation c{rng, Begun::answered};
    std::uint32_t highest = 0;
    for (int i = 0; i < 150; ++i) {
        // One in four is lost on either side.
        const auto question = c.alice.seal("question");
        if (rng.below(4) != 0) check.expect(c.bob.hears(question, "question"), "what arrives is read");
        const auto reply = c.bob.seal("reply");
        if (rng.below(4) != 0) check.expect(c.alice.hears(reply, "reply"), "what arrives is read");
        const auto a = c.alice.session().epoch();
        const auto b = c.bob.session().epoch();
        check.expect((a > b ? a - b : b - a) <= 1, "neither side is more than one epoch ahead");
        check.expect(std::min(a, b) + 1 >= highest, "and no epoch is left again");
        highest = std::max({highest, a, b});
    }
    check.expect(highest >= 5, "epochs follow one another");
    check.note(std::to_string(highest) + " post-quantum epochs in 300 messages, a quarter of them lost");
}

constexpr std::array checks{
    Definition{"A hundred round trips", "docs/protocol.md section 7", back_and_forth},
    Definition{"Messages of a chain open in any order, once each", "docs/protocol.md section 7", any_order},
    Definition{"Losses stop nothing", "docs/protocol.md section 7", losses},
    Definition{"Messages of earlier chains open and are marked late", "docs/protocol.md section 7",
               across_turns},
    Definition{"Random traffic that is delayed, reordered, repeated and lost", "docs/protocol.md section 7",
               random_traffic},
    Definition{"A thousand keys are kept, and not one more", "docs/protocol.md section 7, kept keys",
               kept_keys_at_the_limit, "Ratchet.AThousandAndOneAreAGap"},
    Definition{"Five chains are kept, and not one more", "docs/protocol.md section 7, kept keys",
               kept_chains_at_the_limit, "Ratchet.FiveChainsAreKeptAndTheSixthPushesOutTheFirst"},
    Definition{"Kept keys go after thirty days", "docs/protocol.md section 7, kept keys", keys_expire},
    Definition{"Stored sessions that are cut, lengthened or of another format are refused",
               "docs/protocol.md section 7.6", stored_sessions},
    Definition{"Post-quantum epochs go on through losses", "docs/protocol.md section 7.5", epochs_go_on,
               "EpochModel.EveryMessageThatArrivesOpensOnceAndEpochsGoOn"},
    Definition{
        "A stolen state opens nothing from before and nothing after a round trip",
        "docs/protocol.md section 7", healing,
        "Ratchet.PastMessagesStayClosedToALaterThief Ratchet.ACompromisedStateIsShutOutAfterARoundTrip "
        "Healing.OneExchangeShutsAThiefOut"},
};

}  // namespace

std::span<const Definition> ratchet_checks() {
    return checks;
}

}  // namespace sotto::audit
