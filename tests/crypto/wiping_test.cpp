// A program of its own, since it replaces operator new and delete: no block that is given back may hold a
// secret.
#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdlib>
#include <cstring>
#include <new>

#include "people.hpp"

namespace {

struct Watch {
    static constexpr std::size_t capacity = 64;
    static constexpr std::size_t needle_size = 16;
    std::array<std::array<std::byte, needle_size>, capacity> needles{};
    std::size_t count = 0;
    std::size_t found = 0;
    bool on = false;

    void add(sotto::ByteView secret) {
        ASSERT_LT(count, capacity);
        ASSERT_GE(secret.size(), needle_size);
        std::copy_n(secret.begin(), needle_size, needles.at(count++).begin());
    }
    void look(const void* block, std::size_t size) {
        for (std::size_t i = 0; i < count; ++i)
            if (memmem(block, size, needles.at(i).data(), needle_size) != nullptr) ++found;
    }
};
Watch watch;

void give_back(void* block) noexcept {
    if (watch.on && block != nullptr) watch.look(block, malloc_usable_size(block));
    std::free(block);  // NOLINT(cppcoreguidelines-no-malloc)
}

}  // namespace

// NOLINTBEGIN(cppcoreguidelines-no-malloc,misc-new-delete-overloads)
void* operator new(std::size_t size) {
    // Cleared, so that what an earlier owner left can't be mistaken for a later one's.
    if (void* const block = std::calloc(1, size == 0 ? 1 : size)) return block;
    throw std::bad_alloc{};
}
void operator delete(void* block) noexcept {
    give_back(block);
}
void operator delete(void* block, std::size_t /*size*/) noexcept {
    give_back(block);
}
// NOLINTEND(cppcoreguidelines-no-malloc,misc-new-delete-overloads)

namespace sotto::crypto::test {
namespace {

/// Every secret that a serialised session holds, by its layout in docs/protocol.md 7.6. What it hasn't got
/// yet is zero.
void watch_session(const Session& session) {
    const auto bytes = session.serialize();
    const ByteView all{bytes};
    constexpr std::size_t root = 1 + 1 + 32 + 4;
    constexpr std::size_t own = root + 32;
    constexpr std::size_t sending = own + 32 + 33 + 33;
    constexpr std::size_t receiving = sending + 96 + 4 + 4 + 4;
    int found = 0;
    for (const auto offset :
         {root, own, sending, sending + 32, sending + 64, receiving, receiving + 32, receiving + 64}) {
        const auto key = all.subspan(offset, 32);
        if (all_zero(key)) continue;
        watch.add(key);
        ++found;
    }
    ASSERT_GE(found, 5);
}

class Wiping : public testing::Test {
  protected:
    void SetUp() override { watch = {}; }
    void TearDown() override { watch.on = false; }
};

TEST_F(Wiping, TheWatchSeesWhatIsNotWiped) {
    const auto secret = Array<32>{std::byte{0xa5}, std::byte{0x5a}, std::byte{1}};
    watch.add(secret);
    watch.on = true;
    {
        const Bytes careless(secret.begin(), secret.end());
    }
    watch.on = false;
    EXPECT_EQ(watch.found, 1U);
}

TEST_F(Wiping, SecretBytesAreWipedWhenFreedAndWhenTheyGrow) {
    const auto secret = Array<32>{std::byte{0xa5}, std::byte{0x5a}, std::byte{2}};
    watch.add(secret);
    watch.on = true;
    {
        SecretBytes bytes(secret.begin(), secret.end());
        for (int i = 0; i < 1000; ++i) bytes.push_back(std::byte{1});
        bytes.resize(3);
    }
    watch.on = false;
    EXPECT_EQ(watch.found, 0U);
}

TEST_F(Wiping, AConversationLeavesNoSecretBehind) {
    auto a = alice();
    auto b = bob();
    constexpr std::string_view plaintext = "the words that nobody else may ever read";
    {
        auto alice_session = start(a, b).value();
        watch_session(alice_session);
        watch.add(a.identity.seed().expose());
        watch.add(b.signed_prekey.seed().expose());
        watch.add(b.kem_one_time.seed().expose());
        watch.add(text(plaintext));
        watch.on = true;
        auto sealed = alice_session.seal(text(plaintext), now_ms, a.rng).value();
        auto accepted = answer(b, sealed.envelope).value();
        watch.on = false;
        watch_session(sealed.next);
        watch_session(accepted.first.next);
        watch.on = true;
        auto late = sealed.next.seal(text(plaintext), now_ms, a.rng).value();
        auto reply = accepted.first.next.seal(text(plaintext), now_ms, b.rng).value();
        const auto envelope = Envelope::parse(reply.envelope).value();
        const auto match = late.next.find(envelope).value();
        const auto opened = late.next.open(envelope, match, nullptr, now_ms, a.rng).value();
        const auto copy = Session::parse(opened.next.serialize()).value();
        watch.on = false;
        watch_session(copy);
        watch.on = true;
    }
    watch.on = false;
    EXPECT_EQ(watch.found, 0U);
}

/// The secrets of the epoch area of a record without remembered chains, behind its head of 17 bytes.
void watch_epoch(const Session& session, std::size_t size) {
    const auto bytes = session.serialize();
    constexpr std::size_t head = 393 + 17;
    for (std::size_t at = 0; at < size; at += 32) watch.add(ByteView{bytes}.subspan(head + at, 32));
}

TEST_F(Wiping, AnEpochLeavesNoSecretBehind) {
    auto a = alice();
    auto b = bob();
    {
        const auto pass = [](Session& from, Session& to, Rng& rng) {
            watch.on = true;
            auto sealed = from.seal(text("x"), now_ms, rng).value();
            const auto envelope = Envelope::parse(sealed.envelope).value();
            const auto match = to.find(envelope).value();
            auto opened = to.open(envelope, match, nullptr, now_ms, rng).value();
            from = std::move(sealed.next);
            to = std::move(opened.next);
            watch.on = false;
        };
        auto hello = start(a, b)->seal(text("hello"), now_ms, a.rng).value();
        auto alice_session = std::move(hello.next);
        auto bob_session = std::move(answer(b, hello.envelope)->first.next);
        pass(bob_session, alice_session, a.rng);
        pass(alice_session, bob_session, a.rng);
        watch_epoch(alice_session, 64);  // the seed
        watch_epoch(bob_session, 32);    // the secret
        watch_session(alice_session);
        pass(bob_session, alice_session, a.rng);
        pass(alice_session, bob_session, a.rng);
        EXPECT_EQ(alice_session.epoch(), 1U);
        EXPECT_EQ(bob_session.epoch(), 1U);
        watch_session(alice_session);
        watch.on = true;
    }
    watch.on = false;
    EXPECT_EQ(watch.found, 0U);
}

}  // namespace
}  // namespace sotto::crypto::test
