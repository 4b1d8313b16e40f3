// Several conversations at once, without a screen: commands and notices in, lines out. Whoever shows the
// lines decides how they look; none of them changes one that was shown before.
#pragma once

#include <functional>
#include <map>

#include "client/chat/input.hpp"
#include "client/chat/pace.hpp"
#include "sotto/client/engine.hpp"

namespace sotto::chat {

/// Something to show, safe to print.
struct Line {
    enum class Kind : std::uint8_t {
        theirs,     ///< a message of the contact's
        ours,       ///< a message of our own
        progress,   ///< how far one of our own has come
        path,       ///< a contact is reached another way
        presence,   ///< a contact comes, goes, or shows something else
        elsewhere,  ///< something has come in another conversation
        info,       ///< an answer to a command
        mistake,    ///< what was asked for can't be done
        warning,    ///< something that a person must hear of
    };
    Kind kind = Kind::info;
    std::int64_t at = 0;       ///< ms since 1970; 0: no time belongs to it
    std::string name;          ///< whose; empty: nobody's
    bool verified = true;      ///< of a contact's
    std::uint64_t number = 0;  ///< of our own messages, from 1 in each run; 0: none
    bool typed = false;        ///< a message of ours that was typed just now
    std::string text;          ///< further lines of a message are indented
};

class Chat {
  public:
    /// All outlive the chat. `apply` carries out what the engine asked for.
    struct World {
        client::Engine& engine;
        storage::ClientStore& store;
        std::function<void(client::Output)> apply;
        std::function<void(Line)> show;
        std::function<std::int64_t()> now;
    };
    explicit Chat(World world) : world_(std::move(world)) {}

    /// Opens the conversation with this contact, if one is named; otherwise says what there is.
    void begin(std::optional<std::int64_t> contact);
    void run(const Command& command);
    void hear(const client::Notice& notice);
    /// Shows what has waited long enough; wants to be called by `next_deadline()` (ms since 1970).
    void look();
    [[nodiscard]] std::optional<std::int64_t> next_deadline() const;

    [[nodiscard]] bool finished() const { return finished_; }
    /// Name of the contact that bare text goes to, and how much is unread elsewhere.
    [[nodiscard]] std::string prompt() const;
    [[nodiscard]] std::vector<std::string> names() const;
    /// The store failed under it, which ends it.
    [[nodiscard]] const std::optional<client::Error>& failed() const { return failed_; }

  private:
    void on(const Nothing& /*nothing*/) {}
    void on(const Say& say);
    void on(const Write& write);
    void on(const Help& help);
    void on(const Who& who);
    void on(const Chats& chats);
    void on(const Switch& which);
    void on(const History& history);
    void on(const Search& search);
    void on(const Verify& verify);
    void on(const Block& block);
    void on(const Unblock& unblock);
    void on(const SetPresence& presence);
    void on(const Reach& reach);
    void on(const Quit& quit);
    void on(const Mistake& mistake);

    void heard(const client::MessageArrived& arrived);
    void heard(const client::MessageProgress& progress);
    void heard(const client::PresenceChanged& presence);
    void heard(const client::DirectChanged& changed);
    void heard(const client::LostServer& lost);

    void tell_presence(std::int64_t contact, std::string text);
    void tell_path(std::int64_t contact, std::string text);
    void info(std::string text, Line::Kind kind = Line::Kind::info) const;
    void refuse(const client::Error& error) const;
    /// Whatever a store gives; nothing, and the chat ends, where it fails.
    template <class T>
    [[nodiscard]] std::optional<T> take(storage::Result<T> result);
    void show(const storage::Message& message, const storage::Contact& contact);
    void open(const storage::Contact& contact);
    /// Shows and marks what has come and was not shown yet.
    void show_unread(const storage::Contact& contact);
    void show_history(const storage::Contact& contact, std::string_view search, int limit);
    void count_unread();
    // These say what is wrong where there is nobody.
    [[nodiscard]] std::optional<storage::Contact> current();
    [[nodiscard]] std::optional<storage::Contact> find(std::string which);
    [[nodiscard]] std::optional<storage::Contact> meant(const std::string& whom);
    void say(const storage::Contact& contact, const std::string& text);
    [[nodiscard]] std::uint64_t number_of(const storage::MessageId& id);
    /// Carries an engine's answer out, or says why not.
    bool carry_out(client::Result<client::Output> outcome);

    World world_;
    std::int64_t current_ = 0;
    std::string current_name_;
    std::map<std::int64_t, std::size_t> unread_;
    std::map<std::int64_t, client::DirectState> reached_;  ///< as last told
    Pace presences_;
    Pace paths_;
    std::int64_t asked_ = 0;  ///< the contact whom the person wants to reach directly
    // Whom the last /verify, the last /block was about, since a conversation was opened; 0: nobody.
    std::int64_t to_verify_ = 0;
    std::int64_t to_block_ = 0;
    std::vector<std::int64_t> listed_;  ///< as /chats showed them
    std::map<storage::MessageId, std::uint64_t> numbers_;
    std::uint64_t last_number_ = 0;
    // That our server is away, or another one: since it was last there.
    bool away_said_ = false;
    std::string other_away_said_;
    bool finished_ = false;
    std::optional<client::Error> failed_;
};

template <class T>
std::optional<T> Chat::take(storage::Result<T> result) {
    if (result) return std::move(*result);
    failed_ = client::describe(result.error());
    finished_ = true;
    return std::nullopt;
}

}  // namespace sotto::chat
