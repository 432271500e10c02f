// Self-exciting arrivals, judged by what theory says of them. With n the branching ratio, d the
// mean delay and γ = (1 − n) / d, the count N(T) of a window has (Hawkes, 1971; Da Fonseca and
// Zaatour, 2014)
//   variance    λ (κ² T + (1 − κ²)(1 − e^(−γT)) / γ)                with κ = 1 / (1 − n)
//   covariance  λ (κ² − 1) (1 − e^(−γT))² / (2 γ)                   with the next window's.
// Tolerances are four standard errors unless a line says otherwise; seeds are fixed.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "arrival_times.h"
#include "client/hawkes_arrivals.h"

using namespace cluster;

namespace {

struct Law {
    double rate_per_s;
    double branching_ratio;
    double decay_s;

    double gamma() const { return (1 - branching_ratio) / decay_s; }
    double kappa() const { return 1 / (1 - branching_ratio); }

    double variance(double window_s) const {
        const double square = kappa() * kappa();
        return rate_per_s *
               (square * window_s + (1 - square) * (1 - std::exp(-gamma() * window_s)) / gamma());
    }

    double next_covariance(double window_s) const {
        const double reached = 1 - std::exp(-gamma() * window_s);
        return rate_per_s * (kappa() * kappa() - 1) * reached * reached / (2 * gamma());
    }
};

constexpr Law kLaw{20'000, 0.8, 0.005};
constexpr double kForgottenNs = 2e9;  // more than thirty times any decay that is rescaled here

std::int64_t in_ns(double time_s) {
    return std::llround(time_s * static_cast<double>(kNsPerS));
}

HawkesArrivals one_of(const Law& law, std::uint32_t worker, std::uint32_t workers,
                      std::uint64_t seed = 7) {
    return HawkesArrivals(law.rate_per_s / workers, law.branching_ratio,
                          law.decay_s * static_cast<double>(kNsPerS), Random(seed, 0, worker), 0);
}

HawkesArrivals whole(const Law& law, std::uint64_t seed = 7) {
    return one_of(law, 0, 1, seed);
}

/// `times` under `law`. The first of them are left out: what was before is not known, and
/// forgotten by then.
struct Rescaled {
    std::vector<double> gaps;   ///< the integral of the intensity over each: exponential, mean 1
    double log_likelihood = 0;  ///< largest for the law that `times` have
};

Rescaled rescaled(const std::vector<std::int64_t>& times, const Law& law) {
    const double decay_ns = law.decay_s * static_cast<double>(kNsPerS);
    const double spontaneous_per_ns =
        law.rate_per_s * (1 - law.branching_ratio) / static_cast<double>(kNsPerS);
    double expected = law.rate_per_s * law.branching_ratio * law.decay_s;
    Rescaled result;
    for (std::size_t i = 1; i < times.size(); ++i) {
        const auto gap_ns = static_cast<double>(times[i] - times[i - 1]);
        const double left = std::exp(-gap_ns / decay_ns);
        const double gap = spontaneous_per_ns * gap_ns + expected * (1 - left);
        expected *= left;
        if (static_cast<double>(times[i] - times[0]) > kForgottenNs) {
            result.gaps.push_back(gap);
            result.log_likelihood += std::log(spontaneous_per_ns + expected / decay_ns) - gap;
        }
        expected += law.branching_ratio;
    }
    return result;
}

void check_residuals(const std::vector<std::int64_t>& times, const Law& law) {
    const std::vector<double> gaps = rescaled(times, law).gaps;
    const double error = 1 / std::sqrt(static_cast<double>(gaps.size()));
    REQUIRE(gaps.size() > 100'000);
    CHECK(are_exponential(gaps));
    CHECK(std::abs(mean_of(gaps) - 1) < 4 * error);
    CHECK(std::abs(covariance_of(gaps, 1)) < 4 * error);
}

}  // namespace

TEST_CASE("Hawkes arrivals have the offered rate") {
    constexpr double kSeconds = 50;
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
        const auto orders =
            static_cast<double>(due_before(whole(kLaw, seed), in_ns(kSeconds)).size());
        CHECK(std::abs(orders - kLaw.rate_per_s * kSeconds) <
              4 * std::sqrt(kLaw.variance(kSeconds)));
    }
}

TEST_CASE("Hawkes arrivals: time rescaled by the intensity makes them Poisson") {
    check_residuals(due_times(whole(kLaw), 300'000), kLaw);
}

TEST_CASE("Hawkes arrivals are likeliest under their own parameters") {
    const auto times = due_times(whole(kLaw), 1'000'000);
    const double own = rescaled(times, kLaw).log_likelihood;
    for (const double decay_s : {kLaw.decay_s / 1.05, kLaw.decay_s * 1.05}) {
        CHECK(own >
              rescaled(times, {kLaw.rate_per_s, kLaw.branching_ratio, decay_s}).log_likelihood);
    }
    for (const double branching_ratio : {0.76, 0.84}) {
        CHECK(own >
              rescaled(times, {kLaw.rate_per_s, branching_ratio, kLaw.decay_s}).log_likelihood);
    }
}

TEST_CASE("Hawkes arrivals of several workers are together exactly those of one") {
    std::vector<std::int64_t> together;
    for (std::uint32_t worker = 0; worker < 4; ++worker) {
        const auto own = due_before(one_of(kLaw, worker, 4), in_ns(15));
        together.insert(together.end(), own.begin(), own.end());
    }
    std::sort(together.begin(), together.end());
    check_residuals(together, kLaw);
}

TEST_CASE("Hawkes arrivals: counts vary and follow each other as theory says") {
    const auto times = due_before(whole(kLaw), in_ns(200));
    for (const double window_s : {0.001, 0.005, 0.025}) {
        const std::vector<double> counts = counts_in(times, in_ns(window_s));
        // The window's counts depend on each other for 1/γ = 25 ms: so many are independent.
        const double independent = 200 * kLaw.gamma() / 2;
        CHECK(covariance_of(counts) ==
              doctest::Approx(kLaw.variance(window_s)).epsilon(4 * std::sqrt(2 / independent)));
        CHECK(covariance_of(counts, 1) == doctest::Approx(kLaw.next_covariance(window_s))
                                              .epsilon(4 * std::sqrt(2 / independent)));
    }
}

TEST_CASE("Hawkes arrivals: over long windows the counts' dispersion is 1 / (1 - n) squared") {
    constexpr Law kSparse{1'000, 0.8, 0.005};
    constexpr double kWindows = 2'000;
    constexpr double kWindowS = 2.5;  // a hundred times 1/γ
    const auto times = due_before(whole(kSparse), in_ns(kWindows * kWindowS));
    const std::vector<double> counts = counts_in(times, in_ns(kWindowS));
    const double dispersion = covariance_of(counts) / mean_of(counts);
    CHECK(dispersion == doctest::Approx(25).epsilon(0.01 + 4 * std::sqrt(2 / kWindows)));
}

TEST_CASE("Hawkes arrivals are stationary from the first order on") {
    constexpr double kWindowS = 0.005;
    constexpr std::uint64_t kSeeds = 2'000;
    std::vector<double> counts;
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
        counts.push_back(
            static_cast<double>(due_before(whole(kLaw, seed), in_ns(kWindowS)).size()));
    }
    const double variance = kLaw.variance(kWindowS);
    CHECK(std::abs(mean_of(counts) - kLaw.rate_per_s * kWindowS) <
          4 * std::sqrt(variance / kSeeds));
    CHECK(covariance_of(counts) == doctest::Approx(variance).epsilon(4 * std::sqrt(2.0 / kSeeds)));
}

TEST_CASE("Hawkes arrivals are stationary too where the run-in is shorter than their memory") {
    constexpr Law kLong{100'000, 0.9, 1};  // its memory of 10 s holds a million orders
    constexpr double kWindowS = 0.5;
    constexpr std::uint64_t kSeeds = 100;
    std::vector<double> counts;
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
        counts.push_back(
            static_cast<double>(due_before(whole(kLong, seed), in_ns(kWindowS)).size()));
    }
    const double variance = kLong.variance(kWindowS);
    CHECK(std::abs(mean_of(counts) - kLong.rate_per_s * kWindowS) <
          4 * std::sqrt(variance / kSeeds));
    // Three standard errors: a first state without a spread would be off by four and a half.
    CHECK(covariance_of(counts) == doctest::Approx(variance).epsilon(3 * std::sqrt(2.0 / kSeeds)));
}

TEST_CASE("Hawkes arrivals without provocation are Poisson") {
    constexpr Law kCalm{50'000, 0, 0.005};
    const auto times = due_times(whole(kCalm), 100'001);
    std::vector<double> gaps;
    for (std::size_t i = 1; i < times.size(); ++i) {
        gaps.push_back(static_cast<double>(times[i] - times[i - 1]) * kCalm.rate_per_s / 1e9);
    }
    CHECK(are_exponential(gaps));
}

TEST_CASE("Hawkes arrivals do not drift in a day, nor lose their law") {
    constexpr Law kSlow{50, 0.8, 0.05};
    constexpr double kDayS = 86'400;
    constexpr double kHourS = 3'600;
    const auto times = due_before(whole(kSlow), in_ns(kDayS));
    const auto last_hour =
        std::lower_bound(times.begin(), times.end(), in_ns(kDayS) - in_ns(kHourS));
    const std::vector<std::int64_t> last(last_hour, times.end());
    CHECK(std::abs(static_cast<double>(times.size()) - kSlow.rate_per_s * kDayS) <
          4 * std::sqrt(kSlow.variance(kDayS)));
    CHECK(std::abs(static_cast<double>(last.size()) - kSlow.rate_per_s * kHourS) <
          4 * std::sqrt(kSlow.variance(kHourS)));
    check_residuals(last, kSlow);
}

TEST_CASE("Hawkes arrivals begin at their start, in order, and repeat with their seed") {
    const auto times = due_times(whole(kLaw), 10'000);
    CHECK(times.front() >= 0);
    CHECK(std::is_sorted(times.begin(), times.end()));
    CHECK(times == due_times(whole(kLaw), 10'000));
    CHECK(times != due_times(whole(kLaw, 8), 10'000));

    std::vector<std::int64_t> later = due_times(
        HawkesArrivals(kLaw.rate_per_s, kLaw.branching_ratio, 5e6, Random(7, 0, 0), 777), 10'000);
    for (std::int64_t& time : later) time -= 777;
    CHECK(times == later);
}

TEST_CASE("a copy of Hawkes arrivals goes on as the original does") {
    HawkesArrivals original = whole(kLaw);
    for (int i = 0; i < 1'000; ++i) original.advance();
    CHECK(due_times(original, 1'000) == due_times(HawkesArrivals(original), 1'000));
}
