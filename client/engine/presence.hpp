// Who is there. Publishes what the person has chosen to each contact who may see it, and follows what
// contacts publish, at the server of each. docs/protocol.md section 15.3.
#pragma once

#include "outbox.hpp"
#include "presence_server.hpp"
#include "sotto/client/presence.hpp"

namespace sotto::client {

class Presence {
  public:
    Presence(Core& core, Outbox& outbox) : core_(&core), outbox_(&outbox) {}

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
    void pump();
    void tick();
    [[nodiscard]] std::optional<std::int64_t> next_deadline() const;

  private:
    struct Person {
        std::optional<storage::PresenceRow::Own> own;  ///< of those who may see us
        std::optional<storage::PresenceRow::Theirs> theirs;
        std::optional<Route> route;
        bool direct = false;  ///< takes part in direct sessions with us
        PresenceView view;
    };
    /// What one topic means.
    struct Watched {
        std::int64_t contact = 0;
        std::uint32_t day = 0;
        crypto::PresenceKey key;
    };
    struct Server {
        std::unique_ptr<PresenceServer> connection;
        std::map<PresenceServer::Topic, Watched> topics;
    };

    void scan();
    void scan(storage::Contact& contact, Person& person);
    /// A key for a contact who has none yet, and word of it; bringing it forward otherwise.
    void prepare_own(storage::Contact& contact, storage::PresenceRow& row);
    /// What is published and watched, as it should be now.
    void refresh();
    void refresh_posts(PresenceServer& server);
    Server& server(const Route& route);
    [[nodiscard]] const Server* find(const Route& route) const;
    [[nodiscard]] std::int64_t time_at(const PresenceServer& server) const;
    [[nodiscard]] std::uint32_t own_day();
    void look(std::int64_t contact);
    [[nodiscard]] PresenceView judge(std::int64_t contact, const Person& person) const;

    Core* core_;
    Outbox* outbox_;
    bool active_ = false;
    bool publishing_ = false;
    bool idle_ = false;
    bool due_ = false;  ///< refresh() is
    ChosenPresence chosen_;
    std::int64_t since_ = 0;
    std::int64_t turn_ = 0;
    std::int64_t scanned_at_ = 0;
    std::optional<std::int64_t> scan_at_;
    std::optional<std::int64_t> days_change_at_;
    std::map<std::int64_t, Person> people_;
    std::vector<std::unique_ptr<Server>> servers_;
};

}  // namespace sotto::client
