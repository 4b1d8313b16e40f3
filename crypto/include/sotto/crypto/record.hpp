// The account record: the signed list of an account's devices. docs/protocol.md section 4.
#pragma once

#include <optional>

#include "sotto/crypto/keys.hpp"

namespace sotto::crypto {

inline constexpr std::uint8_t record_format = 1;
inline constexpr std::uint8_t protocol_version = 1;  ///< the highest end-to-end protocol version spoken here
inline constexpr std::size_t max_devices = 8;
inline constexpr std::size_t max_address_size = 32 + 1 + 253;  ///< user, '@', DNS name
inline constexpr std::size_t max_record_size = 16 * 1024;
inline constexpr std::uint16_t critical_extension = 0x8000;  ///< set in an extension's type

using RecordHash = Array<32>;

/// `user@server`, as it enters every binding: the user name as 5.1 of the design allows it, the server's
/// fixed name in lower case without a port.
struct Address {
    std::string user;
    std::string server;

    /// malformed unless user is [a-z0-9][a-z0-9._-]{1,31} and server is a DNS name or IPv4 address (1 to 253
    /// of [a-z0-9.-], labels of 1 to 63 that neither begin nor end with a hyphen) or a canonical IPv6 address
    /// in brackets.
    [[nodiscard]] static Result<Address> parse(std::string_view text);
    [[nodiscard]] std::string text() const { return user + "@" + server; }
    bool operator==(const Address&) const = default;
};

[[nodiscard]] bool valid_user_name(std::string_view name);
[[nodiscard]] bool valid_server_name(std::string_view name);

struct Device {
    std::uint32_t id = 0;  ///< never 0, never used again
    DeviceSigningKey signing_key;
    IdentityKey identity_key;
    std::vector<std::uint8_t> versions;  ///< protocol versions it speaks, ascending from 1, 1 to 8 of them
    bool operator==(const Device&) const = default;
};

struct Extension {
    std::uint16_t type = 0;
    Bytes value;
    bool operator==(const Extension&) const = default;
};

struct Predecessor {
    AccountKey key;
    Signature
        signature;  ///< by that key over Sotto/1/account-succession ‖ 0 ‖ encoded new account key ‖ address
    bool operator==(const Predecessor&) const = default;
};

/// What the account key signs.
struct RecordBody {
    Address address;
    std::uint64_t sequence = 1;  ///< the first record is 1
    RecordHash previous{};       ///< zero for the first
    std::uint32_t day = 0;       ///< of issue, days since 1970-01-01 UTC
    AccountKey account_key;
    std::optional<Predecessor> predecessor;
    std::vector<Device> devices;        ///< ascending by id
    std::vector<Extension> extensions;  ///< ascending by type
    bool operator==(const RecordBody&) const = default;
};

/// A record whose signature has been checked. Immutable; its canonical bytes are what is hashed, pinned and
/// sent.
class AccountRecord {
  public:
    /// Signs a body; malformed if the body breaks a rule of its own layout.
    [[nodiscard]] static Result<AccountRecord> sign(const RecordBody& body, const AccountKeyPair& key);
    /// Parses and verifies. Refuses trailing bytes, unknown critical extensions, unordered or repeated
    /// devices.
    [[nodiscard]] static Result<AccountRecord> parse(ByteView bytes);

    [[nodiscard]] const RecordBody& body() const { return body_; }
    [[nodiscard]] ByteView bytes() const { return bytes_; }
    [[nodiscard]] const RecordHash& hash() const { return hash_; }
    [[nodiscard]] const Device* device(std::uint32_t id) const;

  private:
    AccountRecord(RecordBody body, Bytes bytes);
    RecordBody body_;
    Bytes bytes_;
    RecordHash hash_;
};

/// The signature for `Predecessor`: the old account key names the new one for this address.
[[nodiscard]] Signature sign_succession(const AccountKeyPair& predecessor, const AccountKey& successor,
                                        const Address& address);

enum class RecordChange : std::uint8_t {
    same,          ///< the very same record
    successor,     ///< the next one under the same account key, linked by its hash
    gap,           ///< newer under the same account key, but links are missing: fetch them and check each
    other_key,     ///< another account key: exit code 4, unverified, even if the old key signed it
    conflict,      ///< the same sequence number with other bytes, or a wrong link: exit code 4
    older,         ///< refused
    other_address  ///< not this account's record at all: refused
};

/// How `next` stands to the pinned record.
[[nodiscard]] RecordChange compare(const AccountRecord& pinned, const AccountRecord& next);

}  // namespace sotto::crypto
