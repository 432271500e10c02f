// Where a worker writes down what became of its orders.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "client/activity_recorder.h"
#include "client/clock.h"
#include "client/errors.h"
#include "client/interval.h"
#include "client/reject_reasons.h"

namespace cluster {

/// An order that has its answer.
struct AnsweredOrder {
    std::int64_t intended_ns;
    std::int64_t sent_ns;
    std::int64_t received_ns;
};

/// Keeps the books twice: per second of intended time, and as totals. Beside them, what the worker
/// does itself, per second of its clock.
///
/// Belongs to one worker; allocates nothing. A second's set is handed over once the schedule has
/// passed it and each of its orders has met its fate, earlier seconds first. When no set is
/// free, recording goes on in the current one and every such order is counted as
/// `interval_overrun`: the sums stay exact, and its last slot holds them.
class Recorder {
public:
    Recorder(IntervalChannel& channel, ActivityChannel& activity, std::int64_t start_ns,
             SampleSlice slice = {}) noexcept
        : channel_(channel), activity_(activity, start_ns, slice), start_ns_(start_ns) {
        begin(channel_.take_free(), 0);
    }

    /// An order joins the books; its set goes with it to its fate.
    IntervalSet* intend(std::int64_t intended_ns) noexcept {
        if (intended_ns >= current_end_ns_) [[unlikely]]
            move_to(intended_ns);
        ++current_->books.intended;
        ++current_->slots.due[slot_of(intended_ns - current_->begins_ns)];
        ++totals_.intended;
        return current_;
    }

    /// It is `now_ns`: to be told before anything is sent or answered at that time, and in every
    /// pass. What was in flight until then is weighed by the time since the last call.
    void reach(std::int64_t now_ns) noexcept {
        const std::uint64_t overrun =
            activity_.reach(now_ns, totals_.in_flight() - answered_in_part_);
        if (overrun > 0) [[unlikely]]
            errors_[ErrorKind::kActivityOverrun] += overrun;
    }
    /// So many orders went out with one send at that time, which has been reached.
    void sent_at(std::int64_t sent_ns, std::uint32_t orders) noexcept {
        activity_.sent(sent_ns, orders);
    }
    /// From one pass of the event loop to the next, less what it meant to sleep.
    void poll_gap(std::int64_t gap_ns) noexcept {
        if (!activity_.poll_gap(gap_ns)) [[unlikely]]
            errors_.add(ErrorKind::kOutOfRange);
    }
    /// Of a sample of orders, by the kernel's time stamps.
    void kernel_send(std::int64_t duration_ns) noexcept { activity_.kernel_send(duration_ns); }
    void kernel_receive(std::int64_t duration_ns) noexcept {
        activity_.kernel_receive(duration_ns);
    }
    /// An order has the reply that its times are measured by, and another settles it: until then it
    /// waits, and is not in flight.
    void answered_in_part() noexcept { ++answered_in_part_; }
    void settles_in_part() noexcept { --answered_in_part_; }

    void sent(IntervalSet& set) noexcept {
        ++set.books.sent;
        ++totals_.sent;
    }
    void send_lag(IntervalSet& set, std::int64_t lag_ns) noexcept { record(set.send_lag, lag_ns); }
    void answered(IntervalSet& set, bool accepted, const AnsweredOrder& order) noexcept {
        ++(accepted ? set.books.accepted : set.books.rejected);
        ++(accepted ? totals_.accepted : totals_.rejected);
        const std::int64_t response_ns = order.received_ns - order.intended_ns;
        record(set.response, response_ns);
        record(set.service, order.received_ns - order.sent_ns);
        set.slots.answered(slot_of(order.intended_ns - set.begins_ns), response_ns);
    }
    /// Time inside the engine, by its own clock. An engine that tells none sends 0.
    void engine_time(IntervalSet& set, std::uint64_t received_ns,
                     std::uint64_t replied_ns) noexcept {
        if (received_ns == 0) return;
        if (replied_ns < received_ns) [[unlikely]] {
            errors_.add(ErrorKind::kEngineTime);
            return;
        }
        record(set.engine, static_cast<std::int64_t>(replied_ns - received_ns));
    }
    /// Of an order with several replies: the response time by the other one, the last when the
    /// first counts and the first when the last counts. It joins the second that the schedule has
    /// reached: an order's own may have been handed over when its last reply comes.
    void other_reply(std::int64_t response_ns) noexcept {
        record(current_->other_reply, response_ns);
    }
    void reject_reason(std::span<const std::byte> reason) noexcept { reasons_.count(reason); }
    void reject_reason(std::int64_t reason) noexcept { reasons_.count(reason); }
    void timed_out(IntervalSet& set) noexcept {
        ++set.books.timed_out;
        ++totals_.timed_out;
    }
    void lost(IntervalSet& set) noexcept {
        ++set.books.lost;
        ++totals_.lost;
    }
    void unsent(IntervalSet& set) noexcept {
        ++set.books.unsent;
        ++totals_.unsent;
    }
    void error(ErrorKind kind) noexcept { errors_.add(kind); }

    /// Tells that no order before `next_ns` will join any more; hands over what is complete.
    void pass(std::int64_t next_ns) noexcept {
        if (next_ns >= current_end_ns_ && current_->books.intended > 0) retire(next_ns);
        release();
    }

    /// Whether `intend(intended_ns)` would find a set for that second.
    bool has_set_for(std::int64_t intended_ns) noexcept {
        if (intended_ns >= current_end_ns_) move_to_if_free(intended_ns);
        return intended_ns < current_end_ns_;
    }

    /// Hands over the last sets; every order must have met its fate. Ends the recorder's life.
    void finish() noexcept;

    const Books& totals() const noexcept { return totals_; }
    const ErrorCounts& errors() const noexcept { return errors_; }
    const RejectReasons& reasons() const noexcept { return reasons_; }

private:
    void record(Histogram<std::uint32_t>& histogram, std::int64_t value_ns) noexcept {
        if (!histogram.record(value_ns)) [[unlikely]]
            errors_.add(ErrorKind::kOutOfRange);
    }

    void begin(IntervalSet* set, std::int64_t index) noexcept;
    void move_to(std::int64_t intended_ns) noexcept;
    void move_to_if_free(std::int64_t intended_ns) noexcept;
    bool retire(std::int64_t next_ns) noexcept;
    void release() noexcept;

    IntervalChannel& channel_;
    ActivityRecorder activity_;
    std::int64_t start_ns_;
    IntervalSet* current_ = nullptr;
    std::int64_t current_end_ns_ = 0;
    Books totals_;
    std::uint64_t answered_in_part_ = 0;
    ErrorCounts errors_;
    RejectReasons reasons_;

    // Sets that the schedule has passed, oldest first; a ring with room for all sets.
    std::array<IntervalSet*, IntervalChannel::kSets> passed_{};
    std::size_t passed_head_ = 0;
    std::size_t passed_tail_ = 0;
};

inline void Recorder::begin(IntervalSet* set, std::int64_t index) noexcept {
    current_ = set;
    current_->index = index;
    current_->begins_ns = start_ns_ + index * kNsPerS;
    current_end_ns_ = current_->begins_ns + kNsPerS;
}

inline void Recorder::move_to(std::int64_t intended_ns) noexcept {
    move_to_if_free(intended_ns);
    if (intended_ns >= current_end_ns_) errors_.add(ErrorKind::kIntervalOverrun);
}

inline void Recorder::move_to_if_free(std::int64_t intended_ns) noexcept {
    if (current_->books.intended == 0) {
        begin(current_, (intended_ns - start_ns_) / kNsPerS);
    } else {
        retire(intended_ns);
    }
}

inline bool Recorder::retire(std::int64_t next_ns) noexcept {
    IntervalSet* fresh = channel_.take_free();
    if (fresh == nullptr) return false;
    passed_[passed_tail_++ % passed_.size()] = current_;
    begin(fresh, (next_ns - start_ns_) / kNsPerS);
    return true;
}

inline void Recorder::release() noexcept {
    while (passed_head_ != passed_tail_ &&
           passed_[passed_head_ % passed_.size()]->books.balanced()) {
        channel_.hand_over(passed_[passed_head_++ % passed_.size()]);
    }
}

inline void Recorder::finish() noexcept {
    release();
    // Without an order of its own it may still hold last replies that came after the schedule.
    const auto& others = current_->other_reply.counts();
    const bool has_others = std::ranges::any_of(others, [](auto count) { return count > 0; });
    if (current_->books.intended > 0 || has_others) channel_.hand_over(current_);
    current_ = nullptr;
    activity_.finish();
}

}  // namespace cluster
