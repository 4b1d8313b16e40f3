// The end of a server at any moment: whatever it has answered for is there afterwards, once.
#include <array>
#include <atomic>
#include <set>
#include <thread>

#include "keyserver_net/program_fixture.hpp"

namespace sotto::keyserver::test {
namespace {

class SignalsTest : public ProgramTest {
  protected:
    SignalsTest() { EXPECT_TRUE(init({"--registration", "open"}).exit.ok()); }

    /// What a sender was told of each of its envelopes.
    struct Told {
        std::set<std::string> delivered;
        std::set<std::string> stored;
    };
    /// Sends until the server is gone, several at a time.
    [[nodiscard]] Told send_until_gone(const std::string& prefix) const {
        Told told;
        TlsPeer sender{port};
        if (!sender.open(protocol::delivery_target)) return told;
        std::uint32_t sent = 0;
        std::uint32_t answered = 0;
        while (true) {
            constexpr std::uint32_t window = 8;
            while (sent < answered + window) {
                const auto text = prefix + std::to_string(sent);
                auto request = deliver_request("bob", 1, text, envelope(text), "token");
                request.set_id(++sent);
                if (!sender.send(request)) return told;
            }
            const auto answer = sender.receive();
            if (!answer) return told;
            if (answer->has_closing()) continue;
            ++answered;
            const auto text = prefix + std::to_string(answer->id() - 1);
            if (state_of(answer) == wire::DELIVERY_STORED) told.stored.insert(text);
            if (state_of(answer) == wire::DELIVERY_DELIVERED) told.delivered.insert(text);
        }
    }
    /// Receives and acknowledges until the server is gone; what was acknowledged.
    static std::set<std::string> receive_until_gone(TlsPeer& peer, std::atomic<int>& seen) {
        std::set<std::string> got;
        std::uint32_t request_id = 1000;
        while (const auto reply = peer.receive()) {
            if (!reply->has_incoming()) continue;
            auto request = acknowledge_request({reply->incoming().envelope_id()});
            request.set_id(++request_id);
            got.insert(reply->incoming().envelope().substr(1));
            if (!peer.send(request)) break;
            ++seen;
        }
        return got;
    }
    /// All that waits, each once.
    std::set<std::string> drain_mailbox(TlsPeer& peer, std::uint32_t waiting) {
        std::set<std::string> got;
        for (std::uint32_t i = 0; i < waiting; ++i) {
            const auto push = peer.push();
            EXPECT_TRUE(push && push->has_incoming());
            if (!push || !push->has_incoming()) break;
            EXPECT_TRUE(got.insert(push->incoming().envelope().substr(1)).second) << "came twice";
            EXPECT_TRUE(peer.ask(acknowledge_request({push->incoming().envelope_id()})).has_done());
        }
        return got;
    }

    /// The recipient online, two senders, and `signal` in the middle of it.
    void end_in_the_middle(int signal, int round) {
        start();
        auto online = logged_in(bob, round == 0);
        if (round == 0) set_shared(online, "token");
        std::array<Told, 2> told;
        std::set<std::string> got;
        std::atomic<int> seen = 0;
        std::thread receiver{[&] { got = receive_until_gone(online, seen); }};
        std::array<std::thread, 2> senders;
        for (std::size_t i = 0; i < senders.size(); ++i)
            senders.at(i) = std::thread{[&, i] {
                told.at(i) = send_until_gone(std::to_string(round) + "." + std::to_string(i) + ".");
            }};
        for (int waits = 0; seen < 40 + 7 * round && waits < 60'000; ++waits)
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        process->kill(signal);
        for (auto& sender : senders) sender.join();
        receiver.join();
        ASSERT_TRUE(process->wait(patience));

        start();
        std::uint32_t waiting = 0;
        auto back = logged_in(bob, false, "", &waiting);
        const auto later = drain_mailbox(back, waiting);
        for (const auto& one : told) {
            for (const auto& text : one.delivered)
                EXPECT_TRUE(got.contains(text)) << text << " was never received";
            // Stored: it came before the end, or it waits; what was acknowledged may wait once more.
            for (const auto& text : one.stored)
                EXPECT_TRUE(got.contains(text) || later.contains(text)) << text << " was lost";
            answers += one.delivered.size() + one.stored.size();
        }
        stop();
    }

    const TestDevice bob{"bob", 1, 1, "127.0.0.1"};
    std::size_t answers = 0;
};

TEST_F(SignalsTest, SigkillInTheMiddleOfARelayLosesNothingThatWasAnswered) {
    for (int round = 0; round < 4; ++round) end_in_the_middle(SIGKILL, round);
    EXPECT_GT(answers, 50U);
}

TEST_F(SignalsTest, SigtermInTheMiddleOfARelayLosesNothingThatWasAnswered) {
    for (int round = 0; round < 4; ++round) end_in_the_middle(SIGTERM, round);
    EXPECT_GT(answers, 50U);
}

TEST_F(SignalsTest, SigtermTellsEveryClientWhenToComeBackAndKeepsWhatTheyHaveNotAcknowledged) {
    start();
    auto online = logged_in(bob, true);
    set_shared(online, "token");
    TlsPeer sender{port};
    ASSERT_TRUE(sender.open(protocol::delivery_target));
    auto request = deliver_request("bob", 1, "kept", envelope("kept"), "token");
    request.set_id(77);
    ASSERT_TRUE(sender.send(request));
    const auto pushed = online.push();
    ASSERT_TRUE(pushed && pushed->has_incoming());  // and not acknowledged
    process->kill(SIGTERM);
    const auto answer = sender.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(state_of(answer), wire::DELIVERY_STORED);
    for (auto* peer : {&sender, &online}) {
        const auto push = peer->push();
        ASSERT_TRUE(push && push->has_closing());
        EXPECT_GT(push->closing().retry_after_ms(), 0U);
        EXPECT_TRUE(peer->wait_for_end());
    }
    const auto exit = process->wait(patience);
    ASSERT_TRUE(exit && exit->ok());
    start();
    std::uint32_t waiting = 0;
    auto back = logged_in(bob, false, "", &waiting);
    EXPECT_EQ(waiting, 1U);
    stop();
}

TEST_F(SignalsTest, SignalsInARowDoNotEndItEarlyOrTwice) {
    start();
    for (int i = 0; i < 20; ++i) process->kill(SIGHUP);
    ASSERT_TRUE(process->wait_for("reloaded", patience, true));
    TlsPeer peer{port};
    EXPECT_TRUE(peer.open(protocol::delivery_target));
    process->kill(SIGTERM);
    process->kill(SIGTERM);
    process->kill(SIGHUP);
    const auto exit = process->wait(patience);
    ASSERT_TRUE(exit);
    EXPECT_TRUE(exit->ok()) << process->errors();
}

}  // namespace
}  // namespace sotto::keyserver::test
