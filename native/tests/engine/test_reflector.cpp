// The reflector accepts whatever comes, in every protocol, and knows no book.
#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "engine/server.h"
#include "fix_client.h"
#include "messages.h"
#include "ouch_client.h"
#include "test_client.h"

using namespace cluster;
using namespace cluster::engine;
using namespace cluster::engine::test;
using orderwire::OrderType;
using orderwire::Side;
using orderwire::Type;

namespace {

EngineOptions reflecting(Protocol protocol = Protocol::kOrderwire, std::uint32_t threads = 1) {
    EngineOptions options;
    options.port = 0;
    options.threads = threads;
    options.protocol = protocol;
    options.reflect = true;
    return options;
}

constexpr auto kRemainder = static_cast<std::uint8_t>(orderwire::CancelReason::kRemainder);

}  // namespace

TEST_CASE("orders that would trade do not, and are accepted") {
    Server server(reflecting());
    TestClient client(server.port());

    client.send(new_order(1, Side::kBuy, 100, 5));
    client.send(new_order(2, Side::kSell, 100, 5));
    client.send(replace_order(3, 77, 101, 5));
    client.send(cancel_order(4, 78, 9));

    CHECK(1 == client.must_get(Type::kAccepted).order_id);
    CHECK(2 == client.must_get(Type::kAccepted).order_id);
    CHECK(3 == client.must_get(Type::kAccepted).order_id);
    const ReplyMessage cancelled = client.must_get(Type::kCancelled);
    CHECK(4 == cancelled.order_id);
    CHECK(9 == cancelled.symbol);
    CHECK(0 == cancelled.detail);
    CHECK(cancelled.received_ns > 0);
    CHECK(cancelled.replied_ns >= cancelled.received_ns);
}

TEST_CASE("what may not rest is accepted and its remainder cancelled") {
    Server server(reflecting());
    TestClient client(server.port());

    client.send(new_order(1, Side::kBuy, 100, 5, 0, OrderType::kImmediateOrCancel));
    client.send(new_order(2, Side::kBuy, 0, 6, 0, OrderType::kMarket));

    for (const std::uint64_t id : {1, 2}) {
        CHECK(id == client.must_get(Type::kAccepted).order_id);
        const ReplyMessage remainder = client.must_get(Type::kCancelled);
        CHECK(id == remainder.order_id);
        CHECK(kRemainder == remainder.detail);
        CHECK(4 + id == remainder.quantity);
    }
}

TEST_CASE("with several threads each answers its own connections, for any symbol") {
    Server server(reflecting(Protocol::kOrderwire, 3));
    std::vector<TestClient> clients;
    for (int number = 0; number < 5; ++number) clients.emplace_back(server.port());

    for (TestClient& client : clients) {
        for (std::uint32_t symbol = 0; symbol < 100; ++symbol) {
            client.send(new_order(1 + symbol, Side::kBuy, 100, 1, symbol));
        }
        for (std::uint32_t symbol = 0; symbol < 100; ++symbol) {
            CHECK(1 + symbol == client.must_get(Type::kAccepted).order_id);  // in order
        }
    }
    server.stop();

    std::uint64_t orders = 0;
    for (const Counters& counters : server.counters()) {
        CHECK(counters.orders() > 0);
        CHECK(counters.orders() == counters.accepted);
        orders += counters.orders();
    }
    CHECK(500 == orders);
}

TEST_CASE("OUCH orders are accepted, replaced and cancelled without a book") {
    Server server(reflecting(Protocol::kOuch42));
    TestClient client(server.port());

    client.send_text(soup_login() + ouch(ouch_enter("A", 'B', 100, 1'000'000)) +
                     ouch(ouch_enter("B", 'S', 100, 1'000'000)) +
                     ouch(ouch_replace("A", "C", 50, 1'000'100)) + ouch(ouch_cancel("C")));

    std::string bytes;
    std::vector<std::string> words;
    while (words.size() < 6) {
        bytes += client.next_bytes();
        for (const std::string& packet : soup_packets(bytes)) words.push_back(in_words(packet));
    }
    CHECK(words[2] == "accepted A 100 1000000");
    CHECK(words[3] == "accepted B 100 1000000");
    CHECK(words[4] == "replaced A by C 50 1000100");
    CHECK(words[5] == "canceled C 0 U");
}

TEST_CASE("FIX orders are accepted and cancelled without a book") {
    Server server(reflecting(Protocol::kFix44));
    TestClient client(server.port());
    FixClient fix;

    client.send_text(in_order({fix.log_on(), fix.enter("A", '1', 10, "10.00"),
                               fix.enter("B", '2', 10, "10.00"), fix.cancel("A", "C", '1')}));

    std::string bytes;
    std::vector<std::string> messages;
    while (messages.size() < 4) {
        bytes += client.next_bytes();
        for (const std::string& message : fix_messages(bytes)) messages.push_back(message);
    }
    CHECK(pick(messages[1], {35, 150, 11}) == "35=8 150=0 11=A");
    CHECK(pick(messages[2], {35, 150, 11}) == "35=8 150=0 11=B");
    CHECK(pick(messages[3], {35, 150, 11, 41}) == "35=8 150=4 11=C 41=A");
}
