// ICE (RFC 8445) by libnice, with its reliable byte stream over whatever pair of candidates works.
#pragma once

#include <nice/agent.h>

#include <deque>
#include <set>

#include "glib.hpp"
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

    [[nodiscard]] bool acceptable(const NiceAddress& address) const;
    void add_server(const IceServer& server, const char* address);
    void lookup(const IceServer& server);
    void looked_up(const IceServer& server, const char* address);
    void begin_gathering();
    void found(const NiceCandidate& candidate);
    [[nodiscard]] bool told_by_relay() const;
    void gathered_in(unsigned ms);
    void writable();
    void take(ByteView bytes);
    void failed();
    void open();
    void send(Bytes bytes);
    void flush();
    [[nodiscard]] PathKind kind();

    static void on_gathered(NiceAgent* agent, guint stream, gpointer self);
    static void on_candidate(NiceAgent* agent, NiceCandidate* candidate, gpointer self);
    static void on_state(NiceAgent* agent, guint stream, guint component, guint state, gpointer self);
    static void on_writable(NiceAgent* agent, guint stream, guint component, gpointer self);
    static void on_pair(NiceAgent* agent, guint stream, guint component, NiceCandidate* local,
                        NiceCandidate* remote, gpointer self);
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
    std::deque<Bytes> waiting_;
    std::size_t sent_of_first_ = 0;
    StreamId id_ = 0;
};

}  // namespace sotto::client::paths
