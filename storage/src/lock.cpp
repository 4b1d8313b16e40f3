#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "files.hpp"
#include "sotto/storage/profile.hpp"

namespace sotto::storage {

namespace {

/// Takes group and others out of a folder that is ours: one with our lock file, or an empty one.
Result<void> close_to_others(const std::filesystem::path& folder, const std::filesystem::path& lock) {
    std::error_code ignored;
    if (!std::filesystem::exists(lock, ignored) && !std::filesystem::is_empty(folder, ignored)) return {};
    struct stat status{};
    if (::stat(folder.c_str(), &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0 &&
        ::chmod(folder.c_str(), S_IRWXU) != 0)
        return std::unexpected(detail::system_error(errno, "setting the permissions of", folder));
    return {};
}

}  // namespace

Result<ProfileLock> ProfileLock::acquire(const std::filesystem::path& folder) {
    if (auto made = detail::create_private_folder(folder); !made)
        return std::unexpected(std::move(made.error()));
    const auto path = folder / "lock";
    if (auto closed = close_to_others(folder, path); !closed)
        return std::unexpected(std::move(closed.error()));
    detail::File file{::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR)};
    if (file.fd() < 0 || ::fchmod(file.fd(), S_IRUSR | S_IWUSR) != 0)
        return std::unexpected(detail::system_error(errno, "opening", path));
    while (::flock(file.fd(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR) continue;
        if (errno == EWOULDBLOCK)
            return std::unexpected(Error{.code = Code::in_use, .detail = path.string() + " is held"});
        return std::unexpected(detail::system_error(errno, "locking", path));
    }
    return ProfileLock{file.release()};
}

ProfileLock::ProfileLock(ProfileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

ProfileLock& ProfileLock::operator=(ProfileLock&& other) noexcept {
    if (this != &other) {
        if (fd_ >= 0) ::close(fd_);
        fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
}

ProfileLock::~ProfileLock() {
    if (fd_ >= 0) ::close(fd_);
}

}  // namespace sotto::storage
