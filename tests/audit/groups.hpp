// Every group, in the order in which they are run and shown.
#pragma once

#include "check.hpp"

namespace sotto::audit {

[[nodiscard]] std::span<const Definition> primitive_checks();
[[nodiscard]] std::span<const Definition> kem_checks();
[[nodiscard]] std::span<const Definition> handshake_checks();
[[nodiscard]] std::span<const Definition> ratchet_checks();
[[nodiscard]] std::span<const Definition> envelope_checks();
[[nodiscard]] std::span<const Definition> store_checks();
[[nodiscard]] std::span<const Definition> attack_checks();
[[nodiscard]] std::span<const Definition> flow_checks();  ///< to be run under Valgrind
[[nodiscard]] std::span<const Definition> wiping_checks();

[[nodiscard]] const std::vector<Group>& all_groups();
[[nodiscard]] const Group* group_called(std::string_view name);

inline constexpr std::string_view flow_group = "constant-flow";
inline constexpr std::string_view wiping_group = "wiping";

}  // namespace sotto::audit
