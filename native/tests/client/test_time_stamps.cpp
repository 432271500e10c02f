// The kernel's time stamps over real sockets; nothing here where the kernel gives none.
#include <doctest/doctest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <memory>
#include <numeric>
#include <thread>

#include "client/connector.h"
#include "client/load_client.h"
#include "client/summary.h"
#include "client/tcp_network.h"
#include "client/time_stamps.h"
#include "tests/client/loopback_engine.h"
#include "wire/orderwire.h"

using namespace cluster;
using namespace cluster::test;

namespace {

constexpr std::int64_t kPatienceNs = 20 * kNsPerS;

void answer_all(int connection, const std::atomic<bool>& stop) {
    serve(connection, stop, [&](std::uint64_t id) { accept_order(connection, id); });
}

struct Stamped {
    Progress progress;
    std::string refused;
    std::unique_ptr<Histogram<std::uint64_t>> service = make();
    std::unique_ptr<Histogram<std::uint64_t>> send = make();
    std::unique_ptr<Histogram<std::uint64_t>> receive = make();

    static std::unique_ptr<Histogram<std::uint64_t>> make() {
        return std::make_unique<Histogram<std::uint64_t>>();
    }
};

std::uint64_t total(const Histogram<std::uint64_t>& histogram) {
    const auto& counts = histogram.counts();
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

Stamped load(std::uint16_t port, bool kernel_times, bool spin) {
    LoadConfig config;
    config.port = port;
    config.connections = 2;
    config.rate_per_s = 10'000;
    config.timeout_ns = 10 * kNsPerS;
    config.kernel_times = kernel_times;
    config.spin = spin;
    LoadClient client(config);
    client.connect(kPatienceNs);
    client.start_at(MonotonicClock::now_ns() + 5 * kNsPerMs);
    REQUIRE(client.join(kPatienceNs));
    Stamped stamped{client.progress(), client.kernel_times_refused()};
    for (const Interval& interval : client.take_intervals()) {
        add_to(*stamped.service, interval.service);
    }
    for (const Activity& second : client.take_activity()) {
        add_to(*stamped.send, second.kernel_send);
        add_to(*stamped.receive, second.kernel_receive);
    }
    CHECK(stamped.progress.books.balanced());
    CHECK(stamped.progress.books.accepted == stamped.progress.books.intended);
    return stamped;
}

/// From now on this thread, and those it starts, may not ask for time stamps.
bool forbid_time_stamps() {
    sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_setsockopt, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SO_TIMESTAMPING, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program{sizeof steps / sizeof steps[0], steps};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

}  // namespace

TEST_CASE("the kernel's part of an order is told, and is a part of its service time") {
    const LoopbackEngine engine(answer_all);
    for (const bool spin : {false, true}) {
        CAPTURE(spin);
        const Stamped stamped = load(engine.port(), true, spin);
        if (!stamped.refused.empty()) {
            MESSAGE("skipped: ", stamped.refused);
            return;
        }
        CHECK(total(*stamped.send) >= 10);
        CHECK(total(*stamped.receive) >= 10);
        // Half of 10,000 orders go over the connection that is stamped.
        CHECK(total(*stamped.send) <= 5'000 / 64 + 1);
        CHECK(value_at(*stamped.send, 0.5) > 0);
        CHECK(value_at(*stamped.send, 0.5) < value_at(*stamped.service, 0.5));
        CHECK(value_at(*stamped.receive, 0.5) > 0);
        // The engine's thread and the client's may share a CPU: then a reply waits for it.
        CHECK(value_at(*stamped.receive, 0.5) < value_at(*stamped.service, 0.99));
    }
}

TEST_CASE("a kernel or sandbox that refuses: the load is the same, without the stamps") {
    const LoopbackEngine engine(answer_all);
    bool forbidden = false;
    Stamped stamped;
    std::thread([&] {
        forbidden = forbid_time_stamps();
        if (forbidden) stamped = load(engine.port(), true, false);
    }).join();
    if (!forbidden) {
        MESSAGE("skipped: no seccomp here");
        return;
    }
    CHECK(stamped.refused == "set SO_TIMESTAMPING: Operation not permitted");
    CHECK(total(*stamped.send) == 0);
    CHECK(total(*stamped.receive) == 0);
    CHECK(stamped.progress.books.accepted > 9'000);
}

TEST_CASE("time stamps that nobody asks for are not taken") {
    const LoopbackEngine engine(answer_all);
    const Stamped stamped = load(engine.port(), false, false);
    CHECK(stamped.refused == "not asked for");
    CHECK(total(*stamped.send) == 0);
    CHECK(total(*stamped.receive) == 0);
}

TEST_CASE("a stamp that waits to be read hides no reply and is no broken connection") {
    const LoopbackEngine engine(answer_all);
    const auto sockets = open_connections("127.0.0.1", engine.port(), 1, kPatienceNs);
    const int fd = sockets[0].get();
    if (const std::string why = begin_time_stamps(fd); !why.empty()) {
        MESSAGE("skipped: ", why);
        return;
    }
    EpollPoller poller(std::vector<int>{fd});
    TcpSocket socket(fd);
    std::array<std::byte, 4096> bytes{};
    poller.wait(0);
    orderwire::New order{};
    order.header = {sizeof order, orderwire::Type::kNew, 1, 0};
    order.order_id = 1;
    REQUIRE(socket.send_stamped(std::as_bytes(std::span(&order, 1))).bytes == sizeof order);
    std::size_t received = 0;
    for (int waits = 0; received == 0 && waits < 100; ++waits) {
        for (const Ready& ready : poller.wait(100 * kNsPerMs)) {
            if (!ready.readable) continue;
            std::int64_t realtime_ns = 0;
            const IoResult result = socket.recv_stamped(bytes, realtime_ns);
            CHECK((result.status == IoStatus::kOk || result.status == IoStatus::kWouldBlock));
            if (result.status == IoStatus::kOk) received = result.bytes;
        }
    }
    // All this while the stamp was left unread.
    CHECK(received > 0);
    SendStamp stamp;
    REQUIRE(socket.take_stamp(stamp));
    CHECK(stamp.last_byte == sizeof order - 1);
    CHECK(stamp.realtime_ns > 0);
    CHECK(!socket.take_stamp(stamp));
}

TEST_CASE("a socket that is not connected takes no stamps, and says why") {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    CHECK(!begin_time_stamps(fd).empty());
    ::close(fd);
}
