// How late constant arrivals at 100,000 orders/s reach the engine, by the engine's own watch:
// arrival n against start + n / rate, on one connection, client and server on a core each.
//
//     client_lateness [SECONDS [CLIENT_CPU SERVER_CPU]]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "bench/ack_server.h"
#include "client/arrivals.h"
#include "client/load_client.h"

namespace {

using namespace cluster;

constexpr double kRatePerS = 100'000;
constexpr double kGoalP50Us = 2;
constexpr double kGoalP99Us = 100;

std::vector<double> lateness_us(int seconds, int client_cpu, int server_cpu) {
    const auto orders = static_cast<std::size_t>(kRatePerS) * static_cast<std::size_t>(seconds);
    bench::AckServer server(server_cpu, orders);
    LoadConfig config;
    config.port = server.port();
    config.arrivals = ArrivalLaw::kConstant;
    config.rate_per_s = kRatePerS;
    config.duration_ns = seconds * kNsPerS;
    config.spin = true;
    if (client_cpu >= 0) config.cpus = {client_cpu};
    LoadClient client(config);
    client.connect(kNsPerS);
    const std::int64_t start_ns = MonotonicClock::now_ns() + 100 * kNsPerMs;
    client.start_at(start_ns);
    if (!client.join(config.duration_ns + 10 * kNsPerS)) return {};
    client.close();
    std::vector<double> late_us;
    ConstantArrivals schedule(kRatePerS, 0, 0, 1, start_ns);
    for (const std::int64_t arrived_ns : server.take_arrivals()) {
        late_us.push_back(static_cast<double>(arrived_ns - schedule.due_ns()) / 1e3);
        schedule.advance();
    }
    if (late_us.size() != orders) std::printf("only %zu orders arrived\n", late_us.size());
    std::sort(late_us.begin(), late_us.end());
    return late_us;
}

}  // namespace

int main(int argc, char** argv) {
    const int seconds = argc > 1 ? std::atoi(argv[1]) : 5;
    const int client_cpu = argc > 3 ? std::atoi(argv[2]) : 0;
    const int server_cpu = argc > 3 ? std::atoi(argv[3]) : 1;
    const std::vector<double> late_us = lateness_us(seconds, client_cpu, server_cpu);
    if (late_us.empty()) return 1;
    const auto at = [&](double quantile) {
        const auto rank = static_cast<std::size_t>(quantile * static_cast<double>(late_us.size()));
        return late_us[std::min(rank, late_us.size() - 1)];
    };
    std::printf(
        "lateness at %.0f/s: p50 %.1f µs (goal %.0f), p99 %.1f µs (goal %.0f), max %.0f µs\n",
        kRatePerS, at(0.5), kGoalP50Us, at(0.99), kGoalP99Us, late_us.back());
    return 0;
}
