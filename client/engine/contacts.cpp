#include "contacts.hpp"

#include "sentences.hpp"
#include "sotto/crypto/codec.hpp"
#include "sotto/protocol/limits.hpp"
#include "sotto/protocol/text.hpp"

namespace sotto::client {

namespace {

constexpr std::size_t max_name_size = 64;
constexpr int tries = 3;  ///< of reaching the server of a link

std::optional<Error> check_name(std::string_view name) {
    const bool shape = !name.empty() && name.size() <= max_name_size && protocol::valid_utf8(name) &&
                       protocol::printable(name) == name;
    if (shape) return std::nullopt;
    return Error{Exit::input,
                 "A contact's name is 1 to 64 bytes of printable text; choose another with --name."};
}

std::string claim_setting(const crypto::InviteSecret& secret) {
    return "claim/" + crypto::to_hex(crypto::invite_id(secret));
}

}  // namespace

protocol::ContactLink Contacts::make_invite() {
    auto secret = core_->shell.rng.secret<crypto::InviteSecret>();
    const auto lifetime = static_cast<std::int64_t>(protocol::invite_lifetime_s) * second;
    auto transaction = core_->store.begin();
    must(core_->store.put_invite({secret.clone(), core_->shell.wall, core_->shell.wall + lifetime, 0}));
    must(transaction.commit());
    core_->tokens_stale = true;
    return {core_->own_endpoint(), core_->identity.address, std::move(secret),
            crypto::account_fingerprint(core_->record.body().account_key)};
}

std::optional<Error> Contacts::join(const protocol::ContactLink& link, std::string_view name) {
    if (joining_)
        return Error{Exit::input, "Another link is being used right now; try again when it is done."};
    if (auto error = check_name(name)) return error;
    if (link.address == core_->identity.address)
        return Error{Exit::input,
                     "This is a link of your own; send it to the person whom you want to talk to."};
    if (const auto known = must(core_->store.contact_by_address(link.address)))
        return Error{Exit::input,
                     say("{} is a contact already, under the name {}.", link.address.text(), known->name)};
    if (must(core_->store.contact_by_name(name)))
        return Error{Exit::input,
                     say("There is a contact named {} already; choose another name with --name.", name)};

    joining_.emplace(Joining{{link.endpoint, link.address, link.secret.clone(), link.fingerprint},
                             std::string{name},
                             claim_for(link.secret),
                             route_to(*core_, link.address, link.endpoint)});
    deliveries_->forgive(joining_->route);
    return std::nullopt;
}

Array<16> Contacts::claim_for(const crypto::InviteSecret& secret) {
    // Committed before its first use: if the answer is lost, the same claim is shown again.
    const auto setting = claim_setting(secret);
    if (const auto stored = must(core_->store.setting(setting))) {
        const auto bytes = crypto::from_hex(*stored);
        Array<16> claim;
        if (bytes && bytes->size() == claim.size()) {
            std::ranges::copy(*bytes, claim.begin());
            return claim;
        }
    }
    const auto claim = core_->shell.rng.bytes<16>();
    must(core_->store.put_setting(setting, crypto::to_hex(claim)));
    return claim;
}

void Contacts::forget_claim(const crypto::InviteSecret& secret) {
    must(core_->store.put_setting(claim_setting(secret), ""));
}

void Contacts::pump() {
    if (!joining_ || joining_->asked) return;
    auto* connection = deliveries_->use(joining_->route);
    if (connection == nullptr) {
        auto error = deliveries_->away(joining_->route);
        if (!error) {
            joining_->waiting = false;
            return;
        }
        if (std::exchange(joining_->waiting, true)) return;
        if (++joining_->failures < tries && error->exit == Exit::network) return;
        if (error->exit == Exit::network)
            error->sentence =
                say("The server {} can't be reached; nothing was stored. Use the link again later.",
                    text_of(joining_->route.endpoint));
        end(std::move(*error));
        return;
    }
    joining_->asked = true;
    wire::Request request;
    auto& fetch = *request.mutable_fetch_records();
    fetch.set_user(joining_->link.address.user);
    fetch.set_from_sequence(0);
    fill(*fetch.mutable_credential(), joining_->link.secret, joining_->claim);
    core_->connections.request(*connection, request, [this](const wire::Reply* reply) { answered(reply); });
}

void Contacts::answered(const wire::Reply* reply) {
    if (!joining_) return;
    if (reply == nullptr) {
        joining_->asked = false;  // the connection went: pump() finds out whether it comes back
        return;
    }
    const auto& link = joining_->link;
    if (!reply->has_records() || reply->records().records().empty()) {
        const auto code = reply->failure().code();
        auto error = describe_delivery_failure(code, joining_->name, true);
        if (code == wire::FAILURE_REFUSED)
            error = {Exit::input,
                     "This link is not valid at its server: it is mistyped, used or withdrawn; ask for a new "
                     "one."};
        return end(std::move(error));
    }
    const auto record =
        crypto::AccountRecord::parse(bytes_of(reply->records().records(reply->records().records_size() - 1)));
    const bool theirs = record && record->body().address == link.address &&
                        crypto::account_fingerprint(record->body().account_key) == link.fingerprint;
    if (!theirs)
        return end({Exit::untrusted, say("The key that the server shows for {} is not the one in the link; "
                                         "nothing was stored. Ask them "
                                         "by another way, and for a new link.",
                                         link.address.text())});
    const auto joining = *std::move(joining_);
    joining_.reset();
    add(joining, *record);
}

void Contacts::add(const Joining& joining, const crypto::AccountRecord& record) {
    // They may have used a link of ours in the meantime, and be a contact now.
    if (must(core_->store.contact_by_address(joining.link.address)) ||
        must(core_->store.contact_by_name(joining.name)))
        return core_->shell.warn(
            {Exit::input, say("{} has become a contact meanwhile, or the name is taken; see the "
                              "list of contacts.",
                              joining.link.address.text())});
    storage::Contact contact;
    contact.name = joining.name;
    contact.address = joining.link.address;
    contact.server_host = joining.route.endpoint.host;
    contact.server_port = joining.route.endpoint.port;
    contact.server_pin = joining.route.endpoint.pin;
    contact.record = to_bytes(record.bytes());
    contact.state = storage::ContactState::joining;
    contact.verified = storage::Verified::link;
    contact.invite_secret.emplace();
    std::ranges::copy(joining.link.secret.expose(), contact.invite_secret->begin());
    contact.invite_claim = joining.claim;
    contact.our_recovery_token = core_->shell.rng.bytes<32>();
    contact.added_at = core_->shell.wall;

    auto transaction = core_->store.begin();
    must(core_->store.add_contact(contact));
    content::Content introduction;
    Array<32> shared;
    std::ranges::copy(core_->identity.shared_token.expose(), shared.begin());
    fill(*introduction.mutable_introduction(), {core_->own_endpoint(), shared, contact.our_recovery_token});
    const auto item = outbox_->queue(contact, std::move(introduction), true);
    forget_claim(joining.link.secret);
    must(transaction.commit());

    core_->tokens_stale = true;
    outbox_->queued(contact.id, item.id);
    core_->shell.tell(ContactChanged{contact.id, contact.state});
}

void Contacts::end(Error error) {
    joining_.reset();
    core_->shell.warn(std::move(error));
}

}  // namespace sotto::client
