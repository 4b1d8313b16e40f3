// A few bytes of somebody's, held as tightly as can be and wiped when they go.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>

#include "sotto/crypto/secret.hpp"

namespace sotto::keyserver {

/// Up to 65,535 bytes behind one pointer; empty: none.
class Blob {
  public:
    Blob() = default;
    explicit Blob(ByteView content) : memory_(content.empty() ? nullptr : allocate(content.size())) {
        if (!memory_) return;
        memory_.get()[0] = static_cast<std::byte>(content.size() & 0xFFU);
        memory_.get()[1] = static_cast<std::byte>(content.size() >> 8U);
        std::ranges::copy(content, memory_.get() + header);
    }

    [[nodiscard]] ByteView view() const {
        return memory_ ? ByteView{memory_.get() + header, size(memory_.get())} : ByteView{};
    }
    explicit operator bool() const { return memory_ != nullptr; }

  private:
    static constexpr std::size_t header = 2;
    [[nodiscard]] static std::size_t size(const std::byte* memory) {
        return std::to_integer<std::size_t>(memory[0]) | std::to_integer<std::size_t>(memory[1]) << 8U;
    }
    [[nodiscard]] static std::byte* allocate(std::size_t size) {
        return std::allocator<std::byte>{}.allocate(header + size);
    }
    struct Free {
        void operator()(std::byte* memory) const noexcept {
            const auto whole = header + size(memory);
            crypto::wipe(memory, whole);
            std::allocator<std::byte>{}.deallocate(memory, whole);
        }
    };
    std::unique_ptr<std::byte, Free> memory_;
};

}  // namespace sotto::keyserver
