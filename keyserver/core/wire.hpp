// Frames in and out. docs/protocol.md sections 12.2 and 12.3.
#pragma once

#include <google/protobuf/arena.h>

#include <string>
#include <vector>

#include "keyserver/core/accounts.hpp"
#include "keyserver/core/directory.hpp"
#include "keyserver/core/shell.hpp"

namespace sotto::keyserver {

/// Into the arena, which outlives it. None where the frame is no request of this schema: malformed, without
/// an id or a body, or with fields that it doesn't know.
[[nodiscard]] wire::Request* parse_request(ByteView frame, google::protobuf::Arena& arena);

[[nodiscard]] std::string hello_frame(const std::string& server_name,
                                      const Array<protocol::nonce_size>& nonce, Registration registration,
                                      bool unbound, std::uint64_t time_ms);
[[nodiscard]] std::string done_frame(std::uint32_t request);
[[nodiscard]] std::string failure_frame(std::uint32_t request, const Refusal& refusal);
[[nodiscard]] std::string welcome_frame(std::uint32_t request, const LoginFacts& facts);
[[nodiscard]] std::string records_frame(std::uint32_t request, const RecordPage& page);
[[nodiscard]] std::string prekeys_frame(std::uint32_t request, const Bundle& bundle);
[[nodiscard]] std::string delivered_frame(std::uint32_t request, wire::DeliveryState state);
/// All but the envelope itself, which is not copied.
[[nodiscard]] Outgoing incoming_frame(const EnvelopeId& id, SharedBytes envelope);
[[nodiscard]] std::string prekeys_low_frame(std::uint32_t one_time_left, std::uint32_t one_time_kem_left);
/// Indexes, ascending.
[[nodiscard]] std::string posted_frame(std::uint32_t request, const std::vector<std::uint32_t>& refused);
/// Topics and what is held under them; without a blob: gone.
class PresencesFrame {
  public:
    void add(ByteView topic, ByteView blob);
    [[nodiscard]] bool empty() const { return presences_.empty(); }
    [[nodiscard]] std::string finish() const;

  private:
    std::string presences_;  ///< the message `Presences`, as it goes over the wire
};
/// One topic that changed.
[[nodiscard]] std::string presence_frame(ByteView topic, ByteView blob);
/// With a user name that says until when it is good, and nothing of whose it is.
[[nodiscard]] std::string ice_servers_frame(std::uint32_t request, const IceOffer* offer,
                                            std::string_view username);
[[nodiscard]] std::string closing_frame(std::uint32_t retry_after_ms);

}  // namespace sotto::keyserver
