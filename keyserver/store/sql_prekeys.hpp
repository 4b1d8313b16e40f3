#pragma once

#include "keyserver/core/stores.hpp"
#include "keyserver/store/sql.hpp"

namespace sotto::keyserver {

class SqlPrekeys final : public PrekeyStore {
  public:
    explicit SqlPrekeys(Sql& sql) : sql_(&sql) {}
    PublishedPrekeys published(DeviceKey key) override;
    void set_signed(DeviceKey key, ByteView bytes, std::uint32_t day) override;
    void set_last_resort(DeviceKey key, ByteView bytes) override;
    void add_one_time(DeviceKey key, OneTimeKind kind, const std::vector<OneTimeRow>& keys) override;
    OneTimeState one_time_state(DeviceKey key, OneTimeKind kind) override;
    void remove_one_time(DeviceKey key) override;
    std::optional<Bytes> take_one_time(DeviceKey key, OneTimeKind kind) override;

  private:
    Sql* sql_;
};

}  // namespace sotto::keyserver
