// One matching thread: serves its share of the connections and owns its share of the symbols.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "client/clock.h"
#include "client/file_descriptor.h"
#include "engine/acceptor.h"
#include "engine/connection.h"
#include "engine/counters.h"
#include "engine/faults.h"
#include "engine/matcher.h"
#include "engine/post_office.h"
#include "engine/protocol/protocol.h"
#include "engine/virtual_queue.h"
#include "engine/wake_timer.h"

namespace cluster::engine {

/// How a thread waits for its sockets.
enum class Wait : std::uint8_t { kBlock, kSpin };

class MatchThread;

/// What the matching threads of an engine share.
struct Crew {
    Wait wait = Wait::kBlock;
    Protocol protocol = Protocol::kOrderwire;
    bool reflect = false;  ///< answer without books
    QueueOptions queue;    ///< for a crew of one
    Login login;
    MatcherLimits limits;
    std::size_t unread_max_bytes = 0;
    Faults* faults = nullptr;
    const std::atomic<bool>* stop = nullptr;
    std::vector<std::unique_ptr<MatchThread>> threads;
};

/// Thread `index` of n owns the symbols with symbol % n == index and the sessions with
/// session % n == index. A request for another thread's symbol goes there through a ring, its
/// replies come back through another: in order for each connection and symbol, and without a lock.
/// Both travel without their protocol, which only the connection's own thread knows.
///
/// Unread replies are never dropped: a connection with more than kPauseReading bytes of them is not
/// read from until half have gone, and one with more than `unread_max_bytes` is closed.
class MatchThread {
public:
    static constexpr std::size_t kReadAtOnce = 256 * 1024;
    static constexpr std::size_t kPauseReading = 256 * 1024;
    static constexpr std::int64_t kSpinBeforeNs = 50'000;    ///< a departure of the queue
    static constexpr std::int64_t kTickNs = 100 * kNsPerMs;  ///< how often sessions look about

    /// `listener` is the listening socket for the thread that accepts, -1 for the others.
    MatchThread(Crew& crew, std::uint32_t index, std::uint32_t threads, int listener);

    /// Serves until the crew's stop flag is set.
    void run();

    /// Ends a wait. From any thread.
    void wake() noexcept { post_.wake(); }

    PostOffice& post() noexcept { return post_; }

    /// After run() has returned.
    const Counters& counters() const noexcept { return counters_; }

private:
    void wait_and_serve();
    int timeout_ms();

    void take_mail();
    void take_request_mail(const Mail& mail);
    void take_reply_mail(const Mail& mail);

    void accept_all();
    void adopt(FileDescriptor socket);
    void serve(SessionId session, std::uint32_t events);
    void read(Connection& connection);
    bool take_bytes(Connection& connection, std::span<const std::byte> bytes,
                    std::int64_t received_ns);
    void take_messages(Connection& connection, std::span<const std::byte> bytes,
                       std::int64_t received_ns);
    void take_request(SessionId session, const std::byte* bytes, std::int64_t received_ns);
    void serve_queue();
    void answer(SessionId session, const std::byte* bytes, std::int64_t received_ns);
    void match(SessionId session, const std::byte* bytes);
    void match_total(SessionId session, const orderwire::Replace& request);
    void deliver(std::int64_t received_ns);
    void put(Connection& connection, const Reply& reply, std::int64_t received_ns);
    void note_replies(Connection& connection);
    void tick_sessions();
    void end_sessions();
    void count(const Session& session);
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
    FileDescriptor epoll_;
    Acceptor acceptor_;
    std::uint32_t accepted_ = 0;  ///< by this thread, for any
    PostOffice post_;

    VirtualQueue queue_;
    std::optional<WakeTimer> queue_timer_;  ///< where there is a queue
    Matcher matcher_;
    std::vector<std::unique_ptr<Connection>> connections_;  ///< by session / threads; empty: gone
    std::vector<SessionId> with_protocol_;  ///< those that have a Session; some may be gone
    Now now_{};                             ///< for sessions: as of the last read, mail or tick
    std::int64_t next_tick_ns_ = 0;
    std::vector<SessionId> to_send_;
    std::vector<SessionId> doomed_;
    std::vector<Reply> replies_;
    std::vector<std::byte> read_buffer_;
    std::size_t unsent_batch_bytes_ = 0;
    Counters counters_;
};

}  // namespace cluster::engine
