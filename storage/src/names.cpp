#include "sotto/storage/client_store.hpp"

namespace sotto::storage {

std::string_view name(ContactState state) {
    switch (state) {
        case ContactState::joining:
            return "joining";
        case ContactState::claimed:
            return "claimed";
        case ContactState::confirmed:
            return "confirmed";
        case ContactState::changed:
            return "changed";
    }
    return "unknown";
}

std::string_view name(Verified verified) {
    switch (verified) {
        case Verified::no:
            return "no";
        case Verified::link:
            return "link";
        case Verified::number:
            return "number";
        case Verified::qr:
            return "qr";
    }
    return "unknown";
}

std::string_view name(MessageState state) {
    switch (state) {
        case MessageState::queued:
            return "queued";
        case MessageState::sent:
            return "sent";
        case MessageState::stored:
            return "stored";
        case MessageState::delivered:
            return "delivered";
        case MessageState::failed:
            return "failed";
        case MessageState::received:
            return "received";
    }
    return "unknown";
}

}  // namespace sotto::storage
