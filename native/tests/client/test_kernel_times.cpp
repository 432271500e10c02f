// Which orders the kernel stamps, and which stamps are believed.
#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "client/kernel_times.h"

using namespace cluster;

namespace {

/// Two clocks that a test sets; every look costs `tick_ns`.
struct SetClocks {
    static inline std::int64_t at_ns = 0;
    static inline std::int64_t offset_ns = 0;
    static inline std::int64_t tick_ns = 20;
    static std::int64_t now_ns() noexcept { return at_ns += tick_ns; }
    static std::int64_t realtime_ns() noexcept { return (at_ns += tick_ns) + offset_ns; }
};

constexpr std::int64_t kOffsetNs = 1'700'000'000 * kNsPerS;

struct Fixture {
    std::unique_ptr<IntervalChannel> intervals = std::make_unique<IntervalChannel>();
    std::unique_ptr<ActivityChannel> activity = std::make_unique<ActivityChannel>();
    Recorder recorder{*intervals, *activity, kNsPerS};
    KernelTimes<SetClocks> times;

    Fixture() {
        SetClocks::at_ns = kNsPerS;
        SetClocks::offset_ns = kOffsetNs;
        SetClocks::tick_ns = 20;
        times.turn_on();
    }
    /// Sends 10 bytes now; returns when, and whether they were stamped.
    std::pair<std::int64_t, bool> send() {
        const std::int64_t sent_ns = SetClocks::at_ns;
        const bool stamped = times.stamps_send(sent_ns);
        times.sent(10, sent_ns, stamped);
        return {sent_ns, stamped};
    }
    /// Sends until a send is stamped; returns when that was.
    std::int64_t send_stamped() {
        for (;;) {
            SetClocks::at_ns += 100'000;
            ++sends;
            if (const auto [sent_ns, stamped] = send(); stamped) return sent_ns;
        }
    }
    void handed_on_after(std::int64_t sent_ns, std::int64_t duration_ns) {
        times.handed_on({sends * 10 - 1, sent_ns + duration_ns + SetClocks::offset_ns}, recorder);
    }
    std::uint64_t refused() const { return recorder.errors()[ErrorKind::kKernelTime]; }
    Activity finish() {
        recorder.finish();
        std::vector<Activity> seconds;
        activity->collect(seconds);
        REQUIRE(seconds.size() == 1);
        return seconds[0];
    }
    std::uint32_t sends = 0;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a send's stamp is a time since it was handed to the kernel") {
    const std::int64_t sent_ns = send_stamped();
    SetClocks::at_ns += 5'000;
    handed_on_after(sent_ns, 1'500);
    CHECK(!times.awaits());
    CHECK(finish().kernel_send.indices == std::vector<std::uint32_t>{1'500});
    CHECK(refused() == 0);
}

TEST_CASE_FIXTURE(Fixture, "a receive's stamp is a time until it was read") {
    CHECK(times.stamps_receive(SetClocks::at_ns));
    const std::int64_t received_ns = SetClocks::at_ns;
    times.received(received_ns - 1'200 + kOffsetNs, received_ns, recorder);
    CHECK(finish().kernel_receive.indices == std::vector<std::uint32_t>{1'200});
    CHECK(refused() == 0);
}

TEST_CASE_FIXTURE(Fixture, "few sends are stamped, and never two within 2 ms") {
    std::int64_t last_ns = 0;
    std::uint32_t stamped = 0;
    for (std::uint32_t i = 0; i < 100'000; ++i) {
        SetClocks::at_ns += 10'000;
        const auto [sent_ns, is_stamped] = send();
        if (!is_stamped) continue;
        CHECK(sent_ns - last_ns >= 2 * kNsPerMs);
        last_ns = sent_ns;
        ++stamped;
        times.handed_on({(i + 1) * 10 - 1, sent_ns + 5 + kOffsetNs}, recorder);
    }
    // Of a second: at most 500, and one of 64 to 191 sends.
    CHECK(stamped > 400);
    CHECK(stamped <= 500);
}

TEST_CASE_FIXTURE(Fixture, "while a stamp is awaited no other is asked for, until it is given up") {
    const std::int64_t sent_ns = send_stamped();
    SetClocks::at_ns = sent_ns + kNsPerS - 1'000'000;
    for (int i = 0; i < 300; ++i) {
        SetClocks::at_ns += 1'000;
        CHECK(!send().second);
        ++sends;
    }
    const std::uint32_t first = sends;
    SetClocks::at_ns = sent_ns + kNsPerS + 1;
    send_stamped();
    // The first one's stamp, after all: it is not the second's.
    times.handed_on({(first - 300) * 10 - 1, sent_ns + 5 + kOffsetNs}, recorder);
    CHECK(times.awaits());
    CHECK(finish().kernel_send.counts.empty());
    CHECK(refused() == 0);
}

TEST_CASE_FIXTURE(Fixture, "stamps that can't be are refused and counted") {
    std::int64_t sent_ns = send_stamped();
    handed_on_after(sent_ns, -1);  // before it was sent
    sent_ns = send_stamped();
    handed_on_after(sent_ns, 100'000);  // in the future
    CHECK(refused() == 2);
    const std::int64_t received_ns = SetClocks::at_ns;
    times.received(received_ns + 1 + kOffsetNs, received_ns, recorder);
    times.received(received_ns - 61 * kNsPerS + kOffsetNs, received_ns, recorder);
    CHECK(refused() == 4);
    const Activity second = finish();
    CHECK(second.kernel_send.counts.empty());
    CHECK(second.kernel_receive.counts.empty());
}

TEST_CASE_FIXTURE(Fixture,
                  "a wall clock that is stepped costs one value, one that is slewed none") {
    handed_on_after(send_stamped(), 5);
    SetClocks::offset_ns += kNsPerMs / 2;  // within half a second or so
    SetClocks::at_ns += kNsPerS;
    handed_on_after(send_stamped(), 5);
    CHECK(refused() == 0);
    SetClocks::offset_ns -= kNsPerS;
    handed_on_after(send_stamped(), 5);
    CHECK(refused() == 1);
    handed_on_after(send_stamped(), 5);
    CHECK(refused() == 1);
    CHECK(finish().kernel_send.counts == std::vector<std::uint64_t>{3});
}

TEST_CASE_FIXTURE(Fixture, "clocks that can't be read together tell nothing") {
    const std::int64_t sent_ns = send_stamped();
    SetClocks::tick_ns = 10'000;
    handed_on_after(sent_ns, 5);
    CHECK(refused() == 1);
}

TEST_CASE("a connection whose kernel gives no stamps asks for none") {
    KernelTimes<SetClocks> off;
    for (std::int64_t now_ns = 1; now_ns < 10 * kNsPerS; now_ns += kNsPerMs) {
        CHECK(!off.stamps_send(now_ns));
        CHECK(!off.stamps_receive(now_ns));
        off.sent(10, now_ns, false);
    }
    CHECK(!off.awaits());
}
