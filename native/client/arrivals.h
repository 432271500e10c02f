// When orders are due. A schedule reads no clock and waits for no answer:
// that is what makes the load open-loop.
#pragma once

#include <cmath>
#include <cstdint>

#include "client/clock.h"
#include "client/random.h"

namespace cluster {

/// Orders at a constant interval, dealt out to the workers in turn.
///
/// The agent's n-th order is due at `start_ns + (n + phase) / rate`; worker w of W has the orders
/// with n = w, w + W, w + 2W … Each time is computed from n, so rounding never becomes drift: a
/// day at 3 M/s stays exact to the ns.
class ConstantArrivals {
public:
    static constexpr bool kClosedLoop = false;

    /// `rate_per_s` of all workers together; `phase` in [0, 1] of an interval between orders.
    ConstantArrivals(double rate_per_s, double phase, std::uint32_t worker, std::uint32_t workers,
                     std::int64_t start_ns) noexcept
        : rate_per_s_(rate_per_s),
          phase_(phase),
          n_(worker),
          workers_(workers),
          start_ns_(start_ns) {
        compute();
    }

    /// When the next order is due, in ns of the clock of `start_ns`.
    std::int64_t due_ns() const noexcept { return due_ns_; }

    void advance() noexcept {
        n_ += workers_;
        compute();
    }

private:
    void compute() noexcept {
        due_ns_ = start_ns_ + static_cast<std::int64_t>((static_cast<double>(n_) + phase_) *
                                                        static_cast<double>(kNsPerS) / rate_per_s_);
    }

    double rate_per_s_;
    double phase_;
    std::uint64_t n_;
    std::uint64_t workers_;
    std::int64_t start_ns_;
    std::int64_t due_ns_ = 0;
};

/// Orders of independent users: the gaps are exponentially distributed.
///
/// The workers' streams are independent, so together they are again a Poisson process.
class PoissonArrivals {
public:
    static constexpr bool kClosedLoop = false;

    /// `rate_per_s` of this worker alone.
    PoissonArrivals(double rate_per_s, Random random, std::int64_t start_ns) noexcept
        : gap_ns_(static_cast<double>(kNsPerS) / rate_per_s), random_(random), start_ns_(start_ns) {
        advance();
    }

    std::int64_t due_ns() const noexcept { return due_ns_; }

    void advance() noexcept {
        // The offset is summed as a double: after a day it still resolves 0.02 ns.
        offset_ns_ -= gap_ns_ * std::log(random_.positive_unit());
        due_ns_ = start_ns_ + static_cast<std::int64_t>(offset_ns_);
    }

private:
    double gap_ns_;
    double offset_ns_ = 0;
    Random random_;
    std::int64_t start_ns_;
    std::int64_t due_ns_ = 0;
};

/// No schedule: an order is due whenever fewer than the fixed number are in flight.
///
/// This finds the most an engine takes; it is not open-loop, and results say so.
struct ClosedLoop {
    static constexpr bool kClosedLoop = true;
};

}  // namespace cluster
