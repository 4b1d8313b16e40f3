#include "side.hpp"

#include <chrono>
#include <stdexcept>

namespace sotto::bench {
namespace {

using client::ConnectPath;
using client::DirectEvent;
using client::GatherPath;
using client::PathDescription;
using client::PathGathered;
using client::PathKind;
using client::PathSettings;
using client::StreamBytes;
using client::StreamOpened;
using Clock = std::chrono::steady_clock;

void keep(PathDescription& description, PathKind kind) {
    if (kind == PathKind::tcp) {
        description.candidates.clear();
        description.ufrag.clear();
        description.password.clear();
        description.tcp.resize(1);
    } else {
        description.tcp.clear();
    }
}

}  // namespace

DirectEvent Side::pop() {
    std::unique_lock lock{mutex_};
    if (!changed_.wait_for(lock, std::chrono::seconds{10}, [this] { return !events_.empty(); }))
        throw std::runtime_error("nothing happens any more");
    auto event = std::move(events_.front());
    events_.pop_front();
    return event;
}

crypto::DirectStream& Side::secured() {
    if (!secure) throw std::logic_error("the stream has no key yet");
    return *secure;
}

std::vector<crypto::SecretBytes> Side::take() {
    const auto bytes = next<StreamBytes>();
    auto taken = secured().take(bytes.bytes);
    if (!taken) throw std::runtime_error("a frame did not verify");
    if (!taken->reply.empty()) send_bare(std::move(taken->reply));
    return std::move(taken->frames);
}

void connect(Path& path, PathKind kind) {
    crypto::SystemRng rng;
    const PathSettings settings{.servers = {}, .loopback = true, .upnp = false};
    const auto begun = Clock::now();
    path.offerer.act(GatherPath{1, true, settings});
    auto offer = path.offerer.next<PathGathered>().ours;
    path.answerer.act(GatherPath{1, false, settings});
    auto answer = path.answerer.next<PathGathered>().ours;
    keep(offer, kind);
    keep(answer, kind);
    path.answerer.act(ConnectPath{1, offer});
    if (kind != PathKind::tcp) path.offerer.act(ConnectPath{1, answer});
    const auto here = path.offerer.next<StreamOpened>();
    const auto there = path.answerer.next<StreamOpened>();
    path.offerer.stream = here.stream;
    path.answerer.stream = there.stream;
    const crypto::DirectKey key{rng.bytes<32>()};
    auto& opener = here.ours ? path.offerer : path.answerer;
    auto& other = here.ours ? path.answerer : path.offerer;
    Bytes first;
    opener.secure = crypto::DirectStream::open(
        key, here.ours ? crypto::DirectRole::offerer : crypto::DirectRole::answerer, rng, first);
    other.secure = crypto::DirectStream::accept(
        key, here.ours ? crypto::DirectRole::answerer : crypto::DirectRole::offerer, rng);
    opener.send_bare(std::move(first));
    while (!other.secured().proven()) {
        static_cast<void>(other.take());
        if (!opener.secured().proven()) static_cast<void>(opener.take());
    }
    path.set_up_ms = std::chrono::duration<double, std::milli>(Clock::now() - begun).count();
}

}  // namespace sotto::bench
