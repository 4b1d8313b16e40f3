// A search for secrets in this process's own memory, as a debugger or a core file would show it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sotto/crypto/bytes.hpp"

namespace sotto::audit {

/// Secrets to look for. They are kept under a mask, so that what is looked for isn't itself found.
class Needles {
  public:
    Needles();
    /// The first 16 bytes at least; of a longer secret every 16 bytes apart from one another.
    void add(const std::string& name, ByteView secret);
    /// How often any piece of the secrets with this name (empty: of all) is found in the memory of this
    /// process.
    [[nodiscard]] std::size_t count_in_memory(std::string_view name = {}) const;
    /// The same over the files under a folder.
    [[nodiscard]] std::size_t count_in_files(const std::filesystem::path& folder) const;
    [[nodiscard]] std::size_t size() const { return needles_.size(); }
    /// Where the last search found something: names and kinds of memory.
    [[nodiscard]] const std::string& found() const { return found_; }
    /// Bytes that the last search of the memory went through.
    [[nodiscard]] std::size_t searched() const { return searched_; }

  private:
    static constexpr std::size_t size_ = 16;
    struct Needle {
        std::string name;
        Array<size_> masked;
    };
    [[nodiscard]] std::size_t count_in(ByteView bytes, std::string_view name, std::string_view where) const;

    Array<size_> mask_{};
    std::vector<Needle> needles_;
    void remember(const Needle& needle, std::string_view where) const;
    mutable std::string found_;
    mutable std::size_t searched_ = 0;
};

}  // namespace sotto::audit
