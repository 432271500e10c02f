// What a running worker tells the other threads, and what they tell it.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>

#include "client/activity.h"
#include "client/books.h"
#include "client/errors.h"
#include "client/interval.h"
#include "client/reject_reasons.h"

namespace cluster {

/// Where a worker, or all of them, stand. Counts are cumulative since the start.
struct Progress {
    std::int64_t now_ns = 0;
    Books books;
    std::uint64_t in_flight = 0;
    std::uint64_t backlog = 0;           ///< due and not yet sent
    std::uint64_t connections_open = 0;  ///< once finished: when the load ended
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_received = 0;
    std::uint64_t executions = 0;
    std::uint64_t remainders = 0;
    std::uint64_t unsolicited = 0;   ///< replies that match no order, as the schema says
    std::uint64_t out_of_order = 0;  ///< answers that overtook an earlier order's
    std::uint64_t skipped = 0;       ///< requests for an order that is known to be gone: not sent
    ErrorCounts errors;
    bool finished = false;

    Progress& operator+=(const Progress& other) noexcept;
};

/// A worker's counters for other threads to read, without stopping it.
///
/// Each counter is right by itself; two of one reading may be some orders apart.
class PublishedProgress {
public:
    void publish(const Progress& progress) noexcept;
    Progress read() const noexcept;

private:
    static constexpr std::size_t kNumbers = 16;

    std::array<std::atomic<std::uint64_t>, kNumbers + kErrorKinds> numbers_{};
};

enum class StopRequest : std::uint8_t {
    kNone,
    kStop,   ///< send nothing new, await answers for the drain time
    kAbort,  ///< end at once
};

/// What one worker shares with the threads that watch it. Cache lines apart from its own data.
struct alignas(128) WorkerShared {
    PublishedProgress progress;
    alignas(128) std::atomic<StopRequest> stop = StopRequest::kNone;
    /// Orders due from this time of the clock on are not sent, and not intended.
    std::atomic<std::int64_t> ends_ns = std::numeric_limits<std::int64_t>::max();
    std::atomic<pid_t> thread_id = 0;
    /// When it was ready for its first order, by the clock; 0: it has not come to that.
    std::atomic<std::int64_t> began_ns = 0;
    /// Set after the last interval has been handed over.
    std::atomic<bool> finished = false;
    RejectReasons reasons;  ///< to be read once finished
    IntervalChannel intervals;
    ActivityChannel activity;
};

}  // namespace cluster
