// Registration, login and the succession of records.
#include "keyserver/rig.hpp"

namespace sotto::keyserver::test {
namespace {

const Policy by_invite{.server_name = "chat.example", .registration = Registration::invite, .unbound = false};

wire::Reply try_to_register(Rig& rig, const TestDevice& device, const std::string& invite = "") {
    const auto peer = rig.connect(Purpose::identified);
    auto answer = peer->ask(register_request(
        device, device.proof(crypto::LoginPurpose::registration, peer->nonce(), peer->exporter()), invite));
    EXPECT_EQ(peer->closed(), answer.has_failure());
    peer->hang_up();
    return answer;
}

TEST(Hello, IsTheFirstFrameAndSaysHowToRegister) {
    Rig rig{by_invite};
    const auto peer = rig.connect(Purpose::identified);
    EXPECT_EQ(peer->hello().server_name(), "chat.example");
    EXPECT_EQ(peer->hello().nonce().size(), protocol::nonce_size);
    EXPECT_EQ(peer->hello().registration(), wire::REGISTRATION_INVITE);
    EXPECT_FALSE(peer->hello().unbound());
    EXPECT_EQ(peer->hello().version(), protocol::wire_version);
    const auto other = rig.connect(Purpose::identified);
    EXPECT_NE(peer->hello().nonce(), other->hello().nonce());
}

TEST(Registration, CreatesAnAccountThatCanLogInAgain) {
    Rig rig;
    const TestDevice alice{"alice"};
    rig.registered(alice)->hang_up();
    const auto peer = rig.connect(Purpose::identified);
    const auto answer = peer->ask(
        login_request(alice, alice.proof(crypto::LoginPurpose::login, peer->nonce(), peer->exporter())));
    ASSERT_TRUE(answer.has_welcome());
    EXPECT_EQ(answer.welcome().record_sequence(), 1U);
    EXPECT_EQ(answer.welcome().record_hash(), std::string{chars_of(alice.record.hash())});
    EXPECT_EQ(answer.welcome().one_time_left(), 0U);
    EXPECT_EQ(answer.welcome().waiting(), 0U);
}

TEST(Registration, AgainWithTheSameRecordIsTheSameAccount) {
    Rig rig{by_invite};
    rig.add_invite("one");
    const TestDevice alice{"alice"};
    EXPECT_TRUE(try_to_register(rig, alice, "one").has_welcome());
    EXPECT_TRUE(try_to_register(rig, alice, "one").has_welcome());  // the first answer was lost
}

TEST(Registration, TellsThatANameIsTakenWhereAnyoneMayRegister) {
    Rig rig;
    EXPECT_TRUE(try_to_register(rig, TestDevice{"alice", 1}).has_welcome());
    EXPECT_EQ(code_of(try_to_register(rig, TestDevice{"alice", 2})), wire::FAILURE_NAME_TAKEN);
}

TEST(Registration, TellsNothingOfNamesToWhoeverHasNoInvite) {
    Rig rig{by_invite};
    rig.add_invite("one");
    EXPECT_TRUE(try_to_register(rig, TestDevice{"alice", 1}, "one").has_welcome());
    EXPECT_EQ(code_of(try_to_register(rig, TestDevice{"alice", 2}, "guess")), wire::FAILURE_INVITE_BAD);
    EXPECT_EQ(code_of(try_to_register(rig, TestDevice{"nobody", 3}, "guess")), wire::FAILURE_INVITE_BAD);
    EXPECT_EQ(code_of(try_to_register(rig, TestDevice{"nobody", 3})), wire::FAILURE_INVITE_BAD);
}

TEST(Registration, UsesAnInviteOnce) {
    Rig rig{by_invite};
    rig.add_invite("one");
    EXPECT_TRUE(try_to_register(rig, TestDevice{"alice", 1}, "one").has_welcome());
    EXPECT_EQ(code_of(try_to_register(rig, TestDevice{"bob", 2}, "one")), wire::FAILURE_INVITE_BAD);
}

TEST(Registration, RefusesAnExpiredInvite) {
    Rig rig{by_invite};
    rig.add_invite("one", 60);
    rig.pass(60'000);
    EXPECT_EQ(code_of(try_to_register(rig, TestDevice{"alice"}, "one")), wire::FAILURE_INVITE_BAD);
}

TEST(Registration, LetsAnInviteAskForFiveTakenNamesAndNoMore) {
    Rig rig{by_invite};
    rig.add_invite("one");
    EXPECT_TRUE(try_to_register(rig, TestDevice{"alice", 1}, "one").has_welcome());
    rig.add_invite("two");
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(code_of(try_to_register(rig, TestDevice{"alice", 2}, "two")), wire::FAILURE_NAME_TAKEN);
    EXPECT_EQ(code_of(try_to_register(rig, TestDevice{"alice", 2}, "two")), wire::FAILURE_INVITE_BAD);
    EXPECT_EQ(code_of(try_to_register(rig, TestDevice{"free", 2}, "two")), wire::FAILURE_INVITE_BAD);
}

TEST(Registration, CanBeClosed) {
    Rig rig{{.server_name = "chat.example", .registration = Registration::closed, .unbound = false}};
    EXPECT_EQ(code_of(try_to_register(rig, TestDevice{"alice"})), wire::FAILURE_REGISTRATION_CLOSED);
}

TEST(Registration, RefusesARecordForAnotherServer) {
    Rig rig;
    EXPECT_EQ(code_of(try_to_register(rig, TestDevice{"alice", 1, 1, "other.example"})),
              wire::FAILURE_MALFORMED);
}

TEST(Registration, RefusesARecordThatIsNoFirstOne) {
    Rig rig;
    TestDevice alice{"alice"};
    alice.record = alice.successor({alice.listed()});
    EXPECT_EQ(code_of(try_to_register(rig, alice)), wire::FAILURE_MALFORMED);
}

TEST(Registration, RefusesADamagedRecordAndAWrongProof) {
    Rig rig;
    const TestDevice alice{"alice"};
    {
        const auto peer = rig.connect(Purpose::identified);
        auto request = register_request(
            alice, alice.proof(crypto::LoginPurpose::registration, peer->nonce(), peer->exporter()));
        request.mutable_register_()->mutable_record()->back() ^= 1;
        EXPECT_EQ(code_of(peer->ask(request)), wire::FAILURE_MALFORMED);
        EXPECT_TRUE(peer->closed());
    }
    const auto peer = rig.connect(Purpose::identified);
    const auto login_proof = alice.proof(crypto::LoginPurpose::login, peer->nonce(), peer->exporter());
    EXPECT_EQ(code_of(peer->ask(register_request(alice, login_proof))), wire::FAILURE_REFUSED);
    EXPECT_TRUE(peer->closed());
}

// ---- login ----

class Login : public testing::Test {
  protected:
    Login() { rig.registered(alice)->hang_up(); }

    wire::FailureCode attempt(Peer& peer, const std::string& proof, const std::string& user = "alice") {
        auto request = login_request(alice, proof);
        request.mutable_login()->set_user(user);
        const auto answer = peer.ask(request);
        EXPECT_EQ(peer.closed(), answer.has_failure());
        return code_of(answer);
    }
    std::string right_proof(const Peer& peer) {
        return alice.proof(crypto::LoginPurpose::login, peer.nonce(), peer.exporter());
    }

    Rig rig;
    TestDevice alice{"alice"};
};

TEST_F(Login, RefusesAProofMadeForAnotherConnection) {
    const auto first = rig.connect(Purpose::identified);
    const auto second = rig.connect(Purpose::identified);
    EXPECT_EQ(attempt(*second, right_proof(*first)), wire::FAILURE_REFUSED);
}

TEST_F(Login, RefusesAProofWithTheRightNonceAndAnotherExporter) {
    // What a man in the middle has who passes the nonce on: his own TLS connection to the server.
    const auto peer = rig.connect(Purpose::identified);
    const auto proof = alice.proof(crypto::LoginPurpose::login, peer->nonce(), Array<32>{});
    EXPECT_EQ(attempt(*peer, proof), wire::FAILURE_REFUSED);
}

TEST_F(Login, RefusesAnUnboundProofWhileBound) {
    const auto peer = rig.connect(Purpose::identified);
    const auto proof = alice.proof(crypto::LoginPurpose::login, peer->nonce(), std::nullopt);
    EXPECT_EQ(attempt(*peer, proof), wire::FAILURE_REFUSED);
}

TEST_F(Login, RefusesAProofForAnotherServer) {
    const auto peer = rig.connect(Purpose::identified);
    const auto proof =
        alice.proof(crypto::LoginPurpose::login, peer->nonce(), peer->exporter(), "other.example");
    EXPECT_EQ(attempt(*peer, proof), wire::FAILURE_REFUSED);
}

TEST_F(Login, RefusesTheProofOfARegistration) {
    const auto peer = rig.connect(Purpose::identified);
    const auto proof = alice.proof(crypto::LoginPurpose::registration, peer->nonce(), peer->exporter());
    EXPECT_EQ(attempt(*peer, proof), wire::FAILURE_REFUSED);
}

TEST_F(Login, AnswersTheSameToUnknownUserUnknownDeviceAndWrongKey) {
    const auto unknown_user = rig.connect(Purpose::identified);
    EXPECT_EQ(attempt(*unknown_user, right_proof(*unknown_user), "nobody"), wire::FAILURE_REFUSED);

    const auto unknown_device = rig.connect(Purpose::identified);
    auto request = login_request(alice, right_proof(*unknown_device));
    request.mutable_login()->set_device(7);
    EXPECT_EQ(code_of(unknown_device->ask(request)), wire::FAILURE_REFUSED);

    const auto wrong_key = rig.connect(Purpose::identified);
    const TestDevice other{"alice", 99};
    EXPECT_EQ(attempt(*wrong_key,
                      other.proof(crypto::LoginPurpose::login, wrong_key->nonce(), wrong_key->exporter())),
              wire::FAILURE_REFUSED);
}

TEST_F(Login, GivesOneAttemptAConnection) {
    const auto peer = rig.connect(Purpose::identified);
    EXPECT_EQ(attempt(*peer, std::string(64, 'x')), wire::FAILURE_REFUSED);
    const auto again = peer->send(login_request(alice, right_proof(*peer)));
    rig.settle();
    EXPECT_FALSE(peer->reply(again));
}

TEST_F(Login, ComesBeforeEverythingElse) {
    const auto peer = rig.connect(Purpose::identified);
    EXPECT_EQ(code_of(peer->ask(acknowledge_request({}))), wire::FAILURE_NOT_LOGGED_IN);
    EXPECT_EQ(code_of(peer->ask(record_request(alice.record))), wire::FAILURE_NOT_LOGGED_IN);
    EXPECT_EQ(code_of(peer->ask(fetch_records_request("alice", ""))), wire::FAILURE_NOT_LOGGED_IN);
    EXPECT_EQ(code_of(peer->ask(deliver_request("alice", 1, "id", envelope("x"), "t"))),
              wire::FAILURE_NOT_LOGGED_IN);
    wire::Request ping;
    ping.mutable_ping();
    EXPECT_TRUE(peer->ask(ping).has_done());
    EXPECT_EQ(attempt(*peer, right_proof(*peer)), wire::FAILURE_UNSPECIFIED);
}

TEST_F(Login, IsNotForDeliveryConnections) {
    const auto peer = rig.connect(Purpose::delivery);
    EXPECT_EQ(code_of(peer->ask(login_request(alice, right_proof(*peer)))), wire::FAILURE_NOT_LOGGED_IN);
    EXPECT_EQ(code_of(peer->ask(acknowledge_request({}))), wire::FAILURE_NOT_LOGGED_IN);
}

TEST_F(Login, ClosesTheOlderConnectionOfTheSameDevice) {
    const auto older = rig.logged_in(alice);
    EXPECT_FALSE(older->closed());
    const auto newer = rig.logged_in(alice);
    EXPECT_TRUE(older->closed());
    EXPECT_FALSE(newer->closed());
}

TEST_F(Login, TellsTheHighestGenerationThatTheDeviceHasReported) {
    const auto generation_at_login = [&] {
        const auto peer = rig.connect(Purpose::identified);
        return peer->ask(login_request(alice, right_proof(*peer))).welcome().generation();
    };
    const auto report = [&](std::uint64_t generation) {
        wire::Request request;
        request.mutable_report_generation()->set_generation(generation);
        return rig.logged_in(alice)->ask(request);
    };
    EXPECT_EQ(generation_at_login(), 0U);
    EXPECT_TRUE(report(7).has_done());
    EXPECT_EQ(generation_at_login(), 7U);
    EXPECT_TRUE(report(3).has_done());
    EXPECT_EQ(generation_at_login(), 7U);
    rig.restart();
    EXPECT_EQ(generation_at_login(), 7U);
    EXPECT_EQ(code_of(report(0)), wire::FAILURE_MALFORMED);
    EXPECT_EQ(code_of(report(protocol::max_generation + 1)), wire::FAILURE_MALFORMED);
    EXPECT_EQ(generation_at_login(), 7U);
    EXPECT_TRUE(report(protocol::max_generation).has_done());
    EXPECT_EQ(generation_at_login(), protocol::max_generation);

    wire::Request request;
    request.mutable_report_generation()->set_generation(1);
    EXPECT_EQ(code_of(rig.connect(Purpose::delivery)->ask(request)), wire::FAILURE_NOT_LOGGED_IN);
    EXPECT_EQ(code_of(rig.connect(Purpose::identified)->ask(request)), wire::FAILURE_NOT_LOGGED_IN);
}

TEST(UnboundLogin, IsForServersThatSayTheyAreUnbound) {
    Rig rig{{.server_name = "chat.example", .registration = Registration::open, .unbound = true}};
    const TestDevice alice{"alice"};
    const auto peer = rig.connect(Purpose::identified);
    EXPECT_TRUE(peer->hello().unbound());
    const auto proof = alice.proof(crypto::LoginPurpose::registration, peer->nonce(), std::nullopt);
    EXPECT_TRUE(peer->ask(register_request(alice, proof)).has_welcome());
}

// ---- records ----

class Records : public testing::Test {
  protected:
    Records() : peer(rig.registered(alice)) {}
    Rig rig;
    TestDevice alice{"alice"};
    TestDevice phone{"alice", 5, 2};
    std::unique_ptr<Peer> peer;
};

TEST_F(Records, AreReplacedByTheirSuccessors) {
    const auto next = alice.successor({alice.listed(), phone.listed()});
    EXPECT_TRUE(peer->ask(record_request(next)).has_done());
    EXPECT_TRUE(peer->ask(record_request(next)).has_done());  // a repetition changes nothing
    const auto all = peer->ask(fetch_records_request("alice", "", 1));
    ASSERT_TRUE(all.has_records());
    ASSERT_EQ(all.records().records_size(), 2);
    EXPECT_EQ(all.records().records(0), std::string{chars_of(alice.record.bytes())});
    EXPECT_EQ(all.records().records(1), std::string{chars_of(next.bytes())});
    const auto newest = peer->ask(fetch_records_request("alice", "", 0));
    ASSERT_EQ(newest.records().records_size(), 1);
    EXPECT_EQ(newest.records().records(0), std::string{chars_of(next.bytes())});
}

TEST_F(Records, AreNeverReplacedByOlderConflictingOrForeignOnes) {
    const auto next = alice.successor({alice.listed(), phone.listed()});
    const auto conflict = alice.successor({alice.listed()});
    ASSERT_TRUE(peer->ask(record_request(next)).has_done());
    EXPECT_EQ(code_of(peer->ask(record_request(alice.record))), wire::FAILURE_STALE);
    EXPECT_EQ(code_of(peer->ask(record_request(conflict))), wire::FAILURE_STALE);
    auto body = next.body();
    body.sequence = 9;
    EXPECT_EQ(code_of(peer->ask(record_request(crypto::AccountRecord::sign(body, alice.account).value()))),
              wire::FAILURE_STALE);
    const TestDevice mallory{"alice", 66};
    body = next.body();
    body.sequence = 3;
    body.previous = next.hash();
    body.account_key = mallory.account.public_key();
    EXPECT_EQ(code_of(peer->ask(record_request(crypto::AccountRecord::sign(body, mallory.account).value()))),
              wire::FAILURE_STALE);
    const TestDevice bob{"bob", 3};
    EXPECT_EQ(code_of(peer->ask(record_request(bob.record))), wire::FAILURE_MALFORMED);
}

TEST_F(Records, ArePagedOldestFirst) {
    for (int i = 0; i < 20; ++i) {
        alice.record = alice.successor({alice.listed()});
        ASSERT_TRUE(peer->ask(record_request(alice.record)).has_done());
    }
    const auto first = peer->ask(fetch_records_request("alice", "", 1));
    EXPECT_EQ(first.records().records_size(), static_cast<int>(protocol::max_records_per_reply));
    EXPECT_TRUE(first.records().more());
    const auto second = peer->ask(fetch_records_request("alice", "", 17));
    EXPECT_EQ(second.records().records_size(), 5);
    EXPECT_FALSE(second.records().more());
}

TEST_F(Records, TakeARemovedDevicesLoginMailAndPrekeysAway) {
    alice.record = alice.successor({alice.listed(), phone.listed()});
    ASSERT_TRUE(peer->ask(record_request(alice.record)).has_done());
    phone.record = alice.record;
    const auto on_phone = rig.logged_in(phone);
    wire::Request publish;
    *publish.mutable_publish_prekeys() = phone.prekeys(rig.today());
    ASSERT_TRUE(on_phone->ask(publish).has_done());
    rig.set_shared(*peer, "token");
    const auto sender = rig.connect(Purpose::delivery);
    const auto waiting = sender->send(deliver_request("alice", 2, "1", envelope("x"), "token"));

    alice.record = alice.successor({alice.listed()});
    ASSERT_TRUE(peer->ask(record_request(alice.record)).has_done());
    EXPECT_TRUE(on_phone->closed());
    ASSERT_TRUE(sender->reply(waiting));
    EXPECT_EQ(code_of(*sender->reply(waiting)), wire::FAILURE_NO_DEVICE);
    EXPECT_EQ(code_of(sender->ask(deliver_request("alice", 2, "2", envelope("x"), "token"))),
              wire::FAILURE_NO_DEVICE);
    EXPECT_EQ(code_of(sender->ask(fetch_prekeys_request("alice", 2, "token"))), wire::FAILURE_NO_DEVICE);

    const auto again = rig.connect(Purpose::identified);
    EXPECT_EQ(code_of(again->ask(login_request(
                  phone, phone.proof(crypto::LoginPurpose::login, again->nonce(), again->exporter())))),
              wire::FAILURE_REFUSED);
}

TEST_F(Records, NeverUseADevicesIdAgain) {
    alice.record = alice.successor({alice.listed(), phone.listed()});
    ASSERT_TRUE(peer->ask(record_request(alice.record)).has_done());
    alice.record = alice.successor({alice.listed()});
    ASSERT_TRUE(peer->ask(record_request(alice.record)).has_done());
    EXPECT_EQ(code_of(peer->ask(record_request(alice.successor({alice.listed(), phone.listed()})))),
              wire::FAILURE_STALE);
}

}  // namespace
}  // namespace sotto::keyserver::test
