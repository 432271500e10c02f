#include <doctest/doctest.h>

#include <memory>
#include <numeric>

#include "client/histogram.h"
#include "client/summary.h"

using namespace cluster;

TEST_CASE("the layout is HdrHistogram's for 1 ns to 1 h with 3 digits") {
    // Indices of the hdrhistogram package; tests/unit/results compares many more.
    CHECK(HistogramLayout::kCountsLen == 33'792);
    CHECK(HistogramLayout::index_of(0) == 0);
    CHECK(HistogramLayout::index_of(1) == 1);
    CHECK(HistogramLayout::index_of(2047) == 2047);
    CHECK(HistogramLayout::index_of(2048) == 2048);
    CHECK(HistogramLayout::index_of(2049) == 2048);
    CHECK(HistogramLayout::index_of(2050) == 2049);
    CHECK(HistogramLayout::index_of(4095) == 3071);
    CHECK(HistogramLayout::index_of(4096) == 3072);
    CHECK(HistogramLayout::index_of(1'000'000) == 11'169);
    CHECK(HistogramLayout::index_of(1'000'000'000) == 21'363);
    CHECK(HistogramLayout::index_of(HistogramLayout::kHighestNs) == 33'420);
}

TEST_CASE("every bucket begins where the layout says, and no gap lies between two") {
    for (std::size_t index = 0; index + 1 < HistogramLayout::kCountsLen; ++index) {
        REQUIRE(HistogramLayout::index_of(HistogramLayout::lowest_at(index)) == index);
        REQUIRE(HistogramLayout::index_of(HistogramLayout::lowest_at(index + 1) - 1) == index);
    }
}

TEST_CASE("a value is off by less than a thousandth") {
    for (std::uint64_t value = 1; value < 3'000'000'000'000; value = value * 21 / 20 + 1) {
        const std::uint64_t lowest = HistogramLayout::lowest_at(HistogramLayout::index_of(value));
        REQUIRE(lowest <= value);
        REQUIRE(static_cast<double>(value - lowest) <= static_cast<double>(value) / 1000);
    }
}

TEST_CASE("a value outside the range goes into the last bucket and is reported") {
    const auto histogram = std::make_unique<Histogram<std::uint32_t>>();
    const std::size_t last = HistogramLayout::index_of(HistogramLayout::kHighestNs);
    CHECK(histogram->record(HistogramLayout::kHighestNs));
    CHECK_FALSE(histogram->record(HistogramLayout::kHighestNs + 1));
    CHECK_FALSE(histogram->record(-1));
    CHECK(histogram->counts()[last] == 3);
}

TEST_CASE("the value at a quantile is the highest of its bucket") {
    const auto histogram = std::make_unique<Histogram<std::uint64_t>>();
    CHECK(value_at(*histogram, 0.5) == -1);
    for (int i = 1; i <= 1'000; ++i) histogram->record(i);
    CHECK(value_at(*histogram, 0.5) == 500);
    CHECK(value_at(*histogram, 0.99) == 990);
    CHECK(value_at(*histogram, 1.0) == 1'000);
    histogram->record(2'048);
    CHECK(value_at(*histogram, 1.0) == 2'049);
}
