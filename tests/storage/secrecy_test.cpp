// What the files show to somebody without the key.
#include <array>
#include <set>

#include "sotto/crypto/codec.hpp"
#include "sotto/storage/profile.hpp"
#include "stores.hpp"

namespace sotto::storage::test {
namespace {

constexpr std::string_view sentinel = "Xylophonkonzert-im-Mondlicht";

class SecrecyTest : public ::testing::Test {
  protected:
    void SetUp() override {
        const crypto::MasterKey master{numbered<32>(99)};
        key = store_key(master);
        crypto::SeededRng rng{5};
        must(Vault::create(paths.vault(), bytes_of(sentinel), {.memory_kib = 8 * 1024, .passes = 1},
                           crypto::AccountKeyPair::generate(rng), rng));
    }
    static void say_everywhere(ClientStore& store) {
        auto transaction = store.begin();
        auto bob = some_contact("bob");
        bob.name = sentinel;
        bob.record = to_bytes(bytes_of(sentinel));
        must(store.add_contact(bob));
        must(store.put_setting(sentinel, sentinel));
        auto item = some_item(bob.id, 1);
        item.content = to_bytes(bytes_of(sentinel));
        must(store.queue(item));
        must(store.quarantine(numbered<16>(1), bytes_of(sentinel), 1));
        for (std::uint32_t i = 0; i < 300; ++i) {
            auto message = some_message(bob.id, i);
            message.text = std::string{sentinel} + " " + std::to_string(i);
            message.raw = to_bytes(bytes_of(sentinel));
            ASSERT_TRUE(must(store.add_message(message)));
        }
        must(transaction.commit());
        ASSERT_EQ(must(store.history(bob.id, sentinel, -1)).size(), 300U);
    }
    /// The number of files that were looked at.
    int expect_nothing_readable() const {
        const auto hex = crypto::to_hex(key.expose());
        int files = 0;
        for (const auto& entry : std::filesystem::recursive_directory_iterator{folder.path()}) {
            const auto text = file_text(entry.path());
            ++files;
            for (const std::string_view word :
                 {sentinel, std::string_view{"Xylophon"}, std::string_view{"Mondlicht"},
                  std::string_view{"xylophon"}, chars_of(key.expose()), std::string_view{hex},
                  std::string_view{"SQLite format"}, std::string_view{"CREATE TABLE"}})
                EXPECT_EQ(text.find(word), std::string::npos) << entry.path().filename() << " shows " << word;
        }
        return files;
    }
    Scratch folder;
    ProfilePaths paths{folder.path()};
    DatabaseKey key;
};

TEST_F(SecrecyTest, NoFileShowsAWordThatWasStored) {
    {
        auto store = must(ClientStore::open(paths.database(), key));
        say_everywhere(store);
        EXPECT_EQ(expect_nothing_readable(), 4);  // vault, database, log and its index
        must(store.database().backup_to(folder / "backup.db", key));
        EXPECT_EQ(expect_nothing_readable(), 5);
    }
    EXPECT_EQ(expect_nothing_readable(), 3);
}

TEST_F(SecrecyTest, NoFileShowsAWordAfterACrash) {
    Line line;
    Child child{[&] {
        auto store = must(ClientStore::open(paths.database(), key));
        say_everywhere(store);
        const Transaction transaction{store.database()};
        must(store.put_setting(sentinel, std::string(3'000'000, 'x') + std::string{sentinel}));
        line.say(1);
        ::pause();
    }};
    ASSERT_EQ(line.hear(), 1U);
    child.kill();
    EXPECT_GE(expect_nothing_readable(), 3);
}

TEST_F(SecrecyTest, NothingIsWrittenOutsideTheFolder) {
    const Scratch elsewhere;
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(elsewhere.path());
    {
        auto store = must(ClientStore::open(paths.database(), key));
        say_everywhere(store);
        // A sort that is too large for the cache would go to a file if temp_store were not memory.
        must(store.database().execute("SELECT * FROM messages ORDER BY text"));
        EXPECT_TRUE(std::filesystem::is_empty(elsewhere.path()));
    }
    std::filesystem::current_path(before);
}

TEST_F(SecrecyTest, TheFileLooksRandomFromItsFirstByte) {
    {
        auto store = must(ClientStore::open(paths.database(), key));
        say_everywhere(store);
    }
    const auto text = file_text(paths.database());
    ASSERT_GT(text.size(), 100'000U);
    std::array<double, 256> histogram{};
    for (const char c : text) ++histogram[static_cast<unsigned char>(c)];
    const double expected = static_cast<double>(text.size()) / 256;
    double chi_square = 0;
    for (const double count : histogram) chi_square += (count - expected) * (count - expected) / expected;
    // 255 degrees of freedom: mean 255, deviation 22.6; eight of these on each side.
    EXPECT_GT(chi_square, 74);
    EXPECT_LT(chi_square, 436);
    std::set<std::string_view> blocks;
    for (std::size_t at = 0; at + 16 <= text.size(); at += 16)
        blocks.insert(std::string_view{text}.substr(at, 16));
    EXPECT_EQ(blocks.size(), text.size() / 16) << "blocks of 16 bytes are repeated";
}

TEST_F(SecrecyTest, TwoStoresUnderOneKeyHaveNothingInCommon) {
    for (const auto* const name : {"a.db", "b.db"}) must(ClientStore::open(folder / name, key));
    const auto a = file_text(folder / "a.db");
    const auto b = file_text(folder / "b.db");
    ASSERT_EQ(a.size(), b.size());
    EXPECT_NE(a.substr(0, 16), b.substr(0, 16));
    std::set<std::string_view> blocks;
    for (const std::string_view text : {std::string_view{a}, std::string_view{b}})
        for (std::size_t at = 0; at + 16 <= text.size(); at += 16) blocks.insert(text.substr(at, 16));
    EXPECT_EQ(blocks.size(), 2 * a.size() / 16);
}

TEST_F(SecrecyTest, ADeletedWordLeavesTheStoreItself) {
    auto store = must(ClientStore::open(paths.database(), key));
    say_everywhere(store);
    const auto bob = must(store.contact_by_name(sentinel)).value();
    must(store.remove_contact(bob.id));
    must(store.put_setting(sentinel, ""));
    must(store.drop_quarantined_before(1000));
    must(store.database().execute("DELETE FROM settings"));
    // Read through the cipher: every page that the file still has, as somebody with the key would see it.
    auto tables = store.database().prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE 'CREATE T%'");
    while (must(tables.step())) {
        auto rows = store.database().prepare("SELECT * FROM \"" + tables.text(0) + "\"");
        while (must(rows.step()))
            for (int column = 0; column < 6; ++column) {
                const auto text = rows.text(column);
                EXPECT_EQ(text.find("ylophon"), std::string::npos) << tables.text(0);
                EXPECT_EQ(text.find("mondlicht"), std::string::npos) << tables.text(0);
            }
    }
}

}  // namespace
}  // namespace sotto::storage::test
