#include "keyserver/metrics/collect.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <limits>

namespace sotto::keyserver {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

/// The families in the order in which they first appear.
class Families {
  public:
    ClientMetric& metric(const CountName& name, MetricType type) {
        if (all_.empty() || all_.back().name != name.family)
            all_.push_back({std::string{name.family}, std::string{name.help}, type, {}});
        auto& metric = all_.back().metric.emplace_back();
        if (!name.label.empty()) metric.label.push_back({std::string{name.label}, std::string{name.value}});
        return metric;
    }
    void gauge(std::string_view family, std::string_view help, double value) {
        metric({family, help, {}, {}}, MetricType::Gauge).gauge.value = value;
    }
    void counter(const CountName& name, std::uint64_t value) {
        metric(name, MetricType::Counter).counter.value = static_cast<double>(value);
    }
    void histogram(const CountName& name, const Counters::Histogram& held) {
        auto& out = metric(name, MetricType::Histogram).histogram;
        auto bound = Counters::first_bucket_us;
        for (std::size_t i = 0; i < Counters::buckets; ++i, bound *= 2) {
            out.sample_count += held.in_bucket.at(i);
            auto& bucket = out.bucket.emplace_back();
            bucket.cumulative_count = out.sample_count;
            bucket.upper_bound = i + 1 < Counters::buckets ? static_cast<double>(bound) / 1e6
                                                           : std::numeric_limits<double>::infinity();
        }
        out.sample_sum = static_cast<double>(held.sum_us) / 1e6;
    }
    [[nodiscard]] const std::vector<MetricFamily>& all() const { return all_; }

  private:
    std::vector<MetricFamily> all_;
};

void add_gauges(Families& families, const Gauges& gauges) {
    families.gauge("sotto_connections", "Connections that are open", static_cast<double>(gauges.connections));
    families.gauge("sotto_connections_max", "Connections that may be open",
                   static_cast<double>(gauges.max_connections));
    families.gauge("sotto_devices_online", "Devices that are logged in",
                   static_cast<double>(gauges.devices_online));
    families.gauge("sotto_presence_topics", "Topics that are published or watched",
                   static_cast<double>(gauges.presence_topics));
    families.gauge("sotto_presence_held", "Topics that are published",
                   static_cast<double>(gauges.presence_held));
    families.gauge("sotto_envelopes_unacknowledged", "Envelopes on their way to connected devices",
                   static_cast<double>(gauges.envelopes_unacknowledged));
    families.gauge("sotto_addresses_tracked", "Addresses that are remembered for their limits",
                   static_cast<double>(gauges.addresses));
    families.gauge("sotto_store_queue", "Pieces of work that wait for the store",
                   static_cast<double>(gauges.store_queue));
    families.counter({"sotto_store_jobs_total", "Pieces of work that the store has done", {}, {}},
                     gauges.store_jobs);
    families.counter({"sotto_store_failures_total", "Transactions that failed", {}, {}},
                     gauges.store_failures);
    families.gauge("sotto_certificate_expires_timestamp_seconds", "When the TLS certificate expires",
                   static_cast<double>(gauges.certificate_expires));
    families.gauge("sotto_ready", "1 while it accepts connections and its store answers",
                   gauges.ready ? 1 : 0);
}

/// Begins with the family that the other counts end with.
void add_net(Families& families, const NetCounters& net) {
    static_assert(count_names.back().family == "sotto_limit_hits_total");
    constexpr std::array<std::string_view, late_kinds> late{"handshake_time", "login_time", "frame_time",
                                                            "reading_time",   "idle_time",  "goodbye_time"};
    const auto limit = [&](std::string_view name, std::uint64_t value) {
        families.counter({"sotto_limit_hits_total", "", "limit", name}, value);
    };
    limit("outbound", net.overflowed);
    limit("address_connections", net.refused_many);
    limit("address_rate", net.refused_fast);
    for (std::size_t i = 0; i < late.size(); ++i) limit(late.at(i), net.late.at(i));
    const auto connection = [&](std::string_view outcome, std::uint64_t value) {
        families.counter(
            {"sotto_connections_total", "Connections by what became of them at the door", "outcome", outcome},
            value);
    };
    connection("accepted", net.accepted);
    connection("full", net.refused_full);
    connection("address_connections", net.refused_many);
    connection("address_rate", net.refused_fast);
    families.counter({"sotto_handshakes_total", "TLS handshakes that succeeded", {}, {}}, net.handshakes);
}

}  // namespace

std::string metrics_text(const Counters& counters, const Counters& store, const NetCounters& net,
                         const Gauges& gauges, const std::string& version) {
    Families families;
    families.metric({"sotto_build_info", "Always 1", "version", version}, MetricType::Gauge).gauge.value = 1;
    add_gauges(families, gauges);
    for (std::size_t i = 0; i < count_names.size(); ++i)
        families.counter(count_names.at(i), counters.count(static_cast<Count>(i)));
    add_net(families, net);
    for (std::size_t i = 0; i < latency_names.size(); ++i) {
        const auto which = static_cast<Latency>(i);
        families.histogram(latency_names.at(i),
                           (which == Latency::commit ? store : counters).histogram(which));
    }
    return prometheus::TextSerializer{}.Serialize(families.all());
}

}  // namespace sotto::keyserver
