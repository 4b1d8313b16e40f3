#include "text_input.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "sotto/crypto/safety_number.hpp"
#include "sotto/protocol/limits.hpp"
#include "sotto/protocol/text.hpp"

namespace sotto::cli {
namespace {

Result<std::string> read_from(int fd, const std::string& name) {
    std::string text;
    std::array<char, 16384> buffer;
    while (text.size() <= protocol::max_text_size + 1) {
        const auto n = ::read(fd, buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return refuse(name + " can't be read; check it and try again. Nothing was sent.");
        if (n == 0) break;
        text.append(buffer.data(), static_cast<std::size_t>(n));
    }
    if (text.ends_with('\n')) text.pop_back();
    return text;
}

}  // namespace

Result<std::string> read_text_from_stdin() {
    return read_from(STDIN_FILENO, "Standard input");
}

Result<std::string> read_number_from_stdin() {
    constexpr std::size_t most = 1024;
    std::string text;
    while (text.size() < most) {
        char c = 0;
        const auto n = ::read(STDIN_FILENO, &c, 1);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return refuse("Standard input can't be read; check it and try again.");
        if (n == 0) break;
        text += c;
        const bool digits_so_far = text.find_first_not_of("0123456789 \t\r\n") == std::string::npos;
        if (c == '\n' && (!digits_so_far || crypto::parse_safety_number(text))) break;
    }
    return text;
}

Result<std::string> read_text_from_file(const std::string& file) {
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return refuse("The file " + protocol::printable(file) +
                      " can't be opened; check its name and permissions.");
    auto text = read_from(fd, "The file " + protocol::printable(file));
    ::close(fd);
    return text;
}

Outcome check_text(std::string_view text) {
    if (text.empty()) return refuse("The message is empty; nothing was sent. Give it a text.");
    if (text.size() > protocol::max_text_size)
        return refuse(
            "The message is longer than 64 KiB (65,536 bytes); nothing was sent. Send it in parts.");
    if (!protocol::valid_utf8(text))
        return refuse("The message is not valid UTF-8; nothing was sent. Convert it first.");
    return {};
}

}  // namespace sotto::cli
