// Whatever is wrong gets one sentence and the right exit code, and nothing is lost.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <memory>

#include "integration/world.hpp"

namespace sotto::test {
namespace {

void expect_refused(const Finished& finished, int code, std::string_view word) {
    EXPECT_FALSE(finished.timed_out);
    EXPECT_EQ(finished.exit.code, code) << finished.output << finished.errors;
    EXPECT_TRUE(is_one_sentence(finished.errors));
    EXPECT_NE(finished.errors.find(word), std::string::npos)
        << "does not say \"" << word << "\": " << finished.errors;
}

std::string without_pin(const std::string& link) {
    return link.substr(0, link.find('#'));
}

TEST(BadInput, WrongPin) {
    World world{World::Acquainted::no};
    Person eve(world.folder(), "eve");
    const auto pin = std::string(43, 'A');
    expect_refused(eve.run({"init", "--server", without_pin(world.server().link()) + "#" + pin, "--user",
                            "eve", "--kdf-memory", "8", "--kdf-passes", "1"}),
                   4, "pin");
}

TEST(BadInput, SelfSignedCertificateWithoutAPin) {
    World world{World::Acquainted::no};
    Person eve(world.folder(), "eve");
    expect_refused(eve.run({"init", "--server", without_pin(world.server().link()), "--user", "eve",
                            "--kdf-memory", "8", "--kdf-passes", "1"}),
                   4, "certificate");
}

TEST(BadInput, ServerDown) {
    World world;
    EXPECT_EQ(world.server().stop(), 0);
    Person eve(world.folder(), "eve");
    expect_refused(eve.init(world.server()), 3, "server");
    expect_refused(world.alice().run({"receive", "--timeout", "2"}), 3, "server");
    expect_refused(world.alice().run({"invite"}), 3, "server");
    // Nothing is left of the failed beginning that would be in the way.
    world.server().start();
    EXPECT_TRUE(eve.init(world.server()).exit.ok());
}

TEST(BadInput, UnknownContact) {
    World world;
    expect_refused(world.alice().run({"send", "nobody", "hello"}), 1, "nobody");
    expect_refused(world.alice().run({"history", "nobody"}), 1, "nobody");
    expect_refused(world.alice().run({"verify", "nobody"}), 1, "nobody");
    expect_refused(world.alice().run({"contact", "show", "nobody"}), 1, "nobody");
    expect_refused(world.alice().run({"contact", "remove", "nobody"}), 1, "nobody");
}

TEST(BadInput, UsedLink) {
    World world{World::Acquainted::no};
    Person eve(world.folder(), "eve");
    ASSERT_TRUE(eve.init(world.server()).exit.ok());
    const auto link = link_in(world.alice().run({"invite"}).output);
    ASSERT_TRUE(world.bob().run({"contact", "add", link}).exit.ok());
    expect_refused(eve.run({"contact", "add", link}), 1, "used");
    EXPECT_TRUE(json_lines(eve.run({"--json", "contact", "list"}).output).empty());
    // and still used after Alice has met Bob
    ASSERT_TRUE(world.alice().run({"receive"}).exit.ok());
    EXPECT_NE(eve.run({"contact", "add", link}).exit.code, 0);
}

TEST(BadInput, LinkThatIsNone) {
    World world;
    const auto link = link_in(world.alice().run({"invite"}).output);
    expect_refused(world.bob().run({"contact", "add", "hello"}), 1, "link");
    expect_refused(world.bob().run({"contact", "add", link.substr(0, link.size() - 5)}), 1, "link");
    expect_refused(world.alice().run({"contact", "add", link}), 1, "own");
}

TEST(BadInput, TakenName) {
    World world{World::Acquainted::no};
    std::filesystem::create_directory(world.folder() / "elsewhere");
    Person other(world.folder() / "elsewhere", "alice");
    expect_refused(other.init(world.server()), 1, "taken");
}

TEST(BadInput, NamesWithStrangeCharacters) {
    World world{World::Acquainted::no};
    for (const auto* name : {"", "a", "Alice", "al ice", "alice@home", "../alice", "\x1b[31mred", "аlice",
                             "-rf", "a234567890123456789012345678901234"}) {
        Person eve(world.folder(), "eve");
        const auto made = eve.run({"init", "--server", world.server().link(), "--user=" + std::string{name},
                                   "--kdf-memory", "8", "--kdf-passes", "1"});
        EXPECT_EQ(made.exit.code, 1) << name;
        EXPECT_TRUE(is_one_sentence(made.errors));
        EXPECT_EQ(made.errors.find('\x1b'), std::string::npos);
    }
}

TEST(BadInput, RegistrationInvites) {
    TemporaryFolder folder;
    Server server(folder / "server", "invite");
    server.start();
    Person alice(folder.path(), "alice");
    expect_refused(alice.init(server), 1, "invite");
    expect_refused(alice.init(server, {"--invite", "never-made"}), 1, "invite");
    const auto made = server.command({"invite"});
    ASSERT_TRUE(made.exit.ok()) << made.errors;
    const auto token = lines_of(made.output).at(0);
    EXPECT_TRUE(alice.init(server, {"--invite", token}).exit.ok());
    Person bob(folder.path(), "bob");
    expect_refused(bob.init(server, {"--invite", token}), 1, "invite");
}

TEST(BadInput, ClosedRegistration) {
    TemporaryFolder folder;
    Server server(folder / "server", "closed");
    server.start();
    Person alice(folder.path(), "alice");
    expect_refused(alice.init(server), 1, "no new accounts");
}

TEST(BadInput, MessageOver64KiB) {
    World world;
    expect_refused(world.alice().run({"send", "bob", "-"}, std::string(65537, 'x')), 1, "64 KiB");
    EXPECT_TRUE(json_lines(world.alice().run({"--json", "history", "bob"}).output).empty());
}

TEST(BadInput, InvalidUtf8AndEmptyMessages) {
    World world;
    expect_refused(world.alice().run({"send", "bob", "-"}, std::string{"bad \xc3\x28"}), 1, "UTF-8");
    expect_refused(world.alice().run({"send", "bob", "\xff"}), 1, "UTF-8");
    expect_refused(world.alice().run({"send", "bob", "-"}, std::string{}), 1, "empty");
    EXPECT_TRUE(json_lines(world.alice().run({"--json", "history", "bob"}).output).empty());
}

TEST(BadInput, WrongPassphrase) {
    World world;
    const auto before = read_file(world.alice().home() / "vault");
    write_file(world.alice().passphrase_file(), "not it\n");
    expect_refused(world.alice().run({"whoami"}), 1, "passphrase");
    EXPECT_EQ(read_file(world.alice().home() / "vault"), before);
}

TEST(BadInput, CorruptedVault) {
    World world;
    const auto vault = world.alice().home() / "vault";
    const auto whole = read_file(vault);
    write_file(vault, whole.substr(0, whole.size() / 2));
    expect_refused(world.alice().run({"whoami"}), 1, "vault");
    write_file(vault, whole);
    EXPECT_TRUE(world.alice().run({"whoami"}).exit.ok());
}

TEST(BadInput, CorruptedStore) {
    World world;
    const auto store = world.alice().home() / "store.db";
    auto bytes = read_file(store);
    for (std::size_t i = 0; i < bytes.size(); i += 512) bytes[i] = static_cast<char>(bytes[i] ^ 0x20);
    write_file(store, bytes);
    expect_refused(world.alice().run({"whoami"}), 1, "damaged");
    EXPECT_EQ(read_file(store), bytes) << "a damaged store was changed";
}

TEST(BadInput, ProfileInUse) {
    World world;
    Process reader(world.alice().command({"receive", "--follow"}));
    ASSERT_TRUE(world.bob().run({"send", "alice", "are you there?"}).exit.ok());
    ASSERT_TRUE(reader.wait_for("are you there?", std::chrono::seconds{30}));
    expect_refused(world.alice().run({"whoami"}), 1, "Another process");
}

TEST(BadInput, NoProfile) {
    TemporaryFolder folder;
    Person nobody(folder.path(), "nobody");
    expect_refused(nobody.run({"whoami"}), 1, "init");
}

TEST(BadInput, AProfileThatIsThereIsNotOverwritten) {
    World world;
    const auto before = read_file(world.alice().home() / "vault");
    EXPECT_EQ(world.alice().init(world.server()).exit.code, 1);
    EXPECT_EQ(read_file(world.alice().home() / "vault"), before);
    EXPECT_TRUE(world.alice().run({"whoami"}).exit.ok());
}

TEST(BadInput, ServerFolderInUse) {
    World world{World::Acquainted::no};
    const auto again = world.server().command({"init", "--listen", "127.0.0.1:1"});
    EXPECT_EQ(again.exit.code, 1);
    EXPECT_TRUE(is_one_sentence(again.errors));
}

TEST(BadInput, FullDisk) {
    if (geteuid() != 0) GTEST_SKIP() << "mounting a small file system needs root";
    World world;
    const auto disk = world.folder() / "disk";
    std::filesystem::create_directory(disk);
    const auto mounted =
        run({.args = {"/bin/mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk.string()}});
    if (!mounted.exit.ok()) GTEST_SKIP() << "no tmpfs can be mounted here: " << mounted.errors;
    const std::shared_ptr<void> unmount{
        nullptr, [&](void*) { static_cast<void>(run({.args = {"/bin/umount", "-l", disk.string()}})); }};

    Person carol(disk, "carol");
    ASSERT_TRUE(carol.init(world.server()).exit.ok());
    World::acquaint(world.alice(), carol);
    ASSERT_TRUE(carol.run({"send", "alice", "before it was full"}).exit.ok());
    // Fill what is left.
    {
        std::string filler(1 << 16, 'f');
        int n = 0;
        std::error_code full;
        while (std::filesystem::space(disk, full).available > 0 && n < 100)
            write_file(disk / ("filler" + std::to_string(n++)),
                       filler.substr(0, std::min<std::uintmax_t>(filler.size(),
                                                                 std::filesystem::space(disk).available)));
    }
    ASSERT_TRUE(world.alice().run({"send", "carol", std::string(60000, 'm')}).exit.ok());
    const auto got = carol.run({"--json", "receive", "--timeout", "5"});
    EXPECT_NE(got.exit.code, 0);
    EXPECT_NE(got.errors.find("full"), std::string::npos) << got.errors;
    EXPECT_TRUE(texts(got).empty());
    // With room again it arrives: the server had not been told that it had been taken in.
    for (const auto& entry : std::filesystem::directory_iterator(disk))
        if (entry.path().filename().string().starts_with("filler")) std::filesystem::remove(entry.path());
    EXPECT_EQ(texts(carol.run({"--json", "receive", "--timeout", "10"})),
              std::vector<std::string>{std::string(60000, 'm')});
}

}  // namespace
}  // namespace sotto::test
