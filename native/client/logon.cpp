#include "client/logon.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "client/clock.h"
#include "client/errors.h"
#include "client/logon_exchange.h"

namespace cluster {
namespace {

constexpr std::size_t kAtOnce = 256;

/// One session that is being begun, over a socket.
class Logon {
public:
    Logon(int fd, WireCodec& codec, const std::string& peer)
        : fd_(fd), peer_(peer), exchange_(codec, peer) {
        send();
    }

    int fd() const noexcept { return fd_; }
    bool is_done() const noexcept { return exchange_.is_done(); }

    void receive() {
        std::array<std::byte, 4'096> chunk;
        const ssize_t got = ::recv(fd_, chunk.data(), chunk.size(), MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (got < 0) throw LoadError::from_errno("log on to " + peer_, errno);
        if (got == 0) fail("the engine closed the connection instead of answering");
        exchange_.receive(std::span(chunk).first(static_cast<std::size_t>(got)));
        send();
    }

    std::vector<std::byte> take_rest() noexcept { return exchange_.take_rest(); }

    [[noreturn]] void fail(const std::string& why) const { exchange_.fail(why); }

private:
    void send() {
        const std::vector<std::byte> bytes = exchange_.take_pending();
        if (bytes.empty()) return;
        const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) throw LoadError::from_errno("log on to " + peer_, errno);
        // A new connection takes the little that a logon is in one piece.
        if (static_cast<std::size_t>(sent) != bytes.size()) fail("the logon could not be sent");
    }

    int fd_;
    const std::string& peer_;
    LogonExchange exchange_;
};

void await(std::vector<Logon>& logons, std::int64_t deadline_ns, std::int64_t timeout_ns) {
    for (;;) {
        std::vector<pollfd> readable;
        std::vector<Logon*> waiting;
        for (Logon& logon : logons) {
            if (logon.is_done()) continue;
            readable.push_back({logon.fd(), POLLIN, 0});
            waiting.push_back(&logon);
        }
        if (waiting.empty()) return;
        const std::int64_t left_ns = deadline_ns - MonotonicClock::now_ns();
        if (left_ns <= 0) {
            waiting.front()->fail("no answer within " + std::to_string(timeout_ns / kNsPerMs) +
                                  " ms");
        }
        const int left_ms = static_cast<int>(std::min<std::int64_t>(left_ns / kNsPerMs + 1, 1'000));
        if (::poll(readable.data(), readable.size(), left_ms) < 0 && errno != EINTR) {
            throw LoadError::from_errno("poll", errno);
        }
        for (std::size_t i = 0; i < waiting.size(); ++i) {
            if (readable[i].revents != 0) waiting[i]->receive();
        }
    }
}

}  // namespace

std::vector<std::vector<std::byte>> log_on(std::span<const FileDescriptor> sockets,
                                           std::span<WireCodec> codecs, const std::string& peer) {
    std::vector<std::vector<std::byte>> rests(sockets.size());
    for (std::size_t first = 0; first < sockets.size(); first += kAtOnce) {
        const protocol::SessionRules& session = codecs[first].plan().session;
        if (session.logon == protocol::kNone) return rests;
        const std::size_t end = std::min(sockets.size(), first + kAtOnce);
        std::vector<Logon> logons;
        logons.reserve(end - first);
        for (std::size_t i = first; i < end; ++i)
            logons.emplace_back(sockets[i].get(), codecs[i], peer);
        await(logons, MonotonicClock::now_ns() + session.logon_timeout_ns,
              session.logon_timeout_ns);
        for (std::size_t i = first; i < end; ++i) rests[i] = logons[i - first].take_rest();
    }
    return rests;
}

}  // namespace cluster
