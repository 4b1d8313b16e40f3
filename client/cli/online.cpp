#include "online.hpp"

#include <algorithm>

#include "log.hpp"
#include "output.hpp"

namespace sotto::cli {
namespace {

crypto::SystemRng& system_rng() {
    static crypto::SystemRng rng;
    return rng;
}

}  // namespace

Exit exit_of(client::NetworkError error) {
    switch (error) {
        case client::NetworkError::wrong_pin:
        case client::NetworkError::untrusted_certificate:
        case client::NetworkError::expired_certificate:
        case client::NetworkError::wrong_host:
            return Exit::untrusted;
        default:
            return Exit::network;
    }
}

Result<std::unique_ptr<Online>> Online::create(Profile& profile) {
    auto engine = client::Engine::create(profile.store, system_rng(), {});
    if (!engine) return pass_on(engine);
    const auto& identity = profile.identity;
    return std::unique_ptr<Online>{
        new Online{std::move(*engine),
                   {.host = identity.server_host, .port = identity.server_port, .pin = identity.server_pin}}};
}

Online::Online(client::Engine engine, const protocol::Endpoint& server)
    : engine_(std::move(engine)),
      server_(server.host + ":" + std::to_string(server.port)),
      transport_(client::make_network_transport()),
      runner_(engine_, *transport_),
      signals_([this] { runner_.interrupt(); }) {
    runner_.on_notice([this](const client::Notice& notice) { hear(notice); });
    runner_.on_event([this](const client::NetworkEvent& event) { see(event); });
    runner_.on_direct_event(log_direct_event);
    runner_.on_action([this](const client::Action& action) {
        log_action(action);
        if (const auto* open = std::get_if<client::OpenConnection>(&action))
            purposes_[open->id] = open->purpose;
        if (const auto* close = std::get_if<client::CloseConnection>(&action)) purposes_.erase(close->id);
    });
}

void Online::see(const client::NetworkEvent& event) {
    log_event(event);
    if (const auto* up = std::get_if<client::Connected>(&event)) {
        if (purposes_[up->id] == client::Purpose::delivery) delivery_away_.reset();
    } else if (const auto* down = std::get_if<client::Disconnected>(&event)) {
        // Presence comes back by itself, and says nothing of its failures.
        if (purposes_[down->id] != client::Purpose::presence) last_down_ = purposes_[down->id];
        purposes_.erase(down->id);
    }
}

void Online::hear(const client::Notice& notice) {
    if (const auto* in = std::get_if<client::LoggedIn>(&notice)) {
        login_ = *in;
        server_away_.reset();
    } else if (const auto* lost = std::get_if<client::LostServer>(&notice)) {
        auto& away = last_down_ == client::Purpose::delivery ? delivery_away_ : server_away_;
        away = Error{.exit = exit_of(lost->error), .sentence = lost->sentence};
        last_down_.reset();
    } else if (const auto* warning = std::get_if<client::Warning>(&notice)) {
        const bool known = std::ranges::any_of(warnings_, [&](const client::Warning& other) {
            return other.error.sentence == warning->error.sentence;
        });
        // A log-in that is refused ends in a warning alone.
        if (warning->contact == 0 && !engine_.logged_in() && warning->error.exit != Exit::input)
            server_away_ = warning->error;
        warnings_.push_back(*warning);
        if (!known && !quiet_) say_error(warning->error.sentence);
    } else if (std::holds_alternative<client::CaughtUp>(notice)) {
        caught_up_ = true;
    }
    if (hear_) hear_(notice);
}

std::optional<Error> Online::untrusted() const {
    for (const auto& warning : warnings_)
        if (warning.error.exit == Exit::untrusted) return warning.error;
    return std::nullopt;
}

Outcome Online::wait_for_login(std::optional<Clock::time_point> deadline) {
    log_in();
    const auto ended = runner_.run([this] { return logged_in() || (server_away_ && !engine_.logged_in()); },
                                   deadline.value_or(Clock::now() + answer_time));
    if (logged_in()) return {};
    return std::unexpected(why_not(ended));
}

Error Online::why_not(client::Runner::Ended ended) const {
    if (ended == client::Runner::Ended::interrupted)
        return {.exit = Exit::network,
                .sentence = "Interrupted before the server had answered; run it again."};
    if (server_away_) return *server_away_;
    if (delivery_away_) return *delivery_away_;
    return {
        .exit = Exit::network,
        .sentence = "The server " + server_ + " did not answer in time; check the network and try again."};
}

}  // namespace sotto::cli
