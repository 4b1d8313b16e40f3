#include "keyserver/core/wire.hpp"

#include <google/protobuf/io/coded_stream.h>

#include <array>

#include "keyserver/core/strict.hpp"
#include "sotto/crypto/session.hpp"

namespace sotto::keyserver {
namespace {

[[nodiscard]] std::string text_of(ByteView bytes) {
    return std::string{chars_of(bytes)};
}

[[nodiscard]] wire::Registration wire_registration(Registration mode) {
    switch (mode) {
        case Registration::open:
            return wire::REGISTRATION_OPEN;
        case Registration::invite:
            return wire::REGISTRATION_INVITE;
        case Registration::closed:
            break;
    }
    return wire::REGISTRATION_CLOSED;
}

/// Of a field that begins with its length.
[[nodiscard]] constexpr std::uint32_t bytes_tag(int field) {
    return static_cast<std::uint32_t>(field) << 3U | 2U;
}

void append_varint(std::string& out, std::uint32_t value) {
    for (; value >= 0x80U; value >>= 7U) out += static_cast<char>(value | 0x80U);
    out += static_cast<char>(value);
}
/// What stands before a field of so many bytes.
void append_head(std::string& out, int field, std::size_t size) {
    append_varint(out, bytes_tag(field));
    append_varint(out, static_cast<std::uint32_t>(size));
}
[[nodiscard]] std::size_t field_size(int field, std::size_t size) {
    using google::protobuf::io::CodedOutputStream;
    return CodedOutputStream::VarintSize32(bytes_tag(field)) +
           CodedOutputStream::VarintSize32(static_cast<std::uint32_t>(size)) + size;
}
/// As protobuf has it: nothing where there is nothing in it.
void append_bytes(std::string& out, int field, ByteView bytes) {
    if (bytes.empty()) return;
    append_head(out, field, bytes.size());
    out += chars_of(bytes);
}
[[nodiscard]] std::size_t bytes_size(int field, ByteView bytes) {
    return bytes.empty() ? 0 : field_size(field, bytes.size());
}

[[nodiscard]] wire::Reply reply_to(std::uint32_t request) {
    wire::Reply reply;
    reply.set_id(request);
    return reply;
}

}  // namespace

wire::Request* parse_request(ByteView frame, google::protobuf::Arena& arena) {
    if (!only_request_fields(frame)) return nullptr;
    auto* const request = google::protobuf::Arena::CreateMessage<wire::Request>(&arena);
    if (!request->ParseFromArray(frame.data(), static_cast<int>(frame.size()))) return nullptr;
    if (request->id() == 0 || request->body_case() == wire::Request::BODY_NOT_SET) return nullptr;
    return request;
}

std::string hello_frame(const std::string& server_name, const Array<protocol::nonce_size>& nonce,
                        Registration registration, bool unbound, std::uint64_t time_ms) {
    wire::Reply reply;
    auto& hello = *reply.mutable_hello();
    hello.set_server_name(server_name);
    hello.set_nonce(text_of(nonce));
    hello.set_registration(wire_registration(registration));
    hello.set_unbound(unbound);
    hello.set_version(protocol::wire_version);
    hello.set_max_envelope(static_cast<std::uint32_t>(crypto::max_envelope_size));
    hello.set_time(static_cast<std::int64_t>(time_ms));
    return reply.SerializeAsString();
}

std::string done_frame(std::uint32_t request) {
    auto reply = reply_to(request);
    reply.mutable_done();
    return reply.SerializeAsString();
}

std::string failure_frame(std::uint32_t request, const Refusal& refusal) {
    auto reply = reply_to(request);
    reply.mutable_failure()->set_code(refusal.code);
    reply.mutable_failure()->set_retry_after_ms(refusal.retry_after_ms);
    return reply.SerializeAsString();
}

std::string welcome_frame(std::uint32_t request, const LoginFacts& facts) {
    auto reply = reply_to(request);
    auto& welcome = *reply.mutable_welcome();
    welcome.set_record_sequence(facts.record_sequence);
    welcome.set_record_hash(text_of(facts.record_hash));
    welcome.set_one_time_left(facts.one_time.left);
    welcome.set_one_time_kem_left(facts.one_time_kem.left);
    welcome.set_one_time_highest(facts.one_time.highest);
    welcome.set_one_time_kem_highest(facts.one_time_kem.highest);
    welcome.set_signed_prekey_day(facts.signed_day);
    welcome.set_waiting(facts.waiting);
    welcome.set_generation(facts.generation);
    return reply.SerializeAsString();
}

std::string records_frame(std::uint32_t request, const RecordPage& page) {
    auto reply = reply_to(request);
    auto& records = *reply.mutable_records();
    for (const auto& bytes : page.records) records.add_records(text_of(bytes));
    records.set_more(page.more);
    return reply.SerializeAsString();
}

std::string prekeys_frame(std::uint32_t request, const Bundle& bundle) {
    auto reply = reply_to(request);
    auto& prekeys = *reply.mutable_prekeys();
    prekeys.set_record(text_of(bundle.record));
    prekeys.set_signed_prekey(text_of(bundle.signed_prekey));
    prekeys.set_kem_prekey(text_of(bundle.kem_prekey));
    prekeys.set_one_time(text_of(bundle.one_time));
    return reply.SerializeAsString();
}

std::string delivered_frame(std::uint32_t request, wire::DeliveryState state) {
    auto reply = reply_to(request);
    reply.mutable_delivered()->set_state(state);
    return reply.SerializeAsString();
}

Outgoing incoming_frame(const EnvelopeId& id, SharedBytes envelope) {
    // Reply { incoming = { envelope_id = id, envelope = … } } with its last bytes left out: protobuf's own
    // serialiser would copy them twice.
    using google::protobuf::io::CodedOutputStream;
    constexpr auto id_tag = bytes_tag(wire::Incoming::kEnvelopeIdFieldNumber);
    constexpr auto envelope_tag = bytes_tag(wire::Incoming::kEnvelopeFieldNumber);
    constexpr auto incoming_tag = bytes_tag(wire::Reply::kIncomingFieldNumber);
    const auto id_size = static_cast<std::uint32_t>(id.size());
    const auto envelope_size = static_cast<std::uint32_t>(envelope->size());
    const auto inside = CodedOutputStream::VarintSize32(id_tag) + CodedOutputStream::VarintSize32(id_size) +
                        id.size() + CodedOutputStream::VarintSize32(envelope_tag) +
                        CodedOutputStream::VarintSize32(envelope_size) + envelope->size();
    std::array<std::uint8_t, 64> head{};
    auto* at = CodedOutputStream::WriteTagToArray(incoming_tag, head.data());
    at = CodedOutputStream::WriteVarint32ToArray(static_cast<std::uint32_t>(inside), at);
    at = CodedOutputStream::WriteTagToArray(id_tag, at);
    at = CodedOutputStream::WriteVarint32ToArray(id_size, at);
    at = CodedOutputStream::WriteRawToArray(id.data(), static_cast<int>(id.size()), at);
    at = CodedOutputStream::WriteTagToArray(envelope_tag, at);
    at = CodedOutputStream::WriteVarint32ToArray(envelope_size, at);
    return {
        std::string{reinterpret_cast<const char*>(head.data()), static_cast<std::size_t>(at - head.data())},
        std::move(envelope)};
}

std::string prekeys_low_frame(std::uint32_t one_time_left, std::uint32_t one_time_kem_left) {
    wire::Reply reply;
    reply.mutable_prekeys_low()->set_one_time_left(one_time_left);
    reply.mutable_prekeys_low()->set_one_time_kem_left(one_time_kem_left);
    return reply.SerializeAsString();
}

std::string posted_frame(std::uint32_t request, const std::vector<std::uint32_t>& refused) {
    auto reply = reply_to(request);
    auto& posted = *reply.mutable_posted();
    for (const auto index : refused) posted.add_refused(index);
    return reply.SerializeAsString();
}

// Written by hand: a publication of all contacts makes one such frame for each of them, and protobuf's
// objects would be most of what that costs here.

namespace {

[[nodiscard]] std::size_t presence_size(ByteView topic, ByteView blob) {
    return bytes_size(wire::Presence::kTopicFieldNumber, topic) +
           bytes_size(wire::Presence::kBlobFieldNumber, blob);
}

void append_presence(std::string& out, ByteView topic, ByteView blob) {
    append_head(out, wire::Presences::kPresencesFieldNumber, presence_size(topic, blob));
    append_bytes(out, wire::Presence::kTopicFieldNumber, topic);
    append_bytes(out, wire::Presence::kBlobFieldNumber, blob);
}

}  // namespace

void PresencesFrame::add(ByteView topic, ByteView blob) {
    append_presence(presences_, topic, blob);
}

std::string PresencesFrame::finish() const {
    std::string out;
    out.reserve(field_size(wire::Reply::kPresencesFieldNumber, presences_.size()));
    append_head(out, wire::Reply::kPresencesFieldNumber, presences_.size());
    return out += presences_;
}

std::string presence_frame(ByteView topic, ByteView blob) {
    const auto inside = field_size(wire::Presences::kPresencesFieldNumber, presence_size(topic, blob));
    std::string out;
    out.reserve(field_size(wire::Reply::kPresencesFieldNumber, inside));
    append_head(out, wire::Reply::kPresencesFieldNumber, inside);
    append_presence(out, topic, blob);
    return out;
}

namespace {

[[nodiscard]] wire::IceServerKind wire_kind(IceServer::Kind kind) {
    switch (kind) {
        case IceServer::Kind::turn_udp:
            return wire::ICE_SERVER_KIND_TURN_UDP;
        case IceServer::Kind::turn_tcp:
            return wire::ICE_SERVER_KIND_TURN_TCP;
        case IceServer::Kind::stun:
            break;
    }
    return wire::ICE_SERVER_KIND_STUN;
}

}  // namespace

std::string ice_servers_frame(std::uint32_t request, const IceOffer* offer, std::string_view username) {
    auto reply = reply_to(request);
    auto& out = *reply.mutable_ice_servers();
    if (offer == nullptr) return reply.SerializeAsString();
    out.set_lifetime_s(offer->lifetime_s);
    for (const auto& server : offer->servers) {
        auto& one = *out.add_servers();
        one.set_kind(wire_kind(server.kind));
        one.set_host(server.host);
        one.set_port(server.port);
        if (server.kind == IceServer::Kind::stun || !offer->password) continue;
        one.set_username(std::string{username});
        one.set_password(offer->password(username));
    }
    return reply.SerializeAsString();
}

std::string closing_frame(std::uint32_t retry_after_ms) {
    wire::Reply reply;
    reply.mutable_closing()->set_retry_after_ms(retry_after_ms);
    return reply.SerializeAsString();
}

}  // namespace sotto::keyserver
