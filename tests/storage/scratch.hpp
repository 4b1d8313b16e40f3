// A folder for one test, and short forms for what every test of the store does.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <stdexcept>

#include "sotto/storage/database.hpp"

namespace sotto::storage::test {

/// A fresh folder, gone with everything in it at the end.
class Scratch {
  public:
    Scratch() {
        auto pattern = (std::filesystem::temp_directory_path() / "sotto-storage-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no folder for the test");
        path_ = pattern;
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

  private:
    std::filesystem::path path_;
};

/// What a result holds; a test that has none of it has failed.
template <class T, class E>
T must(std::expected<T, E> result) {
    if (!result) {
        if constexpr (std::is_same_v<E, Error>)
            throw std::runtime_error("error " + std::to_string(static_cast<int>(result.error().code)) + ": " +
                                     result.error().detail);
        else
            throw std::runtime_error("error " + std::to_string(static_cast<int>(result.error())));
    }
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// The code of a result that has to be an error.
template <class T>
Code code_of(const Result<T>& result) {
    if (result) throw std::runtime_error("it succeeded");
    return result.error().code;
}

inline DatabaseKey key_of(unsigned char fill) {
    Array<32> bytes;
    bytes.fill(std::byte{fill});
    return DatabaseKey{bytes};
}

/// N bytes that begin with a number: ids that differ.
template <std::size_t N>
Array<N> numbered(std::uint32_t number) {
    Array<N> id{};
    for (std::size_t i = 0; i < 4; ++i) id[i] = static_cast<std::byte>(number >> (8 * i));
    return id;
}

inline std::string file_text(const std::filesystem::path& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

inline void overwrite(const std::filesystem::path& file, std::string_view text) {
    std::ofstream{file, std::ios::binary | std::ios::trunc} << text;
}

inline mode_t mode_of(const std::filesystem::path& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) throw std::runtime_error("no " + path.string());
    return status.st_mode & 0777U;
}

inline std::filesystem::path beside(std::filesystem::path file, std::string_view suffix) {
    file += suffix;
    return file;
}

/// Runs `work` in a child process, which ends without destructors and with exit code 0 unless something is
/// thrown.
class Child {
  public:
    explicit Child(const std::function<void()>& work) : pid_(::fork()) {
        if (pid_ != 0) return;
        int code = 1;
        try {
            work();
            code = 0;
        } catch (const std::exception& problem) {
            std::cerr << "child: " << problem.what() << '\n';
        }
        std::cout << std::flush;
        static_cast<void>(std::fflush(nullptr));
        ::_exit(code);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        if (pid_ > 0) kill();
    }
    /// The exit code, or minus the signal that ended it.
    int wait() {
        int status = 0;
        ::waitpid(std::exchange(pid_, -1), &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }
    int kill() {
        ::kill(pid_, SIGKILL);
        return wait();
    }

  private:
    pid_t pid_;
};

/// A pipe: a child tells its parent how far it has come.
class Line {
  public:
    Line() {
        if (::pipe(ends_) != 0) throw std::runtime_error("no pipe");
    }
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;
    ~Line() {
        ::close(ends_[0]);
        close_writing();
    }
    void close_writing() {
        if (ends_[1] >= 0) ::close(std::exchange(ends_[1], -1));
    }
    void say(std::uint32_t number) const {
        if (::write(ends_[1], &number, sizeof number) != sizeof number) throw std::runtime_error("pipe");
    }
    /// Waits for one number; 0 at the end.
    [[nodiscard]] std::uint32_t hear() const {
        std::uint32_t number = 0;
        return ::read(ends_[0], &number, sizeof number) == sizeof number ? number : 0;
    }
    /// The last number said by a writer that is gone.
    [[nodiscard]] std::uint32_t last() {
        close_writing();
        std::uint32_t newest = 0;
        while (const auto number = hear()) newest = number;
        return newest;
    }

  private:
    int ends_[2]{-1, -1};
};

/// One table for tests of the generic database.
inline constexpr Migration numbers_table[]{
    {.version = 1, .sql = "CREATE TABLE numbers (n INTEGER PRIMARY KEY, word TEXT, bytes BLOB) STRICT"}};

inline Database open_numbers(const std::filesystem::path& file, const DatabaseOptions& options = {}) {
    return must(Database::open(file, key_of(1), numbers_table, options));
}

inline std::int64_t count_numbers(Database& db) {
    auto statement = db.prepare("SELECT count(*) FROM numbers");
    must(statement.step());
    return statement.integer(0);
}

inline Result<void> insert_number(Database& db, std::int64_t n) {
    return db.prepare("INSERT INTO numbers (n) VALUES (?)").bind_all(n).run();
}

}  // namespace sotto::storage::test
