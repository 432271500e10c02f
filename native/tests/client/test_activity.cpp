#include <doctest/doctest.h>

#include <memory>
#include <numeric>
#include <vector>

#include "client/activity_recorder.h"

using namespace cluster;

namespace {

constexpr std::int64_t kStartNs = 5 * kNsPerS;
constexpr auto kMs = kNsPerMs;

struct Fixture {
    std::unique_ptr<ActivityChannel> channel = std::make_unique<ActivityChannel>();
    ActivityRecorder recorder{*channel, kStartNs, SampleSlice{100 * kMs}};

    std::uint64_t reach(std::int64_t after_ns, std::uint64_t in_flight) {
        return recorder.reach(kStartNs + after_ns, in_flight);
    }
    void send(std::int64_t after_ns, std::uint32_t orders, std::uint64_t in_flight = 0) {
        reach(after_ns, in_flight);
        recorder.sent(kStartNs + after_ns, orders);
    }
    std::vector<Activity> collect() {
        std::vector<Activity> seconds;
        channel->collect(seconds);
        return seconds;
    }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture,
                  "orders in flight are weighed by the time, split at the slots' borders") {
    reach(10 * kMs, 0);
    reach(70 * kMs, 3);      // 40 ms of the first slot, 20 of the second
    reach(60 * kMs, 1'000);  // back in time: nothing
    reach(160 * kMs, 2);     // the rest of the second, the third, 10 ms of the fourth
    recorder.finish();
    const auto seconds = collect();
    REQUIRE(seconds.size() == 1);
    const auto& slots = seconds[0].in_flight_order_ns;
    CHECK(slots[0] == 3 * 40 * kMs);
    CHECK(slots[1] == 3 * 20 * kMs + 2 * 30 * kMs);
    CHECK(slots[2] == 2 * 50 * kMs);
    CHECK(slots[3] == 2 * 10 * kMs);
    CHECK(slots[4] == 0);
}

TEST_CASE_FIXTURE(Fixture, "a send is in its ms, and as many orders as went out with it") {
    send(0, 2);
    send(kMs - 1, 5);
    send(999 * kMs, 1);
    send(kNsPerS, 4);
    recorder.finish();
    const auto seconds = collect();
    REQUIRE(seconds.size() == 2);
    CHECK(seconds[0].index == 0);
    CHECK(seconds[0].sent_per_ms[0] == 7);
    CHECK(seconds[0].sent_per_ms[999] == 1);
    CHECK(seconds[1].index == 1);
    CHECK(seconds[1].sent_per_ms[0] == 4);
}

TEST_CASE_FIXTURE(Fixture, "a second is handed over when it is over, and comes back empty") {
    send(20 * kMs, 3);
    recorder.poll_gap(500);
    reach(kNsPerS - 1, 1);
    CHECK(collect().empty());
    reach(kNsPerS, 1);
    REQUIRE(collect().size() == 1);
    for (std::int64_t second = 1; second < 40; ++second) {
        reach((second + 1) * kNsPerS, 0);
        const auto seconds = collect();
        REQUIRE(seconds.size() == 1);
        CHECK(seconds[0].index == second);
        CHECK(seconds[0].sent_per_ms == std::vector<std::uint32_t>(1'000));
        CHECK(seconds[0].in_flight_order_ns == std::vector<std::uint64_t>(20));
        CHECK(seconds[0].send_sample_ns.empty());
        CHECK(seconds[0].poll_gap.counts.empty());
    }
}

TEST_CASE_FIXTURE(Fixture, "sends of the second's slice are kept, each order with its time") {
    const std::int64_t from_ns = SampleSlice{100 * kMs}.start_ns(1);
    send(50 * kMs, 1);  // second 0 begins with its slice
    send(100 * kMs, 1);
    send(kNsPerS + from_ns - 1, 1);
    send(kNsPerS + from_ns, 2);
    send(kNsPerS + from_ns + 100 * kMs - 1, 1);
    send(kNsPerS + from_ns + 100 * kMs, 1);
    recorder.finish();
    const auto seconds = collect();
    REQUIRE(seconds.size() == 2);
    const auto first = static_cast<std::uint32_t>(from_ns);
    CHECK(seconds[0].send_sample_ns == std::vector<std::uint32_t>{50 * kMs});
    CHECK(seconds[1].send_sample_ns ==
          std::vector<std::uint32_t>{first, first, first + 100 * kMs - 1});
    CHECK(!seconds[1].sample_cut);
}

TEST_CASE_FIXTURE(Fixture, "a sample that does not fit is cut, and says so") {
    send(1, ActivitySet::kSampleMax - 1);
    send(2, 1);
    reach(kNsPerS, 0);
    send(kNsPerS + SampleSlice{100 * kMs}.start_ns(1), ActivitySet::kSampleMax + 1);
    recorder.finish();
    const auto seconds = collect();
    REQUIRE(seconds.size() == 2);
    CHECK(seconds[0].send_sample_ns.size() == ActivitySet::kSampleMax);
    CHECK(!seconds[0].sample_cut);
    CHECK(seconds[1].send_sample_ns.size() == ActivitySet::kSampleMax);
    CHECK(seconds[1].sample_cut);
}

TEST_CASE_FIXTURE(Fixture, "without a free set it goes on, says for how long, and loses nothing") {
    constexpr auto kSets = static_cast<std::int64_t>(ActivityChannel::kSets);
    CHECK(reach(kSets * kNsPerS - 1, 1) == 0);
    CHECK(reach(kSets * kNsPerS, 1) == 1);
    CHECK(reach(kSets * kNsPerS + kSlotNs, 1) == 1);
    send(kSets * kNsPerS + kSlotNs + 5, 7, 1);
    auto seconds = collect();
    CHECK(seconds.size() == ActivityChannel::kSets - 1);
    CHECK(reach(kSets * kNsPerS + 2 * kSlotNs, 1) == 0);
    recorder.finish();
    for (const Activity& second : collect()) seconds.push_back(second);
    REQUIRE(seconds.size() == ActivityChannel::kSets + 1);
    CHECK(seconds[kSets - 1].sent_per_ms[999] == 7);
    CHECK(seconds.back().index == kSets);
    std::uint64_t order_ns = 0;
    for (const Activity& second : seconds) {
        const auto& slots = second.in_flight_order_ns;
        order_ns = std::accumulate(slots.begin(), slots.end(), order_ns);
    }
    CHECK(order_ns == static_cast<std::uint64_t>(kSets * kNsPerS + 2 * kSlotNs));
}
