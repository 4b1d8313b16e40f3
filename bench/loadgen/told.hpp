// Who was told of a change: each of so many people once, of the present one and of no other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sotto::loadgen {

class Told {
  public:
    explicit Told(std::size_t people) : newest_(people, none) {}

    /// The next change, with another number than the one before: what still comes of that is too late from
    /// here on.
    void begin(std::uint64_t number, std::size_t expected);
    /// False where it should not have come: of another change, told before, or to somebody that there is not.
    bool hear(std::size_t person, std::uint64_t number);

    [[nodiscard]] bool all() const { return told_ >= expected_; }
    [[nodiscard]] std::size_t missing() const { return all() ? 0 : expected_ - told_; }
    /// Of all changes, together.
    [[nodiscard]] std::uint64_t twice() const { return twice_; }

  private:
    static constexpr std::uint64_t none = UINT64_MAX;  ///< no change has it
    std::vector<std::uint64_t> newest_;
    std::uint64_t number_ = none;
    std::size_t expected_ = 0;
    std::size_t told_ = 0;
    std::uint64_t twice_ = 0;
};

}  // namespace sotto::loadgen
