// What recording costs: ns per sample in a histogram, per order in the recorder, per clock
// reading, per due time of each arrival law and per encoded request.
#include <poll.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <vector>

#include "bench/ack_server.h"
#include "bench/orderwire_codec.h"
#include "client/arrivals.h"
#include "client/burst_arrivals.h"
#include "client/clock.h"
#include "client/hawkes_arrivals.h"
#include "client/kernel_times.h"
#include "client/random.h"
#include "client/recorder.h"
#include "client/tcp_network.h"
#include "client/time_stamps.h"
#include "wire/orderwire.h"

namespace {

using namespace cluster;

constexpr std::size_t kSamples = 1U << 12;
constexpr int kRounds = 5'000;

/// Mean ns of one call of `action(i)`.
template <class Action>
double cost_ns(Action action) {
    const std::int64_t start_ns = MonotonicClock::now_ns();
    for (int round = 0; round < kRounds; ++round) {
        for (std::size_t i = 0; i < kSamples; ++i) action(i);
    }
    return static_cast<double>(MonotonicClock::now_ns() - start_ns) /
           (static_cast<double>(kRounds) * static_cast<double>(kSamples));
}

/// Times as a loaded engine gives them: exponential around 50 µs.
std::vector<std::int64_t> sample_times() {
    Random random(1, 0, 0);
    std::vector<std::int64_t> times(kSamples);
    for (auto& time : times) {
        time = static_cast<std::int64_t>(-50'000 * std::log(random.positive_unit()));
    }
    return times;
}

constexpr double kRatePerS = 100'000;

template <class Schedule>
void report_schedule(const char* law, Schedule schedule) {
    std::printf("due time, %-8s %6.2f ns\n", law, cost_ns([&](std::size_t) {
                    schedule.advance();
                    const std::int64_t due_ns = schedule.due_ns();
                    asm volatile("" : : "r"(due_ns));  // it can't be optimised away
                }));
}

void report_schedules() {
    const Random random(1, 0, 0);
    const ConstantArrivals constant(kRatePerS, 0, 0, 1, 0);
    report_schedule("constant", constant);
    report_schedule("poisson", PoissonArrivals(kRatePerS, random, 0));
    report_schedule("hawkes", HawkesArrivals(kRatePerS, 0.8, 5e6, random, 0));
    report_schedule("bursts", BurstArrivals(constant, 10 * kNsPerMs, 90 * kNsPerMs, 0));
}

double median(std::vector<std::int64_t>& times_ns) {
    std::nth_element(times_ns.begin(), times_ns.begin() + std::ssize(times_ns) / 2, times_ns.end());
    return static_cast<double>(times_ns[times_ns.size() / 2]);
}

/// Median ns of the calls that one order makes over loopback, without the waiting between them.
struct CallCosts {
    double send_ns;
    double take_stamp_ns;
    double recv_ns;
};

template <class Send, class TakeStamp, class Recv>
CallCosts call_costs(int fd, Send send, TakeStamp take_stamp, Recv recv) {
    constexpr int kOrders = 5'000;
    std::vector<std::int64_t> sends;
    std::vector<std::int64_t> takes;
    std::vector<std::int64_t> recvs;
    for (int i = 0; i < kOrders; ++i) {
        const std::int64_t begin_ns = MonotonicClock::now_ns();
        send();
        const std::int64_t sent_ns = MonotonicClock::now_ns();
        take_stamp();
        const std::int64_t taken_ns = MonotonicClock::now_ns();
        pollfd readable{fd, POLLIN, 0};
        ::poll(&readable, 1, 1'000);
        const std::int64_t came_ns = MonotonicClock::now_ns();
        recv();
        recvs.push_back(MonotonicClock::now_ns() - came_ns);
        sends.push_back(sent_ns - begin_ns);
        takes.push_back(taken_ns - sent_ns);
    }
    return {median(sends), median(takes), median(recvs)};
}

void report_stamped() {
    const bench::AckServer server(-1);
    const FileDescriptor fd = bench::connect_to(server.port());
    TcpSocket socket(fd.get());
    orderwire::New order{};
    order.header = {sizeof order, orderwire::Type::kNew, 1, 0};
    const auto request = std::as_bytes(std::span(&order, 1));
    std::vector<std::byte> reply(4'096);
    const CallCosts plain =
        call_costs(fd.get(), [&] { socket.send(request); }, [] {}, [&] { socket.recv(reply); });
    if (const std::string why = begin_time_stamps(fd.get()); !why.empty()) {
        std::printf("time stamps        none: %s\n", why.c_str());
        return;
    }
    std::int64_t realtime_ns = 0;
    SendStamp stamp;
    const CallCosts stamped = call_costs(
        fd.get(), [&] { socket.send_stamped(request); }, [&] { socket.take_stamp(stamp); },
        [&] { socket.recv_stamped(reply, realtime_ns); });
    const double more_ns = stamped.send_ns - plain.send_ns + stamped.take_stamp_ns -
                           plain.take_stamp_ns + stamped.recv_ns - plain.recv_ns;
    std::printf(
        "send, take, recv   %4.0f, %.0f, %.0f ns plain; %.0f, %.0f, %.0f ns stamped: "
        "%.1f ns of each order, if one in 128\n",
        plain.send_ns, plain.take_stamp_ns, plain.recv_ns, stamped.send_ns, stamped.take_stamp_ns,
        stamped.recv_ns, more_ns / 128);
}

}  // namespace

int main() {
    const std::vector<std::int64_t> times = sample_times();
    const auto histogram = std::make_unique<Histogram<std::uint32_t>>();
    std::printf("histogram record   %6.2f ns\n",
                cost_ns([&](std::size_t i) { histogram->record(times[i]); }));

    std::vector<Activity> seconds;
    const auto channel = std::make_unique<IntervalChannel>();
    const auto activity = std::make_unique<ActivityChannel>();
    Recorder recorder(*channel, *activity, 0);
    std::printf(
        "order in the books %6.2f ns (four histograms, slots)\n", cost_ns([&](std::size_t i) {
            const std::int64_t intended_ns = static_cast<std::int64_t>(i) * 200'000;
            IntervalSet* set = recorder.intend(intended_ns);
            recorder.sent(*set);
            recorder.send_lag(*set, times[i] >> 6);
            recorder.answered(*set, true,
                              {intended_ns, intended_ns + (times[i] >> 6), intended_ns + times[i]});
            recorder.engine_time(*set, 1, 1 + static_cast<std::uint64_t>(times[i] >> 3));
        }));

    std::int64_t passed_ns = 0;
    std::printf("pass in activity   %6.2f ns (a send, an answer, a poll gap)\n",
                cost_ns([&](std::size_t i) {
                    passed_ns += 200;
                    recorder.reach(passed_ns);
                    recorder.poll_gap(times[i] >> 6);
                    recorder.sent_at(passed_ns, 1);
                    recorder.reach(passed_ns + 100);
                    if ((passed_ns & 0xFFFF'FFFF) == 0) activity->collect(seconds);
                }));

    const auto on_heap = std::make_unique<KernelTimes<>>();
    KernelTimes<>& kernel_times = *on_heap;
    kernel_times.turn_on();
    kernel_times.sent(1, passed_ns, kernel_times.stamps_send(passed_ns));
    std::printf("stamps, not due    %6.2f ns (a send, a receive)\n", cost_ns([&](std::size_t) {
                    kernel_times.sent(1, passed_ns, kernel_times.stamps_send(passed_ns));
                    if (kernel_times.stamps_receive(-1)) ++passed_ns;
                    kernel_times.received(0, passed_ns, recorder);
                    asm volatile("" ::: "memory");
                }));
    report_stamped();

    std::int64_t sum_ns = 0;
    std::printf("clock reading      %6.2f ns\n",
                cost_ns([&](std::size_t) { sum_ns += MonotonicClock::now_ns(); }));

    report_schedules();

    std::vector<std::byte> out(OrderwireCodec::room());
    const Intent intent{100, 1, 1, 1, Action::kNew, OrderKind::kLimit, OrderSide::kBuy};
    std::size_t bytes = 0;
    std::printf("encode             %6.2f ns\n", cost_ns([&](std::size_t i) {
                    bytes += OrderwireCodec::encode(intent, i, i, out.data());
                    asm volatile("" ::: "memory");
                }));
    // Printed so that nothing above can be optimised away.
    std::printf(
        "(%lld, %zu, %llu)\n", static_cast<long long>(sum_ns), bytes,
        static_cast<unsigned long long>(recorder.totals().accepted + histogram->counts()[1]));
    return 0;
}
