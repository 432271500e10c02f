#include "client/connector.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "client/clock.h"
#include "client/errors.h"

namespace cluster {
namespace {

// More at once would overflow a listening engine's queue of 128, and wait a second for it.
constexpr std::uint32_t kAtOnce = 64;

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Addresses resolve(const std::string& address, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found);
    if (error != 0) {
        throw LoadError("resolve " + address + ": " +
                        (error == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(error)));
    }
    return {found, &::freeaddrinfo};
}

FileDescriptor begin_connecting(const addrinfo& to, const std::string& peer) {
    FileDescriptor fd(
        ::socket(to.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
    if (fd.get() < 0) {
        const int error = errno;
        const char* hint = error == EMFILE ? " (raise the limit with `ulimit -n`)" : "";
        throw LoadError("open a socket for " + peer + ": " + std::strerror(error) + hint);
    }
    const int on = 1;
    if (::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0) {
        throw LoadError::from_errno("set TCP_NODELAY", errno);
    }
    if (::connect(fd.get(), to.ai_addr, to.ai_addrlen) < 0 && errno != EINPROGRESS) {
        throw LoadError::from_errno("connect to " + peer, errno);
    }
    return fd;
}

void await_connected(const FileDescriptor& fd, std::int64_t deadline_ns, const std::string& peer) {
    pollfd writable{fd.get(), POLLOUT, 0};
    for (;;) {
        const std::int64_t left_ns = deadline_ns - MonotonicClock::now_ns();
        if (left_ns <= 0) {
            throw LoadError("connect to " + peer + ": no answer in time");
        }
        const int left_ms = static_cast<int>(std::min<std::int64_t>(left_ns / kNsPerMs + 1, 1000));
        const int count = ::poll(&writable, 1, left_ms);
        if (count > 0) break;
        if (count < 0 && errno != EINTR) throw LoadError::from_errno("poll " + peer, errno);
    }
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) < 0) error = errno;
    if (error != 0) throw LoadError::from_errno("connect to " + peer, error);
    // A port in the ephemeral range on this host may connect to itself when nobody listens.
    sockaddr_storage own{};
    sockaddr_storage other{};
    socklen_t own_size = sizeof own;
    socklen_t other_size = sizeof other;
    if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&own), &own_size) == 0 &&
        ::getpeername(fd.get(), reinterpret_cast<sockaddr*>(&other), &other_size) == 0 &&
        own_size == other_size && std::memcmp(&own, &other, own_size) == 0) {
        throw LoadError::from_errno("connect to " + peer, ECONNREFUSED);
    }
}

std::vector<FileDescriptor> open_to(const addrinfo& to, std::uint32_t count,
                                    std::int64_t deadline_ns, const std::string& peer) {
    std::vector<FileDescriptor> opened;
    opened.reserve(count);
    while (opened.size() < count) {
        const std::size_t first = opened.size();
        const std::size_t end = std::min<std::size_t>(count, first + kAtOnce);
        while (opened.size() < end) opened.push_back(begin_connecting(to, peer));
        for (std::size_t i = first; i < end; ++i) await_connected(opened[i], deadline_ns, peer);
    }
    return opened;
}

}  // namespace

std::vector<FileDescriptor> open_connections(const std::string& address, std::uint16_t port,
                                             std::uint32_t count, std::int64_t timeout_ns) {
    const std::int64_t deadline_ns = MonotonicClock::now_ns() + timeout_ns;
    const std::string peer = address + ":" + std::to_string(port);
    const Addresses addresses = resolve(address, port);
    // "localhost" may be two addresses of which one listens: the first that answers is taken.
    for (const addrinfo* to = addresses.get();; to = to->ai_next) {
        try {
            return open_to(*to, count, deadline_ns, peer);
        } catch (const LoadError&) {
            if (to->ai_next == nullptr) throw;
        }
    }
}

}  // namespace cluster
