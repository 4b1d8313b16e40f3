#include "freeze.hpp"

#include <fstream>

#include "schema.hpp"
#include "sotto/storage/client_store.hpp"
#include "sotto/storage/profile.hpp"
#include "vectors.hpp"

namespace sotto::vectors {
namespace {

using namespace crypto;  // NOLINT(google-build-using-namespace): nearly every name here is of there

constexpr std::int64_t frozen_at = 20000LL * 86'400'000;

/// Two people whose messages are sealed and opened in any order.
class Talk {
  public:
    Talk(const Person& initiator, const Person& responder)
        : alice{must(
                    initiate(initiator.local(), responder.bundle(true, "kem_one_time"), nullptr, 20000, rng_),
                    "initiate"),
                {}},
          bob{accepted(responder, say(alice, "hello")), {}} {}

    Bytes say(End& from, std::string_view content) {
        auto sealed = must(from.session.seal(bytes_of(content), now_ms, rng_), "seal");
        from.session = std::move(sealed.next);
        return std::move(sealed.envelope);
    }
    void hear(End& to, const Bytes& envelope) {
        Json none;
        const auto step = open_step(to, none, envelope, now_ms, &rng_);
        expect_that(!step.contains("error"), "it opens");
    }
    void round_trip() {
        hear(bob, say(alice, "ping"));
        hear(alice, say(bob, "pong"));
    }

  private:
    Session accepted(const Person& responder, const Bytes& bytes) {
        const auto envelope = must(Envelope::parse(bytes), "envelope");
        const auto header = must(parse_handshake(envelope), "handshake");
        return must(accept(responder.local(), responder.keys_for(header), envelope, now_ms, rng_), "accept")
            .first.next.clone();
    }
    SeededRng rng_{2026};

  public:
    std::int64_t now_ms = frozen_at;
    End alice;
    End bob;
};

struct OnTheWay {
    Bytes envelope;
    const char* content;
};

Json side_of(const End& end, const std::vector<OnTheWay>& arriving) {
    Json out{{"record", end.record()}, {"kept", Json::array()}, {"opens", Json::array()}};
    for (const auto& [id, key] : end.keys)
        out["kept"].push_back({{"chain", id.first}, {"n", id.second}, {"key", hex(key.expose())}});
    for (const auto& one : arriving)
        out["opens"].push_back({{"envelope", hex(one.envelope)}, {"content", one.content}});
    return out;
}

Json pair_of(const char* name, const Talk& talk, const std::vector<OnTheWay>& to_alice,
             const std::vector<OnTheWay>& to_bob) {
    return {{"name", name}, {"alice", side_of(talk.alice, to_alice)}, {"bob", side_of(talk.bob, to_bob)}};
}

/// Messages of Alice's that Bob hasn't got while later ones of two turns are there.
std::vector<OnTheWay> lose_some(Talk& talk) {
    std::vector<OnTheWay> lost;
    for (const auto* const content : {"lost in one chain", "lost in the next"}) {
        lost.push_back({talk.say(talk.alice, content), content});
        talk.round_trip();
    }
    return lost;
}

/// Bob offers a key within a chain, and Alice's ciphertext comes within one too: he is ready before he turns.
void make_bob_ready(Talk& talk) {
    talk.hear(talk.bob, talk.say(talk.alice, "before"));
    const auto first_of_bob = talk.say(talk.bob, "before the key");
    talk.hear(talk.alice, first_of_bob);
    const auto first_of_alice = talk.say(talk.alice, "before the ciphertext");
    talk.now_ms += 3'600'000;
    talk.hear(talk.alice, talk.say(talk.bob, "the key"));
    const auto answer = talk.say(talk.alice, "the ciphertext");
    talk.hear(talk.bob, first_of_alice);
    talk.hear(talk.bob, answer);
    expect_that(talk.bob.state().epochs.stage == EpochStage::ready, "Bob is ready");
    expect_that(talk.alice.state().epochs.stage == EpochStage::answered, "Alice has answered");
}

// ---- the store ----

template <class T>
T done(storage::Result<T> result) {
    if (!result) throw std::runtime_error("the store: " + result.error().detail);
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

storage::Contact contact_of(const Person& who) {
    storage::Contact contact;
    contact.name = "alice";
    contact.address = who.record.body().address;
    contact.server_host = "chat.example";
    contact.server_port = 7443;
    contact.server_pin = Array<32>{std::byte{7}};
    contact.record = to_bytes(who.record.bytes());
    contact.state = storage::ContactState::confirmed;
    contact.verified = storage::Verified::number;
    contact.their_shared_token = Array<32>{std::byte{8}};
    contact.next_sequence = 12;
    contact.highest_seen = 34;
    contact.added_at = frozen_at;
    contact.introduced = true;
    contact.heard_at = frozen_at + 3;
    contact.reset_at = frozen_at + 4;
    contact.resets = 2;
    return contact;
}

/// A contact of Bob's who was shut out, and whom another key had appeared for.
storage::Contact blocked_contact(const Person& who) {
    auto contact = contact_of(who);
    contact.name = "blocked";
    contact.address = {"mallory", "chat.example"};
    contact.state = storage::ContactState::changed;
    contact.blocked = true;
    contact.other_record = to_bytes(who.record.bytes());
    return contact;
}

void put_messages(storage::ClientStore& store, std::int64_t contact) {
    storage::Message message;
    message.id = {std::byte{1}};
    message.contact = contact;
    message.kind = 20;
    message.text = "kept from the first version on";
    message.sequence = 34;
    message.sent_at = frozen_at;
    message.received_at = frozen_at + 1;
    expect_that(done(store.add_message(message)), "the message is new");
    storage::OutboxItem item;
    item.id = {std::byte{2}};
    item.contact = contact;
    item.content = to_bytes(bytes_of("not sent yet"));
    item.queued_at = frozen_at + 2;
    done(store.queue(item));
    item.id = {std::byte{3}};
    item.content = to_bytes(bytes_of("not acknowledged yet"));
    item.envelope_id = storage::EnvelopeId{std::byte{4}};
    item.envelope = Bytes(160);
    item.device = 1;
    item.accepted = true;
    item.accepted_at = frozen_at + 5;
    item.pushed = true;
    done(store.queue(item));
}

void put_session(storage::ClientStore& store, std::int64_t contact, const End& end) {
    done(store.put_session({end.session.clone(), contact, 1, false}, frozen_at));
    for (const auto& [id, key] : end.keys)
        done(store.put_kept_key(end.session.id(), {id.first, id.second, key.clone()}, frozen_at));
}

/// Bob's profile, with the last of the frozen pairs as his session with Alice.
void freeze_store(const std::filesystem::path& folder, const Files& files, const Json& states) {
    std::filesystem::create_directories(folder);
    const storage::ProfilePaths paths{folder};
    const World world{files, nullptr};
    const auto alice = world.person("alice");
    const auto bob = world.person("bob");
    SystemRng rng;
    const auto master = done(storage::Vault::create(paths.vault(), bytes_of(frozen_passphrase),
                                                    {.memory_kib = 8192, .passes = 1}, bob.account, rng));
    auto store = done(storage::ClientStore::open(paths.database(), storage::store_key(master)));
    done(store.put_identity({.address = bob.record.body().address,
                             .device = bob.device,
                             .signing_key = bob.signing.clone(),
                             .identity_key = bob.identity.clone(),
                             .server_host = "2001:db8::7",
                             .server_port = 7443,
                             .server_pin = Array<32>{std::byte{9}},
                             .next_server_pin = std::nullopt,
                             .registered = true,
                             .unbound_accepted = false,
                             .shared_token = Token{Array<32>{std::byte{10}}}}));
    done(store.put_own_record(bob.record));
    auto contact = contact_of(alice);
    done(store.add_contact(contact));
    put_session(store, contact.id, frozen_end(states.at("pairs").back().at("bob")));
    put_messages(store, contact.id);
    auto blocked = blocked_contact(alice);
    done(store.add_contact(blocked));
    done(store.put_invite({InviteSecret{Array<32>{std::byte{11}}}, frozen_at, frozen_at + 1000, 0}));
    done(store.owe_acknowledgement(contact.id, {std::byte{1}}));
}

}  // namespace

End frozen_end(const Json& side) {
    End end{must(Session::parse(bytes(side, "record")), "record"), {}};
    for (const auto& one : side.at("kept"))
        end.keys.emplace(std::pair{number<std::uint32_t>(one, "chain"), number<std::uint32_t>(one, "n")},
                         secret<MessageKey>(one, "key"));
    return end;
}

Json frozen_states() {
    const auto files = generate();
    const World world{files, nullptr};
    Talk talk{world.person("alice"), world.person("bob")};
    Json pairs = Json::array();

    const auto again = talk.say(talk.alice, "hello again");
    const auto hi = talk.say(talk.bob, "hi");
    pairs.push_back(pair_of("Alice awaits a reply", talk, {{hi, "hi"}}, {{again, "hello again"}}));
    talk.hear(talk.bob, again);
    talk.hear(talk.alice, hi);
    const auto key = talk.say(talk.alice, "the key");
    pairs.push_back(pair_of("Alice has offered, Bob is idle", talk, {}, {{key, "the key"}}));
    talk.hear(talk.bob, key);
    const auto answer = talk.say(talk.bob, "the ciphertext");
    pairs.push_back(pair_of("Alice has offered, Bob has answered", talk, {{answer, "the ciphertext"}}, {}));
    talk.hear(talk.alice, answer);
    const auto entered = talk.say(talk.alice, "epoch 1");
    pairs.push_back(pair_of("Alice is an epoch ahead", talk, {}, {{entered, "epoch 1"}}));
    talk.hear(talk.bob, entered);
    talk.hear(talk.alice, talk.say(talk.bob, "epoch 1 as well"));
    pairs.push_back(pair_of("both are idle in epoch 1", talk, {}, {}));
    const auto lost = lose_some(talk);
    make_bob_ready(talk);
    pairs.push_back(pair_of("Bob is ready and remembers chains, Alice has answered", talk, {}, lost));
    return {{"about",
             "Session records (section 7.6) with their kept keys, and envelopes that were on their way. "
             "Every later "
             "version opens them. All keys are test data."},
            {"now_ms", talk.now_ms},
            {"pairs", pairs}};
}

void freeze(const std::filesystem::path& folder) {
    const auto states = frozen_states();
    const auto format = text(states.at("pairs").at(0).at("alice"), "record").substr(1, 1);
    const auto file = folder / "state" / ("format-" + format + ".json");
    std::filesystem::create_directories(file.parent_path());
    if (!std::filesystem::exists(file)) std::ofstream{file} << printed(states);
    const auto store =
        folder / "store" / ("schema-" + std::to_string(storage::detail::client_migrations().size()));
    if (!std::filesystem::exists(store)) freeze_store(store, generate(), states);
}

}  // namespace sotto::vectors
