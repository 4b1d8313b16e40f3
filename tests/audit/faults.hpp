// Faults that a self-test puts beneath the library. The program is linked so that the library's calls of some
// functions of libsodium go through wraps.cpp; without a fault these do nothing but pass them on.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sotto::audit {

enum class Fault : std::uint8_t {
    none,
    tags_ignored,         ///< both AEADs open whatever they are given
    comparisons_equal,    ///< every comparison in constant time says equal
    zero_agreements,      ///< an all-zero agreement is not reported
    signatures_ignored,   ///< every signature is right
    points_unchecked,     ///< every Ed25519 key is valid
    kem_constant,         ///< encapsulation and decapsulation give zeros
    passphrase_ignored,   ///< every passphrase gives the same key
    wiping_left_out,      ///< what should be wiped is not
    random_repeats,       ///< the generator always gives the same
    comparison_branches,  ///< comparing ends at the first byte that differs
    comparison_indexes,   ///< comparing looks secrets up in a table
};
[[nodiscard]] std::string_view name(Fault fault);
[[nodiscard]] std::optional<Fault> fault_called(std::string_view name);

[[nodiscard]] Fault active_fault();

/// One fault at a time, for as long as this lives.
class WithFault {
  public:
    explicit WithFault(Fault fault);
    WithFault(const WithFault&) = delete;
    WithFault& operator=(const WithFault&) = delete;
    ~WithFault();
};

}  // namespace sotto::audit
