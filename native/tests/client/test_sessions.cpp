// Sessions under load, in virtual time: heartbeats, test requests, numbers, goodbyes.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/client/scripted_run.h"

using namespace cluster;
using namespace cluster::test;

namespace {

/// Lines of text: N<sequence>,<id> is an order, H a heartbeat, T<text> asks for R<text>, O is
/// goodbye. An order is answered by A<sequence>,<id>.
protocol::Plan session_plan() {
    const std::string order = "bytes " + hex("N00,000\n") +
                              "\ndec 1 2 sequence 1 0 10 0 right 30\n"
                              "dec 4 3 id 1 0 10 0 right 30\nend\n";
    return protocol::read_plan(
        "loadcluster-plan 1\ncorrelation id\nframe delimiter 0a 64\n"
        "message new own\n" +
        order + "message logon own\nbytes " + hex("L\n") +
        "\nend\n"
        "message heartbeat own\nbytes " +
        hex("H00\n") +
        "\ndec 1 2 sequence 1 0 10 0 right 30\nend\n"
        "message answer own\nbytes " +
        hex("R") + "\ninsert session.asked\nbytes " + hex("\n") +
        "\nend\n"
        "message goodbye own\nbytes " +
        hex("O\n") +
        "\nend\n"
        "send new limit buy new\n"
        "reply accepted accepted 7 least request\nmatch 0 " +
        hex("A") +
        "\nread sequence dec 1 2 10 0 30 1\nread id dec 4 3 10 0 30 1\nend\n"
        "reply asked test_request 1 least request\nmatch 0 " +
        hex("T") +
        "\nread keep.asked text 1 0 20\nend\n"
        "reply beat heartbeat 1 least request\nmatch 0 " +
        hex("H") +
        "\nend\n"
        "reply ended logged_out 1 least request\nmatch 0 " +
        hex("O") +
        "\nend\n"
        "session logon logon 1000000000\nsession heartbeat heartbeat 1000000000\n"
        "session silence 3000000000\nsession answer asked answer\n"
        "session logout goodbye 1000000000\nsession sequence 1\n");
}

/// Answers every order; `first` is the number of its first message.
ScriptedWorld answering_world(int first = 1) {
    ScriptedWorld world;
    world.links.resize(1);
    world.links[0].on_bytes = [next = first](ScriptedLink& link, std::string_view sent,
                                             std::int64_t now_ns) mutable {
        for (std::size_t at = 0; at < sent.size(); at = sent.find('\n', at) + 1) {
            if (sent[at] == 'N') {
                const std::string number = std::to_string(100 + next++ % 100).substr(1);
                link.say(now_ns + kNsPerMs,
                         "A" + number + "," + std::string(sent.substr(at + 4, 3)) + "\n");
            }
            if (sent[at] == 'O') link.say(now_ns + kNsPerMs, "O\n");
        }
    };
    return world;
}

/// How many lines begin so.
long lines_with(const std::string& sent, char first) {
    long count = 0;
    for (std::size_t at = 0; at < sent.size(); at = sent.find('\n', at) + 1) {
        count += sent[at] == first;
    }
    return count;
}

ScriptedLevel slow(double rate_per_s, std::int64_t duration_ns) {
    return {.flow = {new_order()},
            .rate_per_s = rate_per_s,
            .duration_ns = duration_ns,
            .goodbye_ns = kNsPerS};
}

}  // namespace

TEST_CASE("a session that sends nothing else is kept alive, one that sends needs no heartbeat") {
    const protocol::Plan plan = session_plan();
    ScriptedWorld idle = answering_world();
    auto outcome = carry_out_scripted(plan, idle, slow(0.4, 10 * kNsPerS));
    CHECK(outcome.progress.books.accepted == 4);
    CHECK(outcome.progress.books.balanced());
    // An order every 2.5 s leaves room for two heartbeats before the next.
    CHECK(lines_with(idle.links[0].sent, 'H') >= 6);
    CHECK(lines_with(idle.links[0].sent, 'H') <= 9);
    ScriptedWorld busy = answering_world();
    outcome = carry_out_scripted(plan, busy, slow(10, 5 * kNsPerS));
    CHECK(outcome.progress.books.accepted == 50);
    CHECK(lines_with(busy.links[0].sent, 'H') == 0);
}

TEST_CASE("a session is kept alive while the start is still to come") {
    const protocol::Plan plan = session_plan();
    ScriptedWorld world = answering_world();
    world.links[0].say(2 * kNsPerS, "H\n");
    world.links[0].say(4 * kNsPerS, "H\n");
    ScriptedLevel level = slow(10, kNsPerS);
    level.start_ns = 5 * kNsPerS;
    const auto outcome = carry_out_scripted(plan, world, level);
    CHECK(outcome.progress.books.accepted == 10);
    const std::string before = world.links[0].sent.substr(0, world.links[0].sent.find('N'));
    CHECK(lines_with(before, 'H') >= 3);
}

TEST_CASE("numbers run through orders and heartbeats, and those of the engine are checked") {
    const protocol::Plan plan = session_plan();
    ScriptedWorld world = answering_world();
    auto outcome = carry_out_scripted(plan, world, slow(0.4, 5 * kNsPerS));
    CHECK(world.links[0].sent.starts_with("N01,001\nH02\nH03\nN04,002\n"));
    CHECK(outcome.progress.errors[ErrorKind::kSequenceBreak] == 0);
    ScriptedWorld broken = answering_world();
    broken.links[0].say(0, "A90,999\n");
    outcome = carry_out_scripted(plan, broken, slow(10, kNsPerS));
    // After 90 comes 1, which is not the next; from there on they follow each other.
    CHECK(outcome.progress.errors[ErrorKind::kSequenceBreak] == 1);
    CHECK(outcome.progress.errors[ErrorKind::kUnknownId] == 1);
}

TEST_CASE("a test request is answered with its own text") {
    const protocol::Plan plan = session_plan();
    ScriptedWorld world = answering_world();
    world.links[0].say(200 * kNsPerMs, "Tare you there\n");
    const auto outcome = carry_out_scripted(plan, world, slow(10, kNsPerS));
    CHECK(outcome.progress.books.accepted == 10);
    CHECK(world.links[0].sent.find("Rare you there\n") != std::string::npos);
}

TEST_CASE("an engine that is silent for too long has gone") {
    const protocol::Plan plan = session_plan();
    ScriptedWorld world;
    world.links.resize(1);
    ScriptedLevel level = slow(1, 10 * kNsPerS);
    level.timeout_ns = 20 * kNsPerS;
    const auto outcome = carry_out_scripted(plan, world, level);
    CHECK(outcome.progress.errors[ErrorKind::kEngineSilent] == 1);
    CHECK(outcome.progress.books.balanced());
    CHECK(outcome.progress.books.lost == 4);
}

TEST_CASE("we say goodbye once every order has met its fate, and the answer is no surprise") {
    const protocol::Plan plan = session_plan();
    ScriptedWorld world = answering_world();
    const auto outcome = carry_out_scripted(plan, world, slow(10, kNsPerS));
    CHECK(outcome.progress.books.accepted == 10);
    CHECK(world.links[0].sent.ends_with("O\n"));
    CHECK(outcome.progress.errors[ErrorKind::kLoggedOut] == 0);
    CHECK(outcome.progress.errors[ErrorKind::kClosedByEngine] == 0);
}

TEST_CASE("an engine that does not answer our goodbye is left") {
    const protocol::Plan plan = session_plan();
    ScriptedWorld world = answering_world();
    auto inner = world.links[0].on_bytes;
    world.links[0].on_bytes = [inner](ScriptedLink& link, std::string_view sent,
                                      std::int64_t now_ns) {
        if (sent != "O\n") inner(link, sent, now_ns);
    };
    const auto outcome = carry_out_scripted(plan, world, slow(10, kNsPerS));
    CHECK(outcome.progress.books.accepted == 10);
    CHECK(world.now_ns < 4 * kNsPerS);
}

TEST_CASE("an engine that ends the session under load is told so, and its orders are lost") {
    const protocol::Plan plan = session_plan();
    ScriptedWorld world;
    world.links.resize(1);
    world.links[0].say(500 * kNsPerMs, "O\n");
    const auto outcome = carry_out_scripted(plan, world, slow(10, kNsPerS));
    CHECK(outcome.progress.errors[ErrorKind::kLoggedOut] == 1);
    CHECK(outcome.progress.books.balanced());
    CHECK(outcome.progress.books.lost >= 4);
    CHECK(outcome.progress.books.unsent + outcome.progress.books.lost ==
          outcome.progress.books.intended);
}
