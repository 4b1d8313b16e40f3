#include "keyserver/net/deadlines.hpp"

#include <algorithm>

namespace sotto::keyserver {

void Deadlines::opened(std::uint64_t now, bool must_log_in) {
    open_ = true;
    must_log_in_ = must_log_in;
    stage_ = now;
    heard(now);
}

void Deadlines::closing(std::uint64_t now) {
    if (closing_) return;
    closing_ = true;
    stage_ = now;
}

/// What is being waited for, and until when.
template <class Visit>
void Deadlines::each(Visit visit) const {
    if (closing_) return visit(Late::close, stage_ + patience_->close);
    if (!open_) return visit(Late::handshake, stage_ + patience_->handshake);
    if (must_log_in_) visit(Late::login, stage_ + patience_->login);
    if (message_ != none) visit(Late::message, message_ + patience_->message);
    if (write_ != none) visit(Late::write, write_ + patience_->write);
    visit(Late::idle, heard_ + patience_->idle);
}

std::optional<Late> Deadlines::late(std::uint64_t now) const {
    std::optional<Late> found;
    each([&](Late what, std::uint64_t until) {
        if (!found && now > until) found = what;
    });
    return found;
}

bool Deadlines::take_ping(std::uint64_t now) {
    if (!open_ || closing_ || pinged_ || now <= heard_ + patience_->idle / 2) return false;
    pinged_ = true;
    return true;
}

std::uint64_t Deadlines::next() const {
    auto earliest = none;
    each([&](Late /*what*/, std::uint64_t until) { earliest = std::min(earliest, until); });
    if (open_ && !closing_ && !pinged_) earliest = std::min(earliest, heard_ + patience_->idle / 2);
    return earliest + 1;
}

}  // namespace sotto::keyserver
