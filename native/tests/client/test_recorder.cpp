#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "client/recorder.h"

using namespace cluster;

namespace {

constexpr std::int64_t kStartNs = 5 * kNsPerS;

struct Fixture {
    std::unique_ptr<IntervalChannel> channel = std::make_unique<IntervalChannel>();
    Recorder recorder{*channel, kStartNs};

    /// An order of second `second` that is answered at once.
    void answered(std::int64_t second) {
        IntervalSet* set = recorder.intend(kStartNs + second * kNsPerS);
        recorder.sent(*set);
        recorder.answered(*set, true, 100, 90);
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
    for (const Interval& interval : collect()) sum += interval.books;
    CHECK(sum == recorder.totals());
    CHECK(sum.accepted == kSeconds);
    CHECK(recorder.errors()[ErrorKind::kIntervalOverrun] ==
          kSeconds - static_cast<std::int64_t>(IntervalChannel::kSets));
}

TEST_CASE_FIXTURE(Fixture, "an engine that replied before it received is an error and not a time") {
    IntervalSet* set = recorder.intend(kStartNs);
    recorder.sent(*set);
    recorder.answered(*set, true, 1, 1);
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
    recorder.answered(*set, true, HistogramLayout::kHighestNs + 1, 5);
    recorder.finish();
    CHECK(recorder.errors()[ErrorKind::kOutOfRange] == 1);
    CHECK(collect()[0].response.indices == std::vector<std::uint32_t>{33'420});
}

TEST_CASE_FIXTURE(Fixture, "another reply joins the second that the schedule has reached") {
    IntervalSet* set = recorder.intend(kStartNs);
    recorder.sent(*set);
    recorder.answered(*set, true, 100, 90);
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
