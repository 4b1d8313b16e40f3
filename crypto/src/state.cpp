#include "state.hpp"

#include "epochs.hpp"
#include "labels.hpp"
#include "sotto/crypto/codec.hpp"

namespace sotto::crypto {
namespace {

constexpr std::uint8_t format_without_epochs = 1;
constexpr std::uint8_t format = 3;
constexpr std::uint8_t flag_initiator = 0x01;
constexpr std::uint8_t flag_weak_start = 0x02;
constexpr std::uint8_t flag_turn_due = 0x04;
constexpr std::size_t largest_epochs = 4 + 4 + 8 + 1 + 32 + kem_ciphertext_frame_size + 4;
constexpr std::size_t usual_size = 1024 + largest_epochs;
constexpr std::byte key_type{static_cast<std::uint8_t>(KeyType::x25519)};

template <class Role>
void read(Reader& reader, StateKey<Role>& key) {
    const auto bytes = reader.take(key.bytes.size());
    std::ranges::copy(bytes, key.bytes.begin());
}

void read(Reader& reader, HeaderKey& header) {
    read(reader, header.key);
    header.derive_hint();
}

void read_public(Reader& reader, Array<32>& key) {
    const auto encoded = reader.take(encoded_key_size);
    if (const auto decoded = RatchetKey::decode(encoded))
        std::ranges::copy(decoded->raw(), key.begin());
    else
        reader.fail();
}

/// DHs: absent, as zeros, while a turn is due.
void read_own(Reader& reader, Session::State& s) {
    if (!s.turn_due) {
        read(reader, s.own_secret);
        read_public(reader, s.own_public);
    } else if (!all_zero(reader.take(s.own_secret.bytes.size() + encoded_key_size))) {
        reader.fail();
    }
}

void write_public(SecretWriter& writer, const Array<32>& key) {
    writer.u8(std::to_integer<std::uint8_t>(key_type));
    writer.raw(key);
}

void write_closed(SecretWriter& writer, const ClosedChains& closed) {
    writer.u8(static_cast<std::uint8_t>(closed.count));
    for (const auto& chain : closed.all()) {
        writer.u32(chain.number);
        writer.u32(chain.kept);
        writer.u64(static_cast<std::uint64_t>(chain.kept_at));
        writer.raw(chain.header.key.bytes);
    }
}

void read_closed(Reader& reader, ClosedChains& closed) {
    const auto count = reader.u8();
    if (count > ClosedChains::capacity) reader.fail();
    for (unsigned i = 0; i < count && reader.ok(); ++i) {
        ClosedChain chain;
        chain.number = reader.u32();
        chain.kept = reader.u32();
        chain.kept_at = static_cast<std::int64_t>(reader.u64());
        read(reader, chain.header);
        closed.push(chain);
        wipe(&chain, sizeof chain);
    }
}

void write_epochs(SecretWriter& writer, const Session::State& s) {
    const auto& e = s.epochs;
    writer.u32(s.receiving.epoch);
    writer.u32(e.messages);
    writer.u64(static_cast<std::uint64_t>(e.since_ms));
    writer.u8(static_cast<std::uint8_t>(e.stage));
    if (e.stage == EpochStage::offered) writer.raw(e.seed);
    if (e.stage == EpochStage::ready || e.stage == EpochStage::answered) writer.raw(e.secret.bytes);
    if (e.stage == EpochStage::answered) writer.raw(*s.answer);
    if (e.stage == EpochStage::offered || e.stage == EpochStage::answered) writer.u32(e.sealed);
}

void read_seed(Reader& reader, Array<64>& seed) {
    std::ranges::copy(reader.take(seed.size()), seed.begin());
}

void read_epochs(Reader& reader, Session::State& s) {
    auto& e = s.epochs;
    s.receiving.epoch = reader.u32();
    e.messages = reader.u32();
    e.since_ms = static_cast<std::int64_t>(reader.u64());
    const auto stage = reader.u8();
    if (stage > static_cast<std::uint8_t>(EpochStage::answered)) return reader.fail();
    e.stage = static_cast<EpochStage>(stage);
    if (e.stage == EpochStage::offered) read_seed(reader, e.seed);
    if (e.stage == EpochStage::ready || e.stage == EpochStage::answered) read(reader, e.secret);
    if (e.stage == EpochStage::answered) {
        const auto answer = reader.take(kem_ciphertext_frame_size);
        const auto parsed = parse_kem_ciphertext(answer);
        if (!parsed || s.epoch == last_epoch || parsed->epoch != s.epoch + 1) return reader.fail();
        s.answer = std::make_shared<const Bytes>(to_bytes(answer));
    }
    if (e.stage == EpochStage::offered || e.stage == EpochStage::answered) e.sealed = reader.u32();
}

bool consistent_epochs(const Session::State& s) {
    const auto& e = s.epochs;
    if (e.since_ms < 0 || e.sealed > s.sending.n) return false;
    if (s.receiving.number == 0 && (s.epoch != 0 || e.stage != EpochStage::idle)) return false;
    // Only an epoch that we entered ourselves can be ahead of the peer's chain.
    const bool ahead = s.epoch > 0 && s.receiving.epoch == s.epoch - 1 && decapsulates(s, s.epoch);
    if (s.receiving.epoch != s.epoch && !ahead) return false;
    if (e.stage == EpochStage::idle) return true;
    return s.epoch != last_epoch && decapsulates(s, s.epoch + 1) == (e.stage != EpochStage::answered);
}

/// What no step could have produced is refused, so that a damaged record can't reach the arithmetic of the
/// ratchet.
bool consistent(const Session::State& state) {
    std::uint64_t kept = state.receiving.kept;
    std::size_t chains = state.receiving.kept > 0 ? 1 : 0;
    std::uint32_t last = 0;
    bool times = state.receiving.kept_at >= 0;
    for (const auto& chain : state.closed.all()) {
        times = times && chain.kept_at >= 0;
        if (chain.number <= last || chain.number >= state.receiving.number) return false;
        if (chain.kept == 0 && chain.number + 1 != state.receiving.number) return false;
        last = chain.number;
        kept += chain.kept;
        chains += chain.kept > 0 ? 1 : 0;
    }
    const bool nothing_received = state.receiving.number == 0;
    return times && kept <= max_kept_keys && chains <= max_kept_chains &&
           state.receiving.kept <= state.receiving.n && nothing_received == (state.handshake != nullptr) &&
           (state.initiator || !nothing_received) && !(nothing_received && state.turn_due) &&
           consistent_epochs(state);
}

}  // namespace

void HeaderKey::derive_hint() {
    struct DerivedTag;
    Secret<DerivedTag, 32> whole;
    mac(key.view(), labels::header_hint, {}, whole.writable());
    std::copy_n(whole.expose().begin(), hint_key.size(), hint_key.begin());
}

ClosedChain* ClosedChains::find(std::uint32_t number) {
    const auto found = std::ranges::find(all(), number, &ClosedChain::number);
    return found == all().end() ? nullptr : &*found;
}

void ClosedChains::remove(std::uint32_t number) {
    const auto rest = std::ranges::remove(all(), number, &ClosedChain::number);
    count -= rest.size();
    wipe(&items.at(count), rest.size() * sizeof(ClosedChain));
}

Session::State::~State() {
    wipe(&root, sizeof root);
    wipe(&own_secret, sizeof own_secret);
    wipe(&sending, sizeof sending);
    wipe(&receiving, sizeof receiving);
    wipe(&closed, sizeof closed);
    wipe(&epochs, sizeof epochs);
}

SecretBytes Session::serialize() const {
    const auto& s = *state_;
    SecretBytes out;
    out.reserve(usual_size + (s.handshake ? s.handshake->size() : 0));
    SecretWriter writer{out};
    writer.u8(format);
    writer.u8(static_cast<std::uint8_t>((s.initiator ? flag_initiator : 0U) |
                                        (s.weak_start ? flag_weak_start : 0U) |
                                        (s.turn_due ? flag_turn_due : 0U)));
    writer.raw(s.id);
    writer.u32(s.epoch);
    writer.raw(s.root.bytes);
    writer.raw(s.own_secret.bytes);
    if (s.turn_due)
        writer.raw(Array<encoded_key_size>{});
    else
        write_public(writer, s.own_public);
    write_public(writer, s.peer_public);
    writer.raw(s.sending.header.key.bytes);
    writer.raw(s.sending.chain.bytes);
    writer.raw(s.sending.next_header.key.bytes);
    writer.u32(s.sending.n);
    writer.u32(s.sending.previous);
    writer.u32(s.receiving.number);
    writer.raw(s.receiving.header.key.bytes);
    writer.raw(s.receiving.chain.bytes);
    writer.raw(s.receiving.next_header.key.bytes);
    writer.u32(s.receiving.n);
    writer.u32(s.receiving.kept);
    writer.u64(static_cast<std::uint64_t>(s.receiving.kept_at));
    write_closed(writer, s.closed);
    writer.u16(static_cast<std::uint16_t>(s.handshake ? s.handshake->size() : 0));
    if (s.handshake) writer.raw(*s.handshake);
    SecretBytes epochs;
    epochs.reserve(largest_epochs);
    SecretWriter epoch_writer{epochs};
    write_epochs(epoch_writer, s);
    writer.u16(static_cast<std::uint16_t>(epochs.size()));
    writer.raw(epochs);
    return out;
}

Result<Session> Session::parse(ByteView bytes) {
    Reader reader{bytes};
    auto state = std::make_unique<State>();
    auto& s = *state;
    const auto version = reader.u8();
    if (!reader.ok()) return std::unexpected(Error::malformed);
    if (version == 0 || version > format) return std::unexpected(Error::unsupported);
    const auto flags = reader.u8();
    const auto known = flag_initiator | flag_weak_start | (version == format ? flag_turn_due : 0);
    if ((flags & ~known) != 0) return std::unexpected(Error::malformed);
    s.initiator = (flags & flag_initiator) != 0;
    s.weak_start = (flags & flag_weak_start) != 0;
    s.turn_due = (flags & flag_turn_due) != 0;
    s.id = reader.array<32>();
    s.epoch = reader.u32();
    read(reader, s.root);
    read_own(reader, s);
    read_public(reader, s.peer_public);
    read(reader, s.sending.header);
    read(reader, s.sending.chain);
    read(reader, s.sending.next_header);
    s.sending.n = reader.u32();
    s.sending.previous = reader.u32();
    s.receiving.number = reader.u32();
    read(reader, s.receiving.header);
    read(reader, s.receiving.chain);
    read(reader, s.receiving.next_header);
    s.receiving.n = reader.u32();
    s.receiving.kept = reader.u32();
    s.receiving.kept_at = static_cast<std::int64_t>(reader.u64());
    read_closed(reader, s.closed);
    if (const auto handshake = reader.take(reader.u16()); !handshake.empty())
        s.handshake = std::make_shared<const Bytes>(to_bytes(handshake));
    const auto area = reader.take(reader.u16());
    if (!reader.finish()) return std::unexpected(Error::malformed);
    if (version != format_without_epochs) {
        Reader epochs{area};
        read_epochs(epochs, s);
        if (!epochs.finish()) return std::unexpected(Error::malformed);
    } else if (!area.empty() || s.epoch != 0) {
        return std::unexpected(Error::malformed);
    }
    if (!consistent(s)) return std::unexpected(Error::malformed);
    return Session{std::move(state)};
}

}  // namespace sotto::crypto
