// libFuzzer's entry points. SOTTO_FUZZ_TARGET names the target; `sotto-fuzz --seeds DIR` writes its seeds
// instead; `--list` prints the names.
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include "support/process.hpp"
#include "targets.hpp"

namespace {

const sotto::fuzz::Target* chosen = nullptr;

void list_targets(std::ostream& out) {
    for (const auto& target : sotto::fuzz::targets()) out << target.name << '\n';
}

}  // namespace

// NOLINTBEGIN(readability-identifier-naming,readability-non-const-parameter): libFuzzer's own names and types
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
    const char* const name = std::getenv("SOTTO_FUZZ_TARGET");  // NOLINT(concurrency-mt-unsafe)
    if (name != nullptr) chosen = sotto::fuzz::target_called(name);
    if (*argc == 2 && std::string_view{(*argv)[1]} == "--list") {
        list_targets(std::cout);
        std::exit(0);  // NOLINT(concurrency-mt-unsafe)
    }
    if (chosen == nullptr) {
        std::cerr << "SOTTO_FUZZ_TARGET has to be one of:\n";
        list_targets(std::cerr);
        std::exit(1);  // NOLINT(concurrency-mt-unsafe)
    }
    if (*argc == 3 && std::string_view{(*argv)[1]} == "--seeds") {
        std::filesystem::create_directories((*argv)[2]);
        int number = 0;
        for (const auto& seed : chosen->seeds())
            sotto::test::write_file(std::filesystem::path{(*argv)[2]} / ("seed-" + std::to_string(number++)),
                                    sotto::chars_of(seed));
        std::exit(0);  // NOLINT(concurrency-mt-unsafe)
    }
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    chosen->feed(std::as_bytes(std::span{data, size}));
    return 0;
}
// NOLINTEND(readability-identifier-naming,readability-non-const-parameter)
