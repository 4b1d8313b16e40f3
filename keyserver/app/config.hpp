// sotto-keyserver.toml
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "keyserver/app/problem.hpp"
#include "keyserver/core/policy.hpp"
#include "keyserver/net/server.hpp"

namespace sotto::keyserver {

inline constexpr const char* config_file = "sotto-keyserver.toml";
inline constexpr const char* default_listen = "127.0.0.1:7443";

enum class LogFormat : std::uint8_t { text, json };

struct Config {
    ListenAddress listen;
    std::string name;  ///< the server's identity in every address and proof; it never changes
    Registration registration = Registration::invite;
    // Relative to the data folder where they are not absolute.
    std::filesystem::path certificate = "tls-certificate.pem";
    std::filesystem::path key = "tls-key.pem";
    std::filesystem::path store_key_file = "store.key";
    bool unbound = false;
    unsigned threads = 0;
    std::size_t max_connections = 16'000;
    std::optional<ListenAddress> metrics_listen;  ///< a loopback address
    std::string log_level = "info";
    LogFormat log_format = LogFormat::text;
    bool sandbox = true;
    std::vector<std::string> ice_servers;    ///< as they were written, each of them good
    std::filesystem::path turn_secret_file;  ///< empty: TURN servers are offered without a password
    std::uint32_t turn_lifetime_s = 12 * 3600;
    Limits limits;

    /// `ice`: from load_ice().
    [[nodiscard]] Policy policy(std::shared_ptr<const IceOffer> ice) const {
        return {.server_name = name,
                .registration = registration,
                .unbound = unbound,
                .limits = limits,
                .ice = std::move(ice)};
    }
};

/// What clients are told of STUN and TURN servers, with the secret read; null where there are none.
[[nodiscard]] Outcome<std::shared_ptr<const IceOffer>> load_ice(const Config& config);

/// `1.2.3.4:7443`, `[::1]:7443`, either without a port.
[[nodiscard]] Outcome<ListenAddress> parse_listen(std::string_view text);
[[nodiscard]] std::string format_listen(const ListenAddress& listen);
[[nodiscard]] bool is_wildcard(const ListenAddress& listen);
[[nodiscard]] bool is_loopback(const ListenAddress& listen);
[[nodiscard]] Outcome<Registration> parse_registration(std::string_view text);

[[nodiscard]] std::string_view name_of(Registration mode);
[[nodiscard]] std::string_view name_of(LogFormat format);
/// From the most that is said to nothing at all.
[[nodiscard]] std::span<const std::string> log_levels();

/// One of the settings that bound what clients do.
struct LimitSetting {
    using Field = std::variant<std::int64_t Limits::*, std::uint64_t Limits::*, std::uint32_t Limits::*,
                               double Limits::*>;
    const char* name;
    const char* explains;  ///< lines without their #
    Field field;
    double unit;  ///< how much of the field one of the setting is
    std::int64_t low;
    std::int64_t high;

    [[nodiscard]] std::int64_t get(const Limits& limits) const;
    void set(Limits& limits, std::int64_t value) const;
};
[[nodiscard]] std::span<const LimitSetting> limit_settings();

/// Every setting with its value and what it means.
[[nodiscard]] std::string format_config(const Config& config);
/// Refuses settings that it doesn't know, so that a slip of the pen is not silently ignored.
[[nodiscard]] Outcome<Config> read_config(const std::filesystem::path& data);
/// The same for a text; `file` names it, paths are relative to `data`.
[[nodiscard]] Outcome<Config> parse_config(std::string_view text, const std::filesystem::path& file,
                                           const std::filesystem::path& data);

}  // namespace sotto::keyserver
