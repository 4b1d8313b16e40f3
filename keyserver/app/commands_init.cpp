#include "keyserver/app/commands.hpp"

#include <iostream>

#include "keyserver/app/config.hpp"
#include "keyserver/app/files.hpp"
#include "keyserver/app/output.hpp"
#include "keyserver/app/store.hpp"
#include "sotto/crypto/codec.hpp"

namespace sotto::keyserver {
namespace {

namespace fs = std::filesystem;

/// Removes what a failed init has made, so that it can be tried again in the same folder.
class Draft {
  public:
    explicit Draft(fs::path folder) : folder_(std::move(folder)) {}
    Draft(const Draft&) = delete;
    Draft& operator=(const Draft&) = delete;
    ~Draft() {
        if (kept_) return;
        std::error_code ignored;
        for (const auto& entry : fs::directory_iterator{folder_, ignored}) fs::remove(entry.path(), ignored);
    }
    void keep() { kept_ = true; }

  private:
    fs::path folder_;
    bool kept_ = false;
};

[[nodiscard]] Outcome<Config> plan(const InitOptions& options) {
    Config config;
    const auto listen = parse_listen(options.listen);
    if (!listen) return std::unexpected(listen.error());
    const auto registration = parse_registration(options.registration);
    if (!registration) return std::unexpected(registration.error());
    config.listen = *listen;
    config.registration = *registration;
    if (is_wildcard(*listen) && !options.name)
        return problem(Exit::input,
                       "Give --name HOST as well: a server that listens on every address needs a name to be "
                       "reached by.");
    const bool ipv6 = listen->host.find(':') != std::string::npos;
    config.name = options.name.value_or(ipv6 ? "[" + listen->host + "]" : listen->host);
    if (!crypto::valid_server_name(config.name))
        return problem(Exit::input,
                       "'" + config.name + "' can't be a server's name: use a host name in lower case.");
    if (options.certificate.has_value() != options.key.has_value())
        return problem(Exit::input, "Give --cert and --key together, or neither.");
    if (options.certificate) {
        config.certificate = fs::absolute(*options.certificate);
        config.key = fs::absolute(*options.key);
        const auto usable = make_tls_context(config.certificate, config.key);
        if (!usable) return problem(Exit::input, usable.error());
    }
    return config;
}

[[nodiscard]] std::string host_of(const std::string& name) {
    return name.starts_with('[') ? name.substr(1, name.size() - 2) : name;
}

/// The server's address; a port of 0 stands for the one that run will choose.
[[nodiscard]] std::string address_of(const Config& config, const protocol::Pin& pin) {
    return protocol::format_server_link(
        {.host = host_of(config.name), .port = config.listen.port, .pin = pin});
}

[[nodiscard]] Outcome<void> write_all(const fs::path& data, const Config& config, bool own_certificate) {
    if (own_certificate) {
        const auto made = make_credentials(host_of(config.name));
        auto written = write_new_file(data / config.certificate, made.certificate);
        if (written) written = write_new_file(data / config.key, made.key);
        if (!written) return written;
    }
    crypto::SystemRng rng;
    auto written = write_new_file(data / config.store_key_file, crypto::to_hex(rng.bytes<32>()) + "\n");
    if (written) written = write_new_file(data / config_file, format_config(config));
    if (!written) return written;
    const auto key = read_store_key(data / config.store_key_file);
    if (!key) return std::unexpected(key.error());
    const auto store = open_store(data / store_file, *key, Company::none);
    if (!store) return std::unexpected(store.error());
    return {};
}

}  // namespace

Outcome<void> init(const InitOptions& options) {
    const auto config = plan(options);
    if (!config) return std::unexpected(config.error());
    if (auto made = create_empty_folder(options.data); !made) return made;
    Draft draft{options.data};
    if (auto written = write_all(options.data, *config, !options.certificate); !written) return written;
    const auto pin = certificate_pin(options.data / config->certificate);
    if (!pin) return problem(Exit::input, pin.error());
    draft.keep();

    const auto address = address_of(*config, *pin);
    if (options.json)
        print_json({{"address", address}, {"data", options.data.string()}, {"name", config->name}});
    else
        std::cout << address << '\n' << std::flush;
    std::cerr
        << "Above is the server's address: clients need all of it. Start it with: sotto-keyserver run --data "
        << options.data.string() << '\n'
        << "The store's key lies beside the store, in " << (options.data / config->store_key_file).string()
        << ": it protects a database that is copied alone, but not a copy of the whole folder or a stolen "
           "disk. "
           "To protect those, keep the key elsewhere and set store_key_file in "
        << (options.data / config_file).string() << ".\n";
    if (is_loopback(config->listen))
        std::cerr << "It listens on this machine alone; to be reached by others, start again with --listen "
                     "0.0.0.0:7443 "
                     "--name HOST.\n";
    if (config->registration == Registration::invite)
        std::cerr << "Whoever registers needs an invite: sotto-keyserver invite --data "
                  << options.data.string() << '\n';
    return {};
}

}  // namespace sotto::keyserver
