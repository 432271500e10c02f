#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "client/recorder.h"

using namespace cluster;

namespace {

constexpr std::int64_t kStartNs = 5 * kNsPerS;

struct Fixture {
    std::unique_ptr<IntervalChannel> channel = std::make_unique<IntervalChannel>();
    std::unique_ptr<ActivityChannel> activity = std::make_unique<ActivityChannel>();
    Recorder recorder{*channel, *activity, kStartNs};

    /// An order of second `second` that is answered at once.
    void answered(std::int64_t second) { answered_at(kStartNs + second * kNsPerS, 100); }
    IntervalSet* answered_at(std::int64_t intended_ns, std::int64_t response_ns) {
        IntervalSet* set = recorder.intend(intended_ns);
        recorder.sent(*set);
        recorder.answered(*set, true, {intended_ns, intended_ns + 10, intended_ns + response_ns});
        return set;
    }
    std::vector<Interval> collect() {
        std::vector<Interval> intervals;
        channel->collect(intervals);
        return intervals;
    }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a second is handed over once passed, not before") {
    answered(0);
    recorder.pass(kStartNs + kNsPerS - 1);
    CHECK(collect().empty());
    recorder.pass(kStartNs + kNsPerS);
    const auto intervals = collect();
    REQUIRE(intervals.size() == 1);
    CHECK(intervals[0].index == 0);
    CHECK(intervals[0].books.accepted == 1);
    CHECK(intervals[0].response.indices == std::vector<std::uint32_t>{100});
    CHECK(intervals[0].response.counts == std::vector<std::uint64_t>{1});
    CHECK(intervals[0].service.indices == std::vector<std::uint32_t>{90});
}

TEST_CASE_FIXTURE(Fixture,
                  "a second with an order in flight waits for its fate, and later ones wait too") {
    IntervalSet* slow = recorder.intend(kStartNs);
    recorder.sent(*slow);
    answered(1);
    answered(2);
    recorder.pass(kStartNs + 3 * kNsPerS);
    CHECK(collect().empty());
    recorder.timed_out(*slow);
    recorder.pass(kStartNs + 3 * kNsPerS);
    const auto intervals = collect();
    REQUIRE(intervals.size() == 3);
    CHECK(intervals[0].index == 0);
    CHECK(intervals[0].books.timed_out == 1);
    CHECK(intervals[2].index == 2);
}

TEST_CASE_FIXTURE(Fixture, "an order is in the slot in which it was due, answered or not") {
    answered_at(kStartNs + kSlotNs - 1, 3);
    answered_at(kStartNs + kSlotNs, 1'000);
    IntervalSet* slow = recorder.intend(kStartNs + kNsPerS - 1);
    recorder.sent(*slow);
    recorder.timed_out(*slow);
    recorder.finish();
    const SparseSlots slots = collect()[0].slots;
    std::array<std::uint32_t, kSlotsPerS> due{};
    due[0] = due[1] = due[19] = 1;
    CHECK(slots.due == due);
    CHECK(slots.places ==
          std::vector<std::uint16_t>{3, CoarseLayout::kLen + CoarseLayout::index_of(1'000)});
    CHECK(slots.counts == std::vector<std::uint32_t>{1, 1});
    CHECK(slots.response_sum_ns[0] == 3);
    CHECK(slots.response_sum_ns[1] == 1'000);
}

TEST_CASE_FIXTURE(Fixture, "seconds without orders are left out") {
    answered(0);
    answered(7);
    recorder.finish();
    const auto intervals = collect();
    REQUIRE(intervals.size() == 2);
    CHECK(intervals[1].index == 7);
}

TEST_CASE_FIXTURE(Fixture, "a set comes back empty") {
    for (std::int64_t second = 0; second < 100; ++second) {
        answered(second);
        recorder.pass(kStartNs + (second + 1) * kNsPerS);
        const auto intervals = collect();
        REQUIRE(intervals.size() == 1);
        REQUIRE(intervals[0].index == second);
        REQUIRE(intervals[0].books.intended == 1);
        REQUIRE(intervals[0].response.counts == std::vector<std::uint64_t>{1});
    }
    CHECK(recorder.errors()[ErrorKind::kIntervalOverrun] == 0);
}

TEST_CASE_FIXTURE(Fixture, "without a free set recording goes on, is counted, and stays exact") {
    constexpr std::int64_t kSeconds = 100;
    for (std::int64_t second = 0; second < kSeconds; ++second) answered(second);
    recorder.finish();
    Books sum;
    std::uint64_t due = 0;
    for (const Interval& interval : collect()) {
        sum += interval.books;
        for (const std::uint32_t orders : interval.slots.due) due += orders;
    }
    CHECK(sum == recorder.totals());
    CHECK(due == kSeconds);
    CHECK(sum.accepted == kSeconds);
    CHECK(recorder.errors()[ErrorKind::kIntervalOverrun] ==
          kSeconds - static_cast<std::int64_t>(IntervalChannel::kSets));
}

TEST_CASE_FIXTURE(Fixture, "an engine that replied before it received is an error and not a time") {
    IntervalSet* set = answered_at(kStartNs, 10);
    recorder.engine_time(*set, 10, 9);
    recorder.engine_time(*set, 0, 9);
    recorder.engine_time(*set, 10, 15);
    recorder.finish();
    CHECK(recorder.errors()[ErrorKind::kEngineTime] == 1);
    CHECK(collect()[0].engine.indices == std::vector<std::uint32_t>{5});
}

TEST_CASE_FIXTURE(Fixture, "a time beyond an hour is counted, in the last bucket") {
    IntervalSet* set = recorder.intend(kStartNs);
    recorder.sent(*set);
    const std::int64_t received_ns = kStartNs + HistogramLayout::kHighestNs + 1;
    recorder.answered(*set, true, {kStartNs, received_ns - 5, received_ns});
    recorder.finish();
    CHECK(recorder.errors()[ErrorKind::kOutOfRange] == 1);
    const auto intervals = collect();
    CHECK(intervals[0].response.indices == std::vector<std::uint32_t>{33'420});
    CHECK(intervals[0].slots.places ==
          std::vector<std::uint16_t>{CoarseLayout::index_of(HistogramLayout::kHighestNs)});
    CHECK(intervals[0].slots.response_sum_ns[0] == HistogramLayout::kHighestNs);
}

TEST_CASE_FIXTURE(Fixture, "another reply joins the second that the schedule has reached") {
    answered(0);
    recorder.pass(kStartNs + kNsPerS);
    recorder.other_reply(1'000);
    recorder.finish();
    const auto intervals = collect();
    REQUIRE(intervals.size() == 2);
    CHECK(intervals[0].other_reply.counts.empty());
    CHECK(intervals[1].index == 1);
    CHECK(intervals[1].books.intended == 0);
    CHECK(intervals[1].other_reply.counts == std::vector<std::uint64_t>{1});
}
