// What a replay's feeder and one worker share: a bounded ring of orders, and how far it is filled.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "client/intent.h"
#include "client/spsc_queue.h"

namespace cluster {

/// One order of a file on its way to the worker that sends it.
struct ReplayOrder {
    std::int64_t due_ns;       ///< after the start; 0 when closed-loop
    Intent intent;             ///< `target_back` counts requests of the same connection
    std::uint32_t connection;  ///< among the worker's own
};

/// The feeder fills it ahead of time; the worker takes from it without a lock.
struct ReplaySource {
    static constexpr std::size_t kOrders = 1U << 16;
    /// `fed_until_ns` once no further order comes.
    static constexpr std::int64_t kAllFed = std::numeric_limits<std::int64_t>::max();

    SpscQueue<ReplayOrder, kOrders> orders;
    /// By the feeder: every order due before this time after the start is in the ring.
    alignas(64) std::atomic<std::int64_t> fed_until_ns = 0;
    /// By the feeder: it can't go on, because some worker's ring is full.
    std::atomic<bool> feeder_waits = false;
    /// By the worker: it takes no more.
    alignas(64) std::atomic<bool> abandoned = false;
};

}  // namespace cluster
