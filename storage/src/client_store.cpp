#include "sotto/storage/client_store.hpp"

#include "schema.hpp"

namespace sotto::storage {

Result<ClientStore> ClientStore::open(const std::filesystem::path& file, const DatabaseKey& key) {
    auto database = Database::open(file, key, detail::client_migrations());
    if (!database) return std::unexpected(std::move(database.error()));
    return ClientStore{std::move(*database)};
}

}  // namespace sotto::storage
