// The tables of the key server, by version.
#pragma once

#include <array>

#include "sotto/storage/database.hpp"

namespace sotto::keyserver {

// No table names a sender: tokens are hashes, mail is opaque, and who knows whom is nowhere.
inline constexpr std::string_view version_1 = R"sql(
    CREATE TABLE accounts (
        id           INTEGER PRIMARY KEY AUTOINCREMENT,
        user         TEXT    NOT NULL UNIQUE,
        discoverable INTEGER NOT NULL DEFAULT 0,
        created_day  INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE records (
        account  INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
        sequence INTEGER NOT NULL,
        hash     BLOB    NOT NULL,
        bytes    BLOB    NOT NULL,
        PRIMARY KEY (account, sequence)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE devices (
        account     INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
        device      INTEGER NOT NULL,
        removed     INTEGER NOT NULL DEFAULT 0,
        signing_key BLOB    NOT NULL,
        PRIMARY KEY (account, device)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE prekeys (
        account          INTEGER NOT NULL,
        device           INTEGER NOT NULL,
        signed_prekey    BLOB,
        signed_day       INTEGER NOT NULL DEFAULT 0,
        last_resort      BLOB,
        highest_one_time INTEGER NOT NULL DEFAULT 0,
        highest_kem      INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (account, device),
        FOREIGN KEY (account, device) REFERENCES devices ON DELETE CASCADE
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE one_time_prekeys (
        account INTEGER NOT NULL,
        device  INTEGER NOT NULL,
        kind    INTEGER NOT NULL,
        id      INTEGER NOT NULL,
        bytes   BLOB    NOT NULL,
        PRIMARY KEY (account, device, kind, id),
        FOREIGN KEY (account, device) REFERENCES devices ON DELETE CASCADE
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE tokens (
        account  INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
        hash     BLOB    NOT NULL,
        kind     INTEGER NOT NULL,
        expires  INTEGER NOT NULL,
        claim    BLOB,
        uses     INTEGER NOT NULL DEFAULT 0,
        uses_day INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (account, hash)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE invites (
        hash    BLOB    NOT NULL PRIMARY KEY,
        expires INTEGER NOT NULL,
        tries   INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;
    -- The sequence must rise for ever: a device's place in its mailbox is "behind this sequence".
    CREATE TABLE mail (
        sequence  INTEGER PRIMARY KEY AUTOINCREMENT,
        account   INTEGER NOT NULL,
        device    INTEGER NOT NULL,
        id        BLOB    NOT NULL,
        stored_at INTEGER NOT NULL,
        envelope  BLOB    NOT NULL,
        FOREIGN KEY (account, device) REFERENCES devices ON DELETE CASCADE
    ) STRICT;
    CREATE INDEX mail_in_order ON mail (account, device);
    CREATE UNIQUE INDEX mail_by_id ON mail (account, device, id);
    CREATE TABLE mailboxes (
        account   INTEGER NOT NULL,
        device    INTEGER NOT NULL,
        envelopes INTEGER NOT NULL,
        bytes     INTEGER NOT NULL,
        PRIMARY KEY (account, device),
        FOREIGN KEY (account, device) REFERENCES devices ON DELETE CASCADE
    ) STRICT, WITHOUT ROWID;
)sql";

// How new each device's state is, by its own word.
inline constexpr std::string_view version_2 = R"sql(
    ALTER TABLE devices ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;
)sql";

// Accounts that the operator has shut out (1) or deleted (2): of the latter everything goes, piece by piece.
// `shut_out` is where a running server finds what another process has done.
inline constexpr std::string_view version_3 = R"sql(
    ALTER TABLE accounts ADD COLUMN state INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX accounts_to_delete ON accounts (id) WHERE state = 2;
    CREATE TABLE shut_out (account INTEGER PRIMARY KEY) STRICT;
    ALTER TABLE invites ADD COLUMN created INTEGER NOT NULL DEFAULT 0;
)sql";

// One index fewer to keep for every envelope: a device's sequences are read from the one by id, and put in
// order.
inline constexpr std::string_view version_4 = R"sql(
    DROP INDEX mail_in_order;
)sql";

inline constexpr std::array migrations{
    storage::Migration{.version = 1, .sql = version_1}, storage::Migration{.version = 2, .sql = version_2},
    storage::Migration{.version = 3, .sql = version_3}, storage::Migration{.version = 4, .sql = version_4}};

}  // namespace sotto::keyserver
