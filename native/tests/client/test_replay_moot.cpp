// A replay over a protocol that tracks orders: requests for what has been filled are passed over.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>

#include "client/replay_schedule.h"
#include "tests/client/scripted_run.h"

using namespace cluster;
using namespace cluster::test;

namespace {

const protocol::ReplyRule& rule_of(const protocol::Plan& plan, const std::string& name) {
    return *std::find_if(plan.replies.begin(), plan.replies.end(),
                         [&](const protocol::ReplyRule& rule) { return rule.name == name; });
}

/// A reply of OUCH about the order of that token.
std::string reply(const protocol::Plan& plan, const std::string& name, std::string_view token,
                  std::uint32_t executed = 0) {
    const protocol::ReplyRule& rule = rule_of(plan, name);
    std::string said(rule.length, '\0');
    said[0] = static_cast<char>((rule.length - 2) >> 8);
    said[1] = static_cast<char>(rule.length - 2);
    for (const protocol::ByteMatch& match : rule.matches) {
        said.replace(match.at, match.bytes.size(), text(match.bytes));
    }
    said.replace(rule.id.at, rule.id.width, token);
    for (int byte = 0; executed > 0 && byte < 4; ++byte) {
        said[rule.executed.at + 3U - static_cast<unsigned>(byte)] =
            static_cast<char>(executed >> 8 * byte);
    }
    return said;
}

/// Fills every third order in full, 1 ms after it has accepted it; keeps what it was asked.
struct OuchEngine {
    const protocol::Plan& plan;
    std::vector<std::string> entered;
    std::vector<std::string> cancelled;
    std::vector<std::string> filled;

    void take(ScriptedLink& link, std::string_view sent, std::int64_t now_ns) {
        while (sent.size() >= 18) {
            const std::size_t length = 2 + static_cast<unsigned char>(sent[0]) * 256U +
                                       static_cast<unsigned char>(sent[1]);
            const std::string token(sent.substr(4, 14));
            if (sent[3] == 'O') {
                entered.push_back(token);
                link.say(now_ns + kNsPerMs, reply(plan, "accepted", token));
                if (entered.size() % 3 == 0) {
                    filled.push_back(token);
                    link.say(now_ns + 2 * kNsPerMs, reply(plan, "executed", token, 100));
                }
            } else {
                cancelled.push_back(token);
                link.say(now_ns + kNsPerMs, reply(plan, "canceled", token));
            }
            sent.remove_prefix(length);
        }
    }
};

}  // namespace

TEST_CASE("requests for orders that were filled are passed over, counted, and in no books") {
    constexpr std::uint32_t kOrders = 300;
    const protocol::Plan plan = protocol::read_plan(golden_plan("ouch42"));
    REQUIRE(plan.manners.tracks_orders);
    OuchEngine engine{plan, {}, {}, {}};
    ScriptedWorld world;
    world.links.resize(1);
    world.links[0].on_bytes = [&](ScriptedLink& link, std::string_view sent, std::int64_t now_ns) {
        engine.take(link, sent, now_ns);
    };
    // A new order each 10 ms, and its cancel 5 ms later: the last cancel is of a filled order.
    const auto source = std::make_unique<ReplaySource>();
    for (std::uint32_t i = 0; i < kOrders; ++i) {
        const std::int64_t due_ns = i * 10 * kNsPerMs;
        REQUIRE(source->orders.push({due_ns, new_order(), 0}));
        REQUIRE(source->orders.push({due_ns + 5 * kNsPerMs, cancel_of(1), 0}));
    }
    source->fed_until_ns = ReplaySource::kAllFed;
    ScriptedLevel level{.flow = {new_order()}, .duration_ns = 10 * kNsPerS};
    const auto outcome =
        carry_out_scripted(plan, world, level, ReplaySchedule<false>(*source, level.start_ns));
    const Books& books = outcome.progress.books;
    CHECK(engine.filled.size() == kOrders / 3);
    CHECK(outcome.progress.skipped == kOrders / 3);
    CHECK(outcome.progress.executions == kOrders / 3);
    CHECK(books.balanced());
    CHECK(outcome.interval_books == books);
    CHECK(books.intended == 2 * kOrders - kOrders / 3);
    CHECK(books.accepted == books.intended);
    CHECK(books.unsent == 0);
    CHECK(outcome.progress.errors[ErrorKind::kUnknownId] == 0);
    // A request that is passed over uses its number up: all others name the order that they mean.
    std::vector<std::string> expected;
    for (const std::string& token : engine.entered) {
        if (std::ranges::find(engine.filled, token) == engine.filled.end()) {
            expected.push_back(token);
        }
    }
    CHECK(engine.cancelled == expected);
    // The file ended, and so did the level: nothing waits for what was passed over.
    CHECK(world.now_ns < 4 * kNsPerS);
}

TEST_CASE("closed-loop, too, what is passed over takes no place of the orders in flight") {
    constexpr std::uint32_t kOrders = 300;
    const protocol::Plan plan = protocol::read_plan(golden_plan("ouch42"));
    OuchEngine engine{plan, {}, {}, {}};
    ScriptedWorld world;
    world.links.resize(1);
    world.links[0].on_bytes = [&](ScriptedLink& link, std::string_view sent, std::int64_t now_ns) {
        engine.take(link, sent, now_ns);
    };
    const auto source = std::make_unique<ReplaySource>();
    for (std::uint32_t i = 0; i < kOrders; ++i) {
        // By the time that four later orders are answered, its fill is known.
        REQUIRE(source->orders.push({0, new_order(), 0}));
        if (i >= 4) REQUIRE(source->orders.push({0, cancel_of(i == 4 ? 5 : 9), 0}));
    }
    source->fed_until_ns = ReplaySource::kAllFed;
    ScriptedLevel level{.flow = {new_order()}, .duration_ns = 100 * kNsPerS, .in_flight = 1};
    const auto outcome =
        carry_out_scripted(plan, world, level, ReplaySchedule<true>(*source, level.start_ns));
    const Books& books = outcome.progress.books;
    const std::size_t moot = static_cast<std::size_t>(outcome.progress.skipped);
    CHECK(moot > 90);
    CHECK(engine.cancelled.size() + moot == kOrders - 4);
    CHECK(books.balanced());
    CHECK(outcome.interval_books == books);
    CHECK(books.accepted == kOrders + engine.cancelled.size());
    CHECK(std::ranges::none_of(engine.cancelled, [&](const std::string& token) {
        return std::ranges::find(engine.filled, token) != engine.filled.end();
    }));
    CHECK(world.now_ns < 10 * kNsPerS);
}
