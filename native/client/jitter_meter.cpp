#include "client/jitter_meter.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <time.h>

namespace cluster {
namespace {

void sleep_until(std::int64_t until_ns) noexcept {
    const timespec until{until_ns / kNsPerS, until_ns % kNsPerS};
    ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
}

}  // namespace

JitterMeter::~JitterMeter() {
    stop();
}

void JitterMeter::begin() {
    thread_ = std::thread([this] { run(); });
}

void JitterMeter::start_at(std::int64_t start_ns, std::int64_t end_ns) noexcept {
    end_at(end_ns);
    start_ns_.store(start_ns, std::memory_order_release);
}

void JitterMeter::end_at(std::int64_t end_ns) noexcept {
    std::int64_t current_ns = end_ns_.load(std::memory_order_relaxed);
    while (end_ns < current_ns && !end_ns_.compare_exchange_weak(current_ns, end_ns)) {
    }
}

void JitterMeter::stop() {
    end_at(0);
    if (thread_.joinable()) thread_.join();
}

Jitter JitterMeter::measured() const {
    const std::lock_guard lock(mutex_);
    return {sparse(before_), sparse(during_)};
}

void JitterMeter::run() noexcept {
    // As the workers: sleeps end when asked for, not up to 50 µs later.
    ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    ::pthread_setname_np(::pthread_self(), "load-jitter");
    for (;;) {
        const std::int64_t from_ns = MonotonicClock::now_ns();
        if (from_ns >= end_ns_.load(std::memory_order_relaxed)) return;
        const bool is_before = from_ns < start_ns_.load(std::memory_order_acquire);
        const std::int64_t until_ns = from_ns + (is_before ? kSleepBeforeNs : kSleepDuringNs);
        sleep_until(until_ns);
        note(from_ns, until_ns, MonotonicClock::now_ns());
    }
}

/// A sleep across the start or the end is neither's.
void JitterMeter::note(std::int64_t from_ns, std::int64_t until_ns, std::int64_t woke_ns) noexcept {
    const std::int64_t start_ns = start_ns_.load(std::memory_order_acquire);
    const std::int64_t end_ns = end_ns_.load(std::memory_order_relaxed);
    const std::lock_guard lock(mutex_);
    if (until_ns <= start_ns && until_ns <= end_ns) {
        before_.record(woke_ns - until_ns);
    } else if (from_ns >= start_ns && until_ns <= end_ns) {
        during_.record(woke_ns - until_ns);
    }
}

}  // namespace cluster
