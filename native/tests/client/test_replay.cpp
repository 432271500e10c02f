// Replay without threads: orders' lives, due times, and the worker that takes from the ring.
#include <doctest/doctest.h>

#include <map>
#include <string>

#include "client/replay_router.h"
#include "client/replay_times.h"
#include "tests/client/virtual_run.h"

using namespace cluster;
using namespace cluster::test;

namespace {

ReplayRow row_of(Action action, std::uint32_t symbol, const std::string& id,
                 const std::string& reference = {}, OrderKind kind = OrderKind::kLimit) {
    return {0,      100,  stable_hash(id), stable_hash(reference), 1, symbol,
            action, kind, OrderSide::kBuy};
}

struct Symbols : ReplaySymbols {
    Symbols(std::uint32_t connections, std::uint32_t count) : ReplaySymbols(count, connections) {
        for (std::uint32_t i = 0; i < count; ++i) add(std::to_string(i), i);
    }
};

LoadConfig recorded(double speed) {
    LoadConfig config;
    config.arrivals = ArrivalLaw::kRecorded;
    config.replay = ReplayConfig{.speed = speed};
    return config;
}

/// Puts orders into a ring, as a feeder does that is always ahead.
void put(ReplaySource& source, const std::vector<ReplayOrder>& orders) {
    for (const ReplayOrder& order : orders) REQUIRE(source.orders.push(order));
    source.fed_until_ns = ReplaySource::kAllFed;
}

ReplayOrder plain(std::int64_t due_ns, std::uint32_t connection) {
    return {due_ns, plain_flow()[0], connection};
}

std::vector<ReplayOrder> every(std::int64_t gap_ns, std::uint32_t count, std::uint32_t links) {
    std::vector<ReplayOrder> orders;
    for (std::uint32_t i = 0; i < count; ++i) orders.push_back(plain(i * gap_ns, i % links));
    return orders;
}

void check_books(const Outcome& outcome) {
    CHECK(outcome.progress.books.balanced());
    CHECK(outcome.interval_books == outcome.progress.books);
}

}  // namespace

TEST_CASE("living orders are found until they are forgotten, by the call or by their age") {
    ReplayLives living(100);
    for (std::uint64_t i = 0; i < 1'000; ++i) living.enter(mixed(i), i);
    for (std::uint64_t i = 900; i < 1'000; ++i) CHECK(living.find(mixed(i)) == i);
    for (std::uint64_t i = 0; i < 800; ++i) CHECK(!living.find(mixed(i)));
    living.forget(mixed(950));
    CHECK(!living.find(mixed(950)));
    living.enter(mixed(951), 7);
    CHECK(living.find(mixed(951)) == 7);
    living.clear();
    CHECK(!living.find(mixed(999)));
}

TEST_CASE("living orders agree with a plain map, whatever comes and goes") {
    // Few keys that collide in their low bits: chains form, and erasing must not cut them.
    Random random(3, 0, 0);
    ReplayLives living(64);
    std::map<std::uint64_t, std::uint64_t> plain_map;
    for (std::uint64_t step = 0; step < 100'000; ++step) {
        const std::uint64_t key = std::uint64_t{random.below(60)} << (random.below(2) * 3);
        if (random.below(2) == 0 && plain_map.size() < 60) {
            living.enter(key, step);
            plain_map[key] = step;
        } else {
            living.forget(key);
            plain_map.erase(key);
        }
        const auto found = living.find(key);
        REQUIRE(found.has_value() == plain_map.contains(key));
    }
    for (const auto& [key, number] : plain_map) CHECK(living.find(key) == number);
}

TEST_CASE("a symbol's connection is the same on every host and in every version") {
    CHECK(stable_hash("") == 0);
    CHECK(stable_hash("AAPL") == 0xD04FB30B9BC85506);
    const Symbols symbols(7, 3);
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(symbols[i].connection == stable_hash(std::to_string(i)) % 7);
    }
    CHECK(symbols[2].text == "2");
}

TEST_CASE("no more symbols than there is room for") {
    ReplaySymbols symbols(1, 1);
    CHECK(symbols.add("A", 0));
    CHECK(!symbols.add("B", 1));
    CHECK(symbols.size() == 1);
}

TEST_CASE("a replace names the order, a cancel names what the replace made of it") {
    const Symbols symbols(1, 2);
    ReplayRouter router(1, 100);
    CHECK(router.route(row_of(Action::kNew, 0, "a"), symbols[0])->target_back == 0);
    CHECK(router.route(row_of(Action::kNew, 0, "b"), symbols[0])->target_back == 0);
    CHECK(router.route(row_of(Action::kReplace, 0, "c", "a"), symbols[0])->target_back == 2);
    SUBCASE("the replaced order goes by its new id") {
        CHECK(!router.route(row_of(Action::kCancel, 0, "", "a"), symbols[0]));
        CHECK(router.route(row_of(Action::kCancel, 0, "x", "c"), symbols[0])->target_back == 1);
    }
    SUBCASE("without a reference the id names the order itself") {
        CHECK(router.route(row_of(Action::kReplace, 0, "c"), symbols[0])->target_back == 1);
        CHECK(router.route(row_of(Action::kCancel, 0, "c"), symbols[0])->target_back == 1);
        CHECK(!router.route(row_of(Action::kCancel, 0, "c"), symbols[0]));
    }
    SUBCASE("an id means an order of its own symbol") {
        CHECK(!router.route(row_of(Action::kCancel, 1, "", "b"), symbols[1]));
    }
    SUBCASE("a new pass knows nothing of the one before") {
        router.begin_pass();
        CHECK(!router.route(row_of(Action::kCancel, 0, "", "b"), symbols[0]));
    }
}

TEST_CASE("a replace or cancel that says no side is of its order's side") {
    const Symbols symbols(1, 1);
    for (const OrderSide side : {OrderSide::kBuy, OrderSide::kSell}) {
        ReplayRouter router(1, 100);
        ReplayRow entered = row_of(Action::kNew, 0, "a");
        entered.side = side;
        CHECK(router.route(entered, symbols[0])->side == side);
        ReplayRow replaced = row_of(Action::kReplace, 0, "b", "a");
        replaced.side.reset();
        const auto replace = router.route(replaced, symbols[0]);
        CHECK(replace->side == side);
        CHECK(replace->target_back == 1);
        ReplayRow cancelled = row_of(Action::kCancel, 0, "", "b");
        cancelled.side.reset();
        const auto cancel = router.route(cancelled, symbols[0]);
        CHECK(cancel->side == side);
        CHECK(cancel->target_back == 1);
    }
}

TEST_CASE("what can't rest is dead once it is sent") {
    const Symbols symbols(1, 1);
    ReplayRouter router(1, 100);
    for (const OrderKind kind : {OrderKind::kMarket, OrderKind::kImmediateOrCancel}) {
        CHECK(router.route(row_of(Action::kNew, 0, "a", "", kind), symbols[0]));
        CHECK(!router.route(row_of(Action::kCancel, 0, "", "a"), symbols[0]));
    }
}

TEST_CASE("no order's life breaks, for any number of connections") {
    for (std::uint32_t connections : {1U, 2U, 3U, 8U, 31U, 256U}) {
        const Symbols symbols(connections, 40);
        ReplayRouter router(connections, 10'000);
        Random random(connections, 0, 0);
        struct Life {
            std::uint32_t symbol;
            std::uint64_t request;  // of its connection
        };
        std::map<std::string, Life> living;
        std::vector<std::uint64_t> requests(connections);
        for (int step = 0; step < 20'000; ++step) {
            const std::string id = std::to_string(step);
            if (living.empty() || random.below(2) == 0) {
                const std::uint32_t symbol = random.below(40);
                std::uint64_t& mine = requests[symbols[symbol].connection];
                REQUIRE(router.route(row_of(Action::kNew, symbol, id), symbols[symbol]));
                living[id] = {symbol, mine++};
                continue;
            }
            auto target = std::next(
                living.begin(),
                random.below(static_cast<std::uint32_t>(std::min(living.size(), std::size_t{50}))));
            const auto [symbol, request] = target->second;
            std::uint64_t& mine = requests[symbols[symbol].connection];
            const Action action = random.below(3) == 0 ? Action::kReplace : Action::kCancel;
            const auto intent =
                router.route(row_of(action, symbol, id, target->first), symbols[symbol]);
            REQUIRE(intent);
            REQUIRE(mine - intent->target_back == request);
            living.erase(target);
            if (action == Action::kReplace) living[id] = {symbol, mine};
            ++mine;
        }
    }
}

TEST_CASE("recorded times are kept to the ns, and scaled by the speed") {
    const std::int64_t from_ns = 1'764'000'000'123'456'789;
    ReplayTimes times(recorded(1));
    CHECK(times.next(from_ns) == 0);
    CHECK(times.next(from_ns + 1) == 1);
    CHECK(times.next(from_ns + 86'400 * kNsPerS + 7) == 86'400 * kNsPerS + 7);
    ReplayTimes faster(recorded(4));
    CHECK(faster.next(from_ns) == 0);
    CHECK(faster.next(from_ns + 4'000'000'000'000'004) == 1'000'000'000'000'001);
    ReplayTimes slower(recorded(0.5));
    CHECK(slower.next(0) == 0);
    CHECK(slower.next(86'400 * kNsPerS + 1) == 2 * 86'400 * kNsPerS + 2);
}

TEST_CASE("a pass lasts until one mean gap after its last order") {
    ReplayTimes times(recorded(2));
    for (const std::int64_t at_ns : {100, 120, 140}) times.next(at_ns);
    CHECK(times.end_ns() == 30);
    times.end_pass();
    CHECK(times.end_ns() == 30);
    CHECK(times.next(100) == 30);
    CHECK(times.next(120) == 40);
}

TEST_CASE("at a rate of one's own every agent computes the same schedule") {
    LoadConfig config;
    config.replay = ReplayConfig{.rate_per_s = 1'000, .agents = 2};
    LoadConfig other = config;
    other.agent = 1;
    ReplayTimes one(config);
    ReplayTimes two(other);
    for (int i = 0; i < 1'000; ++i) REQUIRE(one.next(0) == two.next(5 * i));
    config.arrivals = ArrivalLaw::kConstant;
    ReplayTimes constant(config);
    for (int i = 0; i < 1'000; ++i) REQUIRE(constant.next(0) == i * kNsPerMs);
}

TEST_CASE("a replayed order is intended and sent at its time, over its own connection") {
    VirtualWorld world;
    world.tick_ns = 0;
    world.links.resize(3);
    std::vector<std::pair<std::size_t, std::int64_t>> sent;
    Level level;
    world.now_ns = level.plan.start_ns;  // nobody could spin to it where no time passes
    for (std::size_t link = 0; link < 3; ++link) {
        world.links[link].service_ns = 10;
        world.links[link].tamper = [&, link](std::uint64_t, std::vector<std::byte>&) {
            sent.emplace_back(link, world.now_ns - level.plan.start_ns);
        };
    }
    const auto source = std::make_unique<ReplaySource>();
    const std::vector<ReplayOrder> orders = {plain(0, 2),
                                             plain(1, 0),
                                             plain(1'000'003, 0),
                                             plain(1'000'004, 1),
                                             plain(3'000'000'000, 2),
                                             plain(3'000'000'001, 2)};
    put(*source, orders);
    const Outcome outcome =
        carry_out(world, ReplaySchedule<false>(*source, level.plan.start_ns), level);
    check_books(outcome);
    REQUIRE(sent.size() == orders.size());
    for (std::size_t i = 0; i < orders.size(); ++i) {
        CHECK(sent[i].first == orders[i].connection);
        CHECK(sent[i].second == orders[i].due_ns);
    }
    CHECK(value_at(*outcome.send_lag, 1.0) == 0);
    CHECK(outcome.progress.errors[ErrorKind::kReplayStarved] == 0);
    // The file ended before the level did, and so did the worker.
    CHECK(world.now_ns < 4 * kNsPerS);
    CHECK(outcome.intervals.size() == 2);
}

TEST_CASE("orders that are due at the end of the level or later are not sent") {
    VirtualWorld world;
    world.links.resize(1);
    const auto source = std::make_unique<ReplaySource>();
    Level level;
    level.plan.duration_ns = kNsPerS;
    put(*source, every(10 * kNsPerMs, 200, 1));
    const Outcome outcome =
        carry_out(world, ReplaySchedule<false>(*source, level.plan.start_ns), level);
    check_books(outcome);
    CHECK(outcome.progress.books.accepted == 100);
    CHECK(outcome.progress.books.intended == 100);
}

TEST_CASE("an order whose connection is full waits with its intended time") {
    VirtualWorld world;
    world.links.resize(2);
    world.links[0].frozen_from_ns = kNsPerS;
    world.links[0].frozen_to_ns = 3 * kNsPerS;
    const auto source = std::make_unique<ReplaySource>();
    put(*source, every(kNsPerMs, 5'000, 2));
    Level level;
    level.in_flight = 16;
    const Outcome outcome =
        carry_out(world, ReplaySchedule<false>(*source, level.plan.start_ns), level);
    check_books(outcome);
    CHECK(outcome.progress.books.accepted == 5'000);
    // R(p) = S - (1 - p) T, as for every schedule: no wait is forgotten.
    CHECK(static_cast<double>(value_at(*outcome.response, 0.9)) ==
          doctest::Approx(1.5e9).epsilon(0.02));
    CHECK(outcome.progress.errors[ErrorKind::kReplayStarved] == 0);
}

TEST_CASE("a feeder that falls behind is told of: its orders go out late, with their times") {
    VirtualWorld world;
    world.links.resize(1);
    const auto source = std::make_unique<ReplaySource>();
    const auto orders = every(kNsPerMs, 1'000, 1);
    for (std::size_t i = 0; i < 500; ++i) source->orders.push(orders[i]);
    source->fed_until_ns = orders[499].due_ns;
    SUBCASE("by itself") {}
    SUBCASE("because another worker's ring is full: then it is not starved") {
        source->feeder_waits = true;
    }
    const bool waits = source->feeder_waits;
    Level level;
    bool fed = false;
    const Outcome outcome = carry_out(
        world, ReplaySchedule<false>(*source, level.plan.start_ns), level, [&](WorkerShared&) {
            if (fed || world.now_ns < level.plan.start_ns + 800 * kNsPerMs) return;
            fed = true;
            for (std::size_t i = 500; i < 1'000; ++i) source->orders.push(orders[i]);
            source->fed_until_ns = ReplaySource::kAllFed;
        });
    check_books(outcome);
    CHECK(outcome.progress.books.accepted == 1'000);
    const std::uint64_t starved = outcome.progress.errors[ErrorKind::kReplayStarved];
    if (waits) {
        CHECK(starved == 0);
    } else {
        CHECK(starved >= 300);
        CHECK(starved <= 302);
    }
    CHECK(value_at(*outcome.send_lag, 1.0) >= 299 * kNsPerMs);
}

TEST_CASE("a stop leaves what was due unsent, also what was not in the ring yet") {
    VirtualWorld world;
    world.links.resize(1);
    world.links[0].answers = false;
    const auto source = std::make_unique<ReplaySource>();
    const auto orders = every(kNsPerMs, 4'000, 1);
    for (std::size_t i = 0; i < 1'000; ++i) source->orders.push(orders[i]);
    source->fed_until_ns = orders[1'000].due_ns;
    source->feeder_waits = true;
    Level level;
    level.in_flight = 10;
    bool fed = false;
    const Outcome outcome = carry_out(world, ReplaySchedule<false>(*source, level.plan.start_ns),
                                      level, [&](WorkerShared& shared) {
                                          if (world.now_ns >= level.plan.start_ns + 2 * kNsPerS)
                                              shared.stop = StopRequest::kStop;
                                          if (fed || source->orders.peek() != nullptr) return;
                                          fed = true;
                                          for (std::size_t i = 1'000; i < 4'000; ++i)
                                              source->orders.push(orders[i]);
                                          source->fed_until_ns = ReplaySource::kAllFed;
                                      });
    check_books(outcome);
    CHECK(fed);
    CHECK(outcome.progress.books.sent == 10);
    CHECK(outcome.progress.books.intended >= 2'000);
    CHECK(outcome.progress.books.intended <= 2'010);
    CHECK(outcome.progress.errors[ErrorKind::kReplayStarved] == 0);
    CHECK(source->abandoned);
}

TEST_CASE("an abort balances: what is in flight is lost, what was due is unsent") {
    VirtualWorld world;
    world.links.resize(2);
    world.links[1].answers = false;
    const auto source = std::make_unique<ReplaySource>();
    put(*source, every(kNsPerMs, 4'000, 2));
    Level level;
    level.in_flight = 20;
    const Outcome outcome = carry_out(world, ReplaySchedule<false>(*source, level.plan.start_ns),
                                      level, [&](WorkerShared& shared) {
                                          if (world.now_ns >= level.plan.start_ns + kNsPerS)
                                              shared.stop = StopRequest::kAbort;
                                      });
    check_books(outcome);
    CHECK(outcome.progress.books.lost > 0);
    CHECK(outcome.progress.books.unsent > 900);
}

TEST_CASE("orders of a lost connection are unsent, those of the others go on") {
    VirtualWorld world;
    world.links.resize(2);
    world.links[0].ends_ns = kNsPerS;
    const auto source = std::make_unique<ReplaySource>();
    put(*source, every(kNsPerMs, 3'000, 2));
    const Level level;
    const Outcome outcome =
        carry_out(world, ReplaySchedule<false>(*source, level.plan.start_ns), level);
    check_books(outcome);
    CHECK(outcome.progress.books.intended == 3'000);
    CHECK(outcome.progress.books.accepted >= 1'990);
    CHECK(outcome.progress.books.unsent >= 990);
}

TEST_CASE("what is due is counted by the schedule while the orders wait") {
    VirtualWorld world;
    world.links.resize(1);
    world.links[0].answers = false;
    const auto source = std::make_unique<ReplaySource>();
    put(*source, every(kNsPerMs, 3'000, 1));
    Level level;
    level.in_flight = 4;
    Progress seen;
    carry_out(world, ReplaySchedule<false>(*source, level.plan.start_ns), level,
              [&](WorkerShared& shared) {
                  if (world.now_ns < 2 * kNsPerS) seen = shared.progress.read();
              });
    CHECK(seen.books.intended >= 1'990);
    CHECK(seen.books.intended <= 2'000);
    CHECK(seen.backlog == seen.books.intended - 4);
}

TEST_CASE("closed-loop a file's orders go out in order, as fast as they are answered") {
    VirtualWorld world;
    world.links.resize(2);
    for (auto& link : world.links) link.service_ns = 10'000;
    const auto source = std::make_unique<ReplaySource>();
    put(*source, every(0, 3'000, 2));
    Level level;
    level.in_flight = 8;
    const Outcome outcome =
        carry_out(world, ReplaySchedule<true>(*source, level.plan.start_ns), level);
    check_books(outcome);
    CHECK(outcome.progress.books.accepted == 3'000);
    CHECK(outcome.progress.books.unsent == 0);
    // Two connections, 10 µs each: 5 µs per order.
    CHECK(world.now_ns < level.plan.start_ns + 20 * kNsPerMs);
    CHECK(total(*outcome.send_lag) == 0);
}

TEST_CASE("closed-loop a ring that ran dry is told of once") {
    VirtualWorld world;
    world.links.resize(1);
    const auto source = std::make_unique<ReplaySource>();
    bool fed = false;
    const Level level;
    const Outcome outcome = carry_out(world, ReplaySchedule<true>(*source, level.plan.start_ns),
                                      level, [&](WorkerShared&) {
                                          if (fed || world.now_ns < level.plan.start_ns + kNsPerMs)
                                              return;
                                          fed = true;
                                          put(*source, every(0, 100, 1));
                                      });
    check_books(outcome);
    CHECK(outcome.progress.books.accepted == 100);
    CHECK(outcome.progress.errors[ErrorKind::kReplayStarved] == 1);
}
