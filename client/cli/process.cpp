#include "process.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>

// Leak detection reads its own process the way that is shut here.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SOTTO_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SOTTO_SANITIZED
#endif
#endif

namespace sotto::cli {
namespace {

std::filesystem::path from_environment(const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread is started
    return value == nullptr ? std::filesystem::path{} : std::filesystem::path{value};
}

}  // namespace

void harden_process() {
    ::umask(S_IRWXG | S_IRWXO);
    static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
#ifndef SOTTO_SANITIZED
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    ::setrlimit(RLIMIT_CORE, &none);
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

Result<std::filesystem::path> default_home() {
    if (auto home = from_environment("SOTTO_HOME"); !home.empty()) return home;
    // The XDG specification has relative paths ignored.
    if (const auto data = from_environment("XDG_DATA_HOME"); data.is_absolute()) return data / "sotto";
    if (const auto home = from_environment("HOME"); !home.empty()) return home / ".local" / "share" / "sotto";
    return refuse("There is no home folder to keep the profile in; name one with --home.");
}

}  // namespace sotto::cli
