#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "arrival_times.h"
#include "client/burst_arrivals.h"

using namespace cluster;

namespace {

constexpr std::int64_t kOnNs = 10 * kNsPerMs;
constexpr std::int64_t kOffNs = 30 * kNsPerMs;
constexpr std::int64_t kPeriodNs = kOnNs + kOffNs;
constexpr double kRatePerS = 25'000;     // offered
constexpr double kWithinPerS = 100'000;  // while on, a quarter of the time
constexpr double kPerBurst = 1'000;

BurstArrivals<ConstantArrivals> constant(std::uint32_t worker = 0, std::uint32_t workers = 1,
                                         double phase = 0, std::int64_t start_ns = 0,
                                         double agents = 1) {
    return {ConstantArrivals(kWithinPerS / agents, phase, worker, workers, 0), kOnNs, kOffNs,
            start_ns};
}

BurstArrivals<PoissonArrivals> poisson(std::uint32_t worker = 0, double workers = 1) {
    return {PoissonArrivals(kWithinPerS / workers, Random(7, 0, worker), 0), kOnNs, kOffNs, 0};
}

bool all_within_bursts(const std::vector<std::int64_t>& times) {
    return std::all_of(times.begin(), times.end(),
                       [](std::int64_t time) { return time % kPeriodNs < kOnNs; });
}

}  // namespace

TEST_CASE("no order is due between bursts") {
    CHECK(all_within_bursts(due_before(constant(), 10 * kNsPerS)));
    CHECK(all_within_bursts(due_before(poisson(), 10 * kNsPerS)));
}

TEST_CASE("bursts at a constant rate hold the same number of orders, evenly spread") {
    const auto times = due_before(constant(), 10 * kNsPerS);
    CHECK(times.size() == static_cast<std::size_t>(10 * kRatePerS));
    std::vector<std::int64_t> expected;
    for (std::int64_t burst = 0; burst < 250; ++burst) {
        for (std::int64_t i = 0; i < 1'000; ++i) expected.push_back(burst * kPeriodNs + i * 10'000);
    }
    CHECK(times == expected);
}

TEST_CASE("the first burst begins at the start") {
    const auto times = due_times(constant(0, 1, 0, 777), 1'001);
    CHECK(times.front() == 777);
    CHECK(times[999] < 777 + kOnNs);
    CHECK(times[1'000] == 777 + kPeriodNs);
}

TEST_CASE("constant bursts of workers and agents interleave into those of one") {
    std::vector<std::int64_t> together;
    for (std::uint32_t agent = 0; agent < 2; ++agent) {
        for (std::uint32_t worker = 0; worker < 3; ++worker) {
            const auto own = due_before(constant(worker, 3, agent / 2.0, 5, 2), kNsPerS);
            together.insert(together.end(), own.begin(), own.end());
        }
    }
    std::sort(together.begin(), together.end());
    CHECK(together == due_before(constant(0, 1, 0, 5), kNsPerS));
}

TEST_CASE("Poisson bursts of several workers are within a burst what one Poisson process is") {
    std::vector<std::int64_t> together;
    for (std::uint32_t worker = 0; worker < 4; ++worker) {
        const auto own = due_before(poisson(worker, 4), 8 * kNsPerS);
        together.insert(together.end(), own.begin(), own.end());
    }
    std::sort(together.begin(), together.end());
    CHECK(all_within_bursts(together));

    const std::vector<double> counts = counts_in(together, kPeriodNs);
    const auto bursts = static_cast<double>(counts.size());
    CHECK(std::abs(mean_of(counts) - kPerBurst) < 4 * std::sqrt(kPerBurst / bursts));
    CHECK(covariance_of(counts) == doctest::Approx(kPerBurst).epsilon(4 * std::sqrt(2 / bursts)));

    std::vector<double> gaps;
    for (std::size_t i = 1; i < together.size(); ++i) {
        // With the time between bursts cut out, nothing shows that there were any.
        const std::int64_t bursts_between = together[i] / kPeriodNs - together[i - 1] / kPeriodNs;
        const std::int64_t gap_ns = together[i] - together[i - 1] - bursts_between * kOffNs;
        gaps.push_back(static_cast<double>(gap_ns) * kWithinPerS / 1e9);
    }
    CHECK(are_exponential(gaps));
}

TEST_CASE("bursts do not drift: the last of a day is where the first was") {
    constexpr std::int64_t kDayNs = 86'400 * kNsPerS;
    // 100 orders a second: four each 40 ms, at 0, 2.5, 5 and 7.5 ms of the burst.
    BurstArrivals<ConstantArrivals> schedule(ConstantArrivals(400, 0, 0, 1, 0), kOnNs, kOffNs, 0);
    std::int64_t orders = 0;
    std::int64_t in_place = 0;
    for (; schedule.due_ns() < kDayNs; schedule.advance()) {
        in_place += schedule.due_ns() % kPeriodNs == orders % 4 * 2'500'000;
        ++orders;
    }
    CHECK(orders == 86'400 * 100);
    CHECK(in_place == orders);
    CHECK(schedule.due_ns() == kDayNs);
}

TEST_CASE("Poisson bursts keep the rate for a day, and repeat with their seed") {
    constexpr std::int64_t kDayNs = 86'400 * kNsPerS;
    const BurstArrivals<PoissonArrivals> schedule(PoissonArrivals(200, Random(3, 0, 0), 0), kOnNs,
                                                  kOffNs, 0);
    const auto times = due_before(schedule, kDayNs);
    constexpr double kOrders = 50 * 86'400;
    CHECK(std::abs(static_cast<double>(times.size()) - kOrders) < 4 * std::sqrt(kOrders));
    CHECK(all_within_bursts(times));
    CHECK(times == due_before(schedule, kDayNs));
}
