// A thousand messages each way while server and clients are killed at random moments: each is shown exactly
// once, in the order in which it was sent. A failing run is run again with SOTTO_SEED=<the number that it
// printed>; SOTTO_TEST_SCALE shortens it.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <iostream>
#include <random>
#include <thread>

#include "integration/world.hpp"

namespace sotto::test {
namespace {

using namespace std::chrono_literals;

/// One side of the conversation: sends its lines and reads the other's, in processes that are killed now and
/// then.
class Side {
  public:
    Side(const Person& person, std::string peer, int count, std::uint64_t seed)
        : person_(&person), peer_(std::move(peer)), count_(count), random_(seed) {}

    [[nodiscard]] std::string line(int n) const { return person_->name() + " says " + std::to_string(n); }
    [[nodiscard]] bool done() const { return sent_ == count_ && static_cast<int>(shown_.size()) >= count_; }
    /// Texts by their row in the reader's store: a line that was printed just before a kill may be printed
    /// again.
    [[nodiscard]] const std::map<std::int64_t, std::string>& shown() const { return shown_; }
    [[nodiscard]] int kills() const { return kills_; }

    void round() {
        if (sent_ < count_) send_some();
        receive_some();
    }

  private:
    /// Runs to its end, or to a kill at a random moment.
    std::pair<bool, std::string> run_or_kill(const Command& command) {
        Process process(command);
        const bool doomed = random_() % 3 == 0;
        const auto life = doomed ? std::chrono::milliseconds{random_() % 600} : 120'000ms;
        const auto exited = process.wait(life);
        if (exited) return {true, process.output()};
        EXPECT_TRUE(doomed) << "a client hangs";
        process.kill(SIGKILL);
        process.wait(10s);
        ++kills_;
        return {false, process.output()};
    }

    void send_some() {
        std::string lines;
        const int upto = std::min(count_, sent_ + 10 + static_cast<int>(random_() % 40));
        for (int n = sent_; n < upto; ++n) lines += line(n) + "\n";
        auto command = person_->command({"send", peer_, "-", "--lines", "--timeout", "3"});
        command.input = lines;
        run_or_kill(command);
        // What is in the history has been queued; the rest has to be said again.
        const auto history = person_->run({"--json", "history", peer_, "--limit", "100000"});
        ASSERT_TRUE(history.exit.ok()) << history.errors;
        int queued = 0;
        for (const auto& message : json_lines(history.output))
            if (message.at("direction") == "outgoing") ++queued;
        ASSERT_GE(queued, sent_) << "a queued message is gone";
        sent_ = queued;
    }

    void receive_some() {
        const auto [whole, output] = run_or_kill(person_->command({"--json", "receive", "--timeout", "3"}));
        auto lines = lines_of(output);
        if (!whole && !output.empty() && output.back() != '\n')
            lines.pop_back();  // killed in the middle of a line
        for (const auto& text : lines) {
            const auto message = nlohmann::json::parse(text);
            const auto [at, fresh] = shown_.emplace(message.at("row"), message.at("text"));
            if (!fresh) {
                EXPECT_EQ(at->second, message.at("text").get<std::string>()) << "one row, two messages";
            }
        }
    }

    const Person* person_;
    std::string peer_;
    int count_;
    std::mt19937_64 random_;
    int sent_ = 0;
    int kills_ = 0;
    std::map<std::int64_t, std::string> shown_;
};

std::vector<std::string> in_order(const std::map<std::int64_t, std::string>& shown) {
    std::vector<std::string> out;
    for (const auto& [row, text] : shown) out.push_back(text);
    return out;
}

/// How many there are, and the first place where they differ: a thousand lines tell nobody anything.
testing::AssertionResult same(const std::vector<std::string>& got, const std::vector<std::string>& expected) {
    const auto [at, wanted] = std::ranges::mismatch(got, expected);
    if (at == got.end() && wanted == expected.end()) return testing::AssertionSuccess();
    auto failure = testing::AssertionFailure()
                   << got.size() << " of " << expected.size() << ", other than expected from number "
                   << at - got.begin() << " on:";
    for (auto line = at; line != got.end() && line - at < 12; ++line) failure << " [" << *line << ']';
    return failure;
}

TEST(Crash, EveryMessageIsShownExactlyOnceAndInOrderWhileAllAreKilled) {
    const auto seed = test_seed();
    const int count = std::max(20, static_cast<int>(1000 * test_scale()));
    std::cout << "SOTTO_SEED=" << seed << " messages each way: " << count << '\n' << std::flush;
    World world;
    Side alice(world.alice(), "bob", count, seed + 1);
    Side bob(world.bob(), "alice", count, seed + 2);

    std::atomic<bool> over = false;
    std::atomic<int> server_kills = 0;
    std::thread executioner([&] {
        std::mt19937_64 random(seed);
        while (!over) {
            std::this_thread::sleep_for(std::chrono::milliseconds{500 + random() % 3000});
            if (over) break;
            world.server().kill();
            std::this_thread::sleep_for(std::chrono::milliseconds{random() % 500});
            world.server().start();
            ++server_kills;
        }
    });
    const auto live = [](Side& side, const Side& other) {
        for (int round = 0; round < 4000 && !(side.done() && other.done()); ++round) {
            side.round();
            if (testing::Test::HasFatalFailure()) return;
        }
    };
    std::thread first([&] { live(alice, bob); });
    live(bob, alice);
    first.join();
    over = true;
    executioner.join();

    std::cout << "killed: server " << server_kills << ", alice's client " << alice.kills()
              << ", bob's client " << bob.kills() << '\n'
              << std::flush;
    EXPECT_GT(server_kills + alice.kills() + bob.kills(), 0);
    const auto expect_all = [count](const Side& from, const Side& to, const Person& reader,
                                    const std::string& peer) {
        std::vector<std::string> expected;
        for (int n = 0; n < count; ++n) expected.push_back(from.line(n));
        EXPECT_TRUE(same(in_order(to.shown()), expected));
        std::vector<std::string> kept;
        for (const auto& message :
             json_lines(reader.run({"--json", "history", peer, "--limit", "100000"}).output))
            if (message.at("direction") == "incoming") kept.push_back(message.at("text"));
        EXPECT_TRUE(same(kept, expected));
    };
    expect_all(alice, bob, world.bob(), "alice");
    expect_all(bob, alice, world.alice(), "bob");
}

}  // namespace
}  // namespace sotto::test
