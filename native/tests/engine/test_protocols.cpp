// The same orders over every protocol end in the same trades and books, also behind real sockets
// and several threads.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <vector>

#include "client/order_flow.h"
#include "client/random.h"
#include "desk.h"
#include "engine/server.h"
#include "fix_client.h"
#include "flow_session.h"
#include "ouch_client.h"
#include "test_client.h"

using namespace cluster;
using namespace cluster::engine;
using namespace cluster::engine::test;

namespace {

constexpr std::uint32_t kSymbols = 7;

/// One side of a trade: the request whose order it was, price in ticks, lots.
using Fill = std::tuple<std::uint64_t, std::int64_t, std::uint32_t>;
using Fills = std::map<std::uint32_t, std::vector<Fill>>;  ///< by symbol, in order

/// Price in ticks, open lots: a book without its orders' numbers.
using Book = std::vector<std::pair<std::int64_t, std::uint32_t>>;

std::vector<Book> books_of(const Matcher& matcher) {
    std::vector<Book> books;
    for (std::uint32_t symbol = 0; symbol < kSymbols; ++symbol) {
        for (const auto side : {orderwire::Side::kBuy, orderwire::Side::kSell}) {
            books.emplace_back();
            for (const Order& order : matcher.resting(symbol, side)) {
                books.back().emplace_back(order.price_ticks, order.quantity);
            }
        }
    }
    return books;
}

/// A flow, what a lone matcher makes of it, and what the other protocols need to know to send it.
struct Flow {
    explicit Flow(std::uint32_t length) {
        FlowConfig config;
        config.symbols = kSymbols;
        config.spread_ticks = 1;
        config.ioc_ratio = 0.3;
        intents = make_flow(config, 1, 2 * length);
        intents.resize(length);  // without the cancels that end a block, so that orders rest
        FlowSession session(0, intents);
        std::map<std::uint64_t, std::uint32_t> traded;  // by request, with its chain's
        for (std::uint64_t id = 1; id <= length; ++id) {
            const Intent& intent = intents[id - 1];
            const std::uint64_t target = id - intent.target_back;
            totals.push_back(intent.quantity +
                             (intent.action == Action::kReplace ? traded[target] : 0));
            std::vector<Reply> replies;
            session.send_next(matcher, replies);
            for (const Reply& reply : replies) {
                if (reply.type == orderwire::Type::kAccepted && intent.action == Action::kReplace) {
                    traded[id] = traded[target];
                } else if (reply.type == orderwire::Type::kExecuted) {
                    traded[reply.order_id] += reply.quantity;
                    fills[reply.symbol].emplace_back(reply.order_id, reply.price_ticks,
                                                     reply.quantity);
                    symbol_of[reply.order_id] = reply.symbol;
                    ++fill_count;
                }
            }
        }
    }

    std::vector<Intent> intents;
    std::vector<std::uint32_t> totals;  ///< of each request: its quantity with what has traded
    Matcher matcher{{}};
    Fills fills;
    std::map<std::uint64_t, std::uint32_t> symbol_of;
    std::size_t fill_count = 0;
};

std::string name_of(std::uint64_t id) {
    std::string name("ID");
    name += std::to_string(id);
    return name;
}

std::uint64_t id_of(std::string_view name) {
    return std::stoull(std::string(name.substr(2)));
}

std::string symbol_text(std::uint32_t symbol) {
    char text[16];
    std::snprintf(text, sizeof text, "S%05u", symbol);
    return text;
}

struct Ouch {
    static constexpr Protocol kProtocol = Protocol::kOuch42;

    std::string log_on() { return soup_login(); }

    std::string encode(const Intent& intent, std::uint64_t id, std::uint32_t total) {
        const std::string target = name_of(id - intent.target_back);
        const auto price = static_cast<std::uint32_t>(100 * intent.price_ticks);
        switch (intent.action) {
            case Action::kReplace: return ouch(ouch_replace(target, name_of(id), total, price));
            case Action::kCancel: return ouch(ouch_cancel(target));
            case Action::kNew: break;
        }
        return ouch(ouch_enter(
            name_of(id), intent.side == OrderSide::kBuy ? 'B' : 'S', total,
            intent.kind == OrderKind::kMarket ? ouch42::kMarketPrice : price,
            intent.kind == OrderKind::kLimit ? ouch42::kSystemHours : ouch42::kImmediateOrCancel,
            symbol_text(intent.symbol)));
    }

    std::vector<Fill> fills(std::string& bytes) {
        std::vector<Fill> found;
        for (const std::string& packet : soup_packets(bytes)) {
            if (packet.starts_with("SE")) {
                const auto message =
                    as_sequenced<ouch42::Executed>(packet, ouch42::Type::kExecuted);
                found.emplace_back(id_of(text_of(message.token)), message.price / 100,
                                   message.shares);
            }
        }
        return found;
    }
};

struct Fix {
    static constexpr Protocol kProtocol = Protocol::kFix44;

    std::string log_on() { return client.log_on(); }

    std::string encode(const Intent& intent, std::uint64_t id, std::uint32_t total) {
        const std::string target = name_of(id - intent.target_back);
        const std::string symbol = symbol_text(intent.symbol);
        const char side = intent.side == OrderSide::kBuy ? '1' : '2';
        char price[32];
        std::snprintf(price, sizeof price, "%lld.%02lld",
                      static_cast<long long>(intent.price_ticks / 100),
                      static_cast<long long>(intent.price_ticks % 100));
        switch (intent.action) {
            case Action::kReplace:
                return client.replace(target, name_of(id), sides[id - intent.target_back], total,
                                      price, symbol);
            case Action::kCancel:
                return client.cancel(target, name_of(id), sides[id - intent.target_back], symbol);
            case Action::kNew: break;
        }
        sides[id] = side;
        return client.enter(name_of(id), side, total,
                            intent.kind == OrderKind::kMarket ? "" : price,
                            intent.kind == OrderKind::kImmediateOrCancel ? "59=3|" : "", symbol);
    }

    std::vector<Fill> fills(std::string& bytes) {
        std::vector<Fill> found;
        for (const std::string& message : fix_messages(bytes)) {
            if (value_of(message, 150) == "F") {
                std::string ticks = value_of(message, 31);
                ticks.erase(ticks.find('.'), 1);
                found.emplace_back(id_of(value_of(message, 11)), std::stoll(ticks),
                                   static_cast<std::uint32_t>(std::stoul(value_of(message, 32))));
            }
        }
        return found;
    }

    FixClient client;
    std::map<std::uint64_t, char> sides;
};

/// FIX wants a replacement's side told; an Intent of a replace or cancel may leave it open.
void learn_sides(Fix& fix, const Flow& flow) {
    for (std::uint64_t id = 1; id <= flow.intents.size(); ++id) {
        const Intent& intent = flow.intents[id - 1];
        if (intent.action == Action::kNew) {
            fix.sides[id] = intent.side == OrderSide::kBuy ? '1' : '2';
        } else if (intent.action == Action::kReplace) {
            fix.sides[id] = fix.sides[id - intent.target_back];
        }
    }
}
void learn_sides(Ouch&, const Flow&) {}

}  // namespace

TEST_CASE_TEMPLATE("a flow over any protocol ends in the trades and books of a lone matcher",
                   Speaks, Ouch, Fix) {
    const Flow flow(6'000);
    REQUIRE(flow.fill_count > 500);
    REQUIRE(flow.matcher.living_orders() > 10);
    Speaks speaks;
    learn_sides(speaks, flow);
    Desk desk(Speaks::kProtocol);
    const SessionId session = desk.connect();
    desk.send(session, speaks.log_on());
    Fills actual;
    for (std::uint64_t id = 1; id <= flow.intents.size(); ++id) {
        desk.send(session, speaks.encode(flow.intents[id - 1], id, flow.totals[id - 1]));
        std::string bytes = desk.received(session);
        for (const Fill& fill : speaks.fills(bytes)) {
            actual[flow.symbol_of.at(std::get<0>(fill))].push_back(fill);
        }
    }

    CHECK(flow.fills == actual);
    CHECK(books_of(flow.matcher) == books_of(desk.matcher()));
    CHECK(Ending::kNone == desk.session(session).ending());
}

TEST_CASE_TEMPLATE("behind sockets and several threads the trades are the same", Speaks, Ouch,
                   Fix) {
    const Flow flow(6'000);
    for (const std::uint32_t threads : {1U, 3U}) {
        CAPTURE(threads);
        EngineOptions options;
        options.port = 0;
        options.threads = threads;
        options.protocol = Speaks::kProtocol;
        Server server(options);
        Speaks speaks;
        learn_sides(speaks, flow);
        std::string bytes = speaks.log_on();
        for (std::uint64_t id = 1; id <= flow.intents.size(); ++id) {
            bytes += speaks.encode(flow.intents[id - 1], id, flow.totals[id - 1]);
        }
        TestClient client(server.port());
        std::jthread sender([&] {
            Random random(threads);
            for (auto rest = std::as_bytes(std::span(bytes)); !rest.empty();) {
                const std::size_t cut = std::min<std::size_t>(rest.size(), 1 + random.below(9'000));
                client.send_bytes(rest.first(cut));
                rest = rest.subspan(cut);
            }
        });
        Fills actual;
        std::string received;
        for (std::size_t count = 0; count < flow.fill_count;) {
            const std::string more = client.next_bytes();
            REQUIRE_FALSE(more.empty());
            received += more;
            for (const Fill& fill : speaks.fills(received)) {
                actual[flow.symbol_of.at(std::get<0>(fill))].push_back(fill);
                ++count;
            }
        }
        sender.join();

        CHECK(flow.fills == actual);
        server.stop();
        Counters all;
        for (const Counters& counters : server.counters()) all += counters;
        CHECK(2 * all.trades == flow.fill_count);
        CHECK(0 == all.closed_malformed);
    }
}

TEST_CASE_TEMPLATE("an engine that stops says so, and one that hears garbage closes", Speaks, Ouch,
                   Fix) {
    EngineOptions options;
    options.port = 0;
    options.threads = 2;
    options.protocol = Speaks::kProtocol;
    Server server(options);
    TestClient polite(server.port());
    polite.send_text(Speaks().log_on());
    CHECK_FALSE(polite.next_bytes().empty());
    TestClient rude(server.port());
    rude.send_text("GET / HTTP/1.1\r\n\r\n");
    CHECK(rude.next_bytes().empty());
    TestClient refused(server.port());
    refused.send_text(Speaks::kProtocol == Protocol::kOuch42
                          ? soup_login("", "", "OTHER")
                          : FixClient::numbered(1, "A", "98=1|108=30|"));
    CHECK_FALSE(refused.next_bytes().empty());
    CHECK(refused.next_bytes().empty());
    server.stop();

    const std::string last_words = Speaks::kProtocol == Protocol::kOuch42
                                       ? soup(soupbin::Type::kEndOfSession)
                                       : "58=the engine stops";
    std::string farewell;
    while (farewell.find(last_words) == std::string::npos) {
        const std::string more = polite.next_bytes();
        REQUIRE_FALSE(more.empty());
        farewell += more;
    }
    Counters all;
    for (const Counters& counters : server.counters()) all += counters;
    CHECK(1 == all.closed_malformed);
    CHECK(1 == all.logins_refused);
    CHECK(3 == all.connections);
}

TEST_CASE_TEMPLATE("a disconnect cancels the session's orders in every thread", Speaks, Ouch, Fix) {
    EngineOptions options;
    options.port = 0;
    options.threads = 3;
    options.protocol = Speaks::kProtocol;
    Server server(options);
    constexpr std::uint32_t kOrders = 6;
    {
        Speaks speaks;
        TestClient client(server.port());
        std::string bytes = speaks.log_on();
        for (std::uint32_t id = 1; id <= kOrders; ++id) {
            bytes += speaks.encode({.price_ticks = 100,
                                    .quantity = 100'000,
                                    .symbol = id % 3,
                                    .target_back = 0,
                                    .action = Action::kNew,
                                    .kind = OrderKind::kLimit,
                                    .side = OrderSide::kBuy},
                                   id, 100'000);
        }
        client.send_text(bytes);
        std::string received;
        const auto answers = [&] {
            std::size_t count = 0;
            for (std::uint32_t id = 1; id <= kOrders; ++id) {
                count += received.find(name_of(id)) != std::string::npos;
            }
            return count;
        };
        while (answers() < kOrders) {
            const std::string more = client.next_bytes();
            REQUIRE_FALSE(more.empty());
            received += more;
        }
    }
    // Who comes next finds empty books, sooner or later.
    Speaks speaks;
    TestClient next(server.port());
    next.send_text(speaks.log_on());
    std::string received;
    std::uint64_t id = 100;
    for (std::uint32_t symbol = 0; symbol < 3; ++symbol) {
        for (bool gone = false; !gone;) {
            REQUIRE(id < 1'000);
            ++id;
            next.send_text(speaks.encode({.price_ticks = 100,
                                          .quantity = 1,
                                          .symbol = symbol,
                                          .target_back = 0,
                                          .action = Action::kNew,
                                          .kind = OrderKind::kImmediateOrCancel,
                                          .side = OrderSide::kSell},
                                         id, 1));
            received.clear();
            const std::string cancelled = Speaks::kProtocol == Protocol::kOuch42 ? "SC" : "150=4";
            const std::string traded = Speaks::kProtocol == Protocol::kOuch42 ? "SE" : "150=F";
            while (received.find(cancelled) == std::string::npos &&
                   received.find(traded) == std::string::npos) {
                const std::string more = next.next_bytes();
                REQUIRE_FALSE(more.empty());
                received += more;
            }
            gone = received.find(cancelled) != std::string::npos;
        }
    }
    server.stop();
    Counters all;
    for (const Counters& counters : server.counters()) all += counters;
    CHECK(kOrders == all.cancelled_on_disconnect);
}
