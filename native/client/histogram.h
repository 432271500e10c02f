// HdrHistogram's bucket layout, and counting into it.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace cluster {

/// The layout of an HdrHistogram with lowest value 1 ns, highest 1 h and 3 significant digits.
///
/// Values below 2048 have a bucket each; from there on every power of two is cut into 1024
/// buckets, so a bucket is never wider than a thousandth of its values.
struct HistogramLayout {
    static constexpr std::int64_t kHighestNs = 3'600'000'000'000;
    static constexpr std::size_t kSubBucketBits = 11;
    static constexpr std::size_t kHalfBits = kSubBucketBits - 1;
    static constexpr std::uint64_t kSubBucketMask = (1U << kSubBucketBits) - 1;

    /// The index in the counts array of a value in [0, kHighestNs].
    static constexpr std::size_t index_of(std::uint64_t value_ns) noexcept {
        const std::size_t bucket = std::bit_width(value_ns | kSubBucketMask) - kSubBucketBits;
        return (bucket << kHalfBits) + (value_ns >> bucket);
    }

    /// The lowest value that is counted at `index`.
    static constexpr std::uint64_t lowest_at(std::size_t index) noexcept {
        const std::size_t half = std::size_t{1} << kHalfBits;
        const std::size_t bucket = index < 2 * half ? 0 : (index >> kHalfBits) - 1;
        return (index - (bucket << kHalfBits)) << bucket;
    }

    /// The length of HdrHistogram's counts array: whole powers of two, up to the highest value's.
    static constexpr std::size_t kCountsLen =
        (std::bit_width(static_cast<std::uint64_t>(kHighestNs)) - kSubBucketBits + 2) << kHalfBits;
};

/// Counts of durations. `Count` is 32 bits wide for a second of one worker, 64 for sums.
template <class Count>
class Histogram {
public:
    /// Counts one duration. False: it lay outside [0, 1 h] and went into the last bucket.
    bool record(std::int64_t value_ns) noexcept {
        const auto value = static_cast<std::uint64_t>(value_ns);
        if (value > HistogramLayout::kHighestNs) [[unlikely]] {
            ++counts_[HistogramLayout::index_of(HistogramLayout::kHighestNs)];
            return false;
        }
        ++counts_[HistogramLayout::index_of(value)];
        return true;
    }

    void add(std::size_t index, std::uint64_t count) noexcept {
        counts_[index] = static_cast<Count>(counts_[index] + count);
    }
    void clear() noexcept { counts_.fill(0); }

    const std::array<Count, HistogramLayout::kCountsLen>& counts() const noexcept {
        return counts_;
    }

private:
    std::array<Count, HistogramLayout::kCountsLen> counts_{};
};

/// The buckets of a histogram that are not empty, rising.
struct SparseHistogram {
    std::vector<std::uint32_t> indices;
    std::vector<std::uint64_t> counts;
};

template <class Count>
SparseHistogram sparse(const Histogram<Count>& histogram) {
    SparseHistogram result;
    const auto& counts = histogram.counts();
    for (std::size_t index = 0; index < counts.size(); ++index) {
        if (counts[index] == 0) continue;
        result.indices.push_back(static_cast<std::uint32_t>(index));
        result.counts.push_back(counts[index]);
    }
    return result;
}

}  // namespace cluster
