// The orders of one connection that have not met their fate.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "client/interval.h"

namespace cluster {

enum class OrderState : std::uint8_t {
    kWaiting,
    kAnswered,
    kTimedOut,
    kSkipped,  ///< its number is used up and nothing was sent: no order
};

/// One order between being taken from the schedule and its fate.
struct OrderSlot {
    std::int64_t intended_ns;
    std::int64_t sent_ns;     ///< once sent
    IntervalSet* set;         ///< where its fate is recorded
    std::uint32_t open_size;  ///< not executed yet; only when ends_later
    std::uint16_t length;     ///< of its bytes, and of the session's that go out before it
    OrderState state;
    bool ends_later : 1;      ///< fills or a cancellation end it, after its answer
    bool first_is_timed : 1;  ///< of one whose last reply counts: its first has come
};
static_assert(sizeof(OrderSlot) == 32);

/// Remembers a connection's orders by their sequence numbers 0, 1, 2 …
///
/// A ring: sequence & mask is the slot. It spans four times the orders that may wait at once, so
/// that answers may overtake each other; an order unanswered while so many later ones are sent
/// holds the connection back until it times out.
///
///     0 ………… oldest ………… sent_end ………… next
///     fate met | sent, maybe waiting | in the send buffer
class InFlight {
public:
    explicit InFlight(std::uint32_t limit)
        : slots_(std::bit_ceil(std::size_t{std::max(limit, 1U)} * 4)), limit_(limit) {}

    bool full() const noexcept { return waiting_ >= limit_ || next_ - oldest_ == slots_.size(); }
    std::uint64_t oldest() const noexcept { return oldest_; }
    std::uint64_t sent_end() const noexcept { return sent_end_; }
    std::uint64_t next() const noexcept { return next_; }
    std::uint32_t waiting() const noexcept { return waiting_; }

    std::size_t capacity() const noexcept { return slots_.size(); }
    std::size_t place_of(std::uint64_t sequence) const noexcept {
        return sequence & (slots_.size() - 1);
    }
    OrderSlot& slot(std::uint64_t sequence) noexcept { return slots_[place_of(sequence)]; }

    /// Takes the next sequence number. The table must not be full.
    OrderSlot& add(std::int64_t intended_ns, IntervalSet* set, std::size_t length) noexcept {
        OrderSlot& added = slot(next_++);
        added = {intended_ns,          0,     set,  0, static_cast<std::uint16_t>(length),
                 OrderState::kWaiting, false, false};
        ++waiting_;
        return added;
    }

    /// Uses up a sequence number for nothing. The table must not be full.
    void skip() noexcept {
        slot(next_++).state = OrderState::kSkipped;
        if (sent_end_ + 1 == next_) pass_skipped();
    }

    /// The first order that is not sent yet has now been sent.
    OrderSlot& mark_sent(std::int64_t sent_ns) noexcept {
        OrderSlot& sent = slot(sent_end_++);
        sent.sent_ns = sent_ns;
        pass_skipped();
        return sent;
    }

    /// A waiting order has met its fate.
    void settle(OrderSlot& slot_of_order, OrderState fate) noexcept {
        slot_of_order.state = fate;
        --waiting_;
        pass_settled();
        timed_out_unanswered_ += fate == OrderState::kTimedOut;
    }

    /// What a reply to a sent order that no longer waits is: the late answer to one that timed
    /// out, or a second answer. Once the order's slot serves another order it counts as late as
    /// long as some timed-out order of the connection is unanswered.
    bool is_late(std::uint64_t sequence) noexcept {
        const bool remembered = is_remembered(sequence);
        if (remembered && slot(sequence).state != OrderState::kTimedOut) return false;
        if (timed_out_unanswered_ == 0) return false;
        --timed_out_unanswered_;
        if (remembered) slot(sequence).state = OrderState::kAnswered;
        return true;
    }

    /// Whether the slot of a sequence below `sent_end` still is that order's.
    bool is_remembered(std::uint64_t sequence) const noexcept {
        return next_ - sequence <= slots_.size();
    }

    /// Whether an order has been sent and still waits.
    bool is_waiting(std::uint64_t sequence) noexcept {
        return sequence >= oldest_ && sequence < sent_end_ &&
               slot(sequence).state == OrderState::kWaiting;
    }

    /// Forgets all orders; the caller has recorded their fates.
    void clear() noexcept {
        oldest_ = sent_end_ = next_;
        waiting_ = 0;
    }

private:
    void pass_skipped() noexcept {
        while (sent_end_ != next_ && slot(sent_end_).state == OrderState::kSkipped) ++sent_end_;
        pass_settled();
    }
    void pass_settled() noexcept {
        while (oldest_ != sent_end_ && slot(oldest_).state != OrderState::kWaiting) ++oldest_;
    }

    std::vector<OrderSlot> slots_;
    std::uint32_t limit_;
    std::uint32_t waiting_ = 0;
    std::uint64_t oldest_ = 0;
    std::uint64_t sent_end_ = 0;
    std::uint64_t next_ = 0;
    std::uint64_t timed_out_unanswered_ = 0;
};

}  // namespace cluster
