// contact add, list, show. Who may no longer write to us: block_verbs.cpp.
#include "commands.hpp"
#include "online.hpp"
#include "output.hpp"
#include "sotto/crypto/codec.hpp"
#include "sotto/protocol/link.hpp"
#include "sotto/protocol/text.hpp"

namespace sotto::cli {
namespace {

Result<Json> contact_json(const storage::Contact& contact) {
    auto key = account_key_of(contact);
    if (!key) return pass_on(key);
    Json object;
    object["name"] = contact.name;
    object["address"] = contact.address.text();
    object["state"] = storage::name(contact.state);
    object["verified"] = is_verified(contact);
    object["verified_by"] = storage::name(contact.verified);
    object["fingerprint"] = crypto::to_hex(crypto::account_fingerprint(*key));
    object["blocked"] = contact.blocked;
    object["added_at"] = rfc3339(contact.added_at);
    return object;
}

Result<std::string> contact_line(const storage::Contact& contact) {
    auto key = account_key_of(contact);
    if (!key) return pass_on(key);
    auto line = protocol::printable(contact.name) + "  " + contact.address.text() + "  " +
                short_fingerprint(crypto::account_fingerprint(*key)) + "  " +
                std::string{storage::name(contact.state)};
    line += is_verified(contact) ? ", verified by " + std::string{storage::name(contact.verified)}
                                 : ", not verified";
    if (contact.blocked) line += ", blocked";
    return line;
}

Outcome print_contact(const Options& options, const storage::Contact& contact) {
    if (options.json) {
        auto object = contact_json(contact);
        if (!object) return pass_on(object);
        print_json(*object);
        return {};
    }
    auto line = contact_line(contact);
    if (!line) return pass_on(line);
    print_line(*line);
    return {};
}

/// How far the joining has come; the engine's own warning says why it ended.
struct Joining {
    std::int64_t contact = 0;
    bool accepted = false;
    std::optional<Error> refused;
};

void follow(Joining& joining, const client::Notice& notice) {
    if (const auto* changed = std::get_if<client::ContactChanged>(&notice)) {
        if (joining.contact == 0 && changed->state == storage::ContactState::joining)
            joining.contact = changed->contact;
    } else if (const auto* progress = std::get_if<client::MessageProgress>(&notice)) {
        if (joining.contact != 0 && progress->contact == joining.contact &&
            (progress->state == storage::MessageState::stored ||
             progress->state == storage::MessageState::delivered))
            joining.accepted = true;
    } else if (const auto* warning = std::get_if<client::Warning>(&notice)) {
        if (warning->contact == 0 || warning->contact == joining.contact) joining.refused = warning->error;
    }
}

}  // namespace

Outcome run_contact_add(const Options& options) {
    auto link = protocol::parse_contact_link(options.link);
    if (!link) return refuse(std::move(link.error()));
    auto profile = open_profile(options);
    if (!profile) return pass_on(profile);
    auto created = Online::create(*profile);
    if (!created) return pass_on(created);
    auto& online = **created;
    Joining joining;
    online.keep_warnings_quiet();
    online.on_notice([&joining](const client::Notice& notice) { follow(joining, notice); });

    const auto name = options.name.empty() ? link->address.user : options.name;
    auto begun = online.engine().join(*link, name, client::now_ms());
    if (!begun) return pass_on(begun);
    online.runner().apply(std::move(*begun));
    const auto ended = online.runner().run(
        [&] {
            return joining.accepted || joining.refused || (joining.contact != 0 && online.delivery_away());
        },
        Online::Clock::now() + Online::answer_time);
    online.runner().finish(joining.accepted ? Online::farewell_time : std::chrono::seconds{0});
    if (joining.refused && !joining.accepted) return std::unexpected(std::move(*joining.refused));
    if (!joining.accepted && joining.contact == 0) return std::unexpected(online.why_not(ended));
    if (!joining.accepted)
        return refuse(
            Exit::network,
            protocol::printable(name) +
                " is a contact now, but their server can't be reached; the first envelope leaves with "
                "the next `sotto send` or `sotto receive`.");
    const auto found = profile->store.contact(joining.contact);
    if (!found) return refuse(found.error());
    const auto& contact = *found;
    if (!contact) return refuse(Exit::bug, "The new contact is not in the store; please report this.");
    return print_contact(options, *contact);
}

Outcome run_contact_list(const Options& options) {
    auto profile = open_profile(options);
    if (!profile) return pass_on(profile);
    const auto contacts = profile->store.contacts();
    if (!contacts) return refuse(contacts.error());
    for (const auto& contact : *contacts)
        if (auto printed = print_contact(options, contact); !printed) return printed;
    return {};
}

Outcome run_contact_show(const Options& options) {
    auto profile = open_profile(options);
    if (!profile) return pass_on(profile);
    auto contact = find_contact(profile->store, options.contact);
    if (!contact) return pass_on(contact);
    if (options.json) return print_contact(options, *contact);
    auto key = account_key_of(*contact);
    if (!key) return pass_on(key);
    const bool known = contact->verified != storage::Verified::no;
    print_line("name         " + protocol::printable(contact->name));
    print_line("address      " + contact->address.text());
    print_line("state        " + std::string{storage::name(contact->state)});
    print_line("verified     " +
               (known ? "by " + std::string{storage::name(contact->verified)} : std::string{"no"}));
    print_line(std::string{"blocked      "} + (contact->blocked ? "yes" : "no"));
    print_line("fingerprint  " + grouped(crypto::to_hex(crypto::account_fingerprint(*key)), 4));
    print_line("added        " + local_time(contact->added_at));
    return {};
}

}  // namespace sotto::cli
