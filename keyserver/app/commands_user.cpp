// `user list|show|disable|enable|delete`
#include <iomanip>

#include "keyserver/app/commands.hpp"
#include "keyserver/app/output.hpp"
#include "keyserver/app/store.hpp"
#include "keyserver/app/times.hpp"
#include "keyserver/store/admin.hpp"

namespace sotto::keyserver {
namespace {

using Json = nlohmann::ordered_json;

[[nodiscard]] std::string_view name_of(AccountState state) {
    switch (state) {
        case AccountState::active:
            return "active";
        case AccountState::shut_out:
            return "disabled";
        case AccountState::deleted:
            break;
    }
    return "being deleted";
}

[[nodiscard]] Json to_json(const UserSummary& user) {
    return {{"user", user.user},
            {"state", name_of(user.state)},
            {"created", day_utc(user.created_day)},
            {"discoverable", user.discoverable},
            {"devices", user.devices},
            {"waiting", user.mail.envelopes},
            {"waiting_bytes", user.mail.bytes}};
}

[[nodiscard]] Json to_json(const UserDetail& user) {
    auto out = to_json(user.summary);
    out["record_sequence"] = user.record_sequence;
    out["tokens"] = {
        {"shared", user.shared_tokens}, {"recovery", user.recovery_tokens}, {"invite", user.invite_tokens}};
    auto& devices = out["device_list"] = Json::array();
    for (const auto& device : user.devices)
        devices.push_back(
            {{"device", device.device},
             {"removed", device.removed},
             {"one_time_prekeys", device.one_time},
             {"one_time_kem_prekeys", device.one_time_kem},
             {"signed_prekey", device.signed_day == 0 ? Json{} : Json(day_utc(device.signed_day))},
             {"waiting", device.mail.envelopes},
             {"waiting_bytes", device.mail.bytes}});
    return out;
}

[[nodiscard]] std::unexpected<Problem> failed(const UserOptions& options, const storage::Error& error) {
    return std::unexpected(store_problem(error, options.data / store_file));
}

[[nodiscard]] std::unexpected<Problem> nobody(const std::string& name) {
    return problem(Exit::input, "There is no account '" + name + "' here.");
}

void print_done(const UserOptions& options, std::string_view state) {
    if (options.json)
        print_json({{"user", options.name}, {"state", state}});
    else
        std::cout << options.name << " is " << state << ".\n" << std::flush;
}

[[nodiscard]] Outcome<void> set_active(const UserOptions& options, bool active) {
    auto folder = open_folder(options.data);
    if (!folder) return std::unexpected(folder.error());
    const auto done = Admin{folder->store}.set_active(options.name, active);
    if (!done) return failed(options, done.error());
    if (!*done) return nobody(options.name);
    print_done(options, active ? "active" : "disabled");
    return {};
}

}  // namespace

Outcome<void> user_list(const UserOptions& options) {
    auto folder = open_folder(options.data);
    if (!folder) return std::unexpected(folder.error());
    const auto users = Admin{folder->store}.users();
    if (!users) return failed(options, users.error());
    if (options.json) {
        auto out = Json::array();
        for (const auto& user : *users) out.push_back(to_json(user));
        print_json(out);
        return {};
    }
    for (const auto& user : *users)
        std::cout << std::left << std::setw(32) << user.user << "  " << std::setw(13) << name_of(user.state)
                  << "  " << day_utc(user.created_day) << "  " << user.devices << " devices, "
                  << user.mail.envelopes << " waiting\n";
    std::cout << std::flush;
    std::cerr << users->size() << " accounts.\n";
    return {};
}

Outcome<void> user_show(const UserOptions& options) {
    auto folder = open_folder(options.data);
    if (!folder) return std::unexpected(folder.error());
    const auto looked = Admin{folder->store}.user(options.name);
    if (!looked) return failed(options, looked.error());
    const auto& user = *looked;
    if (!user) return nobody(options.name);
    const auto& found = *user;
    if (options.json) {
        print_json(to_json(found));
        return {};
    }
    std::cout << found.summary.user << " is " << name_of(found.summary.state) << ", registered on "
              << day_utc(found.summary.created_day) << ", "
              << (found.summary.discoverable ? "discoverable" : "not discoverable") << ".\n"
              << "Its record is number " << found.record_sequence << "; tokens: " << found.shared_tokens
              << " shared, " << found.recovery_tokens << " recovery, " << found.invite_tokens
              << " of links.\n";
    for (const auto& device : found.devices) {
        std::cout << "Device " << device.device;
        if (device.removed)
            std::cout << " was removed.\n";
        else
            std::cout << ": " << device.mail.envelopes << " envelopes wait (" << device.mail.bytes
                      << " bytes); one-time prekeys left: " << device.one_time << " X25519, "
                      << device.one_time_kem << " ML-KEM.\n";
    }
    std::cout << std::flush;
    return {};
}

Outcome<void> user_disable(const UserOptions& options) {
    return set_active(options, false);
}

Outcome<void> user_enable(const UserOptions& options) {
    return set_active(options, true);
}

Outcome<void> user_delete(const UserOptions& options) {
    auto folder = open_folder(options.data);
    if (!folder) return std::unexpected(folder.error());
    Admin admin{folder->store};
    const auto begun = admin.begin_deletion(options.name);
    if (!begun) return failed(options, begun.error());
    if (!*begun) return nobody(options.name);
    // In pieces, so that a running server gets its turn between them.
    for (bool more = true; more;) {
        const auto step = admin.go_on_deleting();
        if (!step) return failed(options, step.error());
        more = *step;
    }
    print_done(options, "deleted");
    return {};
}

}  // namespace sotto::keyserver
