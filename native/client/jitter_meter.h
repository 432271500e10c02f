// How late a thread wakes that does nothing but sleep: the noise floor of this host.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <mutex>
#include <thread>

#include "client/clock.h"
#include "client/histogram.h"

namespace cluster {

/// By how much sleeps lasted longer than asked for.
struct Jitter {
    SparseHistogram before;  ///< while no load ran
    SparseHistogram during;  ///< from the start to the end of sending
};

/// One thread that sleeps a while, notes by how much it overslept, and sleeps again.
///
/// It may run wherever the process may, also beside a worker. Under load it wakes 200 times a
/// second for a few µs: about 0.1 % of one CPU, and no worker waits for it longer than that.
class JitterMeter {
public:
    JitterMeter() = default;
    ~JitterMeter();
    JitterMeter(const JitterMeter&) = delete;
    JitterMeter& operator=(const JitterMeter&) = delete;

    /// Starts the thread; what it sees is `before` until the load starts.
    void begin();
    /// The load starts then, and sends until `end_ns`.
    void start_at(std::int64_t start_ns, std::int64_t end_ns) noexcept;
    /// It sends no longer than until then.
    void end_at(std::int64_t end_ns) noexcept;
    /// Ends the thread. Idempotent.
    void stop();

    Jitter measured() const;

private:
    static constexpr std::int64_t kSleepBeforeNs = kNsPerMs;
    static constexpr std::int64_t kSleepDuringNs = 5 * kNsPerMs;
    static constexpr std::int64_t kUnknown = std::numeric_limits<std::int64_t>::max();

    void run() noexcept;
    void note(std::int64_t from_ns, std::int64_t until_ns, std::int64_t woke_ns) noexcept;

    std::thread thread_;
    std::atomic<std::int64_t> start_ns_ = kUnknown;
    std::atomic<std::int64_t> end_ns_ = kUnknown;

    mutable std::mutex mutex_;  ///< guards what follows; held for ns, by this thread nearly always
    Histogram<std::uint32_t> before_;
    Histogram<std::uint32_t> during_;
};

}  // namespace cluster
