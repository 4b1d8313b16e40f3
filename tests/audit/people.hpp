// Two people, and a conversation between them: the one place of the audit that calls the handshake and the
// session, so that a change of their interface is followed here.
#pragma once

#include <map>
#include <optional>
#include <stdexcept>
#include <string>

#include "sotto/crypto/session.hpp"

namespace sotto::audit {

inline constexpr std::uint32_t today = 20000;
inline constexpr std::int64_t now_ms = std::int64_t{today} * 86'400'000;

/// What a result holds; a check in which this fails has failed.
template <class T, class E>
[[nodiscard]] T must(std::expected<T, E> result, const char* what) {
    if (!result) throw std::runtime_error(std::string{what} + " did not succeed");
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// A generator whose every byte can be told: for vectors that name their randomness.
class GivenRng final : public crypto::Rng {
  public:
    explicit GivenRng(Bytes bytes) : bytes_(std::move(bytes)) {}
    void fill(std::span<std::byte> out) override;

  private:
    Bytes bytes_;
    std::size_t at_ = 0;
};

/// An account with one device and one prekey of each kind.
struct Person {
    Person(std::string_view address, crypto::Rng& generator, std::uint32_t device_id = 1);

    [[nodiscard]] crypto::RecordBody body(std::string_view address) const;
    [[nodiscard]] crypto::PrekeyBundle bundle(bool one_time_keys = true, std::uint32_t day = today - 1) const;
    [[nodiscard]] crypto::LocalDevice local() const { return {record, device, identity}; }
    [[nodiscard]] crypto::ResponderKeys keys_for(const crypto::HandshakeHeader& header) const;
    void sign_again(const crypto::RecordBody& body);

    crypto::Rng* rng;
    crypto::AccountKeyPair account;
    std::uint32_t device;
    crypto::DeviceSigningKeyPair signing;
    crypto::IdentityKeyPair identity;
    crypto::SignedPrekeyPair signed_prekey;
    crypto::OneTimePrekeyPair one_time;
    crypto::KemKeyPair kem_one_time;
    crypto::KemKeyPair kem_last;
    crypto::AccountRecord record;
};

[[nodiscard]] crypto::Result<crypto::Session> begin(const Person& from, const crypto::PrekeyBundle& to,
                                                    const crypto::InviteSecret* invite = nullptr);
[[nodiscard]] crypto::Result<crypto::Accepted> answer(const Person& self, ByteView envelope);

/// One end of a session with its kept keys. Every step goes through the serialised state, and a refusal has
/// to leave that as it was.
class End {
  public:
    End(crypto::Session session, crypto::Rng& rng) : session_(std::move(session)), rng_(&rng) {}
    End(crypto::Opened first, crypto::Rng& rng);

    [[nodiscard]] Bytes seal(ByteView content);
    [[nodiscard]] Bytes seal(std::string_view content) { return seal(bytes_of(content)); }
    /// The content, or why not. Throws if a refusal changed the state.
    [[nodiscard]] crypto::Result<std::string> open(ByteView envelope);
    /// True if it opened to this.
    [[nodiscard]] bool hears(ByteView envelope, std::string_view content);
    /// True if it was refused, as this error if one is given.
    [[nodiscard]] bool refuses(ByteView envelope, std::optional<crypto::Error> as = std::nullopt);

    /// All that the device knows of this conversation, as a thief or a snapshot has it.
    [[nodiscard]] End copy(crypto::Rng& rng) const;
    [[nodiscard]] const crypto::Session& session() const { return session_; }
    [[nodiscard]] std::size_t kept() const { return keys_.size(); }
    [[nodiscard]] bool late() const { return late_; }

  private:
    [[nodiscard]] crypto::Result<crypto::Opened> try_open(ByteView envelope);
    void store(crypto::Opened& opened);
    void reload();

    crypto::Session session_;
    crypto::Rng* rng_;
    std::map<std::pair<std::uint32_t, std::uint32_t>, crypto::MessageKey> keys_;
    bool late_ = false;
};

/// How far two people have come.
enum class Begun : std::uint8_t {
    answered,     ///< Bob has answered; Alice's next message offers the first post-quantum epoch
    first_epoch,  ///< both are in it, and nothing of the next one is under way
};

/// Alice has written to Bob and Bob has answered.
struct Conversation {
    explicit Conversation(crypto::Rng& rng, Begun begun = Begun::first_epoch);
    /// A message in each direction.
    [[nodiscard]] bool round_trip();
    /// The same, somebody else listening with a copy of Bob's state.
    [[nodiscard]] bool round_trip_before(End& listener);

    Person alice_person;
    Person bob_person;
    End alice;
    End bob;
};

/// `envelope` with one bit changed.
[[nodiscard]] Bytes flipped(ByteView bytes, std::size_t at, unsigned bit = 0);

}  // namespace sotto::audit
