// The orders of one connection: which reply is whose, and what it means for them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "client/in_flight.h"
#include "client/intent.h"
#include "client/living_orders.h"
#include "client/recorder.h"
#include "protocol/decoder.h"
#include "protocol/utc.h"

namespace cluster {

/// What a worker counts besides the books.
struct TrafficCounts {
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_received = 0;
    std::uint64_t executions = 0;    ///< follow-ups to answered orders
    std::uint64_t remainders = 0;    ///< follow-ups: unfilled rests that were cancelled
    std::uint64_t unsolicited = 0;   ///< replies that match no order, as the schema says
    std::uint64_t out_of_order = 0;  ///< answers that overtook an earlier order's
    std::uint64_t skipped = 0;       ///< requests for an order that is known to be gone: not sent
};

/// What a connection is to do.
struct ConnectionPlan {
    std::uint32_t limit = 1;  ///< orders that may wait for their answers at once
    std::int64_t timeout_ns = 0;
    std::uint32_t living_orders_max = 0;  ///< of the flow: bounds what is known of the book
    bool is_stamped = false;  ///< its socket takes time stamps, see client/kernel_times.h
};

/// Keeps a connection's orders from the moment they are taken to their fate. Knows no sockets and
/// no bytes; belongs to one connection and allocates nothing after construction.
template <bool kClosedLoop>
class OrderDesk {
    using Reply = protocol::Reply;
    using Meaning = protocol::Meaning;

public:
    /// `protocol` is what replies are read by; null for a codec whose replies are read already.
    OrderDesk(const protocol::Plan* protocol, const protocol::ReplyManners& manners,
              const ConnectionPlan& plan)
        : protocol_(protocol),
          manners_(manners),
          table_(plan.limit),
          first_ns_(manners_.has_received ? table_.capacity() : 0),
          living_(manners_.tracks_orders ? std::size_t{plan.living_orders_max} + 2 * plan.limit
                                         : 0),
          timeout_ns_(plan.timeout_ns) {}

    bool is_full() const noexcept { return table_.full(); }
    std::uint32_t waiting() const noexcept { return table_.waiting(); }
    /// The number of the next request.
    std::uint64_t next() const noexcept { return table_.next(); }

    /// Whether an engine may leave the next request unanswered: its order is known to be gone.
    bool is_moot(const Intent& intent) noexcept {
        return manners_.ignores_late && intent.action != Action::kNew &&
               !living_.may_live(table_.next() - intent.target_back);
    }

    /// Passes over a request, whose number is used up.
    void skip() noexcept { table_.skip(); }

    /// The next request has been encoded; `length` bytes must go out until it has been sent.
    void take(const Intent& intent, std::int64_t intended_ns, IntervalSet* set,
              std::size_t length) noexcept {
        const std::uint64_t sequence = table_.next();
        OrderSlot& slot = table_.add(intended_ns, set, length);
        if (manners_.tells_ends) {
            slot.open_size = intent.quantity;
            slot.ends_later = intent.action == Action::kNew && intent.kind != OrderKind::kLimit;
        }
        if (manners_.has_received) first_ns_[table_.place_of(sequence)] = 0;
        if (manners_.tracks_orders) track(intent, sequence, sequence - intent.target_back);
    }

    /// So many bytes of what was taken have gone out.
    void mark_sent(std::size_t bytes, std::int64_t sent_ns, Recorder& recorder) noexcept {
        recorder.reach(sent_ns);
        std::uint32_t orders = 0;
        // Bytes of an order that an earlier send took a part of count with those of this send.
        bytes += sent_of_first_;
        while (table_.sent_end() != table_.next()) {
            const std::size_t length = table_.slot(table_.sent_end()).length;
            if (bytes < length) break;
            bytes -= length;
            OrderSlot& slot = table_.mark_sent(sent_ns);
            ++orders;
            if constexpr (kClosedLoop) {
                slot.intended_ns = sent_ns;
                slot.set = recorder.intend(sent_ns);
                recorder.sent(*slot.set);
            } else {
                recorder.sent(*slot.set);
                recorder.send_lag(*slot.set, sent_ns - slot.intended_ns);
            }
        }
        sent_of_first_ = bytes;
        if (orders > 0) recorder.sent_at(sent_ns, orders);
    }

    /// All that was taken has gone out, and some bytes that are no order's.
    void all_is_sent() noexcept { sent_of_first_ = 0; }

    /// Whether replies tell by their id which order they are of.
    bool goes_by_ids() const noexcept { return manners_.ids_in_replies; }

    /// Without ids: the order whose turn it is.
    std::uint64_t next_to_answer(const Reply& reply) noexcept {
        const std::uint64_t sequence = next_answer_;
        if (reply.meaning != Meaning::kReceived && sequence < table_.sent_end()) ++next_answer_;
        return sequence;
    }

    /// A reply to the request, or of the order, of that number: of any number at all.
    void hear(const Reply& reply, std::uint64_t sequence, std::int64_t received_ns,
              Recorder& recorder, TrafficCounts& traffic) noexcept {
        if (sequence >= table_.sent_end()) [[unlikely]] {
            return recorder.error(ErrorKind::kUnknownId);
        }
        if (reply.names_order) [[unlikely]]
            return of_order(reply, sequence, received_ns, recorder, traffic);
        of_request(reply, sequence, received_ns, recorder, traffic);
    }

    /// Orders sent so long ago that their time is over have timed out.
    void expire(std::int64_t now_ns, Recorder& recorder) noexcept {
        while (table_.oldest() != table_.sent_end()) {
            const std::uint64_t sequence = table_.oldest();
            if (now_ns - table_.slot(sequence).sent_ns < timeout_ns_) return;
            time_out(sequence, recorder);
        }
    }

    /// We have said goodbye: answers from now on are late.
    void leave() noexcept { leaving_ = true; }
    bool is_leaving() const noexcept { return leaving_; }

    /// Gives every order its fate: those that were sent this one, the others are unsent.
    template <class Fate>
    void settle_all(Recorder& recorder, Fate fate_of_sent) noexcept {
        for (std::uint64_t i = table_.oldest(); i != table_.sent_end(); ++i) {
            if (!table_.is_waiting(i)) continue;
            fate_of_sent(*table_.slot(i).set);
            leave_in_part(i, recorder);
        }
        if constexpr (!kClosedLoop) {
            for (std::uint64_t i = table_.sent_end(); i != table_.next(); ++i) {
                const OrderSlot& slot = table_.slot(i);
                if (slot.state == OrderState::kWaiting) recorder.unsent(*slot.set);
            }
        }
        table_.clear();
    }

private:
    /// Remembers what an order's replies will have to be told by.
    void track(const Intent& intent, std::uint64_t sequence, std::uint64_t target) noexcept {
        if (intent.action != Action::kCancel && intent.kind == OrderKind::kLimit) {
            living_.add(sequence, intent.quantity);
        }
        if (intent.action == Action::kNew) return;
        if (LivingOrder* order = living_.find(target)) order->pending = sequence + 1;
        if (LivingOrder* own = living_.find(sequence)) own->replaces = target + 1;
    }

    /// A reply to the request of that number.
    void of_request(const Reply& reply, std::uint64_t sequence, std::int64_t received_ns,
                    Recorder& recorder, TrafficCounts& traffic) noexcept {
        switch (reply.meaning) {
            case Meaning::kAccepted:
            case Meaning::kRejected: {
                const bool accepted = reply.meaning == Meaning::kAccepted;
                count_order(sequence, traffic);
                answer(reply, sequence, accepted, received_ns, recorder);
                if (manners_.tracks_orders) {
                    after_answer(reply, sequence, accepted, received_ns, recorder);
                }
                return;
            }
            case Meaning::kReceived: return acknowledge(sequence, received_ns, recorder);
            case Meaning::kExecuted:
            case Meaning::kFilled:
                ++traffic.executions;
                if (manners_.tracks_orders) {
                    execute(reply, sequence, received_ns, recorder);
                }
                if (takes_the_rest(reply, sequence)) {
                    end(reply, sequence, received_ns, recorder);
                } else if (table_.is_waiting(sequence)) {
                    // Its id is of the request: this engine answers with the fill itself.
                    answer(reply, sequence, true, received_ns, recorder);
                }
                return;
            default:  // cancelled
                leave_book(reply, sequence, received_ns, recorder, traffic);
        }
    }

    /// A request's order is out of the book: the answer to a cancel, or to an order that did not
    /// come to live; or, after the answer, the end of what was left of it.
    void leave_book(const Reply& reply, std::uint64_t sequence, std::int64_t received_ns,
                    Recorder& recorder, TrafficCounts& traffic) noexcept {
        if (table_.is_waiting(sequence)) {
            count_order(sequence, traffic);
            table_.slot(sequence).ends_later = false;
            answer(reply, sequence, true, received_ns, recorder);
            if (manners_.tracks_orders) after_answer(reply, sequence, true, received_ns, recorder);
        } else {
            ++traffic.remainders;
            end(reply, sequence, received_ns, recorder);
        }
        if (manners_.tracks_orders) living_.erase(sequence);
    }

    /// A reply that names an order: it answers the request that acts on it, if one waits.
    void of_order(const Reply& reply, std::uint64_t sequence, std::int64_t received_ns,
                  Recorder& recorder, TrafficCounts& traffic) noexcept {
        if (reply.meaning == Meaning::kExecuted || reply.meaning == Meaning::kFilled) {
            ++traffic.executions;
            execute(reply, sequence, received_ns, recorder);
            if (takes_the_rest(reply, sequence)) end(reply, sequence, received_ns, recorder);
            return;
        }
        LivingOrder* order = living_.find(sequence);
        // What has not been sent yet can't be what is answered.
        if (order != nullptr && order->pending > 0 && order->pending <= table_.sent_end() &&
            may_answer(order->pending - 1)) {
            const std::uint64_t pending = std::exchange(order->pending, 0) - 1;
            const bool accepted = reply.meaning != Meaning::kRejected;
            if (reply.meaning == Meaning::kReceived) {
                order->pending = pending + 1;
                return acknowledge(pending, received_ns, recorder);
            }
            count_order(pending, traffic);
            if (accepted) living_.erase(sequence);
            answer(reply, pending, accepted, received_ns, recorder);
            if (const LivingOrder* replacement = living_.find(pending); replacement != nullptr) {
                // Taken out of the book instead of replaced: what acts on the replacement is moot.
                const std::uint64_t moot = replacement->pending;
                living_.erase(pending);
                come_too_late(moot, received_ns, recorder);
            }
            return;
        }
        if (reply.meaning == Meaning::kCancelled) {
            ++traffic.remainders;
            living_.erase(sequence);
            return end(reply, sequence, received_ns, recorder);
        }
        recorder.error(ErrorKind::kDuplicateReply);
    }

    /// Whether a reply that names an order can be the answer to this request, which acts on it.
    /// Where every request is answered, one that brings a replacement is answered under its own id.
    bool may_answer(std::uint64_t request) noexcept {
        return manners_.ignores_late || living_.find(request) == nullptr;
    }

    /// Once a request has its answer, its order lives, or not, and has taken another's place.
    void after_answer(const Reply& reply, std::uint64_t sequence, bool accepted,
                      std::int64_t received_ns, Recorder& recorder) noexcept {
        LivingOrder* own = living_.find(sequence);
        if (own == nullptr) return;
        const std::uint64_t replaced = std::exchange(own->replaces, 0);
        if (accepted) {
            // A replacement may begin with less than was asked for: with what its order has traded.
            if (replaced != 0) own->open = remaining_of(reply).value_or(own->open);
            if (replaced != 0) living_.erase(replaced - 1);
            return;
        }
        const std::uint64_t pending = own->pending;
        living_.erase(sequence);
        come_too_late(pending, received_ns, recorder);
        if (replaced == 0) return;
        if (LivingOrder* order = living_.find(replaced - 1)) order->pending = 0;
    }

    /// A fill of an order that we know. The last one takes it out of the book, and what was to be
    /// done with it comes too late.
    void execute(const Reply& reply, std::uint64_t sequence, std::int64_t received_ns,
                 Recorder& recorder) noexcept {
        LivingOrder* order = living_.find(sequence);
        if (order == nullptr) return;
        order->open = open_after(reply, order->open);
        if (order->open > 0) return;
        const std::uint64_t pending = order->pending;
        living_.erase(sequence);
        come_too_late(pending, received_ns, recorder);
    }

    /// What acts on an order that is gone is passed over by the engine, and so is what acts on the
    /// replacement that never came to live, and so on. `pending` is a request's number plus 1.
    void come_too_late(std::uint64_t pending, std::int64_t received_ns,
                       Recorder& recorder) noexcept {
        if (!manners_.ignores_late) return;  // each of them gets an answer of its own
        while (pending != 0) {
            const std::uint64_t request = pending - 1;
            const LivingOrder* replacement = living_.find(request);
            pending = replacement == nullptr ? 0 : replacement->pending;
            living_.erase(request);
            if (table_.is_waiting(request)) settle_answer(request, false, received_ns, recorder);
        }
    }

    /// What is open of an order after a fill.
    std::int64_t open_after(const Reply& reply, std::int64_t open) const noexcept {
        if (reply.meaning == Meaning::kFilled) return 0;
        if (protocol_ != nullptr) {
            if (const auto remaining = remaining_of(reply)) return *remaining;
            const protocol::LaterView view(*protocol_, reply);
            const std::int64_t executed = view.number(reply.rule->executed).value_or(0);
            return open - std::max<std::int64_t>(executed, 0);
        }
        return open;
    }

    /// What the reply says is open of its order.
    std::optional<std::int64_t> remaining_of(const Reply& reply) const noexcept {
        if (protocol_ != nullptr) {
            if (reply.rule->remaining.kind == protocol::ReadKind::kAbsent) return std::nullopt;
            const protocol::LaterView view(*protocol_, reply);
            const std::optional<std::int64_t> told = view.number(reply.rule->remaining);
            // Untrusted: a size below 0 is none.
            return told ? std::optional(std::max<std::int64_t>(*told, 0)) : std::nullopt;
        }
        return std::nullopt;
    }

    /// Whether a fill ends an order that is not to rest in the book.
    bool takes_the_rest(const Reply& reply, std::uint64_t sequence) noexcept {
        if (!table_.is_remembered(sequence)) return false;
        OrderSlot& slot = table_.slot(sequence);
        if (!slot.ends_later) return false;
        const std::int64_t open = open_after(reply, slot.open_size);
        slot.open_size = static_cast<std::uint32_t>(
            std::clamp<std::int64_t>(open, 0, std::numeric_limits<std::uint32_t>::max()));
        return open <= 0;
    }

    /// The last reply to a request: what an order that still waits has waited for, or what comes
    /// after the answer of one that was not to rest.
    void end(const Reply& reply, std::uint64_t sequence, std::int64_t received_ns,
             Recorder& recorder) noexcept {
        if (table_.is_waiting(sequence)) {
            if (!table_.slot(sequence).ends_later) return;
            table_.slot(sequence).ends_later = false;
            return answer(reply, sequence, true, received_ns, recorder);
        }
        if (!table_.is_remembered(sequence)) return;
        OrderSlot& slot = table_.slot(sequence);
        if (!slot.ends_later || slot.state != OrderState::kAnswered) return;
        slot.ends_later = false;
        recorder.other_reply(received_ns - slot.intended_ns);
    }

    /// An interim acknowledgement: the first reply, which answers nothing.
    void acknowledge(std::uint64_t sequence, std::int64_t received_ns,
                     Recorder& recorder) noexcept {
        if (!table_.is_waiting(sequence) || !manners_.has_received) return;
        std::int64_t& first_ns = first_ns_[table_.place_of(sequence)];
        if (first_ns != 0) return;
        first_ns = received_ns;
        if (!manners_.timed_by_last) recorder.answered_in_part();
    }

    /// An order that waits no more is no exception to what is in flight.
    void leave_in_part(std::uint64_t sequence, Recorder& recorder) noexcept {
        if (!manners_.timed_by_last && acknowledged_ns(sequence) != 0) recorder.settles_in_part();
    }

    /// When an acknowledgement of that request came; 0: none did.
    std::int64_t acknowledged_ns(std::uint64_t sequence) const noexcept {
        return manners_.has_received ? first_ns_[table_.place_of(sequence)] : 0;
    }

    void answer(const Reply& reply, std::uint64_t sequence, bool accepted, std::int64_t received_ns,
                Recorder& recorder) noexcept {
        if (!table_.is_waiting(sequence)) [[unlikely]] {
            const bool is_late = leaving_ || table_.is_late(sequence);
            return recorder.error(is_late ? ErrorKind::kLateReply : ErrorKind::kDuplicateReply);
        }
        OrderSlot& slot = table_.slot(sequence);
        if (received_ns - slot.sent_ns >= timeout_ns_) [[unlikely]] {
            // It arrived between its deadline and the next scan: a time-out does not depend on
            // when we look.
            time_out(sequence, recorder);
            return recorder.error(table_.is_late(sequence) ? ErrorKind::kLateReply
                                                           : ErrorKind::kDuplicateReply);
        }
        if (!accepted) [[unlikely]]
            note_reason(reply, recorder);
        if (manners_.timed_by_last && slot.ends_later && accepted) {
            // Its last reply is still to come; this one was the first, or came after an
            // acknowledgement that will be counted with the last.
            if (slot.first_is_timed) return recorder.error(ErrorKind::kDuplicateReply);
            slot.first_is_timed = true;
            if (acknowledged_ns(sequence) != 0) return;
            return recorder.other_reply(received_ns - slot.intended_ns);
        }
        note_engine_time(*slot.set, reply, recorder);
        settle_answer(sequence, accepted, received_ns, recorder);
    }

    /// An order has its answer: its times, its fate.
    void settle_answer(std::uint64_t sequence, bool accepted, std::int64_t received_ns,
                       Recorder& recorder) noexcept {
        OrderSlot& slot = table_.slot(sequence);
        std::int64_t counted_ns = received_ns;
        if (manners_.has_received) [[unlikely]] {
            const std::int64_t first_ns = acknowledged_ns(sequence);
            if (first_ns != 0) {
                counted_ns = manners_.timed_by_last ? received_ns : first_ns;
                const std::int64_t other_ns = manners_.timed_by_last ? first_ns : received_ns;
                // One that is accepted and not to rest has its last reply still to come.
                const bool goes_on = slot.ends_later && accepted && !manners_.timed_by_last;
                if (!goes_on) recorder.other_reply(other_ns - slot.intended_ns);
            }
        }
        recorder.answered(*slot.set, accepted, {slot.intended_ns, slot.sent_ns, counted_ns});
        leave_in_part(sequence, recorder);
        table_.settle(slot, OrderState::kAnswered);
    }

    void count_order(std::uint64_t sequence, TrafficCounts& traffic) noexcept {
        if (sequence < newest_answered_) {
            ++traffic.out_of_order;
        } else {
            newest_answered_ = sequence;
        }
    }

    void note_engine_time(IntervalSet& set, const Reply& reply, Recorder& recorder) noexcept {
        std::uint64_t replied_ns = reply.engine_replied_ns;
        if (protocol_ != nullptr && protocol_->engine_clock_wraps &&
            replied_ns < reply.engine_received_ns) {
            replied_ns += protocol::kNsPerDay;  // midnight lay between
        }
        recorder.engine_time(set, reply.engine_received_ns, replied_ns);
    }

    void note_reason(const Reply& reply, Recorder& recorder) noexcept {
        if (protocol_ != nullptr) {
            const protocol::Read& read = reply.rule->reason;
            if (read.kind == protocol::ReadKind::kAbsent) return;
            const protocol::LaterView view(*protocol_, reply);
            if (read.kind == protocol::ReadKind::kText) {
                recorder.reject_reason(view.text(read));
            } else if (const auto number = view.number(read)) {
                recorder.reject_reason(*number);
            }
        }
    }

    void time_out(std::uint64_t sequence, Recorder& recorder) noexcept {
        OrderSlot& slot = table_.slot(sequence);
        recorder.timed_out(*slot.set);
        leave_in_part(sequence, recorder);
        table_.settle(slot, OrderState::kTimedOut);
    }

    const protocol::Plan* protocol_;
    protocol::ReplyManners manners_;
    InFlight table_;
    std::vector<std::int64_t> first_ns_;  ///< by place: when an interim acknowledgement came
    LivingOrders living_;
    std::uint64_t next_answer_ = 0;  ///< without ids: whose answer is next
    std::uint64_t newest_answered_ = 0;
    std::int64_t timeout_ns_;
    std::size_t sent_of_first_ = 0;  ///< bytes already taken of the first order not sent
    bool leaving_ = false;           ///< we have said goodbye
};

}  // namespace cluster
