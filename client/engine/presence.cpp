#include "presence.hpp"

#include <ranges>

#include "paths.hpp"
#include "presence_day.hpp"
#include "sentences.hpp"
#include "sotto/client/direct.hpp"
#include "sotto/protocol/text.hpp"

namespace sotto::client {
namespace {

constexpr std::int64_t scan_every = second;
/// Beside a day's first dummies; after so many additions the day begins with as few as it would now.
constexpr std::size_t most_added_dummies = 64;
constexpr std::string_view choice_setting = "presence";
constexpr std::string_view text_setting = "presence text";

/// Before a server has said what day it is there, it may be an earlier one.
[[nodiscard]] std::uint32_t oldest_kept(std::uint32_t today, bool sure) {
    return today - std::min(today, sure ? 1U : presence_days_kept);
}

[[nodiscard]] std::optional<PresenceChoice> choice_of(std::string_view word) {
    for (const auto choice :
         {PresenceChoice::online, PresenceChoice::away, PresenceChoice::busy, PresenceChoice::invisible})
        if (word == name(choice)) return choice;
    return std::nullopt;
}

[[nodiscard]] crypto::PresenceStatus status_of(PresenceChoice choice, bool idle) {
    switch (choice) {
        case PresenceChoice::away:
            return crypto::PresenceStatus::away;
        case PresenceChoice::busy:
            return crypto::PresenceStatus::busy;
        case PresenceChoice::online:
        case PresenceChoice::invisible:
            break;
    }
    return idle ? crypto::PresenceStatus::away : crypto::PresenceStatus::online;
}

}  // namespace

// ---- what the person decides ----

void Presence::start(bool publish) {
    if (!active_) {
        turn_ = static_cast<std::int64_t>(core_->shell.rng.below(static_cast<std::uint64_t>(longest_turn)));
        since_ = core_->shell.wall;
    }
    active_ = true;
    publishing_ = publishing_ || publish;
    chosen_ = chosen();
    scan_at_ = core_->shell.now;
}

void Presence::stop() {
    active_ = false;
    publishing_ = false;
    scan_at_.reset();
    days_change_at_.reset();
    for (const auto& server : servers_) server->connection->leave();
    servers_.clear();
    people_.clear();
}

ChosenPresence Presence::chosen() {
    const auto word = must(core_->store.setting(choice_setting));
    const auto text = must(core_->store.setting(text_setting));
    return {.choice = choice_of(word.value_or("")).value_or(PresenceChoice::online),
            .text = text.value_or("")};
}

std::optional<Error> Presence::choose(PresenceChoice choice, std::string_view text) {
    if (text.size() > crypto::max_presence_text)
        return Error{Exit::input, "The text is over 128 bytes; shorten it. Nothing was changed."};
    if (!protocol::valid_utf8(text))
        return Error{Exit::input, "The text is not valid UTF-8. Nothing was changed."};
    auto transaction = core_->store.begin();
    must(core_->store.put_setting(choice_setting, name(choice)));
    must(core_->store.put_setting(text_setting, text));
    must(transaction.commit());
    const bool same = chosen_.choice == choice && chosen_.text == text;
    chosen_ = {.choice = choice, .text = std::string{text}};
    if (!same) since_ = core_->shell.wall;
    due_ = true;
    return std::nullopt;
}

void Presence::set_idle(bool idle) {
    if (idle_ == idle) return;
    idle_ = idle;
    if (chosen_.choice != PresenceChoice::online) return;
    since_ = core_->shell.wall;
    due_ = true;
}

std::optional<Error> Presence::set_visible(std::int64_t contact, bool visible) {
    if (!must(core_->store.contact(contact))) return no_such_contact();
    auto row = must(core_->store.presence(contact));
    if (row.visible == visible) return std::nullopt;
    row.visible = visible;
    // Who was shut out looks for us under another key from now on.
    if (!visible) row.own.reset();
    must(core_->store.put_presence(row));
    scan_at_ = core_->shell.now;
    return std::nullopt;
}

PresenceView Presence::view(std::int64_t contact) const {
    const auto found = people_.find(contact);
    return found == people_.end() ? PresenceView{} : found->second.seen.view;
}

bool Presence::settled() const {
    return !scan_at_ && std::ranges::all_of(servers_, [](const auto& server) {
        return server->topics.empty() || server->connection->settled();
    });
}

// ---- contacts ----

void Presence::note() {
    if (active_ && !scan_at_) scan_at_ = std::max(core_->shell.now, scanned_at_ + scan_every);
}

void Presence::note(const Output& output) {
    const bool told = std::ranges::any_of(
        output.notices, [](const Notice& notice) { return std::holds_alternative<ContactChanged>(notice); });
    if (told || changes_ != core_->changes) note();
}

std::uint32_t Presence::own_day() const {
    const auto* const own = find(home());
    const auto offset = own == nullptr ? 0 : own->connection->clock_offset().value_or(0);
    return static_cast<std::uint32_t>(std::max<std::int64_t>(core_->shell.wall + offset, day) / day);
}

bool Presence::bring_forward(const storage::Contact& contact, storage::PresenceRow& row) {
    const auto* const own = find(home());
    const bool sure = own != nullptr && own->connection->clock_offset();
    const auto today = own_day();
    bool changed = false;
    if (row.own && row.own->day < oldest_kept(today, sure)) {
        const auto oldest = oldest_kept(today, sure);
        auto next = crypto::presence_key_at(row.own->key, row.own->day, oldest);
        if (next) row.own->key = std::move(*next);
        row.own->day = oldest;
        if (!next) row.own.reset();
        changed = true;
    } else if (row.own && row.own->day > today + (sure ? 0 : 1)) {
        // Of a clock that was wrong: nothing could be published before that day.
        row.own.reset();
        changed = true;
    }
    if (!row.theirs) return changed;
    const auto* const there = find(route_to(*core_, contact));
    const auto offset = there == nullptr ? std::nullopt : there->connection->clock_offset();
    const auto last = days_to_watch(core_->shell.wall + offset.value_or(0)).back();
    const auto oldest = oldest_kept(last, offset.has_value());
    if (row.theirs->day >= oldest) return changed;
    // However long we were away: a part of it, and the rest when contacts are looked through next.
    const auto to = std::min(oldest, row.theirs->day + crypto::max_presence_days);
    auto next = crypto::presence_key_at(row.theirs->key, row.theirs->day, to);
    if (!next) return changed;
    if (to < oldest) note();
    row.theirs->key = std::move(*next);
    row.theirs->day = to;
    return true;
}

void Presence::prepare_own(storage::Contact& contact, storage::PresenceRow& row) {
    if (row.own) return;
    auto transaction = core_->store.begin();
    row.own.emplace(
        storage::PresenceRow::Own{.key = crypto::PresenceKey{core_->shell.rng.bytes<32>()},
                                  .day = own_day() - 1,
                                  .write_secret = crypto::PresenceWriteSecret{core_->shell.rng.bytes<16>()}});
    must(core_->store.put_presence(row));
    content::Content content;
    content.mutable_presence_key()->set_key(to_field(row.own->key.expose()));
    content.mutable_presence_key()->set_day(row.own->day);
    const auto queued = outbox_->queue(contact, std::move(content), true);
    must(transaction.commit());
    outbox_->queued(contact.id, queued.id);
}

void Presence::scan(storage::Contact& contact, storage::PresenceRow row, Person& person) {
    const bool friendly = !contact.blocked && contact.state == storage::ContactState::confirmed;
    if (friendly && row.visible && publishing_) prepare_own(contact, row);
    if (friendly && row.visible) person.own = std::move(row.own);
    person.direct = core_->paths != nullptr && core_->paths->allowed(contact);
    if (contact.blocked || contact.state == storage::ContactState::changed || !row.theirs) return;
    person.theirs = std::move(row.theirs);
    person.route = route_to(*core_, contact);
}

void Presence::scan() {
    scan_at_.reset();
    scanned_at_ = core_->shell.now;
    changes_ = core_->changes;
    dummies_.prepare(own_day(), core_->shell.rng);
    auto contacts = must(core_->store.contacts());
    std::vector<storage::PresenceRow> rows;
    std::vector<std::size_t> moved;
    for (const auto& contact : contacts) {
        auto& row = rows.emplace_back(must(core_->store.presence(contact.id)));
        if (bring_forward(contact, row)) moved.push_back(rows.size() - 1);
    }
    if (!moved.empty()) {
        auto transaction = core_->store.begin();
        for (const auto index : moved) must(core_->store.put_presence(rows[index]));
        must(transaction.commit());
    }
    auto before = std::exchange(people_, {});
    for (std::size_t i = 0; i < contacts.size(); ++i) {
        auto& person = people_[contacts[i].id];
        if (const auto known = before.find(contacts[i].id); known != before.end())
            person.seen = std::move(known->second.seen);
        scan(contacts[i], std::move(rows[i]), person);
    }
    due_ = true;
}

// ---- servers ----

Presence::Server& Presence::server(const Route& route) {
    const auto found =
        std::ranges::find_if(servers_, [&](const auto& one) { return one->connection->route() == route; });
    if (found != servers_.end()) return **found;
    auto& made = *servers_.emplace_back(std::make_unique<Server>());
    made.connection = std::make_unique<PresenceServer>(
        *core_, route,
        PresenceServer::Hooks{.changed =
                                  [this, &made](const PresenceServer::Topic& topic) {
                                      const auto known = made.topics.find(topic);
                                      if (known != made.topics.end()) look(known->second.contact);
                                  },
                              // Its clock may be another one than was thought.
                              .opened = [this] { scan_at_ = core_->shell.now; }});
    return made;
}

const Presence::Server* Presence::find(const Route& route) const {
    const auto found =
        std::ranges::find_if(servers_, [&](const auto& one) { return one->connection->route() == route; });
    return found == servers_.end() ? nullptr : found->get();
}

std::int64_t Presence::time_at(const PresenceServer& server) const {
    return core_->shell.wall + server.clock_offset().value_or(0);
}

void Presence::publish_day(std::uint32_t which, PresenceServer::Posts& posts) const {
    crypto::PresenceState state{.status = status_of(chosen_.choice, idle_),
                                .capabilities = 0,
                                .device = core_->identity.device,
                                .since = std::max<std::int64_t>(since_, 0),
                                .text = chosen_.text};
    std::size_t count = 0;
    const auto add = [&](std::int64_t who, crypto::PresenceKey key,
                         const crypto::PresenceWriteSecret& write_secret) {
        if (posts.size() >= most_presence_topics) return;
        const auto topic = crypto::presence_topic(key);
        posts.emplace(topic,
                      PresenceServer::Post{.who = who,
                                           .key = std::move(key),
                                           .write_key = crypto::presence_write_key(write_secret, topic),
                                           .state = state});
        ++count;
    };
    for (const auto& [contact, person] : people_) {
        if (!person.own) continue;
        state.capabilities = person.direct ? capability_direct : 0;
        if (auto key = crypto::presence_key_at(person.own->key, person.own->day, which))
            add(contact, std::move(*key), person.own->write_secret);
    }
    state.capabilities = 0;
    const auto dummies = dummies_.on(which);
    if (!dummies) return;
    const auto more = PresenceDummies::wanted_beside(count);
    const auto write_secret = dummies->write_secret();
    for (std::size_t i = 0; i < more; ++i)
        add(-1 - static_cast<std::int64_t>(i), dummies->key({}, i), write_secret);
}

PresenceServer::Posts Presence::posts_at(const PresenceServer& server) const {
    PresenceServer::Posts posts;
    if (!publishing_ || chosen_.choice == PresenceChoice::invisible) return posts;
    // Where there is no room for two days the newer one stands: whoever can watch, watches both.
    auto days = days_to_publish(time_at(server), turn_);
    for (const auto each : std::views::reverse(days)) publish_day(each, posts);
    return posts;
}

void Presence::watch_day(Server& server, std::uint32_t which, std::set<PresenceServer::Topic>& topics) {
    const auto& route = server.connection->route();
    auto& crowd = server.days[which];
    auto before = std::exchange(crowd.contacts, {});
    std::size_t added = 0;
    for (const auto& [contact, person] : people_) {
        if (!person.theirs || person.route != route) continue;
        if (topics.size() >= most_presence_topics) break;
        auto key = crypto::presence_key_at(person.theirs->key, person.theirs->day, which);
        if (!key) continue;
        const auto topic = crypto::presence_topic(*key);
        added += before.contains(topic) ? 0U : 1U;
        topics.insert(topic);
        crowd.contacts.insert(topic);
        server.topics.insert_or_assign(topic,
                                       Watched{.contact = contact, .day = which, .key = std::move(*key)});
    }
    // Those that are added are as many as can't be told from it; those that nobody is behind go with the day.
    const auto fresh = PresenceDummies::wanted_beside(crowd.contacts.size());
    crowd.dummies += PresenceDummies::wanted_beside(added);
    if (crowd.contacts.empty() || crowd.dummies > fresh + most_added_dummies) crowd.dummies = fresh;
    const auto dummies = dummies_.on(which);
    for (std::size_t i = 0; dummies && i < crowd.dummies && topics.size() < most_presence_topics; ++i)
        topics.insert(crypto::presence_topic(dummies->key(route.server, i)));
}

void Presence::refresh_watches(Server& server) {
    const auto time = time_at(*server.connection);
    auto days = days_to_watch(time);
    const auto first = day_to_watch_first(time);
    std::ignore = std::ranges::partition(days, [&](std::uint32_t each) { return each == first; });
    server.topics.clear();
    std::erase_if(server.days,
                  [&](const auto& each) { return std::ranges::find(days, each.first) == days.end(); });
    std::set<PresenceServer::Topic> topics;
    for (const auto each : days) watch_day(server, each, topics);
    server.connection->watch(std::move(topics));
    const auto next = std::min(next_change_of_days(time, turn_), next_day_to_watch_first(time));
    sooner(days_change_at_, core_->shell.now + next - time);
}

void Presence::refresh() {
    due_ = false;
    auto& own = *server(home()).connection;
    own.publish(posts_at(own));
    for (const auto& [contact, person] : people_)
        if (person.route) std::ignore = server(*person.route);
    days_change_at_.reset();
    for (const auto& one : servers_) refresh_watches(*one);
    for (const auto& [contact, person] : people_) look(contact);
}

// ---- time ----

void Presence::pump() {
    if (!active_) return;
    const auto now = core_->shell.now;
    if ((scan_at_ && *scan_at_ <= now) || (days_change_at_ && *days_change_at_ <= now)) scan();
    if (due_) refresh();
    for (const auto& server : servers_) server->connection->pump();
    for (const auto& [contact, person] : people_)
        if (person.seen.gone_at && *person.seen.gone_at <= now) look(contact);
}

void Presence::tick() {
    for (const auto& server : servers_) server->connection->tick();
}

std::optional<std::int64_t> Presence::next_deadline() const {
    std::optional<std::int64_t> deadline = scan_at_;
    sooner(deadline, days_change_at_);
    for (const auto& [contact, person] : people_) sooner(deadline, person.seen.gone_at);
    for (const auto& server : servers_) sooner(deadline, server->connection->next_deadline());
    return deadline;
}

}  // namespace sotto::client
