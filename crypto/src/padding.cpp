#include <bit>

#include "sotto/crypto/session.hpp"

namespace sotto::crypto {
namespace {

constexpr std::size_t step = 160;
constexpr std::size_t largest_stepped = 960;

}  // namespace

std::size_t padded_size(std::size_t size) {
    if (size <= largest_stepped) return size == 0 ? step : (size + step - 1) / step * step;
    // Padmé: as many low bits are zero as the exponent exceeds its own length.
    const auto exponent = static_cast<unsigned>(std::bit_width(size)) - 1;
    const auto low_bits = exponent - static_cast<unsigned>(std::bit_width(exponent));
    const std::size_t mask = (std::size_t{1} << low_bits) - 1;
    return (size + mask) & ~mask;
}

}  // namespace sotto::crypto
