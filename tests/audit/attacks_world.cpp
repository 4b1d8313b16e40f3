// Attacks on the client's engine, with the key server's own rules, over a simulated network and clock.
#include <algorithm>
#include <cstdlib>
#include <set>

#include "attacks.hpp"
#include "client/world.hpp"
#include "people.hpp"

namespace sotto::audit {

using client::Exit;
using client::test::Client;
using client::test::SimServer;
using client::test::take;
using client::test::World;
using storage::ContactState;
using storage::MessageState;
using storage::PrekeyKind;

namespace {

struct Pair {
    explicit Pair(std::uint64_t seed = 1) : world(seed) {}

    World world;
    SimServer& server = world.add_server("one.example");
    Client& alice = world.add("alice", server);
    Client& bob = world.add("bob", server);

    [[nodiscard]] bool befriend() {
        if (bob.join(alice.invite(), "alice")) return false;
        return world.run([&] { return confirmed(alice, "bob") && confirmed(bob, "alice"); });
    }
    static bool confirmed(Client& client, const std::string& name) {
        const auto contact = client.contact(name);
        return contact && contact->state == ContactState::confirmed;
    }
    [[nodiscard]] bool delivered(Client& client, const std::string& to, const storage::MessageId& id) {
        return world.run([&] { return client.state_of(to, id) == MessageState::delivered; });
    }
    [[nodiscard]] std::size_t sessions(Client& client, const std::string& with) {
        return client.store().sessions_of(client.contact(with)->id)->size();
    }
    /// Puts an envelope into Alice's mailbox, as anybody with a token could; she gets it at her next log-in.
    [[nodiscard]] bool slip_in(ByteView envelope, unsigned id) {
        return server.slip_in("alice", envelope, static_cast<std::uint16_t>(id));
    }
    [[nodiscard]] bool log_in_again() {
        alice.stop();
        alice.start();
        return world.run([&] { return server.mail_waiting() == 0 && alice.engine().idle(); });
    }
};

/// The first envelope with a handshake that the server hands out.
std::optional<Bytes> handshake_in(const wire::Reply& reply) {
    if (!reply.has_incoming()) return std::nullopt;
    auto bytes = to_bytes(bytes_of(reply.incoming().envelope()));
    const auto envelope = crypto::Envelope::parse(bytes);
    if (!envelope || !envelope->has_handshake()) return std::nullopt;
    return bytes;
}

/// SOTTO_TEST_SCALE, as in scripts/test: how much of a long attack is carried out.
double scale() {
    const char* const text =
        std::getenv("SOTTO_TEST_SCALE");  // NOLINT(concurrency-mt-unsafe): nobody sets it
    return text == nullptr ? 1 : std::clamp(std::strtod(text, nullptr), 0.01, 1.0);
}

crypto::HandshakeHeader header_of(ByteView envelope) {
    return must(crypto::parse_handshake(*crypto::Envelope::parse(envelope)), "parsing a handshake");
}

}  // namespace

void attack_replayed_handshake(Check& check) {
    Pair pair;
    // The server is out of one-time keys.
    must(pair.server.database().execute("DELETE FROM one_time_prekeys"), "using up the one-time prekeys");
    std::optional<Bytes> real;
    pair.server.lie = [&](wire::Reply& reply) {
        if (!real) real = handshake_in(reply);
    };
    check.expect(pair.befriend() && pair.world.settle(), "two people meet");
    if (!check.expect(real.has_value(), "a handshake went by")) return;
    const auto header = header_of(*real);
    check.expect(header.kem_kind == crypto::KemPrekeyKind::last_resort && !header.one_time_prekey,
                 "it was made on last-resort keys");
    const auto before = pair.sessions(pair.alice, "bob");
    const auto heard = pair.alice.heard("bob").size();
    for (unsigned i = 0; i < 5; ++i) {
        check.expect(pair.slip_in(*real, 100 + i) && pair.log_in_again(), "it is delivered again");
        check.expect(pair.sessions(pair.alice, "bob") == before, "and makes no second session");
        auto bent = *real;
        bent.back() ^= std::byte{1};
        check.expect(pair.slip_in(bent, 200 + i) && pair.log_in_again(), "with another message under it");
        check.expect(pair.sessions(pair.alice, "bob") == before, "neither");
    }
    check.expect(pair.alice.heard("bob").size() == heard, "nothing is shown twice");
    check.expect(pair.delivered(pair.bob, "alice", pair.bob.send("alice", "x")), "the two go on");
}

void attack_forged_first_message(Check& check) {
    Pair pair;
    std::optional<Bytes> real;
    pair.server.lie = [&](wire::Reply& reply) {
        if (real) return;
        real = handshake_in(reply);
        if (!real) return;
        auto& envelope = *reply.mutable_incoming()->mutable_envelope();
        envelope.back() = static_cast<char>(envelope.back() ^ 1);
    };
    check.expect(!pair.bob.join(pair.alice.invite(), "alice"), "Bob writes");
    check.expect(pair.world.run([&] { return real.has_value() && pair.alice.engine().idle(); }),
                 "the server forges");
    pair.world.run_for(1000);
    if (!real) return;
    const auto header = header_of(*real);
    auto& store = pair.alice.store();
    const auto left = [&] {
        return header.one_time_prekey &&
               store.prekey(PrekeyKind::one_time, *header.one_time_prekey).value() &&
               store.prekey(PrekeyKind::one_time_kem, header.kem_prekey).value();
    };
    check.expect(left(), "no one-time key is spent");
    check.expect(store.contacts()->empty() && store.sessions()->empty(), "no contact, no session");
    check.expect(pair.slip_in(*real, 1) && pair.log_in_again(), "the real one comes after all");
    check.expect(pair.alice.contact("bob").has_value(), "and opens");
    const auto spent = pair.alice.store().prekey(PrekeyKind::one_time, header.one_time_prekey.value_or(0));
    check.expect(spent && !*spent, "only then the key is spent");
}

void attack_prekey_drain(Check& check) {
    Pair pair;
    must(pair.server.database().execute("UPDATE accounts SET discoverable = 1 WHERE user = 'bob'"),
         "making an account discoverable");
    const auto ask_on = [&](keyserver::ConnectionId connection, const std::string& token) {
        wire::Request request;
        request.set_id(1);
        request.mutable_fetch_prekeys()->set_user("bob");
        request.mutable_fetch_prekeys()->set_device(pair.bob.store().identity().value()->device);
        request.mutable_fetch_prekeys()->mutable_credential()->set_token(token);
        const auto frame = request.SerializeAsString();
        pair.server.receive(connection, bytes_of(frame));
        wire::Reply reply;
        for (const auto& out : pair.server.take())
            if (out.connection == connection && !out.close)
                (void)reply.ParseFromArray(out.frame.data(), static_cast<int>(out.frame.size()));
        return reply;
    };
    const auto connect = [&] {
        const auto connection = pair.server.accept(client::Purpose::delivery, {});
        (void)pair.server.take();
        return connection;
    };
    const auto before = pair.server.one_time_left();
    std::uint64_t answered = 0;
    const int fetches = static_cast<int>(10'000 * scale());
    auto stranger = connect();
    for (int i = 0; i < fetches; ++i) {
        // One stranger for the first half, and then another for each; a thousand in a second.
        ++pair.world.clock.now;
        if (i > fetches / 2) {
            pair.server.disconnect(stranger);
            stranger = connect();
        }
        const auto reply = ask_on(stranger, "");
        answered += reply.has_prekeys() && !reply.prekeys().kem_prekey().empty() ? 1U : 0U;
    }
    check.expect(answered == static_cast<std::uint64_t>(fetches), "nobody is refused");
    const auto spent = before - pair.server.one_time_left();
    check.expect(spent < 60, "few one-time keys are spent on strangers");
    check.note(std::to_string(spent) + " of " + std::to_string(before) + " one-time keys went in " +
               std::to_string(fetches) + " fetches");
    const auto token = pair.bob.store().identity().value()->shared_token.clone();
    const auto honest = ask_on(connect(), std::string{chars_of(token.expose())});
    check.expect(honest.has_prekeys() && !honest.prekeys().one_time().empty(), "a contact still gets one");
    // What begins without one-time keys is marked, and heals.
    crypto::SystemRng rng;
    const Person a{"a0@chat.example", rng};
    const Person b{"b0@chat.example", rng, 7};
    End one{must(begin(a, b.bundle(false)), "beginning"), rng};
    check.expect(one.session().weak_start(), "such a session is marked");
    End other{must(answer(b, one.seal("hello")), "answering").first, rng};
    auto thief = other.copy(rng);
    check.expect(
        one.hears(other.seal("1"), "1") && other.hears(one.seal("2"), "2") && one.hears(other.seal("3"), "3"),
        "one round trip");
    check.expect(thief.refuses(one.seal("4")), "and it has healed");
}

void attack_duplicates(Check& check) {
    int deaths = 0;
    for (int dies = 1; dies <= 9; ++dies) {
        Pair pair{static_cast<std::uint64_t>(dies)};
        check.expect(pair.befriend() && pair.world.settle(), "two people meet");
        pair.world.faults.duplicate = 10'000;
        pair.alice.rng().die_at(dies);
        const auto first = pair.bob.send("alice", "first");
        const auto second = pair.bob.send("alice", "second");
        pair.world.run_for(5000);
        if (!pair.alice.running()) {
            ++deaths;
            pair.alice.start();
        }
        pair.alice.rng().die_at(0);
        const auto third = pair.bob.send("alice", "third");
        check.expect(pair.delivered(pair.bob, "alice", first) && pair.delivered(pair.bob, "alice", second) &&
                         pair.delivered(pair.bob, "alice", third),
                     "each is acknowledged");
        check.expect(pair.alice.heard("bob") == std::vector<std::string>{"first", "second", "third"},
                     "each is shown once, in order");
    }
    check.expect(deaths > 1, "her client dies in the middle");
    check.note("her client died in " + std::to_string(deaths) + " of 9 rounds");
}

void attack_lying_server(Check& check) {
    Pair pair;
    check.expect(pair.befriend() && pair.world.settle(), "two people meet");
    const auto before = pair.sessions(pair.bob, "alice");
    // It says delivered and hands nothing out.
    pair.server.lie = [&](wire::Reply& reply) {
        if (reply.has_delivered()) reply.mutable_delivered()->set_state(wire::DELIVERY_DELIVERED);
        if (reply.has_incoming()) {
            reply.Clear();
            reply.mutable_prekeys_low()->set_one_time_left(100);
            reply.mutable_prekeys_low()->set_one_time_kem_left(100);
        }
    };
    std::vector<storage::MessageId> sent;
    for (int i = 0; i < 20; ++i) sent.push_back(pair.bob.send("alice", "withheld " + std::to_string(i)));
    pair.world.run_for(6LL * 3600 * 1000);
    for (const auto& id : sent)
        check.expect(pair.bob.state_of("alice", id) != MessageState::delivered,
                     "the server's word is no proof");
    // After one hour and after three; the wait doubles.
    const auto begun = pair.sessions(pair.bob, "alice") - before;
    check.expect(begun == 2, "and provokes no more than paced handshakes under the pinned key");
    check.note(std::to_string(begun) + " handshakes in six hours of lies");
    pair.server.lie = nullptr;
    check.expect(pair.log_in_again(), "the server hands out what it kept");
    check.expect(pair.delivered(pair.bob, "alice", sent.back()), "and all of it arrives");
    check.expect(pair.alice.heard("bob").size() == sent.size(), "once each");
}

void attack_restored_copy(Check& check) {
    Pair pair;
    check.expect(pair.befriend() && pair.world.settle(), "two people meet");
    pair.alice.stop();
    pair.alice.keep_copy();
    pair.alice.start();
    for (int i = 0; i < 5; ++i) {
        check.expect(pair.delivered(pair.alice, "bob", pair.alice.send("bob", "since the copy")),
                     "they talk");
        check.expect(pair.delivered(pair.bob, "alice", pair.bob.send("alice", "since the copy")),
                     "both ways");
    }
    check.expect(pair.world.settle(), "all is told");
    pair.alice.stop();
    const auto waiting = pair.bob.send("alice", "sealed for what is lost");
    pair.world.run_for(60'000);
    const auto heard = pair.bob.heard("alice").size();
    pair.alice.put_back();
    pair.alice.forget_notices();
    pair.alice.start();
    const auto first = pair.alice.send("bob", "after the copy");
    check.expect(pair.delivered(pair.bob, "alice", waiting), "what was sealed for the lost state arrives");
    check.expect(pair.delivered(pair.alice, "bob", first), "and what the copy says");
    check.expect(pair.alice.warned(Exit::done), "the copy is noticed at log-in, and its owner told");
    check.expect(pair.bob.heard("alice").size() == heard + 1, "nothing is shown twice");
}

void attack_resync_storm(Check& check) {
    Pair pair;
    check.expect(pair.befriend() && pair.world.settle(), "two people meet");
    const auto before = pair.sessions(pair.alice, "bob");
    std::uint64_t handshakes = 0;
    pair.server.lie = [&](wire::Reply& reply) { handshakes += handshake_in(reply) ? 1U : 0U; };
    crypto::SystemRng rng;
    for (unsigned i = 0; i < 100; ++i) {
        Bytes garbage(160 + 160 * (i % 6));
        rng.fill(garbage);
        garbage[0] = std::byte{crypto::envelope_message};
        check.expect(pair.slip_in(garbage, 1000 + i), "a message that can't be opened");
    }
    check.expect(pair.log_in_again(), "the server is rid of all of them");
    pair.world.run_for(2LL * 3600 * 1000);
    check.expect(handshakes <= 1 && pair.sessions(pair.alice, "bob") <= before + 1, "at most one reset");
    check.note(std::to_string(handshakes) + " handshakes for 100 of them");
    check.expect(pair.delivered(pair.bob, "alice", pair.bob.send("alice", "x")), "the two go on");
}

void attack_crossing(Check& check) {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        Pair pair{seed};
        const auto from_alice = pair.alice.invite();
        const auto from_bob = pair.bob.invite();
        check.expect(!pair.bob.join(from_alice, "alice") && !pair.alice.join(from_bob, "bob"), "both begin");
        check.expect(pair.world.run([&] { return pair.bob.contact("alice") && pair.alice.contact("bob"); }),
                     "both know each other");
        const auto hello = pair.bob.send("alice", "hello");
        const auto hi = pair.alice.send("bob", "hi");
        check.expect(pair.delivered(pair.bob, "alice", hello) && pair.delivered(pair.alice, "bob", hi),
                     "both first messages arrive");
        check.expect(pair.world.settle(), "all is quiet");
        const auto sending = [&](Client& client, const std::string& name) {
            std::vector<crypto::SessionId> out;
            for (const auto& row : take(client.store().sessions_of(client.contact(name)->id)))
                if (!row.archived) out.push_back(row.session.id());
            return out;
        };
        const auto alices = sending(pair.alice, "bob");
        check.expect(alices.size() == 1 && alices == sending(pair.bob, "alice"),
                     "one session sends, on both sides");
    }
}

void attack_reordering(Check& check) {
    Pair pair;
    check.expect(pair.befriend() && pair.world.settle(), "two people meet");
    pair.alice.forget_notices();
    std::size_t held = 0;
    pair.server.lie = [&](wire::Reply& reply) {
        if (!reply.has_incoming() || held > 0) return;
        ++held;
        reply.Clear();
        reply.mutable_prekeys_low()->set_one_time_left(100);
        reply.mutable_prekeys_low()->set_one_time_kem_left(100);
    };
    (void)pair.bob.send("alice", "one");
    check.expect(pair.world.run([&] { return held == 1; }), "the server keeps one back");
    (void)pair.bob.send("alice", "two");
    check.expect(pair.world.run([&] { return pair.alice.heard("bob").size() == 1; }), "the next one arrives");
    const auto arrived = pair.alice.notices<client::MessageArrived>();
    check.expect(!arrived.empty() && arrived.front().missing == 1, "and the gap is told");
    pair.server.lie = nullptr;
    check.expect(pair.log_in_again(), "the server hands it out");
    check.expect(pair.alice.heard("bob") == std::vector<std::string>{"two", "one"}, "it is read after all");
    const auto incoming = pair.alice.incoming("bob");
    check.expect(!incoming.empty() && incoming.back().late && !incoming.front().late, "and marked late");
    pair.world.faults.swap = 5000;
    pair.world.faults.duplicate = 5000;
    std::set<std::string> said;
    for (int i = 0; i < 60; ++i) {
        said.insert("many " + std::to_string(i));
        (void)pair.bob.send("alice", "many " + std::to_string(i));
        pair.world.run_for(100);
    }
    check.expect(pair.world.run([&] { return pair.alice.heard("bob").size() >= 62; }), "all arrive");
    const auto heard = pair.alice.heard("bob");
    check.expect(heard.size() == 62 && std::set<std::string>(heard.begin() + 2, heard.end()) == said,
                 "once each");
}

void attack_claimed_name(Check& check) {
    Pair pair;
    // Mallory has an account of the same address on a server that only calls itself one.example …
    auto& evil = pair.world.add_server("evil.example");
    evil.change_policy([](auto& policy) { policy.server_name = "one.example"; });
    evil.kill();
    evil.restart();
    (void)pair.world.add("carol", pair.server);
    auto& mallory = pair.world.add("carol", evil);
    const auto link = pair.alice.invite();
    // … and uses Alice's link with it at the real one.
    mallory.stop();
    auto identity = mallory.opened().identity().value();
    identity->server_host = pair.server.endpoint().host;
    identity->server_pin = pair.server.endpoint().pin;
    must(mallory.store().put_identity(*identity), "moving");
    mallory.start_sending();
    check.expect(!mallory.join(link, "alice"), "Mallory writes as carol");
    check.expect(pair.world.run([&] { return pair.alice.contact("carol").has_value(); }), "it arrives");
    pair.world.run_for(10'000);
    const auto carol = pair.alice.contact("carol");
    check.expect(carol && carol->state == ContactState::claimed, "the name is shown as claimed");
    check.expect(carol && carol->verified == storage::Verified::no, "and not as verified");
    check.expect(pair.alice.warned(Exit::untrusted), "and Alice is told");
}

}  // namespace sotto::audit
