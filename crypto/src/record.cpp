#include "sotto/crypto/record.hpp"

#include "labels.hpp"
#include "sotto/crypto/codec.hpp"

namespace sotto::crypto {
namespace {

constexpr std::size_t min_address_size = 4;
constexpr std::size_t max_versions = 8;
constexpr std::size_t max_extensions = 32;
constexpr std::size_t max_extension_size = 0xffff;

/// No two equal and each above the one before.
template <class Range, class Projection>
bool ascending(const Range& range, Projection projection) {
    return std::ranges::adjacent_find(range, std::ranges::greater_equal{}, projection) == range.end();
}

bool valid_versions(const std::vector<std::uint8_t>& versions) {
    return !versions.empty() && versions.size() <= max_versions && versions.front() != 0 &&
           ascending(versions, std::identity{});
}

/// The rules of the layout that don't depend on a signature.
Result<void> check_shape(const RecordBody& body) {
    const auto address = body.address.text();
    const bool shaped =
        address.size() <= max_address_size && valid_user_name(body.address.user) &&
        valid_server_name(body.address.server) && body.sequence >= 1 &&
        (body.sequence == 1) == (body.previous == RecordHash{}) &&
        (!body.predecessor || body.predecessor->key != body.account_key) && !body.devices.empty() &&
        body.devices.size() <= max_devices && body.devices.front().id != 0 &&
        ascending(body.devices, &Device::id) &&
        std::ranges::all_of(body.devices, [](const Device& d) { return valid_versions(d.versions); }) &&
        body.extensions.size() <= max_extensions && ascending(body.extensions, &Extension::type) &&
        std::ranges::all_of(body.extensions,
                            [](const Extension& e) { return e.value.size() <= max_extension_size; });
    if (!shaped) return std::unexpected(Error::malformed);
    // No critical extension is known yet.
    if (std::ranges::any_of(body.extensions,
                            [](const Extension& e) { return (e.type & critical_extension) != 0; }))
        return std::unexpected(Error::unsupported);
    return {};
}

Bytes succession(const AccountKey& key, const Address& address) {
    Bytes out;
    Writer writer{out};
    writer.raw(key.encode());
    writer.raw(bytes_of(address.text()));
    return out;
}

bool succession_verifies(const RecordBody& body) {
    return !body.predecessor || body.predecessor->key.verify(labels::account_succession,
                                                             succession(body.account_key, body.address),
                                                             body.predecessor->signature);
}

Bytes encode(const RecordBody& body) {
    Bytes out;
    Writer writer{out};
    const auto address = body.address.text();
    writer.u8(record_format);
    writer.u16(static_cast<std::uint16_t>(address.size()));
    writer.raw(bytes_of(address));
    writer.u64(body.sequence);
    writer.raw(body.previous);
    writer.u32(body.day);
    writer.raw(body.account_key.encode());
    writer.u8(body.predecessor ? 1 : 0);
    if (body.predecessor) {
        writer.raw(body.predecessor->key.encode());
        writer.raw(body.predecessor->signature);
    }
    writer.u8(static_cast<std::uint8_t>(body.devices.size()));
    for (const auto& device : body.devices) {
        writer.u32(device.id);
        writer.raw(device.signing_key.encode());
        writer.raw(device.identity_key.encode());
        writer.u8(static_cast<std::uint8_t>(device.versions.size()));
        for (const auto version : device.versions) writer.u8(version);
    }
    writer.u16(static_cast<std::uint16_t>(body.extensions.size()));
    for (const auto& extension : body.extensions) {
        writer.u16(extension.type);
        writer.u16(static_cast<std::uint16_t>(extension.value.size()));
        writer.raw(extension.value);
    }
    return out;
}

Result<std::optional<Predecessor>> read_predecessor(Reader& reader) {
    const auto present = reader.u8();
    if (present > 1) return std::unexpected(Error::malformed);
    if (present == 0) return std::optional<Predecessor>{};
    const auto key = AccountKey::decode(reader.take(encoded_key_size));
    const auto signature = reader.array<signature_size>();
    if (!reader.ok()) return std::unexpected(Error::malformed);
    if (!key) return std::unexpected(key.error());
    return Predecessor{*key, signature};
}

Result<Device> read_device(Reader& reader) {
    const auto id = reader.u32();
    const auto signing = reader.take(encoded_key_size);
    const auto identity = reader.take(encoded_key_size);
    const auto count = reader.u8();
    const auto versions = reader.take(count);
    if (!reader.ok()) return std::unexpected(Error::malformed);
    const auto signing_key = DeviceSigningKey::decode(signing);
    const auto identity_key = IdentityKey::decode(identity);
    if (!signing_key || !identity_key) return std::unexpected(Error::bad_key);
    Device device{id, *signing_key, *identity_key, {}};
    for (const auto version : versions) device.versions.push_back(std::to_integer<std::uint8_t>(version));
    return device;
}

/// Everything before the signature; shape and keys are checked, signatures are not.
Result<RecordBody> read_body(Reader& reader) {
    const auto format = reader.u8();
    if (!reader.ok()) return std::unexpected(Error::malformed);
    if (format != record_format) return std::unexpected(Error::unsupported);
    const auto address_size = reader.u16();
    if (address_size < min_address_size || address_size > max_address_size)
        return std::unexpected(Error::malformed);
    auto address = Address::parse(chars_of(reader.take(address_size)));
    if (!address) return std::unexpected(Error::malformed);
    const auto sequence = reader.u64();
    const auto previous = reader.array<32>();
    const auto day = reader.u32();
    const auto encoded_key = reader.take(encoded_key_size);
    if (!reader.ok()) return std::unexpected(Error::malformed);
    const auto account_key = AccountKey::decode(encoded_key);
    if (!account_key) return std::unexpected(account_key.error());
    auto predecessor = read_predecessor(reader);
    if (!predecessor) return std::unexpected(predecessor.error());
    RecordBody body{std::move(*address), sequence, previous, day, *account_key, *predecessor, {}, {}};

    const auto devices = reader.u8();
    if (devices > max_devices) return std::unexpected(Error::malformed);
    for (unsigned i = 0; i < devices; ++i) {
        auto device = read_device(reader);
        if (!device) return std::unexpected(device.error());
        body.devices.push_back(std::move(*device));
    }
    const auto extensions = reader.u16();
    if (extensions > max_extensions) return std::unexpected(Error::malformed);
    for (unsigned i = 0; i < extensions; ++i) {
        const auto type = reader.u16();
        const auto size = reader.u16();
        body.extensions.push_back({type, to_bytes(reader.take(size))});
    }
    if (!reader.ok()) return std::unexpected(Error::malformed);
    if (const auto shape = check_shape(body); !shape) return std::unexpected(shape.error());
    return body;
}

}  // namespace

AccountRecord::AccountRecord(RecordBody body, Bytes bytes)
    : body_(std::move(body)), bytes_(std::move(bytes)), hash_(crypto::hash(labels::record_hash, {bytes_})) {}

Result<AccountRecord> AccountRecord::sign(const RecordBody& body, const AccountKeyPair& key) {
    if (body.account_key != key.public_key()) return std::unexpected(Error::malformed);
    if (const auto shape = check_shape(body); !shape) return std::unexpected(shape.error());
    auto bytes = encode(body);
    const auto signature = key.sign(labels::account_record, bytes);
    bytes.insert(bytes.end(), signature.begin(), signature.end());
    return parse(bytes);
}

Result<AccountRecord> AccountRecord::parse(ByteView bytes) {
    if (bytes.size() > max_record_size) return std::unexpected(Error::malformed);
    Reader reader{bytes};
    auto body = read_body(reader);
    if (!body) return std::unexpected(body.error());
    const auto signed_size = bytes.size() - reader.remaining().size();
    const auto signature = reader.array<signature_size>();
    if (!reader.finish()) return std::unexpected(Error::malformed);
    if (!succession_verifies(*body)) return std::unexpected(Error::bad_signature);
    if (!body->account_key.verify(labels::account_record, bytes.first(signed_size), signature))
        return std::unexpected(Error::bad_signature);
    return AccountRecord{std::move(*body), to_bytes(bytes)};
}

Signature sign_succession(const AccountKeyPair& predecessor, const AccountKey& successor,
                          const Address& address) {
    return predecessor.sign(labels::account_succession, succession(successor, address));
}

const Device* AccountRecord::device(std::uint32_t id) const {
    const auto found = std::ranges::find(body_.devices, id, &Device::id);
    return found == body_.devices.end() ? nullptr : &*found;
}

RecordChange compare(const AccountRecord& pinned, const AccountRecord& next) {
    const auto& was = pinned.body();
    const auto& is = next.body();
    if (was.address != is.address) return RecordChange::other_address;
    if (was.account_key != is.account_key) return RecordChange::other_key;
    if (is.sequence < was.sequence) return RecordChange::older;
    if (is.sequence == was.sequence)
        return pinned.hash() == next.hash() ? RecordChange::same : RecordChange::conflict;
    if (is.sequence - was.sequence > 1) return RecordChange::gap;
    return is.previous == pinned.hash() ? RecordChange::successor : RecordChange::conflict;
}

}  // namespace sotto::crypto
