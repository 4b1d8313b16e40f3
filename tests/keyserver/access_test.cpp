// Tokens, claims, and what a stranger learns: nothing.
#include "keyserver/rig.hpp"

namespace sotto::keyserver::test {
namespace {

class AccessTest : public testing::Test {
  protected:
    AccessTest() : owner(rig.registered(bob)), stranger(rig.connect(Purpose::delivery)) {
        wire::Request publish;
        *publish.mutable_publish_prekeys() = bob.prekeys(rig.today());
        EXPECT_TRUE(owner->ask(publish).has_done());
    }

    struct Entry {
        std::string word;
        wire::TokenKind kind = wire::TOKEN_KIND_SHARED;
        std::uint64_t expires = 0;
    };
    wire::Reply set(const std::vector<Entry>& entries, bool discoverable = false) {
        wire::Request request;
        request.mutable_set_tokens()->set_discoverable(discoverable);
        for (const auto& entry : entries) {
            auto& token = *request.mutable_set_tokens()->add_tokens();
            token.set_hash(token_hash_of(entry.word));
            token.set_kind(entry.kind);
            token.set_expires(entry.expires);
        }
        return owner->ask(request);
    }
    [[nodiscard]] Entry invite(const std::string& word, std::uint64_t seconds = 3600) const {
        return {.word = word, .kind = wire::TOKEN_KIND_INVITE, .expires = unix_seconds(rig.clock) + seconds};
    }
    [[nodiscard]] wire::FailureCode fetch(std::string_view token, std::string_view claim = "") {
        const auto answer = stranger->ask(fetch_prekeys_request("bob", 1, token, claim));
        EXPECT_NE(answer.has_prekeys(), answer.has_failure());
        return code_of(answer);
    }
    [[nodiscard]] wire::FailureCode deliver(std::string_view id, std::string_view token,
                                            std::string_view claim = "", char type = 0x12,
                                            std::size_t size = 10) {
        const auto sealed = envelope(std::string(size - 1, 'x'), type);
        const auto sent = stranger->send(deliver_request("bob", 1, id, sealed, token, claim));
        rig.settle();
        const auto answer = stranger->reply(sent);
        return answer ? code_of(*answer) : wire::FAILURE_UNSPECIFIED;
    }

    Rig rig;
    TestDevice bob{"bob"};
    std::unique_ptr<Peer> owner;
    std::unique_ptr<Peer> stranger;
};

TEST_F(AccessTest, AnswersAStrangerTheSameForAccountsThatExistAndThatDoNot) {
    set({{.word = "token"}});
    const auto same = [&](wire::Request real, wire::Request invented) {
        auto a = stranger->ask(std::move(real));
        auto b = stranger->ask(std::move(invented));
        a.set_id(0);
        b.set_id(0);
        EXPECT_EQ(a.SerializeAsString(), b.SerializeAsString());
        EXPECT_EQ(code_of(a), wire::FAILURE_REFUSED);
    };
    for (const auto* word : {"", "wrong"}) {
        same(fetch_prekeys_request("bob", 1, word), fetch_prekeys_request("nobody", 1, word));
        same(fetch_prekeys_request("bob", 9, word), fetch_prekeys_request("nobody", 9, word));
        same(fetch_records_request("bob", word), fetch_records_request("nobody", word));
        same(deliver_request("bob", 1, "i", envelope("x"), word),
             deliver_request("nobody", 1, "i", envelope("x"), word));
        same(deliver_request("bob", 1, "i", envelope("x", 0x11), word),
             deliver_request("nobody", 1, "i", envelope("x", 0x11), word));
    }
    same(fetch_prekeys_request("bob", 1, "wrong", "claim"),
         fetch_prekeys_request("nobody", 1, "wrong", "claim"));
}

TEST_F(AccessTest, AsksTheStoreTheSameForAccountsThatExistAndThatDoNot) {
    // What a clock could tell apart is the work: each of these is one piece of it, and no other.
    for (const auto* user : {"bob", "nobody"}) {
        stranger->send(deliver_request(user, 1, "i", envelope("x"), "wrong"));
        EXPECT_EQ(rig.queue.waiting(), 1U);
        rig.settle();
        stranger->send(fetch_prekeys_request(user, 1, "wrong"));
        EXPECT_EQ(rig.queue.waiting(), 1U);
        rig.settle();
    }
}

TEST_F(AccessTest, GrantsEverythingToTheSharedToken) {
    set({{.word = "token"}});
    EXPECT_EQ(fetch("token"), wire::FAILURE_UNSPECIFIED);
    EXPECT_TRUE(stranger->ask(fetch_records_request("bob", "token")).has_records());
    EXPECT_EQ(deliver("1", "token"), wire::FAILURE_UNSPECIFIED);
    EXPECT_TRUE(owner->incoming());
}

TEST_F(AccessTest, EndsAtOnceWhenTheTokenIsReplaced) {
    set({{.word = "old"}});
    EXPECT_EQ(deliver("1", "old"), wire::FAILURE_UNSPECIFIED);
    set({{.word = "new"}});
    EXPECT_EQ(deliver("2", "old"), wire::FAILURE_REFUSED);
    EXPECT_EQ(fetch("old"), wire::FAILURE_REFUSED);
    EXPECT_EQ(deliver("3", "new"), wire::FAILURE_UNSPECIFIED);
    owner->hang_up();
    rig.settle();
    EXPECT_EQ(deliver("4", "old"), wire::FAILURE_REFUSED);
    EXPECT_EQ(deliver("5", "new"), wire::FAILURE_UNSPECIFIED);
}

TEST_F(AccessTest, EndsWhenATokenExpires) {
    set({{.word = "brief", .expires = unix_seconds(rig.clock) + 60}});
    EXPECT_EQ(deliver("1", "brief"), wire::FAILURE_UNSPECIFIED);
    rig.pass(60'000);
    EXPECT_EQ(deliver("2", "brief"), wire::FAILURE_REFUSED);
    EXPECT_EQ(fetch("brief"), wire::FAILURE_REFUSED);
}

TEST_F(AccessTest, GivesTheRecoveryTokenFourSmallEnvelopesADay) {
    set({{.word = "recovery", .kind = wire::TOKEN_KIND_RECOVERY}});
    EXPECT_EQ(deliver("big", "recovery", "", 0x12, limits::recovery_envelope_size + 1),
              wire::FAILURE_TOO_LARGE);
    EXPECT_EQ(deliver("0", "recovery", "", 0x12, limits::recovery_envelope_size), wire::FAILURE_UNSPECIFIED);
    for (const auto* id : {"1", "2", "3"}) EXPECT_EQ(deliver(id, "recovery"), wire::FAILURE_UNSPECIFIED);
    EXPECT_EQ(deliver("3", "recovery"), wire::FAILURE_RATE);
    EXPECT_EQ(deliver("4", "recovery"), wire::FAILURE_RATE);
    rig.pass(day_ms);
    EXPECT_EQ(deliver("4", "recovery"), wire::FAILURE_UNSPECIFIED);
}

TEST_F(AccessTest, CountsARetryOfTheSameEnvelopeOnce) {
    set({{.word = "recovery", .kind = wire::TOKEN_KIND_RECOVERY}});
    for (int i = 0; i < 3; ++i) EXPECT_EQ(deliver("same", "recovery"), wire::FAILURE_UNSPECIFIED);
    for (const auto* id : {"1", "2", "3"}) EXPECT_EQ(deliver(id, "recovery"), wire::FAILURE_UNSPECIFIED);
    EXPECT_EQ(deliver("4", "recovery"), wire::FAILURE_RATE);
}

TEST_F(AccessTest, BindsAnInviteToItsFirstClaim) {
    set({invite("link")});
    EXPECT_EQ(fetch("link"), wire::FAILURE_MALFORMED);  // without a claim there is nothing to bind
    EXPECT_EQ(fetch("link", "first"), wire::FAILURE_UNSPECIFIED);
    EXPECT_EQ(fetch("link", "second"), wire::FAILURE_TOKEN_USED);
    EXPECT_EQ(deliver("1", "link", "second", 0x11), wire::FAILURE_TOKEN_USED);
    EXPECT_EQ(deliver("2", "link", "first", 0x11), wire::FAILURE_UNSPECIFIED);
    EXPECT_EQ(fetch("link", "first"), wire::FAILURE_UNSPECIFIED);
}

TEST_F(AccessTest, KeepsAClaimWhenTheTableIsReplacedAndAfterARestart) {
    set({invite("link")});
    EXPECT_EQ(fetch("link", "first"), wire::FAILURE_UNSPECIFIED);
    set({invite("link"), invite("other"), {.word = "token"}});
    EXPECT_EQ(fetch("link", "second"), wire::FAILURE_TOKEN_USED);
    rig.restart();
    stranger = rig.connect(Purpose::delivery);
    EXPECT_EQ(fetch("link", "second"), wire::FAILURE_TOKEN_USED);
    EXPECT_EQ(fetch("link", "first"), wire::FAILURE_UNSPECIFIED);
}

TEST_F(AccessTest, TakesHandshakesAloneWithAnInviteAndNotManyOfThem) {
    set({invite("link")});
    EXPECT_EQ(deliver("m", "link", "claim", 0x12), wire::FAILURE_REFUSED);
    for (std::int64_t i = 0; i < limits::invite_envelopes; ++i)
        EXPECT_EQ(deliver(std::to_string(i), "link", "claim", 0x11), wire::FAILURE_UNSPECIFIED);
    EXPECT_EQ(deliver("more", "link", "claim", 0x11), wire::FAILURE_TOKEN_USED);
}

TEST_F(AccessTest, SaysThatAnInviteHasExpired) {
    set({invite("link", 60)});
    rig.pass(60'000);
    EXPECT_EQ(fetch("link", "first"), wire::FAILURE_TOKEN_EXPIRED);
    EXPECT_EQ(deliver("1", "link", "first", 0x11), wire::FAILURE_TOKEN_EXPIRED);
}

TEST_F(AccessTest, ShowsADiscoverableAccountToAnyoneAndTakesHandshakesForItsRequestBox) {
    set({{.word = "token"}}, true);
    EXPECT_EQ(fetch(""), wire::FAILURE_UNSPECIFIED);
    EXPECT_TRUE(stranger->ask(fetch_records_request("bob", "")).has_records());
    EXPECT_EQ(deliver("m", "", "", 0x12), wire::FAILURE_REFUSED);
    int taken = 0;
    auto last = wire::FAILURE_UNSPECIFIED;
    for (int i = 0; i < 100 && last == wire::FAILURE_UNSPECIFIED; ++i) {
        last = deliver("h" + std::to_string(i), "", "", 0x11);
        taken += last == wire::FAILURE_UNSPECIFIED ? 1 : 0;
    }
    EXPECT_EQ(last, wire::FAILURE_RATE);
    EXPECT_EQ(taken, static_cast<int>(limits::request_box_burst));
    set({{.word = "token"}}, false);
    EXPECT_EQ(fetch(""), wire::FAILURE_REFUSED);
}

TEST_F(AccessTest, LetsAnAccountFetchItsOwn) {
    EXPECT_TRUE(owner->ask(fetch_records_request("bob", "")).has_records());
    EXPECT_EQ(code_of(owner->ask(fetch_records_request("alice", ""))), wire::FAILURE_REFUSED);
}

TEST_F(AccessTest, RefusesTokenTablesOutOfShape) {
    const auto code = [&](const std::vector<Entry>& entries) { return code_of(set(entries)); };
    EXPECT_EQ(code({{.word = "a"}, {.word = "a"}}), wire::FAILURE_MALFORMED);
    EXPECT_EQ(code({{.word = "a", .kind = wire::TOKEN_KIND_UNSPECIFIED}}), wire::FAILURE_MALFORMED);
    EXPECT_EQ(code({{.word = "a", .kind = wire::TOKEN_KIND_INVITE}}), wire::FAILURE_MALFORMED);
    EXPECT_EQ(code({{.word = "a", .expires = 1ULL << 60U}}), wire::FAILURE_MALFORMED);
    std::vector<Entry> many;
    for (std::size_t i = 0; i <= limits::shared_tokens; ++i)
        many.push_back({.word = "t" + std::to_string(i)});
    EXPECT_EQ(code(many), wire::FAILURE_TOO_LARGE);
    wire::Request request;
    request.mutable_set_tokens()->add_tokens()->set_hash("short");
    request.mutable_set_tokens()->mutable_tokens(0)->set_kind(wire::TOKEN_KIND_SHARED);
    EXPECT_EQ(code_of(owner->ask(request)), wire::FAILURE_MALFORMED);
}

TEST_F(AccessTest, HoldsTenThousandTokensAndNoMore) {
    std::vector<Entry> many;
    for (std::size_t i = 0; i < protocol::max_tokens; ++i)
        many.push_back({.word = "t" + std::to_string(i), .kind = wire::TOKEN_KIND_RECOVERY});
    EXPECT_TRUE(set(many).has_done());
    EXPECT_EQ(fetch("t9999"), wire::FAILURE_UNSPECIFIED);
    many.push_back({.word = "one more", .kind = wire::TOKEN_KIND_RECOVERY});
    EXPECT_EQ(code_of(set(many)), wire::FAILURE_TOO_LARGE);
}

TEST_F(AccessTest, IsNotChangedWithoutEnd) {
    auto code = wire::FAILURE_UNSPECIFIED;
    int changes = 0;
    for (; changes < 200 && code == wire::FAILURE_UNSPECIFIED; ++changes)
        code = code_of(set({{.word = "token"}}));
    EXPECT_EQ(code, wire::FAILURE_RATE);
    EXPECT_LE(changes, static_cast<int>(limits::changes_burst));
    rig.pass(1000);
    EXPECT_TRUE(set({{.word = "token"}}).has_done());
}

TEST_F(AccessTest, StoresNoTokenAndNoClaimAsItIs) {
    set({{.word = "token"}, invite("link")});
    EXPECT_EQ(fetch("link", "claimed"), wire::FAILURE_UNSPECIFIED);
    const auto rows = rig.with_store([](Stores& stores) {
        std::vector<TokenRow> found;
        for (const auto* word : {"token", "link"}) {
            TokenHash hash{};
            const auto text = token_hash_of(word);
            std::ranges::copy(bytes_of(text), hash.begin());
            found.push_back(stores.tokens.find(1, hash).value());
            TokenHash plain{};
            const auto secret = token(word);
            std::ranges::copy(bytes_of(secret), plain.begin());
            EXPECT_FALSE(stores.tokens.find(1, plain));
        }
        return found;
    });
    ASSERT_TRUE(rows->at(1).claim_hash);
    EXPECT_EQ(std::string{chars_of(*rows->at(1).claim_hash)}.find(claim("claimed")), std::string::npos);
}

// ---- how fast one connection may ask ----

class Rate : public testing::Test {
  protected:
    wire::Reply ping() {
        wire::Request request;
        request.mutable_ping();
        return peer->ask(request);
    }
    void spend(double requests) {
        for (int i = 0; i < static_cast<int>(requests); ++i) ASSERT_TRUE(ping().has_done()) << i;
    }
    Rig rig;
    std::unique_ptr<Peer> peer = rig.connect(Purpose::delivery);
};

TEST_F(Rate, RefusesWhatIsTooFastAndThenClosesTheConnection) {
    spend(limits::requests_burst);
    for (std::uint32_t i = 0; i < limits::rate_violations; ++i)
        ASSERT_EQ(code_of(ping()), wire::FAILURE_RATE) << i;
    EXPECT_FALSE(peer->closed());
    EXPECT_EQ(code_of(ping()), wire::FAILURE_RATE);
    EXPECT_TRUE(peer->closed());
}

TEST_F(Rate, IsRefilledByTheSecond) {
    spend(limits::requests_burst);
    const auto refused = ping();
    EXPECT_EQ(code_of(refused), wire::FAILURE_RATE);
    EXPECT_GT(refused.failure().retry_after_ms(), 0U);
    rig.pass(1000);
    spend(limits::requests_per_second);
    EXPECT_EQ(code_of(ping()), wire::FAILURE_RATE);
}

}  // namespace
}  // namespace sotto::keyserver::test
