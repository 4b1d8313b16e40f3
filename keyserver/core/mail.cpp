#include "keyserver/core/mail.hpp"

namespace sotto::keyserver {

Stored store_envelope(Stores& stores, DeviceKey key, const EnvelopeId& id, std::string_view envelope,
                      std::uint64_t now_s, const Limits& limits) {
    const auto device = stores.accounts.device(key);
    if (!device || device->removed) return Stored::no_device;
    const auto use = stores.mailbox.use(key);
    const bool fits = use.envelopes < limits.mailbox_envelopes &&
                      use.bytes + static_cast<std::int64_t>(envelope.size()) <= limits.mailbox_bytes;
    if (!fits) return stores.mailbox.contains(key, id) ? Stored::stored : Stored::full;
    static_cast<void>(stores.mailbox.append(key, id, envelope, now_s));
    return Stored::stored;
}

bool remove_expired(Stores& stores, std::uint64_t now_s, const Limits& limits) {
    constexpr std::size_t at_once = 500;
    const std::uint64_t lifetime_s = limits.mailbox_days * 24 * 3600;
    stores.invites.remove_expired(now_s);
    const bool more = stores.accounts.remove_deleted(at_once);
    const bool older = now_s > lifetime_s && stores.mailbox.remove_older(now_s - lifetime_s, at_once);
    return more || older;
}

}  // namespace sotto::keyserver
