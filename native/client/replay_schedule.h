// A worker's schedule when orders come from a file: the ring's head.
#pragma once

#include <algorithm>
#include <cstdint>

#include "client/replay_source.h"

namespace cluster {

/// Orders with their due times, in the order of the file.
///
/// The times were computed by the feeder; like every schedule it reads no clock and waits for no
/// answer. Closed-loop the orders have no times: the next is due when there is room for it.
template <bool kClosed>
class ReplaySchedule {
public:
    static constexpr bool kClosedLoop = kClosed;
    static constexpr bool kReplays = true;

    ReplaySchedule(ReplaySource& source, std::int64_t start_ns) noexcept
        : source_(&source), start_ns_(start_ns) {}

    /// The order whose turn it is, or nullptr while there is none.
    const ReplayOrder* next() const noexcept { return source_->orders.peek(); }

    /// When the next order is due; while none is there, a time before which none is due.
    std::int64_t due_ns() const noexcept {
        // Read before the ring: an order put there in between is then not overlooked.
        const std::int64_t fed_until_ns = fed_ns();
        const ReplayOrder* order = next();
        return order != nullptr ? due_ns_of(*order) : fed_until_ns;
    }

    /// Every order due before this time has been put into the ring.
    std::int64_t fed_ns() const noexcept {
        const std::int64_t fed_ns = source_->fed_until_ns.load(std::memory_order_acquire);
        return fed_ns == ReplaySource::kAllFed ? fed_ns : start_ns_ + fed_ns;
    }

    std::int64_t due_ns_of(const ReplayOrder& order) const noexcept {
        return start_ns_ + order.due_ns;
    }

    /// Whether an order is there. If none is, although one may be due, that is remembered: an
    /// order that comes too late then is the client's fault. While the feeder waits for room in
    /// another worker's ring it is not, that worker's lag tells whose it is.
    bool has_order(std::int64_t now_ns) noexcept {
        if (next() != nullptr) return true;
        if (fed_ns() <= now_ns && !source_->feeder_waits.load(std::memory_order_acquire)) {
            missed_ns_ = now_ns;
        }
        return false;
    }

    /// No order is there, and none will come.
    bool is_exhausted() const noexcept {
        return fed_ns() == ReplaySource::kAllFed && next() == nullptr;
    }

    struct Taken {
        ReplayOrder order;
        bool starved;  ///< it was looked for when it was due, and was not there
    };

    /// Takes the order that `next` shows.
    Taken take() noexcept {
        Taken taken{};
        source_->orders.pop(taken.order);
        ++taken_;
        taken.starved = missed_ns_ != kNever && (kClosed || due_ns_of(taken.order) <= missed_ns_);
        if constexpr (kClosed) missed_ns_ = kNever;  // one dry ring is one event
        return taken;
    }

    /// Orders due by `now_ns` and before `ends_ns`, as far as they have been put into the ring.
    std::uint64_t count_due(std::int64_t now_ns, std::int64_t ends_ns) noexcept {
        due_ = std::max(due_, taken_);
        while (const ReplayOrder* order = source_->orders.peek(due_ - taken_)) {
            const std::int64_t due_ns = due_ns_of(*order);
            if (due_ns > now_ns || due_ns >= ends_ns) break;
            ++due_;
        }
        return due_ - forgotten_;
    }

    /// The order that was taken last is not sent and counts as none.
    void forget_taken() noexcept { ++forgotten_; }

    /// The feeder need not wait for this worker any more.
    void abandon() noexcept { source_->abandoned.store(true, std::memory_order_release); }

private:
    static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();

    ReplaySource* source_;
    std::int64_t start_ns_;
    std::uint64_t taken_ = 0;
    std::uint64_t due_ = 0;  ///< orders from the first on that are due
    std::uint64_t forgotten_ = 0;
    std::int64_t missed_ns_ = kNever;  ///< when an order was last looked for in vain
};

}  // namespace cluster
