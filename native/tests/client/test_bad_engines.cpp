// Engines that misbehave, each in one way: what they do is counted by its kind, and every order
// still has its fate.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "client/errors.h"
#include "client/logon_exchange.h"
#include "tests/client/reply_builder.h"
#include "tests/client/scripted_run.h"

using namespace cluster;
using namespace cluster::test;

namespace {

const protocol::Plan& fix() {
    static const protocol::Plan plan = protocol::read_plan(golden_plan("fix44"));
    return plan;
}

/// The ids of the orders in what was sent. FIX's ClOrdID.
std::vector<std::uint64_t> ids_in(std::string_view sent) {
    constexpr std::string_view kField =
        "\x01"
        "11=";
    std::vector<std::uint64_t> ids;
    for (std::size_t at = sent.find(kField); at != std::string_view::npos;
         at = sent.find(kField, at + 1)) {
        ids.push_back(std::stoull(std::string(sent.substr(at + kField.size(), 20))));
    }
    return ids;
}

/// A FIX engine: `act` sees every order, with how many came before it.
class Engine {
public:
    using Act = std::function<void(Engine& engine, std::uint64_t id, std::size_t before)>;

    explicit Engine(Act act) {
        world.links.resize(1);
        world.links[0].on_bytes = [this, act](ScriptedLink&, std::string_view sent,
                                              std::int64_t now_ns) {
            now_ns_ = now_ns;
            for (const std::uint64_t id : ids_in(sent)) act(*this, id, orders_++);
        };
    }

    std::string accepted(std::uint64_t id) { return made("new", {.id = id}); }
    std::string made(std::string_view rule, ReplyValues values) {
        values.sequence = ++sequence_;
        return text(ReplyBuilder(fix()).build(rule, values));
    }
    /// Fields of a message, `|` for SOH; its head and trailer are put around them.
    static std::string message(const std::string& fields) {
        return text(ReplyBuilder::framed(fix(), with_soh(fields)));
    }
    void lose_a_number() { ++sequence_; }

    void say(std::string_view bytes, std::int64_t after_ms = 1) {
        world.links[0].say(now_ns_ + after_ms * kNsPerMs, bytes);
    }
    void end() { world.links[0].ends_ns = now_ns_ + 2 * kNsPerMs; }

    ScriptedOutcome load() {
        const ScriptedOutcome outcome = carry_out_scripted(fix(), world, {.flow = {new_order()}});
        const Books& books = outcome.progress.books;
        // The schedule ends with the last connection.
        CHECK(books.intended == (world.links[0].shut_down ? 4 : 10));
        CHECK(books.balanced());
        CHECK(outcome.interval_books == books);
        CHECK(outcome.response_ns.size() == books.accepted + books.rejected);
        return outcome;
    }

    ScriptedWorld world;

private:
    std::int64_t now_ns_ = 0;
    std::int64_t sequence_ = 0;
    std::size_t orders_ = 0;
};

/// Of all kinds these and no others were counted.
void check_errors(const ScriptedOutcome& outcome,
                  const std::vector<std::pair<ErrorKind, std::uint64_t>>& expected) {
    ErrorCounts counts;
    for (const auto& [kind, count] : expected) counts[kind] = count;
    for (std::size_t i = 0; i < kErrorKinds; ++i) {
        const auto kind = static_cast<ErrorKind>(i);
        CHECK_MESSAGE(outcome.progress.errors[kind] == counts[kind], name_of(kind));
    }
}

std::string logon_error(std::string_view answer) {
    const std::string peer = "engine:1";
    WireCodec codec(fix(), Random(1), {});
    LogonExchange exchange(codec, peer);
    try {
        exchange.receive(bytes(answer));
    } catch (const LoadError& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("an engine that answers twice: each second answer is a duplicate") {
    Engine engine([](Engine& e, std::uint64_t id, std::size_t) {
        e.say(e.accepted(id));
        e.say(e.accepted(id));
    });
    const ScriptedOutcome outcome = engine.load();
    CHECK(outcome.progress.books.accepted == 10);
    check_errors(outcome, {{ErrorKind::kDuplicateReply, 10}});
}

TEST_CASE("an engine that answers out of order: each answer finds its order") {
    std::uint64_t held = 0;
    Engine engine([&](Engine& e, std::uint64_t id, std::size_t before) {
        if (before % 2 == 0) {
            held = id;
        } else {
            e.say(e.accepted(id));
            e.say(e.accepted(held));
        }
    });
    const ScriptedOutcome outcome = engine.load();
    CHECK(outcome.progress.books.accepted == 10);
    CHECK(outcome.progress.out_of_order == 5);
    check_errors(outcome, {});
}

TEST_CASE("an engine that answers an id that was never sent") {
    Engine engine([](Engine& e, std::uint64_t id, std::size_t) {
        for (const std::uint64_t said : {id + 1'000'000, std::uint64_t{0}, id})
            e.say(e.accepted(said));
    });
    const ScriptedOutcome outcome = engine.load();
    CHECK(outcome.progress.books.accepted == 10);
    check_errors(outcome, {{ErrorKind::kUnknownId, 20}});
}

TEST_CASE("an engine whose ids are no numbers") {
    Engine engine([](Engine& e, std::uint64_t, std::size_t) {
        e.say(Engine::message("35=8|150=0|11=ORDER-A|") + Engine::message("35=8|150=0|"));
    });
    const ScriptedOutcome outcome = engine.load();
    CHECK(outcome.progress.books.timed_out == 10);
    check_errors(outcome, {{ErrorKind::kUnknownId, 20}});
}

TEST_CASE("an engine that ends in the middle of a message") {
    Engine engine([](Engine& e, std::uint64_t id, std::size_t before) {
        const std::string answer = e.accepted(id);
        e.say(before < 3 ? answer : answer.substr(0, answer.size() / 2));
        if (before == 3) e.end();
    });
    const ScriptedOutcome outcome = engine.load();
    CHECK(outcome.progress.books.accepted == 3);
    CHECK(outcome.progress.books.lost == 1);
    check_errors(outcome, {{ErrorKind::kClosedByEngine, 1}, {ErrorKind::kCutMessage, 1}});
}

TEST_CASE("an engine that falls silent in the middle of a message") {
    Engine engine([](Engine& e, std::uint64_t id, std::size_t before) {
        const std::string answer = e.accepted(id);
        if (before < 4) e.say(before < 3 ? answer : answer.substr(0, 40));
    });
    const ScriptedOutcome outcome = engine.load();
    CHECK(outcome.progress.books.accepted == 3);
    CHECK(outcome.progress.books.timed_out == 7);
    check_errors(outcome, {{ErrorKind::kCutMessage, 1}});
}

TEST_CASE("an engine that sends garbage is left") {
    Engine engine([](Engine& e, std::uint64_t id, std::size_t before) {
        e.say(before < 3 ? e.accepted(id) : std::string(100, '\xff'));
    });
    const ScriptedOutcome outcome = engine.load();
    CHECK(outcome.progress.books.accepted == 3);
    CHECK(outcome.progress.books.lost == 1);
    CHECK(engine.world.links[0].shut_down);
    check_errors(outcome, {{ErrorKind::kProtocolError, 1}});
}

TEST_CASE("a message of an unknown type is passed over") {
    Engine engine([](Engine& e, std::uint64_t id, std::size_t) {
        e.say(Engine::message("35=zz|58=what?|") + e.accepted(id));
    });
    const ScriptedOutcome outcome = engine.load();
    CHECK(outcome.progress.books.accepted == 10);
    check_errors(outcome, {{ErrorKind::kUnknownMessage, 10}});
}

TEST_CASE("a message with a wrong checksum answers nothing") {
    Engine engine([](Engine& e, std::uint64_t id, std::size_t before) {
        std::string answer = e.accepted(id);
        char& digit = answer[answer.size() - 2];
        if (before == 9) digit = digit == '0' ? '1' : '0';
        e.say(answer);
    });
    const ScriptedOutcome outcome = engine.load();
    CHECK(outcome.progress.books.accepted == 9);
    CHECK(outcome.progress.books.timed_out == 1);
    check_errors(outcome, {{ErrorKind::kGarbledMessage, 1}});
}

TEST_CASE("a gap in the session's numbers is counted once and the answers count") {
    Engine engine([](Engine& e, std::uint64_t id, std::size_t before) {
        if (before == 5) e.lose_a_number();
        e.say(e.accepted(id));
    });
    const ScriptedOutcome outcome = engine.load();
    CHECK(outcome.progress.books.accepted == 10);
    check_errors(outcome, {{ErrorKind::kSequenceBreak, 1}});
}

TEST_CASE("the highest number that a session can have is only a break") {
    Engine engine([](Engine& e, std::uint64_t id, std::size_t) {
        e.say(Engine::message("35=8|150=0|34=9223372036854775807|11=" + std::to_string(id) + "|"));
    });
    const ScriptedOutcome outcome = engine.load();
    CHECK(outcome.progress.books.accepted == 10);
    check_errors(outcome, {});
}

TEST_CASE("an engine that logs out in the midst of load") {
    Engine engine([&](Engine& e, std::uint64_t id, std::size_t before) {
        e.say(before < 3 ? e.accepted(id) : e.made("logout_received", {.text = "\x1b[31mgo"}));
    });
    const ScriptedOutcome outcome = engine.load();
    CHECK(outcome.progress.books.accepted == 3);
    CHECK(outcome.progress.books.lost == 1);
    check_errors(outcome, {{ErrorKind::kLoggedOut, 1}});
}

TEST_CASE("a logout that comes in two pieces is no cut message") {
    Engine engine([](Engine& e, std::uint64_t id, std::size_t before) {
        if (before < 3) return e.say(e.accepted(id));
        const std::string logout = e.made("logout_received", {});
        e.say(logout.substr(0, 30), 1);
        e.say(logout.substr(30), 2);
    });
    check_errors(engine.load(), {{ErrorKind::kLoggedOut, 1}});
}

TEST_CASE("a flood of messages that match no order is counted and harms nothing") {
    Engine engine([](Engine& e, std::uint64_t id, std::size_t) {
        std::string flood;
        for (int i = 0; i < 2'000; ++i) flood += e.made("other_report", {});
        e.say(flood + e.accepted(id));
    });
    const ScriptedOutcome outcome = engine.load();
    CHECK(outcome.progress.books.accepted == 10);
    CHECK(outcome.progress.unsolicited == 20'000);
    check_errors(outcome, {});
}

TEST_CASE("test requests without end are answered within bounds, and the orders too") {
    Engine engine([](Engine& e, std::uint64_t id, std::size_t) {
        std::string flood;
        for (int i = 0; i < 2'000; ++i) flood += e.made("test_request", {.text = "AGAIN"});
        e.say(flood + e.accepted(id));
    });
    const ScriptedOutcome outcome = engine.load();
    CHECK(outcome.progress.books.accepted == 10);
    check_errors(outcome, {});
    // Of 20,000 answers as many as go out at once, each time that something is received.
    const std::string& sent = engine.world.links[0].sent;
    CHECK(sent.find(with_soh("|112=AGAIN|")) != std::string::npos);
    CHECK(sent.size() < 10 * 5 * 32'768);
}

TEST_CASE("a rejection's reason may be anything: it is kept as it came, cut") {
    Engine engine([](Engine& e, std::uint64_t id, std::size_t before) {
        const std::string reason = before % 2 == 0 ? "-7" : "99999999999999999999";
        e.say(Engine::message("35=8|150=8|103=" + reason + "|11=" + std::to_string(id) + "|"));
    });
    const ScriptedOutcome outcome = engine.load();
    CHECK(outcome.progress.books.rejected == 10);
    using Reasons = std::vector<std::pair<std::string, std::uint64_t>>;
    // A number of more than 64 bits is none.
    CHECK(outcome.reasons == Reasons{{"-7", 5}});
    check_errors(outcome, {});
}

TEST_CASE("sizes beyond all bounds end an order or leave it, and overflow nothing") {
    Engine engine([](Engine& e, std::uint64_t id, std::size_t before) {
        const std::string head = "35=8|150=F|11=" + std::to_string(id) + "|";
        const std::vector<std::string> sizes{"32=-9223372036854775808|",
                                             "151=-9223372036854775808|", "32=9223372036854775807|",
                                             "151=9223372036854775807|"};
        e.say(e.accepted(id) + Engine::message(head + sizes[before % sizes.size()]));
    });
    const auto outcome =
        carry_out_scripted(fix(), engine.world, {.flow = {new_order(OrderKind::kMarket)}});
    CHECK(outcome.progress.books.accepted == 10);
    CHECK(outcome.progress.executions == 10);
    check_errors(outcome, {});
}

TEST_CASE("a refused logon says why, whatever the engine has written there") {
    const std::string hostile = "\x1b]0;owned\x07\x1b[2Jno \xe2\x80\xae" + std::string(3'000, 'x');
    const std::string what =
        logon_error(text(ReplyBuilder(fix()).build("logout_received", {.text = hostile})));
    CHECK(what.starts_with("log on to engine:1: refused: ?]0;owned??[2Jno ???xxx"));
    CHECK(what.ends_with("x…"));
    CHECK(what.size() < 300);
    CHECK(std::none_of(what.begin(), what.end(),
                       [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }));
}

TEST_CASE("a logon that is answered by no message shows the bytes in hex") {
    CHECK(logon_error("HTTP/1.1 400\r\n") ==
          "log on to engine:1: what came is no message of the protocol: "
          "485454502f312e31203430300d0a");
}

TEST_CASE("test requests before the logon's answer are answered, unknown messages passed over") {
    const std::string peer = "engine:1";
    WireCodec codec(fix(), Random(1), {});
    LogonExchange exchange(codec, peer);
    CHECK(text(exchange.take_pending()).find(with_soh("|35=A|")) != std::string::npos);
    const ReplyBuilder builder(fix());
    exchange.receive(bytes(Engine::message("35=zz|")));
    CHECK(exchange.take_pending().empty());
    exchange.receive(builder.build("test_request", {.text = "WHO"}));
    CHECK(text(exchange.take_pending()).find(with_soh("|112=WHO|")) != std::string::npos);
    CHECK_FALSE(exchange.is_done());
    auto answer = builder.build("logon_answered", {});
    append(answer, "8=FIX");
    exchange.receive(answer);
    CHECK(exchange.is_done());
    CHECK(text(exchange.take_rest()) == "8=FIX");
}
