// send: into the outbox, committed; then on its way as far as --wait says.
#include <map>
#include <vector>

#include "commands.hpp"
#include "line_reader.hpp"
#include "messages.hpp"
#include "online.hpp"
#include "text_input.hpp"

namespace sotto::cli {
namespace {

using storage::MessageState;
using Clock = Online::Clock;

int rank(MessageState state) {
    switch (state) {
        case MessageState::sent:
            return 1;
        case MessageState::stored:
            return 2;
        case MessageState::delivered:
            return 3;
        default:
            return 0;
    }
}

int wanted_rank(const std::string& wait) {
    if (wait == "sent") return 1;
    return wait == "stored" ? 2 : 3;
}

class Sending {
  public:
    Sending(const Options& options, const storage::Contact& contact, Online& online)
        : options_(options), contact_(contact), online_(online), wanted_(wanted_rank(options.wait)) {
        online_.on_notice([this](const client::Notice& notice) { hear(notice); });
    }

    Outcome one(const std::string& text);
    Outcome every_line();

  private:
    Outcome queue(std::string_view text);
    void take_lines(LineReader& reader);
    void hear(const client::Notice& notice);
    void report(const storage::MessageId& id, MessageState state) const;
    [[nodiscard]] bool hopeless() const;
    [[nodiscard]] std::chrono::duration<double> patience() const {
        return std::chrono::duration<double>{
            options_.timeout_s.value_or(static_cast<double>(Online::answer_time.count()))};
    }
    Outcome end(client::Runner::Ended ended);

    const Options& options_;
    const storage::Contact& contact_;
    Online& online_;
    int wanted_;
    std::map<storage::MessageId, MessageState> open_;  ///< queued here, not as far as wanted
    Clock::time_point last_queued_ = Clock::now();
    std::optional<Error> refused_;  ///< a warning about this contact
    std::optional<Error> bad_line_;
};

Outcome Sending::queue(std::string_view text) {
    auto queued = online_.engine().send_text(contact_.id, text, client::now_ms());
    if (!queued) return pass_on(queued);
    open_[queued->id] = MessageState::queued;
    last_queued_ = Clock::now();
    if (!options_.json) {
        print_line(hex(queued->id));
        static_cast<void>(flush_output());
    }
    online_.runner().apply(std::move(queued->output));
    return {};
}

void Sending::report(const storage::MessageId& id, MessageState state) const {
    if (!options_.json) return;
    Json object;
    object["id"] = hex(id);
    object["contact"] = contact_.name;
    object["state"] = storage::name(state);
    print_json(object);
    static_cast<void>(flush_output());
}

void Sending::hear(const client::Notice& notice) {
    if (const auto* progress = std::get_if<client::MessageProgress>(&notice)) {
        const auto found = open_.find(progress->id);
        if (found == open_.end() || progress->contact != contact_.id) return;
        found->second = progress->state;
        if (rank(progress->state) < wanted_ && progress->state != MessageState::failed) return;
        report(progress->id, progress->state);
        open_.erase(found);
    } else if (const auto* warning = std::get_if<client::Warning>(&notice)) {
        if (warning->contact == contact_.id && warning->error.exit != Exit::done) refused_ = warning->error;
    }
}

/// Nothing more is to be expected: for good, or (without an explicit time to keep trying) for now.
bool Sending::hopeless() const {
    if (refused_)
        return refused_->exit == Exit::untrusted || refused_->exit == Exit::input || !options_.timeout_s;
    if (options_.timeout_s) return false;
    const bool away = online_.delivery_away() || (online_.server_away() && !online_.logged_in());
    return away && online_.engine().idle();
}

Outcome Sending::one(const std::string& text) {
    if (auto queued = queue(text); !queued) return queued;
    const auto deadline = last_queued_ + std::chrono::duration_cast<Clock::duration>(patience());
    return end(online_.runner().run([this] { return open_.empty() || hopeless(); }, deadline));
}

void Sending::take_lines(LineReader& reader) {
    constexpr std::size_t most_open = 256;
    while (!bad_line_ && open_.size() < most_open) {
        const auto line = reader.next();
        if (!line) return;
        auto queued = check_text(*line);
        if (queued) queued = queue(*line);
        if (!queued) bad_line_ = std::move(queued.error());
    }
}

Outcome Sending::every_line() {
    LineReader reader{[this] { online_.runner().poke(); }};
    auto ended = client::Runner::Ended::timeout;
    while (ended == client::Runner::Ended::timeout) {
        ended = online_.runner().run(
            [&] {
                take_lines(reader);
                return (open_.empty() && (bad_line_ || reader.at_end())) || (!open_.empty() && hopeless());
            },
            Clock::now() + std::chrono::seconds{1});
        if (!open_.empty() && Clock::now() - last_queued_ > patience()) break;
    }
    return end(ended);
}

Outcome Sending::end(client::Runner::Ended ended) {
    const bool quick = !open_.empty() || wanted_ == 1;
    online_.runner().finish(quick ? std::chrono::seconds{0} : Online::farewell_time);
    const auto left = open_;
    for (const auto& [id, state] : left) report(id, state);
    if (bad_line_) return std::unexpected(*bad_line_);
    if (refused_ && (refused_->exit == Exit::input || refused_->exit == Exit::untrusted || !left.empty()))
        return end_with(refused_->exit);  // said when it came
    if (left.empty()) return {};
    const bool stored = std::ranges::all_of(left, [](const auto& entry) { return rank(entry.second) >= 2; });
    if (stored)
        return refuse(Exit::network,
                      "The server has the message, but the other device has not acknowledged it yet; nothing "
                      "is lost, and "
                      "there is no need to send it again.");
    auto why = online_.why_not(ended);
    why.sentence +=
        " The message waits in the outbox, and leaves with the next `sotto send` or `sotto receive`.";
    return std::unexpected(std::move(why));
}

/// Whoever used a link of ours becomes a contact when their first message is fetched.
Result<storage::Contact> meet(const Options& options, Profile& profile, Online& online) {
    online.log_in();
    const auto done = [&] { return online.caught_up() || (online.server_away() && !online.logged_in()); };
    const std::chrono::duration<double> limit{
        options.timeout_s.value_or(static_cast<double>(Online::answer_time.count()))};
    static_cast<void>(
        online.runner().run(done, Clock::now() + std::chrono::duration_cast<Clock::duration>(limit)));
    auto contact = find_contact(profile.store, options.contact);
    const auto& why = online.server_away();
    if (!contact && why && why->exit == Exit::untrusted) return std::unexpected(*why);
    return contact;
}

Result<std::string> text_of(const Options& options) {
    if (!options.file.empty()) return read_text_from_file(options.file);
    if (!options.text) return refuse("There is nothing to send; give a text, - or --file.");
    if (*options.text == "-") return read_text_from_stdin();
    return *options.text;
}

}  // namespace

Outcome run_send(const Options& options) {
    std::string text;
    if (options.lines && options.text && *options.text != "-")
        return refuse("With --lines the messages come from standard input; leave the text away.");
    if (!options.lines) {
        auto read = text_of(options);
        if (!read) return pass_on(read);
        text = std::move(*read);
        if (auto good = check_text(text); !good) return good;
    }
    if (options.passphrase.fd == 0 && (options.lines || options.text == "-"))
        return refuse(
            "Standard input can't give both the passphrase and the message; use another descriptor or a "
            "file.");
    auto profile = open_profile(options);
    if (!profile) return pass_on(profile);
    auto online = Online::create(*profile);
    if (!online) return pass_on(online);
    auto contact = find_contact(profile->store, options.contact);
    if (!contact) {
        contact = meet(options, *profile, **online);
        if (!contact) return pass_on(contact);
    } else if (options.wait == "delivered" || (*online)->engine().rotation_untold()) {
        // Only for the other side's answer is it needed that the server knows who we are, and to tell it of a
        // new shared token before contacts use it.
        (*online)->log_in();
    } else {
        (*online)->only_send();
    }
    Sending sending{options, *contact, **online};
    return options.lines ? sending.every_line() : sending.one(text);
}

}  // namespace sotto::cli
