// One second of one worker: books and histograms, as recorded and as handed out.
#pragma once

#include <cstdint>

#include "client/books.h"
#include "client/histogram.h"
#include "client/over_time.h"
#include "client/set_channel.h"

namespace cluster {

/// All orders of a worker whose intended time lies in second `index` after the start.
///
/// Half a megabyte, made before the start and used again and again. Its 32-bit counts hold
/// 4 billion orders: more than a worker can send in the time a set is in use.
struct IntervalSet {
    std::int64_t index = 0;
    std::int64_t begins_ns = 0;  ///< that second, by the clock
    Books books;
    SlotCounts slots;
    Histogram<std::uint32_t> response;
    Histogram<std::uint32_t> service;
    Histogram<std::uint32_t> send_lag;
    Histogram<std::uint32_t> engine;
    Histogram<std::uint32_t> other_reply;  ///< see Recorder::other_reply

    void clear() noexcept;
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
    SparseSlots slots;
};

Interval keep(const IntervalSet& set);

/// Seconds whose last orders wait for their fate hold their sets for as long.
using IntervalChannel = SetChannel<IntervalSet, 16>;

}  // namespace cluster
