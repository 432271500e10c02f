#include "engine/match_thread.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "client/clock.h"
#include "engine/reflector.h"

namespace cluster::engine {
namespace {

constexpr std::uint64_t kWakeTag = ~std::uint64_t{0};
constexpr std::uint64_t kListenerTag = ~std::uint64_t{1};
constexpr std::uint64_t kTimerTag = ~std::uint64_t{2};

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

int add_to_epoll(int epoll, int descriptor, std::uint64_t tag) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = tag;
    return ::epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}

template <class Message>
Message message_at(const std::byte* bytes) noexcept {
    Message message;
    std::memcpy(&message, bytes, sizeof message);
    return message;
}

Now read_clocks() noexcept {
    timespec wall{};
    ::clock_gettime(CLOCK_REALTIME, &wall);
    return {MonotonicClock::now_ns(),
            static_cast<std::int64_t>(wall.tv_sec) * kNsPerS + wall.tv_nsec};
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
      epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      acceptor_(listener),
      post_(index, threads),
      queue_(crew.queue),
      matcher_(crew.limits, {.first = index + std::uint64_t{1}, .step = threads}),
      read_buffer_(kReadAtOnce + longest_request(crew.protocol)) {
    checked(add_to_epoll(epoll_.get(), post_.wake_descriptor(), kWakeTag), "epoll_ctl");
    if (queue_.is_on()) {
        queue_timer_.emplace();
        checked(add_to_epoll(epoll_.get(), queue_timer_->descriptor(), kTimerTag), "epoll_ctl");
    }
    if (listener >= 0) {
        checked(add_to_epoll(epoll_.get(), listener, kListenerTag), "epoll_ctl");
    }
}

void MatchThread::run() {
    while (!crew_.stop->load(std::memory_order_relaxed)) {
        wait_and_serve();
        if (threads_ > 1) {
            take_mail();
        }
        if (queue_.is_on()) {
            serve_queue();
        }
        if (!with_protocol_.empty()) {
            tick_sessions();
        }
        send_new_replies();
        close_doomed();
        if (threads_ > 1) {
            post_.flush();
        }
    }
    end_sessions();
}

void MatchThread::wait_and_serve() {
    constexpr int kEventsMax = 64;
    epoll_event events[kEventsMax];
    const int timeout = timeout_ms();
    const int ready = ::epoll_wait(epoll_.get(), events, kEventsMax, timeout);
    post_.stay_awake();
    faults_.before_pass();
    for (int at = 0; at < ready; ++at) {
        const std::uint64_t tag = events[at].data.u64;
        if (tag == kWakeTag) {
            post_.clear_wake();
        } else if (tag == kTimerTag) {
            queue_timer_->clear();
        } else if (tag == kListenerTag) {
            accept_all();
        } else {
            serve(static_cast<SessionId>(tag), events[at].events);
        }
    }
}

/// Blocks only when there is nothing to do but wait for a socket, for wake(), for a tick or for the
/// queue.
int MatchThread::timeout_ms() {
    const bool may_block = crew_.wait == Wait::kBlock && !post_.anything_waits() &&
                           (threads_ == 1 || post_.fall_asleep());
    if (!may_block) {
        return 0;
    }
    if (const std::int64_t next_ns = queue_.next_ns(); next_ns != VirtualQueue::kNever) {
        // Waking up takes longer than an answer may be late.
        const std::int64_t wake_ns = next_ns - kSpinBeforeNs;
        if (wake_ns <= MonotonicClock::now_ns()) {
            return 0;
        }
        queue_timer_->set(wake_ns);
    }
    return with_protocol_.empty() ? -1 : static_cast<int>(kTickNs / kNsPerMs);
}

void MatchThread::take_mail() {
    if (!with_protocol_.empty()) {
        now_ = read_clocks();
    }
    post_.take_replies([&](const Mail& mail) { take_reply_mail(mail); });
    post_.take_requests([&](const Mail& mail) { take_request_mail(mail); });
}

void MatchThread::take_request_mail(const Mail& mail) {
    switch (mail.kind) {
        case Mail::Kind::kConnection:
            adopt(FileDescriptor(static_cast<int>(mail.received_ns)));
            break;
        case Mail::Kind::kGone:
            counters_.cancelled_on_disconnect += matcher_.cancel_all(mail.session);
            break;
        default: answer(mail.session, mail.bytes.data(), mail.received_ns);
    }
}

void MatchThread::take_reply_mail(const Mail& mail) {
    Connection* connection = find(mail.session);
    if (connection == nullptr) {
        ++counters_.replies_undeliverable;
        return;
    }
    put(*connection, message_at<Reply>(mail.bytes.data()), mail.received_ns);
}

/// Connections are dealt out to the threads in turn.
void MatchThread::accept_all() {
    for (int accepted = acceptor_.next(); accepted >= 0; accepted = acceptor_.next()) {
        const std::uint32_t owner = accepted_++ % threads_;
        if (owner == index_) {
            adopt(FileDescriptor(accepted));
        } else {
            post_.send_request(owner, {Mail::Kind::kConnection, 0, accepted, {}});
        }
    }
    counters_.connections_refused += acceptor_.take_refused();
}

void MatchThread::adopt(FileDescriptor socket) {
    const auto session = static_cast<SessionId>(connections_.size() * threads_ + index_);
    if (add_to_epoll(epoll_.get(), socket.get(), session) != 0) {
        ++counters_.connections_refused;  // the system watches no more; the socket closes itself
        return;
    }
    std::unique_ptr<Session> protocol;
    if (crew_.protocol != Protocol::kOrderwire) {
        protocol = make_session(crew_.protocol, session, crew_.login, read_clocks());
        with_protocol_.push_back(session);
    }
    connections_.push_back(std::make_unique<Connection>(
        std::move(socket), session, std::move(protocol), longest_request(crew_.protocol)));
    connections_.back()->events = EPOLLIN;
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
        if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !post_.anything_waits() &&
            !queue_.is_full()) {
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
    const std::span<const std::byte> bytes(start, connection.carry_size + count);
    if (connection.protocol != nullptr) {
        take_messages(connection, bytes, received_ns);
    } else if (!take_bytes(connection, bytes, received_ns)) {
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
    std::copy(bytes.begin(), bytes.end(), connection.carry.begin());
    connection.carry_size = bytes.size();
    return true;
}

/// The same for a protocol with sessions, which tells by its ending what is wrong.
void MatchThread::take_messages(Connection& connection, std::span<const std::byte> bytes,
                                std::int64_t received_ns) {
    now_ = read_clocks();
    Session& session = *connection.protocol;
    Request request;
    while (session.ending() == Ending::kNone) {
        const Taken taken = session.take(bytes, now_, request, connection.output);
        if (taken.bytes == 0) {
            break;
        }
        bytes = bytes.subspan(taken.bytes);
        if (taken.is_request) {
            take_request(connection.session, request.data(), received_ns);
        }
    }
    note_replies(connection);
    if (session.ending() != Ending::kNone) {
        doomed_.push_back(connection.session);
        bytes = {};
    }
    std::copy(bytes.begin(), bytes.end(), connection.carry.begin());
    connection.carry_size = bytes.size();
}

void MatchThread::take_request(SessionId session, const std::byte* bytes,
                               std::int64_t received_ns) {
    if (queue_.is_on()) {
        return queue_.enter(session, bytes, received_ns);
    }
    const auto header = message_at<orderwire::Header>(bytes);
    const std::uint32_t owner = crew_.reflect ? index_ : owner_of(header.symbol);
    if (owner == index_) {
        return answer(session, bytes, received_ns);
    }
    Mail mail{Mail::Kind::kRequest, session, received_ns, {}};
    std::memcpy(mail.bytes.data(), bytes, header.length);
    post_.send_request(owner, mail);
}

/// Answers those whose time to leave has come. That is their reply time, as every wait before it is
/// engine time; what comes after it is the way out.
void MatchThread::serve_queue() {
    const std::int64_t now_ns = MonotonicClock::now_ns();
    if (queue_.next_ns() <= now_ns && !with_protocol_.empty()) {
        now_ = read_clocks();
    }
    while (queue_.next_ns() <= now_ns) {
        const QueuedRequest first = queue_.take();
        if (find(first.session) == nullptr) {
            ++counters_.replies_undeliverable;
            continue;
        }
        answer(first.session, first.request.data(), first.arrived_ns);
        for (const SessionId session : to_send_) {
            Connection* connection = find(session);
            if (connection != nullptr && connection->protocol == nullptr) {
                connection->output.stamp_new(first.leaves_ns);
            }
        }
    }
}

void MatchThread::answer(SessionId session, const std::byte* bytes, std::int64_t received_ns) {
    faults_.before_order();
    counters_.count_request(message_at<orderwire::Header>(bytes));
    replies_.clear();
    if (crew_.reflect) {
        reflect(session, bytes, replies_);
    } else {
        match(session, bytes);
    }
    counters_.count_replies(replies_);
    deliver(received_ns);
}

/// One request against this thread's books.
void MatchThread::match(SessionId session, const std::byte* bytes) {
    switch (message_at<orderwire::Header>(bytes).type) {
        case orderwire::Type::kNew:
            return matcher_.enter(session, message_at<orderwire::New>(bytes), replies_);
        case orderwire::Type::kReplace:
            return matcher_.replace(session, message_at<orderwire::Replace>(bytes), replies_);
        case orderwire::Type::kCancel:
            return matcher_.cancel(session, message_at<orderwire::Cancel>(bytes), replies_);
        default: match_total(session, message_at<orderwire::Replace>(bytes));
    }
}

/// The requests that orderwire does not know.
void MatchThread::match_total(SessionId session, const orderwire::Replace& request) {
    if (request.header.type == kReplaceTotal) {
        matcher_.replace_total(session, request, replies_);
    } else {
        matcher_.reduce(session, request, replies_);
    }
}

void MatchThread::deliver(std::int64_t received_ns) {
    for (const Reply& reply : replies_) {
        const std::uint32_t owner = owner_of(reply.session);
        if (owner != index_) {
            Mail mail{Mail::Kind::kReply, reply.session, received_ns, {}};
            std::memcpy(mail.bytes.data(), &reply, sizeof reply);
            post_.send_reply(owner, mail);
        } else if (Connection* connection = find(reply.session)) {
            put(*connection, reply, received_ns);
        } else {
            ++counters_.replies_undeliverable;
        }
    }
}

/// A reply into its connection's bytes.
void MatchThread::put(Connection& connection, const Reply& reply, std::int64_t received_ns) {
    OutputBuffer& output = connection.output;
    if (connection.protocol != nullptr) {
        connection.protocol->reply(reply, now_, output);
    } else {
        output.commit(encode(reply, received_ns, output.room()));
    }
    note_replies(connection);
}

void MatchThread::note_replies(Connection& connection) {
    if (!connection.has_new_replies) {
        connection.has_new_replies = true;
        to_send_.push_back(connection.session);
    }
}

void MatchThread::tick_sessions() {
    now_ = read_clocks();
    if (now_.steady_ns < next_tick_ns_) {
        return;
    }
    next_tick_ns_ = now_.steady_ns + kTickNs;
    std::erase_if(with_protocol_, [this](SessionId session) { return find(session) == nullptr; });
    for (const SessionId id : with_protocol_) {
        Connection& connection = *find(id);
        Session& session = *connection.protocol;
        if ((connection.events & EPOLLIN) == 0) {
            session.excuse_silence(now_);
        }
        session.tick(now_, connection.output);
        if (connection.output.size() > 0) {
            note_replies(connection);
        }
        if (session.ending() != Ending::kNone) {
            doomed_.push_back(id);
        }
    }
}

/// The engine stops: every client is told so in its protocol, as far as its socket takes it.
void MatchThread::end_sessions() {
    now_ = read_clocks();
    for (const SessionId id : with_protocol_) {
        if (Connection* connection = find(id)) {
            connection->protocol->farewell(now_, connection->output);
            send(*connection, now_.steady_ns);
            count(*connection->protocol);
        }
    }
}

/// A session that has ended, once.
void MatchThread::count(const Session& session) {
    counters_.closed_malformed += session.ending() == Ending::kMalformed;
    counters_.logins_refused += session.ending() == Ending::kRefused;
    counters_.closed_silent += session.ending() == Ending::kSilent;
    counters_.refused_unmatched += session.refused();
    counters_.garbled += session.garbled();
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
    if (connection.protocol == nullptr) {
        output.stamp_new(now_ns);
    }
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
    send(*connection, MonotonicClock::now_ns());
    if (connection->protocol != nullptr) {
        count(*connection->protocol);
    }
    // Before its client can see that it has gone.
    counters_.cancelled_on_disconnect += matcher_.cancel_all(session);
    connections_[session / threads_].reset();
    post_.tell_others({Mail::Kind::kGone, session, 0, {}});
}

void MatchThread::close_doomed() {
    // By index: the last send of a connection may fail and doom it again.
    for (std::size_t at = 0; at < doomed_.size(); ++at) {
        close(doomed_[at]);
    }
    doomed_.clear();
}

}  // namespace cluster::engine
