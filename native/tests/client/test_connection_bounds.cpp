// A connection at its edges: a socket that takes nothing, an engine that is too early, a long time
// without orders.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "client/connection.h"
#include "client/wire_codec.h"
#include "protocol/plan_reader.h"
#include "tests/client/byte_link.h"
#include "tests/client/reply_builder.h"
#include "tests/protocol/bytes.h"

using namespace cluster;
using namespace cluster::test;

namespace {

protocol::Plan golden(const std::string& name) {
    return protocol::read_plan(golden_plan(name));
}

const Intent kNew{100, 5, 1, 0, Action::kNew, OrderKind::kLimit, OrderSide::kBuy};
const Intent kReplace{101, 5, 1, 1, Action::kReplace, OrderKind::kLimit, OrderSide::kBuy};
const Intent kCancel{0, 0, 1, 1, Action::kCancel, OrderKind::kLimit, OrderSide::kBuy};

/// One connection whose every step is the test's.
template <bool kClosedLoop = false>
struct Lone {
    explicit Lone(const protocol::Plan& plan, std::vector<Intent> orders = {kNew},
                  const std::vector<std::byte>& early = {})
        : builder(plan),
          flow(std::move(orders)),
          connection(ByteSocket{&link}, WireCodec(plan, Random(1), {}), flow, {4, kNsPerS, 8},
                     early) {}

    bool take() {
        if (!connection.can_take()) return false;
        connection.take(clock.at_ns, kClosedLoop ? nullptr : recorder.intend(clock.at_ns));
        return true;
    }
    void flush() {
        if (connection.wants_to_send()) connection.flush(clock, recorder, traffic);
    }
    void hear(std::string_view rule, const ReplyValues& values) {
        link.say(builder.build(rule, values));
        while (!link.incoming.empty() && connection.is_open()) {
            connection.receive(clock, scratch, recorder, traffic);
        }
    }
    void widen() {
        link.window = 1U << 20;
        connection.set_writable();
        flush();
    }
    /// A second goes by.
    void wait() {
        clock.at_ns += kNsPerS;
        connection.keep_alive(clock.at_ns, recorder, traffic);
        flush();
    }

    ReplyBuilder builder;
    std::vector<Intent> flow;
    ByteLink link;
    std::unique_ptr<IntervalChannel> channel = std::make_unique<IntervalChannel>();
    std::unique_ptr<ActivityChannel> activity = std::make_unique<ActivityChannel>();
    Recorder recorder{*channel, *activity, 0};
    TrafficCounts traffic;
    SetClock clock{kNsPerMs};
    std::vector<std::byte> scratch = std::vector<std::byte>(65'536);
    Connection<ByteSocket, WireCodec, kClosedLoop> connection;
};

template <bool kClosedLoop>
void fill_before_the_request_is_sent(const Intent& request, std::string_view filled,
                                     std::string_view answer) {
    const protocol::Plan plan = golden("ouch42");
    Lone<kClosedLoop> lone(plan, {kNew, request});
    REQUIRE(lone.take());
    lone.flush();
    lone.hear("accepted", {.id = 1});
    CHECK(lone.recorder.totals().accepted == 1);
    lone.link.window = 0;
    REQUIRE(lone.take());
    lone.flush();
    lone.hear(filled, {.id = 1, .executed = 5});
    CHECK(lone.recorder.totals().sent == 1);
    CHECK(lone.recorder.totals().rejected == 0);
    CHECK(lone.connection.waiting() == 1);
    lone.widen();
    CHECK(lone.recorder.totals().sent == 2);
    lone.hear(answer, {.id = 2});
    lone.connection.abandon(lone.recorder);
    CHECK(lone.recorder.totals().balanced());
    CHECK(lone.recorder.totals().accepted + lone.recorder.totals().rejected +
              lone.recorder.totals().timed_out ==
          2);
}

}  // namespace

TEST_CASE("what has not been sent yet is not answered: a fill overtakes it in the send buffer") {
    for (const Intent& request : {kReplace, kCancel}) {
        for (const std::string_view filled : {"executed", "canceled"}) {
            fill_before_the_request_is_sent<false>(request, filled, "rejected");
            fill_before_the_request_is_sent<true>(request, filled, "rejected");
        }
    }
}

TEST_CASE("what came with the logon's answer is heard, also more than the longest message") {
    const protocol::Plan plan = golden("fix44");
    const ReplyBuilder builder(plan);
    std::vector<std::byte> early;
    for (int i = 1; i <= 150; ++i) {
        const auto heartbeat = builder.build("heartbeat_received", {.sequence = i});
        early.insert(early.end(), heartbeat.begin(), heartbeat.end());
    }
    const auto request = builder.build("test_request", {.sequence = 151, .text = "EARLY"});
    early.insert(early.end(), request.begin(), request.end());
    REQUIRE(early.size() > plan.frame.max);
    Lone lone(plan, {kNew}, early);
    SUBCASE("while nothing else comes") {
        lone.connection.keep_alive(lone.clock.at_ns, lone.recorder, lone.traffic);
    }
    SUBCASE("with what comes next") {
        lone.hear("heartbeat_received", {.sequence = 152});
    }
    lone.flush();
    CHECK(text(lone.link.sent).find(with_soh("|112=EARLY|")) != std::string::npos);
    CHECK(lone.recorder.errors()[ErrorKind::kSequenceBreak] == 0);
    CHECK(lone.recorder.errors()[ErrorKind::kProtocolError] == 0);
}

TEST_CASE("heartbeats go on however long no order is sent") {
    const protocol::Plan plan = golden("fix44");
    Lone lone(plan);
    for (int i = 1; i <= 1'000; ++i) {
        lone.hear("heartbeat_received", {.sequence = i});
        const std::size_t before = lone.link.sent.size();
        lone.wait();
        // The first look only begins to count the time.
        if (i > 1) REQUIRE(lone.link.sent.size() > before);
    }
    REQUIRE(lone.take());
    lone.flush();
    CHECK(lone.recorder.totals().sent == 1);
    lone.hear("new", {.id = 1, .sequence = 1'001});
    CHECK(lone.recorder.totals().accepted == 1);
}

TEST_CASE(
    "an engine that asks without end while it reads nothing is owed a bounded number of answers") {
    const protocol::Plan plan = golden("fix44");
    Lone lone(plan);
    lone.link.window = 0;
    for (int i = 1; i <= 5'000; ++i) lone.hear("test_request", {.sequence = i, .text = "AGAIN"});
    lone.widen();
    CHECK(lone.link.sent.size() > 0);
    CHECK(lone.link.sent.size() <= 32'768);
    // And an order still finds its way.
    REQUIRE(lone.take());
    lone.flush();
    CHECK(lone.recorder.totals().sent == 1);
}

TEST_CASE("a session that the engine refuses after it began is over") {
    const protocol::Plan plan = golden("ouch42");
    Lone lone(plan);
    REQUIRE(lone.take());
    lone.flush();
    lone.hear("login_rejected", {});
    CHECK_FALSE(lone.connection.is_open());
    CHECK(lone.recorder.totals().lost == 1);
    CHECK(lone.recorder.errors()[ErrorKind::kLoggedOut] == 1);
}
