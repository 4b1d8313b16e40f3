#include "keyserver/core/session.hpp"

#include "sotto/crypto/session.hpp"

namespace sotto::keyserver {
namespace {

template <std::size_t N>
[[nodiscard]] std::optional<Array<N>> fixed(const std::string& field) {
    if (field.size() != N) return std::nullopt;
    Array<N> out;
    std::ranges::copy(bytes_of(field), out.begin());
    return out;
}

}  // namespace

Service::Service(Policy chosen, const Clock& time, crypto::Rng& random, StoreQueue& store, Shell& world)
    : policy(std::move(chosen)),
      clock(time),
      rng(random),
      queue(store),
      shell(world),
      access(time, policy->limits),
      prekeys(time, policy->limits),
      hub(policy, counters, time, random, store, world, access),
      presence(policy, counters, random, world),
      decoy(crypto::DeviceSigningKeyPair::generate(random).public_key().encode()) {}

void Service::set_policy(Policy next) {
    policy.replace(std::move(next));
    queue.submit(
        [this](Stores& /*none needed*/) {
            access.retune(policy->limits);
            prekeys.retune(policy->limits);
            return true;
        },
        [](std::optional<bool> /*either way*/) {});
}

Session::Session(Service& service, ConnectionId id, Purpose purpose, const std::optional<Array<32>>& exporter)
    : service_(service),
      id_(id),
      purpose_(purpose),
      exporter_(exporter),
      nonce_(service.rng.bytes<protocol::nonce_size>()),
      stage_(purpose == Purpose::identified ? Stage::fresh : Stage::open),
      rate_(service.policy->limits.requests_burst, service.policy->limits.requests_per_second,
            service.clock.steady_ms()),
      changes_(service.policy->limits.changes_burst, service.policy->limits.changes_per_second,
               service.clock.steady_ms()) {}

Session::~Session() {
    if (self_.account != 0) service_.hub.detach(self_, id_);
    if (!topics_) return;
    service_.presence.withdraw(id_, std::nullopt, topics_->published);
    service_.presence.unwatch(id_, std::nullopt, topics_->watched);
}

void Session::begin() {
    service_.shell.push(id_, hello_frame(service_.policy->server_name, nonce_, service_.policy->registration,
                                         service_.policy->unbound, service_.clock.unix_ms()));
}

void Session::answered() {
    if (in_flight_ == 0) return;
    bytes_in_flight_ -= bytes_in_flight_ / in_flight_;
    --in_flight_;
}

std::size_t Session::frame_limit() const {
    if (purpose_ == Purpose::delivery) return limits::frame_delivery;
    if (purpose_ == Purpose::presence) return limits::frame_presence;
    return stage_ == Stage::open ? protocol::max_frame_size : limits::frame_before_login;
}

void Session::reply(std::string frame) {
    service_.shell.reply(id_, std::move(frame));
}

void Session::fail(std::uint32_t request, const Refusal& refusal) {
    reply(failure_frame(request, refusal));
}

void Session::reject(std::uint32_t request, const Refusal& refusal) {
    fail(request, refusal);
    stage_ = Stage::ended;
    service_.shell.close(id_);
}

void Session::give_up(std::uint32_t request, const Refusal& refusal) {
    service_.counters.add(Count::limit_violations);
    reject(request, refusal);
}

void Session::receive(ByteView frame) {
    if (stage_ == Stage::ended) return;
    ++in_flight_;
    bytes_in_flight_ += frame.size();
    service_.counters.add(Count::frames_in);
    service_.counters.add(Count::bytes_in, frame.size());
    if (saturated()) service_.counters.add(Count::limit_in_flight);
    // A publication of all contacts is thousands of small objects, which come and go together.
    google::protobuf::Arena memory;
    auto* const request = parse_request(frame, memory);
    if (request == nullptr) {
        reject(0, malformed);
        return;
    }
    if (!rate_.take(service_.clock.steady_ms())) {
        service_.counters.add(Count::limit_requests);
        const Refusal too_fast{.code = wire::FAILURE_RATE, .retry_after_ms = rate_.wait_ms() + 1000};
        if (++violations_ > service_.policy->limits.rate_violations)
            give_up(request->id(), too_fast);
        else
            fail(request->id(), too_fast);
        return;
    }
    handle(*request);
}

bool Session::may_ping() {
    if (rate_.take(service_.clock.steady_ms())) return true;
    service_.counters.add(Count::limit_requests);
    if (++violations_ <= service_.policy->limits.rate_violations) return true;
    service_.counters.add(Count::limit_violations);
    return false;
}

void Session::handle(wire::Request& request) {
    const auto id = request.id();
    const auto kind = request.body_case();
    if (kind == wire::Request::kPing) {
        reply(done_frame(id));
        return;
    }
    if (purpose_ == Purpose::presence) return handle_presence(request);
    if (stage_ != Stage::open && kind != wire::Request::kLogin && kind != wire::Request::kRegister) {
        fail(id, {.code = wire::FAILURE_NOT_LOGGED_IN});
        return;
    }
    if (kind == wire::Request::kFetchRecords) return fetch_records(id, request.fetch_records());
    if (kind == wire::Request::kFetchPrekeys) return fetch_prekeys(id, request.fetch_prekeys());
    if (kind == wire::Request::kDeliver) return deliver(id, *request.mutable_deliver());
    if (purpose_ == Purpose::delivery) {
        fail(id, {.code = wire::FAILURE_NOT_LOGGED_IN});
        return;
    }
    const bool change = kind == wire::Request::kPublishRecord || kind == wire::Request::kPublishPrekeys ||
                        kind == wire::Request::kSetTokens || kind == wire::Request::kReportGeneration;
    if (change && !changes_.take(service_.clock.steady_ms())) {
        service_.counters.add(Count::limit_changes);
        fail(id, {.code = wire::FAILURE_RATE, .retry_after_ms = changes_.wait_ms()});
        return;
    }
    switch (kind) {
        case wire::Request::kRegister:
            return begin_registration(id, request.register_());
        case wire::Request::kLogin:
            return begin_login(id, request.login());
        case wire::Request::kPublishRecord:
            return publish_record(id, request.publish_record());
        case wire::Request::kPublishPrekeys:
            return publish_prekeys(id, request.publish_prekeys());
        case wire::Request::kSetTokens:
            return set_tokens(id, request.set_tokens());
        case wire::Request::kAcknowledge:
            return acknowledge(id, request.acknowledge());
        case wire::Request::kReportGeneration:
            return report_generation(id, request.report_generation());
        case wire::Request::kGetIceServers:
            return get_ice_servers(id);
        case wire::Request::kPublishPresence:
        case wire::Request::kWithdrawPresence:
        case wire::Request::kWatchPresence:
        case wire::Request::kUnwatchPresence:
            return fail(id, {.code = wire::FAILURE_NOT_LOGGED_IN});
        default:
            return reject(id, malformed);
    }
}

// ---- who is there ----

crypto::LoginChallenge Session::challenge(crypto::LoginPurpose purpose, const std::string& user,
                                          std::uint32_t device) const {
    return {.purpose = purpose,
            .server_name = service_.policy->server_name,
            .account = {.user = user, .server = service_.policy->server_name},
            .device = device,
            .nonce = nonce_,
            .exporter = service_.policy->unbound ? std::nullopt : exporter_};
}

void Session::begin_login(std::uint32_t request, const wire::Login& login) {
    const auto proof = fixed<crypto::signature_size>(login.proof());
    const bool bound = service_.policy->unbound || exporter_;
    if (stage_ != Stage::fresh || !proof || login.device() == 0 || !bound ||
        !crypto::valid_user_name(login.user()))
        return reject(request, malformed);
    stage_ = Stage::proving;
    proving_since_us_ = Counters::now_us();
    service_.queue.submit(
        [user = login.user(), device = login.device()](Stores& stores) {
            return read_login(stores, user, device);
        },
        [&shell = service_.shell, id = id_, request, proof = *proof,
         asked = challenge(crypto::LoginPurpose::login, login.user(), login.device())](
            std::optional<LoginFacts> facts) {
            shell.resume(id, [=](Session& session) { session.finish_login(request, asked, proof, facts); });
        });
}

void Session::finish_login(std::uint32_t request, const crypto::LoginChallenge& asked, const Array<64>& proof,
                           const std::optional<LoginFacts>& facts) {
    if (!facts) return reject(request, {.code = wire::FAILURE_INTERNAL, .retry_after_ms = 5000});
    // From the store, which is authenticated, and checked in the record that it came with.
    const auto key =
        crypto::DeviceSigningKey::decode_kept(facts->account != 0 ? facts->signing_key : service_.decoy);
    if (!key) return reject(request, {.code = wire::FAILURE_INTERNAL});
    const bool proved = crypto::verify_login(asked, *key, proof);
    if (!proved || facts->account == 0) {
        service_.counters.add(Count::logins_refused);
        return reject(request, {.code = wire::FAILURE_REFUSED});
    }
    service_.counters.add(Count::logins);
    open(request, asked.account.user, *facts, asked.device, *key);
}

void Session::begin_registration(std::uint32_t request, const wire::Register& registration) {
    const auto proof = fixed<crypto::signature_size>(registration.proof());
    const bool bound = service_.policy->unbound || exporter_;
    if (stage_ != Stage::fresh || !proof || !bound) return reject(request, malformed);
    const auto record = crypto::AccountRecord::parse(bytes_of(registration.record()));
    if (!record ||
        !may_register(*record, service_.policy->server_name, registration.device(), unix_day(service_.clock)))
        return reject(request, malformed);
    const auto& device = record->body().devices.front();
    const auto asked = challenge(crypto::LoginPurpose::registration, record->body().address.user, device.id);
    if (!crypto::verify_login(asked, device.signing_key, *proof))
        return reject(request, {.code = wire::FAILURE_REFUSED});

    stage_ = Stage::proving;
    proving_since_us_ = Counters::now_us();
    service_.queue.submit(
        [&service = service_, record = *record, invite = registration.invite()](Stores& stores) {
            return register_account(stores, record, *service.policy, invite, service.clock);
        },
        [&shell = service_.shell, id = id_, request, user = asked.account.user,
         device](std::optional<Answer<LoginFacts>> outcome) {
            shell.resume(id, [=](Session& session) {
                if (!outcome)
                    session.reject(request, {.code = wire::FAILURE_INTERNAL, .retry_after_ms = 5000});
                else
                    session.finish_registration(request, user, *outcome, device);
            });
        });
}

void Session::finish_registration(std::uint32_t request, const std::string& user,
                                  const Answer<LoginFacts>& outcome, const crypto::Device& device) {
    service_.counters.add(outcome ? Count::registrations : Count::registrations_refused);
    if (!outcome) return reject(request, outcome.error());
    open(request, user, *outcome, device.id, device.signing_key);
}

void Session::open(std::uint32_t request, const std::string& user, const LoginFacts& facts,
                   std::uint32_t device, const crypto::DeviceSigningKey& key) {
    stage_ = Stage::open;
    self_ = {.account = facts.account, .device = device};
    signing_key_ = key;
    service_.counters.took_since(Latency::login, proving_since_us_);
    reply(welcome_frame(request, facts));
    service_.hub.attach(user, self_, id_);
}

}  // namespace sotto::keyserver
