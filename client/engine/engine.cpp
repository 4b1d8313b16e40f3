#include "sotto/client/engine.hpp"

#include "blocking.hpp"
#include "contacts.hpp"
#include "direct.hpp"
#include "identified.hpp"
#include "presence.hpp"
#include "sentences.hpp"
#include "tokens.hpp"
#include "verification.hpp"

namespace sotto::client {

struct Engine::Impl {
    Impl(storage::ClientStore& store, crypto::Rng& rng, const EngineConfig& config,
         storage::Identity identity, crypto::AccountRecord record, std::vector<storage::SessionRow> sessions)
        : core{.store = store,
               .shell = {rng, config},
               .identity = std::move(identity),
               .record = std::move(record),
               .sessions = SessionBook{std::move(sessions)}} {
        core.paths = &direct;
    }

    Core core;
    Deliveries deliveries{core};
    RecordChecks checks{core, deliveries};
    Outbox outbox{core, deliveries, checks};
    Repair repair{core, outbox};
    Inbox inbox{core, outbox, checks, repair};
    Contacts contacts{core, deliveries, outbox};
    Verification verification{core, checks, outbox};
    Blocking blocking{core, outbox, checks};
    Identified identified{core, inbox, repair};
    Presence presence{core, outbox};
    Direct direct{core, outbox, inbox, presence};
    bool caught_up = false;
    std::int64_t quiet_until = 0;

    /// Everything that the engine does happens inside: `work`, then whatever has become possible.
    template <class Work>
    Output run(std::int64_t now, Work work) {
        core.shell.advance(now);
        try {
            work();
            settle();
        } catch (const StoreFailure& failure) {
            store_failed(failure);
        }
        return core.shell.take();
    }

    /// A command that either says why not, or is followed by whatever has become possible.
    template <class Work>
    Result<Output> command(std::int64_t now, Work work) {
        core.shell.advance(now);
        try {
            if (std::optional<Error> error = work()) return std::unexpected(std::move(*error));
            presence.note();
            direct.note();
        } catch (const StoreFailure& failure) {
            return std::unexpected(describe(failure.error()));
        }
        return run(now, [] {});
    }

    void settle() {
        identified.pump();
        contacts.pump();
        checks.pump();
        for (const auto contact : checks.take_changed()) outbox.contact_changed(contact);
        if (core.retry_quarantine) inbox.retry_quarantined();
        repair.pump();
        core.telling = identified.telling_tokens();
        presence.note(core.shell.out);
        presence.pump();
        direct.pump();
        outbox.pump();
        if (core.tokens_stale) identified.pump();
        if (!identified.online()) caught_up = false;
        if (!caught_up && identified.mailbox_read()) {
            outbox.owe_now();
            outbox.pump();
            if (outbox.idle() && checks.idle() && !deliveries.opening()) {
                caught_up = true;
                core.shell.tell(CaughtUp{});
            }
        }
    }

    /// What was not committed is not acknowledged; it comes again when the store works again.
    void store_failed(const StoreFailure& failure) {
        constexpr auto pause = 5 * second;
        // Told once a pause: every event would find it again.
        if (core.shell.now >= quiet_until) core.shell.warn(describe(failure.error()));
        quiet_until = core.shell.now + pause;
        outbox.pause(core.shell.now + pause);
        // Requests that end with their connection don't ask the store for anything.
        identified.back_off();
        deliveries.stop();
        try {
            direct.fail();
        } catch (const StoreFailure&) {  // NOLINT(bugprone-empty-catch): told above
        }
    }
};

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

Result<Engine> Engine::create(storage::ClientStore& store, crypto::Rng& rng, const EngineConfig& config) {
    try {
        auto identity = must(store.identity());
        auto record = must(store.newest_own_record());
        if (!identity || !identity->registered || !record)
            return std::unexpected(
                Error{Exit::input, "This profile isn't registered yet; finish it with `sotto init`."});
        auto impl = std::make_unique<Impl>(store, rng, config, std::move(*identity), std::move(*record),
                                           must(store.sessions()));
        impl->outbox.load();
        impl->checks.load();
        impl->core.rotation_untold = client::rotation_untold(store, impl->core.identity);
        return Engine{std::move(impl)};
    } catch (const StoreFailure& failure) {
        return std::unexpected(describe(failure.error()));
    }
}

Output Engine::start(std::int64_t now) {
    return impl_->run(now, [&] {
        impl_->core.sending = true;
        impl_->identified.start();
    });
}

Output Engine::start_sending(std::int64_t now) {
    return impl_->run(now, [&] { impl_->core.sending = true; });
}

Output Engine::handle(NetworkEvent event, std::int64_t now) {
    return impl_->run(now, [&] {
        impl_->core.connections.handle(std::move(event));
        impl_->direct.note_soon();
    });
}

Output Engine::tick(std::int64_t now) {
    return impl_->run(now, [&] {
        impl_->core.connections.tick();
        impl_->deliveries.tick();
        impl_->identified.tick();
        impl_->presence.tick();
        impl_->direct.tick();
    });
}

std::optional<std::int64_t> Engine::next_deadline() const {
    auto deadline = impl_->core.connections.next_deadline();
    sooner(deadline, impl_->deliveries.next_deadline());
    sooner(deadline, impl_->identified.next_deadline());
    sooner(deadline, impl_->outbox.next_deadline());
    sooner(deadline, impl_->checks.next_deadline());
    sooner(deadline, impl_->repair.next_deadline());
    sooner(deadline, impl_->presence.next_deadline());
    sooner(deadline, impl_->direct.next_deadline());
    if (deadline) deadline = impl_->core.shell.to_wall(*deadline);
    return deadline;
}

Output Engine::flush(std::int64_t now) {
    return impl_->run(now, [&] {
        impl_->outbox.owe_now();
        impl_->identified.flush();
    });
}

bool Engine::idle() const {
    return impl_->identified.idle() && impl_->contacts.idle() && impl_->checks.idle() &&
           impl_->outbox.idle() && !impl_->deliveries.opening();
}

bool Engine::logged_in() const {
    return impl_->identified.online();
}

Output Engine::stop(std::int64_t now) {
    return impl_->run(now, [&] {
        impl_->core.sending = false;
        impl_->presence.stop();
        impl_->direct.stop();
        impl_->identified.stop();
        impl_->deliveries.stop();
        impl_->outbox.stop();
    });
}

Result<Engine::Queued> Engine::send_text(std::int64_t contact_id, std::string_view text, std::int64_t now) {
    if (auto error = check_text(text)) return std::unexpected(std::move(*error));
    auto& core = impl_->core;
    core.shell.advance(now);
    storage::MessageId id{};
    try {
        auto transaction = core.store.begin();
        auto contact = must(core.store.contact(contact_id));
        if (!contact) return std::unexpected(no_such_contact());
        if (contact->blocked) return std::unexpected(is_blocked(*contact));
        if (contact->state == storage::ContactState::changed) return std::unexpected(changed_key(*contact));
        content::Content content;
        content.mutable_text()->set_body(std::string{text});
        const auto queued = impl_->outbox.queue(*contact, std::move(content), true);
        id = queued.id;
        storage::Message message;
        message.id = id;
        message.contact = contact_id;
        message.direction = storage::Direction::outgoing;
        message.kind = kind_text;
        message.text = text;
        message.sequence = queued.sequence;
        message.sent_at = core.shell.wall;
        message.received_at = core.shell.wall;
        message.state = storage::MessageState::queued;
        message.shown = true;
        std::ignore = must(core.store.add_message(message));
        must(transaction.commit());
        impl_->outbox.queued(contact_id, id);
        impl_->direct.want(contact_id);
    } catch (const StoreFailure& failure) {
        return std::unexpected(describe(failure.error()));
    }
    return Queued{id, impl_->run(now, [] {})};
}

Result<Engine::Invited> Engine::make_invite(std::int64_t now) {
    auto& core = impl_->core;
    core.shell.advance(now);
    try {
        auto link = impl_->contacts.make_invite();
        return Invited{std::move(link), impl_->run(now, [] {})};
    } catch (const StoreFailure& failure) {
        return std::unexpected(describe(failure.error()));
    }
}

Result<Output> Engine::block(std::int64_t contact, std::int64_t now) {
    return impl_->command(now, [&] { return impl_->blocking.block(contact); });
}

Result<Output> Engine::unblock(std::int64_t contact, std::int64_t now) {
    return impl_->command(now, [&] { return impl_->blocking.unblock(contact); });
}

Result<Output> Engine::remove(std::int64_t contact, std::int64_t now) {
    return impl_->command(now, [&] { return impl_->blocking.remove(contact); });
}

bool Engine::rotation_untold() const {
    return impl_->core.rotation_untold;
}

bool Engine::tokens_published() const {
    return impl_->identified.tokens_published();
}

Result<Output> Engine::join(const protocol::ContactLink& link, std::string_view name, std::int64_t now) {
    auto& core = impl_->core;
    core.shell.advance(now);
    try {
        if (auto error = impl_->contacts.join(link, name)) return std::unexpected(std::move(*error));
    } catch (const StoreFailure& failure) {
        return std::unexpected(describe(failure.error()));
    }
    return impl_->run(now, [&] { core.sending = true; });
}

Result<SafetyNumbers> Engine::safety_numbers(std::int64_t contact) {
    try {
        return impl_->verification.numbers(contact);
    } catch (const StoreFailure& failure) {
        return std::unexpected(describe(failure.error()));
    }
}

Result<Output> Engine::verify(std::int64_t contact, const Comparison& comparison, std::int64_t now) {
    return impl_->command(now, [&] { return impl_->verification.verify(contact, comparison); });
}

Result<Output> Engine::accept_key(std::int64_t contact, const Comparison& comparison, std::int64_t now) {
    return impl_->command(now, [&] { return impl_->verification.accept(contact, comparison); });
}

Result<Output> Engine::reject_key(std::int64_t contact, std::int64_t now) {
    return impl_->command(now, [&] { return impl_->verification.reject(contact); });
}

Output Engine::go_online(bool publish, std::int64_t now) {
    return impl_->run(now, [&] { impl_->presence.start(publish); });
}

Result<Output> Engine::choose_presence(PresenceChoice choice, std::string_view text, std::int64_t now) {
    return impl_->command(now, [&] { return impl_->presence.choose(choice, text); });
}

Result<ChosenPresence> Engine::chosen_presence() {
    try {
        return impl_->presence.chosen();
    } catch (const StoreFailure& failure) {
        return std::unexpected(describe(failure.error()));
    }
}

Output Engine::set_idle(bool idle, std::int64_t now) {
    return impl_->run(now, [&] { impl_->presence.set_idle(idle); });
}

Result<Output> Engine::set_visible(std::int64_t contact, bool visible, std::int64_t now) {
    return impl_->command(now, [&] { return impl_->presence.set_visible(contact, visible); });
}

PresenceView Engine::presence(std::int64_t contact) const {
    return impl_->presence.view(contact);
}

bool Engine::presence_settled() const {
    return impl_->presence.settled();
}

Output Engine::go_direct(std::int64_t now) {
    return impl_->run(now, [&] {
        impl_->direct.start();
        impl_->presence.note();
    });
}

Output Engine::handle(DirectEvent event, std::int64_t now) {
    return impl_->run(now, [&] { impl_->direct.handle(std::move(event)); });
}

Result<DirectPolicy> Engine::direct_policy() {
    try {
        return client::direct_policy(impl_->core.store);
    } catch (const StoreFailure& failure) {
        return std::unexpected(describe(failure.error()));
    }
}

Result<Output> Engine::set_direct_policy(DirectPolicy policy, std::int64_t now) {
    return impl_->command(now, [&] {
        impl_->direct.set_policy(policy);
        return std::optional<Error>{};
    });
}

Result<Output> Engine::set_direct(std::int64_t contact, storage::DirectChoice choice, std::int64_t now) {
    return impl_->command(now, [&] { return impl_->direct.set_choice(contact, choice); });
}

Result<Output> Engine::try_direct(std::int64_t contact, std::int64_t now) {
    return impl_->command(now, [&] { return impl_->direct.attempt(contact); });
}

Result<bool> Engine::upnp() {
    try {
        return client::direct_upnp(impl_->core.store);
    } catch (const StoreFailure& failure) {
        return std::unexpected(describe(failure.error()));
    }
}

Result<Output> Engine::set_upnp(bool yes, std::int64_t now) {
    return impl_->command(now, [&] {
        impl_->direct.set_upnp(yes);
        return std::optional<Error>{};
    });
}

DirectView Engine::direct(std::int64_t contact) const {
    return impl_->direct.view(contact);
}

std::string Engine::connection_summary() const {
    return impl_->identified.summary();
}

}  // namespace sotto::client
