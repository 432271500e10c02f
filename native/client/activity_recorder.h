// Where a worker writes down what it does itself: when it sends, what is in flight, where it lags.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "client/activity.h"
#include "client/clock.h"
#include "client/over_time.h"

namespace cluster {

/// Keeps one set per second of the worker's clock and hands it over when the second is over.
///
/// Belongs to one worker; allocates nothing. When no set is free it goes on in the current one, at
/// that second's end, tries again every slot, and says so each time.
class ActivityRecorder {
public:
    ActivityRecorder(ActivityChannel& channel, std::int64_t start_ns, SampleSlice slice) noexcept
        : channel_(channel), start_ns_(start_ns), slice_(slice), last_ns_(start_ns) {
        begin(channel_.take_free(), start_ns);
    }

    /// It is `now_ns`, and since it was last told so many orders have been in flight. A time before
    /// the last changes nothing. Returns for how many slots no set was free.
    std::uint64_t reach(std::int64_t now_ns, std::uint64_t in_flight) noexcept {
        std::uint64_t overrun = 0;
        while (now_ns >= slot_end_ns_) [[unlikely]]
            overrun += end_slot(in_flight);
        weigh(now_ns, in_flight);
        return overrun;
    }

    /// So many orders were handed to the kernel at the time that was reached last.
    void sent(std::int64_t sent_ns, std::uint32_t orders) noexcept {
        const std::int64_t after_ns =
            std::clamp<std::int64_t>(sent_ns - begins_ns_, 0, kNsPerS - 1);
        set_->sent_per_ms[static_cast<std::uint32_t>(after_ns) / kNsInMs] += orders;
        const auto in_slice = static_cast<std::uint64_t>(sent_ns - sample_from_ns_);
        if (in_slice < static_cast<std::uint64_t>(slice_.width_ns)) [[unlikely]] {
            sample(static_cast<std::uint32_t>(sent_ns - begins_ns_), orders);
        }
    }

    /// From one pass to the next. False: beyond the histogram's range.
    bool poll_gap(std::int64_t gap_ns) noexcept { return set_->poll_gap.record(gap_ns); }

    /// By the kernel's time stamps; within the histogram's range.
    void kernel_send(std::int64_t duration_ns) noexcept { set_->kernel_send.record(duration_ns); }
    void kernel_receive(std::int64_t duration_ns) noexcept {
        set_->kernel_receive.record(duration_ns);
    }

    /// Hands over the last set. Ends the recorder's life.
    void finish() noexcept {
        channel_.hand_over(set_);
        set_ = nullptr;
    }

private:
    static constexpr std::uint32_t kNsInMs = kNsPerMs;

    void begin(ActivitySet* set, std::int64_t at_ns) noexcept {
        set_ = set;
        set_->index = (at_ns - start_ns_) / kNsPerS;
        begins_ns_ = start_ns_ + set_->index * kNsPerS;
        sample_from_ns_ = begins_ns_ + slice_.start_ns(set_->index);
        slot_ = slot_of(at_ns - begins_ns_);
        slot_end_ns_ = at_ns + kSlotNs;
    }

    void weigh(std::int64_t now_ns, std::uint64_t in_flight) noexcept {
        if (now_ns <= last_ns_) return;
        set_->in_flight_order_ns[slot_] +=
            in_flight * static_cast<std::uint64_t>(now_ns - last_ns_);
        last_ns_ = now_ns;
    }

    /// Returns 1 when the second is over and no set is free for the next.
    std::uint64_t end_slot(std::uint64_t in_flight) noexcept {
        const std::int64_t end_ns = slot_end_ns_;
        weigh(end_ns, in_flight);
        slot_end_ns_ = end_ns + kSlotNs;
        if (slot_ + 1 < kSlotsPerS) {
            ++slot_;
            return 0;
        }
        ActivitySet* fresh = channel_.take_free();
        if (fresh == nullptr) return 1;
        channel_.hand_over(set_);
        begin(fresh, end_ns);
        return 0;
    }

    void sample(std::uint32_t after_ns, std::uint32_t orders) noexcept {
        const std::size_t room = ActivitySet::kSampleMax - set_->sampled;
        const std::size_t kept = std::min<std::size_t>(orders, room);
        std::fill_n(set_->send_sample_ns.begin() + static_cast<std::ptrdiff_t>(set_->sampled), kept,
                    after_ns);
        set_->sampled += kept;
        set_->sample_cut = set_->sample_cut || kept < orders;
    }

    ActivityChannel& channel_;
    std::int64_t start_ns_;
    SampleSlice slice_;
    ActivitySet* set_ = nullptr;
    std::int64_t begins_ns_ = 0;       ///< the second of the set
    std::int64_t sample_from_ns_ = 0;  ///< the slice of that second
    std::size_t slot_ = 0;
    std::int64_t slot_end_ns_ = 0;
    std::int64_t last_ns_;
};

}  // namespace cluster
