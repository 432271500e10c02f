// When the orders of a file are due.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>

#include "client/load_config.h"

namespace cluster {

/// Due times in the order of the file, in ns after the start.
///
/// Recorded times count from the file's first order and are divided by the speed. At a rate of
/// one's own the law is that of *all* agents together: each computes the whole schedule and sends
/// its orders of it, so the file's order holds across connections, workers and agents.
class ReplayTimes {
public:
    explicit ReplayTimes(const LoadConfig& config);

    /// When the next order is due, which was recorded at that time.
    std::int64_t next(std::int64_t time_ns) {
        if (!began_) {
            began_ = true;
            pass_from_ns_ = time_ns;
        }
        last_ns_ = std::max(last_ns_, time_ns - pass_from_ns_);
        ++orders_;
        return due_ns_(passed_ns_ + last_ns_);
    }

    /// The file is at its end. A pass lasts until one mean gap after its last order; the next pass
    /// begins there.
    void end_pass() noexcept {
        passed_ns_ += pass_length_ns();
        began_ = false;
        last_ns_ = 0;
        orders_ = 0;
    }

    /// When the first order of another pass would be due.
    std::int64_t end_ns() { return due_ns_(passed_ns_ + (began_ ? pass_length_ns() : 0)); }

private:
    std::int64_t pass_length_ns() const noexcept {
        const std::int64_t gap_ns = orders_ > 1 ? last_ns_ / (orders_ - 1) : 0;
        return last_ns_ > 0 ? last_ns_ + gap_ns : kNsPerS;
    }

    std::function<std::int64_t(std::int64_t recorded_ns)> due_ns_;
    std::int64_t passed_ns_ = 0;  ///< by the passes before
    std::int64_t pass_from_ns_ = 0;
    std::int64_t last_ns_ = 0;
    std::int64_t orders_ = 0;
    bool began_ = false;
};

}  // namespace cluster
