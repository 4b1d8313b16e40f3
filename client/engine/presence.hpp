// Who is there. Publishes what the person has chosen to each contact who may see it, and follows what
// contacts publish, at the server of each. docs/protocol.md section 15.3.
#pragma once

#include "outbox.hpp"
#include "presence_dummies.hpp"
#include "presence_server.hpp"
#include "sotto/client/presence.hpp"

namespace sotto::client {

class Presence {
  public:
    Presence(Core& core, Outbox& outbox) : core_(&core), outbox_(&outbox), dummies_(core.store) {}

    /// `publish`: be seen; otherwise only look.
    void start(bool publish);
    /// Contacts see us leave.
    void stop();
    [[nodiscard]] std::optional<Error> choose(PresenceChoice choice, std::string_view text);
    [[nodiscard]] ChosenPresence chosen();
    /// The person is not at the machine: shown as away where they had chosen to be online.
    void set_idle(bool idle);
    [[nodiscard]] std::optional<Error> set_visible(std::int64_t contact, bool visible);
    [[nodiscard]] PresenceView view(std::int64_t contact) const;
    /// Every server has said who is there, or can't be asked.
    [[nodiscard]] bool settled() const;

    /// Something may have changed about contacts.
    void note();
    /// The same, if what a call of the engine did or tells says so.
    void note(const Output& output);
    void pump();
    void tick();
    [[nodiscard]] std::optional<std::int64_t> next_deadline() const;

  private:
    /// What is known of a contact.
    struct Seen {
        PresenceView view;
        bool was_there = false;               ///< and was not seen to go since
        std::optional<std::int64_t> gone_at;  ///< gone without a word: offline if not back by then
        std::uint32_t left_day = 0;           ///< their last word was under that day's topic
    };
    struct Person {
        std::optional<storage::PresenceRow::Own> own;  ///< of those who may see us
        std::optional<storage::PresenceRow::Theirs> theirs;
        std::optional<Route> route;
        bool direct = false;  ///< takes part in direct sessions with us
        Seen seen;
    };
    /// What one topic means.
    struct Watched {
        std::int64_t contact = 0;
        std::uint32_t day = 0;
        crypto::PresenceKey key;
    };
    /// What is watched of one day at one server.
    struct Crowd {
        std::set<PresenceServer::Topic> contacts;
        std::size_t dummies = 0;
    };
    struct Server {
        std::unique_ptr<PresenceServer> connection;
        std::map<PresenceServer::Topic, Watched> topics;
        std::map<std::uint32_t, Crowd> days;
    };
    /// What is shown of a contact by what is known now.
    struct Judged {
        enum class Is : std::uint8_t {
            unknown,  ///< they have given no key, or their server can't be asked
            open,     ///< it has not answered yet
            absent,   ///< nothing is held
            left,     ///< their last word is held
            there,
        } is = Is::unknown;
        PresenceView view;      ///< of who is there
        std::uint32_t day = 0;  ///< of the topic that says so
    };

    void scan();
    void scan(storage::Contact& contact, storage::PresenceRow row, Person& person);
    /// What is past can't be read by who finds a key later. True if the row is another one now.
    [[nodiscard]] bool bring_forward(const storage::Contact& contact, storage::PresenceRow& row);
    /// A key for a contact who has none yet, and word of it.
    void prepare_own(storage::Contact& contact, storage::PresenceRow& row);
    /// What is published and watched, as it should be now.
    void refresh();
    [[nodiscard]] PresenceServer::Posts posts_at(const PresenceServer& server) const;
    void publish_day(std::uint32_t which, PresenceServer::Posts& posts) const;
    void refresh_watches(Server& server);
    void watch_day(Server& server, std::uint32_t which, std::set<PresenceServer::Topic>& topics);
    Server& server(const Route& route);
    [[nodiscard]] const Server* find(const Route& route) const;
    [[nodiscard]] std::int64_t time_at(const PresenceServer& server) const;
    [[nodiscard]] Route home() const { return {core_->own_endpoint(), core_->identity.address.server}; }
    /// By our server's clock; by ours before it has said what that is.
    [[nodiscard]] std::uint32_t own_day() const;
    // presence_view.cpp
    void look(std::int64_t contact);
    void show(std::int64_t contact, Person& person, PresenceView view);
    [[nodiscard]] Judged judge(std::int64_t contact, const Person& person) const;

    Core* core_;
    Outbox* outbox_;
    bool active_ = false;
    bool publishing_ = false;
    bool idle_ = false;
    bool due_ = false;           ///< refresh() is
    std::uint64_t changes_ = 0;  ///< of sessions, when contacts were last looked through
    ChosenPresence chosen_;
    std::int64_t since_ = 0;
    std::int64_t turn_ = 0;
    std::int64_t scanned_at_ = 0;
    std::optional<std::int64_t> scan_at_;
    std::optional<std::int64_t> days_change_at_;
    PresenceDummySeed dummies_;
    std::map<std::int64_t, Person> people_;
    std::vector<std::unique_ptr<Server>> servers_;
};

}  // namespace sotto::client
