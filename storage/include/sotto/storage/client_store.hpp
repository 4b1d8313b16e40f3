// Everything a client keeps. Each group of functions is one table; the caller opens the transaction that
// makes several changes one. All times are ms since 1970 unless a name says otherwise. A stored value that is
// out of shape is `damaged`, and naming a contact that isn't there in a new row is a `conflict`. A negative
// limit means all.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sotto/crypto/invite.hpp"
#include "sotto/crypto/prekeys.hpp"
#include "sotto/crypto/presence.hpp"
#include "sotto/crypto/record.hpp"
#include "sotto/crypto/session.hpp"
#include "sotto/storage/database.hpp"

namespace sotto::storage {

using MessageId = Array<16>;
using EnvelopeId = Array<16>;

// ---- identity ----

/// Who we are; one row.
struct Identity {
    crypto::Address address;
    std::uint32_t device = 0;
    crypto::DeviceSigningKeyPair signing_key;
    crypto::IdentityKeyPair identity_key;
    std::string server_host;
    std::uint16_t server_port = 0;
    std::optional<Array<32>> server_pin;
    std::optional<Array<32>> next_server_pin;  ///< a second pin while the server's key is replaced
    bool registered = false;
    bool unbound_accepted = false;
    crypto::Token shared_token;  ///< our account's; contacts get it end to end
};

// ---- contacts ----

enum class ContactState : std::uint8_t {
    joining = 0,    ///< we used their link; no reply has come
    claimed = 1,    ///< they wrote to us; the record at the claimed address hasn't been compared yet
    confirmed = 2,  ///< the record was fetched from the address and matches
    changed = 3,    ///< another account key has appeared: exit code 4 until a person decides
};
enum class Verified : std::uint8_t { no = 0, link = 1, number = 2, qr = 3 };
/// Whether a contact may learn our network address in a direct session.
enum class DirectChoice : std::uint8_t { by_setting = 0, always = 1, never = 2 };
[[nodiscard]] std::string_view name(ContactState state);
[[nodiscard]] std::string_view name(Verified verified);

struct Contact {
    std::int64_t id = 0;  ///< 0 before it is added
    std::string name;     ///< unique, the person's own choice
    crypto::Address address;
    std::string server_host;
    std::uint16_t server_port = 0;
    std::optional<Array<32>> server_pin;
    Bytes record;  ///< pinned account record, newest accepted
    ContactState state = ContactState::joining;
    Verified verified = Verified::no;
    std::optional<Array<32>> their_shared_token;  ///< credentials for delivering to them
    std::optional<Array<32>> their_recovery_token;
    std::optional<Array<32>> invite_secret;  ///< of the link that we used, until they reply
    std::optional<Array<16>> invite_claim;
    Array<32> our_recovery_token{};   ///< that this contact may use
    std::uint64_t next_sequence = 1;  ///< of our next content to them
    std::uint64_t highest_seen = 0;   ///< highest sequence of theirs seen
    std::int64_t added_at = 0;
    bool introduced = false;  ///< they have acknowledged a content with our tokens
    bool blocked = false;     ///< nothing of theirs is taken in, nothing is sent to them
    /// The record under another account key that made the contact `changed`, until a person has decided;
    /// empty otherwise.
    Bytes other_record;
    std::int64_t heard_at = 0;  ///< when something of theirs was last opened; 0: never
    std::int64_t reset_at = 0;  ///< when we last began a session anew for repair; 0: never
    std::uint32_t resets = 0;   ///< of these, since something of theirs was opened
    DirectChoice direct = DirectChoice::by_setting;
};

// ---- prekeys ----

struct StoredPrekey {
    std::uint32_t id = 0;
    crypto::Secret<struct StoredPrekeyTag, 64> seed;  ///< KEM: 64 bytes; X25519: the first 32
};
enum class PrekeyKind : std::uint8_t { signed_prekey = 0, last_resort = 1, one_time = 2, one_time_kem = 3 };

// ---- messages ----

enum class Direction : std::uint8_t { incoming = 0, outgoing = 1 };
/// Of an outgoing message: how far it has come. Only an end-to-end acknowledgement makes it delivered.
enum class MessageState : std::uint8_t {
    queued = 0,
    sent = 1,
    stored = 2,
    delivered = 3,
    failed = 4,
    received = 5
};
[[nodiscard]] std::string_view name(MessageState state);

/// The kind of a line that the client itself put into a conversation: beyond the numbers that a field of
/// protobuf can have.
inline constexpr std::uint32_t kind_notice = 1U << 29U;

struct Message {
    std::int64_t row = 0;
    MessageId id{};
    std::int64_t contact = 0;
    Direction direction = Direction::incoming;
    std::uint32_t kind = 0;  ///< field number of the content's kind (text is 20); unknown ones are kept
    std::string text;
    Bytes raw;  ///< the whole content, only for kinds that are not known
    std::uint64_t sequence = 0;
    std::int64_t sent_at = 0;
    std::int64_t received_at = 0;
    MessageState state = MessageState::received;
    bool late = false;   ///< arrived after later ones
    bool shown = false;  ///< incoming: has been printed by `receive`
};

// ---- outbox ----

/// One content for one contact, kept until it is acknowledged end to end.
struct OutboxItem {
    MessageId id{};
    std::int64_t contact = 0;
    Bytes content;                      ///< encoded content, plaintext
    bool needs_acknowledgement = true;  ///< false: gone once the server has it (acknowledgements themselves)
    std::int64_t queued_at = 0;
    /// The sealed envelope, once made: the same bytes go out again after a crash, under the same envelope id.
    std::optional<EnvelopeId> envelope_id;
    Bytes envelope;
    std::uint32_t device = 0;
    bool accepted = false;         ///< the server said stored or delivered
    std::int64_t accepted_at = 0;  ///< when it said so
    bool pushed = false;           ///< it said delivered: their device has acknowledged it to the server
};

struct ReplayEntry {
    Array<32> replay_id{};
    crypto::SessionId session{};
};

struct SessionRow {
    crypto::Session session;
    std::int64_t contact = 0;
    std::uint32_t device = 0;
    bool archived = false;
};

struct InviteRow {
    crypto::InviteSecret secret;
    std::int64_t created_at = 0;
    std::int64_t expires_at = 0;
    std::int64_t used_by = 0;  ///< contact, 0 if unused
};

// ---- presence ----

/// What one contact and we know each other's status by.
struct PresenceRow {
    std::int64_t contact = 0;
    bool visible = true;  ///< they may see ours
    struct Own {
        crypto::PresenceKey key;  ///< of `day`
        std::uint32_t day = 0;    ///< since 1970
        crypto::PresenceWriteSecret write_secret;
    };
    std::optional<Own> own;  ///< none: not made yet
    struct Theirs {
        crypto::PresenceKey key;
        std::uint32_t day = 0;
        std::uint64_t sequence = 0;  ///< of the content that brought it
    };
    std::optional<Theirs> theirs;  ///< none: not given yet
};

/// Envelopes that could not be opened, kept at most.
inline constexpr int max_quarantined = 1000;

class ClientStore {
  public:
    [[nodiscard]] static Result<ClientStore> open(const std::filesystem::path& file, const DatabaseKey& key);
    [[nodiscard]] Database& database() { return db_; }
    [[nodiscard]] Transaction begin() { return Transaction{db_}; }

    // identity
    [[nodiscard]] Result<void> put_identity(const Identity& identity);
    [[nodiscard]] Result<std::optional<Identity>> identity();
    /// Own records, each by its sequence: the same one again changes nothing, another one is a `conflict`.
    [[nodiscard]] Result<void> put_own_record(const crypto::AccountRecord& record);
    [[nodiscard]] Result<std::optional<crypto::AccountRecord>> own_record(std::uint64_t sequence);
    [[nodiscard]] Result<std::optional<crypto::AccountRecord>> newest_own_record();
    /// Small named values.
    [[nodiscard]] Result<void> put_setting(std::string_view key, std::string_view value);
    [[nodiscard]] Result<std::optional<std::string>> setting(std::string_view key);

    // contacts
    /// Sets the id, which is never given to another. `conflict` if the name or the address is taken.
    [[nodiscard]] Result<void> add_contact(Contact& contact);
    /// `missing` if there is no such contact.
    [[nodiscard]] Result<void> update_contact(const Contact& contact);
    /// Its messages, sessions, kept keys, owed acknowledgements and outbox go with it; used invites stay
    /// used.
    [[nodiscard]] Result<void> remove_contact(std::int64_t id);
    [[nodiscard]] Result<std::optional<Contact>> contact(std::int64_t id);
    [[nodiscard]] Result<std::optional<Contact>> contact_by_name(std::string_view name);
    [[nodiscard]] Result<std::optional<Contact>> contact_by_address(const crypto::Address& address);
    [[nodiscard]] Result<std::vector<Contact>> contacts();  ///< by name

    // prekeys: ids are handed out by the store, never twice
    [[nodiscard]] Result<std::uint32_t> next_prekey_id(PrekeyKind kind);
    [[nodiscard]] Result<void> put_prekey(PrekeyKind kind, const StoredPrekey& key, std::uint32_t day);
    [[nodiscard]] Result<std::optional<StoredPrekey>> prekey(PrekeyKind kind, std::uint32_t id);
    [[nodiscard]] Result<void> delete_prekey(PrekeyKind kind, std::uint32_t id);
    /// Marks all older ones of a kind as replaced on `day`; deletes those replaced more than 30 days before.
    [[nodiscard]] Result<void> retire_prekeys(PrekeyKind kind, std::uint32_t current_id, std::uint32_t day);
    /// Prekeys that exist here, weren't replaced, and were not yet confirmed as published by the server;
    /// ascending.
    [[nodiscard]] Result<std::vector<std::uint32_t>> unpublished_prekeys(PrekeyKind kind);
    [[nodiscard]] Result<void> mark_published(PrekeyKind kind, std::uint32_t id);
    /// Day on which the newest of a kind was made; 0 if none.
    [[nodiscard]] Result<std::uint32_t> newest_prekey_day(PrekeyKind kind);

    // sessions and kept keys
    [[nodiscard]] Result<void> put_session(const SessionRow& row, std::int64_t now);
    [[nodiscard]] Result<std::vector<SessionRow>> sessions();  ///< all, newest use first
    [[nodiscard]] Result<std::vector<SessionRow>> sessions_of(std::int64_t contact);
    [[nodiscard]] Result<void> archive_session(const crypto::SessionId& id, bool archived);
    [[nodiscard]] Result<void> delete_session(const crypto::SessionId& id);
    /// The session has to be there already; otherwise `missing`.
    [[nodiscard]] Result<void> put_kept_key(const crypto::SessionId& id, const crypto::KeptKey& key,
                                            std::int64_t now);
    [[nodiscard]] Result<std::optional<crypto::MessageKey>> kept_key(const crypto::SessionId& id,
                                                                     crypto::KeptKeyId which);
    [[nodiscard]] Result<void> delete_kept_key(const crypto::SessionId& id, crypto::KeptKeyId which);
    [[nodiscard]] Result<void> delete_kept_chain(const crypto::SessionId& id, std::uint32_t chain);
    [[nodiscard]] Result<void> delete_kept_before(std::int64_t when);
    /// `conflict` if the handshake is known.
    [[nodiscard]] Result<void> put_replay(const ReplayEntry& entry, std::int64_t now);
    [[nodiscard]] Result<std::optional<crypto::SessionId>> replay(const Array<32>& replay_id);

    // messages
    /// Sets the row. False (and nothing changes) if this contact and direction already have the id.
    [[nodiscard]] Result<bool> add_message(Message& message);
    [[nodiscard]] Result<std::optional<Message>> message(std::int64_t contact, Direction direction,
                                                         const MessageId& id);
    /// Outgoing ones, never backwards along queued, sent, stored, delivered; a step back changes nothing.
    /// `failed` can follow all but delivered, and after it a later try may still bring sent, stored or
    /// delivered.
    [[nodiscard]] Result<void> set_message_state(const MessageId& id, MessageState state);
    /// Newest `limit`, oldest first. `search`: those with all of its words (the first 64), whatever their
    /// case and accents; blank: all.
    [[nodiscard]] Result<std::vector<Message>> history(std::int64_t contact, std::string_view search,
                                                       int limit);
    /// Incoming and not yet shown, in the order of arrival.
    [[nodiscard]] Result<std::vector<Message>> unshown(int limit);
    [[nodiscard]] Result<void> mark_shown(std::int64_t row);
    /// Content ids of non-text contents that were taken in, so that a repeat is dropped. False if known.
    [[nodiscard]] Result<bool> remember_content(std::int64_t contact, const MessageId& id, std::int64_t now);

    // acknowledgements that are owed
    [[nodiscard]] Result<void> owe_acknowledgement(std::int64_t contact, const MessageId& id);
    [[nodiscard]] Result<std::vector<MessageId>> owed_acknowledgements(std::int64_t contact, int limit);
    [[nodiscard]] Result<std::vector<std::int64_t>> contacts_owed();
    [[nodiscard]] Result<void> clear_owed(std::int64_t contact, const MessageId& id);

    // outbox
    /// `conflict` if this contact already has the id.
    [[nodiscard]] Result<void> queue(const OutboxItem& item);
    /// Everything but its place in the queue; nothing happens if it has been removed.
    [[nodiscard]] Result<void> update_outbox(const OutboxItem& item);
    [[nodiscard]] Result<void> remove_outbox(std::int64_t contact, const MessageId& id);
    [[nodiscard]] Result<std::optional<OutboxItem>> outbox_item(std::int64_t contact, const MessageId& id);
    /// In the order of queueing; only those that the server hasn't accepted.
    [[nodiscard]] Result<std::vector<OutboxItem>> outbox_pending(int limit);
    /// The same of one contact, by id.
    [[nodiscard]] Result<std::vector<MessageId>> outbox_ids(std::int64_t contact);
    /// All of a contact, accepted or not, in the order of queueing.
    [[nodiscard]] Result<std::vector<OutboxItem>> outbox_of(std::int64_t contact);
    [[nodiscard]] Result<std::int64_t> outbox_size();  ///< not yet accepted by a server

    /// Contacts for whom something that a server took is not acknowledged: it was taken before `since`, and
    /// they must have had it since then (the server said so, or something of theirs was opened after it).
    [[nodiscard]] Result<std::vector<std::int64_t>> contacts_overdue(std::int64_t since);
    /// All that waits for this contact and is not acknowledged has to be sealed anew. False if there is
    /// nothing.
    [[nodiscard]] Result<bool> reopen_outbox(std::int64_t contact);

    // envelopes that could not be opened
    /// The oldest go where there are more than `max_quarantined`.
    [[nodiscard]] Result<void> quarantine(const EnvelopeId& id, ByteView envelope, std::int64_t now);
    [[nodiscard]] Result<std::vector<EnvelopeId>> quarantined();  ///< in the order of their coming
    [[nodiscard]] Result<std::optional<Bytes>> quarantined_envelope(const EnvelopeId& id);
    [[nodiscard]] Result<void> release_quarantined(const EnvelopeId& id);
    [[nodiscard]] Result<void> drop_quarantined_before(std::int64_t when);
    /// True if this envelope was taken in before (remembered or set aside, and committed): only the
    /// acknowledgement to the server is missing.
    [[nodiscard]] Result<bool> envelope_seen(const EnvelopeId& id);
    [[nodiscard]] Result<void> remember_envelope(const EnvelopeId& id, std::int64_t now);
    [[nodiscard]] Result<void> forget_envelopes_before(std::int64_t when);

    // presence
    /// As nothing was stored, where nothing was.
    [[nodiscard]] Result<PresenceRow> presence(std::int64_t contact);
    [[nodiscard]] Result<void> put_presence(const PresenceRow& row);

    // invites
    [[nodiscard]] Result<void> put_invite(const InviteRow& invite);
    [[nodiscard]] Result<std::optional<InviteRow>> invite(const crypto::InviteId& id);
    [[nodiscard]] Result<std::vector<InviteRow>> open_invites(std::int64_t now);  ///< unused and not expired
    /// `conflict` if it isn't there or another contact has used it.
    [[nodiscard]] Result<void> use_invite(const crypto::InviteId& id, std::int64_t contact);

  private:
    explicit ClientStore(Database db) : db_(std::move(db)) {}
    Database db_;
};

}  // namespace sotto::storage
