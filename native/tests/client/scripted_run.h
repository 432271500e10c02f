// Carries out a level of one connection against a scripted engine, in virtual time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "client/summary.h"
#include "client/wire_codec.h"
#include "client/worker.h"
#include "protocol/plan_reader.h"
#include "tests/client/scripted_network.h"

namespace cluster::test {

struct ScriptedLevel {
    std::vector<Intent> flow;
    double rate_per_s = 10;
    std::int64_t duration_ns = kNsPerS;
    std::int64_t drain_ns = kNsPerS;
    std::int64_t timeout_ns = 500 * kNsPerMs;
    std::int64_t goodbye_ns = 0;
    std::uint32_t in_flight = 64;
    std::int64_t start_ns = kNsPerMs;
};

struct ScriptedOutcome {
    Progress progress;
    std::vector<std::pair<std::string, std::uint64_t>> reasons;
    Books interval_books;
    std::vector<std::uint64_t> response_ns;  ///< lowest value of its bucket, one by one, rising
    std::vector<std::uint64_t> other_reply_ns;
    std::vector<std::uint64_t> engine_ns;
};

inline void spread(const SparseHistogram& histogram, std::vector<std::uint64_t>& values) {
    for (std::size_t i = 0; i < histogram.indices.size(); ++i) {
        values.insert(values.end(), histogram.counts[i],
                      HistogramLayout::lowest_at(histogram.indices[i]));
    }
}

template <class Schedule>
ScriptedOutcome carry_out_scripted(const protocol::Plan& plan, ScriptedWorld& world,
                                   const ScriptedLevel& level, Schedule schedule) {
    using ScriptedWorker = Worker<ScriptedClock, ScriptedNetwork, WireCodec, Schedule>;
    using Connections = typename ScriptedWorker::Connections;
    const auto shared = std::make_unique<WorkerShared>();
    std::vector<typename Connections::Member> connections;
    const auto links = static_cast<std::uint32_t>(world.links.size());
    for (std::uint32_t i = 0; i < links; ++i) {
        connections.emplace_back(
            ScriptedNetwork::Socket{&world, i}, WireCodec(plan, Random(i), {1, i}), level.flow,
            ConnectionPlan{(level.in_flight + links - 1) / links, level.timeout_ns, 64});
    }
    ScriptedWorker worker(ScriptedClock{&world},
                          Connections({&world, {}}, std::move(connections), level.in_flight),
                          schedule,
                          {.start_ns = level.start_ns,
                           .duration_ns = level.duration_ns,
                           .drain_ns = level.drain_ns,
                           .spin = false,
                           .goodbye_ns = level.goodbye_ns},
                          *shared);
    worker.run();
    ScriptedOutcome outcome;
    outcome.progress = shared->progress.read();
    outcome.reasons = shared->reasons.counts();
    std::vector<Interval> intervals;
    shared->intervals.collect(intervals);
    for (const Interval& interval : intervals) {
        outcome.interval_books += interval.books;
        spread(interval.response, outcome.response_ns);
        spread(interval.other_reply, outcome.other_reply_ns);
        spread(interval.engine, outcome.engine_ns);
    }
    return outcome;
}

inline ScriptedOutcome carry_out_scripted(const protocol::Plan& plan, ScriptedWorld& world,
                                          const ScriptedLevel& level) {
    return carry_out_scripted(plan, world, level,
                              ConstantArrivals(level.rate_per_s, 0, 0, 1, level.start_ns));
}

inline Intent new_order(OrderKind kind = OrderKind::kLimit, std::uint32_t size = 100) {
    return {1'000, size, 0, 0, Action::kNew, kind, OrderSide::kBuy};
}
inline Intent cancel_of(std::uint32_t back) {
    return {0, 0, 0, back, Action::kCancel, OrderKind::kLimit, OrderSide::kBuy};
}
inline Intent replace_of(std::uint32_t back) {
    return {1'001, 100, 0, back, Action::kReplace, OrderKind::kLimit, OrderSide::kBuy};
}

}  // namespace cluster::test
