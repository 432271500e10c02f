// OUCH 4.2 over SoupBinTCP 3.0, message by message, without a socket.
#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "client/random.h"
#include "desk.h"
#include "ouch_client.h"

using namespace cluster;
using namespace cluster::engine;
using namespace cluster::engine::test;

namespace {

using Words = std::vector<std::string>;
using namespace std::string_literals;

constexpr std::uint32_t kPrice = 10'005'000;  // 1000.50

/// Bytes from their hexadecimal digits; spaces are not looked at, text stands in quotes.
std::string bytes(std::string_view digits) {
    std::string out;
    bool in_text = false;
    std::string pair;
    for (const char letter : digits) {
        if (letter == '"') {
            in_text = !in_text;
        } else if (in_text) {
            out += letter;
        } else if (letter != ' ') {
            pair += letter;
            if (pair.size() == 2) {
                out += static_cast<char>(std::stoi(pair, nullptr, 16));
                pair.clear();
            }
        }
    }
    return out;
}

Words words(Desk& desk, SessionId id) {
    std::string received = desk.received(id);
    Words all;
    for (const std::string& packet : soup_packets(received)) {
        all.push_back(in_words(packet));
    }
    CHECK(received.empty());
    return all;
}

/// A desk with two clients that are logged in and have read what that brings.
struct Market : Desk {
    explicit Market(MatcherLimits limits = {}) : Desk(Protocol::kOuch42, {}, limits) {
        for (const SessionId id : {connect(), connect()}) {
            send(id, soup_login());
            received(id);
        }
    }
    template <class Message>
    Words operator()(SessionId id, const Message& message) {
        send(id, ouch(message));
        return words(*this, id);
    }
};

constexpr SessionId kOne = 0;
constexpr SessionId kTwo = 1;

}  // namespace

TEST_CASE("a log-in is accepted and the day begins, byte by byte") {
    Desk desk(Protocol::kOuch42);
    const SessionId id = desk.connect();

    desk.send(
        id, bytes("002f \"L\" \"me    \" \"pw        \" \"          \" \"                   1\""));

    CHECK(bytes("001f \"A\" \"         1\" \"                   1\""
                "000b \"S\" \"S\" 000031560e6be7f2 \"S\"") == desk.received(id));
}

TEST_CASE("an order and its fate, byte by byte") {
    Market market;
    market.send(kOne,
                bytes("0032 \"U\" \"O\" \"TOKEN000000001\" \"B\" 00000064 \"S00007  \" 0098aa08"
                      "0001869f \"FIRM\" \"Y\" \"P\" \"N\" 00000000 \"N\" \" \""));
    CHECK(bytes("0043 \"S\" \"A\" 000031560e6be7f2 \"TOKEN000000001\" \"B\" 00000064 \"S00007  \""
                "0098aa08 0001869f \"FIRM\" \"Y\" 0000000000000001 \"P\" \"N\" 00000000 \"N\" \"L\""
                "\" \"") == market.received(kOne));

    market.send(kTwo, ouch(ouch_enter("S1", 'S', 30, kPrice)));
    CHECK(bytes("0029 \"S\" \"E\" 000031560e6be7f2 \"TOKEN000000001\" 0000001e 0098aa08 \"A\""
                "0000000000000001") == market.received(kOne));
    CHECK(Words{"accepted S1 30 10005000", "executed S1 30 10005000 R 1"} == words(market, kTwo));

    market.send(kOne, bytes("0030 \"U\" \"U\" \"TOKEN000000001\" \"TOKEN000000002\" 00000050"
                            "0098a9a4 0001869e \"N\" \"Y\" 00000000"));
    CHECK(bytes("0051 \"S\" \"U\" 000031560e6be7f2 \"TOKEN000000002\" \"B\" 00000032 \"S00007  \""
                "0098a9a4 0001869e \"FIRM\" \"N\" 0000000000000002 \"P\" \"Y\" 00000000 \"N\" \"L\""
                "\"TOKEN000000001\" \" \"") == market.received(kOne));

    market.send(kOne, bytes("0014 \"U\" \"X\" \"TOKEN000000002\" 00000000"));
    CHECK(bytes("001d \"S\" \"C\" 000031560e6be7f2 \"TOKEN000000002\" 00000032 \"U\"") ==
          market.received(kOne));

    market.send(kOne, ouch(ouch_enter("TOKEN000000003", 'B', 0, kPrice)));
    CHECK(bytes("0019 \"S\" \"J\" 000031560e6be7f2 \"TOKEN000000003\" \"O\"") ==
          market.received(kOne));
}

TEST_CASE("with a user, only that user's log-in is accepted, in any case of letters") {
    const Login login{true, "Trader", "Secret"};
    for (const auto& [user, password] : {std::pair{"trader", "SECRET"}, {"Trader", "Secret"}}) {
        Desk desk(Protocol::kOuch42, login);
        const SessionId id = desk.connect();
        desk.send(id, soup_login(user, password));
        CHECK(
            desk.received(id).starts_with("\0\x1f"
                                          "A"s));
    }
    for (const auto& [user, password] :
         {std::pair{"trader", "secre"}, {"trade", "secret"}, {"", ""}, {"trader", ""}}) {
        Desk desk(Protocol::kOuch42, login);
        const SessionId id = desk.connect();
        desk.send(id, soup_login(user, password));
        CHECK(
            "\0\x02"
            "JA"s == desk.received(id));
        CHECK(Ending::kRefused == desk.session(id).ending());
    }
}

TEST_CASE("a session that is not there, or a part of it that was, is refused") {
    for (const auto& [session, sequence] : {std::pair{"OTHER", "1"}, {"", "7"}, {"", "x"}}) {
        Desk desk(Protocol::kOuch42);
        const SessionId id = desk.connect();
        desk.send(id, soup_login("", "", session, sequence));
        CHECK(
            "\0\x02"
            "JS"s == desk.received(id));
        CHECK(Ending::kRefused == desk.session(id).ending());
    }
    for (const std::string_view sequence : {"", "0", "1", "00000000000000000001"}) {
        Desk desk(Protocol::kOuch42);
        const SessionId id = desk.connect();
        desk.send(id, soup_login("", "", "", sequence));
        CHECK(
            desk.received(id).starts_with("\0\x1f"
                                          "A"s));
    }
}

TEST_CASE("after a second of silence the server sends a heartbeat") {
    Market market;
    market.pass_ms(900);
    CHECK(Words{} == words(market, kOne));
    market.pass_ms(100);
    CHECK(Words{"H"} == words(market, kOne));

    market(kOne, ouch_enter("A", 'B', 1, kPrice));
    market.pass_ms(900);
    CHECK(Words{} == words(market, kOne));
    market.pass_ms(2'100);
    CHECK(Words{"H", "H", "H"} == words(market, kOne));
}

TEST_CASE("a client that is silent for 15 seconds is closed, one with heartbeats is not") {
    Market market;
    market.pass_ms(10'000);
    market.send(kOne, soup(soupbin::Type::kClientHeartbeat));
    market.session(kTwo).excuse_silence(market.now);
    market.pass_ms(14'900);
    CHECK(Ending::kNone == market.session(kOne).ending());
    CHECK(Ending::kNone == market.session(kTwo).ending());
    market.pass_ms(100);
    CHECK(Ending::kSilent == market.session(kOne).ending());
    CHECK(Ending::kSilent == market.session(kTwo).ending());

    Desk desk(Protocol::kOuch42);
    const SessionId never_logged_in = desk.connect();
    desk.pass_ms(15'000);
    CHECK(Ending::kSilent == desk.session(never_logged_in).ending());
    CHECK(desk.received(never_logged_in).empty());
}

TEST_CASE("a log-out ends the session, and so does the engine's end, in the protocol's words") {
    Market market;
    market.send(kOne, soup(soupbin::Type::kLogoutRequest));
    CHECK(Ending::kAgreed == market.session(kOne).ending());

    market.session(kTwo).farewell(market.now, market.output(kTwo));
    CHECK(Words{"event E", "Z"} == words(market, kTwo));
    CHECK(Ending::kAgreed == market.session(kTwo).ending());
}

TEST_CASE("an order that trades in parts is told of each") {
    Market market;
    CHECK(Words{"accepted B1 100 10005000"} == market(kOne, ouch_enter("B1", 'B', 100, kPrice)));
    market(kTwo, ouch_enter("S1", 'S', 30, kPrice - 100));
    CHECK(Words{"executed B1 30 10005000 A 1"} == words(market, kOne));
    CHECK(Words{"accepted S2 100 10005000", "executed S2 70 10005000 R 2"} ==
          market(kTwo, ouch_enter("S2", 'T', 100, kPrice)));
    CHECK(Words{"executed B1 70 10005000 A 2"} == words(market, kOne));
    CHECK(Words{} == market(kOne, ouch_cancel("B1")));  // it has gone
    CHECK(Words{"canceled S2 30 U"} == market(kTwo, ouch_cancel("S2")));
}

TEST_CASE("what is left of an immediate-or-cancel or market order is canceled") {
    Market market;
    market(kOne, ouch_enter("S1", 'S', 10, kPrice));
    CHECK(Words{"accepted B1 15 10005000", "executed B1 10 10005000 R 1", "canceled B1 5 I"} ==
          market(kTwo, ouch_enter("B1", 'B', 15, kPrice, ouch42::kImmediateOrCancel)));
    CHECK(Words{"accepted B2 15 2147483647", "canceled B2 15 I"} ==
          market(kTwo, ouch_enter("B2", 'B', 15, ouch42::kMarketPrice)));
    CHECK(0 == market.matcher().living_orders());
}

TEST_CASE("a cancel with shares keeps so many, with what has traded, and the order's place") {
    Market market;
    market(kOne, ouch_enter("B1", 'B', 100, kPrice));
    market(kTwo, ouch_enter("S1", 'S', 30, kPrice));
    words(market, kOne);

    CHECK(Words{"canceled B1 20 U"} == market(kOne, ouch_cancel("B1", 80)));
    CHECK(Words{} == market(kOne, ouch_cancel("B1", 80)));
    CHECK(Words{} == market(kOne, ouch_cancel("B1", 500)));
    CHECK(50 == market.matcher().resting(7, orderwire::Side::kBuy).at(0).quantity);
    CHECK(Words{"canceled B1 50 U"} == market(kOne, ouch_cancel("B1", 10)));
    CHECK(0 == market.matcher().living_orders());
}

TEST_CASE("a superfluous cancel, replace or modify is passed over in silence") {
    Market market;
    market(kOne, ouch_enter("B1", 'B', 100, kPrice));
    CHECK(Words{} == market(kOne, ouch_cancel("B2")));
    CHECK(Words{} == market(kOne, ouch_replace("B2", "B3", 10, kPrice)));
    CHECK(Words{} == market(kTwo, ouch_cancel("B1")));  // another's
    CHECK(Words{} ==
          market(kOne, ouch42::Modify{ouch42::Type::kModify, alpha<ouch42::Token>("B1"), 'B', 50}));
    CHECK(1 == market.matcher().living_orders());
    CHECK(Ending::kNone == market.session(kOne).ending());
    CHECK(3 == market.session(kOne).refused());
}

TEST_CASE("a token that lives is not taken twice, and one that has gone may come again") {
    Market market;
    market(kOne, ouch_enter("B1", 'B', 100, kPrice));
    CHECK(Words{} == market(kOne, ouch_enter("B1", 'B', 7, kPrice)));
    market(kOne, ouch_enter("B2", 'B', 100, kPrice));
    CHECK(Words{} == market(kOne, ouch_replace("B1", "B2", 10, kPrice)));
    CHECK(Words{"accepted B1 5 10004900"} == market(kTwo, ouch_enter("B1", 'B', 5, kPrice - 100)));
    market(kOne, ouch_cancel("B1"));
    CHECK(Words{"accepted B1 9 10005000"} == market(kOne, ouch_enter("B1", 'B', 9, kPrice)));
}

TEST_CASE("a replace whose shares have traded already takes the order out") {
    Market market;
    market(kOne, ouch_enter("B1", 'B', 100, kPrice));
    market(kTwo, ouch_enter("S1", 'S', 60, kPrice));
    words(market, kOne);

    CHECK(Words{"replaced B1 by B2 40 10005000"} ==
          market(kOne, ouch_replace("B1", "B2", 100, kPrice)));
    CHECK(Words{"canceled B2 40 U"} == market(kOne, ouch_replace("B2", "B3", 60, kPrice)));
    CHECK(0 == market.matcher().living_orders());
    CHECK(Words{"accepted B3 1 10005000"} == market(kOne, ouch_enter("B3", 'B', 1, kPrice)));
}

TEST_CASE("a replace that cannot be takes a living order out of the book") {
    auto no_price = ouch_replace("B1", "B2", 10, kPrice + 1);
    auto no_shares = ouch_replace("B1", "B2", 0, kPrice);
    auto no_time = ouch_replace("B1", "B2", 10, kPrice);
    no_time.time_in_force = 60;
    auto minimum = ouch_replace("B1", "B2", 10, kPrice);
    minimum.minimum_quantity = 5;
    for (const auto& message : {no_price, no_shares, no_time, minimum}) {
        Market market;
        market(kOne, ouch_enter("B1", 'B', 100, kPrice));
        CHECK(Words{"canceled B1 100 U"} == market(kOne, message));
    }
}

TEST_CASE("an order that cannot be is rejected with the protocol's reason") {
    Market market({.symbols_max = 100, .orders_max = 1});
    auto cross = ouch_enter("T", 'B', 1, kPrice);
    cross.cross_type = 'O';
    auto minimum = ouch_enter("T", 'B', 1, kPrice);
    minimum.minimum_quantity = 1;
    const std::vector<std::pair<ouch42::Enter, char>> wrong = {
        {ouch_enter("T", 'B', 1, kPrice, ouch42::kSystemHours, "MSFT"), 'S'},
        {ouch_enter("T", 'B', 1, kPrice, ouch42::kSystemHours, ""), 'S'},
        {ouch_enter("T", 'B', 1, kPrice, ouch42::kSystemHours, "S00100"), 'S'},
        {ouch_enter("T", 'Q', 1, kPrice), 'O'},
        {ouch_enter("T", 'B', 0, kPrice), 'O'},
        {ouch_enter("T", 'B', 1'000'000, kPrice), 'Z'},
        {ouch_enter("T", 'B', 1, 0), 'X'},
        {ouch_enter("T", 'B', 1, kPrice + 50), 'X'},
        {ouch_enter("T", 'B', 1, 2'000'000'000), 'X'},
        {ouch_enter("T", 'B', 1, kPrice, 60), 'O'},
        {minimum, 'N'},
        {cross, 'R'}};
    for (const auto& [order, reason] : wrong) {
        CHECK(Words{"rejected T "s + reason} == market(kOne, order));
    }
    CHECK(Words{"accepted T 1 10005000"} == market(kOne, ouch_enter("T", 'B', 1, kPrice)));
    CHECK(Words{"rejected U O"} == market(kOne, ouch_enter("U", 'B', 1, kPrice)));  // book full
}

TEST_CASE("requests that overtake their answers are followed all the same") {
    Market market;
    market(kOne, ouch_enter("B1", 'B', 100, kPrice));
    market.hold_replies();
    market.send(kOne, ouch(ouch_replace("B1", "B2", 90, kPrice)));
    market.send(kOne, ouch(ouch_replace("B2", "B3", 80, kPrice)));
    market.send(kOne, ouch(ouch_cancel("B1")));  // too late, though nobody could know
    market.send(kOne, ouch(ouch_enter("B2", 'B', 1, kPrice)));  // lives as far as its client knows
    market.send(kOne, ouch(ouch_cancel("B3", 70)));
    market.send(kTwo, ouch(ouch_enter("S1", 'S', 70, kPrice)));
    market.send(kOne, ouch(ouch_cancel("B3")));
    CHECK(Words{} == words(market, kOne));
    market.release_replies();

    CHECK(Words{"replaced B1 by B2 90 10005000", "replaced B2 by B3 80 10005000",
                "canceled B3 10 U", "executed B3 70 10005000 A 1"} == words(market, kOne));
    CHECK(0 == market.matcher().living_orders());
    CHECK(Words{} == market(kOne, ouch_cancel("B3")));
}

TEST_CASE("messages that are cut anywhere are put together") {
    const std::string sent = soup_login() + ouch(ouch_enter("B1", 'B', 100, kPrice)) +
                             soup(soupbin::Type::kDebug, "hello") +
                             ouch(ouch_replace("B1", "B2", 90, kPrice)) +
                             soup(soupbin::Type::kClientHeartbeat) + ouch(ouch_cancel("B2"));
    Desk whole(Protocol::kOuch42);
    whole.send(whole.connect(), sent);
    const std::string expected = whole.received(0);
    for (std::size_t cut = 1; cut < sent.size(); ++cut) {
        Desk desk(Protocol::kOuch42);
        const SessionId id = desk.connect();
        desk.send(id, sent.substr(0, cut));
        desk.send(id, sent.substr(cut));
        REQUIRE(expected == desk.received(id));
    }
    Desk desk(Protocol::kOuch42);
    const SessionId id = desk.connect();
    for (const char byte : sent) {
        desk.send(id, {&byte, 1});
    }
    CHECK(expected == desk.received(id));
}

TEST_CASE("what the protocol does not allow ends the session") {
    const std::string order = ouch(ouch_enter("B1", 'B', 100, kPrice));
    const std::vector<std::string> wrong = {
        soup(soupbin::Type::kUnsequencedData),       // no message
        soup(soupbin::Type::kUnsequencedData, "Q"),  // no such message
        soup(soupbin::Type::kUnsequencedData, "O"),  // cut short
        soup(soupbin::Type::kUnsequencedData, order.substr(3) + " "),
        soup(soupbin::Type::kSequencedData, order.substr(3)),  // the server's
        soup(static_cast<soupbin::Type>('?')),
        soup_login(),  // again
        "\0\0"s + "U",
        "\xff\xffU"s};
    for (const std::string& bytes : wrong) {
        Market market;
        market.send(kOne, bytes);
        CHECK(Ending::kMalformed == market.session(kOne).ending());
        market.send(kTwo, order);
        CHECK(Words{"accepted B1 100 10005000"} == words(market, kTwo));
    }
    for (const std::string& bytes : {order, soup(soupbin::Type::kLoginRequest, "short")}) {
        Desk desk(Protocol::kOuch42);  // before the log-in
        const SessionId id = desk.connect();
        desk.send(id, bytes);
        CHECK(Ending::kMalformed == desk.session(id).ending());
    }
}

TEST_CASE("any garbage is survived") {
    Random random(9);
    for (int round = 0; round < 2'000; ++round) {
        Market market;
        std::string bytes = ouch(ouch_enter("B1", 'B', 100, kPrice)) +
                            ouch(ouch_replace("B1", "B2", 100, kPrice)) + ouch(ouch_cancel("B2"));
        for (std::uint32_t changes = 1 + random.below(8); changes > 0; --changes) {
            bytes[random.below(static_cast<std::uint32_t>(bytes.size()))] =
                static_cast<char>(random.next());
        }
        market.send(kOne, bytes);
        market.pass_ms(1'000);
        words(market, kOne);
    }
}
