#include "engine/faults.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "client/clock.h"
#include "client/random.h"

namespace cluster::engine {
namespace {

std::int64_t now_ns() {
    return MonotonicClock::now_ns();
}

/// Keeps the CPU for so long, unless the engine is told to stop.
///
/// Most of the time goes into arithmetic and little into reading the clock, and it is inlined: a
/// profile's samples then lie in the planted function itself.
[[gnu::always_inline]] inline void burn(std::uint64_t ns, const std::atomic<bool>& stop) {
    const std::int64_t end_ns = now_ns() + static_cast<std::int64_t>(ns);
    std::uint64_t value = ns;
    while (now_ns() < end_ns && !stop.load(std::memory_order_relaxed)) {
        for (int round = 0; round < 100; ++round) {
            value = value * 0x9E3779B97F4A7C15 + 1;
            asm volatile("" : "+r"(value));  // or the compiler would see that nobody needs it
        }
    }
}

/// Lines in one ring that visits them all in an order which no prefetcher guesses (Sattolo, 1986).
std::vector<CacheLine> shuffled_ring(std::uint64_t kib) {
    std::vector<CacheLine> ring(kib * 1024 / sizeof(CacheLine));
    for (std::uint32_t at = 0; at < ring.size(); ++at) {
        ring[at].next = at;
    }
    Random random(1);
    for (auto last = static_cast<std::uint32_t>(ring.size()); last > 1; --last) {
        std::swap(ring[last - 1].next, ring[random.below(last - 1)].next);
    }
    return ring;
}

}  // namespace

Faults::Faults(const FaultOptions& options, std::int64_t start_ns, const std::atomic<bool>& stop)
    : options_(options),
      start_ns_(start_ns),
      stop_(stop),
      any_per_order_(options.busy_ns != 0 || options.lock_ns != 0 ||
                     options.syscalls_per_order != 0 || options.memory_kib != 0 ||
                     options.stall_at_ms != 0 || options.exit_after_orders != 0),
      memory_(shuffled_ring(options.memory_kib)) {}

void Faults::harm_order() {
    if (options_.busy_ns != 0) {
        planted_busy_work();
    }
    if (options_.lock_ns != 0) {
        planted_lock();
    }
    if (options_.syscalls_per_order != 0) {
        planted_syscalls();
    }
    if (options_.memory_kib != 0) {
        planted_memory();
    }
    if (options_.stall_at_ms != 0 && first_order_ns_.load(std::memory_order_relaxed) == 0) {
        std::int64_t none = 0;
        first_order_ns_.compare_exchange_strong(none, now_ns());
    }
    if (options_.exit_after_orders != 0 &&
        orders_.fetch_add(1, std::memory_order_relaxed) + 1 > options_.exit_after_orders) {
        std::abort();
    }
}

// noinline, so that each fault is a frame of its own in a profile.
[[gnu::noinline]] void Faults::planted_busy_work() {
    burn(options_.busy_ns, stop_);
}

[[gnu::noinline]] void Faults::planted_lock() {
    const std::lock_guard held(lock_);
    burn(options_.lock_ns, stop_);
}

[[gnu::noinline]] void Faults::planted_syscalls() {
    for (std::uint64_t call = 0; call < options_.syscalls_per_order; ++call) {
        ::syscall(SYS_getppid);  // does next to nothing in the kernel, and libc keeps no copy
    }
}

/// Each step waits for the one before it, as in a tree or list that does not fit the cache.
[[gnu::noinline]] void Faults::planted_memory() {
    thread_local std::uint32_t at = 0;
    at = at < memory_.size() ? at : 0;
    for (std::uint64_t step = 0; step < options_.memory_steps; ++step) {
        at = memory_[at].next;
        asm volatile("" : "+r"(at));
    }
}

[[gnu::noinline]] void Faults::planted_sleep() {
    sleep_until(now_ns() + static_cast<std::int64_t>(options_.sleep_us) * 1'000);
}

[[gnu::noinline]] void Faults::planted_slow_reader() {
    sleep_until(now_ns() + static_cast<std::int64_t>(options_.slow_reader_us) * 1'000);
}

[[gnu::noinline]] void Faults::planted_stall() {
    const std::int64_t now = now_ns();
    const std::int64_t end_ns = end_of_stall_ns(now);
    if (now < end_ns) {
        sleep_until(end_ns);
    }
}

/// When the stall that holds this moment ends; the moment itself when there is none. Late or not in
/// noticing it, all threads wake up together.
std::int64_t Faults::end_of_stall_ns(std::int64_t now_ns) const {
    const auto stall_ns = static_cast<std::int64_t>(options_.stall_ms) * kNsPerMs;
    if (options_.stall_at_ms != 0) {
        const std::int64_t first_ns = first_order_ns_.load(std::memory_order_relaxed);
        const std::int64_t from_ns =
            first_ns + static_cast<std::int64_t>(options_.stall_at_ms) * kNsPerMs;
        return first_ns != 0 && now_ns >= from_ns ? std::max(now_ns, from_ns + stall_ns) : now_ns;
    }
    const auto every_ns = static_cast<std::int64_t>(options_.stall_every_ms) * kNsPerMs;
    const std::int64_t since_start_ns = now_ns - start_ns_;
    const std::int64_t into_period_ns = since_start_ns % every_ns;
    const bool stalls = since_start_ns >= every_ns && into_period_ns < stall_ns;
    return stalls ? now_ns + stall_ns - into_period_ns : now_ns;
}

/// In slices, so that an engine told to stop does not first sleep out a long fault.
void Faults::sleep_until(std::int64_t end_ns) const {
    constexpr std::int64_t kSliceNs = 10 * kNsPerMs;
    for (std::int64_t now = now_ns(); now < end_ns && !stop_.load(std::memory_order_relaxed);
         now = now_ns()) {
        const std::int64_t until_ns = std::min(end_ns, now + kSliceNs);
        const timespec until{until_ns / kNsPerS, until_ns % kNsPerS};
        ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
    }
}

}  // namespace cluster::engine
