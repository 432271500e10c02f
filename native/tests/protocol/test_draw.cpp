#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <map>

#include "protocol/draw.h"

using namespace cluster;
using namespace cluster::protocol;

namespace {

constexpr int kDraws = 200'000;

std::map<std::int64_t, int> counts_of(const Draw& draw, std::uint64_t seed = 5) {
    Random random(seed);
    std::map<std::int64_t, int> counts;
    for (int i = 0; i < kDraws; ++i) ++counts[draw.draw(random)];
    return counts;
}

/// Whether a count is within five standard errors of its expectation.
bool fits(int count, double probability) {
    const double mean = probability * kDraws;
    return std::abs(count - mean) <= 5 * std::sqrt(mean * (1 - probability)) + 1;
}

}  // namespace

TEST_CASE("uniform draws take every value of their range as often") {
    const auto counts = counts_of(Draw::uniform(-2, 7));
    REQUIRE(counts.size() == 10);
    CHECK(counts.begin()->first == -2);
    for (const auto& [value, count] : counts) CHECK(fits(count, 0.1));
}

TEST_CASE("a uniform draw may span all 64 bits") {
    Random random(1);
    const Draw all = Draw::uniform(std::numeric_limits<std::int64_t>::min(),
                                   std::numeric_limits<std::int64_t>::max());
    int negative = 0;
    for (int i = 0; i < kDraws; ++i) negative += all.draw(random) < 0;
    CHECK(fits(negative, 0.5));
}

TEST_CASE("normal draws have their mean and deviation and stay within bounds") {
    double sum = 0;
    double squares = 0;
    for (const auto& [value, count] : counts_of(Draw::normal(100, 10, 70, 130))) {
        CHECK(value >= 70);
        CHECK(value <= 130);
        sum += static_cast<double>(value) * count;
        squares += static_cast<double>(value) * static_cast<double>(value) * count;
    }
    const double mean = sum / kDraws;
    CHECK(mean == doctest::Approx(100).epsilon(0.002));
    // Cut at three deviations the normal law has a deviation of 0.9866 of its own, plus rounding.
    CHECK(std::sqrt(squares / kDraws - mean * mean) == doctest::Approx(9.9).epsilon(0.01));
}

TEST_CASE("a normal draw beyond all numbers is the bound") {
    Random random(1);
    const Draw wide = Draw::normal(0, 1e300, INT64_MIN, INT64_MAX);
    for (int i = 0; i < 100; ++i) {
        const std::int64_t value = wide.draw(random);
        CHECK((value == INT64_MIN || value == INT64_MAX));
    }
}

TEST_CASE("weighted draws follow their weights, and a weight of 0 never comes") {
    const auto counts = counts_of(Draw::weighted({9, 0, 1, 5}));
    CHECK(counts.count(1) == 0);
    CHECK(fits(counts.at(0), 9.0 / 15));
    CHECK(fits(counts.at(2), 1.0 / 15));
    CHECK(fits(counts.at(3), 5.0 / 15));
}

TEST_CASE("zipf draws begin at 0, and the k-th value follows 1/k^s") {
    constexpr int kCount = 1'000;
    constexpr double kExponent = 1.1;
    double sum = 0;
    for (int k = 1; k <= kCount; ++k) sum += std::pow(k, -kExponent);
    const auto counts = counts_of(Draw::zipf(kCount, kExponent));
    CHECK(counts.begin()->first == 0);
    CHECK(counts.rbegin()->first < kCount);
    for (const int k : {1, 2, 3, 10, 100}) {
        CHECK(fits(counts.at(k - 1), std::pow(k, -kExponent) / sum));
    }
}

TEST_CASE("a seed gives the same draws again, another seed others") {
    const Draw law = Draw::uniform(0, 1'000'000);
    CHECK(counts_of(law, 1) == counts_of(law, 1));
    CHECK(counts_of(law, 1) != counts_of(law, 2));
}
