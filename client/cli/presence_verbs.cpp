// presence, who, contact set: what we show of ourselves, to whom, and who is there.
#include <algorithm>

#include "columns.hpp"
#include "commands.hpp"
#include "online.hpp"
#include "output.hpp"
#include "sotto/protocol/text.hpp"

namespace sotto::cli {
namespace {

using client::PresenceKind;
using client::PresenceView;

/// For the servers of all contacts to say who is there.
constexpr std::chrono::seconds look_time{8};

struct Row {
    storage::Contact contact;
    PresenceView view;
};

Json row_json(const Row& row) {
    Json object;
    object["contact"] = row.contact.name;
    object["address"] = row.contact.address.text();
    object["status"] = client::name(row.view.kind);
    object["text"] = row.view.text;
    object["since"] = row.view.since > 0 ? Json(rfc3339(row.view.since)) : Json(nullptr);
    object["verified"] = is_verified(row.contact);
    return object;
}

std::string row_line(const Row& row, int name_width) {
    auto line = padded(protocol::printable(row.contact.name), name_width) + "  " +
                padded(std::string{client::name(row.view.kind)}, 8);
    const auto since = row.view.since > 0 ? local_time(row.view.since) : std::string{};
    if (!since.empty() || !row.view.text.empty()) line += padded(since, 16) + "  ";
    line += with_short_blanks(protocol::printable(row.view.text));
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
}

void print_row(const Options& options, const Row& row, int name_width) {
    if (options.json)
        print_json(row_json(row));
    else
        print_line(row_line(row, name_width));
}

/// What we show now, as a sentence.
std::string choice_sentence(const client::ChosenPresence& chosen) {
    auto out = "You are shown as " + std::string{client::name(chosen.choice)};
    if (chosen.choice == client::PresenceChoice::invisible)
        return "You are invisible: contacts see you as offline.";
    if (!chosen.text.empty()) out += " (" + protocol::printable(chosen.text) + ")";
    return out + " to your contacts while `sotto chat` or `sotto receive --follow` runs.";
}

Outcome print_choice(const Options& options, const client::ChosenPresence& chosen) {
    if (!options.json) {
        print_line(choice_sentence(chosen));
        return {};
    }
    Json object;
    object["presence"] = client::name(chosen.choice);
    object["text"] = chosen.text;
    print_json(object);
    return {};
}

storage::DirectChoice choice_of(std::string_view word) {
    if (word == "on") return storage::DirectChoice::always;
    return word == "off" ? storage::DirectChoice::never : storage::DirectChoice::by_setting;
}

std::string_view words_for(storage::DirectChoice choice) {
    switch (choice) {
        case storage::DirectChoice::always:
            return " may be reached directly, and learns your network address then.";
        case storage::DirectChoice::never:
            return " is reached by the server alone, and doesn't learn your network address.";
        case storage::DirectChoice::by_setting:
            break;
    }
    return " may be reached directly if `sotto direct` says so.";
}

}  // namespace

Outcome run_presence(const Options& options) {
    auto profile = open_profile(options, "/presence");
    if (!profile) return pass_on(profile);
    auto online = Online::create(*profile);
    if (!online) return pass_on(online);
    auto& engine = (*online)->engine();
    if (!options.status.empty()) {
        auto choice = client::PresenceChoice::online;
        for (const auto each :
             {client::PresenceChoice::away, client::PresenceChoice::busy, client::PresenceChoice::invisible})
            if (options.status == client::name(each)) choice = each;
        auto chosen = engine.choose_presence(choice, options.text.value_or(""), client::now_ms());
        if (!chosen) return pass_on(chosen);
    }
    auto chosen = engine.chosen_presence();
    if (!chosen) return pass_on(chosen);
    return print_choice(options, *chosen);
}

Outcome run_who(const Options& options) {
    use_locale();
    auto profile = open_profile(options, "/who");
    if (!profile) return pass_on(profile);
    const auto contacts = profile->store.contacts();
    if (!contacts) return refuse(contacts.error());
    auto created = Online::create(*profile);
    if (!created) return pass_on(created);
    auto& online = **created;
    auto& engine = online.engine();

    int width = 0;
    for (const auto& contact : *contacts)
        width = std::max(width, columns_of(protocol::printable(contact.name)));
    bool listed = false;
    online.on_notice([&](const client::Notice& notice) {
        const auto* changed = std::get_if<client::PresenceChanged>(&notice);
        if (!listed || changed == nullptr) return;
        const auto found = std::ranges::find(*contacts, changed->contact, &storage::Contact::id);
        if (found == contacts->end()) return;
        print_row(options, {.contact = *found, .view = changed->view}, width);
        std::ignore = flush_output();
    });
    online.runner().apply(engine.go_online(false, client::now_ms()));
    const auto ended =
        online.runner().run([&] { return engine.presence_settled(); }, Online::Clock::now() + look_time);
    bool unknown = false;
    for (const auto& contact : *contacts) {
        const Row row{.contact = contact, .view = engine.presence(contact.id)};
        unknown = unknown || (row.view.kind == PresenceKind::unknown && !contact.blocked);
        print_row(options, row, width);
    }
    listed = true;
    if (auto flushed = flush_output(); !flushed) return flushed;
    if (unknown && ended != client::Runner::Ended::interrupted)
        say_note(
            "Of those shown as unknown nothing is known: they have not shown themselves to you yet, or their "
            "server can't be reached.");
    if (options.follow && ended != client::Runner::Ended::interrupted)
        std::ignore = online.runner().run([] { return false; });
    online.runner().finish(std::chrono::seconds{0});
    return {};
}

Outcome run_contact_set(const Options& options) {
    if (options.contact_presence.empty() && options.contact_direct.empty())
        return refuse("Say what to set for this contact: --presence, --direct, or both.");
    // A chat decides nothing about who may see us.
    auto profile = open_profile(options, options.contact_presence.empty() ? "/direct" : "");
    if (!profile) return pass_on(profile);
    auto contact = find_contact(profile->store, options.contact);
    if (!contact) return pass_on(contact);
    auto online = Online::create(*profile);
    if (!online) return pass_on(online);
    auto& engine = (*online)->engine();
    const auto name = protocol::printable(contact->name);
    Json object;
    object["contact"] = contact->name;
    std::vector<std::string> said;
    if (!options.contact_presence.empty()) {
        const bool visible = options.contact_presence == "on";
        auto set = engine.set_visible(contact->id, visible, client::now_ms());
        if (!set) return pass_on(set);
        object["presence"] = options.contact_presence;
        said.push_back(name + (visible ? " sees when you are there."
                                       : " always sees you as offline; they are not told."));
    }
    if (!options.contact_direct.empty()) {
        const auto choice = choice_of(options.contact_direct);
        auto set = engine.set_direct(contact->id, choice, client::now_ms());
        if (!set) return pass_on(set);
        object["direct"] = options.contact_direct;
        said.push_back(name + std::string{words_for(choice)});
    }
    if (options.json) print_json(object);
    if (!options.json)
        for (const auto& line : said) print_line(line);
    return {};
}

}  // namespace sotto::cli
