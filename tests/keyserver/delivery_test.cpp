// Envelopes on their way: pushed and acknowledged, or stored, in order, once each.
#include "keyserver/core/mail.hpp"
#include "keyserver/rig.hpp"
#include "sotto/crypto/session.hpp"

namespace sotto::keyserver::test {
namespace {

class DeliveryTest : public testing::Test {
  protected:
    DeliveryTest() : receiver(rig.registered(bob)), sender(rig.connect(Purpose::delivery)) {
        rig.set_shared(*receiver, "token");
    }

    std::uint32_t send(std::string_view text) {
        const auto id = sender->send(deliver_request("bob", 1, text, envelope(text), "token"));
        rig.settle();
        return id;
    }
    void acknowledge(Peer& peer, const std::vector<std::string>& texts) {
        std::vector<std::string> ids;
        for (const auto& text : texts) ids.push_back(envelope_id(text));
        EXPECT_TRUE(peer.ask(acknowledge_request(ids)).has_done());
    }
    [[nodiscard]] MailUse mailbox() {
        return rig.with_store([](Stores& stores) { return stores.mailbox.use({.account = 1, .device = 1}); })
            .value();
    }
    [[nodiscard]] wire::DeliveryState state(std::uint32_t request) {
        return state_of(sender->reply(request));
    }
    void leave() {
        receiver->hang_up();
        rig.settle();
    }

    Rig rig;
    TestDevice bob{"bob"};
    std::unique_ptr<Peer> receiver;
    std::unique_ptr<Peer> sender;
};

TEST_F(DeliveryTest, PushesAtOnceAndAnswersDeliveredOnTheAcknowledgementWithoutTouchingTheStore) {
    const auto sent = sender->send(deliver_request("bob", 1, "hi", envelope("hi"), "token"));
    EXPECT_EQ(rig.queue.waiting(), 0U);
    EXPECT_EQ(receiver->incoming(), envelope("hi"));
    EXPECT_FALSE(sender->reply(sent));
    const auto acknowledged = receiver->send(acknowledge_request({envelope_id("hi")}));
    EXPECT_EQ(rig.queue.waiting(), 0U);
    EXPECT_TRUE(receiver->reply(acknowledged));
    EXPECT_EQ(state(sent), wire::DELIVERY_DELIVERED);
}

TEST_F(DeliveryTest, StoresForADeviceThatIsAwayAndPushesOldestFirstWhenItComes) {
    leave();
    for (const auto* text : {"one", "two", "three"}) EXPECT_EQ(state(send(text)), wire::DELIVERY_STORED);
    EXPECT_EQ(mailbox().envelopes, 3);
    receiver = rig.logged_in(bob);
    for (const auto* text : {"one", "two", "three"}) EXPECT_EQ(receiver->incoming(), envelope(text));
    acknowledge(*receiver, {"one", "two", "three"});
    EXPECT_EQ(mailbox().envelopes, 0);
    EXPECT_EQ(mailbox().bytes, 0);
}

TEST_F(DeliveryTest, AnswersStoredOnlyAfterTheCommit) {
    leave();
    const auto sent = sender->send(deliver_request("bob", 1, "x", envelope("x"), "token"));
    EXPECT_FALSE(sender->reply(sent));
    rig.settle();
    EXPECT_EQ(state(sent), wire::DELIVERY_STORED);
}

TEST_F(DeliveryTest, StoresWhatIsNotAcknowledgedInTwoSeconds) {
    const auto sent = send("slow");
    EXPECT_EQ(receiver->incoming(), envelope("slow"));
    rig.pass(1999);
    EXPECT_FALSE(sender->reply(sent));
    rig.pass(1);
    EXPECT_EQ(state(sent), wire::DELIVERY_STORED);
    EXPECT_EQ(mailbox().envelopes, 1);
    acknowledge(*receiver, {"slow"});
    EXPECT_EQ(mailbox().envelopes, 0);
    EXPECT_FALSE(receiver->incoming());
}

TEST_F(DeliveryTest, StoresWhatWasPushedWhenTheConnectionGoes) {
    const auto first = send("one");
    const auto second = send("two");
    leave();
    EXPECT_EQ(state(first), wire::DELIVERY_STORED);
    EXPECT_EQ(state(second), wire::DELIVERY_STORED);
    receiver = rig.logged_in(bob);
    EXPECT_EQ(receiver->incoming(), envelope("one"));
    EXPECT_EQ(receiver->incoming(), envelope("two"));
}

TEST_F(DeliveryTest, HandsOverToANewerLoginOfTheSameDevice) {
    const auto sent = send("one");
    const auto newer = rig.logged_in(bob);
    EXPECT_TRUE(receiver->closed());
    EXPECT_EQ(state(sent), wire::DELIVERY_STORED);
    EXPECT_EQ(newer->incoming(), envelope("one"));
    receiver->hang_up();  // the end of the older one disturbs nothing
    rig.settle();
    const auto second = send("two");
    EXPECT_EQ(newer->incoming(), envelope("two"));
    acknowledge(*newer, {"one", "two"});
    EXPECT_EQ(state(second), wire::DELIVERY_DELIVERED);
}

TEST_F(DeliveryTest, NeverLetsANewEnvelopeOvertakeStoredOnes) {
    leave();
    for (int i = 0; i < 150; ++i) send(std::to_string(i));
    receiver = rig.logged_in(bob);
    // The window is full: what is sent now has to wait behind the rest of the mailbox.
    for (int i = 150; i < 160; ++i) send(std::to_string(i));
    int next = 0;
    int sent = 160;
    for (int round = 0; round < 100 && next < sent; ++round) {
        std::vector<std::string> seen;
        while (const auto got = receiver->incoming()) {
            EXPECT_EQ(*got, envelope(std::to_string(next)));
            seen.push_back(std::to_string(next++));
        }
        EXPECT_LE(seen.size(), protocol::incoming_window);
        acknowledge(*receiver, seen);
        for (; round < 8 && sent < 165 + round; ++sent) send(std::to_string(sent));
    }
    EXPECT_EQ(next, sent);
    EXPECT_EQ(mailbox().envelopes, 0);
}

TEST_F(DeliveryTest, StoresNothingAheadOfWhatTheSameSenderHasUnderWay) {
    send("earlier");
    rig.pass(2000);  // pushed, and handed over to the mailbox
    send("pushed");
    EXPECT_EQ(mailbox().envelopes, 1);
    // A retry of what is in the mailbox goes through the store, and so does all that comes until the mailbox
    // is known to have been pushed.
    const auto retry = sender->send(deliver_request("bob", 1, "earlier", envelope("earlier"), "token"));
    rig.queue.run();
    EXPECT_EQ(state(retry), wire::DELIVERY_STORED);
    const auto later = sender->send(deliver_request("bob", 1, "later", envelope("later"), "token"));
    rig.settle();
    rig.restart();  // the server dies; the sender repeats what has no answer
    sender = rig.connect(Purpose::delivery);
    if (state(later) != wire::DELIVERY_STORED) send("later");
    send("pushed");
    receiver = rig.logged_in(bob);
    for (const auto* text : {"earlier", "pushed", "later"}) EXPECT_EQ(receiver->incoming(), envelope(text));
}

TEST_F(DeliveryTest, StoresBehindAFullWindowInOrder) {
    for (std::size_t i = 0; i < protocol::incoming_window; ++i) send(std::to_string(i));
    EXPECT_EQ(mailbox().envelopes, 0);
    EXPECT_EQ(state(send("beyond")), wire::DELIVERY_STORED);
    rig.restart();
    sender = rig.connect(Purpose::delivery);
    for (std::size_t i = 0; i < protocol::incoming_window; ++i) send(std::to_string(i));
    receiver = rig.logged_in(bob);
    for (std::size_t i = 0; i < protocol::incoming_window; ++i)
        EXPECT_EQ(receiver->incoming(), envelope(std::to_string(i)));
    std::vector<std::string> seen;
    for (std::size_t i = 0; i < protocol::incoming_window; ++i) seen.push_back(std::to_string(i));
    acknowledge(*receiver, seen);
    EXPECT_EQ(receiver->incoming(), envelope("beyond"));
}

TEST_F(DeliveryTest, LeavesWhatOthersHaveUnderWayInMemory) {
    const auto other = rig.connect(Purpose::delivery);
    const auto id = other->send(deliver_request("bob", 1, "other", envelope("other"), "token"));
    for (std::size_t i = 1; i < protocol::incoming_window; ++i) send(std::to_string(i));
    EXPECT_EQ(state(send("beyond")), wire::DELIVERY_STORED);
    EXPECT_EQ(mailbox().envelopes, static_cast<std::int64_t>(protocol::incoming_window));
    EXPECT_FALSE(other->reply(id));
}

TEST_F(DeliveryTest, KeepsTheWindowAndGoesThroughTheStoreBeyondIt) {
    for (std::size_t i = 0; i < protocol::incoming_window; ++i) send(std::to_string(i));
    EXPECT_EQ(mailbox().envelopes, 0);
    const auto beyond = send("beyond");
    EXPECT_EQ(state(beyond), wire::DELIVERY_STORED);
    std::vector<std::string> seen;
    for (std::size_t i = 0; i < protocol::incoming_window; ++i) {
        EXPECT_EQ(receiver->incoming(), envelope(std::to_string(i)));
        seen.push_back(std::to_string(i));
    }
    EXPECT_FALSE(receiver->incoming());
    acknowledge(*receiver, seen);
    EXPECT_EQ(receiver->incoming(), envelope("beyond"));
    acknowledge(*receiver, {"beyond"});
    const auto quick = send("quick");
    EXPECT_EQ(receiver->incoming(), envelope("quick"));
    acknowledge(*receiver, {"quick"});
    EXPECT_EQ(state(quick), wire::DELIVERY_DELIVERED);
}

TEST_F(DeliveryTest, DeliversOneIdOnce) {
    const auto first = send("same");
    const auto again = send("same");  // a retry while the first still waits
    EXPECT_EQ(receiver->incoming(), envelope("same"));
    EXPECT_FALSE(receiver->incoming());
    acknowledge(*receiver, {"same"});
    EXPECT_EQ(state(first), wire::DELIVERY_DELIVERED);
    EXPECT_EQ(state(again), wire::DELIVERY_DELIVERED);
    EXPECT_EQ(state(send("same")), wire::DELIVERY_DELIVERED);  // and after the acknowledgement
    EXPECT_FALSE(receiver->incoming());
}

TEST_F(DeliveryTest, StoresOneIdOnce) {
    leave();
    EXPECT_EQ(state(send("same")), wire::DELIVERY_STORED);
    EXPECT_EQ(state(send("same")), wire::DELIVERY_STORED);
    EXPECT_EQ(mailbox().envelopes, 1);
    receiver = rig.logged_in(bob);
    EXPECT_EQ(receiver->incoming(), envelope("same"));
    EXPECT_FALSE(receiver->incoming());
    EXPECT_EQ(state(send("same")), wire::DELIVERY_STORED);  // pushed from the store, not acknowledged yet
    EXPECT_FALSE(receiver->incoming());
    acknowledge(*receiver, {"same"});
    leave();
    EXPECT_EQ(state(send("same")), wire::DELIVERY_DELIVERED);
    EXPECT_EQ(mailbox().envelopes, 0);
}

TEST_F(DeliveryTest, LosesNothingThatWasAnsweredInACrash) {
    leave();
    const auto stored = send("stored");
    EXPECT_EQ(state(stored), wire::DELIVERY_STORED);
    receiver = rig.logged_in(bob);
    EXPECT_TRUE(receiver->incoming());
    rig.restart();
    receiver = rig.logged_in(bob);
    EXPECT_EQ(receiver->incoming(), envelope("stored"));  // it was never acknowledged
    acknowledge(*receiver, {"stored"});
    rig.restart();
    receiver = rig.logged_in(bob);
    EXPECT_FALSE(receiver->incoming());
}

TEST_F(DeliveryTest, TellsInTheWelcomeHowMuchWaits) {
    leave();
    send("1");
    send("2");
    const auto peer = rig.connect(Purpose::identified);
    const auto welcome = peer->ask(
        login_request(bob, bob.proof(crypto::LoginPurpose::login, peer->nonce(), peer->exporter())));
    EXPECT_EQ(welcome.welcome().waiting(), 2U);
}

TEST_F(DeliveryTest, HandsEverythingOverBeforeTheServerStops) {
    const auto sent = send("one");
    rig.service->hub.drain();
    rig.settle();
    EXPECT_EQ(state(sent), wire::DELIVERY_STORED);
    EXPECT_EQ(state(send("two")), wire::DELIVERY_STORED);
    EXPECT_EQ(mailbox().envelopes, 2);
}

TEST_F(DeliveryTest, RefusesEnvelopesOutOfShape) {
    const auto code = [&](const wire::Request& request) { return code_of(sender->ask(request)); };
    auto request = deliver_request("bob", 1, "x", envelope("x"), "token");
    request.mutable_deliver()->set_envelope_id("short");
    EXPECT_EQ(code(request), wire::FAILURE_MALFORMED);
    EXPECT_EQ(code(deliver_request("bob", 1, "x", "", "token")), wire::FAILURE_MALFORMED);
    EXPECT_EQ(code(deliver_request("bob", 1, "x", envelope("x", 0x13), "token")), wire::FAILURE_MALFORMED);
    EXPECT_EQ(code(deliver_request("bob", 0, "x", envelope("x"), "token")), wire::FAILURE_MALFORMED);
    EXPECT_EQ(code(deliver_request("Bob!", 1, "x", envelope("x"), "token")), wire::FAILURE_MALFORMED);
    EXPECT_EQ(
        code(deliver_request("bob", 1, "x", envelope(std::string(crypto::max_envelope_size, 'x')), "token")),
        wire::FAILURE_TOO_LARGE);
    EXPECT_EQ(state(send(std::string(crypto::max_envelope_size - 1, 'x'))), wire::DELIVERY_UNSPECIFIED);
    EXPECT_EQ(receiver->incoming()->size(), crypto::max_envelope_size);
    request = deliver_request("bob", 1, "x", envelope("x"), "token");
    request.mutable_deliver()->mutable_credential()->set_token("short");
    EXPECT_EQ(code(request), wire::FAILURE_MALFORMED);
}

TEST_F(DeliveryTest, FillsAMailboxToItsQuotaAndSaysSo) {
    leave();
    rig.with_store([&](Stores& stores) {
        for (std::int64_t i = 0; i < limits::mailbox_envelopes - 1; ++i) {
            EnvelopeId id{};
            std::memcpy(id.data(), &i, sizeof i);
            EXPECT_EQ(store_envelope(stores, {.account = 1, .device = 1}, id, "e", 1, Limits{}),
                      Stored::stored);
        }
        return true;
    });
    EXPECT_EQ(state(send("last")), wire::DELIVERY_STORED);
    const auto over = send("over");
    ASSERT_TRUE(sender->reply(over));
    EXPECT_EQ(code_of(*sender->reply(over)), wire::FAILURE_MAILBOX_FULL);
    EXPECT_EQ(state(send("last")), wire::DELIVERY_STORED);  // it is there
}

TEST_F(DeliveryTest, FillsAMailboxByBytesToo) {
    leave();
    const auto outcome = rig.with_store([&](Stores& stores) {
        const std::string large(96UL * 1024, 'x');
        const auto fit = static_cast<std::uint64_t>(limits::mailbox_bytes) / large.size();
        // Pretend: the count of bytes is what is checked, and 256 MiB take long to write.
        EnvelopeId id{};
        EXPECT_EQ(store_envelope(stores, {.account = 1, .device = 1}, id, large, 1, Limits{}),
                  Stored::stored);
        EXPECT_GT(fit, 1U);
        return stores.mailbox.use({.account = 1, .device = 1}).bytes;
    });
    EXPECT_EQ(outcome, 96 * 1024);
}

TEST_F(DeliveryTest, DropsMailPastItsLifetime) {
    leave();
    send("old");
    rig.pass(limits::mailbox_days * day_ms - 60'000);
    send("new");
    const auto purge = [&] {
        return rig.with_store(
            [&](Stores& stores) { return remove_expired(stores, unix_seconds(rig.clock), Limits{}); });
    };
    purge();
    EXPECT_EQ(mailbox().envelopes, 2);
    rig.pass(120'000);
    purge();
    EXPECT_EQ(mailbox().envelopes, 1);
    receiver = rig.logged_in(bob);
    EXPECT_EQ(receiver->incoming(), envelope("new"));
}

TEST_F(DeliveryTest, StopsReadingFromWhoeverHasTooManyRequestsUnanswered) {
    leave();
    for (std::size_t i = 0; i < limits::requests_in_flight; ++i) {
        EXPECT_FALSE(sender->session().saturated());
        sender->send(deliver_request("bob", 1, std::to_string(i), envelope("x"), "token"));
    }
    EXPECT_TRUE(sender->session().saturated());
    rig.settle();
    EXPECT_FALSE(sender->session().saturated());
}

TEST_F(DeliveryTest, StopsReadingFromWhoeverHasTooManyBytesUnanswered) {
    leave();
    const std::string large(90'000, 'x');
    int sent = 0;
    while (!sender->session().saturated() && sent < 100)
        sender->send(deliver_request("bob", 1, std::to_string(sent++), envelope(large), "token"));
    EXPECT_LT(sent, 30);
    rig.settle();
    EXPECT_FALSE(sender->session().saturated());
}

TEST_F(DeliveryTest, AnswersOneEnvelopeUnderTwoCredentialsOnceStored) {
    wire::Request request;
    for (const auto* word : {"token", "mine"}) {
        auto& entry = *request.mutable_set_tokens()->add_tokens();
        entry.set_hash(token_hash_of(word));
        entry.set_kind(std::string_view{word} == "token" ? wire::TOKEN_KIND_SHARED
                                                         : wire::TOKEN_KIND_RECOVERY);
    }
    ASSERT_TRUE(receiver->ask(request).has_done());
    const auto first = send("same");
    const auto second = sender->send(deliver_request("bob", 1, "same", envelope("same"), "mine"));
    rig.settle();
    EXPECT_EQ(state(first), wire::DELIVERY_STORED);
    EXPECT_EQ(state(second), wire::DELIVERY_STORED);
    EXPECT_EQ(receiver->incoming(), envelope("same"));
    EXPECT_FALSE(receiver->incoming());
    acknowledge(*receiver, {"same"});
    EXPECT_EQ(mailbox().envelopes, 0);
}

TEST_F(DeliveryTest, TellsWhoeverIsTooFastToWaitAndThenCloses) {
    wire::Request ping;
    ping.mutable_ping();
    bool limited = false;
    for (int i = 0; i < 10'000 && !sender->closed(); ++i) {
        const auto answer = sender->ask(ping);
        if (answer.has_failure()) {
            limited = true;
            EXPECT_EQ(code_of(answer), wire::FAILURE_RATE);
            EXPECT_GT(answer.failure().retry_after_ms(), 0U);
        }
    }
    EXPECT_TRUE(limited);
    EXPECT_TRUE(sender->closed());
}

}  // namespace
}  // namespace sotto::keyserver::test
