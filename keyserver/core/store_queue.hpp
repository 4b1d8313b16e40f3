// Where work on the store waits: in order, many pieces in one commit, never on a thread that serves
// connections.
#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <utility>

#include "keyserver/core/stores.hpp"

namespace sotto::keyserver {

class StoreQueue {
  public:
    /// One piece of work. `run` may be called again after a rollback, so it changes nothing but the stores
    /// and its own result.
    class Job {
      public:
        Job() = default;
        Job(const Job&) = delete;
        Job& operator=(const Job&) = delete;
        virtual ~Job() = default;
        virtual void run(Stores& stores) = 0;
        virtual void finish(bool committed) = 0;
    };

    StoreQueue() = default;
    StoreQueue(const StoreQueue&) = delete;
    StoreQueue& operator=(const StoreQueue&) = delete;
    virtual ~StoreQueue() = default;

    /// `work(Stores&)` runs in a transaction. `then(std::optional<its result>)` runs after the commit, in the
    /// order of submission, on the queue's own thread; without a result if the store failed, and then nothing
    /// was changed. Safe from any thread; never calls either before it returns.
    template <class Work, class Then>
        requires std::invocable<Work&, Stores&>
    void submit(Work work, Then then) {
        enqueue(std::make_unique<Piece<Work, Then>>(std::move(work), std::move(then)));
    }

  protected:
    virtual void enqueue(std::unique_ptr<Job> job) = 0;

  private:
    template <class Work, class Then>
    class Piece final : public Job {
      public:
        Piece(Work work, Then then) : work_(std::move(work)), then_(std::move(then)) {}
        void run(Stores& stores) override { result_.emplace(work_(stores)); }
        void finish(bool committed) override {
            if (!committed) result_.reset();
            then_(std::move(result_));
        }

      private:
        Work work_;
        Then then_;
        std::optional<std::invoke_result_t<Work&, Stores&>> result_;
    };
};

}  // namespace sotto::keyserver
