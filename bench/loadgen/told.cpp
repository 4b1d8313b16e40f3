#include "bench/loadgen/told.hpp"

namespace sotto::loadgen {

void Told::begin(std::uint64_t number, std::size_t expected) {
    number_ = number;
    expected_ = expected;
    told_ = 0;
}

bool Told::hear(std::size_t person, std::uint64_t number) {
    const bool due = number_ != none && number == number_ && person < newest_.size() &&
                     newest_[person] != number && told_ < expected_;
    if (!due) {
        ++twice_;
        return false;
    }
    newest_[person] = number;
    ++told_;
    return true;
}

}  // namespace sotto::loadgen
