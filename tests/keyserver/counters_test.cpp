#include "keyserver/core/counters.hpp"

#include <thread>

#include "keyserver/rig.hpp"

namespace sotto::keyserver::test {
namespace {

TEST(Counters, AddUpWhatManyThreadsCount) {
    Counters counters;
    std::vector<std::thread> threads;
    for (int i = 0; i < 40; ++i)
        threads.emplace_back([&] {
            for (int n = 0; n < 1000; ++n) {
                counters.add(Count::frames_in);
                counters.took(Latency::commit, 100);
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(counters.count(Count::frames_in), 40'000U);
    EXPECT_EQ(counters.count(Count::frames_out), 0U);
    EXPECT_EQ(counters.histogram(Latency::commit).sum_us, 4'000'000U);
    EXPECT_EQ(counters.histogram(Latency::commit).in_bucket.at(2), 40'000U);
}

TEST(Counters, BucketsEndAtDoublingDurations) {
    EXPECT_EQ(Counters::bucket_of(0), 0U);
    for (std::size_t i = 0; i + 1 < Counters::buckets; ++i) {
        const auto end = Counters::first_bucket_us << i;
        EXPECT_EQ(Counters::bucket_of(end), i);
        EXPECT_EQ(Counters::bucket_of(end + 1), i + 1);
    }
    EXPECT_EQ(Counters::bucket_of(UINT64_MAX), Counters::buckets - 1);
}

TEST(Counters, EveryCountHasANameAndFamiliesStandTogether) {
    std::vector<std::string_view> families;
    for (const auto& name : count_names) {
        EXPECT_TRUE(name.family.starts_with("sotto_") && name.family.ends_with("_total")) << name.family;
        if (families.empty() || families.back() != name.family) {
            EXPECT_FALSE(name.help.empty()) << name.family;
            EXPECT_EQ(std::ranges::count(families, name.family), 0) << name.family;
            families.push_back(name.family);
        }
    }
}

class CountedTest : public testing::Test {
  protected:
    [[nodiscard]] std::uint64_t count(Count what) const { return rig.service->counters.count(what); }
    Rig rig;
};

TEST_F(CountedTest, DeliveriesByHowTheyWereAnswered) {
    const TestDevice alice{"alice"};
    auto online = rig.registered(alice);
    rig.set_shared(*online, "token");
    auto sender = rig.connect(Purpose::delivery);
    const auto asked = sender->send(deliver_request("alice", 1, "a", envelope("a"), "token"));
    rig.settle();
    ASSERT_TRUE(online->incoming());
    EXPECT_TRUE(online->ask(acknowledge_request({envelope_id("a")})).has_done());
    EXPECT_EQ(state_of(sender->reply(asked)), wire::DELIVERY_DELIVERED);
    online->hang_up();
    rig.settle();
    EXPECT_TRUE(sender->ask(deliver_request("alice", 1, "b", envelope("b"), "token")).has_delivered());
    EXPECT_EQ(code_of(sender->ask(deliver_request("alice", 1, "c", envelope("c"), "wrong"))),
              wire::FAILURE_REFUSED);
    EXPECT_EQ(code_of(sender->ask(deliver_request("alice", 2, "d", envelope("d"), "token"))),
              wire::FAILURE_NO_DEVICE);
    EXPECT_EQ(count(Count::delivered), 1U);
    EXPECT_EQ(count(Count::stored), 1U);
    EXPECT_EQ(count(Count::refused_access), 1U);
    EXPECT_EQ(count(Count::refused_no_device), 1U);
    std::uint64_t timed = 0;
    for (const auto n : rig.service->counters.histogram(Latency::delivered).in_bucket) timed += n;
    EXPECT_EQ(timed, 1U);
    EXPECT_GT(count(Count::frames_in), 5U);
}

TEST_F(CountedTest, LoginsAndRegistrationsByTheirOutcome) {
    const TestDevice alice{"alice"};
    rig.registered(alice)->hang_up();
    rig.logged_in(alice)->hang_up();
    const TestDevice other{"alice", 2};
    auto taken = rig.connect(Purpose::identified);
    const auto proof = other.proof(crypto::LoginPurpose::registration, taken->nonce(), taken->exporter());
    EXPECT_EQ(code_of(taken->ask(register_request(other, proof))), wire::FAILURE_NAME_TAKEN);
    auto wrong = rig.connect(Purpose::identified);
    const auto bad = other.proof(crypto::LoginPurpose::login, wrong->nonce(), wrong->exporter());
    EXPECT_EQ(code_of(wrong->ask(login_request(other, bad))), wire::FAILURE_REFUSED);
    EXPECT_EQ(count(Count::logins), 1U);
    EXPECT_EQ(count(Count::logins_refused), 1U);
    EXPECT_EQ(count(Count::registrations), 1U);
    EXPECT_EQ(count(Count::registrations_refused), 1U);
}

}  // namespace
}  // namespace sotto::keyserver::test
