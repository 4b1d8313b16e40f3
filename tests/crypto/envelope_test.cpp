#include <set>

#include "frames.hpp"
#include "people.hpp"

namespace sotto::crypto::test {
namespace {

// ---- padding ----

TEST(Padding, StepsThenPadme) {
    EXPECT_EQ(padded_size(0), 160U);
    EXPECT_EQ(padded_size(1), 160U);
    EXPECT_EQ(padded_size(160), 160U);
    EXPECT_EQ(padded_size(161), 320U);
    EXPECT_EQ(padded_size(960), 960U);
    EXPECT_EQ(padded_size(961), 992U);
    EXPECT_EQ(padded_size(1024), 1024U);
    EXPECT_EQ(padded_size(1025), 1088U);
    EXPECT_EQ(padded_size(max_envelope_size), max_envelope_size);
}

TEST(Padding, IsMonotonousIdempotentAndCheap) {
    std::size_t last = 0;
    for (std::size_t size = 1; size <= max_envelope_size; ++size) {
        const auto padded = padded_size(size);
        ASSERT_GE(padded, size);
        ASSERT_GE(padded, last);
        ASSERT_EQ(padded_size(padded), padded);
        if (size > 960) {
            ASSERT_LE(padded * 100, size * 107) << size;
        }
        last = padded;
    }
}

TEST(Padding, FewSizesAreSeen) {
    std::set<std::size_t> sizes;
    for (std::size_t size = 1; size <= max_envelope_size; ++size) sizes.insert(padded_size(size));
    EXPECT_LT(sizes.size(), 150U);
}

// ---- frames ----

Bytes frame(unsigned type, std::string_view content) {
    Bytes out;
    Writer w{out};
    w.u8(static_cast<std::uint8_t>(type));
    w.u32(static_cast<std::uint32_t>(content.size()));
    w.raw(text(content));
    return out;
}

Bytes operator+(Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

TEST(Frames, ContentIsFoundBesideOthers) {
    for (const auto& body :
         {frame(1, "hi"), frame(1, "hi") + Bytes(7), frame(4, "later") + frame(1, "hi"),
          frame(1, "hi") + frame(0x7f, "later") + Bytes(1), frame(1, "hi") + frame(4, "")}) {
        const auto frames = read_frames(body);
        ASSERT_TRUE(frames.has_value());
        EXPECT_EQ(words(frames->content), "hi");
        EXPECT_FALSE(frames->kem_key || frames->kem_ciphertext);
    }
    EXPECT_EQ(words(read_frames(frame(1, ""))->content), "");
}

TEST(Frames, EverythingElseIsRefused) {
    const auto good = frame(1, "hi");
    auto marked = good + Bytes(5);
    marked.back() = std::byte{1};
    auto long_frame = good;
    long_frame[1] = std::byte{0xff};
    for (const auto& body :
         {Bytes{}, Bytes(10), frame(2, "x"), good + good, good + frame(0x80, ""), good + frame(0xff, "x"),
          marked, long_frame, good + Bytes{std::byte{2}},
          good + Bytes{std::byte{2}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{1}}})
        EXPECT_FALSE(read_frames(body).has_value()) << to_hex(body);
    for (std::size_t size = 0; size < good.size(); ++size)
        EXPECT_FALSE(read_frames(ByteView{good}.first(size)).has_value());
}

TEST(Frames, ContentOverTheLimitIsRefused) {
    EXPECT_TRUE(read_frames(frame(1, std::string(max_content_size, 'x'))).has_value());
    EXPECT_FALSE(read_frames(frame(1, std::string(max_content_size + 1, 'x'))).has_value());
}

// ---- envelopes ----

TEST(Envelope, HasTheDrawnLayout) {
    Conversation c;
    const auto bytes = c.alice_end.seal("hi");
    ASSERT_EQ(bytes.size(), 160U);
    const auto envelope = Envelope::parse(bytes).value();
    EXPECT_EQ(envelope.type(), envelope_message);
    EXPECT_FALSE(envelope.has_handshake());
    const ByteView all{bytes};
    EXPECT_TRUE(std::ranges::equal(envelope.prefix(), all.first(1)));
    EXPECT_TRUE(std::ranges::equal(envelope.salt(), all.subspan(1, 16)));
    EXPECT_TRUE(std::ranges::equal(envelope.hint(), all.subspan(17, 8)));
    EXPECT_TRUE(std::ranges::equal(envelope.header(), all.subspan(25, 61)));
    EXPECT_TRUE(std::ranges::equal(envelope.commitment(), all.subspan(86, 32)));
    EXPECT_TRUE(std::ranges::equal(envelope.body(), all.subspan(118)));
}

TEST(Envelope, RefusesSizesAndTypesOutOfRange) {
    Conversation c;
    auto bytes = c.alice_end.seal("hi");
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_EQ(Envelope::parse(ByteView{bytes}.first(size)).error(), Error::malformed);
    for (unsigned type = 0; type < 256; ++type) {
        if (type == envelope_message) continue;
        auto changed = bytes;
        changed[0] = static_cast<std::byte>(type);
        EXPECT_EQ(Envelope::parse(changed).error(),
                  type == envelope_handshake ? Error::malformed : Error::unsupported);
    }
    bytes.resize(max_envelope_size);
    EXPECT_TRUE(Envelope::parse(bytes).has_value());
    bytes.resize(max_envelope_size + 1);
    EXPECT_EQ(Envelope::parse(bytes).error(), Error::malformed);
}

TEST(Envelope, PartLengthsAreBounded) {
    auto a = alice();
    auto b = bob();
    const auto bytes = start(a, b)->seal(text("x"), now_ms, a.rng)->envelope;
    for (const unsigned size : {0U, 1U, 1000U, 60000U, 65535U}) {
        auto changed = bytes;
        changed[1] = static_cast<std::byte>(size >> 8U);
        changed[2] = static_cast<std::byte>(size & 0xffU);
        EXPECT_EQ(Envelope::parse(changed).error(), Error::malformed) << size;
    }
    // A part that leaves no room for a message.
    EXPECT_EQ(Envelope::parse(ByteView{bytes}.first(Envelope::parse(bytes)->prefix().size() + 100)).error(),
              Error::malformed);
}

TEST(Envelope, EveryChangedByteIsRefused) {
    Conversation c;
    const auto bytes = c.alice_end.seal("the message");
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        for (const unsigned bit : {0U, 3U, 7U}) {
            auto changed = bytes;
            changed[i] ^= static_cast<std::byte>(1U << bit);
            const auto result = c.bob_end.open(changed);
            ASSERT_FALSE(result.has_value()) << i;
            EXPECT_EQ(result.error(),
                      i == 0 ? (bit == 0 ? Error::unsupported : result.error()) : Error::cannot_open);
        }
    }
    EXPECT_EQ(c.bob_end.open(bytes).value(), "the message");
}

TEST(Envelope, EveryShorterOrLongerOneIsRefused) {
    Conversation c;
    const auto bytes = c.alice_end.seal(std::string(300, 'x'));
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(c.bob_end.open(ByteView{bytes}.first(size)).has_value()) << size;
    auto longer = bytes;
    longer.push_back(std::byte{0});
    EXPECT_FALSE(c.bob_end.open(longer).has_value());
    EXPECT_TRUE(c.bob_end.open(bytes).has_value());
}

TEST(Envelope, PiecesOfTwoMessagesDoNotMix) {
    Conversation c;
    const auto one = c.alice_end.seal("one");
    const auto two = c.alice_end.seal("two");
    ASSERT_EQ(one.size(), two.size());
    using Range = std::pair<std::ptrdiff_t, std::ptrdiff_t>;
    for (const auto& [from, to] :
         {Range{1, 25}, Range{25, 86}, Range{86, 118}, Range{118, 160}, Range{1, 86}, Range{86, 160}}) {
        auto mixed = one;
        std::copy(two.begin() + from, two.begin() + to, mixed.begin() + from);
        EXPECT_FALSE(c.bob_end.open(mixed).has_value()) << from;
    }
}

TEST(Envelope, ContentAtAndPastItsLimit) {
    Conversation c;
    const std::string most(max_content_size, 'm');
    const auto bytes = c.alice_end.seal(most);
    EXPECT_LE(bytes.size(), max_envelope_size);
    EXPECT_EQ(c.bob_end.open(bytes).value(), most);
    EXPECT_EQ(c.alice_end.session().seal(Bytes(max_content_size + 1), now_ms, c.a.rng).error(),
              Error::too_large);
    EXPECT_EQ(c.bob_end.open(c.alice_end.seal("")).value(), "");
}

TEST(Envelope, SizesTellOnlyTheStep) {
    Conversation c;
    for (std::size_t size = 0; size <= 160 - envelope_overhead - frame_head_size; ++size)
        EXPECT_EQ(c.alice_end.seal(std::string(size, 'x')).size(), 160U);
    EXPECT_EQ(c.alice_end.seal(std::string(160 - envelope_overhead - frame_head_size + 1, 'x')).size(), 320U);
}

TEST(Envelope, ARestoredSnapshotNeverRepeatsAKeyStream) {
    Conversation c;
    const auto snapshot = c.alice_end.session().clone();
    SeededRng first{1};
    SeededRng second{2};
    const auto one = snapshot.seal(text("attack at dawn"), now_ms, first).value();
    const auto two = snapshot.seal(text("attack at dusk"), now_ms, second).value();
    // The same chain key and counter, yet nothing but the type byte is shared.
    int same = 0;
    for (std::size_t i = 118; i < one.envelope.size(); ++i)
        same += one.envelope[i] == two.envelope[i] ? 1 : 0;
    EXPECT_LT(same, 8);
    EXPECT_EQ(words(c.bob_end.try_open(one.envelope)->content), "attack at dawn");
    EXPECT_EQ(words(c.bob_end.try_open(two.envelope)->content), "attack at dusk");
}

TEST(Envelope, AStrangersSessionDoesNotFindIt) {
    Conversation c;
    Conversation other;
    auto carol = Person{"carol@chat.example", 9};
    auto b = bob();
    End carol_end{start(carol, b).value(), 10};
    End bob_carol{answer(b, carol_end.seal("hello")).value().first, 11};
    EXPECT_EQ(bob_carol.open(c.alice_end.seal("x")).error(), Error::cannot_open);
    EXPECT_EQ(carol_end.open(c.bob_end.seal("x")).error(), Error::cannot_open);
}

TEST(Envelope, OwnMessagesComeNotBack) {
    Conversation c;
    EXPECT_EQ(c.alice_end.open(c.alice_end.seal("x")).error(), Error::cannot_open);
}

}  // namespace
}  // namespace sotto::crypto::test
