#include "bench/crypto/ends.hpp"
#include "bench/crypto/jobs.hpp"

namespace sotto::bench {
namespace {

/// What a server hands out for a fetch.
struct Fetched {
    Bytes record;
    Bytes signed_prekey;
    Bytes kem_prekey;
    Bytes one_time_prekey;
};

struct People {
    audit::Person alice{"alice@chat.example", system_rng()};
    audit::Person bob{"bob@chat.example", system_rng(), 7};

    [[nodiscard]] Fetched fetched() const {
        const auto bundle = bob.bundle();
        return {to_bytes(bundle.record.bytes()), bundle.signed_prekey.encode(), bundle.kem_prekey.encode(),
                crypto::OneTimePrekey{22, bob.one_time.public_key()}.encode()};
    }
};

Bytes first_message(const audit::Person& self, std::uint32_t device, const Fetched& peer) {
    const crypto::PrekeyBundle bundle{
        must(crypto::AccountRecord::parse(peer.record), "reading a record"), device,
        must(crypto::SignedPrekey::decode(peer.signed_prekey), "reading a signed prekey"),
        must(crypto::KemPrekey::decode(peer.kem_prekey), "reading a KEM prekey"),
        must(crypto::OneTimePrekey::decode(peer.one_time_prekey), "reading a one-time prekey")};
    End end{must(crypto::initiate(self.local(), bundle, nullptr, audit::today, system_rng()), "initiating")};
    return end.seal(content());
}

void initiator(benchmark::State& state) {
    const People people;
    const auto fetched = people.fetched();
    for ([[maybe_unused]] auto _ : state)
        benchmark::DoNotOptimize(first_message(people.alice, people.bob.device, fetched));
}

void responder(benchmark::State& state) {
    const People people;
    const auto envelope = first_message(people.alice, people.bob.device, people.fetched());
    for ([[maybe_unused]] auto _ : state)
        benchmark::DoNotOptimize(must(audit::answer(people.bob, envelope), "accepting"));
}

/// How much the calls of libsodium are given, taken from a real first message.
struct Amounts {
    std::size_t record = 0;
    std::size_t signed_prekey = 0;
    std::size_t kem_prekey = 0;
    std::size_t identity = 0;
    std::size_t body = 0;
    std::size_t transcript = 0;
};

Amounts amounts() {
    constexpr std::size_t with_label = 23;  // with the zero after it
    constexpr std::size_t clear = 1 + 4 + 4 + 4 + 8 + crypto::encoded_key_size +
                                  crypto::encoded_kem_ciphertext_size + 2;  // docs/protocol.md section 6
    constexpr std::size_t tag = 16;
    const People people;
    const auto fetched = people.fetched();
    const auto bytes = first_message(people.alice, people.bob.device, fetched);
    const auto envelope = must(crypto::Envelope::parse(bytes), "parsing an envelope");
    return {fetched.record.size() - crypto::signature_size + with_label,
            fetched.signed_prekey.size() - crypto::signature_size + with_label,
            fetched.kem_prekey.size() - crypto::signature_size + with_label,
            envelope.handshake().size() - clear - tag,
            envelope.body().size() - tag,
            crypto::encoded_kem_key_size + crypto::encoded_kem_ciphertext_size +
                9 * crypto::encoded_key_size + 2 * 32 + 2 * 24};
}

void root_in_session(Bare& b) {
    b.agree();
    b.root_step();
    b.header_hint_key();
}

}  // namespace

void add_setup(Jobs& jobs) {
    const auto size = amounts();
    jobs.add({"initiator: bundle read and checked, session, first message", 470.0,
              "3 signatures and 2 Ed25519 keys checked, 4 X25519 and ML-KEM encapsulation, 3 HKDF, base and "
              "ratchet key, the ratchet's own X25519, identity and message sealed"},
             initiator, [size](Bare& b) {
                 b.check_point();
                 b.check_point();
                 b.verify(size.record);
                 b.verify(size.signed_prekey);
                 b.verify(size.kem_prekey);
                 b.agreement_key();
                 b.encapsulate();
                 for (int dh = 1; dh <= 4; ++dh) b.agree();
                 b.hash(size.transcript);
                 b.handshake_kdf();
                 b.seal_body(size.identity);
                 b.handshake_kdf();
                 b.header_hint_key();
                 b.header_hint_key();
                 b.agreement_key();
                 root_in_session(b);
                 b.seal_message(size.body);
             });
    jobs.add(
        {"responder: session made, first message opened", 420.0,
         "4 X25519, ML-KEM key expanded and decapsulation, 1 signature and 2 Ed25519 keys checked, 4 HKDF, "
         "the ratchet's two X25519 and one key pair, identity and message opened"},
        responder, [size](Bare& b) {
            for (int dh = 2; dh <= 4; ++dh) b.agree();
            b.kem_key();
            b.decapsulate();
            b.handshake_kdf();
            b.open_body(size.identity);
            b.check_point();
            b.check_point();
            b.verify(size.record);
            b.agree();
            b.hash(size.transcript);
            b.handshake_kdf();
            b.header_hint_key();
            b.header_hint_key();
            b.open_message(size.body);
            b.turn();
        });
    jobs.add_call("of the initiator's: 4 X25519, ML-KEM encapsulation, 3 signatures checked",
                  [size](Bare& b) {
                      for (int dh = 1; dh <= 4; ++dh) b.agree();
                      b.encapsulate();
                      b.verify(size.record);
                      b.verify(size.signed_prekey);
                      b.verify(size.kem_prekey);
                  });
    jobs.add_call("of the responder's: 4 X25519, ML-KEM key and decapsulation, 1 signature checked",
                  [size](Bare& b) {
                      for (int dh = 1; dh <= 4; ++dh) b.agree();
                      b.kem_key();
                      b.decapsulate();
                      b.verify(size.record);
                  });
}

}  // namespace sotto::bench
