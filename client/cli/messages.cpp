#include "messages.hpp"

#include "columns.hpp"
#include "profile.hpp"
#include "sotto/crypto/codec.hpp"
#include "sotto/protocol/text.hpp"

namespace sotto::cli {
namespace {

constexpr std::uint32_t kind_text = 20;  // content.proto
constexpr const char* unknown_kind = "(needs a newer version of Sotto to be shown)";

bool is_notice(const storage::Message& message) {
    return message.kind == storage::kind_notice;
}

std::string shown_text(const storage::Message& message) {
    if (message.kind != kind_text && !is_notice(message)) return unknown_kind;
    const auto safe = with_short_blanks(protocol::printable(message.text, true));
    std::string result;
    for (const char c : safe) {
        result += c;
        if (c == '\n') result += "    ";
    }
    return result;
}

std::string_view kind_of(const storage::Message& message) {
    if (message.kind == kind_text) return "text";
    return is_notice(message) ? "notice" : "unknown";
}

std::string_view direction_of(const storage::Message& message) {
    if (is_notice(message)) return "local";
    return message.direction == storage::Direction::incoming ? "incoming" : "outgoing";
}

void add_content(Json& object, const storage::Message& message) {
    const bool known = message.kind == kind_text || is_notice(message);
    object["kind"] = kind_of(message);
    object["text"] = known ? Json(message.text) : Json(nullptr);
    object["sent_at"] = rfc3339(message.sent_at);
}

std::string marks(const storage::Message& message, const storage::Contact& sender) {
    std::string result;
    if (sender.state == storage::ContactState::changed)
        result += " (KEY CHANGED)";
    else if (sender.state == storage::ContactState::claimed)
        result += " (name only claimed)";
    else if (!is_verified(sender))
        result += " (not verified)";
    if (message.late) result += " (late)";
    return result;
}

}  // namespace

std::string hex(const storage::MessageId& id) {
    return crypto::to_hex(id);
}

Json received_json(const storage::Message& message, const storage::Contact& sender) {
    Json object;
    object["id"] = hex(message.id);
    object["row"] = message.row;
    // Nobody has sent a notice.
    object["from"] = is_notice(message) ? Json(nullptr) : Json(sender.name);
    object["contact"] = sender.name;
    object["address"] = sender.address.text();
    add_content(object, message);
    object["received_at"] = rfc3339(message.received_at);
    object["verified"] = is_verified(sender);
    object["verified_by"] = storage::name(sender.verified);
    object["contact_state"] = storage::name(sender.state);
    object["sequence"] = message.sequence;
    object["late"] = message.late;
    return object;
}

Json history_json(const storage::Message& message, const storage::Contact& contact) {
    const bool incoming = message.direction == storage::Direction::incoming;
    Json object;
    object["id"] = hex(message.id);
    object["row"] = message.row;
    object["contact"] = contact.name;
    object["direction"] = direction_of(message);
    add_content(object, message);
    if (incoming) {
        object["received_at"] = rfc3339(message.received_at);
        object["late"] = message.late;
    }
    object["sequence"] = message.sequence;
    object["state"] = storage::name(message.state);
    return object;
}

std::string received_line(const storage::Message& message, const storage::Contact& sender) {
    // A contact's name never begins like this: nobody's text can pass for a notice.
    if (is_notice(message))
        return local_time(message.received_at) + "  -- " + protocol::printable(sender.name) + ": " +
               shown_text(message);
    return local_time(message.received_at) + "  " + protocol::printable(sender.name) +
           marks(message, sender) + ": " + shown_text(message);
}

std::string history_line(const storage::Message& message, const storage::Contact& contact) {
    if (message.direction == storage::Direction::incoming) return received_line(message, contact);
    return local_time(message.sent_at) + "  me (" + std::string{storage::name(message.state)} +
           "): " + shown_text(message);
}

}  // namespace sotto::cli
