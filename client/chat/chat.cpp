#include "client/chat/chat.hpp"

#include <charconv>

#include "sotto/protocol/text.hpp"

namespace sotto::chat {
namespace {

using storage::Contact;
using storage::ContactState;
using storage::Direction;
using storage::Message;

constexpr int on_entry = 10;
constexpr std::uint32_t kind_text = 20;  // content.proto
constexpr std::size_t digits_a_group = 5;

[[nodiscard]] bool is_verified(const Contact& contact) {
    return contact.state == ContactState::confirmed && contact.verified != storage::Verified::no;
}

/// Safe to print, with further lines indented, so that none of them can pass for somebody else's.
[[nodiscard]] std::string indented(std::string_view text) {
    std::string out;
    for (const char c : protocol::printable(text, true)) {
        out += c;
        if (c == '\n') out += "    ";
    }
    return out;
}

[[nodiscard]] std::string text_of(const Message& message) {
    if (message.kind == kind_text || message.kind == storage::kind_notice) return indented(message.text);
    return "(needs a newer version of Sotto to be shown)";
}

[[nodiscard]] std::string grouped(std::string_view digits) {
    std::string out;
    for (std::size_t at = 0; at < digits.size(); at += digits_a_group) {
        if (at != 0) out += ' ';
        out += digits.substr(at, digits_a_group);
    }
    return out;
}

[[nodiscard]] std::string_view words_for(client::PathKind kind) {
    switch (kind) {
        case client::PathKind::tcp:
            return "direct now, on the same network";
        case client::PathKind::turn:
            return "past the server now, through a TURN server";
        case client::PathKind::ice:
            break;
    }
    return "direct now";
}

[[nodiscard]] std::string unread_text(std::size_t count) {
    return std::to_string(count) + " unread";
}

}  // namespace

// ---- small things ----

template <class T>
std::optional<T> Chat::take(storage::Result<T> result) {
    if (result) return std::move(*result);
    failed_ = client::describe(result.error());
    finished_ = true;
    return std::nullopt;
}

void Chat::info(std::string text, Line::Kind kind) const {
    world_.show({.kind = kind,
                 .at = 0,
                 .name = {},
                 .verified = true,
                 .number = 0,
                 .typed = false,
                 .text = std::move(text)});
}

void Chat::refuse(const client::Error& error) const {
    info(protocol::printable(error.sentence), Line::Kind::mistake);
}

bool Chat::carry_out(client::Result<client::Output> outcome) {
    if (!outcome) {
        refuse(outcome.error());
        return false;
    }
    world_.apply(std::move(*outcome));
    return true;
}

std::uint64_t Chat::number_of(const storage::MessageId& id) {
    const auto [found, fresh] = numbers_.try_emplace(id, last_number_ + 1);
    if (fresh) ++last_number_;
    return found->second;
}

std::optional<Contact> Chat::current() {
    if (current_ != 0)
        if (auto contact = take(world_.store.contact(current_)); contact && *contact)
            return std::move(*contact);
    if (!finished_)
        info("No conversation is open; /switch NAME opens one, @NAME TEXT writes to somebody.",
             Line::Kind::mistake);
    return std::nullopt;
}

std::optional<Contact> Chat::find(const std::string& which) {
    if (auto named = take(world_.store.contact_by_name(which)); named && *named) return std::move(*named);
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(which.data(), which.data() + which.size(), number);
    if (error == std::errc{} && end == which.data() + which.size() && number >= 1 && number <= listed_.size())
        if (auto contact = take(world_.store.contact(listed_[number - 1])); contact && *contact)
            return std::move(*contact);
    if (!finished_)
        info("There is no contact called " + protocol::printable(which) +
                 "; /chats lists them, `sotto contact add LINK` makes one.",
             Line::Kind::mistake);
    return std::nullopt;
}

std::string Chat::prompt() const {
    std::size_t elsewhere = 0;
    for (const auto& [contact, count] : unread_)
        if (contact != current_) elsewhere += count;
    auto out = current_name_;
    if (current_ != 0 && world_.engine.direct(current_).state == client::DirectState::direct)
        out += " (direct)";
    if (elsewhere > 0) out += (out.empty() ? "" : " ") + ("(" + unread_text(elsewhere) + ")");
    return out + "> ";
}

std::vector<std::string> Chat::names() const {
    std::vector<std::string> out;
    const auto contacts = world_.store.contacts();
    if (!contacts) return out;
    for (const auto& contact : *contacts) out.push_back(contact.name);
    return out;
}

// ---- messages ----

void Chat::show(const Message& message, const Contact& contact) {
    Line line;
    line.text = text_of(message);
    if (message.kind == storage::kind_notice) {
        line.kind = Line::Kind::warning;
        line.at = message.received_at;
    } else if (message.direction == Direction::incoming) {
        line.kind = Line::Kind::theirs;
        line.at = message.received_at;
        line.name = protocol::printable(contact.name);
        line.verified = is_verified(contact);
        if (message.late) line.text = "(late) " + line.text;
    } else {
        line.kind = Line::Kind::ours;
        line.at = message.sent_at;
        line.name = protocol::printable(contact.name);
        line.number = number_of(message.id);
        line.text += " (" + std::string{storage::name(message.state)} + ")";
    }
    world_.show(std::move(line));
}

void Chat::show_unread(const Contact& contact) {
    const auto all = take(world_.store.unshown(-1));
    if (!all) return;
    for (const auto& message : *all) {
        if (message.contact != contact.id) continue;
        show(message, contact);
        // Marked once it was handed over: a crash in between shows it again, with the same row.
        if (const auto marked = world_.store.mark_shown(message.row); !marked) {
            failed_ = client::describe(marked.error());
            finished_ = true;
            return;
        }
    }
    unread_.erase(contact.id);
}

void Chat::show_history(const Contact& contact, std::string_view search, int limit) {
    const auto messages = take(world_.store.history(contact.id, search, limit));
    if (!messages) return;
    if (messages->empty())
        return info(search.empty() ? "Nothing has been said yet." : "No message has all of these words.");
    for (const auto& message : *messages)
        if (message.direction == Direction::outgoing || message.shown) show(message, contact);
}

void Chat::count_unread() {
    const auto all = take(world_.store.unshown(-1));
    if (!all) return;
    unread_.clear();
    for (const auto& message : *all) ++unread_[message.contact];
}

void Chat::open(const Contact& contact) {
    current_ = contact.id;
    current_name_ = protocol::printable(contact.name);
    auto text = "With " + current_name_ + " (" + contact.address.text() + "), ";
    text +=
        is_verified(contact) ? "verified by " + std::string{storage::name(contact.verified)} : "not verified";
    if (contact.blocked) text += ", blocked";
    const auto view = world_.engine.presence(contact.id);
    if (view.kind != client::PresenceKind::unknown) text += ", " + std::string{client::name(view.kind)};
    if (world_.engine.direct(contact.id).state == client::DirectState::direct) text += ", direct";
    info(text + ".");
    show_history(contact, {}, on_entry);
    show_unread(contact);
}

void Chat::begin(std::optional<std::int64_t> contact) {
    count_unread();
    if (contact) {
        if (const auto found = take(world_.store.contact(*contact)); found && *found) open(**found);
        return;
    }
    on(Chats{});
    info("/switch NAME opens a conversation, @NAME TEXT writes to somebody, /help lists the rest.");
}

// ---- commands ----

void Chat::run(const Command& command) {
    std::visit([this](const auto& what) { on(what); }, command);
}

void Chat::on(const Say& say) {
    const auto contact = say.to ? find(*say.to) : current();
    if (!contact) return;
    auto queued = world_.engine.send_text(contact->id, say.text, world_.now());
    if (!queued) return refuse(queued.error());
    world_.show({.kind = Line::Kind::ours,
                 .at = world_.now(),
                 .name = protocol::printable(contact->name),
                 .verified = true,
                 .number = number_of(queued->id),
                 .typed = true,
                 .text = indented(say.text)});
    world_.apply(std::move(queued->output));
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
    if (const auto contact = current()) show_history(*contact, {}, history.limit);
}

void Chat::on(const Search& search) {
    const auto contact = current();
    if (!contact) return;
    if (!protocol::valid_utf8(search.words))
        return info("The words are not valid UTF-8; type them again.", Line::Kind::mistake);
    show_history(*contact, search.words, -1);
}

void Chat::on(const Verify& verify) {
    const auto contact = current();
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
    info(grouped(numbers->number));
    info("Compare it with " + protocol::printable(contact->name) +
         " by a call or in person; only if all digits are the same: /verify confirm");
}

void Chat::on(const Block& /*block*/) {
    const auto contact = current();
    if (contact && carry_out(world_.engine.block(contact->id, world_.now())))
        info("Nothing more of " + protocol::printable(contact->name) +
             " is taken in, and nothing is sent to them.");
}

void Chat::on(const Unblock& /*unblock*/) {
    const auto contact = current();
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
    const auto contact = current();
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
        return info("With " + shown + " it is as `sotto direct` says.");
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

// ---- what happens ----

void Chat::hear(const client::Notice& notice) {
    if (const auto* arrived = std::get_if<client::MessageArrived>(&notice)) return heard(*arrived);
    if (const auto* progress = std::get_if<client::MessageProgress>(&notice)) return heard(*progress);
    if (const auto* presence = std::get_if<client::PresenceChanged>(&notice)) return heard(*presence);
    if (const auto* changed = std::get_if<client::DirectChanged>(&notice)) return heard(*changed);
    if (const auto* warning = std::get_if<client::Warning>(&notice))
        return info(protocol::printable(warning->error.sentence), Line::Kind::warning);
    if (std::holds_alternative<client::LoggedIn>(notice)) away_said_ = false;
    const auto* const lost = std::get_if<client::LostServer>(&notice);
    if (lost != nullptr && !std::exchange(away_said_, true))
        info(protocol::printable(lost->sentence), Line::Kind::warning);
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
    const auto contact = take(world_.store.contact(presence.contact));
    if (!contact || !*contact || presence.view.kind == client::PresenceKind::unknown) return;
    auto text = std::string{client::name(presence.view.kind)};
    if (!presence.view.text.empty()) text += ", " + protocol::printable(presence.view.text);
    // What else a client may say of itself is nobody's news.
    if (std::exchange(presences_[presence.contact], text) == text) return;
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
    const auto contact = take(world_.store.contact(changed.contact));
    if (!contact || !*contact) return;
    std::string text;
    switch (changed.view.state) {
        case DirectState::direct:
            text = words_for(changed.view.kind);
            break;
        case DirectState::relayed:
            if (before == DirectState::direct) text = "by the server again";
            if (before == DirectState::connecting && asked_ == changed.contact)
                text = "no direct path came about; messages go by the server";
            break;
        case DirectState::connecting:
            return;
    }
    if (asked_ == changed.contact) asked_ = 0;
    if (text.empty()) return;
    world_.show({.kind = Line::Kind::path,
                 .at = world_.now(),
                 .name = protocol::printable((*contact)->name),
                 .verified = is_verified(**contact),
                 .number = 0,
                 .typed = false,
                 .text = std::move(text)});
}

}  // namespace sotto::chat
