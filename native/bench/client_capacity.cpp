// How many orders a second one client core takes round trip, closed-loop with 1024 in flight,
// every histogram recorded; beside a bare loop of send and recv that records nothing, and the same
// without the kernel's time stamps.
//
//     client_capacity [--seconds S] [--cpus CLIENT,SERVER]
#include <sys/socket.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "bench/ack_server.h"
#include "client/load_client.h"
#include "wire/orderwire.h"

namespace {

using namespace cluster;

constexpr std::uint32_t kInFlight = 1024;
constexpr double kGoalPerS = 5e6;
constexpr int kRounds = 5;

struct Settings {
    double seconds = 1;
    int client_cpu = 0;
    int server_cpu = 1;
};

/// Orders per second of a loop that sends as many requests as replies came, and nothing else.
double bare_loop(const Settings& settings) {
    const bench::AckServer server(settings.server_cpu);
    bench::pin_to(settings.client_cpu);
    const FileDescriptor fd = bench::connect_to(server.port());
    std::vector<orderwire::New> requests(kInFlight);
    for (std::size_t i = 0; i < requests.size(); ++i) {
        requests[i].header = {sizeof(orderwire::New), orderwire::Type::kNew, 1, 0};
        requests[i].order_id = i + 1;
    }
    std::vector<std::byte> replies(65'536);
    const std::int64_t start_ns = MonotonicClock::now_ns();
    const auto end_ns = start_ns + static_cast<std::int64_t>(settings.seconds * 1e9);
    std::uint64_t answered = 0;
    std::uint64_t receives = 0;
    std::size_t may_send = kInFlight;
    std::size_t left_over = 0;
    while (MonotonicClock::now_ns() < end_ns) {
        if (may_send > 0) {
            const std::size_t bytes = may_send * sizeof(orderwire::New);
            if (::send(fd.get(), requests.data(), bytes, MSG_NOSIGNAL) !=
                static_cast<ssize_t>(bytes)) {
                return 0;
            }
            may_send = 0;
        }
        const ssize_t got = ::recv(fd.get(), replies.data(), replies.size(), MSG_DONTWAIT);
        if (got == 0) return 0;
        if (got < 0) continue;
        ++receives;
        left_over += static_cast<std::size_t>(got);
        may_send = left_over / sizeof(orderwire::Accepted);
        left_over %= sizeof(orderwire::Accepted);
        answered += may_send;
    }
    if (answered > server.answered()) return 0;  // more than the server ever sent
    // The rate hangs on it: lumps of the whole window share their system calls.
    std::printf("bare loop: %.0f orders per recv; ",
                static_cast<double>(answered) / static_cast<double>(receives > 0 ? receives : 1));
    return static_cast<double>(answered) * 1e9 /
           static_cast<double>(MonotonicClock::now_ns() - start_ns);
}

double load_client(const Settings& settings, bool kernel_times) {
    const bench::AckServer server(settings.server_cpu);
    LoadConfig config;
    config.port = server.port();
    config.arrivals = ArrivalLaw::kClosed;
    config.in_flight = kInFlight;
    config.duration_ns = static_cast<std::int64_t>(settings.seconds * 1e9);
    config.spin = true;
    config.kernel_times = kernel_times;
    if (settings.client_cpu >= 0) config.cpus = {settings.client_cpu};
    LoadClient client(config);
    client.connect(kNsPerS);
    client.start_at(MonotonicClock::now_ns() + 10 * kNsPerMs);
    if (!client.join(config.duration_ns + 10 * kNsPerS)) return 0;
    const Books books = client.progress().books;
    std::uint64_t recorded = 0;
    for (const Interval& interval : client.take_intervals()) {
        for (const std::uint64_t count : interval.response.counts) recorded += count;
    }
    if (!books.balanced() || recorded != books.accepted || recorded != server.answered()) {
        std::printf("the books do not balance\n");
        return 0;
    }
    return static_cast<double>(books.accepted) / settings.seconds;
}

Settings parse(int argc, char** argv) {
    Settings settings;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string flag = argv[i];
        if (flag == "--seconds") settings.seconds = std::atof(argv[i + 1]);
        if (flag == "--cpus") {
            std::sscanf(argv[i + 1], "%d,%d", &settings.client_cpu, &settings.server_cpu);
        }
    }
    return settings;
}

}  // namespace

int main(int argc, char** argv) {
    const Settings settings = parse(argc, argv);
    // Alternating, and every round shown: one round alone has been off by a factor of four.
    std::vector<double> bare;
    std::vector<double> client;
    std::vector<double> unstamped;
    for (int round = 0; round < kRounds; ++round) {
        bare.push_back(bare_loop(settings));
        client.push_back(load_client(settings, true));
        unstamped.push_back(load_client(settings, false));
        std::printf("round %d: bare loop %11.0f/s, load client %11.0f/s, unstamped %11.0f/s\n",
                    round, bare.back(), client.back(), unstamped.back());
    }
    std::sort(bare.begin(), bare.end());
    std::sort(client.begin(), client.end());
    std::sort(unstamped.begin(), unstamped.end());
    const double median_per_s = client[kRounds / 2];
    std::printf(
        "median: load client %.0f orders/s, %.1f ns each, %.2f of the bare loop; "
        "goal %.0f: %s\n",
        median_per_s, 1e9 / median_per_s, median_per_s / bare[kRounds / 2], kGoalPerS,
        median_per_s >= kGoalPerS ? "met" : "missed");
    std::printf("median: the kernel's time stamps take %.1f ns of each order\n",
                1e9 / median_per_s - 1e9 / unstamped[kRounds / 2]);
    return client.front() > 0 && unstamped.front() > 0 ? 0 : 1;
}
