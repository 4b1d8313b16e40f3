#include "keyserver/app/wipe_on_free.hpp"

#ifndef SOTTO_SANITIZED

#include <malloc.h>
#include <openssl/crypto.h>

#include <array>
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

/// OpenSSL takes a buffer for a record with each write and each read, and gives it back at once
/// (SSL_MODE_RELEASE_BUFFERS). It is larger than what the allocator has at hand, which made it a good part of
/// what a small frame costs: so each thread keeps one for either, wiped. They go with the process, as the
/// threads do.
struct RecordBuffers {
    static constexpr std::size_t least = 16UL * 1024;  ///< what a record holds
    static constexpr std::size_t most = 17UL * 1024;   ///< and what TLS adds to it

    std::array<void*, 2> kept{};
    std::size_t count = 0;
};
thread_local constinit RecordBuffers record_buffers;

void* ssl_allocate(std::size_t size, const char* /*file*/, int /*line*/) {
    if (size == 0) return nullptr;
    if (size <= RecordBuffers::least || size > RecordBuffers::most) return std::malloc(size);
    auto& buffers = record_buffers;
    return buffers.count > 0 ? buffers.kept[--buffers.count] : std::malloc(RecordBuffers::most);
}
void ssl_free(void* memory, const char* /*file*/, int /*line*/) {
    if (memory == nullptr) return;
    auto& buffers = record_buffers;
    const auto size = ::malloc_usable_size(memory);
    // Of any that is large enough, but not a much larger one.
    if (size < RecordBuffers::most || size > 2 * RecordBuffers::most || buffers.count == buffers.kept.size())
        return give_back(memory);
    sotto::crypto::wipe(memory, size);
    buffers.kept[buffers.count++] = memory;
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
