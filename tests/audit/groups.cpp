#include "groups.hpp"

#include <algorithm>

namespace sotto::audit {

const std::vector<Group>& all_groups() {
    static const std::vector<Group> groups{
        {"primitives", "published answers of the primitives that Sotto calls", primitive_checks()},
        {"kem", "ML-KEM-768, and X-Wing of the same library", kem_checks()},
        {"handshake", "PQXDH with a hidden initiator", handshake_checks()},
        {"ratchet", "the double ratchet with encrypted headers", ratchet_checks()},
        {"envelope", "what a message looks like on the wire", envelope_checks()},
        {"store", "vault and database on a temporary folder", store_checks()},
        {"attacks", "published attacks, carried out", attack_checks()},
        {flow_group, "no branch and no index on a secret, under Valgrind", flow_checks()},
        {wiping_group, "dead keys, looked for in this process's own memory", wiping_checks()},
    };
    return groups;
}

const Group* group_called(std::string_view name) {
    const auto& groups = all_groups();
    const auto found = std::ranges::find(groups, name, &Group::name);
    return found == groups.end() ? nullptr : &*found;
}

}  // namespace sotto::audit
