#include "bench/loadgen/identity.hpp"

#include <chrono>
#include <stdexcept>

#include "sotto/crypto/prekeys.hpp"

namespace sotto::loadgen {
namespace {

using crypto::KemKeyPair;
using crypto::KemPrekey;
using crypto::KemPrekeyKind;

[[nodiscard]] crypto::AccountRecord first_record(const std::string& user, const std::string& server_name,
                                                 const crypto::AccountKeyPair& account,
                                                 const crypto::DeviceSigningKey& signing, crypto::Rng& rng) {
    const crypto::RecordBody body{
        .address = {.user = user, .server = server_name},
        .day = today(),
        .account_key = account.public_key(),
        .predecessor = std::nullopt,
        .devices = {{.id = Identity::device,
                     .signing_key = signing,
                     .identity_key = crypto::IdentityKeyPair::generate(rng).public_key(),
                     .versions = {crypto::protocol_version}}},
        .extensions = {}};
    auto record = crypto::AccountRecord::sign(body, account);
    if (!record) throw std::invalid_argument("no record can be made for " + body.address.text());
    return *std::move(record);
}

void put(std::string& field, ByteView bytes) {
    field = chars_of(bytes);
}

}  // namespace

std::uint32_t today() {
    const auto now = std::chrono::system_clock::now();
    return static_cast<std::uint32_t>(std::chrono::floor<std::chrono::days>(now).time_since_epoch().count());
}

Identity::Identity(const std::string& user, const std::string& server_name, crypto::Rng& rng)
    : Identity(user, server_name, crypto::AccountKeyPair::generate(rng), rng) {}

Identity::Identity(const std::string& user, const std::string& server_name,
                   const crypto::AccountKeyPair& account, crypto::Rng& rng)
    : signing_(crypto::DeviceSigningKeyPair::generate(rng)),
      record_(first_record(user, server_name, account, signing_.public_key(), rng)),
      token_(rng.secret<crypto::Token>()) {}

crypto::Signature Identity::prove(crypto::LoginPurpose purpose, FixedView<32> nonce,
                                  const std::optional<Array<32>>& exporter) const {
    const auto& address = record_.body().address;
    crypto::LoginChallenge challenge{.purpose = purpose,
                                     .server_name = address.server,
                                     .account = address,
                                     .device = device,
                                     .nonce = {},
                                     .exporter = exporter};
    copy_bytes(nonce, challenge.nonce);
    return crypto::prove_login(challenge, signing_);
}

void Identity::fill(wire::SetTokens& request) const {
    auto& entry = *request.add_tokens();
    put(*entry.mutable_hash(), crypto::token_hash(token_));
    entry.set_kind(wire::TOKEN_KIND_SHARED);
}

void Identity::fill(wire::PublishPrekeys& request, crypto::Rng& rng) const {
    const auto day = today();
    const auto kem = [&](KemPrekeyKind kind, std::uint32_t id) {
        return KemPrekey::make(kind, id, KemKeyPair::generate(rng), day, device, signing_).encode();
    };
    put(*request.mutable_signed_prekey(),
        crypto::SignedPrekey::make(1, crypto::SignedPrekeyPair::generate(rng), day, record_, device, signing_)
            .encode());
    put(*request.mutable_last_resort(), kem(KemPrekeyKind::last_resort, 1));
    for (std::uint32_t id = 1; id <= crypto::prekey_batch; ++id) {
        // KEM prekeys of both kinds are numbered together.
        put(*request.add_one_time_kem(), kem(KemPrekeyKind::one_time, id + 1));
        const crypto::OneTimePrekey one_time{.id = id,
                                             .key = crypto::OneTimePrekeyPair::generate(rng).public_key()};
        put(*request.add_one_time(), one_time.encode());
    }
}

}  // namespace sotto::loadgen
