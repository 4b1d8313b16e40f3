// What a service manager is told, by the program and from inside its sandbox: sd_notify(3).
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>

#include "keyserver_net/program_fixture.hpp"

namespace sotto::keyserver::test {
namespace {

/// The manager's end of the socket.
class Manager {
  public:
    explicit Manager(const std::filesystem::path& at) : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const auto name = at.string();
        EXPECT_LT(name.size(), sizeof address.sun_path);
        name.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
        EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    }
    Manager(const Manager&) = delete;
    Manager& operator=(const Manager&) = delete;
    ~Manager() { ::close(fd_); }

    /// True once it has been told this, whatever else it is told before.
    [[nodiscard]] bool hears(std::string_view what) const {
        const auto until = std::chrono::steady_clock::now() + patience;
        while (std::chrono::steady_clock::now() < until) {
            pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
            if (::poll(&waiting, 1, 1000) <= 0) continue;
            std::array<char, 512> text{};
            const auto size = ::recv(fd_, text.data(), text.size(), 0);
            if (size > 0 && std::string_view{text.data(), static_cast<std::size_t>(size)} == what)
                return true;
        }
        return false;
    }

  private:
    int fd_;
};

using ServiceManager = ProgramTest;

TEST_F(ServiceManager, IsToldWhenTheServerIsReadyAliveReloadingAndStopping) {
    ASSERT_TRUE(init().exit.ok());
    const auto socket = folder / "notify";
    const Manager manager{socket};
    sotto::test::Command command;
    command.args = {SOTTO_KEYSERVER, "run", "--data", data()};
    command.environment = {{"NOTIFY_SOCKET", socket.string()}};
    process.emplace(command);
    EXPECT_TRUE(manager.hears("READY=1")) << process->errors();
    EXPECT_TRUE(manager.hears("WATCHDOG=1")) << process->errors();
    process->kill(SIGHUP);
    EXPECT_TRUE(manager.hears("RELOADING=1")) << process->errors();
    EXPECT_TRUE(manager.hears("READY=1")) << process->errors();
    process->kill(SIGTERM);
    EXPECT_TRUE(manager.hears("STOPPING=1")) << process->errors();
    const auto exit = process->wait(patience);
    ASSERT_TRUE(exit);
    EXPECT_TRUE(exit->ok()) << process->errors();
}

}  // namespace
}  // namespace sotto::keyserver::test
