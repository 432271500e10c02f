// The feeder's thread: rows in, rings filled, and an end in every case.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <thread>

#include "client/errors.h"
#include "client/replay_feeder.h"
#include "protocol/orderwire_plan.h"
#include "protocol/plan_reader.h"

using namespace cluster;

namespace {

constexpr std::int64_t kPatienceNs = 10 * kNsPerS;

protocol::Plan& plan() {
    static protocol::Plan orderwire = protocol::read_plan(protocol::kOrderwirePlan);
    return orderwire;
}

LoadConfig config_of(std::uint32_t agents, std::uint32_t connections, std::uint32_t workers,
                     ArrivalLaw arrivals = ArrivalLaw::kRecorded) {
    LoadConfig config;
    config.connections = connections;
    config.workers = workers;
    config.arrivals = arrivals;
    config.in_flight = workers;
    config.rate_per_s = 1;
    config.duration_ns = 3'600 * kNsPerS;
    config.replay =
        ReplayConfig{.rate_per_s = 1'000, .agents = agents, .living_orders_max = 10'000};
    return config;
}

/// `count` new orders, one each ms, over 20 symbols; the quantity is the row's number.
ReplayBatch rows(std::uint32_t count, std::uint32_t from = 0) {
    ReplayBatch batch;
    if (from == 0) {
        for (std::uint32_t i = 0; i < 20; ++i) batch.new_symbols.push_back({std::to_string(i), i});
    }
    for (std::uint32_t i = from; i < from + count; ++i) {
        batch.rows.push_back({i * kNsPerMs, 100, mixed(i), 0, i + 1, i % 20, Action::kNew,
                              OrderKind::kLimit, OrderSide::kBuy});
    }
    return batch;
}

template <class Condition>
bool becomes(Condition condition) {
    const std::int64_t deadline_ns = MonotonicClock::now_ns() + kPatienceNs;
    while (!condition()) {
        if (MonotonicClock::now_ns() > deadline_ns) return false;
        std::this_thread::yield();
    }
    return true;
}

bool all_fed(ReplayFeeder& feeder) {
    return becomes([&] { return feeder.source(0).fed_until_ns == ReplaySource::kAllFed; });
}

}  // namespace

TEST_CASE("every row goes to exactly one connection of one worker of one agent, in order") {
    for (const auto& [agents, connections, workers] :
         {std::tuple{1U, 1U, 1U}, {2U, 3U, 2U}, {3U, 5U, 5U}, {4U, 16U, 3U}}) {
        std::multiset<std::uint32_t> seen;
        for (std::uint32_t agent = 0; agent < agents; ++agent) {
            LoadConfig config = config_of(agents, connections, workers);
            config.agent = agent;
            ReplayFeeder feeder(config, plan());
            REQUIRE(feeder.offer(rows(3'000)));
            REQUIRE(feeder.end_pass(false));
            REQUIRE(feeder.await_prefilled(kPatienceNs));
            REQUIRE(all_fed(feeder));
            std::set<std::uint32_t> symbols;
            for (std::uint32_t worker = 0; worker < workers; ++worker) {
                std::int64_t last_ns = -1;
                std::map<std::uint32_t, std::uint32_t> connection_of;
                for (ReplayOrder order; feeder.source(worker).orders.pop(order);) {
                    seen.insert(order.intent.quantity);
                    CHECK(order.due_ns == (order.intent.quantity - 1) * kNsPerMs);
                    CHECK(order.due_ns > last_ns);
                    last_ns = order.due_ns;
                    CHECK(order.connection < connections);
                    const auto [at, is_new] =
                        connection_of.emplace(order.intent.symbol, order.connection);
                    CHECK(at->second == order.connection);
                    if (is_new) CHECK(symbols.insert(order.intent.symbol).second);
                }
            }
            CHECK(feeder.state().rows == 3'000);
            CHECK(feeder.state().ended);
            CHECK(feeder.state().end_ns == 3 * kNsPerS);
        }
        CHECK(seen.size() == 3'000);
        CHECK(std::set(seen.begin(), seen.end()).size() == 3'000);
    }
}

TEST_CASE("a row that names no living order is skipped and counted by one agent") {
    std::uint64_t counted = 0;
    std::size_t sent = 0;
    for (std::uint32_t agent = 0; agent < 2; ++agent) {
        LoadConfig config = config_of(2, 4, 1, ArrivalLaw::kConstant);
        config.agent = agent;
        ReplayFeeder feeder(config, plan());
        ReplayBatch batch = rows(100);
        batch.rows[50].action = Action::kCancel;
        batch.rows[50].reference = 77;
        REQUIRE(feeder.offer(batch));
        REQUIRE(feeder.end_pass(false));
        REQUIRE(all_fed(feeder));
        counted += feeder.state().unknown_references;
        // It takes no time of the schedule: the 99 others have the first 99.
        CHECK(feeder.state().end_ns == 99 * kNsPerMs);
        for (ReplayOrder order; feeder.source(0).orders.pop(order);) {
            ++sent;
            const std::uint32_t row = order.intent.quantity - 1;
            CHECK(order.due_ns == (row > 50 ? row - 1 : row) * kNsPerMs);
        }
    }
    CHECK(counted == 1);
    CHECK(sent == 99);
}

TEST_CASE("the ring is bounded: the feeder waits for room, and a stop ends the wait at once") {
    LoadConfig config = config_of(1, 1, 1);
    ReplayFeeder feeder(config, plan());
    REQUIRE(feeder.offer(rows(ReplaySource::kOrders + 1'000)));
    REQUIRE(feeder.await_prefilled(kPatienceNs));
    REQUIRE(becomes([&] { return feeder.source(0).feeder_waits.load(); }));
    CHECK(feeder.source(0).fed_until_ns == ReplaySource::kOrders * kNsPerMs);
    SUBCASE("room is used") {
        ReplayOrder order;
        for (int i = 0; i < 1'000; ++i) REQUIRE(feeder.source(0).orders.pop(order));
        REQUIRE(becomes([&] { return !feeder.source(0).feeder_waits.load(); }));
        REQUIRE(feeder.end_pass(false));
        CHECK(all_fed(feeder));
    }
    SUBCASE("a stop") {
        feeder.end_by(kNsPerS);
        CHECK(all_fed(feeder));
        CHECK(!feeder.offer(rows(1)));
    }
    SUBCASE("an abort") {
        feeder.abort();
        CHECK(all_fed(feeder));
        CHECK(!feeder.end_pass(true));
    }
    SUBCASE("a worker that takes no more") {
        feeder.source(0).abandoned = true;
        CHECK(all_fed(feeder));
    }
}

TEST_CASE("what is due after the level's end is not wanted") {
    LoadConfig config = config_of(1, 1, 1);
    config.duration_ns = 100 * kNsPerMs;
    ReplayFeeder feeder(config, plan());
    REQUIRE(feeder.offer(rows(1'000)));
    CHECK(all_fed(feeder));
    CHECK(!feeder.offer(rows(1'000, 1'000)));
    CHECK(!feeder.state().ended);
    std::size_t orders = 0;
    for (ReplayOrder order; feeder.source(0).orders.pop(order);) ++orders;
    CHECK(orders == 100);
}

TEST_CASE("a reader that waits is let go when the feeder ends") {
    LoadConfig config = config_of(1, 1, 1);
    ReplayFeeder feeder(config, plan());
    REQUIRE(feeder.offer(rows(ReplaySource::kOrders + 1)));
    std::size_t taken = 0;
    std::thread reader([&] {
        while (taken < 1'000 && feeder.offer({})) ++taken;
    });
    REQUIRE(feeder.await_prefilled(kPatienceNs));
    feeder.abort();
    reader.join();
    CHECK(taken <= ReplayFeeder::kBatchesHeld);
}

TEST_CASE("another pass begins where the one before ended, with lives of its own") {
    LoadConfig config = config_of(1, 1, 1);
    config.duration_ns = 250 * kNsPerMs;
    ReplayFeeder feeder(config, plan());
    for (int pass = 0; pass < 3; ++pass) {
        ReplayBatch batch = rows(100);
        if (pass > 0) batch.new_symbols.clear();
        // The first row names an order that only a pass before has entered.
        batch.rows[0].action = Action::kCancel;
        batch.rows[0].reference = mixed(99);
        if (!feeder.offer(batch) || !feeder.end_pass(true)) break;
    }
    CHECK(all_fed(feeder));
    std::vector<std::int64_t> due_ns;
    for (ReplayOrder order; feeder.source(0).orders.pop(order);) due_ns.push_back(order.due_ns);
    REQUIRE(due_ns.size() == 247);
    CHECK(due_ns.front() == kNsPerMs);
    CHECK(due_ns.back() == 249 * kNsPerMs);
    CHECK(feeder.state().unknown_references == 3);
}

TEST_CASE("passes that bring an agent nothing end for it") {
    LoadConfig config = config_of(1'000, 1, 1, ArrivalLaw::kClosed);
    config.agent = 999;
    ReplayFeeder feeder(config, plan());
    ReplayBatch batch = rows(20);
    // A thousand agents for twenty symbols: this one has none, or the test says nothing.
    for (const NewSymbol& symbol : batch.new_symbols) {
        REQUIRE(stable_hash(symbol.text) % 1'000 != 999);
    }
    REQUIRE(feeder.offer(batch));
    REQUIRE(feeder.end_pass(true));
    CHECK(all_fed(feeder));
}

TEST_CASE("a reader's failure before the start is an error, after it an end") {
    LoadConfig config = config_of(1, 1, 1);
    SUBCASE("before") {
        ReplayFeeder feeder(config, plan());
        feeder.fail("a.csv: row 1: no");
        CHECK_THROWS_WITH_AS(feeder.await_prefilled(kPatienceNs), "a.csv: row 1: no", LoadError);
    }
    SUBCASE("after") {
        ReplayFeeder feeder(config, plan());
        REQUIRE(feeder.offer(rows(3'000)));
        REQUIRE(feeder.await_prefilled(kPatienceNs));
        feeder.fail("a.csv: row 3001: no");
        CHECK(all_fed(feeder));
        CHECK(feeder.state().error == "a.csv: row 3001: no");
        CHECK(feeder.state().rows == 3'000);
    }
}

TEST_CASE("a row of a symbol that nobody named is refused") {
    ReplayFeeder feeder(config_of(1, 1, 1), plan());
    ReplayBatch batch = rows(1);
    batch.rows[0].symbol = 20;
    CHECK_THROWS_AS(feeder.offer(batch), LoadError);
}

TEST_CASE("a row that the protocol can't say is refused by its number, before it is sent") {
    protocol::Plan narrow = plan();
    ReplayBatch batch = rows(3);
    std::string sentence;
    SUBCASE("no such message") {
        narrow.sends[protocol::variant_of(0, 1, 0)] = protocol::kNone;
        batch.rows[1].kind = OrderKind::kMarket;
        sentence = "row 2: the protocol has no message for it";
    }
    SUBCASE("no such message for one of the sides that its order may have") {
        narrow.sends[protocol::variant_of(2, 0, 1)] = protocol::kNone;
        batch.rows[1].action = Action::kCancel;
        batch.rows[1].side.reset();
        sentence = "row 2: the protocol has no message for it";
    }
    SUBCASE("too large a price") {
        narrow.limits[static_cast<std::size_t>(protocol::Source::kPrice)] = {true, 0, 99};
        sentence = "row 1: the protocol can't carry its price of 100 ticks";
    }
    SUBCASE("too large a size") {
        narrow.limits[static_cast<std::size_t>(protocol::Source::kSize)] = {true, 0, 2};
        sentence = "row 3: the protocol can't carry its size of 3";
    }
    SUBCASE("too large a symbol") {
        narrow.limits[static_cast<std::size_t>(protocol::Source::kSymbol)] = {true, 0, 1};
        sentence = "row 3: the protocol can't carry its symbol, number 2";
    }
    ReplayFeeder feeder(config_of(1, 1, 1), narrow);
    CHECK_THROWS_WITH_AS(feeder.offer(batch), sentence.c_str(), LoadError);
    // What came before it is sent.
    REQUIRE(feeder.end_pass(false));
    REQUIRE(all_fed(feeder));
    CHECK(feeder.state().rows == static_cast<std::uint64_t>(sentence[4] - '1'));
}
