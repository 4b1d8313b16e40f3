// A profile made in the test itself, as if its owner had registered, met somebody and talked: no server is
// needed to read it.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "sotto/crypto/keys.hpp"
#include "sotto/storage/client_store.hpp"
#include "support/process.hpp"

namespace sotto::test {

inline constexpr const char* right_passphrase = "correct horse battery staple";

class Home {
  public:
    Home();

    /// `sotto --home … --passphrase-file … WORDS`
    [[nodiscard]] Finished run(const std::vector<std::string>& words,
                               std::optional<std::string> input = {}) const;
    /// Without any source of a passphrase.
    [[nodiscard]] Command command(const std::vector<std::string>& words) const;
    /// One JSON object a line of `run` with --json; fails the test if the exit code isn't `code`.
    [[nodiscard]] std::vector<nlohmann::json> json(std::vector<std::string> words, int code = 0) const;

    [[nodiscard]] storage::ClientStore open() const;
    /// From bob, or to him; returns its row.
    std::int64_t add_message(storage::Direction direction, const std::string& text, std::int64_t at_ms,
                             bool shown = false, std::uint32_t kind = 20);
    /// As if the server had shown a record of his address under another account key.
    void show_another_key_of_bob() const;
    void change_bob(const std::function<void(storage::Contact&)>& change) const;

    [[nodiscard]] std::filesystem::path path() const { return folder_ / "home"; }
    [[nodiscard]] std::filesystem::path passphrase_file() const { return folder_ / "passphrase"; }
    [[nodiscard]] const TemporaryFolder& folder() const { return folder_; }

  private:
    TemporaryFolder folder_;
    std::int64_t bob_ = 0;
    std::uint64_t messages_ = 0;
};

/// One line, `sotto: …`, that is a sentence and holds `word`.
[[nodiscard]] testing::AssertionResult one_sentence(const Finished& finished, std::string_view word);

void write_private_file(const std::filesystem::path& file, std::string_view content);

}  // namespace sotto::test
