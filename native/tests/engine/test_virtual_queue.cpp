// One server in virtual time: departures follow from arrivals, to the ns.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <thread>
#include <vector>

#include "client/clock.h"
#include "engine/server.h"
#include "engine/virtual_queue.h"
#include "messages.h"
#include "test_client.h"

using namespace cluster;
using namespace cluster::engine;
using namespace cluster::engine::test;
using orderwire::Side;
using orderwire::Type;

namespace {

constexpr std::int64_t kServiceNs = 3'000'000;

std::vector<std::int64_t> departures(VirtualQueue& queue,
                                     const std::vector<std::int64_t>& arrivals) {
    const auto order = new_order(1, Side::kBuy, 100, 1);
    for (const std::int64_t arrived_ns : arrivals) {
        queue.enter(0, reinterpret_cast<const std::byte*>(&order), arrived_ns);
    }
    std::vector<std::int64_t> left;
    while (queue.next_ns() != VirtualQueue::kNever) {
        left.push_back(queue.take().leaves_ns);
    }
    return left;
}

EngineOptions queueing(Wait wait, bool reflect = false) {
    EngineOptions options;
    options.port = 0;
    options.wait = wait;
    options.reflect = reflect;
    options.queue.service_ns = kServiceNs;
    return options;
}

}  // namespace

TEST_CASE("who comes to an idle server leaves after one service, others wait for their turn") {
    VirtualQueue queue({.service_ns = 100});

    CHECK(std::vector<std::int64_t>{1'100, 1'200, 1'300, 5'100, 5'250} ==
          departures(queue, {1'000, 1'000, 1'150, 5'000, 5'150}));
}

TEST_CASE("exponential service times have their mean and deviation, and a seed repeats them") {
    const QueueOptions options{.service_ns = 200'000, .law = ServiceLaw::kExponential, .seed = 3};
    constexpr int kDraws = 100'000;
    std::vector<std::int64_t> far_apart;
    for (std::int64_t number = 0; number < kDraws; ++number) {
        far_apart.push_back(number * kNsPerS);
    }
    VirtualQueue queue(options);
    VirtualQueue same(options);
    VirtualQueue other({.service_ns = 200'000, .law = ServiceLaw::kExponential, .seed = 4});

    const auto left = departures(queue, far_apart);
    double sum = 0;
    double squares = 0;
    double beyond_p99 = 0;
    for (int number = 0; number < kDraws; ++number) {
        const auto at = static_cast<std::size_t>(number);
        const auto service_ns = static_cast<double>(left[at] - far_apart[at]);
        sum += service_ns;
        squares += service_ns * service_ns;
        beyond_p99 += service_ns > -std::log(0.01) * 200'000;
    }
    const double mean = sum / kDraws;

    CHECK(mean == doctest::Approx(200'000).epsilon(0.015));  // 4 to 5 standard errors, as below
    CHECK(std::sqrt(squares / kDraws - mean * mean) == doctest::Approx(200'000).epsilon(0.03));
    CHECK(beyond_p99 / kDraws == doctest::Approx(0.01).epsilon(0.15));
    CHECK(left == departures(same, far_apart));
    CHECK(left != departures(other, far_apart));
}

TEST_CASE("an engine with a queue tells of arrivals and departures that fit to the ns") {
    for (const Wait wait : {Wait::kBlock, Wait::kSpin}) {
        for (const bool reflect : {false, true}) {
            CAPTURE(static_cast<int>(wait));
            CAPTURE(reflect);
            Server server(queueing(wait, reflect));
            TestClient client(server.port());
            constexpr std::uint64_t kOrders = 8;
            for (std::uint64_t id = 1; id <= kOrders; ++id) {
                client.send(new_order(id, Side::kBuy, 100, 1));
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
            }
            std::uint64_t left_ns = 0;
            std::uint64_t waited = 0;
            for (std::uint64_t id = 1; id <= kOrders; ++id) {
                const ReplyMessage reply = client.must_get(Type::kAccepted);
                const auto seen_ns = static_cast<std::uint64_t>(MonotonicClock::now_ns());
                CHECK(id == reply.order_id);
                CHECK(std::max(left_ns, reply.received_ns) + kServiceNs == reply.replied_ns);
                CHECK(seen_ns >= reply.replied_ns);
                waited += reply.received_ns < left_ns;
                left_ns = reply.replied_ns;
            }
            CHECK(waited > 0);  // arrivals were read while others were served
        }
    }
}

TEST_CASE("orders of a client that has gone take their turn and touch no book") {
    Server server(queueing(Wait::kBlock));
    {
        TestClient gone(server.port());
        gone.send(new_order(1, Side::kSell, 100, 1));
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    TestClient client(server.port());
    client.send(new_order(2, Side::kBuy, 100, 1));
    client.must_get(Type::kAccepted);
    server.stop();

    CHECK(0 == server.counters().at(0).trades);
}
