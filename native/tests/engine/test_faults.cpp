// Planted faults do what --help says. Only lower bounds of time are judged: a machine may be slow.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "client/clock.h"
#include "engine/faults.h"
#include "engine/server.h"
#include "messages.h"
#include "test_client.h"

using namespace cluster;
using namespace cluster::engine;
using namespace cluster::engine::test;
using orderwire::Side;
using orderwire::Type;

namespace {

/// The engine time of one order for symbol 0 and one for symbol 1, whichever is shorter.
std::uint64_t engine_ns_with(const FaultOptions& faults, std::uint32_t threads) {
    EngineOptions options;
    options.port = 0;
    options.threads = threads;
    options.faults = faults;
    Server server(options);
    TestClient client(server.port());
    std::uint64_t shortest = ~std::uint64_t{0};
    for (std::uint32_t symbol = 0; symbol < 2; ++symbol) {
        client.send(new_order(1 + symbol, Side::kBuy, 100, 1, symbol));
        const ReplyMessage reply = client.must_get(Type::kAccepted);
        shortest = std::min(shortest, reply.replied_ns - reply.received_ns);
    }
    return shortest;
}

/// How long one pass waits in an engine that started so long ago.
std::int64_t pass_ns(const FaultOptions& options, std::int64_t started_ago_ms, bool stopped) {
    const std::atomic<bool> stop = stopped;
    const std::int64_t before_ns = MonotonicClock::now_ns();
    Faults faults(options, before_ns - started_ago_ms * kNsPerMs, stop);
    faults.before_pass();
    return MonotonicClock::now_ns() - before_ns;
}

}  // namespace

TEST_CASE("a busy engine spends the time between receiving and replying") {
    CHECK(engine_ns_with({.busy_ns = 3'000'000}, 1) >= 3'000'000);
    CHECK(engine_ns_with({.busy_ns = 3'000'000}, 2) >= 3'000'000);
}

TEST_CASE("a lock is held for every order") {
    CHECK(engine_ns_with({.lock_ns = 3'000'000}, 2) >= 3'000'000);
}

TEST_CASE("a sleeping engine sleeps before its replies go out") {
    CHECK(engine_ns_with({.sleep_us = 5'000}, 1) >= 5'000'000);
}

TEST_CASE("a stall lasts until its end and returns every period") {
    const FaultOptions options{.stall_every_ms = 1'000, .stall_ms = 200};

    CHECK(pass_ns(options, 1'020, false) >= 100 * kNsPerMs);
    CHECK(pass_ns(options, 5'020, false) >= 100 * kNsPerMs);
}

TEST_CASE("there is no stall before the first period, between stalls, or after the stop") {
    const FaultOptions options{.stall_every_ms = 100'000, .stall_ms = 50'000};

    CHECK(pass_ns(options, 10'000, false) < 20'000 * kNsPerMs);
    CHECK(pass_ns(options, 160'000, false) < 20'000 * kNsPerMs);
    CHECK(pass_ns(options, 110'000, true) < 20'000 * kNsPerMs);
}

TEST_CASE("a single stall begins after the first order, freezes all until its end, and is over") {
    const std::atomic<bool> stop = false;
    Faults faults({.stall_at_ms = 50, .stall_ms = 100}, MonotonicClock::now_ns(), stop);
    const auto pass = [&faults] {
        const std::int64_t before_ns = MonotonicClock::now_ns();
        faults.before_pass();
        return MonotonicClock::now_ns() - before_ns;
    };
    const auto wait_until = [](std::int64_t at_ns) {
        while (MonotonicClock::now_ns() < at_ns) {
        }
    };

    wait_until(MonotonicClock::now_ns() + 60 * kNsPerMs);
    CHECK(pass() < 50 * kNsPerMs);  // no order has come
    const std::int64_t first_ns = MonotonicClock::now_ns();
    faults.before_order();
    wait_until(first_ns + 70 * kNsPerMs);
    faults.before_order();  // the second does not matter
    CHECK(pass() >= 1);
    const std::int64_t woke_ns = MonotonicClock::now_ns();
    CHECK(woke_ns - first_ns >= 150 * kNsPerMs);
    wait_until(woke_ns + 60 * kNsPerMs);
    CHECK(pass() < 50 * kNsPerMs);
}

TEST_CASE("system calls and memory cost every order their time") {
    CHECK(engine_ns_with({.syscalls_per_order = 20'000}, 1) >= 20'000 * 20);
    // A load from the first cache takes a ns and more; from 32 MiB of memory far more.
    CHECK(engine_ns_with({.memory_kib = 32 * 1024, .memory_steps = 100'000}, 1) >= 100'000);
    CHECK(engine_ns_with({.memory_kib = 1, .memory_steps = 100'000}, 2) >= 100'000);
}

TEST_CASE("a larger memory is a slower one") {
    const auto engine_ns = [](std::uint64_t kib) {
        return engine_ns_with({.memory_kib = kib, .memory_steps = 200'000}, 1);
    };

    CHECK(engine_ns(256 * 1024) > 3 * engine_ns(8));
}

TEST_CASE("a slow reader takes 4 KiB at a time") {
    EngineOptions options;
    options.port = 0;
    options.faults.slow_reader_us = 1'000;
    Server server(options);
    TestClient client(server.port());
    std::vector<std::byte> bytes;
    constexpr std::uint64_t kOrders = 1'000;
    for (std::uint64_t id = 1; id <= kOrders; ++id) {
        const orderwire::New order = new_order(id, Side::kBuy, 100, 1);
        const auto added = std::as_bytes(std::span(&order, 1));
        bytes.insert(bytes.end(), added.begin(), added.end());
    }
    client.send_bytes(bytes);
    std::set<std::uint64_t> reads;
    for (std::uint64_t id = 1; id <= kOrders; ++id) {
        reads.insert(client.must_get(Type::kAccepted).received_ns);
    }

    CHECK(reads.size() >= bytes.size() / 4096);
}
