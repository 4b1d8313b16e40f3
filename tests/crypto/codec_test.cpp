#include "sotto/crypto/codec.hpp"

#include <gtest/gtest.h>

namespace sotto::crypto {
namespace {

Bytes sample() {
    Bytes out;
    Writer writer{out};
    writer.u8(0x01);
    writer.u16(0x0203);
    writer.u32(0x04050607);
    writer.u64(0x08090a0b0c0d0e0f);
    writer.raw(bytes_of("end"));
    return out;
}

TEST(Codec, WritesBigEndian) {
    EXPECT_EQ(to_hex(sample()), "0102030405060708090a0b0c0d0e0f656e64");
}

TEST(Codec, ReadsWhatWasWritten) {
    const auto bytes = sample();
    Reader reader{bytes};
    EXPECT_EQ(reader.u8(), 0x01);
    EXPECT_EQ(reader.u16(), 0x0203);
    EXPECT_EQ(reader.u32(), 0x04050607U);
    EXPECT_EQ(reader.u64(), 0x08090a0b0c0d0e0fU);
    EXPECT_FALSE(reader.finish());
    EXPECT_EQ(chars_of(reader.array<3>()), "end");
    EXPECT_TRUE(reader.finish());
}

TEST(Codec, ShortInputFailsForGood) {
    const auto bytes = sample();
    Reader reader{ByteView{bytes}.first(3)};
    EXPECT_EQ(reader.u32(), 0U);
    EXPECT_FALSE(reader.ok());
    EXPECT_EQ(reader.u8(), 0) << "what was left is not read after a failure";
    EXPECT_EQ(reader.u16(), 0);
    EXPECT_EQ(reader.u64(), 0U);
    EXPECT_EQ(reader.array<1>(), Array<1>{});
    EXPECT_TRUE(reader.take(0).empty());
    EXPECT_FALSE(reader.finish());
}

TEST(Codec, HugeLengthsDoNotOverflow) {
    const auto bytes = sample();
    Reader reader{bytes};
    EXPECT_TRUE(reader.take(static_cast<std::size_t>(-1)).empty());
    EXPECT_FALSE(reader.ok());
}

TEST(Codec, FailEmptiesTheReader) {
    const auto bytes = sample();
    Reader reader{bytes};
    reader.fail();
    EXPECT_TRUE(reader.remaining().empty());
    EXPECT_FALSE(reader.finish());
}

// RFC 4648 section 10, without padding.
TEST(Codec, Base64UrlKnownAnswers) {
    for (const auto& [plain, encoded] :
         std::initializer_list<std::pair<std::string_view, std::string_view>>{{"", ""},
                                                                              {"f", "Zg"},
                                                                              {"fo", "Zm8"},
                                                                              {"foo", "Zm9v"},
                                                                              {"foob", "Zm9vYg"},
                                                                              {"fooba", "Zm9vYmE"},
                                                                              {"foobar", "Zm9vYmFy"},
                                                                              {"\xfb\xff", "-_8"}}) {
        EXPECT_EQ(to_base64url(bytes_of(plain)), encoded);
        const auto decoded = from_base64url(encoded);
        ASSERT_TRUE(decoded.has_value());
        EXPECT_EQ(chars_of(*decoded), plain);
    }
}

TEST(Codec, Base64UrlIsStrict) {
    for (const auto* const text :
         {"Z", "Zg==", "Zh", "Zm9", "Zm+v", "Zm/v", "Zm9v\n", " Zm9v", "Zm 9v", "Zm9vY"})
        EXPECT_FALSE(from_base64url(text).has_value()) << text;
}

TEST(Codec, Hex) {
    EXPECT_EQ(to_hex(bytes_of("\x01\xab")), "01ab");
    EXPECT_EQ(chars_of(from_hex("01aB").value()), "\x01\xab");
    EXPECT_TRUE(from_hex("").value().empty());
    for (const auto* const text : {"0", "0g", "01 2", "0x12", "é"})
        EXPECT_FALSE(from_hex(text).has_value()) << text;
}

TEST(Errors, HaveNames) {
    EXPECT_EQ(name(Error::malformed), "malformed");
    for (int i = 0; i <= static_cast<int>(Error::exhausted); ++i)
        EXPECT_NE(name(static_cast<Error>(i)), "unknown error");
    EXPECT_EQ(name(static_cast<Error>(200)), "unknown error");
}

}  // namespace
}  // namespace sotto::crypto
