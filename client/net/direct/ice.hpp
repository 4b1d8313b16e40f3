// ICE (RFC 8445) by libnice, with its reliable byte stream over whatever pair of candidates works.
#pragma once

#include <nice/agent.h>

#include <set>

#include "glib.hpp"
#include "outgoing.hpp"
#include "stream.hpp"

namespace sotto::client::paths {

class IceSide : public std::enable_shared_from_this<IceSide> {
  public:
    /// `gathered` is called when there will be no more candidates, or none that would be worth waiting for.
    IceSide(GMainContext* context, bool offerer, Reports reports, std::function<void()> gathered);
    IceSide(const IceSide&) = delete;
    IceSide& operator=(const IceSide&) = delete;
    ~IceSide();

    void gather(const PathSettings& settings);
    /// What there is so far goes into `out`.
    void describe(PathDescription& out);
    void connect(const PathDescription& theirs);
    /// Gives up its ports and what TURN servers hold for it.
    void stop();
    [[nodiscard]] bool is_stream(StreamId id) const { return id_ != 0 && id_ == id; }

  private:
    class Connected;
    using Weak = std::weak_ptr<IceSide>;

    void listen();
    /// On the loop's thread, unless it has been stopped by then. From any thread.
    template <class What>
    static void post(const Weak& weak, unsigned ms, What what);

    [[nodiscard]] bool acceptable(const NiceAddress& address) const;
    void add_server(const IceServer& server, GInetAddress* at);
    void lookup(const IceServer& server);
    void looked_up(const IceServer& server, GList* found);
    void begin_gathering();
    void found(NiceCandidateType type, guint32 priority);
    [[nodiscard]] bool told_by_relay() const;
    void gathered_in(unsigned ms);
    void writable();
    void take(ByteView bytes);
    void failed();
    void open();
    [[nodiscard]] Bytes send_now(Bytes bytes);
    void send(Bytes bytes);
    void flush();
    [[nodiscard]] std::size_t push(ByteView bytes);
    [[nodiscard]] PathKind kind();

    static void on_gathered(NiceAgent* agent, guint stream, gpointer weak);
    static void on_candidate(NiceAgent* agent, NiceCandidate* candidate, gpointer weak);
    static void on_state(NiceAgent* agent, guint stream, guint component, guint state, gpointer weak);
    static void on_writable(NiceAgent* agent, guint stream, guint component, gpointer weak);
    static void on_pair(NiceAgent* agent, guint stream, guint component, NiceCandidate* local,
                        NiceCandidate* remote, gpointer weak);
    static void on_bytes(NiceAgent* agent, guint stream, guint component, guint size, gchar* bytes,
                         gpointer self);

    GMainContext* context_;
    bool offerer_;
    Reports reports_;
    std::function<void()> gathered_;
    Ref<NiceAgent> agent_;
    Ref<GCancellable> cancel_;
    guint ice_stream_ = 0;
    PathSettings settings_;
    std::size_t lookups_ = 0;
    bool ready_ = false;  ///< candidates are there
    bool reflexive_ = false;
    bool udp_relays_ = false;  ///< there are servers of this kind
    bool tcp_relays_ = false;
    std::set<guint32> relayed_;  ///< type preferences of the candidates from them
    Outgoing outgoing_;
    StreamId id_ = 0;
};

}  // namespace sotto::client::paths
