// Secrets as types: wiped when they die, not copyable by accident, never printed, never compared with ==.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "sotto/crypto/bytes.hpp"

namespace sotto::crypto {

/// Overwrites `size` bytes in a way that the compiler may not remove.
void wipe(void* data, std::size_t size) noexcept;

/// Compares in time that depends on the length alone. Different lengths are unequal.
[[nodiscard]] bool equal_constant_time(ByteView a, ByteView b) noexcept;

/// N secret bytes in the role `Tag`. It has no iterators and no formatter; `expose()` is the one way in.
template <class Tag, std::size_t N>
class Secret {
  public:
    static constexpr std::size_t size = N;

    explicit Secret(FixedView<N> bytes) noexcept { copy_bytes(bytes, bytes_); }
    /// All zero, to be filled through `writable()`.
    Secret() noexcept : bytes_{} {}
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    Secret(Secret&& other) noexcept : bytes_(other.bytes_) { wipe(other.bytes_.data(), N); }
    Secret& operator=(Secret&& other) noexcept {
        if (this != &other) {
            bytes_ = other.bytes_;
            wipe(other.bytes_.data(), N);
        }
        return *this;
    }
    ~Secret() { wipe(bytes_.data(), N); }

    bool operator==(const Secret&) const = delete;

    /// A deliberate copy, for a candidate state.
    [[nodiscard]] Secret clone() const noexcept { return Secret{FixedView<N>{bytes_}}; }
    [[nodiscard]] FixedView<N> expose() const noexcept { return FixedView<N>{bytes_}; }
    [[nodiscard]] std::span<std::byte, N> writable() noexcept { return std::span<std::byte, N>{bytes_}; }

  private:
    Array<N> bytes_;
};

/// Wipes what it frees; for plaintext and serialised state of any length.
template <class T>
struct WipingAllocator {
    using value_type = T;
    WipingAllocator() noexcept = default;
    template <class U>
    explicit WipingAllocator(const WipingAllocator<U>& /*other*/) noexcept {}
    [[nodiscard]] T* allocate(std::size_t n) { return std::allocator<T>{}.allocate(n); }
    void deallocate(T* p, std::size_t n) noexcept {
        wipe(p, n * sizeof(T));
        std::allocator<T>{}.deallocate(p, n);
    }
    bool operator==(const WipingAllocator&) const noexcept = default;
};

/// Plaintext and serialised secrets: wiped on free and on every reallocation.
using SecretBytes = std::vector<std::byte, WipingAllocator<std::byte>>;

[[nodiscard]] inline SecretBytes to_secret_bytes(ByteView bytes) {
    return {bytes.begin(), bytes.end()};
}

}  // namespace sotto::crypto
