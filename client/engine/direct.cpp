#include "direct.hpp"

#include "sentences.hpp"
#include "sotto/protocol/limits.hpp"

namespace sotto::client {
namespace {

using crypto::DirectRole;

constexpr std::string_view policy_setting = "direct";
constexpr std::string_view upnp_setting = "direct upnp";
constexpr std::int64_t gather_within = 5 * second;
constexpr std::int64_t offer_lasts = 20 * second;
constexpr std::int64_t connect_within = 15 * second;
constexpr std::int64_t answers_within =
    4 * second;                                    ///< anything, while something waits; else the path is dead
constexpr std::int64_t committed_within = minute;  ///< the next one; the same
constexpr std::int64_t heartbeat = 15 * second;    ///< below what a router forgets a UDP binding after
constexpr std::int64_t pongs_apart = 5 * second;
constexpr std::int64_t silence = 40 * second;
constexpr std::int64_t idle_end = 10 * minute;
constexpr std::int64_t want_lasts = minute;
constexpr std::int64_t offers_apart = 2 * second;
constexpr std::int64_t again_soon = 2 * second;
constexpr std::int64_t after_leaving = 30 * second;
constexpr std::int64_t steady_path = minute;  ///< one that held so long was a good one
constexpr std::int64_t recheck_every = second;
constexpr std::size_t max_strangers = 8;  ///< TCP that others opened, of an attempt
constexpr std::size_t max_early = 4096;
constexpr int most_unanswered = 32;  ///< envelopes that the other side has sent and we have not answered

/// Where the server is on this machine, contacts may be on it too.
[[nodiscard]] bool on_this_machine(std::string_view host) {
    return host == "localhost" || host == "[::1]" || host == "::1" || host.starts_with("127.");
}

}  // namespace

std::string_view name(PathKind kind) {
    switch (kind) {
        case PathKind::tcp:
            return "tcp";
        case PathKind::ice:
            return "ice";
        case PathKind::turn:
            break;
    }
    return "turn";
}

std::string_view name(DirectPolicy policy) {
    switch (policy) {
        case DirectPolicy::off:
            return "off";
        case DirectPolicy::contacts:
            return "contacts";
        case DirectPolicy::verified:
            break;
    }
    return "verified";
}

DirectPolicy direct_policy(storage::ClientStore& store) {
    const auto word = must(store.setting(policy_setting)).value_or("");
    for (const auto policy : {DirectPolicy::off, DirectPolicy::contacts})
        if (word == name(policy)) return policy;
    return DirectPolicy::verified;
}

bool direct_upnp(storage::ClientStore& store) {
    return must(store.setting(upnp_setting)).value_or("") == "1";
}

// ---- who may ----

void Direct::start() {
    active_ = true;
    core_->wants_ice = true;
    policy_ = direct_policy(core_->store);
    upnp_ = direct_upnp(core_->store);
    note();
}

void Direct::stop() {
    for (const auto id : all())
        if (auto* const attempt = find(id)) leave(*attempt);
    active_ = false;
    people_.clear();
}

void Direct::set_policy(DirectPolicy policy) {
    must(core_->store.put_setting(policy_setting, name(policy)));
    policy_ = policy;
    note();
}

void Direct::set_upnp(bool yes) {
    must(core_->store.put_setting(upnp_setting, yes ? "1" : ""));
    upnp_ = yes;
}

std::optional<Error> Direct::set_choice(std::int64_t id, storage::DirectChoice choice) {
    auto contact = must(core_->store.contact(id));
    if (!contact) return no_such_contact();
    contact->direct = choice;
    must(core_->store.update_contact(*contact));
    note();
    return std::nullopt;
}

bool Direct::allowed(const storage::Contact& contact) const {
    if (!active_ || contact.blocked || contact.state != storage::ContactState::confirmed) return false;
    switch (contact.direct) {
        case storage::DirectChoice::always:
            return true;
        case storage::DirectChoice::never:
            return false;
        case storage::DirectChoice::by_setting:
            break;
    }
    return policy_ == DirectPolicy::contacts ||
           (policy_ == DirectPolicy::verified && contact.verified != storage::Verified::no);
}

void Direct::note_soon() {
    if (!attempts_.empty() && !recheck_at_) recheck_at_ = core_->shell.now + recheck_every;
}

void Direct::recheck() {
    recheck_at_.reset();
    for (const auto id : all()) {
        auto* const attempt = find(id);
        if (attempt == nullptr) continue;
        const auto contact = must(core_->store.contact(attempt->contact));
        if (!contact || !allowed(*contact)) leave(*attempt);
    }
}

// ---- small things ----

Direct::Attempt* Direct::find(AttemptId id) {
    const auto found = attempts_.find(id);
    return found == attempts_.end() ? nullptr : &found->second;
}

Direct::Attempt* Direct::of_stream(StreamId stream) {
    for (auto& [id, attempt] : attempts_)
        if (attempt.streams.contains(stream)) return &attempt;
    return nullptr;
}

const Direct::Attempt* Direct::of_contact(std::int64_t contact) const {
    for (const auto& [id, attempt] : attempts_)
        if (attempt.contact == contact) return &attempt;
    return nullptr;
}

Direct::Attempt* Direct::of_contact(std::int64_t contact) {
    for (auto& [id, attempt] : attempts_)
        if (attempt.contact == contact) return &attempt;
    return nullptr;
}

std::vector<AttemptId> Direct::all() const {
    std::vector<AttemptId> out;
    out.reserve(attempts_.size());
    for (const auto& [id, attempt] : attempts_) out.push_back(id);
    return out;
}

PathSettings Direct::settings() const {
    return {.servers = core_->ice_servers,
            .loopback = on_this_machine(core_->identity.server_host),
            .upnp = upnp_};
}

DirectView Direct::view(std::int64_t contact) const {
    const auto* const attempt = of_contact(contact);
    if (attempt == nullptr) return {};
    if (attempt->phase != Attempt::Phase::open)
        return {.state = DirectState::connecting, .kind = PathKind::tcp};
    return {.state = DirectState::direct, .kind = attempt->streams.at(attempt->chosen).kind};
}

std::optional<std::uint32_t> Direct::device(std::int64_t contact) const {
    const auto* const attempt = of_contact(contact);
    if (attempt == nullptr || attempt->phase != Attempt::Phase::open) return std::nullopt;
    return attempt->device;
}

void Direct::tell(const Attempt& attempt) {
    core_->shell.tell(DirectChanged{attempt.contact, view(attempt.contact)});
}

// ---- offers and answers ----

void Direct::want(std::int64_t contact) {
    if (active_) people_[contact].wanted_until = core_->shell.now + want_lasts;
}

std::optional<Error> Direct::attempt(std::int64_t id) {
    const auto contact = must(core_->store.contact(id));
    if (!contact) return no_such_contact();
    if (!allowed(*contact))
        return Error{Exit::input,
                     say("{} may not learn your network address, so there is no direct session with them; "
                         "verify them, or allow it with `sotto contact set {} --direct on`.",
                         contact->name, contact->name)};
    if (of_contact(id) != nullptr) return std::nullopt;
    const auto* const session = core_->sessions.active(id);
    if (session == nullptr)
        return Error{Exit::input,
                     say("Nothing has been said with {} yet; write to them first.", contact->name)};
    begin(*contact, session->device, true);
    return std::nullopt;
}

Direct::Attempt& Direct::add(std::int64_t contact, std::uint32_t device, DirectRole role) {
    const auto id = ++last_id_;
    auto& made = attempts_[id];
    made.id = id;
    made.contact = contact;
    made.device = device;
    made.role = role;
    made.own = crypto::DirectSecret{core_->shell.rng.bytes<32>()};
    made.deadline = core_->shell.now + gather_within;
    core_->shell.act(GatherPath{id, role == DirectRole::offerer, settings()});
    return made;
}

void Direct::begin(const storage::Contact& contact, std::uint32_t device, bool asked) {
    auto& made = add(contact.id, device, DirectRole::offerer);
    made.name = core_->shell.rng.bytes<16>();
    made.asked = asked;
    tell(made);
}

void Direct::on(const PathGathered& gathered) {
    auto* const attempt = find(gathered.attempt);
    if (attempt == nullptr || attempt->phase != Attempt::Phase::gathering) return;
    auto contact = must(core_->store.contact(attempt->contact));
    if (!contact || !allowed(*contact)) return end(attempt->id, Again::no);
    if (gathered.ours.empty()) return end(attempt->id, Again::later);
    // They may have left while we looked around.
    if (attempt->role == DirectRole::offerer && !attempt->asked && !takes_offers(attempt->contact))
        return end(attempt->id, Again::no);
    send_signal(*attempt, *contact, gathered.ours);
    if (attempt->role == DirectRole::offerer) {
        attempt->phase = Attempt::Phase::offered;
        attempt->deadline = core_->shell.now + offer_lasts;
        return;
    }
    auto offer = std::exchange(attempt->offer, std::nullopt);
    if (offer) connect(*attempt, offer->secret, attempt->own, std::move(offer->path));
}

void Direct::send_signal(Attempt& attempt, storage::Contact& contact, const PathDescription& ours) {
    content::Content content;
    auto& signal = attempt.role == DirectRole::offerer ? *content.mutable_direct_offer()
                                                       : *content.mutable_direct_answer();
    fill(signal, attempt.name, attempt.own, ours);
    auto transaction = core_->store.begin();
    const auto queued = outbox_->queue(contact, std::move(content), false);
    must(transaction.commit());
    outbox_->queued(contact.id, queued.id);
    attempt.signal = queued.id;
    attempt.signalled = true;
}

void Direct::signalled(std::int64_t id, std::uint32_t device, Received::Direct signal, bool old) {
    if (!active_) return;
    const auto contact = must(core_->store.contact(id));
    if (!contact || !allowed(*contact)) return;
    if (signal.offer) {
        if (!old) answer(*contact, device, std::move(signal));
        return;
    }
    auto* const attempt = of_contact(id);
    if (attempt != nullptr && attempt->phase == Attempt::Phase::offered && attempt->name == signal.attempt &&
        attempt->device == device)
        answered(*attempt, signal);
}

void Direct::answer(const storage::Contact& contact, std::uint32_t device, Received::Direct offer) {
    auto& person = people_[contact.id];
    if (person.answer_from > core_->shell.now) return;
    person.answer_from = core_->shell.now + offers_apart;
    if (const auto* const current = of_contact(contact.id)) {
        // Both have offered: the lower of the two stands, and its maker will see an answer.
        if (current->phase == Attempt::Phase::offered && current->name < offer.attempt) return;
        // Otherwise they would not offer if they had what we have.
        end(current->id, Again::no);
    }
    auto& made = add(contact.id, device, DirectRole::answerer);
    made.name = offer.attempt;
    made.offer = std::move(offer);
    tell(made);
}

void Direct::answered(Attempt& attempt, const Received::Direct& answer) {
    connect(attempt, attempt.own, answer.secret, answer.path);
}

void Direct::connect(Attempt& attempt, const crypto::DirectSecret& offered,
                     const crypto::DirectSecret& answered, PathDescription theirs) {
    const auto contact = must(core_->store.contact(attempt.contact));
    if (!contact) return end(attempt.id, Again::no);
    const crypto::DirectEnd us{core_->identity.address, core_->identity.device};
    const crypto::DirectEnd them{contact->address, attempt.device};
    const bool offerer = attempt.role == DirectRole::offerer;
    attempt.key =
        crypto::derive_direct_key(attempt.name, offered, answered, offerer ? us : them, offerer ? them : us);
    attempt.own = crypto::DirectSecret{};
    attempt.phase = Attempt::Phase::connecting;
    attempt.deadline = core_->shell.now + connect_within;
    const auto id = attempt.id;
    core_->shell.act(ConnectPath{id, std::move(theirs)});
    std::vector<StreamId> waiting;
    waiting.reserve(attempt.streams.size());
    for (const auto& [stream, state] : attempt.streams) waiting.push_back(stream);
    for (const auto stream : waiting)
        if (auto* const still = find(id); still != nullptr && still->streams.contains(stream))
            secure(*still, stream);
}

// ---- streams ----

void Direct::handle(DirectEvent event) {
    std::visit([this](auto& what) { on(what); }, event);
}

void Direct::on(const StreamOpened& opened) {
    auto* const attempt = find(opened.attempt);
    // Whoever is on the network may connect; that keeps out neither our own connections nor ICE.
    const bool unknown = !opened.ours && opened.kind == PathKind::tcp;
    const auto strangers = [&] {
        return std::ranges::count_if(attempt->streams, [](const auto& each) {
            return !each.second.ours && each.second.kind == PathKind::tcp;
        });
    };
    if (attempt == nullptr || attempt->chosen != 0 ||
        (unknown && strangers() >= std::ptrdiff_t{max_strangers})) {
        core_->shell.act(CloseStream{opened.stream});
        return;
    }
    auto& stream = attempt->streams[opened.stream];
    stream.kind = opened.kind;
    stream.ours = opened.ours;
    if (attempt->key) secure(*attempt, opened.stream);
}

void Direct::secure(Attempt& attempt, StreamId id) {
    auto& stream = attempt.streams.at(id);
    if (!attempt.key || stream.secure) return;
    if (stream.ours) {
        Bytes out;
        stream.secure = crypto::DirectStream::open(*attempt.key, attempt.role, core_->shell.rng, out);
        core_->shell.act(SendStream{id, std::move(out)});
    } else {
        stream.secure = crypto::DirectStream::accept(*attempt.key, attempt.role, core_->shell.rng);
    }
    const auto early = std::exchange(stream.early, {});
    if (!early.empty()) feed(attempt.id, id, early);
}

void Direct::on(StreamBytes& bytes) {
    auto* const attempt = of_stream(bytes.stream);
    if (attempt == nullptr) return;
    auto& stream = attempt->streams.at(bytes.stream);
    if (stream.secure) return feed(attempt->id, bytes.stream, bytes.bytes);
    // Their answer may still be on its way to us.
    if (stream.early.size() + bytes.bytes.size() > max_early) return drop_stream(*attempt, bytes.stream);
    stream.early.insert(stream.early.end(), bytes.bytes.begin(), bytes.bytes.end());
}

void Direct::feed(AttemptId id, StreamId stream, ByteView bytes) {
    auto* const attempt = find(id);
    if (attempt == nullptr) return;
    auto& held = attempt->streams.at(stream).secure;
    if (!held) return;
    auto& secure = *held;
    const bool before = secure.proven();
    auto taken = secure.take(bytes);
    if (!taken) return drop_stream(*attempt, stream);
    if (!taken->reply.empty()) core_->shell.act(SendStream{stream, std::move(taken->reply)});
    if (!before && secure.proven() && attempt->role == DirectRole::offerer && attempt->chosen == 0)
        choose(*attempt, stream);
    direct::Committed committed;
    for (const auto& frame : taken->frames)
        if (!take(*attempt, stream, frame, committed)) return;
    if (committed.envelope_ids().empty()) return;
    direct::Frame frame;
    *frame.mutable_committed() = std::move(committed);
    send(*attempt, frame);
}

bool Direct::take(Attempt& attempt, StreamId stream, ByteView bytes, direct::Committed& committed) {
    direct::Frame frame;
    if (!frame.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        drop_stream(attempt, stream);
        return false;
    }
    if (attempt.chosen == 0 && frame.has_chosen() && attempt.role == DirectRole::answerer) {
        choose(attempt, stream);
        return true;
    }
    if (attempt.chosen != stream) {
        drop_stream(attempt, stream);
        return false;
    }
    attempt.heard_at = core_->shell.now;
    return take_body(attempt, frame, committed);
}

bool Direct::take_body(Attempt& attempt, const direct::Frame& frame, direct::Committed& committed) {
    switch (frame.body_case()) {
        case direct::Frame::kEnvelope: {
            const auto id = from_field<16>(frame.envelope().envelope_id());
            if (!id || frame.envelope().envelope().empty()) break;
            attempt.used_at = core_->shell.now;
            const auto self = attempt.id;
            if (committed.envelope_ids_size() == most_unanswered ||
                !inbox_->take_from(attempt.contact, *id, bytes_of(frame.envelope().envelope())))
                break;
            committed.add_envelope_ids(frame.envelope().envelope_id());
            return find(self) != nullptr;
        }
        case direct::Frame::kCommitted:
            for (const auto& field : frame.committed().envelope_ids()) {
                const auto id = from_field<16>(field);
                const auto found = id ? attempt.pending.find(*id) : attempt.pending.end();
                if (found == attempt.pending.end()) continue;
                const auto done = std::move(found->second);
                attempt.pending.erase(found);
                attempt.awaited_since = core_->shell.now;
                done(true);
            }
            return true;
        case direct::Frame::kPing: {
            if (attempt.ponged_at + pongs_apart > core_->shell.now) return true;
            attempt.ponged_at = core_->shell.now;
            direct::Frame pong;
            pong.mutable_pong();
            send(attempt, pong);
            return true;
        }
        case direct::Frame::kPong:
            return true;
        case direct::Frame::kLeaving: {
            auto& person = people_[attempt.contact];
            person.wanted_until = 0;
            person.not_before = std::max(person.not_before, core_->shell.now + after_leaving);
            end(attempt.id, Again::no);
            return false;
        }
        case direct::Frame::kChosen:
        case direct::Frame::BODY_NOT_SET:
            break;
    }
    end(attempt.id, Again::later);
    return false;
}

void Direct::choose(Attempt& attempt, StreamId stream) {
    attempt.chosen = stream;
    attempt.phase = Attempt::Phase::open;
    attempt.heard_at = attempt.used_at = core_->shell.now;
    std::erase_if(attempt.streams, [&](const auto& each) { return each.first != stream; });
    core_->shell.act(KeepStream{attempt.id, stream});
    attempt.spoke_at = core_->shell.now;
    if (attempt.role == DirectRole::offerer) {
        direct::Frame frame;
        frame.mutable_chosen();
        send(attempt, frame);
    }
    auto& person = people_[attempt.contact];
    person.wanted_until = 0;
    attempt.opened_at = core_->shell.now;
    tell(attempt);
}

void Direct::send(Attempt& attempt, const direct::Frame& frame) {
    attempt.spoke_at = core_->shell.now;
    auto& secure = attempt.streams.at(attempt.chosen).secure;
    if (secure) core_->shell.act(SendStream{attempt.chosen, secure->seal(encode(frame))});
}

void Direct::deliver(std::int64_t contact, const storage::EnvelopeId& id, ByteView envelope,
                     std::function<void(bool)> answered) {
    auto* const attempt = of_contact(contact);
    if (attempt == nullptr || attempt->phase != Attempt::Phase::open) return answered(false);
    direct::Frame frame;
    frame.mutable_envelope()->set_envelope_id(to_field(id));
    frame.mutable_envelope()->set_envelope(to_field(envelope));
    if (attempt->pending.empty()) attempt->awaited_since = core_->shell.now;
    attempt->pending[id] = std::move(answered);
    attempt->used_at = core_->shell.now;
    send(*attempt, frame);
}

void Direct::on(const StreamClosed& closed) {
    auto* const attempt = of_stream(closed.stream);
    if (attempt == nullptr) return;
    if (attempt->chosen == closed.stream) return end(attempt->id, Again::soon);
    attempt->streams.erase(closed.stream);
}

void Direct::on(const StreamMoved& moved) {
    auto* const attempt = of_stream(moved.stream);
    if (attempt == nullptr) return;
    auto& stream = attempt->streams.at(moved.stream);
    if (std::exchange(stream.kind, moved.kind) != moved.kind && attempt->chosen == moved.stream)
        tell(*attempt);
}

void Direct::drop_stream(Attempt& attempt, StreamId stream) {
    if (attempt.chosen == stream) return end(attempt.id, Again::later);
    attempt.streams.erase(stream);
    core_->shell.act(CloseStream{stream});
}

void Direct::end(AttemptId id, Again again) {
    auto node = attempts_.extract(id);
    if (node.empty()) return;
    auto& attempt = node.mapped();
    core_->shell.act(EndPath{id});
    auto& person = people_[attempt.contact];
    const bool was_open = attempt.phase == Attempt::Phase::open;
    if (was_open && attempt.opened_at + steady_path <= core_->shell.now) {
        person.backoff.reset();
    } else if (again == Again::soon) {
        // One that comes about and carries nothing is not tried again and again.
        again = Again::later;
    }
    const bool in_use = !attempt.pending.empty() || attempt.used_at + want_lasts > core_->shell.now;
    // One side alone, so that offers don't cross.
    if (again != Again::no && was_open && in_use && attempt.role == DirectRole::offerer)
        person.wanted_until = core_->shell.now + want_lasts;
    if (again == Again::soon) {
        person.not_before = core_->shell.now + again_soon;
    } else if (again == Again::later) {
        person.not_before = core_->shell.now + person.backoff.next(30 * second, hour, core_->shell.rng);
    }
    tell(attempt);
    for (const auto& [envelope, answered] : attempt.pending) answered(false);
    // What has not left would find nobody any more, and its addresses may not be told any more.
    if (attempt.signalled) outbox_->withdraw(attempt.contact, attempt.signal);
}

void Direct::leave(Attempt& attempt) {
    if (attempt.phase == Attempt::Phase::open) {
        direct::Frame frame;
        frame.mutable_leaving();
        send(attempt, frame);
    }
    end(attempt.id, Again::no);
}

// ---- time ----

void Direct::fail() {
    for (const auto id : all()) {
        try {
            end(id, Again::later);
        } catch (const StoreFailure&) {  // NOLINT(bugprone-empty-catch): the one that brought us here
        }
    }
}

bool Direct::takes_offers(std::int64_t contact) const {
    return (presence_->view(contact).capabilities & capability_direct) != 0;
}

void Direct::pump() {
    if (!active_) return;
    if (recheck_at_ && *recheck_at_ <= core_->shell.now) recheck();
    for (auto& [id, person] : people_) {
        if (person.wanted_until <= core_->shell.now || person.not_before > core_->shell.now ||
            of_contact(id) != nullptr)
            continue;
        if (!takes_offers(id)) continue;
        const auto contact = must(core_->store.contact(id));
        const auto* const session = core_->sessions.active(id);
        if (!contact || !allowed(*contact) || session == nullptr || session->session.awaiting_reply())
            continue;
        begin(*contact, session->device, false);
    }
}

std::int64_t Direct::dead_at(const Attempt& attempt) {
    const auto silent = attempt.heard_at + silence;
    if (attempt.pending.empty()) return silent;
    // On a slow line an answer comes behind all that was on its way before it.
    return std::min({silent, std::max(attempt.heard_at, attempt.awaited_since) + answers_within,
                     attempt.awaited_since + committed_within});
}

void Direct::tick() {
    for (const auto id : all())
        if (auto* const attempt = find(id)) tick(*attempt);
}

void Direct::tick(Attempt& attempt) {
    const auto now = core_->shell.now;
    if (attempt.phase != Attempt::Phase::open) {
        if (attempt.deadline <= now) end(attempt.id, Again::later);
        return;
    }
    if (dead_at(attempt) <= now) return end(attempt.id, Again::soon);
    if (attempt.used_at + idle_end <= now) return leave(attempt);
    if (attempt.spoke_at + heartbeat > now) return;
    direct::Frame frame;
    frame.mutable_ping();
    send(attempt, frame);
}

std::optional<std::int64_t> Direct::next_deadline() const {
    std::optional<std::int64_t> deadline;
    if (active_) sooner(deadline, recheck_at_);
    for (const auto& [id, attempt] : attempts_) {
        if (attempt.phase != Attempt::Phase::open) {
            sooner(deadline, attempt.deadline);
            continue;
        }
        sooner(deadline, dead_at(attempt));
        sooner(deadline, attempt.used_at + idle_end);
        sooner(deadline, attempt.spoke_at + heartbeat);
    }
    for (const auto& [id, person] : people_)
        if (person.wanted_until > core_->shell.now && person.not_before > core_->shell.now)
            sooner(deadline, person.not_before);
    return deadline;
}

}  // namespace sotto::client
