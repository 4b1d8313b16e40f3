// What the server counts of itself: numbers and durations, never who. Any thread adds, without a lock and
// without sharing a cache line with the others; whoever reads adds the threads up.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace sotto::keyserver {

enum class Count : std::uint8_t {
    websockets,
    frames_in,
    frames_out,
    bytes_in,
    bytes_out,
    logins,
    logins_refused,
    registrations,
    registrations_refused,
    delivered,
    stored,
    refused_access,
    refused_rate,
    refused_full,
    refused_no_device,
    refused_other,
    prekeys_one_time,
    prekeys_last_resort,
    presence_published,
    presence_refused,
    presence_pushed,
    limit_requests,
    limit_changes,
    limit_violations,
    limit_in_flight,
    limit_frame_size,
    limit_topics,
    end,
};

/// How a count is called outside: those of one family differ by the value of their label.
struct CountName {
    std::string_view family;
    std::string_view help;
    std::string_view label;
    std::string_view value;
};

inline constexpr std::array<CountName, static_cast<std::size_t>(Count::end)> count_names{{
    {"sotto_websockets_total", "Connections that became WebSockets", "", ""},
    {"sotto_frames_total", "Frames of the protocol", "direction", "in"},
    {"sotto_frames_total", "", "direction", "out"},
    {"sotto_frame_bytes_total", "Bytes of these frames", "direction", "in"},
    {"sotto_frame_bytes_total", "", "direction", "out"},
    {"sotto_logins_total", "Logins", "outcome", "done"},
    {"sotto_logins_total", "", "outcome", "refused"},
    {"sotto_registrations_total", "Registrations", "outcome", "done"},
    {"sotto_registrations_total", "", "outcome", "refused"},
    {"sotto_deliveries_total", "Deliveries by how they were answered", "outcome", "delivered"},
    {"sotto_deliveries_total", "", "outcome", "stored"},
    {"sotto_deliveries_total", "", "outcome", "refused"},
    {"sotto_deliveries_total", "", "outcome", "rate"},
    {"sotto_deliveries_total", "", "outcome", "mailbox_full"},
    {"sotto_deliveries_total", "", "outcome", "no_device"},
    {"sotto_deliveries_total", "", "outcome", "failed"},
    {"sotto_prekeys_total", "Prekey bundles handed out, by their KEM prekey", "kind", "one_time"},
    {"sotto_prekeys_total", "", "kind", "last_resort"},
    {"sotto_presence_posts_total", "Blobs brought under topics", "outcome", "taken"},
    {"sotto_presence_posts_total", "", "outcome", "refused"},
    {"sotto_presence_notifications_total", "Changes that were told to watchers", "", ""},
    {"sotto_limit_hits_total", "How often a limit held something back", "limit", "requests"},
    {"sotto_limit_hits_total", "", "limit", "changes"},
    {"sotto_limit_hits_total", "", "limit", "rate_violations"},
    {"sotto_limit_hits_total", "", "limit", "requests_in_flight"},
    {"sotto_limit_hits_total", "", "limit", "frame_size"},
    {"sotto_limit_hits_total", "", "limit", "topics"},
}};

enum class Latency : std::uint8_t { handshake, login, delivered, stored, commit, end };

inline constexpr std::array<CountName, static_cast<std::size_t>(Latency::end)> latency_names{{
    {"sotto_handshake_seconds", "From the connection to the end of the TLS handshake", "", ""},
    {"sotto_login_seconds", "From a login's or registration's request to the welcome", "", ""},
    {"sotto_delivery_seconds", "From the request to deliver to its answer", "outcome", "delivered"},
    {"sotto_delivery_seconds", "", "outcome", "stored"},
    {"sotto_store_commit_seconds", "A transaction of the store, with all the work in it", "", ""},
}};

class Counters {
  public:
    /// The upper ends of a histogram's buckets: 32 us, doubled eighteen times, and all above.
    static constexpr std::uint64_t first_bucket_us = 32;
    static constexpr std::size_t buckets = 20;
    struct Histogram {
        std::array<std::uint64_t, buckets> in_bucket{};
        std::uint64_t sum_us = 0;
    };

    void add(Count what, std::uint64_t n = 1) noexcept {
        slot().counts[static_cast<std::size_t>(what)].fetch_add(n, std::memory_order_relaxed);
    }
    void took(Latency what, std::uint64_t us) noexcept {
        auto& held = slot().latencies[static_cast<std::size_t>(what)];
        held.in_bucket[bucket_of(us)].fetch_add(1, std::memory_order_relaxed);
        held.sum_us.fetch_add(us, std::memory_order_relaxed);
    }
    /// What has passed since `now_us()` gave this.
    void took_since(Latency what, std::uint64_t begin_us) noexcept { took(what, now_us() - begin_us); }
    [[nodiscard]] static std::uint64_t now_us() noexcept {
        return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                              std::chrono::steady_clock::now().time_since_epoch())
                                              .count());
    }

    [[nodiscard]] std::uint64_t count(Count what) const noexcept {
        std::uint64_t sum = 0;
        for (const auto& slot : slots_)
            sum += slot.counts[static_cast<std::size_t>(what)].load(std::memory_order_relaxed);
        return sum;
    }
    [[nodiscard]] Histogram histogram(Latency what) const noexcept {
        Histogram out;
        for (const auto& slot : slots_) {
            const auto& held = slot.latencies[static_cast<std::size_t>(what)];
            for (std::size_t i = 0; i < buckets; ++i)
                out.in_bucket[i] += held.in_bucket[i].load(std::memory_order_relaxed);
            out.sum_us += held.sum_us.load(std::memory_order_relaxed);
        }
        return out;
    }
    [[nodiscard]] static std::size_t bucket_of(std::uint64_t us) noexcept {
        if (us <= first_bucket_us) return 0;
        const auto at = static_cast<std::size_t>(std::bit_width((us - 1) / first_bucket_us));
        return at < buckets ? at : buckets - 1;
    }

  private:
    static constexpr std::size_t slots = 16;
    struct Durations {
        std::array<std::atomic<std::uint64_t>, buckets> in_bucket{};
        std::atomic<std::uint64_t> sum_us = 0;
    };
    struct alignas(64) Slot {
        std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(Count::end)> counts{};
        std::array<Durations, static_cast<std::size_t>(Latency::end)> latencies{};
    };
    [[nodiscard]] Slot& slot() noexcept {
        static std::atomic<std::size_t> threads = 0;
        thread_local const std::size_t mine = threads.fetch_add(1, std::memory_order_relaxed) % slots;
        return slots_[mine];
    }

    std::array<Slot, slots> slots_;
};

}  // namespace sotto::keyserver
