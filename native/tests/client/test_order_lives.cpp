// Which reply is whose, and what it means: on a small text protocol, so that a test reads as a
// conversation. Requests: N<id> R<id>,<target> C<target or own id>; each ends with a line feed.
#include <doctest/doctest.h>

#include <sstream>

#include "tests/client/scripted_run.h"

using namespace cluster;
using namespace cluster::test;

namespace {

/// `cancel` is how a cancel is answered: own, target, or both: C<own id>,<target>, and X names the
/// target where J names the cancel.
protocol::Plan talk(const std::string& cancel = "own", const std::string& timed = "first",
                    const std::string& more = "") {
    std::string text =
        "loadcluster-plan 1\ncorrelation id\ntimed " + timed + "\nframe delimiter 0a 64\n";
    text += "message new own\nbytes " + hex("N000\n") + "\ndec 1 3 id 1 0 10 0 right 30\nend\n";
    text += "message replace own\nbytes " + hex("R000,000\n") +
            "\ndec 1 3 id 1 0 10 0 right 30\ndec 5 3 target 1 0 10 0 right 30\nend\n";
    if (cancel == "both") {
        text += "message cancel target\nbytes " + hex("C000,000\n") +
                "\ndec 1 3 id 1 0 10 0 right 30\ndec 5 3 target 1 0 10 0 right 30\nend\n";
    } else {
        text += "message cancel " + cancel + "\nbytes " + hex("C000\n") + "\ndec 1 3 " +
                (cancel == "own" ? "id" : "target") + " 1 0 10 0 right 30\nend\n";
    }
    for (const std::string kind : {"limit", "market", "immediate_or_cancel"}) {
        for (const std::string side : {"buy", "sell"}) {
            text += "send new " + kind + " " + side + " new\n";
        }
    }
    for (const std::string side : {"buy", "sell"}) {
        text += "send replace " + side + " replace\nsend cancel " + side + " cancel\n";
    }
    const auto reply = [&](const std::string& letter, const std::string& means,
                           const std::string& names, const std::string& reads = "") {
        text += "reply " + letter + " " + means + " 4 least " + names + "\nmatch 0 " + hex(letter) +
                "\nread id dec 1 3 10 0 30 1\n" + reads + "end\n";
    };
    reply("A", "accepted", "request");
    reply("J", "rejected", "request", "read reason text 4 0 20\n");
    reply("P", "received", "request");
    reply("E", "executed", "order", "read executed dec 4 0 10 0 30 1\n");
    reply("X", "cancelled", "order");
    reply("K", "cancelled", "request");
    reply("I", "rejected", "order", "read reason text 4 0 20\n");
    reply("M", "unsolicited", "request");
    return protocol::read_plan(text + more);
}

/// Answers each request with the lines that `answers` gives for it, 1 ms later each; a line that
/// begins with a number comes so many ms after the request instead.
ScriptedWorld engine_that(std::function<std::vector<std::string>(const std::string&)> answers) {
    ScriptedWorld world;
    world.links.resize(1);
    world.links[0].on_bytes = [answers](ScriptedLink& link, std::string_view sent,
                                        std::int64_t now_ns) {
        std::istringstream lines{std::string(sent)};
        for (std::string line; std::getline(lines, line);) {
            std::int64_t after_ms = 1;
            for (const std::string& said : answers(line)) {
                std::size_t digits = 0;
                if (said[0] >= '0' && said[0] <= '9') after_ms = std::stoi(said, &digits);
                link.say(now_ns + after_ms * kNsPerMs, said.substr(digits) + "\n");
            }
        }
    };
    return world;
}

void check_books(const ScriptedOutcome& outcome) {
    CHECK(outcome.progress.books.balanced());
    CHECK(outcome.interval_books == outcome.progress.books);
    CHECK(outcome.response_ns.size() ==
          outcome.progress.books.accepted + outcome.progress.books.rejected);
}

bool is_about_ms(std::uint64_t ns, int ms) {
    return ns > static_cast<std::uint64_t>(ms) * 1'000'000 * 99 / 100 &&
           ns < static_cast<std::uint64_t>(ms) * 1'000'000 * 103 / 100;
}

}  // namespace

TEST_CASE("a cancel that is answered under its order's id has its own fate and time") {
    const protocol::Plan plan = talk("target");
    ScriptedWorld world = engine_that([](const std::string& line) -> std::vector<std::string> {
        if (line[0] == 'N') return {"A" + line.substr(1)};
        return {"3X" + line.substr(1)};
    });
    const auto outcome = carry_out_scripted(plan, world, {.flow = {new_order(), cancel_of(1)}});
    check_books(outcome);
    CHECK(outcome.progress.books.accepted == 10);
    CHECK(outcome.progress.remainders == 0);
    REQUIRE(outcome.response_ns.size() == 10);
    CHECK(is_about_ms(outcome.response_ns[0], 1));
    CHECK(is_about_ms(outcome.response_ns[9], 3));
    CHECK(world.links[0].sent.substr(0, 15) == "N001\nC001\nN003\n");
}

TEST_CASE("a cancel of an order that was filled before is not sent, and takes no place") {
    const protocol::Plan plan = talk("target");
    ScriptedWorld world = engine_that([](const std::string& line) -> std::vector<std::string> {
        // The order of every second pass is filled at once, in two parts.
        const std::string id = line.substr(1, 3);
        if (line[0] == 'C') return {"X" + id};
        if (id == "001") return {"A" + id, "E" + id + "40", "E" + id + "60"};
        return {"A" + id};
    });
    const auto outcome = carry_out_scripted(plan, world, {.flow = {new_order(), cancel_of(1)}});
    check_books(outcome);
    CHECK(outcome.progress.books.intended == 10);
    CHECK(outcome.progress.books.accepted == 10);
    CHECK(outcome.progress.skipped == 1);
    CHECK(outcome.progress.executions == 2);
    // Number 2 is used up by the cancel that did not go out.
    CHECK(world.links[0].sent.substr(0, 15) == "N001\nN003\nC003\n");
}

TEST_CASE("a fill that overtakes a cancel answers it: too late") {
    const protocol::Plan plan = talk("target");
    ScriptedWorld world = engine_that([](const std::string& line) -> std::vector<std::string> {
        const std::string id = line.substr(1, 3);
        // A superfluous cancel is silently ignored.
        if (line[0] == 'C') return {};
        return {"A" + id, "150E" + id + "100"};
    });
    const auto outcome = carry_out_scripted(plan, world, {.flow = {new_order(), cancel_of(1)}});
    check_books(outcome);
    CHECK(outcome.progress.books.accepted == 5);
    CHECK(outcome.progress.books.rejected == 5);
    CHECK(outcome.progress.books.timed_out == 0);
}

TEST_CASE(
    "a cancel with an id of its own is answered under its order's id or refused under its own") {
    const protocol::Plan plan = talk("both");
    ScriptedWorld world = engine_that([](const std::string& line) -> std::vector<std::string> {
        const std::string id = line.substr(1, 3);
        if (line[0] == 'N') {
            // The order of every second pass is filled long before its cancel comes.
            if (id == "001" || id == "005") return {"A" + id, "E" + id + "100"};
            return {"A" + id};
        }
        const std::string target = line.substr(5, 3);
        if (target == "001" || target == "005") return {"J" + id};
        return {"X" + target};
    });
    const auto outcome = carry_out_scripted(plan, world, {.flow = {new_order(), cancel_of(1)}});
    check_books(outcome);
    CHECK(outcome.progress.books.accepted == 8);
    CHECK(outcome.progress.books.rejected == 2);
    CHECK(outcome.progress.books.timed_out == 0);
    CHECK(outcome.progress.skipped == 0);
    CHECK(outcome.progress.errors[ErrorKind::kDuplicateReply] == 0);
    CHECK(outcome.progress.errors[ErrorKind::kUnknownId] == 0);
    CHECK(world.links[0].sent.substr(0, 14) == "N001\nC002,001\n");
}

TEST_CASE("a fill that overtakes a cancel with an id of its own leaves the answer to the engine") {
    const protocol::Plan plan = talk("both");
    ScriptedWorld world = engine_that([](const std::string& line) -> std::vector<std::string> {
        const std::string id = line.substr(1, 3);
        // The cancel goes out after 100 ms, the fill comes at 150, the refusal at 160.
        if (line[0] == 'C') return {"60J" + id};
        return {"A" + id, "150E" + id + "100"};
    });
    const auto outcome = carry_out_scripted(plan, world, {.flow = {new_order(), cancel_of(1)}});
    check_books(outcome);
    CHECK(outcome.progress.books.rejected == 5);
    CHECK(is_about_ms(outcome.response_ns[9], 60));
    CHECK(outcome.progress.errors[ErrorKind::kDuplicateReply] == 0);
    CHECK(outcome.progress.errors[ErrorKind::kUnknownId] == 0);
}

TEST_CASE("a replaced order is gone, its replacement can be cancelled") {
    const protocol::Plan plan = talk("target");
    ScriptedWorld world = engine_that([](const std::string& line) -> std::vector<std::string> {
        if (line[0] == 'C') return {"X" + line.substr(1, 3)};
        return {"A" + line.substr(1, 3)};
    });
    const auto outcome =
        carry_out_scripted(plan, world, {.flow = {new_order(), replace_of(1), cancel_of(1)}});
    check_books(outcome);
    CHECK(outcome.progress.books.accepted == 10);
    CHECK(world.links[0].sent.substr(0, 19) == "N001\nR002,001\nC002\n");
}

TEST_CASE("a replace that came too late takes its replacement with it") {
    const protocol::Plan plan = talk("target");
    ScriptedWorld world = engine_that([](const std::string& line) -> std::vector<std::string> {
        const std::string id = line.substr(1, 3);
        if (line[0] == 'R') return {};
        return {"A" + id, "150E" + id + "100"};
    });
    const auto outcome = carry_out_scripted(
        plan, world,
        {.flow = {new_order(), replace_of(1), cancel_of(1)}, .duration_ns = 300 * kNsPerMs});
    check_books(outcome);
    CHECK(outcome.progress.books.accepted == 2);
    CHECK(outcome.progress.books.rejected == 1);
    CHECK(outcome.progress.skipped == 1);  // the cancel of the replacement
}

TEST_CASE("what acts on a replacement that came too late comes too late with it") {
    const protocol::Plan plan = talk("target");
    ScriptedWorld world = engine_that([](const std::string& line) -> std::vector<std::string> {
        const std::string id = line.substr(1, 3);
        // All three requests are under way when the order turns out to be filled.
        if (line[0] != 'N') return {};
        return {"250A" + id, "E" + id + "100"};
    });
    const auto outcome = carry_out_scripted(
        plan, world,
        {.flow = {new_order(), replace_of(1), cancel_of(1)}, .duration_ns = 300 * kNsPerMs});
    check_books(outcome);
    CHECK(outcome.progress.books.accepted == 1);
    CHECK(outcome.progress.books.rejected == 2);
}

TEST_CASE("an order that is cancelled instead of replaced leaves no replacement") {
    const protocol::Plan plan = talk("target");
    ScriptedWorld world = engine_that([](const std::string& line) -> std::vector<std::string> {
        const std::string id = line.substr(1, 3);
        if (line[0] == 'N') return {"A" + id};
        if (line[0] == 'R')
            return {"X" + line.substr(5, 3)};  // it has traded more than is asked for
        return {};
    });
    const auto outcome = carry_out_scripted(
        plan, world,
        {.flow = {new_order(), replace_of(1), cancel_of(1)}, .duration_ns = 400 * kNsPerMs});
    check_books(outcome);
    CHECK(outcome.progress.books.accepted == 4);
    CHECK(outcome.progress.books.timed_out == 0);
    CHECK(outcome.progress.skipped >= 1);
}

TEST_CASE("the first reply counts by default, and the last is timed beside it") {
    const protocol::Plan plan = talk();
    ScriptedWorld world = engine_that([](const std::string& line) -> std::vector<std::string> {
        const std::string id = line.substr(1, 3);
        return {"2A" + id, "5E" + id + "60", "9E" + id + "40"};
    });
    const auto outcome =
        carry_out_scripted(plan, world, {.flow = {new_order(OrderKind::kImmediateOrCancel)}});
    check_books(outcome);
    CHECK(outcome.progress.books.accepted == 10);
    for (const std::uint64_t ns : outcome.response_ns) CHECK(is_about_ms(ns, 2));
    REQUIRE(outcome.other_reply_ns.size() == 10);
    for (const std::uint64_t ns : outcome.other_reply_ns) CHECK(is_about_ms(ns, 9));
}

TEST_CASE("the last reply counts when the schema says so, and the first is timed beside it") {
    const protocol::Plan plan = talk("own", "last");
    ScriptedWorld world = engine_that([](const std::string& line) -> std::vector<std::string> {
        const std::string id = line.substr(1, 3);
        return {"2A" + id, "5E" + id + "60", "9X" + id};
    });
    const auto outcome = carry_out_scripted(plan, world, {.flow = {new_order(OrderKind::kMarket)}});
    check_books(outcome);
    CHECK(outcome.progress.books.accepted == 10);
    for (const std::uint64_t ns : outcome.response_ns) CHECK(is_about_ms(ns, 9));
    REQUIRE(outcome.other_reply_ns.size() == 10);
    for (const std::uint64_t ns : outcome.other_reply_ns) CHECK(is_about_ms(ns, 2));
}

TEST_CASE("a limit order's answer is both its first and its last reply") {
    for (const char* timed : {"first", "last"}) {
        const protocol::Plan plan = talk("own", timed);
        ScriptedWorld world = engine_that([](const std::string& line) -> std::vector<std::string> {
            return {"2A" + line.substr(1, 3), "7E" + line.substr(1, 3) + "40"};
        });
        const auto outcome = carry_out_scripted(plan, world, {.flow = {new_order()}});
        check_books(outcome);
        for (const std::uint64_t ns : outcome.response_ns) CHECK(is_about_ms(ns, 2));
        CHECK(outcome.other_reply_ns.empty());
    }
}

TEST_CASE("an interim acknowledgement is the first reply, and the fate comes with the answer") {
    for (const char* timed : {"first", "last"}) {
        const protocol::Plan plan = talk("own", timed);
        ScriptedWorld world = engine_that([](const std::string& line) -> std::vector<std::string> {
            const std::string id = line.substr(1, 3);
            if (id == "003") return {"2P" + id, "6J" + id + "halted"};
            return {"2P" + id, "6A" + id};
        });
        const auto outcome = carry_out_scripted(plan, world, {.flow = {new_order()}});
        check_books(outcome);
        CHECK(outcome.progress.books.accepted == 9);
        CHECK(outcome.progress.books.rejected == 1);
        const bool first = std::string(timed) == "first";
        for (const std::uint64_t ns : outcome.response_ns) CHECK(is_about_ms(ns, first ? 2 : 6));
        REQUIRE(outcome.other_reply_ns.size() == 10);
        for (const std::uint64_t ns : outcome.other_reply_ns) {
            CHECK(is_about_ms(ns, first ? 6 : 2));
        }
    }
}

TEST_CASE("an acknowledged order without an answer times out") {
    const protocol::Plan plan = talk();
    ScriptedWorld world = engine_that([](const std::string& line) -> std::vector<std::string> {
        return {"P" + line.substr(1, 3)};
    });
    const auto outcome = carry_out_scripted(plan, world, {.flow = {new_order()}});
    check_books(outcome);
    CHECK(outcome.progress.books.timed_out == 10);
}

TEST_CASE(
    "a cancelled report under the cancel's own id answers it; of no cancel it is a remainder") {
    const protocol::Plan plan = talk();
    ScriptedWorld world = engine_that([](const std::string& line) -> std::vector<std::string> {
        const std::string id = line.substr(1, 3);
        if (line[0] == 'C') return {"K" + id};
        return {"A" + id, "K" + id};
    });
    const auto outcome = carry_out_scripted(
        plan, world,
        {.flow = {new_order(OrderKind::kImmediateOrCancel), new_order(), cancel_of(1)},
         .duration_ns = 300 * kNsPerMs});
    check_books(outcome);
    CHECK(outcome.progress.books.accepted == 3);
    CHECK(outcome.progress.remainders == 2);
    CHECK(outcome.other_reply_ns.size() == 1);  // of the order that was not to rest
}

TEST_CASE("rejections are counted by the engine's own reasons") {
    const protocol::Plan plan = talk("target");
    ScriptedWorld world = engine_that([](const std::string& line) -> std::vector<std::string> {
        const std::string id = line.substr(1, 3);
        if (line[0] == 'C') return {"I" + id + "frozen"};
        if (id == "003") return {"J" + id + "halted"};
        return {"A" + id};
    });
    const auto outcome = carry_out_scripted(
        plan, world, {.flow = {new_order(), cancel_of(1)}, .duration_ns = 400 * kNsPerMs});
    check_books(outcome);
    // Order 3 is rejected, so its cancel, number 4, is not sent; order 5 takes its place.
    REQUIRE(outcome.reasons.size() == 2);
    CHECK(outcome.reasons[0] == std::pair<std::string, std::uint64_t>("frozen", 1));
    CHECK(outcome.reasons[1] == std::pair<std::string, std::uint64_t>("halted", 1));
    CHECK(outcome.progress.skipped == 1);
}

TEST_CASE("without ids the n-th answer is to the n-th request, timed out or not") {
    std::string text =
        "loadcluster-plan 1\ncorrelation order\nframe delimiter 0a 64\n"
        "message set own\nbytes 530a\nend\n";
    text += "send new limit buy set\n";
    text += "reply ok accepted 2 least request\nmatch 0 " + hex("OK") + "\nend\n";
    text += "reply err rejected 4 least request\nmatch 0 " + hex("ERR") +
            "\nread reason text 4 0 20\nend\n";
    const protocol::Plan plan = protocol::read_plan(text);
    ScriptedWorld world;
    world.links.resize(1);
    int requests = 0;
    world.links[0].on_bytes = [&](ScriptedLink& link, std::string_view sent, std::int64_t now_ns) {
        for (const char c : sent) {
            if (c != '\n') continue;
            // The third answer takes a second and holds up those behind it.
            const bool slow = ++requests >= 3 && requests <= 5;
            const std::int64_t at_ns = slow ? 1'201 * kNsPerMs : now_ns + kNsPerMs;
            link.say(at_ns, requests == 4 ? "ERR full\n" : "OK\n");
        }
    };
    const auto outcome = carry_out_scripted(
        plan, world,
        {.flow = {new_order()}, .duration_ns = 500 * kNsPerMs, .drain_ns = 2 * kNsPerS});
    check_books(outcome);
    CHECK(outcome.progress.books.accepted == 2);
    CHECK(outcome.progress.books.timed_out == 3);
    // An answer that is too many names nothing.
    ScriptedWorld twice;
    twice.links.resize(1);
    twice.links[0].on_bytes = [](ScriptedLink& link, std::string_view, std::int64_t now_ns) {
        link.say(now_ns + kNsPerMs, "OK\nOK\n");
    };
    const auto doubled = carry_out_scripted(plan, twice, {.flow = {new_order()}});
    check_books(doubled);
    CHECK(doubled.progress.errors[ErrorKind::kUnknownId] == 10);
}

TEST_CASE("engine times from midnight on are right across midnight") {
    const protocol::Plan plan = protocol::read_plan(
        "loadcluster-plan 1\ncorrelation id\nengine_clock midnight\nframe delimiter 0a 64\n"
        "message new own\nbytes " +
        hex("N000\n") +
        "\ndec 1 3 id 1 0 10 0 right 30\nend\n"
        "send new limit buy new\n"
        "reply a accepted 14 least request\nread id dec 1 3 10 0 30 1\n"
        "read engine_received dec 4 5 10 0 30 1000000000\n"
        "read engine_replied dec 9 5 10 0 30 1000000000\nend\n");
    ScriptedWorld world = engine_that([](const std::string& line) -> std::vector<std::string> {
        return {"A" + line.substr(1, 3) + "8639900002"};  // in the last second of a day, three on
    });
    const auto outcome = carry_out_scripted(plan, world, {.flow = {new_order()}});
    check_books(outcome);
    REQUIRE(outcome.engine_ns.size() == 10);
    for (const std::uint64_t ns : outcome.engine_ns) CHECK(is_about_ms(ns, 3'000));
    CHECK(outcome.progress.errors[ErrorKind::kEngineTime] == 0);
}

TEST_CASE("answers that overtake each other are counted, and unsolicited messages match no order") {
    const protocol::Plan plan = talk();
    ScriptedWorld world = engine_that([](const std::string& line) -> std::vector<std::string> {
        const std::string id = line.substr(1, 3);
        if (id == "001") return {"250A001"};
        return {"M000", "A" + id};
    });
    // 250 ms after the first order, the second and third have been answered.
    for (auto& link : world.links) {
        auto inner = link.on_bytes;
        link.on_bytes = [inner](ScriptedLink& to, std::string_view sent, std::int64_t now_ns) {
            inner(to, sent, now_ns);
            std::ranges::stable_sort(to.pieces, {}, &ScriptedLink::Piece::at_ns);
        };
    }
    const auto outcome =
        carry_out_scripted(plan, world, {.flow = {new_order()}, .duration_ns = 400 * kNsPerMs});
    check_books(outcome);
    CHECK(outcome.progress.books.accepted == 4);
    CHECK(outcome.progress.out_of_order == 1);
    CHECK(outcome.progress.unsolicited == 3);
}

TEST_CASE("a connection that the engine closes after our goodbye was open to the load's end") {
    const protocol::Plan plan =
        talk("own", "first",
             "message bye own\nbytes " + hex("Q\n") + "\nend\nsession logout bye 1000000000\n");
    ScriptedWorld world = engine_that([](const std::string& line) -> std::vector<std::string> {
        if (line[0] == 'Q') return {};
        return {"A" + line.substr(1)};
    });
    const auto answer = world.links[0].on_bytes;
    world.links[0].on_bytes = [answer](ScriptedLink& link, std::string_view sent,
                                       std::int64_t now_ns) {
        answer(link, sent, now_ns);
        if (sent == "Q\n") link.ends_ns = now_ns + kNsPerMs;
    };
    const auto outcome =
        carry_out_scripted(plan, world, {.flow = {new_order()}, .goodbye_ns = kNsPerS});
    check_books(outcome);
    CHECK(world.links[0].sent.ends_with("Q\n"));
    CHECK(world.links[0].shut_down);
    CHECK(outcome.progress.connections_open == 1);
    CHECK(outcome.progress.errors[ErrorKind::kClosedByEngine] == 0);
}
