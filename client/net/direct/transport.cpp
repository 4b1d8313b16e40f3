#include <algorithm>
#include <csignal>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "ice.hpp"
#include "sotto/client/direct_transport.hpp"
#include "tcp.hpp"

namespace sotto::client {
namespace paths {

void later(GMainContext* context, unsigned ms, std::function<void()> what) {
    using What = std::function<void()>;
    GSource* const source = ms == 0 ? g_idle_source_new() : g_timeout_source_new(ms);
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(
        source,
        [](gpointer data) -> gboolean {
            (*static_cast<What*>(data))();
            return G_SOURCE_REMOVE;
        },
        new What{std::move(what)}, [](gpointer data) { delete static_cast<What*>(data); });
    g_source_attach(source, context);
    g_source_unref(source);
}

namespace {

/// What has no answer by then goes without: candidates of a server that is slow, or not there.
constexpr unsigned gather_at_most_ms = 1000;
constexpr unsigned farewell_ms = 100;

class PathTransport final : public DirectTransport {
  public:
    explicit PathTransport(Sink sink)
        : sink_(std::move(sink)), context_(g_main_context_new()), loop_(g_main_loop_new(context_, FALSE)) {
        // Signals belong to whoever waits for them.
        sigset_t all;
        sigset_t before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        thread_ = std::thread{[this] {
            g_main_context_push_thread_default(context_);
            g_main_loop_run(loop_);
            g_main_context_pop_thread_default(context_);
        }};
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }
    PathTransport(const PathTransport&) = delete;
    PathTransport& operator=(const PathTransport&) = delete;

    ~PathTransport() override {  // NOLINT(bugprone-exception-escape): only exhausted memory throws here
        later(context_, 0, [this] {
            while (!attempts_.empty()) end(attempts_.begin()->first);
            // TURN servers are still to hear that their ports are free.
            later(context_, relays_ ? farewell_ms : 0, [this] { g_main_loop_quit(loop_); });
        });
        thread_.join();
        g_main_loop_unref(loop_);
        g_main_context_unref(context_);
    }

    void perform(DirectAction action) override {
        if (auto* const send = std::get_if<SendStream>(&action)) {
            // Behind what was left to the loop before, as long as there is any.
            const auto stream = quick(send->stream);
            if (stream == nullptr) return;
            send->bytes = stream->send_now(std::move(send->bytes));
            if (send->bytes.empty()) return;
        }
        later(context_, 0, [this, what = std::make_shared<DirectAction>(std::move(action))] {
            std::visit([this](auto& each) { on(each); }, *what);
        });
    }

  private:
    // Streams by number, for whoever sends from another thread.
    [[nodiscard]] std::shared_ptr<Stream> quick(StreamId stream) {
        const std::scoped_lock lock{quick_mutex_};
        const auto found = quick_.find(stream);
        return found == quick_.end() ? nullptr : found->second.lock();
    }
    void remember(StreamId number, const std::shared_ptr<Stream>& stream) {
        const std::scoped_lock lock{quick_mutex_};
        std::erase_if(quick_, [](const auto& each) { return each.second.expired(); });
        quick_[number] = stream;
    }

    struct Attempt {
        std::unique_ptr<TcpSide> tcp;
        std::shared_ptr<IceSide> ice;
        std::map<StreamId, std::shared_ptr<Stream>> streams;
        bool described = false;
    };

    [[nodiscard]] Reports reports(AttemptId id) {
        return {.opened =
                    [this, id](std::shared_ptr<Stream> stream, PathKind kind, bool ours) {
                        const auto number = ++last_stream_;
                        const auto found = attempts_.find(id);
                        if (found == attempts_.end()) {
                            stream->close();
                            return number;
                        }
                        remember(number, stream);
                        found->second.streams[number] = std::move(stream);
                        sink_(StreamOpened{id, number, kind, ours});
                        return number;
                    },
                .bytes =
                    [this, id](StreamId stream, Bytes bytes) {
                        return find(id, stream) != nullptr && sink_(StreamBytes{stream, std::move(bytes)});
                    },
                .closed =
                    [this, id](StreamId stream) {
                        const auto found = attempts_.find(id);
                        if (found != attempts_.end() && found->second.streams.erase(stream) > 0)
                            sink_(StreamClosed{stream});
                    },
                .moved =
                    [this, id](StreamId stream, PathKind kind) {
                        if (find(id, stream) != nullptr) sink_(StreamMoved{stream, kind});
                    }};
    }

    [[nodiscard]] Stream* find(AttemptId id, StreamId stream) {
        const auto found = attempts_.find(id);
        if (found == attempts_.end()) return nullptr;
        const auto at = found->second.streams.find(stream);
        return at == found->second.streams.end() ? nullptr : at->second.get();
    }

    void on(const GatherPath& gather) {
        const auto id = gather.attempt;
        end(id);
        auto& attempt = attempts_[id];
        relays_ = relays_ || std::ranges::any_of(gather.settings.servers, [](const IceServer& server) {
                      return server.kind != IceServer::Kind::stun;
                  });
        attempt.tcp = std::make_unique<TcpSide>(gather.settings, reports(id));
        attempt.ice = std::make_shared<IceSide>(context_, gather.offerer, reports(id), [this, id] {
            later(context_, 0, [this, id] { describe(id); });
        });
        attempt.ice->gather(gather.settings);
        later(context_, gather_at_most_ms, [this, id] { describe(id); });
    }

    void describe(AttemptId id) {
        const auto found = attempts_.find(id);
        if (found == attempts_.end() || std::exchange(found->second.described, true)) return;
        PathDescription ours;
        found->second.ice->describe(ours);
        ours.tcp = found->second.tcp->listening();
        sink_(PathGathered{id, std::move(ours)});
    }

    void on(const ConnectPath& connect) {
        const auto found = attempts_.find(connect.attempt);
        if (found == attempts_.end()) return;
        found->second.tcp->connect(connect.theirs.tcp);
        found->second.ice->connect(connect.theirs);
    }

    void on(SendStream& send) {
        for (const auto& [id, attempt] : attempts_) {
            const auto at = attempt.streams.find(send.stream);
            if (at == attempt.streams.end()) continue;
            const auto stream = at->second;
            return stream->send(std::move(send.bytes));
        }
    }

    void on(const CloseStream& close) {
        for (auto& [id, attempt] : attempts_) {
            auto node = attempt.streams.extract(close.stream);
            if (!node.empty()) return node.mapped()->close();
        }
    }

    void on(const KeepStream& keep) {
        const auto found = attempts_.find(keep.attempt);
        if (found == attempts_.end()) return;
        auto& attempt = found->second;
        attempt.tcp->stop();
        auto others = std::exchange(attempt.streams, {});
        if (auto kept = others.extract(keep.stream); !kept.empty()) attempt.streams.insert(std::move(kept));
        for (const auto& [number, stream] : others) stream->close();
        // Closing ICE's own stream stops it; where it had none yet, it is stopped here.
        if (!ice_kept(attempt)) attempt.ice->stop();
    }

    [[nodiscard]] static bool ice_kept(const Attempt& attempt) {
        return !attempt.streams.empty() && attempt.ice->is_stream(attempt.streams.begin()->first);
    }

    void on(const EndPath& ended) { end(ended.attempt); }

    void end(AttemptId id) {
        auto node = attempts_.extract(id);
        if (node.empty()) return;
        auto& attempt = node.mapped();
        for (const auto& [number, stream] : attempt.streams) stream->close();
        attempt.tcp->stop();
        attempt.ice->stop();
    }

    Sink sink_;
    GMainContext* context_;
    GMainLoop* loop_;
    std::mutex quick_mutex_;
    std::map<StreamId, std::weak_ptr<Stream>> quick_;
    std::map<AttemptId, Attempt> attempts_;  // the loop's thread, as all below
    StreamId last_stream_ = 0;
    bool relays_ = false;  ///< TURN servers may hold something for us
    std::thread thread_;
};

/// What GLib and libnice have to say would stand in the middle of a chat. Unless it is asked for, or the
/// last.
void hush() {
    static std::once_flag once;
    std::call_once(once, [] {
        if (g_getenv("G_MESSAGES_DEBUG") != nullptr) return;
        g_log_set_writer_func(
            [](GLogLevelFlags level, const GLogField* fields, gsize count, gpointer data) {
                return (level & G_LOG_LEVEL_ERROR) != 0 ? g_log_writer_default(level, fields, count, data)
                                                        : G_LOG_WRITER_HANDLED;
            },
            nullptr, nullptr);
    });
}

}  // namespace
}  // namespace paths

std::unique_ptr<DirectTransport> make_direct_transport(DirectTransport::Sink sink) {
    paths::hush();
    return std::make_unique<paths::PathTransport>(std::move(sink));
}

}  // namespace sotto::client
