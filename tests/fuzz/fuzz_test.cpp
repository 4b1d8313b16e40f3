// Every target with its seeds and a few hundred inputs made from them, in every build: a promise that is
// broken at once should not wait for a long run.
#include <gtest/gtest.h>

#include <ostream>

#ifdef SOTTO_WITH_FAULTS
#include "audit/faults.hpp"
#endif
#include "sotto/crypto/random.hpp"
#include "targets.hpp"

namespace sotto::fuzz {

/// By its name, and not by its bytes, which are addresses.
static void PrintTo(const Target& target, std::ostream* out) {
    *out << target.name;
}

namespace {

/// One of libFuzzer's simpler changes.
Bytes mutated(const Bytes& seed, crypto::Rng& rng) {
    auto out = seed;
    for (std::uint64_t changes = 1 + rng.below(4); changes > 0; --changes) {
        if (out.empty()) break;
        const auto at = static_cast<std::ptrdiff_t>(rng.below(out.size()));
        switch (rng.below(5)) {
            case 0:
                out[static_cast<std::size_t>(at)] ^= static_cast<std::byte>(1U << rng.below(8));
                break;
            case 1:
                out[static_cast<std::size_t>(at)] = static_cast<std::byte>(rng.below(256));
                break;
            case 2:
                out.resize(static_cast<std::size_t>(at));
                break;
            case 3:
                out.insert(out.begin() + at, rng.below(64), static_cast<std::byte>(rng.below(256)));
                break;
            default:
                out.erase(out.begin() + at, out.begin() + at +
                                                static_cast<std::ptrdiff_t>(
                                                    rng.below(out.size() - static_cast<std::size_t>(at))));
        }
    }
    return out;
}

class FuzzTargets : public testing::TestWithParam<Target> {};

TEST_P(FuzzTargets, KeepTheirPromisesOnSeedsAndOnWhatIsMadeOfThem) {
    const auto& target = GetParam();
    crypto::SeededRng rng{11};
    EXPECT_NO_THROW(target.feed({}));
    const int rounds = target.name == "vault" || target.name == "session-events" ? 60 : 300;
    for (const auto& seed : target.seeds()) {
        EXPECT_NO_THROW(target.feed(seed));
        EXPECT_LE(seed.size(), 4096U);
        for (int i = 0; i < rounds; ++i) EXPECT_NO_THROW(target.feed(mutated(seed, rng)));
    }
}

TEST(FuzzTargetsTable, EveryTargetHasSeedsAndCanBeFound) {
    for (const auto& target : targets()) {
        EXPECT_FALSE(target.seeds().empty()) << target.name;
        EXPECT_EQ(target_called(target.name)->name, target.name);
    }
    EXPECT_EQ(target_called("nothing"), nullptr);
}

#ifdef SOTTO_WITH_FAULTS
TEST(FuzzTargetsTable, ABrokenPromiseIsSeen) {
    const auto* const target = target_called("envelope");
    auto envelope = target->seeds().front();
    envelope.back() ^= std::byte{1};
    EXPECT_NO_THROW(target->feed(envelope));
    const audit::WithFault fault{audit::Fault::tags_ignored};
    EXPECT_THROW(target->feed(envelope), std::logic_error);
}
#endif

std::string name_of(const testing::TestParamInfo<Target>& info) {
    std::string out{info.param.name};
    std::erase(out, '-');
    return out;
}
INSTANTIATE_TEST_SUITE_P(Each, FuzzTargets, testing::ValuesIn(targets().begin(), targets().end()), name_of);

}  // namespace
}  // namespace sotto::fuzz
