// What is said inside an envelope: strict parsing, and building with the fields that every content has.
// docs/protocol.md section 13.
#pragma once

#include "sotto/client/direct_transport.hpp"
#include "sotto/client/error.hpp"
#include "sotto/crypto/direct.hpp"
#include "sotto/protocol/link.hpp"
#include "sotto/storage/client_store.hpp"
#include "wire.hpp"

namespace sotto::client {

inline constexpr std::uint32_t kind_text = 20;
inline constexpr std::uint32_t kind_acknowledgement = 21;
inline constexpr std::uint32_t kind_introduction = 22;
inline constexpr std::uint32_t kind_reset = 23;
inline constexpr std::uint32_t kind_presence_key = 24;
inline constexpr std::uint32_t kind_direct_offer = 25;
inline constexpr std::uint32_t kind_direct_answer = 26;
inline constexpr std::uint32_t kind_tokens_field = 40;
inline constexpr std::size_t max_acknowledged = 1000;  ///< message ids in one acknowledgement

/// hash(Sotto/1/conversation, u16 length ‖ lower address, u16 length ‖ higher address), in the order of their
/// bytes.
[[nodiscard]] Array<32> conversation_id(const crypto::Address& one, const crypto::Address& other);

/// How to reach somebody.
struct Introduction {
    protocol::Endpoint endpoint;
    Array<32> shared_token{};
    Array<32> recovery_token{};
};

/// What a person may send: nullopt, or the sentence that says why not.
[[nodiscard]] std::optional<Error> check_text(std::string_view text);

/// A content that parsed: sizes, UTF-8 and limits have been checked.
struct Received {
    storage::MessageId id{};
    std::uint64_t sequence = 0;
    std::int64_t sent_at = 0;
    std::uint64_t record_sequence = 0;  ///< 0: not given
    Array<32> record_hash{};
    std::uint64_t peer_record_sequence = 0;  ///< 0: not given
    Array<32> peer_record_hash{};
    bool known = false;      ///< kind and conversation are of this version
    std::uint32_t kind = 0;  ///< field number; 0: none (only tokens)
    std::string text;
    std::vector<storage::MessageId> acknowledged;
    struct PresenceKey {
        Array<32> key{};
        std::uint32_t day = 0;
    };
    std::optional<PresenceKey> presence_key;
    struct Direct {
        bool offer = false;  ///< or an answer
        crypto::DirectAttempt attempt{};
        crypto::DirectSecret secret;
        PathDescription path;
    };
    std::optional<Direct> direct;
    std::optional<Introduction> introduction;  ///< as the kind, or riding in `tokens`
};
/// An offer or an answer of a direct session: good at once or not at all. Its sequence is 0.
[[nodiscard]] bool is_signal(const content::Content& content);
[[nodiscard]] bool is_signal(ByteView content);
/// Nothing if the content is out of shape.
[[nodiscard]] std::optional<Received> parse_content(ByteView bytes, const Array<32>& conversation);

/// True if these bytes, made by us, carry our tokens.
[[nodiscard]] bool carries_tokens(ByteView content);
/// True if they carry just these.
[[nodiscard]] bool carries_tokens(ByteView content, const Introduction& tokens);

/// The fields of an offer or an answer.
void fill(content::DirectSignal& out, const crypto::DirectAttempt& attempt,
          const crypto::DirectSecret& secret, const PathDescription& path);
/// The fields of an introduction.
void fill(content::Introduction& out, const Introduction& introduction);

}  // namespace sotto::client
