#include "home.hpp"

#include "sotto/storage/profile.hpp"
#include "sotto/storage/vault.hpp"

namespace sotto::test {
namespace {

template <class T>
T must(storage::Result<T> result) {
    if (!result) throw std::runtime_error("store: " + result.error().detail);
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

crypto::AccountRecord record_of(const char* address, const crypto::AccountKeyPair& account,
                                const crypto::DeviceSigningKey& signing,
                                const crypto::IdentityKey& identity) {
    crypto::RecordBody body{
        .address = *crypto::Address::parse(address),
        .sequence = 1,
        .previous = {},
        .day = 20'000,
        .account_key = account.public_key(),
        .predecessor = std::nullopt,
        .devices = {{.id = 7, .signing_key = signing, .identity_key = identity, .versions = {1}}},
        .extensions = {}};
    return crypto::AccountRecord::sign(body, account).value();
}

constexpr crypto::PassphraseCost cheap{.memory_kib = 8 * 1024, .passes = 1};

}  // namespace

void write_private_file(const std::filesystem::path& file, std::string_view content) {
    write_file(file, content);
    std::filesystem::permissions(file,
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

Home::Home() {
    write_private_file(passphrase_file(), std::string{right_passphrase} + "\n");
    crypto::SystemRng rng;
    const auto account = crypto::AccountKeyPair::generate(rng);
    const storage::ProfilePaths paths{path()};
    const auto lock = must(storage::ProfileLock::acquire(path()));
    const auto master =
        must(storage::Vault::create(paths.vault(), bytes_of(right_passphrase), cheap, account, rng));
    auto store = must(storage::ClientStore::open(paths.database(), storage::store_key(master)));
    auto transaction = store.begin();
    storage::Identity identity{.address = *crypto::Address::parse("alice@localhost"),
                               .device = 7,
                               .signing_key = crypto::DeviceSigningKeyPair::generate(rng),
                               .identity_key = crypto::IdentityKeyPair::generate(rng),
                               .server_host = "127.0.0.1",
                               .server_port = free_port(),
                               .server_pin = Array<32>{},
                               .next_server_pin = std::nullopt,
                               .registered = true,
                               .unbound_accepted = false,
                               .shared_token = rng.secret<crypto::Token>()};
    must(store.put_identity(identity));
    must(store.put_own_record(record_of("alice@localhost", account, identity.signing_key.public_key(),
                                        identity.identity_key.public_key())));
    const auto theirs = crypto::AccountKeyPair::generate(rng);
    const auto record =
        record_of("bob@localhost", theirs, crypto::DeviceSigningKeyPair::generate(rng).public_key(),
                  crypto::IdentityKeyPair::generate(rng).public_key());
    storage::Contact bob;
    bob.name = "bob";
    bob.address = *crypto::Address::parse("bob@localhost");
    bob.server_host = "127.0.0.1";
    bob.server_port = identity.server_port;
    bob.server_pin = Array<32>{};
    bob.record = to_bytes(record.bytes());
    bob.state = storage::ContactState::confirmed;
    bob.verified = storage::Verified::link;
    bob.their_shared_token = rng.bytes<32>();
    bob.our_recovery_token = rng.bytes<32>();
    bob.added_at = 1'700'000'000'000;
    must(store.add_contact(bob));
    must(transaction.commit());
    bob_ = bob.id;
}

Command Home::command(const std::vector<std::string>& words) const {
    Command result{.args = {SOTTO_CLIENT, "--home", path().string()}};
    result.args.insert(result.args.end(), words.begin(), words.end());
    return result;
}

Finished Home::run(const std::vector<std::string>& words, std::optional<std::string> input) const {
    auto what = command({"--passphrase-file", passphrase_file().string()});
    what.args.insert(what.args.end(), words.begin(), words.end());
    what.input = std::move(input);
    return test::run(std::move(what));
}

std::vector<nlohmann::json> Home::json(std::vector<std::string> words, int code) const {
    words.insert(words.begin(), "--json");
    const auto finished = run(words);
    EXPECT_EQ(finished.exit.code, code) << finished.errors;
    std::vector<nlohmann::json> result;
    for (const auto& line : lines_of(finished.output)) result.push_back(nlohmann::json::parse(line));
    return result;
}

storage::ClientStore Home::open() const {
    const storage::ProfilePaths paths{path()};
    const auto master = must(storage::Vault::open(paths.vault(), bytes_of(right_passphrase)));
    return must(storage::ClientStore::open(paths.database(), storage::store_key(master)));
}

std::int64_t Home::add_message(storage::Direction direction, const std::string& text, std::int64_t at_ms,
                               bool shown, std::uint32_t kind) {
    auto store = open();
    storage::Message message;
    ++messages_;
    message.id[0] = std::byte{static_cast<unsigned char>(messages_)};
    message.id[1] = std::byte{static_cast<unsigned char>(messages_ >> 8U)};
    message.contact = bob_;
    message.direction = direction;
    message.kind = kind;
    message.text = text;
    message.sequence = messages_;
    message.sent_at = at_ms;
    message.received_at = at_ms + 1500;
    const bool incoming = direction == storage::Direction::incoming;
    message.state = incoming ? storage::MessageState::received : storage::MessageState::stored;
    message.shown = shown || !incoming;
    auto transaction = store.begin();
    EXPECT_TRUE(must(store.add_message(message)));
    must(transaction.commit());
    return message.row;
}

void Home::change_bob(const std::function<void(storage::Contact&)>& change) const {
    auto store = open();
    auto bob = must(store.contact(bob_)).value();
    change(bob);
    auto transaction = store.begin();
    must(store.update_contact(bob));
    must(transaction.commit());
}

void Home::show_another_key_of_bob() const {
    crypto::SystemRng rng;
    const auto record = record_of("bob@localhost", crypto::AccountKeyPair::generate(rng),
                                  crypto::DeviceSigningKeyPair::generate(rng).public_key(),
                                  crypto::IdentityKeyPair::generate(rng).public_key());
    change_bob([&](storage::Contact& bob) {
        bob.state = storage::ContactState::changed;
        bob.verified = storage::Verified::no;
        bob.other_record = to_bytes(record.bytes());
    });
}

testing::AssertionResult one_sentence(const Finished& finished, std::string_view word) {
    const auto lines = lines_of(finished.errors);
    if (lines.size() != 1 || !lines[0].starts_with("sotto: ") || !lines[0].ends_with('.'))
        return testing::AssertionFailure() << "not one sentence: " << finished.errors;
    if (lines[0].find(word) == std::string::npos)
        return testing::AssertionFailure() << "nothing of \"" << word << "\": " << finished.errors;
    return testing::AssertionSuccess();
}

}  // namespace sotto::test
