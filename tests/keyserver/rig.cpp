#include "keyserver/rig.hpp"

#include "sotto/crypto/hash.hpp"

namespace sotto::keyserver::test {
namespace {

[[nodiscard]] std::string text_of(ByteView bytes) {
    return std::string{chars_of(bytes)};
}

template <std::size_t N>
[[nodiscard]] Array<N> array_of(std::string_view text) {
    Array<N> out{};
    for (std::size_t i = 0; i < N && i < text.size(); ++i) out[i] = static_cast<std::byte>(text[i]);
    return out;
}

[[nodiscard]] std::string filled(std::string_view word, std::size_t size) {
    return text_of(crypto::hash("Sotto/1/test", {bytes_of(word)})).substr(0, size);
}

[[nodiscard]] storage::Database open_database(const std::filesystem::path& file) {
    auto db = storage::Database::open(file, storage::DatabaseKey{array_of<32>("key")}, migrations,
                                      {.full_sync = false});
    if (!db) throw std::runtime_error(db.error().detail);
    return *std::move(db);
}

[[nodiscard]] crypto::AccountRecord first_record(const TestDevice& device, const std::string& server) {
    const crypto::RecordBody body{.address = {.user = device.user, .server = server},
                                  .sequence = 1,
                                  .previous = {},
                                  .day = 20'000,
                                  .account_key = device.account.public_key(),
                                  .predecessor = {},
                                  .devices = {device.listed()},
                                  .extensions = {}};
    return crypto::AccountRecord::sign(body, device.account).value();
}

}  // namespace

void ManualQueue::run() {
    Jobs jobs;
    jobs.swap(jobs_);
    if (!jobs.empty())
        run_batch(*db_, jobs,
                  [this](const storage::Error& error) { EXPECT_TRUE(expect_failures) << error.detail; });
}

TestDevice::TestDevice(std::string name, std::uint64_t seed, std::uint32_t device, const std::string& server)
    : rng(seed),
      user(std::move(name)),
      id(device),
      account(crypto::AccountKeyPair::generate(rng)),
      signing(crypto::DeviceSigningKeyPair::generate(rng)),
      identity(crypto::IdentityKeyPair::generate(rng)),
      record(first_record(*this, server)) {}

crypto::Device TestDevice::listed() const {
    return {.id = id,
            .signing_key = signing.public_key(),
            .identity_key = identity.public_key(),
            .versions = {1}};
}

crypto::AccountRecord TestDevice::successor(const std::vector<crypto::Device>& devices) const {
    auto body = record.body();
    body.sequence += 1;
    body.previous = record.hash();
    body.devices = devices;
    return crypto::AccountRecord::sign(body, account).value();
}

std::string TestDevice::proof(crypto::LoginPurpose purpose, const Array<32>& nonce,
                              const std::optional<Array<32>>& exporter, const std::string& server) const {
    return text_of(crypto::prove_login({.purpose = purpose,
                                        .server_name = server,
                                        .account = record.body().address,
                                        .device = id,
                                        .nonce = nonce,
                                        .exporter = exporter},
                                       signing));
}

wire::PublishPrekeys TestDevice::prekeys(std::uint32_t day, std::uint32_t one_time, std::uint32_t first) {
    wire::PublishPrekeys out;
    const auto signed_pair = crypto::SignedPrekeyPair::generate(rng);
    out.set_signed_prekey(
        text_of(crypto::SignedPrekey::make(first, signed_pair, day, record, id, signing).encode()));
    const auto last = crypto::KemKeyPair::generate(rng);
    out.set_last_resort(text_of(
        crypto::KemPrekey::make(crypto::KemPrekeyKind::last_resort, first, last, day, id, signing).encode()));
    for (std::uint32_t i = 0; i < one_time; ++i) {
        const auto pair = crypto::OneTimePrekeyPair::generate(rng);
        out.add_one_time(text_of(crypto::OneTimePrekey{.id = first + i, .key = pair.public_key()}.encode()));
        const auto kem = crypto::KemKeyPair::generate(rng);
        out.add_one_time_kem(
            text_of(crypto::KemPrekey::make(crypto::KemPrekeyKind::one_time, first + i, kem, day, id, signing)
                        .encode()));
    }
    return out;
}

// ---- peer ----

Peer::Peer(Rig& rig, Purpose purpose, const std::optional<Array<32>>& exporter)
    : rig_(rig), id_(rig.next_connection++), exporter_(exporter) {
    rig_.peers[id_] = this;
    session_ = std::make_unique<Session>(*rig.service, id_, purpose, exporter);
    session_->begin();
    const auto first = push();
    if (first && first->has_hello()) hello_ = first->hello();
}

std::uint32_t Peer::send(wire::Request request) {
    request.set_id(next_request_++);
    send_raw(request.SerializeAsString());
    return request.id();
}

void Peer::send_raw(std::string_view frame) {
    if (session_) session_->receive(bytes_of(frame));
}

wire::Reply Peer::ask(wire::Request request) {
    const auto sent = send(std::move(request));
    rig_.settle();
    auto found = reply(sent);
    EXPECT_TRUE(found) << "no answer to request " << sent;
    return found.value_or(wire::Reply{});
}

std::optional<wire::Reply> Peer::reply(std::uint32_t id) {
    for (const auto& one : replies_)
        if (one.id() == id) return one;
    return std::nullopt;
}

std::optional<wire::Reply> Peer::push() {
    if (taken_ == pushes_.size()) return std::nullopt;
    return pushes_.at(taken_++);
}

std::optional<std::string> Peer::incoming() {
    while (auto next = push())
        if (next->has_incoming()) return next->incoming().envelope();
    return std::nullopt;
}

Array<32> Peer::nonce() const {
    return array_of<32>(hello_.nonce());
}

void Peer::hang_up() {
    session_.reset();
    rig_.peers.erase(id_);
}

// ---- rig ----

Rig::Rig(Policy chosen)
    : db(open_database(folder / "store.db")),
      policy(std::move(chosen)),
      queue(db),
      service(std::make_unique<Service>(policy, clock, rng, queue, *this)) {}

Rig::~Rig() {
    for (const auto& [id, peer] : peers) peer->session_.reset();
    settle();
    dead_sessions_.clear();
    queue.forget();
}

void Rig::restart() {
    // Nobody says goodbye, and what was not committed never happens.
    for (const auto& [id, peer] : peers) dead_sessions_.push_back(std::move(peer->session_));
    peers.clear();
    steps.clear();
    queue.forget();
    dead_services_.push_back(std::move(service));
    service = std::make_unique<Service>(policy, clock, rng, queue, *this);
}

std::unique_ptr<Peer> Rig::connect(Purpose purpose) {
    return std::make_unique<Peer>(*this, purpose, rng.bytes<32>());
}

std::unique_ptr<Peer> Rig::registered(const TestDevice& device, const std::string& invite) {
    auto peer = connect(Purpose::identified);
    const auto answer = peer->ask(register_request(
        device, device.proof(crypto::LoginPurpose::registration, peer->nonce(), peer->exporter()), invite));
    EXPECT_TRUE(answer.has_welcome()) << code_of(answer);
    return peer;
}

std::unique_ptr<Peer> Rig::logged_in(const TestDevice& device) {
    auto peer = connect(Purpose::identified);
    const auto answer = peer->ask(
        login_request(device, device.proof(crypto::LoginPurpose::login, peer->nonce(), peer->exporter())));
    EXPECT_TRUE(answer.has_welcome()) << code_of(answer);
    return peer;
}

void Rig::set_shared(Peer& peer, std::string_view word, bool discoverable) {
    wire::Request request;
    auto& tokens = *request.mutable_set_tokens();
    tokens.set_discoverable(discoverable);
    if (!word.empty()) {
        auto& entry = *tokens.add_tokens();
        entry.set_hash(token_hash_of(word));
        entry.set_kind(wire::TOKEN_KIND_SHARED);
    }
    EXPECT_TRUE(peer.ask(request).has_done());
}

void Rig::settle() {
    while (queue.waiting() > 0 || !steps.empty() || !elsewhere.empty()) {
        queue.run();
        for (auto& work : std::exchange(elsewhere, {})) work();
        auto due = std::move(steps);
        steps.clear();
        for (auto& [id, step] : due) {
            const auto peer = peers.find(id);
            if (peer != peers.end() && peer->second->session_) step(*peer->second->session_);
        }
    }
}

void Rig::pass(std::uint64_t ms) {
    clock.pass(ms);
    service->hub.tick();
    settle();
}

void Rig::add_invite(const std::string& invite, std::uint64_t seconds) {
    static_cast<void>(with_store([&](Stores& stores) {
        stores.invites.add(
            {.hash = registration_invite_hash(invite), .expires = unix_seconds(clock) + seconds});
        return true;
    }));
}

void Rig::reply(ConnectionId connection, std::string frame) {
    const auto peer = peers.find(connection);
    if (peer == peers.end()) return;
    ASSERT_TRUE(peer->second->replies_.emplace_back().ParseFromString(frame));
    // As the connection does it, on its own time; replies from inside a session's own call come while it is
    // alive.
    if (peer->second->session_) peer->second->session_->answered();
}

void Rig::push(ConnectionId connection, Outgoing frame) {
    const auto peer = peers.find(connection);
    if (peer == peers.end()) return;
    ASSERT_TRUE(peer->second->pushes_.emplace_back().ParseFromString(frame.whole()));
}

void Rig::run_on(unsigned thread, ConnectionId by, std::move_only_function<void()> work) {
    if (thread == by % threads) return work();
    elsewhere.push_back(std::move(work));
}

void Rig::close(ConnectionId connection) {
    const auto peer = peers.find(connection);
    if (peer != peers.end()) peer->second->closed_ = true;
}

void Rig::resume(ConnectionId connection, std::move_only_function<void(Session&)> step) {
    steps.emplace_back(connection, std::move(step));
}

// ---- requests ----

wire::Request login_request(const TestDevice& device, const std::string& proof) {
    wire::Request request;
    request.mutable_login()->set_user(device.user);
    request.mutable_login()->set_device(device.id);
    request.mutable_login()->set_proof(proof);
    return request;
}

wire::Request register_request(const TestDevice& device, const std::string& proof,
                               const std::string& invite) {
    wire::Request request;
    request.mutable_register_()->set_record(text_of(device.record.bytes()));
    request.mutable_register_()->set_device(device.id);
    request.mutable_register_()->set_proof(proof);
    request.mutable_register_()->set_invite(invite);
    return request;
}

std::string envelope(std::string_view text, char type) {
    return std::string(1, type) + std::string{text};
}
std::string token(std::string_view word) {
    return filled(word, 32);
}
std::string token_hash_of(std::string_view word) {
    const auto secret = token(word);
    return text_of(crypto::token_hash(crypto::Token{FixedView<32>{bytes_of(secret)}}));
}
std::string claim(std::string_view word) {
    return filled(word, 16);
}
std::string envelope_id(std::string_view word) {
    return filled(word, 16);
}

namespace {

void set_credential(wire::Credential& credential, std::string_view token_word, std::string_view claim_word) {
    if (!token_word.empty()) credential.set_token(token(token_word));
    if (!claim_word.empty()) credential.set_claim(claim(claim_word));
}

}  // namespace

wire::Request deliver_request(const std::string& user, std::uint32_t device, std::string_view id,
                              const std::string& sealed, std::string_view token_word,
                              std::string_view claim_word) {
    wire::Request request;
    auto& deliver = *request.mutable_deliver();
    deliver.set_user(user);
    deliver.set_device(device);
    set_credential(*deliver.mutable_credential(), token_word, claim_word);
    deliver.set_envelope_id(envelope_id(id));
    deliver.set_envelope(sealed);
    return request;
}

wire::Request fetch_prekeys_request(const std::string& user, std::uint32_t device,
                                    std::string_view token_word, std::string_view claim_word) {
    wire::Request request;
    request.mutable_fetch_prekeys()->set_user(user);
    request.mutable_fetch_prekeys()->set_device(device);
    set_credential(*request.mutable_fetch_prekeys()->mutable_credential(), token_word, claim_word);
    return request;
}

wire::Request record_request(const crypto::AccountRecord& record) {
    wire::Request request;
    request.mutable_publish_record()->set_record(std::string{chars_of(record.bytes())});
    return request;
}

wire::Request fetch_records_request(const std::string& user, std::string_view token_word,
                                    std::uint64_t from) {
    wire::Request request;
    request.mutable_fetch_records()->set_user(user);
    request.mutable_fetch_records()->set_from_sequence(from);
    set_credential(*request.mutable_fetch_records()->mutable_credential(), token_word, "");
    return request;
}

wire::Request acknowledge_request(const std::vector<std::string>& ids) {
    wire::Request request;
    request.mutable_acknowledge();
    for (const auto& id : ids) request.mutable_acknowledge()->add_envelope_ids(id);
    return request;
}

wire::FailureCode code_of(const wire::Reply& reply) {
    return reply.has_failure() ? reply.failure().code() : wire::FAILURE_UNSPECIFIED;
}

wire::DeliveryState state_of(const std::optional<wire::Reply>& reply) {
    return reply && reply->has_delivered() ? reply->delivered().state() : wire::DELIVERY_UNSPECIFIED;
}

}  // namespace sotto::keyserver::test
