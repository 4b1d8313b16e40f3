// What a malicious peer could do with the library's own parts: envelopes that no honest program would make.
// The one file of the audit, with flow.cpp, that knows the library's internals.
#pragma once

#include "people.hpp"

namespace sotto::audit {

/// The fields of a header that an attacker changes.
struct HeaderChange {
    // NOLINTBEGIN(readability-redundant-member-init): without it a designated initialiser that names some is
    // warned about
    std::optional<std::uint32_t> previous = {};
    std::optional<std::uint32_t> n = {};
    std::optional<std::uint32_t> epoch = {};
    std::optional<Array<32>> ratchet_key = {};
    // NOLINTEND(readability-redundant-member-init)
};

/// An envelope of `session`'s next message, its header changed under the session's own header key.
[[nodiscard]] Bytes with_header(const crypto::Session& session, std::string_view content,
                                const HeaderChange& change, crypto::Rng& rng);

/// The secret of the ratchet key that a session holds.
[[nodiscard]] crypto::SecretBytes ratchet_secret(const crypto::Session& session);

/// Which secrets an impostor of Alice holds.
struct Impostor {
    const crypto::AccountRecord& alice;  ///< public
    std::uint32_t device;
    const Person& bob;              ///< his bundle is public; of his secrets only those below are used
    bool holds_bobs_identity;       ///< his identity key's secret
    bool holds_bobs_signed_prekey;  ///< and his signed prekey's
    bool holds_kem_secret =
        true;  ///< false: it is taken for zeros, as by somebody who can break X25519 alone
};
/// A first message to Bob in Alice's name, made without her identity key as well as it can be done.
[[nodiscard]] Bytes impersonate(const Impostor& impostor, crypto::Rng& rng);

/// K_enc ‖ C of a message key: docs/protocol.md section 8.
struct BodyKeys {
    Array<32> encryption{};
    Array<32> commitment{};
};
[[nodiscard]] BodyKeys body_keys(const crypto::MessageKey& key, const crypto::SessionId& session,
                                 const crypto::Envelope& envelope);

/// A ciphertext with tag of `size` + 16 bytes that ChaCha20-Poly1305 opens under both keys, with a zero nonce
/// and no associated data. Under the first key it opens to a text that begins with `first` (at most 16
/// bytes); `size` is at least 48.
[[nodiscard]] Bytes opens_under_both(FixedView<32> first_key, FixedView<32> second_key, ByteView first,
                                     std::size_t size);

}  // namespace sotto::audit
