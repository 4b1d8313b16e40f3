// direct: with whom direct sessions are made.
#include "commands.hpp"
#include "online.hpp"
#include "output.hpp"

namespace sotto::cli {
namespace {

using client::DirectPolicy;

std::string policy_sentence(DirectPolicy policy) {
    switch (policy) {
        case DirectPolicy::off:
            return "Nobody is reached directly, apart from contacts for whom `sotto contact set` says "
                   "otherwise: messages go by the server, and contacts don't learn your network address.";
        case DirectPolicy::contacts:
            return "All contacts are reached directly where that works; they learn your network address "
                   "then.";
        case DirectPolicy::verified:
            break;
    }
    return "Verified contacts, by link or by number, are reached directly where that works; they learn your "
           "network address then.";
}

}  // namespace

Outcome run_direct(const Options& options) {
    auto profile = open_profile(options);
    if (!profile) return pass_on(profile);
    auto online = Online::create(*profile);
    if (!online) return pass_on(online);
    auto& engine = (*online)->engine();
    for (const auto policy : {DirectPolicy::off, DirectPolicy::verified, DirectPolicy::contacts}) {
        if (options.direct_policy != client::name(policy)) continue;
        auto set = engine.set_direct_policy(policy, client::now_ms());
        if (!set) return pass_on(set);
    }
    if (!options.direct_upnp.empty()) {
        auto set = engine.set_upnp(options.direct_upnp == "on", client::now_ms());
        if (!set) return pass_on(set);
    }
    auto policy = engine.direct_policy();
    if (!policy) return pass_on(policy);
    auto upnp = engine.upnp();
    if (!upnp) return pass_on(upnp);
    if (!options.json) {
        print_line(policy_sentence(*policy));
        if (*upnp) print_line("The router is asked by UPnP to let them in.");
        return {};
    }
    Json object;
    object["direct"] = client::name(*policy);
    object["upnp"] = *upnp;
    print_json(object);
    return {};
}

}  // namespace sotto::cli
