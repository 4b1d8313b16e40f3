#include "tokens.hpp"

#include <algorithm>
#include <charconv>

#include "sotto/crypto/codec.hpp"
#include "sotto/protocol/limits.hpp"
#include "store_failure.hpp"

namespace sotto::client {

namespace {

constexpr auto used_invites_setting = "invites/used";
constexpr auto confirmed_setting = "tokens/confirmed";
constexpr auto untold_setting = "tokens/untold";
constexpr std::size_t hex_id_size = 32;

struct Entry {
    crypto::TokenHash hash{};
    wire::TokenKind kind = wire::TOKEN_KIND_UNSPECIFIED;
    std::uint64_t expires = 0;
};

std::vector<crypto::InviteId> used_invites(storage::ClientStore& store) {
    std::vector<crypto::InviteId> out;
    const auto setting = must(store.setting(used_invites_setting));
    if (!setting) return out;
    for (std::size_t at = 0; at + hex_id_size <= setting->size(); at += hex_id_size) {
        const auto bytes = crypto::from_hex(std::string_view{*setting}.substr(at, hex_id_size));
        if (!bytes) continue;
        crypto::InviteId id;
        std::ranges::copy(*bytes, id.begin());
        out.push_back(id);
    }
    return out;
}

Entry entry_of(const storage::InviteRow& invite) {
    return {crypto::token_hash(crypto::invite_token(invite.secret)), wire::TOKEN_KIND_INVITE,
            static_cast<std::uint64_t>(invite.expires_at / 1000)};
}

/// The used ones that their user may still need.
std::vector<Entry> needed_invites(storage::ClientStore& store, std::int64_t now) {
    std::vector<Entry> out;
    for (const auto& id : used_invites(store)) {
        const auto invite = must(store.invite(id));
        if (!invite || invite->expires_at <= now || invite->used_by == 0) continue;
        const auto user = must(store.contact(invite->used_by));
        if (user && !user->introduced && !user->blocked) out.push_back(entry_of(*invite));
    }
    return out;
}

std::string told_setting(std::int64_t contact) {
    return "tokens/told/" + std::to_string(contact);
}

std::string newest_setting(std::int64_t contact) {
    return "tokens/newest/" + std::to_string(contact);
}

}  // namespace

TokenTable token_table(storage::ClientStore& store, const storage::Identity& identity, std::int64_t now) {
    std::vector<Entry> entries;
    TokenTable out;
    out.shared = crypto::token_hash(identity.shared_token);
    entries.push_back({out.shared, wire::TOKEN_KIND_SHARED, 0});
    for (const auto& contact : must(store.contacts())) {
        if (contact.blocked) continue;
        const crypto::Token recovery{FixedView<32>{contact.our_recovery_token}};
        entries.push_back({crypto::token_hash(recovery), wire::TOKEN_KIND_RECOVERY, 0});
    }
    for (const auto& invite : must(store.open_invites(now))) entries.push_back(entry_of(invite));
    for (auto& entry : needed_invites(store, now)) entries.push_back(entry);
    // Sorted by hash, so that the order tells the server nothing.
    std::ranges::sort(entries, {}, &Entry::hash);
    if (entries.size() > protocol::max_tokens) entries.resize(protocol::max_tokens);

    Bytes digest_input;
    crypto::Writer writer(digest_input);
    for (const auto& entry : entries) {
        auto* row = out.frame.add_tokens();
        row->set_hash(to_field(entry.hash));
        row->set_kind(entry.kind);
        row->set_expires(entry.expires);
        writer.raw(entry.hash);
        writer.u8(static_cast<std::uint8_t>(entry.kind));
        writer.u64(entry.expires);
    }
    out.digest = crypto::hash("Sotto/1/token-table", {digest_input});
    return out;
}

void keep_used_invite(storage::ClientStore& store, const crypto::InviteId& id) {
    std::string list = crypto::to_hex(id);
    // Newest first, and no more than could be open at once.
    for (const auto& other : used_invites(store)) {
        if (other != id && list.size() < 100 * hex_id_size) list += crypto::to_hex(other);
    }
    must(store.put_setting(used_invites_setting, list));
}

Introduction tokens_for(const Core& core, const storage::Contact& contact) {
    Introduction out{core.own_endpoint(), {}, contact.our_recovery_token};
    std::ranges::copy(core.identity.shared_token.expose(), out.shared_token.begin());
    return out;
}

void note_rotation(storage::ClientStore& store, const storage::Identity& identity) {
    must(store.put_setting(untold_setting, crypto::to_hex(crypto::token_hash(identity.shared_token))));
}

bool rotation_untold(storage::ClientStore& store, const storage::Identity& identity) {
    return must(store.setting(untold_setting)) == crypto::to_hex(crypto::token_hash(identity.shared_token));
}

void rotation_told(Core& core, const crypto::TokenHash& shared) {
    if (!core.rotation_untold || shared != crypto::token_hash(core.identity.shared_token)) return;
    must(core.store.put_setting(untold_setting, ""));
    core.rotation_untold = false;
}

std::optional<storage::MessageId> told_tokens(storage::ClientStore& store, std::int64_t contact) {
    const auto setting = must(store.setting(told_setting(contact)));
    if (!setting) return std::nullopt;
    const auto bytes = crypto::from_hex(*setting);
    storage::MessageId id;
    if (!bytes || bytes->size() != id.size()) return std::nullopt;
    std::ranges::copy(*bytes, id.begin());
    return id;
}

void note_told_tokens(storage::ClientStore& store, std::int64_t contact, const storage::MessageId& id) {
    must(store.put_setting(told_setting(contact), crypto::to_hex(id)));
}

void tokens_acknowledged(Core& core, storage::Contact& contact, const storage::OutboxItem& item) {
    if (told_tokens(core.store, contact.id) == item.id)
        must(core.store.put_setting(told_setting(contact.id), ""));
    if (contact.introduced || !carries_tokens(item.content, tokens_for(core, contact))) return;
    contact.introduced = true;
    core.tokens_stale = true;
}

bool newest_tokens(storage::ClientStore& store, std::int64_t contact, std::uint64_t sequence, bool anew) {
    const auto key = newest_setting(contact);
    if (!anew) {
        const auto before = must(store.setting(key)).value_or("0");
        std::uint64_t newest = 0;
        std::from_chars(before.data(), before.data() + before.size(), newest);
        if (sequence < newest) return false;
    }
    must(store.put_setting(key, std::to_string(sequence)));
    return true;
}

void forget_newest_tokens(storage::ClientStore& store, std::int64_t contact) {
    must(store.put_setting(newest_setting(contact), ""));
}

void forget_confirmed_tokens(storage::ClientStore& store) {
    must(store.put_setting(confirmed_setting, ""));
}

std::optional<Array<32>> confirmed_tokens(storage::ClientStore& store) {
    const auto setting = must(store.setting(confirmed_setting));
    if (!setting) return std::nullopt;
    const auto bytes = crypto::from_hex(*setting);
    if (!bytes || bytes->size() != 32) return std::nullopt;
    Array<32> out;
    std::ranges::copy(*bytes, out.begin());
    return out;
}

void confirm_tokens(storage::ClientStore& store, const Array<32>& digest) {
    must(store.put_setting(confirmed_setting, crypto::to_hex(digest)));
}

}  // namespace sotto::client
