// receive: fetches what has come, and prints what was not printed yet.
//
// A message is marked as shown only after it was written and flushed, each in a transaction of its own. A
// crash in between repeats that one message, with the same row; none can be passed over.
#include <map>

#include "commands.hpp"
#include "messages.hpp"
#include "online.hpp"

namespace sotto::cli {
namespace {

class Receiving {
  public:
    Receiving(const Options& options, Profile& profile, Online& online)
        : options_(options), store_(profile.store), online_(online) {
        online_.on_notice([this](const client::Notice& notice) { hear(notice); });
    }
    Outcome run();

  private:
    void hear(const client::Notice& notice);
    /// Prints what is new; false once there is a reason to stop.
    bool drain();
    Outcome print_one(const storage::Message& message);
    [[nodiscard]] bool enough() const { return options_.count > 0 && printed_ >= options_.count; }
    [[nodiscard]] bool done();
    client::Runner::Ended wait();

    const Options& options_;
    storage::ClientStore& store_;
    Online& online_;
    bool fresh_ = true;
    bool was_logged_in_ = false;
    bool outage_said_ = false;
    int printed_ = 0;
    std::uint64_t heard_ = 0;
    std::optional<Error> failed_;
    bool store_failed_ = false;  ///< said when it came: what was fetched can't be kept
};

void Receiving::hear(const client::Notice& notice) {
    ++heard_;
    if (std::holds_alternative<client::MessageArrived>(notice)) fresh_ = true;
    if (const auto* warning = std::get_if<client::Warning>(&notice))
        store_failed_ = store_failed_ || (warning->contact == 0 && warning->error.exit == Exit::input);
    if (std::holds_alternative<client::LoggedIn>(notice)) {
        was_logged_in_ = true;
        outage_said_ = false;
    }
}

Outcome Receiving::print_one(const storage::Message& message) {
    const auto sender = store_.contact(message.contact);
    if (!sender) return refuse(sender.error());
    if (const auto& known = *sender; known) {
        if (options_.json)
            print_json(received_json(message, *known));
        else
            print_line(received_line(message, *known));
        if (auto flushed = flush_output(); !flushed) return flushed;
    }
    auto transaction = store_.begin();
    if (auto marked = store_.mark_shown(message.row); !marked) return refuse(marked.error());
    if (auto committed = transaction.commit(); !committed) return refuse(committed.error());
    ++printed_;
    return {};
}

bool Receiving::drain() {
    constexpr int batch = 100;
    while (fresh_ && !failed_ && !enough()) {
        const auto messages = store_.unshown(batch);
        if (!messages) {
            failed_ = client::describe(messages.error());
            break;
        }
        fresh_ = messages->size() == batch;
        for (const auto& message : *messages) {
            if (enough()) break;
            if (auto printed = print_one(message); !printed) {
                failed_ = std::move(printed.error());
                break;
            }
        }
    }
    return !failed_ && !enough();
}

bool Receiving::done() {
    if (!drain()) return true;
    const bool away = online_.server_away() && !online_.logged_in();
    if (options_.follow) {
        const auto& why = online_.server_away();
        if (why && away && !std::exchange(outage_said_, true)) say_error(why->sentence);
        return false;
    }
    if (store_failed_) return true;
    if (options_.timeout_s) return online_.caught_up() && printed_ > 0;
    return away || online_.caught_up();
}

client::Runner::Ended Receiving::wait() {
    auto& runner = online_.runner();
    const auto is_done = [this] { return done(); };
    if (options_.follow) return runner.run(is_done);
    if (options_.timeout_s) {
        const std::chrono::duration<double> limit{*options_.timeout_s};
        return runner.run(is_done,
                          Online::Clock::now() + std::chrono::duration_cast<Online::Clock::duration>(limit));
    }
    // However much there is to fetch: the patience is with a server that says nothing.
    while (true) {
        const auto before = heard_;
        const auto ended = runner.run(is_done, Online::Clock::now() + Online::answer_time);
        if (ended != client::Runner::Ended::timeout || heard_ == before) return ended;
    }
}

Outcome Receiving::run() {
    auto ended = client::Runner::Ended::done;
    if (drain()) {
        online_.log_in();
        if (options_.follow) {
            online_.go_direct();  // first, so that what contacts see of us says it
            online_.runner().apply(online_.engine().go_online(true, client::now_ms()));
        }
        ended = wait();
        online_.runner().finish(Online::farewell_time);
        drain();  // what came while the last acknowledgements left
    }
    if (failed_) return std::unexpected(*failed_);
    if (store_failed_ && !options_.follow) return end_with(Exit::input);
    if (online_.untrusted()) return end_with(Exit::untrusted);  // said when it came
    if (was_logged_in_ || enough() || ended == client::Runner::Ended::interrupted) return {};
    return std::unexpected(online_.why_not(ended));
}

}  // namespace

Outcome run_receive(const Options& options) {
    auto profile = open_profile(options);
    if (!profile) return pass_on(profile);
    auto online = Online::create(*profile);
    if (!online) return pass_on(online);
    return Receiving{options, *profile, **online}.run();
}

}  // namespace sotto::cli
