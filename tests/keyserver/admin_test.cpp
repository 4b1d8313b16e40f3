// What the operator's commands do to a store, and what the rules make of it.
#include "keyserver/store/admin.hpp"
#include "keyserver/core/mail.hpp"
#include "keyserver/rig.hpp"

namespace sotto::keyserver::test {
namespace {

class AdminTest : public testing::Test {
  protected:
    AdminTest() {
        auto peer = rig.registered(alice);
        wire::Request request;
        *request.mutable_publish_prekeys() = alice.prekeys(rig.today());
        EXPECT_TRUE(peer->ask(request).has_done());
        rig.set_shared(*peer, "token", true);
        peer->hang_up();
        rig.settle();
    }
    wire::Reply deliver(const std::string& text) {
        auto sender = rig.connect(Purpose::delivery);
        return sender->ask(deliver_request("alice", 1, text, envelope(text), "token"));
    }
    /// What the server does every second.
    void look() {
        const auto gone = rig.with_store([](Stores& stores) { return stores.accounts.take_shut_out(); });
        for (const auto account : gone.value()) rig.service->hub.account_shut_out(account);
        rig.settle();
    }
    void delete_all() {
        while (admin.go_on_deleting().value()) {
        }
    }
    std::int64_t rows(const std::string& table) {
        auto statement = rig.db.prepare("SELECT count(*) FROM " + table);
        EXPECT_TRUE(statement.step().value());
        return statement.integer(0);
    }

    TestDevice alice{"alice"};
    Rig rig;
    Admin admin{rig.db};
};

TEST_F(AdminTest, ListsAndShowsAccountsWithWhatTheyHave) {
    rig.registered(TestDevice{"zoe", 7})->hang_up();
    EXPECT_TRUE(deliver("one").has_delivered());
    const auto users = admin.users().value();
    ASSERT_EQ(users.size(), 2U);
    EXPECT_EQ(users.at(0).user, "alice");
    EXPECT_EQ(users.at(0).devices, 1);
    EXPECT_EQ(users.at(0).mail.envelopes, 1);
    EXPECT_TRUE(users.at(0).discoverable);
    EXPECT_EQ(users.at(1).user, "zoe");
    const auto detail = admin.user("alice").value().value();
    EXPECT_EQ(detail.record_sequence, 1U);
    EXPECT_EQ(detail.shared_tokens, 1);
    ASSERT_EQ(detail.devices.size(), 1U);
    EXPECT_EQ(detail.devices.at(0).one_time, 3);
    EXPECT_EQ(detail.devices.at(0).one_time_kem, 3);
    EXPECT_EQ(detail.devices.at(0).signed_day, rig.today());
    EXPECT_FALSE(admin.user("nobody").value());
}

TEST_F(AdminTest, WhoIsShutOutIsCutOffAndGetsInNowhereUntilLetBackIn) {
    auto online = rig.logged_in(alice);
    ASSERT_TRUE(admin.set_active("alice", false).value());
    look();
    EXPECT_TRUE(online->closed());
    online->hang_up();

    auto again = rig.connect(Purpose::identified);
    const auto proof = alice.proof(crypto::LoginPurpose::login, again->nonce(), again->exporter());
    EXPECT_EQ(code_of(again->ask(login_request(alice, proof))), wire::FAILURE_REFUSED);
    EXPECT_EQ(code_of(deliver("while out")), wire::FAILURE_REFUSED);
    auto stranger = rig.connect(Purpose::delivery);
    EXPECT_EQ(code_of(stranger->ask(fetch_prekeys_request("alice", 1, "token"))), wire::FAILURE_REFUSED);

    ASSERT_TRUE(admin.set_active("alice", true).value());
    EXPECT_FALSE(rig.logged_in(alice)->closed());
    EXPECT_TRUE(deliver("back").has_delivered());
    EXPECT_FALSE(admin.set_active("nobody", false).value());
}

TEST_F(AdminTest, WhatWasOnItsWayToOneWhoIsShutOutIsKept) {
    auto online = rig.logged_in(alice);
    auto sender = rig.connect(Purpose::delivery);
    const auto asked = sender->send(deliver_request("alice", 1, "kept", envelope("kept"), "token"));
    rig.settle();
    ASSERT_TRUE(online->incoming());  // pushed, not acknowledged
    ASSERT_TRUE(admin.set_active("alice", false).value());
    look();
    EXPECT_EQ(state_of(sender->reply(asked)), wire::DELIVERY_STORED);
    ASSERT_TRUE(admin.set_active("alice", true).value());
    online->hang_up();
    auto back = rig.logged_in(alice);
    rig.settle();
    EXPECT_EQ(back->incoming(), envelope("kept"));
}

TEST_F(AdminTest, ALoginThatRacesWithShuttingOutIsCutOffWhenItsMailboxIsRead) {
    auto racing = rig.connect(Purpose::identified);
    const auto proof = alice.proof(crypto::LoginPurpose::login, racing->nonce(), racing->exporter());
    racing->send(login_request(alice, proof));
    rig.queue.run();  // the login's look at the store
    ASSERT_TRUE(admin.set_active("alice", false).value());
    rig.service->hub.account_shut_out(1);  // nobody there yet
    rig.settle();
    EXPECT_TRUE(racing->closed());
}

TEST_F(AdminTest, NothingOfADeletedAccountRemains) {
    const std::vector<std::string> tables{"accounts",         "records", "devices", "prekeys",
                                          "one_time_prekeys", "tokens",  "mail",    "mailboxes"};
    for (int i = 0; i < 450; ++i) EXPECT_TRUE(deliver(std::to_string(i)).has_delivered());
    for (const auto& table : tables) EXPECT_GT(rows(table), 0) << table;
    auto online = rig.logged_in(alice);
    ASSERT_TRUE(admin.begin_deletion("alice").value());
    EXPECT_EQ(code_of(deliver("late")), wire::FAILURE_REFUSED);
    delete_all();
    look();
    EXPECT_TRUE(online->closed());
    for (const auto& table : tables) EXPECT_EQ(rows(table), 0) << table;
    EXPECT_EQ(rows("shut_out"), 0);
    EXPECT_FALSE(admin.begin_deletion("alice").value());
    EXPECT_FALSE(admin.user("alice").value());
    online->hang_up();
    rig.settle();
    EXPECT_FALSE(rig.registered(TestDevice{"alice", 9})->closed());  // the name is free
}

TEST_F(AdminTest, ADeletionThatWasInterruptedIsFinishedByTheServer) {
    for (int i = 0; i < 250; ++i) EXPECT_TRUE(deliver(std::to_string(i)).has_delivered());
    ASSERT_TRUE(admin.begin_deletion("alice").value());
    ASSERT_TRUE(admin.go_on_deleting().value());
    EXPECT_FALSE(admin.set_active("alice", true).value());  // there is no way back
    rig.restart();
    for (bool more = true; more;)
        more = rig.with_store([&](Stores& stores) {
                      return remove_expired(stores, unix_seconds(rig.clock), Limits{});
                  })
                   .value();
    EXPECT_EQ(rows("accounts"), 0);
    EXPECT_EQ(rows("mail"), 0);
}

TEST_F(AdminTest, OthersAreUntouchedByADeletion) {
    const TestDevice bob{"bob", 5};
    auto peer = rig.registered(bob);
    rig.set_shared(*peer, "bobs");
    peer->hang_up();
    rig.settle();
    auto sender = rig.connect(Purpose::delivery);
    EXPECT_TRUE(sender->ask(deliver_request("bob", 1, "x", envelope("x"), "bobs")).has_delivered());
    ASSERT_TRUE(admin.begin_deletion("alice").value());
    delete_all();
    auto back = rig.logged_in(bob);
    rig.settle();
    EXPECT_EQ(back->incoming(), envelope("x"));
}

TEST_F(AdminTest, InvitesAreListedAndRevoked) {
    const auto hash = registration_invite_hash("code");
    const auto now = unix_seconds(rig.clock);
    ASSERT_TRUE(admin.add_invite({.hash = hash, .expires = now + 60, .created = now}));
    ASSERT_TRUE(admin.add_invite({.hash = registration_invite_hash("old"), .expires = now - 1}));
    const auto open = admin.invites(now).value();
    ASSERT_EQ(open.size(), 1U);
    EXPECT_EQ(open.at(0).hash, hash);
    EXPECT_EQ(open.at(0).created, now);
    EXPECT_TRUE(admin.remove_invite(hash).value());
    EXPECT_FALSE(admin.remove_invite(hash).value());
    EXPECT_TRUE(admin.invites(now).value().empty());
}

TEST_F(AdminTest, ABackupsFilesComeOutAsTheyWentInAndAStoreHasNone) {
    EXPECT_TRUE(admin.files().value().empty());
    ASSERT_TRUE(admin.put_file("a.pem", bytes_of(std::string_view{"one"})));
    const auto files = admin.files().value();
    ASSERT_EQ(files.size(), 1U);
    EXPECT_EQ(files.at(0).first, "a.pem");
    EXPECT_EQ(chars_of(files.at(0).second), "one");
    ASSERT_TRUE(admin.become_store());
    EXPECT_TRUE(admin.files().value().empty());
    EXPECT_EQ(rows("one_time_prekeys"), 0);
    EXPECT_EQ(rows("prekeys"), 1);
    EXPECT_TRUE(admin.intact().value());
}

}  // namespace
}  // namespace sotto::keyserver::test
