#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "arrival_times.h"
#include "client/arrivals.h"

using namespace cluster;

TEST_CASE("the first constant order is due at the start") {
    CHECK(ConstantArrivals(100'000, 0, 0, 1, 777).due_ns() == 777);
}

TEST_CASE("constant orders do not drift: the last of a minute at 3 M/s is exact") {
    ConstantArrivals schedule(3e6, 0, 0, 1, 0);
    for (std::int64_t n = 0; n < 60 * 3'000'000; ++n) {
        if (n % 1'000'000 == 0) {
            REQUIRE(schedule.due_ns() == n * 1'000 / 3);
        }
        schedule.advance();
    }
    CHECK(schedule.due_ns() == 60 * kNsPerS);
}

TEST_CASE("constant arrivals give exactly rate times duration orders") {
    for (const double rate_per_s : {1.0, 7.0, 999.0, 100'000.0}) {
        ConstantArrivals schedule(rate_per_s, 0, 0, 1, 0);
        int orders = 0;
        for (; schedule.due_ns() < 10 * kNsPerS; schedule.advance()) ++orders;
        CHECK(orders == static_cast<int>(10 * rate_per_s));
    }
}

TEST_CASE("the workers' constant schedules interleave into the whole one") {
    std::vector<std::int64_t> together;
    for (std::uint32_t worker = 0; worker < 3; ++worker) {
        const auto own = due_times(ConstantArrivals(30'000, 0.25, worker, 3, 5), 100);
        together.insert(together.end(), own.begin(), own.end());
    }
    std::sort(together.begin(), together.end());
    CHECK(together == due_times(ConstantArrivals(30'000, 0.25, 0, 1, 5), 300));
}

TEST_CASE("the phase shifts constant orders by its share of an interval") {
    CHECK(ConstantArrivals(1'000, 0.5, 0, 1, 0).due_ns() == 500'000);
}

TEST_CASE("Poisson arrivals have exponential gaps: mean, variance and Kolmogorov-Smirnov") {
    constexpr std::size_t kGaps = 200'000;
    constexpr double kMeanNs = 1e9 / 50'000;
    const auto times = due_times(PoissonArrivals(50'000, Random(7, 0, 0), 0), kGaps + 1);
    std::vector<double> gaps;
    for (std::size_t i = 0; i < kGaps; ++i) {
        gaps.push_back(static_cast<double>(times[i + 1] - times[i]));
    }
    double sum = 0;
    double square_sum = 0;
    for (const double gap : gaps) {
        sum += gap;
        square_sum += gap * gap;
    }
    const double mean = sum / kGaps;
    const double variance = square_sum / kGaps - mean * mean;
    // The mean of n exponentials has a relative error of 1/√n; 1 % is more than four of them.
    CHECK(mean == doctest::Approx(kMeanNs).epsilon(0.01));
    CHECK(variance == doctest::Approx(kMeanNs * kMeanNs).epsilon(0.03));

    for (double& gap : gaps) gap /= kMeanNs;
    CHECK(are_exponential(gaps));
}

TEST_CASE("Poisson arrivals repeat with their seed") {
    CHECK(due_times(PoissonArrivals(1'000, Random(7, 1, 2), 0), 100) ==
          due_times(PoissonArrivals(1'000, Random(7, 1, 2), 0), 100));
}

TEST_CASE("no two workers, agents or seeds draw the same numbers") {
    std::set<std::uint64_t> firsts;
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        for (std::uint32_t agent = 0; agent < 10; ++agent) {
            for (std::uint32_t worker = 0; worker < 10; ++worker) {
                firsts.insert(Random(seed, agent, worker).next());
            }
        }
    }
    CHECK(firsts.size() == 1'000);
}

TEST_CASE("random units are above 0 and at most 1") {
    Random random(3, 0, 0);
    for (int i = 0; i < 100'000; ++i) {
        const double unit = random.positive_unit();
        REQUIRE(unit > 0);
        REQUIRE(unit <= 1);
    }
}
