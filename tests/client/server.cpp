#include "client/server.hpp"

#include <stdexcept>

#include "keyserver/store/schema.hpp"
#include "keyserver/store/sql_accounts.hpp"
#include "keyserver/store/sql_mailbox.hpp"
#include "keyserver/store/sql_prekeys.hpp"
#include "keyserver/store/sql_tokens.hpp"

namespace sotto::client::test {

namespace ks = keyserver;

SimServer::SimServer(std::string name, protocol::Endpoint endpoint, const std::filesystem::path& folder,
                     const SimClock& clock, std::uint64_t seed)
    : policy_{.server_name = std::move(name), .registration = ks::Registration::open},
      endpoint_(std::move(endpoint)),
      file_(folder / (policy_.server_name + ".db")),
      clock_(&clock),
      rng_(seed) {
    restart();
}

SimServer::~SimServer() {
    kill();
}

void SimServer::restart() {
    const storage::DatabaseKey key{Array<32>{}};
    auto db = storage::Database::open(file_, key, ks::migrations, {.full_sync = false});
    if (!db) throw std::runtime_error("the server's store: " + db.error().detail);
    db_.emplace(std::move(*db));
    service_ = std::make_unique<ks::Service>(policy_, *clock_, rng_, *this, *this);
}

void SimServer::kill() {
    // What waited for the store was not promised to anybody.
    jobs_.clear();
    auto sessions = std::exchange(sessions_, {});
    sessions.clear();
    jobs_.clear();
    service_.reset();
    output_.clear();
    db_.reset();
}

ks::ConnectionId SimServer::accept(Purpose purpose, const Array<32>& exporter) {
    const auto id = next_++;
    const auto kind = static_cast<ks::Purpose>(purpose);
    static_assert(static_cast<int>(ks::Purpose::presence) == static_cast<int>(Purpose::presence));
    auto& session = sessions_[id] = std::make_unique<ks::Session>(*service_, id, kind, exporter);
    session->begin();
    return id;
}

void SimServer::receive(ks::ConnectionId connection, ByteView frame) {
    const auto found = sessions_.find(connection);
    if (found == sessions_.end()) return;
    if (frame.size() > found->second->frame_limit())
        throw std::logic_error("the client sent a frame over the limit");
    if (remember) {
        wire::Request request;
        if (request.ParseFromArray(frame.data(), static_cast<int>(frame.size())))
            remember(connection, request);
    }
    found->second->receive(frame);
}

void SimServer::disconnect(ks::ConnectionId connection) {
    sessions_.erase(connection);
}

void SimServer::tick() {
    if (service_) service_->hub.tick();
}

void SimServer::work() {
    while (!jobs_.empty()) {
        const auto job = std::move(jobs_.front());
        jobs_.pop_front();
        ks::Sql sql{*db_};
        ks::SqlAccounts accounts{sql};
        ks::SqlPrekeys prekeys{sql};
        ks::SqlTokens tokens{sql};
        ks::SqlInvites invites{sql};
        ks::SqlMailbox mailbox{sql};
        ks::Stores stores{accounts, prekeys, tokens, invites, mailbox};
        storage::Transaction transaction{*db_};
        job->run(stores);
        if (sql.failure()) throw std::runtime_error("the server's store: " + sql.failure()->detail);
        if (!transaction.commit()) throw std::runtime_error("the server's store doesn't commit");
        job->finish(true);
    }
}

std::vector<ServerOutput> SimServer::take() {
    work();
    return std::exchange(output_, {});
}

void SimServer::out(ks::ConnectionId connection, const std::string& frame) {
    if (!lie) {
        output_.push_back({connection, to_bytes(bytes_of(frame)), false});
        return;
    }
    wire::Reply reply;
    if (!reply.ParseFromString(frame)) throw std::logic_error("the server sent something that isn't a reply");
    lie(reply);
    const auto changed = reply.SerializeAsString();
    output_.push_back({connection, to_bytes(bytes_of(changed)), false});
}

void SimServer::reply(ks::ConnectionId connection, std::string frame) {
    out(connection, frame);
    const auto found = sessions_.find(connection);
    if (found != sessions_.end()) found->second->answered();
}

void SimServer::push(ks::ConnectionId connection, ks::Outgoing frame) {
    out(connection, frame.whole());
}

void SimServer::close(ks::ConnectionId connection) {
    output_.push_back({connection, {}, true});
}

void SimServer::run_on(unsigned /*thread*/, ks::ConnectionId /*by*/, std::move_only_function<void()> work) {
    work();
}

void SimServer::resume(ks::ConnectionId connection, std::move_only_function<void(ks::Session&)> step) {
    const auto found = sessions_.find(connection);
    if (found != sessions_.end()) step(*found->second);
}

std::int64_t SimServer::count(std::string_view sql) {
    auto statement = db_->prepare(sql);
    const auto row = statement.step();
    return row && *row ? statement.integer(0) : -1;
}

bool SimServer::slip_in(const std::string& user, ByteView envelope, std::uint16_t id) {
    std::optional<ks::DeviceKey> key;
    {
        auto found = db_->prepare(
            "SELECT account, device FROM devices JOIN accounts ON accounts.id = devices.account "
            "WHERE user = ?");
        found.bind_text(user);
        if (const auto row = found.step(); row && *row)
            key = {.account = found.integer(0), .device = static_cast<std::uint32_t>(found.integer(1))};
    }
    if (!key) return false;
    ks::EnvelopeId name{};
    name[0] = static_cast<std::byte>(id >> 8U);
    name[1] = static_cast<std::byte>(id);
    ks::Sql sql{*db_};
    return ks::SqlMailbox{sql}.append(*key, name, chars_of(envelope), 0);
}

std::int64_t SimServer::mail_waiting() {
    return count("SELECT count(*) FROM mail");
}
std::int64_t SimServer::one_time_left() {
    return count("SELECT count(*) FROM one_time_prekeys");
}

}  // namespace sotto::client::test
