// `check`: everything that can be known to be wrong before it hurts.
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/timex.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <tuple>
#include <vector>

#include "keyserver/app/commands.hpp"
#include "keyserver/app/files.hpp"
#include "keyserver/app/output.hpp"
#include "keyserver/app/store.hpp"
#include "keyserver/app/times.hpp"
#include "keyserver/app/tls_check.hpp"
#include "keyserver/store/admin.hpp"

namespace sotto::keyserver {
namespace {

constexpr std::int64_t day_s = 86'400;
constexpr rlim_t other_files = 500;  // beside connections

enum class State : std::uint8_t { ok, warning, failed, skipped };

[[nodiscard]] std::string_view name_of(State state) {
    switch (state) {
        case State::ok:
            return "ok";
        case State::warning:
            return "warning";
        case State::failed:
            return "failed";
        case State::skipped:
            break;
    }
    return "skipped";
}

using Address = std::pair<std::string, std::uint16_t>;

/// `host:port`, an IPv6 address in brackets.
[[nodiscard]] std::optional<Address> parse_address(const std::string& text) {
    const auto colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0) return std::nullopt;
    std::uint16_t port = 0;
    const auto* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, port);
    if (error != std::errc{} || rest != end || port == 0) return std::nullopt;
    auto host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    return Address{std::move(host), port};
}

struct Finding {
    std::string what;
    State state;
    std::string sentence;
};

class Check {
  public:
    Check(const CheckOptions& options, std::optional<Address> address)
        : options_(options), given_(std::move(address)) {}

    void all() {
        auto config = read_config(options_.data);
        if (!config) return say("configuration", State::failed, config.error().sentence);
        say("configuration", State::ok, "Every setting is known and within its bounds.");
        config_ = *std::move(config);
        certificate();
        ice();
        store();
        clock();
        files();
        disk();
        address();
    }
    [[nodiscard]] const std::vector<Finding>& findings() const { return findings_; }

  private:
    void say(std::string what, State state, std::string sentence) {
        findings_.push_back({.what = std::move(what), .state = state, .sentence = std::move(sentence)});
    }
    [[nodiscard]] std::string host() const {
        const auto& name = config_.name;
        return name.starts_with('[') ? name.substr(1, name.size() - 2) : name;
    }

    void certificate() {
        const auto usable = make_tls_context(config_.certificate, config_.key);
        const auto facts = certificate_facts(config_.certificate, host());
        if (!usable || !facts)
            return say("certificate", State::failed, usable ? facts.error() : usable.error());
        pin_ = facts->pin;
        const auto until = iso_utc(static_cast<std::uint64_t>(facts->not_after));
        const auto now = static_cast<std::int64_t>(now_s());
        // Clients that hold a pin look at the key alone.
        const auto wrong = facts->self_signed ? State::warning : State::failed;
        if (facts->not_after <= now)
            say("certificate", wrong, "The certificate has expired, on " + until + ".");
        else if (facts->not_before > now)
            say("certificate", wrong, "The certificate is not valid yet; is the clock right?");
        else if (facts->not_after < now + 14 * day_s)
            say("certificate", State::warning, "The certificate expires soon, on " + until + ".");
        else if (!facts->for_host)
            say("certificate", State::warning,
                "The certificate does not name " + host() + ": only clients that hold its pin will take it.");
        else
            say("certificate", State::ok, "Certificate and key fit together, until " + until + ".");
        if (readable_by_others(config_.key))
            say("tls key", State::warning,
                "The TLS key " + config_.key.string() + " can be read by other users: chmod 600 it.");
    }

    void ice() {
        if (config_.ice_servers.empty()) return;
        const auto offer = load_ice(config_);
        if (!offer) return say("ice servers", State::failed, offer.error().sentence);
        if (!config_.turn_secret_file.empty() && readable_by_others(config_.turn_secret_file))
            say("ice servers", State::warning,
                "The TURN secret " + config_.turn_secret_file.string() +
                    " can be read by other users: chmod 600 it.");
        const bool open = config_.turn_secret_file.empty() &&
                          std::ranges::any_of(config_.ice_servers,
                                              [](const auto& uri) { return uri.starts_with("turn:"); });
        say("ice servers", open ? State::warning : State::ok,
            open ? "TURN servers are offered without a password: name a turn_secret_file."
                 : std::to_string(config_.ice_servers.size()) + " STUN and TURN servers are offered.");
    }

    void store() {
        auto folder = open_folder(options_.data);
        if (!folder) return say("store", State::failed, folder.error().sentence);
        runs_ = folder->server_runs();
        if (readable_by_others(config_.store_key_file))
            say("store key", State::warning,
                "The store key " + config_.store_key_file.string() +
                    " can be read by other users: chmod 600 it.");
        auto& db = folder->store;
        // The check of every page as it lies in the file is only sound while nobody writes.
        const bool pages = runs_ || db.check().has_value();
        Admin admin{db};
        const auto intact = admin.intact();
        if (!pages || !intact || !*intact)
            return say(
                "store", State::failed,
                "The store " + (options_.data / store_file).string() + " is damaged: restore a backup.");
        newest_mail_ = admin.newest_mail().value_or(0);
        say("store", State::ok,
            runs_ ? "The store is intact, as far as can be seen while the server runs."
                  : "Every page of the store is intact.");
    }

    void clock() {
        constexpr std::uint64_t slack_s = 120;
        if (newest_mail_ > now_s() + slack_s)
            return say("clock", State::failed,
                       "The clock says " + iso_utc(now_s()) + ", but the store holds mail of " +
                           iso_utc(newest_mail_) + ": set the clock.");
        timex status{};
        const int state = ::adjtimex(&status);
        if (state == TIME_ERROR || (status.status & STA_UNSYNC) != 0)
            return say(
                "clock", State::warning,
                "The clock says " + iso_utc(now_s()) + ", and nothing keeps it right: run an NTP client.");
        say("clock", State::ok, "The clock says " + iso_utc(now_s()) + " and is kept right.");
    }

    void files() {
        rlimit limit{};
        if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
        const auto needed = config_.max_connections + other_files;
        if (limit.rlim_max >= needed)
            return say("file limit", State::ok,
                       std::to_string(limit.rlim_max) + " files may be open; " + std::to_string(needed) +
                           " are enough for max_connections.");
        say("file limit", State::warning,
            "Only " + std::to_string(limit.rlim_max) + " files may be open, and " +
                std::to_string(config_.max_connections) + " connections need " + std::to_string(needed) +
                ": raise the limit (LimitNOFILE, ulimit -n) or lower max_connections.");
    }

    void disk() {
        struct statvfs status{};
        if (::statvfs(options_.data.c_str(), &status) != 0) return;
        const auto free_mib = status.f_bavail * status.f_frsize / (1024 * 1024);
        constexpr std::uint64_t least_mib = 1024;
        say("disk", free_mib < least_mib ? State::warning : State::ok,
            std::to_string(free_mib) + " MiB are free for the store" +
                (free_mib < least_mib ? ": make room, mail can't be kept on a full disk." : "."));
    }

    void address() {
        auto port = config_.listen.port;
        auto at = host();
        if (given_) {
            std::tie(at, port) = *given_;
        } else if (!runs_) {
            return say("address", State::skipped, "No server runs on this folder.");
        } else if (port == 0) {
            return say("address", State::skipped, "Its port is chosen at start: give --address HOST:PORT.");
        }
        const auto shown = at + " port " + std::to_string(port);
        const auto reached = reach(at, port);
        if (!reached)
            return say("address", State::failed,
                       "Nobody is reached at " + shown + ": " + reached.error() + ".");
        if (reached->pin != pin_)
            return say("address", State::failed,
                       "At " + shown +
                           " another key is shown than that of the certificate: another server, or one "
                           "that has not reloaded it (SIGHUP).");
        if (!reached->healthy)
            return say("address", State::failed, "The server at " + shown + " does not answer as it should.");
        say("address", State::ok, "The server answers at " + shown + " with its certificate.");
    }

    const CheckOptions& options_;
    std::optional<Address> given_;
    std::vector<Finding> findings_;
    Config config_;
    protocol::Pin pin_{};
    bool runs_ = false;
    std::uint64_t newest_mail_ = 0;
};

}  // namespace

Outcome<void> check(const CheckOptions& options) {
    std::optional<Address> address;
    if (options.address) {
        address = parse_address(*options.address);
        if (!address)
            return problem(Exit::input, "'" + *options.address +
                                            "' is no address to be reached at; write it like HOST:PORT.");
    }
    Check check{options, std::move(address)};
    check.all();
    auto out = nlohmann::ordered_json::array();
    std::string failed;
    bool input = false;
    for (const auto& [what, state, sentence] : check.findings()) {
        if (options.json)
            out.push_back({{"check", what}, {"state", name_of(state)}, {"text", sentence}});
        else
            std::cout << name_of(state) << "  " << what << ": " << sentence << '\n';
        if (state != State::failed) continue;
        failed += (failed.empty() ? "" : ", ") + what;
        input = input || what == "configuration" || what == "certificate";
    }
    if (options.json) print_json(out);
    std::cout << std::flush;
    if (failed.empty()) return {};
    return problem(input ? Exit::input : Exit::server, "Not everything is well: " + failed + "; see above.");
}

}  // namespace sotto::keyserver
