#include "engine/faults.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include "client/clock.h"

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

}  // namespace

Faults::Faults(const FaultOptions& options, std::int64_t start_ns, const std::atomic<bool>& stop)
    : options_(options),
      start_ns_(start_ns),
      stop_(stop),
      any_per_order_(options.busy_ns != 0 || options.lock_ns != 0 ||
                     options.exit_after_orders != 0) {}

void Faults::harm_order() {
    if (options_.busy_ns != 0) {
        planted_busy_work();
    }
    if (options_.lock_ns != 0) {
        planted_lock();
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

[[gnu::noinline]] void Faults::planted_sleep() {
    sleep_until(now_ns() + static_cast<std::int64_t>(options_.sleep_us) * 1'000);
}

[[gnu::noinline]] void Faults::planted_slow_reader() {
    sleep_until(now_ns() + static_cast<std::int64_t>(options_.slow_reader_us) * 1'000);
}

[[gnu::noinline]] void Faults::planted_stall() {
    const auto every_ns = static_cast<std::int64_t>(options_.stall_every_ms) * kNsPerMs;
    const auto stall_ns = static_cast<std::int64_t>(options_.stall_ms) * kNsPerMs;
    const std::int64_t since_start_ns = now_ns() - start_ns_;
    const std::int64_t into_period_ns = since_start_ns % every_ns;
    if (since_start_ns >= every_ns && into_period_ns < stall_ns) {
        sleep_until(now_ns() + stall_ns - into_period_ns);
    }
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
