// A level whose end is moved ahead while it runs.
#include <doctest/doctest.h>

#include "client/burst_arrivals.h"
#include "client/hawkes_arrivals.h"
#include "tests/client/virtual_run.h"

using namespace cluster;
using namespace cluster::test;

namespace {

constexpr std::int64_t kEndNs = 4 * kNsPerS;  // after the start

VirtualWorld answering() {
    VirtualWorld world;
    world.links.resize(2);
    for (VirtualLink& link : world.links) link.service_ns = 1'000;
    return world;
}

/// Asks for the end at `kEndNs`, once `asked_at_ns` after the start has passed.
template <class Schedule>
Outcome end_early(VirtualWorld& world, Schedule schedule, const Level& level,
                  std::int64_t asked_at_ns) {
    return carry_out(world, schedule, level, [&, asked_at_ns](WorkerShared& shared) {
        if (world.now_ns >= level.plan.start_ns + asked_at_ns) {
            shared.ends_ns = level.plan.start_ns + kEndNs;
        }
    });
}

/// How many orders of a schedule are due before the end.
template <class Schedule>
std::uint64_t due_of(Schedule schedule, const Level& level) {
    std::uint64_t due = 0;
    for (; schedule.due_ns() < level.plan.start_ns + kEndNs; schedule.advance()) ++due;
    return due;
}

template <class Schedule>
void check_ends(Schedule schedule) {
    VirtualWorld world = answering();
    const Level level;
    const Outcome outcome = end_early(world, schedule, level, 3'900 * kNsPerMs);
    const Books& books = outcome.progress.books;
    CHECK(books.balanced());
    CHECK(books.intended == due_of(schedule, level));
    CHECK(books.accepted == books.intended);
    CHECK(outcome.interval_books == books);
    CHECK(world.now_ns < level.plan.start_ns + kEndNs + 10 * kNsPerMs);
}

}  // namespace

TEST_CASE("what is due before the new end is sent, what is due from then on never was") {
    const Level level;
    const Random random(1, 0, 0);
    check_ends(constantly(1'000, level));
    check_ends(PoissonArrivals(1'000, random, level.plan.start_ns));
    check_ends(HawkesArrivals(1'000, 0.8, 5e6, random, level.plan.start_ns));
    check_ends(BurstArrivals(PoissonArrivals(10'000, random, 0), 10 * kNsPerMs, 90 * kNsPerMs,
                             level.plan.start_ns));
}

TEST_CASE("a backlog at the new end still goes out") {
    VirtualWorld world = answering();
    Level level;
    level.in_flight = 2;
    for (VirtualLink& link : world.links) link.service_ns = 2 * kNsPerMs;
    // 1,000 of 2,000 orders a second are answered; after 4 s, 4 s of answers are missing.
    const Outcome outcome = end_early(world, constantly(2'000, level), level, kNsPerS);
    CHECK(outcome.progress.books.intended == 8'000);
    CHECK(outcome.progress.books.accepted == 8'000);
    CHECK(outcome.interval_books == outcome.progress.books);
}

TEST_CASE("an end later than planned changes nothing") {
    VirtualWorld world = answering();
    Level level;
    level.plan.duration_ns = 2 * kNsPerS;
    const Outcome outcome = end_early(world, constantly(1'000, level), level, kNsPerS);
    CHECK(outcome.progress.books.accepted == 2'000);
}

TEST_CASE("an end that is over when it is asked for is now, and the books balance") {
    VirtualWorld world = answering();
    const Level level;
    const Outcome outcome = end_early(world, constantly(1'000, level), level, 5 * kNsPerS);
    CHECK(outcome.progress.books.balanced());
    CHECK(outcome.interval_books == outcome.progress.books);
    CHECK(outcome.progress.books.intended >= 5'000);
    CHECK(outcome.progress.books.intended <= 5'010);
}

TEST_CASE("closed-loop ends, too") {
    VirtualWorld world = answering();
    // Seconds of orders that take microseconds would take a minute under a sanitizer. The odd time
    // keeps answers off the end itself, where an order is taken before and sent after.
    for (auto& link : world.links) link.service_ns = 1'007'300;
    Level level;
    level.in_flight = 2;
    const Outcome outcome = end_early(world, ClosedLoop{}, level, 3 * kNsPerS);
    CHECK(outcome.progress.books.balanced());
    REQUIRE(outcome.intervals.size() == 4);
    CHECK(world.now_ns < level.plan.start_ns + kEndNs + 10 * kNsPerMs);
}

TEST_CASE("a replay ends, too, although its ring holds more") {
    VirtualWorld world = answering();
    const Level level;
    ReplaySource source;
    for (std::uint32_t i = 0; i < 10'000; ++i) {
        REQUIRE(source.orders.push({i * kNsPerMs, plain_flow()[0], i % 2}));
    }
    source.fed_until_ns = ReplaySource::kAllFed;
    const Outcome outcome = end_early(world, ReplaySchedule<false>(source, level.plan.start_ns),
                                      level, 3'900 * kNsPerMs);
    CHECK(outcome.progress.books.intended == 4'000);
    CHECK(outcome.progress.books.accepted == 4'000);
    CHECK(outcome.interval_books == outcome.progress.books);
}
