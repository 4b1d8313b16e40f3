// One ciphertext under two keys. Poly1305 is linear in the blocks of the ciphertext once its key is known, so
// two free blocks make its tag right for two keys at once (Len, Grubbs, Ristenpart 2021; Dodis et al. 2018).
#include <openssl/bn.h>

#include <memory>
#include <optional>

#include "bare.hpp"
#include "forge.hpp"

namespace sotto::audit {
namespace {

struct Free {
    void operator()(BIGNUM* number) const { BN_clear_free(number); }
    void operator()(BN_CTX* context) const { BN_CTX_free(context); }
};
using Number = std::unique_ptr<BIGNUM, Free>;

constexpr std::size_t block = 16;

Number power_of_two(int exponent) {
    Number out{BN_new()};
    BN_set_bit(out.get(), exponent);
    return out;
}
Number little_endian(ByteView bytes) {
    return Number{BN_lebin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                              static_cast<int>(bytes.size()), nullptr)};
}

/// Arithmetic modulo 2^130 − 5, by OpenSSL.
class Field {
  public:
    Field() : context_(BN_CTX_new()), prime_(power_of_two(130)) { BN_sub_word(prime_.get(), 5); }
    Number add(const Number& a, const Number& b) const {
        Number out{BN_new()};
        BN_mod_add(out.get(), a.get(), b.get(), prime_.get(), context_.get());
        return out;
    }
    Number subtract(const Number& a, const Number& b) const {
        Number out{BN_new()};
        BN_mod_sub(out.get(), a.get(), b.get(), prime_.get(), context_.get());
        return out;
    }
    Number multiply(const Number& a, const Number& b) const {
        Number out{BN_new()};
        BN_mod_mul(out.get(), a.get(), b.get(), prime_.get(), context_.get());
        return out;
    }
    Number inverse(const Number& a) const {
        return Number{BN_mod_inverse(nullptr, a.get(), prime_.get(), context_.get())};
    }

  private:
    std::unique_ptr<BN_CTX, Free> context_;
    Number prime_;
};

/// What Poly1305 makes of the blocks under one key: first·x + second·y + rest, x and y being the free blocks.
struct Equation {
    Number first;
    Number second;
    Number rest;
    Number s;
};

/// The blocks as Poly1305 reads them: the ciphertext padded with zeros, then both lengths.
std::vector<Bytes> blocks_of(ByteView ciphertext) {
    std::vector<Bytes> out;
    for (std::size_t at = 0; at < ciphertext.size(); at += block) {
        auto piece = to_bytes(ciphertext.subspan(at, std::min(block, ciphertext.size() - at)));
        piece.resize(block);
        out.push_back(std::move(piece));
    }
    Bytes lengths(block);
    for (std::size_t i = 0; i < 8; ++i) lengths[8 + i] = static_cast<std::byte>(ciphertext.size() >> (8 * i));
    out.push_back(std::move(lengths));
    return out;
}

Equation equation_of(const Field& field, FixedView<32> key, ByteView ciphertext, std::size_t free_block) {
    auto poly_key = bare::chacha20_stream(key, 32);
    for (const std::size_t i : {3U, 7U, 11U, 15U}) poly_key[i] &= std::byte{0x0f};
    for (const std::size_t i : {4U, 8U, 12U}) poly_key[i] &= std::byte{0xfc};
    const auto r = little_endian(ByteView{poly_key}.first(16));
    const auto blocks = blocks_of(ciphertext);
    Equation out{nullptr, nullptr, little_endian({}), little_endian(ByteView{poly_key}.subspan(16))};
    Number factor{BN_dup(r.get())};
    for (std::size_t i = blocks.size(); i-- > 0; factor = field.multiply(factor, r)) {
        if (i == free_block) {
            out.first.reset(BN_dup(factor.get()));
        } else if (i == free_block + 1) {
            out.second.reset(BN_dup(factor.get()));
        } else {
            const auto value = field.add(little_endian(blocks[i]), power_of_two(128));
            out.rest = field.add(out.rest, field.multiply(value, factor));
        }
    }
    return out;
}

/// The sum that gives the tag under this key, in one of the four ways that are the same modulo 2^128.
Number sum_for(const Field& field, const Equation& equation, const Number& tag, unsigned way) {
    Number sum{BN_dup(tag.get())};
    if (BN_cmp(sum.get(), equation.s.get()) < 0) BN_add(sum.get(), sum.get(), power_of_two(128).get());
    BN_sub(sum.get(), sum.get(), equation.s.get());
    for (unsigned i = 0; i < way; ++i) BN_add(sum.get(), sum.get(), power_of_two(128).get());
    return field.subtract(sum, equation.rest);
}

/// A block is 128 bits and the bit above them.
bool is_block(const Number& number) {
    return BN_num_bits(number.get()) == 129;
}

void put_block(const Number& number, std::span<std::byte> out) {
    Number low{BN_dup(number.get())};
    BN_mask_bits(low.get(), 128);
    BN_bn2lebinpad(low.get(), reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(block));
}

}  // namespace

Bytes opens_under_both(FixedView<32> first_key, FixedView<32> second_key, ByteView first, std::size_t size) {
    Bytes sealed(size + block);
    const auto ciphertext = std::span{sealed}.first(size);
    const auto stream = bare::chacha20_stream(first_key, 64 + block);
    for (std::size_t i = 0; i < first.size(); ++i) ciphertext[i] = first[i] ^ stream[64 + i];
    constexpr std::size_t free_block = 1;
    const Field field;
    const auto a = equation_of(field, first_key, ciphertext, free_block);
    const auto b = equation_of(field, second_key, ciphertext, free_block);
    const auto determinant =
        field.inverse(field.subtract(field.multiply(a.first, b.second), field.multiply(b.first, a.second)));
    for (std::uint64_t attempt = 1; attempt < 10'000; ++attempt) {
        Bytes tag(block);
        for (std::size_t i = 0; i < 8; ++i)
            tag[i] = static_cast<std::byte>(attempt * 0x9e3779b97f4a7c15U >> (8 * i));
        const auto wanted = little_endian(tag);
        for (unsigned way = 0; way < 9; ++way) {
            const auto sum_a = sum_for(field, a, wanted, way / 3);
            const auto sum_b = sum_for(field, b, wanted, way % 3);
            const auto x = field.multiply(
                field.subtract(field.multiply(sum_a, b.second), field.multiply(sum_b, a.second)),
                determinant);
            const auto y = field.multiply(
                field.subtract(field.multiply(a.first, sum_b), field.multiply(b.first, sum_a)), determinant);
            if (!is_block(x) || !is_block(y)) continue;
            put_block(x, ciphertext.subspan(free_block * block, block));
            put_block(y, ciphertext.subspan((free_block + 1) * block, block));
            std::ranges::copy(tag, sealed.begin() + static_cast<std::ptrdiff_t>(size));
            return sealed;
        }
    }
    throw std::runtime_error("no ciphertext for two keys was found");
}

}  // namespace sotto::audit
