#include "client/logon.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "client/clock.h"
#include "client/errors.h"

namespace cluster {
namespace {

constexpr std::size_t kAtOnce = 256;
constexpr std::size_t kShownBytes = 32;

std::string in_hex(std::span<const std::byte> bytes) {
    constexpr char kHex[] = "0123456789abcdef";
    std::string text;
    for (const std::byte byte : bytes.first(std::min(bytes.size(), kShownBytes))) {
        const auto value = static_cast<unsigned>(byte);
        text += kHex[value >> 4];
        text += kHex[value & 15];
    }
    return text + (bytes.size() > kShownBytes ? "…" : "");
}

/// One session that is being begun.
class Logon {
public:
    Logon(int fd, WireCodec& codec, const std::string& peer) : fd_(fd), codec_(codec), peer_(peer) {
        send(codec_.plan().session.logon);
    }

    int fd() const noexcept { return fd_; }
    bool is_done() const noexcept { return done_; }

    void receive() {
        std::array<std::byte, 4'096> chunk;
        const ssize_t got = ::recv(fd_, chunk.data(), chunk.size(), MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (got < 0) throw LoadError::from_errno("log on to " + peer_, errno);
        if (got == 0) fail("the engine closed the connection instead of answering");
        received_.insert(received_.end(), chunk.begin(), chunk.begin() + got);
        while (!done_ && take_reply()) {
        }
    }

    std::vector<std::byte> take_rest() noexcept { return std::move(received_); }

    [[noreturn]] void fail(const std::string& why) const {
        throw LoadError("log on to " + peer_ + ": " + why);
    }

private:
    /// False when more bytes must come.
    bool take_reply() {
        const protocol::Decoded decoded = codec_.decode(received_);
        if (decoded.status == protocol::DecodeStatus::kNeedMore) return false;
        if (decoded.status == protocol::DecodeStatus::kMalformed) {
            fail("what came is no message of the protocol: " + in_hex(received_));
        }
        if (decoded.status == protocol::DecodeStatus::kReply) act_on(decoded.reply);
        received_.erase(received_.begin(),
                        received_.begin() + static_cast<std::ptrdiff_t>(decoded.length));
        return true;
    }

    void act_on(const protocol::Reply& reply) {
        using protocol::Meaning;
        if (reply.sequence >= 0) codec_.is_next(reply.sequence);
        codec_.keep(reply);
        if (reply.meaning == Meaning::kLogonRefused || reply.meaning == Meaning::kLoggedOut) {
            fail("refused" + reason_of(reply));
        }
        done_ = reply.meaning == Meaning::kLoggedOn;
        if (reply.rule->answer != protocol::kNone) send(reply.rule->answer);
    }

    std::string reason_of(const protocol::Reply& reply) const {
        const protocol::LaterView view(codec_.plan(), reply);
        const protocol::Read& read = reply.rule->reason;
        std::string reason;
        if (read.kind == protocol::ReadKind::kText) {
            for (const std::byte byte : view.text(read)) {
                const auto c = static_cast<char>(byte);
                reason += c >= ' ' && c <= '~' ? c : '?';  // untrusted: it goes to a terminal
            }
        } else if (const auto number = view.number(read)) {
            reason = std::to_string(*number);
        }
        return reason.empty() ? "" : ": " + reason;
    }

    void send(std::uint16_t message) {
        std::vector<std::byte> bytes(codec_.room());
        bytes.resize(codec_.encode_session(message, bytes.data()));
        const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) throw LoadError::from_errno("log on to " + peer_, errno);
        // A new connection takes the little that a logon is in one piece.
        if (static_cast<std::size_t>(sent) != bytes.size()) fail("the logon could not be sent");
    }

    int fd_;
    WireCodec& codec_;
    const std::string& peer_;
    std::vector<std::byte> received_;
    bool done_ = false;
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
