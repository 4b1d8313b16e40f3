// Proofs that a device makes to the key server. docs/protocol.md section 11.
#pragma once

#include <optional>

#include "sotto/crypto/record.hpp"

namespace sotto::crypto {

enum class LoginPurpose : std::uint8_t { login, registration };

/// What is signed: server name, account, device, the server's nonce and the TLS exporter of this very
/// connection (RFC 9266, EXPORTER-Channel-Binding, 32 bytes; all zero only in the server's unbound mode,
/// under a label of its own).
struct LoginChallenge {
    LoginPurpose purpose = LoginPurpose::login;
    std::string server_name;
    Address account;
    std::uint32_t device = 0;
    Array<32> nonce{};
    std::optional<Array<32>> exporter;  ///< empty: unbound mode
};

[[nodiscard]] Signature prove_login(const LoginChallenge& challenge, const DeviceSigningKeyPair& key);
[[nodiscard]] bool verify_login(const LoginChallenge& challenge, const DeviceSigningKey& key,
                                FixedView<64> proof);

}  // namespace sotto::crypto
