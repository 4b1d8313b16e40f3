#include "key_change.hpp"

#include <chrono>

#include "sotto/crypto/codec.hpp"

namespace sotto::client {
namespace {

using storage::ContactState;
using storage::Verified;

std::string standing_setting(std::int64_t contact) {
    return say("standing/{}", contact);
}
std::string rejected_setting(std::int64_t contact) {
    return say("rejected/{}", contact);
}

std::string two_digits(unsigned value) {
    return (value < 10 ? "0" : "") + std::to_string(value);
}

std::string hash_of(ByteView record) {
    return crypto::to_hex(crypto::hash("Sotto/1/record-hash", {record}));
}

}  // namespace

std::string date_of(std::int64_t ms) {
    const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds{ms}};
    const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(time)};
    return say("{}-{}-{}", static_cast<int>(date.year()), two_digits(static_cast<unsigned>(date.month())),
               two_digits(static_cast<unsigned>(date.day())));
}

std::int64_t add_notice(Core& core, const storage::Contact& contact, std::string text, bool shown) {
    storage::Message message;
    message.id = core.shell.rng.bytes<16>();
    message.contact = contact.id;
    message.direction = storage::Direction::incoming;
    message.kind = kind_notice;
    message.text = std::move(text);
    message.sent_at = core.shell.wall;
    message.received_at = core.shell.wall;
    message.shown = shown;
    std::ignore = must(core.store.add_message(message));
    return message.row;
}

Error changed_key(const storage::Contact& contact) {
    return {
        Exit::untrusted,
        say("Another key has appeared for {} and nothing is sent to them until you decide; look at `sotto "
            "verify {}`, compare the new number by another way, then take the key with `sotto verify {} "
            "--accept-new-key` or refuse it with `sotto verify {} --reject-new-key`.",
            contact.name, contact.name, contact.name, contact.name)};
}

std::vector<Notice> set_changed(Core& core, storage::Contact& contact, ByteView other_record) {
    if (contact.state == ContactState::changed) {
        if (!contact.other_record.empty() || other_record.empty()) return {};
        contact.other_record = to_bytes(other_record);
        must(core.store.update_contact(contact));
        return {ContactChanged{contact.id, contact.state}};
    }
    must(core.store.put_setting(standing_setting(contact.id), say("{}{}", static_cast<int>(contact.state),
                                                                  static_cast<int>(contact.verified))));
    auto text = say("Another key appeared for {} on {} (UTC). Nothing is sent to them until you decide.",
                    contact.address.text(), date_of(core.shell.wall));
    if (contact.verified != Verified::no)
        text += say(" They were verified by {}; this says nothing about the new key.",
                    storage::name(contact.verified));
    contact.state = ContactState::changed;
    contact.verified = Verified::no;
    contact.other_record = to_bytes(other_record);
    must(core.store.update_contact(contact));
    const auto row = add_notice(core, contact, std::move(text), false);
    return {ContactChanged{contact.id, contact.state}, MessageArrived{contact.id, row, 0},
            Warning{changed_key(contact), contact.id}};
}

Standing standing_before(storage::ClientStore& store, std::int64_t contact) {
    const auto text = must(store.setting(standing_setting(contact)));
    if (!text || text->size() != 2) return {};
    const auto digit = [&](std::size_t at) { return static_cast<unsigned>((*text)[at] - '0'); };
    if (digit(0) >= static_cast<unsigned>(ContactState::changed) ||
        digit(1) > static_cast<unsigned>(Verified::qr))
        return {};
    return {static_cast<ContactState>(digit(0)), static_cast<Verified>(digit(1))};
}

void remember_rejected(storage::ClientStore& store, std::int64_t contact, ByteView record) {
    must(store.put_setting(rejected_setting(contact), hash_of(record)));
}

bool was_rejected(storage::ClientStore& store, std::int64_t contact, ByteView record) {
    return must(store.setting(rejected_setting(contact))) == hash_of(record);
}

}  // namespace sotto::client
