#include "keyserver/store/batch.hpp"

#include <algorithm>
#include <span>

#include "keyserver/store/sql_accounts.hpp"
#include "keyserver/store/sql_mailbox.hpp"
#include "keyserver/store/sql_prekeys.hpp"
#include "keyserver/store/sql_tokens.hpp"

namespace sotto::keyserver {
namespace {

constexpr std::size_t jobs_a_commit = 1024;

using OnFailure = std::function<void(const storage::Error&)>;

/// One transaction around them; false if nothing of it was committed.
[[nodiscard]] bool commit(storage::Database& db, std::span<std::unique_ptr<StoreQueue::Job>> jobs,
                          const OnFailure& on_failure, Counters* counters) {
    const auto begin_us = Counters::now_us();
    Sql sql{db};
    SqlAccounts accounts{sql};
    SqlPrekeys prekeys{sql};
    SqlTokens tokens{sql};
    SqlInvites invites{sql};
    SqlMailbox mailbox{sql};
    Stores stores{
        .accounts = accounts, .prekeys = prekeys, .tokens = tokens, .invites = invites, .mailbox = mailbox};

    storage::Transaction transaction{db};
    for (const auto& job : jobs) {
        job->run(stores);
        if (const auto& failure = sql.failure(); failure) {
            on_failure(*failure);
            return false;
        }
    }
    const auto committed = transaction.commit();
    if (!committed) on_failure(committed.error());
    if (counters != nullptr) counters->took_since(Latency::commit, begin_us);
    return committed.has_value();
}

}  // namespace

void run_batch(storage::Database& db, Jobs& jobs, const OnFailure& on_failure, Counters* counters) {
    std::span<std::unique_ptr<StoreQueue::Job>> rest{jobs};
    while (!rest.empty()) {
        const auto batch = rest.first(std::min(rest.size(), jobs_a_commit));
        rest = rest.subspan(batch.size());
        if (commit(db, batch, on_failure, counters)) {
            for (const auto& job : batch) job->finish(true);
            continue;
        }
        for (auto& job : batch) job->finish(batch.size() > 1 && commit(db, {&job, 1}, on_failure, counters));
    }
}

}  // namespace sotto::keyserver
