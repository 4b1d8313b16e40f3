// chat: several conversations at once, line by line. With editing on a terminal; whole lines alone with
// --plain, where the output is no terminal, or where its cursor can't be moved.
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <mutex>
#include <tuple>
#include <utility>

#include "chat_editor.hpp"
#include "chat_lines.hpp"
#include "columns.hpp"
#include "commands.hpp"
#include "line_reader.hpp"
#include "online.hpp"
#include "output.hpp"

namespace sotto::cli {
namespace {

/// Without a line typed for so long, one who is online is shown as away.
constexpr std::chrono::minutes idle_after{10};

[[nodiscard]] std::string environment(const char* name) {
    const auto* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody changes it
    return value == nullptr ? std::string{} : std::string{value};
}

[[nodiscard]] bool can_edit(const Options& options) {
    const auto terminal = environment("TERM");
    return !options.plain && ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1 &&
           !terminal.empty() && terminal != "dumb";
}

/// Where lines come from and go to.
class Console {
  public:
    Console(const Options& options, client::Runner& runner,
            std::function<std::vector<std::string>(std::string_view)> complete)
        : lines_({.colours = output_is_terminal() && environment("NO_COLOR").empty() &&
                             environment("TERM") != "dumb",
                  .echoed = ::isatty(STDIN_FILENO) == 1,
                  .wrapped = can_edit(options)},
                 client::now_ms()) {
        const auto more = [&runner] { runner.poke(); };
        if (can_edit(options))
            editor_ = std::make_unique<ChatEditor>(
                ChatEditor::Hooks{.more = more, .complete = std::move(complete)});
        else
            reader_ = std::make_unique<LineReader>(more);
    }
    [[nodiscard]] std::optional<std::string> next() { return editor_ ? editor_->next() : reader_->next(); }
    [[nodiscard]] bool at_end() { return editor_ ? editor_->at_end() : reader_->at_end(); }
    /// On a terminal with the next prompt, so that both stand there at once.
    void show(const chat::Line& line) {
        const auto text = lines_.render(line, terminal_columns());
        if (editor_) {
            waiting_ += text;
            return;
        }
        print(text);
        std::ignore = flush_output();
    }
    void set_prompt(std::string prompt) {
        if (editor_) editor_->show(std::exchange(waiting_, {}), std::move(prompt));
    }

  private:
    ChatLines lines_;
    std::string waiting_;
    std::unique_ptr<ChatEditor> editor_;
    std::unique_ptr<LineReader> reader_;
};

/// The person is at the machine, or isn't.
class Attention {
  public:
    explicit Attention(Online& online) : online_(online) {}
    void typed() {
        last_ = Online::Clock::now();
        set(false);
    }
    void look() { set(Online::Clock::now() - last_ >= idle_after); }

  private:
    void set(bool idle) {
        if (idle == idle_) return;
        idle_ = idle;
        online_.runner().apply(online_.engine().set_idle(idle, client::now_ms()));
    }
    Online& online_;
    Online::Clock::time_point last_ = Online::Clock::now();
    bool idle_ = false;
};

/// Contacts' names for the thread that completes words.
class Names {
  public:
    void set(std::vector<std::string> names) {
        const std::lock_guard lock(mutex_);
        names_ = std::move(names);
    }
    [[nodiscard]] std::vector<std::string> complete(std::string_view line) {
        const std::lock_guard lock(mutex_);
        return chat::completions(line, names_);
    }

  private:
    std::mutex mutex_;
    std::vector<std::string> names_;
};

Outcome converse(const Options& options, Profile& profile, Online& online,
                 std::optional<std::int64_t> contact) {
    Names names;
    Console console{options, online.runner(),
                    [&names](std::string_view line) { return names.complete(line); }};
    chat::Chat chat{{.engine = online.engine(),
                     .store = profile.store,
                     .apply = [&](client::Output output) { online.runner().apply(std::move(output)); },
                     .show = [&](const chat::Line& line) { console.show(line); },
                     .now = client::now_ms}};
    online.keep_warnings_quiet();
    online.on_notice([&](const client::Notice& notice) {
        chat.hear(notice);
        console.set_prompt(chat.prompt());
    });
    Attention attention{online};
    names.set(chat.names());
    chat.begin(contact);
    console.set_prompt(chat.prompt());
    online.log_in();
    online.go_direct();  // first, so that what contacts see of us says it
    online.runner().apply(online.engine().go_online(true, client::now_ms()));
    const auto turn = [&] {
        while (!chat.finished()) {
            const auto line = console.next();
            if (!line) break;
            attention.typed();
            chat.run(chat::read_line(*line));
            console.set_prompt(chat.prompt());
            names.set(chat.names());
        }
        attention.look();
        chat.look();
        console.set_prompt(chat.prompt());
        return chat.finished() || console.at_end();
    };
    while (true) {
        const auto deadline = chat.next_deadline();
        bool over = false;
        const auto done = [&] {
            over = turn();
            return over || chat.next_deadline() != deadline;
        };
        const auto until = client::wait_until(Online::Clock::time_point::max(), deadline);
        if (online.runner().run(done, until) == client::Runner::Ended::interrupted || over) break;
    }
    online.runner().finish(Online::farewell_time);
    if (const auto& failed = chat.failed()) return std::unexpected(*failed);
    return {};
}

}  // namespace

Outcome run_chat(const Options& options) {
    if (options.json)
        return refuse(
            "A chat is for people; a program reads `sotto receive --json --follow` and writes with `sotto "
            "send`.");
    // So that wide characters are as wide as the terminal has them. Nobody else runs yet.
    use_locale();
    auto profile = open_profile(options);
    if (!profile) return pass_on(profile);
    std::optional<std::int64_t> contact;
    if (!options.contact.empty()) {
        auto found = find_contact(profile->store, options.contact);
        if (!found) return pass_on(found);
        contact = found->id;
    }
    auto online = Online::create(*profile);
    if (!online) return pass_on(online);
    return converse(options, *profile, **online, contact);
}

}  // namespace sotto::cli
