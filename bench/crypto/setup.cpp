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

Bytes first_message(const audit::Person& self, std::uint32_t device, const Fetched& peer,
                    crypto::AccountRecord record) {
    const crypto::PrekeyBundle bundle{
        std::move(record), device,
        must(crypto::SignedPrekey::decode(peer.signed_prekey), "reading a signed prekey"),
        must(crypto::KemPrekey::decode(peer.kem_prekey), "reading a KEM prekey"),
        must(crypto::OneTimePrekey::decode(peer.one_time_prekey), "reading a one-time prekey")};
    End end{must(crypto::initiate(self.local(), bundle, nullptr, audit::today, system_rng()), "initiating")};
    return end.seal(content());
}

crypto::AccountRecord record_of(const Fetched& peer) {
    return must(crypto::AccountRecord::parse(peer.record), "reading a record");
}

/// What is served with the prekeys is, byte for byte, what is pinned: it was checked when it was pinned.
void to_a_contact(benchmark::State& state) {
    const People people;
    const auto fetched = people.fetched();
    const auto pinned = record_of(fetched);
    for ([[maybe_unused]] auto _ : state) {
        if (!std::ranges::equal(pinned.bytes(), fetched.record)) throw std::runtime_error("another record");
        benchmark::DoNotOptimize(first_message(people.alice, people.bob.device, fetched, pinned));
    }
}

void to_a_stranger(benchmark::State& state) {
    const People people;
    const auto fetched = people.fetched();
    for ([[maybe_unused]] auto _ : state)
        benchmark::DoNotOptimize(first_message(people.alice, people.bob.device, fetched, record_of(fetched)));
}

void responder(benchmark::State& state) {
    const People people;
    const auto fetched = people.fetched();
    const auto envelope = first_message(people.alice, people.bob.device, fetched, record_of(fetched));
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
    const auto bytes = first_message(people.alice, people.bob.device, fetched, record_of(fetched));
    const auto envelope = must(crypto::Envelope::parse(bytes), "parsing an envelope");
    return {fetched.record.size() - crypto::signature_size + with_label,
            fetched.signed_prekey.size() - crypto::signature_size + with_label,
            fetched.kem_prekey.size() - crypto::signature_size + with_label,
            envelope.handshake().size() - clear - tag,
            envelope.body().size() - tag,
            crypto::encoded_kem_key_size + crypto::encoded_kem_ciphertext_size +
                9 * crypto::encoded_key_size + 2 * 32 + 2 * 24};
}

/// All but the peer's record.
void initiate(Bare& b, const Amounts& size) {
    b.verify(size.signed_prekey);
    b.verify(size.kem_prekey);
    b.agreement_key();
    b.encapsulate();
    for (int dh = 1; dh <= 4; ++dh) b.agree();
    b.hash(size.transcript);
    b.handshake_kdf();
    b.seal_body(size.identity);
    b.handshake_kdf();
    for (int key = 0; key < 3; ++key) b.header_hint_key();
    b.agreement_key();
    b.seal_message(size.body);
}

void read_record(Bare& b, const Amounts& size) {
    b.check_point();
    b.check_point();
    b.verify(size.record);
}

}  // namespace

void add_setup(Jobs& jobs) {
    const auto size = amounts();
    constexpr auto calls =
        "2 signatures checked, 4 X25519 and ML-KEM encapsulation, 2 HKDF, base and ratchet key, identity and "
        "message sealed";
    jobs.add({"initiator, to a contact: prekeys read and checked, session, first message", 470.0, calls},
             to_a_contact, [size](Bare& b) { initiate(b, size); });
    jobs.add({"initiator, to a stranger: the record read and checked as well", 470.0,
              std::string{calls} + "; 1 signature and 2 Ed25519 keys checked"},
             to_a_stranger, [size](Bare& b) {
                 read_record(b, size);
                 initiate(b, size);
             });
    jobs.add(
        {"responder: session made, first message opened", 420.0,
         "4 X25519, ML-KEM key expanded and decapsulation, 1 signature and 2 Ed25519 keys checked, 2 HKDF, "
         "identity and message opened"},
        responder, [size](Bare& b) {
            for (int dh = 2; dh <= 4; ++dh) b.agree();
            b.kem_key();
            b.decapsulate();
            b.handshake_kdf();
            b.open_body(size.identity);
            read_record(b, size);
            b.agree();
            b.hash(size.transcript);
            b.handshake_kdf();
            for (int key = 0; key < 3; ++key) b.header_hint_key();
            b.open_message(size.body);
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
