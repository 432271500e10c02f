// A file's orders through the whole client: reader, feeder, workers, real sockets.
#include <doctest/doctest.h>

#include <chrono>
#include <thread>

#include "client/errors.h"
#include "client/load_client.h"
#include "tests/client/loopback_engine.h"

using namespace cluster;
using namespace cluster::test;

namespace {

constexpr std::int64_t kPatienceNs = 20 * kNsPerS;

LoadConfig config_for(std::uint16_t port) {
    LoadConfig config;
    config.port = port;
    config.connections = 4;
    config.workers = 2;
    config.arrivals = ArrivalLaw::kRecorded;
    config.duration_ns = 10 * kNsPerS;
    config.timeout_ns = 10 * kNsPerS;
    config.drain_ns = 10 * kNsPerS;
    config.replay = ReplayConfig{.living_orders_max = 10'000};
    return config;
}

/// New orders, one each `gap_ns`, over 20 symbols.
ReplayBatch rows(std::uint32_t count, std::int64_t gap_ns) {
    ReplayBatch batch;
    for (std::uint32_t i = 0; i < 20; ++i) batch.new_symbols.push_back({std::to_string(i), i});
    for (std::uint32_t i = 0; i < count; ++i) {
        batch.rows.push_back({i * gap_ns, 100, mixed(i), 0, 1, i % 20, Action::kNew,
                              OrderKind::kLimit, OrderSide::kBuy});
    }
    return batch;
}

Progress end_of(LoadClient& client) {
    REQUIRE(client.join(kPatienceNs));
    const Progress progress = client.progress();
    Books books;
    for (const Interval& interval : client.take_intervals()) books += interval.books;
    CHECK(progress.books.balanced());
    CHECK(books == progress.books);
    return progress;
}

}  // namespace

TEST_CASE("a file is sent to its end, and the level ends with it") {
    const LoopbackEngine engine([](int connection, const std::atomic<bool>& stop) {
        serve(connection, stop, [&](std::uint64_t id) { accept_order(connection, id); });
    });
    for (const ArrivalLaw arrivals : {ArrivalLaw::kRecorded, ArrivalLaw::kClosed}) {
        LoadConfig config = config_for(engine.port());
        config.arrivals = arrivals;
        config.in_flight = 16;
        LoadClient client(config);
        REQUIRE(client.replay().offer(rows(2'000, 100'000)));
        REQUIRE(client.replay().end_pass(false));
        REQUIRE(client.replay().await_prefilled(kPatienceNs));
        client.connect(kPatienceNs);
        const std::int64_t start_ns = MonotonicClock::now_ns() + 5 * kNsPerMs;
        client.start_at(start_ns);
        const Progress progress = end_of(client);
        CHECK(MonotonicClock::now_ns() - start_ns < config.duration_ns);
        CHECK(progress.books.accepted == 2'000);
        CHECK(progress.errors[ErrorKind::kReplayStarved] == 0);
        CHECK(client.replay().state().ended);
    }
}

TEST_CASE("stopped in deep backlog, what was due by then is unsent, in the ring or beyond it") {
    const LoopbackEngine engine([](int, const std::atomic<bool>& stop) {
        while (!stop) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    });
    LoadConfig config = config_for(engine.port());
    config.workers = 1;
    config.in_flight_max = 10;
    config.drain_ns = 0;
    LoadClient client(config);
    constexpr std::int64_t kGapNs = 1'000;
    REQUIRE(client.replay().offer(rows(500'000, kGapNs)));
    REQUIRE(client.replay().await_prefilled(kPatienceNs));
    client.connect(kPatienceNs);
    const std::int64_t start_ns = MonotonicClock::now_ns() + 5 * kNsPerMs;
    client.start_at(start_ns);
    // Beyond what the ring holds.
    constexpr std::int64_t kStopNs = 2 * kGapNs * std::int64_t{ReplaySource::kOrders};
    while (MonotonicClock::now_ns() < start_ns + kStopNs) std::this_thread::yield();
    client.stop();
    const Progress progress = end_of(client);
    CHECK(progress.books.sent <= 10);
    CHECK(progress.books.intended >= kStopNs / kGapNs);
    CHECK(progress.books.intended < 500'000);
    client.close();
    CHECK(!client.replay().offer(rows(1, 1)));
}

TEST_CASE("an end moved ahead: the file's orders due before it are sent, the rest never was due") {
    const LoopbackEngine engine([](int connection, const std::atomic<bool>& stop) {
        serve(connection, stop, [&](std::uint64_t id) { accept_order(connection, id); });
    });
    for (const ArrivalLaw arrivals : {ArrivalLaw::kRecorded, ArrivalLaw::kClosed}) {
        LoadConfig config = config_for(engine.port());
        config.arrivals = arrivals;
        config.in_flight = 4;
        LoadClient client(config);
        REQUIRE(client.replay().offer(rows(200'000, 100'000)));
        REQUIRE(client.replay().end_pass(true));
        REQUIRE(client.replay().await_prefilled(kPatienceNs));
        client.connect(kPatienceNs);
        const std::int64_t start_ns = MonotonicClock::now_ns() + 5 * kNsPerMs;
        client.start_at(start_ns);
        client.end_at(start_ns + 300 * kNsPerMs);
        const Progress progress = end_of(client);
        CHECK(MonotonicClock::now_ns() - start_ns < config.duration_ns);
        CHECK(progress.books.sent > 0);
        CHECK(progress.books.accepted == progress.books.intended);
        if (arrivals == ArrivalLaw::kRecorded) CHECK(progress.books.intended == 3'000);
    }
}

TEST_CASE("closed before it has started, nothing waits for the rest of the file") {
    LoadClient client(config_for(9));
    REQUIRE(client.replay().offer(rows(200'000, 1)));
    client.close();
    CHECK(!client.replay().offer({}));
}

TEST_CASE("a plan that takes its symbols' texts from a file needs one") {
    LoadConfig config = config_for(9);
    config.wire.plan =
        "loadcluster-plan 1\nframe fixed 8\ntable 0 4 symbols 10 20 left\n"
        "message m own\n  bytes 00000000\n  table 0 symbol 0\nend\n";
    CHECK_NOTHROW(LoadClient{config});
    config.replay.reset();
    config.arrivals = ArrivalLaw::kConstant;
    config.rate_per_s = 1;
    CHECK_THROWS_WITH_AS(LoadClient{config}, "plan: takes its symbols from a file to replay",
                         LoadError);
}

TEST_CASE("only a load whose orders come from a file takes any") {
    LoadConfig config = config_for(9);
    config.replay.reset();
    CHECK_THROWS_AS(LoadClient{config}, LoadError);
    config.arrivals = ArrivalLaw::kConstant;
    config.rate_per_s = 1;
    LoadClient client(config);
    CHECK_THROWS_AS(client.replay(), LoadError);
}
