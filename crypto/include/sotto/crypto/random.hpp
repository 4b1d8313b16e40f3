// Randomness is handed in, so that protocol logic can be run again byte for byte.
#pragma once

#include "sotto/crypto/bytes.hpp"
#include "sotto/crypto/secret.hpp"

namespace sotto::crypto {

class Rng {
  public:
    virtual ~Rng() = default;
    /// Fills all of `out` with bytes that nobody can predict.
    virtual void fill(std::span<std::byte> out) = 0;

    template <std::size_t N>
    [[nodiscard]] Array<N> bytes() {
        Array<N> out;
        fill(out);
        return out;
    }
    template <class SecretType>
    [[nodiscard]] SecretType secret() {
        SecretType out;
        fill(out.writable());
        return out;
    }
    /// Uniform in [0, bound); bound > 0. Used for jitter, not for keys.
    [[nodiscard]] std::uint64_t below(std::uint64_t bound);

  protected:
    Rng() = default;
    Rng(const Rng&) = default;
    Rng& operator=(const Rng&) = default;
};

/// The operating system's generator (libsodium randombytes_buf). Safe from any thread.
class SystemRng final : public Rng {
  public:
    SystemRng();
    void fill(std::span<std::byte> out) override;
};

/// A stream determined by its seed (libsodium randombytes_buf_deterministic, ChaCha20), for tests, vectors
/// and simulation only.
class SeededRng final : public Rng {
  public:
    explicit SeededRng(std::uint64_t seed);
    void fill(std::span<std::byte> out) override;

  private:
    Array<32> seed_{};
    std::uint64_t counter_ = 0;
};

}  // namespace sotto::crypto
