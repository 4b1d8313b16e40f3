#include "output.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "sotto/crypto/codec.hpp"

namespace sotto::cli {

void print(std::string_view text) {
    static_cast<void>(std::fwrite(text.data(), 1, text.size(), stdout));
}

void print_line(std::string_view text) {
    print(text);
    print("\n");
}

void print_json(const Json& object) {
    print_line(object.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Outcome flush_output() {
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
        return refuse("Standard output can't be written to; check where it goes to, and the space there.");
    return {};
}

bool output_is_terminal() {
    return ::isatty(STDOUT_FILENO) == 1;
}

namespace {

void to_stderr(std::string_view prefix, std::string_view sentence) {
    std::string line{prefix};
    line.append(sentence).append("\n");
    static_cast<void>(std::fwrite(line.data(), 1, line.size(), stderr));
}

std::tm broken_down(std::int64_t ms, bool utc) {
    // What a peer said may lie outside of the years that the formats have.
    constexpr std::int64_t last = 253'402'300'799'999;
    const auto seconds = static_cast<std::time_t>(std::clamp<std::int64_t>(ms, 0, last) / 1000);
    std::tm result{};
    static_cast<void>(utc ? ::gmtime_r(&seconds, &result) : ::localtime_r(&seconds, &result));
    return result;
}

}  // namespace

void say_error(std::string_view sentence) {
    to_stderr("sotto: ", sentence);
}
void say_note(std::string_view sentence) {
    to_stderr("sotto: note: ", sentence);
}

std::string rfc3339(std::int64_t ms) {
    auto millis = std::to_string(std::max<std::int64_t>(ms, 0) % 1000);
    millis.insert(0, 3 - millis.size(), '0');
    const auto time = broken_down(ms, true);
    std::array<char, 64> buffer{};
    const auto size = std::strftime(buffer.data(), buffer.size(), "%Y-%m-%dT%H:%M:%S.", &time);
    return std::string{buffer.data(), size} + millis + "Z";
}

std::string local_time(std::int64_t ms) {
    const auto time = broken_down(ms, false);
    std::array<char, 64> buffer{};
    const auto size = std::strftime(buffer.data(), buffer.size(), "%Y-%m-%d %H:%M", &time);
    return {buffer.data(), size};
}

std::string local_day(std::int64_t ms) {
    constexpr std::array<std::string_view, 7> names{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                    "Thursday", "Friday", "Saturday"};
    const auto time = broken_down(ms, false);
    std::array<char, 64> buffer{};
    const auto size = std::strftime(buffer.data(), buffer.size(), ", %Y-%m-%d", &time);
    return std::string{names.at(static_cast<std::size_t>(time.tm_wday))} + std::string{buffer.data(), size};
}

std::string grouped(std::string_view text, std::size_t group, std::size_t a_line) {
    std::string result;
    for (std::size_t i = 0, groups = 0; i < text.size(); i += group, ++groups) {
        if (groups > 0) result += a_line > 0 && groups % a_line == 0 ? '\n' : ' ';
        result += text.substr(i, group);
    }
    return result;
}

std::string short_fingerprint(const Array<32>& fingerprint) {
    return grouped(crypto::to_hex(ByteView{fingerprint}.first<8>()), 4);
}

}  // namespace sotto::cli
