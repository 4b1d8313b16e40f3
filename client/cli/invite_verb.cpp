// invite: a single-use contact link, shown only once the server knows its token.
#include "commands.hpp"
#include "online.hpp"
#include "output.hpp"
#include "qr.hpp"
#include "sotto/protocol/limits.hpp"

namespace sotto::cli {

Outcome run_invite(const Options& options) {
    auto profile = open_profile(options);
    if (!profile) return pass_on(profile);
    auto online = Online::create(*profile);
    if (!online) return pass_on(online);
    if (auto login = (*online)->wait_for_login(std::nullopt); !login) return login;

    const auto now = client::now_ms();
    auto invited = (*online)->engine().make_invite(now);
    if (!invited) return pass_on(invited);
    auto& runner = (*online)->runner();
    runner.apply(std::move(invited->output));
    const auto ended =
        runner.run([&] { return (*online)->engine().tokens_published() || (*online)->server_away(); },
                   Online::Clock::now() + Online::answer_time);
    const bool published = (*online)->engine().tokens_published();
    runner.finish(Online::farewell_time);
    if (!published) return std::unexpected((*online)->why_not(ended));

    const auto link = protocol::format_contact_link(invited->link);
    const auto expires = now + static_cast<std::int64_t>(protocol::invite_lifetime_s) * 1000;
    if (options.json) {
        Json object;
        object["link"] = link;
        object["expires_at"] = rfc3339(expires);
        print_json(object);
        return {};
    }
    print_line(link);
    if (output_is_terminal()) {
        if (const auto code = qr_code(link)) print(*code);
        print_line("For one person, until " + local_time(expires) +
                   ". They use it with: sotto contact add LINK");
    }
    return {};
}

}  // namespace sotto::cli
