#include "engine/post_office.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace cluster::engine {

PostOffice::PostOffice(std::uint32_t index, std::uint32_t threads)
    : index_(index), threads_(threads), wake_event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (wake_event_.get() < 0) {
        throw std::system_error(errno, std::generic_category(), "eventfd");
    }
    for (std::uint32_t sender = 0; sender < threads_; ++sender) {
        inboxes_.push_back(std::make_unique<Inbox>());
    }
}

void PostOffice::connect(const std::vector<PostOffice*>& all) {
    others_ = all;
    for (PostOffice* receiver : all) {
        Inbox& inbox = *receiver->inboxes_[index_];
        request_outboxes_.emplace_back(inbox.requests);
        reply_outboxes_.emplace_back(inbox.replies);
    }
}

void PostOffice::tell_others(const Mail& mail) {
    for (std::uint32_t other = 0; other < threads_; ++other) {
        if (other != index_) {
            send_request(other, mail);
        }
    }
}

void PostOffice::flush() {
    requests_wait_ = replies_wait_ = false;
    for (std::uint32_t other = 0; other < threads_; ++other) {
        const bool new_requests = request_outboxes_[other].flush();
        const bool new_replies = reply_outboxes_[other].flush();
        if ((new_requests || new_replies) &&
            others_[other]->asleep_.load(std::memory_order_seq_cst)) {
            others_[other]->wake();
        }
        requests_wait_ = requests_wait_ || request_outboxes_[other].waits();
        replies_wait_ = replies_wait_ || reply_outboxes_[other].waits();
    }
}

/// The sleeper says so before it looks for mail, and the sender publishes its mail before it looks
/// for sleepers. Both are sequentially consistent, so one of the two sees the other.
bool PostOffice::fall_asleep() {
    asleep_.store(true, std::memory_order_seq_cst);
    return std::ranges::all_of(inboxes_, [](const auto& inbox) {
        return inbox->requests.empty() && inbox->replies.empty();
    });
}

void PostOffice::wake() noexcept {
    const std::uint64_t one = 1;
    // The only failure is a counter that is full, and then the thread is being woken already.
    [[maybe_unused]] const ssize_t written = ::write(wake_event_.get(), &one, sizeof one);
}

void PostOffice::clear_wake() noexcept {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t taken = ::read(wake_event_.get(), &count, sizeof count);
}

}  // namespace cluster::engine
