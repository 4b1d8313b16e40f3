// Files that only their owner may read, written whole or not at all.
#pragma once

#include <filesystem>
#include <string_view>
#include <utility>

#include "sotto/crypto/bytes.hpp"
#include "sotto/storage/error.hpp"

namespace sotto::storage::detail {

/// An open file descriptor, closed when it goes.
class File {
  public:
    explicit File(int fd) noexcept : fd_(fd) {}
    File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    File& operator=(File&& other) noexcept;
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File();
    [[nodiscard]] int fd() const noexcept { return fd_; }
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

  private:
    int fd_;
};

/// What an errno means for a store.
[[nodiscard]] Code code_of(int error_number);
[[nodiscard]] Error system_error(int error_number, std::string_view doing, const std::filesystem::path& path);

/// Creates an empty file, 0600 whatever the umask; `exists` if there is one.
[[nodiscard]] Result<File> create_private(const std::filesystem::path& path);
/// Creates a folder and those above it that are missing, 0700 whatever the umask; fine if it is there.
[[nodiscard]] Result<void> create_private_folder(const std::filesystem::path& folder);
/// Makes the names in a file's folder durable.
[[nodiscard]] Result<void> sync_folder_of(const std::filesystem::path& path);

/// At most `limit` bytes from the front.
[[nodiscard]] Result<Bytes> read_front(const std::filesystem::path& path, std::size_t limit);

/// Where a file is written before it gets its name. One name, so that what a crash left behind is found
/// again.
[[nodiscard]] std::filesystem::path draft_of(const std::filesystem::path& path);
/// Removes what a crash may have left of an earlier attempt.
void remove_draft(const std::filesystem::path& path) noexcept;

enum class Overwrite : bool { no, yes };
/// Gives a complete, synced draft its name; `exists` if that is taken and may not be overwritten. Durable on
/// return.
[[nodiscard]] Result<void> publish_draft(const std::filesystem::path& path, Overwrite overwrite);
/// Draft, sync, name, sync: after a crash at any point the file is the old or the new one.
[[nodiscard]] Result<void> write_whole(const std::filesystem::path& path, ByteView bytes,
                                       Overwrite overwrite);

}  // namespace sotto::storage::detail
