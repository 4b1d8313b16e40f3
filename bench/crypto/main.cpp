// sotto-bench-crypto: docs/performance.md. Takes Google Benchmark's options.
#include <benchmark/benchmark.h>

#include <exception>
#include <iostream>

#include "bench/crypto/jobs.hpp"
#include "bench/crypto/report.hpp"

namespace sotto::bench {
namespace {

int run(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::AddCustomContext("sotto", SOTTO_VERSION);
    benchmark::AddCustomContext("libsodium", sodium_version());
    benchmark::AddCustomContext("build", SOTTO_BUILD);
    Jobs jobs;
    add_setup(jobs);
    add_messages(jobs);
    add_contacts(jobs);
    add_late(jobs);
    add_files(jobs);
    add_calls(jobs);
    add_sizes(jobs);
    Report report;
    if (benchmark::RunSpecifiedBenchmarks(&report) == 0) return 1;
    report.print(jobs, std::cout);
    return 0;
}

}  // namespace
}  // namespace sotto::bench

int main(int argc, char** argv) {
    try {
        return sotto::bench::run(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "sotto-bench-crypto: " << error.what() << '\n';
        return 1;
    }
}
