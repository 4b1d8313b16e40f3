// Messages as a person and as a program see them.
#pragma once

#include "output.hpp"
#include "sotto/storage/client_store.hpp"

namespace sotto::cli {

[[nodiscard]] Json received_json(const storage::Message& message, const storage::Contact& sender);
[[nodiscard]] Json history_json(const storage::Message& message, const storage::Contact& contact);

/// One message, or a notice of our own about the contact; further lines of its text are indented, so that
/// none of them can pass for a message of somebody else.
[[nodiscard]] std::string received_line(const storage::Message& message, const storage::Contact& sender);
[[nodiscard]] std::string history_line(const storage::Message& message, const storage::Contact& contact);

[[nodiscard]] std::string hex(const storage::MessageId& id);

}  // namespace sotto::cli
