// One level of load from this process.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "client/file_descriptor.h"
#include "client/interval.h"
#include "client/jitter_meter.h"
#include "client/load_config.h"
#include "client/progress.h"
#include "client/replay_feeder.h"
#include "client/tcp_stats.h"
#include "client/wire_codec.h"

namespace cluster {

/// Owns the worker threads, their connections, and the collector thread that takes their
/// finished intervals.
///
/// The order of calls is connect, start_at, then progress, take_intervals and stop as often as
/// liked, join, close. Calls out of order throw LoadError. Any thread may call, one at a time for
/// connect and start_at; join and close also while another call has not come back: one that took
/// too long for its caller is followed by close.
class LoadClient {
public:
    /// Throws LoadError when the config can't be carried out.
    explicit LoadClient(LoadConfig config);
    ~LoadClient();
    LoadClient(const LoadClient&) = delete;
    LoadClient& operator=(const LoadClient&) = delete;

    /// Opens all connections, logs on where the protocol asks for it, and makes the order flow.
    /// Returns how many are open. LoadError names the operation, the peer and the cause.
    std::uint32_t connect(std::int64_t timeout_ns);

    /// Starts the worker threads; the schedule's zero is `start_ns`. Returns once they run.
    void start_at(std::int64_t start_ns);

    /// Ends sending at `end_ns` of the clock, earlier than planned: what is due before is still
    /// sent, what is due from then on never was due. To be called 10 ms ahead at least: what may
    /// have been counted as due when a worker learns of it stays due. An end later than the planned
    /// one, or than one asked for before, changes nothing.
    void end_at(std::int64_t end_ns);

    /// Where the load is now. Renews the lease.
    Progress progress();

    /// The intervals completed since the last call; of one worker they rise. Seconds in which a
    /// worker had no order due are left out.
    std::vector<Interval> take_intervals();

    /// What the workers did in the seconds that are over since the last call; of one worker they
    /// rise.
    std::vector<Activity> take_activity();

    /// How late a sleeping thread woke, from the connecting on until sending ended or until now.
    Jitter jitter() const { return jitter_.measured(); }

    /// Why the kernel stamps none of a worker's sends and receives; empty: all workers have some.
    const std::string& kernel_times_refused() const noexcept { return kernel_times_refused_; }

    /// Why orders were rejected, by the engine's own reason; "" is what no longer had room in the
    /// list. Empty until every worker has ended.
    std::vector<std::pair<std::string, std::uint64_t>> reject_reasons() const;

    std::vector<pid_t> worker_thread_ids() const;

    /// When the last of the workers was ready for its first order, by the clock; 0: not all are.
    std::int64_t began_ns() const noexcept;

    TcpStats tcp_stats() const;

    /// Ends sending now: what is due and not sent stays unsent. Answers are awaited for the drain
    /// time. Returns at once.
    void stop();

    /// Waits until every worker has ended and every interval can be taken. False: not in time.
    bool join(std::int64_t timeout_ns);

    /// Ends everything at once: connections are closed, orders in flight are lost. Idempotent.
    void close();

    /// Takes the rows of a file; LoadError when the orders do not come from one.
    ReplayFeeder& replay();

    const LoadConfig& config() const noexcept { return config_; }

    /// A worker without its types: what LoadClient knows of it.
    class AnyWorker {
    public:
        virtual ~AnyWorker() = default;
        virtual void run() noexcept = 0;
    };

private:
    std::unique_ptr<AnyWorker> make_worker(std::uint32_t worker, std::int64_t start_ns);
    template <class Schedule>
    std::unique_ptr<AnyWorker> make_worker_with(Schedule schedule, std::uint32_t worker,
                                                std::int64_t start_ns);
    void run_worker(std::uint32_t worker) noexcept;
    void pin_workers();
    void end();
    void join_threads();
    void collect_until_finished();
    void renew_lease(std::int64_t now_ns);
    void ask_to_stop(StopRequest request);
    std::vector<int> descriptors() const;

    std::vector<WireCodec> make_codecs() const;
    bool begin_kernel_times(int fd);

    LoadConfig config_;
    std::unique_ptr<protocol::Plan> plan_;  ///< once made, only the feeder writes to it
    std::vector<FileDescriptor> sockets_;
    std::vector<WireCodec> codecs_;                 ///< by connection, until the start
    std::vector<std::vector<std::byte>> received_;  ///< with the logon's answers
    std::vector<std::vector<Intent>> flows_;
    std::string kernel_times_refused_;
    std::unique_ptr<ReplayFeeder> feeder_;
    std::vector<std::unique_ptr<WorkerShared>> shared_;
    std::vector<std::unique_ptr<AnyWorker>> workers_;
    std::vector<std::thread> threads_;
    std::thread collector_;
    JitterMeter jitter_;

    std::atomic<std::int64_t> start_ns_ = 0;
    std::atomic<std::int64_t> lease_from_ns_ = 0;
    std::atomic<bool> lease_expired_ = false;

    std::mutex life_;  ///< guards the start and the end of the threads

    mutable std::mutex mutex_;  ///< guards what follows
    std::condition_variable changed_;
    std::vector<Interval> intervals_;
    std::vector<Activity> activity_;
    bool all_collected_ = false;
};

}  // namespace cluster
