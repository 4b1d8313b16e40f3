// `invite create|list|revoke`
#include <algorithm>

#include "keyserver/app/commands.hpp"
#include "keyserver/app/output.hpp"
#include "keyserver/app/store.hpp"
#include "keyserver/app/times.hpp"
#include "keyserver/core/accounts.hpp"
#include "keyserver/store/admin.hpp"
#include "sotto/crypto/codec.hpp"

namespace sotto::keyserver {
namespace {

using Json = nlohmann::ordered_json;

/// What is shown of an invite: it lets nobody in.
[[nodiscard]] std::string id_of(const InviteRow& invite) {
    return crypto::to_hex(ByteView{invite.hash}).substr(0, 16);
}

[[nodiscard]] std::unexpected<Problem> failed(const InviteOptions& options, const storage::Error& error) {
    return std::unexpected(store_problem(error, options.data / store_file));
}

/// Those that `wanted` may mean: one by the invite itself, or all whose id begins so.
[[nodiscard]] std::vector<InviteRow> matching(const std::vector<InviteRow>& invites,
                                              const std::string& wanted) {
    const auto hash = registration_invite_hash(wanted);
    std::vector<InviteRow> out;
    for (const auto& invite : invites) {
        if (invite.hash == hash) return {invite};
        if (id_of(invite).starts_with(wanted)) out.push_back(invite);
    }
    return out;
}

}  // namespace

Outcome<void> invite_create(const InviteOptions& options) {
    auto folder = open_folder(options.data);
    if (!folder) return std::unexpected(folder.error());
    crypto::SystemRng rng;
    // Hexadecimal: it never begins with a hyphen, and survives being read out.
    const auto code = crypto::to_hex(rng.bytes<16>());
    const auto now = now_s();
    const InviteRow row{
        .hash = registration_invite_hash(code), .expires = now + options.days * 24ULL * 3600, .created = now};
    const auto stored = Admin{folder->store}.add_invite(row);
    if (!stored) return failed(options, stored.error());
    if (options.json)
        print_json({{"invite", code}, {"id", id_of(row)}, {"expires", iso_utc(row.expires)}});
    else
        std::cout << code << '\n' << std::flush;
    const auto registration = folder->config.registration;
    if (registration != Registration::invite)
        std::cerr << "This server's registration is "
                  << (registration == Registration::open ? "open: nobody needs an invite"
                                                         : "closed: invites are not accepted")
                  << "; see " << (options.data / config_file).string() << ".\n";
    return {};
}

Outcome<void> invite_list(const InviteOptions& options) {
    auto folder = open_folder(options.data);
    if (!folder) return std::unexpected(folder.error());
    const auto invites = Admin{folder->store}.invites(now_s());
    if (!invites) return failed(options, invites.error());
    auto out = Json::array();
    for (const auto& invite : *invites) {
        if (options.json)
            out.push_back({{"id", id_of(invite)},
                           {"created", invite.created == 0 ? Json{} : Json(iso_utc(invite.created))},
                           {"expires", iso_utc(invite.expires)},
                           {"tries", invite.tries}});
        else
            std::cout << id_of(invite) << "  expires " << iso_utc(invite.expires)
                      << "  taken names asked for: " << invite.tries << '\n';
    }
    if (options.json) {
        print_json(out);
        return {};
    }
    std::cout << std::flush;
    std::cerr << invites->size() << " invites are open.\n";
    return {};
}

Outcome<void> invite_revoke(const InviteOptions& options) {
    constexpr std::size_t shortest = 4;
    if (options.invite.size() < shortest)
        return problem(Exit::input, "Name the invite itself, or at least four digits of its id.");
    auto folder = open_folder(options.data);
    if (!folder) return std::unexpected(folder.error());
    Admin admin{folder->store};
    const auto invites = admin.invites(0);
    if (!invites) return failed(options, invites.error());
    const auto found = matching(*invites, options.invite);
    if (found.empty())
        return problem(Exit::input, "There is no such invite: it was used, has expired, or never was.");
    if (found.size() > 1)
        return problem(Exit::input, "Several invites begin like that: give more digits of the id.");
    const auto removed = admin.remove_invite(found.front().hash);
    if (!removed) return failed(options, removed.error());
    if (!*removed) return problem(Exit::input, "The invite was used at this moment.");
    if (options.json)
        print_json({{"id", id_of(found.front())}, {"revoked", true}});
    else
        std::cout << "The invite " << id_of(found.front()) << " lets nobody in any more.\n" << std::flush;
    return {};
}

}  // namespace sotto::keyserver
