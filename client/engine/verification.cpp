#include "verification.hpp"

#include "presence_keys.hpp"
#include "rotation.hpp"
#include "sentences.hpp"
#include "sotto/crypto/safety_number.hpp"

namespace sotto::client {
namespace {

using storage::Contact;
using storage::ContactState;
using storage::Verified;

Error malformed_number() {
    return {Exit::input,
            "This is no safety number: give the whole text of the QR code, or all 60 digits; nothing was "
            "changed."};
}

crypto::AccountRecord parsed(ByteView record) {
    auto result = crypto::AccountRecord::parse(record);
    if (!result) throw StoreFailure{{storage::Code::damaged, "a contact's record doesn't parse"}};
    return std::move(*result);
}

/// What a comparison says of `number`.
struct Verdict {
    bool malformed = false;
    bool differs = false;
    Verified verified = Verified::no;
};

Verdict judge(const Comparison& comparison, std::string_view number) {
    if (std::holds_alternative<ComparedByEye>(comparison)) return {.verified = Verified::number};
    const auto* scanned = std::get_if<Scanned>(&comparison);
    if (scanned == nullptr) return {};
    const auto given = crypto::parse_safety_number(scanned->text);
    if (!given) return {.malformed = true};
    if (given->digits != number) return {.differs = true};
    return {.verified = given->qr ? Verified::qr : Verified::number};
}

}  // namespace

std::string Verification::number_of(ByteView record) const {
    const auto theirs = parsed(record);
    return crypto::safety_number(core_->record.body().account_key, core_->identity.address,
                                 theirs.body().account_key, theirs.body().address);
}

Result<SafetyNumbers> Verification::numbers(std::int64_t id) {
    const auto contact = must(core_->store.contact(id));
    if (!contact) return std::unexpected(no_such_contact());
    SafetyNumbers out;
    out.number = number_of(contact->record);
    out.before = contact->verified;
    if (contact->state == ContactState::changed) {
        out.before = standing_before(core_->store, id).verified;
        if (!contact->other_record.empty()) out.other = number_of(contact->other_record);
    }
    for (const auto& item : must(core_->store.outbox_of(id)))
        if (item.needs_acknowledgement) ++out.waiting;
    return out;
}

std::optional<Error> Verification::verify(std::int64_t id, const Comparison& comparison) {
    auto transaction = core_->store.begin();
    auto contact = must(core_->store.contact(id));
    if (!contact) return no_such_contact();
    if (contact->state == ContactState::changed) return undecided(*contact, comparison);
    const auto verdict = judge(comparison, number_of(contact->record));
    if (verdict.malformed) return malformed_number();
    if (verdict.verified == Verified::no && !verdict.differs) return std::nullopt;
    // The last comparison counts: one that fails takes back what earlier ones, or a link, have given.
    contact->verified = verdict.verified;
    must(core_->store.update_contact(*contact));
    must(transaction.commit());
    if (!verdict.differs) {
        core_->shell.tell(ContactChanged{id, contact->state});
        return std::nullopt;
    }
    return Error{Exit::untrusted,
                 say("The number that was given is not the one of you and {}, who is not verified now; if it "
                     "came from their own screen, somebody may stand between you: say nothing secret until "
                     "you have found out by another way.",
                     contact->name)};
}

std::optional<Error> Verification::undecided(const Contact& contact, const Comparison& comparison) {
    if (!std::holds_alternative<Scanned>(comparison)) return changed_key(contact);
    const auto old = judge(comparison, number_of(contact.record));
    if (old.malformed) return malformed_number();
    const bool known = !contact.other_record.empty();
    // Two records under one account key have one number: it says nothing about which of them holds.
    if (known && !judge(comparison, number_of(contact.other_record)).differs && old.differs)
        return Error{
            Exit::untrusted,
            say("This is the number of the other key that appeared for {}; if it came from their own "
                "screen, take that key with `sotto verify {} --accept-new-key --scan` and the same "
                "number.",
                contact.name, contact.name)};
    if (!old.differs)
        return Error{
            Exit::untrusted,
            say("This is the number of the key that {} had before; if it came from their own screen, "
                "refuse the other key with `sotto verify {} --reject-new-key`.",
                contact.name, contact.name)};
    return Error{Exit::untrusted,
                 say("The number that was given is neither of the key that {} had nor of the one that "
                     "appeared; nothing was changed, and nothing is sent to them.",
                     contact.name)};
}

std::optional<Error> Verification::accept(std::int64_t id, const Comparison& comparison) {
    std::optional<Rotation> rotation;
    auto transaction = core_->store.begin();
    auto contact = must(core_->store.contact(id));
    if (!contact) return no_such_contact();
    if (contact->state != ContactState::changed)
        return Error{Exit::input,
                     say("No other key has appeared for {}; nothing was changed.", contact->name)};
    if (contact->other_record.empty())
        return Error{Exit::untrusted,
                     say("The other record of {} is not here yet; run `sotto receive`, then look at `sotto "
                         "verify {}` again.",
                         contact->name, contact->name)};
    const auto verdict = judge(comparison, number_of(contact->other_record));
    if (verdict.malformed) return malformed_number();
    if (verdict.differs)
        return Error{Exit::untrusted,
                     say("The number that was given is not the one of the new key; it was not taken, and "
                         "nothing is sent to {}.",
                         contact->name)};

    const auto old_key = parsed(contact->record).body().account_key;
    const bool other_account = parsed(contact->other_record).body().account_key != old_key;
    replace_key(*contact, verdict.verified, standing_before(core_->store, id));
    // Whoever has the old key has our tokens too.
    if (other_account) {
        rotation.emplace(*core_, *outbox_);
        rotation->write(id);
        contact->our_recovery_token = core_->shell.rng.bytes<32>();
        forget_presence_keys(core_->store, id);
    }
    auto waiting = outbox_->requeue(*contact, other_account);
    if (other_account && waiting.empty() && !contact->blocked)
        waiting.push_back(outbox_->queue_tokens(*contact));
    auto text = say("You accepted another key of {} on {} (UTC)", contact->address.text(),
                    date_of(core_->shell.wall));
    text += verdict.verified == Verified::no
                ? std::string{" without comparing its safety number: they are not verified."}
                : say(" and compared its safety number: they are verified by {}.",
                      storage::name(verdict.verified));
    std::ignore = add_notice(*core_, *contact, std::move(text), true);
    must(core_->store.update_contact(*contact));
    must(transaction.commit());

    core_->sessions.remove_contact(id);
    ++core_->changes;
    core_->tokens_stale = true;
    if (rotation) rotation->committed();
    // What came under the new key was set aside until now.
    core_->retry_quarantine = true;
    checks_->forget(id);
    outbox_->requeued(id, waiting);
    core_->shell.tell(ContactChanged{id, contact->state});
    return std::nullopt;
}

void Verification::replace_key(Contact& contact, Verified verified, Standing before) {
    contact.record = std::exchange(contact.other_record, {});
    contact.verified = verified;
    // Who has not answered our link yet still has to.
    contact.state = before.state == ContactState::joining && contact.invite_secret ? ContactState::joining
                                                                                   : ContactState::confirmed;
    contact.introduced = false;
    contact.heard_at = 0;
    contact.reset_at = 0;
    contact.resets = 0;
    // Deleted, not kept for late messages: whoever has the old key must not go on speaking under this name.
    for (const auto& row : must(core_->store.sessions_of(contact.id)))
        must(core_->store.delete_session(row.session.id()));
}

std::optional<Error> Verification::reject(std::int64_t id) {
    auto transaction = core_->store.begin();
    auto contact = must(core_->store.contact(id));
    if (!contact) return no_such_contact();
    if (contact->state != ContactState::changed)
        return Error{Exit::input,
                     say("No other key has appeared for {}; nothing was changed.", contact->name)};
    if (!contact->other_record.empty()) remember_rejected(core_->store, id, contact->other_record);
    contact->other_record.clear();
    // The pinned key is the one that was known and compared all the time.
    const auto before = standing_before(core_->store, id);
    contact->state = before.state;
    contact->verified = before.verified;
    std::ignore =
        add_notice(*core_, *contact,
                   say("You refused the other key of {} on {} (UTC). Messages go under the key that "
                       "they had before.",
                       contact->address.text(), date_of(core_->shell.wall)),
                   true);
    must(core_->store.update_contact(*contact));
    must(transaction.commit());

    checks_->forget(id);
    if (contact->state == ContactState::claimed) checks_->check(id);
    outbox_->contact_changed(id);
    // What was set aside is not tried again: the refused key's own handshake would bring the question back.
    core_->shell.tell(ContactChanged{id, contact->state});
    return std::nullopt;
}

}  // namespace sotto::client
