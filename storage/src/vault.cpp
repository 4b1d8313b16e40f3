#include "sotto/storage/vault.hpp"

#include "files.hpp"
#include "sotto/crypto/codec.hpp"

namespace sotto::storage {

namespace {

constexpr std::uint8_t vault_version = 1;
constexpr std::size_t key_size = 32;
constexpr std::size_t wrapped_size = key_size + crypto::wrap_overhead;
constexpr std::size_t header_size = 1 + 4 + 4 + 16;
constexpr std::size_t account_at = header_size + wrapped_size;
constexpr std::size_t vault_size = account_at + wrapped_size;
static_assert(vault_size == 169);

constexpr crypto::Label master_purpose = "Sotto/1/vault-master";
constexpr crypto::Label account_purpose = "Sotto/1/vault-account";

struct VaultFile {
    Bytes bytes;
    crypto::PassphraseCost cost;
    Array<16> salt{};

    // Each wrapped key is bound to all that stands before it.
    [[nodiscard]] ByteView before_master() const { return ByteView{bytes}.first(header_size); }
    [[nodiscard]] ByteView master() const { return ByteView{bytes}.subspan(header_size, wrapped_size); }
    [[nodiscard]] ByteView before_account() const { return ByteView{bytes}.first(account_at); }
    [[nodiscard]] ByteView account() const { return ByteView{bytes}.subspan(account_at); }
};

Error damaged(std::string_view how) {
    return {.code = Code::damaged, .detail = "the vault " + std::string{how}};
}

bool in_range(const crypto::PassphraseCost& cost) {
    return cost.memory_kib >= 8 * 1024 && cost.memory_kib <= 4 * 1024 * 1024 && cost.passes >= 1 &&
           cost.passes <= 64;
}

Result<VaultFile> read_vault(const std::filesystem::path& file) {
    detail::remove_draft(file);
    auto bytes = detail::read_front(file, vault_size + 1);
    if (!bytes) return std::unexpected(std::move(bytes.error()));
    if (bytes->size() != vault_size) return std::unexpected(damaged("has a wrong size"));
    VaultFile vault{.bytes = std::move(*bytes), .cost = {}};
    crypto::Reader reader{vault.bytes};
    const auto version = reader.u8();
    vault.cost.memory_kib = reader.u32();
    vault.cost.passes = reader.u32();
    vault.salt = reader.array<16>();
    if (version != vault_version) return std::unexpected(damaged("has an unknown version"));
    if (!in_range(vault.cost)) return std::unexpected(damaged("asks for an impossible cost"));
    return vault;
}

Result<crypto::PassphraseKey> stretched(ByteView passphrase, FixedView<16> salt,
                                        const crypto::PassphraseCost& cost) {
    // An empty span may come without an address, which Argon2id's interface doesn't allow.
    auto key = crypto::stretch(passphrase.empty() ? bytes_of("") : passphrase, salt, cost);
    if (!key)
        return std::unexpected(
            Error{.code = Code::io, .detail = "not enough memory to stretch the passphrase"});
    return std::move(*key);
}

template <class SecretType>
Result<SecretType> unwrapped(const crypto::PassphraseKey& key, crypto::Label purpose, ByteView context,
                             ByteView wrapped) {
    const auto plain = crypto::unwrap(key, purpose, context, wrapped);
    if (!plain || plain->size() != key_size)
        return std::unexpected(Error{.code = Code::wrong_passphrase, .detail = "the vault did not open"});
    return SecretType{FixedView<key_size>{*plain}};
}

Result<void> write_vault(const std::filesystem::path& file, ByteView passphrase,
                         const crypto::PassphraseCost& cost, const crypto::MasterKey& master,
                         const crypto::AccountKeyPair::Seed& account, crypto::Rng& rng,
                         detail::Overwrite overwrite) {
    if (!in_range(cost))
        return std::unexpected(Error{.code = Code::io, .detail = "an impossible passphrase cost"});
    const auto salt = rng.bytes<16>();
    const auto key = stretched(passphrase, salt, cost);
    if (!key) return std::unexpected(key.error());
    Bytes bytes;
    bytes.reserve(vault_size);
    crypto::Writer writer{bytes};
    writer.u8(vault_version);
    writer.u32(cost.memory_kib);
    writer.u32(cost.passes);
    writer.raw(salt);
    const auto wrapped_master = crypto::wrap(*key, master_purpose, bytes, master.expose(), rng);
    writer.raw(wrapped_master);
    const auto wrapped_account = crypto::wrap(*key, account_purpose, bytes, account.expose(), rng);
    writer.raw(wrapped_account);
    return detail::write_whole(file, bytes, overwrite);
}

}  // namespace

Result<crypto::MasterKey> Vault::create(const std::filesystem::path& file, ByteView passphrase,
                                        const crypto::PassphraseCost& cost,
                                        const crypto::AccountKeyPair& account, crypto::Rng& rng) {
    std::error_code ignored;
    if (std::filesystem::exists(std::filesystem::symlink_status(file, ignored)))
        return std::unexpected(Error{.code = Code::exists, .detail = file.string() + " is there already"});
    auto master = rng.secret<crypto::MasterKey>();
    auto written = write_vault(file, passphrase, cost, master, account.seed(), rng, detail::Overwrite::no);
    if (!written) return std::unexpected(std::move(written.error()));
    return master;
}

Result<crypto::MasterKey> Vault::open(const std::filesystem::path& file, ByteView passphrase) {
    const auto vault = read_vault(file);
    if (!vault) return std::unexpected(vault.error());
    const auto key = stretched(passphrase, vault->salt, vault->cost);
    if (!key) return std::unexpected(key.error());
    return unwrapped<crypto::MasterKey>(*key, master_purpose, vault->before_master(), vault->master());
}

Result<crypto::AccountKeyPair> Vault::account_key(const std::filesystem::path& file, ByteView passphrase) {
    const auto vault = read_vault(file);
    if (!vault) return std::unexpected(vault.error());
    const auto key = stretched(passphrase, vault->salt, vault->cost);
    if (!key) return std::unexpected(key.error());
    auto seed = unwrapped<crypto::AccountKeyPair::Seed>(*key, account_purpose, vault->before_account(),
                                                        vault->account());
    if (!seed) return std::unexpected(std::move(seed.error()));
    return crypto::AccountKeyPair{std::move(*seed)};
}

Result<void> Vault::change(const std::filesystem::path& file, ByteView old_passphrase,
                           ByteView new_passphrase, const crypto::PassphraseCost& cost, crypto::Rng& rng) {
    const auto vault = read_vault(file);
    if (!vault) return std::unexpected(vault.error());
    const auto key = stretched(old_passphrase, vault->salt, vault->cost);
    if (!key) return std::unexpected(key.error());
    const auto master =
        unwrapped<crypto::MasterKey>(*key, master_purpose, vault->before_master(), vault->master());
    if (!master) return std::unexpected(master.error());
    const auto seed = unwrapped<crypto::AccountKeyPair::Seed>(*key, account_purpose, vault->before_account(),
                                                              vault->account());
    if (!seed) return std::unexpected(seed.error());
    return write_vault(file, new_passphrase, cost, *master, *seed, rng, detail::Overwrite::yes);
}

}  // namespace sotto::storage
