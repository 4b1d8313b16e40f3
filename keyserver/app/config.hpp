// sotto-keyserver.toml
#pragma once

#include <filesystem>
#include <string>

#include "keyserver/app/problem.hpp"
#include "keyserver/core/session.hpp"
#include "keyserver/net/server.hpp"

namespace sotto::keyserver {

inline constexpr const char* config_file = "sotto-keyserver.toml";
inline constexpr const char* default_listen = "127.0.0.1:7443";

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
};

/// `1.2.3.4:7443`, `[::1]:7443`, either without a port.
[[nodiscard]] Outcome<ListenAddress> parse_listen(std::string_view text);
[[nodiscard]] std::string format_listen(const ListenAddress& listen);
[[nodiscard]] bool is_wildcard(const ListenAddress& listen);
[[nodiscard]] Outcome<Registration> parse_registration(std::string_view text);

[[nodiscard]] std::string format_config(const Config& config);
/// Refuses settings that it doesn't know, so that a slip of the pen is not silently ignored.
[[nodiscard]] Outcome<Config> read_config(const std::filesystem::path& data);

}  // namespace sotto::keyserver
