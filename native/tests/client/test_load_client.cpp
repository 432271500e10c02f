// The whole client against real sockets: threads, partial reads and writes, engines that fail.
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <string>
#include <string_view>
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
    config.connections = 2;
    config.arrivals = ArrivalLaw::kConstant;
    config.rate_per_s = 5'000;
    config.duration_ns = 300 * kNsPerMs;
    // Long, so that a machine with other things to do changes no outcome.
    config.timeout_ns = 10 * kNsPerS;
    config.drain_ns = 10 * kNsPerS;
    return config;
}

struct Outcome {
    Progress progress;
    Books interval_books;
    std::uint64_t responses = 0;
};

Outcome outcome_of(LoadClient& client) {
    REQUIRE(client.join(kPatienceNs));
    Outcome outcome{client.progress(), {}, 0};
    for (const Interval& interval : client.take_intervals()) {
        outcome.interval_books += interval.books;
        const auto& counts = interval.response.counts;
        outcome.responses = std::accumulate(counts.begin(), counts.end(), outcome.responses);
    }
    CHECK(outcome.progress.finished);
    CHECK(outcome.progress.books.balanced());
    CHECK(outcome.interval_books == outcome.progress.books);
    CHECK(outcome.responses == outcome.progress.books.accepted + outcome.progress.books.rejected);
    return outcome;
}

Outcome load(const LoadConfig& config) {
    LoadClient client(config);
    CHECK(client.connect(kPatienceNs) == config.connections);
    client.start_at(MonotonicClock::now_ns() + 5 * kNsPerMs);
    return outcome_of(client);
}

void answer_all(int connection, const std::atomic<bool>& stop) {
    serve(connection, stop, [&](std::uint64_t id) { accept_order(connection, id); });
}

void wait_until_stopped(int, const std::atomic<bool>& stop) {
    while (!stop) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

}  // namespace

TEST_CASE("an engine that answers everything: the books balance to the order") {
    for (const bool spin : {false, true}) {
        const LoopbackEngine engine(answer_all);
        LoadConfig config = config_for(engine.port());
        config.spin = spin;
        const Outcome outcome = load(config);
        CHECK(outcome.progress.books.intended == 1'500);
        CHECK(outcome.progress.books.accepted == 1'500);
        CHECK(outcome.progress.connections_open == 2);
    }
}

TEST_CASE("several workers share the schedule and the connections") {
    const LoopbackEngine engine(answer_all);
    LoadConfig config = config_for(engine.port());
    config.workers = 3;
    config.connections = 7;
    for (const ArrivalLaw law :
         {ArrivalLaw::kConstant, ArrivalLaw::kPoisson, ArrivalLaw::kClosed}) {
        config.arrivals = law;
        config.in_flight = 10;
        const Outcome outcome = load(config);
        CHECK(outcome.progress.books.accepted == outcome.progress.books.intended);
        CHECK(outcome.progress.books.intended > 500);
        if (law == ArrivalLaw::kConstant) CHECK(outcome.progress.books.intended == 1'500);
    }
}

TEST_CASE("an engine that never answers: everything times out") {
    const LoopbackEngine engine(wait_until_stopped);
    LoadConfig config = config_for(engine.port());
    config.timeout_ns = 100 * kNsPerMs;
    const Outcome outcome = load(config);
    CHECK(outcome.progress.books.timed_out == 1'500);
    CHECK(outcome.progress.books.sent == 1'500);
}

TEST_CASE("an engine that closes at once: nothing is left to send to") {
    const LoopbackEngine engine([](int, const std::atomic<bool>&) {});
    const Outcome outcome = load(config_for(engine.port()));
    CHECK(outcome.progress.connections_open == 0);
    CHECK(outcome.progress.books.accepted == 0);
    CHECK(outcome.progress.books.intended <= 1'500);
    CHECK(outcome.progress.errors[ErrorKind::kClosedByEngine] +
              outcome.progress.errors[ErrorKind::kReset] ==
          2);
}

TEST_CASE("an engine that answers garbage: a protocol error for each connection") {
    const LoopbackEngine engine([](int connection, const std::atomic<bool>& stop) {
        serve(connection, stop, [&](std::uint64_t) {
            const std::string_view garbage =
                "\xff\xff"
                "garbage that is no message";
            ::send(connection, garbage.data(), garbage.size(), MSG_NOSIGNAL);
        });
    });
    const Outcome outcome = load(config_for(engine.port()));
    CHECK(outcome.progress.errors[ErrorKind::kProtocolError] == 2);
    CHECK(outcome.progress.connections_open == 0);
    CHECK(outcome.progress.books.lost > 0);
}

TEST_CASE("an engine that resets in the middle of a message: its orders are lost") {
    const LoopbackEngine engine([](int connection, const std::atomic<bool>& stop) {
        std::uint64_t answered = 0;
        std::atomic<bool> gone = false;
        serve(connection, gone, [&](std::uint64_t id) {
            if (++answered < 100) {
                accept_order(connection, id);
                return;
            }
            if (answered == 100) {
                const std::byte half[16] = {std::byte{32}, std::byte{0}, std::byte{0x81}};
                ::send(connection, half, sizeof half, MSG_NOSIGNAL);
                reset(connection);
                gone = true;
            }
        });
        (void)stop;
    });
    const Outcome outcome = load(config_for(engine.port()));
    CHECK(outcome.progress.connections_open == 0);
    // The kernel throws away what the engine had not got out when it reset.
    CHECK(outcome.progress.books.accepted <= 198);
    CHECK(outcome.progress.books.lost > 0);
    CHECK(outcome.progress.errors[ErrorKind::kReset] == 2);
}

TEST_CASE("an engine that answers byte by byte is only slow") {
    const LoopbackEngine engine([](int connection, const std::atomic<bool>& stop) {
        serve(connection, stop, [&](std::uint64_t id) { accept_order(connection, id, 1); });
    });
    LoadConfig config = config_for(engine.port());
    config.rate_per_s = 500;
    CHECK(load(config).progress.books.accepted == 150);
}

TEST_CASE("an engine that stops reading: orders wait, and what never went out is unsent") {
    const LoopbackEngine engine([](int connection, const std::atomic<bool>& stop) {
        const int small = 4'096;
        ::setsockopt(connection, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        wait_until_stopped(connection, stop);
    });
    LoadConfig config = config_for(engine.port());
    config.rate_per_s = 2'000'000;
    config.drain_ns = 200 * kNsPerMs;
    config.in_flight_max = 1'000'000;
    const Outcome outcome = load(config);
    CHECK(outcome.progress.books.intended == 600'000);
    CHECK(outcome.progress.books.unsent > 0);
    CHECK(outcome.progress.books.timed_out == outcome.progress.books.sent);
}

TEST_CASE("an engine that reads slowly: partial writes lose nothing") {
    const LoopbackEngine engine([](int connection, const std::atomic<bool>& stop) {
        const int small = 4'096;
        ::setsockopt(connection, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        // Blocked until the pipe is full, then an ordinary engine.
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        answer_all(connection, stop);
    });
    LoadConfig config = config_for(engine.port());
    config.rate_per_s = 100'000;
    const Outcome outcome = load(config);
    CHECK(outcome.progress.books.intended == 30'000);
    CHECK(outcome.progress.books.accepted == 30'000);
}

TEST_CASE("an engine that answers twice and to strangers: counted, nothing else") {
    const LoopbackEngine engine([](int connection, const std::atomic<bool>& stop) {
        serve(connection, stop, [&](std::uint64_t id) {
            accept_order(connection, id);
            accept_order(connection, id);
            accept_order(connection, id + 1'000'000);
        });
    });
    LoadConfig config = config_for(engine.port());
    const Outcome outcome = load(config);
    CHECK(outcome.progress.books.accepted == 1'500);
    CHECK(outcome.progress.errors[ErrorKind::kUnknownId] > 0);
    CHECK(outcome.progress.errors[ErrorKind::kDuplicateReply] > 0);
}

TEST_CASE("a refused connection names operation, peer and cause") {
    LoadClient client(config_for(closed_port()));
    try {
        client.connect(kPatienceNs);
        FAIL("nobody listens there");
    } catch (const LoadError& error) {
        const std::string said = error.what();
        CHECK(said.find("connect to 127.0.0.1:") == 0);
        CHECK(said.find("Connection refused") != std::string::npos);
    }
}

TEST_CASE("an address that does not exist is named") {
    LoadConfig config = config_for(1);
    config.address = "no such host";
    LoadClient client(config);
    CHECK_THROWS_WITH_AS(client.connect(kPatienceNs), doctest::Contains("resolve no such host"),
                         LoadError);
}

TEST_CASE("what can't be carried out is refused with a sentence") {
    LoadConfig no_rate = config_for(1);
    no_rate.rate_per_s = 0;
    CHECK_THROWS_WITH_AS(LoadClient{no_rate}, "rate_per_s: must be above 0", LoadError);
    LoadConfig few = config_for(1);
    few.workers = 3;
    CHECK_THROWS_WITH_AS(LoadClient{few}, doctest::Contains("connections: must be at least"),
                         LoadError);
    LoadConfig cpus = config_for(1);
    cpus.cpus = {0, 1};
    CHECK_THROWS_WITH_AS(LoadClient{cpus}, doctest::Contains("cpus: give one CPU"), LoadError);
    CHECK_THROWS_WITH_AS(arrival_law_of("burst"), doctest::Contains("`burst` is not one of"),
                         LoadError);
}

TEST_CASE("a CPU that does not exist is refused and nothing is left running") {
    const LoopbackEngine engine(answer_all);
    LoadConfig config = config_for(engine.port());
    config.cpus = {4'000};
    LoadClient client(config);
    client.connect(kPatienceNs);
    CHECK_THROWS_WITH_AS(client.start_at(MonotonicClock::now_ns()),
                         doctest::Contains("pin worker 0 to CPU 4000"), LoadError);
}

TEST_CASE("calls out of order are refused") {
    LoadClient client(config_for(1));
    CHECK_THROWS_WITH_AS(client.start_at(0), "start_at: connect first", LoadError);
    CHECK_THROWS_WITH_AS(client.join(0), "join: the load has not been started", LoadError);
    CHECK(client.take_intervals().empty());
    client.stop();
    client.close();
    client.close();
}

TEST_CASE("progress is read while the load runs, and stop ends it") {
    const LoopbackEngine engine(answer_all);
    LoadConfig config = config_for(engine.port());
    config.duration_ns = 60 * kNsPerS;
    LoadClient client(config);
    client.connect(kPatienceNs);
    CHECK(client.began_ns() == 0);
    const std::int64_t start_ns = MonotonicClock::now_ns() + 20 * kNsPerMs;
    client.start_at(start_ns);
    CHECK_FALSE(client.join(kNsPerMs));
    Progress progress;
    for (int i = 0; i < 5'000 && progress.books.accepted < 500; ++i) {
        progress = client.progress();
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    CHECK(progress.books.accepted >= 500);
    CHECK(progress.books.intended >= progress.books.accepted);
    CHECK_FALSE(progress.finished);
    CHECK(client.worker_thread_ids().size() == 1);
    CHECK(client.worker_thread_ids()[0] > 0);
    CHECK(client.began_ns() >= start_ns);
    CHECK(client.began_ns() < MonotonicClock::now_ns());
    const TcpStats stats = client.tcp_stats();
    CHECK(stats.connections == 2);
    CHECK(stats.rtt_us_mean > 0);
    CHECK(stats.min_rtt_us <= stats.rtt_us_max);
    client.stop();
    CHECK(outcome_of(client).progress.books.intended < 60 * 5'000);
}

TEST_CASE("an end moved ahead while the load runs: every order due before it is sent") {
    const LoopbackEngine engine(answer_all);
    for (const ArrivalLaw arrivals : {ArrivalLaw::kConstant, ArrivalLaw::kClosed}) {
        LoadConfig config = config_for(engine.port());
        config.arrivals = arrivals;
        config.in_flight = 4;
        config.workers = 2;
        config.duration_ns = 60 * kNsPerS;
        LoadClient client(config);
        client.connect(kPatienceNs);
        CHECK_THROWS_AS(client.end_at(0), LoadError);
        const std::int64_t start_ns = MonotonicClock::now_ns() + 5 * kNsPerMs;
        client.start_at(start_ns);
        client.end_at(start_ns + 400 * kNsPerMs);
        client.end_at(start_ns + 500 * kNsPerMs);  // an end that has been asked for stays
        const Progress progress = outcome_of(client).progress;
        CHECK(progress.books.accepted == progress.books.intended);
        CHECK(progress.books.sent > 0);
        if (arrivals == ArrivalLaw::kConstant) CHECK(progress.books.intended == 2'000);
    }
}

TEST_CASE("every order is in the seconds of the client's own doings, and sleeps are told") {
    const LoopbackEngine engine(answer_all);
    LoadConfig config = config_for(engine.port());
    config.workers = 2;
    config.duration_ns = 1'200 * kNsPerMs;
    config.sample_width_ns = kNsPerS;
    LoadClient client(config);
    client.connect(kPatienceNs);
    client.start_at(MonotonicClock::now_ns() + 60 * kNsPerMs);
    const Outcome outcome = outcome_of(client);
    std::uint64_t sent = 0;
    std::uint64_t sampled = 0;
    for (const Activity& second : client.take_activity()) {
        sent = std::accumulate(second.sent_per_ms.begin(), second.sent_per_ms.end(), sent);
        sampled += second.send_sample_ns.size();
        CHECK(std::is_sorted(second.send_sample_ns.begin(), second.send_sample_ns.end()));
    }
    CHECK(sent == outcome.progress.books.sent);
    CHECK(sampled == sent);
    CHECK(client.take_activity().empty());
    const auto count = [](const SparseHistogram& histogram) {
        return std::accumulate(histogram.counts.begin(), histogram.counts.end(), std::uint64_t{0});
    };
    const Jitter jitter = client.jitter();
    CHECK(count(jitter.before) >= 1);
    CHECK(count(jitter.before) <= 60);
    CHECK(count(jitter.during) >= 10);
    CHECK(count(jitter.during) <= 240);
}

TEST_CASE("close in the middle loses what is in flight and the books still balance") {
    const LoopbackEngine engine(wait_until_stopped);
    LoadConfig config = config_for(engine.port());
    config.duration_ns = 60 * kNsPerS;
    config.timeout_ns = 60 * kNsPerS;
    LoadClient client(config);
    client.connect(kPatienceNs);
    client.start_at(MonotonicClock::now_ns());
    for (int i = 0; i < 5'000 && client.progress().books.sent < 100; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    client.close();
    CHECK(outcome_of(client).progress.books.lost >= 100);
}

TEST_CASE("a client that is destroyed while it runs ends its threads") {
    const LoopbackEngine engine(answer_all);
    LoadConfig config = config_for(engine.port());
    config.duration_ns = 60 * kNsPerS;
    config.workers = 2;
    LoadClient client(config);
    client.connect(kPatienceNs);
    client.start_at(MonotonicClock::now_ns() + 30 * kNsPerS);
}

TEST_CASE("close may come while another call waits") {
    const LoopbackEngine engine(answer_all);
    LoadConfig config = config_for(engine.port());
    config.duration_ns = 60 * kNsPerS;
    for (int round = 0; round < 20; ++round) {
        LoadClient client(config);
        client.connect(kPatienceNs);
        client.start_at(MonotonicClock::now_ns());
        std::thread waiting([&] { CHECK(client.join(kPatienceNs)); });
        client.close();
        waiting.join();
    }
}

TEST_CASE("without a call of progress the lease ends the load") {
    const LoopbackEngine engine(answer_all);
    LoadConfig config = config_for(engine.port());
    config.duration_ns = 60 * kNsPerS;
    config.lease_ns = 100 * kNsPerMs;
    LoadClient client(config);
    client.connect(kPatienceNs);
    client.start_at(MonotonicClock::now_ns());
    const Outcome outcome = outcome_of(client);
    CHECK(outcome.progress.errors[ErrorKind::kLeaseExpired] == 1);
    CHECK(outcome.progress.books.intended < 60 * 5'000);
}

TEST_CASE("two hundred connections are opened and used") {
    const LoopbackEngine engine(answer_all);
    LoadConfig config = config_for(engine.port());
    config.connections = 200;
    CHECK(load(config).progress.books.accepted == 1'500);
}
