// Marks for Valgrind's memcheck: secrets are undefined, and a branch or an index on them is an error that it
// counts. Without Valgrind, or compiled without its headers, all of these do nothing.
#pragma once

#include <cstddef>

#include "sotto/crypto/bytes.hpp"

namespace sotto::audit {

/// True if this program runs under Valgrind and can talk to it.
[[nodiscard]] bool under_valgrind();
/// False if the program was built without valgrind/memcheck.h.
[[nodiscard]] bool knows_valgrind();
/// Errors so far, those that are suppressed apart.
[[nodiscard]] unsigned valgrind_errors();

void mark_secret(void* data, std::size_t size);
void mark_public(void* data, std::size_t size);
inline void mark_secret(std::span<std::byte> bytes) {
    mark_secret(bytes.data(), bytes.size());
}
inline void mark_public(std::span<std::byte> bytes) {
    mark_public(bytes.data(), bytes.size());
}

/// A plaintext that an AEAD has just opened: all of it may be acted on, but for the places where `stays`
/// stands, which remain secret.
void mark_opened(std::span<std::byte> plaintext);
/// What stays secret of every plaintext; empty: nothing.
void keep_secret(ByteView content);

}  // namespace sotto::audit
