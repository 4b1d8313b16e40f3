// Publishing and handing out prekeys.
#include <set>

#include "keyserver/rig.hpp"

namespace sotto::keyserver::test {
namespace {

class PrekeysTest : public testing::Test {
  protected:
    PrekeysTest() : owner(rig.registered(bob)), friend_(rig.connect(Purpose::delivery)) {
        rig.set_shared(*owner, "token");
    }
    wire::Reply publish(const wire::PublishPrekeys& prekeys) {
        wire::Request request;
        *request.mutable_publish_prekeys() = prekeys;
        return owner->ask(request);
    }
    wire::Reply fetch() { return friend_->ask(fetch_prekeys_request("bob", 1, "token")); }
    static crypto::KemPrekey kem(const wire::Prekeys& prekeys) {
        return crypto::KemPrekey::decode(bytes_of(prekeys.kem_prekey())).value();
    }

    Rig rig;
    TestDevice bob{"bob"};
    std::unique_ptr<Peer> owner;
    std::unique_ptr<Peer> friend_;
};

TEST_F(PrekeysTest, AreServedAsABundleThatChecksOut) {
    ASSERT_TRUE(publish(bob.prekeys(rig.today())).has_done());
    const auto answer = fetch();
    ASSERT_TRUE(answer.has_prekeys());
    const auto& prekeys = answer.prekeys();
    const crypto::PrekeyBundle bundle{
        .record = crypto::AccountRecord::parse(bytes_of(prekeys.record())).value(),
        .device = 1,
        .signed_prekey = crypto::SignedPrekey::decode(bytes_of(prekeys.signed_prekey())).value(),
        .kem_prekey = kem(prekeys),
        .one_time_prekey = crypto::OneTimePrekey::decode(bytes_of(prekeys.one_time())).value()};
    EXPECT_TRUE(bundle.check(rig.today()));
    EXPECT_EQ(bundle.kem_prekey.kind, crypto::KemPrekeyKind::one_time);
}

TEST_F(PrekeysTest, HandOutEachOneTimeKeyOnceAndThenTheLastResort) {
    ASSERT_TRUE(publish(bob.prekeys(rig.today(), 3)).has_done());
    std::set<std::string> one_time;
    std::set<std::string> kems;
    for (int i = 0; i < 3; ++i) {
        const auto answer = fetch();
        one_time.insert(answer.prekeys().one_time());
        kems.insert(answer.prekeys().kem_prekey());
    }
    EXPECT_EQ(one_time.size(), 3U);
    EXPECT_EQ(kems.size(), 3U);
    for (int i = 0; i < 2; ++i) {
        const auto answer = fetch();
        ASSERT_TRUE(answer.has_prekeys());
        EXPECT_TRUE(answer.prekeys().one_time().empty());
        EXPECT_EQ(kem(answer.prekeys()).kind, crypto::KemPrekeyKind::last_resort);
    }
}

TEST_F(PrekeysTest, AreNeverHandedOutAgainAfterARestart) {
    ASSERT_TRUE(publish(bob.prekeys(rig.today(), 2)).has_done());
    const auto first = fetch();
    rig.restart();
    friend_ = rig.connect(Purpose::delivery);
    const auto second = fetch();
    EXPECT_NE(first.prekeys().one_time(), second.prekeys().one_time());
    EXPECT_NE(first.prekeys().kem_prekey(), second.prekeys().kem_prekey());
}

TEST_F(PrekeysTest, CanBePublishedAgainWithoutBeingHandedOutTwice) {
    const auto prekeys = bob.prekeys(rig.today(), 3);
    ASSERT_TRUE(publish(prekeys).has_done());
    std::set<std::string> one_time{fetch().prekeys().one_time()};
    ASSERT_TRUE(publish(prekeys).has_done());  // the answer to the first was lost
    for (int i = 0; i < 2; ++i) one_time.insert(fetch().prekeys().one_time());
    EXPECT_EQ(one_time.size(), 3U);
    EXPECT_TRUE(fetch().prekeys().one_time().empty());
}

TEST_F(PrekeysTest, TellTheDeviceAtLoginWhatIsLeft) {
    ASSERT_TRUE(publish(bob.prekeys(rig.today(), 3)).has_done());
    ASSERT_TRUE(fetch().has_prekeys());
    const auto peer = rig.connect(Purpose::identified);
    const auto welcome =
        peer->ask(login_request(bob, bob.proof(crypto::LoginPurpose::login, peer->nonce(), peer->exporter())))
            .welcome();
    EXPECT_EQ(welcome.one_time_left(), 2U);
    EXPECT_EQ(welcome.one_time_kem_left(), 2U);
    EXPECT_EQ(welcome.one_time_highest(), 3U);
    EXPECT_EQ(welcome.one_time_kem_highest(), 3U);
    EXPECT_EQ(welcome.signed_prekey_day(), rig.today());
}

TEST_F(PrekeysTest, TellTheConnectedDeviceWhenTheyRunLow) {
    ASSERT_TRUE(publish(bob.prekeys(rig.today(), 3)).has_done());
    ASSERT_TRUE(fetch().has_prekeys());
    const auto push = owner->push();
    ASSERT_TRUE(push && push->has_prekeys_low());
    EXPECT_EQ(push->prekeys_low().one_time_left(), 2U);
    ASSERT_TRUE(fetch().has_prekeys());
    EXPECT_FALSE(owner->push());  // not at every fetch
}

TEST_F(PrekeysTest, AreLimitedPerTargetByFallingBackToTheLastResort) {
    rig.set_shared(*owner, "token", true);
    ASSERT_TRUE(publish(bob.prekeys(rig.today(), 100)).has_done());
    int spent = 0;
    for (int i = 0; i < 200; ++i) {
        const auto stranger = rig.connect(Purpose::delivery);  // as many strangers as fetches
        const auto answer = stranger->ask(fetch_prekeys_request("bob", 1, ""));
        ASSERT_TRUE(answer.has_prekeys());
        spent += answer.prekeys().one_time().empty() ? 0 : 1;
        stranger->hang_up();
    }
    EXPECT_EQ(spent, static_cast<int>(limits::open_prekeys_burst));
    const auto answer = fetch();  // who shows a credential is not made to pay for it
    EXPECT_FALSE(answer.prekeys().one_time().empty());
}

TEST_F(PrekeysTest, AreMissingUntilPublished) {
    EXPECT_EQ(code_of(fetch()), wire::FAILURE_NO_PREKEYS);
    auto prekeys = bob.prekeys(rig.today(), 1);
    prekeys.clear_last_resort();
    ASSERT_TRUE(publish(prekeys).has_done());
    EXPECT_EQ(code_of(fetch()), wire::FAILURE_NO_PREKEYS);
}

TEST_F(PrekeysTest, AreCheckedWhenPublished) {
    const auto refused = [&](auto change) {
        auto prekeys = bob.prekeys(rig.today(), 2, 50);
        change(prekeys);
        return code_of(publish(prekeys));
    };
    using P = wire::PublishPrekeys;
    EXPECT_EQ(refused([](P& p) { p.mutable_signed_prekey()->back() ^= 1; }), wire::FAILURE_MALFORMED);
    EXPECT_EQ(refused([](P& p) { p.mutable_signed_prekey()->push_back('x'); }), wire::FAILURE_MALFORMED);
    EXPECT_EQ(refused([](P& p) { p.mutable_last_resort()->back() ^= 1; }), wire::FAILURE_MALFORMED);
    EXPECT_EQ(refused([](P& p) { p.mutable_one_time_kem(0)->back() ^= 1; }), wire::FAILURE_MALFORMED);
    EXPECT_EQ(refused([](P& p) { p.mutable_one_time(0)->pop_back(); }), wire::FAILURE_MALFORMED);
    EXPECT_EQ(refused([](P& p) { *p.mutable_one_time(1) = p.one_time(0); }), wire::FAILURE_MALFORMED);
    EXPECT_EQ(refused([](P& p) { p.mutable_last_resort()->swap(*p.mutable_one_time_kem(0)); }),
              wire::FAILURE_MALFORMED);
    EXPECT_EQ(refused([&](P& p) { p = bob.prekeys(rig.today() + 3); }), wire::FAILURE_MALFORMED);
    EXPECT_EQ(refused([&](P& p) { p = bob.prekeys(rig.today() - 61); }), wire::FAILURE_MALFORMED);
    EXPECT_EQ(refused([&](P& p) { p = TestDevice("bob", 77).prekeys(rig.today()); }),
              wire::FAILURE_MALFORMED);
    EXPECT_EQ(refused([&](P& p) { p = TestDevice("bob", 1, 2).prekeys(rig.today()); }),
              wire::FAILURE_MALFORMED);
    EXPECT_EQ(code_of(fetch()), wire::FAILURE_NO_PREKEYS);  // nothing of all that was kept
}

TEST_F(PrekeysTest, AreBoundedInNumber) {
    EXPECT_EQ(code_of(publish(bob.prekeys(rig.today(), 101))), wire::FAILURE_TOO_LARGE);
    EXPECT_TRUE(publish(bob.prekeys(rig.today(), 100, 1)).has_done());
    EXPECT_TRUE(publish(bob.prekeys(rig.today(), 100, 101)).has_done());
    EXPECT_EQ(code_of(publish(bob.prekeys(rig.today(), 1, 201))), wire::FAILURE_TOO_LARGE);
}

TEST_F(PrekeysTest, AreReplacedWhenTheDeviceSaysThatTheirSecretsMayBeLost) {
    ASSERT_TRUE(publish(bob.prekeys(rig.today(), 100)).has_done());
    ASSERT_TRUE(publish(bob.prekeys(rig.today(), 100, 101)).has_done());
    auto next = bob.prekeys(rig.today(), 100, 201);
    EXPECT_EQ(code_of(publish(next)), wire::FAILURE_TOO_LARGE);
    next.set_replace(true);
    ASSERT_TRUE(publish(next).has_done());
    const auto answer = fetch();
    EXPECT_EQ(crypto::OneTimePrekey::decode(bytes_of(answer.prekeys().one_time())).value().id, 201U);
    EXPECT_EQ(kem(answer.prekeys()).id, 201U);
    // Said again, as after a lost answer, it leaves none of those ids: only higher ones are taken.
    ASSERT_TRUE(publish(next).has_done());
    EXPECT_TRUE(fetch().prekeys().one_time().empty());
}

TEST_F(PrekeysTest, StayWhereAReplacementIsRefused) {
    ASSERT_TRUE(publish(bob.prekeys(rig.today(), 3)).has_done());
    auto older = bob.prekeys(rig.today() - 1, 3, 4);
    older.set_replace(true);
    EXPECT_EQ(code_of(publish(older)), wire::FAILURE_STALE);
    EXPECT_FALSE(fetch().prekeys().one_time().empty());
}

TEST_F(PrekeysTest, NeverGoBackToAnOlderSignedPrekey) {
    const auto old = bob.prekeys(rig.today() - 1, 0);
    ASSERT_TRUE(publish(old).has_done());
    const auto fresh = bob.prekeys(rig.today(), 0, 2);
    ASSERT_TRUE(publish(fresh).has_done());
    EXPECT_EQ(code_of(publish(old)), wire::FAILURE_STALE);
    EXPECT_EQ(fetch().prekeys().signed_prekey(), fresh.signed_prekey());
}

TEST_F(PrekeysTest, NameARecordThatTheServerHolds) {
    const auto held = bob.record;
    bob.record = bob.successor({bob.listed()});
    const auto ahead = bob.prekeys(rig.today(), 0);
    EXPECT_EQ(code_of(publish(ahead)), wire::FAILURE_STALE);
    bob.record = held;
    EXPECT_TRUE(publish(bob.prekeys(rig.today(), 0)).has_done());
}

}  // namespace
}  // namespace sotto::keyserver::test
