// Waiting for one kind of event.
#pragma once

#include <gtest/gtest.h>

#include "sotto/client/transport.hpp"

namespace sotto::test {

inline constexpr std::chrono::seconds patience{20};

/// The next event if it is an E; nothing otherwise.
template <class E>
std::optional<E> next(client::Transport& transport, std::chrono::milliseconds timeout = patience) {
    auto event = transport.wait(std::chrono::steady_clock::now() + timeout);
    if (!event) return std::nullopt;
    if (auto* wanted = std::get_if<E>(&*event)) return std::move(*wanted);
    if (const auto* gone = std::get_if<client::Disconnected>(&*event))
        ADD_FAILURE() << "disconnected: " << static_cast<int>(gone->error) << " " << gone->detail;
    return std::nullopt;
}

inline protocol::Endpoint loopback(std::uint16_t port, std::optional<protocol::Pin> pin,
                                   std::string host = "127.0.0.1") {
    return {.host = std::move(host), .port = port, .pin = pin};
}

}  // namespace sotto::test
