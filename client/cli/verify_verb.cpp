// verify: the safety number of two account keys, to be compared outside of Sotto.
#include "commands.hpp"
#include "output.hpp"
#include "profile.hpp"
#include "qr.hpp"
#include "sotto/crypto/safety_number.hpp"
#include "sotto/protocol/text.hpp"

namespace sotto::cli {
namespace {

constexpr const char* qr_prefix = "SOTTO/1/NUMBER/";  // docs/protocol.md section 10

Outcome confirm(Profile& profile, storage::Contact& contact) {
    contact.verified = storage::Verified::number;
    auto transaction = profile.store.begin();
    if (auto updated = profile.store.update_contact(contact); !updated) return refuse(updated.error());
    if (auto committed = transaction.commit(); !committed) return refuse(committed.error());
    return {};
}

}  // namespace

Outcome run_verify(const Options& options) {
    auto profile = open_profile(options);
    if (!profile) return pass_on(profile);
    auto contact = find_contact(profile->store, options.contact);
    if (!contact) return pass_on(contact);
    const auto name = protocol::printable(contact->name);
    if (contact->state == storage::ContactState::changed)
        return refuse(Exit::untrusted,
                      "Another key has appeared for " + name +
                          "; ask them by another way. If it is theirs, remove the contact and add them by a "
                          "new link.");
    auto key = account_key_of(*contact);
    if (!key) return pass_on(key);
    const auto number = crypto::safety_number(profile->record.body().account_key, profile->identity.address,
                                              *key, contact->address);
    if (options.confirm)
        if (auto confirmed = confirm(*profile, *contact); !confirmed) return confirmed;

    if (options.json) {
        Json object;
        object["contact"] = contact->name;
        object["address"] = contact->address.text();
        object["safety_number"] = grouped(number, 5);
        object["verified"] = is_verified(*contact);
        object["verified_by"] = storage::name(contact->verified);
        print_json(object);
        return {};
    }
    print_line(grouped(number, 5, 4));
    if (output_is_terminal())
        if (const auto code = qr_code(qr_prefix + number)) print(*code);
    if (options.confirm) {
        print_line(name + " (" + contact->address.text() + ") is verified by this number now.");
    } else {
        print_line("Compare it with " + name + " (" + contact->address.text() +
                   ") by a call or in person: `sotto verify` shows them the same 60 digits.");
        print_line("Only if all are the same: sotto verify " + name + " --confirm");
    }
    return {};
}

}  // namespace sotto::cli
