// What a worker tells of its own doings, in virtual time where every ns is known.
#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "tests/client/virtual_run.h"

using namespace cluster;
using namespace cluster::test;

namespace {

VirtualWorld world_with(std::int64_t service_ns) {
    VirtualWorld world;
    world.links.resize(1);
    world.links[0].service_ns = service_ns;
    return world;
}

std::uint64_t sum_of(const auto& numbers) {
    return std::accumulate(numbers.begin(), numbers.end(), std::uint64_t{0});
}

std::uint64_t sends(const Outcome& outcome) {
    std::uint64_t orders = 0;
    for (const Activity& second : outcome.activity) orders += sum_of(second.sent_per_ms);
    return orders;
}

double order_ns(const Outcome& outcome) {
    std::uint64_t sum = 0;
    for (const Activity& second : outcome.activity) sum += sum_of(second.in_flight_order_ns);
    return static_cast<double>(sum);
}

/// How often the loop needed at least so long.
std::uint64_t gaps_from(const Outcome& outcome, std::int64_t least_ns) {
    const auto least = HistogramLayout::index_of(static_cast<std::uint64_t>(least_ns));
    std::uint64_t gaps = 0;
    for (const Activity& second : outcome.activity) {
        for (std::size_t i = 0; i < second.poll_gap.indices.size(); ++i) {
            if (second.poll_gap.indices[i] >= least) gaps += second.poll_gap.counts[i];
        }
    }
    return gaps;
}

}  // namespace

TEST_CASE("every order has its ms, its slot and its share of what is in flight") {
    VirtualWorld world = world_with(100'000);
    const Level level;
    const Outcome outcome = carry_out(world, constantly(1'000, level), level);
    CHECK(outcome.progress.books.accepted == 10'000);
    CHECK(sends(outcome) == 10'000);
    CHECK(outcome.progress.errors[ErrorKind::kActivityOverrun] == 0);
    for (std::size_t k = 0; k < 10; ++k) {
        REQUIRE(outcome.activity[k].index == static_cast<std::int64_t>(k));
        CHECK(sum_of(outcome.activity[k].sent_per_ms) == 1'000);
        for (const std::uint32_t due : outcome.intervals[k].slots.due) CHECK(due == 50);
        CHECK(sum_of(outcome.intervals[k].slots.counts) == 1'000);
    }
    // Little's law, exactly: what was in flight is the sum of the service times. One takes the
    // 100 µs and a look at the clock or two.
    const double mean_ns = order_ns(outcome) / 10'000;
    CHECK(mean_ns >= 100'000);
    CHECK(mean_ns < 100'200);
}

TEST_CASE("what waits in the backlog is not in flight") {
    VirtualWorld world = world_with(kNsPerMs);
    Level level;
    level.in_flight = 4;
    level.plan.duration_ns = kNsPerS;
    const Outcome outcome = carry_out(world, constantly(2'000, level), level);
    CHECK(outcome.progress.books.accepted == 2'000);
    CHECK(sends(outcome) == 2'000);
    REQUIRE(outcome.activity.size() >= 2);
    // Four are always in flight while 1,000 wait.
    const auto& slots = outcome.activity[0].in_flight_order_ns;
    for (std::size_t slot = 1; slot < kSlotsPerS; ++slot) {
        CHECK(static_cast<double>(slots[slot]) == doctest::Approx(4.0 * kSlotNs).epsilon(0.001));
    }
}

TEST_CASE("orders that time out are in flight until then") {
    VirtualWorld world = world_with(0);
    world.links[0].answers = false;
    Level level;
    level.plan.duration_ns = kNsPerS;
    level.timeout_ns = 200 * kNsPerMs;
    const Outcome outcome = carry_out(world, constantly(100, level), level);
    CHECK(outcome.progress.books.timed_out == 100);
    // Time-outs are looked for every 10 ms.
    CHECK(order_ns(outcome) >= 100 * 200e6);
    CHECK(order_ns(outcome) <= 100 * 211e6);
}

TEST_CASE("a stall of the client is in the poll gaps, sleep that was meant is not") {
    VirtualWorld world = world_with(1'000);
    const Level level;
    std::int64_t stalled_ns = 0;
    const auto stall = [&](WorkerShared&) {
        // As if the thread had been taken from the CPU, once, in the third second.
        if (stalled_ns == 0 && world.now_ns > 3 * kNsPerS) {
            stalled_ns = 7 * kNsPerMs;
            world.now_ns += stalled_ns;
        }
    };
    const Outcome outcome = carry_out(world, constantly(100, level), level, stall);
    CHECK(stalled_ns > 0);
    // It sleeps 5 ms at most and until the next order is due, 10 ms after the last.
    CHECK(gaps_from(outcome, 6 * kNsPerMs) == 0);
    CHECK(gaps_from(outcome, kNsPerMs) == 1);
    const std::uint64_t passes = gaps_from(outcome, 0);
    CHECK(passes > 3'000);
}

TEST_CASE("a worker that spins has a gap for every pass") {
    VirtualWorld world = world_with(1'000);
    Level level;
    level.plan.spin = true;
    level.plan.duration_ns = 10 * kNsPerMs;
    level.plan.drain_ns = kNsPerMs;
    const Outcome outcome = carry_out(world, constantly(1'000, level), level);
    REQUIRE(outcome.activity.size() == 1);
    const double passes = static_cast<double>(sum_of(outcome.activity[0].poll_gap.counts));
    // A pass looks at the clock twice, and once more for a send and for an answer.
    CHECK(passes ==
          doctest::Approx(10e6 / (2.0 * static_cast<double>(world.tick_ns))).epsilon(0.1));
}

TEST_CASE("the sample of send times is what the schedule sends in the slice") {
    VirtualWorld world = world_with(1'000);
    Level level;
    level.plan.sample = {100 * kNsPerMs};
    level.plan.duration_ns = 3 * kNsPerS;
    const Outcome outcome = carry_out(world, constantly(1'000, level), level);
    for (std::size_t k = 0; k < 3; ++k) {
        const auto& sample = outcome.activity[k].send_sample_ns;
        CHECK(std::abs(std::ssize(sample) - 100) <= 1);
        const std::int64_t from_ns = level.plan.sample.start_ns(static_cast<std::int64_t>(k));
        CHECK(sample.front() >= from_ns);
        CHECK(sample.back() < from_ns + 100 * kNsPerMs);
    }
}
