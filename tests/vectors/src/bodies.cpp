// Sizes of envelopes, and the frames of their bodies. docs/protocol.md section 8.
#include "frames.hpp"
#include "sotto/crypto/session.hpp"
#include "world.hpp"

namespace sotto::vectors {
namespace {

using namespace crypto;  // NOLINT(google-build-using-namespace): nearly every name here is of there

std::size_t envelope_size(std::size_t content) {
    return padded_size(envelope_overhead + frame_head_size + content);
}

/// Which contents give which size: `from` and `to` are the first and the last length of each.
Json size_table(std::size_t largest) {
    expect_that(largest <= max_content_size, "largest_content");
    Json rows = Json::array();
    for (std::size_t from = 0; from <= largest;) {
        auto to = from;
        while (to < largest && envelope_size(to + 1) == envelope_size(from)) ++to;
        rows.push_back({{"from", from}, {"to", to}, {"envelope", envelope_size(from)}});
        from = to + 1;
    }
    return {{"sizes", rows}};
}

Json read_body(const Bytes& body) {
    const auto frames = read_frames(body);
    if (!frames) return {{"error", name(frames.error())}, {"sha256", digest(body)}};
    Json out{{"content", hex(frames->content)}};
    if (frames->kem_key) {
        out["key_epoch"] = frames->kem_key->epoch;
        out["key_id"] = hex(kem_key_id(frames->kem_key->key));
        out["key"] = digest(frames->kem_key->key.encode());
    }
    if (frames->kem_ciphertext) {
        out["ciphertext_epoch"] = frames->kem_ciphertext->epoch;
        out["ciphertext_key_id"] = hex(frames->kem_ciphertext->key_id);
        out["ciphertext_sha256"] = digest(frames->kem_ciphertext->ciphertext);
    }
    out["sha256"] = digest(body);
    return out;
}

Bytes frame(std::uint8_t type, ByteView value) {
    Bytes out(frame_head_size + value.size());
    write_frame(type, value, out);
    return out;
}

Json envelope_cases(const World& world) {
    auto& rng = *world.fresh();
    const auto content = frame(frame_content, bytes_of("content"));
    const auto kem = KemKeyPair::generate(rng);
    const auto key = frame(frame_kem_key, encode_kem_key(1, kem.public_key()));
    const auto encapsulated = must(kem.public_key().encapsulate(rng), "a ciphertext");
    const auto answer =
        frame(frame_kem_ciphertext,
              encode_kem_ciphertext(4294967295, kem_key_id(kem.public_key()), encapsulated.ciphertext));
    auto cases = Json::array({new_case("contents of a message alone, and the sizes of their envelopes",
                                       {{"largest_content", max_content_size}})});
    const auto add = [&](const char* name, std::initializer_list<ByteView> parts) {
        cases.push_back(new_case(name, {{"body", hex(joined(parts))}}));
    };
    const auto zeros = Bytes(3);
    add("a content and padding", {content, zeros});
    add("a content without padding", {content});
    add("an empty content", {frame(1, {}), zeros});
    add("a content and a key", {content, key, zeros});
    add("a ciphertext before the content", {answer, content, zeros});
    add("frames of later versions are passed over", {frame(4, zeros), content, frame(127, {}), zeros});
    add("no content", {zeros});
    add("two contents", {content, content});
    add("padding that isn't zero", {content, zeros, Bytes{std::byte{1}}});
    add("a critical frame that isn't known", {content, frame(128, {})});
    add("another critical frame", {content, frame(255, {})});
    add("a frame longer than the body", {content, Bytes{std::byte{4}}, u32(1)});
    add("a frame's head that ends early", {content, Bytes{std::byte{4}}, zeros});
    add("a length of 2^32 - 1", {Bytes{std::byte{1}}, u32(4294967295)});
    add("a key for epoch 0", {content, frame(2, encode_kem_key(0, kem.public_key()))});
    add("a key that is too short", {content, frame(2, u32(1))});
    add("a ciphertext that is too short", {content, frame(3, u32(1))});
    return cases;
}

Json derive_envelope(Json& given, const World& /*world*/) {
    if (given.contains("largest_content"))
        return size_table(number_up_to(max_envelope_size, given, "largest_content"));
    return read_body(bytes(given, "body"));
}

void check_sizes(const Json& rows) {
    std::size_t next = 0;
    std::size_t before = 0;
    for (const auto& row : rows) {
        const auto size = number<std::uint32_t>(row, "envelope");
        const auto longest = std::size_t{number<std::uint32_t>(row, "to")} + 139;
        expect_that(number<std::uint32_t>(row, "from") == next && size > before && size >= longest,
                    "sizes: in order");
        if (size <= 960) {
            expect_that(size % 160 == 0, "sizes: multiples of 160");
        } else {
            // Padmé: the step is a power of two of which the size has at most 2 log2(log2 size) leading bits.
            unsigned exponent = 0;
            while ((longest >> (exponent + 1U)) != 0) ++exponent;
            unsigned width = 0;
            while ((exponent >> width) != 0) ++width;
            expect_that(size % (std::size_t{1} << (exponent - width)) == 0, "sizes: Padmé");
        }
        next = number<std::size_t>(row, "to") + 1;
        before = size;
    }
}

void check_envelope(const Json& given, const Json& derived, const World& /*world*/) {
    if (derived.contains("sizes")) return check_sizes(derived.at("sizes"));
    expect_that(text(derived, "sha256") == digest(bytes(given, "body")), "sha256");
}

}  // namespace

const Kind envelope_kind{
    "envelope.json",
    "Which lengths of content give which size of envelope, and bodies with their frames, "
    "some of them refused (section 8). SHA-256 stands for keys and ciphertexts.",
    envelope_cases, derive_envelope, check_envelope};

}  // namespace sotto::vectors
