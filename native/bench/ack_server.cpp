#include "bench/ack_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "client/clock.h"
#include "client/errors.h"
#include "wire/orderwire.h"

namespace cluster::bench {
namespace {

constexpr std::size_t kChunk = 65'536;

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

bool send_all(int fd, const std::byte* bytes, std::size_t size) noexcept {
    while (size > 0) {
        const ssize_t sent = ::send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes += sent;
        size -= static_cast<std::size_t>(sent);
    }
    return true;
}

/// Appends one Accepted for each whole request; returns the bytes that were used.
std::size_t answers_to(const std::byte* in, std::size_t size, std::vector<std::byte>& out) {
    std::size_t used = 0;
    while (size - used >= sizeof(orderwire::Header) + sizeof(std::uint64_t)) {
        orderwire::Header header;
        std::memcpy(&header, in + used, sizeof header);
        if (header.length == 0 || size - used < header.length) break;
        orderwire::Accepted reply{
            {sizeof reply, orderwire::Type::kAccepted, 0, header.symbol}, 0, 1, 1};
        std::memcpy(&reply.order_id, in + used + sizeof header, sizeof reply.order_id);
        const std::size_t end = out.size();
        out.resize(end + sizeof reply);
        std::memcpy(out.data() + end, &reply, sizeof reply);
        used += header.length;
    }
    return used;
}

}  // namespace

void pin_to(int cpu) {
    if (cpu < 0) return;
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(static_cast<std::size_t>(cpu), &cpus);
    ::pthread_setaffinity_np(::pthread_self(), sizeof cpus, &cpus);
}

FileDescriptor connect_to(std::uint16_t port) {
    FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(port);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
        throw LoadError::from_errno("connect to the ack server", errno);
    }
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

AckServer::AckServer(int cpu, std::size_t arrivals_max)
    : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) < 0 ||
        ::listen(listener_.get(), 16) < 0 ||
        ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) < 0) {
        throw LoadError::from_errno("listen on loopback", errno);
    }
    port_ = ntohs(address.sin_port);
    arrivals_ns_.reserve(arrivals_max);
    thread_ = std::thread([this, cpu] {
        pin_to(cpu);
        serve();
    });
}

AckServer::~AckServer() {
    stop_.store(true);
    if (thread_.joinable()) thread_.join();
}

std::vector<std::int64_t> AckServer::take_arrivals() {
    stop_.store(true);
    thread_.join();
    return std::move(arrivals_ns_);
}

void AckServer::serve() noexcept {
    pollfd acceptable{listener_.get(), POLLIN, 0};
    while (!stop_.load()) {
        if (::poll(&acceptable, 1, 10) <= 0) continue;
        const FileDescriptor connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        const int on = 1;
        ::setsockopt(connection.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        answer(connection.get());
    }
}

void AckServer::answer(int connection) noexcept {
    std::vector<std::byte> in(2 * kChunk);
    std::vector<std::byte> out;
    out.reserve(4 * kChunk);
    std::size_t have = 0;
    while (!stop_.load(std::memory_order_relaxed)) {
        const ssize_t got = ::recv(connection, in.data() + have, kChunk, MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN) continue;
        if (got <= 0) return;
        const std::int64_t arrived_ns = arrivals_ns_.capacity() > 0 ? MonotonicClock::now_ns() : 0;
        have += static_cast<std::size_t>(got);
        out.clear();
        const std::size_t used = answers_to(in.data(), have, out);
        const std::size_t room = arrivals_ns_.capacity() - arrivals_ns_.size();
        arrivals_ns_.insert(arrivals_ns_.end(),
                            std::min(room, out.size() / sizeof(orderwire::Accepted)), arrived_ns);
        std::memmove(in.data(), in.data() + used, have - used);
        have -= used;
        answered_ += out.size() / sizeof(orderwire::Accepted);
        if (!send_all(connection, out.data(), out.size())) return;
    }
}

}  // namespace cluster::bench
