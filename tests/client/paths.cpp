#include "client/paths.hpp"

#include <algorithm>

#include "client/world.hpp"

namespace sotto::client::test {

namespace {

Bytes sim_address() {
    return {std::byte{10}, std::byte{0}, std::byte{0}, std::byte{1}};
}

}  // namespace

void SimPaths::perform(Client& client, const DirectAction& action) {
    if (const auto* ask = std::get_if<GatherPath>(&action)) return gather(client, *ask);
    if (const auto* ask = std::get_if<ConnectPath>(&action)) return connect(client, *ask);
    if (const auto* ask = std::get_if<SendStream>(&action)) return send(client, *ask);
    if (const auto* ask = std::get_if<CloseStream>(&action)) {
        const auto [line, by] = find(client, ask->stream);
        if (line != nullptr) close(*line, by);
        return;
    }
    if (const auto* ask = std::get_if<KeepStream>(&action)) {
        for (auto& attempt : attempts_)
            if (attempt.client == &client && attempt.id == ask->attempt) attempt.kept = true;
        return end_of(client, ask->attempt, ask->stream);
    }
    const auto id = std::get<EndPath>(action).attempt;
    std::erase_if(attempts_,
                  [&](const Attempt& attempt) { return attempt.client == &client && attempt.id == id; });
    end_of(client, id, 0);
}

void SimPaths::end_of(const Client& client, AttemptId attempt, StreamId but) {
    for (const auto& line : lines_)
        for (const int side : {0, 1})
            if (line->ends[side].client == &client && line->ends[side].attempt == attempt &&
                line->ends[side].stream != but)
                close(*line, side);
}

void SimPaths::give(const End& end, const DirectEvent& event) {
    if (end.client != nullptr && end.client->life() == end.life) end.client->handle(event);
}

void SimPaths::gather(Client& client, const GatherPath& gather) {
    last_settings = gather.settings;
    const auto port = next_port_++;
    attempts_.push_back({&client, client.life(), gather.attempt, port, false});
    world_->later(world_->faults.latency, [this, &client, life = client.life(), gather, port] {
        PathDescription ours;
        if (describes) ours.tcp.push_back({sim_address(), port});
        ++gathered;
        give({&client, life, gather.attempt, 0}, PathGathered{gather.attempt, ours});
    });
}

void SimPaths::connect(Client& client, const ConnectPath& connect) {
    for (const auto& endpoint : connect.theirs.tcp) {
        ++tried;
        world_->later(2 * world_->faults.latency, [this, &client, life = client.life(),
                                                   attempt = connect.attempt, port = endpoint.port] {
            const auto target = std::ranges::find(attempts_, port, &Attempt::port);
            const bool mine = std::ranges::any_of(attempts_, [&](const Attempt& each) {
                return each.client == &client && each.life == life && each.id == attempt && !each.kept;
            });
            if (!reachable || !mine || target == attempts_.end() || target->kept ||
                target->client->life() != target->life)
                return;
            lines_.push_back(std::make_unique<Line>());
            auto& line = *lines_.back();
            line.ends[0] = {&client, life, attempt, next_stream_++};
            line.ends[1] = {target->client, target->life, target->id, next_stream_++};
            give(line.ends[1], StreamOpened{line.ends[1].attempt, line.ends[1].stream, PathKind::tcp, false});
            give(line.ends[0], StreamOpened{line.ends[0].attempt, line.ends[0].stream, PathKind::tcp, true});
        });
    }
}

void SimPaths::stranger(Client& client, const Bytes& what) {
    for (const auto& attempt : attempts_) {
        if (attempt.client != &client || attempt.kept) continue;
        lines_.push_back(std::make_unique<Line>());
        auto& line = *lines_.back();
        line.ends[1] = {&client, client.life(), attempt.id, next_stream_++};
        give(line.ends[1], StreamOpened{attempt.id, line.ends[1].stream, PathKind::tcp, false});
        arrive(line, 1, what);
        return;
    }
}

void SimPaths::send(Client& client, const SendStream& send) {
    const auto [line, by] = find(client, send.stream);
    if (line == nullptr) return;
    auto copy = send.bytes;
    if (tap) taps.push_back(copy);
    if (alter) alter(copy);
    arrive(*line, 1 - by, std::move(copy));
}

void SimPaths::arrive(Line& line, int to, Bytes what) {
    line.clear[to] = std::max(line.clear[to], world_->clock.now + world_->faults.latency);
    if (bytes_a_second > 0) line.clear[to] += static_cast<std::int64_t>(what.size()) * 1000 / bytes_a_second;
    world_->at(line.clear[to], [this, l = &line, to, w = std::move(what)] {
        if (!l->open || l->silent) return;
        bytes += w.size();
        give(l->ends[to], StreamBytes{l->ends[to].stream, w});
    });
}

void SimPaths::close(Line& line, int by) {
    if (!line.open) return;
    // What was sent before still arrives.
    const auto other = 1 - by;
    const auto closes = std::max(line.clear[other], world_->clock.now + world_->faults.latency);
    line.ends[by].client = nullptr;
    world_->at(closes, [this, l = &line, other] {
        if (!l->open) return;
        l->open = false;
        if (!l->silent) give(l->ends[other], StreamClosed{l->ends[other].stream});
    });
}

std::pair<SimPaths::Line*, int> SimPaths::find(const Client& client, StreamId stream) {
    for (const auto& line : lines_)
        for (const int side : {0, 1})
            if (line->open && line->ends[side].client == &client && line->ends[side].stream == stream)
                return {line.get(), side};
    return {nullptr, 0};
}

void SimPaths::drop_all(const Client& client) {
    std::erase_if(attempts_, [&](const Attempt& attempt) { return attempt.client == &client; });
    for (const auto& line : lines_)
        for (const int side : {0, 1})
            if (line->ends[side].client == &client) close(*line, side);
}

void SimPaths::cut(bool silent) {
    for (const auto& line : lines_) {
        if (!line->open) continue;
        if (silent) {
            line->silent = true;
            continue;
        }
        line->open = false;
        for (const auto& end : line->ends) give(end, StreamClosed{end.stream});
    }
}

std::size_t SimPaths::open() const {
    return static_cast<std::size_t>(std::ranges::count_if(lines_, [](const auto& line) {
        return line->open && line->ends[0].client != nullptr && line->ends[1].client != nullptr;
    }));
}

}  // namespace sotto::client::test
