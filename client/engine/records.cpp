#include "records.hpp"

#include "credential.hpp"
#include "sotto/crypto/codec.hpp"

namespace sotto::client {

RecordMark mark_of(ByteView pinned_record) {
    crypto::Reader reader(pinned_record);
    std::ignore = reader.u8();
    std::ignore = reader.take(reader.u16());
    const auto sequence = reader.u64();
    return {sequence, crypto::hash("Sotto/1/record-hash", {pinned_record})};
}

crypto::RecordChange RecordLine::add(const crypto::AccountRecord& record) {
    const auto change = crypto::compare(newest_, record);
    if (change == crypto::RecordChange::successor) newest_ = record;
    if (change == crypto::RecordChange::successor || change == crypto::RecordChange::same) seen_ = true;
    return change;
}

namespace {

bool lacks_other_record(const storage::Contact& contact) {
    return contact.state == storage::ContactState::changed && contact.other_record.empty();
}

}  // namespace

void RecordChecks::load() {
    for (const auto& contact : must(core_->store.contacts())) {
        if (contact.state == storage::ContactState::claimed || lacks_other_record(contact)) check(contact.id);
    }
}

void RecordChecks::check(std::int64_t contact) {
    if (find(contact, false) != nullptr) return;
    Check fresh;
    fresh.contact = contact;
    checks_.push_back(std::move(fresh));
}

void RecordChecks::check_other(std::int64_t contact, crypto::AccountRecord presented, Array<32> token) {
    erase(contact, true);
    Check fresh;
    fresh.contact = contact;
    fresh.presented = std::move(presented);
    fresh.token = token;
    checks_.push_back(std::move(fresh));
}

void RecordChecks::forget(std::int64_t contact) {
    erase(contact, false);
    erase(contact, true);
}

RecordChecks::Check* RecordChecks::find(std::int64_t contact, bool other) {
    const auto found = std::ranges::find_if(checks_, [&](const auto& check) {
        return check.contact == contact && check.presented.has_value() == other;
    });
    return found == checks_.end() ? nullptr : &*found;
}

void RecordChecks::erase(std::int64_t contact, bool other) {
    std::erase_if(checks_, [&](const auto& check) {
        return check.contact == contact && check.presented.has_value() == other;
    });
}

std::unique_ptr<RecordLine> RecordChecks::line_from(const Check& check, const storage::Contact& contact) {
    if (check.presented) return std::make_unique<RecordLine>(*check.presented);
    auto pinned = crypto::AccountRecord::parse(contact.record);
    if (!pinned) throw StoreFailure{{storage::Code::damaged, "a pinned record doesn't parse"}};
    return std::make_unique<RecordLine>(std::move(*pinned));
}

void RecordChecks::pump() {
    if (!core_->sending) return;
    std::vector<std::pair<std::int64_t, bool>> gone;
    for (auto& check : checks_) {
        if (check.in_flight || check.not_before > core_->shell.now) continue;
        const auto contact = must(core_->store.contact(check.contact));
        const bool decided_by_person = contact && contact->state == storage::ContactState::changed &&
                                       (check.presented || !lacks_other_record(*contact));
        if (!contact || contact->blocked || decided_by_person) {
            gone.emplace_back(check.contact, check.presented.has_value());
            continue;
        }
        ask(check, *contact);
    }
    for (const auto& [contact, other] : gone) erase(contact, other);
}

void RecordChecks::ask(Check& check, const storage::Contact& contact) {
    const auto right = right_for(contact, check.shared_refused);
    if (!check.presented && right == Right::none) {
        later(check, minute);
        return;
    }
    if (!check.line) check.line = line_from(check, contact);
    auto* connection = deliveries_->use(route_to(*core_, contact));
    if (connection == nullptr) return;

    wire::Request request;
    auto& fetch = *request.mutable_fetch_records();
    fetch.set_user(contact.address.user);
    fetch.set_from_sequence(check.line->newest().body().sequence + (check.line->seen() ? 1 : 0));
    if (check.presented)
        fetch.mutable_credential()->set_token(to_field(check.token));
    else
        fill(*fetch.mutable_credential(), contact, right);
    check.in_flight = true;
    core_->connections.request(*connection, request,
                               [this, id = check.contact, other = check.presented.has_value()](
                                   const wire::Reply* reply) { answered(id, other, reply); });
}

void RecordChecks::answered(std::int64_t id, bool other, const wire::Reply* reply) {
    auto* check = find(id, other);
    if (check == nullptr) return;
    check->in_flight = false;
    if (reply == nullptr) return;  // asked again when there is a connection
    const auto contact = must(core_->store.contact(id));
    if (!contact) {
        erase(id, other);
        return;
    }
    if (reply->has_failure()) {
        refused(*check, *contact, reply->failure());
        return;
    }
    if (!reply->has_records()) {
        later(*check, minute);
        return;
    }
    if (take(*check, *contact, reply->records())) {
        confirmed(*check, *contact);
        erase(id, other);
    }
}

bool RecordChecks::take(Check& check, const storage::Contact& contact, const wire::Records& records) {
    using crypto::RecordChange;
    for (const auto& bytes : records.records()) {
        const auto record = crypto::AccountRecord::parse(bytes_of(bytes));
        const auto change = record ? check.line->add(*record) : RecordChange::other_address;
        if (change != RecordChange::same && change != RecordChange::successor) {
            mismatch(check, contact, change, record ? record->bytes() : ByteView{});
            return false;
        }
    }
    if (!check.line->seen()) {
        mismatch(check, contact, RecordChange::older, {});
        return false;
    }
    // More to come: asked for by the next pump, from behind the newest.
    return !records.more() || records.records().empty();
}

void RecordChecks::mismatch(Check& check, storage::Contact contact, crypto::RecordChange change,
                            ByteView record) {
    if (check.presented) {
        // The address doesn't confirm the other key: the warning about the handshake was all.
        erase(check.contact, true);
        return;
    }
    const bool other = change == crypto::RecordChange::other_key || change == crypto::RecordChange::conflict;
    // A claim that a person has let stand against this very record isn't asked about at every start.
    const bool asked_before = other && contact.state == storage::ContactState::claimed &&
                              was_rejected(core_->store, contact.id, record);
    if (other && !asked_before) {
        auto transaction = core_->store.begin();
        auto notices = set_changed(*core_, contact, record);
        must(transaction.commit());
        changed_.push_back(contact.id);
        for (auto& notice : notices) core_->shell.tell(std::move(notice));
        erase(check.contact, false);
        return;
    }
    if (!std::exchange(check.warned, true)) {
        const auto* sentence =
            asked_before
                ? "The server of {} still shows the record of them that you refused; their name stays "
                  "only claimed. Ask them by another way."
                : "The server of {} shows an old or broken record of them; it is not accepted. Ask them "
                  "whether their server was restored.";
        core_->shell.warn({Exit::untrusted, say(sentence, contact.name)}, contact.id);
    }
    check.line.reset();
    later(check, minute);
}

void RecordChecks::refused(Check& check, const storage::Contact& contact, const wire::Failure& failure) {
    if (failure.code() == wire::FAILURE_REFUSED && !check.presented && !check.shared_refused &&
        contact.their_shared_token && contact.their_recovery_token) {
        check.shared_refused = true;
        return;
    }
    check.shared_refused = false;
    if (failure.code() == wire::FAILURE_REFUSED && check.presented) {
        erase(check.contact, true);
        return;
    }
    if (failure.code() == wire::FAILURE_REFUSED && !check.warned &&
        contact.state == storage::ContactState::claimed) {
        core_->shell.warn(
            {Exit::untrusted,
             say("{} claims to be {}, but that server doesn't confirm it; compare safety numbers before "
                 "you believe it.",
                 contact.name, contact.address.text())},
            contact.id);
        check.warned = true;
    }
    later(check, std::max<std::int64_t>(failure.retry_after_ms(), minute));
}

void RecordChecks::confirmed(const Check& check, storage::Contact contact) {
    if (check.presented) {
        auto transaction = core_->store.begin();
        auto notices = set_changed(*core_, contact, check.line->newest().bytes());
        must(transaction.commit());
        changed_.push_back(contact.id);
        for (auto& notice : notices) core_->shell.tell(std::move(notice));
        return;
    }
    // The server shows us what is pinned: the other record is one that only they were shown.
    if (contact.state == storage::ContactState::changed) return;
    const bool news = contact.state == storage::ContactState::claimed;
    contact.record = to_bytes(check.line->newest().bytes());
    if (news) contact.state = storage::ContactState::confirmed;
    // A claimed contact came by one of our links and proved to know its secret.
    if (news && contact.verified == storage::Verified::no) contact.verified = storage::Verified::link;
    auto transaction = core_->store.begin();
    must(core_->store.update_contact(contact));
    must(transaction.commit());
    changed_.push_back(contact.id);
    if (news) core_->shell.tell(ContactChanged{contact.id, contact.state});
}

void RecordChecks::later(Check& check, std::int64_t at_least) {
    check.not_before =
        core_->shell.now + std::max(at_least, check.backoff.next(minute, hour, core_->shell.rng));
}

std::optional<std::int64_t> RecordChecks::next_deadline() const {
    std::optional<std::int64_t> deadline;
    for (const auto& check : checks_) {
        if (!check.in_flight && check.not_before > core_->shell.now) sooner(deadline, check.not_before);
    }
    return deadline;
}

bool RecordChecks::idle() const {
    return std::ranges::all_of(checks_, [&](const auto& check) {
        return !check.in_flight && (check.not_before > core_->shell.now);
    });
}

}  // namespace sotto::client
