// Attachment streams: docs/protocol.md 8.1. What a server, or whoever else holds the stream, could do to it.
#include "sotto/crypto/attachment.hpp"

#include <gtest/gtest.h>

#include "aead.hpp"
#include "labels.hpp"
#include "sotto/crypto/codec.hpp"
#include "sotto/crypto/session.hpp"

namespace sotto::crypto::test {
namespace {

constexpr std::size_t chunk = attachment_chunk_size;

AttachmentKey attachment_key(std::uint64_t seed = 7) {
    SeededRng rng{seed};
    return rng.secret<AttachmentKey>();
}

Bytes file_of(std::size_t size, std::uint64_t seed = 1) {
    Bytes out(size);
    SeededRng{seed}.fill(out);
    return out;
}

/// The stream in its pieces: the header, and each chunk.
struct Pieces {
    Bytes header;
    std::vector<Bytes> chunks;
};

Pieces seal_file(const AttachmentKey& key, ByteView file, std::uint64_t seed = 2) {
    SeededRng rng{seed};
    auto sealer = AttachmentSealer::begin(key, file.size(), rng).value();
    Pieces out{to_bytes(sealer.header()), {}};
    while (!sealer.done()) {
        const auto size = sealer.wants();
        out.chunks.push_back(sealer.seal(file.first(size)).value());
        file = file.subspan(size);
    }
    EXPECT_TRUE(file.empty());
    return out;
}

/// Nothing unless every chunk opens in its place, none is missing and none is left over.
std::optional<Bytes> open_file(const AttachmentKey& key, std::uint64_t length, const Pieces& pieces) {
    auto opener = AttachmentOpener::begin(key, length, pieces.header);
    if (!opener) return std::nullopt;
    Bytes out;
    for (const auto& sealed : pieces.chunks) {
        const auto opened = opener->open(sealed);
        if (!opened) return std::nullopt;
        out.insert(out.end(), opened->begin(), opened->end());
    }
    return opener->done() ? std::optional{out} : std::nullopt;
}

TEST(Attachment, ComesBackAtEverySize) {
    const auto key = attachment_key();
    for (const std::size_t size : {0UL, 1UL, 159UL, 160UL, 161UL, 1000UL, chunk - 1, chunk, chunk + 1,
                                   2 * chunk - 1, 2 * chunk, 5 * chunk + 12345}) {
        const auto file = file_of(size);
        const auto pieces = seal_file(key, file);
        std::size_t total = pieces.header.size();
        for (const auto& piece : pieces.chunks) {
            EXPECT_LE(piece.size(), chunk + attachment_tag_size);
            total += piece.size();
        }
        EXPECT_EQ(total, attachment_stream_size(size).value()) << size;
        EXPECT_EQ(open_file(key, size, pieces), file) << size;
    }
}

TEST(Attachment, HasTheDrawnLayout) {
    const auto key = attachment_key();
    const auto file = file_of(chunk + 1);  // padded to 67,584: two chunks
    const auto pieces = seal_file(key, file);
    ASSERT_EQ(pieces.chunks.size(), 2U);
    const ByteView header{pieces.header};
    EXPECT_EQ(header[0], std::byte{1});
    Bytes length;
    Writer{length}.u64(file.size());
    Array<64> keys;
    mac64(key.expose(), "Sotto/1/attachment", {header.first(17), length}, keys);
    EXPECT_TRUE(std::ranges::equal(header.last(32), std::span{keys}.last(32)));
    const auto encryption = FixedView<32>{std::span{keys}.first<32>()};
    Array<12> nonce{};
    Bytes first(chunk);
    EXPECT_TRUE(open(encryption, nonce, {}, pieces.chunks[0], first));
    EXPECT_TRUE(std::ranges::equal(first, ByteView{file}.first(chunk)));
    nonce[10] = std::byte{1};
    nonce[11] = std::byte{1};
    Bytes second(padded_size(chunk + 1) - chunk);
    EXPECT_TRUE(open(encryption, nonce, {}, pieces.chunks[1], second));
    EXPECT_EQ(second[0], file[chunk]);
    EXPECT_TRUE(all_zero(ByteView{second}.subspan(1)));
}

TEST(Attachment, TellsItsSizeOnlyInSteps) {
    const auto size = [](std::uint64_t length) { return attachment_stream_size(length).value(); };
    EXPECT_EQ(size(0), size(160));
    EXPECT_EQ(size(1'000'000), size(1'000'001));
    EXPECT_LT(static_cast<double>(size(1'000'001)), 1.04 * 1'000'001);
}

TEST(Attachment, EveryChangedByteIsRefused) {
    const auto key = attachment_key();
    const auto file = file_of(200);
    const auto pieces = seal_file(key, file);
    for (std::size_t i = 0; i < pieces.header.size(); ++i) {
        auto changed = pieces;
        changed.header[i] ^= std::byte{4};
        EXPECT_FALSE(open_file(key, file.size(), changed)) << i;
    }
    for (std::size_t i = 0; i < pieces.chunks[0].size(); ++i) {
        auto changed = pieces;
        changed.chunks[0][i] ^= std::byte{4};
        EXPECT_FALSE(open_file(key, file.size(), changed)) << i;
    }
}

TEST(Attachment, TruncationIsRefused) {
    const auto key = attachment_key();
    const auto file = file_of(3 * chunk);
    const auto pieces = seal_file(key, file);
    for (std::size_t left = 0; left < pieces.chunks.size(); ++left) {
        auto shorter = pieces;
        shorter.chunks.resize(left);
        EXPECT_FALSE(open_file(key, file.size(), shorter)) << left;
        // The same with a length that would fit what is left.
        EXPECT_FALSE(open_file(key, left * chunk, shorter)) << left;
    }
    auto cut = pieces;
    cut.chunks.back().pop_back();
    EXPECT_FALSE(open_file(key, file.size(), cut));
    for (std::size_t size = 0; size < pieces.header.size(); ++size) {
        const auto begun = AttachmentOpener::begin(key, file.size(), ByteView{pieces.header}.first(size));
        EXPECT_EQ(begun.error(), Error::malformed);
    }
}

TEST(Attachment, ExtensionIsRefused) {
    const auto key = attachment_key();
    const auto file = file_of(2 * chunk);
    const auto pieces = seal_file(key, file);
    for (const auto& more : pieces.chunks) {
        auto longer = pieces;
        longer.chunks.push_back(more);
        EXPECT_FALSE(open_file(key, file.size(), longer));
        EXPECT_FALSE(open_file(key, 3 * chunk, longer));
    }
    auto longer = pieces;
    longer.chunks.back().push_back(std::byte{0});
    EXPECT_FALSE(open_file(key, file.size(), longer));
}

TEST(Attachment, ReorderingAndDuplicationAreRefused) {
    const auto key = attachment_key();
    const auto file = file_of(4 * chunk);
    const auto pieces = seal_file(key, file);
    ASSERT_EQ(pieces.chunks.size(), 4U);
    for (std::size_t i = 0; i < 4; ++i) {
        for (std::size_t j = 0; j < 4; ++j) {
            if (i == j) continue;
            auto swapped = pieces;
            std::swap(swapped.chunks[i], swapped.chunks[j]);
            EXPECT_FALSE(open_file(key, file.size(), swapped));
            auto doubled = pieces;
            doubled.chunks[i] = pieces.chunks[j];
            EXPECT_FALSE(open_file(key, file.size(), doubled));
        }
    }
}

TEST(Attachment, MixingTwoFilesIsRefused) {
    const auto key = attachment_key();
    const auto one = seal_file(key, file_of(2 * chunk, 1), 2);
    // The worst case: the same key and the same length, which a sender should never use twice.
    const auto two = seal_file(key, file_of(2 * chunk, 3), 4);
    for (std::size_t i = 0; i < 2; ++i) {
        auto mixed = one;
        mixed.chunks[i] = two.chunks[i];
        EXPECT_FALSE(open_file(key, 2 * chunk, mixed)) << i;
    }
    auto other_header = one;
    other_header.header = two.header;
    EXPECT_FALSE(open_file(key, 2 * chunk, other_header));
    EXPECT_TRUE(open_file(key, 2 * chunk, two));
}

TEST(Attachment, AnotherKeyOrLengthFailsBeforeAnythingIsDecrypted) {
    const auto pieces = seal_file(attachment_key(1), file_of(1000));
    EXPECT_EQ(AttachmentOpener::begin(attachment_key(2), 1000, pieces.header).error(), Error::cannot_open);
    for (const auto length : {0ULL, 999ULL, 1001ULL, 1ULL << 40U})
        EXPECT_EQ(AttachmentOpener::begin(attachment_key(1), length, pieces.header).error(),
                  Error::cannot_open);
    EXPECT_TRUE(AttachmentOpener::begin(attachment_key(1), 1000, pieces.header).has_value());
}

TEST(Attachment, PaddingIsChecked) {
    const auto key = attachment_key();
    auto pieces = seal_file(key, file_of(100));
    Bytes length;
    Writer{length}.u64(100);
    Array<64> keys;
    mac64(key.expose(), labels::attachment, {ByteView{pieces.header}.first(17), length}, keys);
    Array<12> nonce{};
    nonce[11] = std::byte{1};
    const auto reseal = [&](std::byte in_padding) {
        pieces.chunks[0] = file_of(160 + tag_size);
        std::fill(pieces.chunks[0].begin() + 100, pieces.chunks[0].end(), std::byte{0});
        pieces.chunks[0][159] = in_padding;
        seal(std::span{keys}.first<32>(), nonce, {}, pieces.chunks[0]);
    };
    reseal(std::byte{0});
    EXPECT_TRUE(open_file(key, 100, pieces));
    reseal(std::byte{1});
    EXPECT_FALSE(open_file(key, 100, pieces)) << "a second place to hide something";
}

TEST(Attachment, AFailureChangesNothing) {
    const auto key = attachment_key();
    const auto file = file_of(2 * chunk);
    const auto pieces = seal_file(key, file);
    auto opener = AttachmentOpener::begin(key, file.size(), pieces.header).value();
    EXPECT_EQ(opener.open(pieces.chunks[1]).error(), Error::cannot_open);
    EXPECT_EQ(opener.open(ByteView{pieces.chunks[0]}.first(100)).error(), Error::mismatch);
    EXPECT_TRUE(opener.open(pieces.chunks[0]).has_value());
    EXPECT_EQ(opener.open(pieces.chunks[0]).error(), Error::cannot_open);
    EXPECT_FALSE(opener.done());
    EXPECT_EQ(opener.wants(), chunk + attachment_tag_size);
    EXPECT_TRUE(opener.open(pieces.chunks[1]).has_value());
    EXPECT_TRUE(opener.done());
    EXPECT_EQ(opener.wants(), 0U);
    EXPECT_EQ(opener.open(pieces.chunks[1]).error(), Error::exhausted);
    EXPECT_EQ(opener.open({}).error(), Error::exhausted);
}

TEST(Attachment, TheSealerTakesExactlyWhatItWants) {
    SeededRng rng{1};
    auto sealer = AttachmentSealer::begin(attachment_key(), chunk + 1, rng).value();
    const auto file = file_of(chunk + 1);
    EXPECT_EQ(sealer.wants(), chunk);
    EXPECT_EQ(sealer.seal(ByteView{file}.first(chunk - 1)).error(), Error::mismatch);
    EXPECT_EQ(sealer.seal(file).error(), Error::mismatch);
    EXPECT_TRUE(sealer.seal(ByteView{file}.first(chunk)).has_value());
    EXPECT_EQ(sealer.wants(), 1U);
    EXPECT_FALSE(sealer.done());
    EXPECT_TRUE(sealer.seal(ByteView{file}.last(1)).has_value());
    EXPECT_TRUE(sealer.done());
    EXPECT_EQ(sealer.seal({}).error(), Error::exhausted);
}

TEST(Attachment, PaddingAloneMayFillTheLastChunk) {
    // 2^22 + 1 is padded to 2^22 + 2^17: one more chunk than the file itself would need.
    const auto key = attachment_key();
    const std::size_t length = (std::size_t{1} << 22U) + 1;
    SeededRng rng{1};
    auto sealer = AttachmentSealer::begin(key, length, rng).value();
    std::size_t empty = 0;
    const auto file = file_of(length);
    ByteView rest{file};
    Pieces pieces{to_bytes(sealer.header()), {}};
    while (!sealer.done()) {
        const auto size = sealer.wants();
        empty += size == 0 ? 1 : 0;
        pieces.chunks.push_back(sealer.seal(rest.first(size)).value());
        rest = rest.subspan(size);
    }
    EXPECT_EQ(empty, 1U);
    EXPECT_EQ(open_file(key, length, pieces), file);
}

TEST(Attachment, LengthAtAndPastItsLimit) {
    SeededRng rng{1};
    const auto key = attachment_key();
    EXPECT_TRUE(attachment_stream_size(max_attachment_size).has_value());
    EXPECT_EQ(attachment_stream_size(max_attachment_size + 1).error(), Error::too_large);
    const auto largest = AttachmentSealer::begin(key, max_attachment_size, rng);
    ASSERT_TRUE(largest.has_value());
    EXPECT_EQ(AttachmentSealer::begin(key, max_attachment_size + 1, rng).error(), Error::too_large);
    EXPECT_TRUE(AttachmentOpener::begin(key, max_attachment_size, largest->header()).has_value());
    EXPECT_EQ(AttachmentOpener::begin(key, max_attachment_size + 1, largest->header()).error(),
              Error::too_large);
    EXPECT_EQ(AttachmentOpener::begin(key, ~0ULL, largest->header()).error(), Error::too_large);
}

TEST(Attachment, AnotherFormatIsOfALaterVersion) {
    const auto key = attachment_key();
    auto pieces = seal_file(key, file_of(10));
    for (const unsigned format : {0U, 2U, 255U}) {
        pieces.header[0] = static_cast<std::byte>(format);
        EXPECT_EQ(AttachmentOpener::begin(key, 10, pieces.header).error(), Error::unsupported);
    }
}

TEST(Attachment, ARestoredCopyNeverRepeatsAKeyStream) {
    const auto key = attachment_key();
    const auto one = seal_file(key, Bytes(1000), 1);
    const auto two = seal_file(key, Bytes(1000), 2);
    EXPECT_NE(one.header, two.header);
    EXPECT_NE(one.chunks, two.chunks);
}

TEST(Attachment, StaysAsItIs) {
    const auto pieces = seal_file(attachment_key(), file_of(chunk + 100));
    Bytes all = pieces.header;
    for (const auto& piece : pieces.chunks) all.insert(all.end(), piece.begin(), piece.end());
    EXPECT_EQ(to_hex(hash("Sotto/1/test", {all})),
              "b60f9068ea6a107db97f893e545fb1454afef90afa6b3b80afc3598fda27409c");
}

}  // namespace
}  // namespace sotto::crypto::test
