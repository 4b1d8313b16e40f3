#include "sotto/client/registration.hpp"

#include "connections.hpp"
#include "prekeys.hpp"
#include "say.hpp"
#include "sentences.hpp"
#include "sotto/crypto/login.hpp"
#include "store_failure.hpp"
#include "tokens.hpp"

namespace sotto::client {

namespace {

/// The record of a new account: sequence 1, this one device.
crypto::AccountRecord first_record(const storage::Identity& identity,
                                   const crypto::AccountKeyPair& account_key, std::uint32_t today) {
    const crypto::Device device{identity.device,
                                identity.signing_key.public_key(),
                                identity.identity_key.public_key(),
                                {crypto::protocol_version}};
    const crypto::RecordBody body{.address = identity.address,
                                  .sequence = 1,
                                  .previous = {},
                                  .day = today,
                                  .account_key = account_key.public_key(),
                                  .predecessor = std::nullopt,
                                  .devices = {device},
                                  .extensions = {}};
    auto record = crypto::AccountRecord::sign(body, account_key);
    if (!record) throw std::logic_error("a record of our own making is refused");
    return std::move(*record);
}

storage::Identity new_identity(const crypto::Address& address, const NewAccount& account, crypto::Rng& rng) {
    std::uint32_t device = 0;
    while (device == 0) {
        for (const auto byte : rng.bytes<4>()) device = (device << 8U) | std::to_integer<std::uint32_t>(byte);
    }
    return {.address = address,
            .device = device,
            .signing_key = crypto::DeviceSigningKeyPair::generate(rng),
            .identity_key = crypto::IdentityKeyPair::generate(rng),
            .server_host = account.server.host,
            .server_port = account.server.port,
            .server_pin = account.server.pin,
            .next_server_pin = std::nullopt,
            .registered = false,
            .unbound_accepted = account.accept_unbound,
            .shared_token = rng.secret<crypto::Token>()};
}

}  // namespace

struct Registration::Impl final : Connections::Listener {
    Impl(NewAccount wanted, crypto::Rng& rng) : account(std::move(wanted)), shell{rng, {}} {}

    NewAccount account;
    Shell shell;
    Connections connections{shell};
    ConnectionId connection = 0;
    std::optional<crypto::Address> address;
    storage::ClientStore* store = nullptr;
    std::unique_ptr<storage::Identity> identity;  ///< with `record`: from prepare() on
    std::unique_ptr<crypto::AccountRecord> record;
    bool asked_for_store = false;
    bool try_login = false;  ///< an earlier try may have got through
    bool over = false;
    std::size_t publishing = 0;
    Step step;

    template <class Work>
    Step run(std::int64_t now, Work work) {
        shell.advance(now);
        step = {};
        try {
            if (!over) work();
        } catch (const StoreFailure& failure) {
            fail(describe(failure.error()));
        }
        step.output = shell.take();
        return std::move(step);
    }

    void fail(Error error) {
        if (over) return;
        over = true;
        step.failed = std::move(error);
        connections.close(std::exchange(connection, 0));
    }

    void connect() { connection = connections.open(Purpose::identified, account.server, *this); }

    // ---- Connections::Listener ----
    void greeted(Connection& with) override {
        if (auto error = judge_hello(with)) return fail(std::move(*error));
        if (store != nullptr) {
            prove();
        } else if (!asked_for_store) {
            asked_for_store = true;
            step.needs_store = address;
        }
    }
    void pushed(Connection& /*with*/, const wire::Reply& push) override {
        if (push.has_closing()) fail(describe(NetworkError::closed, account.server));
    }
    void lost(ConnectionId id, NetworkError error, bool /*busy*/) override {
        if (id != connection) return;
        connection = 0;
        auto what = describe(error, account.server);
        if (error == NetworkError::unreachable || error == NetworkError::closed)
            what.sentence =
                say("The server {} can't be reached; check its address and the network, and try again.",
                    text_of(account.server));
        fail(std::move(what));
    }

    std::optional<Error> judge_hello(const Connection& with) {
        const auto& hello = with.hello;
        const auto server = text_of(account.server);
        const auto parsed = crypto::Address::parse(account.user + "@" + hello.server_name());
        if (!parsed)
            return Error{Exit::network,
                         say("The server {} gives itself a name that is not one; ask its operator.", server)};
        if (address && *address != *parsed)
            return Error{Exit::untrusted,
                         say("The server {} changed its name meanwhile; try again later.", server)};
        if (!account.server.pin && with.facts.verified_host != hello.server_name())
            return Error{
                Exit::untrusted,
                say("The server {} calls itself {}, which its certificate doesn't say; use the server's link "
                    "with its pin (sotto://host:port/#PIN).",
                    server, hello.server_name())};
        if (hello.unbound() && !account.accept_unbound)
            return Error{Exit::untrusted,
                         say("The server {} can't bind log-ins to its TLS connection (unbound mode); "
                             "accept that explicitly, or choose another server.",
                             server)};
        if (hello.registration() == wire::REGISTRATION_CLOSED)
            return describe_registration_failure(wire::FAILURE_REGISTRATION_CLOSED, account.user,
                                                 account.server);
        if (hello.registration() == wire::REGISTRATION_INVITE && account.invite.empty())
            return Error{Exit::input,
                         say("The server {} takes new accounts by invitation; ask its operator for an "
                             "invite and give it with --invite.",
                             server)};
        address = *parsed;
        return std::nullopt;
    }

    // ---- keys ----
    void prepare(const crypto::AccountKeyPair& account_key) {
        if (!address) return;
        auto begun = must(store->identity());
        if (begun && begun->registered)
            return fail(
                {Exit::input, "This profile has an account already; choose another folder with --home."});
        if (begun && begun->address != *address)
            return fail(
                {Exit::input,
                 say("This profile was begun for {}; finish that one, or choose another folder with --home.",
                     begun->address.text())});
        try_login = begun.has_value();
        identity = std::make_unique<storage::Identity>(begun ? std::move(*begun)
                                                             : new_identity(*address, account, shell.rng));
        identity->server_host = account.server.host;
        identity->server_port = account.server.port;
        identity->server_pin = account.server.pin;
        identity->unbound_accepted = account.accept_unbound;
        auto own = must(store->newest_own_record());
        record = std::make_unique<crypto::AccountRecord>(
            own ? std::move(*own) : first_record(*identity, account_key, shell.today()));
        if (record->body().account_key != account_key.public_key())
            return fail(
                {Exit::input, "This profile was begun with another key; choose another folder with --home."});
        // The keys are durable before the server hears of them, so that a lost answer doesn't cost the name.
        auto transaction = store->begin();
        must(store->put_identity(*identity));
        must(store->put_own_record(*record));
        must(transaction.commit());
        prove();
    }

    void prove() {
        auto* with = connections.find(connection);
        if (with == nullptr) return connect();
        const auto nonce = from_field<32>(with->hello.nonce());
        if (!nonce) return connections.fail(connection, NetworkError::not_sotto);
        crypto::LoginChallenge challenge{
            try_login ? crypto::LoginPurpose::login : crypto::LoginPurpose::registration,
            identity->address.server,
            identity->address,
            identity->device,
            *nonce,
            std::nullopt};
        if (!with->hello.unbound()) challenge.exporter = with->facts.exporter;
        const auto proof = to_field(crypto::prove_login(challenge, identity->signing_key));

        wire::Request request;
        if (try_login) {
            auto& login = *request.mutable_login();
            login.set_user(identity->address.user);
            login.set_device(identity->device);
            login.set_proof(proof);
        } else {
            auto& fresh = *request.mutable_register_();
            fresh.set_record(to_field(record->bytes()));
            fresh.set_device(identity->device);
            fresh.set_proof(proof);
            fresh.set_invite(account.invite);
        }
        connections.request(*with, request, [this](const wire::Reply* reply) { admitted(reply); });
    }

    void admitted(const wire::Reply* reply) {
        if (reply == nullptr) return;
        if (reply->has_welcome()) return welcome(reply->welcome());
        if (try_login && reply->failure().code() == wire::FAILURE_REFUSED) {
            // The earlier try did not get through. A nonce is good for one proof: register over a new
            // connection.
            try_login = false;
            connections.close(std::exchange(connection, 0));
            connect();
            return;
        }
        fail(describe_registration_failure(reply->failure().code(), account.user, account.server));
    }

    // ---- what a new account publishes ----
    void welcome(const wire::Welcome& welcome) {
        if (welcome.record_sequence() != record->body().sequence ||
            welcome.record_hash() != to_field(record->hash()))
            return fail(describe_login_failure(wire::FAILURE_STALE, account.server));
        identity->registered = true;
        must(store->put_identity(*identity));

        auto frames = prepare_prekeys(
            *store, shell.rng, *identity, *record, shell.today(),
            {welcome.one_time_left(), welcome.one_time_kem_left(), welcome.signed_prekey_day(),
             welcome.one_time_highest(), welcome.one_time_kem_highest()});
        for (auto& frame : frames) {
            wire::Request request;
            *request.mutable_publish_prekeys() = std::move(frame.frame);
            publish(request, [this, ids = std::move(frame.ids)] { mark_published(*store, {{}, ids}); });
        }
        auto table = token_table(*store, *identity, shell.wall);
        wire::Request request;
        *request.mutable_set_tokens() = std::move(table.frame);
        publish(request, [this, digest = table.digest] { confirm_tokens(*store, digest); });
    }

    void publish(wire::Request& request, std::function<void()> done) {
        auto* with = connections.find(connection);
        if (with == nullptr) return;
        ++publishing;
        connections.request(*with, request, [this, done = std::move(done)](const wire::Reply* reply) {
            if (reply == nullptr || over) return;
            if (!reply->has_done())
                return fail(
                    describe_registration_failure(reply->failure().code(), account.user, account.server));
            done();
            if (--publishing > 0) return;
            over = true;
            step.finished = true;
            connections.close(std::exchange(connection, 0));
        });
    }
};

Registration::Registration(NewAccount account, crypto::Rng& rng)
    : impl_(std::make_unique<Impl>(std::move(account), rng)) {}
Registration::~Registration() = default;

Registration::Step Registration::start(std::int64_t now) {
    return impl_->run(now, [&] {
        const auto& user = impl_->account.user;
        if (!crypto::valid_user_name(user))
            return impl_->fail(
                {Exit::input,
                 "A user name is 2 to 32 of a-z, 0-9, dot, hyphen and underscore, and begins with a "
                 "letter or digit; choose another with --user."});
        impl_->connect();
    });
}

Registration::Step Registration::handle(NetworkEvent event, std::int64_t now) {
    return impl_->run(now, [&] { impl_->connections.handle(std::move(event)); });
}

Registration::Step Registration::tick(std::int64_t now) {
    return impl_->run(now, [&] { impl_->connections.tick(); });
}

Registration::Step Registration::stored(storage::ClientStore& store,
                                        const crypto::AccountKeyPair& account_key, std::int64_t now) {
    return impl_->run(now, [&] {
        impl_->store = &store;
        impl_->prepare(account_key);
    });
}

}  // namespace sotto::client
