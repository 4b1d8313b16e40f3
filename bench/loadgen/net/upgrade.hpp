// The HTTP request that opens a WebSocket, and its answer. RFC 6455 section 4.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "sotto/crypto/random.hpp"

namespace sotto::loadgen {

/// 16 random bytes in base64.
[[nodiscard]] std::string upgrade_key(crypto::Rng& rng);
[[nodiscard]] std::string upgrade_request(std::string_view host, std::string_view target,
                                          std::string_view key);

struct UpgradeAnswer {
    bool accepted = false;
    std::size_t size = 0;                      ///< bytes of the answer; frames may follow
    std::string why;                           ///< it wasn't accepted
    std::chrono::milliseconds retry_after{0};  ///< of a refusal's Retry-After in seconds
};
/// Nothing while the answer's header isn't whole. Accepted: status 101 and the right Sec-WebSocket-Accept for
/// `key`.
[[nodiscard]] std::optional<UpgradeAnswer> read_upgrade_answer(std::string_view data, std::string_view key);

}  // namespace sotto::loadgen
