// What bounds a stranger, and a client that went wrong. docs/protocol.md section 12.6.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sotto::keyserver::limits {

inline constexpr std::uint32_t clock_skew_days = 2;  ///< how far ahead a client's day may be

// mailbox, per device
inline constexpr std::int64_t mailbox_envelopes = 10'000;
inline constexpr std::int64_t mailbox_bytes = 256LL * 1024 * 1024;
inline constexpr std::uint64_t mailbox_days = 30;

// tokens, per account
inline constexpr std::size_t shared_tokens = 16;
inline constexpr std::int64_t recovery_envelopes_a_day = 4;
inline constexpr std::size_t recovery_envelope_size = 4096;
inline constexpr std::int64_t invite_envelopes = 50;
inline constexpr std::int64_t registration_tries =
    5;  ///< taken names that one registration invite may ask for

// the request box of a discoverable account, and one-time prekeys for whoever shows no credential
inline constexpr double request_box_burst = 20;
inline constexpr double request_box_per_second = 1.0 / 180;
inline constexpr double open_prekeys_burst = 20;
inline constexpr double open_prekeys_per_second = 1.0 / 300;
inline constexpr double credential_prekeys_burst = 100;
inline constexpr double credential_prekeys_per_second = 1.0 / 10;
inline constexpr std::size_t limited_targets = 20'000;  ///< targets whose use is remembered

// delivery to a connected device
inline constexpr std::uint64_t hand_over_ms = 2000;  ///< unacknowledged for so long: into the mailbox
inline constexpr std::size_t outstanding_bytes = 2UL * 1024 * 1024;
inline constexpr std::size_t page_bytes = 1024UL * 1024;
inline constexpr std::size_t origins_per_envelope = 4;
inline constexpr std::size_t recent_ids = 65'536;  ///< a generation of acknowledged ids
inline constexpr std::uint64_t recent_ms = 10ULL * 60 * 1000;
inline constexpr std::uint64_t prekeys_low_every_ms = 10'000;

// one connection
inline constexpr std::size_t frame_before_login = 32UL * 1024;
inline constexpr std::size_t frame_delivery = 128UL * 1024;
inline constexpr std::size_t requests_in_flight = 128;  ///< more: nothing is read until some are answered
inline constexpr std::size_t bytes_in_flight = 2UL * 1024 * 1024;
inline constexpr double requests_burst = 4000;
inline constexpr double requests_per_second = 1000;
inline constexpr double changes_burst =
    100;  ///< records, prekeys and token tables: each is a large piece of work
inline constexpr double changes_per_second = 1;
inline constexpr std::uint32_t rate_violations =
    1000;  ///< frames over the rate before the connection is closed
inline constexpr std::size_t outbound_bytes = 8UL * 1024 * 1024;
inline constexpr std::size_t outbound_frames = 4096;
inline constexpr std::uint64_t handshake_ms = 10'000;  ///< TLS and HTTP and WebSocket together
inline constexpr std::uint64_t message_ms = 30'000;    ///< from the first byte of a frame to its last
inline constexpr std::uint64_t login_ms = 30'000;      ///< an identified connection that proves nothing
inline constexpr std::uint64_t idle_ms = 600'000;      ///< a ping is sent at half of it
inline constexpr std::uint64_t write_ms = 30'000;      ///< for what is being written to be taken
inline constexpr std::uint64_t close_ms = 3'000;

// presence
inline constexpr std::size_t frame_presence = 384UL * 1024;
inline constexpr std::size_t presence_topics = 4'000'000;     ///< published or watched, in all
inline constexpr std::size_t presence_per_connection = 2048;  ///< published, and as many watched
// Of one topic. Each is for one contact: its eight devices, and a connection of each that has not been found
// dead yet. What one post, or one that leaves, can cause is bounded by this alone.
inline constexpr std::size_t presence_watchers = 16;
inline constexpr double presence_burst = 8192;  ///< topics that one connection publishes, watches or leaves
inline constexpr double presence_per_second = 128;

}  // namespace sotto::keyserver::limits

namespace sotto::keyserver {

/// Those that an operator may set (docs/operating.md), as they are without that. The others are what clients
/// rely on, or bound the server's own memory.
struct Limits {
    std::int64_t mailbox_envelopes = limits::mailbox_envelopes;
    std::int64_t mailbox_bytes = limits::mailbox_bytes;
    std::uint64_t mailbox_days = limits::mailbox_days;
    std::int64_t registration_tries = limits::registration_tries;

    double request_box_burst = limits::request_box_burst;
    double request_box_per_second = limits::request_box_per_second;
    double open_prekeys_burst = limits::open_prekeys_burst;
    double open_prekeys_per_second = limits::open_prekeys_per_second;
    double credential_prekeys_burst = limits::credential_prekeys_burst;
    double credential_prekeys_per_second = limits::credential_prekeys_per_second;

    std::uint64_t hand_over_ms = limits::hand_over_ms;
    std::size_t outstanding_bytes = limits::outstanding_bytes;

    std::size_t requests_in_flight = limits::requests_in_flight;
    std::size_t bytes_in_flight = limits::bytes_in_flight;
    double requests_burst = limits::requests_burst;
    double requests_per_second = limits::requests_per_second;
    double changes_burst = limits::changes_burst;
    double changes_per_second = limits::changes_per_second;
    std::uint32_t rate_violations = limits::rate_violations;
    std::size_t outbound_bytes = limits::outbound_bytes;
    std::size_t outbound_frames = limits::outbound_frames;
    std::uint64_t handshake_ms = limits::handshake_ms;
    std::uint64_t message_ms = limits::message_ms;
    std::uint64_t login_ms = limits::login_ms;
    std::uint64_t write_ms = limits::write_ms;
    std::uint64_t idle_ms = limits::idle_ms;
    std::uint64_t close_ms = limits::close_ms;

    std::size_t presence_topics = limits::presence_topics;
    std::size_t presence_per_connection = limits::presence_per_connection;
    std::size_t presence_watchers = limits::presence_watchers;
    double presence_burst = limits::presence_burst;
    double presence_per_second = limits::presence_per_second;

    // of one address; 0: no limit
    std::size_t address_connections = 4000;
    double address_burst = 4000;
    double address_per_second = 50;

    bool operator==(const Limits&) const = default;
};

}  // namespace sotto::keyserver
