// Self-exciting arrivals: every order provokes others for a while.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

#include "client/clock.h"
#include "client/random.h"

namespace cluster {

/// Orders that provoke orders: a stationary Hawkes process with an exponential kernel.
///
/// The intensity is μ + Σ n/d · e^(−(t − tᵢ)/d) over the orders tᵢ before t. `branching_ratio` n is
/// the mean number of orders that an order provokes directly, `decay_ns` d the mean time until it
/// does. μ is rate · (1 − n), so that the mean rate of all is the rate asked for.
///
/// The workers' streams are independent, and together they are again a Hawkes process with the same
/// n and d and the sum of the rates, exactly: their intensities add up (Hawkes and Oakes, 1974; Li
/// and Pang, 2022). What an order provokes is due on the same worker.
///
/// Each gap is drawn from its law, without thinning (Dassios and Zhao, 2013): spontaneous orders
/// come at a constant rate, provoked ones at a decaying one, and the earlier of the two is next.
class HawkesArrivals {
public:
    static constexpr bool kClosedLoop = false;

    /// `rate_per_s` of this worker alone; `branching_ratio` in [0, 1).
    HawkesArrivals(double rate_per_s, double branching_ratio, double decay_ns, Random random,
                   std::int64_t start_ns) noexcept
        : spontaneous_gap_ns_(static_cast<double>(kNsPerS) / (rate_per_s * (1 - branching_ratio))),
          branching_ratio_(branching_ratio),
          decay_ns_(decay_ns),
          random_(random),
          start_ns_(start_ns) {
        run_in(rate_per_s / static_cast<double>(kNsPerS));
    }

    std::int64_t due_ns() const noexcept { return due_ns_; }

    void advance() noexcept {
        // Of the orders still to be provoked, Poisson with mean `expected_`, the next is due when
        // the expectation has sunk by an exponential amount, or never if that is all of it and
        // more. Nothing expected: 0/0 or −∞, both of which are not above −1.
        const double sunk = std::log(random_.positive_unit()) / expected_;
        const double provoked_gap_ns =
            sunk > -1 ? -decay_ns_ * std::log1p(sunk) : std::numeric_limits<double>::infinity();
        const double spontaneous_gap_ns = spontaneous_ns_ - offset_ns_;
        if (provoked_gap_ns < spontaneous_gap_ns) {
            offset_ns_ += provoked_gap_ns;
            expected_ *= 1 + sunk;
        } else {
            // The provoked order that would have come later is drawn anew: it has no memory.
            offset_ns_ = spontaneous_ns_;
            expected_ *= std::exp(-spontaneous_gap_ns / decay_ns_);
            draw_spontaneous();
        }
        expected_ += branching_ratio_;
        due_ns_ = start_ns_ + static_cast<std::int64_t>(offset_ns_);
    }

private:
    static constexpr double kRunInMemories = 5;        ///< what is left of the first state: e^-5
    static constexpr double kRunInOrdersMax = 65'536;  ///< about 2 ms of computing

    /// Reaches the stationary state before the start: without a past, the first orders of a level
    /// would be due too slowly. The first expectation has the stationary mean and variance; the
    /// run-in gives it the shape. Where that would take many orders, its law is nearly normal
    /// already.
    void run_in(double rate_per_ns) noexcept {
        const double orders_per_decay = rate_per_ns * decay_ns_;
        const double deviation =
            branching_ratio_ * std::sqrt(orders_per_decay / (2 * (1 - branching_ratio_)));
        expected_ = std::max(0.0, branching_ratio_ * orders_per_decay + deviation * draw_normal());
        offset_ns_ = -std::min(kRunInMemories * decay_ns_ / (1 - branching_ratio_),
                               kRunInOrdersMax / rate_per_ns);
        spontaneous_ns_ = offset_ns_;
        draw_spontaneous();
        do advance();
        while (offset_ns_ < 0);
    }

    void draw_spontaneous() noexcept {
        spontaneous_ns_ -= spontaneous_gap_ns_ * std::log(random_.positive_unit());
    }

    /// Box and Muller, 1958.
    double draw_normal() noexcept {
        const double radius = std::sqrt(-2 * std::log(random_.positive_unit()));
        return radius * std::cos(2 * std::numbers::pi * random_.unit());
    }

    double spontaneous_gap_ns_;
    double branching_ratio_;
    double decay_ns_;
    double expected_ = 0;        ///< orders still to be provoked directly by those so far
    double offset_ns_ = 0;       ///< of the next order; a double resolves 0.02 ns after a day
    double spontaneous_ns_ = 0;  ///< of the next spontaneous order
    Random random_;
    std::int64_t start_ns_;
    std::int64_t due_ns_ = 0;
};

}  // namespace cluster
