// The configuration as a new server gets it: every setting, and what it means.
#include <sstream>

#include "keyserver/app/config.hpp"

namespace sotto::keyserver {
namespace {

[[nodiscard]] std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + "\"";
}

/// Writes settings with their explanations.
class Text {
  public:
    void heading(std::string_view words) { out_ << "\n# ---- " << words << " ----\n"; }
    /// `explains`: lines; none where the setting belongs to the one above it.
    void setting(std::string_view name, const std::string& value, std::string_view explains) {
        if (!explains.empty()) out_ << '\n';
        while (!explains.empty()) {
            const auto end = std::min(explains.find('\n'), explains.size());
            out_ << "# " << explains.substr(0, end) << '\n';
            explains.remove_prefix(std::min(end + 1, explains.size()));
        }
        out_ << name << " = " << value << '\n';
    }
    void raw(std::string_view words) { out_ << words; }
    [[nodiscard]] std::string str() const { return out_.str(); }

  private:
    std::ostringstream out_;
};

void write_server(Text& text, const Config& config) {
    text.setting("listen", quoted(format_listen(config.listen)),
                 "Where it listens: an address of this machine and a port. [restart]");
    text.setting("name", quoted(config.name),
                 "What the server is called in every address (user@name) and in every login.\n"
                 "It must never change once somebody has registered. [restart]");
    text.setting("registration", quoted(std::string{name_of(config.registration)}),
                 R"(Who may register: "open" (anyone), "invite" (holders of an invite), "closed" (nobody).)");
    text.setting(
        "certificate", quoted(config.certificate.string()),
        "TLS: a certificate (with its chain) and its private key in PEM form; paths are relative to this\n"
        "folder. Clients that know the server by its pin need the same key in the next certificate.");
    text.setting("key", quoted(config.key.string()), "");
    text.setting(
        "store_key_file", quoted(config.store_key_file.string()),
        "The key that the store is encrypted with. Beside the store it protects a copied database, but\n"
        "not a copied folder or a stolen disk: for that, move it to another place and name that here.\n"
        "[restart]");
    text.setting(
        "unbound", config.unbound ? "true" : "false",
        "true only behind a proxy that ends TLS: logins are then no longer bound to the connection, and\n"
        "clients say so.");
    text.setting("threads", std::to_string(config.threads),
                 "Threads that serve connections; 0: one a processor. [restart]");
    text.setting("max_connections", std::to_string(config.max_connections),
                 "Connections at one time; more are closed at once. Each needs a file descriptor. [restart]");
}

void write_operation(Text& text, const Config& config) {
    text.heading("What it tells its operator");
    text.setting(
        "metrics_listen", quoted(config.metrics_listen ? format_listen(*config.metrics_listen) : ""),
        "Metrics for Prometheus (/metrics), /healthz and /readyz, in plain HTTP: a loopback address such\n"
        "as 127.0.0.1:9464, or \"\" for none. [restart]");
    text.setting(
        "log_level", quoted(config.log_level),
        "What goes to standard error: \"debug\", \"info\", \"warn\", \"error\" or \"off\". Names, addresses "
        "and ids\nare nowhere above \"debug\".");
    text.setting("log_format", quoted(std::string{name_of(config.log_format)}),
                 R"("text", or "json" with one object a line.)");
    text.setting(
        "sandbox", config.sandbox ? "true" : "false",
        "The server shuts itself out of all files but its own and of system calls that it has no use\n"
        "for, as far as the kernel offers that; false to find out whether it is in the way. [restart]");
}

[[nodiscard]] std::string listed(const std::vector<std::string>& texts) {
    std::string out = "[";
    for (const auto& text : texts) out += (out.size() > 1 ? ", " : "") + quoted(text);
    return out + "]";
}

void write_ice(Text& text, const Config& config) {
    text.heading("Direct sessions");
    text.setting(
        "ice_servers", listed(config.ice_servers),
        "STUN and TURN servers that logged-in clients are told of, so that contacts reach each other\n"
        "directly through their routers: \"stun:turn.example.org:3478\", \"turn:turn.example.org:3478\",\n"
        "\"turn:turn.example.org:3478?transport=tcp\". Without any, sessions are direct on the same network\n"
        "alone, and relayed by this server otherwise. packaging/coturn has a configuration for coturn.");
    text.setting("turn_secret_file", quoted(config.turn_secret_file.string()),
                 "A file with the secret that coturn has as static-auth-secret; each client gets a user name "
                 "and\npassword of its own made from it, good for turn_lifetime_s seconds. \"\" for none.");
    text.setting("turn_lifetime_s", std::to_string(config.turn_lifetime_s), "");
}

}  // namespace

std::string format_config(const Config& config) {
    Text text;
    text.raw(
        "# Settings of sotto-keyserver. They are read at start, and again on SIGHUP; those marked [restart] "
        "only\n"
        "# at start. What is left away has the value that stands here on a new server; a word that is not "
        "known\n"
        "# is refused. `sotto-keyserver check` tries them.\n");
    write_server(text, config);
    write_operation(text, config);
    write_ice(text, config);
    text.heading("Limits");
    for (const auto& limit : limit_settings())
        text.setting(limit.name, std::to_string(limit.get(config.limits)), limit.explains);
    return text.str();
}

}  // namespace sotto::keyserver
