#include "passphrase.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "output.hpp"

namespace sotto::cli {
namespace {

constexpr std::size_t longest = 1024;

class Fd {
  public:
    explicit Fd(int fd) : fd_(fd) {}
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] bool open() const { return fd_ >= 0; }

  private:
    int fd_;
};

/// Echo is off while it lives; and so are signals from keys, because a dead process would leave the terminal
/// mute.
class Muted {
  public:
    explicit Muted(int fd) : fd_(fd), ok_(::tcgetattr(fd, &before_) == 0) {
        auto muted = before_;
        muted.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
        muted.c_lflag |= ICANON | ECHONL;
        muted.c_cc[VEOL] = interrupt;
        ok_ = ok_ && ::tcsetattr(fd, TCSAFLUSH, &muted) == 0;
    }
    Muted(const Muted&) = delete;
    Muted& operator=(const Muted&) = delete;
    ~Muted() {
        if (ok_) ::tcsetattr(fd_, TCSAFLUSH, &before_);
    }
    [[nodiscard]] bool ok() const { return ok_; }
    static constexpr char interrupt = 3;  ///< Ctrl-C: ends the line, and gives up

  private:
    int fd_;
    termios before_{};
    bool ok_;
};

/// To the end of the file, or of the line; one byte over the limit at most.
bool read_bytes(int fd, crypto::SecretBytes& into, bool line) {
    into.reserve(longest + 2);
    while (into.size() <= longest + 1) {
        std::byte byte{};
        const auto n = ::read(fd, &byte, 1);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        if (n == 0 || (line && byte == std::byte{'\n'})) break;
        into.push_back(byte);
        if (line && byte == std::byte{Muted::interrupt}) break;
    }
    return true;
}

Outcome check(const crypto::SecretBytes& passphrase) {
    if (passphrase.empty()) return refuse("The passphrase is empty; give one of at least one character.");
    if (passphrase.size() > longest)
        return refuse("The passphrase is longer than 1,024 bytes; give a shorter one.");
    return {};
}

Result<crypto::SecretBytes> from_descriptor(int fd, const std::string& name) {
    crypto::SecretBytes passphrase;
    if (!read_bytes(fd, passphrase, false))
        return refuse("The passphrase can't be read from " + name + "; check that it is open for reading.");
    if (!passphrase.empty() && passphrase.back() == std::byte{'\n'}) passphrase.pop_back();
    if (auto good = check(passphrase); !good) return pass_on(good);
    return passphrase;
}

Result<crypto::SecretBytes> from_file(const std::string& file) {
    const Fd fd{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!fd.open())
        return refuse("The passphrase file " + file + " can't be opened; check its name and permissions.");
    struct stat status{};
    if (::fstat(fd.get(), &status) == 0 && S_ISREG(status.st_mode) &&
        (status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        say_note("Others on this machine may read the passphrase file " + file +
                 "; take that away with chmod 600.");
    return from_descriptor(fd.get(), file);
}

Result<crypto::SecretBytes> prompt(int terminal, const std::string& text) {
    const Muted muted{terminal};
    if (!muted.ok()) return refuse("The terminal can't be switched to hidden input; give --passphrase-file.");
    const std::string line = text + ": ";
    static_cast<void>(!::write(terminal, line.data(), line.size()));
    crypto::SecretBytes passphrase;
    if (!read_bytes(terminal, passphrase, true) ||
        (!passphrase.empty() && passphrase.back() == std::byte{Muted::interrupt}))
        return refuse("Given up at the passphrase; nothing was changed.");
    return passphrase;
}

Result<crypto::SecretBytes> from_terminal(const std::string& what, Ask ask) {
    const Fd terminal{::open("/dev/tty", O_RDWR | O_CLOEXEC)};
    if (!terminal.open())
        return refuse(
            "There is no terminal to ask for the passphrase; give --passphrase-file or --passphrase-fd.");
    auto passphrase = prompt(terminal.get(), what);
    if (!passphrase) return passphrase;
    if (auto good = check(*passphrase); !good) return pass_on(good);
    if (ask == Ask::twice) {
        const auto again = prompt(terminal.get(), "Again");
        if (!again) return refuse(again.error().exit, again.error().sentence);
        if (!crypto::equal_constant_time(*passphrase, *again))
            return refuse("The two passphrases differ; nothing was changed. Try again.");
    }
    return passphrase;
}

}  // namespace

Result<crypto::SecretBytes> read_passphrase(const PassphraseSource& source, const std::string& what,
                                            Ask ask) {
    if (!source.file.empty()) return from_file(source.file);
    if (source.fd >= 0) return from_descriptor(source.fd, "descriptor " + std::to_string(source.fd));
    return from_terminal(what, ask);
}

}  // namespace sotto::cli
