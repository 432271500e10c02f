// One connection of a worker: encodes, sends, receives, and tells the recorder.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>

#include "client/codec.h"
#include "client/in_flight.h"
#include "client/network.h"
#include "client/recorder.h"
#include "client/send_buffer.h"

namespace cluster {

/// What a worker counts besides the books.
struct TrafficCounts {
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_received = 0;
    std::uint64_t executions = 0;  ///< follow-ups to answered orders
    std::uint64_t remainders = 0;  ///< follow-ups: unfilled rests that were cancelled
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
public:
    /// `flow` is repeated without end and must outlive the connection. At most `limit` orders
    /// wait for their answers at once.
    Connection(Socket socket, std::span<const Intent> flow, std::uint32_t limit,
               std::int64_t timeout_ns)
        : socket_(socket),
          flow_(flow),
          table_(limit),
          timeout_ns_(timeout_ns),
          buffer_(std::clamp(limit * Protocol::kLongestRequest, Protocol::kLongestRequest,
                             kBufferBytesMax)) {}

    bool is_open() const noexcept { return open_; }
    bool can_take() const noexcept {
        return open_ && !table_.full() && buffer_.has_room(Protocol::kLongestRequest);
    }
    /// Whether a send now may make progress.
    bool wants_to_send() const noexcept { return open_ && !blocked_ && !buffer_.empty(); }
    void set_writable() noexcept { blocked_ = false; }
    std::uint32_t waiting() const noexcept { return table_.waiting(); }

    /// Encodes the flow's next request for an order of that intended time.
    void take(std::int64_t intended_ns, IntervalSet* set) noexcept {
        const Intent& intent = flow_[flow_position_];
        if (++flow_position_ == flow_.size()) flow_position_ = 0;
        const std::uint64_t id = id_of(table_.next());
        const std::size_t length = Protocol::encode(intent, id, id - intent.target_back,
                                                    buffer_.reserve(Protocol::kLongestRequest));
        buffer_.commit(length);
        table_.add(intended_ns, set, length);
    }

    /// One send() of all that is encoded.
    template <class Clock>
    void flush(Clock& clock, Recorder& recorder, TrafficCounts& traffic) noexcept {
        const std::int64_t sent_ns = clock.now_ns();
        const IoResult result = socket_.send(buffer_.pending());
        if (result.status == IoStatus::kOk) {
            traffic.bytes_sent += result.bytes;
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

    /// Gives up waiting: sent orders have timed out, encoded ones were never sent.
    void abandon(Recorder& recorder) noexcept {
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

    // Ids start at 1: 0 is what an engine that fills in nothing would send.
    static std::uint64_t id_of(std::uint64_t sequence) noexcept { return sequence + 1; }
    static std::uint64_t sequence_of(std::uint64_t id) noexcept { return id - 1; }

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
            const Decoded decoded = Protocol::decode(bytes);
            if (decoded.status == DecodeStatus::kNeedMore) break;
            if (decoded.status == DecodeStatus::kMalformed) [[unlikely]] {
                return lose(ErrorKind::kProtocolError, recorder);
            }
            reply(decoded.reply, received_ns, recorder, traffic);
            bytes = bytes.subspan(decoded.length);
        }
        if (bytes.size() > partial_.size()) [[unlikely]] {
            return lose(ErrorKind::kProtocolError, recorder);
        }
        std::copy_n(bytes.begin(), bytes.size(), partial_.begin());
        partial_size_ = bytes.size();
    }

    void reply(const Reply& reply, std::int64_t received_ns, Recorder& recorder,
               TrafficCounts& traffic) noexcept {
        const std::uint64_t sequence = sequence_of(reply.id);
        if (sequence >= table_.sent_end()) [[unlikely]] {
            return recorder.error(ErrorKind::kUnknownId);
        }
        if (reply.kind == ReplyKind::kExecution || reply.kind == ReplyKind::kRemainder) {
            ++(reply.kind == ReplyKind::kExecution ? traffic.executions : traffic.remainders);
            return;
        }
        if (!table_.is_waiting(sequence)) [[unlikely]] {
            return recorder.error(table_.is_late(sequence) ? ErrorKind::kLateReply
                                                           : ErrorKind::kDuplicateReply);
        }
        answer(reply, sequence, received_ns, recorder);
    }

    void answer(const Reply& reply, std::uint64_t sequence, std::int64_t received_ns,
                Recorder& recorder) noexcept {
        OrderSlot& slot = table_.slot(sequence);
        const std::int64_t service_ns = received_ns - slot.sent_ns;
        if (service_ns >= timeout_ns_) [[unlikely]] {
            // It arrived between its deadline and the next scan: a time-out does not depend on
            // when we look.
            time_out(slot, recorder);
            return recorder.error(table_.is_late(sequence) ? ErrorKind::kLateReply
                                                           : ErrorKind::kDuplicateReply);
        }
        recorder.answered(*slot.set, reply.kind == ReplyKind::kAccepted,
                          received_ns - slot.intended_ns, service_ns);
        recorder.engine_time(*slot.set, reply.engine_received_ns, reply.engine_replied_ns);
        table_.settle(slot, OrderState::kAnswered);
    }

    void time_out(OrderSlot& slot, Recorder& recorder) noexcept {
        recorder.timed_out(*slot.set);
        table_.settle(slot, OrderState::kTimedOut);
    }

    void lose(ErrorKind why, Recorder& recorder) noexcept {
        recorder.error(why);
        close(recorder);
    }

    template <class Fate>
    void settle_all(Recorder& recorder, Fate fate_of_sent) noexcept {
        for (std::uint64_t i = table_.oldest(); i != table_.sent_end(); ++i) {
            if (table_.is_waiting(i)) fate_of_sent(*table_.slot(i).set);
        }
        if constexpr (!kClosedLoop) {
            for (std::uint64_t i = table_.sent_end(); i != table_.next(); ++i) {
                recorder.unsent(*table_.slot(i).set);
            }
        }
        table_.clear();
    }

    Socket socket_;
    std::span<const Intent> flow_;
    std::size_t flow_position_ = 0;
    InFlight table_;
    std::int64_t timeout_ns_;
    SendBuffer buffer_;
    std::size_t sent_of_first_ = 0;  ///< bytes already taken of the first order not sent
    std::array<std::byte, Protocol::kLongestReply> partial_{};
    std::size_t partial_size_ = 0;
    bool open_ = true;
    bool blocked_ = false;    ///< until the socket can be written again
    bool was_reset_ = false;  ///< as a send has learnt
};

}  // namespace cluster
