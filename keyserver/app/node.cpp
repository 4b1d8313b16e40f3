#include "keyserver/app/node.hpp"

#include <spdlog/spdlog.h>

#include <chrono>

#include "keyserver/app/files.hpp"
#include "keyserver/core/mail.hpp"
#include "keyserver/store/schema.hpp"
#include "sotto/crypto/codec.hpp"

namespace sotto::keyserver {
namespace {

class SystemClock final : public Clock {
  public:
    [[nodiscard]] std::uint64_t unix_ms() const override { return count(std::chrono::system_clock::now()); }
    [[nodiscard]] std::uint64_t steady_ms() const override { return count(std::chrono::steady_clock::now()); }

  private:
    [[nodiscard]] static std::uint64_t count(auto time) {
        return static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count());
    }
};

[[nodiscard]] Problem store_problem(const storage::Error& error, const std::filesystem::path& file) {
    switch (error.code) {
        case storage::Code::damaged:
            return {
                .exit = Exit::server,
                .sentence =
                    "The store " + file.string() +
                    " can't be opened: it is damaged, or the store key is another one; restore a backup."};
        case storage::Code::newer:
            return {
                .exit = Exit::input,
                .sentence = "The store " + file.string() + " was written by a newer version; run that one."};
        case storage::Code::full:
            return {.exit = Exit::server,
                    .sentence = "The disk is full: make room for " + file.string() + "."};
        default:
            return {.exit = Exit::server,
                    .sentence = "The store " + file.string() + " can't be opened: " + error.detail + "."};
    }
}

[[nodiscard]] Outcome<storage::DatabaseKey> read_store_key(const std::filesystem::path& file) {
    auto content = read_small_file(file, "The store key");
    if (!content) return std::unexpected(content.error());
    while (!content->empty() && (content->back() == '\n' || content->back() == '\r')) content->pop_back();
    auto bytes = crypto::from_hex(*content);
    crypto::wipe(content->data(), content->size());
    if (!bytes || bytes->size() != storage::DatabaseKey::size)
        return problem(Exit::input, "The store key " + file.string() + " must hold 64 hexadecimal digits.");
    storage::DatabaseKey key{FixedView<storage::DatabaseKey::size>{*bytes}};
    crypto::wipe(bytes->data(), bytes->size());
    if (readable_by_others(file))
        spdlog::warn("the store key can be read by other users of this machine: chmod 600 it");
    return key;
}

}  // namespace

Outcome<storage::Database> open_store(const std::filesystem::path& data, const Config& config, bool shared) {
    const auto key = read_store_key(config.store_key_file);
    if (!key) return std::unexpected(key.error());
    const auto file = data / "store.db";
    // What is in here is ciphertext, hashes and public keys: not worth two system calls for every allocation.
    auto db = storage::Database::open(file, *key, migrations,
                                      {.check_after_crash = !shared, .guard_memory = false});
    if (!db) return std::unexpected(store_problem(db.error(), file));
    return *std::move(db);
}

Node::Node(storage::ProfileLock lock, storage::Database store, TlsContext tls, const Config& config)
    : lock_(std::move(lock)),
      clock_(std::make_unique<SystemClock>()),
      server_(
          std::move(tls),
          {.listen = config.listen, .threads = config.threads, .max_connections = config.max_connections}),
      store_(std::make_unique<StoreThread>(
          std::move(store),
          [](const storage::Error& error) { spdlog::error("the store failed: {}", error.detail); })),
      service_(std::make_unique<Service>(config.policy(), *clock_, rng_, *store_, server_)) {}

Outcome<std::unique_ptr<Node>> Node::start(const std::filesystem::path& data, const Config& config) {
    auto lock = storage::ProfileLock::acquire(data);
    if (!lock) {
        return lock.error().code == storage::Code::in_use
                   ? problem(Exit::input, "Another server runs on " + data.string() + " already.")
                   : problem(Exit::input, data.string() + " can't be used: " + lock.error().detail + ".");
    }
    auto tls = make_tls_context(config.certificate, config.key);
    if (!tls) return problem(Exit::input, tls.error());
    if (readable_by_others(config.key))
        spdlog::warn("the TLS key can be read by other users of this machine: chmod 600 it");
    auto store = open_store(data, config, false);
    if (!store) return std::unexpected(store.error());
    if (config.unbound)
        spdlog::warn(
            "unbound mode is on: logins are not tied to the TLS connection, and clients will say so");

    std::unique_ptr<Node> node{new Node(*std::move(lock), *std::move(store), *std::move(tls), config)};
    const auto port = node->server_.start(*node->service_);
    if (!port) return problem(Exit::server, port.error());
    node->port_ = *port;
    node->running_ = true;
    return node;
}

Node::~Node() {
    stop();
    store_.reset();  // what is still queued there knows the service and the server
}

void Node::maintain() {
    store_->submit([this, now = unix_seconds(*clock_)](
                       Stores& stores) { return remove_expired(stores, now, service_->policy->limits); },
                   [this](std::optional<bool> more) {
                       if (more.value_or(false)) maintain();
                   });
}

void Node::stop() {
    if (!running_) return;
    running_ = false;
    server_.stop_accepting();
    service_->hub.drain();
    store_->flush();
    server_.stop();
    store_->flush();
}

}  // namespace sotto::keyserver
