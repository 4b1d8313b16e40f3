// Registration, login facts, and the succession of account records. docs/protocol.md section 12.3.
#pragma once

#include <string>
#include <vector>

#include "keyserver/core/answer.hpp"
#include "keyserver/core/policy.hpp"
#include "keyserver/core/stores.hpp"
#include "sotto/crypto/record.hpp"

namespace sotto::keyserver {

/// What a welcome tells, and what a login is checked against. `account` is 0 where nobody of this name and
/// device is.
struct LoginFacts {
    AccountId account = 0;
    Array<crypto::encoded_key_size> signing_key{};
    std::uint64_t record_sequence = 0;
    crypto::RecordHash record_hash{};
    OneTimeState one_time;
    OneTimeState one_time_kem;
    std::uint32_t signed_day = 0;
    std::uint32_t waiting = 0;
    std::uint64_t generation = 0;  ///< the highest that the device has reported
};

/// The same look-ups whether or not the account and the device exist.
[[nodiscard]] LoginFacts read_login(Stores& stores, const std::string& user, std::uint32_t device);

/// A record that may register: sequence 1, of this server, one device, issued about today.
[[nodiscard]] bool may_register(const crypto::AccountRecord& record, const std::string& server_name,
                                std::uint32_t device, std::uint32_t today);

/// Creates the account; the proof has been verified. The very same record again is the same account: a lost
/// answer.
[[nodiscard]] Answer<LoginFacts> register_account(Stores& stores, const crypto::AccountRecord& record,
                                                  const Policy& policy, const std::string& invite,
                                                  const Clock& clock);

/// Devices that the new record no longer lists, and that lost everything by it.
[[nodiscard]] Answer<std::vector<std::uint32_t>> publish_record(Stores& stores, AccountId account,
                                                                const crypto::AccountRecord& next,
                                                                std::uint32_t today);

/// What is stored of a registration invite.
[[nodiscard]] Array<32> registration_invite_hash(std::string_view invite);

}  // namespace sotto::keyserver
