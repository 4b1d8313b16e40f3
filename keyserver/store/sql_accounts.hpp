#pragma once

#include "keyserver/core/stores.hpp"
#include "keyserver/store/sql.hpp"

namespace sotto::keyserver {

class SqlAccounts final : public AccountStore {
  public:
    explicit SqlAccounts(Sql& sql) : sql_(&sql) {}
    std::optional<AccountRow> find(std::string_view user) override;
    AccountId add(std::string_view user, std::uint32_t day) override;
    bool active(AccountId account) override;
    std::vector<AccountId> take_shut_out() override;
    bool remove_deleted(std::size_t most) override;
    void set_discoverable(AccountId account, bool discoverable) override;
    void add_record(AccountId account, const crypto::AccountRecord& record) override;
    std::optional<RecordRow> newest_record(AccountId account) override;
    std::vector<RecordRow> records_from(AccountId account, std::uint64_t sequence, std::size_t most) override;
    std::vector<DeviceRow> devices(AccountId account) override;
    std::optional<DeviceRow> device(DeviceKey key) override;
    void add_device(DeviceKey key, const crypto::DeviceSigningKey& signing_key) override;
    void set_generation(DeviceKey key, std::uint64_t generation) override;
    void remove_device(DeviceKey key) override;

  private:
    [[nodiscard]] RecordRow record(const storage::Statement& row);
    [[nodiscard]] DeviceRow device_row(const storage::Statement& row);
    Sql* sql_;
};

}  // namespace sotto::keyserver
