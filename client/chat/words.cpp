#include "words.hpp"

#include "sotto/protocol/text.hpp"

namespace sotto::chat {

bool is_verified(const storage::Contact& contact) {
    const bool standing =
        contact.state == storage::ContactState::confirmed || contact.state == storage::ContactState::joining;
    return standing && contact.verified != storage::Verified::no;
}

std::string indented(std::string_view text) {
    std::string out;
    for (const char c : protocol::printable(text, true)) {
        out += c;
        if (c == '\n') out += "    ";
    }
    return out;
}

std::string_view words_for(client::PathKind kind) {
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

std::string_view words_for(client::DirectPolicy policy) {
    switch (policy) {
        case client::DirectPolicy::off:
            return "only those for whom you said so";
        case client::DirectPolicy::contacts:
            return "all contacts";
        case client::DirectPolicy::verified:
            break;
    }
    return "contacts verified, by link or by number";
}

std::string unread_text(std::size_t count) {
    return std::to_string(count) + " unread";
}

}  // namespace sotto::chat
