// What contacts show, from what their servers hold: who leaves is seen to leave at once, and who is only cut
// off for a moment isn't. docs/protocol.md section 15.3, C5.
#include "presence.hpp"
#include "sotto/protocol/text.hpp"

namespace sotto::client {
namespace {

[[nodiscard]] PresenceKind kind_of(crypto::PresenceStatus status) {
    switch (status) {
        case crypto::PresenceStatus::away:
            return PresenceKind::away;
        case crypto::PresenceStatus::busy:
            return PresenceKind::busy;
        case crypto::PresenceStatus::leaving:
            return PresenceKind::offline;
        case crypto::PresenceStatus::online:
            break;
    }
    return PresenceKind::online;
}

[[nodiscard]] std::optional<crypto::PresenceState> opened(const crypto::PresenceKey& key, ByteView blob) {
    auto state = crypto::open_presence(key, blob);
    if (!state || !protocol::valid_utf8(state->text)) return std::nullopt;
    return std::move(*state);
}

[[nodiscard]] PresenceView offline() {
    PresenceView out;
    out.kind = PresenceKind::offline;
    return out;
}

}  // namespace

std::string_view name(PresenceChoice choice) {
    switch (choice) {
        case PresenceChoice::online:
            return "online";
        case PresenceChoice::away:
            return "away";
        case PresenceChoice::busy:
            return "busy";
        case PresenceChoice::invisible:
            break;
    }
    return "invisible";
}

std::string_view name(PresenceKind kind) {
    switch (kind) {
        case PresenceKind::offline:
            return "offline";
        case PresenceKind::online:
            return "online";
        case PresenceKind::away:
            return "away";
        case PresenceKind::busy:
            return "busy";
        case PresenceKind::unknown:
            break;
    }
    return "unknown";
}

Presence::Judged Presence::judge(std::int64_t contact, const Person& person) const {
    Judged out;
    const auto* const server = person.theirs && person.route ? find(*person.route) : nullptr;
    if (server == nullptr || !server->connection->in_touch()) return out;
    bool watched = false;
    bool answered = true;
    for (const auto& [topic, meaning] : server->topics) {
        if (meaning.contact != contact) continue;
        watched = true;
        answered = answered && server->connection->answered(topic);
        // The newest day's word stands, also where that was the last one.
        if (meaning.day < std::max(out.day, person.seen.left_day)) continue;
        const auto* const blob = server->connection->held(topic);
        const auto state = blob == nullptr ? std::nullopt : opened(meaning.key, *blob);
        if (!state) continue;
        const bool left = state->status == crypto::PresenceStatus::leaving;
        out = {.is = left ? Judged::Is::left : Judged::Is::there,
               .view = {.kind = kind_of(state->status),
                        .text = state->text,
                        .since = state->since,
                        .device = state->device,
                        .capabilities = state->capabilities},
               .day = meaning.day};
    }
    if (watched && out.is == Judged::Is::unknown) out.is = answered ? Judged::Is::absent : Judged::Is::open;
    return out;
}

void Presence::show(std::int64_t contact, Person& person, PresenceView view) {
    auto& seen = person.seen;
    seen.gone_at.reset();
    if (view.kind != PresenceKind::unknown) seen.was_there = view.kind != PresenceKind::offline;
    if (view == seen.view) return;
    seen.view = view;
    core_->shell.tell(PresenceChanged{contact, std::move(view)});
}

void Presence::look(std::int64_t contact) {
    const auto found = people_.find(contact);
    if (found == people_.end()) return;
    auto& person = found->second;
    auto& seen = person.seen;
    auto judged = judge(contact, person);
    switch (judged.is) {
        case Judged::Is::unknown:
            if (!person.theirs || !person.route) {
                // Whoever shows themselves next is another one, or begins anew.
                seen.was_there = false;
                seen.left_day = 0;
            }
            return show(contact, person, {});
        case Judged::Is::open:
            // What was seen stands until more is known.
            seen.gone_at.reset();
            return;
        case Judged::Is::left:
            seen.left_day = judged.day;
            return show(contact, person, offline());
        case Judged::Is::there:
            seen.left_day = 0;
            return show(contact, person, std::move(judged.view));
        case Judged::Is::absent:
            break;
    }
    const auto* const server = person.route ? find(*person.route) : nullptr;
    if (seen.was_there && server != nullptr) {
        const auto now = core_->shell.now;
        if (!seen.gone_at) seen.gone_at = now + server->connection->patience();
        if (now < *seen.gone_at) return;
    }
    show(contact, person, offline());
}

}  // namespace sotto::client
