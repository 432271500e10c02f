// FIX 4.4 order entry, message by message, without a socket.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "client/random.h"
#include "desk.h"
#include "fix_client.h"

using namespace cluster;
using namespace cluster::engine;
using namespace cluster::engine::test;

namespace {

using Messages = std::vector<std::string>;

Messages read(Desk& desk, SessionId id) {
    std::string bytes = desk.received(id);
    Messages messages = fix_messages(bytes);
    CHECK(bytes.empty());
    return messages;
}

Messages picks(const Messages& messages, std::initializer_list<int> tags) {
    Messages picked;
    for (const std::string& message : messages) picked.push_back(pick(message, tags));
    return picked;
}

/// A desk with two clients that have logged on and read the answer.
struct Market : Desk {
    explicit Market(MatcherLimits limits = {}) : Desk(Protocol::kFix44, {}, limits) {
        for (FixClient& client : clients) {
            const SessionId id = connect();
            send(id, client.log_on());
            received(id);
        }
    }
    Messages operator()(SessionId id, const std::string& bytes) {
        send(id, bytes);
        return read(*this, id);
    }
    FixClient clients[2];
    FixClient& one = clients[0];
    FixClient& two = clients[1];
};

constexpr SessionId kOne = 0;
constexpr SessionId kTwo = 1;

/// The one message that answers the first bytes of a connection.
std::string answer_to(const std::string& bytes, const Login& login = {},
                      Ending ending = Ending::kRefused) {
    Desk desk(Protocol::kFix44, login);
    const SessionId id = desk.connect();
    desk.send(id, bytes);
    CHECK(ending == desk.session(id).ending());
    const Messages messages = read(desk, id);
    return messages.empty() ? "" : messages.at(0);
}

constexpr auto kReport = {35, 150, 39, 11, 41, 151, 14, 6, 32, 31};

}  // namespace

TEST_CASE("a log-on and an order are answered, byte by byte") {
    Desk desk(Protocol::kFix44);
    const SessionId id = desk.connect();
    FixClient client;
    desk.send(id, client.log_on("141=Y|"));
    desk.send(id, client.enter("a", '1', 100, "1000.5"));

    CHECK(Messages{"8=FIX.4.4|9=69|35=A|49=ENGINE|56=ME|34=1|52=20261124-15:04:05.678|98=0|"
                   "108=30|141=Y|10=128|",
                   "8=FIX.4.4|9=166|35=8|49=ENGINE|56=ME|34=2|52=20261124-15:04:05.678|37=1-1|"
                   "11=a|17=1-1|150=0|39=0|55=S00007|54=1|38=100|40=2|44=1000.50|59=0|151=100|"
                   "14=0|6=0|60=20261124-15:04:05.678|10=015|"} == read(desk, id));
}

TEST_CASE("with a user, only that user logs on; others are told why not") {
    const Login login{true, "trader", "secret"};
    FixClient right;
    CHECK("A" ==
          value_of(answer_to(right.log_on("553=trader|554=secret|"), login, Ending::kNone), 35));
    for (const char* rest : {"", "553=trader|", "553=trader|554=Secret|", "553=x|554=secret|"}) {
        FixClient wrong;
        CHECK("35=5 58=Username or Password is wrong" ==
              pick(answer_to(wrong.log_on(rest), login), {35, 58}));
    }
}

TEST_CASE("a log-on that cannot be is answered by a log-out in words") {
    const auto text = [](std::string_view type, std::string_view rest) {
        return value_of(answer_to(FixClient::numbered(1, type, rest)), 58);
    };
    CHECK("EncryptMethod must be 0: nothing is encrypted" == text("A", "98=1|108=30|"));
    CHECK("HeartBtInt must be a number of seconds from 0 to 3600" == text("A", "98=0|"));
    CHECK("HeartBtInt must be a number of seconds from 0 to 3600" == text("A", "98=0|108=3601|"));
    CHECK("the Logon is not well formed" == text("A", "98=0|108=30|58=|"));
    CHECK("ResetSeqNumFlag needs MsgSeqNum 1" ==
          value_of(answer_to(FixClient::numbered(2, "A", "98=0|108=30|141=Y|")), 58));
    CHECK("BeginString is not FIX.4.4" ==
          value_of(answer_to(fix_message("35=A|49=ME|56=ENGINE|34=1|52=x|98=0|108=30|", "FIX.4.2")),
                   58));
    // Who does not say who it is gets no answer.
    CHECK("" == answer_to(fix_message("35=A|34=1|52=x|98=0|108=30|")));
}

TEST_CASE("what comes before a log-on closes the connection") {
    FixClient client;
    CHECK("" == answer_to(client.enter("a", '1', 1, "1"), {}, Ending::kMalformed));
    CHECK("" == answer_to("GET / HTTP/1.1\r\n", {}, Ending::kMalformed));
    CHECK("" == answer_to(std::string(3, '\0'), {}, Ending::kMalformed));
}

TEST_CASE("heartbeats come at the interval of the log-on, and silence is asked about, then ended") {
    Desk desk(Protocol::kFix44);
    const SessionId id = desk.connect();
    desk.send(id, FixClient::numbered(1, "A", "98=0|108=10|"));
    read(desk, id);

    desk.pass_ms(9'900);
    CHECK(Messages{} == read(desk, id));
    desk.pass_ms(100);
    CHECK(Messages{"35=0 112="} == picks(read(desk, id), {35, 112}));
    desk.pass_ms(2'000);
    CHECK(Messages{"35=1 112=alive?"} == picks(read(desk, id), {35, 112}));
    desk.send(id, FixClient::numbered(2, "0", "112=alive?|"));
    desk.pass_ms(12'000);
    CHECK(Messages{"35=0", "35=1"} == picks(read(desk, id), {35}));
    desk.session(id).excuse_silence(desk.now);
    desk.pass_ms(23'900);
    CHECK(Ending::kNone == desk.session(id).ending());
    read(desk, id);
    desk.pass_ms(100);
    CHECK(Messages{"35=5 58=nothing has come for too long"} == picks(read(desk, id), {35, 58}));
    CHECK(Ending::kSilent == desk.session(id).ending());
}

TEST_CASE("a heartbeat interval of 0 means none, and nobody waits for ever for a log-on") {
    Desk desk(Protocol::kFix44);
    const SessionId logged_on = desk.connect();
    const SessionId silent = desk.connect();
    desk.send(logged_on, FixClient::numbered(1, "A", "98=0|108=0|"));
    read(desk, logged_on);
    desk.pass_ms(20'000);

    CHECK(Messages{} == read(desk, logged_on));
    CHECK(Ending::kNone == desk.session(logged_on).ending());
    CHECK(Ending::kSilent == desk.session(silent).ending());
}

TEST_CASE("test requests, log-outs and the engine's end are answered as the protocol says") {
    Market market;
    CHECK(Messages{"35=0 112=hello"} ==
          picks(market(kOne, market.one("1", "112=hello|")), {35, 112}));
    CHECK(Messages{"35=3 371=112"} == picks(market(kOne, market.one("1")), {35, 371}));
    CHECK(Messages{"35=5 58="} == picks(market(kOne, market.one("5")), {35, 58}));
    CHECK(Ending::kAgreed == market.session(kOne).ending());

    market.session(kTwo).farewell(market.now, market.output(kTwo));
    CHECK(Messages{"35=5 58=the engine stops"} == picks(read(market, kTwo), {35, 58}));
}

TEST_CASE("a message that is missing is asked for once, and the session goes on behind the gap") {
    Market market;
    const auto numbered = FixClient::numbered;
    CHECK(Messages{"35=2 7=2 16=0"} == picks(market(kOne, numbered(5, "0", "")), {35, 7, 16}));
    CHECK(Messages{} == market(kOne, numbered(6, "1", "112=lost|")));
    CHECK(Messages{} == market(kOne, numbered(2, "4", "43=Y|123=Y|36=6|")));
    CHECK(Messages{"35=0 112=found"} ==
          picks(market(kOne, numbered(6, "1", "43=Y|112=found|")), {35, 112}));
    CHECK(Messages{"35=2 7=7 16=0"} == picks(market(kOne, numbered(9, "0", "")), {35, 7, 16}));
    // A reset needs no number of its own.
    CHECK(Messages{} == market(kOne, numbered(1, "4", "36=20|")));
    CHECK(Messages{"35=0"} == picks(market(kOne, numbered(20, "1", "112=x|")), {35}));
}

TEST_CASE("a number too low ends the session, unless the message says it may have come before") {
    Market market;
    market(kOne, market.one("0"));
    CHECK(Messages{} == market(kOne, FixClient::numbered(2, "1", "43=Y|112=again|")));
    CHECK(Messages{"35=5 58=MsgSeqNum too low, expecting 3 but received 2"} ==
          picks(market(kOne, FixClient::numbered(2, "1", "112=again|")), {35, 58}));
    CHECK(Ending::kMalformed == market.session(kOne).ending());
}

TEST_CASE("a resend request is answered by a gap fill, whatever is missing before it") {
    Market market;
    market(kOne, market.one.enter("a", '1', 1, "1"));
    market(kOne, market.one.enter("b", '1', 1, "1"));
    CHECK(Messages{"35=4 34=2 43=Y 123=Y 36=4"} ==
          picks(market(kOne, market.one("2", "7=2|16=0|")), {35, 34, 43, 123, 36}));
    CHECK(Messages{"34=4"} == picks(market(kOne, market.one("1", "112=x|")), {34}));
    CHECK(Messages{"35=3 371=7"} == picks(market(kOne, market.one("2", "7=99|16=0|")), {35, 371}));
    CHECK(Messages{"35=4 36=6", "35=2 36="} ==
          picks(market(kOne, FixClient::numbered(50, "2", "7=1|16=0|")), {35, 36}));
}

TEST_CASE("a log-on with a number too high is answered, and what is missing asked for") {
    Desk desk(Protocol::kFix44);
    const SessionId id = desk.connect();
    desk.send(id, FixClient::numbered(7, "A", "98=0|108=30|"));
    CHECK(Messages{"35=A 7=", "35=2 7=1"} == picks(read(desk, id), {35, 7}));
    desk.send(id, FixClient::numbered(1, "4", "43=Y|123=Y|36=8|"));
    desk.send(id, FixClient::numbered(8, "1", "112=x|"));
    CHECK(Messages{"35=0"} == picks(read(desk, id), {35}));
}

TEST_CASE("numbers may come with zeros before them") {
    Desk desk(Protocol::kFix44);
    const SessionId id = desk.connect();
    const auto message = [](std::string_view type, std::string_view number, std::string_view rest) {
        return fix_message("35=" + std::string(type) + "|49=ME|56=ENGINE|34=" +
                           std::string(number) + "|52=20261124-15:04:05.678|" + std::string(rest));
    };
    desk.send(id, message("A", "000000001", "98=0|108=01|141=Y|"));
    desk.send(id, message("D", "000000002",
                          "11=007|55=S00007|54=1|60=x|38=000000100|40=2|"
                          "44=0000000001000.50|59=0|"));
    CHECK(Messages{"35=A 108=1 11= 38= 44=", "35=8 108= 11=007 38=100 44=1000.50"} ==
          picks(read(desk, id), {35, 108, 11, 38, 44}));
    CHECK(100'050 == desk.matcher().resting(7, orderwire::Side::kBuy).at(0).price_ticks);
}

TEST_CASE("a short heartbeat interval leaves a second for the way") {
    Desk desk(Protocol::kFix44);
    const SessionId id = desk.connect();
    desk.send(id, FixClient::numbered(1, "A", "98=0|108=1|"));
    read(desk, id);
    desk.pass_ms(2'000);
    CHECK(Messages{"35=0", "35=1"} == picks(read(desk, id), {35}));
    desk.pass_ms(1'900);
    CHECK(Ending::kNone == desk.session(id).ending());
    desk.pass_ms(100);
    CHECK(Ending::kSilent == desk.session(id).ending());
}

TEST_CASE("a log-on in the session may reset the numbers") {
    Market market;
    market(kOne, market.one("0"));
    CHECK(Messages{"35=3"} == picks(market(kOne, market.one("A", "98=0|108=30|")), {35}));
    CHECK(Messages{"35=A 34=1 141=Y"} ==
          picks(market(kOne, FixClient::numbered(1, "A", "98=0|108=30|141=Y|")), {35, 34, 141}));
    CHECK(Messages{"35=0 34=2"} ==
          picks(market(kOne, FixClient::numbered(2, "1", "112=x|")), {35, 34}));
}

TEST_CASE("garbled messages are passed over and counted, and too much garbage ends the session") {
    Market market;
    std::string garbled = market.one("1", "112=lost|");
    garbled[garbled.size() - 2] = garbled[garbled.size() - 2] == '0' ? '1' : '0';
    CHECK(Messages{} == market(kOne, garbled));
    CHECK(Messages{} == market(kOne, "????"));
    CHECK(1 == market.session(kOne).garbled());
    // The garbled one's number was not used up.
    CHECK(Messages{"35=0 112=x"} ==
          picks(market(kOne, FixClient::numbered(2, "1", "112=x|")), {35, 112}));

    market(kOne, std::string(10'000, '?'));
    CHECK(2 == market.session(kOne).garbled());
    CHECK(Ending::kNone == market.session(kOne).ending());
    market(kOne, std::string(10'000, '?'));
    CHECK(Ending::kMalformed == market.session(kOne).ending());
}

TEST_CASE("an order that trades in parts has its sums right") {
    Market market;
    market(kOne, market.one.enter("b1", '1', 100, "1000.50"));
    CHECK(Messages{"35=8 150=0 39=0 11=s1 41= 151=30 14=0 6=0 32= 31=",
                   "35=8 150=F 39=2 11=s1 41= 151=0 14=30 6=1000.5 32=30 31=1000.50"} ==
          picks(market(kTwo, market.two.enter("s1", '2', 30, "1000.00")), kReport));
    CHECK(Messages{"35=8 150=F 39=1 11=b1 41= 151=70 14=30 6=1000.5 32=30 31=1000.50"} ==
          picks(read(market, kOne), kReport));

    CHECK(Messages{"35=8 150=5 39=1 11=b2 41=b1 151=10 14=30 6=1000.5 32= 31="} ==
          picks(market(kOne, market.one.replace("b1", "b2", '1', 40, "1001.50")), kReport));
    CHECK(Messages{"35=8 150=0 39=0 11=s2 41= 151=10 14=0 6=0 32= 31=",
                   "35=8 150=F 39=2 11=s2 41= 151=0 14=10 6=1001.5 32=10 31=1001.50"} ==
          picks(market(kTwo, market.two.enter("s2", '5', 10, "")), kReport));
    CHECK(Messages{"35=8 150=F 39=2 11=b2 41= 151=0 14=40 6=1000.75 32=10 31=1001.50"} ==
          picks(read(market, kOne), kReport));
    CHECK(0 == market.matcher().living_orders());
}

TEST_CASE("a chain of orders keeps its OrderID, and no two executions share an ExecID") {
    Market market;
    Messages all = market(kOne, market.one.enter("b1", '1', 100, "10"));
    const Messages more = market(
        kOne, in_order({market.one.replace("b1", "b2", '1', 90, "10"),
                        market.one.cancel("b2", "c1", '1'), market.one.enter("b3", '1', 1, "10")}));
    all.insert(all.end(), more.begin(), more.end());

    CHECK(Messages{"37=1-1 17=1-1", "37=1-1 17=1-2", "37=1-1 17=1-3", "37=1-2 17=1-4"} ==
          picks(all, {37, 17}));
}

TEST_CASE("a cancel is answered with its own id and the order's") {
    Market market;
    market(kOne, market.one.enter("b1", '1', 100, "10"));
    market(kTwo, market.two.enter("s1", '2', 40, "10"));
    read(market, kOne);

    CHECK(Messages{"35=8 150=4 39=4 11=c1 41=b1 151=0 14=40 6=10 32= 31="} ==
          picks(market(kOne, market.one.cancel("b1", "c1", '1')), kReport));
    CHECK(0 == market.matcher().living_orders());
    CHECK(Messages{"35=9 11=c2 41=b1 37=NONE 39=8 434=1 102=1"} ==
          picks(market(kOne, market.one.cancel("b1", "c2", '1')), {35, 11, 41, 37, 39, 434, 102}));
}

TEST_CASE("what is left of an immediate-or-cancel or market order is cancelled") {
    Market market;
    market(kOne, market.one.enter("s1", '2', 10, "10"));
    const auto fate = {150, 39, 151, 14};
    CHECK(Messages{"150=0 39=0 151=15 14=0", "150=F 39=1 151=5 14=10", "150=4 39=4 151=0 14=10"} ==
          picks(market(kTwo, market.two.enter("b1", '1', 15, "10", "59=3|")), fate));
    CHECK(Messages{"150=0 39=0 151=15 14=0", "150=4 39=4 151=0 14=0"} ==
          picks(market(kTwo, market.two.enter("b2", '1', 15, "")), fate));
    CHECK(0 == market.matcher().living_orders());
}

TEST_CASE("an order that cannot be is rejected in words") {
    Market market({.symbols_max = 100, .orders_max = 1});
    const auto refused = [&](const std::string& message) {
        const Messages messages = market(kOne, message);
        REQUIRE(1 == messages.size());
        CHECK("35=8 150=8 39=8 151=0" == pick(messages[0], {35, 150, 39, 151}));
        return pick(messages[0], {103, 58});
    };
    CHECK("103=1 58=a Symbol is letters and then its number, as in S00042" ==
          refused(market.one.enter("a", '1', 1, "1", "", "MSFT")));
    CHECK("103=1 58=the engine has no symbol of this number" ==
          refused(market.one.enter("a", '1', 1, "1", "", "S100")));
    CHECK("103=11 58=Side must be 1, 2, 5 or 6" == refused(market.one.enter("a", '8', 1, "1")));
    CHECK("103=11 58=TimeInForce must be 0 (day) or 3 (immediate or cancel)" ==
          refused(market.one.enter("a", '1', 1, "1", "59=4|")));
    CHECK("103=11 58=MinQty and MaxFloor are not offered" ==
          refused(market.one.enter("a", '1', 5, "1", "111=1|")));
    CHECK("103=13 58=OrderQty must be a whole number from 1 to 4294967295" ==
          refused(market.one.enter("a", '1', 0, "1")));
    CHECK("103=13 58=OrderQty must be a whole number from 1 to 4294967295" ==
          refused(market.one.enter("a", '1', 4'294'967'296, "1")));
    CHECK("103=11 58=Price must be above 0 and a multiple of 0.01" ==
          refused(market.one.enter("a", '1', 1, "1.005")));
    CHECK("103=11 58=Price must be above 0 and a multiple of 0.01" ==
          refused(market.one.enter("a", '1', 1, "0")));
    CHECK("150=0" == pick(market(kOne, market.one.enter("a", '1', 1, "1")).at(0), {150}));
    CHECK("103=6 58=ClOrdID is in use by a living order" ==
          refused(market.one.enter("a", '1', 1, "1")));
    CHECK("103=99 58=the engine holds as many orders as it may" ==
          refused(market.one.enter("b", '1', 1, "1")));
    CHECK(1 == market.matcher().living_orders());
}

TEST_CASE("a change that cannot be is refused in words, and the order stays") {
    Market market;
    market(kOne, market.one.enter("b1", '1', 100, "10"));
    market(kOne, market.one.enter("b2", '1', 100, "9"));
    market(kTwo, market.two.enter("s1", '2', 60, "10"));
    read(market, kOne);
    const auto refused = [&](const std::string& message) {
        return picks(market(kOne, message), {35, 39, 434, 102, 58}).at(0);
    };
    CHECK("35=9 39=8 434=2 102=1 58=no living order has this OrigClOrdID" ==
          refused(market.one.replace("zz", "n", '1', 10, "10")));
    CHECK("35=9 39=1 434=2 102=6 58=ClOrdID is in use by a living order" ==
          refused(market.one.replace("b1", "b2", '1', 70, "10")));
    CHECK("35=9 39=1 434=2 102=99 58=OrderQty is not above what has traded" ==
          refused(market.one.replace("b1", "n", '1', 60, "10")));
    CHECK("35=9 39=1 434=2 102=99 58=Symbol and Side must be those of the order" ==
          refused(market.one.replace("b1", "n", '2', 70, "10")));
    CHECK("35=9 39=1 434=2 102=99 58=Price must be above 0 and a multiple of 0.01" ==
          refused(market.one.replace("b1", "n", '1', 70, "0.001")));
    CHECK("35=9 39=0 434=1 102=6 58=ClOrdID is in use by a living order" ==
          refused(market.one.cancel("b2", "b1", '1')));
    CHECK("35=9 39=0 434=1 102=99 58=Symbol and Side must be those of the order" ==
          refused(market.one.cancel("b2", "n", '1', "S00008")));
    CHECK(2 == market.matcher().living_orders());
}

TEST_CASE("a message without what it needs is rejected, and its number is used up") {
    Market market;
    const auto answer = [&](std::string_view type, std::string_view rest) {
        return pick(market(kOne, market.one(type, rest)).at(0), {35, 45, 371, 373, 380});
    };
    CHECK("35=3 45=2 371=55 373=1 380=" == answer("D", "11=a|54=1|60=x|38=1|40=1|"));
    CHECK("35=3 45=3 371=11 373=5 380=" ==
          answer("D", "11=" + std::string(41, 'x') + "|55=S1|54=1|60=x|38=1|40=1|"));
    CHECK("35=3 45=4 371=41 373=1 380=" == answer("F", "11=a|55=S1|54=1|60=x|"));
    CHECK("35=3 45=5 371=44 373=4 380=" == answer("D", "11=a|44=|"));
    CHECK("35=3 45=6 371= 373=0 380=" == answer("D", "11=a|x=1|"));
    CHECK("35=j 45=7 371= 373= 380=3" == answer("V", "262=x|"));
    CHECK("35=j 45=8 371= 373= 380=3" == answer("AE", "571=x|"));
    CHECK(Messages{"35=3 371=52"} ==
          picks(market(kOne, fix_message("35=1|49=ME|56=ENGINE|34=9|112=x|")), {35, 371}));
}

TEST_CASE("a message in another's name ends the session") {
    Market market;
    CHECK(Messages{"35=3 373=9", "35=5 373="} ==
          picks(market(kOne, fix_message("35=0|49=YOU|56=ENGINE|34=2|52=x|")), {35, 373}));
    CHECK(Ending::kMalformed == market.session(kOne).ending());
}

TEST_CASE("requests that overtake their answers are followed all the same") {
    Market market;
    market(kOne, market.one.enter("b1", '1', 100, "10"));
    market.hold_replies();
    market.send(kOne, market.one.replace("b1", "b2", '1', 90, "10"));
    market.send(kOne, market.one.replace("b2", "b3", '1', 80, "10"));
    market.send(kOne, market.one.cancel("b1", "c1", '1'));  // too late, though nobody could know
    market.send(kTwo, market.two.enter("s1", '2', 70, "10"));
    market.send(kOne, market.one.cancel("b3", "c2", '1'));
    market.release_replies();

    CHECK(Messages{"35=8 150=5 39=0 11=b2 41=b1 151=90 14=0 6=0 32= 31=",
                   "35=8 150=5 39=0 11=b3 41=b2 151=80 14=0 6=0 32= 31=",
                   "35=9 150= 39=8 11=c1 41=b1 151= 14= 6= 32= 31=",
                   "35=8 150=F 39=1 11=b3 41= 151=10 14=70 6=10 32=70 31=10.00",
                   "35=8 150=4 39=4 11=c2 41=b3 151=0 14=70 6=10 32= 31="} ==
          picks(read(market, kOne), kReport));
    CHECK(0 == market.matcher().living_orders());
}

TEST_CASE("messages that are cut anywhere are put together") {
    FixClient client;
    const std::string sent = in_order({client.log_on(), client.enter("b1", '1', 100, "10"),
                                       client.replace("b1", "b2", '1', 90, "10"), client("0"),
                                       client.cancel("b2", "c1", '1')});
    Desk whole(Protocol::kFix44);
    whole.send(whole.connect(), sent);
    const std::string expected = whole.received(0);
    std::string counted = expected;
    CHECK(4 == fix_messages(counted).size());
    for (std::size_t cut = 1; cut < sent.size(); ++cut) {
        Desk desk(Protocol::kFix44);
        const SessionId id = desk.connect();
        desk.send(id, sent.substr(0, cut));
        desk.send(id, sent.substr(cut));
        REQUIRE(expected == desk.received(id));
    }
    Desk desk(Protocol::kFix44);
    const SessionId id = desk.connect();
    for (const char byte : sent) {
        desk.send(id, {&byte, 1});
    }
    CHECK(expected == desk.received(id));
}

TEST_CASE("any garbage is survived") {
    Random random(9);
    for (int round = 0; round < 2'000; ++round) {
        Market market;
        std::string bytes = in_order({market.one.enter("b1", '1', 100, "10"),
                                      market.one.replace("b1", "b2", '1', 90, "10"),
                                      market.one.cancel("b2", "c1", '1')});
        for (std::uint32_t changes = 1 + random.below(8); changes > 0; --changes) {
            bytes[random.below(static_cast<std::uint32_t>(bytes.size()))] =
                static_cast<char>(random.below(4) == 0 ? 1 : random.next());
        }
        if (random.below(2) == 0) {
            // A right checksum lets the change through to the fields.
            const std::size_t from = bytes.find("35=");
            const std::size_t to = bytes.find(
                "\x01"
                "10=");
            if (from < to && to != std::string::npos) {
                bytes = fix_message(bytes.substr(from, to + 1 - from));
            }
        }
        market.send(kOne, bytes);
        market.pass_ms(1'000);
        read(market, kOne);
    }
}
