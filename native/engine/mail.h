// How matching threads talk to each other: bounded rings of messages, without locks.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/matcher.h"
#include "engine/order.h"
#include "wire/orderwire.h"

namespace cluster::engine {

/// What one thread tells another; a cache line long.
struct alignas(64) Mail {
    enum class Kind : std::uint32_t {
        kConnection,  ///< to its owner: `descriptor` was accepted for you
        kRequest,     ///< to the symbol's thread: match the request in `bytes`
        kGone,        ///< to every thread: the session has ended, cancel its orders
        kReply,       ///< to the session's owner: send the Reply in `bytes`
    };

    Kind kind;
    SessionId session;
    std::int64_t received_ns;  ///< when the request's bytes were read; of a connection: its fd
    std::array<std::byte, sizeof(Reply)> bytes;
};
static_assert(sizeof(Mail) == 64);
static_assert(orderwire::kLongestRequest <= sizeof(Reply));

/// A bounded queue from one thread to one other. What was pushed is seen after publish().
class MailRing {
public:
    static constexpr std::size_t kCapacity = 2048;

    /// Producer. False when the ring is full.
    bool push(const Mail& mail) noexcept {
        if (written_ - consumed_seen_ == kCapacity) {
            consumed_seen_ = consumed_.load(std::memory_order_acquire);
            if (written_ - consumed_seen_ == kCapacity) {
                return false;
            }
        }
        slots_[written_ % kCapacity] = mail;
        ++written_;
        return true;
    }

    /// Producer. True when there was something new to see.
    ///
    /// Sequentially consistent: see PostOffice::fall_asleep, which must not miss it.
    bool publish() noexcept {
        if (written_ == published_.load(std::memory_order_relaxed)) {
            return false;
        }
        published_.store(written_, std::memory_order_seq_cst);
        return true;
    }

    /// Consumer. Takes mail, oldest first, until `take` returns false or none is left.
    template <class Take>
    void drain(Take take) {
        const std::size_t published = published_.load(std::memory_order_acquire);
        std::size_t consumed = consumed_.load(std::memory_order_relaxed);
        for (bool more = true; more && consumed != published; ++consumed) {
            more = take(slots_[consumed % kCapacity]);
        }
        consumed_.store(consumed, std::memory_order_release);
    }

    /// Consumer.
    bool empty() const noexcept {
        return published_.load(std::memory_order_seq_cst) ==
               consumed_.load(std::memory_order_relaxed);
    }

private:
    alignas(64) std::size_t written_ = 0;  // the producer's own line
    std::size_t consumed_seen_ = 0;
    alignas(64) std::atomic<std::size_t> published_ = 0;
    alignas(64) std::atomic<std::size_t> consumed_ = 0;
    std::array<Mail, kCapacity> slots_;
};

/// The producer's end of a ring, with what the ring had no room for.
///
/// Its thread takes in no new work while something waits here, so the overflow holds at most what
/// one batch of requests caused.
class Outbox {
public:
    explicit Outbox(MailRing& ring) : ring_(ring) {}

    void push(const Mail& mail) {
        if (!waiting_.empty() || !ring_.push(mail)) {
            waiting_.push_back(mail);
        }
    }

    /// Moves what waited into the ring and shows everything to the consumer. True when it should
    /// be woken.
    bool flush() {
        std::size_t moved = 0;
        while (moved < waiting_.size() && ring_.push(waiting_[moved])) {
            ++moved;
        }
        waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(moved));
        return ring_.publish();
    }

    bool waits() const noexcept { return !waiting_.empty(); }

private:
    MailRing& ring_;
    std::vector<Mail> waiting_;
};

}  // namespace cluster::engine
