// Orders with several replies: which one ends the response time, and that the other counts once.
#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

#include "tests/client/virtual_run.h"

using namespace cluster;
using namespace cluster::test;

namespace {

constexpr std::uint8_t kReceived = 0x85;
constexpr std::uint32_t kSize = 100;
constexpr std::size_t kChunk = sizeof(orderwire::Accepted);  // a look at the clock for each reply
constexpr std::uint64_t kOrders = 10'000;

/// orderwire with an interim acknowledgement.
protocol::Plan plan_timed_by(const std::string& timed) {
    std::string text(protocol::kOrderwirePlan);
    const std::string was = "timed first";
    text.replace(text.find(was), was.size(), "timed " + timed);
    text +=
        "\nreply received received 32 exact request\n"
        "  match 2 85\n"
        "  read id int 8 8 little unsigned 1\n"
        "end\n";
    return protocol::read_plan(text);
}

/// Puts an acknowledgement before each acceptance and a full execution behind it.
void tamper(VirtualLink& link, bool acknowledge, bool execute) {
    link.receive_chunk = kChunk;
    link.tamper = [=](std::uint64_t, std::vector<std::byte>& bytes) {
        const std::vector<std::byte> accepted = bytes;
        if (execute) {
            orderwire::ReplyHeader reply;
            std::memcpy(&reply, accepted.data(), sizeof reply);
            reply.header.type = orderwire::Type::kExecuted;
            reply.header.length = sizeof(orderwire::Executed);
            const orderwire::Executed executed{reply, 1, kSize, 0};
            bytes.resize(accepted.size() + sizeof executed);
            std::memcpy(bytes.data() + accepted.size(), &executed, sizeof executed);
        }
        if (acknowledge) {
            bytes.insert(bytes.begin(), accepted.begin(), accepted.end());
            bytes[2] = std::byte{kReceived};
        }
    };
}

Outcome run(const std::string& timed, bool acknowledge, bool execute, OrderKind kind) {
    const protocol::Plan plan = plan_timed_by(timed);
    VirtualWorld world;
    world.links.resize(1);
    tamper(world.links[0], acknowledge, execute);
    Level level;
    level.protocol = &plan;
    level.flow.assign(16, {100, kSize, 0, 0, Action::kNew, kind, OrderSide::kBuy});
    return carry_out(world, constantly(1'000, level), level);
}

void check_each_counts_once(const Outcome& outcome) {
    CHECK(outcome.progress.books.accepted == kOrders);
    CHECK(outcome.progress.errors[ErrorKind::kDuplicateReply] == 0);
    CHECK(total(*outcome.response) == kOrders);
}

}  // namespace

TEST_CASE("an order that is filled after its acceptance has two replies, acknowledged or not") {
    for (const bool acknowledge : {false, true}) {
        CAPTURE(acknowledge);
        const Outcome first = run("first", acknowledge, true, OrderKind::kImmediateOrCancel);
        const Outcome last = run("last", acknowledge, true, OrderKind::kImmediateOrCancel);
        check_each_counts_once(first);
        check_each_counts_once(last);
        CHECK(total(*first.other_reply) == kOrders);
        CHECK(total(*last.other_reply) == kOrders);
        // The last reply is the same one, whichever counts; so is the first.
        CHECK(value_at(*first.other_reply, 0.5) == value_at(*last.response, 0.5));
        CHECK(value_at(*last.other_reply, 0.5) == value_at(*first.response, 0.5));
        CHECK(value_at(*first.response, 0.5) < value_at(*last.response, 0.5));
    }
}

TEST_CASE("the answer is the last reply of an order that rests, if it was acknowledged") {
    const Outcome first = run("first", true, false, OrderKind::kLimit);
    const Outcome last = run("last", true, false, OrderKind::kLimit);
    check_each_counts_once(first);
    check_each_counts_once(last);
    CHECK(total(*first.other_reply) == kOrders);
    CHECK(value_at(*first.other_reply, 0.5) == value_at(*last.response, 0.5));
    CHECK(value_at(*last.other_reply, 0.5) == value_at(*first.response, 0.5));
}

TEST_CASE("an order with one reply has no other") {
    CHECK(total(*run("first", false, false, OrderKind::kLimit).other_reply) == 0);
    CHECK(total(*run("last", false, false, OrderKind::kLimit).other_reply) == 0);
    CHECK(total(*run("first", false, true, OrderKind::kLimit).other_reply) == 0);
}

TEST_CASE("an order is in flight until the reply that its times are measured by") {
    for (const std::string timed : {"first", "last"}) {
        CAPTURE(timed);
        for (const OrderKind kind : {OrderKind::kLimit, OrderKind::kImmediateOrCancel}) {
            const Outcome outcome = run(timed, true, kind != OrderKind::kLimit, kind);
            std::uint64_t order_ns = 0;
            for (const Activity& second : outcome.activity) {
                for (const std::uint64_t slot : second.in_flight_order_ns) order_ns += slot;
            }
            double service_ns = 0;
            for (std::size_t i = 0; i < HistogramLayout::kCountsLen; ++i) {
                service_ns += static_cast<double>(outcome.service->counts()[i]) *
                              static_cast<double>(HistogramLayout::lowest_at(i));
            }
            // Values below 2,048 ns have a bucket each.
            CHECK(static_cast<double>(order_ns) == doctest::Approx(service_ns).epsilon(0.001));
        }
    }
}
