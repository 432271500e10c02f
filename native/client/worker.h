// One thread of load: its schedule, its connections, its books.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

#include "client/arrivals.h"
#include "client/connection_set.h"
#include "client/progress.h"
#include "client/replay_schedule.h"

namespace cluster {

/// When and how one worker loads.
struct WorkerPlan {
    std::int64_t start_ns = 0;     ///< the schedule's zero
    std::int64_t duration_ns = 0;  ///< orders are due in [start, start + duration)
    std::int64_t drain_ns = 0;     ///< at most so long the backlog and answers are waited for
    bool spin = false;             ///< never sleep
    std::int64_t goodbye_ns = 0;   ///< at most so long sessions are waited for to end
    SampleSlice sample = {};       ///< of send times
};

/// Drives its connections from one thread.
///
/// The clock, the network, the protocol and the schedule are template parameters, so that tests
/// run hours of load in virtual time and the loop still inlines. Nothing here allocates, locks,
/// logs or throws once `run` has begun. Other threads use only `WorkerShared`.
///
/// Orders that are due but can't go out yet need no memory: the schedule is simply not advanced
/// past them, so each keeps its intended time. A second copy of the schedule counts what is due.
template <class Clock, Network Net, Codec Protocol, class Schedule>
class Worker {
public:
    static constexpr bool kClosedLoop = Schedule::kClosedLoop;
    /// Orders come with their schedule, and each belongs to one connection.
    static constexpr bool kReplays = requires { Schedule::kReplays; };
    using Connections = ConnectionSet<Net, Protocol, kClosedLoop>;

    Worker(Clock clock, Connections connections, Schedule schedule, const WorkerPlan& plan,
           WorkerShared& shared)
        : clock_(clock),
          connections_(std::move(connections)),
          schedule_(schedule),
          due_schedule_(schedule),
          plan_(plan),
          shared_(shared),
          recorder_(shared.intervals, shared.activity, plan.start_ns, plan.sample),
          ends_ns_(plan.start_ns + plan.duration_ns) {
        publish(plan.start_ns - 1);
    }

    /// Carries out the level, from before `start_ns` until every order has met its fate.
    void run() noexcept {
        wait_for_start();
        pass_began_ns_ = clock_.now_ns();
        if (pass_began_ns_ >= plan_.start_ns) {
            shared_.began_ns.store(pass_began_ns_, std::memory_order_relaxed);
        }
        while (!is_over(clock_.now_ns())) pass();
        settle();
    }

private:
    static constexpr int kBatch = 512;  ///< orders encoded before they are sent
    static constexpr std::int64_t kAtOnce = std::numeric_limits<std::int64_t>::min();
    static constexpr std::int64_t kLongestSleepNs = 5 * kNsPerMs;  ///< a stop is seen by then
    static constexpr std::int64_t kPublishEveryNs = 100'000;
    /// The last part of the wait for the start is spun through: a sleep ends when the kernel gets
    /// round to it, and all agents are to start at one moment. A worker that spins has a CPU of its
    /// own for longer.
    static constexpr std::int64_t kSpinToStartNs = 200'000;
    static constexpr std::int64_t kStarvedSleepNs = 50'000;  ///< then the ring is looked at again

    void pass() noexcept {
        const std::int64_t now_ns = clock_.now_ns();
        note_pass(now_ns);
        // Behind schedule, everything overdue goes out now. Each order keeps its own intended
        // time, so the delay is measured instead of forgotten.
        for (int taken = 0; taken < kBatch && is_due(now_ns) && find_room(); ++taken) {
            take(now_ns);
        }
        connections_.send(clock_, recorder_);
        poll(now_ns);
        connections_.receive(clock_, recorder_);
        connections_.tend(now_ns, recorder_);
        recorder_.pass(next_ns(now_ns));
        if (now_ns - published_ns_ >= kPublishEveryNs) publish(now_ns);
    }

    /// What lies between two passes beyond the sleep that was meant: work, and being kept off the
    /// CPU. An order that came due in it was late.
    void note_pass(std::int64_t now_ns) noexcept {
        recorder_.reach(now_ns);
        recorder_.poll_gap(now_ns - pass_began_ns_ - slept_ns_);
        pass_began_ns_ = now_ns;
    }

    /// Waits for events, and keeps how long it slept of what it meant to.
    void poll(std::int64_t pass_began_ns) noexcept {
        slept_ns_ = 0;
        const std::int64_t until_ns = wakes_ns(pass_began_ns);
        const std::int64_t from_ns = until_ns == kAtOnce ? until_ns : clock_.now_ns();
        if (until_ns <= from_ns) return connections_.poll(0);
        connections_.poll(until_ns - from_ns);
        slept_ns_ = std::min(clock_.now_ns(), until_ns) - from_ns;
    }

    bool is_due(std::int64_t now_ns) noexcept {
        if constexpr (kReplays) {
            if (!schedule_.has_order(now_ns)) return false;
        }
        return !stopped_ && next_ns(now_ns) <= now_ns && next_ns(now_ns) < ends_ns_;
    }

    /// When the next order is due. Closed-loop: now, if there is room.
    std::int64_t next_ns(std::int64_t now_ns) const noexcept {
        if constexpr (kClosedLoop) {
            return now_ns;
        } else if constexpr (kReplays) {
            return std::min(schedule_.due_ns(), ends_ns_);
        } else {
            return schedule_.due_ns();
        }
    }

    /// Whether an order that was due before the end may still go out.
    bool has_backlog(std::int64_t now_ns) noexcept {
        if constexpr (kReplays && !kClosedLoop) {
            if (!stopped_ && schedule_.fed_ns() < ends_ns_) return true;
        }
        return is_due(now_ns);
    }

    /// Whether the next order can be taken: over any connection, or over the one it belongs to.
    bool find_room() noexcept {
        if constexpr (kReplays) {
            const std::uint32_t connection = schedule_.next()->connection;
            // What belongs to a lost connection is taken, to be counted as unsent.
            return !connections_.is_open(connection) || connections_.has_room_on(connection);
        } else {
            return connections_.find_room();
        }
    }

    void take(std::int64_t now_ns) noexcept {
        if constexpr (kReplays) {
            take_replayed(now_ns);
        } else if constexpr (kClosedLoop) {
            connections_.take(now_ns, nullptr);
        } else {
            const std::int64_t intended_ns = schedule_.due_ns();
            connections_.take(intended_ns, recorder_.intend(intended_ns));
            schedule_.advance();
        }
    }

    void take_replayed(std::int64_t now_ns) noexcept {
        const auto [order, starved] = schedule_.take();
        if (starved) [[unlikely]]
            recorder_.error(ErrorKind::kReplayStarved);
        const std::int64_t intended_ns = kClosedLoop ? now_ns : schedule_.due_ns_of(order);
        if (connections_.is_open(order.connection) &&
            connections_.skip_moot_on(order.connection, order.intent)) {
            return schedule_.forget_taken();
        }
        if (!connections_.is_open(order.connection)) [[unlikely]] {
            recorder_.unsent(*recorder_.intend(intended_ns));
            return;
        }
        connections_.take_on(order.connection, order.intent, intended_ns,
                             kClosedLoop ? nullptr : recorder_.intend(intended_ns));
    }

    /// Until when the poller may sleep: then something must be done that no event tells of.
    std::int64_t wakes_ns(std::int64_t pass_began_ns) noexcept {
        if (plan_.spin || connections_.is_busy()) return kAtOnce;
        std::int64_t until_ns = std::min(pass_began_ns + kLongestSleepNs, over_ns());
        if (is_due(pass_began_ns)) {
            // An overdue order waits for room, and events tell of that; unless there is room and
            // only the batch was full.
            if (find_room()) return kAtOnce;
        } else if (next_ns(pass_began_ns) < ends_ns_ && !stopped_) {
            until_ns = std::min(until_ns, next_look_ns(pass_began_ns));
        }
        return until_ns;
    }

    /// When the next order must be looked for.
    std::int64_t next_look_ns(std::int64_t pass_began_ns) noexcept {
        const std::int64_t next = next_ns(pass_began_ns);
        if constexpr (kReplays) {
            if (schedule_.next() == nullptr) return std::max(next, pass_began_ns + kStarvedSleepNs);
        }
        return next;
    }

    std::int64_t over_ns() const noexcept { return ends_ns_ + plan_.drain_ns; }

    /// An end that was moved ahead. Whatever may have been counted as due by now stays due: asked
    /// for too late, the end is now.
    void heed_end(std::int64_t now_ns) noexcept {
        const std::int64_t asked_ns = shared_.ends_ns.load(std::memory_order_relaxed);
        if (asked_ns < ends_ns_) [[unlikely]]
            ends_ns_ = std::min(ends_ns_, std::max(asked_ns, now_ns + 1));
    }

    bool is_over(std::int64_t now_ns) noexcept {
        heed_end(now_ns);
        const StopRequest request = shared_.stop.load(std::memory_order_relaxed);
        if (request != StopRequest::kNone) [[unlikely]] {
            stop_sending(now_ns);
            if (request == StopRequest::kAbort) {
                connections_.close(recorder_);
            }
        }
        if (connections_.open() == 0) [[unlikely]] {
            stop_sending(now_ns);
            return true;
        }
        if (now_ns < ends_ns_) {
            if constexpr (kReplays) {
                return schedule_.is_exhausted() && connections_.unanswered() == 0;
            }
            return false;
        }
        return now_ns >= over_ns() || (connections_.unanswered() == 0 && !has_backlog(now_ns));
    }

    /// From now on nothing is due. Orders already encoded still go out.
    void stop_sending(std::int64_t now_ns) noexcept {
        if (stopped_) return;
        stopped_ = true;
        // What was due at this very ns may have been counted as due.
        ends_ns_ = std::min(ends_ns_, now_ns + 1);
    }

    void wait_for_start() noexcept {
        for (std::int64_t now_ns = clock_.now_ns(); now_ns < plan_.start_ns;
             now_ns = clock_.now_ns()) {
            if (shared_.stop.load(std::memory_order_relaxed) != StopRequest::kNone) return;
            const std::int64_t spin_ns = plan_.spin ? kNsPerMs : kSpinToStartNs;
            const std::int64_t sleep_ns = plan_.start_ns - now_ns - spin_ns;
            connections_.poll(std::clamp<std::int64_t>(sleep_ns, 0, kLongestSleepNs));
            keep_sessions(now_ns);
        }
    }

    /// Sessions are alive from the logon on, not only while there is load.
    void keep_sessions(std::int64_t now_ns) noexcept {
        if constexpr (Connections::Member::kHasSession) {
            connections_.receive(clock_, recorder_);
            connections_.tend(now_ns, recorder_);
            connections_.send(clock_, recorder_);
        }
    }

    /// Lets the sessions end in order; an engine that takes too long over it is left.
    void log_out() noexcept {
        if (plan_.goodbye_ns == 0 || connections_.open() == 0) return;
        left_open_ = connections_.open();
        connections_.log_out();
        const std::int64_t until_ns = clock_.now_ns() + plan_.goodbye_ns;
        for (std::int64_t now_ns = clock_.now_ns(); now_ns < until_ns && connections_.open() > 0;
             now_ns = clock_.now_ns()) {
            if (shared_.stop.load(std::memory_order_relaxed) == StopRequest::kAbort) return;
            connections_.send(clock_, recorder_);
            connections_.poll(std::min(until_ns - now_ns, kLongestSleepNs));
            connections_.receive(clock_, recorder_);
        }
    }

    /// Gives every order its fate and hands over the last interval.
    void settle() noexcept {
        connections_.abandon(recorder_);
        if constexpr (kReplays) {
            forgo_replayed();
        } else if constexpr (!kClosedLoop) {
            for (; schedule_.due_ns() < ends_ns_; schedule_.advance()) {
                await_set_for(schedule_.due_ns());
                recorder_.unsent(*recorder_.intend(schedule_.due_ns()));
            }
        }
        log_out();
        recorder_.finish();
        publish(ends_ns_);
        shared_.reasons = recorder_.reasons();
        shared_.finished.store(true, std::memory_order_release);
    }

    /// What was due stays unsent, also what the feeder found no room for until now.
    void forgo_replayed() noexcept {
        const std::int64_t deadline_ns = clock_.now_ns() + kNsPerS;
        while (!kClosedLoop) {
            const std::int64_t fed_ns = schedule_.fed_ns();
            if (const ReplayOrder* order = schedule_.next()) {
                const std::int64_t due_ns = schedule_.due_ns_of(*order);
                if (due_ns >= ends_ns_) break;
                await_set_for(due_ns);
                recorder_.unsent(*recorder_.intend(due_ns));
                schedule_.take();
            } else if (fed_ns >= ends_ns_) {
                break;
            } else if (clock_.now_ns() < deadline_ns) {
                connections_.poll(kNsPerMs);
            } else {
                recorder_.error(ErrorKind::kReplayStarved);
                break;
            }
        }
        schedule_.abandon();
    }

    /// A long backlog fills sets faster than the collector empties them; nothing hurries now.
    void await_set_for(std::int64_t intended_ns) noexcept {
        for (; !recorder_.has_set_for(intended_ns) && patience_ms_ > 0; --patience_ms_) {
            recorder_.pass(intended_ns);
            connections_.poll(kNsPerMs);
        }
    }

    void publish(std::int64_t now_ns) noexcept {
        published_ns_ = now_ns;
        Progress progress;
        progress.books = recorder_.totals();
        if constexpr (!kClosedLoop) {
            progress.books.intended = count_due(now_ns);
            progress.backlog =
                progress.books.intended - progress.books.sent - progress.books.unsent;
        }
        // A connection that ended with our goodbye was not lost.
        progress.connections_open = std::max(connections_.open(), left_open_);
        progress.bytes_sent = connections_.traffic().bytes_sent;
        progress.bytes_received = connections_.traffic().bytes_received;
        progress.executions = connections_.traffic().executions;
        progress.remainders = connections_.traffic().remainders;
        progress.unsolicited = connections_.traffic().unsolicited;
        progress.out_of_order = connections_.traffic().out_of_order;
        progress.skipped = connections_.traffic().skipped;
        progress.errors = recorder_.errors();
        shared_.progress.publish(progress);
    }

    /// Orders due by `now_ns`, by the schedule alone.
    std::uint64_t count_due(std::int64_t now_ns) noexcept {
        if constexpr (kReplays) {
            return schedule_.count_due(now_ns, ends_ns_);
        } else {
            if (due_schedule_.due_ns() < schedule_.due_ns()) {
                due_schedule_ = schedule_;
                due_ = recorder_.totals().intended;
            }
            for (; due_schedule_.due_ns() <= now_ns && due_schedule_.due_ns() < ends_ns_;
                 due_schedule_.advance()) {
                ++due_;
            }
            return due_;
        }
    }

    Clock clock_;
    Connections connections_;
    Schedule schedule_;
    Schedule due_schedule_;  ///< the same schedule, advanced by time alone
    std::uint64_t due_ = 0;
    WorkerPlan plan_;
    WorkerShared& shared_;
    Recorder recorder_;

    std::int64_t ends_ns_;  ///< orders are due before this time
    std::int64_t pass_began_ns_ = 0;
    std::int64_t slept_ns_ = 0;  ///< since then, of what was meant
    std::size_t left_open_ = 0;  ///< when we said goodbye
    bool stopped_ = false;       ///< sending has ended early: the backlog stays unsent
    std::int64_t published_ns_ = 0;
    int patience_ms_ = 1'000;
};

}  // namespace cluster
