// Ends a wait for sockets at a time that epoll's whole milliseconds cannot tell.
#pragma once

#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

#include "client/clock.h"
#include "client/file_descriptor.h"

namespace cluster::engine {

/// A descriptor that becomes readable when its time has come.
class WakeTimer {
public:
    /// Throws std::system_error.
    WakeTimer() : timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
        if (timer_.get() < 0) {
            throw std::system_error(errno, std::generic_category(), "timerfd_create");
        }
    }

    int descriptor() const noexcept { return timer_.get(); }

    /// Instead of any time set before. A time that has passed has come.
    void set(std::int64_t at_ns) noexcept {
        if (at_ns != at_ns_) {
            at_ns_ = at_ns;
            const itimerspec once{{}, {at_ns / kNsPerS, at_ns % kNsPerS}};
            ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &once, nullptr);
        }
    }

    /// Unreadable until the next time.
    void clear() noexcept {
        std::uint64_t count = 0;
        [[maybe_unused]] const ssize_t taken = ::read(timer_.get(), &count, sizeof count);
    }

private:
    FileDescriptor timer_;
    std::int64_t at_ns_ = 0;
};

}  // namespace cluster::engine
