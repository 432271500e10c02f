// What the kernel's time stamps of a sample of one connection's orders say.
#pragma once

#include <cstddef>
#include <cstdint>

#include "client/network.h"
#include "client/realtime_offset.h"
#include "client/recorder.h"

namespace cluster {

/// Chooses which sends and receives of a connection are stamped, and records what comes of it.
///
/// Of a send the time from handing it to the kernel until the kernel hands its last byte to the
/// device; of a receive from the arrival of the last byte that it read. A recv() that brings
/// several replies has one stamp, the newest reply's, and is one value. At most one send in some
/// 128 is stamped and one in 2 ms, so that what stamping costs its order is in no percentile below
/// p99.
template <class Clocks = HostClocks>
class KernelTimes {
public:
    /// The connection's socket stamps what it is asked to, and all it has sent so far has been
    /// acknowledged.
    void turn_on() noexcept { is_on_ = true; }

    /// Whether the send at that time is to be stamped.
    bool stamps_send(std::int64_t now_ns) noexcept {
        return is_on_ && !awaits_stamp(now_ns) && send_turn_.is_due(now_ns);
    }
    /// So many bytes went out.
    void sent(std::size_t bytes, std::int64_t sent_ns, bool stamped) noexcept {
        if (!is_on_) return;
        bytes_sent_ += static_cast<std::uint32_t>(bytes);
        send_turn_.pass();
        if (!stamped) return;
        send_turn_.begin(sent_ns);
        awaited_byte_ = bytes_sent_ - 1;
        awaited_since_ns_ = sent_ns;
        awaits_ = true;
    }
    /// Whether a stamp may be there to be read.
    bool awaits() const noexcept { return awaits_; }
    /// The kernel told when it handed a byte to the device.
    void handed_on(const SendStamp& stamp, Recorder& recorder) noexcept {
        // Of a send that was given up, or once more of one that was sent again.
        if (!awaits_ || stamp.last_byte != awaited_byte_) return;
        awaits_ = false;
        const auto offset_ns = offset_.read();
        if (!offset_ns) return recorder.error(ErrorKind::kKernelTime);
        const std::int64_t at_ns = stamp.realtime_ns - *offset_ns;
        if (at_ns < awaited_since_ns_ || at_ns > offset_.clocks().now_ns()) {
            return recorder.error(ErrorKind::kKernelTime);
        }
        recorder.kernel_send(at_ns - awaited_since_ns_);
    }

    /// Whether the recv at that time is to ask for its stamp.
    bool stamps_receive(std::int64_t now_ns) noexcept {
        return is_on_ && receive_turn_.is_due(now_ns);
    }
    /// A recv brought bytes. `realtime_ns`: when the last of them came; 0: it was not asked for, or
    /// is not known.
    void received(std::int64_t realtime_ns, std::int64_t received_ns, Recorder& recorder) noexcept {
        if (!is_on_) return;
        receive_turn_.pass();
        if (realtime_ns == 0) return;
        receive_turn_.begin(received_ns);
        const auto offset_ns = offset_.read();
        if (!offset_ns) return recorder.error(ErrorKind::kKernelTime);
        const std::int64_t waited_ns = received_ns - (realtime_ns - *offset_ns);
        if (waited_ns < 0 || waited_ns > kAbsurdNs) return recorder.error(ErrorKind::kKernelTime);
        recorder.kernel_receive(waited_ns);
    }

private:
    static constexpr std::int64_t kGivenUpNs = kNsPerS;
    static constexpr std::int64_t kAbsurdNs = 60 * kNsPerS;

    /// When it is time for another sample.
    class Turn {
    public:
        bool is_due(std::int64_t now_ns) const noexcept { return left_ == 0 && now_ns >= next_ns_; }
        void pass() noexcept { left_ -= left_ > 0; }
        /// A sample was taken. The gaps differ, so that nothing periodic hides.
        void begin(std::int64_t now_ns) noexcept {
            constexpr std::uint32_t kStride = 2'654'435'769;  // the golden ratio's fraction
            spread_ += kStride;
            left_ = kFewest + (spread_ >> (32 - kSpreadBits));
            next_ns_ = now_ns + kShortestNs;
        }

    private:
        static constexpr std::uint32_t kFewest = 64;
        static constexpr unsigned kSpreadBits = 7;
        static constexpr std::int64_t kShortestNs = 2 * kNsPerMs;

        std::uint32_t left_ = 0;
        std::uint32_t spread_ = 0;
        std::int64_t next_ns_ = 0;
    };

    /// One send at a time waits for its stamp; a device that gives none is given up.
    bool awaits_stamp(std::int64_t now_ns) noexcept {
        if (awaits_ && now_ns - awaited_since_ns_ > kGivenUpNs) awaits_ = false;
        return awaits_;
    }

    bool is_on_ = false;
    bool awaits_ = false;
    std::uint32_t bytes_sent_ = 0;
    std::uint32_t awaited_byte_ = 0;
    std::int64_t awaited_since_ns_ = 0;
    Turn send_turn_;
    Turn receive_turn_;
    RealtimeOffset<Clocks> offset_;
};

}  // namespace cluster
