// Safety numbers, and the decision when another key appears for a contact.
#include <set>

#include "client/engine/key_change.hpp"
#include "client/pair.hpp"
#include "sotto/crypto/safety_number.hpp"

namespace sotto::client::test {
namespace {

using storage::ContactState;
using storage::MessageState;
using storage::Verified;

/// What an engine's command refuses with; otherwise it is carried out.
template <class Call>
std::optional<Error> command(Client& client, Call call) {
    std::optional<Error> error;
    client.apply([&] {
        auto output = call(client.engine());
        if (output) return std::move(*output);
        error = output.error();
        return Output{};
    });
    return error;
}

std::optional<Error> verify(Pair& pair, Client& client, const std::string& name, const Comparison& how) {
    const auto id = client.contact(name)->id;
    return command(client, [&](Engine& engine) { return engine.verify(id, how, pair.world.clock.wall()); });
}
std::optional<Error> accept(Pair& pair, const Comparison& how) {
    const auto id = pair.alice.contact("bob")->id;
    return command(pair.alice,
                   [&](Engine& engine) { return engine.accept_key(id, how, pair.world.clock.wall()); });
}
std::optional<Error> reject(Pair& pair) {
    const auto id = pair.alice.contact("bob")->id;
    return command(pair.alice,
                   [&](Engine& engine) { return engine.reject_key(id, pair.world.clock.wall()); });
}
SafetyNumbers numbers(Client& client, const std::string& name) {
    return client.engine().safety_numbers(client.contact(name)->id).value();
}

/// Lines of our own in Alice's conversation with Bob.
std::vector<std::string> lines(Pair& pair) {
    std::vector<std::string> out;
    for (const auto& message : pair.alice.incoming("bob"))
        if (message.kind == storage::kind_notice) out.push_back(message.text);
    return out;
}

/// Alice's sessions with Bob.
std::set<crypto::SessionId> sessions(Pair& pair) {
    std::set<crypto::SessionId> out;
    for (const auto& row : take(pair.alice.opened().sessions())) out.insert(row.session.id());
    return out;
}

/// A record of Bob's address and device under an account key of the server's making.
crypto::AccountRecord forged(Pair& pair, std::uint64_t seed) {
    crypto::SeededRng rng(seed);
    const auto key = crypto::AccountKeyPair::generate(rng);
    auto body = take(pair.bob.opened().newest_own_record())->body();
    body.account_key = key.public_key();
    return crypto::AccountRecord::sign(body, key).value();
}

/// Alice has lost her sessions, and the server shows this record when she asks for Bob's prekeys.
void lie_to_alice(Pair& pair, const crypto::AccountRecord& record) {
    pair.alice.stop();
    for (const auto& row : take(pair.alice.opened().sessions()))
        ASSERT_TRUE(pair.alice.store().delete_session(row.session.id()));
    pair.alice.start();
    pair.server.lie = [bytes = std::string{chars_of(record.bytes())}](wire::Reply& reply) {
        if (reply.has_prekeys()) reply.mutable_prekeys()->set_record(bytes);
    };
}

bool changed(Pair& pair) {
    return pair.world.run([&] { return pair.alice.contact("bob")->state == ContactState::changed; });
}

/// Bob's account is gone from the server and somebody has registered his name anew; Alice has seen it.
struct Anew {
    Pair pair;
    Client* other = nullptr;

    void set_up() {
        pair.befriend();
        pair.world.settle();
        pair.bob.stop();
        begin_anew();
    }
    void begin_anew() {
        ASSERT_TRUE(pair.server.database().execute("DELETE FROM accounts WHERE user = 'bob'"));
        auto& elsewhere = pair.world.add_server("other.example");
        other = &pair.world.add_new("bob", elsewhere);
        other->settle_at(pair.server);
        other->init();
        other->start();
        ASSERT_FALSE(other->join(pair.alice.invite(), "alice"));
        ASSERT_TRUE(changed(pair));
        pair.world.settle();
    }
    /// What the new Bob's screen shows.
    std::string screen() { return crypto::safety_number_qr(numbers(*other, "alice").number); }
};

TEST(Keys, ScanningEachOthersScreenVerifiesBothSides) {
    Pair pair;
    pair.befriend();
    const auto alices = numbers(pair.alice, "bob").number;
    const auto bobs = numbers(pair.bob, "alice").number;
    EXPECT_FALSE(verify(pair, pair.bob, "alice", Scanned{crypto::safety_number_qr(alices)}));
    EXPECT_EQ(pair.bob.contact("alice")->verified, Verified::qr);
    EXPECT_EQ(pair.alice.contact("bob")->verified, Verified::link) << "one scan counts on one side";
    EXPECT_FALSE(verify(pair, pair.alice, "bob", Scanned{bobs.substr(0, 30) + "\n" + bobs.substr(30)}));
    EXPECT_EQ(pair.alice.contact("bob")->verified, Verified::number);
    EXPECT_FALSE(verify(pair, pair.alice, "bob", NotCompared{}));
    EXPECT_EQ(pair.alice.contact("bob")->verified, Verified::number) << "looking changes nothing";
}

TEST(Keys, AnotherNumberTakesVerificationBackAndGarbageChangesNothing) {
    Pair pair;
    pair.befriend();
    auto number = numbers(pair.alice, "bob").number;
    ASSERT_FALSE(verify(pair, pair.alice, "bob", Scanned{number}));
    for (const auto* garbage : {"", "1234", "SOTTO/1/NUMBER/12", "hello"}) {
        const auto refused = verify(pair, pair.alice, "bob", Scanned{garbage});
        ASSERT_TRUE(refused) << garbage;
        EXPECT_EQ(refused->exit, Exit::input);
    }
    EXPECT_EQ(pair.alice.contact("bob")->verified, Verified::number);
    number.back() = number.back() == '0' ? '1' : '0';
    const auto refused = verify(pair, pair.alice, "bob", Scanned{number});
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->exit, Exit::untrusted);
    EXPECT_EQ(pair.alice.contact("bob")->verified, Verified::no);
    EXPECT_TRUE(Pair::confirmed(pair.alice, "bob")) << "nothing is deleted, nothing is stopped";
}

TEST(Keys, TheOtherRecordIsKeptAndTheConversationSaysSoOnce) {
    Anew anew;
    anew.set_up();
    auto& alice = anew.pair.alice;
    EXPECT_EQ(alice.contact("bob")->other_record,
              to_bytes(take(anew.other->store().newest_own_record())->bytes()));
    const auto said = lines(anew.pair);
    ASSERT_EQ(said.size(), 1U);
    EXPECT_NE(said[0].find("Another key appeared for bob@one.example on 2027-01-15"), std::string::npos)
        << said[0];
    EXPECT_NE(said[0].find("verified by link"), std::string::npos) << said[0];
    EXPECT_TRUE(alice.heard("bob").empty()) << "what came under the other key is not shown as Bob's";
    const auto refused = alice.try_send("bob", "for your eyes only");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().exit, Exit::untrusted);
    for (const auto* way : {"--accept-new-key", "--reject-new-key"})
        EXPECT_NE(refused.error().sentence.find(way), std::string::npos) << refused.error().sentence;
    // The line comes out of `receive` as a message does, after a restart as well.
    alice.stop();
    alice.start();
    anew.other->send("alice", "let me in");
    anew.pair.world.settle();
    EXPECT_EQ(take(alice.store().unshown(-1)).size(), 1U);
    EXPECT_EQ(lines(anew.pair).size(), 1U);
}

TEST(Keys, AnAcceptedKeyIsVerifiedByItsScanAndGetsWhatWaited) {
    Anew anew;
    auto& pair = anew.pair;
    pair.befriend();
    pair.world.settle();
    pair.bob.stop();
    // The server has it, and the old device will never open it.
    const auto waits = pair.alice.send("bob", "waits for you");
    ASSERT_TRUE(pair.world.run([&] { return pair.alice.state_of("bob", waits) == MessageState::stored; }));
    anew.begin_anew();
    EXPECT_EQ(numbers(pair.alice, "bob").waiting, 1U);
    ASSERT_FALSE(accept(pair, Scanned{anew.screen()}));
    const auto bob = pair.alice.contact("bob");
    EXPECT_EQ(bob->state, ContactState::confirmed);
    EXPECT_EQ(bob->verified, Verified::qr);
    EXPECT_EQ(bob->record, to_bytes(take(anew.other->store().newest_own_record())->bytes()));

    const auto hello = anew.other->send("alice", "it is me, with a new phone");
    EXPECT_TRUE(pair.delivered(*anew.other, "alice", hello));
    EXPECT_TRUE(pair.delivered(pair.alice, "bob", waits));
    EXPECT_EQ(pair.alice.heard("bob"), std::vector<std::string>{"it is me, with a new phone"});
    EXPECT_EQ(anew.other->heard("alice"), std::vector<std::string>{"waits for you"});
    EXPECT_FALSE(anew.other->warned(Exit::untrusted)) << "nothing speaks of the record of the old key";
    for (const auto& arrived : anew.other->notices<MessageArrived>()) EXPECT_EQ(arrived.missing, 0U);
    const auto on = pair.alice.send("bob", "and on");
    EXPECT_TRUE(pair.delivered(pair.alice, "bob", on));
}

TEST(Keys, AcceptedWithoutComparingIsNotVerifiedAndSaysSo) {
    Anew anew;
    anew.set_up();
    EXPECT_EQ(numbers(anew.pair.alice, "bob").before, Verified::link);
    ASSERT_FALSE(accept(anew.pair, NotCompared{}));
    const auto bob = anew.pair.alice.contact("bob");
    EXPECT_EQ(bob->state, ContactState::confirmed);
    EXPECT_EQ(bob->verified, Verified::no);
    EXPECT_TRUE(bob->other_record.empty());
    EXPECT_NE(lines(anew.pair).back().find("not verified"), std::string::npos);
    const auto again = accept(anew.pair, NotCompared{});
    ASSERT_TRUE(again);
    EXPECT_EQ(again->exit, Exit::input) << "there is nothing left to decide";
}

TEST(Keys, AcceptingNeedsTheNumberOfTheNewKey) {
    Anew anew;
    anew.set_up();
    const auto known = numbers(anew.pair.alice, "bob");
    ASSERT_TRUE(known.other);
    EXPECT_EQ(*known.other, numbers(*anew.other, "alice").number);
    for (const auto& wrong : {known.number, std::string(60, '7')}) {
        const auto refused = accept(anew.pair, Scanned{wrong});
        ASSERT_TRUE(refused);
        EXPECT_EQ(refused->exit, Exit::untrusted);
    }
    // Comparing alone decides nothing, whichever number it is.
    for (const auto& number : {known.number, *known.other}) {
        const auto refused = verify(anew.pair, anew.pair.alice, "bob", Scanned{number});
        ASSERT_TRUE(refused);
        EXPECT_EQ(refused->exit, Exit::untrusted);
    }
    const auto by_eye = verify(anew.pair, anew.pair.alice, "bob", ComparedByEye{});
    ASSERT_TRUE(by_eye);
    EXPECT_EQ(by_eye->exit, Exit::untrusted);
    const auto bob = anew.pair.alice.contact("bob");
    EXPECT_EQ(bob->state, ContactState::changed);
    EXPECT_EQ(bob->verified, Verified::no);
    EXPECT_FALSE(bob->other_record.empty());
    ASSERT_FALSE(accept(anew.pair, ComparedByEye{}));
    EXPECT_EQ(anew.pair.alice.contact("bob")->verified, Verified::number);
}

TEST(Keys, WhoHasTheOldKeyDoesNotSpeakUnderTheNameAnyMore) {
    Anew anew;
    anew.set_up();
    auto& pair = anew.pair;
    const auto old_ones = sessions(pair);
    ASSERT_EQ(old_ones.size(), 1U);
    pair.bob.start_sending();
    pair.world.cut(pair.alice, Purpose::identified);
    ASSERT_FALSE(accept(pair, Scanned{anew.screen()}));
    EXPECT_FALSE(sessions(pair).contains(*old_ones.begin()));
    // Until the server has heard of the new token the old one still lets him in.
    pair.bob.send("alice", "this is the old me");
    ASSERT_TRUE(pair.world.run([&] { return take(pair.bob.store().outbox_size()) == 0; }));
    pair.world.settle();
    EXPECT_TRUE(pair.alice.heard("bob").empty());
    const auto set_aside = take(pair.alice.store().quarantined()).size();
    // From then on he reaches her neither by the shared token nor by his recovery token.
    pair.bob.send("alice", "and again");
    pair.world.run_for(5 * 60'000);
    EXPECT_EQ(take(pair.bob.store().outbox_size()), 1) << "no server has taken it";
    EXPECT_EQ(take(pair.alice.store().quarantined()).size(), set_aside);
    EXPECT_EQ(pair.server.mail_waiting(), 0);
    EXPECT_EQ(pair.alice.contact("bob")->verified, Verified::qr);
}

TEST(Keys, ARefusedKeyLeavesAllAsItWasAndMessagesFlowUnderTheOldOne) {
    Pair pair;
    pair.befriend();
    pair.world.settle();
    ASSERT_FALSE(verify(pair, pair.alice, "bob", ComparedByEye{}));
    lie_to_alice(pair, forged(pair, 5));
    const auto waits = pair.alice.send("bob", "not for the server");
    ASSERT_TRUE(changed(pair));
    pair.world.run_for(20 * 60'000);
    EXPECT_TRUE(pair.bob.heard("alice").empty());
    EXPECT_EQ(lines(pair).size(), 1U);
    pair.server.lie = nullptr;
    ASSERT_FALSE(reject(pair));
    const auto bob = pair.alice.contact("bob");
    EXPECT_EQ(bob->state, ContactState::confirmed);
    EXPECT_EQ(bob->verified, Verified::number) << "the key that was compared is the one that is pinned";
    EXPECT_TRUE(bob->other_record.empty());
    EXPECT_TRUE(pair.delivered(pair.alice, "bob", waits));
    EXPECT_EQ(pair.bob.heard("alice"), std::vector<std::string>{"not for the server"});
    EXPECT_EQ(lines(pair).size(), 2U);
    ASSERT_TRUE(reject(pair));
}

TEST(Keys, ARefusedKeyThatAppearsAgainIsAskedAboutAgainOnce) {
    Pair pair;
    pair.befriend();
    pair.world.settle();
    const auto lie = forged(pair, 5);
    for (std::size_t round = 0; round < 3; ++round) {
        lie_to_alice(pair, lie);
        pair.alice.forget_notices();
        pair.alice.send("bob", "again");
        ASSERT_TRUE(changed(pair)) << round;
        pair.world.run_for(20 * 60'000);
        EXPECT_EQ(lines(pair).size(), 2 * round + 1);
        EXPECT_EQ(pair.alice.warnings().size(), 1U);
        EXPECT_EQ(pair.alice.contact("bob")->other_record, to_bytes(lie.bytes()));
        ASSERT_FALSE(reject(pair));
    }
}

TEST(Keys, WhatARefusedKeyHadSentDoesNotBringTheQuestionBack) {
    Anew anew;
    anew.set_up();
    auto& pair = anew.pair;
    EXPECT_FALSE(take(pair.alice.store().quarantined()).empty());
    ASSERT_FALSE(reject(pair));
    pair.world.settle();
    EXPECT_TRUE(Pair::confirmed(pair.alice, "bob"));
    // Somebody else's handshake is when all of it is tried again.
    auto& carol = pair.world.add("carol", pair.server);
    ASSERT_FALSE(carol.join(pair.alice.invite(), "alice"));
    ASSERT_TRUE(pair.world.run([&] { return Pair::confirmed(pair.alice, "carol"); }));
    pair.world.settle();
    EXPECT_TRUE(Pair::confirmed(pair.alice, "bob"));
    EXPECT_EQ(lines(pair).size(), 2U);
}

TEST(Keys, AnotherOneAfterAcceptanceIsAskedAboutAsTheFirst) {
    Pair pair;
    pair.befriend();
    pair.world.settle();
    const auto first = forged(pair, 5);
    const auto second = forged(pair, 6);
    lie_to_alice(pair, first);
    pair.alice.send("bob", "waits");
    ASSERT_TRUE(changed(pair));
    pair.server.lie = [bytes = std::string{chars_of(second.bytes())}](wire::Reply& reply) {
        if (reply.has_prekeys()) reply.mutable_prekeys()->set_record(bytes);
    };
    ASSERT_FALSE(accept(pair, ComparedByEye{}));
    EXPECT_EQ(pair.alice.contact("bob")->record, to_bytes(first.bytes()));
    ASSERT_TRUE(changed(pair));
    const auto bob = pair.alice.contact("bob");
    EXPECT_EQ(bob->other_record, to_bytes(second.bytes()));
    EXPECT_EQ(bob->verified, Verified::no);
    EXPECT_EQ(numbers(pair.alice, "bob").before, Verified::number);
    // The real one is another key again, by now.
    pair.server.lie = nullptr;
    ASSERT_FALSE(reject(pair));
    ASSERT_TRUE(changed(pair));
    EXPECT_EQ(pair.alice.contact("bob")->other_record,
              to_bytes(take(pair.bob.store().newest_own_record())->bytes()));
    ASSERT_FALSE(accept(pair, Scanned{numbers(pair.bob, "alice").number}));
    ASSERT_TRUE(pair.world.run([&] { return pair.bob.heard("alice").size() == 1; }));
    EXPECT_EQ(pair.bob.heard("alice"), std::vector<std::string>{"waits"});
}

TEST(Keys, ACrashInADecisionLeavesOneStateOrTheOther) {
    for (const bool accepts : {true, false}) {
        Anew anew;
        anew.set_up();
        auto& alice = anew.pair.alice;
        const auto before = alice.contact("bob");
        const auto old_one = *sessions(anew.pair).begin();
        int crashes = 0;
        // At every draw of the decision, until one goes through or was committed before the crash.
        while (true) {
            if (!alice.running()) alice.start();
            alice.rng().die_at(crashes + 1);
            EXPECT_FALSE(accepts ? accept(anew.pair, NotCompared{}) : reject(anew.pair));
            alice.rng().die_at(0);
            if (alice.running()) break;
            ++crashes;
            const auto now = alice.contact("bob");
            if (now->state != ContactState::changed) break;
            EXPECT_EQ(now->other_record, before->other_record);
            EXPECT_EQ(now->record, before->record);
            EXPECT_TRUE(sessions(anew.pair).contains(old_one));
            EXPECT_EQ(lines(anew.pair).size(), 1U);
        }
        EXPECT_GT(crashes, 0);
        const auto bob = alice.contact("bob");
        EXPECT_EQ(bob->state, ContactState::confirmed);
        EXPECT_EQ(bob->record, accepts ? before->other_record : before->record);
        EXPECT_TRUE(bob->other_record.empty());
        EXPECT_EQ(lines(anew.pair).size(), 2U);
        EXPECT_EQ(sessions(anew.pair).contains(old_one), !accepts);
    }
}

TEST(Keys, ARecordOfWhichOnlyTheHashIsKnownIsFetched) {
    Pair pair;
    pair.befriend();
    pair.world.settle();
    pair.bob.stop();
    auto body = take(pair.bob.opened().newest_own_record())->body();
    ++body.day;
    const auto fork = crypto::AccountRecord::sign(body, pair.bob.account_key()).value();
    ASSERT_TRUE(pair.bob.store().database().execute("DELETE FROM own_records"));
    ASSERT_TRUE(pair.bob.store().put_own_record(fork));
    pair.bob.start_sending();
    bool shown = false;
    pair.server.lie = [&](wire::Reply& reply) {
        if (shown && reply.has_records())
            reply.mutable_records()->set_records(0, std::string{chars_of(fork.bytes())});
    };
    pair.bob.send("alice", "my record is another one");
    ASSERT_TRUE(changed(pair));
    pair.world.run_for(1000);
    EXPECT_TRUE(pair.alice.contact("bob")->other_record.empty()) << "the server shows the pinned one";
    const auto early = accept(pair, NotCompared{});
    ASSERT_TRUE(early);
    EXPECT_EQ(early->exit, Exit::untrusted);
    shown = true;
    pair.alice.stop();
    pair.alice.start();
    ASSERT_TRUE(pair.world.run([&] { return !pair.alice.contact("bob")->other_record.empty(); }));
    EXPECT_EQ(pair.alice.contact("bob")->other_record, to_bytes(fork.bytes()));
    EXPECT_EQ(lines(pair).size(), 1U);
    const auto known = numbers(pair.alice, "bob");
    EXPECT_EQ(known.other, known.number) << "the account key is the same";
    ASSERT_FALSE(accept(pair, Scanned{known.number}));
    EXPECT_EQ(pair.alice.contact("bob")->verified, Verified::number);
    EXPECT_EQ(pair.alice.contact("bob")->next_sequence > 1, true) << "it is the same account: counted on";
}

TEST(Keys, AClaimThatAPersonLetStandStaysAClaim) {
    Pair pair;
    const auto link = pair.alice.invite();
    const auto real = to_bytes(take(pair.bob.store().newest_own_record())->bytes());
    const auto lie = forged(pair, 5);
    pair.server.lie = [&](wire::Reply& reply) {
        if (reply.has_records() && std::ranges::equal(bytes_of(reply.records().records(0)), real))
            reply.mutable_records()->set_records(0, std::string{chars_of(lie.bytes())});
    };
    ASSERT_FALSE(pair.bob.join(link, "alice"));
    ASSERT_TRUE(pair.world.run([&] {
        const auto bob = pair.alice.contact("bob");
        return bob && bob->state == ContactState::changed;
    }));
    ASSERT_FALSE(reject(pair));
    for (int start = 0; start < 3; ++start) {
        pair.alice.forget_notices();
        pair.alice.stop();
        pair.alice.start();
        pair.world.run_for(10 * 60'000);
        EXPECT_EQ(pair.alice.contact("bob")->state, ContactState::claimed);
        EXPECT_EQ(pair.alice.contact("bob")->verified, Verified::no);
        EXPECT_EQ(lines(pair).size(), 2U) << "asked once";
        EXPECT_EQ(pair.alice.warnings().size(), 1U) << "and said at each start";
    }
    pair.server.lie = nullptr;
    EXPECT_TRUE(pair.world.run([&] { return Pair::confirmed(pair.alice, "bob"); }, 3 * 60 * 60'000));
    EXPECT_EQ(pair.alice.contact("bob")->verified, Verified::link);
}

TEST(Keys, WhatIsBeingComparedIsNotSwapped) {
    Pair pair;
    pair.befriend();
    pair.alice.stop();
    auto& store = pair.alice.opened();
    crypto::SeededRng rng(1);
    Core core{.store = store,
              .shell = {rng, pair.world.config},
              .identity = take(store.identity()).value(),
              .record = take(store.newest_own_record()).value(),
              .sessions = SessionBook{take(store.sessions())}};
    auto bob = pair.alice.contact("bob").value();
    const auto first = to_bytes(forged(pair, 5).bytes());
    const auto second = to_bytes(forged(pair, 6).bytes());
    EXPECT_EQ(set_changed(core, bob, {}).size(), 3U);
    EXPECT_EQ(set_changed(core, bob, first).size(), 1U) << "it was missing";
    EXPECT_TRUE(set_changed(core, bob, second).empty());
    EXPECT_TRUE(set_changed(core, bob, {}).empty());
    EXPECT_EQ(pair.alice.contact("bob")->other_record, first);
    EXPECT_EQ(lines(pair).size(), 1U);
    EXPECT_EQ(standing_before(store, bob.id).state, ContactState::confirmed);
    EXPECT_EQ(standing_before(store, bob.id).verified, Verified::link);
}

}  // namespace
}  // namespace sotto::client::test
