#include "sotto/client/runner.hpp"

#include <algorithm>
#include <deque>
#include <mutex>
#include <utility>

namespace sotto::client {
namespace {

// A wall clock that is set back must not make anybody wait for it.
constexpr std::chrono::milliseconds longest_wait{60'000};
constexpr std::chrono::milliseconds direct_turn{20};  ///< for direct paths, in one turn of all

}  // namespace

std::int64_t now_ms() {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

void perform(Transport& transport, std::vector<Action> actions) {
    for (auto& action : actions) {
        if (const auto* open = std::get_if<OpenConnection>(&action))
            transport.open(open->id, open->purpose, open->endpoint);
        else if (auto* send = std::get_if<SendFrame>(&action))
            transport.send(send->id, std::move(send->frame));
        else if (const auto* close = std::get_if<CloseConnection>(&action))
            transport.close(close->id);
    }
}

std::chrono::steady_clock::time_point wait_until(std::chrono::steady_clock::time_point deadline,
                                                 std::optional<std::int64_t> next) {
    auto wait = longest_wait;
    if (next)
        wait = std::clamp(std::chrono::milliseconds{*next - now_ms()}, std::chrono::milliseconds{0}, wait);
    return std::min(deadline, std::chrono::steady_clock::now() + wait);
}

/// The direct transport, and what it has reported since anybody looked.
class Runner::Paths {
  public:
    Paths(Transport& waiting,
          const std::function<std::unique_ptr<DirectTransport>(DirectTransport::Sink)>& make)
        : waiting_(&waiting),
          transport_(make([this](DirectEvent event) { return push(std::move(event)); })) {}

    void perform(DirectAction action) { transport_->perform(std::move(action)); }
    [[nodiscard]] std::optional<DirectEvent> pop() {
        const std::scoped_lock lock{mutex_};
        if (events_.empty()) return std::nullopt;
        auto event = std::move(events_.front());
        events_.pop_front();
        bytes_ -= size_of(event);
        return event;
    }

  private:
    [[nodiscard]] static std::size_t size_of(const DirectEvent& event) {
        const auto* const bytes = std::get_if<StreamBytes>(&event);
        return bytes == nullptr ? 0 : bytes->bytes.size();
    }
    bool push(DirectEvent event) {
        {
            const std::scoped_lock lock{mutex_};
            const auto size = size_of(event);
            if (size > 0 && bytes_ + size > max_untaken) return false;
            bytes_ += size;
            events_.push_back(std::move(event));
        }
        waiting_->wake();
        return true;
    }
    Transport* waiting_;
    std::mutex mutex_;
    std::deque<DirectEvent> events_;
    std::size_t bytes_ = 0;
    std::unique_ptr<DirectTransport> transport_;  // last: its thread uses what stands above
};

Runner::Runner(Engine& engine, Transport& transport) : engine_(&engine), transport_(&transport) {}

Runner::~Runner() = default;

void Runner::go_direct(const std::function<std::unique_ptr<DirectTransport>(DirectTransport::Sink)>& make) {
    paths_ = std::make_unique<Paths>(*transport_, make);
    apply(engine_->go_direct(now_ms()));
}

void Runner::take_direct() {
    const auto until = Clock::now() + direct_turn;
    while (paths_ != nullptr) {
        auto event = paths_->pop();
        if (!event) return;
        if (see_direct_) see_direct_(*event);
        apply(engine_->handle(std::move(*event), now_ms()));
        // However fast a contact writes, everything else has its turn; the next one begins at once.
        if (interrupted_ || Clock::now() >= until) return transport_->wake();
    }
}

void Runner::apply(Output output) {
    if (see_action_)
        for (const auto& action : output.actions) see_action_(action);
    perform(*transport_, std::move(output.actions));
    for (auto& action : output.paths)
        if (paths_ != nullptr) paths_->perform(std::move(action));
    if (hear_)
        for (const auto& notice : output.notices) hear_(notice);
}

bool Runner::turn(Clock::time_point deadline) {
    if (auto event = transport_->wait(wait_until(deadline, engine_->next_deadline()))) {
        if (see_) see_(*event);
        apply(engine_->handle(std::move(*event), now_ms()));
    }
    take_direct();
    const auto next = engine_->next_deadline();
    if (next && *next <= now_ms()) apply(engine_->tick(now_ms()));
    return Clock::now() < deadline;
}

Runner::Ended Runner::run(const std::function<bool()>& done, std::optional<Clock::time_point> deadline) {
    while (true) {
        if (interrupted_) return Ended::interrupted;
        if (done()) return Ended::done;
        if (!turn(deadline.value_or(Clock::time_point::max()))) return done() ? Ended::done : Ended::timeout;
    }
}

void Runner::interrupt() {
    interrupted_ = true;
    transport_->wake();
}

bool Runner::finish(std::chrono::milliseconds patience) {
    const auto deadline = Clock::now() + patience;
    apply(engine_->flush(now_ms()));
    while (!engine_->idle() && turn(deadline)) {
    }
    const bool idle = engine_->idle();
    apply(engine_->stop(now_ms()));
    return idle;
}

}  // namespace sotto::client
