#include "keyserver/app/wipe_on_free.hpp"

#ifndef SOTTO_SANITIZED

#include <malloc.h>
#include <openssl/crypto.h>

#include <cstdlib>
#include <cstring>
#include <new>

#include "sotto/crypto/secret.hpp"

namespace {

void give_back(void* memory) noexcept {
    if (memory == nullptr) return;
    sotto::crypto::wipe(memory, ::malloc_usable_size(memory));
    std::free(memory);
}

void* ssl_allocate(std::size_t size, const char* /*file*/, int /*line*/) {
    return size == 0 ? nullptr : std::malloc(size);
}
void ssl_free(void* memory, const char* /*file*/, int /*line*/) {
    give_back(memory);
}
void* ssl_resize(void* memory, std::size_t size, const char* file, int line) {
    if (memory == nullptr) return ssl_allocate(size, file, line);
    if (size == 0) {
        give_back(memory);
        return nullptr;
    }
    const auto held = ::malloc_usable_size(memory);
    if (size <= held && size >= held / 2) return memory;
    // Not realloc, which leaves what was there where it was.
    auto* const moved = std::malloc(size);
    if (moved == nullptr) return nullptr;
    std::memcpy(moved, memory, held < size ? held : size);
    give_back(memory);
    return moved;
}

}  // namespace

// What a program may replace: these two pairs are what all others call.
void* operator new(std::size_t size) {
    while (true) {
        if (auto* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
        const auto handler = std::get_new_handler();
        if (handler == nullptr) throw std::bad_alloc{};
        handler();
    }
}
void* operator new(std::size_t size, std::align_val_t align) {
    const auto alignment = static_cast<std::size_t>(align);
    while (true) {
        if (auto* const memory =
                std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment))
            return memory;
        const auto handler = std::get_new_handler();
        if (handler == nullptr) throw std::bad_alloc{};
        handler();
    }
}
void operator delete(void* memory) noexcept {
    give_back(memory);
}
void operator delete(void* memory, std::size_t /*size*/) noexcept {
    give_back(memory);
}
void operator delete(void* memory, std::align_val_t /*align*/) noexcept {
    give_back(memory);
}
void operator delete(void* memory, std::size_t /*size*/, std::align_val_t /*align*/) noexcept {
    give_back(memory);
}

namespace sotto::keyserver {

void wipe_what_is_freed() {
    // Refused only after something was allocated: then OpenSSL's buffers are as they are elsewhere.
    static_cast<void>(CRYPTO_set_mem_functions(ssl_allocate, ssl_resize, ssl_free));
}

}  // namespace sotto::keyserver

#else

namespace sotto::keyserver {

void wipe_what_is_freed() {}

}  // namespace sotto::keyserver

#endif
