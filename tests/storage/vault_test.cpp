#include "sotto/storage/vault.hpp"

#include <signal.h>
#include <sys/resource.h>

#include <chrono>
#include <random>
#include <thread>

#include "scratch.hpp"

namespace sotto::storage::test {
namespace {

constexpr crypto::PassphraseCost cheap{.memory_kib = 8 * 1024, .passes = 1};

class VaultTest : public ::testing::Test {
  protected:
    void SetUp() override { master = must(Vault::create(file, right, cheap, account, rng)); }
    bool opens(ByteView passphrase) {
        const auto opened = Vault::open(file, passphrase);
        return opened && crypto::equal_constant_time(opened->expose(), master.expose());
    }
    Scratch folder;
    std::filesystem::path file = folder / "vault";
    crypto::SeededRng rng{7};
    crypto::AccountKeyPair account = crypto::AccountKeyPair::generate(rng);
    ByteView right = bytes_of("right passphrase");
    ByteView other = bytes_of("another one");
    crypto::MasterKey master;
};

TEST_F(VaultTest, OpensUnderItsPassphraseOnly) {
    EXPECT_TRUE(opens(right));
    EXPECT_EQ(code_of(Vault::open(file, other)), Code::wrong_passphrase);
    EXPECT_EQ(code_of(Vault::open(file, {})), Code::wrong_passphrase);
    EXPECT_EQ(code_of(Vault::account_key(file, other)), Code::wrong_passphrase);
    EXPECT_EQ(must(Vault::account_key(file, right)).public_key(), account.public_key());
}

TEST_F(VaultTest, ShowsItsParametersAndNothingElse) {
    const auto text = file_text(file);
    ASSERT_EQ(text.size(), 169U);
    EXPECT_EQ(text.substr(0, 9), (std::string{"\x01\x00\x00\x20\x00\x00\x00\x00\x01", 9}));
    EXPECT_EQ(text.find(chars_of(master.expose())), std::string::npos);
    EXPECT_EQ(text.find(chars_of(account.seed().expose())), std::string::npos);
    EXPECT_EQ(mode_of(file), 0600U);
}

TEST_F(VaultTest, IsNotOverwritten) {
    const auto before = file_text(file);
    EXPECT_EQ(code_of(Vault::create(file, other, cheap, account, rng)), Code::exists);
    EXPECT_EQ(file_text(file), before);
}

TEST_F(VaultTest, IsDamagedAtEveryOtherLength) {
    const auto whole = file_text(file);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        overwrite(file, std::string_view{whole}.substr(0, size));
        EXPECT_EQ(code_of(Vault::open(file, right)), Code::damaged) << size;
    }
    overwrite(file, whole + "x");
    EXPECT_EQ(code_of(Vault::open(file, right)), Code::damaged);
    EXPECT_EQ(code_of(Vault::account_key(file, right)), Code::damaged);
    EXPECT_EQ(code_of(Vault::change(file, right, other, cheap, rng)), Code::damaged);
}

TEST_F(VaultTest, DoesNotOpenWithAnyByteChanged) {
    const auto whole = file_text(file);
    for (std::size_t at = 0; at < whole.size(); ++at) {
        auto text = whole;
        // The top bits of the cost would ask for impossible or for very much memory; the lowest is as good a
        // change.
        text[at] = static_cast<char>(text[at] ^ 1);
        overwrite(file, text);
        EXPECT_FALSE(Vault::account_key(file, right)) << at;
        if (at >= 25 + 72) continue;  // the account key lies there, and the master key doesn't depend on it
        const auto code = code_of(Vault::open(file, right));
        EXPECT_TRUE(code == Code::wrong_passphrase || code == Code::damaged) << at;
    }
    overwrite(file, whole);
    EXPECT_TRUE(opens(right));
}

TEST_F(VaultTest, WithAnotherVersionOrAnImpossibleCostIsDamaged) {
    const auto whole = file_text(file);
    const auto with = [&](std::size_t at, std::string_view bytes) {
        auto text = whole;
        text.replace(at, bytes.size(), bytes);
        overwrite(file, text);
        return code_of(Vault::open(file, right));
    };
    EXPECT_EQ(with(0, "\x02"), Code::damaged);
    EXPECT_EQ(with(1, std::string_view{"\x00\x00\x1f\xff", 4}), Code::damaged);
    EXPECT_EQ(with(1, std::string_view{"\x00\x40\x00\x01", 4}), Code::damaged);
    EXPECT_EQ(with(1, "\xff\xff\xff\xff"), Code::damaged);
    EXPECT_EQ(with(5, std::string_view{"\x00\x00\x00\x00", 4}), Code::damaged);
    EXPECT_EQ(with(5, std::string_view{"\x00\x00\x00\x41", 4}), Code::damaged);
}

TEST_F(VaultTest, BindsTheAccountKeyToItsOwnMasterKey) {
    const auto first = file_text(file);
    must(Vault::create(folder / "second", right, cheap, account, rng));
    auto mixed = file_text(folder / "second");
    mixed.replace(0, 97, first.substr(0, 97));
    overwrite(file, mixed);
    EXPECT_TRUE(opens(right));
    EXPECT_EQ(code_of(Vault::account_key(file, right)), Code::wrong_passphrase);
    // Nor does one wrapped key pass for the other.
    auto exchanged = first;
    exchanged.replace(25, 72, first.substr(97));
    exchanged.replace(97, 72, first.substr(25, 72));
    overwrite(file, exchanged);
    EXPECT_EQ(code_of(Vault::open(file, right)), Code::wrong_passphrase);
    EXPECT_EQ(code_of(Vault::change(file, right, other, cheap, rng)), Code::wrong_passphrase);
}

TEST_F(VaultTest, KeepsItsKeysUnderANewPassphrase) {
    const auto before = file_text(file);
    must(Vault::change(file, right, other, {.memory_kib = 9 * 1024, .passes = 2}, rng));
    EXPECT_TRUE(opens(other));
    EXPECT_EQ(code_of(Vault::open(file, right)), Code::wrong_passphrase);
    EXPECT_EQ(must(Vault::account_key(file, other)).public_key(), account.public_key());
    const auto after = file_text(file);
    EXPECT_NE(after.substr(9, 16), before.substr(9, 16));
    EXPECT_NE(after.substr(25, 24), before.substr(25, 24));
    EXPECT_EQ(mode_of(file), 0600U);
    EXPECT_FALSE(std::filesystem::exists(beside(file, ".new")));
}

TEST_F(VaultTest, IsNotChangedWithoutItsPassphrase) {
    const auto before = file_text(file);
    EXPECT_EQ(code_of(Vault::change(file, other, right, cheap, rng)), Code::wrong_passphrase);
    EXPECT_EQ(code_of(Vault::change(file, right, other, {.memory_kib = 1, .passes = 1}, rng)), Code::io);
    EXPECT_EQ(file_text(file), before);
}

TEST_F(VaultTest, RefusesAnImpossibleCost) {
    EXPECT_EQ(
        code_of(Vault::create(folder / "v", right, {.memory_kib = 8 * 1024, .passes = 65}, account, rng)),
        Code::io);
    EXPECT_FALSE(std::filesystem::exists(folder / "v"));
}

TEST_F(VaultTest, IsMissingWhereThereIsNone) {
    EXPECT_EQ(code_of(Vault::open(folder / "none", right)), Code::missing);
    EXPECT_EQ(code_of(Vault::account_key(folder / "none", right)), Code::missing);
    EXPECT_EQ(code_of(Vault::change(folder / "none", right, other, cheap, rng)), Code::missing);
    EXPECT_EQ(code_of(Vault::create(folder / "no/folder", right, cheap, account, rng)), Code::missing);
}

TEST_F(VaultTest, ClearsAwayWhatACrashLeft) {
    overwrite(beside(file, ".new"), "half a vau");
    EXPECT_TRUE(opens(right));
    EXPECT_FALSE(std::filesystem::exists(beside(file, ".new")));
    overwrite(beside(file, ".new"), "half a vau");
    must(Vault::change(file, right, other, cheap, rng));
    EXPECT_TRUE(opens(other));
    EXPECT_FALSE(std::filesystem::exists(beside(file, ".new")));
}

TEST_F(VaultTest, OpensUnderTheOldOrTheNewPassphraseAfterAKill) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random{seed};
    for (int round = 0; round < 15; ++round) {
        Child child{[&] {
            crypto::SystemRng system;
            for (;;) {
                if (Vault::change(file, right, other, cheap, system)) continue;
                must(Vault::change(file, other, right, cheap, system));
            }
        }};
        std::this_thread::sleep_for(std::chrono::microseconds{20'000 + random() % 60'000});
        EXPECT_EQ(child.kill(), -SIGKILL);
        EXPECT_TRUE(opens(right) || opens(other));
        EXPECT_FALSE(std::filesystem::exists(beside(file, ".new")));
    }
}

TEST_F(VaultTest, StaysAsItIsWhenTheDiskIsFull) {
    Child child{[&] {
        if (::signal(SIGXFSZ, SIG_IGN) == SIG_ERR) throw std::runtime_error("signal");
        const rlimit limit{.rlim_cur = 100, .rlim_max = 100};
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) throw std::runtime_error("setrlimit");
        if (code_of(Vault::change(file, right, other, cheap, rng)) != Code::full)
            throw std::runtime_error("change");
        if (code_of(Vault::create(folder / "v", right, cheap, account, rng)) != Code::full)
            throw std::runtime_error("create");
    }};
    EXPECT_EQ(child.wait(), 0);
    EXPECT_TRUE(opens(right));
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator{folder.path()}, {}), 1);
}

TEST(Calibrate, StaysWithinItsBounds) {
    const auto cost = calibrate();
    EXPECT_GE(cost.memory_kib, 64U * 1024);
    EXPECT_LE(cost.memory_kib, 256U * 1024);
    EXPECT_EQ(cost.passes, 3U);
}

}  // namespace
}  // namespace sotto::storage::test
