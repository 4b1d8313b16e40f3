#include "keyserver/sandbox/sandbox.hpp"

#include <fcntl.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <system_error>

#include "keyserver/sandbox/descriptor.hpp"
#include "keyserver/sandbox/landlock.hpp"

namespace sotto::keyserver {
namespace {

using Failure = std::unexpected<std::string>;

Failure failed(std::string_view what, int error) {
    return Failure(std::string{"The sandbox can't be entered ("} + std::string{what} + ": " +
                   std::generic_category().message(error) +
                   "); set sandbox = false in the configuration to run without it, and tell us about this "
                   "machine.");
}

// ---- files and ports ----

int create_ruleset(const landlock::Ruleset* attributes, std::size_t size, unsigned flags) {
    return static_cast<int>(::syscall(SYS_landlock_create_ruleset, attributes, size, flags));
}

int landlock_version() {
    constexpr unsigned ask = 1;
    const int version = create_ruleset(nullptr, 0, ask);
    return version < 0 ? 0 : version;
}

landlock::Ruleset handled_by(int version) {
    landlock::Ruleset out{.files = landlock::first_version};
    if (version >= 2) out.files |= landlock::refer;
    if (version >= 3) out.files |= landlock::truncate;
    if (version >= 4) out.network = landlock::bind_tcp | landlock::connect_tcp;
    if (version >= 5) out.files |= landlock::ioctl_dev;
    if (version >= 6) out.scope = landlock::abstract_unix_socket | landlock::signal;
    return out;
}

/// How much of the struct that version knows.
std::size_t size_for(int version) {
    if (version >= 6) return sizeof(landlock::Ruleset);
    return version >= 4 ? 16 : 8;
}

/// Errno, or 0.
int allow_path(int ruleset, const std::filesystem::path& path, std::uint64_t access) {
    const Descriptor at{::open(path.c_str(), O_PATH | O_CLOEXEC)};
    if (at.get() < 0) return errno;
    std::error_code ignored;
    if (!std::filesystem::is_directory(path, ignored))
        access &= landlock::execute | landlock::write_file | landlock::read_file | landlock::truncate |
                  landlock::ioctl_dev;
    const landlock::PathBeneath rule{.allowed = access, .parent = at.get()};
    return ::syscall(SYS_landlock_add_rule, ruleset, landlock::path_beneath, &rule, 0U) == 0 ? 0 : errno;
}

std::expected<int, std::string> enter_landlock(const SandboxRules& rules) {
    const int version = landlock_version();
    if (version == 0) return 0;
    auto handled = handled_by(version);
    // Which port the kernel will pick isn't known, and further listeners are to share it.
    if (std::ranges::find(rules.ports, 0) != rules.ports.end())
        handled.network &= ~std::uint64_t{landlock::bind_tcp};
    const Descriptor ruleset{create_ruleset(&handled, size_for(version), 0)};
    if (ruleset.get() < 0) return failed("Landlock", errno);

    constexpr std::uint64_t reading = landlock::read_file | landlock::read_dir;
    constexpr std::uint64_t changing = landlock::write_file | landlock::truncate | landlock::remove_file |
                                       landlock::remove_dir | landlock::make_reg | landlock::make_dir |
                                       landlock::refer;
    for (const auto& path : rules.writable)
        if (const int error = allow_path(ruleset.get(), path, (reading | changing) & handled.files))
            return failed(path.string(), error);
    for (const auto& path : rules.readable) {
        const int error = allow_path(ruleset.get(), path, reading);
        if (error != 0 && error != ENOENT) return failed(path.string(), error);
    }
    for (const auto port : rules.ports) {
        if ((handled.network & landlock::bind_tcp) == 0) break;
        const landlock::NetPort rule{.allowed = landlock::bind_tcp, .port = port};
        if (::syscall(SYS_landlock_add_rule, ruleset.get(), landlock::net_port, &rule, 0U) != 0)
            return failed("a port", errno);
    }
    if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0U) != 0) return failed("Landlock", errno);
    return version;
}

// ---- system calls ----

// clang-format off: by subject, not a call a line
/// What a server does once its files are open and its settings are read: memory, threads, time, its own files,
/// and its sockets. Everything else is answered with EPERM.
constexpr std::array allowed{
    // memory and threads
    SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect), SCMP_SYS(madvise),
    SCMP_SYS(mlock), SCMP_SYS(mlock2), SCMP_SYS(munlock), SCMP_SYS(membarrier), SCMP_SYS(futex),
    SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(set_tid_address), SCMP_SYS(gettid), SCMP_SYS(getpid),
    SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(getcpu), SCMP_SYS(arch_prctl),
    SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(prctl),
    // signals and time
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigtimedwait),
    SCMP_SYS(sigaltstack), SCMP_SYS(tgkill), SCMP_SYS(restart_syscall), SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday),
    SCMP_SYS(time), SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime), SCMP_SYS(getrandom),
    SCMP_SYS(getrusage), SCMP_SYS(sysinfo), SCMP_SYS(uname), SCMP_SYS(prlimit64), SCMP_SYS(getrlimit),
    // files
    SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(close), SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv),
    SCMP_SYS(writev), SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(preadv), SCMP_SYS(pwritev),
    SCMP_SYS(lseek), SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(ftruncate), SCMP_SYS(fallocate),
    SCMP_SYS(fstat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(statx),
    SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
    SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getcwd), SCMP_SYS(getdents64), SCMP_SYS(unlink),
    SCMP_SYS(unlinkat), SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(mkdir),
    SCMP_SYS(mkdirat), SCMP_SYS(rmdir), SCMP_SYS(fchmod), SCMP_SYS(chmod), SCMP_SYS(fchown), SCMP_SYS(umask),
    SCMP_SYS(utimensat), SCMP_SYS(flock), SCMP_SYS(fcntl), SCMP_SYS(dup), SCMP_SYS(dup3), SCMP_SYS(ioctl),
    SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
    // sockets and waiting
    SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(shutdown),
    SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(getsockname),
    SCMP_SYS(getpeername), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(eventfd2),
    SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_pwait2), SCMP_SYS(poll), SCMP_SYS(ppoll),
};

/// No bug of ours calls these; whoever does has taken the process over.
constexpr std::array deadly{
    SCMP_SYS(execve),        SCMP_SYS(execveat),        SCMP_SYS(ptrace),          SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev), SCMP_SYS(mount),       SCMP_SYS(umount2),         SCMP_SYS(pivot_root),
    SCMP_SYS(setns),         SCMP_SYS(unshare),         SCMP_SYS(init_module),     SCMP_SYS(finit_module),
    SCMP_SYS(kexec_load),    SCMP_SYS(bpf),             SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd),
    SCMP_SYS(keyctl),        SCMP_SYS(add_key),         SCMP_SYS(io_uring_setup),
};
// clang-format on

/// Errno, or 0. A call that this machine's architecture doesn't have is passed over.
int add_rules(scmp_filter_ctx filter) {
    const auto add = [&](std::uint32_t action, int call, const scmp_arg_cmp* arguments, unsigned count) {
        const int error = seccomp_rule_add_array(filter, action, call, count, arguments);
        return error == -EDOM || error == -EOPNOTSUPP ? 0 : -error;
    };
    for (const int call : allowed)
        if (const int error = add(SCMP_ACT_ALLOW, call, nullptr, 0)) return error;
    for (const int call : deadly)
        if (const int error = add(SCMP_ACT_KILL_PROCESS, call, nullptr, 0)) return error;
    // New threads, and no other processes. What clone3 is asked for stands in memory that a filter can't
    // read: without it the C library takes clone.
    const std::array thread{
        scmp_arg_cmp{.arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = CLONE_THREAD, .datum_b = CLONE_THREAD}};
    if (const int error = add(SCMP_ACT_ALLOW, SCMP_SYS(clone), thread.data(), 1)) return error;
    if (const int error = add(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), nullptr, 0)) return error;
    // Sockets to listen on, and the one that tells the service manager how things stand.
    for (const int family : {AF_INET, AF_INET6, AF_UNIX}) {
        const std::array of{scmp_arg_cmp{
            .arg = 0, .op = SCMP_CMP_EQ, .datum_a = static_cast<scmp_datum_t>(family), .datum_b = 0}};
        if (const int error = add(SCMP_ACT_ALLOW, SCMP_SYS(socket), of.data(), 1)) return error;
    }
    return 0;
}

std::expected<bool, std::string> enter_seccomp() {
    // Asks without changing anything: EFAULT for the missing program where filters exist.
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, nullptr, 0, 0) != 0 && errno == EINVAL) return false;
    const auto release = [](scmp_filter_ctx filter) { seccomp_release(filter); };
    const std::unique_ptr<void, decltype(release)> filter{seccomp_init(SCMP_ACT_ERRNO(EPERM)), release};
    if (!filter) return failed("seccomp", ENOMEM);
    if (const int error = add_rules(filter.get())) return failed("seccomp", error);
    if (const int error = seccomp_load(filter.get())) return failed("seccomp", -error);
    return true;
}

}  // namespace

std::expected<Sandbox, std::string> enter_sandbox(const SandboxRules& rules) {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("no new privileges", errno);
    const auto landlock = enter_landlock(rules);
    if (!landlock) return std::unexpected(landlock.error());
    const auto seccomp = enter_seccomp();
    if (!seccomp) return std::unexpected(seccomp.error());
    return Sandbox{.landlock = *landlock, .seccomp = *seccomp};
}

std::string describe(const Sandbox& sandbox) {
    const auto version = std::to_string(sandbox.landlock);
    std::string out;
    if (sandbox.landlock >= 4)
        out = "files and TCP ports by Landlock " + version;
    else if (sandbox.landlock > 0)
        out = "files by Landlock " + version;
    else
        out = "files by nothing, as this kernel has no Landlock";
    out += sandbox.seccomp ? ", system calls by seccomp" : ", system calls by nothing, as it has no seccomp";
    return out;
}

}  // namespace sotto::keyserver
