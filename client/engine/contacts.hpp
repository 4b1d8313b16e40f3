// Links: making one, and joining somebody by theirs. docs/protocol.md section 13.
#pragma once

#include "outbox.hpp"

namespace sotto::client {

class Contacts {
  public:
    Contacts(Core& core, Deliveries& deliveries, Outbox& outbox)
        : core_(&core), deliveries_(&deliveries), outbox_(&outbox) {}

    [[nodiscard]] protocol::ContactLink make_invite();
    /// Nothing, or why it can't be begun.
    [[nodiscard]] std::optional<Error> join(const protocol::ContactLink& link, std::string_view name);
    void pump();
    [[nodiscard]] bool idle() const { return !joining_; }

  private:
    struct Joining {
        protocol::ContactLink link;
        std::string name;
        Array<16> claim{};
        Route route;
        bool asked = false;
        bool waiting = false;  ///< for the server, after a failure
        int failures = 0;
    };
    [[nodiscard]] Array<16> claim_for(const crypto::InviteSecret& secret);
    void forget_claim(const crypto::InviteSecret& secret);
    void answered(const wire::Reply* reply);
    void add(const Joining& joining, const crypto::AccountRecord& record);
    void end(Error error);

    Core* core_;
    Deliveries* deliveries_;
    Outbox* outbox_;
    std::optional<Joining> joining_;
};

}  // namespace sotto::client
