// Limits that client and server agree on. docs/protocol.md section 12.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sotto::protocol {

inline constexpr std::uint32_t wire_version = 1;
inline constexpr std::uint16_t default_port = 7443;
inline constexpr std::size_t max_frame_size = 512UL * 1024;  ///< bytes of one WebSocket message
inline constexpr std::size_t max_text_size = 64UL * 1024;    ///< bytes of UTF-8 in one text message
inline constexpr std::size_t envelope_id_size = 16;
inline constexpr std::size_t message_id_size = 16;
inline constexpr std::size_t claim_size = 16;
inline constexpr std::size_t token_size = 32;
inline constexpr std::size_t nonce_size = 32;
inline constexpr std::size_t pin_size = 32;  ///< SHA-256 of the certificate's public key
inline constexpr std::size_t max_records_per_reply = 16;
inline constexpr std::size_t max_one_time_prekeys = 200;  ///< of each kind, per device, held by the server
inline constexpr std::uint64_t invite_lifetime_s = 7ULL * 24 * 3600;
inline constexpr std::size_t max_tokens = 10'000;
inline constexpr std::uint64_t max_generation = 1ULL << 62U;
inline constexpr std::size_t incoming_window = 64;  ///< pushed envelopes that wait for their acknowledgement
inline constexpr std::size_t max_acknowledged_per_frame = 1000;

// presence
inline constexpr std::size_t topic_size = 16;
inline constexpr std::size_t topic_write_key_size = 16;
inline constexpr std::size_t max_presence_blob = 256;
inline constexpr std::size_t max_topics_per_frame = 1024;

/// WebSocket targets: what a connection is for is fixed when it is opened.
inline constexpr const char* identified_target = "/v1/identified";
inline constexpr const char* delivery_target = "/v1/delivery";
inline constexpr const char* presence_target = "/v1/presence";
inline constexpr const char* exporter_label = "EXPORTER-Channel-Binding";  // RFC 9266

}  // namespace sotto::protocol
