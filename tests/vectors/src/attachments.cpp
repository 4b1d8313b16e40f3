// Attachment streams, whole and damaged. docs/protocol.md section 8.1.
#include "aead.hpp"
#include "sotto/crypto/attachment.hpp"
#include "sotto/crypto/hash.hpp"
#include "sotto/crypto/session.hpp"
#include "world.hpp"

namespace sotto::vectors {
namespace {

using namespace crypto;  // NOLINT(google-build-using-namespace): nearly every name here is of there

constexpr std::size_t small_stream = 1024;  ///< up to here a stream stands in the file whole

/// Byte i of every file is i mod 251.
Bytes file_of(std::uint64_t length) {
    Bytes out(length);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>(i % 251);
    return out;
}

struct Stream {
    Bytes header;
    std::vector<Bytes> chunks;
    [[nodiscard]] Bytes whole() const {
        Bytes out = header;
        for (const auto& chunk : chunks) out.insert(out.end(), chunk.begin(), chunk.end());
        return out;
    }
};

Stream sealed_stream(const AttachmentKey& key, std::uint64_t length, Rng& rng) {
    auto sealer = must(AttachmentSealer::begin(key, length, rng), "length");
    Stream out{to_bytes(sealer.header()), {}};
    const auto file = file_of(length);
    for (std::size_t at = 0; !sealer.done();) {
        const auto size = sealer.wants();
        out.chunks.push_back(must(sealer.seal(ByteView{file}.subspan(at, size)), "a chunk"));
        at += size;
    }
    return out;
}

/// K_enc ‖ C by their definition.
Array<64> keys_of(const AttachmentKey& key, ByteView header, std::uint64_t length) {
    Bytes encoded;
    Writer{encoded}.u64(length);
    Array<64> both;
    mac64(key.expose(), "Sotto/1/attachment", {header.first(17), encoded}, both);
    return both;
}

/// Where a stream is refused, and as what; nothing if it opens.
Json refusal_of(const AttachmentKey& key, std::uint64_t length, ByteView stream) {
    const auto at = [&](const char* where, Error error) {
        return Json{{"at", where}, {"error", name(error)}, {"sha256", digest(stream)}};
    };
    const auto size = std::min<std::size_t>(stream.size(), attachment_header_size);
    auto opener = AttachmentOpener::begin(key, length, stream.first(size));
    if (!opener) return at("header", opener.error());
    auto rest = stream.subspan(size);
    for (int chunk = 0; !opener->done(); ++chunk) {
        const auto next = std::min(rest.size(), opener->wants());
        if (const auto opened = opener->open(rest.first(next)); !opened)
            return at(("chunk " + std::to_string(chunk)).c_str(), opened.error());
        rest = rest.subspan(next);
    }
    if (rest.empty()) return nullptr;
    return at("end", opener->open(rest).error());
}

Json refusal(const Json& change, const AttachmentKey& key, std::uint64_t length, const Stream& stream) {
    Json out;
    if (change.contains("length")) {
        const auto other = number<std::uint64_t>(change, "length");
        out = refusal_of(key, other, stream.whole());
        out["commitment_of_that_length"] = hex(ByteView{keys_of(key, stream.header, other)}.last(32));
    } else if (change.contains("swap")) {
        auto other = stream;
        std::swap(other.chunks.at(number<std::size_t>(change, "swap")),
                  other.chunks.at(number<std::size_t>(change, "with_chunk")));
        out = refusal_of(key, length, other.whole());
    } else {
        out = refusal_of(key, length, changed(stream.whole(), change));
    }
    if (out.is_null()) throw Mismatch("refuse: it opened");
    return out;
}

Json attachment_cases(const World& world) {
    auto& rng = *world.fresh();
    auto cases = Json::array();
    const auto add = [&](const char* name, std::uint64_t length, Json refuse) {
        cases.push_back(new_case(name, {{"key", hex(rng.bytes<32>())}, {"length", length}}));
        if (!refuse.is_null()) cases.back()["given"]["refuse"] = std::move(refuse);
    };
    add("an empty file", 0, nullptr);
    add("one byte", 1,
        Json::array({{{"at", 0}, {"with", "02"}},
                     {{"at", 1}, {"with", "0000"}},
                     {{"at", 17}, {"with", "0000"}},
                     {{"at", 49}, {"with", "0000"}},
                     {{"at", 224}, {"with", "00"}},
                     {{"length", 2}},
                     {{"cut", 1}},
                     {{"append", "00"}}}));
    add("one chunk to the byte", attachment_chunk_size, nullptr);
    add("one chunk and a byte", attachment_chunk_size + 1,
        Json::array({{{"cut", 2064}}, {{"at", 49}, {"with", "0000"}}}));
    add("four chunks", 200000,
        Json::array(
            {{{"swap", 0}, {"with_chunk", 1}}, {{"swap", 0}, {"with_chunk", 2}}, {{"length", 199999}}}));
    return cases;
}

Json derive_attachment(Json& given, const World& world) {
    const auto key = secret<AttachmentKey>(given, "key");
    const auto length = number_up_to(1ULL << 20U, given, "length");
    Draws draws{given, world.fresh()};
    const auto stream = sealed_stream(key, length, draws);
    draws.finish(given, {"salt"});
    expect_that(refusal_of(key, length, stream.whole()).is_null(), "the stream opens");
    const auto both = keys_of(key, stream.header, length);
    Json out{{"padded", padded_size(length)},
             {"stream_size", must(attachment_stream_size(length), "length")},
             {"encryption_key", hex(ByteView{both}.first(32))},
             {"header", hex(stream.header)},
             {"chunks", Json::array()}};
    detail::AttachmentPosition position{length};
    for (const auto& chunk : stream.chunks) {
        out["chunks"].push_back(
            {{"nonce", hex(position.nonce())}, {"size", chunk.size()}, {"sha256", digest(chunk)}});
        position.advance();
    }
    const auto whole = stream.whole();
    expect_that(whole.size() == out.at("stream_size"), "stream_size");
    if (whole.size() <= small_stream) out["stream"] = hex(whole);
    if (!given.contains("refuse")) return out;
    out["refused"] = Json::array();
    for (const auto& change : given.at("refuse"))
        out["refused"].push_back(refusal(change, key, length, stream));
    return out;
}

/// Every chunk sealed once more, by the AEAD alone.
void check_attachment(const Json& given, const Json& derived, const World& /*world*/) {
    const auto length = number<std::uint64_t>(given, "length");
    const auto header = bytes(derived, "header");
    expect(given.at("random"), "salt", ByteView{header}.subspan(1, 16));
    const auto both = keys_of(secret<AttachmentKey>(given, "key"), header, length);
    expect(derived, "encryption_key", ByteView{both}.first(32));
    expect_that(std::ranges::equal(ByteView{header}.last(32), ByteView{both}.last(32)), "header: commitment");

    auto plain = file_of(length);
    plain.resize(number<std::uint32_t>(derived, "padded"));
    std::size_t at = 0;
    const auto& chunks = derived.at("chunks");
    for (std::size_t i = 0; i < chunks.size(); ++i) {
        Bytes nonce(3);
        Writer writer{nonce};
        writer.u64(i);
        writer.u8(i + 1 == chunks.size() ? 1 : 0);
        expect(chunks[i], "nonce", nonce);
        const auto size = number<std::uint32_t>(chunks[i], "size");
        expect_that(size >= 16 && at + size - 16 <= plain.size(), "size");
        auto chunk = to_bytes(ByteView{plain}.subspan(at, size - 16));
        chunk.resize(size);
        crypto::seal(FixedView<32>{ByteView{both}.first(32)}, FixedView<12>{nonce}, {}, chunk);
        expect_that(text(chunks[i], "sha256") == digest(chunk), "a chunk under its nonce");
        at += size - 16;
    }
    expect_that(at == plain.size(), "chunks: all of the file");
}

}  // namespace

const Kind attachment_kind{
    "attachment.json",
    "Streams of files whose byte i is i mod 251 (section 8.1); SHA-256 stands for chunks. derived.refused "
    "belongs to given.refuse one by one.",
    attachment_cases, derive_attachment, check_attachment};

}  // namespace sotto::vectors
