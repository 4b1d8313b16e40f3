#include "keyserver/store/sql_mailbox.hpp"

#include <map>

namespace sotto::keyserver {

bool SqlMailbox::append(DeviceKey key, const EnvelopeId& id, std::string_view envelope, std::uint64_t now_s) {
    const auto added = sql_->run(
        "INSERT INTO mail (account, device, id, stored_at, envelope) VALUES (?1, ?2, ?3, ?4, ?5) "
        "ON CONFLICT (account, device, id) DO NOTHING",
        key.account, key.device, ByteView{id}, now_s, bytes_of(envelope));
    if (added == 0) return false;
    sql_->run(
        "INSERT INTO mailboxes (account, device, envelopes, bytes) VALUES (?1, ?2, 1, ?3) "
        "ON CONFLICT (account, device) DO UPDATE SET envelopes = envelopes + 1, bytes = bytes + ?3",
        key.account, key.device, envelope.size());
    return true;
}

bool SqlMailbox::contains(DeviceKey key, const EnvelopeId& id) {
    auto row = sql_->query("SELECT 1 FROM mail WHERE account = ?1 AND device = ?2 AND id = ?3", key.account,
                           key.device, ByteView{id});
    return sql_->step(row);
}

std::vector<MailRow> SqlMailbox::page(DeviceKey key, std::int64_t after, std::size_t most,
                                      std::size_t bytes) {
    auto row = sql_->query(
        "SELECT sequence, id, envelope FROM mail WHERE sequence IN "
        "(SELECT sequence FROM mail INDEXED BY mail_by_id WHERE account = ?1 AND device = ?2 AND sequence > "
        "?3 "
        "ORDER BY sequence LIMIT ?4) ORDER BY sequence",
        key.account, key.device, after, most);
    std::vector<MailRow> out;
    std::size_t read = 0;
    while (read < bytes && sql_->step(row)) {
        MailRow mail;
        mail.sequence = row.integer(0);
        if (!row.fixed(1, std::span{mail.id})) sql_->damaged("mail.id");
        mail.envelope = std::make_shared<const std::string>(chars_of(row.blob_view(2)));
        read += mail.envelope->size();
        out.push_back(std::move(mail));
    }
    return out;
}

void SqlMailbox::remove(DeviceKey key, const std::vector<EnvelopeId>& ids) {
    MailUse gone;
    for (const auto& id : ids) {
        auto row = sql_->query(
            "DELETE FROM mail WHERE account = ?1 AND device = ?2 AND id = ?3 "
            "RETURNING length(envelope)",
            key.account, key.device, ByteView{id});
        while (sql_->step(row)) {
            ++gone.envelopes;
            gone.bytes += row.integer(0);
        }
    }
    subtract(key, gone);
}

void SqlMailbox::subtract(DeviceKey key, MailUse gone) {
    if (gone.envelopes == 0) return;
    sql_->run(
        "UPDATE mailboxes SET envelopes = envelopes - ?3, bytes = bytes - ?4 WHERE account = ?1 AND device = "
        "?2",
        key.account, key.device, gone.envelopes, gone.bytes);
}

MailUse SqlMailbox::use(DeviceKey key) {
    auto row = sql_->query("SELECT envelopes, bytes FROM mailboxes WHERE account = ?1 AND device = ?2",
                           key.account, key.device);
    if (!sql_->step(row)) return {};
    return {.envelopes = row.integer(0), .bytes = row.integer(1)};
}

bool SqlMailbox::remove_older(std::uint64_t stored_before_s, std::size_t most) {
    std::map<DeviceKey, MailUse> gone;
    std::size_t removed = 0;
    {
        // Sequences rise with time: the oldest are at the front of the table.
        auto row = sql_->query(
            "DELETE FROM mail WHERE sequence IN (SELECT sequence FROM mail ORDER BY sequence LIMIT ?2) "
            "AND stored_at < ?1 RETURNING account, device, length(envelope)",
            stored_before_s, most);
        while (sql_->step(row)) {
            auto& use =
                gone[{.account = row.integer(0), .device = static_cast<std::uint32_t>(row.integer(1))}];
            ++use.envelopes;
            use.bytes += row.integer(2);
            ++removed;
        }
    }
    for (const auto& [key, use] : gone) subtract(key, use);
    return removed == most;
}

}  // namespace sotto::keyserver
