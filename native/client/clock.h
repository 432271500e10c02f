// The one clock of the load client.
#pragma once

#include <time.h>

#include <cstdint>

namespace cluster {

inline constexpr std::int64_t kNsPerMs = 1'000'000;
inline constexpr std::int64_t kNsPerS = 1'000'000'000;

/// CLOCK_MONOTONIC in ns, read through the vDSO: no system call.
struct MonotonicClock {
    static std::int64_t now_ns() noexcept {
        timespec now{};
        ::clock_gettime(CLOCK_MONOTONIC, &now);
        return static_cast<std::int64_t>(now.tv_sec) * kNsPerS + now.tv_nsec;
    }
};

}  // namespace cluster
