#include "presence_dummies.hpp"

#include <bit>
#include <charconv>

#include "sotto/crypto/codec.hpp"

namespace sotto::client {
namespace {

constexpr std::string_view seed_setting = "presence dummies";  ///< "DAY KEY", the key in hexadecimal
constexpr std::size_t smallest_batch = 8;

}  // namespace

crypto::PresenceKey PresenceDummies::key(std::string_view place, std::size_t index) const {
    return crypto::presence_dummy_key(seed_, bytes_of(place), static_cast<std::uint32_t>(index));
}

crypto::PresenceWriteSecret PresenceDummies::write_secret() const {
    return crypto::presence_dummy_write_secret(seed_);
}

std::size_t PresenceDummies::wanted_beside(std::size_t contacts) {
    return contacts == 0 ? 0 : std::bit_ceil(std::max(contacts, smallest_batch)) - contacts;
}

void PresenceDummySeed::read() {
    auto text = must(store_->setting(seed_setting)).value_or("");
    const auto space = text.find(' ');
    std::uint32_t of = 0;
    if (space != std::string::npos &&
        std::from_chars(text.data(), text.data() + space, of).ptr == text.data() + space) {
        auto bytes = crypto::from_hex(std::string_view{text}.substr(space + 1));
        if (bytes && bytes->size() == crypto::PresenceKey::size) {
            key_.emplace(ByteView{*bytes}.first<crypto::PresenceKey::size>());
            day_ = of;
        }
        if (bytes) crypto::wipe(bytes->data(), bytes->size());
    }
    crypto::wipe(text.data(), text.size());
}

void PresenceDummySeed::write() {
    if (!key_) return;
    auto hex = crypto::to_hex(key_->expose());
    auto text = std::to_string(day_) + ' ';
    text.reserve(text.size() + hex.size());
    text += hex;
    must(store_->put_setting(seed_setting, text));
    crypto::wipe(text.data(), text.size());
    crypto::wipe(hex.data(), hex.size());
}

void PresenceDummySeed::prepare(std::uint32_t today, crypto::Rng& rng) {
    if (!key_) read();
    const auto oldest = today - std::min(today, presence_days_kept);
    if (key_ && day_ >= oldest && day_ <= today) return;
    auto next = key_ ? crypto::presence_key_at(*key_, day_, oldest) : std::nullopt;
    key_ = next ? std::move(*next) : crypto::PresenceKey{rng.bytes<crypto::PresenceKey::size>()};
    day_ = oldest;
    write();
}

std::optional<PresenceDummies> PresenceDummySeed::on(std::uint32_t which) const {
    auto key = key_ ? crypto::presence_key_at(*key_, day_, which) : std::nullopt;
    if (!key) return std::nullopt;
    return PresenceDummies{std::move(*key)};
}

}  // namespace sotto::client
