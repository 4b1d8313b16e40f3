// What comes in and what goes out, once two people know each other.
#include "client/pair.hpp"
#include "sotto/content.pb.h"
#include "sotto/crypto/session.hpp"
#include "sotto/protocol/limits.hpp"

namespace sotto::client::test {
namespace {

using storage::ContactState;
using storage::MessageState;

/// Puts a content of any shape into a stopped client's outbox.
storage::MessageId smuggle(Client& from, const std::string& to, const std::string& content) {
    const auto contact = from.contact(to);
    storage::OutboxItem item;
    item.id = from.rng().bytes<16>();
    item.contact = contact->id;
    item.content = to_bytes(bytes_of(content));
    item.queued_at = 1;
    EXPECT_TRUE(from.store().queue(item));
    return item.id;
}

/// The content of a message that was queued the regular way, as it stands in the outbox.
content::Content content_of(Client& from, const std::string& to, const storage::MessageId& id) {
    content::Content out;
    const auto item = from.store().outbox_item(from.contact(to)->id, id).value().value();
    EXPECT_TRUE(out.ParseFromArray(item.content.data(), static_cast<int>(item.content.size())));
    return out;
}

/// Queues a text while nothing can leave, changes its content and lets it go.
void send_changed(Pair& pair, const std::function<void(content::Content&)>& change) {
    pair.bob.stop();
    pair.world.kill(pair.server);
    pair.bob.start();
    const auto id = pair.bob.send("alice", "to be changed");
    auto content = content_of(pair.bob, "alice", id);
    change(content);
    pair.bob.stop();
    auto item = pair.bob.contact("alice")
                    ? pair.bob.store().outbox_item(pair.bob.contact("alice")->id, id).value()
                    : std::nullopt;
    ASSERT_TRUE(item);
    const auto bytes = content.SerializeAsString();
    item->content = to_bytes(bytes_of(bytes));
    ASSERT_TRUE(pair.bob.store().update_outbox(*item));
    pair.server.restart();
    pair.bob.start();
}

TEST(Messages, TheLargestTextArrivesWholeAndOneByteMoreIsRefused) {
    Pair pair;
    pair.befriend();
    const std::string largest(65'536, 'x');
    pair.bob.send("alice", largest);
    ASSERT_TRUE(pair.world.run([&] { return pair.alice.heard("bob").size() == 1; }));
    EXPECT_EQ(pair.alice.heard("bob").front(), largest);

    pair.world.settle();
    const auto over = pair.bob.try_send("alice", largest + "x");
    ASSERT_FALSE(over);
    EXPECT_EQ(over.error().exit, Exit::input);
    EXPECT_EQ(pair.bob.store().outbox_size().value(), 0);
}

TEST(Messages, WhatIsNotTextIsRefused) {
    Pair pair;
    pair.befriend();
    for (const std::string text : {"", "\xff\xfe", "\xed\xa0\x80", "ok\xc3"}) {
        const auto refused = pair.bob.try_send("alice", text);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().exit, Exit::input);
    }
}

TEST(Messages, NobodyIsNoContact) {
    Pair pair;
    const auto refused = pair.bob.engine().send_text(77, "hello", pair.world.clock.now);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().exit, Exit::input);
}

TEST(Messages, WaitWhileTheServerIsAwayAndLeaveInOrder) {
    Pair pair;
    pair.befriend();
    pair.world.settle();
    pair.world.kill(pair.server);
    std::vector<std::string> said;
    for (int i = 0; i < 50; ++i) {
        said.push_back("waiting " + std::to_string(i));
        pair.bob.send("alice", said.back());
    }
    pair.world.run_for(20'000);
    EXPECT_TRUE(pair.bob.engine().idle());
    EXPECT_FALSE(pair.bob.notices<LostServer>().empty());
    EXPECT_EQ(pair.bob.store().outbox_size().value(), 50);
    pair.server.restart();
    ASSERT_TRUE(pair.world.run([&] { return pair.alice.heard("bob").size() == said.size(); }, 5 * 60'000));
    EXPECT_EQ(pair.alice.heard("bob"), said);
}

TEST(Messages, AThousandGoInMoments) {
    Pair pair;
    pair.befriend();
    for (int i = 0; i < 1000; ++i) pair.bob.send("alice", std::to_string(i));
    const auto begun = pair.world.clock.now;
    ASSERT_TRUE(pair.world.run([&] { return pair.bob.store().outbox_size().value() == 0; }));
    EXPECT_LT(pair.world.clock.now - begun, 10'000);
    ASSERT_TRUE(pair.world.run([&] { return pair.alice.heard("bob").size() == 1000; }));
    const auto heard = pair.alice.heard("bob");
    for (std::size_t i = 0; i < heard.size(); ++i) ASSERT_EQ(heard[i], std::to_string(i));
}

TEST(Messages, AnEnvelopeThatWasSealedNeverChanges) {
    Pair pair;
    pair.befriend();
    pair.world.settle();
    pair.alice.stop();
    // The server stores it, and its answer never comes.
    pair.server.lie = [](wire::Reply& reply) {
        if (reply.has_delivered()) reply.set_id(reply.id() + 100'000);
    };
    const auto id = pair.bob.send("alice", "once");
    ASSERT_TRUE(pair.world.run([&] { return pair.server.mail_waiting() == 1; }));
    pair.world.run_for(5000);
    const auto first = pair.bob.store().outbox_item(pair.bob.contact("alice")->id, id).value().value();
    ASSERT_FALSE(first.envelope.empty());
    pair.bob.crash();
    pair.bob.start();
    pair.world.run_for(5000);
    const auto again = pair.bob.store().outbox_item(pair.bob.contact("alice")->id, id).value().value();
    EXPECT_EQ(again.envelope, first.envelope);
    EXPECT_EQ(again.envelope_id, first.envelope_id);
    pair.server.lie = nullptr;
    pair.alice.start();
    EXPECT_TRUE(pair.delivered(pair.bob, "alice", id));
    EXPECT_EQ(pair.alice.heard("bob").size(), 1U);
}

TEST(Messages, ALostAcknowledgementIsRepairedByARepeat) {
    Pair pair;
    pair.befriend();
    pair.world.settle();
    const auto id = pair.bob.send("alice", "did you hear?");
    ASSERT_TRUE(pair.world.run([&] { return pair.alice.heard("bob").size() == 1; }));
    pair.bob.stop();
    ASSERT_TRUE(pair.world.run([&] { return pair.server.mail_waiting() > 0; }));
    ASSERT_TRUE(pair.server.database().execute("DELETE FROM mail"));
    // What a later version's repair does by itself: the same content again, in another envelope.
    auto item = pair.bob.contact("alice")
                    ? pair.bob.store().outbox_item(pair.bob.contact("alice")->id, id).value()
                    : std::nullopt;
    ASSERT_TRUE(item);
    item->accepted = false;
    item->envelope_id.reset();
    item->envelope.clear();
    ASSERT_TRUE(pair.bob.store().update_outbox(*item));
    pair.bob.start();
    EXPECT_TRUE(pair.delivered(pair.bob, "alice", id));
    EXPECT_EQ(pair.alice.heard("bob").size(), 1U);
}

TEST(Messages, AnUnknownKindIsKeptShownAndAcknowledged) {
    Pair pair;
    pair.befriend();
    pair.world.settle();
    pair.alice.forget_notices();
    send_changed(pair, [](content::Content& content) {
        content.clear_text();
        std::string edit = content.SerializeAsString();
        edit += std::string("\xea\x01\x03hey", 6);  // field 29, a kind of a later version
        ASSERT_TRUE(content.ParseFromString(edit));
    });
    ASSERT_TRUE(pair.world.run([&] { return !pair.alice.notices<MessageArrived>().empty(); }));
    const auto messages = pair.alice.incoming("bob");
    ASSERT_EQ(messages.size(), 1U);
    EXPECT_EQ(messages[0].kind, 29U);
    EXPECT_TRUE(messages[0].text.empty());
    EXPECT_FALSE(messages[0].raw.empty());
    ASSERT_TRUE(pair.world.run([&] { return pair.alice.engine().idle() && pair.bob.engine().idle(); }));
    EXPECT_TRUE(pair.alice.warnings().empty());
}

TEST(Messages, AContentOutOfShapeIsReportedAndTheNextOneArrives) {
    const std::vector<std::function<void(content::Content&)>> changes{
        [](auto& c) { c.set_message_id("short"); },
        [](auto& c) { c.set_sequence(0); },
        [](auto& c) { c.set_conversation_id(""); },
        [](auto& c) { c.set_record_hash("no hash"); },
        [](auto& c) { c.mutable_text()->set_body(""); },
        [](auto& c) { c.mutable_text()->set_body(std::string(65'537, 'x')); },
        [](auto& c) { c.mutable_tokens()->set_host("bad host/"); },
        [](auto& c) { c.mutable_acknowledgement()->add_message_ids("short"); },
    };
    Pair pair;
    pair.befriend();
    for (const auto& change : changes) {
        pair.world.settle();
        pair.alice.forget_notices();
        const auto before = pair.alice.heard("bob").size();
        send_changed(pair, change);
        ASSERT_TRUE(pair.world.run([&] { return pair.alice.warned(Exit::network); }, 120'000));
        EXPECT_EQ(pair.alice.heard("bob").size(), before);
        pair.bob.send("alice", "still here");
        ASSERT_TRUE(pair.world.run([&] { return pair.alice.heard("bob").size() == before + 1; }));
    }
}

TEST(Messages, ALateOneIsMarkedAndAGapIsTold) {
    Pair pair;
    pair.befriend();
    pair.world.settle();
    pair.alice.forget_notices();
    std::vector<std::string> held;
    // The server keeps the first of three back and hands it out last.
    bool first = true;
    pair.server.lie = [&](wire::Reply& reply) {
        if (!reply.has_incoming()) return;
        if (std::exchange(first, false)) {
            held.push_back(reply.SerializeAsString());
            reply.Clear();
            reply.mutable_prekeys_low()->set_one_time_left(100);
            reply.mutable_prekeys_low()->set_one_time_kem_left(100);
        }
    };
    pair.bob.send("alice", "one");
    ASSERT_TRUE(pair.world.run([&] { return !held.empty(); }));
    pair.bob.send("alice", "two");
    ASSERT_TRUE(pair.world.run([&] { return pair.alice.heard("bob").size() == 1; }));
    EXPECT_EQ(pair.alice.notices<MessageArrived>().front().missing, 1U);
    EXPECT_FALSE(pair.alice.incoming("bob").front().late);
    pair.server.lie = nullptr;
    // It was never acknowledged, so it is pushed again at the next log-in.
    pair.alice.stop();
    pair.alice.start();
    ASSERT_TRUE(pair.world.run([&] { return pair.alice.heard("bob").size() == 2; }));
    EXPECT_EQ(pair.alice.heard("bob").back(), "one");
    EXPECT_TRUE(pair.alice.incoming("bob").back().late);
}

TEST(Messages, EverythingIsReadBeforeCaughtUp) {
    Pair pair;
    pair.befriend();
    pair.world.settle();
    pair.alice.stop();
    pair.world.run_for(1000);
    for (int i = 0; i < 150; ++i) pair.bob.send("alice", std::to_string(i));
    ASSERT_TRUE(pair.world.run([&] { return pair.server.mail_waiting() == 150; }));
    pair.bob.stop();
    std::size_t read = 0;
    std::size_t at_the_end = 0;
    pair.alice.on_notice = [&](const Notice& notice) {
        if (std::holds_alternative<MessageArrived>(notice)) ++read;
        if (std::holds_alternative<CaughtUp>(notice)) at_the_end = read;
    };
    pair.alice.start();
    ASSERT_TRUE(pair.world.run([&] { return at_the_end > 0; }));
    EXPECT_EQ(at_the_end, 150U);
    EXPECT_TRUE(pair.alice.engine().idle());
    // The acknowledgement has left too: Bob learns of it with nobody else online.
    pair.alice.stop();
    pair.bob.start();
    ASSERT_TRUE(pair.world.run([&] { return pair.bob.store().outbox_size().value() == 0; }));
    const auto contact = pair.bob.contact("alice");
    ASSERT_TRUE(pair.world.run([&] {
        return std::ranges::all_of(
            take(pair.bob.store().history(contact->id, "", -1)),
            [](const storage::Message& message) { return message.state == MessageState::delivered; });
    }));
}

TEST(Messages, AFullDiskLosesNothing) {
    Pair pair;
    pair.befriend();
    pair.world.settle();
    pair.alice.forget_notices();
    ASSERT_TRUE(pair.alice.store().database().execute("PRAGMA max_page_count = 1"));  // as many as there are
    for (int i = 0; i < 10; ++i) pair.bob.send("alice", std::string(30'000, static_cast<char>('a' + i)));
    ASSERT_TRUE(pair.world.run([&] { return pair.alice.warned(Exit::input); }));
    EXPECT_NE(pair.alice.warnings().front().error.sentence.find("full"), std::string::npos);
    pair.world.run_for(20'000);
    const auto taken = static_cast<std::int64_t>(pair.alice.heard("bob").size());
    EXPECT_LT(taken, 10);
    EXPECT_GE(pair.server.mail_waiting(), 10 - taken);
    ASSERT_TRUE(pair.alice.store().database().execute("PRAGMA max_page_count = 1000000"));
    ASSERT_TRUE(pair.world.run([&] { return pair.alice.heard("bob").size() == 10; }, 5 * 60'000));
    for (int i = 0; i < 10; ++i) EXPECT_EQ(pair.alice.heard("bob")[static_cast<std::size_t>(i)][0], 'a' + i);
}

TEST(Messages, ADiskThatIsFullForTheSenderIsAnErrorAtOnce) {
    Pair pair;
    pair.befriend();
    pair.world.settle();
    ASSERT_TRUE(pair.bob.store().database().execute("PRAGMA max_page_count = 1"));
    std::optional<Error> error;
    for (int i = 0; i < 20 && !error; ++i) {
        const auto sent = pair.bob.try_send("alice", std::string(60'000, 'x'));
        if (!sent) error = sent.error();
    }
    ASSERT_TRUE(error);
    EXPECT_NE(error->sentence.find("full"), std::string::npos);
}

TEST(Messages, ARefusedSharedTokenFallsBackToTheRecoveryToken) {
    Pair pair;
    pair.befriend();
    pair.world.settle();
    // Alice has rotated her shared token while they were apart.
    pair.alice.stop();
    auto identity = pair.alice.contact("bob") ? pair.alice.store().identity().value() : std::nullopt;
    identity->shared_token = pair.alice.rng().secret<crypto::Token>();
    ASSERT_TRUE(pair.alice.store().put_identity(*identity));
    pair.alice.start();
    ASSERT_TRUE(pair.world.run([&] { return pair.alice.engine().tokens_published(); }));
    const auto id = pair.bob.send("alice", "by the other way");
    EXPECT_TRUE(pair.delivered(pair.bob, "alice", id));
    EXPECT_TRUE(pair.bob.warnings().empty());
}

TEST(Messages, WhoIsRefusedAltogetherIsToldOnceAndLosesNothing) {
    Pair pair;
    pair.befriend();
    pair.world.settle();
    pair.alice.stop();
    ASSERT_TRUE(pair.server.database().execute("DELETE FROM tokens"));
    pair.bob.stop();
    pair.bob.start();
    ASSERT_TRUE(pair.world.run([&] { return pair.bob.engine().logged_in(); }));
    pair.bob.send("alice", "anybody there?");
    ASSERT_TRUE(pair.world.run([&] { return pair.bob.warned(Exit::network); }));
    pair.world.run_for(10 * 60'000);
    EXPECT_EQ(pair.bob.warnings().size(), 1U);
    EXPECT_TRUE(pair.bob.engine().idle());
    EXPECT_EQ(pair.bob.store().outbox_size().value(), 1);
}

TEST(Messages, AFullMailboxIsToldAndTriedAgain) {
    Pair pair;
    pair.befriend();
    pair.world.settle();
    pair.alice.stop();
    pair.world.run_for(1000);
    ASSERT_TRUE(pair.server.database().execute("UPDATE mailboxes SET envelopes = 10000"));
    const auto id = pair.bob.send("alice", "squeeze");
    ASSERT_TRUE(
        pair.world.run([&] { return pair.bob.warned(Exit::rate) || pair.server.mail_waiting() > 0; }));
    EXPECT_TRUE(pair.bob.warned(Exit::rate));
    ASSERT_TRUE(pair.server.database().execute("UPDATE mailboxes SET envelopes = 0"));
    pair.alice.start();
    EXPECT_TRUE(pair.world.run([&] { return pair.bob.state_of("alice", id) == MessageState::delivered; },
                               30 * 60'000));
}

TEST(Messages, SmuggledGarbageDoesNotStopTheOthers) {
    Pair pair;
    pair.befriend();
    pair.world.settle();
    pair.alice.forget_notices();
    pair.bob.stop();
    smuggle(pair.bob, "alice", "not a content at all");
    pair.bob.start();
    pair.bob.send("alice", "and a real one");
    ASSERT_TRUE(pair.world.run([&] { return pair.alice.heard("bob").size() == 1; }));
    EXPECT_TRUE(pair.alice.warned(Exit::network));
}

}  // namespace
}  // namespace sotto::client::test
