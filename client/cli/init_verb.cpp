// init: keys, vault and store, and an account at the server. Until the server has answered everything stays
// unfinished, and the same command goes on with the same keys; what the server refuses for good leaves
// nothing behind.
#include <atomic>
#include <filesystem>
#include <stdexcept>

#include "commands.hpp"
#include "log.hpp"
#include "output.hpp"
#include "passphrase.hpp"
#include "profile.hpp"
#include "sotto/client/registration.hpp"
#include "sotto/client/runner.hpp"
#include "sotto/crypto/codec.hpp"
#include "sotto/storage/vault.hpp"
#include "stop_signals.hpp"

namespace sotto::cli {
namespace {

using Clock = std::chrono::steady_clock;

class Initialisation {
  public:
    Initialisation(const Options& options, protocol::Endpoint server)
        : options_(options), paths_{options.home}, server_(std::move(server)) {}

    Outcome run();

  private:
    Outcome open_what_is_there();
    Outcome create();
    Outcome talk();
    Outcome handle(client::Registration::Step step);
    [[nodiscard]] bool registered();
    [[nodiscard]] bool refused_for_good(const Error& error);
    void clean_up();
    Outcome report();
    // What the steps before have made; asking too early is a bug.
    storage::ClientStore& store() {
        if (!store_) throw std::logic_error("there is no store yet");
        return *store_;
    }
    const crypto::AccountKeyPair& account_key() const {
        if (!account_key_) throw std::logic_error("there is no account key yet");
        return *account_key_;
    }

    const Options& options_;
    storage::ProfilePaths paths_;
    protocol::Endpoint server_;
    crypto::SystemRng rng_;
    crypto::SecretBytes passphrase_;
    crypto::PassphraseCost cost_;
    std::optional<crypto::AccountKeyPair> account_key_;
    std::optional<storage::ClientStore> store_;
    std::unique_ptr<client::Transport> transport_;
    std::unique_ptr<client::Registration> registration_;
    bool store_was_gone_ = false;  ///< a vault alone: its account key may be all that is left of an account
    bool finished_ = false;
    std::atomic<bool> interrupted_ = false;
};

Outcome Initialisation::run() {
    const auto lock = storage::ProfileLock::acquire(paths_.folder);
    if (!lock) return refuse(lock.error());
    const bool begun = paths_.exists();
    std::error_code ignored;
    store_was_gone_ = begun && !std::filesystem::exists(paths_.database(), ignored);
    auto passphrase = read_passphrase(options_.passphrase, begun ? "Passphrase" : "New passphrase",
                                      begun ? Ask::once : Ask::twice);
    if (!passphrase) return pass_on(passphrase);
    passphrase_ = std::move(*passphrase);
    if (begun) {
        if (auto opened = open_what_is_there(); !opened) return opened;
    } else {
        cost_ = passphrase_cost(options_);  // measured before the server waits for us
    }
    auto outcome = talk();
    if (!outcome) {
        if (registered()) {
            say_note(
                "The server went away before it had all public keys; they follow with the next connection.");
            return report();
        }
        if (refused_for_good(outcome.error())) clean_up();
        return outcome;
    }
    return report();
}

Outcome Initialisation::open_what_is_there() {
    auto master = open_vault(paths_, passphrase_);
    if (!master) return pass_on(master);
    auto key = storage::Vault::account_key(paths_.vault(), passphrase_);
    if (!key) return refuse(key.error());
    account_key_.emplace(std::move(*key));
    auto store = storage::ClientStore::open(paths_.database(), storage::store_key(*master));
    if (!store) return refuse(store.error());
    store_.emplace(std::move(*store));
    const auto identity = store_->identity();
    if (!identity) return refuse(identity.error());
    if (const auto& known = *identity; known && known->registered)
        return refuse("There is a profile for " + known->address.text() + " in " + paths_.folder.string() +
                      " already; name another folder with --home.");
    return {};
}

Outcome Initialisation::create() {
    if (store_) return {};
    account_key_.emplace(crypto::AccountKeyPair::generate(rng_));
    const auto master = storage::Vault::create(paths_.vault(), passphrase_, cost_, *account_key_, rng_);
    if (!master) return refuse(master.error());
    auto store = storage::ClientStore::open(paths_.database(), storage::store_key(*master));
    if (!store) return refuse(store.error());
    store_.emplace(std::move(*store));
    return {};
}

Outcome Initialisation::talk() {
    transport_ = client::make_network_transport();
    const StopSignals signals{[this] {
        interrupted_ = true;
        transport_->wake();
    }};
    registration_ =
        std::make_unique<client::Registration>(client::NewAccount{.server = server_,
                                                                  .user = options_.user,
                                                                  .invite = options_.registration_invite,
                                                                  .accept_unbound = options_.accept_unbound},
                                               rng_);
    const auto deadline = Clock::now() + std::chrono::seconds{60};
    auto outcome = handle(registration_->start(client::now_ms()));
    while (outcome && !finished_) {
        if (interrupted_)
            outcome = refuse(Exit::network, "Interrupted; run the same command again to go on.");
        if (!outcome) break;
        const auto tick = std::min(deadline, Clock::now() + std::chrono::seconds{1});
        if (auto event = transport_->wait(tick)) {
            log_event(*event);
            outcome = handle(registration_->handle(std::move(*event), client::now_ms()));
        } else {
            outcome = handle(registration_->tick(client::now_ms()));
        }
        if (outcome && !finished_ && Clock::now() >= deadline)
            outcome = refuse(Exit::network,
                             "The server did not answer in time; run the same command again to go on.");
    }
    return outcome;
}

Outcome Initialisation::handle(client::Registration::Step step) {
    for (const auto& action : step.output.actions) log_action(action);
    client::perform(*transport_, std::move(step.output.actions));
    if (step.failed) return std::unexpected(std::move(*step.failed));
    finished_ = finished_ || step.finished;
    if (!step.needs_store) return {};
    if (auto made = create(); !made) return made;
    return handle(registration_->stored(store(), account_key(), client::now_ms()));
}

bool Initialisation::registered() {
    if (!store_) return false;
    const auto identity = store_->identity();
    if (!identity) return false;
    const auto& known = *identity;
    return known && known->registered;
}

/// What only the user can change begins anew. What the network did is tried again with the same keys; so is
/// what a full disk did, because the server may have the account already.
bool Initialisation::refused_for_good(const Error& error) {
    if (store_was_gone_) return false;
    if (!store_) return true;
    if (error.exit != Exit::input) return false;
    auto transaction = store_->begin();
    return store_->put_setting("init/refused", "yes").has_value() && transaction.commit().has_value();
}

void Initialisation::clean_up() {
    registration_.reset();
    store_.reset();
    std::error_code ignored;
    auto companion = paths_.database();
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
        companion = paths_.database();
        companion += suffix;
        std::filesystem::remove(companion, ignored);
    }
    std::filesystem::remove(paths_.vault(), ignored);
}

Outcome Initialisation::report() {
    const auto identity = store().identity();
    if (!identity) return refuse(identity.error());
    const auto& found = *identity;
    if (!found) throw std::logic_error("a registered profile has no identity");
    const auto& known = *found;
    const auto fingerprint = crypto::account_fingerprint(account_key().public_key());
    if (options_.json) {
        Json object;
        object["address"] = known.address.text();
        object["device"] = known.device;
        object["fingerprint"] = crypto::to_hex(fingerprint);
        object["home"] = paths_.folder.string();
        print_json(object);
    } else {
        print_line("You are " + known.address.text() + " now. The profile is in " + paths_.folder.string() +
                   "; without its passphrase nobody can open it, nor can you.");
    }
    return {};
}

}  // namespace

Outcome run_init(const Options& options) {
    auto server = protocol::parse_server_link(options.server);
    if (!server) return refuse(std::move(server.error()));
    if (!crypto::valid_user_name(options.user))
        return refuse(
            "A user name is 2 to 32 of a-z, 0-9, dot, hyphen and underscore, and begins with a letter or "
            "digit; choose another "
            "with --user.");
    return Initialisation{options, std::move(*server)}.run();
}

}  // namespace sotto::cli
