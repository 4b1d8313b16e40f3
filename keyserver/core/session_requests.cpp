// What a session does once it is known who asks: publishing, fetching, delivering.
#include "keyserver/core/session.hpp"
#include "sotto/crypto/codec.hpp"
#include "sotto/crypto/session.hpp"

namespace sotto::keyserver {
namespace {

// docs/protocol.md section 8: what an envelope's first byte says.
constexpr std::uint8_t handshake_envelope = 0x11;
constexpr std::uint8_t message_envelope = 0x12;

/// A device may have been removed while its request waited.
[[nodiscard]] bool still_listed(Stores& stores, DeviceKey key) {
    const auto device = stores.accounts.device(key);
    return device && !device->removed;
}

template <class T>
[[nodiscard]] Answer<T> result_of(std::optional<Answer<T>> outcome) {
    return outcome ? *std::move(outcome) : std::unexpected(store_failed);
}

}  // namespace

void Session::publish_record(std::uint32_t request, const wire::PublishRecord& message) {
    auto record = crypto::AccountRecord::parse(bytes_of(message.record()));
    if (!record) return fail(request, malformed);
    service_.queue.submit(
        [&service = service_, key = self_,
         record = *std::move(record)](Stores& stores) -> Answer<std::vector<std::uint32_t>> {
            if (!still_listed(stores, key)) return refuse(wire::FAILURE_REFUSED);
            return keyserver::publish_record(stores, key.account, record, unix_day(service.clock));
        },
        [&service = service_, id = id_, request,
         account = self_.account](std::optional<Answer<std::vector<std::uint32_t>>> outcome) {
            const auto removed = result_of(std::move(outcome));
            service.shell.reply(id, removed ? done_frame(request) : failure_frame(request, removed.error()));
            if (!removed) return;
            for (const auto device : *removed)
                service.hub.device_removed({.account = account, .device = device});
        });
}

void Session::publish_prekeys(std::uint32_t request, const wire::PublishPrekeys& message) {
    if (!signing_key_) return fail(request, {.code = wire::FAILURE_NOT_LOGGED_IN});
    auto checked = check_prekeys(message, self_.device, *signing_key_, unix_day(service_.clock));
    if (!checked) return fail(request, checked.error());
    service_.queue.submit(
        [key = self_, prekeys = *std::move(checked)](Stores& stores) -> Answer<void> {
            if (!still_listed(stores, key)) return refuse(wire::FAILURE_REFUSED);
            return keyserver::publish_prekeys(stores, key, prekeys);
        },
        [&shell = service_.shell, id = id_, request](std::optional<Answer<void>> outcome) {
            const auto done = result_of(std::move(outcome));
            shell.reply(id, done ? done_frame(request) : failure_frame(request, done.error()));
        });
}

void Session::set_tokens(std::uint32_t request, const wire::SetTokens& message) {
    auto tokens = Access::read_tokens(message);
    if (!tokens) return fail(request, tokens.error());
    service_.queue.submit(
        [key = self_, tokens = *std::move(tokens),
         discoverable = message.discoverable()](Stores& stores) -> Answer<std::vector<TokenHash>> {
            if (!still_listed(stores, key)) return refuse(wire::FAILURE_REFUSED);
            stores.tokens.replace(key.account, tokens);
            stores.accounts.set_discoverable(key.account, discoverable);
            return stores.tokens.shared(key.account);
        },
        [&service = service_, id = id_, request,
         account = self_.account](std::optional<Answer<std::vector<TokenHash>>> outcome) {
            const auto shared = result_of(std::move(outcome));
            // Delivery learns first: whoever has the answer may rely on it.
            if (shared) service.hub.tokens_replaced(account, *shared);
            service.shell.reply(id, shared ? done_frame(request) : failure_frame(request, shared.error()));
        });
}

void Session::acknowledge(std::uint32_t request, const wire::Acknowledge& message) {
    if (message.envelope_ids_size() > static_cast<int>(protocol::max_acknowledged_per_frame))
        return fail(request, {.code = wire::FAILURE_TOO_LARGE});
    std::vector<EnvelopeId> ids;
    for (const auto& field : message.envelope_ids()) {
        if (field.size() != protocol::envelope_id_size) return fail(request, malformed);
        std::ranges::copy(bytes_of(field), ids.emplace_back().begin());
    }
    service_.hub.acknowledge(self_, {.connection = id_, .request = request, .asked_us = 0}, ids);
}

void Session::report_generation(std::uint32_t request, const wire::ReportGeneration& message) {
    if (message.generation() == 0 || message.generation() > protocol::max_generation)
        return fail(request, malformed);
    service_.queue.submit(
        [key = self_, generation = message.generation()](Stores& stores) -> Answer<void> {
            if (!still_listed(stores, key)) return refuse(wire::FAILURE_REFUSED);
            stores.accounts.set_generation(key, generation);
            return {};
        },
        [&shell = service_.shell, id = id_, request](std::optional<Answer<void>> outcome) {
            const auto done = result_of(std::move(outcome));
            shell.reply(id, done ? done_frame(request) : failure_frame(request, done.error()));
        });
}

void Session::fetch_records(std::uint32_t request, const wire::FetchRecords& message) {
    const auto proof = read_credential(message.credential());
    constexpr std::uint64_t highest = 1ULL << 62U;  // the store counts with signed integers
    if (!proof || !crypto::valid_user_name(message.user()) || message.from_sequence() > highest)
        return fail(request, malformed);
    service_.queue.submit(
        [&service = service_, user = message.user(), proof = *proof, self = self_.account,
         from = message.from_sequence()](Stores& stores) -> Answer<RecordPage> {
            const auto granted = service.access.to_fetch(stores, user, proof, self);
            if (!granted) return std::unexpected(granted.error());
            return keyserver::fetch_records(stores, granted->account, from);
        },
        [&shell = service_.shell, id = id_, request](std::optional<Answer<RecordPage>> outcome) {
            const auto page = result_of(std::move(outcome));
            shell.reply(id, page ? records_frame(request, *page) : failure_frame(request, page.error()));
        });
}

void Session::fetch_prekeys(std::uint32_t request, const wire::FetchPrekeys& message) {
    struct Fetched {
        DeviceKey key;
        Bundle bundle;
    };
    const auto proof = read_credential(message.credential());
    if (!proof || !crypto::valid_user_name(message.user()) || message.device() == 0)
        return fail(request, malformed);
    service_.queue.submit(
        [&service = service_, user = message.user(), device = message.device(), proof = *proof,
         self = self_.account](Stores& stores) -> Answer<Fetched> {
            const auto granted = service.access.to_fetch(stores, user, proof, self);
            if (!granted) return std::unexpected(granted.error());
            const DeviceKey key{.account = granted->account, .device = device};
            auto bundle = service.prekeys.fetch(stores, key, granted->by_credential);
            if (!bundle) return std::unexpected(bundle.error());
            return Fetched{.key = key, .bundle = *std::move(bundle)};
        },
        [&service = service_, id = id_, request](std::optional<Answer<Fetched>> outcome) {
            const auto fetched = result_of(std::move(outcome));
            service.shell.reply(id, fetched ? prekeys_frame(request, fetched->bundle)
                                            : failure_frame(request, fetched.error()));
            if (!fetched) return;
            const auto& bundle = fetched->bundle;
            service.counters.add(bundle.last_resort ? Count::prekeys_last_resort : Count::prekeys_one_time);
            if (bundle.one_time_left < crypto::prekey_refill_below ||
                bundle.one_time_kem_left < crypto::prekey_refill_below)
                service.hub.prekeys_low(fetched->key, bundle.one_time_left, bundle.one_time_kem_left);
        });
}

void Session::deliver(std::uint32_t request, wire::Deliver& message) {
    const auto proof = read_credential(message.credential());
    if (!proof || !crypto::valid_user_name(message.user()) || message.device() == 0 ||
        message.envelope_id().size() != protocol::envelope_id_size || message.envelope().empty())
        return fail(request, malformed);
    if (message.envelope().size() > crypto::max_envelope_size)
        return fail(request, {.code = wire::FAILURE_TOO_LARGE});
    const auto type = static_cast<std::uint8_t>(message.envelope().front());
    if (type != handshake_envelope && type != message_envelope) return fail(request, malformed);
    Delivery delivery{.user = message.user(),
                      .device = message.device(),
                      .proof = *proof,
                      .envelope = std::make_shared<const std::string>(std::move(*message.mutable_envelope())),
                      .handshake = type == handshake_envelope,
                      .origin = {.connection = id_, .request = request, .asked_us = Counters::now_us()}};
    std::ranges::copy(bytes_of(message.envelope_id()), delivery.id.begin());
    service_.hub.deliver(std::move(delivery));
}

void Session::get_ice_servers(std::uint32_t request) {
    const auto offer = service_.policy->ice;
    const auto until = service_.clock.unix_ms() / 1000 + (offer ? offer->lifetime_s : 0);
    const auto username = std::to_string(until) + ":" + crypto::to_hex(service_.rng.bytes<8>());
    reply(ice_servers_frame(request, offer.get(), username));
}

}  // namespace sotto::keyserver
