// A real key server and real people's clients, as processes over TLS on the loopback interface.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "support/process.hpp"

namespace sotto::test {

/// A server's folder and, while it runs, its process.
class Server {
  public:
    /// Makes the folder with `init` on a free port; throws if that fails.
    explicit Server(std::filesystem::path folder, std::string registration = "open");
    /// Waits until it is ready to accept; throws otherwise.
    void start();
    /// SIGTERM, and its exit code.
    int stop();
    /// SIGKILL.
    void kill();
    [[nodiscard]] bool running() const { return process_.has_value(); }
    [[nodiscard]] const std::string& link() const { return link_; }
    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
    /// All that its processes have printed so far.
    [[nodiscard]] std::string printed() const;
    /// `sotto-keyserver VERB --data FOLDER …`
    [[nodiscard]] Finished command(std::vector<std::string> words) const;
    [[nodiscard]] pid_t pid() const { return process_->pid(); }

  private:
    void keep_output();
    std::filesystem::path folder_;
    std::uint16_t port_;
    std::string link_;
    std::string printed_;
    std::optional<Process> process_;
};

/// A home, a passphrase file beside it, and the client run in it.
class Person {
  public:
    Person(const std::filesystem::path& folder, std::string name);
    [[nodiscard]] Finished run(std::vector<std::string> words, std::optional<std::string> input = {},
                               std::chrono::milliseconds timeout = std::chrono::seconds{60}) const;
    /// The command as it would be started by `run`.
    [[nodiscard]] Command command(std::vector<std::string> words) const;
    /// `init` at cheap passphrase costs.
    [[nodiscard]] Finished init(const Server& server, const std::vector<std::string>& more = {}) const;
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const std::filesystem::path& home() const { return home_; }
    [[nodiscard]] const std::filesystem::path& passphrase_file() const { return passphrase_file_; }

  private:
    std::string name_;
    std::filesystem::path home_;
    std::filesystem::path passphrase_file_;
};

/// A folder with a running server, Alice and Bob, who have accounts and (unless `strangers`) are contacts.
class World {
  public:
    enum class Acquainted : bool { no, yes };
    explicit World(Acquainted acquainted = Acquainted::yes);

    [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
    Server& server() { return server_; }
    Person& alice() { return alice_; }
    Person& bob() { return bob_; }
    /// `bob` uses a link of `alice`'s, and both have heard of each other.
    static void acquaint(const Person& alice, const Person& bob);

  private:
    TemporaryFolder folder_;
    Server server_;
    Person alice_;
    Person bob_;
};

/// The words after "sotto://" that a program printed, with it.
[[nodiscard]] std::string link_in(std::string_view output);
/// One JSON value a line; throws if a line is none.
[[nodiscard]] std::vector<nlohmann::json> json_lines(std::string_view output);
/// Texts of `receive --json`.
[[nodiscard]] std::vector<std::string> texts(const Finished& finished);
/// Exactly one line on standard error that begins with the program's name and ends as a sentence does.
[[nodiscard]] testing::AssertionResult is_one_sentence(const std::string& errors);

/// Every regular file under a folder.
[[nodiscard]] std::vector<std::filesystem::path> files_under(const std::filesystem::path& folder);
/// The files that hold these bytes.
[[nodiscard]] std::vector<std::filesystem::path> files_with(const std::filesystem::path& folder,
                                                            std::string_view bytes);

/// SOTTO_TEST_SCALE, 0 to 1, 1 if unset: how much of a long test's rounds to do.
[[nodiscard]] double test_scale();
/// SOTTO_SEED, or one drawn now; the test prints it.
[[nodiscard]] std::uint64_t test_seed();

}  // namespace sotto::test
