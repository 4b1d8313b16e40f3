// What the server keeps, behind small interfaces: SQLCipher today, PostgreSQL later.
//
// A failure of the store is sticky: after it every call of the transaction answers empty and does nothing,
// and whoever runs the transaction (StoreQueue) rolls back and throws the result away. So the rules above
// need not look after each call; they must only end on empty answers.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "keyserver/core/types.hpp"
#include "sotto/crypto/prekeys.hpp"
#include "sotto/crypto/record.hpp"

namespace sotto::keyserver {

struct AccountRow {
    AccountId id = 0;
    bool discoverable = false;
    bool active = true;  ///< false: shut out, or on its way to be deleted
};

/// 0 to 2 as they are stored.
enum class AccountState : std::uint8_t { active = 0, shut_out = 1, deleted = 2 };

struct RecordRow {
    std::uint64_t sequence = 0;
    crypto::RecordHash hash{};
    Bytes bytes;
};

struct DeviceRow {
    std::uint32_t device = 0;
    bool removed = false;
    Array<crypto::encoded_key_size> signing_key{};
    std::uint64_t generation = 0;  ///< the highest reported
};

class AccountStore {
  public:
    virtual ~AccountStore() = default;
    [[nodiscard]] virtual std::optional<AccountRow> find(std::string_view user) = 0;
    /// The name must be free.
    [[nodiscard]] virtual AccountId add(std::string_view user, std::uint32_t day) = 0;
    /// False for one that was shut out, or is none.
    [[nodiscard]] virtual bool active(AccountId account) = 0;
    /// Accounts that another process has shut out or deleted since this was last asked.
    [[nodiscard]] virtual std::vector<AccountId> take_shut_out() = 0;
    /// Goes on removing accounts that were deleted: at most `most` envelopes. True if there may be more.
    [[nodiscard]] virtual bool remove_deleted(std::size_t most) = 0;
    virtual void set_discoverable(AccountId account, bool discoverable) = 0;

    virtual void add_record(AccountId account, const crypto::AccountRecord& record) = 0;
    [[nodiscard]] virtual std::optional<RecordRow> newest_record(AccountId account) = 0;
    /// Ascending, from `sequence` on, at most `most`.
    [[nodiscard]] virtual std::vector<RecordRow> records_from(AccountId account, std::uint64_t sequence,
                                                              std::size_t most) = 0;

    /// With those that were removed: an id is never used again.
    [[nodiscard]] virtual std::vector<DeviceRow> devices(AccountId account) = 0;
    [[nodiscard]] virtual std::optional<DeviceRow> device(DeviceKey key) = 0;
    virtual void add_device(DeviceKey key, const crypto::DeviceSigningKey& signing_key) = 0;
    /// A lower one than before changes nothing.
    virtual void set_generation(DeviceKey key, std::uint64_t generation) = 0;
    /// Marks it removed; its prekeys and its mail go.
    virtual void remove_device(DeviceKey key) = 0;

  protected:
    AccountStore() = default;
    AccountStore(const AccountStore&) = default;
    AccountStore& operator=(const AccountStore&) = default;
};

enum class OneTimeKind : std::uint8_t { x25519 = 0, kem = 1 };

struct OneTimeRow {
    std::uint32_t id = 0;
    Bytes bytes;
};

struct PublishedPrekeys {
    std::optional<Bytes> signed_prekey;
    std::optional<Bytes> last_resort;
    std::uint32_t signed_day = 0;  ///< 0: none
};

struct OneTimeState {
    std::uint32_t left = 0;
    std::uint32_t highest = 0;  ///< the highest id that this device ever published
};

class PrekeyStore {
  public:
    virtual ~PrekeyStore() = default;
    [[nodiscard]] virtual PublishedPrekeys published(DeviceKey key) = 0;
    virtual void set_signed(DeviceKey key, ByteView bytes, std::uint32_t day) = 0;
    virtual void set_last_resort(DeviceKey key, ByteView bytes) = 0;
    /// Ids ascending and above `highest`.
    virtual void add_one_time(DeviceKey key, OneTimeKind kind, const std::vector<OneTimeRow>& keys) = 0;
    [[nodiscard]] virtual OneTimeState one_time_state(DeviceKey key, OneTimeKind kind) = 0;
    /// Those that are held; the highest id that was ever published stays.
    virtual void remove_one_time(DeviceKey key) = 0;
    /// Removes the lowest and answers with it.
    [[nodiscard]] virtual std::optional<Bytes> take_one_time(DeviceKey key, OneTimeKind kind) = 0;

  protected:
    PrekeyStore() = default;
    PrekeyStore(const PrekeyStore&) = default;
    PrekeyStore& operator=(const PrekeyStore&) = default;
};

enum class TokenKind : std::uint8_t { shared = 1, recovery = 2, invite = 3 };

struct TokenRow {
    TokenHash hash{};
    TokenKind kind = TokenKind::shared;
    std::uint64_t expires = 0;            ///< seconds since 1970; 0: never
    std::optional<Array<32>> claim_hash;  ///< of an invite that somebody has claimed
    std::int64_t uses = 0;                ///< envelopes: of an invite ever, of a recovery token on `uses_day`
    std::uint32_t uses_day = 0;
};

class TokenStore {
  public:
    virtual ~TokenStore() = default;
    [[nodiscard]] virtual std::optional<TokenRow> find(AccountId account, const TokenHash& hash) = 0;
    /// Afterwards exactly these are there; claims and uses of those that stay are kept.
    virtual void replace(AccountId account, const std::vector<TokenRow>& tokens) = 0;
    virtual void update(AccountId account, const TokenRow& token) = 0;
    /// Those that never expire.
    [[nodiscard]] virtual std::vector<TokenHash> shared(AccountId account) = 0;

  protected:
    TokenStore() = default;
    TokenStore(const TokenStore&) = default;
    TokenStore& operator=(const TokenStore&) = default;
};

struct InviteRow {
    Array<32> hash{};
    std::uint64_t expires = 0;  ///< seconds since 1970
    std::int64_t tries = 0;     ///< names that were taken
    std::uint64_t created = 0;  ///< seconds since 1970; 0: not known
};

/// Invites to register.
class InviteStore {
  public:
    virtual ~InviteStore() = default;
    virtual void add(const InviteRow& invite) = 0;
    [[nodiscard]] virtual std::optional<InviteRow> find(const Array<32>& hash) = 0;
    virtual void set_tries(const Array<32>& hash, std::int64_t tries) = 0;
    virtual void remove(const Array<32>& hash) = 0;
    virtual void remove_expired(std::uint64_t now_s) = 0;

  protected:
    InviteStore() = default;
    InviteStore(const InviteStore&) = default;
    InviteStore& operator=(const InviteStore&) = default;
};

struct MailRow {
    std::int64_t sequence = 0;  ///< rises with every envelope of a mailbox, also after others were removed
    EnvelopeId id{};
    SharedBytes envelope;
};

struct MailUse {
    std::int64_t envelopes = 0;
    std::int64_t bytes = 0;
};

/// Envelopes that wait for a device. No sender is known here.
class Mailbox {
  public:
    virtual ~Mailbox() = default;
    /// False if this id waits already.
    [[nodiscard]] virtual bool append(DeviceKey key, const EnvelopeId& id, std::string_view envelope,
                                      std::uint64_t now_s) = 0;
    [[nodiscard]] virtual bool contains(DeviceKey key, const EnvelopeId& id) = 0;
    /// Oldest first, behind `after`: at most `most`, and no more once `bytes` are reached.
    [[nodiscard]] virtual std::vector<MailRow> page(DeviceKey key, std::int64_t after, std::size_t most,
                                                    std::size_t bytes) = 0;
    virtual void remove(DeviceKey key, const std::vector<EnvelopeId>& ids) = 0;
    [[nodiscard]] virtual MailUse use(DeviceKey key) = 0;
    /// Removes at most `most` that were stored before; true if there may be more.
    [[nodiscard]] virtual bool remove_older(std::uint64_t stored_before_s, std::size_t most) = 0;

  protected:
    Mailbox() = default;
    Mailbox(const Mailbox&) = default;
    Mailbox& operator=(const Mailbox&) = default;
};

/// All of them, inside one transaction.
struct Stores {
    AccountStore& accounts;
    PrekeyStore& prekeys;
    TokenStore& tokens;
    InviteStore& invites;
    Mailbox& mailbox;
};

}  // namespace sotto::keyserver
