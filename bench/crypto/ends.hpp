// One end of a session as the client's engine keeps it, without the database: the state in memory, replaced
// by what each step returns, and the kept keys in a table of their own.
#pragma once

#include <map>
#include <utility>

#include "sotto/crypto/session.hpp"
#include "tests/audit/people.hpp"

namespace sotto::bench {

using audit::must;
using audit::now_ms;

class End {
  public:
    using Keys = std::map<std::pair<std::uint32_t, std::uint32_t>, crypto::MessageKey>;

    explicit End(crypto::Session session) : session_(std::move(session)) {}
    explicit End(crypto::Opened first) : session_(std::move(first.next)) {}

    [[nodiscard]] Bytes seal(ByteView content);
    /// The content. Throws if the envelope doesn't open.
    crypto::SecretBytes open(ByteView envelope);
    /// Opens what `find` has found in this end's session.
    crypto::SecretBytes open(const crypto::Envelope& envelope, const crypto::Match& match);

    [[nodiscard]] const crypto::Session& session() const { return session_; }
    [[nodiscard]] const Keys& keys() const { return keys_; }
    [[nodiscard]] End copy() const;

  private:
    void store(crypto::Opened& opened);

    crypto::Session session_;
    Keys keys_;
};

/// A content of 256 bytes.
[[nodiscard]] const Bytes& content();

struct Pair {
    End alice;
    End bob;
    /// A message each way; both turn.
    void round_trip();
};

/// Two people whose first post-quantum epoch has begun; nothing of the next is under way, and it won't be due
/// for 20 messages.
[[nodiscard]] Pair acquainted();

/// The generator that applications use.
[[nodiscard]] crypto::SystemRng& system_rng();

}  // namespace sotto::bench
