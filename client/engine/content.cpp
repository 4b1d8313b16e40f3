#include "content.hpp"

#include <google/protobuf/io/coded_stream.h>

#include "sotto/crypto/codec.hpp"
#include "sotto/protocol/limits.hpp"
#include "sotto/protocol/text.hpp"

namespace sotto::client {

namespace {

constexpr std::uint32_t first_later_kind = 27;
constexpr std::uint32_t last_later_kind = 39;

/// The field number of a kind that this version doesn't know, 0 if there is none.
std::uint32_t later_kind(ByteView content) {
    google::protobuf::io::CodedInputStream in(reinterpret_cast<const std::uint8_t*>(content.data()),
                                              static_cast<int>(content.size()));
    while (const auto tag = in.ReadTag()) {
        const auto field = tag >> 3U;
        if (field >= first_later_kind && field <= last_later_kind) return field;
        std::uint64_t number = 0;
        std::uint32_t fixed = 0;
        std::uint32_t length = 0;
        bool skipped = false;
        switch (tag & 7U) {
            case 0:
                skipped = in.ReadVarint64(&number);
                break;
            case 1:
                skipped = in.ReadLittleEndian64(&number);
                break;
            case 2:
                skipped = in.ReadVarint32(&length) && in.Skip(static_cast<int>(length));
                break;
            case 5:
                skipped = in.ReadLittleEndian32(&fixed);
                break;
            default:
                break;
        }
        if (!skipped) return 0;
    }
    return 0;
}

/// Sequence and hash come together, or not at all.
bool read_record(std::uint64_t sequence, const std::string& hash, std::uint64_t& out_sequence,
                 Array<32>& out_hash) {
    if (sequence == 0) return hash.empty();
    const auto fixed = from_field<32>(hash);
    if (!fixed) return false;
    out_sequence = sequence;
    out_hash = *fixed;
    return true;
}

std::optional<Introduction> read_introduction(const content::Introduction& in) {
    const auto shared = from_field<32>(in.shared_token());
    const auto recovery = from_field<32>(in.recovery_token());
    if (!shared || !recovery || in.port() == 0 || in.port() > 0xffff) return std::nullopt;
    Introduction out{{in.host(), static_cast<std::uint16_t>(in.port()), std::nullopt}, *shared, *recovery};
    if (!in.pin().empty()) {
        out.endpoint.pin = from_field<32>(in.pin());
        if (!out.endpoint.pin) return std::nullopt;
    }
    // The link's grammar is the one definition of what a host may look like.
    const auto again = protocol::parse_server_link(protocol::format_server_link(out.endpoint));
    if (!again || *again != out.endpoint) return std::nullopt;
    return out;
}

/// What stands in an SDP line of its own: visible ASCII and blanks.
bool plain_line(const std::string& text, std::size_t least, std::size_t most) {
    return text.size() >= least && text.size() <= most &&
           std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

std::optional<Received::Direct> read_signal(const content::DirectSignal& in, bool offer) {
    constexpr std::size_t least_ufrag = 4;  // RFC 8445, 5.3
    constexpr std::size_t least_password = 22;
    const auto attempt = from_field<16>(in.attempt());
    const auto secret = from_field<32>(in.secret());
    if (!attempt || !secret || static_cast<std::size_t>(in.candidates().size()) > max_candidates ||
        static_cast<std::size_t>(in.tcp().size()) > max_tcp_endpoints)
        return std::nullopt;
    const bool ice = !in.ice_ufrag().empty();
    if (ice ? !plain_line(in.ice_ufrag(), least_ufrag, max_candidate_size) ||
                  !plain_line(in.ice_password(), least_password, max_candidate_size)
            : !in.ice_password().empty() || !in.candidates().empty())
        return std::nullopt;
    Received::Direct out{offer, *attempt, crypto::DirectSecret{*secret}, {}};
    out.path.ufrag = in.ice_ufrag();
    out.path.password = in.ice_password();
    for (const auto& line : in.candidates()) {
        if (!plain_line(line, 1, max_candidate_size)) return std::nullopt;
        out.path.candidates.push_back(line);
    }
    for (const auto& endpoint : in.tcp()) {
        const auto size = endpoint.address().size();
        if ((size != 4 && size != 16) || endpoint.port() == 0 || endpoint.port() > 0xffff)
            return std::nullopt;
        out.path.tcp.push_back({.address = to_bytes(bytes_of(endpoint.address())),
                                .port = static_cast<std::uint16_t>(endpoint.port())});
    }
    return out;
}

bool read_kind(const content::Content& in, ByteView bytes, Received& out) {
    switch (in.kind_case()) {
        case content::Content::kText:
            out.kind = kind_text;
            out.text = in.text().body();
            return !check_text(out.text);
        case content::Content::kAcknowledgement:
            out.kind = kind_acknowledgement;
            if (in.acknowledgement().message_ids().empty() ||
                in.acknowledgement().message_ids().size() > static_cast<int>(max_acknowledged))
                return false;
            for (const auto& field : in.acknowledgement().message_ids()) {
                const auto id = from_field<16>(field);
                if (!id) return false;
                out.acknowledged.push_back(*id);
            }
            return true;
        case content::Content::kIntroduction:
            out.kind = kind_introduction;
            out.introduction = read_introduction(in.introduction());
            return out.introduction.has_value();
        case content::Content::kReset:
            out.kind = kind_reset;
            return true;
        case content::Content::kPresenceKey: {
            out.kind = kind_presence_key;
            const auto key = from_field<32>(in.presence_key().key());
            if (!key || in.presence_key().day() == 0) return false;
            out.presence_key = {.key = *key, .day = in.presence_key().day()};
            return true;
        }
        case content::Content::kDirectOffer:
            out.kind = kind_direct_offer;
            out.direct = read_signal(in.direct_offer(), true);
            return out.direct.has_value();
        case content::Content::kDirectAnswer:
            out.kind = kind_direct_answer;
            out.direct = read_signal(in.direct_answer(), false);
            return out.direct.has_value();
        case content::Content::KIND_NOT_SET:
            break;
    }
    out.kind = later_kind(bytes);
    return true;
}

}  // namespace

Array<32> conversation_id(const crypto::Address& one, const crypto::Address& other) {
    const auto a = one.text();
    const auto b = other.text();
    Bytes input;
    crypto::Writer writer(input);
    for (const auto& address : {std::min(a, b), std::max(a, b)}) {
        writer.u16(static_cast<std::uint16_t>(address.size()));
        writer.raw(bytes_of(address));
    }
    return crypto::hash("Sotto/1/conversation", {input});
}

std::optional<Error> check_text(std::string_view text) {
    if (text.empty()) return Error{Exit::input, "There is nothing to send: the message is empty."};
    if (text.size() > protocol::max_text_size)
        return Error{Exit::input, "The message is over 65,536 bytes; send it in parts."};
    if (!protocol::valid_utf8(text))
        return Error{Exit::input, "The message is not valid UTF-8; convert it and send it again."};
    return std::nullopt;
}

bool is_signal(const content::Content& content) {
    return content.has_direct_offer() || content.has_direct_answer();
}

bool is_signal(ByteView bytes) {
    content::Content in;
    return in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) && is_signal(in);
}

std::optional<Received> parse_content(ByteView bytes, const Array<32>& conversation) {
    content::Content in;
    if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return std::nullopt;

    Received out;
    const auto id = from_field<16>(in.message_id());
    const auto said_in = from_field<32>(in.conversation_id());
    // Signals come at once or not at all, so that none of them is missed.
    if (!id || !said_in || (in.sequence() == 0) != is_signal(in)) return std::nullopt;
    out.id = *id;
    out.sequence = in.sequence();
    out.sent_at = in.sent_at();
    if (!read_record(in.record_sequence(), in.record_hash(), out.record_sequence, out.record_hash) ||
        !read_record(in.peer_record_sequence(), in.peer_record_hash(), out.peer_record_sequence,
                     out.peer_record_hash))
        return std::nullopt;
    if (!in.reply_to().empty() && in.reply_to().size() != protocol::message_id_size) return std::nullopt;
    if (!read_kind(in, bytes, out)) return std::nullopt;
    if (in.has_tokens()) {
        out.introduction = read_introduction(in.tokens());
        if (!out.introduction) return std::nullopt;
    }
    // Another conversation is something of a later version (a group), not an error.
    const bool kind_known =
        in.kind_case() != content::Content::KIND_NOT_SET || (out.kind == 0 && in.has_tokens());
    out.known = kind_known && *said_in == conversation;
    return out;
}

bool carries_tokens(ByteView bytes) {
    content::Content in;
    return in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) &&
           (in.has_tokens() || in.has_introduction());
}

bool carries_tokens(ByteView bytes, const Introduction& tokens) {
    content::Content in;
    if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
    const auto carried = read_introduction(in.has_introduction() ? in.introduction() : in.tokens());
    return carried && crypto::equal_constant_time(carried->shared_token, tokens.shared_token) &&
           crypto::equal_constant_time(carried->recovery_token, tokens.recovery_token);
}

void fill(content::DirectSignal& out, const crypto::DirectAttempt& attempt,
          const crypto::DirectSecret& secret, const PathDescription& path) {
    out.set_attempt(to_field(attempt));
    out.set_secret(to_field(secret.expose()));
    out.set_ice_ufrag(path.ufrag);
    out.set_ice_password(path.password);
    for (const auto& line : path.candidates) out.add_candidates(line);
    for (const auto& endpoint : path.tcp) {
        auto& field = *out.add_tcp();
        field.set_address(to_field(endpoint.address));
        field.set_port(endpoint.port);
    }
}

void fill(content::Introduction& out, const Introduction& introduction) {
    out.set_host(introduction.endpoint.host);
    out.set_port(introduction.endpoint.port);
    if (introduction.endpoint.pin) out.set_pin(to_field(*introduction.endpoint.pin));
    out.set_shared_token(to_field(introduction.shared_token));
    out.set_recovery_token(to_field(introduction.recovery_token));
}

}  // namespace sotto::client
