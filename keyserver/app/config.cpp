#include "keyserver/app/config.hpp"

#include <arpa/inet.h>
#include <toml++/toml.h>

#include <array>
#include <charconv>
#include <optional>

#include "keyserver/app/files.hpp"
#include "keyserver/app/ice.hpp"

namespace sotto::keyserver {
namespace {

constexpr std::size_t most_ice_servers = 8;

[[nodiscard]] bool is_address(int family, const std::string& host) {
    std::array<unsigned char, 16> ignored{};
    return inet_pton(family, host.c_str(), ignored.data()) == 1;
}

[[nodiscard]] std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return port;
}

/// Reads settings one by one; the first that is wrong is remembered.
class Settings {
  public:
    explicit Settings(const toml::table& table) : table_(table) {}

    [[nodiscard]] std::string text(std::string_view key, std::string fallback) {
        return value<std::string>(key, std::move(fallback), "text in quotes");
    }
    [[nodiscard]] std::vector<std::string> texts(std::string_view key, std::size_t most) {
        known_.emplace_back(key);
        const auto kind = "a list of at most " + std::to_string(most) + " texts in quotes";
        std::vector<std::string> out;
        const auto node = table_[key];
        if (!node) return out;
        const auto* const list = node.as_array();
        if (list == nullptr || list->size() > most) {
            fail(key, kind);
            return out;
        }
        for (const auto& each : *list) {
            const auto text = each.value_exact<std::string>();
            if (!text) fail(key, kind);
            out.push_back(text.value_or(""));
        }
        return out;
    }
    [[nodiscard]] bool flag(std::string_view key, bool fallback) {
        return value<bool>(key, fallback, "true or false");
    }
    [[nodiscard]] std::int64_t number(std::string_view key, std::int64_t fallback, std::int64_t low,
                                      std::int64_t high) {
        const auto out = value<std::int64_t>(key, fallback, "a number");
        if (out < low || out > high)
            fail(key, "a number from " + std::to_string(low) + " to " + std::to_string(high));
        return out;
    }
    [[nodiscard]] std::string choice(std::string_view key, std::string fallback,
                                     std::span<const std::string> allowed) {
        auto out = text(key, std::move(fallback));
        if (std::ranges::find(allowed, out) != allowed.end()) return out;
        std::string kinds;
        for (const auto& word : allowed) kinds += (kinds.empty() ? "\"" : ", \"") + word + "\"";
        fail(key, "one of " + kinds);
        return out;
    }
    /// What is wrong with the settings, or nothing.
    [[nodiscard]] std::optional<std::string> finish() {
        for (const auto& [key, ignored] : table_)
            if (std::ranges::find(known_, key.str()) == known_.end() && !wrong_)
                wrong_ = "there is no setting '" + std::string{key.str()} + "'";
        return wrong_;
    }

  private:
    template <class T>
    [[nodiscard]] T value(std::string_view key, T fallback, const std::string& kind) {
        known_.emplace_back(key);
        const auto node = table_[key];
        if (!node) return fallback;
        const auto held = node.template value_exact<T>();
        if (!held) fail(key, kind);
        return held.value_or(std::move(fallback));
    }
    void fail(std::string_view key, const std::string& kind) {
        if (!wrong_) wrong_ = "'" + std::string{key} + "' must be " + kind;
    }
    const toml::table& table_;
    std::vector<std::string> known_;
    std::optional<std::string> wrong_;
};

}  // namespace

Outcome<ListenAddress> parse_listen(std::string_view text) {
    const auto wrong = [&] {
        return problem(Exit::input,
                       "'" + std::string{text} +
                           "' is no address to listen on; write it like 127.0.0.1:7443 or [::1]:7443.");
    };
    ListenAddress out{.host = {}, .port = protocol::default_port};
    std::string_view rest;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos) return wrong();
        out.host = text.substr(1, close - 1);
        rest = text.substr(close + 1);
        if (!is_address(AF_INET6, out.host)) return wrong();
    } else {
        const auto colon = std::min(text.find(':'), text.size());
        out.host = text.substr(0, colon);
        rest = text.substr(colon);
        if (out.host == "localhost") out.host = "127.0.0.1";
        if (!is_address(AF_INET, out.host)) return wrong();
    }
    if (rest.empty()) return out;
    const auto port = parse_port(rest.substr(1));
    if (rest.front() != ':' || !port) return wrong();
    out.port = *port;
    return out;
}

std::string format_listen(const ListenAddress& listen) {
    const bool ipv6 = listen.host.find(':') != std::string::npos;
    return (ipv6 ? "[" + listen.host + "]" : listen.host) + ":" + std::to_string(listen.port);
}

bool is_loopback(const ListenAddress& listen) {
    return listen.host.starts_with("127.") || listen.host == "::1";
}

bool is_wildcard(const ListenAddress& listen) {
    return listen.host == "0.0.0.0" || listen.host == "::";
}

Outcome<Registration> parse_registration(std::string_view text) {
    for (const auto mode : {Registration::open, Registration::invite, Registration::closed})
        if (text == name_of(mode)) return mode;
    return problem(Exit::input,
                   "'" + std::string{text} + "' is no way to register: choose open, invite or closed.");
}

std::string_view name_of(Registration mode) {
    switch (mode) {
        case Registration::open:
            return "open";
        case Registration::invite:
            return "invite";
        case Registration::closed:
            break;
    }
    return "closed";
}

std::string_view name_of(LogFormat format) {
    return format == LogFormat::json ? "json" : "text";
}

std::span<const std::string> log_levels() {
    static const std::array<std::string, 5> levels{"debug", "info", "warn", "error", "off"};
    return levels;
}

namespace {

[[nodiscard]] Outcome<std::optional<ListenAddress>> parse_metrics(const std::string& text) {
    if (text.empty()) return std::nullopt;
    const auto listen = parse_listen(text);
    if (!listen) return std::unexpected(listen.error());
    if (!is_loopback(*listen))
        return problem(
            Exit::input,
            "'metrics_listen' must be a loopback address such as 127.0.0.1:9464, or \"\" for none: "
            "what it tells is for this machine alone.");
    return *listen;
}

void read_limits(Settings& settings, Limits& limits) {
    for (const auto& limit : limit_settings()) {
        const auto held = limit.get(limits);
        const auto value = settings.number(limit.name, held, limit.low, limit.high);
        // One that is out of its bounds has been complained of, and may not even fit.
        if (value != held && value >= limit.low && value <= limit.high) limit.set(limits, value);
    }
}

}  // namespace

Outcome<Config> parse_config(std::string_view text, const std::filesystem::path& file,
                             const std::filesystem::path& data) {
    const auto wrong = [&](const std::string& what) {
        return problem(Exit::input, "The configuration " + file.string() + " is wrong: " + what + ".");
    };
    toml::table table;
    try {
        table = toml::parse(text);
    } catch (const toml::parse_error& error) {
        return wrong(std::string{error.description()} + " in line " +
                     std::to_string(error.source().begin.line));
    }
    Settings settings{table};
    Config config;
    const auto listen = parse_listen(settings.text("listen", default_listen));
    const auto registration = parse_registration(settings.text("registration", "invite"));
    const auto metrics = parse_metrics(settings.text("metrics_listen", ""));
    config.name = settings.text("name", "");
    config.certificate = data / settings.text("certificate", config.certificate.string());
    config.key = data / settings.text("key", config.key.string());
    config.store_key_file = data / settings.text("store_key_file", config.store_key_file.string());
    config.unbound = settings.flag("unbound", config.unbound);
    config.threads = static_cast<unsigned>(settings.number("threads", 0, 0, 256));
    config.max_connections = static_cast<std::size_t>(
        settings.number("max_connections", static_cast<std::int64_t>(config.max_connections), 1, 10'000'000));
    config.log_level = settings.choice("log_level", config.log_level, log_levels());
    static const std::array<std::string, 2> formats{"text", "json"};
    if (settings.choice("log_format", "text", formats) == "json") config.log_format = LogFormat::json;
    config.sandbox = settings.flag("sandbox", config.sandbox);
    config.ice_servers = settings.texts("ice_servers", most_ice_servers);
    const auto secret_file = settings.text("turn_secret_file", "");
    if (!secret_file.empty()) config.turn_secret_file = data / secret_file;
    config.turn_lifetime_s = static_cast<std::uint32_t>(
        settings.number("turn_lifetime_s", config.turn_lifetime_s, 600, 7L * 24 * 3600));
    read_limits(settings, config.limits);
    if (const auto what = settings.finish()) return wrong(*what);
    if (!listen) return std::unexpected(listen.error());
    if (!registration) return std::unexpected(registration.error());
    if (!metrics) return std::unexpected(metrics.error());
    for (const auto& uri : config.ice_servers)
        if (const auto server = parse_ice_server(uri); !server) return std::unexpected(server.error());
    if (!crypto::valid_server_name(config.name)) return wrong("'name' must be a server's name in lower case");
    config.listen = *listen;
    config.registration = *registration;
    config.metrics_listen = *metrics;
    return config;
}

Outcome<std::shared_ptr<const IceOffer>> load_ice(const Config& config) {
    if (config.ice_servers.empty()) return std::shared_ptr<const IceOffer>{};
    auto offer = std::make_shared<IceOffer>();
    offer->lifetime_s = config.turn_lifetime_s;
    for (const auto& uri : config.ice_servers) {
        auto server = parse_ice_server(uri);
        if (!server) return std::unexpected(server.error());
        offer->servers.push_back(*std::move(server));
    }
    if (config.turn_secret_file.empty()) return offer;
    auto read = read_small_file(config.turn_secret_file, "The TURN secret");
    if (!read) return std::unexpected(read.error());
    const auto secret = std::make_shared<crypto::SecretBytes>(*std::move(read));
    while (!secret->empty() && (secret->back() == std::byte{'\n'} || secret->back() == std::byte{'\r'}))
        secret->pop_back();
    if (secret->size() < 16)
        return problem(Exit::input, "The TURN secret in " + config.turn_secret_file.string() +
                                        " is shorter than 16 bytes; put a longer one there and into coturn's "
                                        "static-auth-secret.");
    offer->password = [secret](std::string_view username) { return turn_password(*secret, username); };
    return offer;
}

Outcome<Config> read_config(const std::filesystem::path& data) {
    const auto file = data / config_file;
    const auto content = read_small_file(file, "The configuration");
    if (!content) return std::unexpected(content.error());
    return parse_config(chars_of(*content), file, data);
}

}  // namespace sotto::keyserver
