// How many requests per second the books take with no network around them: the order flow of many
// connections, in turn, through one Matcher on one thread.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "client/order_flow.h"
#include "engine/matcher.h"
#include "tests/engine/flow_session.h"

using namespace cluster;

namespace {

constexpr std::uint32_t kConnections = 64;
constexpr std::uint32_t kBlock = 16'384;
constexpr int kPasses = 8;
constexpr double kGoalPerS = 10e6;

}  // namespace

int main() {
    const FlowConfig config;
    std::vector<std::vector<Intent>> blocks;
    std::vector<engine::test::FlowSession> sessions;
    for (std::uint32_t connection = 0; connection < kConnections; ++connection) {
        blocks.push_back(make_flow(config, connection, kBlock));
    }
    for (std::uint32_t connection = 0; connection < kConnections; ++connection) {
        sessions.emplace_back(connection, blocks[connection]);
    }
    engine::Matcher matcher{{}};
    std::vector<engine::Reply> replies;
    double best_per_s = 0;
    std::uint64_t replies_in_all = 0;
    for (int pass = 0; pass < kPasses; ++pass) {
        const auto start = std::chrono::steady_clock::now();
        for (std::uint32_t position = 0; position < kBlock; ++position) {
            for (engine::test::FlowSession& session : sessions) {
                replies.clear();
                session.send_next(matcher, replies);
                replies_in_all += replies.size();
            }
        }
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        best_per_s = std::max(best_per_s, kConnections * kBlock / took.count());
    }
    const double requests = double{kConnections} * kBlock * kPasses;
    std::printf(
        "matcher: %.2f M requests/s on one thread (best of %d passes; goal %.0f M), "
        "%.2f replies per request, %zu living orders at the end\n",
        best_per_s / 1e6, kPasses, kGoalPerS / 1e6, static_cast<double>(replies_in_all) / requests,
        matcher.living_orders());
    return 0;
}
