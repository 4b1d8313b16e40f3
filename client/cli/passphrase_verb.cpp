// passphrase: the same keys under another passphrase.
#include "commands.hpp"
#include "output.hpp"
#include "passphrase.hpp"
#include "profile.hpp"
#include "sotto/storage/vault.hpp"

namespace sotto::cli {

Outcome run_passphrase(const Options& options) {
    const storage::ProfilePaths paths{options.home};
    if (!paths.exists()) return refuse({.code = storage::Code::missing, .detail = {}});
    const auto lock = storage::ProfileLock::acquire(options.home);
    if (!lock) return refuse(lock.error());
    auto old = read_passphrase(options.passphrase, "Old passphrase", Ask::once);
    if (!old) return pass_on(old);
    // Said before anybody thinks of a new one.
    if (auto opened = open_vault(paths, *old); !opened) return pass_on(opened);
    auto fresh = read_passphrase(options.new_passphrase, "New passphrase", Ask::twice);
    if (!fresh) return pass_on(fresh);
    crypto::SystemRng rng;
    const auto changed = storage::Vault::change(paths.vault(), *old, *fresh, passphrase_cost(options), rng);
    if (!changed) return refuse(changed.error());
    if (!options.json)
        print_line("The passphrase is changed. Older copies of this profile still open with the old one.");
    return {};
}

}  // namespace sotto::cli
