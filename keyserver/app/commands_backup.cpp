// `backup` and `restore`: one encrypted file that holds the store and, in a table of their own, the files
// that a server needs beside it. The store key is not in it.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "keyserver/app/commands.hpp"
#include "keyserver/app/files.hpp"
#include "keyserver/app/output.hpp"
#include "keyserver/app/store.hpp"
#include "keyserver/app/times.hpp"
#include "keyserver/store/admin.hpp"

namespace sotto::keyserver {
namespace {

namespace fs = std::filesystem;

/// The path of a file under `folder`, relative to it; nothing if it lies elsewhere.
[[nodiscard]] std::optional<std::string> inside(const fs::path& file, const fs::path& folder) {
    const auto relative =
        fs::absolute(file).lexically_normal().lexically_relative(fs::absolute(folder).lexically_normal());
    if (relative.empty() || relative.is_absolute() || *relative.begin() == ".." || relative == ".")
        return std::nullopt;
    return relative.string();
}

/// Removes what a failed command has made.
class Unfinished {
  public:
    explicit Unfinished(fs::path path) : path_(std::move(path)) {}
    Unfinished(const Unfinished&) = delete;
    Unfinished& operator=(const Unfinished&) = delete;
    ~Unfinished() {
        std::error_code ignored;
        if (!kept_) fs::remove_all(path_, ignored);
    }
    void keep() { kept_ = true; }
    [[nodiscard]] const fs::path& path() const { return path_; }

  private:
    fs::path path_;
    bool kept_ = false;
};

/// Gives a complete draft its name, unless that is taken; durable on return.
[[nodiscard]] Outcome<void> publish(Unfinished& draft, const fs::path& target) {
    const int renamed =
        ::renameat2(AT_FDCWD, draft.path().c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE);
    if (renamed != 0)
        return problem(Exit::server, target.string() + " can't be written: " + reason(errno) + ".");
    draft.keep();
    sync_folder(target.parent_path());
    return {};
}

// ---- backup ----

[[nodiscard]] Outcome<fs::path> file_for(const fs::path& target) {
    std::error_code error;
    if (fs::is_directory(target, error))
        return fs::absolute(target) / ("sotto-keyserver-" + compact_utc(now_s()) + ".backup");
    if (fs::exists(fs::symlink_status(target, error)))
        return problem(Exit::input, target.string() + " is there already; choose another name.");
    auto full = fs::absolute(target);
    if (!fs::is_directory(full.parent_path(), error))
        return problem(Exit::input, "There is no folder " + full.parent_path().string() + " to write into.");
    return full;
}

/// Adds configuration, certificate and its key; those that lie elsewhere are told.
[[nodiscard]] Outcome<std::vector<std::string>> add_files(Admin& admin, const fs::path& data,
                                                          const Config& config, const fs::path& copy) {
    std::vector<std::string> elsewhere;
    for (const auto& file : {data / config_file, config.certificate, config.key}) {
        const auto name = inside(file, data);
        if (!name) {
            elsewhere.push_back(file.string());
            continue;
        }
        const auto content = read_small_file(file, "The file");
        if (!content) return std::unexpected(content.error());
        const auto added = admin.put_file(*name, *content);
        if (!added) return std::unexpected(store_problem(added.error(), copy));
    }
    return elsewhere;
}

void tell_about_keys(const Config& config, const std::vector<std::string>& elsewhere) {
    std::cerr << "It is encrypted with the store key " << config.store_key_file.string()
              << ", which is NOT in it: keep a copy of that key at another place, once; without it no backup "
                 "can be "
                 "opened.\n";
    for (const auto& file : elsewhere)
        std::cerr << "Not in it either, since it lies outside the server's folder: " << file << '\n';
}

// ---- restore ----

[[nodiscard]] Outcome<fs::path> staging_beside(const fs::path& data) {
    const auto parent = data.parent_path();
    std::error_code error;
    fs::create_directories(parent, error);
    auto name = (parent / ".sotto-restore-XXXXXX").string();
    if (error || ::mkdtemp(name.data()) == nullptr)
        return problem(Exit::input, "Nothing can be written in " + parent.string() + ": " +
                                        (error ? error.message() : reason(errno)) + ".");
    return fs::path{name};
}

[[nodiscard]] Outcome<void> write_inside(const fs::path& folder, const std::string& name,
                                         std::string_view content) {
    const auto file = folder / name;
    std::error_code error;
    if (inside(file, folder) == name) fs::create_directories(file.parent_path(), error);
    if (inside(file, folder) != name || error)
        return problem(Exit::input, "The backup names a file that can't be restored: '" + name + "'.");
    return write_new_file(file, content);
}

/// What a backup holds beside the store, the TLS key among it, is wiped when it has been written.
class WipedFiles {
  public:
    explicit WipedFiles(std::vector<std::pair<std::string, Bytes>>* files) : files_(files) {}
    WipedFiles(const WipedFiles&) = delete;
    WipedFiles& operator=(const WipedFiles&) = delete;
    ~WipedFiles() {
        if (files_ == nullptr) return;
        for (auto& [name, content] : *files_) crypto::wipe(content.data(), content.size());
    }

  private:
    std::vector<std::pair<std::string, Bytes>>* files_;
};

struct Restored {
    Config config;
    std::size_t accounts = 0;
};

/// Everything into `staging`, which becomes `data`.
[[nodiscard]] Outcome<Restored> fill(const fs::path& staging, const RestoreOptions& options,
                                     const storage::DatabaseKey& key) {
    std::error_code error;
    const auto copy = staging / store_file;
    if (!fs::copy_file(options.backup, copy, error))
        return problem(Exit::input,
                       "The backup " + options.backup.string() + " can't be read: " + error.message() + ".");
    auto store = open_store(copy, key, Company::none);
    if (!store)
        return problem(Exit::input,
                       options.backup.string() +
                           " can't be opened: it is no backup, it is damaged, or this is not the store "
                           "key it was made under.");
    Admin admin{*store};
    auto files = admin.files();
    const WipedFiles wiped{files ? &*files : nullptr};
    const bool intact = store->check().has_value();
    if (!files || !intact)
        return problem(Exit::input,
                       "The backup " + options.backup.string() + " is damaged; use another one.");
    std::optional<std::string> text;
    for (const auto& [name, content] : *files) {
        if (name == config_file) text = chars_of(content);
        if (const auto written = write_inside(staging, name, chars_of(content)); !written)
            return std::unexpected(written.error());
    }
    if (!text)
        return problem(Exit::input, options.backup.string() +
                                        " is a bare store without configuration, not what `backup` makes.");
    auto config = parse_config(*text, options.backup, staging);
    if (!config) return std::unexpected(config.error());
    if (const auto name = inside(config->store_key_file, staging)) {
        const auto hex = read_small_file(options.store_key, "The store key");
        const auto written =
            hex ? write_inside(staging, *name, chars_of(*hex)) : std::unexpected(hex.error());
        if (!written) return std::unexpected(written.error());
    }
    const auto users = admin.users();
    const auto cleaned = admin.become_store();
    if (!users || !cleaned)
        return problem(Exit::server, "The store can't be written: " +
                                         (users ? cleaned.error() : users.error()).detail + ".");
    return Restored{.config = *std::move(config), .accounts = users->size()};
}

void tell_what_is_missing(const Config& config, const fs::path& staging, const fs::path& data) {
    for (const auto& file : {config.certificate, config.key, config.store_key_file})
        if (!inside(file, staging) && ::access(file.c_str(), R_OK) != 0)
            std::cerr << "Still needed at its place, outside the server's folder: " << file.string() << '\n';
    std::cerr << "One-time prekeys were left out, since some have been used since: clients bring new ones. "
                 "Start it "
                 "with: sotto-keyserver run --data "
              << data.string() << '\n';
}

}  // namespace

Outcome<void> backup(const BackupOptions& options) {
    const auto target = file_for(options.target);
    if (!target) return std::unexpected(target.error());
    auto folder = open_folder(options.data);
    if (!folder) return std::unexpected(folder.error());
    const auto key = read_store_key(folder->config.store_key_file);
    if (!key) return std::unexpected(key.error());

    auto part = *target;
    part += ".part";
    std::error_code ignored;
    fs::remove(part, ignored);  // of an earlier one that was killed
    Unfinished draft{part};
    const auto copied = folder->store.backup_to(part, *key);
    if (!copied) return problem(Exit::server, "The backup can't be written: " + copied.error().detail + ".");
    std::vector<std::string> elsewhere;
    {
        auto copy = open_store(part, *key, Company::none);
        if (!copy) return std::unexpected(copy.error());
        Admin admin{*copy};
        auto added = add_files(admin, options.data, folder->config, part);
        if (!added) return std::unexpected(added.error());
        elsewhere = *std::move(added);
    }
    if (!sync_file(part))
        return problem(Exit::server,
                       "The backup " + part.string() + " can't be written: " + reason(errno) + ".");
    if (auto named = publish(draft, *target); !named) return named;
    if (options.json)
        print_json({{"backup", target->string()},
                    {"store_key", folder->config.store_key_file.string()},
                    {"not_included", elsewhere}});
    else
        std::cout << target->string() << '\n' << std::flush;
    tell_about_keys(folder->config, elsewhere);
    return {};
}

Outcome<void> restore(const RestoreOptions& options) {
    std::error_code error;
    const auto data = fs::absolute(options.data).lexically_normal();
    const auto target = data.has_filename() ? data : data.parent_path();
    const bool there = fs::exists(fs::symlink_status(target, error));
    if (there && (!fs::is_directory(target, error) || !fs::is_empty(target, error) || error))
        return problem(Exit::input,
                       target.string() + " is in use: it already holds files; choose a new folder.");
    const auto key = read_store_key(options.store_key);
    if (!key) return std::unexpected(key.error());
    const auto staging = staging_beside(target);
    if (!staging) return std::unexpected(staging.error());
    Unfinished draft{*staging};
    const auto restored = fill(*staging, options, *key);
    if (!restored) return std::unexpected(restored.error());
    sync_folder(*staging);
    if (::rename(staging->c_str(), target.c_str()) != 0)  // an empty folder may stand there
        return problem(Exit::server, target.string() + " can't be written: " + reason(errno) + ".");
    draft.keep();
    sync_folder(target.parent_path());
    if (options.json)
        print_json(
            {{"data", target.string()}, {"name", restored->config.name}, {"accounts", restored->accounts}});
    else
        std::cout << restored->config.name << " with " << restored->accounts << " accounts is back in "
                  << target.string() << ".\n"
                  << std::flush;
    tell_what_is_missing(restored->config, *staging, target);
    return {};
}

}  // namespace sotto::keyserver
