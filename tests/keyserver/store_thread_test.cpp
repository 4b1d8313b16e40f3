// The thread that commits: everything in order, nothing twice, under many askers.
#include "keyserver/store/store_thread.hpp"

#include <atomic>
#include <set>
#include <thread>

#include "keyserver/core/directory.hpp"
#include "keyserver/core/mail.hpp"
#include "keyserver/rig.hpp"

namespace sotto::keyserver::test {
namespace {

storage::Database open_store(const std::filesystem::path& file) {
    return storage::Database::open(file, storage::DatabaseKey{FixedView<32>{Array<32>{}}}, migrations,
                                   {.full_sync = false})
        .value();
}

class StoreThreadTest : public testing::Test {
  protected:
    StoreThreadTest() {
        run([&](Stores& stores) {
            key.account = stores.accounts.add("bob", 1);
            stores.accounts.add_record(key.account, bob.record);
            stores.accounts.add_device(key, bob.signing.public_key());
            return true;
        });
    }
    void run(auto work) {
        store.submit(std::move(work), [](auto done) { EXPECT_TRUE(done); });
        store.flush();
    }

    sotto::test::TemporaryFolder folder;
    ManualClock clock;
    TestDevice bob{"bob"};
    DeviceKey key{.account = 0, .device = 1};
    StoreThread store{open_store(folder / "store.db"),
                      [](const storage::Error& error) { FAIL() << error.detail; }};
};

TEST_F(StoreThreadTest, HandsOutEveryOneTimePrekeyOnceUnderConcurrency) {
    const auto prekeys = check_prekeys(bob.prekeys(20'000, 60), 1, bob.signing.public_key(), 20'000).value();
    run([&](Stores& stores) { return publish_prekeys(stores, key, prekeys).has_value(); });
    PrekeyCounter counter{clock, Limits{}};
    std::mutex mutex;
    std::multiset<Bytes> one_time;
    std::multiset<Bytes> kems;
    std::atomic<int> without = 0;
    std::vector<std::thread> askers;
    for (int i = 0; i < 8; ++i)
        askers.emplace_back([&] {
            for (int j = 0; j < 10; ++j)
                store.submit([&](Stores& stores) { return counter.fetch(stores, key, true); },
                             [&](std::optional<Answer<Bundle>> bundle) {
                                 const std::lock_guard lock(mutex);
                                 const auto& got = bundle.value().value();
                                 if (got.one_time.empty()) {
                                     ++without;
                                     return;
                                 }
                                 one_time.insert(got.one_time);
                                 kems.insert(got.kem_prekey);
                             });
        });
    for (auto& asker : askers) asker.join();
    store.flush();
    EXPECT_EQ(one_time.size(), 60U);
    EXPECT_EQ(std::set<Bytes>(one_time.begin(), one_time.end()).size(), 60U);
    EXPECT_EQ(std::set<Bytes>(kems.begin(), kems.end()).size(), 60U);
    EXPECT_EQ(without, 20);
}

TEST_F(StoreThreadTest, FinishesInTheOrderOfSubmission) {
    std::vector<int> order;
    for (int i = 0; i < 3000; ++i)
        store.submit([](Stores& stores) { return stores.accounts.find("bob").has_value(); },
                     [&order, i](std::optional<bool> found) {
                         EXPECT_EQ(found, true);
                         order.push_back(i);
                     });
    store.flush();
    ASSERT_EQ(order.size(), 3000U);
    EXPECT_TRUE(std::ranges::is_sorted(order));
}

TEST_F(StoreThreadTest, AnswersEverythingBeforeItGoes) {
    std::atomic<int> answered = 0;
    {
        sotto::test::TemporaryFolder other;
        StoreThread brief{open_store(other / "store.db"), [](const storage::Error&) {}};
        for (int i = 0; i < 500; ++i)
            brief.submit([](Stores& stores) { return stores.accounts.add("u", 1); },
                         [&](std::optional<AccountId>) { ++answered; });
    }
    EXPECT_EQ(answered, 500);
}

}  // namespace
}  // namespace sotto::keyserver::test
