// Arrivals in bursts: load for a while, then nothing for a while, over and over.
#pragma once

#include <cstdint>

#include "client/arrivals.h"

namespace cluster {

/// Another schedule, switched on and off: on for `on_ns`, off for `off_ns`, on again …
///
/// The first burst begins at the start, for every worker of every agent: bursts coincide on
/// purpose. The schedule within counts on-time alone, from 0, and its time stops between bursts;
/// so whatever holds for it (no drift, interleaving workers, independent streams) holds here.
template <class Within>
class BurstArrivals {
public:
    static constexpr bool kClosedLoop = false;

    /// `within` has its start at 0 and the rate within bursts.
    BurstArrivals(Within within, std::int64_t on_ns, std::int64_t off_ns,
                  std::int64_t start_ns) noexcept
        : within_(within), on_ns_(on_ns), off_ns_(off_ns), start_ns_(start_ns) {
        compute();
    }

    std::int64_t due_ns() const noexcept { return due_ns_; }

    void advance() noexcept {
        within_.advance();
        compute();
    }

private:
    void compute() noexcept {
        const std::int64_t on_time_ns = within_.due_ns();
        const std::int64_t bursts_before = on_time_ns / on_ns_;
        due_ns_ = start_ns_ + on_time_ns + bursts_before * off_ns_;
    }

    Within within_;
    std::int64_t on_ns_;
    std::int64_t off_ns_;
    std::int64_t start_ns_;
    std::int64_t due_ns_ = 0;
};

}  // namespace cluster
