// The engine over real loopback sockets: with one thread and with several, and with bad clients.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "client/clock.h"
#include "client/order_flow.h"
#include "client/random.h"
#include "engine/server.h"
#include "flow_session.h"
#include "messages.h"
#include "test_client.h"

using namespace cluster;
using namespace cluster::engine;
using namespace cluster::engine::test;
using orderwire::OrderType;
using orderwire::Side;
using orderwire::Type;

namespace {

EngineOptions options_for(std::uint32_t threads, Wait wait = Wait::kBlock) {
    EngineOptions options;
    options.port = 0;
    options.threads = threads;
    options.wait = wait;
    return options;
}

Counters total(const Server& server) {
    Counters all;
    for (const Counters& counters : server.counters()) {
        all += counters;
    }
    return all;
}

template <class Message>
void append(std::vector<std::byte>& bytes, const Message& message) {
    const auto added = std::as_bytes(std::span(&message, 1));
    bytes.insert(bytes.end(), added.begin(), added.end());
}

void append_request(std::vector<std::byte>& bytes, const Intent& intent, std::uint64_t id) {
    const std::uint64_t target = id - intent.target_back;
    switch (intent.action) {
        case Action::kNew: append(bytes, to_new(intent, id)); break;
        case Action::kReplace:
            append(bytes,
                   replace_order(id, target, intent.price_ticks, intent.quantity, intent.symbol));
            break;
        case Action::kCancel: append(bytes, cancel_order(id, target, intent.symbol)); break;
    }
}

bool is_answer(const ReplyMessage& reply) {
    return reply.type == Type::kAccepted || reply.type == Type::kRejected ||
           (reply.type == Type::kCancelled && reply.detail == 0);
}

/// What is sent to a client about one symbol, without the times.
using Story = std::vector<
    std::tuple<Type, std::uint8_t, std::uint64_t, std::int64_t, std::uint32_t, std::uint32_t>>;

}  // namespace

TEST_CASE("two clients trade with each other") {
    for (const std::uint32_t threads : {1U, 3U}) {
        for (const Wait wait : {Wait::kBlock, Wait::kSpin}) {
            CAPTURE(threads);
            Server server(options_for(threads, wait));
            TestClient seller(server.port());
            TestClient buyer(server.port());
            for (std::uint32_t symbol = 0; symbol < 4; ++symbol) {
                seller.send(new_order(10 + symbol, Side::kSell, 101, 10, symbol));
                CHECK(10 + symbol == seller.must_get(Type::kAccepted).order_id);

                buyer.send(new_order(70 + symbol, Side::kBuy, 105, 4, symbol));

                CHECK(70 + symbol == buyer.must_get(Type::kAccepted).order_id);
                const ReplyMessage bought = buyer.must_get(Type::kExecuted);
                CHECK(70 + symbol == bought.order_id);
                CHECK(101 == bought.price_ticks);
                CHECK(4 == bought.quantity);
                CHECK(0 == bought.remaining);
                const ReplyMessage sold = seller.must_get(Type::kExecuted);
                CHECK(10 + symbol == sold.order_id);
                CHECK(6 == sold.remaining);
                CHECK(symbol == sold.symbol);
            }
        }
    }
}

TEST_CASE("replies carry the times of the engine's own clock") {
    Server server(options_for(2));
    TestClient client(server.port());
    for (std::uint32_t symbol = 0; symbol < 2; ++symbol) {
        const auto before_ns = static_cast<std::uint64_t>(MonotonicClock::now_ns());
        client.send(new_order(1, Side::kBuy, 100, 1, symbol));
        const ReplyMessage reply = client.must_get(Type::kAccepted);
        const auto after_ns = static_cast<std::uint64_t>(MonotonicClock::now_ns());

        CHECK(before_ns <= reply.received_ns);
        CHECK(reply.received_ns <= reply.replied_ns);
        CHECK(reply.replied_ns <= after_ns);
    }
}

TEST_CASE("requests that come byte by byte are put together") {
    Server server(options_for(1));
    TestClient client(server.port());
    std::vector<std::byte> bytes;
    append(bytes, new_order(1, Side::kBuy, 100, 10));
    append(bytes, replace_order(2, 1, 101, 20));
    append(bytes, cancel_order(3, 2));
    for (const std::byte& byte : bytes) {
        client.send_bytes({&byte, 1});
    }

    CHECK(1 == client.must_get(Type::kAccepted).order_id);
    CHECK(2 == client.must_get(Type::kAccepted).order_id);
    const ReplyMessage cancelled = client.must_get(Type::kCancelled);
    CHECK(3 == cancelled.order_id);
    CHECK(20 == cancelled.quantity);
}

TEST_CASE("requests cut anywhere give the replies of a lone matcher, symbol by symbol") {
    FlowConfig config;
    config.symbols = 7;
    const auto block = make_flow(config, 1, 20'000);
    std::vector<std::byte> bytes;
    Matcher matcher{{}};
    std::vector<Reply> replies;
    FlowSession session(0, block);
    for (std::uint64_t id = 1; id <= block.size(); ++id) {
        append_request(bytes, block[id - 1], id);
        session.send_next(matcher, replies);
    }
    std::map<std::uint32_t, Story> expected;
    for (const Reply& reply : replies) {
        expected[reply.symbol].emplace_back(reply.type, reply.detail, reply.order_id,
                                            reply.price_ticks, reply.quantity, reply.remaining);
    }

    for (const std::uint32_t threads : {1U, 2U, 3U}) {
        CAPTURE(threads);
        Server server(options_for(threads));
        TestClient client(server.port());
        std::jthread sender([&] {
            Random random(threads);
            for (std::span<const std::byte> rest(bytes); !rest.empty();) {
                const std::size_t cut = std::min<std::size_t>(rest.size(), 1 + random.below(9'000));
                client.send_bytes(rest.first(cut));
                rest = rest.subspan(cut);
            }
        });
        std::map<std::uint32_t, Story> actual;
        for (std::size_t count = 0; count < replies.size(); ++count) {
            const auto reply = client.next();
            REQUIRE(reply.has_value());
            actual[reply->symbol].emplace_back(reply->type, reply->detail, reply->order_id,
                                               reply->price_ticks, reply->quantity,
                                               reply->remaining);
        }
        sender.join();

        CHECK(expected == actual);
        server.stop();
        const Counters counters = total(server);
        CHECK(block.size() == counters.orders());
        CHECK(block.size() == counters.accepted + counters.cancelled + counters.rejected_in_all());
    }
}

TEST_CASE("many clients at once: every request is answered once and every trade told twice") {
    Server server(options_for(3));
    constexpr std::uint64_t kEach = 8'000;
    struct Tally {
        std::set<std::uint64_t> answered;
        std::uint64_t executed = 0;
        std::uint64_t quantity = 0;
    };
    std::vector<Tally> tallies(6);
    std::vector<TestClient> clients;
    for (std::size_t index = 0; index < tallies.size(); ++index) {
        clients.emplace_back(server.port());
    }
    {
        std::vector<std::jthread> threads;
        for (std::size_t index = 0; index < tallies.size(); ++index) {
            threads.emplace_back([&, index] {
                FlowConfig config;
                config.symbols = 5;
                const auto block = make_flow(config, index, kEach);
                std::uint64_t id = 0;
                while (tallies[index].answered.size() < kEach) {
                    std::vector<std::byte> bytes;
                    for (int burst = 0; burst < 500 && id < kEach; ++burst) {
                        ++id;
                        append_request(bytes, block[id - 1], id);
                    }
                    clients[index].send_bytes(bytes);
                    while (tallies[index].answered.size() < id) {
                        const auto reply = clients[index].next();
                        REQUIRE(reply.has_value());
                        if (is_answer(*reply)) {
                            REQUIRE(tallies[index].answered.insert(reply->order_id).second);
                        } else if (reply->type == Type::kExecuted) {
                            ++tallies[index].executed;
                            tallies[index].quantity += reply->quantity;
                        }
                    }
                }
            });
        }
    }
    // What trades later than a client's last answer is still on its way to that client.
    std::uint64_t executed = 0;
    for (std::size_t index = 0; index < tallies.size(); ++index) {
        clients[index].finish();
        while (const auto reply = clients[index].next()) {
            executed += reply->type == Type::kExecuted;
            tallies[index].quantity += reply->type == Type::kExecuted ? reply->quantity : 0;
        }
        executed += tallies[index].executed;
    }
    server.stop();
    const Counters counters = total(server);

    CHECK(tallies.size() * kEach == counters.orders());
    CHECK(counters.trades > 0);
    CHECK(2 * counters.trades == executed + counters.replies_undeliverable);
    CHECK(counters.orders() == counters.accepted + counters.cancelled + counters.rejected_in_all());
}

TEST_CASE("malformed bytes close their connection, after what came before them was answered") {
    std::vector<orderwire::Header> malformed = {{0, Type::kNew, 1, 0},
                                                {31, Type::kNew, 1, 0},
                                                {65'535, Type::kNew, 1, 0},
                                                {40, Type::kCancel, 0, 0},
                                                {32, Type::kAccepted, 0, 0},
                                                {32, static_cast<Type>(0), 0, 0},
                                                {8, static_cast<Type>(255), 0, 0}};
    Server server(options_for(2));
    TestClient bystander(server.port());
    for (const orderwire::Header& header : malformed) {
        TestClient client(server.port());
        std::vector<std::byte> bytes;
        append(bytes, new_order(1, Side::kBuy, 100, 10, 0));
        append(bytes, header);
        client.send_bytes(bytes);
        // The connection may be closed before another thread's reply is back; nothing else comes.
        const auto reply = client.next();
        if (reply.has_value()) {
            CHECK(Type::kAccepted == reply->type);
            CHECK(client.is_closed_now());
        }
    }

    bystander.send(new_order(1, Side::kBuy, 100, 10, 0));
    bystander.must_get(Type::kAccepted);
    server.stop();
    CHECK(malformed.size() == total(server).closed_malformed);
}

TEST_CASE("any garbage is survived") {
    Server server(options_for(2));
    Random random(3);
    for (int round = 0; round < 200; ++round) {
        TestClient client(server.port());
        std::vector<std::byte> bytes;
        if (random.below(2) == 0) {
            append(bytes, new_order(1, Side::kBuy, 100, 10, 0));
        }
        for (std::uint32_t count = random.below(300); count > 0; --count) {
            bytes.push_back(static_cast<std::byte>(random.next()));
        }
        client.offer_bytes(bytes, TestClient::kPatienceMs);
        client.finish();
        while (client.next().has_value()) {
        }
    }
    TestClient client(server.port());
    client.send(new_order(1, Side::kBuy, 100, 10, 0));

    CHECK(1 == client.must_get(Type::kAccepted).order_id);
}

TEST_CASE("a client that does not read is not read from, holds up nobody and loses no reply") {
    for (const std::uint32_t threads : {1U, 2U}) {
        CAPTURE(threads);
        Server server(options_for(threads));
        TestClient stubborn(server.port());
        TestClient other(server.port());
        constexpr std::size_t kMost = 64 * 1024 * 1024;
        std::vector<std::byte> bytes;
        std::uint64_t sent_ids = 0;
        std::size_t sent = 0;
        std::size_t accepted_bytes = 1;
        // An unknown target: answered with 32 bytes for 24, and nothing rests.
        while (accepted_bytes > 0 && sent < kMost) {
            while (bytes.size() < 1'000'000) {
                ++sent_ids;
                append(bytes,
                       cancel_order(sent_ids, sent_ids, static_cast<std::uint32_t>(sent_ids % 2)));
            }
            accepted_bytes = stubborn.offer_bytes(bytes, 500);
            sent += accepted_bytes;
            bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(accepted_bytes));
        }
        REQUIRE(sent < kMost);

        other.send(new_order(1, Side::kBuy, 100, 10, 1));
        CHECK(1 == other.must_get(Type::kAccepted).order_id);

        const std::uint64_t whole = sent / sizeof(orderwire::Cancel);
        std::set<std::uint64_t> missing;
        for (std::uint64_t id = 1; id <= whole; ++id) {
            missing.insert(missing.end(), id);
        }
        while (!missing.empty()) {
            const ReplyMessage reply = stubborn.must_get(Type::kRejected);
            REQUIRE(1 == missing.erase(reply.order_id));
        }
    }
}

TEST_CASE("a client that never reads is closed when its unread replies pass the bound") {
    EngineOptions options = options_for(1);
    options.unread_max_bytes = 1'000'000;
    Server server(options);
    TestClient resting(server.port());
    resting.send(new_order(1, Side::kSell, 100, 4'000'000'000));
    resting.must_get(Type::kAccepted);
    TestClient trading(server.port());
    std::uint64_t id = 0;
    bool resting_left = false;
    // Each trade is told to the resting client too, which does not read. Its socket takes some MB.
    for (int burst = 0; burst < 5'000 && !resting_left; ++burst) {
        std::vector<std::byte> bytes;
        for (int order = 0; order < 200; ++order) {
            append(bytes, new_order(++id, Side::kBuy, 100, 1, 0, OrderType::kImmediateOrCancel));
        }
        trading.send_bytes(bytes);
        for (int order = 0; order < 200; ++order) {
            trading.must_get(Type::kAccepted);
            const auto fate = trading.next();
            REQUIRE(fate.has_value());
            resting_left = fate->type == Type::kCancelled;
        }
    }

    CHECK(resting_left);
    server.stop();
    CHECK(1 == total(server).closed_not_reading);
    CHECK(1 == total(server).cancelled_on_disconnect);
}

TEST_CASE("a disconnect cancels the orders of the session in every thread") {
    for (const std::uint32_t threads : {1U, 3U}) {
        CAPTURE(threads);
        Server server(options_for(threads));
        TestClient stays(server.port());
        {
            TestClient leaves(server.port());
            for (std::uint32_t symbol = 0; symbol < 3; ++symbol) {
                leaves.send(new_order(1 + symbol, Side::kSell, 100, 1'000'000, symbol));
                leaves.must_get(Type::kAccepted);
            }
        }
        std::uint64_t id = 0;
        for (std::uint32_t symbol = 0; symbol < 3; ++symbol) {
            const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
            bool gone = false;
            while (!gone && std::chrono::steady_clock::now() < give_up) {
                stays.send(
                    new_order(++id, Side::kBuy, 100, 1, symbol, OrderType::kImmediateOrCancel));
                stays.must_get(Type::kAccepted);
                gone = stays.next()->type == Type::kCancelled;
            }
            CHECK(gone);
        }
        server.stop();
        CHECK(3 == total(server).cancelled_on_disconnect);
    }
}

TEST_CASE("a client that half-closes still gets the answers to what it sent") {
    Server server(options_for(1));
    TestClient client(server.port());
    client.send(new_order(1, Side::kBuy, 100, 10));
    client.finish();

    CHECK(1 == client.must_get(Type::kAccepted).order_id);
    CHECK(client.is_closed_now());
}

TEST_CASE("the engine stops with clients connected and orders on their way") {
    for (const std::uint32_t threads : {1U, 3U}) {
        Server server(options_for(threads));
        TestClient client(server.port());
        std::vector<std::byte> bytes;
        for (std::uint64_t id = 1; id <= 2'000; ++id) {
            append(bytes, new_order(id, Side::kBuy, 100, 1, static_cast<std::uint32_t>(id % 5)));
        }
        client.send_bytes(bytes);
        server.stop();

        CHECK(total(server).orders() <= 2'000);
    }
}

TEST_CASE("a second engine on the same port is told so") {
    Server server(options_for(1));
    EngineOptions options = options_for(1);
    options.port = server.port();

    CHECK_THROWS_WITH_AS(
        Server{options},
        ("cannot listen on 127.0.0.1:" + std::to_string(server.port()) + ": Address already in use")
            .c_str(),
        StartError);
}
