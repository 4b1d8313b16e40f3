// What earlier versions stored opens with this one, and goes on.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>

#include "freeze.hpp"
#include "sotto/storage/client_store.hpp"
#include "sotto/storage/profile.hpp"
#include "world.hpp"

namespace sotto::vectors {
namespace {

const std::filesystem::path frozen_folder = SOTTO_VECTOR_FOLDER;

Json frozen(const std::string& file) {
    std::ifstream in{frozen_folder / "state" / file};
    return Json::parse(in);
}

/// The content, or the error's name.
std::string heard(End& end, ByteView envelope, std::int64_t now_ms, crypto::Rng& rng) {
    Json given;
    const auto step = open_step(end, given, envelope, now_ms, &rng);
    return step.contains("error") ? text(step, "error") : text(step, "content");
}

Bytes said(End& end, std::string_view content, std::int64_t now_ms, crypto::Rng& rng) {
    auto sealed = must(end.session.seal(bytes_of(content), now_ms, rng), "seal");
    end.session = std::move(sealed.next);
    return std::move(sealed.envelope);
}

class FrozenStates : public testing::TestWithParam<const char*> {
  protected:
    void open_all(End& end, const Json& side) {
        for (const auto& one : side.at("opens")) {
            EXPECT_EQ(heard(end, bytes(one, "envelope"), now_ms, rng), text(one, "content"));
            // A duplicate; or of nowhere, once its chain has been forgotten with its last key.
            EXPECT_NE(heard(end, bytes(one, "envelope"), now_ms, rng), text(one, "content"));
        }
    }
    const Json file = frozen(GetParam());
    std::int64_t now_ms = file.at("now_ms").get<std::int64_t>();
    crypto::SeededRng rng{7};
};

TEST_P(FrozenStates, OpenWhatWasOnItsWayAndGoOn) {
    ASSERT_FALSE(file.at("pairs").empty());
    for (const auto& pair : file.at("pairs")) {
        SCOPED_TRACE(text(pair, "name"));
        auto alice = frozen_end(pair.at("alice"));
        auto bob = frozen_end(pair.at("bob"));
        const auto epoch = alice.session.epoch();
        open_all(alice, pair.at("alice"));
        open_all(bob, pair.at("bob"));
        for (int turn = 0; turn < 6; ++turn) {
            now_ms += 3'600'000;
            EXPECT_EQ(heard(bob, said(alice, "ping", now_ms, rng), now_ms, rng), "ping");
            EXPECT_EQ(heard(alice, said(bob, "pong", now_ms, rng), now_ms, rng), "pong");
        }
        EXPECT_GT(alice.session.epoch(), epoch);
        EXPECT_EQ(alice.session.epoch(), bob.session.epoch());
    }
}

INSTANTIATE_TEST_SUITE_P(Formats, FrozenStates, testing::Values("format-2.json", "format-3.json"),
                         [](const auto& of) { return "Format" + std::string{of.param}.substr(7, 1); });

TEST_P(FrozenStates, HaveEveryStage) {
    std::set<crypto::EpochStage> stages;
    bool awaiting = false;
    bool due = false;
    std::size_t remembered = 0;
    for (const auto& pair : file.at("pairs")) {
        for (const auto* const who : {"alice", "bob"}) {
            const auto end = frozen_end(pair.at(who));
            stages.insert(end.state().epochs.stage);
            awaiting = awaiting || end.session.awaiting_reply();
            due = due || end.state().turn_due;
            remembered = std::max(remembered, end.state().closed.count);
        }
    }
    EXPECT_EQ(stages.size(), 4U);
    EXPECT_TRUE(awaiting);
    EXPECT_EQ(due, GetParam() != std::string_view{"format-2.json"}) << "turns wait since format 3";
    EXPECT_GE(remembered, 3U);
}

/// A copy, since opening writes.
class FrozenStore : public testing::TestWithParam<const char*> {
  public:
    FrozenStore() {
        auto pattern = (std::filesystem::temp_directory_path() / "sotto-frozen-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no folder for the test");
        copy.folder = pattern;
        for (const auto* const name : {"vault", "store.db"}) {
            std::filesystem::copy_file(frozen_folder / "store" / GetParam() / name, copy.folder / name);
            std::filesystem::permissions(copy.folder / name, std::filesystem::perms{0600});
        }
    }
    ~FrozenStore() override {
        std::error_code ignored;
        std::filesystem::remove_all(copy.folder, ignored);
    }
    FrozenStore(const FrozenStore&) = delete;
    FrozenStore& operator=(const FrozenStore&) = delete;

  protected:
    storage::ClientStore opened() {
        auto master = storage::Vault::open(copy.vault(), bytes_of(frozen_passphrase));
        if (!master) throw std::runtime_error("vault: " + master.error().detail);
        auto store = storage::ClientStore::open(copy.database(), storage::store_key(*master));
        if (!store) throw std::runtime_error("store: " + store.error().detail);
        return std::move(*store);
    }
    storage::ProfilePaths copy;
};

TEST_P(FrozenStore, OpensWithItsPassphraseAlone) {
    EXPECT_EQ(storage::Vault::open(copy.vault(), bytes_of("another")).error().code,
              storage::Code::wrong_passphrase);
    const auto account = storage::Vault::account_key(copy.vault(), bytes_of(frozen_passphrase));
    ASSERT_TRUE(account.has_value());
    auto store = opened();
    EXPECT_TRUE(store.database().check().has_value());
    const auto record = store.newest_own_record().value();
    ASSERT_TRUE(record.has_value());
    EXPECT_EQ(record->body().account_key, account->public_key());
}

TEST_P(FrozenStore, HasTheIdentityTheContactAndTheirMessages) {
    auto store = opened();
    const auto identity = store.identity().value();
    ASSERT_TRUE(identity.has_value());
    EXPECT_EQ(identity->address.text(), "bob@[2001:db8::7]");
    EXPECT_EQ(identity->device, 4'000'000'000U);
    EXPECT_TRUE(identity->registered);
    const auto contact = store.contact_by_name("alice").value();
    ASSERT_TRUE(contact.has_value());
    EXPECT_EQ(contact->address.text(), "alice@chat.example");
    EXPECT_TRUE(crypto::AccountRecord::parse(contact->record).has_value());
    EXPECT_EQ(contact->state, storage::ContactState::confirmed);
    EXPECT_EQ(contact->verified, storage::Verified::number);
    EXPECT_EQ(contact->next_sequence, 12U);
    EXPECT_EQ(contact->highest_seen, 34U);
    const auto history = store.history(contact->id, "first version", 10).value();
    ASSERT_EQ(history.size(), 1U);
    EXPECT_EQ(history[0].text, "kept from the first version on");
    const auto waiting = store.outbox_pending(10).value();
    ASSERT_EQ(waiting.size(), 1U);
    EXPECT_EQ(chars_of(waiting[0].content), "not sent yet");
    EXPECT_EQ(store.owed_acknowledgements(contact->id, 10).value().size(), 1U);
    EXPECT_EQ(store.open_invites(0).value().size(), 1U);
}

TEST_P(FrozenStore, ItsSessionOpensWhatWasOnItsWayWithAKeptKey) {
    auto store = opened();
    auto sessions = store.sessions().value();
    ASSERT_EQ(sessions.size(), 1U);
    const bool first = GetParam() == std::string_view{"schema-1"};
    const auto pair = frozen(first ? "format-2.json" : "format-3.json").at("pairs").back();
    for (const auto& one : pair.at("bob").at("opens")) {
        const auto envelope = bytes(one, "envelope");
        const auto parsed = crypto::Envelope::parse(envelope).value();
        const auto match = sessions[0].session.find(parsed).value();
        ASSERT_TRUE(match.needs.has_value());
        const auto kept = store.kept_key(sessions[0].session.id(), *match.needs).value();
        ASSERT_TRUE(kept.has_value());
        crypto::SeededRng rng{1};
        const auto opened = sessions[0].session.open(parsed, match, &*kept, 0, rng);
        ASSERT_TRUE(opened.has_value());
        EXPECT_EQ(chars_of(opened->content), text(one, "content"));
    }
}

TEST_P(FrozenStore, HasWhatItsSchemaCouldSay) {
    if (GetParam() == std::string_view{"schema-1"}) GTEST_SKIP() << "schema 1 had none of it";
    auto store = opened();
    const auto alice = store.contact_by_name("alice").value();
    ASSERT_TRUE(alice.has_value());
    EXPECT_FALSE(alice->blocked);
    EXPECT_TRUE(alice->other_record.empty());
    EXPECT_EQ(alice->heard_at - alice->added_at, 3);
    EXPECT_EQ(alice->reset_at - alice->added_at, 4);
    EXPECT_EQ(alice->resets, 2U);
    const auto blocked = store.contact_by_name("blocked").value();
    ASSERT_TRUE(blocked.has_value());
    EXPECT_TRUE(blocked->blocked);
    EXPECT_EQ(blocked->state, storage::ContactState::changed);
    EXPECT_TRUE(crypto::AccountRecord::parse(blocked->other_record).has_value());
    const auto accepted = store.outbox_item(alice->id, {std::byte{3}}).value();
    ASSERT_TRUE(accepted.has_value());
    EXPECT_TRUE(accepted->accepted && accepted->pushed);
    EXPECT_EQ(accepted->accepted_at - alice->added_at, 5);
}

INSTANTIATE_TEST_SUITE_P(Schemas, FrozenStore, testing::Values("schema-1", "schema-2"),
                         [](const auto& of) { return "Schema" + std::string{of.param}.substr(7); });

}  // namespace
}  // namespace sotto::vectors
