// whoami, status: this profile, and how it stands with its server.
#include "commands.hpp"
#include "online.hpp"
#include "output.hpp"
#include "sotto/crypto/codec.hpp"
#include "sotto/protocol/link.hpp"

namespace sotto::cli {
namespace {

std::string server_link(const storage::Identity& identity) {
    return protocol::format_server_link(
        {.host = identity.server_host, .port = identity.server_port, .pin = identity.server_pin});
}

}  // namespace

Outcome run_whoami(const Options& options) {
    auto profile = open_profile(options);
    if (!profile) return pass_on(profile);
    const auto& identity = profile->identity;
    const auto fingerprint = crypto::to_hex(crypto::account_fingerprint(profile->record.body().account_key));
    if (options.json) {
        Json object;
        object["address"] = identity.address.text();
        object["device"] = identity.device;
        object["fingerprint"] = fingerprint;
        object["server"] = server_link(identity);
        object["home"] = options.home.string();
        print_json(object);
        return {};
    }
    print_line("address      " + identity.address.text());
    print_line("device       " + std::to_string(identity.device));
    print_line("fingerprint  " + grouped(fingerprint, 4));
    print_line("server       " + server_link(identity));
    print_line("home         " + options.home.string());
    return {};
}

Outcome run_status(const Options& options) {
    auto profile = open_profile(options);
    if (!profile) return pass_on(profile);
    auto online = Online::create(*profile);
    if (!online) return pass_on(online);
    const auto login = (*online)->wait_for_login(std::nullopt);
    const auto summary = (*online)->engine().connection_summary();
    const auto known = (*online)->login();
    (*online)->runner().finish(Online::farewell_time);

    const auto outbox = profile->store.outbox_size();
    if (!outbox) return refuse(outbox.error());
    const auto contacts = profile->store.contacts();
    if (!contacts) return refuse(contacts.error());
    auto direct = (*online)->engine().direct_policy();
    if (!direct) return pass_on(direct);
    const auto& identity = profile->identity;
    if (options.json) {
        Json object;
        object["address"] = identity.address.text();
        object["server"] = server_link(identity);
        object["direct"] = client::name(*direct);
        object["logged_in"] = login.has_value();
        object["connection"] = summary;
        object["waiting"] = login ? Json(known.waiting) : Json(nullptr);
        object["prekeys"] = login ? Json(known.one_time_left) : Json(nullptr);
        object["kem_prekeys"] = login ? Json(known.one_time_kem_left) : Json(nullptr);
        object["outbox"] = *outbox;
        object["contacts"] = contacts->size();
        print_json(object);
    } else {
        print_line("address     " + identity.address.text());
        print_line("server      " + server_link(identity));
        print_line("connection  " + (login ? summary : std::string{"none"}));
        if (login) {
            print_line("waiting     " + std::to_string(known.waiting) + " at the server");
            print_line("prekeys     " + std::to_string(known.one_time_left) + " and " +
                       std::to_string(known.one_time_kem_left) + " post-quantum ones left at the server");
        }
        print_line("outbox      " + std::to_string(*outbox) + " not yet at a server");
        print_line("direct      " + std::string{client::name(*direct)});
        print_line("contacts    " + std::to_string(contacts->size()));
    }
    return login;
}

}  // namespace sotto::cli
