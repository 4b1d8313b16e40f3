#include <charconv>
#include <stdexcept>

#include "connection.hpp"

namespace sotto::storage::detail {

Result<int> version_of(Connection& connection) {
    auto text = connection.ask("PRAGMA user_version");
    if (!text) return std::unexpected(std::move(text.error()));
    int version = -1;
    std::from_chars(text->data(), text->data() + text->size(), version);
    return version;
}

namespace {

Result<void> apply(Connection& connection, const Migration& migration) {
    const auto version = version_of(connection);
    if (!version) return std::unexpected(version.error());
    if (*version >= migration.version) return {};  // another process was faster
    if (auto changed = connection.execute(migration.sql); !changed) return changed;
    return connection.execute("PRAGMA user_version = " + std::to_string(migration.version));
}

}  // namespace

Result<void> migrate(Connection& connection, std::span<const Migration> migrations) {
    for (std::size_t i = 0; i < migrations.size(); ++i)
        if (migrations[i].version != static_cast<int>(i) + 1)
            throw std::logic_error("migrations are numbered from 1 without gaps");
    const auto version = version_of(connection);
    if (!version) return std::unexpected(version.error());
    const auto newest = static_cast<int>(migrations.size());
    if (*version > newest)
        return std::unexpected(Error{.code = Code::newer,
                                     .detail = "the store has version " + std::to_string(*version) +
                                               "; this program knows up to " + std::to_string(newest)});
    for (const auto& migration : migrations.subspan(static_cast<std::size_t>(std::max(*version, 0)))) {
        if (auto begun = connection.execute("BEGIN IMMEDIATE"); !begun) return begun;
        auto applied = apply(connection, migration);
        if (applied) applied = connection.execute("COMMIT");
        if (!applied) {
            connection.rollback();
            return applied;
        }
    }
    return {};
}

}  // namespace sotto::storage::detail
