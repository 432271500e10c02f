// The kernel stamps packets by the wall clock; every time here is monotonic. How far they are
// apart.
#pragma once

#include <time.h>

#include <cstdint>
#include <cstdlib>
#include <optional>

#include "client/clock.h"

namespace cluster {

/// Both clocks of this host.
struct HostClocks {
    static std::int64_t now_ns() noexcept { return MonotonicClock::now_ns(); }
    static std::int64_t realtime_ns() noexcept {
        timespec now{};
        ::clock_gettime(CLOCK_REALTIME, &now);
        return static_cast<std::int64_t>(now.tv_sec) * kNsPerS + now.tv_nsec;
    }
};

/// CLOCK_REALTIME minus CLOCK_MONOTONIC, read anew each time: the wall clock is slewed and stepped.
template <class Clocks = HostClocks>
class RealtimeOffset {
public:
    /// Nothing while the thread is kept off the CPU between the readings, and once after the wall
    /// clock was stepped: a stamp from before the step would be off by it.
    std::optional<std::int64_t> read() noexcept {
        for (int attempt = 0; attempt < kAttempts; ++attempt) {
            const std::int64_t before_ns = clocks_.now_ns();
            const std::int64_t realtime_ns = clocks_.realtime_ns();
            const std::int64_t after_ns = clocks_.now_ns();
            if (after_ns - before_ns > kTightNs) continue;
            return unless_stepped(realtime_ns - (before_ns + after_ns) / 2, after_ns);
        }
        return std::nullopt;
    }

    Clocks& clocks() noexcept { return clocks_; }

private:
    static constexpr int kAttempts = 3;
    static constexpr std::int64_t kTightNs = 1'000;
    // adjtime(3) and ntpd slew by 500 ppm at most, chronyd by more only when told to.
    static constexpr std::int64_t kSlewPerMillion = 1'000;

    std::optional<std::int64_t> unless_stepped(std::int64_t offset_ns,
                                               std::int64_t at_ns) noexcept {
        const std::int64_t slewed_ns =
            2 * kTightNs + (at_ns - last_at_ns_) / 1'000'000 * kSlewPerMillion;
        const bool stepped = last_at_ns_ != 0 && std::abs(offset_ns - last_ns_) > slewed_ns;
        last_ns_ = offset_ns;
        last_at_ns_ = at_ns;
        if (stepped) return std::nullopt;
        return offset_ns;
    }

    Clocks clocks_;
    std::int64_t last_ns_ = 0;
    std::int64_t last_at_ns_ = 0;
};

}  // namespace cluster
