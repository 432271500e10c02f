// What happens within a second: slots of it, coarse histograms, the part that is sampled.
// cluster/results/over_time.py has the same layouts.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "client/clock.h"
#include "client/histogram.h"

namespace cluster {

inline constexpr std::size_t kSlotsPerS = 20;
inline constexpr std::int64_t kSlotNs = kNsPerS / static_cast<std::int64_t>(kSlotsPerS);
inline constexpr std::size_t kMsPerS = 1000;

/// The slot of a time after its second began; what lies beyond the second is in its last slot.
constexpr std::size_t slot_of(std::int64_t after_ns) noexcept {
    const auto within =
        std::min(static_cast<std::uint64_t>(after_ns), static_cast<std::uint64_t>(kNsPerS - 1));
    return static_cast<std::uint32_t>(within) / static_cast<std::uint32_t>(kSlotNs);
}

/// Four buckets to an octave: HdrHistogram's layout with a hundredth of its buckets.
struct CoarseLayout {
    static constexpr std::size_t kBits = 2;
    static constexpr std::size_t kLen = 164;  ///< up to an hour

    /// The bucket of a duration in [0, 1 h].
    static constexpr std::size_t index_of(std::uint64_t value_ns) noexcept {
        // Below 4 every value is its own bucket: with the bit set, its shift is 0.
        const std::size_t shift = std::bit_width(value_ns | (1U << kBits)) - (kBits + 1);
        return (shift << kBits) + (value_ns >> shift);
    }
};
static_assert(CoarseLayout::index_of(HistogramLayout::kHighestNs) < CoarseLayout::kLen);

/// Response times of the orders of one second, by the slot in which they were due.
struct SlotCounts {
    std::array<std::uint32_t, kSlotsPerS> due{};
    std::array<std::uint64_t, kSlotsPerS> response_sum_ns{};
    std::array<std::array<std::uint32_t, CoarseLayout::kLen>, kSlotsPerS> response{};

    /// What is beyond the histograms' range counts as their highest, here as there.
    void answered(std::size_t slot, std::int64_t response_ns) noexcept {
        const auto value = std::min(static_cast<std::uint64_t>(response_ns),
                                    static_cast<std::uint64_t>(HistogramLayout::kHighestNs));
        ++response[slot][CoarseLayout::index_of(value)];
        response_sum_ns[slot] += value;
    }
};

/// The same for keeping: the buckets that are not empty, at slot · CoarseLayout::kLen + bucket.
struct SparseSlots {
    std::array<std::uint32_t, kSlotsPerS> due{};
    std::array<std::uint64_t, kSlotsPerS> response_sum_ns{};
    std::vector<std::uint16_t> places;
    std::vector<std::uint32_t> counts;
};

SparseSlots sparse(const SlotCounts& slots);

/// Which part of each second a sample of send times is from; the same on every agent.
///
/// It begins at another place in each second, so that nothing periodic hides: multiples of the
/// golden ratio's fraction spread evenly.
struct SampleSlice {
    std::int64_t width_ns = 0;

    constexpr std::int64_t start_ns(std::int64_t second) const noexcept {
        constexpr std::uint64_t kStride = 2'654'435'769;
        const std::uint64_t fraction = (static_cast<std::uint64_t>(second) * kStride) & 0xFFFF'FFFF;
        return static_cast<std::int64_t>(
            (fraction * static_cast<std::uint64_t>(kNsPerS - width_ns)) >> 32);
    }
};

}  // namespace cluster
