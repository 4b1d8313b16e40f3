// The jobs. Accounts are made first and are in no figure. Each throws Problem if it can't be done at all.
#pragma once

#include "bench/loadgen/options.hpp"
#include "bench/loadgen/result.hpp"

namespace sotto::loadgen {

/// Clients log in and stay. An operation is a login; the memory is that of a client that has logged in and
/// rests.
[[nodiscard]] Result idle(const Common& common, const IdleOptions& options);
/// Connections from nothing to a Welcome, and away again.
[[nodiscard]] Result login(const Common& common, const LoginOptions& options);
/// Pairs of a sender and a connected recipient. An operation is done when the sender knows that it was
/// delivered.
[[nodiscard]] Result relay(const Common& common, const RelayOptions& options);
/// Honest pairs for a while alone, then beside hostile peers of every kind. An operation is as for `relay`,
/// of both phases; the times are of the second.
[[nodiscard]] Result hostile(const Common& common, const HostileOptions& options);
/// Envelopes for devices that are away, which then come and read them. An operation is both.
[[nodiscard]] Result mailbox(const Common& common, const MailboxOptions& options);
/// Fetches, each of a one-time prekey of either kind.
[[nodiscard]] Result prekeys(const Common& common, const PrekeysOptions& options);
/// Changes of a status that others watch. An operation is a watcher who is told; the times are those of a
/// change, until the last one was.
[[nodiscard]] Result presence(const Common& common, const PresenceOptions& options);
/// People with contacts among each other: the memory is that of what one publishes and watches. An operation
/// is one of them who comes, with the handshake, until all of its contacts are told and it of them.
[[nodiscard]] Result online(const Common& common, const OnlineOptions& options);
/// The server restarts under clients that are logged in. An operation is a client that has come back.
[[nodiscard]] Result storm(const Common& common, const StormOptions& options);

}  // namespace sotto::loadgen
