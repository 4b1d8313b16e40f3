// What contacts find each other's status by: made, handed over, taken, forgotten. docs/protocol.md section
// 15.1. All functions are called in the caller's transaction and throw StoreFailure.
#pragma once

#include "content.hpp"

namespace sotto::client {

/// A key of theirs, unless a later content has brought another one.
void take_presence_key(storage::ClientStore& store, std::int64_t contact, const Received::PresenceKey& key,
                       std::uint64_t sequence);
/// They count their contents from an earlier number again: whatever they send next is the newest.
void forget_newest_presence_key(storage::ClientStore& store, std::int64_t contact);
/// What they can see us by ends; they are given another key if they may still see us.
void forget_own_presence_key(storage::ClientStore& store, std::int64_t contact);
/// Both: it is somebody else, or may be.
void forget_presence_keys(storage::ClientStore& store, std::int64_t contact);

}  // namespace sotto::client
