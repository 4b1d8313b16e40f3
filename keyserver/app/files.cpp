#include "keyserver/app/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "keyserver/sandbox/descriptor.hpp"

namespace sotto::keyserver {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t small = 64UL * 1024;

[[nodiscard]] bool write_all(int fd, std::string_view content) {
    while (!content.empty()) {
        const auto written = ::write(fd, content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

}  // namespace

std::string reason(int number) {
    return std::generic_category().message(number);
}

bool sync_file(const fs::path& file) {
    const Descriptor opened{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
    return opened.get() >= 0 && ::fsync(opened.get()) == 0;
}

void sync_folder(const fs::path& folder) {
    const Descriptor opened{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (opened.get() >= 0) ::fsync(opened.get());
}

Outcome<void> create_empty_folder(const fs::path& folder) {
    std::error_code error;
    if (fs::exists(folder, error)) {
        if (!fs::is_directory(folder, error))
            return problem(Exit::input, folder.string() + " is not a folder.");
        const bool empty = fs::is_empty(folder, error);
        if (error) return problem(Exit::input, folder.string() + " can't be read: " + error.message() + ".");
        if (!empty)
            return problem(Exit::input,
                           folder.string() + " is in use: it already holds files; choose a new folder.");
    } else {
        fs::create_directories(folder, error);
        if (error)
            return problem(Exit::input, folder.string() + " can't be created: " + error.message() + ".");
    }
    if (::chmod(folder.c_str(), S_IRWXU) != 0)
        return problem(Exit::input, folder.string() + " can't be closed to others: " + reason(errno) + ".");
    return {};
}

Outcome<void> write_new_file(const fs::path& file, std::string_view content) {
    const Descriptor out{
        ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR)};
    const bool written = out.get() >= 0 && write_all(out.get(), content) && ::fsync(out.get()) == 0;
    if (!written) return problem(Exit::server, file.string() + " can't be written: " + reason(errno) + ".");
    sync_folder(file.has_parent_path() ? file.parent_path() : fs::path{"."});
    return {};
}

Outcome<crypto::SecretBytes> read_small_file(const fs::path& file, std::string_view what) {
    const Descriptor in{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
    crypto::SecretBytes content(small + 1);
    std::size_t size = 0;
    ssize_t got = in.get() < 0 ? -1 : 1;
    while (got > 0 && size < content.size()) {
        got = ::read(in.get(), content.data() + size, content.size() - size);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got > 0)
            size += static_cast<std::size_t>(got);
    }
    if (got < 0)
        return problem(Exit::input,
                       std::string{what} + " " + file.string() + " can't be read; is this the right folder?");
    if (size > small)
        return problem(Exit::input, std::string{what} + " " + file.string() + " is too large to be one.");
    content.resize(size);
    return content;
}

bool readable_by_others(const fs::path& file) {
    std::error_code error;
    const auto permissions = fs::status(file, error).permissions();
    return !error && (permissions & (fs::perms::group_all | fs::perms::others_all)) != fs::perms::none;
}

}  // namespace sotto::keyserver
