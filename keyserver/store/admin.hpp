// What the operator's commands ask of a store, in this process or beside a running server: each function is
// one short transaction of its own, so that a server never waits long.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "keyserver/core/stores.hpp"
#include "sotto/storage/database.hpp"

namespace sotto::keyserver {

struct UserSummary {
    std::string user;
    AccountState state = AccountState::active;
    bool discoverable = false;
    std::uint32_t created_day = 0;  ///< days since 1970
    std::int64_t devices = 0;       ///< without those that were removed
    MailUse mail;
};

struct DeviceSummary {
    std::uint32_t device = 0;
    bool removed = false;
    std::int64_t one_time = 0;
    std::int64_t one_time_kem = 0;
    std::uint32_t signed_day = 0;  ///< 0: no prekey was published
    MailUse mail;
};

struct UserDetail {
    UserSummary summary;
    std::uint64_t record_sequence = 0;
    std::int64_t shared_tokens = 0;
    std::int64_t recovery_tokens = 0;
    std::int64_t invite_tokens = 0;
    std::vector<DeviceSummary> devices;
};

class Admin {
  public:
    explicit Admin(storage::Database& db) : db_(&db) {}

    /// In the order of their names.
    [[nodiscard]] storage::Result<std::vector<UserSummary>> users();
    [[nodiscard]] storage::Result<std::optional<UserDetail>> user(std::string_view name);
    /// False if there is no such account, or it is being deleted. Whoever is connected is cut off by the
    /// server once it looks.
    [[nodiscard]] storage::Result<bool> set_active(std::string_view name, bool active);
    /// Marks the account: from now on nobody gets in. False if there is none.
    [[nodiscard]] storage::Result<bool> begin_deletion(std::string_view name);
    /// The next piece of everything that was marked; false when nothing is left.
    [[nodiscard]] storage::Result<bool> go_on_deleting();

    [[nodiscard]] storage::Result<void> add_invite(const InviteRow& invite);
    /// Those that expire later than `now_s`, the next to expire first.
    [[nodiscard]] storage::Result<std::vector<InviteRow>> invites(std::uint64_t now_s);
    [[nodiscard]] storage::Result<bool> remove_invite(const Array<32>& hash);

    /// SQLite's own check, and SQLCipher's of every page that it reads; also beside a running server.
    [[nodiscard]] storage::Result<bool> intact();
    /// The newest time that stands in the mailbox, in seconds since 1970; 0 if it is empty.
    [[nodiscard]] storage::Result<std::uint64_t> newest_mail();

    // ---- backups: the store's copy carries what else the server needs ----

    [[nodiscard]] storage::Result<void> put_file(std::string_view name, ByteView content);
    [[nodiscard]] storage::Result<std::vector<std::pair<std::string, Bytes>>> files();
    /// Makes a store of a backup again: without those files, and without one-time prekeys, of which some have
    /// been handed out since.
    [[nodiscard]] storage::Result<void> become_store();

  private:
    storage::Database* db_;
};

}  // namespace sotto::keyserver
