// One byte stream between two devices, under a key that they exchanged inside their session.
// docs/protocol.md section 16.2.
#pragma once

#include <optional>
#include <vector>

#include "sotto/crypto/error.hpp"
#include "sotto/crypto/hash.hpp"
#include "sotto/crypto/keys.hpp"
#include "sotto/crypto/random.hpp"
#include "sotto/crypto/record.hpp"

namespace sotto::crypto {

struct DirectSecretTag;
/// What each side contributes, fresh for each attempt.
using DirectSecret = Secret<DirectSecretTag, 32>;
struct DirectKeyTag;
/// Of one attempt; the keys of each of its streams derive from it.
using DirectKey = Secret<DirectKeyTag, 32>;
using DirectAttempt = Array<16>;  ///< random, chosen by the offerer

enum class DirectRole : std::uint8_t { offerer = 1, answerer = 2 };

/// One of the two devices.
struct DirectEnd {
    Address address;
    std::uint32_t device = 0;
};

[[nodiscard]] DirectKey derive_direct_key(const DirectAttempt& attempt, const DirectSecret& offered,
                                          const DirectSecret& answered, const DirectEnd& offerer,
                                          const DirectEnd& answerer);

inline constexpr std::size_t direct_flight_size = 64;          ///< bytes: a nonce and a tag; one each way
inline constexpr std::size_t max_direct_frame = 384UL * 1024;  ///< bytes of plaintext in one frame
inline constexpr std::size_t direct_frame_overhead = 21;       ///< bytes: length (4), type and tag (17)

/// A stream from its first byte. Whoever opened it speaks first, and the other stays silent until it has
/// seen that the opener holds the key: a stranger's connection gets no answer. Errors are final: the stream
/// must be closed.
class DirectStream {
  public:
    /// `self` is this side's role in the attempt. `out`: what to send at once.
    [[nodiscard]] static DirectStream open(const DirectKey& key, DirectRole self, Rng& rng, Bytes& out);
    [[nodiscard]] static DirectStream accept(const DirectKey& key, DirectRole self, Rng& rng);

    struct Taken {
        std::vector<SecretBytes> frames;  ///< whole ones, in order
        Bytes reply;                      ///< to be sent at once, ahead of anything else
    };
    /// Takes bytes in as they come. Errors: cannot_open (the other side doesn't hold the key, or something
    /// was changed, repeated or left out), too_large.
    [[nodiscard]] Result<Taken> take(ByteView bytes);
    /// The other side has shown that it holds the key: frames may be sent.
    [[nodiscard]] bool proven() const { return phase_ == Phase::proven; }
    /// Throws std::logic_error before `proven()`, std::invalid_argument for an empty frame or one over
    /// `max_direct_frame`.
    [[nodiscard]] Bytes seal(ByteView frame);

  private:
    enum class Phase : std::uint8_t { opened, accepting, confirming, proven, failed };
    /// libsodium's secretstream, one direction.
    struct StateTag;
    using State = Secret<StateTag, 52>;

    DirectStream(const DirectKey& key, DirectRole opener, Phase phase) noexcept
        : key_(key.clone()), opener_(opener), phase_(phase) {}
    // Each takes off the front of `rest`; false: a whole one isn't there yet.
    [[nodiscard]] Result<void> take_all(ByteView& rest, Taken& out);
    [[nodiscard]] bool take_flight(ByteView& rest, Taken& out);
    [[nodiscard]] Result<bool> take_frame(ByteView& rest, Taken& out);
    /// Of the flight or frame that `in_` begins, as far as it says so yet.
    [[nodiscard]] std::size_t whole_size() const;
    [[nodiscard]] std::unexpected<Error> failed(Error error);
    [[nodiscard]] Array<32> tag(bool first) const;
    void begin(bool as_opener);
    [[nodiscard]] Bytes push(ByteView frame);

    DirectKey key_;
    DirectRole opener_;
    Phase phase_;
    Array<32> first_nonce_{};
    Array<32> second_nonce_{};
    State sending_;
    State receiving_;
    Bytes in_;  ///< the beginning of a flight or frame
};

}  // namespace sotto::crypto
