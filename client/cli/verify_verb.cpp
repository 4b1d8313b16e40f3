// verify: the safety number of two account keys, compared with the other side; and what a person decides when
// another key has appeared.
#include "commands.hpp"
#include "output.hpp"
#include "profile.hpp"
#include "qr.hpp"
#include "sotto/client/engine.hpp"
#include "sotto/client/runner.hpp"
#include "sotto/crypto/safety_number.hpp"
#include "sotto/protocol/text.hpp"
#include "text_input.hpp"

namespace sotto::cli {
namespace {

struct Subject {
    storage::Contact contact;
    client::SafetyNumbers numbers;
    std::string name;  ///< printable
    std::string who;   ///< name and address
};

Result<client::Comparison> comparison_of(const Options& options) {
    if (options.confirm) return client::ComparedByEye{};
    if (!options.scan) return client::NotCompared{};
    auto text = *options.scan;
    if (text == "-") {
        if (options.passphrase.fd == 0)
            return refuse(
                "Standard input can't give both the passphrase and the number; use another descriptor or a "
                "file.");
        auto read = read_number_from_stdin();
        if (!read) return pass_on(read);
        text = std::move(*read);
    }
    if (!crypto::parse_safety_number(text))
        return refuse(
            "This is no safety number; give --scan the whole text of their QR code, or all 60 digits.");
    return client::Scanned{std::move(text)};
}

Result<Subject> look(client::Engine& engine, Profile& profile, const std::string& which) {
    auto contact = find_contact(profile.store, which);
    if (!contact) return pass_on(contact);
    auto numbers = engine.safety_numbers(contact->id);
    if (!numbers) return pass_on(numbers);
    auto name = protocol::printable(contact->name);
    auto who = name + " (" + contact->address.text() + ")";
    return Subject{std::move(*contact), std::move(*numbers), std::move(name), std::move(who)};
}

bool undecided(const Subject& subject) {
    return subject.contact.state == storage::ContactState::changed;
}

void print_object(const Subject& subject) {
    const auto& numbers = subject.numbers;
    const auto qr = [](const std::string& number) { return Json(crypto::safety_number_qr(number)); };
    Json object;
    object["contact"] = subject.contact.name;
    object["address"] = subject.contact.address.text();
    object["contact_state"] = storage::name(subject.contact.state);
    object["safety_number"] = grouped(numbers.number, 5);
    object["qr"] = undecided(subject) ? Json(nullptr) : qr(numbers.number);
    object["verified"] = is_verified(subject.contact);
    object["verified_by"] = storage::name(subject.contact.verified);
    if (undecided(subject)) {
        object["new_safety_number"] = numbers.other ? Json(grouped(*numbers.other, 5)) : Json(nullptr);
        object["new_qr"] = numbers.other ? qr(*numbers.other) : Json(nullptr);
        object["waiting"] = numbers.waiting;
    }
    print_json(object);
}

void print_number(const std::string& number, bool with_qr) {
    print_line(grouped(number, 5, 4));
    if (with_qr)
        if (const auto code = qr_code(crypto::safety_number_qr(number))) print(*code);
}

std::string count_of_messages(std::size_t count) {
    return count == 1 ? "1 message" : std::to_string(count) + " messages";
}

void print_undecided(const Subject& subject, bool with_qr) {
    const auto& numbers = subject.numbers;
    print_line("Another key has appeared for " + subject.who + ".");
    print_line("");
    print_line("NO LONGER VALID, the number with the key that they had before:");
    print_number(numbers.number, false);
    print_line("");
    if (numbers.other == numbers.number) {
        print_line("The account key is the same, and so is the number: their server shows two records of");
        print_line("one age. It may have been restored from an old copy; ask them.");
    } else if (numbers.other) {
        print_line("The number with the NEW key, to be compared by a call or in person before you decide:");
        print_number(*numbers.other, with_qr);
    } else {
        print_line("The new key itself has not been fetched yet: run `sotto receive`, then look again.");
    }
    print_line("");
    if (numbers.before != storage::Verified::no)
        print_line("They were verified by " + std::string{storage::name(numbers.before)} +
                   "; this says nothing about the new key.");
    if (numbers.waiting > 0)
        print_line(count_of_messages(numbers.waiting) +
                   " not acknowledged by them will go to whichever key you decide for.");
    print_line("Their screen shows the new number:  sotto verify " + subject.name +
               " --accept-new-key --scan NUMBER");
    print_line("It shows another one, or the old one:  sotto verify " + subject.name + " --reject-new-key");
}

void print_plain(const Subject& subject, bool with_qr) {
    print_number(subject.numbers.number, with_qr);
    print_line("Compare it with " + subject.who +
               " by a call or in person: `sotto verify` shows them the same 60 digits.");
    print_line("Only if all are the same: sotto verify " + subject.name + " --confirm");
    print_line("Or give what their screen shows to: sotto verify " + subject.name + " --scan -");
}

void print_accepted(const Subject& before, const Subject& now) {
    const auto by = std::string{storage::name(now.contact.verified)};
    if (now.contact.verified != storage::Verified::no)
        print_line(now.who + " has the new key now, verified by " + by + ".");
    else if (before.numbers.before != storage::Verified::no)
        print_line(now.who +
                   " has the new key now and is NOT VERIFIED any more: its number was not compared.");
    else
        print_line(now.who + " has the new key now and is NOT VERIFIED: its number was not compared.");
    if (now.numbers.waiting > 0)
        print_line(count_of_messages(now.numbers.waiting) +
                   " not acknowledged by them will go to the new key with the next `sotto send` or `sotto "
                   "receive`.");
}

void print_rejected(const Subject& now) {
    const auto by = std::string{storage::name(now.contact.verified)};
    print_line("The other key is refused; " + now.who + " keeps the key that they had, " +
               (is_verified(now.contact) ? "verified by " + by : std::string{"not verified"}) + ".");
}

void print_compared(const Subject& now) {
    const auto by = std::string{storage::name(now.contact.verified)};
    if (is_verified(now.contact))
        print_line("The numbers are the same: " + now.who + " is verified by " + by + " now.");
    else
        print_line("The numbers are the same; " + now.who +
                   " is verified once their server has confirmed the address.");
}

client::Result<client::Output> decide(client::Engine& engine, const Options& options, std::int64_t contact,
                                      const client::Comparison& comparison) {
    const auto now = client::now_ms();
    if (options.accept_new_key) return engine.accept_key(contact, comparison, now);
    if (options.reject_new_key) return engine.reject_key(contact, now);
    return engine.verify(contact, comparison, now);
}

}  // namespace

Outcome run_verify(const Options& options) {
    const auto comparison = comparison_of(options);
    if (!comparison) return std::unexpected(comparison.error());
    auto profile = open_profile(options);
    if (!profile) return pass_on(profile);
    crypto::SystemRng rng;
    auto engine = client::Engine::create(profile->store, rng, {});
    if (!engine) return pass_on(engine);
    auto before = look(*engine, *profile, options.contact);
    if (!before) return pass_on(before);

    const auto id = before->contact.id;
    const bool compared = !std::holds_alternative<client::NotCompared>(*comparison);
    // Nothing leaves: there is no connection. What has to leave does so with the next verb that goes online.
    const auto done = decide(*engine, options, id, *comparison);
    const bool shows = !compared && !options.accept_new_key && !options.reject_new_key;
    if (!done && !shows) return std::unexpected(done.error());

    const auto now = look(*engine, *profile, options.contact);
    if (!now) return std::unexpected(now.error());
    const bool with_qr = options.qr || output_is_terminal();
    if (options.json)
        print_object(*now);
    else if (options.accept_new_key)
        print_accepted(*before, *now);
    else if (options.reject_new_key)
        print_rejected(*now);
    else if (compared)
        print_compared(*now);
    else if (undecided(*now))
        print_undecided(*now, with_qr);
    else
        print_plain(*now, with_qr);
    if (!done) return std::unexpected(done.error());
    return {};
}

}  // namespace sotto::cli
