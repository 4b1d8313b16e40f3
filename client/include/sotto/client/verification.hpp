// Safety numbers, and what a person decides about keys. docs/protocol.md sections 10 and 13.9.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "sotto/storage/client_store.hpp"

namespace sotto::client {

struct SafetyNumbers {
    std::string number;                ///< 60 digits, of the pinned account key
    std::optional<std::string> other;  ///< of the key that made the contact `changed`; none: not held
    storage::Verified before = storage::Verified::no;  ///< how a `changed` contact was verified until then
    std::size_t waiting = 0;                           ///< contents that they have not acknowledged
};

/// How a person has compared a safety number with the other side.
struct NotCompared {};
struct ComparedByEye {};
struct Scanned {
    std::string text;  ///< a QR code's text or 60 digits, as the other side shows them
};
using Comparison = std::variant<NotCompared, ComparedByEye, Scanned>;

}  // namespace sotto::client
