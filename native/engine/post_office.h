// One matching thread's mail: what it sends to the others, what they send to it, and its sleep.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "client/file_descriptor.h"
#include "engine/mail.h"

namespace cluster::engine {

/// Belongs to thread `index` of `threads`; only wake() may be called from another.
///
/// Requests and replies have rings of their own. Replies can always be taken in, so a ring that
/// requests have filled cannot block them, and no two threads ever wait for each other.
class PostOffice {
public:
    PostOffice(std::uint32_t index, std::uint32_t threads);

    /// Opens the ways to all others; once, when all exist. `all` outlives this.
    void connect(const std::vector<PostOffice*>& all);

    void send_request(std::uint32_t to, const Mail& mail) { request_outboxes_[to].push(mail); }
    void send_reply(std::uint32_t to, const Mail& mail) {
        reply_outboxes_[to].push(mail);
        replies_wait_ = replies_wait_ || reply_outboxes_[to].waits();
    }
    void tell_others(const Mail& mail);

    /// Shows the others what was sent and wakes those that sleep.
    void flush();

    /// Something has found no room in its ring: no more work should be taken in that causes mail.
    bool replies_wait() const noexcept { return replies_wait_; }
    bool anything_waits() const noexcept { return replies_wait_ || requests_wait_; }

    template <class Take>
    void take_replies(Take take) {
        for (const auto& inbox : inboxes_) {
            inbox->replies.drain([&](const Mail& mail) {
                take(mail);
                return true;
            });
        }
    }

    /// Ends early when a reply that `take` caused finds no room.
    template <class Take>
    void take_requests(Take take) {
        for (const auto& inbox : inboxes_) {
            if (!replies_wait_) {
                inbox->requests.drain([&](const Mail& mail) {
                    take(mail);
                    return !replies_wait_;
                });
            }
        }
    }

    /// Announces that the thread will wait for its sockets. False when there is mail after all.
    bool fall_asleep();
    void stay_awake() noexcept { asleep_.store(false, std::memory_order_relaxed); }

    /// Readable when the thread was woken; clear_wake() makes it unreadable again.
    int wake_descriptor() const noexcept { return wake_event_.get(); }
    void wake() noexcept;
    void clear_wake() noexcept;

private:
    struct Inbox {
        MailRing requests;
        MailRing replies;
    };

    const std::uint32_t index_;
    const std::uint32_t threads_;
    FileDescriptor wake_event_;
    std::vector<PostOffice*> others_;              ///< by index, itself included
    std::vector<std::unique_ptr<Inbox>> inboxes_;  ///< by sender; its own stays empty
    std::vector<Outbox> request_outboxes_;         ///< by receiver
    std::vector<Outbox> reply_outboxes_;
    bool requests_wait_ = false;
    bool replies_wait_ = false;
    alignas(64) std::atomic<bool> asleep_ = false;
};

}  // namespace cluster::engine
