#include "engine/acceptor.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

namespace cluster::engine {
namespace {

FileDescriptor open_spare() {
    return FileDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

}  // namespace

Acceptor::Acceptor(int listener) : listener_(listener), spare_(open_spare()) {}

int Acceptor::next() {
    for (;;) {
        const int accepted = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted >= 0) {
            const int on = 1;
            ::setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            return accepted;
        }
        const bool none_left = errno == EMFILE || errno == ENFILE;
        const bool may_go_on = errno == EINTR || errno == ECONNABORTED;
        if (!may_go_on && !(none_left && refuse_one())) {
            return -1;
        }
    }
}

/// Left in the queue, the connection would wake its thread for ever. Accepted and closed, its
/// client knows.
bool Acceptor::refuse_one() {
    spare_ = FileDescriptor{};
    const bool refused =
        FileDescriptor(::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)).get() >= 0;
    spare_ = open_spare();
    refused_ += refused;
    return refused;
}

}  // namespace cluster::engine
