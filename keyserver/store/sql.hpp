// The one way from the stores to the database: a failure is sticky for the rest of the transaction
// (core/stores.hpp).
#pragma once

#include <optional>
#include <string_view>

#include "sotto/storage/database.hpp"

namespace sotto::keyserver {

class Sql {
  public:
    explicit Sql(storage::Database& db) : db_(&db) {}

    /// Prepares and binds.
    template <class... Values>
    [[nodiscard]] storage::Statement query(std::string_view sql, const Values&... values) {
        auto statement = db_->prepare(sql);
        statement.bind_all(values...);
        return statement;
    }
    /// True while there is a row and nothing has failed.
    [[nodiscard]] bool step(storage::Statement& statement) {
        if (failure_) return false;
        const auto row = statement.step();
        if (!row) fail(row.error());
        return row.value_or(false);
    }
    /// Runs a statement that answers with no rows; the number of rows that it changed.
    template <class... Values>
    std::int64_t run(std::string_view sql, const Values&... values) {
        if (failure_) return 0;
        auto statement = query(sql, values...);
        const auto done = statement.run();
        if (!done) {
            fail(done.error());
            return 0;
        }
        return db_->changes();
    }
    [[nodiscard]] std::int64_t last_insert_id() const { return failure_ ? 0 : db_->last_insert_id(); }

    void fail(const storage::Error& error) {
        if (!failure_) failure_ = error;
    }
    /// A column that is not what was written there.
    void damaged(std::string_view what) {
        fail({.code = storage::Code::damaged, .detail = "unexpected value in " + std::string{what}});
    }
    [[nodiscard]] const std::optional<storage::Error>& failure() const { return failure_; }
    void forget_failure() { failure_.reset(); }

  private:
    storage::Database* db_;
    std::optional<storage::Error> failure_;
};

}  // namespace sotto::keyserver
