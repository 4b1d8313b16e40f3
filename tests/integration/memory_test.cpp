// What stands in the running server's memory: while people are there no text of theirs, no pair of contacts
// and no address beside a name; and after they have left nothing of what they showed. Attack 9.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include "integration/world.hpp"
#include "sotto/crypto/codec.hpp"
#include "sotto/storage/client_store.hpp"
#include "sotto/storage/profile.hpp"

namespace sotto::test {
namespace {

constexpr std::chrono::seconds patience{60};
constexpr auto status_text = "gone-to-the-greengrocer";
constexpr auto said_text = "medlar-by-the-millrace";

/// The process's writable memory, piece by piece; false if nobody lets us.
bool read_memory(pid_t pid, const std::function<void(ByteView, const std::string& mapping)>& take) {
    const auto folder = "/proc/" + std::to_string(pid);
    const int memory = ::open((folder + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
    std::ifstream maps{folder + "/maps"};
    if (memory < 0 || !maps) {
        if (memory >= 0) ::close(memory);
        return false;
    }
    bool any = false;
    for (std::string line; std::getline(maps, line);) {
        // 7f0000000000-7f0000001000 rw-p …
        std::istringstream words{line};
        std::uint64_t from = 0;
        std::uint64_t to = 0;
        char dash = 0;
        std::string may;
        if (!(words >> std::hex >> from >> dash >> to >> may) || !may.starts_with("rw")) continue;
        Bytes piece(to - from);
        const auto got = ::pread(memory, piece.data(), piece.size(), static_cast<off_t>(from));
        if (got <= 0) continue;
        any = true;
        take(ByteView{piece}.first(static_cast<std::size_t>(got)), line);
    }
    ::close(memory);
    return any;
}

/// How often these bytes stand in it.
std::size_t count_in(ByteView memory, ByteView bytes) {
    std::size_t count = 0;
    for (auto at = memory.begin();; ++at) {
        at = std::search(at, memory.end(), std::boyer_moore_horspool_searcher(bytes.begin(), bytes.end()));
        if (at == memory.end()) return count;
        ++count;
    }
}
std::size_t in_memory(pid_t pid, ByteView bytes) {
    std::size_t count = 0;
    read_memory(pid,
                [&](ByteView piece, const std::string& /*mapping*/) { count += count_in(piece, bytes); });
    return count;
}

/// Where they stand, with what is around them.
std::string whereabouts(pid_t pid, ByteView bytes) {
    std::string out;
    read_memory(pid, [&](ByteView piece, const std::string& mapping) {
        const auto at = std::search(piece.begin(), piece.end(), bytes.begin(), bytes.end());
        if (at == piece.end()) return;
        const auto offset = static_cast<std::size_t>(at - piece.begin());
        const auto from = offset < 48 ? 0 : offset - 48;
        out += mapping + "\n" +
               crypto::to_hex(piece.subspan(from, std::min<std::size_t>(144, piece.size() - from))) + "\n";
    });
    return out;
}

/// What this person is found by, these days.
std::vector<crypto::PresenceTopic> topics_of(const Person& person) {
    const storage::ProfilePaths paths{person.home()};
    auto passphrase = read_file(person.passphrase_file());
    passphrase.pop_back();
    const auto master = storage::Vault::open(paths.vault(), bytes_of(passphrase));
    if (!master) throw std::runtime_error("the vault doesn't open");
    auto store = storage::ClientStore::open(paths.database(), storage::store_key(*master));
    if (!store) throw std::runtime_error("the store doesn't open");
    std::vector<crypto::PresenceTopic> out;
    const auto contacts = store->contacts();
    for (const auto& contact : contacts.value()) {
        const auto row = store->presence(contact.id).value();
        if (!row.own) continue;
        for (std::uint32_t ahead = 0; ahead < 3; ++ahead)
            if (const auto key = crypto::presence_key_at(row.own->key, row.own->day, row.own->day + ahead))
                out.push_back(crypto::presence_topic(*key));
    }
    return out;
}

class MemoryTest : public testing::Test {
  protected:
    void SetUp() override {
#ifdef SOTTO_SANITIZED
        GTEST_SKIP() << "a sanitizer keeps what is freed, to look at it";
#endif
        if (!read_memory(::getpid(), [](ByteView, const std::string&) {}) ||
            !read_memory(world.server().pid(), [](ByteView, const std::string&) {}))
            GTEST_SKIP() << "the memory of another process can't be read here";
    }
    static Process chat(const Person& person, const std::string& with) {
        return Process{person.command({"chat", "--plain", with})};
    }
    static bool ended_well(Process& process) { return process.wait(patience).value_or(Exited{}).ok(); }
    World world;
};

TEST_F(MemoryTest, OfThoseWhoHaveLeftNothingIsThere) {
    ASSERT_TRUE(world.alice().run({"presence", "busy", status_text}).exit.ok());
    auto alice = chat(world.alice(), "bob");
    auto bob = chat(world.bob(), "alice");
    ASSERT_TRUE(bob.wait_for(status_text, patience)) << bob.output();
    ASSERT_TRUE(alice.wait_for("bob is online", patience)) << alice.output();
    alice.write(std::string{said_text} + "\n");
    ASSERT_TRUE(bob.wait_for(said_text, patience)) << bob.output();
    const auto server = world.server().pid();
    EXPECT_EQ(in_memory(server, bytes_of(status_text)), 0U) << "a status is sealed";
    EXPECT_EQ(in_memory(server, bytes_of(said_text)), 0U);

    // The search finds what is there: each is logged in under a name.
    EXPECT_GT(in_memory(server, bytes_of(world.alice().name())), 0U);

    for (auto* const process : {&alice, &bob}) {
        process->write("/quit\n");
        EXPECT_TRUE(ended_well(*process));
    }
    auto topics = topics_of(world.alice());
    for (const auto& topic : topics_of(world.bob())) topics.push_back(topic);
    ASSERT_GE(topics.size(), 4U);
    for (int i = 0; i < 20; ++i) {
        std::size_t left = 0;
        for (const auto& topic : topics) left += in_memory(server, topic);
        if (left == 0) break;
        // The last frames may still be on their way out.
        std::this_thread::sleep_for(std::chrono::milliseconds{100});
    }
    for (const auto& topic : topics)
        EXPECT_EQ(in_memory(server, topic), 0U) << crypto::to_hex(topic) << " is still there:\n"
                                                << whereabouts(server, topic);
}

TEST_F(MemoryTest, TheSearchFindsTopicsWhileTheirOwnersAreThere) {
    // Once so that there are keys, then again: those of the first time are found in the second.
    std::vector<crypto::PresenceTopic> topics;
    for (const bool again : {false, true}) {
        auto alice = chat(world.alice(), "bob");
        auto bob = chat(world.bob(), "alice");
        ASSERT_TRUE(bob.wait_for("alice is online", patience)) << bob.output();
        ASSERT_TRUE(alice.wait_for("bob is online", patience)) << alice.output();
        if (again) {
            std::size_t found = 0;
            for (const auto& topic : topics) found += in_memory(world.server().pid(), topic);
            EXPECT_GE(found, 1U);
        }
        for (auto* const process : {&alice, &bob}) {
            process->write("/quit\n");
            EXPECT_TRUE(ended_well(*process));
        }
        topics = topics_of(world.alice());
    }
}

}  // namespace
}  // namespace sotto::test
