#include "schema.hpp"

#include <array>

namespace sotto::storage::detail {

namespace {

// Once released, a version is never edited: a change is a further migration.
//
// STRICT: a column holds its type or the write fails. AUTOINCREMENT: the number of something removed is never
// given out again. Tables without a rowid have small rows; those with large rows keep one.
constexpr std::string_view version_1 = R"sql(
CREATE TABLE identity (
    one              INTEGER PRIMARY KEY CHECK (one = 1),
    address          TEXT NOT NULL,
    device           INTEGER NOT NULL,
    signing_seed     BLOB NOT NULL,
    identity_seed    BLOB NOT NULL,
    server_host      TEXT NOT NULL,
    server_port      INTEGER NOT NULL,
    server_pin       BLOB,
    next_server_pin  BLOB,
    registered       INTEGER NOT NULL,
    unbound_accepted INTEGER NOT NULL,
    shared_token     BLOB NOT NULL
) STRICT;

CREATE TABLE own_records (
    sequence INTEGER PRIMARY KEY,
    record   BLOB NOT NULL
) STRICT;

CREATE TABLE settings (
    key   BLOB PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE contacts (
    id                   INTEGER PRIMARY KEY AUTOINCREMENT,
    name                 TEXT NOT NULL UNIQUE,
    address              TEXT NOT NULL UNIQUE,
    server_host          TEXT NOT NULL,
    server_port          INTEGER NOT NULL,
    server_pin           BLOB,
    record               BLOB NOT NULL,
    state                INTEGER NOT NULL,
    verified             INTEGER NOT NULL,
    their_shared_token   BLOB,
    their_recovery_token BLOB,
    invite_secret        BLOB,
    invite_claim         BLOB,
    our_recovery_token   BLOB NOT NULL,
    next_sequence        INTEGER NOT NULL,
    highest_seen         INTEGER NOT NULL,
    added_at             INTEGER NOT NULL,
    introduced           INTEGER NOT NULL
) STRICT;

CREATE TABLE prekeys (
    kind      INTEGER NOT NULL,
    id        INTEGER NOT NULL,
    seed      BLOB NOT NULL,
    day       INTEGER NOT NULL,
    replaced  INTEGER,                       -- day on which a newer one took its place
    published INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE prekey_ids (
    kind INTEGER PRIMARY KEY,
    last INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    id       BLOB NOT NULL UNIQUE,
    contact  INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    device   INTEGER NOT NULL,
    archived INTEGER NOT NULL,
    used_at  INTEGER NOT NULL,
    state    BLOB NOT NULL
) STRICT;
CREATE INDEX sessions_by_contact ON sessions (contact);

-- One small row a skipped message, written and removed without touching the session's own.
CREATE TABLE kept_keys (
    session INTEGER NOT NULL REFERENCES sessions (number) ON DELETE CASCADE,
    chain   INTEGER NOT NULL,
    n       INTEGER NOT NULL,
    kept_at INTEGER NOT NULL,
    key     BLOB NOT NULL,
    PRIMARY KEY (session, chain, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE replays (
    id      BLOB PRIMARY KEY,
    session BLOB NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE messages (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,     -- the order of arrival
    id          BLOB NOT NULL,
    contact     INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    direction   INTEGER NOT NULL,
    kind        INTEGER NOT NULL,
    text        TEXT NOT NULL,
    raw         BLOB NOT NULL,
    sequence    INTEGER NOT NULL,
    sent_at     INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    state       INTEGER NOT NULL,
    late        INTEGER NOT NULL,
    shown       INTEGER NOT NULL,
    UNIQUE (id, contact, direction)
) STRICT;
CREATE INDEX messages_by_contact ON messages (contact);
CREATE INDEX messages_unshown ON messages (number) WHERE direction = 0 AND shown = 0;

CREATE VIRTUAL TABLE message_words USING fts5(
    text, content = 'messages', content_rowid = 'number', tokenize = 'unicode61 remove_diacritics 2');
-- A word that is deleted leaves the index at once, not at some later merge.
INSERT INTO message_words (message_words, rank) VALUES ('secure-delete', 1);
CREATE TRIGGER message_words_insert AFTER INSERT ON messages BEGIN
    INSERT INTO message_words (rowid, text) VALUES (new.number, new.text);
END;
CREATE TRIGGER message_words_delete AFTER DELETE ON messages BEGIN
    INSERT INTO message_words (message_words, rowid, text) VALUES ('delete', old.number, old.text);
END;
CREATE TRIGGER message_words_update AFTER UPDATE OF text ON messages BEGIN
    INSERT INTO message_words (message_words, rowid, text) VALUES ('delete', old.number, old.text);
    INSERT INTO message_words (rowid, text) VALUES (new.number, new.text);
END;

CREATE TABLE contents_seen (
    contact INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    id      BLOB NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (contact, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE owed (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    contact INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    id      BLOB NOT NULL,
    UNIQUE (contact, id)
) STRICT;

CREATE TABLE outbox (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,     -- the order of queueing
    contact     INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    id          BLOB NOT NULL,
    content     BLOB NOT NULL,
    needs_acknowledgement INTEGER NOT NULL,
    queued_at   INTEGER NOT NULL,
    envelope_id BLOB,
    envelope    BLOB NOT NULL,
    device      INTEGER NOT NULL,
    accepted    INTEGER NOT NULL,
    UNIQUE (contact, id)
) STRICT;
CREATE INDEX outbox_pending ON outbox (number) WHERE accepted = 0;

CREATE TABLE envelopes_seen (
    id      BLOB PRIMARY KEY,
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE quarantine (
    id        BLOB PRIMARY KEY,
    envelope  BLOB NOT NULL,
    set_aside INTEGER NOT NULL
) STRICT;

-- used_by is no reference: an invite stays used when the contact goes.
CREATE TABLE invites (
    id         BLOB PRIMARY KEY,
    secret     BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_by    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

// What a person decides about a contact, and what repair has to remember.
constexpr std::string_view version_2 = R"sql(
ALTER TABLE contacts ADD COLUMN blocked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE contacts ADD COLUMN other_record BLOB;                        -- under another key, not decided on
ALTER TABLE contacts ADD COLUMN heard_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE contacts ADD COLUMN reset_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE contacts ADD COLUMN resets INTEGER NOT NULL DEFAULT 0;        -- since something of theirs opened
ALTER TABLE outbox ADD COLUMN accepted_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN pushed INTEGER NOT NULL DEFAULT 0;          -- the server said: delivered
CREATE INDEX outbox_accepted ON outbox (contact, number) WHERE accepted = 1;
)sql";

// Presence keys: ours for the contact, theirs for us; each is that of the day beside it.
constexpr std::string_view version_3 = R"sql(
CREATE TABLE presence (
    contact        INTEGER PRIMARY KEY REFERENCES contacts (id) ON DELETE CASCADE,
    visible        INTEGER NOT NULL,                  -- they may see our status
    own_key        BLOB,
    own_day        INTEGER NOT NULL,
    write_key      BLOB,
    their_key      BLOB,
    their_day      INTEGER NOT NULL,
    their_sequence INTEGER NOT NULL                   -- of the content that brought it
) STRICT;
)sql";

// What a person decides about direct sessions with one contact.
constexpr std::string_view version_4 = R"sql(
ALTER TABLE contacts ADD COLUMN direct INTEGER NOT NULL DEFAULT 0;        -- 0: as the setting says
)sql";

constexpr std::array migrations{
    Migration{.version = 1, .sql = version_1}, Migration{.version = 2, .sql = version_2},
    Migration{.version = 3, .sql = version_3}, Migration{.version = 4, .sql = version_4}};

}  // namespace

std::span<const Migration> client_migrations() {
    return migrations;
}

}  // namespace sotto::storage::detail
