// Words that the parts of the chat share.
#pragma once

#include <string>
#include <string_view>

#include "sotto/client/direct.hpp"
#include "sotto/storage/client_store.hpp"

namespace sotto::chat {

[[nodiscard]] bool is_verified(const storage::Contact& contact);
/// Safe to print, with further lines indented, so that none of them can pass for somebody else's.
[[nodiscard]] std::string indented(std::string_view text);
[[nodiscard]] std::string_view words_for(client::PathKind kind);
/// Who is reached directly.
[[nodiscard]] std::string_view words_for(client::DirectPolicy policy);
[[nodiscard]] std::string unread_text(std::size_t count);

}  // namespace sotto::chat
