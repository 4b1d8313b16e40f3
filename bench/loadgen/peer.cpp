#include "bench/loadgen/peer.hpp"

#include "sotto/protocol/limits.hpp"

namespace sotto::loadgen {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// TCP, TLS, upgrade and proof together. A server that restarts under thousands lets some wait for seconds.
constexpr seconds attempt_time{60};
constexpr seconds leave_time{5};

[[nodiscard]] const char* target_of(Peer::As as) {
    if (as == Peer::As::delivery) return protocol::delivery_target;
    return as == Peer::As::presence ? protocol::presence_target : protocol::identified_target;
}

}  // namespace

std::string name_of(wire::FailureCode code) {
    switch (code) {
        case wire::FAILURE_MALFORMED:
            return "MALFORMED";
        case wire::FAILURE_REFUSED:
            return "REFUSED";
        case wire::FAILURE_NAME_TAKEN:
            return "NAME_TAKEN";
        case wire::FAILURE_REGISTRATION_CLOSED:
            return "REGISTRATION_CLOSED";
        case wire::FAILURE_INVITE_BAD:
            return "INVITE_BAD";
        case wire::FAILURE_STALE:
            return "STALE";
        case wire::FAILURE_TOO_LARGE:
            return "TOO_LARGE";
        case wire::FAILURE_MAILBOX_FULL:
            return "MAILBOX_FULL";
        case wire::FAILURE_RATE:
            return "RATE";
        case wire::FAILURE_INTERNAL:
            return "INTERNAL";
        case wire::FAILURE_NOT_LOGGED_IN:
            return "NOT_LOGGED_IN";
        case wire::FAILURE_NO_PREKEYS:
            return "NO_PREKEYS";
        case wire::FAILURE_NO_DEVICE:
            return "NO_DEVICE";
        default:
            return "failure " + std::to_string(code);
    }
}

bool passes(wire::FailureCode code) {
    return code == wire::FAILURE_RATE || code == wire::FAILURE_INTERNAL;
}

Peer::Peer(Worker& worker, std::size_t number, const Identity* self, Owner& owner)
    : worker_(worker), number_(number), self_(self), owner_(&owner), timer_(worker.loop()) {}

Peer::~Peer() {
    abandon();
}

void Peer::abandon() {
    timer_.cancel();
    if (!connection_) return;
    connection_->drop();
    worker_.loop().bury(std::move(connection_));
}

// ---- coming ----

void Peer::open(As as, std::string invite) {
    as_ = as;
    invite_ = std::move(invite);
    since_ = Clock::now();
    attempt();
}

void Peer::attempt() {
    abandon();
    stage_ = Stage::coming;
    retry_after_ = {};
    Connection::Events& events = *this;
    connection_ = std::make_unique<Connection>(worker_.loop(), worker_.destination(), worker_.source(number_),
                                               target_of(as_), events);
    timer_.set(Clock::now() + attempt_time, [this] { gone("no answer in time", {}); });
}

void Peer::opened() {}

void Peer::received(std::string_view message) {
    auto& reply = worker_.reply;
    if (!reply.ParseFromArray(message.data(), static_cast<int>(message.size())))
        return refuse("a frame that is not a reply");
    if (reply.body_case() == wire::Reply::kClosing) {
        retry_after_ = milliseconds{reply.closing().retry_after_ms()};
        return;
    }
    switch (stage_) {
        case Stage::coming:
            if (reply.body_case() != wire::Reply::kHello) return refuse("its first frame is no greeting");
            return greeted(reply.hello());
        case Stage::proving:
            return answered(reply);
        case Stage::ready:
            return owner_->on_reply(*this, reply);
        case Stage::away:
        case Stage::leaving:
            return;
    }
}

void Peer::greeted(const wire::Hello& hello) {
    if (hello.version() != protocol::wire_version || hello.nonce().size() != protocol::nonce_size)
        return refuse("it speaks another version");
    greeting_ = {.server_name = hello.server_name(),
                 .registration = hello.registration(),
                 .unbound = hello.unbound(),
                 .max_envelope = hello.max_envelope()};
    if (as_ == As::delivery || as_ == As::presence) {
        stage_ = Stage::ready;
        backoff_.reset();
        timer_.cancel();
        return owner_->on_ready(*this);
    }
    stage_ = Stage::proving;
    std::optional<Array<32>> exporter;
    if (!hello.unbound()) exporter = connection_->exporter();
    const auto purpose =
        as_ == As::registration ? crypto::LoginPurpose::registration : crypto::LoginPurpose::login;
    const auto proof = self_->prove(purpose, FixedView<32>{bytes_of(hello.nonce())}, exporter);
    wire::Request request;
    if (as_ == As::registration) {
        auto& registration = *request.mutable_register_();
        registration.set_record(std::string{chars_of(self_->record().bytes())});
        registration.set_device(Identity::device);
        registration.set_proof(std::string{chars_of(proof)});
        registration.set_invite(invite_);
    } else {
        auto& login = *request.mutable_login();
        login.set_user(self_->user());
        login.set_device(Identity::device);
        login.set_proof(std::string{chars_of(proof)});
    }
    send(request);
}

void Peer::answered(const wire::Reply& reply) {
    if (reply.body_case() == wire::Reply::kFailure) {
        const auto& failure = reply.failure();
        if (!passes(failure.code())) return refuse(name_of(failure.code()));
        return gone(name_of(failure.code()), milliseconds{failure.retry_after_ms()});
    }
    if (reply.body_case() != wire::Reply::kWelcome) return;
    waiting_ = reply.welcome().waiting();
    stage_ = Stage::ready;
    backoff_.reset();
    timer_.cancel();
    owner_->on_ready(*this);
}

std::uint32_t Peer::send(wire::Request& request) {
    request.set_id(++last_request_);
    request.SerializeToString(&worker_.frame);
    connection_->send(worker_.frame);
    return last_request_;
}

// ---- going ----

void Peer::leave() {
    if (stage_ != Stage::ready) return;
    stage_ = Stage::leaving;
    connection_->close();
    timer_.set(Clock::now() + leave_time, [this] { gone("left", {}); });
}

void Peer::ended(const Ending& ending) {
    gone(ending.why, std::max(ending.retry_after, retry_after_));
}

void Peer::gone(const std::string& why, milliseconds retry_after) {
    const auto was = stage_;
    abandon();
    stage_ = Stage::away;
    if (was == Stage::leaving) return owner_->on_left(*this);
    if (was == Stage::ready) {
        ++losses_;
        since_ = Clock::now();
    }
    if (comes_back_)
        timer_.set(Clock::now() + backoff_.next(retry_after, worker_.rng()), [this] { attempt(); });
    owner_->on_lost(*this, why);
}

void Peer::refuse(const std::string& why) {
    abandon();
    stage_ = Stage::away;
    owner_->on_refused(*this, why);
}

}  // namespace sotto::loadgen
