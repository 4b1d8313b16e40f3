#include "bench/crypto/jobs.hpp"

namespace sotto::bench {
namespace {

Jobs::Run loop(std::shared_ptr<Bare> bare, Jobs::Calls calls) {
    return [bare = std::move(bare), calls = std::move(calls)](benchmark::State& state) {
        for ([[maybe_unused]] auto _ : state) calls(*bare);
    };
}

void in_microseconds(const std::string& name, const Jobs::Run& run) {
    benchmark::RegisterBenchmark(name.c_str(), run)->Unit(benchmark::kMicrosecond);
}

}  // namespace

void Jobs::add(Job job, const Run& ours, const Calls& calls) {
    in_microseconds(job.name + "/ours", ours);
    in_microseconds(job.name + "/bare", loop(bare_, calls));
    jobs_.push_back(std::move(job));
}

void Jobs::add_call(const std::string& name, const Calls& call) {
    in_microseconds("libsodium/" + name, loop(bare_, call));
    calls_.push_back(name);
}

void add_calls(Jobs& jobs) {
    jobs.add_call("X25519", [](Bare& b) { b.agree(); });
    jobs.add_call("X25519, a key pair", [](Bare& b) { b.agreement_key(); });
    jobs.add_call("Ed25519, a signature checked (200 B)", [](Bare& b) { b.verify(200); });
    jobs.add_call("Ed25519, a public key checked", [](Bare& b) { b.check_point(); });
    jobs.add_call("ML-KEM-768, a key pair", [](Bare& b) { b.kem_key(); });
    jobs.add_call("ML-KEM-768, encapsulation", [](Bare& b) { b.encapsulate(); });
    jobs.add_call("ML-KEM-768, decapsulation", [](Bare& b) { b.decapsulate(); });
    jobs.add_call("HKDF-SHA-512, 64 B to 96 B", [](Bare& b) { b.root_step(); });
    jobs.add_call("BLAKE2b-512, keyed, 15 B", [](Bare& b) { b.chain_step(); });
    jobs.add_call("SipHash-2-4, 16 B", [](Bare& b) { b.hint(); });
    jobs.add_call("ChaCha20-Poly1305, 346 B sealed", [](Bare& b) { b.seal_body(body_size); });
    jobs.add_call("XChaCha20-Poly1305, 45 B sealed", [](Bare& b) { b.seal_header(); });
    jobs.add_call("16 random bytes", [](Bare& b) { b.salt(); });
}

}  // namespace sotto::bench
