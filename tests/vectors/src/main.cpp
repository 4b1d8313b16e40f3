// sotto-vectors: makes the test vectors, or checks those in a folder. docs/protocol.md section 14.
#include <exception>
#include <iomanip>
#include <iostream>
#include <string_view>

#include "freeze.hpp"
#include "vectors.hpp"

namespace {

int usage() {
    std::cerr
        << "usage: sotto-vectors generate DIR   writes the vector files\n"
           "       sotto-vectors verify DIR     replays them through the library and checks each definition\n"
           "       sotto-vectors freeze DIR     adds session records and a store of this version, if there "
           "are "
           "none\n";
    return 2;
}

int run(std::string_view verb, const char* folder) {
    if (verb == "generate") {
        sotto::vectors::write(sotto::vectors::generate(), folder);
        return 0;
    }
    if (verb == "freeze") {
        sotto::vectors::freeze(folder);
        return 0;
    }
    if (verb != "verify") return usage();
    const auto files = sotto::vectors::read(folder);
    sotto::vectors::verify(files);
    for (const auto& [name, file] : files)
        std::cout << std::left << std::setw(22) << name << ' ' << file.at("cases").size() << " cases hold\n";
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return usage();
    try {
        return run(argv[1], argv[2]);
    } catch (const std::exception& problem) {
        std::cerr << "sotto-vectors: " << problem.what() << '\n';
        return 1;
    }
}
