// WebSocket frames without a socket.
#include "keyserver/net/frames.hpp"

#include <gtest/gtest.h>

#include "sotto/crypto/random.hpp"

namespace sotto::keyserver {
namespace {

using Kind = FrameReader::Kind;

enum class Length : std::uint8_t { shortest, two_bytes, eight_bytes };

/// As a client sends it, masked with a mask that counts.
std::string frame(unsigned first, std::string_view payload, bool masked = true,
                  Length length = Length::shortest) {
    std::string out(1, static_cast<char>(first));
    const auto mask_bit = masked ? 0x80U : 0U;
    if (length == Length::shortest && payload.size() >= 126)
        length = payload.size() < 65'536 ? Length::two_bytes : Length::eight_bytes;
    const int bytes = length == Length::shortest ? 0 : (length == Length::two_bytes ? 2 : 8);
    out += static_cast<char>(mask_bit | (bytes == 0 ? payload.size() : (bytes == 2 ? 126U : 127U)));
    for (int i = bytes - 1; i >= 0; --i)
        out +=
            static_cast<char>(static_cast<std::uint64_t>(payload.size()) >> (8U * static_cast<unsigned>(i)));
    if (!masked) return out + std::string{payload};
    const std::string mask{"\x51\xa2\x03\xf4"};
    out += mask;
    for (std::size_t i = 0; i < payload.size(); ++i)
        out += static_cast<char>(static_cast<unsigned char>(payload[i]) ^
                                 static_cast<unsigned char>(mask[i % 4]));
    return out;
}

struct Got {
    Kind kind;
    std::string payload;
    std::uint16_t code;
    bool operator==(const Got&) const = default;
};
Got message(std::string text) {
    return {Kind::message, std::move(text), close_code::none_given};
}
Got refused(std::uint16_t code) {
    return {Kind::refused, "", code};
}

class FrameReaderTest : public testing::Test {
  protected:
    /// Everything that comes of these bytes, until nothing or a refusal does.
    std::vector<Got> read(std::string_view text, std::size_t piece = SIZE_MAX) {
        std::vector<Got> out;
        while (!text.empty()) {
            auto bytes = bytes_of(text.substr(0, piece));
            text.remove_prefix(bytes.size());
            for (;;) {
                const auto next = reader.next(bytes, limit, buffers);
                if (next.kind == Kind::nothing) break;
                out.push_back({next.kind, std::string{chars_of(next.payload)}, next.code});
                if (next.kind == Kind::refused || next.kind == Kind::close) return out;
            }
            EXPECT_TRUE(bytes.empty());
        }
        return out;
    }
    using All = std::vector<Got>;

    FrameBuffers buffers;
    FrameReader reader;
    std::size_t limit = 200'000;
};

TEST_F(FrameReaderTest, MessagesOfEveryLengthComeWholeHoweverTheyAreCut) {
    std::string all;
    All expected;
    crypto::SeededRng rng{1};
    for (const std::size_t size : {0UL, 1UL, 125UL, 126UL, 4090UL, 4096UL, 65'535UL, 65'536UL, 100'000UL}) {
        Bytes noise(size);
        rng.fill(noise);
        all += frame(0x82, chars_of(noise));
        expected.push_back(message(std::string{chars_of(noise)}));
    }
    for (const std::size_t piece : {1UL, 2UL, 7UL, 4095UL, 16'384UL, all.size()}) {
        EXPECT_EQ(read(all, piece), expected) << piece;
        EXPECT_FALSE(reader.inside());
    }
}

TEST_F(FrameReaderTest, HoldsABufferOnlyInsideAMessage) {
    const auto whole = frame(0x82, "hello");
    for (std::size_t size = 1; size < whole.size(); ++size) {
        EXPECT_EQ(read(whole.substr(0, size)), All{}) << size;
        EXPECT_TRUE(reader.inside());
        EXPECT_EQ(read(whole.substr(size)), All{message("hello")});
        EXPECT_FALSE(reader.inside());
    }
    EXPECT_EQ(read(frame(0x02, "")), All{});  // a message has begun, though no byte of it has come
    EXPECT_TRUE(reader.inside());
    EXPECT_EQ(read(frame(0x80, "")), All{message("")});
    EXPECT_FALSE(reader.inside());
}

TEST_F(FrameReaderTest, NothingOfAMessageIsLeftInTheBufferThatItWasIn) {
    const auto text = frame(0x02, "a topic, ") + frame(0x80, "a write key");
    auto bytes = bytes_of(text);
    const auto got = reader.next(bytes, limit, buffers);
    ASSERT_EQ(chars_of(got.payload), "a topic, a write key");
    EXPECT_EQ(reader.next(bytes, limit, buffers).kind, Kind::nothing);
    // It lies in a buffer that waits for the next message, of whomever.
    EXPECT_EQ(chars_of(got.payload), std::string(got.payload.size(), '\0'));
}

TEST_F(FrameReaderTest, FragmentsBecomeOneMessageAndControlFramesMayComeBetween) {
    const auto got = read(frame(0x02, "one ") + frame(0x89, "are you there") + frame(0x00, "two ") +
                              frame(0x8a, "") + frame(0x80, "three") + frame(0x82, "next"),
                          3);
    ASSERT_EQ(got.size(), 4U);
    EXPECT_EQ(got[0], (Got{Kind::ping, "are you there", close_code::none_given}));
    EXPECT_EQ(got[1], (Got{Kind::pong, "", close_code::none_given}));
    EXPECT_EQ(got[2], message("one two three"));
    EXPECT_EQ(got[3], message("next"));
}

TEST_F(FrameReaderTest, TheLimitIsForMessagesAndOnePastItIsRefusedByWhatIsAnnounced) {
    limit = 1000;
    EXPECT_EQ(read(frame(0x82, std::string(1000, 'x'))), All{message(std::string(1000, 'x'))});
    // The first byte of the payload is enough.
    EXPECT_EQ(read(frame(0x82, std::string(1001, 'x')).substr(0, 9)), All{refused(close_code::too_big)});
}

TEST_F(FrameReaderTest, TheLimitHoldsForFragmentsTogether) {
    limit = 1000;
    EXPECT_EQ(read(frame(0x02, std::string(600, 'x')) + frame(0x80, std::string(400, 'x'))),
              All{message(std::string(1000, 'x'))});
    EXPECT_EQ(read(frame(0x02, std::string(600, 'x')) + frame(0x80, std::string(401, 'x'))),
              All{refused(close_code::too_big)});
}

TEST_F(FrameReaderTest, ALimitThatGrowsHoldsForTheNextMessage) {
    limit = 10;
    EXPECT_EQ(read(frame(0x82, std::string(10, 'x'))).size(), 1U);
    limit = 20;
    EXPECT_EQ(read(frame(0x82, std::string(20, 'x'))), All{message(std::string(20, 'x'))});
}

TEST_F(FrameReaderTest, ALengthWithoutEndTakesNoMemoryAndIsRefused) {
    EXPECT_EQ(read(std::string{"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff"} + "mask" + "x"),
              All{refused(close_code::too_big)});
}

struct Offence {
    const char* what;
    std::string bytes;
    std::uint16_t code = close_code::protocol_error;
};
class OffenceTest : public FrameReaderTest, public testing::WithParamInterface<Offence> {};

TEST_P(OffenceTest, IsRefused) {
    EXPECT_EQ(read(GetParam().bytes), All{refused(GetParam().code)});
}
TEST_P(OffenceTest, IsRefusedByteByByteToo) {
    EXPECT_EQ(read(GetParam().bytes, 1), All{refused(GetParam().code)});
}

INSTANTIATE_TEST_SUITE_P(
    FrameReaderTest, OffenceTest,
    testing::Values(
        Offence{"Text", frame(0x81, "{}"), close_code::unsupported},
        Offence{"TextInFragments", frame(0x01, "{}"), close_code::unsupported},
        Offence{"NoMask", frame(0x82, "xx", false)}, Offence{"NoMaskOnAPing", frame(0x89, "xx", false)},
        Offence{"ReservedBit1", frame(0xc2, "xx")}, Offence{"ReservedBit2", frame(0xa2, "xx")},
        Offence{"ReservedBit3", frame(0x92, "xx")}, Offence{"ReservedOpcode3", frame(0x83, "xx")},
        Offence{"ReservedOpcode7", frame(0x87, "xx")}, Offence{"ReservedOpcodeB", frame(0x8b, "xx")},
        Offence{"ReservedOpcodeF", frame(0x8f, "xx")}, Offence{"AContinuationOfNothing", frame(0x80, "xx")},
        Offence{"AMessageInsideAMessage", frame(0x02, "xx") + frame(0x82, "yy")},
        Offence{"APingInFragments", frame(0x09, "xx")},
        Offence{"APingOf126Bytes", frame(0x89, std::string(126, 'x'))},
        Offence{"ALengthInTwoBytesForNoReason", frame(0x82, std::string(125, 'x'), true, Length::two_bytes)},
        Offence{"ALengthInEightBytesForNoReason",
                frame(0x82, std::string(65'535, 'x'), true, Length::eight_bytes)},
        Offence{"ACloseOfOneByte", frame(0x88, "x")},
        Offence{"ACloseWithACodeThatIsNeverSent", frame(0x88, "\x03\xed")}),
    [](const auto& of) { return of.param.what; });

TEST_F(FrameReaderTest, APingMayHave125Bytes) {
    const std::string payload(125, 'x');
    EXPECT_EQ(read(frame(0x89, payload)), (All{{Kind::ping, payload, close_code::none_given}}));
}

TEST_F(FrameReaderTest, ALengthIsTakenInItsShortestForm) {
    EXPECT_EQ(read(frame(0x82, std::string(126, 'x'))), All{message(std::string(126, 'x'))});
}

TEST_F(FrameReaderTest, TheCodeOfACloseIsHandedBack) {
    EXPECT_EQ(read(frame(0x88, "\x03\xe9 good bye")), (All{{Kind::close, "", 1001}}));
}

TEST_F(FrameReaderTest, ACloseNeedsNoCode) {
    EXPECT_EQ(read(frame(0x88, "")), (All{{Kind::close, "", close_code::none_given}}));
}

TEST_F(FrameReaderTest, GarbageNeverReadsAsMoreThanCame) {
    crypto::SeededRng rng{2};
    for (int round = 0; round < 2000; ++round) {
        FrameReader fresh;
        Bytes noise(1 + rng.below(300));
        rng.fill(noise);
        ByteView bytes{noise};
        std::size_t got = 0;
        for (;;) {
            const auto next = fresh.next(bytes, limit, buffers);
            got += next.payload.size();
            if (next.kind == Kind::nothing || next.kind == Kind::refused || next.kind == Kind::close) break;
        }
        EXPECT_LE(got, noise.size());
    }
}

TEST(FrameWriterTest, WritesLengthsInTheirShortestFormAndNoMask) {
    FrameWriter writer;
    writer.message("a", "bc");
    EXPECT_EQ(writer.bytes(), std::string_view("\x82\x03"
                                               "abc"));
    writer.clear();
    writer.message("", std::string(125, 'x'));
    writer.message(std::string(100, 'x'), std::string(26, 'y'));
    EXPECT_EQ(writer.bytes(), "\x82\x7d" + std::string(125, 'x') + std::string("\x82\x7e\x00\x7e", 4) +
                                  std::string(100, 'x') + std::string(26, 'y'));
    writer.clear();
    writer.message(std::string(65'535, 'x'), "");
    EXPECT_TRUE(writer.bytes().starts_with("\x82\x7e\xff\xff"));
    EXPECT_EQ(writer.bytes().size(), 4U + 65'535U);
    writer.clear();
    writer.message(std::string(65'535, 'x'), "y");
    EXPECT_TRUE(writer.bytes().starts_with(std::string("\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10)));
    EXPECT_EQ(writer.bytes().size(), 10U + 65'536U);
    writer.clear();
    writer.message("", "");
    EXPECT_EQ(writer.bytes(), std::string("\x82\x00", 2));
}

TEST(FrameWriterTest, WritesControlFrames) {
    FrameWriter writer;
    writer.ping();
    writer.pong("hello");
    writer.close(close_code::going_away);
    writer.close(close_code::none_given);
    EXPECT_EQ(writer.bytes(), std::string("\x89\x00\x8a\x05hello\x88\x02\x03\xe9\x88\x00", 15));
}

}  // namespace
}  // namespace sotto::keyserver
