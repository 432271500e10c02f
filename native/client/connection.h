// One connection of a worker: encodes, sends, receives, and tells the recorder.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "client/codec.h"
#include "client/kernel_times.h"
#include "client/network.h"
#include "client/order_desk.h"
#include "client/recorder.h"
#include "client/send_buffer.h"
#include "protocol/decoder.h"

namespace cluster {

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
    static constexpr bool kStamps = StampingSocket<Socket>;

    /// `flow` is repeated without end and must outlive the connection. `received` are bytes that
    /// came while the session was begun.
    Connection(Socket socket, Protocol codec, std::span<const Intent> flow,
               const ConnectionPlan& plan, std::span<const std::byte> received = {})
        : socket_(socket),
          codec_(std::move(codec)),
          flow_(flow),
          desk_(plan_of(codec_), codec_.manners(), plan),
          room_(codec_.room()),
          buffer_(std::clamp(plan.limit * room_, room_, std::max(room_, kBufferBytesMax))),
          partial_(std::max(codec_.longest_reply(), received.size())),
          partial_size_(received.size()),
          has_come_early_(!received.empty()) {
        std::copy(received.begin(), received.end(), partial_.begin());
        if (plan.is_stamped) kernel_.turn_on();
    }

    bool is_open() const noexcept { return open_; }
    bool can_take() noexcept { return has_room() && skip_moot(); }
    /// Whether it can take a request that does not come from the flow.
    bool has_room() const noexcept { return open_ && !desk_.is_full() && buffer_.has_room(room_); }
    /// Whether an engine may leave the next request unanswered: its order is known to be gone.
    bool is_moot(const Intent& intent) noexcept { return desk_.is_moot(intent); }
    /// Passes over a request, whose number is used up.
    void skip() noexcept { desk_.skip(); }
    /// Whether a send now may make progress.
    bool wants_to_send() const noexcept { return open_ && !blocked_ && !buffer_.empty(); }
    void set_writable() noexcept { blocked_ = false; }
    std::uint32_t waiting() const noexcept { return desk_.waiting(); }

    /// Encodes the flow's next request for an order of that intended time.
    void take(std::int64_t intended_ns, IntervalSet* set) noexcept {
        const Intent& intent = flow_[flow_position_];
        advance_flow();
        take(intent, intended_ns, set);
    }

    /// Encodes a request that does not come from the flow.
    void take(const Intent& intent, std::int64_t intended_ns, IntervalSet* set) noexcept {
        const std::uint64_t sequence = desk_.next();
        const std::size_t length =
            codec_.encode(intent, sequence, sequence - intent.target_back, buffer_.reserve(room_));
        buffer_.commit(length);
        desk_.take(intent, intended_ns, set, length + std::exchange(session_bytes_, 0));
    }

    /// One send() of all that is encoded.
    template <class Clock>
    void flush(Clock& clock, Recorder& recorder, TrafficCounts& traffic) noexcept {
        const std::int64_t sent_ns = clock.now_ns();
        const IoResult result = send(sent_ns);
        if (result.status == IoStatus::kOk) {
            traffic.bytes_sent += result.bytes;
            last_sent_ns_ = sent_ns;
            desk_.mark_sent(result.bytes, sent_ns, recorder);
            buffer_.consume(result.bytes);
            // The session's bytes are gone: they count with no order to come.
            if (buffer_.empty()) {
                desk_.all_is_sent();
                session_bytes_ = 0;
            }
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
        std::int64_t stamp_ns = 0;
        const IoResult result = recv(scratch.subspan(partial_size_), stamp_ns);
        const std::int64_t received_ns = clock.now_ns();
        if (result.status == IoStatus::kWouldBlock) {
            take_stamps(recorder);
            return false;
        }
        recorder.reach(received_ns);
        switch (result.status) {
            case IoStatus::kOk:
            case IoStatus::kWouldBlock: break;
            case IoStatus::kClosed:
                lose(was_reset_ ? ErrorKind::kReset : ErrorKind::kClosedByEngine, recorder);
                return false;
            case IoStatus::kReset: lose(ErrorKind::kReset, recorder); return false;
            case IoStatus::kFailed: lose(ErrorKind::kReceiveFailed, recorder); return false;
        }
        traffic.bytes_received += result.bytes;
        last_received_ns_ = received_ns;
        handle(scratch.first(partial_size_ + result.bytes), received_ns, recorder, traffic);
        if constexpr (kStamps) kernel_.received(stamp_ns, received_ns, recorder);
        take_stamps(recorder);
        // Not "was the buffer filled": after a hang-up the end of the stream is still to be read,
        // and no new event would tell of it.
        return open_;
    }

    /// Orders sent so long ago that their time is over have timed out.
    void expire(std::int64_t now_ns, Recorder& recorder) noexcept {
        desk_.expire(now_ns, recorder);
    }

    /// Sends a heartbeat when it is time for one; gives up an engine that is silent for too long.
    void keep_alive(std::int64_t now_ns, Recorder& recorder, TrafficCounts& traffic) noexcept {
        if constexpr (kHasSession) {
            if (std::exchange(has_come_early_, false)) {
                handle(std::span(partial_).first(partial_size_), now_ns, recorder, traffic);
            }
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
            desk_.leave();
            const std::uint16_t message = codec_.plan().session.logout;
            if (open_ && message != protocol::kNone) queue(message);
        }
    }

    /// Gives up waiting: sent orders have timed out, encoded ones were never sent.
    void abandon(Recorder& recorder) noexcept {
        if (partial_size_ > 0) recorder.error(ErrorKind::kCutMessage);
        desk_.settle_all(recorder, [&](IntervalSet& set) { recorder.timed_out(set); });
    }

    /// Ends the connection: sent orders are lost, encoded ones were never sent.
    void close(Recorder& recorder) noexcept {
        desk_.settle_all(recorder, [&](IntervalSet& set) { recorder.lost(set); });
        open_ = false;
        buffer_.clear();
        socket_.shut_down();
    }

private:
    static constexpr std::size_t kBufferBytesMax = 65'536;
    static constexpr std::size_t kSessionBytesMax = 32'768;  ///< between two orders

    static const protocol::Plan* plan_of(const Protocol& codec) noexcept {
        if constexpr (kHasSession) {
            return &codec.plan();
        } else {
            return nullptr;
        }
    }

    IoResult send(std::int64_t now_ns) noexcept {
        if constexpr (kStamps) {
            const bool stamped = kernel_.stamps_send(now_ns);
            const IoResult result =
                stamped ? socket_.send_stamped(buffer_.pending()) : socket_.send(buffer_.pending());
            if (result.status == IoStatus::kOk) kernel_.sent(result.bytes, now_ns, stamped);
            return result;
        } else {
            return socket_.send(buffer_.pending());
        }
    }

    IoResult recv(std::span<std::byte> bytes, std::int64_t& stamp_ns) noexcept {
        if constexpr (kStamps) {
            // The time of the last send is near enough: a turn comes 2 ms after the last.
            if (kernel_.stamps_receive(last_sent_ns_)) [[unlikely]]
                return socket_.recv_stamped(bytes, stamp_ns);
        }
        return socket_.recv(bytes);
    }

    /// Stamps come by the socket's error queue. Read once the replies have been dealt with.
    void take_stamps(Recorder& recorder) noexcept {
        if constexpr (kStamps) {
            if (!kernel_.awaits()) [[likely]]
                return;
            SendStamp stamp;
            while (socket_.take_stamp(stamp)) kernel_.handed_on(stamp, recorder);
        }
    }

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
            if (desk_.is_full()) return false;
        }
        return false;
    }

    void handle(std::span<const std::byte> bytes, std::int64_t received_ns, Recorder& recorder,
                TrafficCounts& traffic) noexcept {
        partial_size_ = 0;
        for (;;) {
            const protocol::Decoded decoded = codec_.decode(bytes);
            if (decoded.status == protocol::DecodeStatus::kReply) [[likely]] {
                reply(decoded.reply, received_ns, recorder, traffic);
                if (!open_) [[unlikely]]
                    return;
            } else if (decoded.status == protocol::DecodeStatus::kNeedMore) {
                break;
            } else if (decoded.status == protocol::DecodeStatus::kMalformed) {
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
        if (!desk_.goes_by_ids()) {
            desk_.hear(reply, desk_.next_to_answer(reply), received_ns, recorder, traffic);
        } else if (reply.has_id) [[likely]] {
            desk_.hear(reply, codec_.sequence_of(reply), received_ns, recorder, traffic);
        } else {
            recorder.error(ErrorKind::kUnknownId);
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
            if (reply.rule->answer != protocol::kNone && !desk_.is_leaving())
                queue(reply.rule->answer);
            if (reply.meaning == Meaning::kUnsolicited) ++traffic.unsolicited;
            if (reply.meaning == Meaning::kLoggedOut || reply.meaning == Meaning::kLogonRefused) {
                lose(ErrorKind::kLoggedOut, recorder);
            }
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

    void lose(ErrorKind why, Recorder& recorder) noexcept {
        if (!desk_.is_leaving()) {
            recorder.error(why);
            if (partial_size_ > 0) recorder.error(ErrorKind::kCutMessage);
        }
        partial_size_ = 0;
        close(recorder);
    }

    Socket socket_;
    Protocol codec_;
    std::span<const Intent> flow_;
    std::size_t flow_position_ = 0;
    OrderDesk<kClosedLoop> desk_;
    std::uint64_t skipped_ = 0;  ///< of the flow, since the last reply
    std::int64_t last_sent_ns_ = 0;
    std::int64_t last_received_ns_ = 0;
    std::size_t room_;
    SendBuffer buffer_;
    std::size_t session_bytes_ = 0;  ///< encoded after the last order
    std::vector<std::byte> partial_;
    std::size_t partial_size_;
    bool has_come_early_;  ///< with the logon's answer, and was not looked at yet
    KernelTimes<> kernel_;
    bool open_ = true;
    bool blocked_ = false;    ///< until the socket can be written again
    bool was_reset_ = false;  ///< as a send has learnt
};

}  // namespace cluster
