// Carries out a level in virtual time and adds up what it recorded.
#pragma once

#include <memory>
#include <vector>

#include "client/summary.h"
#include "client/wire_codec.h"
#include "client/worker.h"
#include "protocol/orderwire_plan.h"
#include "protocol/plan_reader.h"
#include "tests/client/virtual_network.h"

namespace cluster::test {

/// New orders only: what an engine makes of them does not matter here.
inline std::vector<Intent> plain_flow() {
    return std::vector<Intent>(16,
                               {100, 1, 0, 0, Action::kNew, OrderKind::kLimit, OrderSide::kBuy});
}

inline const protocol::Plan& orderwire_plan() {
    static const protocol::Plan plan = protocol::read_plan(protocol::kOrderwirePlan);
    return plan;
}

struct Level {
    WorkerPlan plan{
        .start_ns = kNsPerMs, .duration_ns = 10 * kNsPerS, .drain_ns = 5 * kNsPerS, .spin = false};
    std::int64_t timeout_ns = 100 * kNsPerS;
    std::uint32_t in_flight = 65'536;
    std::size_t collect_every = 1;  ///< the collector comes at each n-th wait; 0: never
    const protocol::Plan* protocol = &orderwire_plan();
    std::vector<Intent> flow = plain_flow();
};

struct Outcome {
    Progress progress;
    std::vector<Interval> intervals;
    std::vector<Activity> activity;
    Books interval_books;
    std::unique_ptr<Histogram<std::uint64_t>> response = make();
    std::unique_ptr<Histogram<std::uint64_t>> service = make();
    std::unique_ptr<Histogram<std::uint64_t>> send_lag = make();
    std::unique_ptr<Histogram<std::uint64_t>> engine = make();
    std::unique_ptr<Histogram<std::uint64_t>> other_reply = make();

    static std::unique_ptr<Histogram<std::uint64_t>> make() {
        return std::make_unique<Histogram<std::uint64_t>>();
    }
};

inline std::uint64_t total(const Histogram<std::uint64_t>& histogram) {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : histogram.counts()) sum += count;
    return sum;
}

/// Runs one worker over `world`'s links. `during` may act at each wait, as another thread would.
template <class Schedule>
Outcome carry_out(VirtualWorld& world, Schedule schedule, const Level& level,
                  std::function<void(WorkerShared&)> during = {}) {
    using VirtualWorker = Worker<VirtualClock, VirtualNetwork, WireCodec, Schedule>;
    using Connections = typename VirtualWorker::Connections;
    const auto shared = std::make_unique<WorkerShared>();
    Outcome outcome;
    std::size_t waits = 0;
    world.on_wait = [&] {
        if (level.collect_every > 0 && ++waits % level.collect_every == 0) {
            shared->intervals.collect(outcome.intervals);
            shared->activity.collect(outcome.activity);
        }
        if (during) during(*shared);
    };
    const auto links = static_cast<std::uint32_t>(world.links.size());
    std::vector<typename Connections::Member> connections;
    for (std::uint32_t i = 0; i < links; ++i) {
        connections.emplace_back(
            VirtualNetwork::Socket{&world, i}, WireCodec(*level.protocol, Random(i), {}),
            level.flow, ConnectionPlan{(level.in_flight + links - 1) / links, level.timeout_ns, 0});
    }
    VirtualWorker worker(VirtualClock{&world},
                         Connections({&world, {}}, std::move(connections), level.in_flight),
                         schedule, level.plan, *shared);
    worker.run();
    shared->intervals.collect(outcome.intervals);
    shared->activity.collect(outcome.activity);
    outcome.progress = shared->progress.read();
    for (const Interval& interval : outcome.intervals) {
        outcome.interval_books += interval.books;
        add_to(*outcome.response, interval.response);
        add_to(*outcome.service, interval.service);
        add_to(*outcome.send_lag, interval.send_lag);
        add_to(*outcome.engine, interval.engine);
        add_to(*outcome.other_reply, interval.other_reply);
    }
    world.on_wait = {};
    return outcome;
}

/// A worker's constant arrivals for `level`.
inline ConstantArrivals constantly(double rate_per_s, const Level& level) {
    return {rate_per_s, 0, 0, 1, level.plan.start_ns};
}

}  // namespace cluster::test
