// The worker in virtual time: what it must do whatever engine and network do.
#include <doctest/doctest.h>

#include <cmath>

#include "client/burst_arrivals.h"
#include "client/hawkes_arrivals.h"
#include "tests/client/virtual_run.h"

using namespace cluster;
using namespace cluster::test;

namespace {

VirtualWorld world_with(std::size_t links) {
    VirtualWorld world;
    world.links.resize(links);
    return world;
}

void check_books(const Outcome& outcome) {
    const Books& books = outcome.progress.books;
    CHECK(books.balanced());
    CHECK(outcome.interval_books == books);
    CHECK(total(*outcome.response) == books.accepted + books.rejected);
    CHECK(total(*outcome.service) == books.accepted + books.rejected);
    CHECK(outcome.progress.backlog == 0);
}

}  // namespace

TEST_CASE("an idle engine answers every order of the schedule") {
    VirtualWorld world = world_with(3);
    const Level level;
    const Outcome outcome = carry_out(world, constantly(10'000, level), level);
    check_books(outcome);
    CHECK(outcome.progress.books.intended == 100'000);
    CHECK(outcome.progress.books.accepted == 100'000);
    CHECK(total(*outcome.send_lag) == 100'000);
    CHECK(total(*outcome.engine) == 100'000);
    CHECK(value_at(*outcome.response, 1.0) < 2'000);
    CHECK(outcome.intervals.size() == 10);
    for (std::size_t i = 0; i < outcome.intervals.size(); ++i) {
        CHECK(outcome.intervals[i].index == static_cast<std::int64_t>(i));
        CHECK(outcome.intervals[i].books.intended == 10'000);
    }
}

TEST_CASE("orders go round robin over the connections, with ids that rise by one") {
    VirtualWorld world = world_with(3);
    Level level;
    level.plan.duration_ns = kNsPerS;
    carry_out(world, constantly(3'000, level), level);
    for (const VirtualLink& link : world.links) {
        REQUIRE(link.ids.size() == 1'000);
        for (std::uint64_t i = 0; i < 1'000; ++i) REQUIRE(link.ids[i] == i + 1);
    }
}

TEST_CASE("rejected orders are counted apart and their times recorded") {
    VirtualWorld world = world_with(1);
    world.links[0].rejects = true;
    const Level level;
    const Outcome outcome = carry_out(world, constantly(1'000, level), level);
    check_books(outcome);
    CHECK(outcome.progress.books.rejected == 10'000);
}

TEST_CASE("a frozen engine gives the response times that arithmetic gives") {
    // Constant arrivals over T, frozen for S: a share (S - x) / T of all orders waits longer
    // than x, so R(p) = S - (1 - p) T. It holds however the orders wait: in flight, in the
    // socket, or in the schedule.
    constexpr double kFrozenS = 2;
    constexpr double kDurationS = 10;
    Level level;
    VirtualWorld world = world_with(2);
    SUBCASE("all in flight") {}
    SUBCASE("few may be in flight") {
        level.in_flight = 16;
    }
    SUBCASE("the socket takes little") {
        for (auto& link : world.links) link.window_bytes = 1'000;
    }
    SUBCASE("spinning") {
        level.plan.spin = true;
        world.tick_ns = 1'000;
    }
    for (auto& link : world.links) {
        link.frozen_from_ns = 4 * kNsPerS;
        link.frozen_to_ns = link.frozen_from_ns + static_cast<std::int64_t>(kFrozenS * 1e9);
    }
    const Outcome outcome = carry_out(world, constantly(10'000, level), level);
    check_books(outcome);
    CHECK(outcome.progress.books.accepted == 100'000);
    for (const double p : {0.85, 0.9, 0.95, 0.99, 0.999}) {
        const double expected_ns = (kFrozenS - (1 - p) * kDurationS) * 1e9;
        CHECK(static_cast<double>(value_at(*outcome.response, p)) ==
              doctest::Approx(expected_ns).epsilon(0.005));
    }
    CHECK(value_at(*outcome.response, 0.79) < kNsPerMs);
}

TEST_CASE("at any rate and for any stall arithmetic holds to one bucket") {
    constexpr double kDurationS = 10;
    for (const double rate_per_s : {1'000.0, 5'000.0, 20'000.0}) {
        for (const double frozen_s : {0.1, 0.5, 2.0}) {
            for (const std::uint32_t in_flight : {65'536U, 16U}) {
                CAPTURE(rate_per_s);
                CAPTURE(frozen_s);
                CAPTURE(in_flight);
                Level level;
                level.in_flight = in_flight;
                VirtualWorld world = world_with(2);
                world.tick_ns = 1;  // next to nothing is needed to catch up
                for (auto& link : world.links) {
                    link.service_ns = 1;
                    link.frozen_from_ns = level.plan.start_ns + 4 * kNsPerS;
                    link.frozen_to_ns =
                        link.frozen_from_ns + static_cast<std::int64_t>(frozen_s * 1e9);
                }
                const Outcome outcome = carry_out(world, constantly(rate_per_s, level), level);
                check_books(outcome);
                const double orders = rate_per_s * kDurationS;
                for (double longer = 0; longer <= 0.9 * frozen_s * rate_per_s;
                     longer += std::ceil(orders / 1'000)) {
                    // So many orders were due before this one while the engine was frozen.
                    const double expected_ns = (frozen_s - longer / rate_per_s) * 1e9;
                    const auto found_ns = static_cast<double>(
                        value_at(*outcome.response, (orders - longer) / orders));
                    CAPTURE(longer);
                    // A bucket, and the next to nothing.
                    CHECK(std::abs(found_ns - expected_ns) <= expected_ns / 1'000 + 1'000);
                }
            }
        }
    }
}

TEST_CASE(
    "orders that can't go out keep their intended time: the lag is theirs, not the engine's") {
    VirtualWorld world = world_with(1);
    world.links[0].frozen_from_ns = 4 * kNsPerS;
    world.links[0].frozen_to_ns = 6 * kNsPerS;
    Level level;
    level.in_flight = 16;
    const Outcome outcome = carry_out(world, constantly(10'000, level), level);
    check_books(outcome);
    CHECK(value_at(*outcome.send_lag, 0.99) == doctest::Approx(1.9e9).epsilon(0.005));
    // Only the 16 that were in flight saw the engine frozen.
    CHECK(value_at(*outcome.service, 0.999) < kNsPerMs);
    CHECK(value_at(*outcome.service, 1.0) > 1'990 * kNsPerMs);
}

TEST_CASE("intended counts by the schedule while the orders wait") {
    VirtualWorld world = world_with(1);
    world.links[0].answers = false;
    Level level;
    level.in_flight = 4;
    level.timeout_ns = 100 * kNsPerS;
    Progress seen;
    const Outcome outcome =
        carry_out(world, constantly(1'000, level), level, [&](WorkerShared& shared) {
            if (world.now_ns < 5 * kNsPerS) seen = shared.progress.read();
        });
    CHECK(seen.books.intended >= 4'990);
    CHECK(seen.books.intended <= 5'000);
    CHECK(seen.books.sent == 4);
    CHECK(seen.backlog == seen.books.intended - 4);
    check_books(outcome);
}

TEST_CASE("after the duration the backlog goes out during the drain") {
    VirtualWorld world = world_with(1);
    world.links[0].frozen_from_ns = 9 * kNsPerS;
    world.links[0].frozen_to_ns = 12 * kNsPerS;
    Level level;
    level.in_flight = 8;
    const Outcome outcome = carry_out(world, constantly(1'000, level), level);
    check_books(outcome);
    CHECK(outcome.progress.books.accepted == 10'000);
    CHECK(outcome.progress.books.unsent == 0);
}

TEST_CASE("what the drain leaves is unsent or timed out") {
    VirtualWorld world = world_with(2);
    for (auto& link : world.links) link.answers = false;
    Level level;
    level.in_flight = 10;
    const Outcome outcome = carry_out(world, constantly(1'000, level), level);
    check_books(outcome);
    CHECK(outcome.progress.books.intended == 10'000);
    CHECK(outcome.progress.books.sent == 10);
    CHECK(outcome.progress.books.timed_out == 10);
    CHECK(outcome.progress.books.unsent == 9'990);
    CHECK(world.now_ns < 16 * kNsPerS);
    for (const Interval& interval : outcome.intervals) CHECK(interval.books.intended == 1'000);
}

TEST_CASE("an order times out by its sent time and its place is used again") {
    VirtualWorld world = world_with(1);
    world.links[0].answers = false;
    Level level;
    level.timeout_ns = 100 * kNsPerMs;
    level.in_flight = 10;
    const Outcome outcome = carry_out(world, constantly(1'000, level), level);
    check_books(outcome);
    // Ten each 100 ms, and the scan comes up to 15 ms later.
    CHECK(outcome.progress.books.timed_out >= 10'000 / 115 * 10);
    CHECK(outcome.progress.books.timed_out <= 15'000 / 100 * 10);
}

TEST_CASE("an answer after its time is late: the order stays timed out") {
    VirtualWorld world = world_with(1);
    world.links[0].frozen_from_ns = 0;
    world.links[0].frozen_to_ns = 3 * kNsPerS;
    Level level;
    level.timeout_ns = kNsPerS;
    level.plan.duration_ns = kNsPerS;
    const Outcome outcome = carry_out(world, constantly(1'000, level), level);
    check_books(outcome);
    CHECK(outcome.progress.books.timed_out == 1'000);
    CHECK(outcome.progress.books.accepted == 0);
}

TEST_CASE("late answers are counted while the level goes on") {
    VirtualWorld world = world_with(1);
    world.links[0].frozen_from_ns = 0;
    world.links[0].frozen_to_ns = 3 * kNsPerS;
    Level level;
    level.timeout_ns = kNsPerS;
    const Outcome outcome = carry_out(world, constantly(1'000, level), level);
    check_books(outcome);
    CHECK(outcome.progress.errors[ErrorKind::kLateReply] == outcome.progress.books.timed_out);
    CHECK(outcome.progress.books.timed_out == doctest::Approx(2'000).epsilon(0.01));
    CHECK(outcome.progress.errors[ErrorKind::kDuplicateReply] == 0);
}

TEST_CASE("a lost connection loses its orders and the others go on") {
    for (const IoStatus how : {IoStatus::kClosed, IoStatus::kReset, IoStatus::kFailed}) {
        VirtualWorld world = world_with(2);
        world.links[0].service_ns = 50 * kNsPerMs;
        world.links[0].ends_ns = 5 * kNsPerS;
        world.links[0].ends_with = how;
        const Level level;
        const Outcome outcome = carry_out(world, constantly(1'000, level), level);
        check_books(outcome);
        CHECK(outcome.progress.books.lost > 0);
        CHECK(outcome.progress.books.intended == 10'000);
        CHECK(outcome.progress.books.unsent == 0);
        CHECK(outcome.progress.connections_open == 1);
        CHECK(world.links[0].shut_down);
        CHECK(world.links[1].ids.size() > 7'000);
        const ErrorCounts& errors = outcome.progress.errors;
        CHECK(errors[ErrorKind::kClosedByEngine] + errors[ErrorKind::kReset] +
                  errors[ErrorKind::kReceiveFailed] ==
              1);
    }
}

TEST_CASE("answers that came before a reset count, even when a send learns of it first") {
    for (std::int64_t offset_ns = 0; offset_ns < 10'000; offset_ns += 777) {
        VirtualWorld world = world_with(1);
        world.tick_ns = 2'500;
        world.links[0].service_ns = 100;
        world.links[0].ends_ns = kNsPerS + offset_ns;
        world.links[0].ends_with = IoStatus::kClosed;
        Level level;
        level.plan.spin = true;
        const Outcome outcome = carry_out(world, constantly(100'000, level), level);
        check_books(outcome);
        CHECK(outcome.progress.connections_open == 0);
        for (const auto& answer : world.links[0].answers_due) {
            CHECK(answer.at_ns > world.links[0].ends_ns);
        }
    }
}

TEST_CASE("without a connection left the rest of the schedule is not intended") {
    VirtualWorld world = world_with(2);
    for (auto& link : world.links) {
        link.answers = false;
        link.ends_ns = 5 * kNsPerS;
    }
    Level level;
    level.in_flight = 100;
    const Outcome outcome = carry_out(world, constantly(1'000, level), level);
    check_books(outcome);
    CHECK(outcome.progress.connections_open == 0);
    CHECK(outcome.progress.books.lost == 100);
    CHECK(outcome.progress.books.intended == doctest::Approx(5'000).epsilon(0.01));
    CHECK(outcome.progress.books.unsent == outcome.progress.books.intended - 100);
    CHECK(world.now_ns < 6 * kNsPerS);
}

TEST_CASE("orders encoded for a lost connection were never sent") {
    VirtualWorld world = world_with(1);
    world.links[0].window_bytes = 100;
    world.links[0].frozen_from_ns = 0;
    world.links[0].frozen_to_ns = 100 * kNsPerS;
    world.links[0].ends_ns = kNsPerS;
    const Level level;
    const Outcome outcome = carry_out(world, constantly(1'000, level), level);
    check_books(outcome);
    // Three of 32 bytes and a part of the fourth.
    CHECK(outcome.progress.books.lost == 3);
    CHECK(outcome.progress.books.sent == 3);
    CHECK(outcome.progress.books.unsent == outcome.progress.books.intended - 3);
}

TEST_CASE("replies byte by byte and requests in small pieces change nothing but time") {
    VirtualWorld world = world_with(2);
    for (auto& link : world.links) {
        link.receive_chunk = 1;
        link.window_bytes = 33;
    }
    Level level;
    level.plan.duration_ns = kNsPerS;
    const Outcome outcome = carry_out(world, constantly(10'000, level), level);
    check_books(outcome);
    CHECK(outcome.progress.books.accepted == 10'000);
    CHECK(outcome.progress.bytes_sent == 10'000 * sizeof(orderwire::New));
    CHECK(outcome.progress.bytes_received == 10'000 * sizeof(orderwire::Accepted));
}

TEST_CASE("garbage closes its connection as a protocol error") {
    VirtualWorld world = world_with(2);
    world.links[1].tamper = [](std::uint64_t n, std::vector<std::byte>& bytes) {
        if (n == 100) bytes.assign(40, std::byte{0xee});
    };
    const Level level;
    const Outcome outcome = carry_out(world, constantly(1'000, level), level);
    check_books(outcome);
    CHECK(outcome.progress.errors[ErrorKind::kProtocolError] == 1);
    CHECK(outcome.progress.books.lost >= 1);
    CHECK(outcome.progress.connections_open == 1);
    CHECK(world.links[1].shut_down);
}

TEST_CASE("a second answer is a duplicate, one to an id never sent is unknown") {
    VirtualWorld world = world_with(1);
    world.links[0].tamper = [](std::uint64_t n, std::vector<std::byte>& bytes) {
        const std::vector<std::byte> once = bytes;
        if (n % 10 == 0) bytes.insert(bytes.end(), once.begin(), once.end());
        if (n % 100 == 1) {
            const std::uint64_t never = n % 200 == 1 ? 1'000'000 : 0;
            auto extra = once;
            std::memcpy(extra.data() + sizeof(orderwire::Header), &never, sizeof never);
            bytes.insert(bytes.end(), extra.begin(), extra.end());
        }
    };
    const Level level;
    const Outcome outcome = carry_out(world, constantly(1'000, level), level);
    check_books(outcome);
    CHECK(outcome.progress.books.accepted == 10'000);
    CHECK(outcome.progress.errors[ErrorKind::kDuplicateReply] == 1'000);
    CHECK(outcome.progress.errors[ErrorKind::kUnknownId] == 100);
}

TEST_CASE("executions and cancelled remainders are follow-ups, before or after the answer") {
    VirtualWorld world = world_with(1);
    world.links[0].tamper = [](std::uint64_t n, std::vector<std::byte>& bytes) {
        orderwire::ReplyHeader reply;
        std::memcpy(&reply, bytes.data(), sizeof reply);
        reply.header.type = orderwire::Type::kExecuted;
        reply.header.length = sizeof(orderwire::Executed);
        const orderwire::Executed executed{reply, 1, 1, 0};
        reply.header = {sizeof(orderwire::Cancelled), orderwire::Type::kCancelled, 1, 0};
        const orderwire::Cancelled remainder{reply, 1, {}};
        std::vector<std::byte> more(sizeof executed + sizeof remainder);
        std::memcpy(more.data(), &executed, sizeof executed);
        std::memcpy(more.data() + sizeof executed, &remainder, sizeof remainder);
        bytes.insert(n % 2 == 0 ? bytes.begin() : bytes.end(), more.begin(), more.end());
    };
    const Level level;
    const Outcome outcome = carry_out(world, constantly(1'000, level), level);
    check_books(outcome);
    CHECK(outcome.progress.books.accepted == 10'000);
    CHECK(outcome.progress.executions == 10'000);
    CHECK(outcome.progress.remainders == 10'000);
}

TEST_CASE("closed-loop keeps its number in flight and records no send lag") {
    VirtualWorld world = world_with(2);
    for (auto& link : world.links) link.service_ns = kNsPerMs;
    Level level;
    level.in_flight = 20;
    std::uint64_t in_flight_max = 0;
    const Outcome outcome = carry_out(world, ClosedLoop{}, level, [&](WorkerShared& shared) {
        in_flight_max = std::max(in_flight_max, shared.progress.read().in_flight);
    });
    check_books(outcome);
    // Published at the end of a pass, when an answer may just have come.
    CHECK(in_flight_max <= 20);
    CHECK(in_flight_max >= 18);
    // Two connections of 1,000 answers a second each.
    CHECK(outcome.progress.books.accepted == doctest::Approx(20'000).epsilon(0.01));
    CHECK(total(*outcome.send_lag) == 0);
    CHECK(outcome.progress.books.unsent == 0);
    CHECK(value_at(*outcome.response, 0.5) == doctest::Approx(10'000'000).epsilon(0.01));
    CHECK(value_at(*outcome.response, 0.5) == value_at(*outcome.service, 0.5));
    CHECK(outcome.intervals.size() >= 10);
}

TEST_CASE("closed-loop over a lost connection balances") {
    VirtualWorld world = world_with(2);
    for (auto& link : world.links) link.service_ns = kNsPerMs;
    world.links[0].ends_ns = 3 * kNsPerS;
    world.links[0].window_bytes = 100;
    Level level;
    level.in_flight = 20;
    const Outcome outcome = carry_out(world, ClosedLoop{}, level);
    check_books(outcome);
    CHECK(outcome.progress.books.lost > 0);
}

TEST_CASE("a stop ends sending at once, leaves the backlog unsent and awaits answers") {
    VirtualWorld world = world_with(1);
    world.links[0].service_ns = 2 * kNsPerMs;
    Level level;
    level.in_flight = 100;
    const Outcome outcome =
        carry_out(world, constantly(1'000, level), level, [&](WorkerShared& shared) {
            if (world.now_ns >= 5 * kNsPerS) shared.stop = StopRequest::kStop;
        });
    check_books(outcome);
    CHECK(outcome.progress.books.intended == doctest::Approx(5'000).epsilon(0.01));
    CHECK(outcome.progress.books.unsent > 2'000);
    CHECK(outcome.progress.books.accepted == outcome.progress.books.sent);
}

TEST_CASE("an abort closes everything and loses what is in flight") {
    VirtualWorld world = world_with(2);
    for (auto& link : world.links) link.service_ns = 10 * kNsPerMs;
    const Level level;
    const Outcome outcome =
        carry_out(world, constantly(1'000, level), level, [&](WorkerShared& shared) {
            if (world.now_ns >= 5 * kNsPerS) shared.stop = StopRequest::kAbort;
        });
    check_books(outcome);
    CHECK(outcome.progress.books.lost > 0);
    CHECK(outcome.progress.connections_open == 0);
    for (const auto& link : world.links) CHECK(link.shut_down);
    CHECK(world.now_ns < 6 * kNsPerS);
}

TEST_CASE("a stop before the start intends nothing") {
    VirtualWorld world = world_with(1);
    Level level;
    level.plan.start_ns = 100 * kNsPerS;
    const Outcome outcome =
        carry_out(world, constantly(1'000, level), level,
                  [&](WorkerShared& shared) { shared.stop = StopRequest::kStop; });
    check_books(outcome);
    CHECK(outcome.progress.books.intended == 0);
    CHECK(world.now_ns < kNsPerS);
}

TEST_CASE("without a collector the sums stay exact and the overrun is counted") {
    VirtualWorld world = world_with(1);
    Level level;
    level.plan.duration_ns = 40 * kNsPerS;
    level.collect_every = 0;
    const Outcome outcome = carry_out(world, constantly(1'000, level), level);
    check_books(outcome);
    CHECK(outcome.progress.books.accepted == 40'000);
    CHECK(outcome.progress.errors[ErrorKind::kIntervalOverrun] > 0);
}

TEST_CASE("a long backlog that was never sent still belongs to its seconds") {
    VirtualWorld world = world_with(1);
    world.links[0].answers = false;
    Level level;
    level.plan.duration_ns = 100 * kNsPerS;
    level.in_flight = 1;
    const Outcome outcome = carry_out(world, constantly(100, level), level);
    check_books(outcome);
    REQUIRE(outcome.intervals.size() == 100);
    CHECK(outcome.progress.errors[ErrorKind::kIntervalOverrun] == 0);
    for (const Interval& interval : outcome.intervals) CHECK(interval.books.intended == 100);
}

namespace {

/// Carries out `make(start_ns)` against an engine that keeps up and one that does not.
template <class MakeSchedule>
void check_all_sent(MakeSchedule make) {
    for (const std::uint32_t in_flight : {65'536U, 1U}) {
        VirtualWorld world = world_with(2);
        for (auto& link : world.links) link.service_ns = kNsPerMs;
        Level level;
        level.in_flight = in_flight;
        level.plan.drain_ns = 1'000 * kNsPerS;
        const auto schedule = make(level.plan.start_ns);
        std::uint64_t expected = 0;
        for (auto copy = schedule; copy.due_ns() < level.plan.start_ns + level.plan.duration_ns;
             copy.advance()) {
            ++expected;
        }
        const Outcome outcome = carry_out(world, schedule, level);
        check_books(outcome);
        CHECK(outcome.progress.books.intended == expected);
        CHECK(outcome.progress.books.accepted == expected);
    }
}

}  // namespace

TEST_CASE("Poisson arrivals are all sent, and counted by the schedule alone") {
    check_all_sent(
        [](std::int64_t start_ns) { return PoissonArrivals(3'000, Random(3, 0, 0), start_ns); });
}

TEST_CASE("Hawkes arrivals are all sent, and counted by the schedule alone") {
    check_all_sent([](std::int64_t start_ns) {
        return HawkesArrivals(3'000, 0.8, 5e6, Random(3, 0, 0), start_ns);
    });
}

TEST_CASE("bursts are all sent, and counted by the schedule alone") {
    check_all_sent([](std::int64_t start_ns) {
        return BurstArrivals(ConstantArrivals(30'000, 0, 0, 1, 0), 10 * kNsPerMs, 90 * kNsPerMs,
                             start_ns);
    });
}
