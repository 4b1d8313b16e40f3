// Two people with devices, records and prekeys, and the plumbing of a conversation between them.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "sotto/crypto/codec.hpp"
#include "sotto/crypto/session.hpp"

namespace sotto::crypto::test {

inline constexpr std::uint32_t today = 20000;
inline constexpr std::int64_t now_ms = std::int64_t{today} * 86'400'000;

inline ByteView text(std::string_view words) {
    return bytes_of(words);
}
inline std::string words(ByteView bytes) {
    return std::string{chars_of(bytes)};
}

/// An account with one device and one prekey of each kind.
struct Person {
    Person(std::string_view address, std::uint64_t seed, std::uint32_t device_id = 1)
        : rng(seed),
          account(AccountKeyPair::generate(rng)),
          device(device_id),
          signing(DeviceSigningKeyPair::generate(rng)),
          identity(IdentityKeyPair::generate(rng)),
          signed_prekey(SignedPrekeyPair::generate(rng)),
          one_time(OneTimePrekeyPair::generate(rng)),
          kem_one_time(KemKeyPair::generate(rng)),
          kem_last(KemKeyPair::generate(rng)),
          record(AccountRecord::sign(body(address), account).value()) {}

    [[nodiscard]] RecordBody body(std::string_view address) const {
        return RecordBody{Address::parse(address).value(),
                          1,
                          {},
                          today - 5,
                          account.public_key(),
                          std::nullopt,
                          {Device{device, signing.public_key(), identity.public_key(), {1}}},
                          {}};
    }

    [[nodiscard]] PrekeyBundle bundle(bool with_one_time = true, std::uint32_t day = today - 1) const {
        const auto kind = with_one_time ? KemPrekeyKind::one_time : KemPrekeyKind::last_resort;
        PrekeyBundle out{record, device, SignedPrekey::make(11, signed_prekey, day, record, device, signing),
                         KemPrekey::make(kind, with_one_time ? 33 : 44,
                                         with_one_time ? kem_one_time : kem_last, day, device, signing),
                         std::nullopt};
        if (with_one_time) out.one_time_prekey = OneTimePrekey{22, one_time.public_key()};
        return out;
    }

    [[nodiscard]] LocalDevice local() const { return {record, device, identity}; }

    [[nodiscard]] ResponderKeys responder_keys(const HandshakeHeader& header) const {
        return {signed_prekey, header.one_time_prekey ? &one_time : nullptr,
                header.kem_kind == KemPrekeyKind::one_time ? kem_one_time : kem_last};
    }

    SeededRng rng;
    AccountKeyPair account;
    std::uint32_t device;
    DeviceSigningKeyPair signing;
    IdentityKeyPair identity;
    SignedPrekeyPair signed_prekey;
    OneTimePrekeyPair one_time;
    KemKeyPair kem_one_time;
    KemKeyPair kem_last;
    AccountRecord record;
};

inline Person alice() {
    return Person{"alice@chat.example", 1};
}
inline Person bob() {
    return Person{"bob@chat.example", 2, 7};
}

inline Result<Session> start(Person& from, const Person& to, const InviteSecret* invite = nullptr,
                             bool one_time = true) {
    return initiate(from.local(), to.bundle(one_time), invite, today, from.rng);
}

inline Result<Accepted> answer(Person& self, ByteView envelope, std::int64_t now = now_ms) {
    const auto parsed = Envelope::parse(envelope);
    if (!parsed) return std::unexpected(parsed.error());
    const auto header = parse_handshake(*parsed);
    if (!header) return std::unexpected(header.error());
    return accept(self.local(), self.responder_keys(*header), *parsed, now, self.rng);
}

/// One end of a session with its store of kept keys. Each step goes through the serialised form, so that
/// everything that matters is seen to be in it.
class End {
  public:
    End(Session session, std::uint64_t seed) : session_(std::move(session)), rng_(seed) {}
    End(Opened first, std::uint64_t seed) : session_(first.next.clone()), rng_(seed) { store(first); }

    [[nodiscard]] Bytes seal(std::string_view content) {
        reload();
        auto sealed = session_.seal(text(content), now, rng_);
        EXPECT_TRUE(sealed.has_value());
        session_ = std::move(sealed->next);
        return std::move(sealed->envelope);
    }

    /// The content, or the error; on an error the state must be what it was.
    [[nodiscard]] Result<std::string> open(ByteView envelope) {
        reload();
        const auto before = session_.serialize();
        auto opened = try_open(envelope);
        if (!opened) {
            EXPECT_EQ(before, session_.serialize());
            return std::unexpected(opened.error());
        }
        late = opened->late;
        store(*opened);
        session_ = std::move(opened->next);
        return words(opened->content);
    }

    [[nodiscard]] Result<Opened> try_open(ByteView envelope) {
        const auto parsed = Envelope::parse(envelope);
        if (!parsed) return std::unexpected(parsed.error());
        const auto match = session_.find(*parsed);
        if (!match) return std::unexpected(match.error());
        const MessageKey* kept = nullptr;
        if (match->needs) {
            const auto found = keys.find({match->needs->chain, match->needs->n});
            if (found != keys.end()) kept = &found->second;
        }
        return session_.open(*parsed, *match, kept, now, rng_);
    }

    [[nodiscard]] const Session& session() const { return session_; }
    [[nodiscard]] Session& session() { return session_; }
    [[nodiscard]] SeededRng& rng() { return rng_; }
    void drop(std::uint32_t chain) {
        std::erase_if(keys, [chain](const auto& entry) { return entry.first.first == chain; });
    }

    std::map<std::pair<std::uint32_t, std::uint32_t>, MessageKey> keys;
    std::int64_t now = now_ms;
    bool late = false;

  private:
    void store(Opened& opened) {
        for (const auto chain : opened.dropped_chains) drop(chain);
        for (auto& key : opened.kept) keys.emplace(std::pair{key.chain, key.n}, std::move(key.key));
        if (opened.used) keys.erase({opened.used->chain, opened.used->n});
    }
    void reload() {
        const auto bytes = session_.serialize();
        auto parsed = Session::parse(bytes);
        ASSERT_TRUE(parsed.has_value());
        EXPECT_EQ(bytes, parsed->serialize());
        session_ = std::move(*parsed);
    }
    Session session_;
    SeededRng rng_;
};

/// Alice has written "hello" to Bob, and Bob has answered "hi": both have sending and receiving chains. The
/// next message of Alice's begins the first post-quantum epoch.
struct FreshConversation {
    FreshConversation()
        : a(alice()),
          b(bob()),
          alice_end(start(a, b).value(), 100),
          bob_end(answer(b, alice_end.seal("hello")).value().first, 200) {
        EXPECT_EQ(alice_end.open(bob_end.seal("hi")).value(), "hi");
    }
    /// A message of Alice's and an answer of Bob's, after which both have turned their chains.
    void round_trip() {
        EXPECT_EQ(bob_end.open(alice_end.seal("ping")).value(), "ping");
        EXPECT_EQ(alice_end.open(bob_end.seal("pong")).value(), "pong");
    }
    Person a;
    Person b;
    End alice_end;
    End bob_end;
};

/// The same with the first epoch behind them: no message carries anything for the next one yet.
struct Conversation : FreshConversation {
    Conversation() {
        round_trip();  // the key and its ciphertext
        round_trip();  // both enter the epoch
        EXPECT_EQ(alice_end.session().epoch(), 1U);
        EXPECT_EQ(bob_end.session().epoch(), 1U);
    }
};

}  // namespace sotto::crypto::test
