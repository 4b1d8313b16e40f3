#include "identified.hpp"

#include "sentences.hpp"
#include "sotto/crypto/login.hpp"
#include "sotto/protocol/limits.hpp"
#include "tokens.hpp"

namespace sotto::client {

namespace {

constexpr std::size_t acknowledge_batch = 32;
constexpr std::int64_t acknowledge_within = 20;  ///< ms
constexpr std::int64_t silence_means_empty =
    3000;  ///< ms without a push: the mailbox held less than was said
constexpr std::int64_t quarantine_lifetime = 7 * day;
constexpr std::int64_t envelope_memory = 60 * day;  ///< twice the lifetime of a mailbox

/// What is out of shape is left away.
std::vector<IceServer> read_ice_servers(const wire::IceServers& in) {
    constexpr std::size_t most = 8;
    std::vector<IceServer> out;
    for (const auto& each : in.servers()) {
        IceServer server{.kind = IceServer::Kind::stun,
                         .host = each.host(),
                         .port = static_cast<std::uint16_t>(each.port()),
                         .username = each.username(),
                         .password = each.password()};
        if (each.kind() == wire::ICE_SERVER_KIND_TURN_UDP)
            server.kind = IceServer::Kind::turn_udp;
        else if (each.kind() == wire::ICE_SERVER_KIND_TURN_TCP)
            server.kind = IceServer::Kind::turn_tcp;
        else if (each.kind() != wire::ICE_SERVER_KIND_STUN)
            continue;
        const auto plain = [](const std::string& text) {
            return text.size() <= max_candidate_size &&
                   std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
        };
        if (out.size() == most || server.host.empty() || each.port() == 0 || each.port() > 0xffff ||
            !plain(server.host) || !plain(server.username) || !plain(server.password))
            continue;
        out.push_back(std::move(server));
    }
    return out;
}

}  // namespace

void Identified::start() {
    if (state_ != State::off) return;
    core_->unconfirmed = true;
    backoff_.reset();
    connect();
}

void Identified::stop() {
    state_ = State::off;
    core_->unconfirmed = false;
    const auto id = std::exchange(connection_, 0);
    core_->connections.close(id);
}

void Identified::connect() {
    auto endpoint = core_->own_endpoint();
    if (next_pin_ && core_->identity.next_server_pin) endpoint.pin = core_->identity.next_server_pin;
    state_ = State::connecting;
    connection_ = core_->connections.open(Purpose::identified, endpoint, *this);
}

std::optional<Error> Identified::judge_hello(const Connection& connection) const {
    const auto& hello = connection.hello;
    const auto& name = core_->identity.address.server;
    const auto server = text_of(connection.endpoint);
    if (hello.server_name() != name || (!connection.endpoint.pin && connection.facts.verified_host != name))
        return Error{Exit::untrusted,
                     say("The server at {} is not {}, where this account lives; nothing was sent to "
                         "it. Check the address that this profile was made with.",
                         server, name)};
    if (hello.unbound() && !core_->identity.unbound_accepted)
        return Error{Exit::untrusted,
                     say("The server at {} can't bind log-ins to its TLS connection (unbound mode); "
                         "ask its operator, or accept it when you create the profile.",
                         server)};
    return std::nullopt;
}

void Identified::greeted(Connection& connection) {
    if (auto error = judge_hello(connection)) return refuse(std::move(*error));
    const auto nonce = from_field<32>(connection.hello.nonce());
    if (!nonce) return core_->connections.fail(connection.id, NetworkError::not_sotto);
    state_ = State::logging_in;
    tls_ = connection.facts.tls;

    const auto& identity = core_->identity;
    crypto::LoginChallenge challenge{crypto::LoginPurpose::login,
                                     identity.address.server,
                                     identity.address,
                                     identity.device,
                                     *nonce,
                                     std::nullopt};
    if (!connection.hello.unbound()) challenge.exporter = connection.facts.exporter;
    wire::Request request;
    auto& login = *request.mutable_login();
    login.set_user(identity.address.user);
    login.set_device(identity.device);
    login.set_proof(to_field(crypto::prove_login(challenge, identity.signing_key)));
    core_->connections.request(connection, request, [this](const wire::Reply* reply) { welcome(reply); });
}

void Identified::welcome(const wire::Reply* reply) {
    if (reply == nullptr || state_ != State::logging_in) return;
    const auto* connection = core_->connections.find(connection_);
    if (connection == nullptr) return;
    if (!reply->has_welcome())
        return refuse(describe_login_failure(reply->failure().code(), connection->endpoint),
                      reply->failure().retry_after_ms());
    const auto& welcome = reply->welcome();
    if (!same_record(welcome))
        return refuse(describe_login_failure(wire::FAILURE_STALE, connection->endpoint));

    if (next_pin_ && core_->identity.next_server_pin) {
        core_->identity.server_pin = std::exchange(core_->identity.next_server_pin, std::nullopt);
        must(core_->store.put_identity(core_->identity));
        next_pin_ = false;
    }
    state_ = State::online;
    online_since_ = core_->shell.now;
    last_warning_.clear();
    waiting_ = welcome.waiting();
    received_ = 0;
    last_push_ = core_->shell.now;
    ping_at_ = core_->shell.now + core_->shell.config.ping_every;
    to_acknowledge_.clear();
    acknowledge_at_.reset();
    requests_ = 0;
    publishing_tokens_ = false;
    publishing_prekeys_ = false;
    tokens_confirmed_ = false;
    core_->tokens_stale = true;
    ice_at_ = 0;
    core_->shell.tell(LoggedIn{waiting_, welcome.one_time_left(), welcome.one_time_kem_left()});

    if (welcome.generation() > repair_->generation() && welcome.generation() <= protocol::max_generation)
        repair_->restored(welcome.generation());
    core_->unconfirmed = false;
    report_generation();
    clean_up();
    if (welcome.record_sequence() < core_->record.body().sequence)
        publish_records(welcome.record_sequence() + 1);
    publish_prekeys({welcome.one_time_left(), welcome.one_time_kem_left(), welcome.signed_prekey_day(),
                     welcome.one_time_highest(), welcome.one_time_kem_highest(),
                     must(core_->store.setting(replace_prekeys_setting)).value_or("") == "1"});
}

bool Identified::same_record(const wire::Welcome& welcome) {
    const auto sequence = welcome.record_sequence();
    if (sequence > core_->record.body().sequence) return false;
    const auto own = must(core_->store.own_record(sequence));
    return own && to_field(own->hash()) == welcome.record_hash();
}

void Identified::request(wire::Request& request, std::function<void()> done) {
    auto* connection = core_->connections.find(connection_);
    if (connection == nullptr) return;
    ++requests_;
    core_->connections.request(
        *connection, request, [this, done = std::move(done)](const wire::Reply* reply) {
            if (requests_ > 0) --requests_;
            if (reply == nullptr) return;
            if (reply->has_done()) return done();
            // Upkeep that the server doesn't take now: the mailbox is read all the same, and it is tried
            // again.
            publishing_prekeys_ = false;
            publishing_tokens_ = false;
            upkeep_at_ = core_->shell.now + std::max<std::int64_t>(reply->failure().retry_after_ms(), minute);
            warn_once(describe_login_failure(reply->failure().code(), core_->own_endpoint()));
        });
}

void Identified::get_ice_servers() {
    auto* connection = core_->connections.find(connection_);
    if (connection == nullptr) return;
    ice_at_ = core_->shell.now + hour;
    wire::Request get;
    get.mutable_get_ice_servers();
    core_->connections.request(*connection, get, [this](const wire::Reply* reply) {
        if (reply == nullptr || !reply->has_ice_servers()) return;
        const auto& offered = reply->ice_servers();
        core_->ice_servers = read_ice_servers(offered);
        // Passwords end; half of their time is soon enough for the next.
        if (offered.lifetime_s() > 0)
            ice_at_ = core_->shell.now + std::max<std::int64_t>(offered.lifetime_s() * second / 2, minute);
    });
}

void Identified::publish_records(std::uint64_t from) {
    for (auto sequence = from; sequence <= core_->record.body().sequence; ++sequence) {
        const auto record = must(core_->store.own_record(sequence));
        if (!record) return;
        wire::Request publish;
        publish.mutable_publish_record()->set_record(to_field(record->bytes()));
        request(publish, [] {});
    }
}

void Identified::publish_prekeys(const ServerPrekeys& held) {
    if (publishing_prekeys_) return;
    auto frames = prepare_prekeys(core_->store, core_->shell.rng, core_->identity, core_->record,
                                  core_->shell.today(), held);
    upkeep_at_ = core_->shell.now + 6 * hour;
    for (auto& frame : frames) {
        publishing_prekeys_ = true;
        wire::Request publish;
        *publish.mutable_publish_prekeys() = std::move(frame.frame);
        request(publish,
                [this, last = &frame == &frames.back(), replaced = held.replace, ids = std::move(frame.ids)] {
                    mark_published(core_->store, {{}, ids});
                    if (replaced) must(core_->store.put_setting(replace_prekeys_setting, ""));
                    if (last) publishing_prekeys_ = false;
                });
    }
}

void Identified::publish_tokens() {
    if (publishing_tokens_) return;
    core_->tokens_stale = false;
    auto table = token_table(core_->store, core_->identity, core_->shell.wall);
    if (confirmed_tokens(core_->store) == table.digest) {
        tokens_confirmed_ = true;
        rotation_told(*core_, table.shared);
        return;
    }
    tokens_confirmed_ = false;
    publishing_tokens_ = true;
    wire::Request publish;
    *publish.mutable_set_tokens() = std::move(table.frame);
    request(publish, [this, digest = table.digest, shared = table.shared] {
        publishing_tokens_ = false;
        confirm_tokens(core_->store, digest);
        rotation_told(*core_, shared);
        tokens_confirmed_ = true;
    });
}

void Identified::clean_up() {
    auto transaction = core_->store.begin();
    must(core_->store.drop_quarantined_before(core_->shell.wall - quarantine_lifetime));
    must(core_->store.forget_envelopes_before(core_->shell.wall - envelope_memory));
    must(core_->store.delete_kept_before(core_->shell.wall - crypto::kept_key_lifetime_ms));
    std::vector<std::pair<storage::SessionRow*, crypto::Session>> trimmed;
    for (auto& row : core_->sessions.all()) {
        auto next = row.session.clone();
        const auto dropped = next.drop_expired_chains(core_->shell.wall);
        if (dropped.empty()) continue;
        for (const auto chain : dropped) must(core_->store.delete_kept_chain(row.session.id(), chain));
        const storage::SessionRow stored{next.clone(), row.contact, row.device, row.archived};
        must(core_->store.put_session(stored, core_->shell.wall));
        trimmed.emplace_back(&row, std::move(next));
    }
    must(transaction.commit());
    for (auto& [row, session] : trimmed) row->session = std::move(session);
}

void Identified::pushed(Connection& connection, const wire::Reply& push) {
    if (state_ != State::online || connection.id != connection_) return;
    if (push.has_incoming()) {
        const auto id = from_field<16>(push.incoming().envelope_id());
        if (!id) return core_->connections.fail(connection.id, NetworkError::not_sotto);
        core_->backlog = received_ < waiting_ && last_push_ + silence_means_empty > core_->shell.now;
        last_push_ = core_->shell.now;
        inbox_->take(*id, bytes_of(push.incoming().envelope()));
        core_->backlog = false;
        ++received_;
        to_acknowledge_.push_back(*id);
        if (!acknowledge_at_) acknowledge_at_ = core_->shell.now + acknowledge_within;
    } else if (push.has_prekeys_low()) {
        // Ids only rise, so the server's own memory isn't needed here.
        publish_prekeys({push.prekeys_low().one_time_left(), push.prekeys_low().one_time_kem_left(),
                         must(core_->store.newest_prekey_day(storage::PrekeyKind::signed_prekey)), 0, 0,
                         false});
    } else if (push.has_closing()) {
        const auto wait = push.closing().retry_after_ms();
        const auto endpoint = connection.endpoint;
        core_->connections.close(std::exchange(connection_, 0));
        retry(wait);
        core_->shell.tell(LostServer{NetworkError::closed, core_->shell.to_wall(retry_at_),
                                     describe(NetworkError::closed, endpoint).sentence});
    }
}

void Identified::acknowledge() {
    acknowledge_at_.reset();
    for (std::size_t at = 0; at < to_acknowledge_.size(); at += protocol::max_acknowledged_per_frame) {
        wire::Request acknowledge;
        const auto end = std::min(at + protocol::max_acknowledged_per_frame, to_acknowledge_.size());
        for (auto i = at; i < end; ++i)
            acknowledge.mutable_acknowledge()->add_envelope_ids(to_field(to_acknowledge_[i]));
        request(acknowledge, [] {});
    }
    to_acknowledge_.clear();
}

void Identified::report_generation() {
    reported_changes_ = core_->changes;
    report_at_ = core_->shell.now + minute;
    wire::Request report;
    report.mutable_report_generation()->set_generation(repair_->next_generation());
    request(report, [] {});
}

void Identified::flush() {
    if (online() && !to_acknowledge_.empty()) acknowledge();
}

void Identified::pump() {
    if (state_ == State::waiting && retry_at_ <= core_->shell.now) connect();
    if (!online()) return;
    if (acknowledge_at_ && (*acknowledge_at_ <= core_->shell.now ||
                            to_acknowledge_.size() >= acknowledge_batch || received_ == waiting_))
        acknowledge();
    if (core_->tokens_stale) publish_tokens();
    if (core_->wants_ice && ice_at_ <= core_->shell.now) get_ice_servers();
    if (core_->changes != reported_changes_ && report_at_ <= core_->shell.now) report_generation();
}

void Identified::tick() {
    if (!online()) return;
    const auto now = core_->shell.now;
    if (upkeep_at_ <= now) {
        const auto newest = must(core_->store.newest_prekey_day(storage::PrekeyKind::signed_prekey));
        publish_prekeys({crypto::prekey_batch, crypto::prekey_batch, newest, 0, 0, false});
        core_->tokens_stale = true;  // invites may have expired
        clean_up();
    }
    auto* connection = core_->connections.find(connection_);
    if (connection != nullptr && ping_at_ <= now) {
        ping_at_ = now + core_->shell.config.ping_every;
        wire::Request ping;
        ping.mutable_ping();
        core_->connections.request(*connection, ping, [](const wire::Reply* /*pong*/) {});
    }
}

std::optional<std::int64_t> Identified::next_deadline() const {
    std::optional<std::int64_t> deadline;
    if (state_ == State::waiting) sooner(deadline, retry_at_);
    if (online()) {
        sooner(deadline, acknowledge_at_);
        sooner(deadline, ping_at_);
        sooner(deadline, upkeep_at_);
        if (core_->wants_ice) sooner(deadline, ice_at_);
        if (core_->changes != reported_changes_)
            sooner(deadline, std::max(report_at_, core_->shell.now + second));
        if (received_ < waiting_ && last_push_ + silence_means_empty > core_->shell.now)
            sooner(deadline, last_push_ + silence_means_empty);
    }
    return deadline;
}

bool Identified::idle() const {
    switch (state_) {
        case State::off:
        case State::waiting:
            return true;
        case State::connecting:
        case State::logging_in:
            return false;
        case State::online:
            break;
    }
    return requests_ == 0 && to_acknowledge_.empty() && !core_->tokens_stale;
}

bool Identified::mailbox_read() const {
    return online() && (received_ >= waiting_ || last_push_ + silence_means_empty <= core_->shell.now) &&
           to_acknowledge_.empty() && requests_ == 0;
}

std::string Identified::summary() const {
    switch (state_) {
        case State::off:
            return "not connected";
        case State::waiting:
            return "waiting to try again";
        case State::connecting:
            return "connecting";
        case State::logging_in:
            return "logging in";
        case State::online:
            break;
    }
    return say("logged in at {} ({})", text_of(core_->own_endpoint()), tls_);
}

void Identified::lost(ConnectionId id, NetworkError error, bool /*busy*/) {
    if (id != connection_) return;
    connection_ = 0;
    if (error == NetworkError::wrong_pin && core_->identity.next_server_pin) next_pin_ = !next_pin_;
    retry(0);
    core_->shell.tell(
        LostServer{error, core_->shell.to_wall(retry_at_), describe(error, core_->own_endpoint()).sentence});
}

void Identified::back_off() {
    if (connection_ == 0) return;
    core_->connections.close(std::exchange(connection_, 0));
    retry(5 * second);
}

void Identified::refuse(Error error, std::int64_t retry_after) {
    core_->connections.close(std::exchange(connection_, 0));
    retry(std::max(retry_after, 10 * second));
    warn_once(std::move(error));
}

void Identified::warn_once(Error error) {
    if (error.sentence == last_warning_) return;
    last_warning_ = error.sentence;
    core_->shell.warn(std::move(error));
}

void Identified::retry(std::int64_t at_least) {
    const auto& config = core_->shell.config;
    if (online() && core_->shell.now - online_since_ >= steady_after) backoff_.reset();
    state_ = State::waiting;
    core_->unconfirmed = false;  // the other servers needn't wait for ours
    requests_ = 0;
    to_acknowledge_.clear();
    acknowledge_at_.reset();
    retry_at_ = core_->shell.now + std::max(at_least, backoff_.next(config.backoff_first, config.backoff_most,
                                                                    core_->shell.rng));
}

}  // namespace sotto::client
