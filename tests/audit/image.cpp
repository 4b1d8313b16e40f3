#include "image.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <unordered_map>

#include "sotto/crypto/random.hpp"
#include "sotto/crypto/secret.hpp"
#include "support/process.hpp"

namespace sotto::audit {
namespace {

/// A window of its own, outside the heap, that what is looked through is read into; never looked through
/// itself.
class Window {
  public:
    static constexpr std::size_t size = std::size_t{1} << 20;
    Window()
        : data_(static_cast<std::byte*>(
              ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
        if (data_ == MAP_FAILED) throw std::runtime_error("no memory to search with");
    }
    Window(const Window&) = delete;
    Window& operator=(const Window&) = delete;
    ~Window() {
        crypto::wipe(data_, size);
        ::munmap(data_, size);
    }
    [[nodiscard]] std::span<std::byte> bytes() const { return {data_, size}; }
    [[nodiscard]] std::uintptr_t begin() const { return reinterpret_cast<std::uintptr_t>(data_); }

  private:
    std::byte* data_;
};

struct Mapping {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    std::string access;
    std::string name;
};

std::vector<Mapping> mappings() {
    std::ifstream in{"/proc/self/maps"};
    std::vector<Mapping> out;
    for (std::string line; std::getline(in, line);) {
        std::istringstream words{line};
        Mapping mapping;
        std::string range;
        std::string offset;
        std::string device;
        std::string inode;
        words >> range >> mapping.access >> offset >> device >> inode >> mapping.name;
        const auto dash = range.find('-');
        mapping.begin = std::stoull(range.substr(0, dash), nullptr, 16);
        mapping.end = std::stoull(range.substr(dash + 1), nullptr, 16);
        out.push_back(std::move(mapping));
    }
    return out;
}

/// A mapping without the window, which the kernel may have joined with its neighbours.
std::vector<std::pair<std::uintptr_t, std::uintptr_t>> around(const Mapping& mapping, const Window& window) {
    const auto begin = window.begin();
    const auto end = begin + Window::size;
    if (mapping.end <= begin || end <= mapping.begin) return {{mapping.begin, mapping.end}};
    return {{mapping.begin, std::max(mapping.begin, begin)}, {std::min(mapping.end, end), mapping.end}};
}

std::uint64_t word_at(const std::byte* at) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    return word;
}

}  // namespace

Needles::Needles() {
    crypto::SystemRng rng;
    rng.fill(mask_);
}

void Needles::add(const std::string& name, ByteView secret) {
    if (secret.size() < size_) throw std::logic_error("a secret that is too short to be looked for");
    for (std::size_t at = 0; at + size_ <= secret.size(); at += size_) {
        Needle needle{name, {}};
        for (std::size_t i = 0; i < size_; ++i) needle.masked.at(i) = secret[at + i] ^ mask_.at(i);
        const auto first = secret[at];
        const bool plain = std::ranges::all_of(secret.subspan(at, size_), [&](auto b) { return b == first; });
        if (!plain) needles_.push_back(std::move(needle));
    }
}

std::size_t Needles::count_in(ByteView bytes, std::string_view name, std::string_view where) const {
    const auto mask_word = word_at(mask_.data());
    std::unordered_multimap<std::uint64_t, const Needle*> by_word;
    std::vector<bool> possible(std::size_t{1} << 16);
    for (const auto& needle : needles_) {
        if (!name.empty() && needle.name != name) continue;
        const auto word = word_at(needle.masked.data());
        by_word.emplace(word, &needle);
        possible[(word ^ mask_word) & 0xffffU] = true;
    }
    std::size_t count = 0;
    for (std::size_t at = 0; at + size_ <= bytes.size(); ++at) {
        const auto word = word_at(bytes.data() + at);
        if (!possible[word & 0xffffU]) continue;
        const auto [from, to] = by_word.equal_range(word ^ mask_word);
        for (auto it = from; it != to; ++it) {
            bool same = true;
            for (std::size_t i = 0; i < size_; ++i)
                same = same && (bytes[at + i] ^ mask_.at(i)) == it->second->masked.at(i);
            if (!same) continue;
            ++count;
            remember(*it->second, where);
        }
    }
    return count;
}

void Needles::remember(const Needle& needle, std::string_view where) const {
    constexpr std::size_t enough = 200;
    const auto words = needle.name + " in " + std::string{where};
    if (found_.size() < enough && found_.find(words) == std::string::npos)
        found_ += (found_.empty() ? "" : ", ") + words;
}

std::size_t Needles::count_in_memory(std::string_view name) const {
    found_.clear();
    searched_ = 0;
    const Window window;
    const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    if (memory < 0) throw std::runtime_error("/proc/self/mem can't be read");
    std::size_t count = 0;
    for (const auto& mapping : mappings()) {
        if (mapping.access.at(0) != 'r' || mapping.name == "[vvar]" || mapping.name == "[vsyscall]") continue;
        const auto name_of = mapping.name.empty() ? "anonymous memory" : mapping.name;
        for (const auto& [begin, end] : around(mapping, window)) {
            // Pieces overlap, so that nothing is missed between two of them.
            for (auto at = begin; at < end; at += Window::size - size_) {
                const auto wanted = std::min<std::uintptr_t>(Window::size, end - at);
                const auto got = ::pread(memory, window.bytes().data(), wanted, static_cast<off_t>(at));
                if (got <= 0) continue;
                searched_ += static_cast<std::size_t>(got);
                count += count_in(window.bytes().first(static_cast<std::size_t>(got)), name, name_of);
            }
        }
    }
    ::close(memory);
    return count;
}

std::size_t Needles::count_in_files(const std::filesystem::path& folder) const {
    found_.clear();
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator{folder}) {
        if (!entry.is_regular_file()) continue;
        const auto text = test::read_file(entry.path());
        count += count_in(bytes_of(text), {}, entry.path().filename().string());
    }
    return count;
}

}  // namespace sotto::audit
