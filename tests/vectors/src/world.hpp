// The kinds of vector files and what their makers share.
//
// A file is `about` and `cases`; a case is `name`, `given` and `derived`. What is derived comes from the
// library's own code, the same way when a file is made and when it is verified: a maker only fills in the
// randomness that is missing from `given`. Besides, each value that is one call of a primitive away from
// others is checked against its definition.
#pragma once

#include <map>
#include <span>

#include "person.hpp"

namespace sotto::vectors {

using Files = std::map<std::string, Json>;

class World {
  public:
    /// `fresh` null: nothing is drawn, all randomness is given.
    World(const Files& files, crypto::Rng* fresh) : files_(&files), fresh_(fresh) {}
    [[nodiscard]] crypto::Rng* fresh() const { return fresh_; }
    /// A file that comes before this one.
    [[nodiscard]] const Json& file(const std::string& name) const;
    /// Somebody of people.json.
    [[nodiscard]] Person person(const std::string& name) const;

  private:
    const Files* files_;
    crypto::Rng* fresh_;
};

struct Kind {
    const char* name;
    const char* about;
    /// The cases as a maker begins them, each with `name` and `given`; what is random may be missing.
    Json (*cases)(const World& world);
    /// What follows from `given`.
    Json (*derive)(Json& given, const World& world);
    /// The definitions of docs/protocol.md, one by one.
    void (*check)(const Json& given, const Json& derived, const World& world);
};

[[nodiscard]] Json new_case(const char* name, Json given);

/// In the order in which they build on each other.
[[nodiscard]] std::span<const Kind> kinds();

extern const Kind people_kind;
extern const Kind record_kind;
extern const Kind prekey_kind;
extern const Kind handshake_kind;
extern const Kind epoch_kind;
extern const Kind ratchet_kind;
extern const Kind envelope_kind;
extern const Kind attachment_kind;
extern const Kind invite_kind;
extern const Kind login_kind;
extern const Kind safety_number_kind;
extern const Kind passphrase_kind;
extern const Kind link_kind;

}  // namespace sotto::vectors
