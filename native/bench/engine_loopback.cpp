// How many orders per second the engine takes over loopback TCP from a client that keeps a fixed
// number in flight and does nothing else, and how much CPU its matching threads spend per order.
//
// usage: engine_loopback [seconds [in_flight [connections [engine_threads [spin]]]]]
// With two CPUs or more, the client runs on the last one and the engine on the others.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "client/clock.h"
#include "client/file_descriptor.h"
#include "client/order_flow.h"
#include "engine/server.h"
#include "tests/engine/flow_session.h"
#include "wire/orderwire.h"

using namespace cluster;

namespace {

constexpr double kGoalPerS = 1e6;
constexpr std::uint32_t kBlock = 65'536;

struct Settings {
    double seconds = 3;
    std::uint32_t in_flight = 1024;
    std::uint32_t connections = 4;
    std::uint32_t engine_threads = 1;
    bool spin = false;
};

class Client {
public:
    Client(std::uint16_t port, std::uint32_t index, std::uint32_t in_flight)
        : block_(make_flow({}, index, kBlock)), in_flight_max_(in_flight), received_(256 * 1024) {
        socket_ = FileDescriptor(::socket(AF_INET, SOCK_STREAM, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
            std::perror("connect");
            std::exit(1);
        }
        const int on = 1;
        ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }

    int socket() const { return socket_.get(); }

    void fill() {
        sending_.clear();
        for (; in_flight_ < in_flight_max_; ++in_flight_) {
            encode_next();
        }
        for (std::size_t done = 0; done < sending_.size();) {
            const ssize_t sent =
                ::send(socket_.get(), sending_.data() + done, sending_.size() - done, MSG_NOSIGNAL);
            if (sent <= 0) {
                std::perror("send");
                std::exit(1);
            }
            done += static_cast<std::size_t>(sent);
        }
    }

    /// How many orders were answered.
    std::uint32_t take() {
        const ssize_t count = ::recv(socket_.get(), received_.data() + carry_,
                                     received_.size() - carry_, MSG_DONTWAIT);
        if (count <= 0) {
            return 0;
        }
        const std::size_t size = carry_ + static_cast<std::size_t>(count);
        std::uint32_t answered = 0;
        std::size_t at = 0;
        while (size - at >= sizeof(orderwire::Header)) {
            orderwire::Header header;
            std::memcpy(&header, received_.data() + at, sizeof header);
            if (size - at < header.length) {
                break;
            }
            answered += header.type == orderwire::Type::kAccepted ||
                        header.type == orderwire::Type::kRejected ||
                        (header.type == orderwire::Type::kCancelled && header.detail == 0);
            at += header.length;
        }
        carry_ = size - at;
        std::memmove(received_.data(), received_.data() + at, carry_);
        in_flight_ -= answered;
        return answered;
    }

private:
    template <class Message>
    void put(const Message& message) {
        const auto* bytes = reinterpret_cast<const std::byte*>(&message);
        sending_.insert(sending_.end(), bytes, bytes + sizeof message);
    }

    void encode_next() {
        using namespace engine::test;
        const Intent& intent = block_[position_];
        position_ = position_ + 1 == block_.size() ? 0 : position_ + 1;
        const std::uint64_t id = ++last_id_;
        const std::uint64_t target = id - intent.target_back;
        switch (intent.action) {
            case Action::kNew: put(to_new(intent, id)); break;
            case Action::kReplace:
                put(replace_order(id, target, intent.price_ticks, intent.quantity, intent.symbol));
                break;
            case Action::kCancel: put(cancel_order(id, target, intent.symbol)); break;
        }
    }

    std::vector<Intent> block_;
    std::uint32_t in_flight_max_;
    std::vector<std::byte> received_;
    std::vector<std::byte> sending_;
    FileDescriptor socket_;
    std::size_t position_ = 0;
    std::uint64_t last_id_ = 0;
    std::uint32_t in_flight_ = 0;
    std::size_t carry_ = 0;
};

/// CPU time of this process's threads whose name begins with `prefix`.
std::int64_t cpu_ns_of(const std::string& prefix) {
    std::int64_t sum = 0;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::string name;
        std::int64_t on_cpu_ns = 0;
        std::ifstream(task.path() / "comm") >> name;
        std::ifstream(task.path() / "schedstat") >> on_cpu_ns;
        sum += name.starts_with(prefix) ? on_cpu_ns : 0;
    }
    return sum;
}

void run_on(unsigned cpu) {
    cpu_set_t only{};
    CPU_SET(cpu, &only);
    ::sched_setaffinity(0, sizeof only, &only);
}

Settings settings_from(int count, char** values) {
    Settings settings;
    if (count > 1) settings.seconds = std::atof(values[1]);
    if (count > 2) settings.in_flight = static_cast<std::uint32_t>(std::atoi(values[2]));
    if (count > 3) settings.connections = static_cast<std::uint32_t>(std::atoi(values[3]));
    if (count > 4) settings.engine_threads = static_cast<std::uint32_t>(std::atoi(values[4]));
    settings.spin = count > 5 && std::string(values[5]) == "spin";
    return settings;
}

}  // namespace

int main(int count, char** values) {
    const Settings settings = settings_from(count, values);
    engine::EngineOptions options;
    options.port = 0;
    options.threads = settings.engine_threads;
    options.wait = settings.spin ? engine::Wait::kSpin : engine::Wait::kBlock;
    const unsigned cpus = std::thread::hardware_concurrency();
    for (unsigned cpu = 0; cpu + 1 < cpus; ++cpu) {
        options.cpus.push_back(static_cast<int>(cpu));
    }
    engine::Server server(options);
    if (cpus > 1) {
        run_on(cpus - 1);
    }

    std::vector<Client> clients;
    std::vector<pollfd> waits;
    for (std::uint32_t index = 0; index < settings.connections; ++index) {
        clients.emplace_back(server.port(), index, settings.in_flight / settings.connections);
        waits.push_back({clients.back().socket(), POLLIN, 0});
    }
    const std::int64_t start_ns = MonotonicClock::now_ns();
    const std::int64_t cpu_before_ns = cpu_ns_of("match-");
    const auto end_ns = start_ns + static_cast<std::int64_t>(settings.seconds * 1e9);
    std::uint64_t answered = 0;
    std::int64_t now_ns = start_ns;
    for (; now_ns < end_ns; now_ns = MonotonicClock::now_ns()) {
        for (Client& client : clients) {
            client.fill();
        }
        ::poll(waits.data(), waits.size(), 100);
        for (Client& client : clients) {
            answered += client.take();
        }
    }
    const double seconds = static_cast<double>(now_ns - start_ns) / 1e9;
    const double cpu_ns = static_cast<double>(cpu_ns_of("match-") - cpu_before_ns);
    const double orders = static_cast<double>(answered);
    server.stop();

    std::printf(
        "%.2f M orders/s over loopback, %u in flight on %u connections, %u thread(s), %s "
        "(goal above %.0f M on one thread)\n",
        orders / seconds / 1e6, settings.in_flight, settings.connections, settings.engine_threads,
        settings.spin ? "spin" : "block", kGoalPerS / 1e6);
    std::printf(
        "%.0f ns of matching threads' CPU per order: %.2f M orders/s per core of their "
        "own; busy %.0f %% of %u CPU(s)\n",
        cpu_ns / orders, orders / cpu_ns * 1e3, 100 * cpu_ns / 1e9 / seconds,
        settings.engine_threads);
    std::printf("%s", engine::describe(server.counters()).c_str());
    return 0;
}
