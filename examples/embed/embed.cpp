// Two people, one process, no network: what a program has to do to talk end-to-end encrypted with
// sotto::crypto alone. Bob publishes prekeys; Alice makes a session from them and sends; Bob accepts and
// answers; Alice opens the answer.
//
// The library keeps nothing. Whatever a call returns as the next session has to be stored before its envelope
// is sent or its plaintext is shown.
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string_view>
#include <utility>

#include "sotto/crypto/prekeys.hpp"
#include "sotto/crypto/record.hpp"
#include "sotto/crypto/safety_number.hpp"
#include "sotto/crypto/session.hpp"

namespace {

namespace crypto = sotto::crypto;

constexpr std::uint32_t today = 20'000;  // days since 1970-01-01; a real program asks its clock
constexpr std::int64_t now_ms = today * 86'400'000LL;
constexpr std::uint32_t first_device = 1;

/// The value, or the end of the program with the error's name: an example has nobody to hand it to.
template <class T>
T need(crypto::Result<T> result, std::string_view step) {
    if (!result) {
        std::cerr << step << ": " << crypto::name(result.error()) << '\n';
        std::exit(EXIT_FAILURE);
    }
    return std::move(*result);
}

/// An account with its one device. The account key only signs the record; the device's keys do the rest.
struct Person {
    Person(std::string_view address, crypto::Rng& rng)
        : account(crypto::AccountKeyPair::generate(rng)),
          signing(crypto::DeviceSigningKeyPair::generate(rng)),
          identity(crypto::IdentityKeyPair::generate(rng)),
          record(
              need(crypto::AccountRecord::sign({.address = need(crypto::Address::parse(address), "address"),
                                                .day = today,
                                                .account_key = account.public_key(),
                                                .predecessor = std::nullopt,
                                                .devices = {{.id = first_device,
                                                             .signing_key = signing.public_key(),
                                                             .identity_key = identity.public_key(),
                                                             .versions = {crypto::protocol_version}}},
                                                .extensions = {}},
                                               account),
                   "record")) {}

    [[nodiscard]] crypto::LocalDevice device() const {
        return {.record = record, .device = first_device, .identity = identity};
    }

    crypto::AccountKeyPair account;
    crypto::DeviceSigningKeyPair signing;
    crypto::IdentityKeyPair identity;
    crypto::AccountRecord record;
};

/// The secret halves of what Bob publishes. The one-time keys are deleted once they have opened a first
/// message.
struct Prekeys {
    explicit Prekeys(crypto::Rng& rng)
        : signed_prekey(crypto::SignedPrekeyPair::generate(rng)),
          one_time(crypto::OneTimePrekeyPair::generate(rng)),
          kem(crypto::KemKeyPair::generate(rng)) {}

    /// What a server hands to somebody who wants to write to this person.
    [[nodiscard]] crypto::PrekeyBundle bundle(const Person& owner) const {
        return {.record = owner.record,
                .device = first_device,
                .signed_prekey = crypto::SignedPrekey::make(1, signed_prekey, today, owner.record,
                                                            first_device, owner.signing),
                .kem_prekey = crypto::KemPrekey::make(crypto::KemPrekeyKind::one_time, 1, kem, today,
                                                      first_device, owner.signing),
                .one_time_prekey = crypto::OneTimePrekey{.id = 1, .key = one_time.public_key()}};
    }

    crypto::SignedPrekeyPair signed_prekey;
    crypto::OneTimePrekeyPair one_time;
    crypto::KemKeyPair kem;
};

bool same(const crypto::SecretBytes& opened, std::string_view expected) {
    return sotto::chars_of(opened) == expected;
}

}  // namespace

int main() {
    crypto::SystemRng rng;
    const Person alice{"alice@example.org", rng};
    const Person bob{"bob@example.org", rng};
    const Prekeys prekeys{rng};

    // Alice has fetched Bob's bundle from wherever he published it. `initiate` checks every signature in it.
    const auto begun =
        need(crypto::initiate(alice.device(), prekeys.bundle(bob), nullptr, today, rng), "initiate");
    const auto question = need(begun.seal(sotto::bytes_of("Are you there?"), now_ms, rng), "seal");

    // Bob sees bytes. A real program first looks whether one of its sessions finds the envelope; this one
    // begins a new one.
    const auto first = need(crypto::Envelope::parse(question.envelope), "parse");
    const crypto::ResponderKeys keys{.signed_prekey = prekeys.signed_prekey,
                                     .one_time_prekey = &prekeys.one_time,
                                     .kem_prekey = prekeys.kem};
    const auto accepted = need(crypto::accept(bob.device(), keys, first, now_ms, rng), "accept");
    const auto answer = need(accepted.first.next.seal(sotto::bytes_of("I am."), now_ms, rng), "seal");

    // Alice finds the session that the answer belongs to, and opens it.
    const auto second = need(crypto::Envelope::parse(answer.envelope), "parse");
    const auto match = need(question.next.find(second), "find");
    const auto opened = need(question.next.open(second, match, nullptr, now_ms, rng), "open");

    if (!same(accepted.first.content, "Are you there?") || !same(opened.content, "I am.")) {
        std::cerr << "what was opened is not what was sealed\n";
        return EXIT_FAILURE;
    }
    // The names that arrived are only claimed until both sides have compared this number.
    const auto& claimed = accepted.initiator.body();
    std::cout << claimed.address.text() << " asked: " << sotto::chars_of(accepted.first.content) << '\n'
              << bob.record.body().address.text() << " answered: " << sotto::chars_of(opened.content) << '\n'
              << "safety number: "
              << crypto::safety_number(bob.account.public_key(), bob.record.body().address,
                                       claimed.account_key, claimed.address)
              << '\n';
    return EXIT_SUCCESS;
}
