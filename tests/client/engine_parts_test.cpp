// The engine's pure pieces, each by itself.
#include <gtest/gtest.h>

#include "client/engine/content.hpp"
#include "client/engine/records.hpp"
#include "client/engine/say.hpp"
#include "client/engine/sentences.hpp"
#include "client/engine/shell.hpp"
#include "client/engine/tokens.hpp"
#include "client/world.hpp"

namespace sotto::client::test {
namespace {

// ---- sentences ----

TEST(Say, FillsTheGapsInOrder) {
    EXPECT_EQ(say("{} and {}", "one", 2), "one and 2");
    EXPECT_EQ(say("nothing"), "nothing");
    EXPECT_EQ(say("{} {}", "{}", "x"), "{} x");
    EXPECT_EQ(say("{}", std::uint16_t{7443}), "7443");
}

TEST(Sentences, EveryErrorHasOneThatEndsWithAFullStop) {
    const protocol::Endpoint endpoint{"2001:db8::1", 7443, std::nullopt};
    EXPECT_EQ(text_of(endpoint), "[2001:db8::1]:7443");
    for (int code = 0; code <= static_cast<int>(storage::Code::io); ++code) {
        const auto error = describe(storage::Error{static_cast<storage::Code>(code), "secret detail"});
        EXPECT_EQ(error.sentence.back(), '.');
        EXPECT_EQ(error.sentence.find("secret"), std::string::npos);
    }
    for (int kind = 0; kind <= static_cast<int>(NetworkError::closed); ++kind)
        EXPECT_EQ(describe(static_cast<NetworkError>(kind), endpoint).sentence.back(), '.');
    for (int code = 0; code <= wire::FAILURE_NO_DEVICE; ++code) {
        const auto failure = static_cast<wire::FailureCode>(code);
        EXPECT_EQ(describe_login_failure(failure, endpoint).sentence.back(), '.');
        EXPECT_EQ(describe_registration_failure(failure, "alice", endpoint).sentence.back(), '.');
        EXPECT_EQ(describe_delivery_failure(failure, "alice", false).sentence.back(), '.');
        EXPECT_EQ(describe_delivery_failure(failure, "alice", true).sentence.back(), '.');
    }
}

TEST(Sentences, KeysAndCertificatesAreExitFour) {
    const protocol::Endpoint endpoint{"example.org", 7443, std::nullopt};
    for (const auto kind : {NetworkError::wrong_pin, NetworkError::untrusted_certificate,
                            NetworkError::expired_certificate, NetworkError::wrong_host})
        EXPECT_EQ(describe(kind, endpoint).exit, Exit::untrusted);
    for (const auto kind :
         {NetworkError::unreachable, NetworkError::old_tls, NetworkError::not_sotto, NetworkError::closed})
        EXPECT_EQ(describe(kind, endpoint).exit, Exit::network);
}

// ---- time ----

TEST(Shell, TimeForDeadlinesNeverGoesBack) {
    crypto::SeededRng rng(1);
    Shell shell{rng, {}};
    shell.advance(1'000'000);
    EXPECT_EQ(shell.now, 1'000'000);
    shell.advance(1'000'500);
    EXPECT_EQ(shell.now, 1'000'500);
    shell.advance(400'000);
    EXPECT_EQ(shell.now, 1'000'500);
    EXPECT_EQ(shell.wall, 400'000);
    EXPECT_EQ(shell.to_wall(shell.now + 250), 400'250);
    shell.advance(400'100);
    EXPECT_EQ(shell.now, 1'000'600);
}

TEST(Backoff, DoublesFromTheFirstToTheMostAndIsShortenedByHalfAtMost) {
    crypto::SeededRng rng(2);
    for (int round = 0; round < 50; ++round) {
        Backoff backoff;
        std::int64_t whole = 500;
        for (int i = 0; i < 100; ++i) {
            const auto wait = backoff.next(500, 60'000, rng);
            EXPECT_GE(wait, whole / 2);
            EXPECT_LE(wait, whole);
            whole = std::min<std::int64_t>(60'000, whole * 2);
        }
        backoff.reset();
        EXPECT_LE(backoff.next(500, 60'000, rng), 500);
    }
}

// ---- content ----

const auto alice = crypto::Address::parse("alice@one.example").value();
const auto bob = crypto::Address::parse("bob@two.example").value();

content::Content text_content() {
    content::Content content;
    content.set_message_id(std::string(16, 'i'));
    content.set_conversation_id(to_field(conversation_id(alice, bob)));
    content.set_sequence(7);
    content.set_sent_at(123);
    content.set_record_sequence(1);
    content.set_record_hash(std::string(32, 'h'));
    content.mutable_text()->set_body("hello");
    return content;
}

std::optional<Received> parsed(const content::Content& content) {
    const auto bytes = content.SerializeAsString();
    return parse_content(bytes_of(bytes), conversation_id(alice, bob));
}

content::Introduction an_introduction() {
    content::Introduction out;
    fill(out, {{"one.example", 7443, std::nullopt}, {}, {}});
    return out;
}

TEST(Conversation, IsTheSameForBothAndAnotherForOthers) {
    EXPECT_EQ(conversation_id(alice, bob), conversation_id(bob, alice));
    EXPECT_NE(conversation_id(alice, bob), conversation_id(alice, alice));
}

TEST(Text, LimitsAreExact) {
    EXPECT_TRUE(check_text(""));
    EXPECT_FALSE(check_text("x"));
    EXPECT_FALSE(check_text(std::string(65'536, 'x')));
    EXPECT_TRUE(check_text(std::string(65'537, 'x')));
    EXPECT_TRUE(check_text("\xc0\x80"));
}

TEST(Content, ATextComesThroughWhole) {
    const auto received = parsed(text_content());
    ASSERT_TRUE(received);
    EXPECT_TRUE(received->known);
    EXPECT_EQ(received->kind, kind_text);
    EXPECT_EQ(received->text, "hello");
    EXPECT_EQ(received->sequence, 7U);
    EXPECT_EQ(received->record_sequence, 1U);
    EXPECT_EQ(received->peer_record_sequence, 0U);
}

TEST(Content, WhateverIsOutOfShapeIsRefused) {
    const std::vector<std::function<void(content::Content&)>> changes{
        [](auto& c) { c.set_message_id(std::string(15, 'i')); },
        [](auto& c) { c.set_message_id(std::string(17, 'i')); },
        [](auto& c) { c.set_conversation_id(std::string(31, 'c')); },
        [](auto& c) { c.set_sequence(0); },
        [](auto& c) { c.set_record_hash(""); },
        [](auto& c) { c.set_record_sequence(0); },
        [](auto& c) { c.set_peer_record_sequence(3); },
        [](auto& c) { c.set_reply_to("short"); },
        [](auto& c) { c.mutable_text()->set_body(""); },
        [](auto& c) { c.mutable_acknowledgement(); },
        [](auto& c) { c.mutable_acknowledgement()->add_message_ids(std::string(15, 'i')); },
        [](auto& c) {
            for (int i = 0; i < 1001; ++i) c.mutable_acknowledgement()->add_message_ids(std::string(16, 'i'));
        },
        [](auto& c) { c.mutable_introduction(); },
        [](auto& c) { *c.mutable_tokens() = an_introduction(), c.mutable_tokens()->set_port(0); },
        [](auto& c) { *c.mutable_tokens() = an_introduction(), c.mutable_tokens()->set_port(65'536); },
        [](auto& c) { *c.mutable_tokens() = an_introduction(), c.mutable_tokens()->set_host("a b"); },
        [](auto& c) { *c.mutable_tokens() = an_introduction(), c.mutable_tokens()->set_host(""); },
        [](auto& c) { *c.mutable_tokens() = an_introduction(), c.mutable_tokens()->set_pin("short"); },
        [](auto& c) { *c.mutable_tokens() = an_introduction(), c.mutable_tokens()->set_shared_token(""); },
        [](auto& c) { *c.mutable_tokens() = an_introduction(), c.mutable_tokens()->set_recovery_token("x"); },
    };
    for (std::size_t i = 0; i < changes.size(); ++i) {
        auto content = text_content();
        changes[i](content);
        EXPECT_FALSE(parsed(content)) << i;
    }
    EXPECT_FALSE(parse_content(bytes_of("\xff\xff\xff"), {}));
    EXPECT_FALSE(parse_content({}, {}));
}

content::Content offer_content() {
    auto content = text_content();
    content.set_sequence(0);
    fill(*content.mutable_direct_offer(), {}, crypto::DirectSecret{Array<32>{std::byte{3}}},
         {.ufrag = "abcd",
          .password = std::string(22, 'p'),
          .candidates = {"candidate:1 1 UDP 1 192.0.2.1 9 typ host"},
          .tcp = {{.address = Bytes(4), .port = 9}, {.address = Bytes(16), .port = 65'535}}});
    return content;
}

TEST(Content, AnOfferComesThroughWhole) {
    const auto received = parsed(offer_content());
    ASSERT_TRUE(received && received->direct);
    EXPECT_TRUE(received->known);
    EXPECT_EQ(received->kind, kind_direct_offer);
    EXPECT_TRUE(received->direct->offer);
    EXPECT_EQ(to_bytes(received->direct->secret.expose()).front(), std::byte{3});
    const auto& path = received->direct->path;
    EXPECT_EQ(path.ufrag, "abcd");
    EXPECT_EQ(path.candidates.size(), 1U);
    ASSERT_EQ(path.tcp.size(), 2U);
    EXPECT_EQ(path.tcp[1].port, 65'535);

    auto answer = text_content();
    answer.set_sequence(0);
    *answer.mutable_direct_answer() = offer_content().direct_offer();
    const auto answered = parsed(answer);
    ASSERT_TRUE(answered && answered->direct);
    EXPECT_EQ(answered->kind, kind_direct_answer);
    EXPECT_FALSE(answered->direct->offer);
}

TEST(Content, AnOfferOutOfShapeIsRefused) {
    const std::vector<std::function<void(content::DirectSignal&)>> changes{
        [](auto& o) { o.set_attempt("short"); },
        [](auto& o) { o.set_secret(std::string(31, 's')); },
        [](auto& o) { o.set_ice_ufrag("abc"); },
        [](auto& o) { o.set_ice_ufrag(std::string(257, 'u')); },
        [](auto& o) { o.set_ice_ufrag("ab\ncd"); },
        [](auto& o) { o.set_ice_password(std::string(21, 'p')); },
        [](auto& o) { o.clear_ice_ufrag(); },
        [](auto& o) { o.add_candidates(""); },
        [](auto& o) { o.add_candidates(std::string(257, 'c')); },
        [](auto& o) { o.add_candidates("candidate:\r\na=x"); },
        [](auto& o) {
            for (int i = 0; i < 32; ++i) o.add_candidates("candidate:x");
        },
        [](auto& o) { o.mutable_tcp(0)->set_address(std::string(5, 'a')); },
        [](auto& o) { o.mutable_tcp(0)->set_port(0); },
        [](auto& o) { o.mutable_tcp(0)->set_port(65'536); },
        [](auto& o) {
            for (int i = 0; i < 7; ++i) *o.add_tcp() = o.tcp(0);
        }};
    for (std::size_t i = 0; i < changes.size(); ++i) {
        auto content = offer_content();
        changes[i](*content.mutable_direct_offer());
        EXPECT_FALSE(parsed(content)) << i;
    }
    // Nobody misses one that doesn't come, so they aren't counted; everything else is.
    auto counted = offer_content();
    counted.set_sequence(7);
    EXPECT_FALSE(parsed(counted));
    auto uncounted = text_content();
    uncounted.set_sequence(0);
    EXPECT_FALSE(parsed(uncounted));
    // Without ICE there is nothing of it.
    auto tcp_alone = offer_content();
    tcp_alone.mutable_direct_offer()->clear_ice_ufrag();
    tcp_alone.mutable_direct_offer()->clear_ice_password();
    tcp_alone.mutable_direct_offer()->clear_candidates();
    EXPECT_TRUE(parsed(tcp_alone));
}

TEST(Content, ATextThatIsNotUtf8IsRefused) {
    auto bytes = text_content().SerializeAsString();
    const auto at = bytes.find("hello");
    bytes[at] = '\xff';
    EXPECT_FALSE(parse_content(bytes_of(bytes), conversation_id(alice, bob)));
}

TEST(Content, LimitsOfAcknowledgementsAreExact) {
    auto content = text_content();
    for (int i = 0; i < 1000; ++i) content.mutable_acknowledgement()->add_message_ids(std::string(16, 'i'));
    const auto received = parsed(content);
    ASSERT_TRUE(received);
    EXPECT_EQ(received->acknowledged.size(), 1000U);
}

TEST(Content, ALaterKindAndAnotherConversationAreKept) {
    auto later = text_content();
    later.clear_text();
    auto bytes = later.SerializeAsString();
    bytes += std::string("\xba\x02\x00", 3);  // field 39
    const auto received = parse_content(bytes_of(bytes), conversation_id(alice, bob));
    ASSERT_TRUE(received);
    EXPECT_FALSE(received->known);
    EXPECT_EQ(received->kind, 39U);

    auto elsewhere = text_content();
    elsewhere.set_conversation_id(std::string(32, 'g'));
    const auto group = parsed(elsewhere);
    ASSERT_TRUE(group);
    EXPECT_FALSE(group->known);
}

TEST(Content, TokensRideOnAnything) {
    auto content = text_content();
    *content.mutable_tokens() = an_introduction();
    const auto received = parsed(content);
    ASSERT_TRUE(received && received->introduction);
    EXPECT_EQ(received->introduction->endpoint.host, "one.example");
    const auto bytes = content.SerializeAsString();
    EXPECT_TRUE(carries_tokens(bytes_of(bytes)));
    const auto plain = text_content().SerializeAsString();
    EXPECT_FALSE(carries_tokens(bytes_of(plain)));
}

TEST(Content, RandomBytesNeverBreakTheParser) {
    crypto::SeededRng rng(11);
    const auto good = text_content().SerializeAsString();
    for (int i = 0; i < 20'000; ++i) {
        std::string bytes = good;
        for (std::uint64_t flips = 1 + rng.below(4); flips > 0; --flips)
            bytes[rng.below(bytes.size())] = static_cast<char>(rng.below(256));
        if (rng.below(4) == 0) bytes.resize(rng.below(bytes.size()));
        const auto received = parse_content(bytes_of(bytes), conversation_id(alice, bob));
        if (received && received->known && received->kind == kind_text) {
            EXPECT_FALSE(check_text(received->text));
        }
    }
}

// ---- records ----

struct Signer {
    crypto::SeededRng rng{9};
    crypto::AccountKeyPair key = crypto::AccountKeyPair::generate(rng);
    crypto::DeviceSigningKeyPair signing = crypto::DeviceSigningKeyPair::generate(rng);
    crypto::IdentityKeyPair identity = crypto::IdentityKeyPair::generate(rng);

    crypto::AccountRecord record(std::uint64_t sequence, const crypto::RecordHash& previous,
                                 std::uint32_t day = 5) const {
        return crypto::AccountRecord::sign(
                   {.address = alice,
                    .sequence = sequence,
                    .previous = previous,
                    .day = day,
                    .account_key = key.public_key(),
                    .predecessor = std::nullopt,
                    .devices = {{1, signing.public_key(), identity.public_key(), {1}}},
                    .extensions = {}},
                   key)
            .value();
    }
};

TEST(RecordLine, TakesTheBaseAndItsSuccessorsInOrder) {
    Signer signer;
    const auto one = signer.record(1, {});
    const auto two = signer.record(2, one.hash());
    const auto three = signer.record(3, two.hash());
    RecordLine line(one);
    EXPECT_FALSE(line.seen());
    EXPECT_EQ(line.add(one), crypto::RecordChange::same);
    EXPECT_TRUE(line.seen());
    EXPECT_EQ(line.add(three), crypto::RecordChange::gap);
    EXPECT_EQ(line.newest().hash(), one.hash());
    EXPECT_EQ(line.add(two), crypto::RecordChange::successor);
    EXPECT_EQ(line.add(three), crypto::RecordChange::successor);
    EXPECT_EQ(line.add(one), crypto::RecordChange::older);
    EXPECT_EQ(line.newest().hash(), three.hash());
}

TEST(RecordLine, SeesAnotherKeyAndAnotherRecordOfTheSameNumber) {
    Signer signer;
    const auto one = signer.record(1, {});
    RecordLine line(one);
    EXPECT_EQ(line.add(signer.record(1, {}, 6)), crypto::RecordChange::conflict);
    EXPECT_EQ(line.add(signer.record(2, signer.record(1, {}, 6).hash())), crypto::RecordChange::conflict);
    signer.key = crypto::AccountKeyPair::generate(signer.rng);
    EXPECT_EQ(line.add(signer.record(2, one.hash())), crypto::RecordChange::other_key);
    EXPECT_FALSE(line.seen());
}

TEST(RecordMark, IsReadWithoutASecondVerification) {
    Signer signer;
    const auto record = signer.record(77, signer.record(1, {}).hash());
    const auto mark = mark_of(record.bytes());
    EXPECT_EQ(mark.sequence, 77U);
    EXPECT_EQ(mark.hash, record.hash());
}

}  // namespace
}  // namespace sotto::client::test
