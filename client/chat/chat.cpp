#include "chat.hpp"

#include <charconv>

#include "sotto/protocol/text.hpp"
#include "words.hpp"

namespace sotto::chat {
namespace {

using storage::Contact;
using storage::Direction;
using storage::Message;

constexpr int on_entry = 10;
constexpr std::uint32_t kind_text = 20;  // content.proto

[[nodiscard]] std::string text_of(const Message& message) {
    if (message.kind == kind_text || message.kind == storage::kind_notice) return indented(message.text);
    return "(needs a newer version of Sotto to be shown)";
}

}  // namespace

// ---- small things ----

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

std::optional<Contact> Chat::find(std::string which) {
    if (auto named = take(world_.store.contact_by_name(which)); named && *named) return std::move(*named);
    if (which.starts_with('@')) which.erase(0, 1);
    if (auto named = take(world_.store.contact_by_name(which)); named && *named) return std::move(*named);
    if (const auto address = crypto::Address::parse(which))
        if (auto known = take(world_.store.contact_by_address(*address)); known && *known)
            return std::move(*known);
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

std::optional<Contact> Chat::meant(const std::string& whom) {
    return whom.empty() ? current() : find(whom);
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
    to_block_ = to_verify_ = 0;
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

}  // namespace sotto::chat
