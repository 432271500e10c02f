// One matching thread: serves its share of the connections and owns its share of the symbols.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "client/file_descriptor.h"
#include "engine/connection.h"
#include "engine/counters.h"
#include "engine/faults.h"
#include "engine/mail.h"
#include "engine/matcher.h"

namespace cluster::engine {

/// How a thread waits for its sockets.
enum class Wait : std::uint8_t { kBlock, kSpin };

class MatchThread;

/// What the matching threads of an engine share.
struct Crew {
    Wait wait = Wait::kBlock;
    MatcherLimits limits;
    std::size_t unread_max_bytes = 0;
    Faults* faults = nullptr;
    const std::atomic<bool>* stop = nullptr;
    std::vector<std::unique_ptr<MatchThread>> threads;
};

/// Thread `index` of n owns the symbols with symbol % n == index and the sessions with
/// session % n == index. A request for another thread's symbol goes there through a ring, its
/// replies come back through another: in order for each connection and symbol, and without a lock.
///
/// Unread replies are never dropped: a connection with more than kPauseReading bytes of them is not
/// read from until half have gone, and one with more than `unread_max_bytes` is closed.
class MatchThread {
public:
    static constexpr std::size_t kReadAtOnce = 256 * 1024;
    static constexpr std::size_t kPauseReading = 256 * 1024;

    /// `listener` is the listening socket for the thread that accepts, -1 for the others.
    MatchThread(Crew& crew, std::uint32_t index, std::uint32_t threads, int listener);

    /// Gives the thread its ways to all others; once, when all of them exist.
    void connect_outboxes();

    /// Serves until the crew's stop flag is set.
    void run();

    /// Ends a wait. From any thread.
    void wake() noexcept;

    /// After run() has returned.
    const Counters& counters() const noexcept { return counters_; }

private:
    /// Mail from one other thread. Replies have a ring of their own, because they can always be
    /// taken in: a ring that requests have filled cannot block them, so no two threads wait for
    /// each other.
    struct Inbox {
        MailRing requests;
        MailRing replies;
    };

    void wait_and_serve();
    int timeout_ms();
    bool mail_is_there() const noexcept;
    void flush_outboxes();
    bool work_waits_outside() const noexcept { return requests_wait_ || replies_wait_; }

    void take_mail();
    bool take_request_mail(const Mail& mail);
    void take_reply_mail(const Mail& mail);

    void accept_all();
    void adopt(int descriptor);
    void serve(SessionId session, std::uint32_t events);
    void read(Connection& connection);
    bool take_bytes(Connection& connection, std::span<const std::byte> bytes,
                    std::int64_t received_ns);
    void take_request(SessionId session, const std::byte* bytes, std::int64_t received_ns);
    void match(SessionId session, const std::byte* bytes, std::int64_t received_ns);
    void deliver(std::int64_t received_ns);
    void append(Connection& connection, std::size_t length);
    void send_new_replies();
    void send(Connection& connection, std::int64_t now_ns);
    void watch(Connection& connection);
    void close(SessionId session);
    void close_doomed();

    std::uint32_t owner_of(std::uint32_t symbol_or_session) const noexcept {
        return threads_ == 1 ? 0 : symbol_or_session % threads_;
    }
    Connection* find(SessionId session) noexcept {
        return connections_[threads_ == 1 ? session : session / threads_].get();
    }

    Crew& crew_;
    Faults& faults_;
    const std::uint32_t index_;
    const std::uint32_t threads_;
    const int listener_;
    FileDescriptor epoll_;
    FileDescriptor wake_event_;
    FileDescriptor spare_;  ///< given up for a moment to refuse a connection when none is left
    std::uint32_t accepted_ = 0;

    Matcher matcher_;
    std::vector<std::unique_ptr<Connection>> connections_;  ///< by session / threads; empty: gone
    std::vector<SessionId> to_send_;
    std::vector<SessionId> doomed_;
    std::vector<Reply> replies_;
    std::vector<std::byte> read_buffer_;
    std::size_t unsent_batch_bytes_ = 0;
    Counters counters_;

    std::vector<std::unique_ptr<Inbox>> inboxes_;  ///< by sender; its own stays empty
    std::vector<Outbox> request_outboxes_;         ///< by receiver
    std::vector<Outbox> reply_outboxes_;
    bool requests_wait_ = false;
    bool replies_wait_ = false;
    alignas(64) std::atomic<bool> asleep_ = false;
};

}  // namespace cluster::engine
