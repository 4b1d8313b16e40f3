#include "sotto/crypto/direct.hpp"

#include <algorithm>
#include <stdexcept>

#include "labels.hpp"
#include "sodium.hpp"
#include "sotto/crypto/codec.hpp"

namespace sotto::crypto {
namespace {

constexpr std::size_t frame_length_size = 4;
constexpr std::size_t stream_overhead = crypto_secretstream_xchacha20poly1305_ABYTES;
static_assert(direct_frame_overhead == frame_length_size + stream_overhead);

void write_end(Writer& writer, const DirectEnd& end) {
    const auto text = end.address.text();
    writer.u16(static_cast<std::uint16_t>(text.size()));
    writer.raw(bytes_of(text));
    writer.u32(end.device);
}

[[nodiscard]] auto* stream_state(std::span<std::byte> bytes) {
    return reinterpret_cast<crypto_secretstream_xchacha20poly1305_state*>(bytes.data());
}

}  // namespace

DirectKey derive_direct_key(const DirectAttempt& attempt, const DirectSecret& offered,
                            const DirectSecret& answered, const DirectEnd& offerer,
                            const DirectEnd& answerer) {
    Bytes ends;
    Writer writer{ends};
    write_end(writer, offerer);
    write_end(writer, answerer);
    DirectKey key;
    hkdf(attempt, {offered.expose(), answered.expose()}, labels::direct, {ends}, key.writable());
    return key;
}

DirectStream DirectStream::open(const DirectKey& key, DirectRole self, Rng& rng, Bytes& out) {
    DirectStream stream{key, self, Phase::opened};
    stream.first_nonce_ = rng.bytes<32>();
    Writer writer{out};
    writer.raw(stream.first_nonce_);
    writer.raw(stream.tag(true));
    return stream;
}

DirectStream DirectStream::accept(const DirectKey& key, DirectRole self, Rng& rng) {
    const auto opener = self == DirectRole::offerer ? DirectRole::answerer : DirectRole::offerer;
    DirectStream stream{key, opener, Phase::accepting};
    stream.second_nonce_ = rng.bytes<32>();
    return stream;
}

Array<32> DirectStream::tag(bool first) const {
    const Array<1> role{static_cast<std::byte>(opener_)};
    if (first) return mac(key_.expose(), labels::direct_open, {role, first_nonce_});
    return mac(key_.expose(), labels::direct_answer, {role, first_nonce_, second_nonce_});
}

void DirectStream::begin(bool as_opener) {
    struct BothTag;
    Secret<BothTag, 64> both;
    const Array<1> role{static_cast<std::byte>(opener_)};
    mac64(key_.expose(), labels::direct_stream, {role, first_nonce_, second_nonce_}, both.writable());
    // The key is of this stream and direction alone, so the stream's header needs no randomness of its own;
    // both directions begin from the same one.
    const Array<crypto_secretstream_xchacha20poly1305_HEADERBYTES> header{};
    static_assert(sizeof(crypto_secretstream_xchacha20poly1305_state) == State::size);
    const auto start = [&](State& state, ByteView key) {
        if (crypto_secretstream_xchacha20poly1305_init_pull(stream_state(state.writable()), uc(header.data()),
                                                            uc(key.data())) != 0)
            throw std::logic_error("a stream can't begin");
    };
    start(as_opener ? sending_ : receiving_, both.expose().first<32>());
    start(as_opener ? receiving_ : sending_, both.expose().last<32>());
}

bool DirectStream::take_flight(ByteView& rest, Taken& out) {
    const bool first = phase_ == Phase::accepting;
    const auto flight = rest.first(direct_flight_size);
    copy_bytes(flight.first<32>(), first ? first_nonce_ : second_nonce_);
    rest = rest.subspan(direct_flight_size);
    if (!equal_constant_time(tag(first), flight.last<32>())) return false;
    Writer writer{out.reply};
    if (first) {
        writer.raw(second_nonce_);
        writer.raw(tag(false));
        begin(false);
        phase_ = Phase::confirming;
        return true;
    }
    begin(true);
    phase_ = Phase::proven;
    // An empty frame shows the other side that its answer has come.
    writer.raw(push({}));
    return true;
}

Result<bool> DirectStream::take_frame(ByteView& rest, Taken& out) {
    if (rest.size() < frame_length_size) return false;
    const std::size_t size = Reader{rest}.u32();
    if (size < stream_overhead) return std::unexpected(Error::cannot_open);
    if (size > max_direct_frame + stream_overhead) return std::unexpected(Error::too_large);
    if (rest.size() < frame_length_size + size) return false;
    const auto sealed = rest.subspan(frame_length_size, size);
    SecretBytes frame(size - stream_overhead);
    unsigned char type = 0;
    // The length stands outside and goes in as associated data.
    if (crypto_secretstream_xchacha20poly1305_pull(stream_state(receiving_.writable()), uc(frame.data()),
                                                   nullptr, &type, uc(sealed.data()), sealed.size(),
                                                   uc(rest.data()), frame_length_size) != 0 ||
        type != crypto_secretstream_xchacha20poly1305_TAG_MESSAGE)
        return std::unexpected(Error::cannot_open);
    rest = rest.subspan(frame_length_size + size);
    if (phase_ == Phase::confirming) {
        if (!frame.empty()) return std::unexpected(Error::cannot_open);
        phase_ = Phase::proven;
    } else {
        if (frame.empty()) return std::unexpected(Error::cannot_open);
        out.frames.push_back(std::move(frame));
    }
    return true;
}

Result<DirectStream::Taken> DirectStream::take(ByteView bytes) {
    if (phase_ == Phase::failed) return std::unexpected(Error::cannot_open);
    Taken out;
    // Only what is cut off is kept, and what completes it is all that is copied.
    while (!in_.empty() && !bytes.empty()) {
        const auto missing = std::min(whole_size() - in_.size(), bytes.size());
        in_.insert(in_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(missing));
        bytes = bytes.subspan(missing);
        ByteView rest{in_};
        if (auto taken = take_all(rest, out); !taken) return failed(taken.error());
        if (rest.size() < in_.size()) in_.clear();
    }
    if (auto taken = take_all(bytes, out); !taken) return failed(taken.error());
    in_.insert(in_.end(), bytes.begin(), bytes.end());
    return out;
}

std::unexpected<Error> DirectStream::failed(Error error) {
    phase_ = Phase::failed;
    return std::unexpected(error);
}

std::size_t DirectStream::whole_size() const {
    if (phase_ == Phase::opened || phase_ == Phase::accepting) return direct_flight_size;
    if (in_.size() < frame_length_size) return frame_length_size;
    return frame_length_size + Reader{in_}.u32();
}

Result<void> DirectStream::take_all(ByteView& rest, Taken& out) {
    if (phase_ == Phase::opened || phase_ == Phase::accepting) {
        if (rest.size() < direct_flight_size) return {};
        if (!take_flight(rest, out)) return std::unexpected(Error::cannot_open);
    }
    while (true) {
        const auto more = take_frame(rest, out);
        if (!more) return std::unexpected(more.error());
        if (!*more) return {};
    }
}

Bytes DirectStream::push(ByteView frame) {
    Bytes out;
    out.reserve(frame_length_size + frame.size() + stream_overhead);
    Writer{out}.u32(static_cast<std::uint32_t>(frame.size() + stream_overhead));
    out.resize(frame_length_size + frame.size() + stream_overhead);
    const std::span all{out};
    if (crypto_secretstream_xchacha20poly1305_push(
            stream_state(sending_.writable()), uc(all.subspan(frame_length_size).data()), nullptr,
            uc(frame.data()), frame.size(), uc(all.data()), frame_length_size,
            crypto_secretstream_xchacha20poly1305_TAG_MESSAGE) != 0)
        throw std::logic_error("a frame can't be sealed");
    return out;
}

Bytes DirectStream::seal(ByteView frame) {
    if (phase_ != Phase::proven) throw std::logic_error("nothing is sent before the other side is proven");
    if (frame.empty() || frame.size() > max_direct_frame)
        throw std::invalid_argument("a frame has 1 to 393,216 bytes");
    return push(frame);
}

}  // namespace sotto::crypto
