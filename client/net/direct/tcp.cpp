#include "tcp.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <utility>

#include "outgoing.hpp"

namespace sotto::client::paths {
namespace {

constexpr std::size_t chunk = 64UL * 1024;
constexpr int reads_a_turn = 16;
constexpr unsigned connect_timeout_s = 5;
constexpr std::uint16_t first_port = 1024;
// Strangers may knock. Whoever belongs here speaks at once.
constexpr int most_accepted_at_once = 8;
constexpr int most_accepted = 64;  ///< of an attempt
constexpr unsigned silence_ms = 3000;

class TcpStream final : public Stream, public std::enable_shared_from_this<TcpStream> {
  public:
    TcpStream(GSocketConnection* connection, std::shared_ptr<Reports> reports)
        : connection_(connection), reports_(std::move(reports)) {
        g_socket_set_timeout(socket(), 0);  // that of connecting would go on to hold for silence
        g_socket_set_option(socket(), IPPROTO_TCP, TCP_NODELAY, 1, nullptr);
    }

    /// One that came from elsewhere: it holds `slot` while it lasts.
    void accepted(std::shared_ptr<int> slot) {
        slot_ = std::move(slot);
        later(g_main_context_get_thread_default(), silence_ms, [weak = weak_from_this()] {
            const auto self = weak.lock();
            if (self != nullptr && !self->heard_) self->fail();
        });
        begin(false);
    }

    void begin(bool ours) {
        id_ = reports_->opened(shared_from_this(), PathKind::tcp, ours);
        if (!outgoing_.ended()) can_read_ = watch(G_IO_IN, &TcpStream::on_readable);
    }

    // Saves the way to the loop and its waking up, which would be most of what a small message takes.
    Bytes send_now(Bytes bytes) override {
        return outgoing_.now(std::move(bytes), [this](ByteView all) { return push(all, nullptr); });
    }

    void send(Bytes bytes) override {
        if (!outgoing_.queue(std::move(bytes))) return fail();
        if (can_write_ == nullptr) write();
    }

    void close() override {
        if (!outgoing_.end()) return;
        forget(can_read_);
        forget(can_write_);
        slot_.reset();
        g_io_stream_close(G_IO_STREAM(connection_.get()), nullptr, nullptr);
    }

  private:
    using Self = std::shared_ptr<TcpStream>;

    [[nodiscard]] GSocket* socket() { return g_socket_connection_get_socket(connection_.get()); }

    // One source for the stream's life: an asynchronous read makes a new one each time.
    [[nodiscard]] GSource* watch(GIOCondition condition, GSocketSourceFunc then) {
        GSource* const source = g_socket_create_source(socket(), condition, nullptr);
        g_source_set_callback(source, G_SOURCE_FUNC(then), new Self{shared_from_this()},
                              [](gpointer data) { delete static_cast<Self*>(data); });
        g_source_attach(source, g_main_context_get_thread_default());
        return source;
    }
    static void forget(GSource*& source) {
        if (source == nullptr) return;
        g_source_destroy(source);
        g_source_unref(std::exchange(source, nullptr));
    }

    static gboolean on_readable(GSocket* socket, GIOCondition /*condition*/, gpointer data) {
        const auto self = *static_cast<Self*>(data);
        for (int i = 0; i < reads_a_turn && !self->outgoing_.ended(); ++i) {
            auto& buffer = self->buffer_;
            GError* error = nullptr;
            const auto got = g_socket_receive_with_blocking(socket, reinterpret_cast<gchar*>(buffer.data()),
                                                            buffer.size(), FALSE, nullptr, &error);
            const ErrorText owned{error};
            if (got < 0 && g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK) != FALSE) break;
            self->heard_ = true;
            if (got <= 0 || !self->reports_->bytes(
                                self->id_, to_bytes(ByteView{buffer}.first(static_cast<std::size_t>(got))))) {
                self->fail();
                break;
            }
            if (static_cast<std::size_t>(got) < buffer.size()) break;
        }
        return self->outgoing_.ended() ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
    }

    /// From one thread at a time.
    std::size_t push(ByteView bytes, GError** error) {
        const auto sent = g_socket_send_with_blocking(socket(), reinterpret_cast<const gchar*>(bytes.data()),
                                                      bytes.size(), FALSE, nullptr, error);
        return sent > 0 ? static_cast<std::size_t>(sent) : 0;
    }
    void write() {
        GError* error = nullptr;
        const bool all = outgoing_.flush([&](ByteView bytes) { return push(bytes, &error); });
        const ErrorText owned{error};
        if (error != nullptr && g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK) == FALSE)
            return fail();
        if (all) forget(can_write_);
        if (!all && can_write_ == nullptr) can_write_ = watch(G_IO_OUT, &TcpStream::on_writable);
    }
    static gboolean on_writable(GSocket* /*socket*/, GIOCondition /*condition*/, gpointer data) {
        const auto self = *static_cast<Self*>(data);
        self->write();
        return self->can_write_ == nullptr ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
    }
    void fail() {
        if (outgoing_.ended()) return;
        close();
        reports_->closed(id_);
    }

    Ref<GSocketConnection> connection_;
    std::shared_ptr<Reports> reports_;
    GSource* can_read_ = nullptr;
    GSource* can_write_ = nullptr;  ///< while something waits
    Bytes buffer_ = Bytes(chunk);
    bool heard_ = false;
    std::shared_ptr<int> slot_;
    StreamId id_ = 0;
    Outgoing outgoing_;
};

[[nodiscard]] Ref<GSocketAddress> socket_address(ByteView address, std::uint16_t port) {
    const Ref<GInetAddress> inet{
        g_inet_address_new_from_bytes(reinterpret_cast<const guint8*>(address.data()),
                                      address.size() == 4 ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6)};
    return Ref<GSocketAddress>{g_inet_socket_address_new(inet.get(), port)};
}

[[nodiscard]] Bytes remote_address(GSocketConnection* connection) {
    const Ref<GSocketAddress> where{g_socket_connection_get_remote_address(connection, nullptr)};
    if (where == nullptr || G_IS_INET_SOCKET_ADDRESS(where.get()) == FALSE) return {};
    return address_bytes(g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(where.get())));
}

gboolean has_accepted(GSocketService* /*service*/, GSocketConnection* connection, GObject* /*source*/,
                      gpointer data) {
    auto& take = *static_cast<std::function<void(GSocketConnection*)>*>(data);
    take(connection);
    return TRUE;
}

void forget_acceptor(gpointer data, GClosure* /*closure*/) {
    delete static_cast<std::function<void(GSocketConnection*)>*>(data);
}

void has_connected(GObject* source, GAsyncResult* result, gpointer data) {
    const std::unique_ptr<std::shared_ptr<Reports>> reports{static_cast<std::shared_ptr<Reports>*>(data)};
    auto* const connection = g_socket_client_connect_finish(G_SOCKET_CLIENT(source), result, nullptr);
    if (connection != nullptr) std::make_shared<TcpStream>(connection, *reports)->begin(true);
}

}  // namespace

TcpSide::TcpSide(const PathSettings& settings, Reports reports)
    : networks_(networks()),
      reports_(std::make_shared<Reports>(std::move(reports))),
      service_(g_socket_service_new()),
      cancel_(g_cancellable_new()) {
    std::erase_if(networks_, [&](const Network& network) { return network.loopback && !settings.loopback; });
    for (const auto& network : networks_) {
        if (listening_.size() == max_tcp_endpoints) break;
        const auto where = socket_address(network.address, 0);
        GSocketAddress* bound = nullptr;
        if (g_socket_listener_add_address(G_SOCKET_LISTENER(service_.get()), where.get(),
                                          G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, nullptr, &bound,
                                          nullptr) == FALSE)
            continue;
        const Ref<GSocketAddress> owner{bound};
        listening_.push_back({.address = network.address,
                              .port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound))});
    }
    auto* const take = new std::function<void(GSocketConnection*)>{[this](GSocketConnection* connection) {
        // One that listens at a public address too is a contact's only through a router, and then by ICE.
        if (!on_one_of(networks_, remote_address(connection))) return;
        if (slot_.use_count() > most_accepted_at_once || accepted_ == most_accepted) return;
        ++accepted_;
        g_object_ref(connection);
        std::make_shared<TcpStream>(connection, reports_)->accepted(slot_);
    }};
    g_signal_connect_data(service_.get(), "incoming", G_CALLBACK(has_accepted), take, forget_acceptor,
                          static_cast<GConnectFlags>(0));
    g_socket_service_start(service_.get());
}

TcpSide::~TcpSide() {
    stop();
}

void TcpSide::stop() {
    g_cancellable_cancel(cancel_.get());
    if (service_ == nullptr) return;
    g_signal_handlers_disconnect_matched(service_.get(), G_SIGNAL_MATCH_FUNC, 0, 0, nullptr,
                                         reinterpret_cast<gpointer>(has_accepted), nullptr);
    g_socket_service_stop(service_.get());
    g_socket_listener_close(G_SOCKET_LISTENER(service_.get()));
    service_.reset();
}

void TcpSide::connect(const std::vector<TcpEndpoint>& theirs) {
    for (const auto& endpoint : theirs) {
        // A contact doesn't get to send us anywhere but to our neighbours,
        // and not to what a system itself offers there.
        if (!on_one_of(networks_, endpoint.address) || endpoint.port < first_port) continue;
        const Ref<GSocketClient> client{g_socket_client_new()};
        g_socket_client_set_enable_proxy(client.get(), FALSE);
        g_socket_client_set_timeout(client.get(), connect_timeout_s);
        const auto where = socket_address(endpoint.address, endpoint.port);
        g_socket_client_connect_async(client.get(), G_SOCKET_CONNECTABLE(where.get()), cancel_.get(),
                                      has_connected, new std::shared_ptr<Reports>{reports_});
    }
}

}  // namespace sotto::client::paths
