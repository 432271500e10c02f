// A running worker allocates nothing. Own executable: it replaces operator new.
#include <doctest/doctest.h>

#include <cstdlib>
#include <memory>
#include <new>
#include <thread>

#if defined(__GNUC__) && !defined(__clang__)
// GCC sees malloc through the inlined operator new below and free through its delete.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

#include "client/connector.h"
#include "client/order_flow.h"
#include "client/tcp_network.h"
#include "client/time_stamps.h"
#include "client/wire_codec.h"
#include "client/worker.h"
#include "protocol/orderwire_plan.h"
#include "protocol/plan_reader.h"
#include "tests/client/loopback_engine.h"

namespace {

thread_local std::uint64_t allocations = 0;

void* counted(std::size_t size) {
    ++allocations;
    if (void* block = std::malloc(size)) return block;
    throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) {
    return counted(size);
}
void* operator new[](std::size_t size) {
    return counted(size);
}
void operator delete(void* block) noexcept {
    std::free(block);
}
void operator delete[](void* block) noexcept {
    std::free(block);
}
void operator delete(void* block, std::size_t) noexcept {
    std::free(block);
}
void operator delete[](void* block, std::size_t) noexcept {
    std::free(block);
}

using namespace cluster;

namespace {

struct Ran {
    std::uint64_t allocations;
    Books books;
};

/// Runs one worker in this thread against a real engine, and counts what it allocates.
template <class Schedule>
Ran run_here(Schedule schedule, const WorkerPlan& plan, std::uint16_t port) {
    using TcpWorker = Worker<MonotonicClock, TcpNetwork, WireCodec, Schedule>;
    using Connections = typename TcpWorker::Connections;
    const protocol::Plan protocol = protocol::read_plan(protocol::kOrderwirePlan);
    const std::vector<Intent> flow = make_flow({}, 0, 1'024);
    const auto sockets = open_connections("127.0.0.1", port, 2, 10 * kNsPerS);
    std::vector<int> fds;
    std::vector<typename Connections::Member> connections;
    for (const FileDescriptor& socket : sockets) {
        fds.push_back(socket.get());
        connections.emplace_back(
            TcpSocket(socket.get()), WireCodec(protocol, Random(1), {}), flow,
            ConnectionPlan{64, 50 * kNsPerMs, 64, begin_time_stamps(socket.get()).empty()});
    }
    const auto shared = std::make_unique<WorkerShared>();
    TcpWorker worker({}, Connections(EpollPoller(fds), std::move(connections), 128), schedule, plan,
                     *shared);
    const std::uint64_t before = allocations;
    worker.run();
    return {allocations - before, shared->progress.read().books};
}

}  // namespace

TEST_CASE("the counter counts") {
    const std::uint64_t before = allocations;
    const auto block = std::make_unique<int>(1);
    CHECK(allocations == before + 1);
}

TEST_CASE("a running worker allocates nothing, whatever its engine does") {
    // Answers, stays silent for a while (time-outs), answers late, then resets.
    const test::LoopbackEngine engine([](int connection, const std::atomic<bool>& stop) {
        std::uint64_t seen = 0;
        std::atomic<bool> gone = false;
        test::serve(connection, gone, [&](std::uint64_t id) {
            if (stop) gone = true;
            if (++seen % 7 == 0) return;
            test::accept_order(connection, id);
            if (seen % 11 == 0) test::accept_order(connection, id);
            if (seen > 600) {
                test::reset(connection);
                gone = true;
            }
        });
    });
    for (const bool spin : {false, true}) {
        const WorkerPlan plan{MonotonicClock::now_ns() + kNsPerMs, 300 * kNsPerMs, 100 * kNsPerMs,
                              spin};
        const Ran open =
            run_here(PoissonArrivals(10'000, Random(1, 0, 0), plan.start_ns), plan, engine.port());
        CHECK(open.allocations == 0);
        CHECK(open.books.balanced());
        CHECK(open.books.accepted > 100);
        const Ran closed =
            run_here(ClosedLoop{},
                     {MonotonicClock::now_ns() + kNsPerMs, 100 * kNsPerMs, 100 * kNsPerMs, spin},
                     engine.port());
        CHECK(closed.allocations == 0);
        CHECK(closed.books.balanced());
        CHECK(closed.books.accepted > 100);
    }
}

TEST_CASE("a worker that replays a file allocates nothing, starved or not") {
    const test::LoopbackEngine engine([](int connection, const std::atomic<bool>& stop) {
        std::atomic<bool> gone = false;
        test::serve(connection, gone, [&](std::uint64_t id) {
            if (stop) gone = true;
            test::accept_order(connection, id);
        });
    });
    const std::vector<Intent> flow = make_flow({}, 0, 2'000);
    for (const std::int64_t late_ns : {std::int64_t{0}, 20 * kNsPerMs}) {
        const WorkerPlan plan{MonotonicClock::now_ns() + kNsPerMs, 500 * kNsPerMs, 100 * kNsPerMs,
                              false};
        const auto source = std::make_unique<ReplaySource>();
        const auto feed = [&] {
            for (std::uint32_t i = 0; i < flow.size(); ++i) {
                source->orders.push({i * 100'000, flow[i], i % 2});
            }
            source->fed_until_ns = ReplaySource::kAllFed;
        };
        std::thread feeder;
        if (late_ns == 0) {
            feed();
        } else {
            feeder = std::thread([&] {
                while (MonotonicClock::now_ns() < plan.start_ns + late_ns)
                    std::this_thread::yield();
                feed();
            });
        }
        const Ran ran =
            run_here(ReplaySchedule<false>(*source, plan.start_ns), plan, engine.port());
        if (feeder.joinable()) feeder.join();
        CHECK(ran.allocations == 0);
        CHECK(ran.books.balanced());
        CHECK(ran.books.accepted == flow.size());
    }
}
