#include <doctest/doctest.h>

#include "client/over_time.h"

using namespace cluster;

TEST_CASE("a coarse bucket is an octave's quarter, and every value up to an hour has one") {
    // As cluster/results/over_time.py: the lowest value of each bucket.
    const auto edge = [](std::size_t index) {
        const std::size_t quarter = index >> CoarseLayout::kBits;
        const std::size_t shift = quarter > 0 ? quarter - 1 : 0;
        return std::uint64_t{index - (shift << CoarseLayout::kBits)} << shift;
    };
    for (std::size_t index = 0; index < CoarseLayout::kLen; ++index) {
        CAPTURE(index);
        CHECK(CoarseLayout::index_of(edge(index)) == index);
        CHECK(CoarseLayout::index_of(edge(index + 1) - 1) == index);
    }
    CHECK(edge(CoarseLayout::kLen) > HistogramLayout::kHighestNs);
}

TEST_CASE("a time lies in its twentieth of the second; what is beyond lies in the last") {
    CHECK(slot_of(0) == 0);
    CHECK(slot_of(kSlotNs - 1) == 0);
    CHECK(slot_of(kSlotNs) == 1);
    CHECK(slot_of(kNsPerS - 1) == 19);
    CHECK(slot_of(kNsPerS) == 19);
    CHECK(slot_of(100 * kNsPerS) == 19);
}

TEST_CASE("the sampled part of a second is where every other agent has it") {
    // From cluster/results/over_time.py: SampleSlice(width).start_ns(second).
    CHECK(SampleSlice{0}.start_ns(0) == 0);
    CHECK(SampleSlice{0}.start_ns(1) == 618'033'988);
    CHECK(SampleSlice{20'480'000}.start_ns(7) == 319'556'567);
    CHECK(SampleSlice{20'480'000}.start_ns(86'400) == 133'820'051);
    CHECK(SampleSlice{kNsPerS}.start_ns(3) == 0);
}
