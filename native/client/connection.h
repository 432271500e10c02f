// One connection of a worker: encodes, sends, receives, and tells the recorder.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "client/codec.h"
#include "client/in_flight.h"
#include "client/living_orders.h"
#include "client/network.h"
#include "client/recorder.h"
#include "client/send_buffer.h"
#include "protocol/decoder.h"

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
};

/// A connection with its orders. Belongs to one worker; allocates nothing after construction.
///
/// An order's times: *sent* is the clock just before the send() that took its last byte;
/// *received* the clock just after the recv() that brought its reply's last byte. One reading
/// serves all orders of one call.
///
/// When `kClosedLoop`, an order joins the books when it is sent, and is intended then.
template <class Socket, Codec Protocol, bool kClosedLoop>
class Connection {
    using Reply = protocol::Reply;
    using Meaning = protocol::Meaning;

public:
    static constexpr bool kHasSession = SessionCodec<Protocol>;

    /// `flow` is repeated without end and must outlive the connection. `received` are bytes that
    /// came while the session was begun.
    Connection(Socket socket, Protocol codec, std::span<const Intent> flow,
               const ConnectionPlan& plan, std::span<const std::byte> received = {})
        : socket_(socket),
          codec_(std::move(codec)),
          manners_(codec_.manners()),
          flow_(flow),
          table_(plan.limit),
          first_ns_(manners_.has_received ? table_.capacity() : 0),
          living_(manners_.tracks_orders ? std::size_t{plan.living_orders_max} + 2 * plan.limit
                                         : 0),
          timeout_ns_(plan.timeout_ns),
          room_(codec_.room()),
          buffer_(std::clamp(plan.limit * room_, room_, std::max(room_, kBufferBytesMax))),
          partial_(codec_.longest_reply()) {
        partial_size_ = std::min(received.size(), partial_.size());
        std::copy_n(received.begin(), partial_size_, partial_.begin());
    }

    bool is_open() const noexcept { return open_; }
    bool can_take() noexcept { return has_room() && (!manners_.tracks_orders || skip_moot()); }
    /// Whether it can take a request that does not come from the flow.
    bool has_room() const noexcept { return open_ && !table_.full() && buffer_.has_room(room_); }
    /// Whether an engine may leave the next request unanswered: its order is known to be gone.
    bool is_moot(const Intent& intent) noexcept {
        return manners_.tracks_orders && intent.action != Action::kNew &&
               !living_.may_live(table_.next() - intent.target_back);
    }
    /// Passes over a request, whose number is used up.
    void skip() noexcept { table_.skip(); }
    /// Whether a send now may make progress.
    bool wants_to_send() const noexcept { return open_ && !blocked_ && !buffer_.empty(); }
    void set_writable() noexcept { blocked_ = false; }
    std::uint32_t waiting() const noexcept { return table_.waiting(); }

    /// Encodes the flow's next request for an order of that intended time.
    void take(std::int64_t intended_ns, IntervalSet* set) noexcept {
        const Intent& intent = flow_[flow_position_];
        advance_flow();
        take(intent, intended_ns, set);
    }

    /// Encodes a request that does not come from the flow.
    void take(const Intent& intent, std::int64_t intended_ns, IntervalSet* set) noexcept {
        const std::uint64_t sequence = table_.next();
        const std::uint64_t target = sequence - intent.target_back;
        const std::size_t length = codec_.encode(intent, sequence, target, buffer_.reserve(room_));
        buffer_.commit(length);
        OrderSlot& slot = table_.add(intended_ns, set, length + session_bytes_);
        session_bytes_ = 0;
        if (manners_.tells_ends) {
            slot.open_size = intent.quantity;
            slot.ends_later = intent.action == Action::kNew && intent.kind != OrderKind::kLimit;
        }
        if (manners_.has_received) first_ns_[table_.place_of(sequence)] = 0;
        if (manners_.tracks_orders) track(intent, sequence, target);
    }

    /// One send() of all that is encoded.
    template <class Clock>
    void flush(Clock& clock, Recorder& recorder, TrafficCounts& traffic) noexcept {
        const std::int64_t sent_ns = clock.now_ns();
        const IoResult result = socket_.send(buffer_.pending());
        if (result.status == IoStatus::kOk) {
            traffic.bytes_sent += result.bytes;
            last_sent_ns_ = sent_ns;
            mark_sent(result.bytes, sent_ns, recorder);
            buffer_.consume(result.bytes);
        } else if (result.status == IoStatus::kFailed) {
            lose(ErrorKind::kSendFailed, recorder);
        } else {
            // After a reset, answers may still wait to be read: recv() tells when they end.
            blocked_ = true;
            was_reset_ = was_reset_ || result.status == IoStatus::kReset;
        }
    }

    /// One recv() into `scratch`. Returns whether more may be waiting.
    template <class Clock>
    bool receive(Clock& clock, std::span<std::byte> scratch, Recorder& recorder,
                 TrafficCounts& traffic) noexcept {
        std::copy_n(partial_.begin(), partial_size_, scratch.begin());
        const IoResult result = socket_.recv(scratch.subspan(partial_size_));
        const std::int64_t received_ns = clock.now_ns();
        switch (result.status) {
            case IoStatus::kOk: break;
            case IoStatus::kWouldBlock: return false;
            case IoStatus::kClosed:
                lose(was_reset_ ? ErrorKind::kReset : ErrorKind::kClosedByEngine, recorder);
                return false;
            case IoStatus::kReset: lose(ErrorKind::kReset, recorder); return false;
            case IoStatus::kFailed: lose(ErrorKind::kReceiveFailed, recorder); return false;
        }
        traffic.bytes_received += result.bytes;
        last_received_ns_ = received_ns;
        handle(scratch.first(partial_size_ + result.bytes), received_ns, recorder, traffic);
        // Not "was the buffer filled": after a hang-up the end of the stream is still to be read,
        // and no new event would tell of it.
        return open_;
    }

    /// Orders sent so long ago that their time is over have timed out.
    void expire(std::int64_t now_ns, Recorder& recorder) noexcept {
        while (table_.oldest() != table_.sent_end()) {
            OrderSlot& slot = table_.slot(table_.oldest());
            if (now_ns - slot.sent_ns < timeout_ns_) return;
            time_out(slot, recorder);
        }
    }

    /// Sends a heartbeat when it is time for one; gives up an engine that is silent for too long.
    void keep_alive(std::int64_t now_ns, Recorder& recorder) noexcept {
        if constexpr (kHasSession) {
            const protocol::SessionRules& session = codec_.plan().session;
            if (!open_ || session.logon == protocol::kNone) return;
            if (last_sent_ns_ == 0) last_sent_ns_ = last_received_ns_ = now_ns;
            if (session.silence_ns > 0 && now_ns - last_received_ns_ > session.silence_ns) {
                return lose(ErrorKind::kEngineSilent, recorder);
            }
            if (session.heartbeat != protocol::kNone &&
                now_ns - last_sent_ns_ >= session.heartbeat_every_ns && queue(session.heartbeat)) {
                last_sent_ns_ = now_ns;
            }
        }
    }

    /// Says goodbye, if the protocol does. What the engine says from now on is no surprise.
    void log_out() noexcept {
        if constexpr (kHasSession) {
            leaving_ = true;
            const std::uint16_t message = codec_.plan().session.logout;
            if (open_ && message != protocol::kNone) queue(message);
        }
    }

    /// Gives up waiting: sent orders have timed out, encoded ones were never sent.
    void abandon(Recorder& recorder) noexcept {
        if (partial_size_ > 0) recorder.error(ErrorKind::kCutMessage);
        settle_all(recorder, [&](IntervalSet& set) { recorder.timed_out(set); });
    }

    /// Ends the connection: sent orders are lost, encoded ones were never sent.
    void close(Recorder& recorder) noexcept {
        settle_all(recorder, [&](IntervalSet& set) { recorder.lost(set); });
        open_ = false;
        buffer_.clear();
        socket_.shut_down();
    }

private:
    static constexpr std::size_t kBufferBytesMax = 65'536;
    static constexpr std::size_t kSessionBytesMax = 32'768;  ///< between two orders

    void advance_flow() noexcept {
        if (++flow_position_ == flow_.size()) flow_position_ = 0;
    }

    /// Passes over requests for orders that are known to be gone, which an engine may leave
    /// unanswered. Their numbers are used up, so that those of the flow stay right. False: there
    /// is no room to go on.
    bool skip_moot() noexcept {
        for (std::size_t tried = 0; tried < flow_.size(); ++tried) {
            if (!is_moot(flow_[flow_position_])) return true;
            advance_flow();
            skip();
            ++skipped_;
            if (table_.full()) return false;
        }
        return false;
    }

    /// Remembers what an order's replies will have to be told by.
    void track(const Intent& intent, std::uint64_t sequence, std::uint64_t target) noexcept {
        if (intent.action != Action::kCancel && intent.kind == OrderKind::kLimit) {
            living_.add(sequence, intent.quantity);
        }
        if (intent.action == Action::kNew) return;
        if (LivingOrder* order = living_.find(target)) order->pending = sequence + 1;
        if (LivingOrder* own = living_.find(sequence)) own->replaces = target + 1;
    }

    void mark_sent(std::size_t bytes, std::int64_t sent_ns, Recorder& recorder) noexcept {
        // Bytes of an order that an earlier send took a part of count with those of this send.
        bytes += sent_of_first_;
        while (table_.sent_end() != table_.next()) {
            const std::size_t length = table_.slot(table_.sent_end()).length;
            if (bytes < length) break;
            bytes -= length;
            OrderSlot& slot = table_.mark_sent(sent_ns);
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
    }

    void handle(std::span<const std::byte> bytes, std::int64_t received_ns, Recorder& recorder,
                TrafficCounts& traffic) noexcept {
        for (;;) {
            const protocol::Decoded decoded = codec_.decode(bytes);
            if (decoded.status == protocol::DecodeStatus::kReply) [[likely]] {
                reply(decoded.reply, received_ns, recorder, traffic);
                if (!open_) [[unlikely]]
                    return;
            } else if (decoded.status == protocol::DecodeStatus::kNeedMore) {
                break;
            } else if (decoded.status == protocol::DecodeStatus::kMalformed) {
                partial_size_ = 0;
                return lose(ErrorKind::kProtocolError, recorder);
            } else {
                recorder.error(decoded.status == protocol::DecodeStatus::kUnknown
                                   ? ErrorKind::kUnknownMessage
                                   : ErrorKind::kGarbledMessage);
            }
            bytes = bytes.subspan(decoded.length);
        }
        if (bytes.size() > partial_.size()) [[unlikely]] {
            return lose(ErrorKind::kProtocolError, recorder);
        }
        std::copy_n(bytes.begin(), bytes.size(), partial_.begin());
        partial_size_ = bytes.size();
        traffic.skipped += std::exchange(skipped_, 0);
    }

    void reply(const Reply& reply, std::int64_t received_ns, Recorder& recorder,
               TrafficCounts& traffic) noexcept {
        if (reply.sequence >= 0) [[unlikely]]
            check_sequence(reply, recorder);
        if (reply.meaning >= Meaning::kUnsolicited) [[unlikely]] {
            return of_session(reply, recorder, traffic);
        }
        std::uint64_t sequence = 0;
        if (!manners_.ids_in_replies) {
            sequence = next_answer_;
            if (reply.meaning != Meaning::kReceived && sequence < table_.sent_end()) ++next_answer_;
        } else if (reply.has_id) [[likely]] {
            sequence = codec_.sequence_of(reply);
        } else {
            return recorder.error(ErrorKind::kUnknownId);
        }
        if (sequence >= table_.sent_end()) [[unlikely]] {
            return recorder.error(ErrorKind::kUnknownId);
        }
        if (reply.names_order) [[unlikely]]
            return of_order(reply, sequence, received_ns, recorder, traffic);
        of_request(reply, sequence, received_ns, recorder, traffic);
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
            case Meaning::kReceived: return acknowledge(sequence, received_ns);
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
        if (order != nullptr && order->pending > 0) {
            const std::uint64_t pending = std::exchange(order->pending, 0) - 1;
            const bool accepted = reply.meaning != Meaning::kRejected;
            if (reply.meaning == Meaning::kReceived) {
                order->pending = pending + 1;
                return acknowledge(pending, received_ns);
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
        if constexpr (kHasSession) {
            if (const auto remaining = remaining_of(reply)) return *remaining;
            const protocol::LaterView view(codec_.plan(), reply);
            return open - view.number(reply.rule->executed).value_or(0);
        }
        return open;
    }

    /// What the reply says is open of its order.
    std::optional<std::int64_t> remaining_of(const Reply& reply) const noexcept {
        if constexpr (kHasSession) {
            if (reply.rule->remaining.kind == protocol::ReadKind::kAbsent) return std::nullopt;
            return protocol::LaterView(codec_.plan(), reply).number(reply.rule->remaining);
        }
        return std::nullopt;
    }

    /// Whether a fill ends an order that is not to rest in the book.
    bool takes_the_rest(const Reply& reply, std::uint64_t sequence) noexcept {
        if (!table_.is_remembered(sequence)) return false;
        OrderSlot& slot = table_.slot(sequence);
        if (!slot.ends_later) return false;
        const std::int64_t open = open_after(reply, slot.open_size);
        slot.open_size = static_cast<std::uint32_t>(std::max<std::int64_t>(open, 0));
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
    void acknowledge(std::uint64_t sequence, std::int64_t received_ns) noexcept {
        if (!table_.is_waiting(sequence) || !manners_.has_received) return;
        std::int64_t& first_ns = first_ns_[table_.place_of(sequence)];
        if (first_ns == 0) first_ns = received_ns;
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
            time_out(slot, recorder);
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
        recorder.engine_time(*slot.set, reply.engine_received_ns, reply.engine_replied_ns);
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
        recorder.answered(*slot.set, accepted, counted_ns - slot.intended_ns,
                          counted_ns - slot.sent_ns);
        table_.settle(slot, OrderState::kAnswered);
    }

    void count_order(std::uint64_t sequence, TrafficCounts& traffic) noexcept {
        if (sequence < newest_answered_) {
            ++traffic.out_of_order;
        } else {
            newest_answered_ = sequence;
        }
    }

    void note_reason(const Reply& reply, Recorder& recorder) noexcept {
        if constexpr (kHasSession) {
            const protocol::Read& read = reply.rule->reason;
            if (read.kind == protocol::ReadKind::kAbsent) return;
            const protocol::LaterView view(codec_.plan(), reply);
            if (read.kind == protocol::ReadKind::kText) {
                recorder.reject_reason(view.text(read));
            } else if (const auto number = view.number(read)) {
                recorder.reject_reason(*number);
            }
        }
    }

    void check_sequence(const Reply& reply, Recorder& recorder) noexcept {
        if constexpr (kHasSession) {
            if (!codec_.is_next(reply.sequence)) recorder.error(ErrorKind::kSequenceBreak);
        }
    }

    /// A reply that is no order's.
    void of_session(const Reply& reply, Recorder& recorder, TrafficCounts& traffic) noexcept {
        if constexpr (kHasSession) {
            if (!reply.rule->keeps.empty()) codec_.keep(reply);
            if (reply.rule->answer != protocol::kNone && !leaving_) queue(reply.rule->answer);
            if (reply.meaning == Meaning::kUnsolicited) ++traffic.unsolicited;
            if (reply.meaning == Meaning::kLoggedOut) lose(ErrorKind::kLoggedOut, recorder);
        }
    }

    /// Encodes a message of the session; it goes out with the orders. False: there is no room now.
    bool queue(std::uint16_t message) noexcept {
        if (!buffer_.has_room(room_) || session_bytes_ + room_ > kSessionBytesMax) return false;
        const std::size_t length = codec_.encode_session(message, buffer_.reserve(room_));
        buffer_.commit(length);
        session_bytes_ += length;
        return true;
    }

    void time_out(OrderSlot& slot, Recorder& recorder) noexcept {
        recorder.timed_out(*slot.set);
        table_.settle(slot, OrderState::kTimedOut);
    }

    void lose(ErrorKind why, Recorder& recorder) noexcept {
        if (!leaving_) {
            recorder.error(why);
            if (partial_size_ > 0) recorder.error(ErrorKind::kCutMessage);
        }
        partial_size_ = 0;
        close(recorder);
    }

    template <class Fate>
    void settle_all(Recorder& recorder, Fate fate_of_sent) noexcept {
        for (std::uint64_t i = table_.oldest(); i != table_.sent_end(); ++i) {
            if (table_.is_waiting(i)) fate_of_sent(*table_.slot(i).set);
        }
        if constexpr (!kClosedLoop) {
            for (std::uint64_t i = table_.sent_end(); i != table_.next(); ++i) {
                const OrderSlot& slot = table_.slot(i);
                if (slot.state == OrderState::kWaiting) recorder.unsent(*slot.set);
            }
        }
        table_.clear();
    }

    Socket socket_;
    Protocol codec_;
    protocol::ReplyManners manners_;
    std::span<const Intent> flow_;
    std::size_t flow_position_ = 0;
    InFlight table_;
    std::vector<std::int64_t> first_ns_;  ///< by place: when an interim acknowledgement came
    LivingOrders living_;
    std::uint64_t next_answer_ = 0;  ///< without ids: whose answer is next
    std::uint64_t newest_answered_ = 0;
    std::uint64_t skipped_ = 0;  ///< of the flow, since the last reply
    std::int64_t timeout_ns_;
    std::int64_t last_sent_ns_ = 0;
    std::int64_t last_received_ns_ = 0;
    std::size_t room_;
    SendBuffer buffer_;
    std::size_t sent_of_first_ = 0;  ///< bytes already taken of the first order not sent
    std::size_t session_bytes_ = 0;  ///< encoded after the last order
    std::vector<std::byte> partial_;
    std::size_t partial_size_ = 0;
    bool open_ = true;
    bool blocked_ = false;    ///< until the socket can be written again
    bool was_reset_ = false;  ///< as a send has learnt
    bool leaving_ = false;    ///< we have said goodbye
};

}  // namespace cluster
