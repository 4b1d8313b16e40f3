#include "interfaces.hpp"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <optional>

namespace sotto::client::paths {
namespace {

[[nodiscard]] Bytes bytes_at(const void* from, std::size_t size) {
    Bytes out(size);
    std::memcpy(out.data(), from, size);
    return out;
}

[[nodiscard]] std::optional<Bytes> address_of(const sockaddr* address) {
    if (address == nullptr) return std::nullopt;
    if (address->sa_family == AF_INET)
        return bytes_at(&reinterpret_cast<const sockaddr_in*>(address)->sin_addr, sizeof(in_addr));
    if (address->sa_family == AF_INET6)
        return bytes_at(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, sizeof(in6_addr));
    return std::nullopt;
}

[[nodiscard]] bool link_local(ByteView address) {
    if (address.size() == 4) return address[0] == std::byte{169} && address[1] == std::byte{254};
    return address[0] == std::byte{0xfe} && (address[1] & std::byte{0xc0}) == std::byte{0x80};
}

}  // namespace

std::vector<Network> networks() {
    ifaddrs* head = nullptr;
    if (getifaddrs(&head) != 0) return {};
    const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner{head, &freeifaddrs};
    std::vector<Network> out;
    for (const auto* each = head; each != nullptr; each = each->ifa_next) {
        if ((each->ifa_flags & IFF_UP) == 0) continue;
        auto address = address_of(each->ifa_addr);
        const auto mask = address_of(each->ifa_netmask);
        if (!address || !mask || mask->size() != address->size() || link_local(*address)) continue;
        std::uint32_t prefix = 0;
        for (const auto byte : *mask)
            prefix += static_cast<std::uint32_t>(std::popcount(std::to_integer<unsigned>(byte)));
        out.push_back({.address = std::move(*address),
                       .prefix = prefix,
                       .loopback = (each->ifa_flags & IFF_LOOPBACK) != 0});
    }
    return out;
}

bool on_one_of(const std::vector<Network>& networks, ByteView address) {
    return std::ranges::any_of(networks, [&](const Network& network) {
        // One that spans everything says nothing about what is near.
        if (network.address.size() != address.size() || network.prefix == 0) return false;
        for (std::uint32_t bit = 0; bit < network.prefix; ++bit) {
            const auto at = bit / 8;
            const auto mask = std::byte{0x80} >> (bit % 8);
            if ((network.address[at] & mask) != (address[at] & mask)) return false;
        }
        return true;
    });
}

bool means_one_host(ByteView address, bool loopback) {
    if (address.size() == 4) {
        const auto first = std::to_integer<unsigned>(address[0]);
        if (first == 127) return loopback;
        // From 224 on: groups, what is reserved, and broadcast.
        return first != 0 && first < 224 && !link_local(address);
    }
    if (address.size() != 16 || link_local(address) || address[0] == std::byte{0xff}) return false;
    // ::, ::1 and addresses of the other family.
    const auto zeros = std::ranges::find_if(address, [](std::byte byte) { return byte != std::byte{0}; });
    if (zeros - address.begin() < 10) return true;
    return loopback && zeros == address.end() - 1 && *zeros == std::byte{1};
}

}  // namespace sotto::client::paths
