#include <charconv>

#include "engine/flags.h"

namespace cluster::engine {
namespace {

constexpr std::uint64_t kSecondInNs = 1'000'000'000;

Flag fault_flag(const char* name, const char* help, std::uint64_t most,
                std::uint64_t FaultOptions::* field) {
    return number_flag<std::uint64_t>(
        name, help, 0, most,
        [field](EngineOptions& options) -> std::uint64_t& { return options.faults.*field; });
}

}  // namespace

std::uint64_t whole_number(const std::string& flag, const std::string& text, std::uint64_t least,
                           std::uint64_t most) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number < least ||
        number > most) {
        throw UsageError(flag + " takes a whole number from " + std::to_string(least) + " to " +
                         std::to_string(most) + ", not \"" + text + "\"");
    }
    return number;
}

const std::vector<Flag>& fault_flags() {
    static const std::vector<Flag> flags = {
        fault_flag("--busy-ns", "work N ns on the CPU for every order: planted_busy_work",
                   kSecondInNs, &FaultOptions::busy_ns),
        fault_flag("--sleep-us",
                   "sleep N us for every batch that was read, before its replies go out: "
                   "planted_sleep",
                   60'000'000, &FaultOptions::sleep_us),
        fault_flag("--lock-ns",
                   "hold one lock of all threads for N ns of CPU for every order: planted_lock",
                   kSecondInNs, &FaultOptions::lock_ns),
        fault_flag("--syscalls-per-order",
                   "make N small system calls for every order: planted_syscalls", 1'000'000,
                   &FaultOptions::syscalls_per_order),
        fault_flag(
            "--memory-kib",
            "follow pointers through N KiB for every order, each as soon as the one before is "
            "read: planted_memory",
            1U << 20, &FaultOptions::memory_kib),
        fault_flag("--memory-steps", "how many pointers that are (100)", 1'000'000,
                   &FaultOptions::memory_steps),
        fault_flag("--stall-every-ms",
                   "freeze all threads each time N ms have passed, for --stall-ms: planted_stall",
                   86'400'000, &FaultOptions::stall_every_ms),
        fault_flag(
            "--stall-at-ms",
            "freeze all threads once, N ms after the first order, for --stall-ms: planted_stall",
            86'400'000, &FaultOptions::stall_at_ms),
        fault_flag("--stall-ms", "how long each freeze lasts", 86'400'000, &FaultOptions::stall_ms),
        fault_flag("--exit-after-orders", "abort (SIGABRT) when the order after the N-th comes",
                   ~std::uint64_t{0}, &FaultOptions::exit_after_orders),
        fault_flag("--slow-reader-us",
                   "sleep N us before every read and read 4 KiB at most, so that what clients send "
                   "piles up in the kernel: planted_slow_reader",
                   60'000'000, &FaultOptions::slow_reader_us),
    };
    return flags;
}

}  // namespace cluster::engine
