// Figures of the page. Each is drawn 400 units wide, so that its words keep their size on a phone.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "page.hpp"

// NOLINTBEGIN(modernize-raw-string-literal): tags are put together from pieces, which are read side by side
namespace sotto::audit::page {
namespace {

constexpr int width = 400;

std::string number(double value) {
    std::array<char, 32> text{};
    (void)std::snprintf(text.data(), text.size(), "%.1f", value);
    return text.data();
}

std::string svg(int height, std::string_view label, const std::string& content) {
    return "<svg viewBox=\"0 0 " + std::to_string(width) + " " + std::to_string(height) +
           "\" role=\"img\" aria-label=\"" + escaped(label) + "\">\n" + content + "</svg>\n";
}

std::string words(double x, double y, std::string_view text, std::string_view kind = {}) {
    return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" class=\"" + std::string{kind} + "\">" +
           escaped(text) + "</text>\n";
}

std::string box(double x, double y, double w, double h, std::string_view kind, std::string_view title = {}) {
    std::string out = "<rect x=\"" + number(x) + "\" y=\"" + number(y) + "\" width=\"" + number(w) +
                      "\" height=\"" + number(h) + "\" class=\"" + std::string{kind} + "\"";
    if (title.empty()) return out + "/>\n";
    return out + "><title>" + escaped(title) + "</title></rect>\n";
}

const Series* series_called(const Report& report, std::string_view wanted) {
    const auto found = std::ranges::find(report.series, wanted, &Series::name);
    return found == report.series.end() ? nullptr : &*found;
}

}  // namespace

std::string groups_figure(const Report& report) {
    constexpr int label = 100;
    constexpr int cell = 13;
    constexpr int across = 20;
    std::string out;
    int y = 4;
    for (const auto& group : report.groups()) {
        out += words(0, y + 11, group);
        int at = 0;
        for (const auto& entry : report.entries) {
            if (entry.group != group) continue;
            const int row = at / across;
            out += box(label + at % across * (cell + 2), y + row * (cell + 2), cell, cell,
                       name(entry.outcome), entry.check + ": " + std::string{name(entry.outcome)});
            ++at;
        }
        y += ((at + across - 1) / across) * (cell + 2) + 8;
    }
    int x = label;
    for (const auto outcome : {Outcome::passed, Outcome::failed, Outcome::skipped}) {
        const auto text = std::to_string(report.count(outcome)) + " " + std::string{name(outcome)};
        out += box(x, y + 2, cell, cell, name(outcome)) + words(x + cell + 5, y + 13, text, "quiet");
        x += 95;
    }
    return svg(y + 22, "Checks by group and outcome", out);
}

std::string attacks_figure(const Report& report) {
    struct Tile {
        const Entry* whole = nullptr;
        bool partly = false;
    };
    std::vector<Tile> tiles;
    for (const auto& entry : report.entries) {
        if (entry.attack == 0) continue;
        if (!tiles.empty() && tiles.back().whole->attack == entry.attack)
            tiles.back().partly = true;
        else
            tiles.push_back({&entry, false});
    }
    if (tiles.empty()) return {};
    constexpr int across = 7;
    constexpr int size = 52;
    constexpr int step = 57;
    std::string out;
    for (std::size_t i = 0; i < tiles.size(); ++i) {
        const auto& entry = *tiles[i].whole;
        const auto x = static_cast<int>(i) % across * step;
        const auto y = static_cast<int>(i) / across * step;
        out +=
            box(x, y, size, size, name(entry.outcome), entry.check + ": " + std::string{name(entry.outcome)});
        const std::string on = entry.outcome == Outcome::skipped ? "tile faint" : "tile";
        out += words(x + size / 2.0, y + 24, std::to_string(entry.attack), on);
        const auto* mark = "skipped";
        if (entry.outcome == Outcome::passed) mark = "refused";
        if (entry.outcome == Outcome::failed) mark = "SUCCEEDS";
        out += words(x + size / 2.0, y + 40, mark, on + " small");
        if (tiles[i].partly)
            out += "<path class=\"notch\" d=\"M" + std::to_string(x + size - 14) + " " + std::to_string(y) +
                   "h14v14z\"/>\n";
    }
    const auto rows = (static_cast<int>(tiles.size()) + across - 1) / across;
    return svg(rows * step, "Outcome of each attack", out);
}

std::string files_figure(const Report& report) {
    std::uint64_t most = 0;
    for (const auto& file : report.files) most = std::max(most, file.valid + file.acceptable + file.invalid);
    if (most == 0) return {};
    constexpr double label = 158;
    constexpr double room = width - label - 34;
    std::string out;
    int y = 2;
    for (const auto& file : report.files) {
        if (!file.run) continue;
        auto text = file.file;
        for (const std::string_view end : {"_test.json", ".json"})
            if (text.ends_with(end)) text.resize(text.size() - end.size());
        out += words(0, y + 11, text, "quiet");
        double x = label;
        const auto bar = [&](std::uint64_t count, const char* kind) {
            if (count == 0) return;
            const auto w = std::max(2.0, room * static_cast<double>(count) / static_cast<double>(most));
            out += box(x, y, w - 1, 14, kind, std::to_string(count) + " " + kind);
            x += w;
        };
        bar(file.valid, "valid");
        bar(file.acceptable, "acceptable");
        bar(file.invalid, "invalid");
        out += words(x + 4, y + 11, std::to_string(file.valid + file.acceptable + file.invalid), "quiet");
        y += 21;
    }
    double x = 100;
    for (const char* const kind : {"valid", "acceptable", "invalid"}) {
        out += box(x, y + 4, 12, 12, kind) + words(x + 17, y + 14, kind, "quiet");
        x += 88;
    }
    return svg(y + 22, "Vectors of each file", out);
}

std::string sizes_figure(const Report& report) {
    const auto* const sizes = series_called(report, "envelope-sizes");
    if (sizes == nullptr || sizes->values.size() < 2) return {};
    constexpr double left = 40;
    constexpr double top = 8;
    constexpr double tall = 190;
    constexpr double wide = width - left - 8;
    constexpr double content_step = 13;  // as the check measures
    const double longest = content_step * static_cast<double>(sizes->values.size() - 1);
    const double largest = std::ceil(std::ranges::max(sizes->values) / 500) * 500;
    const auto across = [&](double length) { return left + wide * length / longest; };
    const auto down = [&](double size) { return top + tall - tall * size / largest; };
    std::string out;
    for (int step = 0; step * 500 <= static_cast<int>(largest); ++step) {
        const double size = 500.0 * step;
        out += "<path class=\"grid\" d=\"M" + number(left) + " " + number(down(size)) + "h" + number(wide) +
               "\"/>\n";
        out += words(left - 5, down(size) + 4, grouped(static_cast<std::uint64_t>(size)), "axis end");
    }
    for (int step = 0; step * 500 <= static_cast<int>(longest); ++step)
        out += words(across(500.0 * step), top + tall + 16, std::to_string(500 * step), "axis middle");
    std::string path;
    for (std::size_t i = 0; i < sizes->values.size(); ++i) {
        const auto x = across(content_step * static_cast<double>(i));
        const auto y = down(sizes->values[i]);
        path += i == 0 ? "M" + number(x) + " " + number(y) : "H" + number(x) + "V" + number(y);
    }
    out += "<path class=\"bare\" d=\"M" + number(across(0)) + " " + number(down(139)) + "L" +
           number(across(longest)) + " " + number(down(longest + 139)) + "\"/>\n";
    out += "<path class=\"line\" d=\"" + path + "\"/>\n";
    out += words(across(longest * 0.30), down(largest * 0.72), "on the wire", "key");
    out += words(across(longest * 0.62), down(largest * 0.42), "without padding", "key quiet");
    return svg(static_cast<int>(top + tall) + 24, "Size of envelopes against length of contents", out);
}

std::string bytes_figure(const Report& report) {
    const auto* const bytes = series_called(report, "store-bytes");
    if (bytes == nullptr || bytes->values.size() != 256) return {};
    constexpr double tall = 120;
    double total = 0;
    for (const double count : bytes->values) total += count;
    const double most = std::ranges::max(bytes->values) * 1.15;
    const double bar = static_cast<double>(width) / 256;
    std::string out;
    for (std::size_t value = 0; value < 256; ++value) {
        const auto h = tall * bytes->values[value] / most;
        out += box(static_cast<double>(value) * bar, tall - h, bar - 0.3, h, "byte");
    }
    const auto expected = tall - tall * (total / 256) / most;
    out += "<path class=\"line\" d=\"M0 " + number(expected) + "H" + std::to_string(width) + "\"/>\n";
    out += words(0, tall + 16, "00", "axis") + words(width, tall + 16, "ff", "axis end");
    out += words(width / 2.0, tall + 16, "value of the byte", "axis middle");
    return svg(static_cast<int>(tall) + 24, "How often each byte stands in the store", out);
}

}  // namespace sotto::audit::page
// NOLINTEND(modernize-raw-string-literal)
