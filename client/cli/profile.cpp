#include "profile.hpp"

#include "passphrase.hpp"
#include "sotto/protocol/text.hpp"
#include "sotto/storage/vault.hpp"

namespace sotto::cli {

Result<crypto::MasterKey> open_vault(const storage::ProfilePaths& paths,
                                     const crypto::SecretBytes& passphrase) {
    auto master = storage::Vault::open(paths.vault(), passphrase);
    if (master) return std::move(*master);
    switch (master.error().code) {
        case storage::Code::damaged:
            return refuse("The profile's vault is damaged; restore the file " + paths.vault().string() +
                          " from a backup.");
        case storage::Code::missing:
            return refuse("The profile's vault is missing; restore the file " + paths.vault().string() +
                          " from a backup.");
        default:
            return refuse(master.error());
    }
}

Result<Profile> open_profile(const Options& options, std::string_view in_chat) {
    const storage::ProfilePaths paths{options.home};
    if (!paths.exists()) return refuse({.code = storage::Code::missing, .detail = {}});
    auto lock = storage::ProfileLock::acquire(options.home);
    if (!lock && lock.error().code == storage::Code::in_use && !in_chat.empty())
        return refuse("Another process is using this profile: in a running `sotto chat` type " +
                      std::string{in_chat} + ", or stop that process first.");
    if (!lock) return refuse(lock.error());
    const auto passphrase = read_passphrase(options.passphrase, "Passphrase", Ask::once);
    if (!passphrase) return refuse(passphrase.error().exit, passphrase.error().sentence);
    auto master = open_vault(paths, *passphrase);
    if (!master) return pass_on(master);
    std::error_code ignored;
    if (!std::filesystem::exists(paths.database(), ignored))
        return refuse("This profile was never finished; run `sotto init` again.");
    auto store = storage::ClientStore::open(paths.database(), storage::store_key(*master));
    if (!store) return refuse(store.error());
    auto identity_or = store->identity();
    if (!identity_or) return refuse(identity_or.error());
    auto record_or = store->newest_own_record();
    if (!record_or) return refuse(record_or.error());
    auto& identity = *identity_or;
    auto& record = *record_or;
    if (!identity || !identity->registered || !record)
        return refuse("This profile is not registered with its server yet; run the same `sotto init` again.");
    return Profile{.lock = std::move(*lock),
                   .store = std::move(*store),
                   .identity = std::move(*identity),
                   .record = std::move(*record)};
}

crypto::PassphraseCost passphrase_cost(const Options& options) {
    auto cost = options.kdf_memory_mib == 0 ? storage::calibrate() : crypto::PassphraseCost{};
    if (options.kdf_memory_mib != 0) cost.memory_kib = options.kdf_memory_mib * 1024;
    if (options.kdf_passes != 0) cost.passes = options.kdf_passes;
    return cost;
}

Result<storage::Contact> find_contact(storage::ClientStore& store, const std::string& which) {
    auto found = store.contact_by_name(which);
    const auto address = crypto::Address::parse(which);
    if (found && !*found && address) found = store.contact_by_address(*address);
    if (!found) return refuse(found.error());
    auto& contact = *found;
    if (!contact)
        return refuse("There is no contact called " + protocol::printable(which) +
                      "; see `sotto contact list`.");
    return std::move(*contact);
}

Result<crypto::AccountKey> account_key_of(const storage::Contact& contact) {
    const auto record = crypto::AccountRecord::parse(contact.record);
    if (!record) return refuse({.code = storage::Code::damaged, .detail = {}});
    return record->body().account_key;
}

bool is_verified(const storage::Contact& contact) {
    const bool standing =
        contact.state == storage::ContactState::confirmed || contact.state == storage::ContactState::joining;
    return standing && contact.verified != storage::Verified::no;
}

}  // namespace sotto::cli
