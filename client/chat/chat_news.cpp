// What happens meanwhile.
#include <algorithm>

#include "chat.hpp"
#include "sotto/protocol/text.hpp"
#include "words.hpp"

namespace sotto::chat {

void Chat::hear(const client::Notice& notice) {
    if (const auto* arrived = std::get_if<client::MessageArrived>(&notice)) return heard(*arrived);
    if (const auto* progress = std::get_if<client::MessageProgress>(&notice)) return heard(*progress);
    if (const auto* presence = std::get_if<client::PresenceChanged>(&notice)) return heard(*presence);
    if (const auto* changed = std::get_if<client::DirectChanged>(&notice)) return heard(*changed);
    if (const auto* warning = std::get_if<client::Warning>(&notice))
        return info(protocol::printable(warning->error.sentence), Line::Kind::warning);
    if (const auto* lost = std::get_if<client::LostServer>(&notice)) return heard(*lost);
    if (!std::holds_alternative<client::LoggedIn>(notice)) return;
    other_away_said_.clear();
    if (std::exchange(away_said_, false)) info("The server is there again.");
}

void Chat::heard(const client::LostServer& lost) {
    // One that a contact's messages go to, or our own.
    if (world_.engine.logged_in()) {
        if (std::exchange(other_away_said_, lost.sentence) == lost.sentence) return;
    } else if (std::exchange(away_said_, true) || other_away_said_ == lost.sentence) {
        return;
    }
    info(protocol::printable(lost.sentence), Line::Kind::warning);
}

void Chat::heard(const client::MessageArrived& arrived) {
    const auto contact = take(world_.store.contact(arrived.contact));
    if (!contact || !*contact) return;
    if (arrived.missing > 0)
        info(std::to_string(arrived.missing) + " of " + protocol::printable((*contact)->name) +
                 " before this have not come yet.",
             Line::Kind::warning);
    if (arrived.contact == current_) return show_unread(**contact);
    const auto count = ++unread_[arrived.contact];
    world_.show({.kind = Line::Kind::elsewhere,
                 .at = world_.now(),
                 .name = protocol::printable((*contact)->name),
                 .verified = is_verified(**contact),
                 .number = 0,
                 .typed = false,
                 .text = unread_text(count)});
}

void Chat::heard(const client::MessageProgress& progress) {
    if (progress.state != storage::MessageState::queued) other_away_said_.clear();
    const auto known = numbers_.find(progress.id);
    // What was said before this run, and the steps on the way, are nobody's news.
    if (known == numbers_.end() || (progress.state != storage::MessageState::delivered &&
                                    progress.state != storage::MessageState::failed))
        return;
    const auto contact = take(world_.store.contact(progress.contact));
    if (!contact || !*contact) return;
    world_.show({.kind = Line::Kind::progress,
                 .at = 0,
                 .name = protocol::printable((*contact)->name),
                 .verified = true,
                 .number = known->second,
                 .typed = false,
                 .text = std::string{storage::name(progress.state)}});
}

void Chat::heard(const client::PresenceChanged& presence) {
    using client::PresenceKind;
    if (presence.view.kind == PresenceKind::unknown) return;
    auto text = std::string{client::name(presence.view.kind)};
    if (!presence.view.text.empty()) text += ", " + protocol::printable(presence.view.text);
    // That somebody isn't there, before they ever were, is nobody's news; nor is what else a client may say.
    if (presence.view.kind == PresenceKind::offline && !presences_.knows(presence.contact))
        return presences_.know(presence.contact, std::move(text), 0);
    if (presences_.tell(presence.contact, text, world_.now()))
        tell_presence(presence.contact, std::move(text));
}

void Chat::tell_presence(std::int64_t id, std::string text) {
    const auto contact = take(world_.store.contact(id));
    if (!contact || !*contact) return;
    world_.show({.kind = Line::Kind::presence,
                 .at = world_.now(),
                 .name = protocol::printable((*contact)->name),
                 .verified = is_verified(**contact),
                 .number = 0,
                 .typed = false,
                 .text = std::move(text)});
}

void Chat::heard(const client::DirectChanged& changed) {
    using client::DirectState;
    const auto before = std::exchange(reached_[changed.contact], changed.view.state);
    const bool asked = asked_ == changed.contact;
    std::string text;
    switch (changed.view.state) {
        case DirectState::direct:
            text = words_for(changed.view.kind);
            break;
        case DirectState::relayed:
            if (before == DirectState::direct) text = "by the server again";
            if (before == DirectState::connecting && asked)
                text = "no direct path came about; messages go by the server";
            break;
        case DirectState::connecting:
            return;
    }
    if (asked) asked_ = 0;
    if (text.empty()) return;
    if (asked)  // who asks is answered at once
        paths_.know(changed.contact, text, world_.now());
    else if (!paths_.tell(changed.contact, text, world_.now()))
        return;
    tell_path(changed.contact, std::move(text));
}

void Chat::tell_path(std::int64_t id, std::string text) {
    const auto contact = take(world_.store.contact(id));
    if (!contact || !*contact) return;
    world_.show({.kind = Line::Kind::path,
                 .at = world_.now(),
                 .name = protocol::printable((*contact)->name),
                 .verified = is_verified(**contact),
                 .number = 0,
                 .typed = false,
                 .text = std::move(text)});
}

void Chat::look() {
    for (auto& owed : presences_.due(world_.now())) tell_presence(owed.contact, std::move(owed.text));
    for (auto& owed : paths_.due(world_.now())) tell_path(owed.contact, std::move(owed.text));
}

std::optional<std::int64_t> Chat::next_deadline() const {
    const auto presence = presences_.next();
    const auto path = paths_.next();
    if (!presence) return path;
    return std::min(*presence, path.value_or(*presence));
}

}  // namespace sotto::chat
