#include "sessions.hpp"

#include <algorithm>
#include <map>

namespace sotto::client {

SessionBook::SessionBook(std::vector<storage::SessionRow> rows) {
    for (auto& row : rows) rows_.push_back(std::move(row));
}

SessionBook::Found SessionBook::find(const crypto::Envelope& envelope) {
    for (auto& row : rows_) {
        if (auto match = row.session.find(envelope)) return {&row, *match};
    }
    return {};
}

SessionBook::Found SessionBook::find_in(const crypto::SessionId& id, const crypto::Envelope& envelope) {
    const auto row = std::ranges::find_if(rows_, [&](const auto& r) { return r.session.id() == id; });
    if (row == rows_.end()) return {};
    auto match = row->session.find(envelope);
    if (!match) return {};
    return {&*row, *match};
}

storage::SessionRow* SessionBook::active(std::int64_t contact) {
    const auto row =
        std::ranges::find_if(rows_, [&](const auto& r) { return r.contact == contact && !r.archived; });
    return row == rows_.end() ? nullptr : &*row;
}

std::vector<storage::SessionRow*> SessionBook::of(std::int64_t contact, std::uint32_t device) {
    std::vector<storage::SessionRow*> out;
    for (auto& row : rows_) {
        if (row.contact == contact && row.device == device) out.push_back(&row);
    }
    return out;
}

void SessionBook::put(storage::SessionRow row) {
    remove(row.session.id());
    rows_.push_front(std::move(row));
}

void SessionBook::set_archived(const crypto::SessionId& id, bool archived) {
    const auto row = std::ranges::find_if(rows_, [&](const auto& r) { return r.session.id() == id; });
    if (row != rows_.end()) row->archived = archived;
}

SessionBook::Archived SessionBook::archive_all(std::int64_t contact) const {
    Archived out;
    std::map<std::uint32_t, std::size_t> count;
    // In the order of use: the newest stay.
    for (const auto& row : rows_) {
        if (row.contact != contact) continue;
        if (++count[row.device] > max_archived_sessions)
            out.removed.push_back(row.session.id());
        else if (!row.archived)
            out.archived.push_back(row.session.id());
    }
    return out;
}

void SessionBook::remove(const crypto::SessionId& id) {
    const auto row = std::ranges::find_if(rows_, [&](const auto& r) { return r.session.id() == id; });
    if (row != rows_.end()) rows_.erase(row);
}

void SessionBook::remove_contact(std::int64_t contact) {
    rows_.remove_if([&](const auto& row) { return row.contact == contact; });
}

Succession succeed(const std::vector<storage::SessionRow*>& existing, const crypto::SessionId& accepted) {
    Succession out;
    std::size_t archived = 0;
    for (const auto* row : existing) {
        const auto& session = row->session;
        const bool crossed = !row->archived && session.initiator() && session.awaiting_reply();
        if (crossed && session.id() < accepted) {
            out.new_is_archived = true;
            continue;
        }
        if (!row->archived) out.archive.push_back(session.id());
    }
    archived = out.new_is_archived ? 1 : 0;
    // The list is in the order of use: the first four that are or become archived stay.
    for (const auto* row : existing) {
        const bool becomes =
            row->archived || std::ranges::find(out.archive, row->session.id()) != out.archive.end();
        if (becomes && ++archived > max_archived_sessions) out.remove.push_back(row->session.id());
    }
    std::erase_if(out.archive,
                  [&](const auto& id) { return std::ranges::find(out.remove, id) != out.remove.end(); });
    return out;
}

}  // namespace sotto::client
