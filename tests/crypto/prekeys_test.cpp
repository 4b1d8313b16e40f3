#include "sotto/crypto/prekeys.hpp"

#include "people.hpp"

namespace sotto::crypto::test {
namespace {

template <class Prekey>
void expect_strict(const Prekey& prekey) {
    const auto bytes = prekey.encode();
    EXPECT_EQ(bytes.size(), Prekey::encoded_size);
    EXPECT_EQ(Prekey::decode(bytes).value(), prekey);
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(Prekey::decode(ByteView{bytes}.first(size)).has_value());
    auto longer = bytes;
    longer.push_back(std::byte{0});
    EXPECT_EQ(Prekey::decode(longer).error(), Error::malformed);
}

/// Sets a field of the encoding to zero.
template <class Prekey>
bool accepts_zero_at(const Prekey& prekey, std::size_t offset, std::size_t size) {
    auto bytes = prekey.encode();
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), size, std::byte{0});
    return Prekey::decode(bytes).has_value();
}

TEST(Prekeys, EncodingsHaveTheDrawnSizesAndAreStrict) {
    const auto bundle = bob().bundle();
    EXPECT_EQ(SignedPrekey::encoded_size, 149U);
    EXPECT_EQ(KemPrekey::encoded_size, 1262U);
    EXPECT_EQ(OneTimePrekey::encoded_size, 37U);
    expect_strict(bundle.signed_prekey);
    expect_strict(bundle.kem_prekey);
    expect_strict(*bundle.one_time_prekey);
}

TEST(Prekeys, ZeroIdsAreRefused) {
    const auto bundle = bob().bundle();
    EXPECT_FALSE(accepts_zero_at(bundle.signed_prekey, 0, 4));
    EXPECT_FALSE(accepts_zero_at(bundle.signed_prekey, 4, 4));
    EXPECT_FALSE(accepts_zero_at(bundle.signed_prekey, 4 + 4 + 33 + 4, 8)) << "record sequence";
    EXPECT_FALSE(accepts_zero_at(bundle.kem_prekey, 1, 4));
    EXPECT_FALSE(accepts_zero_at(bundle.kem_prekey, 5, 4));
    EXPECT_FALSE(accepts_zero_at(*bundle.one_time_prekey, 0, 4));
}

TEST(Prekeys, KeysAreChecked) {
    const auto bundle = bob().bundle();
    EXPECT_FALSE(accepts_zero_at(bundle.signed_prekey, 9, 32));
    EXPECT_FALSE(accepts_zero_at(*bundle.one_time_prekey, 5, 32));
    auto kem = bundle.kem_prekey.encode();
    kem[9] = std::byte{2};
    EXPECT_EQ(KemPrekey::decode(kem).error(), Error::bad_key);
    kem = bundle.kem_prekey.encode();
    kem[0] = std::byte{2};
    EXPECT_EQ(KemPrekey::decode(kem).error(), Error::malformed) << "a kind that is unknown";
}

TEST(Prekeys, SignaturesCoverEveryByte) {
    const auto b = bob();
    const auto bundle = b.bundle();
    EXPECT_TRUE(bundle.signed_prekey.verify(b.signing.public_key()));
    EXPECT_TRUE(bundle.kem_prekey.verify(b.signing.public_key()));
    const auto signed_bytes = bundle.signed_prekey.encode();
    for (std::size_t i = 0; i < signed_bytes.size(); ++i) {
        auto changed = signed_bytes;
        changed[i] ^= std::byte{1};
        const auto prekey = SignedPrekey::decode(changed);
        EXPECT_FALSE(prekey && prekey->verify(b.signing.public_key())) << i;
    }
    const auto kem_bytes = bundle.kem_prekey.encode();
    for (std::size_t i = 0; i < kem_bytes.size(); i += i < 12 || i > 1180 ? 1 : 97) {
        auto changed = kem_bytes;
        changed[i] ^= std::byte{1};
        const auto prekey = KemPrekey::decode(changed);
        EXPECT_FALSE(prekey && prekey->verify(b.signing.public_key())) << i;
    }
}

// ---- bundle ----

class Bundle : public testing::Test {
  protected:
    Person b = bob();
    PrekeyBundle bundle = b.bundle();
    Error refused(std::uint32_t day = today) const {
        const auto result = bundle.check(day);
        EXPECT_FALSE(result.has_value());
        return result ? Error::malformed : result.error();
    }
    SignedPrekey signed_for(const AccountRecord& record, std::uint32_t day) const {
        return SignedPrekey::make(11, b.signed_prekey, day, record, b.device, b.signing);
    }
    AccountRecord next_record() const {
        auto body = b.record.body();
        body.sequence = 2;
        body.previous = b.record.hash();
        return AccountRecord::sign(body, b.account).value();
    }
};

TEST_F(Bundle, AGoodOneIsAccepted) {
    EXPECT_TRUE(bundle.check(today).has_value());
    bundle.one_time_prekey.reset();
    EXPECT_TRUE(bundle.check(today).has_value());
}

TEST_F(Bundle, AgesAtAndPastTheirLimits) {
    const auto day = bundle.signed_prekey.day;
    EXPECT_TRUE(bundle.check(day + 60).has_value());
    EXPECT_EQ(refused(day + 61), Error::stale);
    EXPECT_TRUE(bundle.check(day - 2).has_value());
    EXPECT_EQ(refused(day - 3), Error::stale);
}

TEST_F(Bundle, LastResortKemKeysAgeToo) {
    bundle = b.bundle(false);
    bundle.signed_prekey = signed_for(b.record, today + 70);
    EXPECT_TRUE(bundle.check(bundle.kem_prekey.day + 68).error() == Error::stale);
    bundle.signed_prekey = signed_for(b.record, bundle.kem_prekey.day + 60);
    EXPECT_TRUE(bundle.check(bundle.kem_prekey.day + 60).has_value());
    EXPECT_EQ(refused(bundle.kem_prekey.day + 61), Error::stale);
}

TEST_F(Bundle, OneTimeKemKeysMayLieLong) {
    bundle.signed_prekey = signed_for(b.record, today + 400);
    EXPECT_TRUE(bundle.check(today + 400).has_value());
}

TEST_F(Bundle, AnUnknownDeviceIsRefused) {
    bundle.device = 8;
    EXPECT_EQ(refused(), Error::mismatch);
}

TEST_F(Bundle, KeysOfAnotherDeviceAreRefused) {
    auto body = b.record.body();
    auto other = body.devices[0];
    other.id = 8;
    body.devices.push_back(other);
    const auto record = AccountRecord::sign(body, b.account).value();
    bundle.record = record;
    bundle.signed_prekey = SignedPrekey::make(11, b.signed_prekey, today, record, 8, b.signing);
    EXPECT_EQ(refused(), Error::mismatch);
    bundle.signed_prekey = SignedPrekey::make(11, b.signed_prekey, today, record, 7, b.signing);
    EXPECT_TRUE(bundle.check(today).has_value());
    bundle.kem_prekey = KemPrekey::make(KemPrekeyKind::one_time, 3, b.kem_one_time, today, 8, b.signing);
    EXPECT_EQ(refused(), Error::mismatch);
}

TEST_F(Bundle, AServersOwnKeysAreRefused) {
    SeededRng rng{99};
    const auto servers = DeviceSigningKeyPair::generate(rng);
    bundle.kem_prekey =
        KemPrekey::make(KemPrekeyKind::one_time, 33, KemKeyPair::generate(rng), today, b.device, servers);
    EXPECT_EQ(refused(), Error::bad_signature);
    bundle = b.bundle();
    bundle.signed_prekey =
        SignedPrekey::make(11, SignedPrekeyPair::generate(rng), today, b.record, b.device, servers);
    EXPECT_EQ(refused(), Error::bad_signature);
}

TEST_F(Bundle, AnotherRecordThanThePrekeyNamesIsRefused) {
    auto body = b.record.body();
    body.day += 1;
    bundle.signed_prekey = signed_for(AccountRecord::sign(body, b.account).value(), today);
    EXPECT_EQ(refused(), Error::mismatch) << "the same sequence, other bytes";
}

TEST_F(Bundle, ARecordOlderThanThePrekeyIsStaleAndANewerOneIsFine) {
    const auto newer = next_record();
    bundle.signed_prekey = signed_for(newer, today);
    EXPECT_EQ(refused(), Error::stale) << "the server held the newer record back";
    bundle = b.bundle();
    bundle.record = newer;
    EXPECT_TRUE(bundle.check(today).has_value());
}

TEST_F(Bundle, IdsOfZeroAreRefused) {
    bundle.one_time_prekey->id = 0;
    EXPECT_EQ(refused(), Error::mismatch);
    bundle = b.bundle();
    bundle.signed_prekey = SignedPrekey::make(0, b.signed_prekey, today, b.record, b.device, b.signing);
    EXPECT_EQ(refused(), Error::mismatch);
    bundle = b.bundle();
    bundle.kem_prekey =
        KemPrekey::make(KemPrekeyKind::one_time, 0, b.kem_one_time, today, b.device, b.signing);
    EXPECT_EQ(refused(), Error::mismatch);
}

}  // namespace
}  // namespace sotto::crypto::test
