#include "bench/crypto/ends.hpp"
#include "bench/crypto/jobs.hpp"
#include "sotto/crypto/attachment.hpp"

namespace sotto::bench {
namespace {

constexpr std::size_t file_size = 1024 * 1024;

const Bytes& file() {
    static const Bytes bytes(file_size, std::byte{0x62});
    return bytes;
}

template <class Take>
Array<crypto::attachment_header_size> seal_file(const crypto::AttachmentKey& key, Take take) {
    auto sealer = must(crypto::AttachmentSealer::begin(key, file_size, system_rng()), "beginning a stream");
    ByteView rest{file()};
    while (!sealer.done()) {
        const auto size = sealer.wants();
        take(must(sealer.seal(rest.first(size)), "sealing a chunk"));
        rest = rest.subspan(size);
    }
    return sealer.header();
}

void seal_a_file(benchmark::State& state) {
    const auto key = system_rng().secret<crypto::AttachmentKey>();
    for ([[maybe_unused]] auto _ : state)
        seal_file(key, [](const Bytes& chunk) { benchmark::DoNotOptimize(chunk.data()); });
    state.SetBytesProcessed(static_cast<std::int64_t>(file_size) * state.iterations());
}

void open_a_file(benchmark::State& state) {
    const auto key = system_rng().secret<crypto::AttachmentKey>();
    std::vector<Bytes> chunks;
    const auto header = seal_file(key, [&](Bytes chunk) { chunks.push_back(std::move(chunk)); });
    for ([[maybe_unused]] auto _ : state) {
        auto opener = must(crypto::AttachmentOpener::begin(key, file_size, header), "beginning a stream");
        for (const auto& chunk : chunks)
            benchmark::DoNotOptimize(must(opener.open(chunk), "opening a chunk"));
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(file_size) * state.iterations());
}

}  // namespace

void add_files(Jobs& jobs) {
    jobs.add({"a file of 1 MiB sealed", std::nullopt, "salt, BLAKE2b, 16 chunks of 64 KiB"}, seal_a_file,
             [](Bare& b) {
                 b.salt();
                 b.body_keys();
                 for (std::size_t at = 0; at < file_size; at += chunk_size) b.seal_body(chunk_size);
             });
    jobs.add({"a file of 1 MiB opened", std::nullopt, "BLAKE2b, 16 chunks of 64 KiB"}, open_a_file,
             [](Bare& b) {
                 b.body_keys();
                 b.compare_commitment();
                 for (std::size_t at = 0; at < file_size; at += chunk_size) b.open_body(chunk_size);
             });
}

}  // namespace sotto::bench
