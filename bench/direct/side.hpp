// One end of a direct path: a transport, the queue that its events wait in, and a thread of the caller's.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

#include "sotto/client/direct_transport.hpp"
#include "sotto/crypto/direct.hpp"

namespace sotto::bench {

class Side {
  public:
    void act(client::DirectAction action) { transport_->perform(std::move(action)); }
    /// The next event of this kind; what comes before it is dropped. Throws after ten seconds.
    template <class Event>
    [[nodiscard]] Event next() {
        while (true) {
            auto event = pop();
            if (auto* const found = std::get_if<Event>(&event)) return std::move(*found);
        }
    }

    // ---- once connected ----
    client::StreamId stream = 0;
    std::optional<crypto::DirectStream> secure;
    void send(ByteView frame) { act(client::SendStream{stream, secured().seal(frame)}); }
    /// Throws before there is one.
    [[nodiscard]] crypto::DirectStream& secured();
    void send_bare(Bytes bytes) { act(client::SendStream{stream, std::move(bytes)}); }
    /// The frames of the next piece that comes.
    [[nodiscard]] std::vector<crypto::SecretBytes> take();

  private:
    [[nodiscard]] client::DirectEvent pop();
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<client::DirectEvent> events_;
    std::unique_ptr<client::DirectTransport> transport_ =
        client::make_direct_transport([this](client::DirectEvent event) {
            {
                const std::scoped_lock lock{mutex_};
                events_.push_back(std::move(event));
            }
            changed_.notify_one();
            return true;
        });
};

/// Two ends of a path of this kind, proven to each other; and how long that took from the first gathering
/// on, in ms.
struct Path {
    Side offerer;
    Side answerer;
    double set_up_ms = 0;
};
void connect(Path& path, client::PathKind kind);

}  // namespace sotto::bench
