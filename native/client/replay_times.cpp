#include "client/replay_times.h"

#include "client/arrivals.h"
#include "client/burst_arrivals.h"
#include "client/hawkes_arrivals.h"

namespace cluster {
namespace {

template <class Schedule>
std::function<std::int64_t(std::int64_t)> each_of(Schedule schedule) {
    return [schedule](std::int64_t) mutable {
        const std::int64_t due_ns = schedule.due_ns();
        schedule.advance();
        return due_ns;
    };
}

}  // namespace

ReplayTimes::ReplayTimes(const LoadConfig& config) {
    const ReplayConfig& replay = *config.replay;
    // No agent's or worker's own numbers: the schedule is the same on every agent.
    const Random random(config.seed, 0, 0);
    const auto constant = [](double rate_per_s) {
        return ConstantArrivals(rate_per_s, 0, 0, 1, 0);
    };
    const auto poisson = [&](double rate_per_s) { return PoissonArrivals(rate_per_s, random, 0); };
    switch (config.arrivals) {
        case ArrivalLaw::kConstant: due_ns_ = each_of(constant(replay.rate_per_s)); return;
        case ArrivalLaw::kPoisson: due_ns_ = each_of(poisson(replay.rate_per_s)); return;
        case ArrivalLaw::kHawkes:
            due_ns_ =
                each_of(HawkesArrivals(replay.rate_per_s, config.hawkes.branching_ratio,
                                       static_cast<double>(config.hawkes.decay_ns), random, 0));
            return;
        case ArrivalLaw::kBursts: {
            const BurstConfig& on_off = config.bursts;
            const double rate_per_s = on_off.rate_within(replay.rate_per_s);
            if (on_off.within == ArrivalLaw::kConstant) {
                due_ns_ =
                    each_of(BurstArrivals(constant(rate_per_s), on_off.on_ns, on_off.off_ns, 0));
            } else {
                due_ns_ =
                    each_of(BurstArrivals(poisson(rate_per_s), on_off.on_ns, on_off.off_ns, 0));
            }
            return;
        }
        case ArrivalLaw::kClosed: due_ns_ = [](std::int64_t) { return std::int64_t{0}; }; return;
        case ArrivalLaw::kRecorded: break;
    }
    if (replay.speed == 1) {
        due_ns_ = [](std::int64_t recorded_ns) { return recorded_ns; };
    } else {
        // 64 bits of mantissa: exact to the ns for years.
        due_ns_ = [speed = static_cast<long double>(replay.speed)](std::int64_t recorded_ns) {
            return static_cast<std::int64_t>(static_cast<long double>(recorded_ns) / speed);
        };
    }
}

}  // namespace cluster
