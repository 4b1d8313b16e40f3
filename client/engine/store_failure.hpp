// A store that fails (disk full, damaged) ends whatever the engine was doing, like exhausted memory: inside
// the engine it is an exception, so that the open transaction is rolled back on every path. It never leaves
// the engine's public functions.
#pragma once

#include <exception>

#include "sotto/storage/error.hpp"

namespace sotto::client {

class StoreFailure : public std::exception {
  public:
    explicit StoreFailure(storage::Error error) : error_(std::move(error)) {}
    [[nodiscard]] const storage::Error& error() const { return error_; }
    [[nodiscard]] const char* what() const noexcept override { return "the store failed"; }

  private:
    storage::Error error_;
};

/// The value, or StoreFailure.
template <class T>
T must(storage::Result<T> result) {
    if (!result) throw StoreFailure{std::move(result.error())};
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace sotto::client
