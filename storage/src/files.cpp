#include "files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace sotto::storage::detail {

namespace {

constexpr mode_t private_file = S_IRUSR | S_IWUSR;
constexpr mode_t private_folder = S_IRWXU;

std::unexpected<Error> failed(std::string_view doing, const std::filesystem::path& path) {
    return std::unexpected(system_error(errno, doing, path));
}

Result<void> write_all(const File& file, ByteView bytes, const std::filesystem::path& path) {
    while (!bytes.empty()) {
        const auto written = ::write(file.fd(), bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return failed("writing", path);
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    if (::fsync(file.fd()) != 0) return failed("syncing", path);
    return {};
}

}  // namespace

File& File::operator=(File&& other) noexcept {
    if (this != &other) {
        if (fd_ >= 0) ::close(fd_);
        fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
}

File::~File() {
    if (fd_ >= 0) ::close(fd_);
}

Code code_of(int error_number) {
    switch (error_number) {
        case ENOSPC:
        case EDQUOT:
        case EFBIG:
            return Code::full;
        case EACCES:
        case EPERM:
        case EROFS:
        case ELOOP:
            return Code::denied;
        case ENOENT:
        case ENOTDIR:
            return Code::missing;
        case EEXIST:
            return Code::exists;
        default:
            return Code::io;
    }
}

Error system_error(int error_number, std::string_view doing, const std::filesystem::path& path) {
    const auto reason = std::error_code{error_number, std::generic_category()}.message();
    return {.code = code_of(error_number),
            .detail = std::string{doing} + " " + path.string() + ": " + reason};
}

Result<File> create_private(const std::filesystem::path& path) {
    File file{::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, private_file)};
    if (file.fd() < 0) return failed("creating", path);
    if (::fchmod(file.fd(), private_file) != 0) return failed("setting the permissions of", path);
    return file;
}

Result<void> create_private_folder(const std::filesystem::path& folder) {
    if (::mkdir(folder.c_str(), private_folder) == 0) {
        if (::chmod(folder.c_str(), private_folder) != 0) return failed("setting the permissions of", folder);
        return sync_folder_of(folder);
    }
    if (errno == ENOENT && folder.has_parent_path() && folder.parent_path() != folder) {
        if (auto above = create_private_folder(folder.parent_path()); !above) return above;
        return create_private_folder(folder);
    }
    const int error_number = errno;
    std::error_code ignored;
    if (error_number == EEXIST && std::filesystem::is_directory(folder, ignored)) return {};
    return std::unexpected(system_error(error_number, "creating the folder", folder));
}

Result<void> sync_folder_of(const std::filesystem::path& path) {
    const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
    const File opened{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (opened.fd() < 0) return failed("opening the folder", folder);
    // Some file systems have nothing to sync in a folder and say so.
    if (::fsync(opened.fd()) != 0 && errno != EINVAL) return failed("syncing the folder", folder);
    return {};
}

Result<Bytes> read_front(const std::filesystem::path& path, std::size_t limit) {
    const File file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (file.fd() < 0) return failed("opening", path);
    Bytes bytes(limit);
    std::size_t size = 0;
    while (size < limit) {
        const auto got = ::read(file.fd(), bytes.data() + size, limit - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failed("reading", path);
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
    }
    bytes.resize(size);
    return bytes;
}

std::filesystem::path draft_of(const std::filesystem::path& path) {
    auto draft = path;
    draft += ".new";
    return draft;
}

void remove_draft(const std::filesystem::path& path) noexcept {
    std::error_code ignored;
    std::filesystem::remove(draft_of(path), ignored);
}

Result<void> publish_draft(const std::filesystem::path& path, Overwrite overwrite) {
    const auto draft = draft_of(path);
    int renamed = -1;
    if (overwrite == Overwrite::yes) {
        renamed = ::rename(draft.c_str(), path.c_str());
    } else {
        renamed = ::renameat2(AT_FDCWD, draft.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE);
        // Not every file system can do that. A link refuses a taken name as well.
        if (renamed != 0 && errno == EINVAL) {
            renamed = ::link(draft.c_str(), path.c_str());
            if (renamed == 0) remove_draft(path);
        }
    }
    if (renamed != 0) {
        const int error_number = errno;
        remove_draft(path);
        return std::unexpected(system_error(error_number, "naming", path));
    }
    return sync_folder_of(path);
}

Result<void> write_whole(const std::filesystem::path& path, ByteView bytes, Overwrite overwrite) {
    remove_draft(path);
    auto file = create_private(draft_of(path));
    if (!file) return std::unexpected(std::move(file.error()));
    if (auto written = write_all(*file, bytes, draft_of(path)); !written) {
        remove_draft(path);
        return written;
    }
    return publish_draft(path, overwrite);
}

}  // namespace sotto::storage::detail
