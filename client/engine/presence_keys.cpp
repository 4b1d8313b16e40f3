#include "presence_keys.hpp"

#include "store_failure.hpp"

namespace sotto::client {

void take_presence_key(storage::ClientStore& store, std::int64_t contact, const Received::PresenceKey& key,
                       std::uint64_t sequence) {
    auto row = must(store.presence(contact));
    if (row.theirs && row.theirs->sequence >= sequence) return;
    row.theirs.emplace(storage::PresenceRow::Theirs{
        .key = crypto::PresenceKey{key.key}, .day = key.day, .sequence = sequence});
    must(store.put_presence(row));
}

void forget_newest_presence_key(storage::ClientStore& store, std::int64_t contact) {
    auto row = must(store.presence(contact));
    if (!row.theirs) return;
    row.theirs->sequence = 0;
    must(store.put_presence(row));
}

void forget_own_presence_key(storage::ClientStore& store, std::int64_t contact) {
    auto row = must(store.presence(contact));
    if (!row.own) return;
    row.own.reset();
    must(store.put_presence(row));
}

void forget_presence_keys(storage::ClientStore& store, std::int64_t contact) {
    auto row = must(store.presence(contact));
    if (!row.own && !row.theirs) return;
    row.own.reset();
    row.theirs.reset();
    must(store.put_presence(row));
}

}  // namespace sotto::client
