#include "values.hpp"

#include <array>

#include "sotto/crypto/hash.hpp"
#include "sotto/crypto/keys.hpp"

namespace sotto::vectors {
namespace {

/// In the order in which one call draws them.
constexpr std::array draw_order{"ephemeral_secret", "kem_m", "ratchet_secret", "kem_seed", "salt", "nonce"};

const Json& field_of(const Json& object, const char* field) {
    if (!object.is_object() || !object.contains(field)) throw Mismatch(std::string{field} + ": missing");
    return object.at(field);
}

}  // namespace

Bytes joined(std::initializer_list<ByteView> parts) {
    Bytes out;
    for (const auto part : parts) out.insert(out.end(), part.begin(), part.end());
    return out;
}

Bytes u32(std::uint32_t value) {
    Bytes out;
    crypto::Writer{out}.u32(value);
    return out;
}

std::string text(const Json& object, const char* field) {
    const auto& value = field_of(object, field);
    if (!value.is_string()) throw Mismatch(std::string{field} + ": is no text");
    return value.get<std::string>();
}

Bytes bytes(const Json& object, const char* field) {
    return must(crypto::from_hex(text(object, field)), field);
}

bool flag(const Json& object, const char* field) {
    const auto& value = field_of(object, field);
    if (!value.is_boolean()) throw Mismatch(std::string{field} + ": is neither true nor false");
    return value.get<bool>();
}

std::uint64_t number_up_to(std::uint64_t most, const Json& object, const char* field) {
    const auto& value = field_of(object, field);
    if (!value.is_number_integer() || value < 0 || value.get<std::uint64_t>() > most)
        throw Mismatch(std::string{field} + ": is no number of its range");
    return value.get<std::uint64_t>();
}

void expect(const Json& object, const char* field, ByteView is) {
    if (text(object, field) != hex(is)) throw Mismatch(std::string{field} + ": is another by its definition");
}

void expect_that(bool right, std::string_view what) {
    if (!right) throw Mismatch(std::string{what});
}

void expect_same(const Json& said, const Json& is, const std::string& where) {
    if (said.type() != is.type() && !(said.is_number_integer() && is.is_number_integer()))
        throw Mismatch(where + ": is of another kind");
    if (!said.is_structured()) {
        if (said != is) throw Mismatch(where + ": the library has another value");
        return;
    }
    if (said.size() != is.size()) throw Mismatch(where + ": has another number of fields");
    if (said.is_array()) {
        for (std::size_t i = 0; i < said.size(); ++i)
            expect_same(said[i], is[i], where + "[" + std::to_string(i) + "]");
        return;
    }
    for (const auto& [name, value] : said.items()) {
        if (!is.contains(name)) throw Mismatch(where + "." + name + ": the library has none");
        expect_same(value, is.at(name), where + "." + name);
    }
}

std::string digest(ByteView bytes) {
    return hex(crypto::sha256(bytes));
}

std::string rejection(FixedView<64> seed) {
    const crypto::KemKeyPair pair{crypto::KemSeed{seed}};
    return hex(must(pair.decapsulate(crypto::KemCiphertext{}), "a ciphertext of zeros").expose());
}

Bytes changed(ByteView of, const Json& change) {
    auto out = to_bytes(of);
    if (change.contains("append")) return joined({of, bytes(change, "append")});
    if (change.contains("cut")) {
        out.resize(of.size() - number_up_to(of.size(), change, "cut"));
        return out;
    }
    const auto with = bytes(change, "with");
    expect_that(!with.empty() && with.size() <= of.size(), "with: is not shorter than what it changes");
    std::ranges::copy(
        with, out.begin() + static_cast<std::ptrdiff_t>(number_up_to(of.size() - with.size(), change, "at")));
    return out;
}

Draws::Draws(const Json& given, crypto::Rng* fresh) : fresh_(fresh) {
    if (fresh_ != nullptr || !given.contains("random")) return;
    const auto& random = given.at("random");
    for (const auto* const name : draw_order)
        if (random.contains(name)) drawn_.push_back(vectors::bytes(random, name));
    expect_that(drawn_.size() == random.size(), "random: a name that is not known");
}

void Draws::fill(std::span<std::byte> out) {
    if (fresh_ != nullptr) {
        fresh_->fill(out);
        drawn_.push_back(to_bytes(out));
        return;
    }
    if (next_ == drawn_.size() || drawn_[next_].size() != out.size())
        throw Mismatch("random: more is drawn, or another length");
    std::ranges::copy(drawn_[next_++], out.begin());
}

void Draws::finish(Json& given, const std::vector<const char*>& names) const {
    expect_that(names.size() == drawn_.size(), "random: there are other draws");
    if (fresh_ == nullptr) {
        expect_that(next_ == drawn_.size(), "random: something was not drawn");
        for (const auto* const name : names) expect_that(given.at("random").contains(name), "random: a name");
        return;
    }
    for (std::size_t i = 0; i < names.size(); ++i) given["random"][names[i]] = hex(drawn_[i]);
}

}  // namespace sotto::vectors
