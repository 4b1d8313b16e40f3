// The loop that drives an engine: nobody who writes to it keeps it from everything else.
#include "sotto/client/runner.hpp"

#include "client/world.hpp"

namespace sotto::client::test {
namespace {

class NoNetwork final : public Transport {
  public:
    void open(ConnectionId /*id*/, Purpose /*purpose*/, const protocol::Endpoint& /*endpoint*/) override {}
    void send(ConnectionId /*id*/, Bytes /*frame*/) override {}
    void close(ConnectionId /*id*/) override {}
    std::optional<NetworkEvent> wait(std::chrono::steady_clock::time_point /*deadline*/) override {
        ++waits;
        return std::nullopt;
    }
    void wake() override { ++wakes; }
    int waits = 0;
    int wakes = 0;
};

class NoPaths final : public DirectTransport {
  public:
    void perform(DirectAction /*action*/) override {}
};

/// A contact who writes faster than anybody reads: whenever something of theirs is taken, the next is there.
class RunnerTest : public testing::Test {
  protected:
    RunnerTest() {
        runner.go_direct([this](DirectTransport::Sink into) {
            sink = std::move(into);
            return std::make_unique<NoPaths>();
        });
        runner.on_direct_event([this](const DirectEvent& /*event*/) {
            ++taken;
            flood();
        });
    }
    void flood() {
        if (!sink(StreamBytes{1, Bytes(100)})) ADD_FAILURE() << "not taken in";
    }

    World world{7};
    SimServer& server = world.add_server("one.example");
    Client& alice = world.add("alice", server);
    NoNetwork network;
    Runner runner{alice.engine(), network};
    DirectTransport::Sink sink;
    int taken = 0;
};

TEST_F(RunnerTest, LooksAtEverythingElseHoweverFastAContactWrites) {
    flood();
    EXPECT_EQ(runner.run([this] { return network.waits >= 3; }), Runner::Ended::done);
    EXPECT_GT(taken, 0);
    EXPECT_GT(network.wakes, 0) << "what is left is taken without waiting for anything";
}

TEST_F(RunnerTest, CanBeInterruptedHoweverFastAContactWrites) {
    runner.on_direct_event([this](const DirectEvent& /*event*/) {
        if (++taken == 50) runner.interrupt();
        flood();
    });
    flood();
    EXPECT_EQ(runner.run([] { return false; }), Runner::Ended::interrupted);
    EXPECT_EQ(taken, 50);
}

}  // namespace
}  // namespace sotto::client::test
