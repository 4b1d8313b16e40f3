#include "bench/loadgen/meter.hpp"

#include <ctime>

namespace sotto::loadgen {
namespace {

[[nodiscard]] double own_cpu_s() {
    timespec time{};
    if (::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) != 0) return 0;
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

}  // namespace

Meter::Meter(const Common& common) {
    if (common.server_pid) server_.emplace(*common.server_pid);
    begin();
}

void Meter::begin() {
    // Reading the memory map takes the server's time: it comes first.
    if (server_) pss_ = server_->pss();
    if (server_) cpu_ = server_->cpu_us();
    own_cpu_ = own_cpu_s();
    began_ = Clock::now();
}

std::optional<double> Meter::cpu_us() const {
    if (!server_) return std::nullopt;
    return server_->cpu_us() - cpu_;
}

std::optional<double> Meter::pss_bytes() const {
    if (!server_) return std::nullopt;
    return static_cast<double>(server_->pss()) - static_cast<double>(pss_);
}

double Meter::wall_s() const {
    return std::chrono::duration<double>(Clock::now() - began_).count();
}

void Meter::end(Result& result) const {
    result.wall_s = wall_s();
    result.server_cpu_us = cpu_us();
    result.server_pss_bytes = pss_bytes();
    result.more["loadgen_cpu_s"] = own_cpu_s() - own_cpu_;
}

}  // namespace sotto::loadgen
