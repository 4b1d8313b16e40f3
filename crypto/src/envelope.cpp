#include "frames.hpp"
#include "handshake_part.hpp"
#include "sotto/crypto/codec.hpp"

namespace sotto::crypto {
namespace {

constexpr std::size_t message_min_size = envelope_overhead - 1 + frame_head_size;  ///< from the salt on

}  // namespace

Result<Envelope> Envelope::parse(ByteView bytes) {
    if (bytes.size() < min_envelope_size || bytes.size() > max_envelope_size)
        return std::unexpected(Error::malformed);
    Reader reader{bytes};
    Envelope envelope;
    envelope.type_ = reader.u8();
    if (envelope.type_ == envelope_handshake) {
        const auto size = reader.u16();
        if (size < min_handshake_size || size > max_handshake_size) return std::unexpected(Error::malformed);
        envelope.handshake_ = reader.take(size);
    } else if (envelope.type_ != envelope_message) {
        return std::unexpected(Error::unsupported);
    }
    envelope.message_ = reader.remaining();
    if (!reader.ok() || envelope.message_.size() < message_min_size) return std::unexpected(Error::malformed);
    envelope.prefix_ = bytes.first(bytes.size() - envelope.message_.size());
    return envelope;
}

Result<HandshakeHeader> parse_handshake(const Envelope& envelope) {
    if (!envelope.has_handshake()) return std::unexpected(Error::malformed);
    const auto part = parse_handshake_part(envelope.handshake());
    if (!part) return std::unexpected(part.error());
    return part->header;
}

}  // namespace sotto::crypto
