// Records fetched from the address that they claim, and compared link by link with the pinned one.
#pragma once

#include "deliveries.hpp"
#include "key_change.hpp"

namespace sotto::client {

/// Sequence and hash of a record that was verified when it was pinned.
struct RecordMark {
    std::uint64_t sequence = 0;
    crypto::RecordHash hash{};
};
[[nodiscard]] RecordMark mark_of(ByteView pinned_record);

/// How a row of fetched records stands to a base: each has to follow the one before.
class RecordLine {
  public:
    explicit RecordLine(crypto::AccountRecord base) : newest_(std::move(base)) {}
    /// The base itself, or successors in order. Anything else: what it is, and the line stays as it was.
    [[nodiscard]] crypto::RecordChange add(const crypto::AccountRecord& record);
    [[nodiscard]] const crypto::AccountRecord& newest() const { return newest_; }
    [[nodiscard]] bool seen() const { return seen_; }

  private:
    crypto::AccountRecord newest_;
    bool seen_ = false;
};

class RecordChecks {
  public:
    RecordChecks(Core& core, Deliveries& deliveries) : core_(&core), deliveries_(&deliveries) {}

    /// Contacts whose claim has not been compared yet, or whose other record is still to be fetched.
    void load();
    /// Fetches what the contact's server holds from the pinned record on.
    void check(std::int64_t contact);
    /// What is asked about a contact has been answered by a person.
    void forget(std::int64_t contact);
    /// A handshake came in a contact's name under another account key: does the address confirm it?
    void check_other(std::int64_t contact, crypto::AccountRecord presented, Array<32> token);

    void pump();
    [[nodiscard]] std::optional<std::int64_t> next_deadline() const;
    /// Nothing is in flight or could be sent now.
    [[nodiscard]] bool idle() const;
    /// Contacts whose pinned record or state has changed since the last call.
    [[nodiscard]] std::vector<std::int64_t> take_changed() { return std::exchange(changed_, {}); }

  private:
    struct Check {
        std::int64_t contact = 0;
        std::optional<crypto::AccountRecord> presented;  ///< only for another key
        Array<32> token{};                               ///< with `presented`
        std::unique_ptr<RecordLine> line;                ///< null before the first question
        std::int64_t not_before = 0;
        Backoff backoff;
        bool in_flight = false;
        bool shared_refused = false;
        bool warned = false;
    };
    void ask(Check& check, const storage::Contact& contact);
    void answered(std::int64_t contact, bool other, const wire::Reply* reply);
    void refused(Check& check, const storage::Contact& contact, const wire::Failure& failure);
    /// True if the line is at its end.
    bool take(Check& check, const storage::Contact& contact, const wire::Records& records);
    void mismatch(Check& check, storage::Contact contact, crypto::RecordChange change, ByteView record);
    void confirmed(const Check& check, storage::Contact contact);
    void later(Check& check, std::int64_t at_least);
    Check* find(std::int64_t contact, bool other);
    void erase(std::int64_t contact, bool other);
    [[nodiscard]] static std::unique_ptr<RecordLine> line_from(const Check& check,
                                                               const storage::Contact& contact);

    Core* core_;
    Deliveries* deliveries_;
    std::vector<Check> checks_;
    std::vector<std::int64_t> changed_;
};

}  // namespace sotto::client
