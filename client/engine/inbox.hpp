// Envelopes that came in: opened, their content taken in and everything about them committed in one
// transaction, or set aside whole. Only then may they be acknowledged to the server.
#pragma once

#include "repair.hpp"

namespace sotto::client {

class Inbox {
  public:
    Inbox(Core& core, Outbox& outbox, RecordChecks& checks, Repair& repair)
        : core_(&core), outbox_(&outbox), checks_(&checks), repair_(&repair) {}

    /// On return the envelope is committed, one way or another, and may be acknowledged. Throws StoreFailure:
    /// it may not.
    void take(const storage::EnvelopeId& id, ByteView bytes);
    /// The same for what came over a direct path to this contact. False: no session of theirs opens it,
    /// nothing was committed, and it has to come by the server, where there are limits.
    [[nodiscard]] bool take_from(std::int64_t contact, const storage::EnvelopeId& id, ByteView bytes);
    /// Tries once more to open what was set aside.
    void retry_quarantined();

  private:
    /// What follows once the transaction has been committed.
    struct After {
        std::vector<Notice> notices;
        std::vector<storage::MessageId> settled;  ///< acknowledged by the contact
        bool owe = false;
        bool contact_changed = false;
        bool check_records = false;
        std::optional<Received::Direct> direct;  ///< an offer or answer, …
        std::uint32_t device = 0;                ///< … of this device of theirs
    };
    struct Incoming {
        storage::EnvelopeId id{};
        ByteView bytes;
        crypto::Envelope envelope;
    };

    void process(const storage::EnvelopeId& id, ByteView bytes);
    /// Remembered, and no longer set aside; in the caller's transaction.
    void done_with(const Incoming& in);
    /// A person hears of a matter once, not at every further try.
    void warn(Error error, std::int64_t contact = 0);
    void set_aside(const Incoming& in);
    void set_aside(const storage::EnvelopeId& id, ByteView bytes);
    void drop(const Incoming& in);
    /// The session that it is of. A handshake that was accepted before belongs to the session that it made,
    /// whatever the rest says: then there is no other one.
    struct Belongs {
        SessionBook::Found found;
        std::optional<crypto::HandshakeHeader> begins;  ///< a handshake that is not known yet
    };
    [[nodiscard]] Belongs belongs(const crypto::Envelope& envelope);
    /// False: it doesn't open. Otherwise it is committed.
    [[nodiscard]] bool open(const Incoming& in, SessionBook::Found found);

    // accept.cpp: first messages
    void accept(const Incoming& in, const crypto::HandshakeHeader& header);
    enum class InviteUse : std::uint8_t { none, good, refused };
    [[nodiscard]] InviteUse judge_invite(const crypto::Accepted& accepted, std::int64_t contact);
    void accept_from(const Incoming& in, const crypto::HandshakeHeader& header, crypto::Accepted accepted,
                     storage::Contact contact, bool by_invite);
    [[nodiscard]] bool acceptable(const crypto::Accepted& accepted, const storage::Contact& contact);
    [[nodiscard]] storage::Contact new_contact(const crypto::Accepted& accepted);
    [[nodiscard]] std::vector<crypto::SessionId> make_room(const storage::Contact& contact,
                                                           std::uint32_t device,
                                                           const crypto::SessionId& accepted, bool& archived);

    /// In the caller's transaction.
    void store_opened(const storage::SessionRow& row, const crypto::Opened& opened);
    enum class Handshake : std::uint8_t { none, repeated, begins };  ///< what the envelope brought of one
    void take_content(storage::Contact& contact, const crypto::Opened& opened, Handshake handshake,
                      After& after);
    void take_kind(storage::Contact& contact, Received& received, ByteView whole, bool late, After& after);
    void take_introduction(storage::Contact& contact, const Received& received, bool anew, After& after);
    void compare_records(storage::Contact& contact, const Received& received, After& after);
    void finish(const storage::Contact& contact, After after);

    Core* core_;
    Outbox* outbox_;
    RecordChecks* checks_;
    Repair* repair_;
    bool retrying_ = false;
};

}  // namespace sotto::client
