#include "pace.hpp"

#include <algorithm>
#include <utility>

namespace sotto::chat {
namespace {

/// A clock that was set back makes nobody wait.
[[nodiscard]] bool over(std::int64_t told_at, std::int64_t now) {
    return now < told_at || now - told_at >= Pace::pause;
}

}  // namespace

bool Pace::tell(std::int64_t contact, const std::string& text, std::int64_t now) {
    const auto [found, fresh] = told_.try_emplace(contact);
    auto& told = found->second;
    told.waits.reset();
    if (!fresh && told.text == text) return false;
    if (!fresh && !over(told.at, now)) {
        told.waits = text;
        return false;
    }
    told.text = text;
    told.at = now;
    return true;
}

void Pace::know(std::int64_t contact, std::string text, std::int64_t now) {
    told_[contact] = {.text = std::move(text), .at = now, .waits = std::nullopt};
}

std::vector<Pace::Owed> Pace::due(std::int64_t now) {
    std::vector<Owed> out;
    for (auto& [contact, told] : told_) {
        if (!told.waits || !over(told.at, now)) continue;
        told.text = std::move(*told.waits);
        told.waits.reset();
        told.at = now;
        out.push_back({.contact = contact, .text = told.text});
    }
    return out;
}

std::optional<std::int64_t> Pace::next() const {
    std::optional<std::int64_t> out;
    for (const auto& [contact, told] : told_)
        if (told.waits) out = std::min(out.value_or(told.at + pause), told.at + pause);
    return out;
}

}  // namespace sotto::chat
