// One second of a worker's own doings, as recorded and as handed out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "client/histogram.h"
#include "client/over_time.h"
#include "client/set_channel.h"

namespace cluster {

/// What a worker did in second `index` after the start, by its clock: other than an IntervalSet,
/// which holds the orders *due* in a second.
struct ActivitySet {
    static constexpr std::size_t kSampleMax = 4096;

    std::int64_t index = 0;
    std::array<std::uint32_t, kMsPerS> sent_per_ms{};
    std::array<std::uint64_t, kSlotsPerS> in_flight_order_ns{};  ///< integral over each slot
    std::array<std::uint32_t, kSampleMax> send_sample_ns{};      ///< after the second began
    std::size_t sampled = 0;
    bool sample_cut = false;                  ///< more was sent in the slice than could be kept
    Histogram<std::uint32_t> poll_gap;        ///< one pass to the next, less what it meant to sleep
    Histogram<std::uint32_t> kernel_send;     ///< handed to the kernel → handed to the device
    Histogram<std::uint32_t> kernel_receive;  ///< came from the device → read by the client

    void clear() noexcept;
};

/// The same for keeping: some KB.
struct Activity {
    std::int64_t index = 0;
    std::vector<std::uint32_t> sent_per_ms;
    std::vector<std::uint64_t> in_flight_order_ns;
    std::vector<std::uint32_t> send_sample_ns;
    bool sample_cut = false;
    SparseHistogram poll_gap;
    SparseHistogram kernel_send;
    SparseHistogram kernel_receive;
};

Activity keep(const ActivitySet& set);

/// A set is handed over when its second is over, so few are under way.
using ActivityChannel = SetChannel<ActivitySet, 8>;

}  // namespace cluster
