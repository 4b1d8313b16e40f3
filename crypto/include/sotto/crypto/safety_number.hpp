// The 60-digit safety number: Signal's published numeric fingerprint (version 0, 5,200 iterations of SHA-512)
// over the two account keys and canonical addresses. docs/protocol.md section 10.
#pragma once

#include "sotto/crypto/record.hpp"

namespace sotto::crypto {

inline constexpr int safety_number_iterations = 5200;
inline constexpr std::size_t safety_number_digits = 60;

/// The same 60 digits on both sides; no separators.
[[nodiscard]] std::string safety_number(const AccountKey& own_key, const Address& own,
                                        const AccountKey& peer_key, const Address& peer);

/// What the QR code of a number says: `SOTTO/1/NUMBER/` and the digits.
[[nodiscard]] std::string safety_number_qr(std::string_view number);

/// A number as somebody scanned or typed it.
struct GivenNumber {
    std::string digits;  ///< 60 of them
    bool qr = false;     ///< it was the text of a QR code
};
/// The text of a QR code, exactly; or 60 digits with any blanks and line breaks between them. Either may have
/// blanks and line breaks around it. Nothing if it is neither.
[[nodiscard]] std::optional<GivenNumber> parse_safety_number(std::string_view text);

}  // namespace sotto::crypto
