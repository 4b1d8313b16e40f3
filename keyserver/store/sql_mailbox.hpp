#pragma once

#include "keyserver/core/stores.hpp"
#include "keyserver/store/sql.hpp"

namespace sotto::keyserver {

class SqlMailbox final : public Mailbox {
  public:
    explicit SqlMailbox(Sql& sql) : sql_(&sql) {}
    bool append(DeviceKey key, const EnvelopeId& id, std::string_view envelope, std::uint64_t now_s) override;
    bool contains(DeviceKey key, const EnvelopeId& id) override;
    std::vector<MailRow> page(DeviceKey key, std::int64_t after, std::size_t most,
                              std::size_t bytes) override;
    void remove(DeviceKey key, const std::vector<EnvelopeId>& ids) override;
    MailUse use(DeviceKey key) override;
    bool remove_older(std::uint64_t stored_before_s, std::size_t most) override;

  private:
    void subtract(DeviceKey key, MailUse gone);
    Sql* sql_;
};

}  // namespace sotto::keyserver
