// loadcluster-client: one level of load without Python.
#include <csignal>
#include <cstdio>
#include <exception>
#include <iterator>
#include <string>
#include <vector>

#include "client/errors.h"
#include "client/load_client.h"
#include "client/options.h"
#include "client/summary.h"

namespace {

volatile std::sig_atomic_t interrupted = 0;

void interrupt(int) {
    interrupted = 1;
}

int run(const cluster::LoadConfig& config) {
    using namespace cluster;
    constexpr std::int64_t kConnectTimeoutNs = 10 * kNsPerS;
    constexpr std::int64_t kHeadStartNs = 50 * kNsPerMs;
    LoadClient client(config);
    client.connect(kConnectTimeoutNs);
    client.start_at(MonotonicClock::now_ns() + kHeadStartNs);
    std::vector<Interval> intervals;
    for (bool finished = false; !finished;) {
        finished = client.join(100 * kNsPerMs);
        if (interrupted != 0) client.stop();
        for (Interval& interval : client.take_intervals()) {
            intervals.push_back(std::move(interval));
        }
    }
    const Progress progress = client.progress();
    const ReasonCounts reasons = client.reject_reasons();
    client.close();
    std::fputs(summary_json(progress, intervals, reasons, config.duration_ns).c_str(), stdout);
    return interrupted != 0 ? 130 : 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    std::signal(SIGINT, interrupt);
    std::signal(SIGTERM, interrupt);
    for (const std::string& argument : arguments) {
        if (argument == "--help" || argument == "-h") {
            std::fputs(cluster::usage().c_str(), stdout);
            return 0;
        }
    }
    cluster::LoadConfig config;
    try {
        config = cluster::parse_options(arguments);
    } catch (const cluster::LoadError& error) {
        std::fprintf(stderr, "loadcluster-client: %s\n", error.what());
        return 2;
    }
    try {
        return run(config);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "loadcluster-client: %s\n", error.what());
        return 1;
    }
}
