#include "client/world.hpp"

#include <stdlib.h>

#include <stdexcept>

namespace sotto::client::test {

Folder::Folder() {
    std::error_code ignored;
    const std::filesystem::path memory{"/dev/shm"};
    const auto base =
        std::filesystem::is_directory(memory, ignored) ? memory : std::filesystem::temp_directory_path();
    auto pattern = (base / "sotto-engine-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no folder for the test");
    path_ = pattern;
}

Folder::~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::uint64_t chosen_seed(std::uint64_t otherwise) {
    const auto* given = std::getenv("SOTTO_SEED");
    return given == nullptr ? otherwise : std::stoull(given);
}

// ---- Client ----

Client::Client(World& world, std::string user_name, SimServer& server, std::uint64_t seed)
    : user(std::move(user_name)),
      world_(&world),
      home_(&server),
      file_(world.folder.path() / (user + " at " + server.endpoint().host)),
      rng_(seed) {}

void Client::open_store() {
    Array<32> key;
    key.fill(std::byte{7});
    auto store = storage::ClientStore::open(file_, storage::DatabaseKey{key});
    if (!store) throw std::runtime_error("a client's store: " + store.error().detail);
    store_ = std::make_unique<storage::ClientStore>(std::move(*store));
}

storage::ClientStore& Client::opened() {
    if (!store_) open_store();
    return *store_;
}

void Client::keep_copy() {
    store_.reset();
    std::filesystem::copy_file(file_, file_.string() + ".copy",
                               std::filesystem::copy_options::overwrite_existing);
}

void Client::put_back() {
    store_.reset();
    std::filesystem::copy_file(file_.string() + ".copy", file_,
                               std::filesystem::copy_options::overwrite_existing);
}

void Client::init(const std::string& invite) {
    if (const auto error = try_init(invite)) throw std::runtime_error(error->sentence);
}

std::optional<Error> Client::try_init(const std::string& invite, bool accept_unbound) {
    registration_error_.reset();
    auto endpoint = home_->endpoint();
    if (wrong_pin) endpoint.pin->front() ^= std::byte{1};
    registered_ = false;
    registration_ = std::make_unique<Registration>(NewAccount{endpoint, user, invite, accept_unbound}, rng_);
    const auto take = [this](Registration::Step step) {
        while (true) {
            registered_ = registered_ || step.finished;
            if (step.failed) registration_error_ = step.failed;
            carry_out(std::move(step.output));
            if (!step.needs_store) break;
            if (!store_) open_store();
            if (!account_key_) account_key_.emplace(crypto::AccountKeyPair::generate(rng_));
            step = registration_->stored(*store_, *account_key_, world_->clock.wall());
        }
    };
    take(registration_->start(world_->clock.wall()));
    // The registration is driven like an engine: events come in through handle().
    const bool over = world_->run([&] { return registered_ || registration_error_; }, 120'000);
    registration_.reset();
    world_->drop_all(*this);
    ++life_;
    if (!over) return Error{Exit::bug, "the registration never ends"};
    return registration_error_;
}

void Client::launch() {
    if (!store_) open_store();
    auto engine = Engine::create(*store_, rng_, world_->config);
    if (!engine) throw std::runtime_error(engine.error().sentence);
    engine_.emplace(std::move(*engine));
}

void Client::start() {
    launch();
    apply([&] { return engine_->start(world_->clock.wall()); });
}

void Client::start_sending() {
    launch();
    apply([&] { return engine_->start_sending(world_->clock.wall()); });
}

void Client::stop() {
    carry_out(engine_->stop(world_->clock.wall()));
    world_->paths.drop_all(*this);
    engine_.reset();
    store_.reset();
    ++life_;
}

void Client::crash() {
    rng_.die_at(0);
    engine_.reset();
    store_.reset();
    world_->drop_all(*this);
    ++life_;
}

void Client::carry_out(Output output) {
    for (auto& notice : output.notices) {
        notices_.push_back(notice);
        if (on_notice) on_notice(notice);
    }
    for (auto& action : output.actions) {
        if (const auto* open = std::get_if<OpenConnection>(&action))
            world_->connect(*this, *open);
        else if (const auto* frame = std::get_if<SendFrame>(&action))
            world_->to_server(*this, *frame);
        else
            world_->hang_up(*this, std::get<CloseConnection>(action).id);
    }
    for (const auto& action : output.paths) world_->paths.perform(*this, action);
}

void Client::handle(NetworkEvent event) {
    if (registration_) {
        auto step = registration_->handle(std::move(event), world_->clock.wall());
        while (true) {
            registered_ = registered_ || step.finished;
            if (step.failed) registration_error_ = step.failed;
            carry_out(std::move(step.output));
            if (!step.needs_store) break;
            if (!store_) open_store();
            if (!account_key_) account_key_.emplace(crypto::AccountKeyPair::generate(rng_));
            try {
                step = registration_->stored(*store_, *account_key_, world_->clock.wall());
            } catch (const Crash&) {
                registration_error_ = Error{Exit::bug, "crashed"};
                break;
            }
        }
        return;
    }
    if (engine_) apply([&] { return engine_->handle(std::move(event), world_->clock.wall()); });
}

void Client::handle(DirectEvent event) {
    if (engine_) apply([&] { return engine_->handle(std::move(event), world_->clock.wall()); });
}

void Client::tick() {
    if (engine_) apply([&] { return engine_->tick(world_->clock.wall()); });
}

std::optional<std::int64_t> Client::next_deadline() const {
    if (!engine_) return std::nullopt;
    auto deadline = engine_->next_deadline();
    if (deadline) *deadline -= world_->clock.set_by;
    return deadline;
}

Result<storage::MessageId> Client::try_send(const std::string& name, std::string_view text) {
    const auto to = contact(name);
    if (!to) throw std::runtime_error(user + " knows no " + name);
    std::optional<Result<storage::MessageId>> out;
    apply([&] {
        auto queued = engine_->send_text(to->id, text, world_->clock.wall());
        if (!queued) {
            out.emplace(std::unexpected(queued.error()));
            return Output{};
        }
        out.emplace(queued->id);
        return std::move(queued->output);
    });
    if (!out) return std::unexpected(Error{Exit::bug, "crashed"});
    return *out;
}

storage::MessageId Client::send(const std::string& name, std::string_view text) {
    const auto id = try_send(name, text);
    if (!id) throw std::runtime_error(id.error().sentence);
    return *id;
}

protocol::ContactLink Client::invite() {
    std::optional<protocol::ContactLink> link;
    apply([&] {
        auto invited = engine_->make_invite(world_->clock.wall());
        if (!invited) throw std::runtime_error(invited.error().sentence);
        link.emplace(std::move(invited->link));
        return std::move(invited->output);
    });
    if (!world_->run([&] { return engine_ && engine_->tokens_published(); }))
        throw std::runtime_error("the invite is never published");
    return std::move(*link);
}

std::optional<Error> Client::join(const protocol::ContactLink& link, const std::string& name) {
    std::optional<Error> error;
    apply([&] {
        auto output = engine_->join(link, name, world_->clock.wall());
        if (output) return std::move(*output);
        error = output.error();
        return Output{};
    });
    return error;
}

std::optional<Error> Client::decide(Result<Output> (Engine::*decision)(std::int64_t, std::int64_t),
                                    const std::string& name) {
    const auto about = contact(name);
    if (!about) throw std::runtime_error(user + " knows no " + name);
    std::optional<Error> error;
    apply([&] {
        auto output = (*engine_.*decision)(about->id, world_->clock.wall());
        if (output) return std::move(*output);
        error = output.error();
        return Output{};
    });
    return error;
}

std::optional<storage::Contact> Client::contact(const std::string& name) {
    if (!store_) open_store();
    return store_->contact_by_name(name).value();
}

std::vector<storage::Message> Client::incoming(const std::string& name) {
    const auto from = contact(name);
    std::vector<storage::Message> out;
    if (!from) return out;
    for (auto& message : take(store_->history(from->id, "", -1)))
        if (message.direction == storage::Direction::incoming) out.push_back(std::move(message));
    return out;
}

std::vector<std::string> Client::heard(const std::string& name) {
    std::vector<std::string> out;
    for (auto& message : incoming(name))
        if (message.kind != storage::kind_notice) out.push_back(std::move(message.text));
    return out;
}

storage::MessageState Client::state_of(const std::string& name, const storage::MessageId& id) {
    const auto to = contact(name);
    return store_->message(to->id, storage::Direction::outgoing, id).value().value().state;
}

bool Client::warned(Exit exit) const {
    for (const auto& warning : warnings())
        if (warning.error.exit == exit) return true;
    return false;
}

// ---- World ----

World::World(std::uint64_t seed) : dice(seed), seed_(seed) {}

World::~World() {
    events_.clear();
    clients_.clear();
    servers_.clear();
}

SimServer& World::add_server(const std::string& name) {
    protocol::Pin pin;
    pin.fill(static_cast<std::byte>(servers_.size() + 1));
    const protocol::Endpoint endpoint{name, 7443, pin};
    servers_.push_back(
        std::make_unique<SimServer>(name, endpoint, folder.path(), clock, seed_ * 1000 + servers_.size()));
    return *servers_.back();
}

Client& World::add_new(const std::string& user, SimServer& home) {
    clients_.push_back(std::make_unique<Client>(*this, user, home, seed_ * 1'000'000 + clients_.size()));
    return *clients_.back();
}

Client& World::add(const std::string& user, SimServer& home) {
    auto& client = add_new(user, home);
    client.init();
    client.start();
    if (!run([&] { return client.engine().logged_in(); })) throw std::runtime_error(user + " never logs in");
    return client;
}

void World::at(std::int64_t when, std::function<void()> what) {
    events_.emplace(when, std::move(what));
}

bool World::chance(std::uint32_t of_ten_thousand) {
    return of_ten_thousand > 0 && dice.below(10'000) < of_ten_thousand;
}

std::int64_t World::delay() {
    const auto more = faults.jitter > 0 ? dice.below(static_cast<std::uint64_t>(faults.jitter)) : 0;
    return faults.latency + static_cast<std::int64_t>(more);
}

World::Wire* World::find(const Client& client, ConnectionId connection) {
    for (const auto& wire : wires_)
        if (wire->open && wire->client == &client && wire->life == client.life_ && wire->local == connection)
            return wire.get();
    return nullptr;
}

void World::connect(Client& client, const OpenConnection& open) {
    const auto life = client.life_;
    at(clock.now + delay(), [this, &client, open, life] {
        if (client.life_ != life) return;
        SimServer* server = nullptr;
        for (const auto& each : servers_)
            if (each->endpoint().host == open.endpoint.host && each->endpoint().port == open.endpoint.port)
                server = each.get();
        if (server == nullptr || !server->up())
            return client.handle(Disconnected{open.id, NetworkError::unreachable, ""});
        if (open.endpoint.pin != server->endpoint().pin)
            return client.handle(Disconnected{open.id, NetworkError::wrong_pin, ""});
        auto wire = std::make_unique<Wire>();
        wire->client = &client;
        wire->life = life;
        wire->local = open.id;
        wire->purpose = open.purpose;
        wire->server = server;
        const auto exporter = dice.bytes<32>();
        wire->remote = server->accept(open.purpose, exporter);
        wires_.push_back(std::move(wire));
        client.handle(Connected{open.id, exporter, std::nullopt, "simulated"});
    });
}

void World::to_server(Client& client, const SendFrame& frame) {
    auto* wire = find(client, frame.id);
    if (wire == nullptr) return;
    if (chance(faults.cut)) return cut(*wire);
    wire->server_clear = std::max(wire->server_clear, clock.now + delay());
    at(wire->server_clear, [wire, bytes = frame.frame] {
        if (wire->remote != 0) wire->server->receive(wire->remote, bytes);
    });
}

void World::hang_up(Client& client, ConnectionId connection) {
    auto* wire = find(client, connection);
    if (wire == nullptr) return;
    wire->open = false;
    at(std::max(wire->server_clear, clock.now + delay()), [wire] {
        if (wire->remote != 0) wire->server->disconnect(std::exchange(wire->remote, 0));
    });
}

void World::drop_all(const Client& client) {
    paths.drop_all(client);
    for (const auto& wire : wires_) {
        if (wire->client != &client || !wire->open) continue;
        wire->open = false;
        at(clock.now + delay(), [w = wire.get()] {
            if (w->remote != 0) w->server->disconnect(std::exchange(w->remote, 0));
        });
    }
}

void World::cut(Wire& wire) {
    if (!wire.open) return;
    wire.open = false;
    at(clock.now + delay(), [w = &wire] {
        if (w->remote != 0) w->server->disconnect(std::exchange(w->remote, 0));
        if (w->client->life_ == w->life) w->client->handle(Disconnected{w->local, NetworkError::closed, ""});
    });
}

void World::to_client(Wire& wire, Bytes frame) {
    wire.client_clear = std::max(wire.client_clear, clock.now + delay());
    at(wire.client_clear, [w = &wire, bytes = std::move(frame)] {
        if (w->open && w->client->life_ == w->life) w->client->handle(FrameReceived{w->local, bytes});
    });
}

void World::from_servers() {
    for (const auto& server : servers_) {
        if (!server->up()) continue;
        for (auto& [connection, frame, close] : server->take()) {
            Wire* wire = nullptr;
            for (const auto& each : wires_)
                if (each->server == server.get() && each->remote == connection) wire = each.get();
            if (wire == nullptr) continue;
            if (close) {
                at(std::max(wire->client_clear, clock.now), [this, wire] { cut(*wire); });
                continue;
            }
            if (chance(faults.cut)) {
                cut(*wire);
                continue;
            }
            wire::Reply reply;
            const bool push =
                reply.ParseFromArray(frame.data(), static_cast<int>(frame.size())) && reply.has_incoming();
            if (push && wire->held) {
                to_client(*wire, frame);
                to_client(*wire, *std::exchange(wire->held, std::nullopt));
                continue;
            }
            if (push && chance(faults.swap)) {
                wire->held = frame;
                // Without a next one it comes late.
                at(clock.now + 500, [this, wire] {
                    if (wire->held) to_client(*wire, *std::exchange(wire->held, std::nullopt));
                });
                continue;
            }
            if (push && chance(faults.duplicate)) to_client(*wire, frame);
            to_client(*wire, std::move(frame));
        }
    }
}

void World::kill(SimServer& server) {
    server.kill();
    for (const auto& wire : wires_) {
        if (wire->server != &server) continue;
        wire->remote = 0;
        cut(*wire);
    }
}

std::size_t World::open_connections() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(wires_, [](const auto& wire) { return wire->open; }));
}

bool World::step(std::int64_t until) {
    from_servers();
    std::int64_t next = until;
    if (!events_.empty()) next = std::min(next, events_.begin()->first);
    for (const auto& client : clients_)
        if (const auto deadline = client->next_deadline())
            next = std::min(next, std::max(*deadline, clock.now));
    const bool counting =
        std::ranges::any_of(servers_, [](const auto& server) { return server->counting(); });
    if (counting) next = std::min(next, std::max(server_tick_ + 250, clock.now));
    clock.now = std::max(clock.now, next);
    if (clock.now >= server_tick_ + 250) {
        server_tick_ = clock.now;
        for (const auto& server : servers_) server->tick();
    }
    if (!events_.empty() && events_.begin()->first <= clock.now) {
        const auto what = std::move(events_.begin()->second);
        events_.erase(events_.begin());
        what();
    } else {
        for (const auto& client : clients_) {
            const auto deadline = client->next_deadline();
            if (deadline && *deadline <= clock.now) {
                client->tick();
                const auto after = client->next_deadline();
                if (after && *after <= clock.now && client->running())
                    throw std::logic_error("a tick of " + client->user + " leaves its own deadline behind");
            }
        }
    }
    from_servers();
    return clock.now < until;
}

bool World::run(const std::function<bool()>& done, std::int64_t limit) {
    const auto until = clock.now + limit;
    while (!done()) {
        if (!step(until)) return done();
    }
    return true;
}

void World::run_for(std::int64_t ms) {
    static_cast<void>(run([] { return false; }, ms));
}

bool World::settle(std::int64_t limit) {
    return run(
        [&] {
            if (!events_.empty()) return false;
            for (const auto& client : clients_)
                if (client->running() && !client->engine().idle()) return false;
            return true;
        },
        limit);
}

}  // namespace sotto::client::test
