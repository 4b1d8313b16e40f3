// contact block, unblock, remove: committed first, then our server and the other contacts hear of it.
#include "commands.hpp"
#include "online.hpp"
#include "output.hpp"
#include "sotto/protocol/text.hpp"

namespace sotto::cli {
namespace {

using Decision = client::Result<client::Output> (client::Engine::*)(std::int64_t, std::int64_t);

struct Decided {
    storage::Contact contact;  ///< as it was
    std::optional<Error> untold;
};

/// Takes the decision, and says why the server could not be told, if so.
Result<Decided> decide(const Options& options, Decision decision) {
    auto profile = open_profile(options);
    if (!profile) return pass_on(profile);
    auto contact = find_contact(profile->store, options.contact);
    if (!contact) return pass_on(contact);
    auto created = Online::create(*profile);
    if (!created) return pass_on(created);
    auto& online = **created;
    auto& engine = online.engine();
    online.keep_warnings_quiet();
    auto done = (engine.*decision)(contact->id, client::now_ms());
    if (!done) return pass_on(done);
    online.runner().apply(std::move(*done));
    online.log_in();
    const auto ended = online.runner().run([&] { return engine.tokens_published() || online.server_away(); },
                                           Online::Clock::now() + Online::answer_time);
    Decided out{std::move(*contact), std::nullopt};
    if (!engine.tokens_published()) out.untold = online.why_not(ended);
    online.runner().finish(out.untold ? std::chrono::seconds{0} : Online::farewell_time);
    return out;
}

Outcome print_decided(const Options& options, const Decided& decided, const char* key,
                      const std::string& sentence, const std::string& until) {
    const auto& contact = decided.contact;
    const auto name = protocol::printable(contact.name) + " (" + contact.address.text() + ")";
    if (options.json) {
        Json object;
        object[key] = contact.name;
        object["address"] = contact.address.text();
        object["server_told"] = !decided.untold.has_value();
        print_json(object);
    } else {
        print_line(name + " " + sentence);
    }
    if (!decided.untold) return {};
    return refuse(decided.untold->exit, decided.untold->sentence + " " + until);
}

constexpr auto can_still_write =
    "Until a `sotto receive` reaches the server they can put messages into the mailbox, which are not shown.";

}  // namespace

Outcome run_contact_block(const Options& options) {
    auto decided = decide(options, &client::Engine::block);
    if (!decided) return pass_on(decided);
    return print_decided(options, *decided, "blocked", "is blocked.", can_still_write);
}

Outcome run_contact_unblock(const Options& options) {
    auto decided = decide(options, &client::Engine::unblock);
    if (!decided) return pass_on(decided);
    return print_decided(options, *decided, "unblocked", "is not blocked.",
                         "They can write again after a `sotto receive` that reaches the server.");
}

Outcome run_contact_remove(const Options& options) {
    auto decided = decide(options, &client::Engine::remove);
    if (!decided) return pass_on(decided);
    return print_decided(options, *decided, "removed", "is forgotten.", can_still_write);
}

}  // namespace sotto::cli
