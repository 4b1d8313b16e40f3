// What stands on disk: nothing that was said, no private key, and nothing at all that the passphrase doesn't
// open.
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "integration/world.hpp"
#include "sotto/crypto/codec.hpp"
#include "sotto/storage/client_store.hpp"
#include "sotto/storage/profile.hpp"

namespace sotto::test {
namespace {

constexpr auto sentinel_a = "cantaloupe-under-the-clocktower";
constexpr auto sentinel_b = "nasturtium-behind-the-bakery";

/// Looks for the bytes as they are, in hexadecimal and in base64url.
void expect_nowhere(const World& world, ByteView secret, std::string_view what) {
    for (const auto& form :
         {std::string{chars_of(secret)}, crypto::to_hex(secret), crypto::to_base64url(secret)})
        for (const auto& file : files_with(world.folder(), form))
            ADD_FAILURE() << what << " stands in " << file;
}

void expect_no_sentinel(World& world) {
    for (const auto* sentinel : {sentinel_a, sentinel_b}) {
        for (const auto& file : files_with(world.folder(), sentinel))
            ADD_FAILURE() << sentinel << " stands in " << file;
        EXPECT_EQ(world.server().printed().find(sentinel), std::string::npos);
    }
}

/// Every private key that the profile holds.
std::vector<crypto::SecretBytes> private_keys(const Person& person) {
    std::vector<crypto::SecretBytes> out;
    const storage::ProfilePaths paths{person.home()};
    auto passphrase = read_file(person.passphrase_file());
    passphrase.pop_back();
    const auto master = storage::Vault::open(paths.vault(), bytes_of(passphrase));
    const auto account = storage::Vault::account_key(paths.vault(), bytes_of(passphrase));
    if (!master || !account) throw std::runtime_error("the vault doesn't open");
    out.push_back(crypto::to_secret_bytes(master->expose()));
    out.push_back(crypto::to_secret_bytes(account->seed().expose()));
    const auto key = storage::store_key(*master);
    out.push_back(crypto::to_secret_bytes(key.expose()));
    auto store = storage::ClientStore::open(paths.database(), key);
    if (!store) throw std::runtime_error("the store doesn't open");
    const auto identity = store->identity();
    out.push_back(crypto::to_secret_bytes((*identity)->signing_key.seed().expose()));
    out.push_back(crypto::to_secret_bytes((*identity)->identity_key.seed().expose()));
    out.push_back(crypto::to_secret_bytes((*identity)->shared_token.expose()));
    for (const auto kind : {storage::PrekeyKind::signed_prekey, storage::PrekeyKind::last_resort,
                            storage::PrekeyKind::one_time, storage::PrekeyKind::one_time_kem})
        for (std::uint32_t id = 1; id <= 20; ++id)
            if (const auto prekey = store->prekey(kind, id); prekey && *prekey)
                out.push_back(crypto::to_secret_bytes((*prekey)->seed.expose().first<32>()));
    const auto sessions = store->sessions();
    for (const auto& row : sessions.value()) {
        const auto state = row.session.serialize();
        for (std::size_t at = 0; at + 32 <= state.size(); at += 32)
            out.push_back(crypto::to_secret_bytes(ByteView{state}.subspan(at, 32)));
    }
    // Runs of equal bytes (padding, empty fields) are no secrets and stand in many files.
    std::erase_if(out, [](const auto& secret) {
        return std::count(secret.begin(), secret.end(), secret.front()) > std::ssize(secret) / 4;
    });
    return out;
}

TEST(Disk, NothingThatWasSaidAndNoPrivateKeyStandsInAnyFile) {
    World world;
    ASSERT_TRUE(world.bob().run({"send", "alice", sentinel_a}).exit.ok());
    expect_no_sentinel(world);  // while it waits in the server's mailbox

    Process reader(world.alice().command({"receive", "--follow"}));
    ASSERT_TRUE(reader.wait_for(sentinel_a, std::chrono::seconds{30}));
    ASSERT_TRUE(world.bob().run({"send", "alice", sentinel_b}).exit.ok());
    ASSERT_TRUE(reader.wait_for(sentinel_b, std::chrono::seconds{30}));
    expect_no_sentinel(world);  // while everybody runs
    reader.kill(SIGTERM);
    ASSERT_TRUE(reader.wait(std::chrono::seconds{30}));
    expect_no_sentinel(world);

    for (const auto* person : {&world.alice(), &world.bob()}) {
        const auto keys = private_keys(*person);
        EXPECT_GT(keys.size(), 50U);
        for (const auto& key : keys) expect_nowhere(world, key, "a private key of " + person->name());
    }
    EXPECT_EQ(world.server().stop(), 0);
    expect_no_sentinel(world);
}

TEST(Disk, TheSearchItselfFindsWhatIsThere) {
    World world{World::Acquainted::no};
    write_file(world.folder() / "leak", std::string{"…"} + sentinel_a + "…");
    EXPECT_EQ(files_with(world.folder(), sentinel_a).size(), 1U);
    const auto keys = private_keys(world.alice());
    write_file(world.folder() / "leak", crypto::to_hex(keys.at(3)));
    EXPECT_EQ(files_with(world.folder(), crypto::to_hex(keys.at(3))).size(), 1U);
}

/// Chi-square of the byte counts against an even spread: 255 degrees of freedom, mean 255, standard
/// deviation 22.6.
double chi_square(std::string_view bytes) {
    std::array<double, 256> counts{};
    for (const auto c : bytes) ++counts.at(static_cast<unsigned char>(c));
    const double expected = static_cast<double>(bytes.size()) / 256;
    double sum = 0;
    for (const auto count : counts) sum += (count - expected) * (count - expected) / expected;
    return sum;
}

TEST(Disk, AStolenHomeOpensNothingWithoutThePassphrase) {
    World world;
    ASSERT_TRUE(world.bob().run({"send", "alice", sentinel_a}).exit.ok());
    ASSERT_TRUE(world.alice().run({"receive"}).exit.ok());
    const auto stolen = world.folder() / "stolen";
    std::filesystem::copy(world.alice().home(), stolen, std::filesystem::copy_options::recursive);

    const auto store = read_file(stolen / "store.db");
    ASSERT_GT(store.size(), 16384U);
    EXPECT_NE(store.substr(0, 15), "SQLite format 3");
    // From its first byte: the head alone, the whole, and no two homes alike.
    EXPECT_LT(chi_square(std::string_view{store}.substr(0, 8192)), 255 + 7 * 22.6);
    EXPECT_LT(chi_square(store), 255 + 7 * 22.6);
    EXPECT_NE(store.substr(0, 16), read_file(world.bob().home() / "store.db").substr(0, 16));

    const auto vault = read_file(stolen / "vault");
    EXPECT_EQ(vault.size(), 169U);
    EXPECT_EQ(vault.substr(0, 9), (std::string{"\x01\0\0\x20\0\0\0\0\x01", 9}));  // version, 8 MiB, 1 pass
    // Nobody's name, no address, no server.
    for (const auto* word : {"alice", "bob", "127.0.0.1", "sotto://", "server"})
        EXPECT_TRUE(files_with(stolen, word).empty()) << word;

    for (const auto* guess : {"", "alice", "correct horse of bob\n"}) {
        const auto file = world.folder() / "guess";
        write_file(file, guess);
        std::filesystem::permissions(
            file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
        const auto opened = run({.args = {SOTTO_CLIENT, "--home", stolen.string(), "--passphrase-file",
                                          file.string(), "history", "bob"}});
        EXPECT_EQ(opened.exit.code, 1);
        EXPECT_TRUE(opened.output.empty());
    }
}

TEST(Disk, WhatIsOursIsReadableByUsAlone) {
    World world;
    using std::filesystem::perms;
    for (const auto& folder : {world.alice().home(), world.server().folder()}) {
        EXPECT_EQ(std::filesystem::status(folder).permissions() & (perms::group_all | perms::others_all),
                  perms::none);
        for (const auto& file : files_under(folder))
            EXPECT_EQ(std::filesystem::status(file).permissions() & (perms::group_all | perms::others_all),
                      perms::none)
                << file;
    }
}

}  // namespace
}  // namespace sotto::test
