// The sandbox, tried from inside: each test enters it in a process of its own and looks at what is left.
#include "keyserver/sandbox/sandbox.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <thread>

#include "support/process.hpp"

namespace sotto::keyserver {
namespace {

namespace fs = std::filesystem;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#elif defined(__has_feature)
constexpr bool sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool sanitized = false;
#endif

/// Ports that nothing of this machine's is likely to hold.
constexpr std::uint16_t some_port = 47313;
constexpr std::uint16_t other_port = 47314;

class SandboxTest : public testing::Test {
  protected:
    void SetUp() override {
        if (sanitized) GTEST_SKIP() << "a sanitizer's own work needs what the sandbox forbids";
        for (const auto* const name : {"data", "keys", "elsewhere"}) fs::create_directory(folder / name);
        for (const auto* const name : {"data/old", "keys/key", "elsewhere/secret"})
            test::write_file(folder / name, "x");
    }
    [[nodiscard]] SandboxRules rules() const {
        return {.writable = {folder / "data"},
                .readable = {folder / "keys", folder / "is not there"},
                .ports = {some_port}};
    }
    /// How a process ends that has entered the sandbox and done this: 0 if every `look` of its held, else the
    /// number of the first that didn't; 100 if it could not enter; minus the signal that ended it.
    [[nodiscard]] int inside(const std::function<void(const Sandbox&)>& what) const {
        return inside(rules(), what);
    }
    [[nodiscard]] static int inside(const SandboxRules& rules,
                                    const std::function<void(const Sandbox&)>& what) {
        const auto pid = ::fork();
        if (pid == 0) {
            const auto entered = enter_sandbox(rules);
            if (!entered) ::_exit(100);
            what(*entered);
            ::_exit(0);
        }
        int status = 0;
        EXPECT_EQ(::waitpid(pid, &status, 0), pid);
        return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    }
    /// Errno of opening, or 0.
    static int opening(const fs::path& file, int flags) {
        const int fd = ::open(file.c_str(), flags | O_CLOEXEC, 0600);
        if (fd < 0) return errno;
        ::close(fd);
        return 0;
    }
    /// Errno of listening on the loopback interface, or 0.
    static int listening(std::uint16_t port) {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0) return errno;
        const int on = 1;
        ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_port = htons(port);
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const bool bound =
            ::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 && ::listen(fd, 1) == 0;
        const int error = bound ? 0 : errno;
        ::close(fd);
        return error;
    }
    test::TemporaryFolder folder;
};

void look(int number, bool held) {
    if (!held) ::_exit(number);
}

TEST_F(SandboxTest, OfFilesOnlyTheNamedFoldersAreLeft) {
    EXPECT_EQ(inside([&](const Sandbox& sandbox) {
                  if (sandbox.landlock == 0) return;
                  look(1, opening(folder / "data/old", O_RDWR) == 0);
                  look(2, opening(folder / "data/new", O_CREAT | O_WRONLY) == 0);
                  look(3, ::rename((folder / "data/new").c_str(), (folder / "data/newer").c_str()) == 0);
                  look(4, ::unlink((folder / "data/newer").c_str()) == 0);
                  look(5, opening(folder / "keys/key", O_RDONLY) == 0);
                  look(6, opening(folder / "keys/key", O_WRONLY) == EACCES);
                  look(7, opening(folder / "keys/new", O_CREAT | O_WRONLY) == EACCES);
                  look(8, opening(folder / "elsewhere/secret", O_RDONLY) == EACCES);
                  look(9, opening("/etc/passwd", O_RDONLY) == EACCES);
                  look(10, ::rename((folder / "data/old").c_str(), (folder / "elsewhere/old").c_str()) != 0);
              }),
              0);
}

TEST_F(SandboxTest, OnlyTheNamedPortsCanBeListenedOnAndNobodyIsCalled) {
    EXPECT_EQ(
        inside([&](const Sandbox& sandbox) {
            if (sandbox.landlock >= 4) {
                look(1, listening(some_port) == 0);
                look(2, listening(other_port) == EACCES);
                look(3, listening(0) == EACCES);
            }
            if (!sandbox.seccomp) return;
            sockaddr_in at{};
            at.sin_family = AF_INET;
            at.sin_port = htons(some_port);
            at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            look(4, fd >= 0);
            look(5, ::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 && errno == EPERM);
            look(6, ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0) < 0 && errno == EPERM);
        }),
        0);
}

/// The first listener takes what the kernel picks, the others take the same.
TEST_F(SandboxTest, APortThatTheKernelPicksCanBeSharedByFurtherListeners) {
    auto any = rules();
    any.ports = {0};
    EXPECT_EQ(inside(any,
                     [](const Sandbox& sandbox) {
                         look(1, listening(0) == 0);
                         look(2, listening(some_port) == 0);
                         const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
                         sockaddr_in at{};
                         at.sin_family = AF_INET;
                         at.sin_port = htons(some_port);
                         at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
                         const int called = ::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at);
                         look(3, !sandbox.seccomp || (called != 0 && errno == EPERM));
                     }),
              0);
}

TEST_F(SandboxTest, ThreadsStartAndOtherProcessesDoNot) {
    EXPECT_EQ(inside([](const Sandbox& sandbox) {
                  bool ran = false;
                  std::thread{[&] { ran = true; }}.join();
                  look(1, ran);
                  if (sandbox.seccomp) look(2, ::fork() < 0 && errno == EPERM);
              }),
              0);
}

TEST_F(SandboxTest, WhoStartsAProgramIsEnded) {
    const int ended = inside([](const Sandbox& sandbox) {
        if (!sandbox.seccomp) static_cast<void>(std::raise(SIGSYS));
        ::execl("/bin/true", "true", nullptr);
        look(1, false);
    });
    EXPECT_EQ(ended, -SIGSYS);
}

TEST_F(SandboxTest, ItHoldsForThreadsToCome) {
    EXPECT_EQ(inside([&](const Sandbox& sandbox) {
                  if (sandbox.landlock == 0) return;
                  int error = 0;
                  std::thread{[&] { error = opening(folder / "elsewhere/secret", O_RDONLY); }}.join();
                  look(1, error == EACCES);
              }),
              0);
}

TEST_F(SandboxTest, AFolderThatIsNotThereCanNotBeWritten) {
    const auto pid = ::fork();
    if (pid == 0) {
        const auto entered =
            enter_sandbox({.writable = {folder / "is not there"}, .readable = {}, .ports = {}});
        ::_exit(!entered && entered.error().contains("is not there") ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(Sandbox, SaysWhatItIsMadeOf) {
    EXPECT_EQ(describe({.landlock = 7, .seccomp = true}),
              "files and TCP ports by Landlock 7, system calls by seccomp");
    EXPECT_EQ(describe({.landlock = 3, .seccomp = true}), "files by Landlock 3, system calls by seccomp");
    EXPECT_EQ(describe({}),
              "files by nothing, as this kernel has no Landlock, system calls by nothing, as it has "
              "no seccomp");
}

}  // namespace
}  // namespace sotto::keyserver
