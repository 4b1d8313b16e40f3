#include "sotto/crypto/record.hpp"

#include "labels.hpp"
#include "people.hpp"

namespace sotto::crypto::test {
namespace {

class Record : public testing::Test {
  protected:
    Device device(std::uint32_t id, std::vector<std::uint8_t> versions = {1}) {
        return {id, DeviceSigningKeyPair::generate(rng).public_key(),
                IdentityKeyPair::generate(rng).public_key(), std::move(versions)};
    }
    RecordBody body() {
        return {Address::parse("alice@chat.example").value(),
                1,
                {},
                20000,
                key.public_key(),
                std::nullopt,
                {device(1)},
                {}};
    }
    RecordBody next_of(const AccountRecord& record) {
        auto next = record.body();
        ++next.sequence;
        next.previous = record.hash();
        return next;
    }
    Result<AccountRecord> sign(const RecordBody& b) { return AccountRecord::sign(b, key); }
    /// Signs bytes that `sign` would not make.
    Bytes forge(Bytes unsigned_bytes) {
        const auto signature = key.sign(labels::account_record, unsigned_bytes);
        unsigned_bytes.insert(unsigned_bytes.end(), signature.begin(), signature.end());
        return unsigned_bytes;
    }
    Bytes unsigned_part(const AccountRecord& record) {
        return to_bytes(record.bytes().first(record.bytes().size() - signature_size));
    }

    SeededRng rng{1};
    AccountKeyPair key = AccountKeyPair::generate(rng);
};

TEST_F(Record, ComesBackAsItWas) {
    auto b = body();
    b.devices.push_back(device(5, {1, 2, 9}));
    b.extensions = {{1, to_bytes(text("one"))}, {7, {}}};
    const auto record = sign(b).value();
    EXPECT_EQ(record.body(), b);
    const auto parsed = AccountRecord::parse(record.bytes()).value();
    EXPECT_EQ(parsed.body(), b);
    EXPECT_EQ(parsed.hash(), record.hash());
    EXPECT_EQ(parsed.device(5)->versions, (std::vector<std::uint8_t>{1, 2, 9}));
    EXPECT_EQ(parsed.device(2), nullptr);
}

// The layout of docs/protocol.md section 4, written out.
TEST_F(Record, HasTheDrawnLayout) {
    const auto b = body();
    Bytes expected;
    Writer w{expected};
    w.u8(1);
    w.u16(18);
    w.raw(text("alice@chat.example"));
    w.u64(1);
    w.raw(Array<32>{});
    w.u32(20000);
    w.raw(key.public_key().encode());
    w.u8(0);
    w.u8(1);
    w.u32(1);
    w.raw(b.devices[0].signing_key.encode());
    w.raw(b.devices[0].identity_key.encode());
    w.u8(1);
    w.u8(1);
    w.u16(0);
    const auto record = sign(b).value();
    EXPECT_EQ(unsigned_part(record), expected);
    EXPECT_EQ(record.hash(), hash("Sotto/1/record-hash", {record.bytes()}));
}

TEST_F(Record, EveryChangedByteIsRefused) {
    auto b = body();
    b.extensions = {{1, to_bytes(text("x"))}};
    const auto record = sign(b).value();
    for (std::size_t i = 0; i < record.bytes().size(); ++i) {
        auto bytes = to_bytes(record.bytes());
        bytes[i] ^= std::byte{1};
        EXPECT_FALSE(AccountRecord::parse(bytes).has_value()) << i;
    }
}

TEST_F(Record, EveryOtherLengthIsRefused) {
    const auto record = sign(body()).value();
    auto bytes = to_bytes(record.bytes());
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(AccountRecord::parse(ByteView{bytes}.first(size)).has_value()) << size;
    bytes.push_back(std::byte{0});
    EXPECT_EQ(AccountRecord::parse(bytes).error(), Error::malformed);
}

TEST_F(Record, TrailingBytesUnderTheSignatureAreRefused) {
    auto bytes = unsigned_part(sign(body()).value());
    bytes.push_back(std::byte{0});
    EXPECT_FALSE(AccountRecord::parse(forge(bytes)).has_value());
}

TEST_F(Record, AnotherFormatIsUnsupported) {
    auto bytes = unsigned_part(sign(body()).value());
    bytes[0] = std::byte{2};
    EXPECT_EQ(AccountRecord::parse(forge(bytes)).error(), Error::unsupported);
}

TEST_F(Record, AnotherAccountsSignatureIsRefused) {
    const auto record = sign(body()).value();
    const auto other = AccountKeyPair::generate(rng);
    auto bytes = unsigned_part(record);
    const auto signature = other.sign(labels::account_record, bytes);
    bytes.insert(bytes.end(), signature.begin(), signature.end());
    EXPECT_EQ(AccountRecord::parse(bytes).error(), Error::bad_signature);
    EXPECT_EQ(AccountRecord::sign(body(), other).error(), Error::malformed);
}

TEST_F(Record, DevicesAtAndPastTheirLimits) {
    auto b = body();
    b.devices.clear();
    EXPECT_FALSE(sign(b).has_value());
    for (std::uint32_t id = 1; id <= 8; ++id) b.devices.push_back(device(id));
    EXPECT_TRUE(sign(b).has_value());
    b.devices.push_back(device(9));
    EXPECT_FALSE(sign(b).has_value());

    // Nine devices in the bytes themselves.
    b.devices.pop_back();
    auto bytes = unsigned_part(sign(b).value());
    bytes[1 + 2 + 18 + 8 + 32 + 4 + 33 + 1] = std::byte{9};
    EXPECT_FALSE(AccountRecord::parse(forge(bytes)).has_value());
}

TEST_F(Record, DevicesAreAscendingAndNeverZero) {
    auto b = body();
    b.devices = {device(2), device(1)};
    EXPECT_FALSE(sign(b).has_value());
    b.devices = {device(2), device(2)};
    EXPECT_FALSE(sign(b).has_value());
    b.devices = {device(0)};
    EXPECT_FALSE(sign(b).has_value());
    b.devices = {device(1), device(0xffffffff)};
    EXPECT_TRUE(sign(b).has_value());
}

TEST_F(Record, VersionsAreOneToEightAscendingFromOne) {
    for (const auto& versions : std::initializer_list<std::vector<std::uint8_t>>{
             {}, {0}, {2, 1}, {1, 1}, {1, 2, 3, 4, 5, 6, 7, 8, 9}}) {
        auto b = body();
        b.devices = {device(1, versions)};
        EXPECT_FALSE(sign(b).has_value());
    }
    auto b = body();
    b.devices = {device(1, {1, 2, 3, 4, 5, 6, 7, 255})};
    EXPECT_TRUE(sign(b).has_value());
}

TEST_F(Record, FirstRecordHasNoPreviousAndLaterOnesHave) {
    auto b = body();
    b.sequence = 0;
    EXPECT_FALSE(sign(b).has_value());
    b.sequence = 2;
    EXPECT_FALSE(sign(b).has_value());
    b.previous[0] = std::byte{1};
    EXPECT_TRUE(sign(b).has_value());
    b.sequence = 1;
    EXPECT_FALSE(sign(b).has_value());
}

TEST_F(Record, UnknownExtensionsPassUnlessCritical) {
    auto b = body();
    b.extensions = {{0x7fff, to_bytes(text("new"))}};
    EXPECT_TRUE(sign(b).has_value());
    b.extensions = {{0x8000, {}}};
    EXPECT_EQ(sign(b).error(), Error::unsupported);

    // A critical one in signed bytes of another program's making.
    b.extensions = {{1, {}}};
    auto bytes = unsigned_part(sign(b).value());
    bytes[bytes.size() - 4] |= std::byte{0x80};
    EXPECT_EQ(AccountRecord::parse(forge(bytes)).error(), Error::unsupported);
}

TEST_F(Record, ExtensionsAtAndPastTheirLimits) {
    auto b = body();
    for (std::uint16_t type = 0; type < 32; ++type) b.extensions.push_back({type, {}});
    EXPECT_TRUE(sign(b).has_value());
    b.extensions.push_back({32, {}});
    EXPECT_FALSE(sign(b).has_value());
    b.extensions = {{2, {}}, {1, {}}};
    EXPECT_FALSE(sign(b).has_value());
    b.extensions = {{2, {}}, {2, {}}};
    EXPECT_FALSE(sign(b).has_value());
    b.extensions = {{2, Bytes(0x10000)}};
    EXPECT_FALSE(sign(b).has_value());

    auto bytes = unsigned_part(sign(body()).value());
    bytes[bytes.size() - 1] = std::byte{33};
    EXPECT_FALSE(AccountRecord::parse(forge(bytes)).has_value());
}

TEST_F(Record, SizeAtAndPastItsLimit) {
    auto b = body();
    b.extensions = {{1, {}}};
    const auto empty = sign(b)->bytes().size();
    b.extensions[0].value.resize(max_record_size - empty);
    EXPECT_EQ(sign(b)->bytes().size(), max_record_size);
    b.extensions[0].value.resize(max_record_size - empty + 1);
    EXPECT_FALSE(sign(b).has_value());
}

TEST_F(Record, PredecessorMustHaveSigned) {
    const auto old_key = AccountKeyPair::generate(rng);
    auto b = body();
    b.predecessor = Predecessor{old_key.public_key(), sign_succession(old_key, key.public_key(), b.address)};
    const auto record = sign(b);
    ASSERT_TRUE(record.has_value());
    EXPECT_EQ(record->body(), b);

    auto wrong = b;
    wrong.predecessor->signature[3] ^= std::byte{1};
    EXPECT_EQ(sign(wrong).error(), Error::bad_signature);
    wrong = b;
    wrong.address = Address::parse("eve@chat.example").value();
    EXPECT_EQ(sign(wrong).error(), Error::bad_signature) << "succession is for one address";
    wrong.predecessor = Predecessor{key.public_key(), sign_succession(key, key.public_key(), b.address)};
    EXPECT_EQ(sign(wrong).error(), Error::malformed) << "no key succeeds itself";

    auto bytes = unsigned_part(*record);
    bytes[1 + 2 + 18 + 8 + 32 + 4 + 33] = std::byte{2};
    EXPECT_FALSE(AccountRecord::parse(forge(bytes)).has_value());
}

TEST_F(Record, WrongKindsOfKeysAreRefused) {
    const auto good = unsigned_part(sign(body()).value());
    constexpr std::size_t account_key = 1 + 2 + 18 + 8 + 32 + 4;
    constexpr std::size_t signing_key = account_key + 33 + 1 + 1 + 4;
    constexpr std::size_t identity_key = signing_key + 33;
    for (const auto offset : {account_key, signing_key, identity_key}) {
        auto bytes = good;
        bytes[offset] ^= std::byte{3};
        EXPECT_EQ(AccountRecord::parse(forge(bytes)).error(), Error::bad_key) << offset;
        bytes = good;
        std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset) + 1, 32, std::byte{0});
        EXPECT_EQ(AccountRecord::parse(forge(bytes)).error(), Error::bad_key) << offset;
    }
}

// ---- compare ----

TEST_F(Record, CompareFollowsTheChain) {
    const auto first = sign(body()).value();
    const auto second = sign(next_of(first)).value();
    const auto third = sign(next_of(second)).value();
    EXPECT_EQ(compare(first, first), RecordChange::same);
    EXPECT_EQ(compare(first, second), RecordChange::successor);
    EXPECT_EQ(compare(second, third), RecordChange::successor);
    EXPECT_EQ(compare(first, third), RecordChange::gap);
    EXPECT_EQ(compare(third, first), RecordChange::older);
}

TEST_F(Record, CompareSeesForksAndWrongLinks) {
    const auto first = sign(body()).value();
    auto other_body = body();
    other_body.day = 1;
    EXPECT_EQ(compare(first, sign(other_body).value()), RecordChange::conflict);
    auto wrong_link = next_of(first);
    wrong_link.previous[0] ^= std::byte{1};
    EXPECT_EQ(compare(first, sign(wrong_link).value()), RecordChange::conflict);
}

TEST_F(Record, CompareSeesAnotherKeyEvenIfTheOldOneSignedIt) {
    const auto first = sign(body()).value();
    const auto new_key = AccountKeyPair::generate(rng);
    auto b = next_of(first);
    b.account_key = new_key.public_key();
    b.predecessor = Predecessor{key.public_key(), sign_succession(key, new_key.public_key(), b.address)};
    const auto moved = AccountRecord::sign(b, new_key).value();
    EXPECT_EQ(compare(first, moved), RecordChange::other_key);
    EXPECT_EQ(compare(moved, first), RecordChange::other_key);
}

TEST_F(Record, CompareRefusesAnotherAddress) {
    const auto first = sign(body()).value();
    auto b = body();
    b.address = Address::parse("alice@other.example").value();
    EXPECT_EQ(compare(first, sign(b).value()), RecordChange::other_address);
}

}  // namespace
}  // namespace sotto::crypto::test
