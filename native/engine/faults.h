// Faults planted on purpose, so that people and tests can see whether a measurement finds them.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

namespace cluster::engine {

/// Which faults are on; 0 is off. The engine's --help says what each does.
struct FaultOptions {
    std::uint64_t busy_ns = 0;
    std::uint64_t sleep_us = 0;
    std::uint64_t lock_ns = 0;
    std::uint64_t syscalls_per_order = 0;
    std::uint64_t memory_kib = 0;
    std::uint64_t memory_steps = 100;
    std::uint64_t stall_every_ms = 0;
    std::uint64_t stall_at_ms = 0;
    std::uint64_t stall_ms = 0;
    std::uint64_t exit_after_orders = 0;
    std::uint64_t slow_reader_us = 0;
};

/// What a memory-bound engine waits for.
struct alignas(64) CacheLine {
    std::uint32_t next;
};

/// Commits the faults. One for all matching threads; every method may be called from any of them.
///
/// Each fault waits or works in a function of its own, `planted_…`, that a profile shows by name.
class Faults {
public:
    /// Stalls that return are counted from `start_ns`, so that all threads freeze together.
    Faults(const FaultOptions& options, std::int64_t start_ns, const std::atomic<bool>& stop);

    /// Before each request is matched.
    void before_order() {
        if (any_per_order_) [[unlikely]] {
            harm_order();
        }
    }

    /// Once per pass of a thread's loop.
    void before_pass() {
        if (options_.stall_ms != 0) [[unlikely]] {
            planted_stall();
        }
    }

    /// Before each read from a connection.
    void before_read() {
        if (options_.slow_reader_us != 0) [[unlikely]] {
            planted_slow_reader();
        }
    }

    /// After a batch of requests, before its replies go out.
    void after_batch() {
        if (options_.sleep_us != 0) [[unlikely]] {
            planted_sleep();
        }
    }

    bool reads_slowly() const noexcept { return options_.slow_reader_us != 0; }

private:
    void harm_order();
    void planted_busy_work();
    void planted_lock();
    void planted_syscalls();
    void planted_memory();
    void planted_sleep();
    void planted_stall();
    void planted_slow_reader();
    std::int64_t end_of_stall_ns(std::int64_t now_ns) const;
    void sleep_until(std::int64_t end_ns) const;

    const FaultOptions options_;
    const std::int64_t start_ns_;
    const std::atomic<bool>& stop_;
    const bool any_per_order_;
    std::atomic<std::uint64_t> orders_ = 0;
    std::atomic<std::int64_t> first_order_ns_ = 0;  ///< 0: none has come
    std::vector<CacheLine> memory_;                 ///< each tells where the next is
    std::mutex lock_;
};

}  // namespace cluster::engine
