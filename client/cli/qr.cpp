#include "qr.hpp"

#include <qrencode.h>

#include <array>
#include <memory>

namespace sotto::cli {

std::optional<std::string> qr_code(std::string_view text) {
    const std::unique_ptr<QRcode, decltype(&QRcode_free)> code{
        QRcode_encodeString(std::string{text}.c_str(), 0, QR_ECLEVEL_L, QR_MODE_8, 1), &QRcode_free};
    if (!code) return std::nullopt;
    constexpr int quiet = 2;  // modules of margin; the standard's four are more than terminals need
    const int width = code->width;
    const auto dark = [&](int x, int y) {
        return x >= 0 && y >= 0 && x < width && y < width && (code->data[y * width + x] & 1) != 0;
    };
    std::string result;
    for (int y = -quiet; y < width + quiet; y += 2) {
        for (int x = -quiet; x < width + quiet; ++x) {
            static constexpr std::array<const char*, 4> blocks{"█", "▀", "▄", " "};
            result += blocks.at((dark(x, y) ? 2U : 0U) + (dark(x, y + 1) ? 1U : 0U));
        }
        result += '\n';
    }
    return result;
}

}  // namespace sotto::cli
