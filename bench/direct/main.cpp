// What a direct path costs on this machine, beside bare TCP: docs/performance.md.
#include <algorithm>
#include <chrono>
#include <iomanip>
#include <iostream>
#include <thread>

#include "bare.hpp"
#include "side.hpp"

namespace sotto::bench {
namespace {

using client::PathKind;
using Clock = std::chrono::steady_clock;

constexpr int rounds = 5;
constexpr int round_trips = 2000;
constexpr std::size_t message_size = 256;
constexpr std::size_t bulk_total = 128UL * 1000 * 1000;
constexpr std::size_t bulk_piece = 64UL * 1024;
constexpr std::size_t window = 4UL * 1024 * 1024;  ///< bytes on their way before something comes back
constexpr std::size_t report_every = 512UL * 1024;

[[nodiscard]] double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

[[nodiscard]] std::vector<double> path_round_trips(PathKind kind) {
    Path path;
    connect(path, kind);
    const std::jthread echo{[&] {
        for (int done = 0; done < round_trips;)
            for (const auto& frame : path.answerer.take()) {
                path.answerer.send(frame);
                ++done;
            }
    }};
    std::vector<double> out;
    const Bytes message(message_size, std::byte{7});
    for (int i = 0; i < round_trips; ++i) {
        const auto begun = Clock::now();
        path.offerer.send(message);
        while (path.offerer.take().empty()) {
        }
        out.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begun).count());
    }
    return out;
}

/// MB/s. `sealed`: through DirectStream, as messages go; otherwise the transport's bytes alone.
[[nodiscard]] double path_bulk(PathKind kind, bool sealed) {
    Path path;
    connect(path, kind);
    const auto begun = Clock::now();
    const std::jthread sender{[&] {
        const Bytes piece(bulk_piece, std::byte{7});
        std::size_t reported = 0;
        for (std::size_t at = 0; at < bulk_total; at += bulk_piece) {
            while (at - reported > window) {
                if (sealed) {
                    reported += path.offerer.take().size() * report_every;
                } else {
                    // A byte for each report.
                    reported += path.offerer.next<client::StreamBytes>().bytes.size() * report_every;
                }
            }
            if (sealed) path.offerer.send(piece);
            if (!sealed) path.offerer.send_bare(piece);
        }
    }};
    std::size_t got = 0;
    std::size_t told = 0;
    while (got < bulk_total) {
        if (sealed) {
            for (const auto& frame : path.answerer.take()) got += frame.size();
        } else {
            got += path.answerer.next<client::StreamBytes>().bytes.size();
        }
        for (; told + report_every <= got; told += report_every) {
            const Bytes report(1, std::byte{1});
            if (sealed) path.answerer.send(report);
            if (!sealed) path.answerer.send_bare(report);
        }
    }
    return static_cast<double>(bulk_total) / 1e6 /
           std::chrono::duration<double>(Clock::now() - begun).count();
}

[[nodiscard]] double path_set_up(PathKind kind) {
    Path path;
    connect(path, kind);
    return path.set_up_ms;
}

void run() {
    std::vector<double> bare_rtt;
    std::vector<double> tcp_rtt;
    std::vector<double> ice_rtt;
    std::vector<double> bare;
    std::vector<double> tcp;
    std::vector<double> nice;
    std::vector<double> ice;
    std::vector<double> tcp_set_up;
    std::vector<double> ice_set_up;
    // One after the other in each round, so that all have the same hours of a shared machine.
    for (int round = 0; round < rounds; ++round) {
        bare_rtt.push_back(median(bare_round_trips(message_size, round_trips)));
        tcp_rtt.push_back(median(path_round_trips(PathKind::tcp)));
        ice_rtt.push_back(median(path_round_trips(PathKind::ice)));
        bare.push_back(bare_bulk(bulk_total, bulk_piece));
        tcp.push_back(path_bulk(PathKind::tcp, true));
        nice.push_back(path_bulk(PathKind::ice, false));
        ice.push_back(path_bulk(PathKind::ice, true));
        tcp_set_up.push_back(path_set_up(PathKind::tcp));
        ice_set_up.push_back(path_set_up(PathKind::ice));
    }
    std::cout << std::fixed << std::setprecision(1);
    const auto row = [](const char* what, double base, double value, const char* unit) {
        std::cout << "| " << what << " | " << base << ' ' << unit << " | " << value << ' ' << unit << " | "
                  << std::setprecision(2) << value / base << std::setprecision(1) << " |\n";
    };
    std::cout << "| job | beside it | direct | ratio |\n|---|---|---|---|\n";
    row("round trip of 256 B, plain TCP; beside bare TCP", median(bare_rtt), median(tcp_rtt), "us");
    row("round trip of 256 B, ICE; beside bare TCP", median(bare_rtt), median(ice_rtt), "us");
    row("bulk in 64 KiB, plain TCP; beside bare TCP", median(bare), median(tcp), "MB/s");
    row("bulk in 64 KiB, ICE; beside libnice's own stream", median(nice), median(ice), "MB/s");
    std::cout << "| set up, plain TCP and ICE | | " << median(tcp_set_up) << " and " << median(ice_set_up)
              << " ms | |\n";
}

}  // namespace
}  // namespace sotto::bench

int main() {
    sotto::bench::run();
    return 0;
}
