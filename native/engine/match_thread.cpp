#include "engine/match_thread.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "client/clock.h"

namespace cluster::engine {
namespace {

constexpr std::uint64_t kWakeTag = ~std::uint64_t{0};
constexpr std::uint64_t kListenerTag = ~std::uint64_t{1};

// After so many bytes of requests in one pass, replies go out before the next connection is read:
// with many busy connections the first must not wait for the last.
constexpr std::size_t kSendAfterBytes = 64 * 1024;

constexpr std::size_t kSlowRead = 4096;

int checked(int result, const char* what) {
    if (result < 0) {
        throw std::system_error(errno, std::generic_category(), what);
    }
    return result;
}

void add_to_epoll(int epoll, int descriptor, std::uint64_t tag) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = tag;
    checked(::epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event), "epoll_ctl");
}

template <class Message>
Message message_at(const std::byte* bytes) noexcept {
    Message message;
    std::memcpy(&message, bytes, sizeof message);
    return message;
}

bool is_request(const orderwire::Header& header) noexcept {
    switch (header.type) {
        case orderwire::Type::kNew:
        case orderwire::Type::kReplace:
        case orderwire::Type::kCancel: return header.length == orderwire::length_of(header.type);
        default: return false;
    }
}

}  // namespace

MatchThread::MatchThread(Crew& crew, std::uint32_t index, std::uint32_t threads, int listener)
    : crew_(crew),
      faults_(*crew.faults),
      index_(index),
      threads_(threads),
      listener_(listener),
      epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      wake_event_(checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd")),
      spare_(::open("/dev/null", O_RDONLY | O_CLOEXEC)),
      matcher_(crew.limits),
      read_buffer_(kReadAtOnce + orderwire::kLongestRequest) {
    add_to_epoll(epoll_.get(), wake_event_.get(), kWakeTag);
    if (listener_ >= 0) {
        add_to_epoll(epoll_.get(), listener_, kListenerTag);
    }
    for (std::uint32_t sender = 0; sender < threads_; ++sender) {
        inboxes_.push_back(std::make_unique<Inbox>());
    }
}

void MatchThread::connect_outboxes() {
    for (const auto& receiver : crew_.threads) {
        Inbox& inbox = *receiver->inboxes_[index_];
        request_outboxes_.emplace_back(inbox.requests);
        reply_outboxes_.emplace_back(inbox.replies);
    }
}

void MatchThread::run() {
    while (!crew_.stop->load(std::memory_order_relaxed)) {
        wait_and_serve();
        if (threads_ > 1) {
            take_mail();
        }
        send_new_replies();
        close_doomed();
        if (threads_ > 1) {
            flush_outboxes();
        }
    }
}

void MatchThread::wake() noexcept {
    const std::uint64_t one = 1;
    // The only failure is a counter that is full, and then the thread is being woken already.
    [[maybe_unused]] const ssize_t written = ::write(wake_event_.get(), &one, sizeof one);
}

void MatchThread::wait_and_serve() {
    constexpr int kEventsMax = 64;
    epoll_event events[kEventsMax];
    const int timeout = timeout_ms();
    const int ready = ::epoll_wait(epoll_.get(), events, kEventsMax, timeout);
    asleep_.store(false, std::memory_order_relaxed);
    faults_.before_pass();
    for (int at = 0; at < ready; ++at) {
        const std::uint64_t tag = events[at].data.u64;
        if (tag == kWakeTag) {
            std::uint64_t count = 0;
            [[maybe_unused]] const ssize_t taken = ::read(wake_event_.get(), &count, sizeof count);
        } else if (tag == kListenerTag) {
            accept_all();
        } else {
            serve(static_cast<SessionId>(tag), events[at].events);
        }
    }
}

/// Blocks only when there is nothing to do but wait for a socket or for wake().
///
/// The sleeper says so before it looks for mail, and the sender publishes its mail before it looks
/// for sleepers. Both are sequentially consistent, so one of the two sees the other.
int MatchThread::timeout_ms() {
    if (crew_.wait == Wait::kSpin || work_waits_outside()) {
        return 0;
    }
    if (threads_ > 1) {
        asleep_.store(true, std::memory_order_seq_cst);
        if (mail_is_there()) {
            return 0;
        }
    }
    return -1;
}

bool MatchThread::mail_is_there() const noexcept {
    for (const auto& inbox : inboxes_) {
        if (!inbox->requests.empty() || !inbox->replies.empty()) {
            return true;
        }
    }
    return false;
}

void MatchThread::flush_outboxes() {
    requests_wait_ = replies_wait_ = false;
    for (std::uint32_t other = 0; other < threads_; ++other) {
        if (other == index_) {
            continue;
        }
        const bool new_requests = request_outboxes_[other].flush();
        const bool new_replies = reply_outboxes_[other].flush();
        MatchThread& receiver = *crew_.threads[other];
        if ((new_requests || new_replies) && receiver.asleep_.load(std::memory_order_seq_cst)) {
            receiver.wake();
        }
        requests_wait_ = requests_wait_ || request_outboxes_[other].waits();
        replies_wait_ = replies_wait_ || reply_outboxes_[other].waits();
    }
}

void MatchThread::take_mail() {
    for (const auto& inbox : inboxes_) {
        inbox->replies.drain([&](const Mail& mail) {
            take_reply_mail(mail);
            return true;
        });
    }
    for (const auto& inbox : inboxes_) {
        if (!replies_wait_) {
            inbox->requests.drain([&](const Mail& mail) { return take_request_mail(mail); });
        }
    }
}

/// False when no more should be taken: its replies did not all find room.
bool MatchThread::take_request_mail(const Mail& mail) {
    switch (mail.kind) {
        case Mail::Kind::kConnection: adopt(static_cast<int>(mail.received_ns)); break;
        case Mail::Kind::kGone:
            counters_.cancelled_on_disconnect += matcher_.cancel_all(mail.session);
            break;
        default:
            match(mail.session, mail.bytes.data(), mail.received_ns);
            for (const Outbox& outbox : reply_outboxes_) {
                replies_wait_ = replies_wait_ || outbox.waits();
            }
    }
    return !replies_wait_;
}

void MatchThread::take_reply_mail(const Mail& mail) {
    Connection* connection = find(mail.session);
    if (connection == nullptr) {
        ++counters_.replies_undeliverable;
        return;
    }
    const auto header = message_at<orderwire::Header>(mail.bytes.data());
    std::memcpy(connection->output.room(), mail.bytes.data(), header.length);
    append(*connection, header.length);
}

void MatchThread::accept_all() {
    for (;;) {
        const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor >= 0) {
            const std::uint32_t owner = accepted_++ % threads_;
            if (owner == index_) {
                adopt(descriptor);
            } else {
                request_outboxes_[owner].push({Mail::Kind::kConnection, 0, descriptor, {}});
            }
        } else if (errno == EMFILE || errno == ENFILE) {
            // Left in the queue it would wake this thread for ever: accepted and closed at once,
            // its client knows.
            spare_ = FileDescriptor{};
            const FileDescriptor refused(::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC));
            if (refused.get() < 0) {
                return;
            }
            ++counters_.connections_refused;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            break;
        }
        if (spare_.get() < 0) {
            spare_ = FileDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        }
    }
}

void MatchThread::adopt(int descriptor) {
    const int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const auto session = static_cast<SessionId>(connections_.size() * threads_ + index_);
    connections_.push_back(std::make_unique<Connection>(FileDescriptor(descriptor), session));
    connections_.back()->events = EPOLLIN;
    add_to_epoll(epoll_.get(), descriptor, session);
    ++counters_.connections;
}

void MatchThread::serve(SessionId session, std::uint32_t events) {
    Connection* connection = find(session);
    if (connection == nullptr) {
        return;  // closed earlier in this pass
    }
    if ((events & EPOLLOUT) != 0) {
        send(*connection, MonotonicClock::now_ns());
        watch(*connection);
    }
    if ((connection->events & EPOLLIN) != 0) {
        // What other threads have no room for yet must not grow.
        if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !work_waits_outside()) {
            read(*connection);
        }
    } else if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
        doomed_.push_back(session);
    }
}

void MatchThread::read(Connection& connection) {
    faults_.before_read();
    std::byte* const start = read_buffer_.data();
    std::memcpy(start, connection.carry.data(), connection.carry_size);
    const std::size_t wanted = faults_.reads_slowly() ? kSlowRead : kReadAtOnce;
    const ssize_t received =
        ::recv(connection.socket.get(), start + connection.carry_size, wanted, MSG_DONTWAIT);
    const std::int64_t received_ns = MonotonicClock::now_ns();
    if (received <= 0) {
        if (received == 0 || (errno != EAGAIN && errno != EINTR)) {
            doomed_.push_back(connection.session);
        }
        return;
    }
    const auto count = static_cast<std::size_t>(received);
    counters_.bytes_received += count;
    if (!take_bytes(connection, {start, connection.carry_size + count}, received_ns)) {
        ++counters_.closed_malformed;
        doomed_.push_back(connection.session);
    }
    faults_.after_batch();
    unsent_batch_bytes_ += count;
    if (unsent_batch_bytes_ > kSendAfterBytes) {
        send_new_replies();
    }
}

/// Every whole request; the start of the next is kept. False for bytes that are no request.
bool MatchThread::take_bytes(Connection& connection, std::span<const std::byte> bytes,
                             std::int64_t received_ns) {
    while (bytes.size() >= sizeof(orderwire::Header)) {
        const auto header = message_at<orderwire::Header>(bytes.data());
        if (!is_request(header)) {
            connection.carry_size = 0;
            return false;
        }
        if (bytes.size() < header.length) {
            break;
        }
        take_request(connection.session, bytes.data(), received_ns);
        bytes = bytes.subspan(header.length);
    }
    std::memcpy(connection.carry.data(), bytes.data(), bytes.size());
    connection.carry_size = bytes.size();
    return true;
}

void MatchThread::take_request(SessionId session, const std::byte* bytes,
                               std::int64_t received_ns) {
    const auto header = message_at<orderwire::Header>(bytes);
    const std::uint32_t owner = owner_of(header.symbol);
    if (owner == index_) {
        return match(session, bytes, received_ns);
    }
    Mail mail{Mail::Kind::kRequest, session, received_ns, {}};
    std::memcpy(mail.bytes.data(), bytes, header.length);
    request_outboxes_[owner].push(mail);
}

/// One request against this thread's books.
void MatchThread::match(SessionId session, const std::byte* bytes, std::int64_t received_ns) {
    faults_.before_order();
    replies_.clear();
    switch (message_at<orderwire::Header>(bytes).type) {
        case orderwire::Type::kNew: {
            const auto request = message_at<orderwire::New>(bytes);
            counters_.count_new(request.header.detail);
            matcher_.enter(session, request, replies_);
            break;
        }
        case orderwire::Type::kReplace:
            ++counters_.replace;
            matcher_.replace(session, message_at<orderwire::Replace>(bytes), replies_);
            break;
        default:
            ++counters_.cancel;
            matcher_.cancel(session, message_at<orderwire::Cancel>(bytes), replies_);
    }
    counters_.count_replies(replies_);
    deliver(received_ns);
}

void MatchThread::deliver(std::int64_t received_ns) {
    for (const Reply& reply : replies_) {
        const std::uint32_t owner = owner_of(reply.session);
        if (owner != index_) {
            Mail mail{Mail::Kind::kReply, reply.session, 0, {}};
            encode(reply, received_ns, mail.bytes.data());
            reply_outboxes_[owner].push(mail);
        } else if (Connection* connection = find(reply.session)) {
            append(*connection, encode(reply, received_ns, connection->output.room()));
        } else {
            ++counters_.replies_undeliverable;
        }
    }
}

void MatchThread::append(Connection& connection, std::size_t length) {
    connection.output.commit(length);
    if (!connection.has_new_replies) {
        connection.has_new_replies = true;
        to_send_.push_back(connection.session);
    }
}

void MatchThread::send_new_replies() {
    unsent_batch_bytes_ = 0;
    if (to_send_.empty()) {
        return;
    }
    const std::int64_t now_ns = MonotonicClock::now_ns();
    for (const SessionId session : to_send_) {
        if (Connection* connection = find(session)) {
            connection->has_new_replies = false;
            send(*connection, now_ns);
            watch(*connection);
        }
    }
    to_send_.clear();
}

void MatchThread::send(Connection& connection, std::int64_t now_ns) {
    OutputBuffer& output = connection.output;
    output.stamp_new(now_ns);
    if (output.size() == 0) {
        return;
    }
    const ssize_t sent =
        ::send(connection.socket.get(), output.data(), output.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
        output.sent(static_cast<std::size_t>(sent));
        counters_.bytes_sent += static_cast<std::uint64_t>(sent);
    } else if (errno != EAGAIN && errno != EINTR) {
        doomed_.push_back(connection.session);
    }
    if (output.size() > crew_.unread_max_bytes) {
        doomed_.push_back(connection.session);
    }
}

/// Tells epoll what the connection waits for, when that has changed.
void MatchThread::watch(Connection& connection) {
    const std::size_t unread = connection.output.size();
    const bool paused = (connection.events & EPOLLIN) == 0;
    const bool pauses = unread > (paused ? kPauseReading / 2 : kPauseReading);
    const std::uint32_t events = (pauses ? 0U : EPOLLIN) | (unread > 0 ? EPOLLOUT : 0U);
    if (events != connection.events) {
        epoll_event event{};
        event.events = events;
        event.data.u64 = connection.session;
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.socket.get(), &event);
        connection.events = events;
    }
}

/// Ends a session: its last replies are offered once more, its orders leave every book.
void MatchThread::close(SessionId session) {
    Connection* connection = find(session);
    if (connection == nullptr) {
        return;  // doomed twice
    }
    counters_.closed_not_reading += connection->output.size() > crew_.unread_max_bytes;
    connection->output.stamp_new(MonotonicClock::now_ns());
    if (connection->output.size() > 0) {
        [[maybe_unused]] const ssize_t sent =
            ::send(connection->socket.get(), connection->output.data(), connection->output.size(),
                   MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    // Before its client can see that it has gone.
    counters_.cancelled_on_disconnect += matcher_.cancel_all(session);
    connections_[session / threads_].reset();
    for (std::uint32_t other = 0; other < threads_; ++other) {
        if (other != index_) {
            request_outboxes_[other].push({Mail::Kind::kGone, session, 0, {}});
        }
    }
}

void MatchThread::close_doomed() {
    for (const SessionId session : doomed_) {
        close(session);
    }
    doomed_.clear();
}

}  // namespace cluster::engine
