// One second of one worker: books and histograms, as recorded and as handed out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "client/books.h"
#include "client/histogram.h"
#include "client/spsc_queue.h"

namespace cluster {

/// All orders of a worker whose intended time lies in second `index` after the start.
///
/// Half a megabyte, made before the start and used again and again. Its 32-bit counts hold
/// 4 billion orders: more than a worker can send in the time a set is in use.
struct IntervalSet {
    std::int64_t index = 0;
    Books books;
    Histogram<std::uint32_t> response;
    Histogram<std::uint32_t> service;
    Histogram<std::uint32_t> send_lag;
    Histogram<std::uint32_t> engine;
    Histogram<std::uint32_t> other_reply;  ///< see Recorder::other_reply

    void clear() noexcept;
};

/// The buckets of a histogram that are not empty, rising.
struct SparseHistogram {
    std::vector<std::uint32_t> indices;
    std::vector<std::uint64_t> counts;
};

/// An interval set for keeping: the same orders, a few KB.
struct Interval {
    std::int64_t index = 0;
    Books books;
    SparseHistogram response;
    SparseHistogram service;
    SparseHistogram send_lag;
    SparseHistogram engine;
    SparseHistogram other_reply;
};

Interval keep(const IntervalSet& set);

/// A worker's interval sets on their way to the collector and back, without locks.
class IntervalChannel {
public:
    static constexpr std::size_t kSets = 16;

    IntervalChannel();

    /// For the worker: an empty set, or nullptr when all are in use.
    IntervalSet* take_free() noexcept;
    /// For the worker: a set whose orders have all met their fate.
    void hand_over(IntervalSet* set) noexcept;

    /// For the collector: appends what the worker has handed over, and gives the sets back empty.
    void collect(std::vector<Interval>& intervals);

private:
    std::vector<std::unique_ptr<IntervalSet>> sets_;
    SpscQueue<IntervalSet*, kSets> complete_;
    SpscQueue<IntervalSet*, kSets> free_;
};

}  // namespace cluster
