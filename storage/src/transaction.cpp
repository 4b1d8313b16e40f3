#include <stdexcept>

#include "connection.hpp"

namespace sotto::storage {

Transaction::Transaction(Database& db) : connection_(db.connection_.get()) {
    // IMMEDIATE: whether somebody else writes is known now, not in the middle.
    if (connection_->depth == 0) {
        connection_->doomed.reset();
        auto begun = connection_->execute("BEGIN IMMEDIATE");
        if (!begun) connection_->doomed = std::move(begun.error());
    }
    ++connection_->depth;
}

Transaction::~Transaction() {
    if (done_) return;
    --connection_->depth;
    connection_->rollback();
    if (connection_->depth == 0)
        connection_->doomed.reset();
    else if (!connection_->doomed)
        connection_->doomed = Error{.code = Code::io, .detail = "a part of the transaction was given up"};
}

Result<void> Transaction::commit() {
    if (done_) throw std::logic_error("a transaction ends once");
    done_ = true;
    const bool outermost = --connection_->depth == 0;
    if (connection_->doomed) {
        if (!outermost) return std::unexpected(*connection_->doomed);
        connection_->rollback();
        auto why = std::move(*connection_->doomed);
        connection_->doomed.reset();
        return std::unexpected(std::move(why));
    }
    if (!outermost) return {};
    auto committed = connection_->execute("COMMIT");
    if (!committed) connection_->rollback();
    return committed;
}

}  // namespace sotto::storage
