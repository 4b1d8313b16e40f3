// What a person says of a contact's keys: compared, accepted, refused. Each is one transaction, and needs no
// connection.
#pragma once

#include "outbox.hpp"
#include "sotto/client/verification.hpp"

namespace sotto::client {

class Verification {
  public:
    Verification(Core& core, RecordChecks& checks, Outbox& outbox)
        : core_(&core), checks_(&checks), outbox_(&outbox) {}

    [[nodiscard]] Result<SafetyNumbers> numbers(std::int64_t contact);
    /// Nothing, or why not.
    [[nodiscard]] std::optional<Error> verify(std::int64_t contact, const Comparison& comparison);
    [[nodiscard]] std::optional<Error> accept(std::int64_t contact, const Comparison& comparison);
    [[nodiscard]] std::optional<Error> reject(std::int64_t contact);

  private:
    [[nodiscard]] std::string number_of(ByteView record) const;
    [[nodiscard]] std::optional<Error> undecided(const storage::Contact& contact,
                                                 const Comparison& comparison);
    void replace_key(storage::Contact& contact, storage::Verified verified, Standing before);

    Core* core_;
    RecordChecks* checks_;
    Outbox* outbox_;
};

}  // namespace sotto::client
