// Weak and confused keys.
#include "attacks.hpp"
#include "bare.hpp"
#include "forge.hpp"
#include "sotto/crypto/codec.hpp"
#include "vectors.hpp"

namespace sotto::audit {

using namespace crypto;  // NOLINT(google-build-using-namespace)

namespace {

/// u-coordinates of low order, their forms above the prime, and the prime's neighbours (cr.yp.to/ecdh.html).
std::vector<Bytes> weak_x25519() {
    std::vector<Bytes> out;
    for (const char* const hex : {"0000000000000000000000000000000000000000000000000000000000000000",
                                  "0100000000000000000000000000000000000000000000000000000000000000",
                                  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                                  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                                  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                  "cdeb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
                                  "4c9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7",
                                  "d9ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                                  "daffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                                  "dbffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"})
        out.push_back(must(from_hex(hex), "hexadecimal"));
    return out;
}

/// Points of order 1, 2, 4 and 8, and encodings that are not canonical.
std::vector<Bytes> weak_ed25519() {
    std::vector<Bytes> out;
    for (const char* const hex : {"0100000000000000000000000000000000000000000000000000000000000000",
                                  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                  "0000000000000000000000000000000000000000000000000000000000000000",
                                  "0000000000000000000000000000000000000000000000000000000000000080",
                                  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                                  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
                                  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                                  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
                                  "0100000000000000000000000000000000000000000000000000000000000080",
                                  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"})
        out.push_back(must(from_hex(hex), "hexadecimal"));
    return out;
}

template <class Key>
void refuses(Check& check, KeyType type, ByteView raw, std::string_view role) {
    check.expect(!Key::decode(encoded(type, raw)), std::string{"a weak key as "} + std::string{role});
}

/// Replaces the 32 bytes behind `before` in an encoding that is otherwise right.
Bytes with_key(Bytes whole, std::size_t at, ByteView key) {
    std::ranges::copy(key, whole.begin() + static_cast<std::ptrdiff_t>(at));
    return whole;
}

void everywhere(Check& check, SystemRng& rng, ByteView weak) {
    constexpr auto type = KeyType::x25519;
    refuses<IdentityKey>(check, type, weak, "identity key");
    refuses<SignedPrekeyPublic>(check, type, weak, "signed prekey");
    refuses<OneTimePrekeyPublic>(check, type, weak, "one-time prekey");
    refuses<EphemeralKey>(check, type, weak, "ephemeral key");
    refuses<RatchetKey>(check, type, weak, "ratchet key");

    const Person bob{"bob@chat.example", rng, 7};
    const auto bundle = bob.bundle();
    check.expect(!SignedPrekey::decode(with_key(bundle.signed_prekey.encode(), 9, weak)),
                 "in a signed prekey");
    check.expect(!OneTimePrekey::decode(with_key(bundle.one_time_prekey->encode(), 5, weak)),
                 "in a one-time prekey");

    const Person alice{"alice@chat.example", rng};
    const auto hello = End{must(begin(alice, bundle), "beginning"), rng}.seal("hello");
    const auto bent = with_key(hello, 1 + 2 + 21 + 1, weak);
    const auto header = parse_handshake(*Envelope::parse(bent));
    check.expect(!header && header.error() == Error::bad_key, "as base key of a handshake");
    check.expect(!answer(bob, bent), "as base key of a first message");

    Conversation c{rng};
    Array<32> key;
    std::ranges::copy(weak, key.begin());
    // In a header that the peer encrypts under the right key.
    check.expect(c.bob.refuses(with_header(c.alice.session(), "x", {.ratchet_key = key}, rng)),
                 "as ratchet key in an authentic header");
    check.expect(c.round_trip(), "and the session goes on");
}

}  // namespace

void attack_weak_keys(Check& check) {
    SystemRng rng;
    for (const auto& weak : weak_x25519()) {
        everywhere(check, rng, weak);
        const auto secret = rng.bytes<32>();
        Array<32> out;
        const bool agreed = detail::x25519(secret, fixed<32>(weak), out);
        check.expect(agreed == (out != Array<32>{}), "an all-zero agreement is reported");
    }
    for (int i = 0; i < 20; ++i) {
        auto high = to_bytes(IdentityKeyPair::generate(rng).public_key().raw());
        high.back() |= std::byte{0x80};
        refuses<IdentityKey>(check, KeyType::x25519, high, "identity key with its high bit set");
    }
    for (const auto& weak : weak_ed25519()) {
        refuses<AccountKey>(check, KeyType::ed25519, weak, "account key");
        refuses<DeviceSigningKey>(check, KeyType::ed25519, weak, "signing key");
    }
    // A good point and a point of order 8 added: it is on the curve, but not in the main subgroup.
    const auto order_eight = weak_ed25519().at(4);
    for (int i = 0; i < 20; ++i) {
        const auto good = AccountKeyPair::generate(rng).public_key();
        const auto torsioned = bare::ed25519_add(good.raw(), fixed<32>(order_eight));
        if (!check.expect(torsioned.has_value(), "the points can be added")) continue;
        refuses<AccountKey>(check, KeyType::ed25519, *torsioned, "account key with torsion");
        check.expect(AccountKey::decode(good.encode()).has_value(), "the good one is taken");
    }
}

void attack_key_confusion(Check& check) {
    SystemRng rng;
    const Person alice{"alice@chat.example", rng};
    Person bob{"bob@chat.example", rng, 7};
    const auto ec = bob.identity.public_key().encode();
    const auto ed = bob.account.public_key().encode();
    const auto kem = bob.kem_last.public_key().encode();
    check.expect(!KemPublicKey::decode(ec) && !KemPublicKey::decode(ed), "an EC key as KEM key");
    check.expect(!IdentityKey::decode(kem) && !AccountKey::decode(kem), "a KEM key as EC key");
    check.expect(!IdentityKey::decode(ed) && !AccountKey::decode(ec), "a signing key as identity key");
    check.expect(!IdentityKey::decode(ByteView{kem}.first(33)), "the front of a KEM key as EC key");
    check.expect(!KemPublicKey::decode(encoded(KeyType::mlkem768_ciphertext, ByteView{kem}.subspan(1))),
                 "a ciphertext as KEM key");

    const auto bundle = bob.bundle();
    const auto hello_to = [&](const PrekeyBundle& to) {
        return End{must(begin(alice, to), "beginning"), rng}.seal("hello");
    };
    // Changed, and signed again by Bob's own device, so that the signature is not what stops it.
    auto other_key = bundle;
    other_key.kem_prekey = KemPrekey::make(KemPrekeyKind::one_time, 33, KemKeyPair::generate(rng), today,
                                           bob.device, bob.signing);
    check.expect(!answer(bob, hello_to(other_key)), "another KEM key: nothing opens");
    auto other_id = bundle;
    other_id.kem_prekey =
        KemPrekey::make(KemPrekeyKind::one_time, 34, bob.kem_one_time, today, bob.device, bob.signing);
    auto sent = hello_to(other_id);
    check.expect(answer(bob, sent).has_value(), "the id that she named opens");
    for (std::size_t at = 4; at < 16; ++at)
        check.expect(!answer(bob, flipped(sent, at)), "a changed prekey id: nothing opens");
    sent = hello_to(bundle);
    for (std::size_t at = 3 + 54; at < 3 + 1143; at += 16)
        check.expect(!answer(bob, flipped(sent, at, 3)), "a changed KEM ciphertext: nothing opens");
    check.expect(answer(bob, sent).has_value(), "the unchanged one opens");
}

}  // namespace sotto::audit
