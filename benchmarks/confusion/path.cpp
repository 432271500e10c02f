// A network path of its own between two network namespaces: it delays, loses and limits packets.
//
//   path DELAY_US LOSS_RATIO RATE_BIT_PER_S QUEUE_MS SEED
//
// Both namespaces belong to this process alone, so nothing of them outlives it: it ends when its
// parent does, or when its stdin closes. The engine's end has address 10.199.0.1, the clients' end
// 10.199.0.2. It prints the two file descriptors under /proc/PID/fd to enter them by, and at the
// end how many packets it carried and how many it dropped. Each direction has the delay, the loss
// and the rate given; a packet that would wait longer than QUEUE_MS for its turn on a limited link
// is dropped, as a full buffer of a switch does. It stands in for `tc netem`, which is a module
// that many kernels are built without; TUN devices are everywhere.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <random>
#include <vector>

namespace {

constexpr std::int64_t NS_PER_S = 1'000'000'000;
constexpr std::size_t PACKET_MAX = 2048;
constexpr std::size_t QUEUED_MAX = 200'000;

[[noreturn]] void fail(const char* what) {
    std::fprintf(stderr, "%s: %s\n", what, std::strerror(errno));
    std::exit(1);
}

int checked(int result, const char* what) {
    if (result < 0) fail(what);
    return result;
}

std::int64_t now_ns() {
    timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

void bring_up(const char* device, const char* address) {
    const int control = checked(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
    ifreq request{};
    std::strncpy(request.ifr_name, device, IFNAMSIZ - 1);
    if (address != nullptr) {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        ::inet_pton(AF_INET, address, &at.sin_addr);
        std::memcpy(&request.ifr_addr, &at, sizeof at);
        checked(::ioctl(control, SIOCSIFADDR, &request), "address");
        ::inet_pton(AF_INET, "255.255.255.0", &at.sin_addr);
        std::memcpy(&request.ifr_netmask, &at, sizeof at);
        checked(::ioctl(control, SIOCSIFNETMASK, &request), "netmask");
    }
    checked(::ioctl(control, SIOCGIFFLAGS, &request), "flags");
    request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP | IFF_RUNNING);
    checked(::ioctl(control, SIOCSIFFLAGS, &request), "up");
    ::close(control);
}

struct End {
    int space;  // the network namespace
    int device;
};

End make_end(const char* address) {
    checked(::unshare(CLONE_NEWNET), "unshare (root is needed)");
    const int space = checked(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), "namespace");
    const int device =
        checked(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), "/dev/net/tun");
    ifreq request{};
    std::strncpy(request.ifr_name, "path", IFNAMSIZ - 1);
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    checked(::ioctl(device, TUNSETIFF, &request), "TUNSETIFF");
    bring_up("lo", nullptr);
    bring_up("path", address);
    return {space, device};
}

struct Law {
    std::int64_t delay_ns;
    double loss_ratio;
    double rate_bit_per_s;  // 0: not limited
    std::int64_t queue_ns;
};

class Direction {
public:
    Direction(int from, int to, const Law& law, std::uint64_t seed)
        : from_(from), to_(to), law_(law), random_(seed) {}

    void take() {
        for (;;) {
            const auto length = ::read(from_, buffer_.data(), buffer_.size());
            if (length <= 0) return;
            admit(now_ns(), static_cast<std::size_t>(length));
        }
    }

    void deliver(std::int64_t now) {
        while (!waiting_.empty() && waiting_.front().due_ns <= now) {
            const auto& bytes = waiting_.front().bytes;
            if (::write(to_, bytes.data(), bytes.size()) < 0) ++dropped;
            waiting_.pop_front();
        }
    }

    std::int64_t next_ns() const { return waiting_.empty() ? INT64_MAX : waiting_.front().due_ns; }

    std::uint64_t carried = 0;
    std::uint64_t dropped = 0;

private:
    struct Packet {
        std::int64_t due_ns;
        std::vector<char> bytes;
    };

    void admit(std::int64_t now, std::size_t length) {
        if (waiting_.size() >= QUEUED_MAX || uniform_(random_) < law_.loss_ratio) {
            ++dropped;
            return;
        }
        std::int64_t sent = now;
        if (law_.rate_bit_per_s > 0) {
            if (free_ns_ - now > law_.queue_ns) {
                ++dropped;
                return;
            }
            const double bits = 8.0 * static_cast<double>(length);
            free_ns_ = std::max(now, free_ns_) +
                       static_cast<std::int64_t>(bits / law_.rate_bit_per_s * NS_PER_S);
            sent = free_ns_;
        }
        ++carried;
        waiting_.push_back({sent + law_.delay_ns, {buffer_.data(), buffer_.data() + length}});
    }

    int from_;
    int to_;
    Law law_;
    std::mt19937_64 random_;
    std::uniform_real_distribution<double> uniform_{0.0, 1.0};
    std::deque<Packet> waiting_;
    std::int64_t free_ns_ = 0;
    std::array<char, PACKET_MAX> buffer_{};
};

volatile std::sig_atomic_t ended = 0;

void run(const End& engine, const End& clients, const Law& law, std::uint64_t seed) {
    Direction there(clients.device, engine.device, law, seed);
    Direction back(engine.device, clients.device, law, seed + 1);
    std::array<pollfd, 3> watched{
        {{clients.device, POLLIN, 0}, {engine.device, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
    while (ended == 0) {
        const std::int64_t next = std::min(there.next_ns(), back.next_ns());
        timespec wait{1, 0};
        if (next != INT64_MAX) {
            const std::int64_t rest = std::clamp<std::int64_t>(next - now_ns(), 0, NS_PER_S);
            wait = {rest / NS_PER_S, rest % NS_PER_S};
        }
        ::ppoll(watched.data(), watched.size(), &wait, nullptr);
        if (watched[2].revents != 0) break;  // the parent closed it
        there.take();
        back.take();
        const std::int64_t now = now_ns();
        there.deliver(now);
        back.deliver(now);
    }
    std::printf("{\"carried\": %llu, \"dropped\": %llu}\n",
                static_cast<unsigned long long>(there.carried + back.carried),
                static_cast<unsigned long long>(there.dropped + back.dropped));
}

}  // namespace

int main(int count, char** words) {
    if (count != 6) {
        std::fprintf(stderr, "usage: path DELAY_US LOSS_RATIO RATE_BIT_PER_S QUEUE_MS SEED\n");
        return 2;
    }
    const pid_t parent = ::getppid();
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (::getppid() != parent) return 1;
    ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    struct sigaction on_term{};
    on_term.sa_handler = [](int) { ended = 1; };
    ::sigaction(SIGTERM, &on_term, nullptr);
    ::signal(SIGINT, SIG_IGN);  // the parent says when
    const Law law{std::atoll(words[1]) * 1000, std::atof(words[2]), std::atof(words[3]),
                  std::atoll(words[4]) * 1'000'000};
    const End engine = make_end("10.199.0.1");
    const End clients = make_end("10.199.0.2");
    std::printf("{\"engine\": %d, \"clients\": %d}\n", engine.space, clients.space);
    std::fflush(stdout);
    run(engine, clients, law, std::strtoull(words[5], nullptr, 10));
    return 0;
}
