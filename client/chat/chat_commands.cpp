// What a person asks for.
#include "chat.hpp"
#include "sotto/protocol/text.hpp"
#include "words.hpp"

namespace sotto::chat {
namespace {

using storage::Contact;
using storage::ContactState;

constexpr std::size_t digits_a_group = 5;

[[nodiscard]] std::string grouped(std::string_view digits) {
    std::string out;
    for (std::size_t at = 0; at < digits.size(); at += digits_a_group) {
        if (at != 0) out += ' ';
        out += digits.substr(at, digits_a_group);
    }
    return out;
}

}  // namespace

void Chat::run(const Command& command) {
    std::visit([this](const auto& what) { on(what); }, command);
}

void Chat::say(const Contact& contact, const std::string& text) {
    auto queued = world_.engine.send_text(contact.id, text, world_.now());
    if (!queued) return refuse(queued.error());
    world_.show({.kind = Line::Kind::ours,
                 .at = world_.now(),
                 .name = protocol::printable(contact.name),
                 .verified = true,
                 .number = number_of(queued->id),
                 .typed = true,
                 .text = indented(text)});
    world_.apply(std::move(queued->output));
}

void Chat::on(const Say& said) {
    if (const auto contact = current()) say(*contact, said.text);
}

void Chat::on(const Write& write) {
    const auto to = addressed(write.rest, names());
    // A name alone is where to go on.
    if (to.text.empty()) return on(Switch{to.whom});
    if (const auto contact = find(to.whom)) say(*contact, to.text);
}

void Chat::on(const Help& /*help*/) {
    for (const auto& one : command_help()) {
        std::string text{one.name};
        if (!one.arguments.empty()) text += " " + std::string{one.arguments};
        text += ": " + std::string{one.says};
        if (!one.brief.empty()) text += " (" + std::string{one.brief} + ")";
        info(std::move(text));
    }
    info(
        "@NAME TEXT: write to somebody; bare text goes to the open conversation, // begins one with a slash");
    info("/msg NAME TEXT, /query NAME, /away [TEXT], /back and /exit: as elsewhere");
}

void Chat::on(const Who& /*who*/) {
    const auto contacts = take(world_.store.contacts());
    if (!contacts) return;
    for (const auto& contact : *contacts) {
        const auto view = world_.engine.presence(contact.id);
        auto text = protocol::printable(contact.name) + ": " + std::string{client::name(view.kind)};
        if (!view.text.empty()) text += ", " + protocol::printable(view.text);
        const auto way = world_.engine.direct(contact.id);
        if (way.state == client::DirectState::direct) text += ", " + std::string{words_for(way.kind)};
        info(std::move(text));
    }
    if (contacts->empty()) info("There are no contacts yet; `sotto invite` makes a link for one.");
}

void Chat::on(const Chats& /*chats*/) {
    const auto contacts = take(world_.store.contacts());
    if (!contacts) return;
    listed_.clear();
    for (const auto& contact : *contacts) {
        listed_.push_back(contact.id);
        auto text = std::to_string(listed_.size()) + "  " + protocol::printable(contact.name);
        if (const auto unread = unread_.find(contact.id); unread != unread_.end())
            text += ", " + unread_text(unread->second);
        if (!is_verified(contact)) text += ", not verified";
        if (contact.blocked) text += ", blocked";
        if (contact.id == current_) text += ", open";
        info(std::move(text));
    }
    if (contacts->empty()) info("There are no contacts yet; `sotto invite` makes a link for one.");
}

void Chat::on(const Switch& which) {
    if (const auto contact = find(which.which)) open(*contact);
}

void Chat::on(const History& history) {
    if (const auto contact = meant(history.whom)) show_history(*contact, {}, history.limit);
}

void Chat::on(const Search& search) {
    auto with = search.words.starts_with('@') ? addressed(search.words.substr(1), names())
                                              : Addressed{.whom = {}, .text = search.words};
    const auto contact = meant(with.whom);
    if (!contact) return;
    if (with.text.empty())
        return info("Say which words to look for, as in /search @bob lunch.", Line::Kind::mistake);
    if (!protocol::valid_utf8(with.text))
        return info("The words are not valid UTF-8; type them again.", Line::Kind::mistake);
    show_history(*contact, with.text, -1);
}

void Chat::on(const Verify& verify) {
    // Whose number was shown, not who is open.
    const auto shown = verify.confirmed && verify.whom.empty() && to_verify_ != 0;
    const auto asked = shown ? take(world_.store.contact(to_verify_)) : std::nullopt;
    const auto contact = shown && asked ? *asked : meant(verify.whom);
    if (!contact) return;
    if (verify.confirmed) {
        if (carry_out(world_.engine.verify(contact->id, client::ComparedByEye{}, world_.now())))
            info(protocol::printable(contact->name) + " is verified: you have both compared the number.");
        return;
    }
    const auto numbers = world_.engine.safety_numbers(contact->id);
    if (!numbers) return refuse(numbers.error());
    if (contact->state == ContactState::changed)
        return info("Another key has appeared for " + protocol::printable(contact->name) +
                        "; leave with /quit and decide by `sotto verify`.",
                    Line::Kind::warning);
    to_verify_ = contact->id;
    info(grouped(numbers->number));
    info("Compare it with " + protocol::printable(contact->name) +
         " by a call or in person; only if all digits are the same: /verify confirm");
}

void Chat::on(const Block& block) {
    if (!block.confirmed || !block.whom.empty()) {
        const auto contact = meant(block.whom);
        if (!contact) return;
        to_block_ = contact->id;
    }
    if (to_block_ == 0)
        return info("Nobody was asked about; /block or /block NAME says first what it does.",
                    Line::Kind::mistake);
    const auto contact = take(world_.store.contact(to_block_));
    if (!contact || !*contact) return;
    const auto shown = protocol::printable((*contact)->name);
    if (!block.confirmed)
        return info("Nothing more of " + shown +
                    " would be taken in and nothing sent to them; what waits, of theirs or for them, would "
                    "be dropped. If that is meant: /block confirm");
    to_block_ = 0;
    if (carry_out(world_.engine.block((*contact)->id, world_.now())))
        info("Nothing more of " + shown + " is taken in, and nothing is sent to them.");
}

void Chat::on(const Unblock& unblock) {
    const auto contact = meant(unblock.whom);
    if (contact && carry_out(world_.engine.unblock(contact->id, world_.now())))
        info(protocol::printable(contact->name) + " can write to you again.");
}

void Chat::on(const SetPresence& presence) {
    if (presence.choice &&
        !carry_out(world_.engine.choose_presence(*presence.choice, presence.text, world_.now())))
        return;
    const auto chosen = world_.engine.chosen_presence();
    if (!chosen) return refuse(chosen.error());
    auto text = "Contacts see you as " + std::string{client::name(chosen->choice)};
    if (chosen->choice == client::PresenceChoice::invisible)
        text = "You are invisible: contacts see you as offline";
    else if (!chosen->text.empty())
        text += " (" + protocol::printable(chosen->text) + ")";
    info(text + ".");
}

void Chat::on(const Reach& reach) {
    const auto contact = meant(reach.whom);
    if (!contact) return;
    const auto shown = protocol::printable(contact->name);
    if (reach.choice) {
        if (!carry_out(world_.engine.set_direct(contact->id, *reach.choice, world_.now()))) return;
        switch (*reach.choice) {
            case storage::DirectChoice::always:
                return info(shown + " may be reached directly, and learns your network address then.");
            case storage::DirectChoice::never:
                return info(shown + " is reached by the server alone.");
            case storage::DirectChoice::by_setting:
                break;
        }
        const auto policy = world_.engine.direct_policy();
        if (!policy) return refuse(policy.error());
        return info("With " + shown + " it is as `sotto direct` says; those reached directly: " +
                    std::string{words_for(*policy)} + ".");
    }
    asked_ = contact->id;
    if (!carry_out(world_.engine.try_direct(contact->id, world_.now()))) return;
    const auto view = world_.engine.direct(contact->id);
    if (view.state == client::DirectState::direct)
        return info(shown + ": " + std::string{words_for(view.kind)});
    info("Trying to reach " + shown + " directly; messages go by the server meanwhile.");
}

void Chat::on(const Quit& /*quit*/) {
    finished_ = true;
}

void Chat::on(const Mistake& mistake) {
    info(protocol::printable(mistake.sentence), Line::Kind::mistake);
}

}  // namespace sotto::chat
