#include "sotto/storage/profile.hpp"

#include "sotto/crypto/hash.hpp"

namespace sotto::storage {

bool ProfilePaths::exists() const {
    std::error_code ignored;
    return std::filesystem::exists(vault(), ignored) || std::filesystem::exists(database(), ignored);
}

DatabaseKey store_key(const crypto::MasterKey& master) {
    DatabaseKey key;
    crypto::hkdf({}, {master.expose()}, "Sotto/1/store-key", {}, key.writable());
    return key;
}

}  // namespace sotto::storage
