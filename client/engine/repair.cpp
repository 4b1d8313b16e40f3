#include "repair.hpp"

#include <charconv>

#include "prekeys.hpp"
#include "sentences.hpp"
#include "sotto/protocol/limits.hpp"
#include "tokens.hpp"

namespace sotto::client {

namespace {

constexpr std::int64_t overdue_after = hour;
constexpr std::int64_t check_every = minute;
constexpr std::int64_t reset_every = hour;  ///< of one contact; doubled each time that nothing comes of it
constexpr std::uint32_t most_doublings = 5;
constexpr std::int64_t restored_every = hour;
constexpr std::int64_t pace =
    second;  ///< between the contacts to whom sessions begin anew after a restoration
constexpr auto generation_setting = "generation";
constexpr auto restored_setting = "restored/at";

/// Not yet over, where the clock wasn't set back.
bool within(std::int64_t since, std::int64_t time, std::int64_t now) {
    return since != 0 && since <= now && now - since < time;
}

template <class Number>
Number number_setting(storage::ClientStore& store, std::string_view name) {
    Number out = 0;
    const auto setting = must(store.setting(name));
    if (setting) std::from_chars(setting->data(), setting->data() + setting->size(), out);
    return out;
}

bool may_be_written_to(const storage::Contact& contact) {
    return contact.state != storage::ContactState::changed && !contact.blocked;
}

}  // namespace

void note_heard(storage::Contact& contact, std::int64_t now) {
    if (!within(contact.heard_at, 2 * hour, now)) contact.heard_at = now;
    contact.resets = 0;
}

void Repair::pump() {
    if (!core_->sending || core_->shell.now < check_at_) return;
    check_at_ = core_->shell.now + check_every;
    for (const auto id : must(core_->store.contacts_overdue(core_->shell.wall - overdue_after))) reset(id);
}

bool Repair::may_reset(const storage::Contact& contact) const {
    const auto wait = reset_every << std::min(contact.resets, most_doublings);
    return may_be_written_to(contact) && !within(contact.reset_at, wait, core_->shell.wall);
}

void Repair::reset(std::int64_t id) {
    auto contact = must(core_->store.contact(id));
    if (!contact || !may_reset(*contact)) return;
    if (!outbox_->quiet(id)) {
        check_at_ = core_->shell.now + second;
        return;
    }
    SessionBook::Archived gone;
    auto transaction = core_->store.begin();
    std::ignore = must(core_->store.reopen_outbox(id));
    archive_all(id, gone);
    contact->reset_at = core_->shell.wall;
    ++contact->resets;
    must(core_->store.update_contact(*contact));
    must(transaction.commit());
    forget(gone);
    outbox_->reload(id);
}

void Repair::begun_anew(std::int64_t id) {
    auto contact = must(core_->store.contact(id));
    // Those that can't be sent again now are found to be overdue later.
    if (!contact || !may_reset(*contact) || !outbox_->quiet(id)) return;
    auto transaction = core_->store.begin();
    if (!must(core_->store.reopen_outbox(id))) return;
    contact->reset_at = core_->shell.wall;
    must(core_->store.update_contact(*contact));
    must(transaction.commit());
    outbox_->reload(id);
}

void Repair::archive_all(std::int64_t contact, SessionBook::Archived& out) {
    auto more = core_->sessions.archive_all(contact);
    for (const auto& id : more.archived) must(core_->store.archive_session(id, true));
    for (const auto& id : more.removed) must(core_->store.delete_session(id));
    out.archived.insert(out.archived.end(), more.archived.begin(), more.archived.end());
    out.removed.insert(out.removed.end(), more.removed.begin(), more.removed.end());
}

void Repair::forget(const SessionBook::Archived& gone) {
    for (const auto& id : gone.archived) core_->sessions.set_archived(id, true);
    for (const auto& id : gone.removed) core_->sessions.remove(id);
    ++core_->changes;
}

std::uint64_t Repair::generation() const {
    return number_setting<std::uint64_t>(core_->store, generation_setting);
}

std::uint64_t Repair::next_generation() {
    const auto next = std::min(generation(), protocol::max_generation - 1) + 1;
    must(core_->store.put_setting(generation_setting, std::to_string(next)));
    return next;
}

void Repair::restored(std::uint64_t held) {
    auto& store = core_->store;
    const auto now = core_->shell.wall;
    auto transaction = store.begin();
    must(store.put_setting(generation_setting, std::to_string(held)));
    forget_confirmed_tokens(store);  // the server may hold a newer table than the tokens that are told now
    core_->tokens_stale = true;
    // A server that lies about it gains no more than this.
    if (within(number_setting<std::int64_t>(store, restored_setting), restored_every, now)) {
        must(transaction.commit());
        return;
    }
    must(store.put_setting(restored_setting, std::to_string(now)));
    must(store.put_setting(replace_prekeys_setting, "1"));

    SessionBook::Archived gone;
    std::vector<std::int64_t> anew;
    for (auto& contact : must(store.contacts())) {
        if (core_->sessions.active(contact.id) == nullptr) continue;
        archive_all(contact.id, gone);
        if (!may_be_written_to(contact)) continue;
        // The copy may be older than what they know of us.
        contact.introduced = false;
        content::Content notice;
        notice.mutable_reset();
        std::ignore = must(store.reopen_outbox(contact.id));
        std::ignore = outbox_->queue(contact, std::move(notice), true);
        anew.push_back(contact.id);
    }
    must(transaction.commit());
    forget(gone);
    core_->shell.tell(Warning{copy_of_itself(), 0});
    std::int64_t wait = 0;
    for (const auto id : anew) {
        outbox_->reload(id, wait);
        wait += pace / 2 + static_cast<std::int64_t>(core_->shell.rng.below(pace));
    }
}

std::optional<std::int64_t> Repair::next_deadline() const {
    if (!core_->sending) return std::nullopt;
    return check_at_;
}

}  // namespace sotto::client
