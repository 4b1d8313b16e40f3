// Many pieces of work in one transaction.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "keyserver/core/counters.hpp"
#include "keyserver/core/store_queue.hpp"
#include "sotto/storage/database.hpp"

namespace sotto::keyserver {

using Jobs = std::vector<std::unique_ptr<StoreQueue::Job>>;

/// Runs them in order, commits, and finishes them in order. Where the commit fails each is tried again by
/// itself, so that one that can't be done takes none of the others with it. `on_failure` is told of every
/// commit that failed, `counters` of how long each took.
void run_batch(storage::Database& db, Jobs& jobs,
               const std::function<void(const storage::Error&)>& on_failure, Counters* counters = nullptr);

}  // namespace sotto::keyserver
