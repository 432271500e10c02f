#include "client/tcp_network.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "client/clock.h"
#include "client/errors.h"
#include "client/time_stamps.h"

namespace cluster {
IoResult TcpSocket::send(std::span<const std::byte> bytes) noexcept {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) return failed_io(errno);
    return {IoStatus::kOk, static_cast<std::size_t>(sent)};
}

IoResult TcpSocket::recv(std::span<std::byte> bytes) noexcept {
    const ssize_t received = ::recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (received < 0) return failed_io(errno);
    if (received == 0) return {IoStatus::kClosed, 0};
    return {IoStatus::kOk, static_cast<std::size_t>(received)};
}

IoResult TcpSocket::send_stamped(std::span<const std::byte> bytes) noexcept {
    return cluster::send_stamped(fd_, bytes);
}

IoResult TcpSocket::recv_stamped(std::span<std::byte> bytes, std::int64_t& realtime_ns) noexcept {
    return cluster::recv_stamped(fd_, bytes, realtime_ns);
}

bool TcpSocket::take_stamp(SendStamp& stamp) noexcept {
    return cluster::take_stamp(fd_, stamp);
}

void TcpSocket::shut_down() noexcept {
    ::shutdown(fd_, SHUT_RDWR);
}

EpollPoller::EpollPoller(std::span<const int> fds) : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_.get() < 0) throw LoadError::from_errno("epoll_create1", errno);
    for (std::size_t i = 0; i < fds.size(); ++i) {
        epoll_event event{};
        event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
        event.data.u32 = static_cast<std::uint32_t>(i);
        if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fds[i], &event) < 0) {
            throw LoadError::from_errno("epoll_ctl", errno);
        }
    }
}

std::span<const Ready> EpollPoller::wait(std::int64_t wait_ns) noexcept {
    const int count = wait_events(wait_ns);
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events_[static_cast<std::size_t>(i)];
        // Errors and hang-ups are learnt from recv, after the bytes that came before them. A time
        // stamp that waits to be read is told as an error, too, and is none.
        ready_[static_cast<std::size_t>(i)] = {
            event.data.u32, (event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0,
            (event.events & EPOLLOUT) != 0};
    }
    return {ready_.data(), static_cast<std::size_t>(count > 0 ? count : 0)};
}

int EpollPoller::wait_events(std::int64_t wait_ns) noexcept {
    if (wait_ns > 0) {
        const timespec timeout{wait_ns / kNsPerS, wait_ns % kNsPerS};
        // epoll_pwait2 would be one call instead of two, but is missing before Linux 5.11 and
        // refused by some sandboxes; this thread has time, it is about to sleep.
        pollfd epoll{epoll_.get(), POLLIN, 0};
        if (::ppoll(&epoll, 1, &timeout, nullptr) <= 0) return 0;
    }
    return ::epoll_wait(epoll_.get(), events_.data(), kEvents, 0);
}

}  // namespace cluster
