// A client's store for tests, and the things that are put into it.
#pragma once

#include "scratch.hpp"
#include "sotto/storage/client_store.hpp"

namespace sotto::storage::test {

inline crypto::Address address(std::string_view text) {
    return must(crypto::Address::parse(text));
}

inline Contact some_contact(std::string_view name) {
    Contact contact;
    contact.name = name;
    contact.address = address(std::string{name} + "@chat.example");
    contact.server_host = "chat.example";
    contact.server_port = 7443;
    contact.record = to_bytes(bytes_of("a pinned record"));
    contact.our_recovery_token = numbered<32>(5);
    contact.added_at = 1'700'000'000'000;
    return contact;
}

/// A message of arbitrary but different content for each number.
inline Message some_message(std::int64_t contact, std::uint32_t number,
                            Direction direction = Direction::incoming) {
    Message message;
    message.id = numbered<16>(number);
    message.contact = contact;
    message.direction = direction;
    message.kind = 20;
    message.text = "message " + std::to_string(number);
    message.sequence = number;
    message.sent_at = 1000 + number;
    message.received_at = 2000 + number;
    message.state = direction == Direction::outgoing ? MessageState::queued : MessageState::received;
    return message;
}

/// A content that waits for a contact.
inline OutboxItem some_item(std::int64_t contact, std::uint32_t number) {
    OutboxItem item;
    item.id = numbered<16>(number);
    item.contact = contact;
    item.content = Bytes(10, std::byte{1});
    return item;
}

class StoreTest : public ::testing::Test {
  protected:
    std::int64_t add(std::string_view name) {
        auto contact = some_contact(name);
        must(store.add_contact(contact));
        return contact.id;
    }
    void reopen() {
        // Closed first: a log that is still there would mean a crash.
        {
            const auto closed = std::move(store);
        }
        store = must(ClientStore::open(file, key_of(1)));
    }
    /// Changes what is stored behind the store's back.
    void tamper(std::string_view sql) { must(store.database().execute(sql)); }

    Scratch folder;
    std::filesystem::path file = folder / "store.db";
    ClientStore store = must(ClientStore::open(file, key_of(1)));
};

}  // namespace sotto::storage::test
