// Limits that an operator has set differently, also while the server runs.
#include "keyserver/core/mail.hpp"
#include "keyserver/rig.hpp"

namespace sotto::keyserver::test {
namespace {

class LimitsTest : public testing::Test {
  protected:
    /// Lets `change` alter the limits of the running server.
    void set(const std::function<void(Limits&)>& change) {
        auto next = *rig.service->policy;
        change(next.limits);
        rig.service->set_policy(next);
        rig.settle();
    }
    std::unique_ptr<Peer> account(const std::string& token, bool discoverable = false) {
        auto peer = rig.registered(alice);
        rig.set_shared(*peer, token, discoverable);
        return peer;
    }
    wire::FailureCode deliver(const std::string& text, const std::string& token, char type = 0x12) {
        auto sender = rig.connect(Purpose::delivery);
        return code_of(sender->ask(deliver_request("alice", 1, text, envelope(text, type), token)));
    }

    TestDevice alice{"alice"};
    Rig rig;
};

TEST_F(LimitsTest, HoldForTheMailboxesSizeAtOnce) {
    account("token")->hang_up();
    set([](Limits& limits) { limits.mailbox_envelopes = 2; });
    EXPECT_EQ(deliver("1", "token"), 0);
    EXPECT_EQ(deliver("2", "token"), 0);
    EXPECT_EQ(deliver("3", "token"), wire::FAILURE_MAILBOX_FULL);
    set([](Limits& limits) { limits.mailbox_envelopes = 3; });
    EXPECT_EQ(deliver("3", "token"), 0);
    set([](Limits& limits) {
        limits.mailbox_envelopes = 100;
        limits.mailbox_bytes = 7;
    });
    EXPECT_EQ(deliver("4", "token"), wire::FAILURE_MAILBOX_FULL);
}

TEST_F(LimitsTest, HoldForTheLifetimeOfMail) {
    account("token")->hang_up();
    EXPECT_EQ(deliver("1", "token"), 0);
    rig.pass(2 * day_ms);
    Limits limits;
    const auto sweep = [&] {
        rig.with_store(
            [&](Stores& stores) { return remove_expired(stores, unix_seconds(rig.clock), limits); });
        return rig.with_store([](Stores& stores) { return stores.mailbox.use({.account = 1, .device = 1}); })
            ->envelopes;
    };
    EXPECT_EQ(sweep(), 1);
    limits.mailbox_days = 1;
    EXPECT_EQ(sweep(), 0);
}

TEST_F(LimitsTest, HoldForTheRequestBoxAndForPrekeys) {
    auto peer = account("token", true);
    wire::Request request;
    *request.mutable_publish_prekeys() = alice.prekeys(rig.today(), 10);
    EXPECT_TRUE(peer->ask(request).has_done());
    set([](Limits& limits) {
        limits.request_box_burst = 2;
        limits.open_prekeys_burst = 1;
        limits.credential_prekeys_burst = 1;
    });
    EXPECT_EQ(deliver("1", "none", 0x11), 0);
    EXPECT_EQ(deliver("2", "none", 0x11), 0);
    EXPECT_EQ(deliver("3", "none", 0x11), wire::FAILURE_RATE);
    auto stranger = rig.connect(Purpose::delivery);
    for (const auto* token : {"none", "token"}) {
        EXPECT_FALSE(stranger->ask(fetch_prekeys_request("alice", 1, token)).prekeys().one_time().empty());
        EXPECT_TRUE(stranger->ask(fetch_prekeys_request("alice", 1, token)).prekeys().one_time().empty());
    }
}

TEST_F(LimitsTest, ForgetNothingThatWasTakenWhereTheyStayAsTheyWere) {
    account("token", true)->hang_up();
    set([](Limits& limits) { limits.request_box_burst = 1; });
    EXPECT_EQ(deliver("1", "none", 0x11), 0);
    set([](Limits& limits) { limits.idle_ms = 60'000; });
    EXPECT_EQ(deliver("2", "none", 0x11), wire::FAILURE_RATE);
}

TEST_F(LimitsTest, HoldForNewConnections) {
    set([](Limits& limits) {
        limits.requests_burst = 2;
        limits.requests_per_second = 1;
        limits.rate_violations = 1;
    });
    auto peer = rig.connect(Purpose::delivery);
    wire::Request ping;
    ping.mutable_ping();
    EXPECT_TRUE(peer->ask(ping).has_done());
    EXPECT_TRUE(peer->ask(ping).has_done());
    EXPECT_EQ(code_of(peer->ask(ping)), wire::FAILURE_RATE);
    EXPECT_FALSE(peer->closed());
    EXPECT_EQ(code_of(peer->ask(ping)), wire::FAILURE_RATE);
    EXPECT_TRUE(peer->closed());
    EXPECT_EQ(rig.service->counters.count(Count::limit_requests), 2U);
    EXPECT_EQ(rig.service->counters.count(Count::limit_violations), 1U);
}

TEST_F(LimitsTest, HoldForWhatIsOnItsWayAndForHowLong) {
    auto peer = account("token");
    set([](Limits& limits) {
        limits.outstanding_bytes = 1;
        limits.hand_over_ms = 500;
    });
    auto sender = rig.connect(Purpose::delivery);
    const auto first = sender->send(deliver_request("alice", 1, "1", envelope("1"), "token"));
    auto other = rig.connect(Purpose::delivery);
    const auto second = other->send(deliver_request("alice", 1, "2", envelope("2"), "token"));
    rig.settle();
    EXPECT_EQ(peer->incoming(), envelope("1"));
    EXPECT_FALSE(peer->incoming());  // no room: it waits in the mailbox
    EXPECT_EQ(state_of(other->reply(second)), wire::DELIVERY_STORED);
    EXPECT_FALSE(sender->reply(first));
    rig.pass(499);
    EXPECT_FALSE(sender->reply(first));
    rig.pass(2);
    EXPECT_EQ(state_of(sender->reply(first)), wire::DELIVERY_STORED);
}

TEST_F(LimitsTest, HoldForRegistrationsThatAskForTakenNames) {
    Rig invited{{.server_name = "chat.example", .registration = Registration::invite}};
    invited.add_invite("code");
    invited.registered(alice, "code")->hang_up();
    auto next = *invited.service->policy;
    next.limits.registration_tries = 1;
    invited.service->set_policy(next);
    invited.add_invite("second");
    const TestDevice other{"alice", 3};
    const auto ask = [&] {
        auto peer = invited.connect(Purpose::identified);
        const auto proof = other.proof(crypto::LoginPurpose::registration, peer->nonce(), peer->exporter());
        return code_of(peer->ask(register_request(other, proof, "second")));
    };
    EXPECT_EQ(ask(), wire::FAILURE_NAME_TAKEN);
    EXPECT_EQ(ask(), wire::FAILURE_INVITE_BAD);
}

TEST_F(LimitsTest, AnOpenServerThatIsClosedTakesNobodyMore) {
    auto next = *rig.service->policy;
    next.registration = Registration::closed;
    rig.service->set_policy(next);
    auto peer = rig.connect(Purpose::identified);
    EXPECT_EQ(peer->hello().registration(), wire::REGISTRATION_CLOSED);
    const auto proof = alice.proof(crypto::LoginPurpose::registration, peer->nonce(), peer->exporter());
    EXPECT_EQ(code_of(peer->ask(register_request(alice, proof))), wire::FAILURE_REGISTRATION_CLOSED);
}

}  // namespace
}  // namespace sotto::keyserver::test
