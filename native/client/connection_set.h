// A worker's connections together: whose turn it is, who has bytes to send, who can be read.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "client/connection.h"

namespace cluster {

/// Deals orders out round robin and moves bytes, touching only connections with something to do.
///
/// Allocates nothing after construction.
template <Network Net, Codec Protocol, bool kClosedLoop>
class ConnectionSet {
public:
    using Member = Connection<typename Net::Socket, Protocol, kClosedLoop>;

    /// At most `in_flight` orders of all connections together wait for their answers.
    ConnectionSet(typename Net::Poller poller, std::vector<Member> connections,
                  std::uint32_t in_flight)
        : poller_(std::move(poller)),
          connections_(std::move(connections)),
          in_flight_(in_flight),
          scratch_(kScratchBytes),
          is_readable_(connections_.size(), false),
          is_sending_(connections_.size(), false) {
        for (std::uint32_t i = 0; i < connections_.size(); ++i) open_.push_back(i);
        readable_.reserve(connections_.size());
        sending_.reserve(connections_.size());
        scan_step_ns_ = kScanRoundNs / std::max<std::int64_t>(1, std::ssize(connections_)) + 1;
    }

    std::size_t open() const noexcept { return open_.size(); }
    /// Orders taken that have not met their fate.
    std::uint64_t unanswered() const noexcept { return unanswered_; }
    const TrafficCounts& traffic() const noexcept { return traffic_; }
    /// Whether bytes can be moved at once, without waiting for an event.
    bool is_busy() const noexcept { return !sending_.empty() || !readable_.empty(); }

    /// Whether some connection can take an order; it is then its turn.
    bool find_room() noexcept {
        if (unanswered_ >= in_flight_) return false;
        for (std::size_t tried = 0; tried < open_.size(); ++tried, ++turn_) {
            if (turn_ >= open_.size()) turn_ = 0;
            if (connections_[open_[turn_]].can_take()) return true;
        }
        return false;
    }

    /// Gives an order to the connection that `find_room` found.
    void take(std::int64_t intended_ns, IntervalSet* set) noexcept {
        const std::uint32_t index = open_[turn_++];
        connections_[index].take(intended_ns, set);
        ++unanswered_;
        list(index, sending_, is_sending_);
    }

    bool is_open(std::uint32_t index) const noexcept { return connections_[index].is_open(); }

    /// Whether this connection can take an order.
    bool has_room_on(std::uint32_t index) const noexcept {
        return unanswered_ < in_flight_ && connections_[index].has_room();
    }

    /// Passes over a request for an order that is known to be gone. False: it must be sent.
    bool skip_moot_on(std::uint32_t index, const Intent& intent) noexcept {
        if (!connections_[index].is_moot(intent)) return false;
        connections_[index].skip();
        ++traffic_.skipped;
        return true;
    }

    /// Gives a request that belongs to one connection to it; it must have room.
    void take_on(std::uint32_t index, const Intent& intent, std::int64_t intended_ns,
                 IntervalSet* set) noexcept {
        connections_[index].take(intent, intended_ns, set);
        ++unanswered_;
        list(index, sending_, is_sending_);
    }

    /// One send() for each connection with something to send.
    template <class Clock>
    void send(Clock& clock, Recorder& recorder) noexcept {
        sweep(sending_, is_sending_, [&](Member& connection, std::uint32_t) {
            if (connection.wants_to_send()) connection.flush(clock, recorder, traffic_);
            // What a short send has left is tried again in the next pass.
            return connection.wants_to_send();
        });
    }

    /// Learns what happened, waiting for it up to `wait_ns`.
    void poll(std::int64_t wait_ns) noexcept {
        for (const Ready& ready : poller_.wait(wait_ns)) {
            Member& connection = connections_[ready.connection];
            if (!connection.is_open()) continue;
            if (ready.readable) list(ready.connection, readable_, is_readable_);
            if (ready.writable) {
                connection.set_writable();
                if (connection.wants_to_send()) list(ready.connection, sending_, is_sending_);
            }
        }
    }

    /// One recv() for each readable connection, so that none keeps the schedule waiting.
    template <class Clock>
    void receive(Clock& clock, Recorder& recorder) noexcept {
        sweep(readable_, is_readable_, [&](Member& connection, std::uint32_t index) {
            const bool more =
                connection.is_open() && connection.receive(clock, scratch_, recorder, traffic_);
            list_if_sending(index);  // a session may have to answer
            return more;
        });
    }

    /// Looks for timed-out orders and idle sessions: once round all connections in kScanRoundNs.
    void tend(std::int64_t now_ns, Recorder& recorder) noexcept {
        if (now_ns < next_scan_ns_) return;
        next_scan_ns_ = std::max(next_scan_ns_, now_ns - kScanRoundNs);
        for (; next_scan_ns_ <= now_ns; next_scan_ns_ += scan_step_ns_) {
            if (++scan_turn_ >= connections_.size()) scan_turn_ = 0;
            watch(scan_turn_, [&](Member& connection) {
                connection.expire(now_ns, recorder);
                connection.keep_alive(now_ns, recorder, traffic_);
            });
            list_if_sending(static_cast<std::uint32_t>(scan_turn_));
        }
    }

    /// Gives up on every order that still waits.
    void abandon(Recorder& recorder) noexcept {
        for (Member& connection : connections_) connection.abandon(recorder);
        unanswered_ = 0;
    }

    /// Lets every connection say goodbye; their messages go out with the next sends.
    void log_out() noexcept {
        for (std::uint32_t i = 0; i < connections_.size(); ++i) {
            connections_[i].log_out();
            list_if_sending(i);
        }
    }

    /// Ends every connection.
    void close(Recorder& recorder) noexcept {
        for (Member& connection : connections_) connection.close(recorder);
        open_.clear();
        unanswered_ = 0;
    }

private:
    static constexpr std::size_t kScratchBytes = 65'536;
    static constexpr std::int64_t kScanRoundNs = 10 * kNsPerMs;

    /// What a session has to say goes out with the orders.
    void list_if_sending(std::uint32_t index) noexcept {
        if constexpr (Member::kHasSession) {
            if (connections_[index].wants_to_send()) list(index, sending_, is_sending_);
        }
    }

    static void list(std::uint32_t index, std::vector<std::uint32_t>& indices,
                     std::vector<bool>& is_listed) noexcept {
        if (is_listed[index]) return;
        is_listed[index] = true;
        indices.push_back(index);
    }

    /// Acts on each listed connection and keeps those for which `action` returns true.
    template <class Action>
    void sweep(std::vector<std::uint32_t>& indices, std::vector<bool>& is_listed,
               Action action) noexcept {
        std::size_t kept = 0;
        for (const std::uint32_t index : indices) {
            if (watch(index, [&](Member& connection) { return action(connection, index); })) {
                indices[kept++] = index;
            } else {
                is_listed[index] = false;
            }
        }
        indices.resize(kept);
    }

    /// Acts on a connection, keeping count of what that settles and whether it ends it.
    template <class Action>
    auto watch(std::size_t index, Action action) noexcept {
        Member& connection = connections_[index];
        struct Account {
            ConnectionSet& set;
            Member& member;
            std::size_t index;
            std::uint32_t waiting = member.waiting();
            bool was_open = member.is_open();
            ~Account() {
                set.unanswered_ -= waiting - member.waiting();
                if (was_open && !member.is_open()) [[unlikely]]
                    std::erase(set.open_, index);
            }
        } const account{*this, connection, index};
        return action(connection);
    }

    typename Net::Poller poller_;
    std::vector<Member> connections_;
    std::uint64_t in_flight_;
    std::uint64_t unanswered_ = 0;
    TrafficCounts traffic_;
    std::size_t turn_ = 0;

    std::size_t scan_turn_ = 0;
    std::int64_t next_scan_ns_ = 0;
    std::int64_t scan_step_ns_;

    std::vector<std::byte> scratch_;
    std::vector<std::uint32_t> open_;  ///< indices of the open connections, rising
    std::vector<std::uint32_t> readable_;
    std::vector<std::uint32_t> sending_;
    std::vector<bool> is_readable_;
    std::vector<bool> is_sending_;
};

}  // namespace cluster
