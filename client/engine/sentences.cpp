#include "sentences.hpp"

namespace sotto::client {

Error describe(const storage::Error& error) {
    switch (error.code) {
        case storage::Code::wrong_passphrase:
            return {Exit::input, "The passphrase is wrong; nothing was changed. Try again."};
        case storage::Code::damaged:
            return {Exit::input, "The profile's store is damaged; restore it from a backup."};
        case storage::Code::missing:
            return {Exit::input, "There is no profile in this folder; create one with `sotto init`."};
        case storage::Code::exists:
            return {Exit::input,
                    "There is a profile in this folder already; choose another folder with --home."};
        case storage::Code::in_use:
            return {Exit::input,
                    "Another process is using this profile; stop it, or wait until it has ended."};
        case storage::Code::full:
            return {Exit::input, "The disk is full; nothing was written. Free some space and try again."};
        case storage::Code::newer:
            return {
                Exit::input,
                "This profile was written by a newer version of Sotto; install that version or a later one."};
        case storage::Code::denied:
            return {Exit::input,
                    "The profile's folder can't be read or written; check its owner and permissions."};
        case storage::Code::conflict:
            return {Exit::input, "That name or address is taken by another contact; choose another name."};
        case storage::Code::io:
            break;
    }
    return {Exit::input, "The profile's store can't be read or written; check the disk and try again."};
}

std::string text_of(const protocol::Endpoint& endpoint) {
    const bool v6 = endpoint.host.find(':') != std::string::npos;
    return v6 ? say("[{}]:{}", endpoint.host, endpoint.port) : say("{}:{}", endpoint.host, endpoint.port);
}

Error no_such_contact() {
    return {Exit::input, "There is no such contact; see the list of contacts."};
}

Error describe(NetworkError error, const protocol::Endpoint& endpoint) {
    const auto server = text_of(endpoint);
    switch (error) {
        case NetworkError::unreachable:
            return {Exit::network,
                    say("The server {} can't be reached; check the network, it is tried again.", server)};
        case NetworkError::old_tls:
            return {Exit::network,
                    say("The server {} offers no TLS 1.3; ask its operator to update it.", server)};
        case NetworkError::wrong_pin:
            return {Exit::untrusted, say("The server {} shows another key than the pinned one; don't go on "
                                         "before its operator has "
                                         "confirmed a new key by another way.",
                                         server)};
        case NetworkError::untrusted_certificate:
            return {Exit::untrusted, say("The certificate of {} comes from nobody that this machine trusts; "
                                         "use the server's link with "
                                         "its pin (sotto://host:port/#PIN).",
                                         server)};
        case NetworkError::expired_certificate:
            return {Exit::untrusted, say("The certificate of {} is not valid today; check this machine's "
                                         "clock, or ask the server's "
                                         "operator to renew it.",
                                         server)};
        case NetworkError::wrong_host:
            return {Exit::untrusted,
                    say("The certificate of {} belongs to another host; check the server's name.", server)};
        case NetworkError::not_sotto:
            return {Exit::network,
                    say("What answers at {} is not a Sotto server; check host and port.", server)};
        case NetworkError::closed:
            break;
    }
    return {Exit::network, say("The connection to {} ended; it is tried again.", server)};
}

Error describe_login_failure(wire::FailureCode code, const protocol::Endpoint& endpoint) {
    const auto server = text_of(endpoint);
    switch (code) {
        case wire::FAILURE_REFUSED:
            return {Exit::network,
                    say("The server {} doesn't accept this device's log-in; ask its operator whether the "
                        "account still exists.",
                        server)};
        case wire::FAILURE_RATE:
            return {Exit::rate, say("The server {} asks to wait; it is tried again later.", server)};
        case wire::FAILURE_STALE:
            return {Exit::untrusted,
                    say("The server {} holds another record of this account; if no other device of "
                        "yours made one, ask its operator before you go on.",
                        server)};
        default:
            return {Exit::network,
                    say("The server {} answered with an error of its own; it is tried again later.", server)};
    }
}

Error describe_registration_failure(wire::FailureCode code, std::string_view user,
                                    const protocol::Endpoint& endpoint) {
    const auto server = text_of(endpoint);
    switch (code) {
        case wire::FAILURE_NAME_TAKEN:
            return {Exit::input,
                    say("The name {} is taken on this server; choose another with --user.", user)};
        case wire::FAILURE_REGISTRATION_CLOSED:
            return {Exit::input, say("The server {} takes no new accounts; ask its operator.", server)};
        case wire::FAILURE_INVITE_BAD:
            return {Exit::input,
                    "The registration invite is unknown, used or expired; ask the server's operator for a "
                    "new one."};
        case wire::FAILURE_RATE:
            return {Exit::rate, say("The server {} asks to wait; try again in a few minutes.", server)};
        case wire::FAILURE_REFUSED:
            return {Exit::network, say("The server {} refused the registration; ask its operator.", server)};
        default:
            return {Exit::network,
                    say("The server {} answered with an error of its own; try again later.", server)};
    }
}

Error describe_delivery_failure(wire::FailureCode code, std::string_view name, bool invited) {
    switch (code) {
        case wire::FAILURE_REFUSED:
            if (invited)
                return {Exit::input,
                        say("The link to {} isn't accepted any more; if they don't answer soon, ask them "
                            "for a new one.",
                            name)};
            return {Exit::network,
                    say("The server of {} refuses our messages: they may have removed this contact or "
                        "their account. What was said waits in the outbox.",
                        name)};
        case wire::FAILURE_TOKEN_USED:
            return {Exit::input, "This link has been used by somebody else; ask for a new one."};
        case wire::FAILURE_TOKEN_EXPIRED:
            return {Exit::input, "This link has expired; ask for a new one."};
        case wire::FAILURE_MAILBOX_FULL:
            return {Exit::rate,
                    say("The mailbox of {} is full; the message waits and is tried again.", name)};
        case wire::FAILURE_RATE:
            return {Exit::rate,
                    say("The server of {} asks to wait; the message is tried again later.", name)};
        case wire::FAILURE_NO_PREKEYS:
            return {
                Exit::network,
                say("The device of {} has published no keys yet; the message waits until it does.", name)};
        case wire::FAILURE_TOO_LARGE:
            return {Exit::input,
                    say("The server of {} takes no message of this size; send it in parts.", name)};
        default:
            return {
                Exit::network,
                say("The server of {} answered with an error of its own; it is tried again later.", name)};
    }
}

Error not_answered_yet(std::string_view name) {
    return {Exit::rate, say("{} hasn't answered yet; further messages wait until they do.", name)};
}

Error copy_of_itself() {
    return {
        Exit::done,
        "This profile is an older copy of itself: messages that came or went since it was made are not in "
        "it. Sessions begin anew with everybody; what was not acknowledged is sent again."};
}

Error was_restored(std::string_view name) {
    return {Exit::done,
            say("The device of {} was restored from an older copy; what it hasn't acknowledged is "
                "sent again. Messages from before may be missing there.",
                name)};
}

Error waits_for_tokens(std::string_view name) {
    return {
        Exit::network,
        say("{} has replaced the token by which we write to them; what was said waits in the outbox until "
            "the new one has come with `sotto receive`.",
            name)};
}

}  // namespace sotto::client
