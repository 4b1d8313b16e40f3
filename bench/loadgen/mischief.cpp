#include "bench/loadgen/mischief.hpp"

#include <algorithm>

namespace sotto::loadgen {
namespace {

constexpr std::uint64_t slow_frame_size = 1000;
constexpr std::uint64_t gibibyte = 1ULL << 30U;
constexpr std::uint64_t longest_frame = (1ULL << 63U) - 1;
constexpr std::size_t filling = 64UL * 1024;
constexpr std::size_t fragments = 8;
constexpr std::uint64_t cut_frame_size = 2000;

[[nodiscard]] std::string noise(std::size_t size, crypto::Rng& rng) {
    std::string out(size, '\0');
    rng.fill(std::as_writable_bytes(std::span{out}));
    return out;
}

[[nodiscard]] std::string first_half(std::string_view of) {
    return std::string{of.substr(0, of.size() / 2)};
}

[[nodiscard]] Plan oversized(std::uint64_t number, const Specimens& good, crypto::Rng& rng) {
    const auto junk = noise(filling, rng);
    switch (number % 5) {
        case 0:
            return {.depth = Depth::websocket, .bytes = frame_head(gibibyte) + junk};
        case 1:
            return {.depth = Depth::websocket, .bytes = frame_head(longest_frame) + junk};
        case 2: {  // no frame of it is too large
            Plan plan{.depth = Depth::websocket, .bytes = {}};
            for (std::size_t i = 0; i < fragments; ++i)
                plan.bytes += frame_head(junk.size(), false, i == 0) + junk;
            return plan;
        }
        case 3: {  // an HTTP header without an end
            const std::string_view request = good.upgrade;
            return {.depth = Depth::tls,
                    .bytes = std::string{request.substr(0, request.size() - 2)} +
                             "X-Long: " + std::string(filling, 'x')};
        }
        default:  // a TLS record longer than any may be (RFC 8446 section 5.1)
            return {.depth = Depth::tcp, .bytes = std::string{"\x16\x03\x01\xff\xff", 5} + junk};
    }
}

[[nodiscard]] Plan truncated(std::uint64_t number, const Specimens& good, crypto::Rng& rng) {
    constexpr std::array ends{After::end_writing, After::wait, After::leave};
    const auto after = ends.at(number / 3 % ends.size());
    switch (number % 3) {
        case 0:
            return {.depth = Depth::tcp, .bytes = first_half(good.hello), .after = after};
        case 1:
            return {.depth = Depth::tls, .bytes = first_half(good.upgrade), .after = after};
        default:
            return {.depth = Depth::websocket,
                    .bytes = frame_head(cut_frame_size) + noise(cut_frame_size / 2, rng),
                    .after = after};
    }
}

}  // namespace

std::string_view name_of(Mischief kind) {
    constexpr std::array<std::string_view, mischief_kinds> names{
        "hello",       "handshake", "slow_handshake", "slow_upgrade", "slow_frame", "deaf_device",
        "deaf_sender", "oversized", "truncated",      "random_tcp",   "random_tls", "random_websocket"};
    return names.at(static_cast<std::size_t>(kind));
}

std::string frame_head(std::uint64_t announced, bool last, bool first) {
    constexpr unsigned char final_bit = 0x80;
    constexpr unsigned char masked_bit = 0x80;
    std::string out;
    const auto put = [&out](std::uint64_t value, unsigned bytes) {
        while (bytes-- > 0) out.push_back(static_cast<char>(value >> 8 * bytes & 0xffU));
    };
    put((last ? final_bit : 0U) | (first ? 0x2U : 0x0U), 1);
    if (announced < 126) {
        put(masked_bit | announced, 1);
    } else if (announced <= 0xffff) {
        put(masked_bit | 126U, 1);
        put(announced, 2);
    } else {
        put(masked_bit | 127U, 1);
        put(announced, 8);
    }
    return out.append(4, '\0');
}

Plan plan_of(Mischief kind, std::uint64_t number, const Specimens& good, crypto::Rng& rng) {
    constexpr std::size_t random_size = 4096;
    switch (kind) {
        case Mischief::hello:
            return {.depth = Depth::tcp, .bytes = good.hello, .after = After::leave_when_answered};
        case Mischief::handshake:
            return {.depth = Depth::tls, .bytes = {}, .after = After::leave};
        case Mischief::slow_handshake:
            return {.depth = Depth::tcp, .bytes = good.hello, .slow = true};
        case Mischief::slow_upgrade:
            return {.depth = Depth::tls, .bytes = good.upgrade, .slow = true};
        case Mischief::slow_frame:
            return {.depth = Depth::websocket,
                    .bytes = frame_head(slow_frame_size) + std::string(slow_frame_size, '\0'),
                    .slow = true};
        case Mischief::oversized:
            return oversized(number, good, rng);
        case Mischief::truncated:
            return truncated(number, good, rng);
        case Mischief::random_tcp:
            return {.depth = Depth::tcp, .bytes = noise(random_size, rng)};
        case Mischief::random_tls:
            return {.depth = Depth::tls, .bytes = noise(random_size, rng)};
        case Mischief::random_websocket:
            return {.depth = Depth::websocket, .bytes = noise(random_size, rng)};
        case Mischief::deaf_device:
        case Mischief::deaf_sender:
            break;
    }
    return {};
}

std::size_t Allowance::take(double seconds) {
    owed_ = std::min(owed_ + seconds * per_second_, std::max(most_seconds * per_second_, 1.0));
    const auto whole = static_cast<std::size_t>(std::max(owed_, 0.0));
    owed_ -= static_cast<double>(whole);
    return whole;
}

}  // namespace sotto::loadgen
