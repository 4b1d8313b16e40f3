// Presence: what a contact is given to find a person's status by, and the status itself. docs/protocol.md
// section 15.1.
#pragma once

#include <optional>
#include <string>

#include "sotto/crypto/error.hpp"
#include "sotto/crypto/hash.hpp"
#include "sotto/crypto/random.hpp"

namespace sotto::crypto {

struct PresenceKeyTag;
/// Of one publisher for one contact, on one day. It gives the key of every later day and of none before.
using PresenceKey = Secret<PresenceKeyTag, 32>;
/// What the server knows a publication by, for a day.
using PresenceTopic = Array<16>;
struct PresenceWriteSecretTag;
/// What the write keys of one publication are made of. The publisher's alone, and never sent.
using PresenceWriteSecret = Secret<PresenceWriteSecretTag, 16>;
struct PresenceWriteKeyTag;
/// Shown to the server by whoever may change a topic; for one topic, and so for one day.
using PresenceWriteKey = Secret<PresenceWriteKeyTag, 16>;

inline constexpr std::uint32_t max_presence_days = 400;  ///< that a key is brought forward at once
inline constexpr std::size_t max_presence_text = 128;    ///< bytes of UTF-8
/// The plaintext is padded to one of these: without a text, with a short one, with a long one.
inline constexpr Array<3> presence_padding{std::byte{24}, std::byte{88}, std::byte{152}};
inline constexpr std::size_t presence_overhead = 28;  ///< nonce and tag

/// `leaving`: the last word of who goes, and is seen as offline from there on.
enum class PresenceStatus : std::uint8_t { online = 1, away = 2, busy = 3, leaving = 4 };

struct PresenceState {
    PresenceStatus status = PresenceStatus::online;
    std::uint16_t capabilities = 0;  ///< bits; 0: takes direct sessions
    std::uint32_t device = 0;
    std::int64_t since = 0;  ///< ms since 1970; not negative
    std::string text;        ///< not checked: whoever shows it does
    bool operator==(const PresenceState&) const = default;
};

/// The key of day `to` from that of day `from`; nothing for an earlier day or one too far ahead.
[[nodiscard]] std::optional<PresenceKey> presence_key_at(const PresenceKey& key, std::uint32_t from,
                                                         std::uint32_t to);
[[nodiscard]] PresenceTopic presence_topic(const PresenceKey& day_key);
[[nodiscard]] PresenceWriteKey presence_write_key(const PresenceWriteSecret& secret,
                                                  const PresenceTopic& topic);

/// The day's key of a contact that there isn't, from that of a key which is given to nobody. `place`: empty
/// for those to publish to, otherwise the name of the server to watch them at.
[[nodiscard]] PresenceKey presence_dummy_key(const PresenceKey& day_seed, ByteView place,
                                             std::uint32_t index);
/// Of all dummies of that day.
[[nodiscard]] PresenceWriteSecret presence_dummy_write_secret(const PresenceKey& day_seed);

/// 52, 116 or 180 bytes. Throws std::invalid_argument for a text over its limit or a negative time.
[[nodiscard]] Bytes seal_presence(const PresenceKey& day_key, const PresenceState& state, Rng& rng);
/// Errors: cannot_open; unsupported (a later format or status); malformed.
[[nodiscard]] Result<PresenceState> open_presence(const PresenceKey& day_key, ByteView blob);

}  // namespace sotto::crypto
