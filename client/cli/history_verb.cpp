// history: what was said, in both directions.
#include "commands.hpp"
#include "messages.hpp"
#include "profile.hpp"
#include "sotto/protocol/text.hpp"

namespace sotto::cli {

Outcome run_history(const Options& options) {
    if (!protocol::valid_utf8(options.search))
        return refuse("The words to search for are not valid UTF-8; type them again.");
    auto profile = open_profile(options);
    if (!profile) return pass_on(profile);
    auto contact = find_contact(profile->store, options.contact);
    if (!contact) return pass_on(contact);
    const auto messages = profile->store.history(contact->id, options.search, options.limit);
    if (!messages) return refuse(messages.error());
    for (const auto& message : *messages) {
        if (options.json)
            print_json(history_json(message, *contact));
        else
            print_line(history_line(message, *contact));
    }
    return {};
}

}  // namespace sotto::cli
