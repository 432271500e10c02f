#include "tests/client/loopback_engine.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "wire/orderwire.h"

namespace cluster::test {
namespace {

FileDescriptor listen_on_loopback(std::uint16_t& port, bool listening) {
    FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) < 0 ||
        (listening && ::listen(fd.get(), 128) < 0) ||
        ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) < 0) {
        throw std::runtime_error("can't listen on loopback");
    }
    port = ntohs(address.sin_port);
    return fd;
}

/// Waits up to 10 ms; false: nothing to read or accept yet.
bool is_readable(int fd) {
    pollfd readable{fd, POLLIN, 0};
    return ::poll(&readable, 1, 10) > 0;
}

}  // namespace

LoopbackEngine::LoopbackEngine(Behaviour behaviour)
    : behaviour_(std::move(behaviour)),
      listener_(listen_on_loopback(port_, true)),
      acceptor_([this] { accept_until_stopped(); }) {}

LoopbackEngine::~LoopbackEngine() {
    stop_ = true;
    acceptor_.join();
    for (std::thread& thread : connections_) thread.join();
}

void LoopbackEngine::accept_until_stopped() {
    while (!stop_) {
        if (!is_readable(listener_.get())) continue;
        connections_.emplace_back([this, fd = FileDescriptor(::accept4(listener_.get(), nullptr,
                                                                       nullptr, SOCK_CLOEXEC))] {
            const int on = 1;
            ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            behaviour_(fd.get(), stop_);
        });
    }
}

void serve(int connection, const std::atomic<bool>& stop,
           const std::function<void(std::uint64_t id)>& answer) {
    std::vector<std::byte> bytes(65'536);
    std::size_t have = 0;
    while (!stop) {
        if (!is_readable(connection)) continue;
        const ssize_t got = ::recv(connection, bytes.data() + have, bytes.size() - have, 0);
        if (got <= 0) return;
        have += static_cast<std::size_t>(got);
        std::size_t used = 0;
        while (have - used >= sizeof(orderwire::Cancel)) {
            orderwire::Cancel request;  // every request begins with header and id
            std::memcpy(&request, bytes.data() + used, sizeof request);
            if (have - used < request.header.length) break;
            answer(request.order_id);
            used += request.header.length;
        }
        std::memmove(bytes.data(), bytes.data() + used, have - used);
        have -= used;
    }
}

bool accept_order(int connection, std::uint64_t id, std::size_t piece) {
    const orderwire::Accepted reply{
        {sizeof reply, orderwire::Type::kAccepted, 0, 0}, id, 1'000, 1'250};
    const auto* bytes = reinterpret_cast<const std::byte*>(&reply);
    for (std::size_t sent = 0; sent < sizeof reply;) {
        const ssize_t now =
            ::send(connection, bytes + sent, std::min(piece, sizeof reply - sent), MSG_NOSIGNAL);
        if (now <= 0) return false;
        sent += static_cast<std::size_t>(now);
    }
    return true;
}

void reset(int connection) {
    const linger at_once{1, 0};
    ::setsockopt(connection, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

std::uint16_t closed_port() {
    std::uint16_t port = 0;
    // Closed again: the kernel gives such a port to others only after it has gone round them all.
    const FileDescriptor fd = listen_on_loopback(port, false);
    return port;
}

}  // namespace cluster::test
