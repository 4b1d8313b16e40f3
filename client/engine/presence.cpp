#include "presence.hpp"

#include "paths.hpp"
#include "presence_day.hpp"
#include "sentences.hpp"
#include "sotto/client/direct.hpp"
#include "sotto/protocol/text.hpp"

namespace sotto::client {
namespace {

constexpr std::int64_t scan_every = second;
constexpr std::string_view choice_setting = "presence";
constexpr std::string_view text_setting = "presence text";

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

[[nodiscard]] PresenceKind kind_of(crypto::PresenceStatus status) {
    switch (status) {
        case crypto::PresenceStatus::away:
            return PresenceKind::away;
        case crypto::PresenceStatus::busy:
            return PresenceKind::busy;
        case crypto::PresenceStatus::online:
            break;
    }
    return PresenceKind::online;
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
    for (const auto& server : servers_) server->connection->stop();
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
    return found == people_.end() ? PresenceView{} : found->second.view;
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

std::uint32_t Presence::own_day() {
    const auto* const own = find({core_->own_endpoint(), core_->identity.address.server});
    const auto offset = own == nullptr ? 0 : own->connection->clock_offset();
    return static_cast<std::uint32_t>(std::max<std::int64_t>(core_->shell.wall + offset, day) / day);
}

void Presence::prepare_own(storage::Contact& contact, storage::PresenceRow& row) {
    const auto yesterday = own_day() - 1;
    if (row.own) {
        if (row.own->day >= yesterday) return;
        // What is past can't be read by who finds the key later.
        auto next = crypto::presence_key_at(row.own->key, row.own->day, yesterday);
        if (!next) return row.own.reset();
        row.own->key = std::move(*next);
        row.own->day = yesterday;
        must(core_->store.put_presence(row));
        return;
    }
    auto transaction = core_->store.begin();
    row.own.emplace(
        storage::PresenceRow::Own{.key = crypto::PresenceKey{core_->shell.rng.bytes<32>()},
                                  .day = yesterday,
                                  .write_key = crypto::PresenceWriteKey{core_->shell.rng.bytes<16>()}});
    must(core_->store.put_presence(row));
    content::Content content;
    content.mutable_presence_key()->set_key(to_field(row.own->key.expose()));
    content.mutable_presence_key()->set_day(row.own->day);
    const auto queued = outbox_->queue(contact, std::move(content), true);
    must(transaction.commit());
    outbox_->queued(contact.id, queued.id);
}

void Presence::scan(storage::Contact& contact, Person& person) {
    auto row = must(core_->store.presence(contact.id));
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
    auto before = std::exchange(people_, {});
    for (auto& contact : must(core_->store.contacts())) {
        auto& person = people_[contact.id];
        if (const auto known = before.find(contact.id); known != before.end())
            person.view = std::move(known->second.view);
        scan(contact, person);
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
                              .opened = [this] { due_ = true; }});
    return made;
}

const Presence::Server* Presence::find(const Route& route) const {
    const auto found =
        std::ranges::find_if(servers_, [&](const auto& one) { return one->connection->route() == route; });
    return found == servers_.end() ? nullptr : found->get();
}

std::int64_t Presence::time_at(const PresenceServer& server) const {
    return core_->shell.wall + server.clock_offset();
}

void Presence::refresh_posts(PresenceServer& server) {
    std::vector<PresenceServer::Post> posts;
    if (publishing_ && chosen_.choice != PresenceChoice::invisible) {
        crypto::PresenceState state{.status = status_of(chosen_.choice, idle_),
                                    .capabilities = 0,
                                    .device = core_->identity.device,
                                    .since = std::max<std::int64_t>(since_, 0),
                                    .text = chosen_.text};
        for (const auto& [contact, person] : people_) {
            if (!person.own) continue;
            state.capabilities = person.direct ? capability_direct : 0;
            for (const auto each : days_to_publish(time_at(server), turn_)) {
                const auto key = crypto::presence_key_at(person.own->key, person.own->day, each);
                if (!key) continue;
                posts.push_back({.topic = crypto::presence_topic(*key),
                                 .write_key = person.own->write_key.clone(),
                                 .blob = crypto::seal_presence(*key, state, core_->shell.rng)});
            }
        }
    }
    server.publish(std::move(posts));
}

void Presence::refresh() {
    due_ = false;
    const Route home{core_->own_endpoint(), core_->identity.address.server};
    refresh_posts(*server(home).connection);
    for (const auto& [contact, person] : people_)
        if (person.route) std::ignore = server(*person.route);
    days_change_at_.reset();
    for (const auto& one : servers_) {
        const auto time = time_at(*one->connection);
        one->topics.clear();
        std::set<PresenceServer::Topic> topics;
        for (const auto& [contact, person] : people_) {
            if (!person.theirs || person.route != one->connection->route()) continue;
            for (const auto each : days_to_watch(time)) {
                auto key = crypto::presence_key_at(person.theirs->key, person.theirs->day, each);
                if (!key) continue;
                const auto topic = crypto::presence_topic(*key);
                topics.insert(topic);
                one->topics.insert_or_assign(
                    topic, Watched{.contact = contact, .day = each, .key = std::move(*key)});
            }
        }
        one->connection->watch(std::move(topics));
        sooner(days_change_at_, core_->shell.now + next_change_of_days(time, turn_) - time);
    }
    for (const auto& [contact, person] : people_) look(contact);
}

// ---- what contacts show ----

PresenceView Presence::judge(std::int64_t contact, const Person& person) const {
    PresenceView out;
    if (!person.theirs || !person.route) return out;
    const auto* const server = find(*person.route);
    if (server == nullptr || !server->connection->known()) return out;
    out.kind = PresenceKind::offline;
    std::uint32_t newest = 0;
    for (const auto& [topic, watched] : server->topics) {
        if (watched.contact != contact || watched.day < newest) continue;
        const auto* const blob = server->connection->held(topic);
        if (blob == nullptr) continue;
        const auto state = crypto::open_presence(watched.key, *blob);
        if (!state || !protocol::valid_utf8(state->text)) continue;
        newest = watched.day;
        out = {.kind = kind_of(state->status),
               .text = state->text,
               .since = state->since,
               .device = state->device,
               .capabilities = state->capabilities};
    }
    return out;
}

void Presence::look(std::int64_t contact) {
    const auto found = people_.find(contact);
    if (found == people_.end()) return;
    auto view = judge(contact, found->second);
    if (view == found->second.view) return;
    found->second.view = view;
    core_->shell.tell(PresenceChanged{contact, std::move(view)});
}

// ---- time ----

void Presence::pump() {
    if (!active_) return;
    if (scan_at_ && *scan_at_ <= core_->shell.now) scan();
    if (days_change_at_ && *days_change_at_ <= core_->shell.now) {
        scan();
        due_ = true;
    }
    if (due_) refresh();
    for (const auto& server : servers_) server->connection->pump();
    if (due_) refresh();
}

void Presence::tick() {
    for (const auto& server : servers_) server->connection->tick();
}

std::optional<std::int64_t> Presence::next_deadline() const {
    std::optional<std::int64_t> deadline = scan_at_;
    sooner(deadline, days_change_at_);
    for (const auto& server : servers_) sooner(deadline, server->connection->next_deadline());
    return deadline;
}

}  // namespace sotto::client
