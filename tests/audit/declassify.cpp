#include "declassify.hpp"

#include <algorithm>
#include <vector>

#if __has_include(<valgrind/memcheck.h>)
#define SOTTO_HAS_MEMCHECK 1
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#endif
#include <valgrind/memcheck.h>
#endif

namespace sotto::audit {
namespace {

std::vector<std::byte>& kept_secret() {
    static std::vector<std::byte> content;
    return content;
}

}  // namespace

#ifdef SOTTO_HAS_MEMCHECK

bool knows_valgrind() {
    return true;
}
bool under_valgrind() {
    return RUNNING_ON_VALGRIND != 0;
}
unsigned valgrind_errors() {
    return VALGRIND_COUNT_ERRORS;
}
void mark_secret(void* data, std::size_t size) {
    (void)VALGRIND_MAKE_MEM_UNDEFINED(data, size);
}
void mark_public(void* data, std::size_t size) {
    (void)VALGRIND_MAKE_MEM_DEFINED(data, size);
}

#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#else

bool knows_valgrind() {
    return false;
}
bool under_valgrind() {
    return false;
}
unsigned valgrind_errors() {
    return 0;
}
void mark_secret(void* /*data*/, std::size_t /*size*/) {}
void mark_public(void* /*data*/, std::size_t /*size*/) {}

#endif

void keep_secret(ByteView content) {
    kept_secret().assign(content.begin(), content.end());
}

void mark_opened(std::span<std::byte> plaintext) {
    if (!under_valgrind()) return;
    mark_public(plaintext);
    const auto& secret = kept_secret();
    if (secret.empty()) return;
    auto from = plaintext.begin();
    while (true) {
        const auto found = std::search(from, plaintext.end(), secret.begin(), secret.end());
        if (found == plaintext.end()) return;
        mark_secret(std::span{found, secret.size()});
        from = found + static_cast<std::ptrdiff_t>(secret.size());
    }
}

}  // namespace sotto::audit
