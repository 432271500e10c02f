// The symbols of a file on the wire: their texts, their numbers, and what no field can carry.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <thread>

#include "client/clock.h"
#include "client/errors.h"
#include "client/replay_feeder.h"
#include "client/wire_codec.h"
#include "protocol/plan_reader.h"
#include "tests/protocol/bytes.h"

using namespace cluster;
using namespace cluster::test;

namespace {

constexpr std::int64_t kPatienceNs = 20 * kNsPerS;

/// Orders are the symbol at the left of eight bytes, at the right of six, and its number.
protocol::Plan plan_with(const std::string& frame = "fixed 8", std::uint32_t symbols = 10'000,
                         bool number_too = true, const std::string& more = "") {
    const std::string count = std::to_string(symbols);
    std::string text = "loadcluster-plan 1\nframe " + frame + "\n";
    text += "table 0 8 symbols " + count + " 20 left\n";
    text += "table 1 6 symbols " + count + " 2e right\n";
    text += more + "message order own\n  bytes " + hex(std::string(18, '-')) + "\n";
    text += "  table 0 symbol 0\n  table 8 symbol 1\n";
    if (number_too) text += "  int 14 4 big symbol 1 0\n";
    text += "end\n";
    for (const std::string side : {"buy", "sell"}) text += "send new limit " + side + " order\n";
    return protocol::read_plan(text);
}

LoadConfig config_of(std::uint32_t workers = 1, std::uint32_t connections = 1) {
    LoadConfig config;
    config.workers = workers;
    config.connections = connections;
    config.arrivals = ArrivalLaw::kRecorded;
    config.duration_ns = 3'600 * kNsPerS;
    config.replay = ReplayConfig{.living_orders_max = 1'000};
    return config;
}

/// One order of each symbol, named by that row.
ReplayBatch one_of_each(const std::vector<NewSymbol>& symbols, std::uint32_t first = 0) {
    ReplayBatch batch;
    for (const NewSymbol& symbol : symbols) {
        batch.new_symbols.push_back(symbol);
        batch.rows.push_back(
            {0, 1, 0, 0, 1, first++, Action::kNew, OrderKind::kLimit, OrderSide::kBuy});
    }
    return batch;
}

std::string written(WireCodec& codec, const Intent& intent) {
    std::vector<std::byte> out(codec.room());
    const std::size_t length = codec.encode(intent, 0, 0, out.data());
    return text(std::span(out).first(length));
}

/// All orders of a worker as bytes, as they come.
std::vector<std::string> sent_by(ReplayFeeder& feeder, const protocol::Plan& plan,
                                 std::uint32_t worker = 0) {
    WireCodec codec(plan, Random(1), {});
    std::vector<std::string> sent;
    const std::int64_t deadline_ns = MonotonicClock::now_ns() + kPatienceNs;
    ReplaySource& source = feeder.source(worker);
    for (bool all = false; !all && MonotonicClock::now_ns() < deadline_ns;) {
        all = source.fed_until_ns.load(std::memory_order_acquire) == ReplaySource::kAllFed;
        for (ReplayOrder order; source.orders.pop(order);) {
            sent.push_back(written(codec, order.intent));
        }
    }
    return sent;
}

std::string refusal(protocol::Plan plan, const std::vector<NewSymbol>& symbols) {
    ReplayFeeder feeder(config_of(), plan);
    try {
        feeder.offer(one_of_each(symbols));
    } catch (const LoadError& error) {
        return error.what();
    }
    return "";
}

std::string name_of(std::uint32_t number) {
    std::string name = "N";
    name += std::to_string(number);
    return name;
}

std::string padded(std::uint32_t number) {
    const std::string name = name_of(number);
    std::string bytes = name + std::string(8 - name.size(), ' ');
    bytes += std::string(6 - name.size(), '.') + name;
    for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(number >> shift & 0xFF);
    return bytes;
}

}  // namespace

TEST_CASE("a symbol's text stands in its tables before an order of it is in any ring") {
    constexpr std::uint32_t kBatches = 100;
    constexpr std::uint32_t kEach = 50;
    protocol::Plan plan = plan_with();
    ReplayFeeder feeder(config_of(2, 4), plan);
    // Workers take while the feeder writes: every order shows its text, never padding.
    std::vector<std::string> sent[2];
    std::thread workers[2];
    for (std::uint32_t i = 0; i < 2; ++i) {
        workers[i] = std::thread([&, i] { sent[i] = sent_by(feeder, plan, i); });
    }
    bool wanted = true;
    for (std::uint32_t first = 0; wanted && first < kBatches * kEach; first += kEach) {
        std::vector<NewSymbol> symbols;
        for (std::uint32_t n = first; n < first + kEach; ++n) symbols.push_back({name_of(n), n});
        wanted = feeder.offer(one_of_each(symbols, first));
    }
    CHECK(feeder.end_pass(false));
    for (std::thread& worker : workers) worker.join();
    CHECK(wanted);
    std::set<std::string> all(sent[0].begin(), sent[0].end());
    all.insert(sent[1].begin(), sent[1].end());
    CHECK(sent[0].size() + sent[1].size() == kBatches * kEach);
    CHECK(!sent[0].empty());
    CHECK(!sent[1].empty());
    std::set<std::string> expected;
    for (std::uint32_t n = 0; n < kBatches * kEach; ++n) expected.insert(padded(n));
    CHECK(all == expected);
}

TEST_CASE("texts are there while the feeder still waits for room for their batch") {
    protocol::Plan plan = plan_with();
    ReplayFeeder feeder(config_of(), plan);
    ReplayBatch batch = one_of_each({{name_of(0), 0}, {name_of(1), 1}});
    batch.rows.resize(2 * ReplaySource::kOrders, batch.rows[1]);
    REQUIRE(feeder.offer(batch));
    ReplaySource& source = feeder.source(0);
    const std::int64_t deadline_ns = MonotonicClock::now_ns() + kPatienceNs;
    while (!source.feeder_waits && MonotonicClock::now_ns() < deadline_ns) {
        std::this_thread::yield();
    }
    REQUIRE(source.feeder_waits);
    WireCodec codec(plan, Random(1), {});
    for (std::uint32_t n = 0; n < 2; ++n) {
        ReplayOrder order{};
        REQUIRE(source.orders.pop(order));
        CHECK(written(codec, order.intent) == padded(n));
    }
}

TEST_CASE("a text that no field can carry is refused with its row, not cut") {
    const std::vector<NewSymbol> good = {{"AAPL", 0}, {"MSFT", 1}};
    const auto third = [&](const std::string& text) {
        std::vector<NewSymbol> symbols = good;
        symbols.push_back({text, 2});
        return symbols;
    };
    CHECK(refusal(plan_with(), good) == "");
    CHECK(refusal(plan_with(), third("SIXSIX")) == "");
    CHECK(refusal(plan_with(), third("SEVEN77")) ==
          "row 3: its symbol `SEVEN77` has 7 bytes, and 6 fit into the protocol's field");
    CHECK(refusal(plan_with(), third(std::string("A\0B", 3))) ==
          "row 3: its symbol `A\\x00B` holds the character 0x00, which the protocol's field can't "
          "carry");
    CHECK(refusal(plan_with(), third("A\x01")) != "");
    const std::string fix = "fix 383d4649582e342e3401 4096";
    CHECK(refusal(plan_with(fix), third("A=B")) ==
          "row 3: its symbol `A=B` holds the character 0x3d, which the protocol's field can't "
          "carry");
    CHECK(refusal(plan_with(), third("A=B")) == "");
    CHECK(refusal(plan_with("delimiter 3b 64"), third("A;B")) != "");
    // A sentence is short, and no character of it is cut within.
    std::string umlauts;
    for (int i = 0; i < 100; ++i) umlauts += "ä";
    CHECK(refusal(plan_with(), third("x" + umlauts)) ==
          "row 3: its symbol `x" + umlauts.substr(0, 62) +
              "…` has 201 bytes, and 6 fit into the protocol's field");
}

TEST_CASE("what only a later row names is refused with that row") {
    protocol::Plan plan = plan_with();
    ReplayFeeder feeder(config_of(), plan);
    ReplayBatch batch = one_of_each({{"AAPL", 0}});
    batch.new_symbols.push_back({"TOO LONG", 1});
    REQUIRE(feeder.offer(batch));
    batch.new_symbols.clear();
    batch.rows[0].symbol = 1;
    CHECK_THROWS_WITH_AS(
        feeder.offer(batch),
        "row 2: its symbol `TOO LONG` has 8 bytes, and 6 fit into the protocol's field", LoadError);
}

TEST_CASE("integers are sent as they are, as text and as number") {
    SUBCASE("both: then the bound of symbols is one of their size") {
        protocol::Plan plan = plan_with("fixed 8", 1'000);
        ReplayFeeder feeder(config_of(), plan);
        REQUIRE(feeder.offer(one_of_each({{"700", 700}, {"5", 5}})));
        REQUIRE(feeder.end_pass(false));
        const auto sent = sent_by(feeder, plan);
        REQUIRE(sent.size() == 2);
        CHECK(sent[0] == std::string("700     ...700\0\0\x02\xbc", 18));
        CHECK(sent[1] == std::string("5       .....5\0\0\0\x05", 18));
        CHECK(refusal(plan_with("fixed 8", 1'000), {{"1000", 1'000}}) ==
              "row 1: its symbol `1000` is a number of 1000 or more, and the protocol sends it as "
              "text, too: raise `symbols_max` above it");
    }
    SUBCASE("text alone: they may be of any size") {
        protocol::Plan plan = plan_with("fixed 8", 2, false);
        ReplayFeeder feeder(config_of(), plan);
        REQUIRE(feeder.offer(one_of_each({{"700000", 700'000}, {"5", 5}})));
        REQUIRE(feeder.end_pass(false));
        const auto sent = sent_by(feeder, plan);
        REQUIRE(sent.size() == 2);
        CHECK(sent[0] == "700000  700000----");
        CHECK(sent[1] == "5       .....5----");
    }
}

TEST_CASE("names in the schema give the numbers, and no other symbol is sent") {
    const std::string names = "symbols " + hex("MSFT") + " " + hex("AAPL") + "\n";
    protocol::Plan plan = protocol::read_plan(
        "loadcluster-plan 1\nframe fixed 8\ntable 0 4 " + hex("MSFTAAPL") + "\n" + names +
        "message order own\n  bytes 0000000000\n  table 0 symbol 0\n  int 4 1 big symbol 1 0\nend\n"
        "send new limit buy order\nsend new limit sell order\n");
    ReplayFeeder feeder(config_of(), plan);
    REQUIRE(feeder.offer(one_of_each({{"AAPL", 0}, {"MSFT", 1}})));
    REQUIRE(feeder.end_pass(false));
    const auto sent = sent_by(feeder, plan);
    REQUIRE(sent.size() == 2);
    CHECK(sent[0] == std::string("AAPL\x01"));
    CHECK(sent[1] == std::string("MSFT\0", 5));
    CHECK(feeder.symbols()[0].number == 1);
    CHECK(refusal(plan, {{"AAPL", 0}, {"SAP", 1}}) ==
          "row 2: its symbol `SAP` is none of the names in the wire schema");
}

TEST_CASE("all agents call a symbol by the same number, whichever of them they send") {
    // Each reads the whole file, and nothing else decides.
    std::vector<NewSymbol> symbols;
    for (std::uint32_t n = 0; n < 40; ++n) symbols.push_back({name_of(n * 7), n});
    std::vector<std::map<std::string, std::uint32_t>> numbers;
    std::size_t sent = 0;
    for (std::uint32_t agent = 0; agent < 3; ++agent) {
        protocol::Plan plan = plan_with();
        LoadConfig config = config_of();
        config.agent = agent;
        config.replay->agents = 3;
        ReplayFeeder feeder(config, plan);
        REQUIRE(feeder.offer(one_of_each(symbols)));
        REQUIRE(feeder.end_pass(false));
        sent += sent_by(feeder, plan).size();
        auto& mine = numbers.emplace_back();
        for (std::size_t i = 0; i < feeder.symbols().size(); ++i) {
            mine[feeder.symbols()[i].text] = feeder.symbols()[i].number;
        }
    }
    CHECK(sent == 40);
    CHECK(numbers[0].size() == 40);
    CHECK(numbers[0] == numbers[1]);
    CHECK(numbers[0] == numbers[2]);
}
