#include "sotto/protocol/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace sotto::protocol {
namespace {

/// One step through UTF-8: `length` bytes made `code`; length 0 means that the first byte starts nothing
/// valid.
struct Decoded {
    char32_t code = 0;
    std::size_t length = 0;
};

[[nodiscard]] unsigned byte_at(std::string_view text, std::size_t at) {
    return static_cast<unsigned char>(text[at]);
}

/// RFC 3629 section 4. The bounds of the second byte are what keeps out overlong forms, surrogates and the
/// rest.
[[nodiscard]] Decoded decode(std::string_view text) {
    const unsigned lead = byte_at(text, 0);
    if (lead < 0x80U) return {.code = lead, .length = 1};
    std::size_t length = 0;
    unsigned low = 0x80U;
    unsigned high = 0xbfU;
    char32_t code = 0;
    if (lead >= 0xc2U && lead <= 0xdfU) {
        length = 2;
        code = lead & 0x1fU;
    } else if (lead >= 0xe0U && lead <= 0xefU) {
        length = 3;
        code = lead & 0x0fU;
        if (lead == 0xe0U) low = 0xa0U;
        if (lead == 0xedU) high = 0x9fU;
    } else if (lead >= 0xf0U && lead <= 0xf4U) {
        length = 4;
        code = lead & 0x07U;
        if (lead == 0xf0U) low = 0x90U;
        if (lead == 0xf4U) high = 0x8fU;
    } else {
        return {};
    }
    if (text.size() < length) return {};
    for (std::size_t i = 1; i < length; ++i) {
        const unsigned next = byte_at(text, i);
        if (next < low || next > high) return {};
        code = (code << 6U) | (next & 0x3fU);
        low = 0x80U;
        high = 0xbfU;
    }
    return {.code = code, .length = length};
}

using Range = std::pair<char32_t, char32_t>;  // first and last

/// Controls, format characters, fillers without a glyph, variation selectors and tags (Unicode 14: categories
/// Cc, Cf, Zl, Zp and what is ignorable by default), without the number and verse signs that do have a glyph.
constexpr std::array<Range, 25> invisible{
    {{0x0000, 0x001F},   {0x007F, 0x009F},   {0x00AD, 0x00AD},   {0x034F, 0x034F},   {0x061C, 0x061C},
     {0x070F, 0x070F},   {0x115F, 0x1160},   {0x17B4, 0x17B5},   {0x180B, 0x180F},   {0x200B, 0x200F},
     {0x2028, 0x202E},   {0x2060, 0x206F},   {0x2800, 0x2800},   {0x3164, 0x3164},   {0xFDD0, 0xFDEF},
     {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},   {0xFFF0, 0xFFFB},   {0x13430, 0x1345F},
     {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF}, {0xF0000, 0xFFFFF}, {0x100000, 0x10FFFF}}};

[[nodiscard]] bool is_invisible(char32_t code) {
    if ((code & 0xfffeU) == 0xfffeU) return true;  // noncharacters at the end of every plane
    const auto* const found =
        std::ranges::lower_bound(invisible, code, {}, [](const Range& range) { return range.second; });
    return found != invisible.end() && found->first <= code;
}

constexpr char32_t non_joiner = 0x200C;
constexpr char32_t joiner = 0x200D;
constexpr char32_t emoji_style = 0xFE0F;

/// Pictographs, dingbats, arrows and their skin tones: what emoji sequences are made of.
[[nodiscard]] bool pictograph(char32_t code) {
    return (code >= 0x2190 && code <= 0x2BFF && code != 0x2800) || (code >= 0x1F000 && code <= 0x1FAFF);
}

/// Arabic to Sinhala: scripts that can't be written without joiner and non-joiner.
[[nodiscard]] bool joining_letter(char32_t code) {
    return code >= 0x0620 && code <= 0x0DFF;
}

/// In a message's body a joiner may stand where people need it to read, and there only.
[[nodiscard]] bool needed_joiner(char32_t before, char32_t code, char32_t after) {
    if (code == emoji_style) return pictograph(before);
    if (code == joiner && (pictograph(before) || before == emoji_style)) return pictograph(after);
    if (code == joiner || code == non_joiner) return joining_letter(before) && joining_letter(after);
    return false;
}

void append_visible(std::string& out, char32_t code) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    out += "<U+";
    bool begun = false;
    for (int shift = 20; shift >= 0; shift -= 4) {
        const auto digit = (static_cast<std::uint32_t>(code) >> static_cast<unsigned>(shift)) & 0xfU;
        begun = begun || digit != 0 || shift <= 12;
        if (begun) out += digits[digit];
    }
    out += '>';
}

}  // namespace

bool valid_utf8(std::string_view text) {
    while (!text.empty()) {
        const auto length = decode(text).length;
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

std::string printable(std::string_view text, bool multiline) {
    std::string out;
    out.reserve(text.size());
    char32_t before = 0;
    while (!text.empty()) {
        const auto [code, length] = decode(text);
        if (length == 0) {
            out += "\xEF\xBF\xBD";
            before = 0;
            text.remove_prefix(1);
            continue;
        }
        const auto character = text.substr(0, length);
        text.remove_prefix(length);
        const char32_t after = text.empty() ? 0 : decode(text).code;
        const bool as_it_is =
            !is_invisible(code) ||
            (multiline && (code == '\n' || code == '\t' || needed_joiner(before, code, after)));
        if (as_it_is)
            out += character;
        else
            append_visible(out, code);
        before = code;
    }
    return out;
}

}  // namespace sotto::protocol
