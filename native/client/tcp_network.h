// Non-blocking TCP sockets and epoll.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <span>
#include <vector>

#include "client/file_descriptor.h"
#include "client/network.h"

namespace cluster {

/// One connected, non-blocking TCP socket. Does not own its descriptor: the LoadClient does, so
/// that tcp_info can be read while the worker runs and after the connection is lost.
class TcpSocket {
public:
    explicit TcpSocket(int fd) noexcept : fd_(fd) {}

    IoResult send(std::span<const std::byte> bytes) noexcept;
    IoResult recv(std::span<std::byte> bytes) noexcept;
    /// As client/time_stamps.h has them, once that has begun.
    IoResult send_stamped(std::span<const std::byte> bytes) noexcept;
    IoResult recv_stamped(std::span<std::byte> bytes, std::int64_t& realtime_ns) noexcept;
    bool take_stamp(SendStamp& stamp) noexcept;
    /// Ends the connection both ways; the descriptor stays open.
    void shut_down() noexcept;

private:
    int fd_;
};

/// Tells which of a worker's connections can be read or written.
class EpollPoller {
public:
    /// Connection i is `fds[i]`. Throws LoadError.
    explicit EpollPoller(std::span<const int> fds);

    /// Waits up to `wait_ns` (0: not at all) with ns resolution. At most 256 connections at once;
    /// the others are reported by the next call.
    std::span<const Ready> wait(std::int64_t wait_ns) noexcept;

private:
    static constexpr int kEvents = 256;

    int wait_events(std::int64_t wait_ns) noexcept;

    FileDescriptor epoll_;
    std::array<epoll_event, kEvents> events_{};
    std::array<Ready, kEvents> ready_{};
};

struct TcpNetwork {
    using Socket = TcpSocket;
    using Poller = EpollPoller;
};
static_assert(Network<TcpNetwork> && StampingSocket<TcpSocket>);

}  // namespace cluster
