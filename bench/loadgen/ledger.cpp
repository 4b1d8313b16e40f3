#include "bench/loadgen/ledger.hpp"

#include <algorithm>

namespace sotto::loadgen {

void Ledger::receive(std::uint64_t number, bool again) {
    const bool known = number < next_ || ahead_.contains(number);
    if (number >= sent_ || (known && !again)) {
        ++duplicated_;
        return;
    }
    if (known) {
        ++repeated_;
        return;
    }
    ahead_.insert(number);
    while (!ahead_.empty() && *ahead_.begin() == next_) {
        ahead_.erase(ahead_.begin());
        ++next_;
    }
}

std::uint64_t Ledger::lost() const {
    return sent_ - std::min(received(), confirmed_);
}

}  // namespace sotto::loadgen
