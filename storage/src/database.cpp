#include "sotto/storage/database.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

#include "connection.hpp"
#include "files.hpp"

namespace sotto::storage {

using detail::Connection;

namespace {

constexpr off_t page_size = 4096;  // SQLCipher's default, and read back when a database is opened

std::filesystem::path beside(const std::filesystem::path& file, std::string_view suffix) {
    auto name = file;
    name += suffix;
    return name;
}

/// Size of a file; 0 if there is none.
std::uintmax_t size_of(const std::filesystem::path& file) {
    std::error_code none;
    const auto size = std::filesystem::file_size(file, none);
    return none ? 0 : size;
}

/// A log is removed by the last connection that closes; one that has been left means a crash (or company).
bool left_behind(const std::filesystem::path& file) {
    return size_of(beside(file, "-wal")) > 0 || size_of(beside(file, "-journal")) > 0;
}

/// Makes sure of a regular file, 0600. It is never opened here when it exists: closing any descriptor of it
/// would drop the locks of another connection of this process.
Result<void> prepare_file(const std::filesystem::path& file) {
    auto created = detail::create_private(file);
    if (created) return detail::sync_folder_of(file);
    if (created.error().code != Code::exists) return std::unexpected(std::move(created.error()));
    struct stat status{};
    if (::stat(file.c_str(), &status) != 0)
        return std::unexpected(detail::system_error(errno, "looking at", file));
    if (!S_ISREG(status.st_mode))
        return std::unexpected(
            Error{.code = Code::denied, .detail = file.string() + " is not a regular file"});
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0 && ::chmod(file.c_str(), S_IRUSR | S_IWUSR) != 0)
        return std::unexpected(detail::system_error(errno, "setting the permissions of", file));
    // SQLite takes a file without a whole page for a new database and would write over what is left of it,
    // and throw its log away. A rollback journal beside it means that it is new indeed.
    const bool journal = size_of(beside(file, "-journal")) > 0;
    const bool log = size_of(beside(file, "-wal")) > 0;
    if (status.st_size < page_size && (log || (status.st_size > 0 && !journal)))
        return std::unexpected(Error{.code = Code::damaged, .detail = file.string() + " has been cut off"});
    return {};
}

Result<void> ask_before_migration(Database& db, Connection& connection, std::span<const Migration> migrations,
                                  const DatabaseOptions& options) {
    const auto version = detail::version_of(connection);
    if (!version) return std::unexpected(version.error());
    const bool older = *version > 0 && *version < static_cast<int>(migrations.size());
    return older ? options.before_migration(db, *version) : Result<void>{};
}

}  // namespace

Database::Database(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

Result<Database> Database::open(const std::filesystem::path& file, const DatabaseKey& key,
                                std::span<const Migration> migrations, const DatabaseOptions& options) {
    if (auto prepared = prepare_file(file); !prepared) return std::unexpected(std::move(prepared.error()));
    const bool crashed = left_behind(file);
    auto connection = std::make_unique<Connection>();
    auto done = connection->open(file, key, options.guard_memory);
    // The first read: it tells a wrong key or a damaged first page from everything that follows.
    if (done) done = connection->execute("SELECT count(*) FROM sqlite_schema");
    if (done) done = detail::configure(*connection, options);
    if (done && crashed && options.check_after_crash) done = detail::check_integrity(*connection);
    if (!done) return std::unexpected(std::move(done.error()));
    Database db{std::move(connection)};
    if (options.before_migration) done = ask_before_migration(db, *db.connection_, migrations, options);
    if (done) done = detail::migrate(*db.connection_, migrations);
    if (!done) return std::unexpected(std::move(done.error()));
    return db;
}

Statement Database::prepare(std::string_view sql) {
    auto stmt = connection_->take(sql);
    if (!stmt) return Statement{*connection_, std::move(stmt.error())};
    return Statement{*connection_, *stmt};
}

Result<void> Database::execute(std::string_view sql) {
    return connection_->execute(sql);
}

std::int64_t Database::last_insert_id() const {
    return sqlite3_last_insert_rowid(connection_->handle);
}

std::int64_t Database::changes() const {
    return sqlite3_changes64(connection_->handle);
}

Result<void> Database::check() {
    return detail::check_integrity(*connection_);
}

Result<void> Database::backup_to(const std::filesystem::path& file, const DatabaseKey& key) {
    if (connection_->depth > 0) throw std::logic_error("a backup can't be made inside a transaction");
    std::error_code ignored;
    if (std::filesystem::exists(std::filesystem::symlink_status(file, ignored)))
        return std::unexpected(detail::system_error(EEXIST, "backing up to", file));
    detail::remove_draft(file);
    const auto draft = detail::draft_of(file);
    const auto created = detail::create_private(draft);
    if (!created) return std::unexpected(created.error());
    const auto copy = [&]() -> Result<void> {
        Connection target;
        if (auto opened = target.open(draft, key, false); !opened) return opened;
        auto* const backup = sqlite3_backup_init(target.handle, "main", connection_->handle, "main");
        if (backup == nullptr) return std::unexpected(target.error(sqlite3_extended_errcode(target.handle)));
        sqlite3_backup_step(backup, -1);  // all pages under one read lock
        const int code = sqlite3_backup_finish(backup);
        if (code != SQLITE_OK) return std::unexpected(target.error(code));
        return target.execute("SELECT count(*) FROM sqlite_schema");
    };
    auto copied = copy();
    if (copied && ::fsync(created->fd()) != 0)
        copied = std::unexpected(detail::system_error(errno, "syncing", draft));
    if (!copied) {
        detail::remove_draft(file);
        return copied;
    }
    return detail::publish_draft(file, detail::Overwrite::no);
}

}  // namespace sotto::storage
