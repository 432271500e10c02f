// A neutral judge of pacing: accepts load from any tool, stamps every request as it arrives,
// answers it, and writes the arrival times (CLOCK_MONOTONIC ns, uint64) when the load is over.
//
// usage: arrivals PORT MODE OUT
//   MODE  orderwire       every request is answered with Accepted
//         fixed:REQ:REP   requests of REQ bytes, answered with their first REP bytes
//         resp | http     Redis and HTTP requests, so that other tools can be judged by the same
//         eye
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "wire/orderwire.h"

namespace {

using namespace cluster;

constexpr std::uint64_t kQuietNs = 1'000'000'000;  // the load is over when nobody came for so long
constexpr std::size_t kArrivalsReserved = 40'000'000;

std::uint64_t now_ns() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(time.tv_nsec);
}

/// Finds whole requests at the start of a stream and says what answers them.
class Protocol {
public:
    explicit Protocol(const std::string& mode) : mode_(mode) {
        if (mode.rfind("fixed:", 0) == 0) {
            std::sscanf(mode.c_str(), "fixed:%zu:%zu", &request_bytes_, &reply_bytes_);
        }
    }

    /// Length of the first whole request of `bytes`, 0 if it is not whole yet; appends its answer.
    std::size_t take(std::string_view bytes, std::uint64_t at_ns, std::string& answer) const {
        if (mode_ == "orderwire") return take_orderwire(bytes, at_ns, answer);
        if (request_bytes_ > 0) return take_fixed(bytes, answer);
        if (mode_ == "resp") return take_resp(bytes, answer);
        const std::size_t end = bytes.find("\r\n\r\n");
        if (end == std::string_view::npos) return 0;
        answer += "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        return end + 4;
    }

private:
    static std::size_t take_orderwire(std::string_view bytes, std::uint64_t at_ns,
                                      std::string& answer) {
        orderwire::New request{};
        if (bytes.size() < sizeof(orderwire::Header) + sizeof(request.order_id)) return 0;
        std::memcpy(&request, bytes.data(), sizeof(orderwire::Header) + sizeof(request.order_id));
        if (bytes.size() < request.header.length || request.header.length == 0) return 0;
        orderwire::Accepted reply{};
        reply.header = {sizeof(reply), orderwire::Type::kAccepted, 0, request.header.symbol};
        reply.order_id = request.order_id;
        reply.engine_received_ns = at_ns;
        reply.engine_replied_ns = at_ns;
        answer.append(reinterpret_cast<const char*>(&reply), sizeof(reply));
        return request.header.length;
    }

    std::size_t take_fixed(std::string_view bytes, std::string& answer) const {
        if (bytes.size() < request_bytes_) return 0;
        answer.append(bytes.substr(0, reply_bytes_));
        return request_bytes_;
    }

    static std::size_t take_resp(std::string_view bytes, std::string& answer) {
        std::size_t end = bytes.find("\r\n");
        if (end == std::string_view::npos) return 0;
        std::size_t used = end + 2;
        const int parts = bytes[0] == '*' ? std::atoi(bytes.data() + 1) : 0;
        for (int part = 0; part < parts; ++part) {
            end = bytes.find("\r\n", used);
            if (end == std::string_view::npos) return 0;
            used = end + 4 + static_cast<std::size_t>(std::atoi(bytes.data() + used + 1));
            if (used > bytes.size()) return 0;
        }
        answer += "+OK\r\n";
        return used;
    }

    std::string mode_;
    std::size_t request_bytes_ = 0;
    std::size_t reply_bytes_ = 0;
};

int listen_on(std::uint16_t port) {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
        listen(listener, 1024) != 0) {
        std::perror("listen");
        std::exit(1);
    }
    return listener;
}

void watch(int poller, int socket) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = socket;
    epoll_ctl(poller, EPOLL_CTL_ADD, socket, &event);
}

void send_all(int socket, const std::string& bytes) {
    for (std::size_t sent = 0; sent < bytes.size();) {
        const ssize_t n = send(socket, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) return;
        sent += static_cast<std::size_t>(n);
    }
}

class Judge {
public:
    Judge(std::uint16_t port, const std::string& mode)
        : protocol_(mode), listener_(listen_on(port)), poller_(epoll_create1(0)) {
        arrivals_ns_.reserve(kArrivalsReserved);
        watch(poller_, listener_);
    }

    const std::vector<std::uint64_t>& run() {
        std::array<epoll_event, 256> events;
        std::uint64_t quiet_since_ns = 0;
        for (bool any = false;;) {
            const int ready = epoll_wait(poller_, events.data(), events.size(), 0);
            for (int k = 0; k < ready; ++k) {
                const int socket = events[static_cast<std::size_t>(k)].data.fd;
                any = true;
                socket == listener_ ? accept_one() : read_one(socket);
            }
            if (!any || !pending_.empty()) {
                quiet_since_ns = 0;
            } else if (quiet_since_ns == 0) {
                quiet_since_ns = now_ns();
            } else if (now_ns() - quiet_since_ns > kQuietNs) {
                return arrivals_ns_;
            }
        }
    }

private:
    void accept_one() {
        const int socket = accept(listener_, nullptr, nullptr);
        if (socket < 0) return;
        const int on = 1;
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        watch(poller_, socket);
        pending_[socket];
    }

    void read_one(int socket) {
        const ssize_t n = recv(socket, buffer_.data(), buffer_.size(), 0);
        const std::uint64_t at_ns = now_ns();
        if (n <= 0) {
            close(socket);
            pending_.erase(socket);
            return;
        }
        std::string& pending = pending_[socket];
        pending.append(buffer_.data(), static_cast<std::size_t>(n));
        std::size_t used = 0;
        answer_.clear();
        while (const std::size_t whole =
                   protocol_.take(std::string_view(pending).substr(used), at_ns, answer_)) {
            used += whole;
            arrivals_ns_.push_back(at_ns);
        }
        pending.erase(0, used);
        send_all(socket, answer_);
    }

    Protocol protocol_;
    int listener_;
    int poller_;
    std::unordered_map<int, std::string> pending_;  // bytes of a request that is not whole yet
    std::vector<std::uint64_t> arrivals_ns_;
    std::array<char, 1 << 18> buffer_{};
    std::string answer_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fprintf(stderr, "usage: arrivals PORT orderwire|fixed:REQ:REP|resp|http OUT\n");
        return 2;
    }
    static Judge judge(static_cast<std::uint16_t>(std::atoi(argv[1])), argv[2]);
    const std::vector<std::uint64_t>& arrivals_ns = judge.run();
    std::FILE* out = std::fopen(argv[3], "wb");
    if (out == nullptr) {
        std::perror(argv[3]);
        return 1;
    }
    std::fwrite(arrivals_ns.data(), sizeof(std::uint64_t), arrivals_ns.size(), out);
    std::fclose(out);
    std::fprintf(stderr, "%zu arrivals\n", arrivals_ns.size());
}
