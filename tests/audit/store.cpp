// Vault and database on a temporary folder that is removed at the end.
#include <algorithm>
#include <array>
#include <fstream>
#include <set>

#include "groups.hpp"
#include "people.hpp"
#include "sotto/crypto/codec.hpp"
#include "sotto/storage/client_store.hpp"
#include "sotto/storage/profile.hpp"
#include "support/process.hpp"

namespace sotto::audit {
namespace {

using namespace storage;  // NOLINT(google-build-using-namespace)
using test::read_file;
using test::TemporaryFolder;
using test::write_file;

constexpr crypto::PassphraseCost cheap{.memory_kib = 8 * 1024, .passes = 1};
constexpr std::string_view passphrase = "correct horse battery staple";
constexpr std::string_view sentinel = "Xylophonkonzert-im-Mondlicht";
constexpr std::size_t page_size = 4096;

struct Profile {
    Profile()
        : account(crypto::AccountKeyPair::generate(rng)),
          master(must(Vault::create(paths.vault(), bytes_of(passphrase), cheap, account, rng),
                      "making a vault")),
          key(store_key(master)) {}

    [[nodiscard]] ClientStore open() const {
        return must(ClientStore::open(paths.database(), key), "opening");
    }
    /// Words in every kind of place: names, texts, the search index, settings.
    void write_words(int messages = 120) const {
        auto store = open();
        auto transaction = store.begin();
        Contact contact;
        contact.name = sentinel;
        contact.address = must(crypto::Address::parse("bob@chat.example"), "parsing an address");
        contact.server_host = "chat.example";
        contact.server_port = 7443;
        contact.record = to_bytes(bytes_of(sentinel));
        must(store.add_contact(contact), "adding a contact");
        must(store.put_setting(sentinel, sentinel), "putting a setting");
        for (int i = 0; i < messages; ++i) {
            Message message;
            message.id.fill(static_cast<std::byte>(i));
            message.id[1] = static_cast<std::byte>(i >> 8);
            message.contact = contact.id;
            message.kind = 20;
            message.text = std::string{sentinel} + " " + std::to_string(i);
            if (!must(store.add_message(message), "adding a message"))
                throw std::runtime_error("a message twice");
        }
        must(transaction.commit(), "committing");
    }

    TemporaryFolder folder;
    ProfilePaths paths{folder.path()};
    crypto::SystemRng rng;
    crypto::AccountKeyPair account;
    crypto::MasterKey master;
    DatabaseKey key;
};

void wrong_passphrases(Check& check) {
    const Profile profile;
    const auto refused = [&](std::string_view words) {
        const auto opened = Vault::open(profile.paths.vault(), bytes_of(words));
        check.expect(!opened && opened.error().code == Code::wrong_passphrase, "another passphrase");
    };
    for (std::size_t i = 0; i < passphrase.size(); ++i) {
        std::string words{passphrase};
        words[i] = static_cast<char>(words[i] ^ 1);
        refused(words);
    }
    refused("");
    refused(passphrase.substr(1));
    refused(std::string{passphrase} + " ");
    const auto right = must(Vault::open(profile.paths.vault(), bytes_of(passphrase)), "opening the vault");
    check.expect(crypto::equal_constant_time(right.expose(), profile.master.expose()), "the right one opens");
}

void changed_vaults(Check& check) {
    const Profile profile;
    const auto whole = read_file(profile.paths.vault());
    for (std::size_t at = 0; at < whole.size(); ++at) {
        auto text = whole;
        text[at] = static_cast<char>(text[at] ^ (at % 2 == 0 ? 1 : 0x40));
        // Costs that a changed byte asks for may be gigabytes; those are refused by their range or not tried.
        if (at >= 1 && at < 9 && at != 4) continue;
        write_file(profile.paths.vault(), text);
        // Each of the two wrapped keys covers what stands before it; together they cover the file.
        const bool opens = Vault::open(profile.paths.vault(), bytes_of(passphrase)).has_value() &&
                           Vault::account_key(profile.paths.vault(), bytes_of(passphrase)).has_value();
        check.expect(!opens, "byte " + std::to_string(at));
    }
    for (std::size_t size = 0; size < whole.size(); ++size) {
        write_file(profile.paths.vault(), std::string_view{whole}.substr(0, size));
        check.expect(!Vault::open(profile.paths.vault(), bytes_of(passphrase)), "a vault that was cut");
    }
    write_file(profile.paths.vault(), whole);
    check.expect(Vault::open(profile.paths.vault(), bytes_of(passphrase)).has_value(), "the whole one opens");
}

void changed_passphrases(Check& check) {
    Profile profile;
    const auto file = profile.paths.vault();
    must(Vault::change(file, bytes_of(passphrase), bytes_of("a new one"), cheap, profile.rng), "changing");
    const auto master = must(Vault::open(file, bytes_of("a new one")), "opening");
    check.expect(crypto::equal_constant_time(master.expose(), profile.master.expose()),
                 "the same master key");
    check.expect(!Vault::open(file, bytes_of(passphrase)), "the old passphrase is over");
    check.expect(!Vault::change(file, bytes_of(passphrase), bytes_of("x"), cheap, profile.rng),
                 "and changes nothing any more");
}

void other_keys(Check& check) {
    const Profile profile;
    profile.write_words(5);
    const auto before = read_file(profile.paths.database());
    for (std::size_t at = 0; at < 32; at += 3) {
        Array<32> key;
        std::ranges::copy(profile.key.expose(), key.begin());
        key.at(at) ^= std::byte{1};
        const auto opened = ClientStore::open(profile.paths.database(), DatabaseKey{key});
        check.expect(!opened && opened.error().code == Code::damaged, "another key");
    }
    check.expect(read_file(profile.paths.database()) == before, "and nothing was written");
    check.expect(profile.open().contacts()->size() == 1, "the right one opens");
}

std::size_t look_for_words(Check& check, const Profile& profile) {
    std::size_t files = 0;
    const auto hex = crypto::to_hex(profile.key.expose());
    for (const auto& entry : std::filesystem::recursive_directory_iterator{profile.folder.path()}) {
        const auto text = read_file(entry.path());
        ++files;
        for (const std::string_view word :
             {sentinel, sentinel.substr(0, 8), sentinel.substr(18), std::string_view{"xylophon"}, passphrase,
              chars_of(profile.key.expose()), chars_of(profile.master.expose()),
              chars_of(profile.account.seed().expose()), std::string_view{hex},
              std::string_view{"SQLite format"}, std::string_view{"CREATE TABLE"}})
            check.expect(text.find(word) == std::string::npos,
                         entry.path().filename().string() + " is readable");
    }
    return files;
}

void nothing_readable(Check& check) {
    const Profile profile;
    profile.write_words();
    std::size_t files = 0;
    {
        auto store = profile.open();
        must(store.put_setting("another", sentinel), "putting a setting");
        files = look_for_words(check, profile);
    }
    look_for_words(check, profile);
    check.expect(files >= 4, "vault, database, its log and the log's index are looked through");
    check.note(std::to_string(files) + " files looked through while open");
}

void looks_random(Check& check) {
    const Profile profile;
    profile.write_words(400);
    const auto text = read_file(profile.paths.database());
    std::vector<double> histogram(256);
    for (const char c : text) ++histogram[static_cast<unsigned char>(c)];
    const double expected = static_cast<double>(text.size()) / 256;
    double chi_square = 0;
    for (const double count : histogram) chi_square += (count - expected) * (count - expected) / expected;
    check.expect(text.size() > 100'000, "the file is large enough to tell");
    // 255 degrees of freedom: mean 255, deviation 22.6; eight of these on each side.
    check.expect(chi_square > 74 && chi_square < 436, "every byte is as frequent as the others");
    std::set<std::string_view> blocks;
    for (std::size_t at = 0; at + 16 <= text.size(); at += 16)
        check.expect(blocks.insert(std::string_view{text}.substr(at, 16)).second,
                     "sixteen bytes are repeated");
    check.note(std::to_string(text.size()) + " bytes, chi-square " +
               std::to_string(static_cast<int>(chi_square)) + " at 255 degrees of freedom");
    check.series("store-bytes", std::move(histogram));
}

void every_page(Check& check) {
    const Profile profile;
    profile.write_words(60);
    const auto file = profile.paths.database();
    const auto whole = read_file(file);
    const auto pages = whole.size() / page_size;
    for (std::size_t page = 0; page < pages; ++page) {
        const auto at = page * page_size + (page * 1327 + 16) % page_size;
        auto text = whole;
        text[at] = static_cast<char>(text[at] ^ 0x10);
        write_file(file, text);
        auto store = ClientStore::open(file, profile.key);
        check.expect(!store || !store->database().check(), "page " + std::to_string(page));
    }
    write_file(file, whole);
    auto store = profile.open();
    check.expect(store.database().check().has_value(), "the whole file is sound");
    check.note(std::to_string(pages) + " pages");
}

void cut_files(Check& check) {
    const Profile profile;
    profile.write_words(60);
    const auto file = profile.paths.database();
    const auto whole = read_file(file);
    for (std::size_t size = 1; size < whole.size(); size += 3 * page_size / 2 + 1) {
        write_file(file, std::string_view{whole}.substr(0, size));
        auto store = ClientStore::open(file, profile.key);
        check.expect(!store || !store->database().check(), "cut to " + std::to_string(size));
    }
}

void two_stores(Check& check) {
    const Profile a;
    const Profile b;
    a.write_words(20);
    b.write_words(20);
    const auto one = read_file(a.paths.database());
    const auto two = read_file(b.paths.database());
    std::set<std::string_view> blocks;
    for (const std::string_view text : {std::string_view{one}, std::string_view{two}})
        for (std::size_t at = 0; at + 16 <= text.size(); at += 16)
            check.expect(blocks.insert(text.substr(at, 16)).second, "the stores have bytes in common");
}

constexpr std::array checks{
    Definition{"Every other passphrase is refused", "docs/protocol.md section 9.1", wrong_passphrases,
               "Disk.AStolenHomeOpensNothingWithoutThePassphrase"},
    Definition{"A changed or cut vault opens nothing", "storage/vault.hpp", changed_vaults},
    Definition{"After a change of passphrase the old one is over", "storage/vault.hpp", changed_passphrases},
    Definition{"Every other database key is refused and nothing written", "storage/database.hpp", other_keys},
    Definition{"No file shows a word, a key or what kind of file it is", "storage/database.hpp",
               nothing_readable,
               "Disk.AStolenHomeOpensNothingWithoutThePassphrase "
               "Disk.NothingThatWasSaidAndNoPrivateKeyStandsInAnyFile"},
    Definition{"The database's bytes look random", "chi-square and repeated blocks", looks_random},
    Definition{"A changed bit is found in every page", "SQLCipher's HMAC", every_page,
               "DamageTest.IsFoundInEveryPage"},
    Definition{"A file that was cut is found", "SQLCipher's HMAC", cut_files},
    Definition{"Two stores with the same words have nothing in common", "storage/database.hpp", two_stores},
};

}  // namespace

std::span<const Definition> store_checks() {
    return checks;
}

}  // namespace sotto::audit
