#include "ice.hpp"

#include <algorithm>
#include <utility>

#include "interfaces.hpp"

namespace sotto::client::paths {
namespace {

constexpr guint component = 1;
constexpr std::string_view sdp_prefix = "a=";
constexpr unsigned company_ms = 30;  ///< for candidates that come with the last one
/// For a server-reflexive candidate that is later than a relayed one: STUN asks again after 500 ms.
constexpr unsigned reflexive_ms = 650;
constexpr std::size_t most_at_once = 32UL * 1024;

struct FreeCandidate {
    void operator()(NiceCandidate* candidate) const { nice_candidate_free(candidate); }
};
using Candidate = std::unique_ptr<NiceCandidate, FreeCandidate>;

void free_candidates(GSList* list) {
    g_slist_free_full(list, [](gpointer each) { nice_candidate_free(static_cast<NiceCandidate*>(each)); });
}

[[nodiscard]] std::string text_of(ByteView address) {
    const Ref<GInetAddress> inet{
        g_inet_address_new_from_bytes(reinterpret_cast<const guint8*>(address.data()),
                                      address.size() == 4 ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6)};
    return Text{g_inet_address_to_string(inet.get())}.get();
}

/// libnice takes a line apart with less care: a TCP candidate without tcptype makes it complain aloud.
[[nodiscard]] bool is_udp_candidate(std::string_view line) {
    if (!line.starts_with("candidate:")) return false;
    for (int before = 0; before < 2; ++before) {
        const auto blank = line.find(' ');
        if (blank == std::string_view::npos) return false;
        line.remove_prefix(blank + 1);
    }
    const std::string transport{line.substr(0, line.find(' '))};
    return g_ascii_strcasecmp(transport.c_str(), "UDP") == 0;
}

}  // namespace

/// The one stream of an attempt's ICE; it may outlive what it stands for.
class IceSide::Connected final : public Stream {
  public:
    explicit Connected(const std::shared_ptr<IceSide>& side) : side_(side) {}
    Bytes send_now(Bytes bytes) override {
        const auto side = side_.lock();
        return side == nullptr ? Bytes{} : side->send_now(std::move(bytes));
    }
    void send(Bytes bytes) override {
        if (const auto side = side_.lock()) side->send(std::move(bytes));
    }
    void close() override {
        if (const auto side = side_.lock()) side->stop();
    }

  private:
    std::weak_ptr<IceSide> side_;
};

IceSide::IceSide(GMainContext* context, bool offerer, Reports reports, std::function<void()> gathered)
    : context_(context),
      offerer_(offerer),
      reports_(std::move(reports)),
      gathered_(std::move(gathered)),
      agent_(nice_agent_new_full(
          context, NICE_COMPATIBILITY_RFC5245,
          static_cast<NiceAgentOption>(NICE_AGENT_OPTION_RELIABLE | NICE_AGENT_OPTION_CONSENT_FRESHNESS))),
      cancel_(g_cancellable_new()) {
    // TCP on the same network is ours to do; elsewhere it hardly ever comes about.
    g_object_set(agent_.get(), "ice-tcp", FALSE, "ice-udp", TRUE, "upnp", FALSE, "controlling-mode",
                 offerer ? TRUE : FALSE, nullptr);
}

// libnice emits what it has queued on whichever thread gives up its lock next, and that may be one that
// sends: so each handler does no more than to leave the rest to the loop, and holds this side by a reference
// of its own.
void IceSide::listen() {
    const auto connect = [&](const char* signal, GCallback handler) {
        g_signal_connect_data(
            agent_.get(), signal, handler, new Weak{weak_from_this()},
            [](gpointer data, GClosure* /*closure*/) { delete static_cast<Weak*>(data); },
            static_cast<GConnectFlags>(0));
    };
    connect("candidate-gathering-done", G_CALLBACK(&IceSide::on_gathered));
    connect("new-candidate-full", G_CALLBACK(&IceSide::on_candidate));
    connect("component-state-changed", G_CALLBACK(&IceSide::on_state));
    connect("reliable-transport-writable", G_CALLBACK(&IceSide::on_writable));
    connect("new-selected-pair-full", G_CALLBACK(&IceSide::on_pair));
}

// It was stopped before, on the loop's thread: the last reference may be that of a thread that sends.
IceSide::~IceSide() {
    stop();
}

void IceSide::stop() {
    if (agent_ == nullptr) return;
    outgoing_.end();  // before the agent goes: nobody sends with it any more
    g_cancellable_cancel(cancel_.get());
    auto* const agent = agent_.release();
    if (ice_stream_ != 0) {
        nice_agent_attach_recv(agent, ice_stream_, component, context_, nullptr, nullptr);
        nice_agent_remove_stream(agent, ice_stream_);
    }
    // TURN servers are told, which takes an answer.
    nice_agent_close_async(
        agent, [](GObject* closed, GAsyncResult* /*result*/, gpointer /*data*/) { g_object_unref(closed); },
        nullptr);
}

// ---- gathering ----

void IceSide::gather(const PathSettings& settings) {
    settings_ = settings;
    listen();
    if (settings.upnp) g_object_set(agent_.get(), "upnp", TRUE, nullptr);
    ice_stream_ = nice_agent_add_stream(agent_.get(), 1);
    if (ice_stream_ == 0) return gathered_();
    bool somewhere = false;
    for (const auto& network : networks()) {
        if (network.loopback && !settings.loopback) continue;
        NiceAddress address;
        nice_address_init(&address);
        if (nice_address_set_from_string(&address, text_of(network.address).c_str()) != FALSE &&
            nice_agent_add_local_address(agent_.get(), &address) != FALSE)
            somewhere = true;
    }
    // Told of none, libnice would take every address that it finds.
    if (!somewhere) return gathered_();
    nice_agent_attach_recv(agent_.get(), ice_stream_, component, context_, &IceSide::on_bytes, this);
    // libnice takes addresses alone.
    for (const auto& server : settings.servers) lookup(server);
    if (lookups_ == 0) begin_gathering();
}

void IceSide::lookup(const IceServer& server) {
    const Ref<GInetAddress> address{g_inet_address_new_from_string(server.host.c_str())};
    if (address != nullptr) return add_server(server, address.get());
    struct Query {
        std::weak_ptr<IceSide> side;
        IceServer server;
    };
    ++lookups_;
    const Ref<GResolver> resolver{g_resolver_get_default()};
    g_resolver_lookup_by_name_async(
        resolver.get(), server.host.c_str(), cancel_.get(),
        [](GObject* source, GAsyncResult* result, gpointer data) {
            const std::unique_ptr<Query> query{static_cast<Query*>(data)};
            GList* const found = g_resolver_lookup_by_name_finish(G_RESOLVER(source), result, nullptr);
            if (const auto side = query->side.lock()) side->looked_up(query->server, found);
            if (found != nullptr) g_resolver_free_addresses(found);
        },
        new Query{weak_from_this(), server});
}

void IceSide::looked_up(const IceServer& server, GList* found) {
    if (agent_ == nullptr) return;
    // By IPv4 where there is a choice: those are the addresses that routers translate.
    GInetAddress* best = nullptr;
    for (auto* each = found; each != nullptr; each = each->next) {
        auto* const address = G_INET_ADDRESS(each->data);
        if (best == nullptr || (g_inet_address_get_family(best) != G_SOCKET_FAMILY_IPV4 &&
                                g_inet_address_get_family(address) == G_SOCKET_FAMILY_IPV4))
            best = address;
    }
    if (best != nullptr) add_server(server, best);
    if (--lookups_ == 0) begin_gathering();
}

// The key server names it, and doesn't get to send us where it likes.
void IceSide::add_server(const IceServer& server, GInetAddress* at) {
    if (server.port == 0 || !means_one_host(address_bytes(at), settings_.loopback)) return;
    const Text text{g_inet_address_to_string(at)};
    const auto* const address = text.get();
    switch (server.kind) {
        case IceServer::Kind::stun:
            g_object_set(agent_.get(), "stun-server", address, "stun-server-port", guint{server.port},
                         nullptr);
            return;
        case IceServer::Kind::turn_udp:
        case IceServer::Kind::turn_tcp:
            (server.kind == IceServer::Kind::turn_udp ? udp_relays_ : tcp_relays_) = true;
            nice_agent_set_relay_info(agent_.get(), ice_stream_, component, address, server.port,
                                      server.username.c_str(), server.password.c_str(),
                                      server.kind == IceServer::Kind::turn_udp ? NICE_RELAY_TYPE_TURN_UDP
                                                                               : NICE_RELAY_TYPE_TURN_TCP);
            return;
    }
}

void IceSide::begin_gathering() {
    ready_ = nice_agent_gather_candidates(agent_.get(), ice_stream_) != FALSE;
    // Without servers there is nothing to wait for.
    if (!ready_ || (settings_.servers.empty() && !settings_.upnp)) gathered_();
}

void IceSide::found(NiceCandidateType type, guint32 priority) {
    const bool relayed = type == NICE_CANDIDATE_TYPE_RELAYED;
    if (type == NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE) reflexive_ = true;
    if (relayed) relayed_.insert(priority >> 24U);
    if (!reflexive_ && !relayed) return;
    ready_ = true;
    const bool relays = udp_relays_ || tcp_relays_;
    if (!relays || (!relayed_.empty() && (reflexive_ || told_by_relay())))
        gathered_in(company_ms);
    else if (relayed)
        gathered_in(reflexive_ms);
}

// One that is reached by UDP tells the address that STUN would; without a candidate for it that is the
// host's. libnice doesn't say by what a relayed candidate was got, but prefers one to the other: there are
// two type preferences (RFC 8445 section 5.1.2.1) where both are there.
bool IceSide::told_by_relay() const {
    return udp_relays_ && relayed_.size() >= (tcp_relays_ ? 2U : 1U);
}

void IceSide::gathered_in(unsigned ms) {
    post(weak_from_this(), ms, [](IceSide& side) { side.gathered_(); });
}

void IceSide::describe(PathDescription& out) {
    if (agent_ == nullptr || !ready_) return;
    gchar* ufrag = nullptr;
    gchar* password = nullptr;
    if (nice_agent_get_local_credentials(agent_.get(), ice_stream_, &ufrag, &password) == FALSE) return;
    const Text owned_ufrag{ufrag};
    const Text owned_password{password};
    auto* const list = nice_agent_get_local_candidates(agent_.get(), ice_stream_, component);
    for (auto* each = list; each != nullptr && out.candidates.size() < max_candidates; each = each->next) {
        const Text line{
            nice_agent_generate_local_candidate_sdp(agent_.get(), static_cast<NiceCandidate*>(each->data))};
        std::string_view text{line.get()};
        if (text.starts_with(sdp_prefix)) text.remove_prefix(sdp_prefix.size());
        if (text.size() <= max_candidate_size) out.candidates.emplace_back(text);
    }
    free_candidates(list);
    if (out.candidates.empty()) return;
    out.ufrag = ufrag;
    out.password = password;
}

// ---- connecting ----

bool IceSide::acceptable(const NiceAddress& address) const {
    if (nice_address_is_valid(&address) == FALSE || nice_address_get_port(&address) == 0) return false;
    std::array<gchar, NICE_ADDRESS_STRING_LEN> text{};
    nice_address_to_string(&address, text.data());
    const Ref<GInetAddress> inet{g_inet_address_new_from_string(text.data())};
    return inet != nullptr && means_one_host(address_bytes(inet.get()), settings_.loopback);
}

void IceSide::connect(const PathDescription& theirs) {
    if (agent_ == nullptr || !ready_ || theirs.ufrag.empty()) return;
    if (nice_agent_set_remote_credentials(agent_.get(), ice_stream_, theirs.ufrag.c_str(),
                                          theirs.password.c_str()) == FALSE)
        return;
    GSList* list = nullptr;
    for (const auto& line : theirs.candidates) {
        if (!is_udp_candidate(line)) continue;
        Candidate candidate{nice_agent_parse_remote_candidate_sdp(agent_.get(), ice_stream_,
                                                                  (std::string{sdp_prefix} + line).c_str())};
        if (candidate == nullptr || candidate->component_id != component ||
            candidate->transport != NICE_CANDIDATE_TRANSPORT_UDP || !acceptable(candidate->addr))
            continue;
        list = g_slist_prepend(list, candidate.release());
    }
    list = g_slist_reverse(list);
    if (list != nullptr) nice_agent_set_remote_candidates(agent_.get(), ice_stream_, component, list);
    free_candidates(list);
}

PathKind IceSide::kind() {
    NiceCandidate* local = nullptr;
    NiceCandidate* remote = nullptr;
    if (nice_agent_get_selected_pair(agent_.get(), ice_stream_, component, &local, &remote) == FALSE)
        return PathKind::ice;
    return local->type == NICE_CANDIDATE_TYPE_RELAYED || remote->type == NICE_CANDIDATE_TYPE_RELAYED
               ? PathKind::turn
               : PathKind::ice;
}

void IceSide::open() {
    if (id_ == 0 && agent_ != nullptr)
        id_ = reports_.opened(std::make_shared<Connected>(shared_from_this()), kind(), offerer_);
}

void IceSide::writable() {
    open();
    flush();
}

void IceSide::take(ByteView bytes) {
    const auto self = shared_from_this();
    open();
    if (agent_ == nullptr || reports_.bytes(id_, to_bytes(bytes))) return;
    failed();
}

void IceSide::failed() {
    // Not from inside of one of libnice's own callbacks.
    post(weak_from_this(), 0, [](IceSide& side) {
        side.stop();
        if (side.id_ != 0) side.reports_.closed(side.id_);
    });
}

// The lock of outgoing_ is held while libnice sends, and taken before libnice's own. The other way round it
// is never taken: libnice calls nothing of ours with its lock held. It also keeps the agent: stop() ends
// outgoing_ first.
Bytes IceSide::send_now(Bytes bytes) {
    return outgoing_.now(std::move(bytes), [this](ByteView all) { return push(all); });
}

void IceSide::send(Bytes bytes) {
    if (!outgoing_.queue(std::move(bytes))) return failed();
    flush();
}

void IceSide::flush() {
    static_cast<void>(outgoing_.flush([this](ByteView bytes) { return push(bytes); }));
}

// What is left then is sent when libnice says that there is room again.
std::size_t IceSide::push(ByteView bytes) {
    std::size_t gone = 0;
    while (gone < bytes.size()) {
        const auto size = std::min(most_at_once, bytes.size() - gone);
        const auto sent = nice_agent_send(agent_.get(), ice_stream_, component, static_cast<guint>(size),
                                          reinterpret_cast<const gchar*>(bytes.data() + gone));
        if (sent <= 0) break;
        gone += static_cast<std::size_t>(sent);
    }
    return gone;
}

// ---- libnice calls ----

template <class What>
void IceSide::post(const Weak& weak, unsigned ms, What what) {
    const auto side = weak.lock();
    if (side == nullptr) return;
    later(side->context_, ms, [weak, what] {
        const auto then = weak.lock();
        if (then != nullptr && then->agent_ != nullptr) what(*then);
    });
}

void IceSide::on_gathered(NiceAgent* /*agent*/, guint /*stream*/, gpointer weak) {
    post(*static_cast<Weak*>(weak), 0, [](IceSide& side) {
        side.ready_ = true;
        side.gathered_();
    });
}

void IceSide::on_candidate(NiceAgent* /*agent*/, NiceCandidate* candidate, gpointer weak) {
    post(*static_cast<Weak*>(weak), 0,
         [type = candidate->type, priority = candidate->priority](IceSide& side) {
             side.found(type, priority);
         });
}

void IceSide::on_state(NiceAgent* /*agent*/, guint /*stream*/, guint /*component*/, guint state,
                       gpointer weak) {
    if (state == NICE_COMPONENT_STATE_FAILED)
        if (const auto side = static_cast<Weak*>(weak)->lock()) side->failed();
}

void IceSide::on_writable(NiceAgent* /*agent*/, guint /*stream*/, guint /*component*/, gpointer weak) {
    post(*static_cast<Weak*>(weak), 0, [](IceSide& side) { side.writable(); });
}

void IceSide::on_pair(NiceAgent* /*agent*/, guint /*stream*/, guint /*component*/, NiceCandidate* /*local*/,
                      NiceCandidate* /*remote*/, gpointer weak) {
    post(*static_cast<Weak*>(weak), 0, [](IceSide& side) {
        if (side.id_ != 0) side.reports_.moved(side.id_, side.kind());
    });
}

// On the loop's thread alone, as it was attached there.
void IceSide::on_bytes(NiceAgent* /*agent*/, guint /*stream*/, guint /*component*/, guint size, gchar* bytes,
                       gpointer self) {
    static_cast<IceSide*>(self)->take(bytes_of({bytes, size}));
}

}  // namespace sotto::client::paths
