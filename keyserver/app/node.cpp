#include "keyserver/app/node.hpp"

#include <spdlog/spdlog.h>

#include <chrono>

#include "keyserver/app/files.hpp"
#include "keyserver/app/times.hpp"
#include "keyserver/app/tls_check.hpp"
#include "keyserver/core/mail.hpp"

namespace sotto::keyserver {
namespace {

constexpr std::uint64_t store_patience_us = 10'000'000;
constexpr std::uint64_t warn_before_s = 14ULL * 24 * 3600;

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

/// Those that are only read at start, and differ.
[[nodiscard]] std::vector<std::string> need_another_start(const Config& now, const Config& next) {
    std::vector<std::string> out;
    const auto compare = [&](const char* name, bool same) {
        if (!same) out.emplace_back(name);
    };
    const auto at = [](const std::optional<ListenAddress>& listen) {
        return listen ? format_listen(*listen) : std::string{};
    };
    compare("listen", at(now.listen) == at(next.listen));
    compare("name", now.name == next.name);
    compare("store_key_file", now.store_key_file == next.store_key_file);
    compare("threads", now.threads == next.threads);
    compare("max_connections", now.max_connections == next.max_connections);
    compare("metrics_listen", at(now.metrics_listen) == at(next.metrics_listen));
    compare("sandbox", now.sandbox == next.sandbox);
    return out;
}

[[nodiscard]] Outcome<TlsContext> load_tls(const Config& config) {
    auto tls = make_tls_context(config.certificate, config.key);
    if (!tls) return problem(Exit::input, tls.error());
    if (readable_by_others(config.key))
        spdlog::warn("the TLS key can be read by other users of this machine: chmod 600 it");
    return *std::move(tls);
}

}  // namespace

Patience patience_of(const Limits& limits) {
    return {.handshake = limits.handshake_ms,
            .login = limits.login_ms,
            .message = limits.message_ms,
            .write = limits.write_ms,
            .idle = limits.idle_ms,
            .close = limits.close_ms};
}

GateLimits gate_of(const Limits& limits) {
    return {.connections = limits.address_connections,
            .burst = limits.address_burst,
            .per_second = limits.address_per_second};
}

Node::Node(storage::ProfileLock lock, storage::Database store, TlsContext tls, const Config& config,
           std::shared_ptr<const IceOffer> ice)
    : lock_(std::move(lock)),
      config_(config),
      clock_(std::make_unique<SystemClock>()),
      server_(std::move(tls), {.listen = config.listen,
                               .threads = config.threads,
                               .max_connections = config.max_connections,
                               .patience = patience_of(config.limits),
                               .gate = gate_of(config.limits)}),
      store_(std::make_unique<StoreThread>(
          std::move(store),
          [](const storage::Error& error) { spdlog::error("the store failed: {}", error.detail); })),
      service_(std::make_unique<Service>(config.policy(std::move(ice)), *clock_, rng_, *store_, server_)) {}

Outcome<std::unique_ptr<Node>> Node::start(const std::filesystem::path& data, const Config& config,
                                           const std::function<Outcome<void>()>& shut_in) {
    auto lock = storage::ProfileLock::acquire(data);
    if (!lock) {
        return lock.error().code == storage::Code::in_use
                   ? problem(Exit::input, "Another server runs on " + data.string() + " already.")
                   : problem(Exit::input, data.string() + " can't be used: " + lock.error().detail + ".");
    }
    auto tls = load_tls(config);
    if (!tls) return std::unexpected(tls.error());
    auto ice = load_ice(config);
    if (!ice) return std::unexpected(ice.error());
    const auto key = read_store_key(config.store_key_file);
    if (!key) return std::unexpected(key.error());
    auto store = open_store(data / store_file, *key, Company::alone);
    if (!store) return std::unexpected(store.error());
    if (config.unbound)
        spdlog::warn(
            "unbound mode is on: logins are not tied to the TLS connection, and clients will say so");
    if (shut_in)
        if (const auto entered = shut_in(); !entered) return std::unexpected(entered.error());

    std::unique_ptr<Node> node{
        new Node(*std::move(lock), *std::move(store), *std::move(tls), config, *std::move(ice))};
    const auto port = node->server_.start(*node->service_);
    if (!port) return problem(Exit::server, port.error());
    node->port_ = *port;
    node->running_ = true;
    node->note_certificate(config.certificate);
    if (const auto offered = node->offer_metrics(); !offered) return std::unexpected(offered.error());
    return node;
}

Node::~Node() {
    stop();
    metrics_.reset();
    store_.reset();  // what is still queued there knows the service and the server
}

// ---- what it tells ----

bool Node::ready() const {
    const auto& stats = store_->stats();
    const auto since = stats.busy_since_us.load();
    return running_ && !stats.failing && (since == 0 || Counters::now_us() < since + store_patience_us);
}

std::string Node::metrics() const {
    const auto counts = service_->hub.counts();
    const auto& stats = store_->stats();
    return metrics_text(service_->counters, stats.counters, server_.counters(),
                        {.connections = server_.connections(),
                         .max_connections = config_.max_connections,
                         .devices_online = counts.devices,
                         .presence_topics = service_->presence.topics(),
                         .presence_held = service_->presence.held(),
                         .envelopes_unacknowledged = counts.outstanding,
                         .addresses = server_.gate().tracked(),
                         .store_queue = store_->waiting(),
                         .store_failures = stats.failures,
                         .store_jobs = stats.jobs,
                         .certificate_expires = certificate_expires_,
                         .ready = ready()},
                        SOTTO_VERSION);
}

std::optional<Page> Node::page(std::string_view path) const {
    if (path == "/metrics") return Page{.good = true, .text = metrics()};
    if (path == "/healthz") return Page{.good = true, .text = "ok\n"};
    if (path == "/readyz")
        return ready() ? Page{.good = true, .text = "ready\n"} : Page{.good = false, .text = "not ready\n"};
    return std::nullopt;
}

Outcome<void> Node::offer_metrics() {
    if (!config_.metrics_listen) return {};
    auto listener =
        MetricsListener::start(*config_.metrics_listen, [this](std::string_view path) { return page(path); });
    if (!listener) return problem(Exit::server, listener.error());
    metrics_ = *std::move(listener);
    return {};
}

void Node::note_certificate(const std::filesystem::path& file) {
    const auto facts = certificate_facts(file, config_.name);
    if (!facts) return;
    if (pin_ && *pin_ != facts->pin)
        spdlog::warn("the certificate has another key: clients that hold the server's pin will refuse it");
    pin_ = facts->pin;
    if (facts->not_after > 0) certificate_expires_ = static_cast<std::uint64_t>(facts->not_after);
}

// ---- what happens to it ----

Outcome<std::vector<std::string>> Node::reload(const Config& next) {
    auto tls = load_tls(next);
    if (!tls) return std::unexpected(tls.error());
    auto ice = load_ice(next);
    if (!ice) return std::unexpected(ice.error());
    auto later = need_another_start(config_, next);
    server_.replace_tls(*std::move(tls));
    if (next.limits != config_.limits) {
        server_.replace_patience(patience_of(next.limits));
        server_.gate().set(gate_of(next.limits));
    }
    config_.certificate = next.certificate;
    config_.key = next.key;
    config_.registration = next.registration;
    config_.unbound = next.unbound;
    config_.limits = next.limits;
    config_.ice_servers = next.ice_servers;
    config_.turn_secret_file = next.turn_secret_file;
    config_.turn_lifetime_s = next.turn_lifetime_s;
    service_->set_policy(config_.policy(*std::move(ice)));
    note_certificate(config_.certificate);
    return later;
}

void Node::look() {
    if (looking_.exchange(true)) return;
    store_->submit([](Stores& stores) { return stores.accounts.take_shut_out(); },
                   [this](const std::optional<std::vector<AccountId>>& gone) {
                       looking_ = false;
                       for (const auto account : gone.value_or(std::vector<AccountId>{}))
                           service_->hub.account_shut_out(account);
                   });
}

void Node::maintain() {
    const auto expires = certificate_expires_.load();
    if (expires != 0 && expires < now_s() + warn_before_s)
        spdlog::warn("the TLS certificate expires on {}", iso_utc(expires));
    store_->submit([this, now = unix_seconds(*clock_)](
                       Stores& stores) { return remove_expired(stores, now, service_->policy->limits); },
                   [this](std::optional<bool> more) {
                       if (more.value_or(false) && running_) maintain();
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
