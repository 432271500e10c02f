// The Matcher against the naive book: the same random requests must give the same replies and
// books.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <tuple>
#include <vector>

#include "client/random.h"
#include "engine/matcher.h"
#include "messages.h"
#include "naive_book.h"

using namespace cluster;
using namespace cluster::engine;
using namespace cluster::engine::test;
using orderwire::OrderType;
using orderwire::Side;

namespace {

/// Where the prices of a scenario come from.
enum class Prices { kFewTicks, kDeep, kWindowEdges, kAnywhere, kDrift };

struct Scenario {
    const char* name;
    Prices prices;
    std::uint32_t symbols;
    std::uint32_t sessions;
    std::uint32_t quantity_max;
    std::uint32_t orders_max;
    std::uint32_t cancel_per_cent;  ///< of requests
    std::uint32_t operations;
};

constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();

class Storm {
public:
    Storm(const Scenario& scenario, std::uint64_t seed)
        : scenario_(scenario),
          random_(seed),
          limits_{scenario.symbols, scenario.orders_max},
          matcher_(limits_),
          naive_(limits_) {}

    /// One random request to both; false when their replies differ.
    bool step() {
        expected_.clear();
        actual_.clear();
        const SessionId session = random_.below(scenario_.sessions);
        const std::uint32_t draw = random_.below(1000);
        ++id_;
        if (draw == 0) {
            left_ += living_quantity(session, 0);
            return naive_.cancel_all(session) == matcher_.cancel_all(session);
        }
        if (draw < 10 * scenario_.cancel_per_cent) {
            const auto [owner, target, symbol] = some_order(session);
            const auto request = cancel_order(id_, target, symbol);
            naive_.cancel(owner, request, expected_);
            matcher_.cancel(owner, request, actual_);
            count(0, 0);
        } else if (draw < 10 * scenario_.cancel_per_cent + 200) {
            const auto [owner, target, symbol] = some_order(session);
            const auto request =
                replace_order(some_id(), target, price(Side::kBuy), quantity(), symbol);
            const std::int64_t replaced = living_quantity(owner, target);
            naive_.replace(owner, request, expected_);
            matcher_.replace(owner, request, actual_);
            count(request.quantity, replaced);
        } else {
            const Side side = random_.below(2) == 0 ? Side::kBuy : Side::kSell;
            auto request = new_order(some_id(), side, price(side), quantity(), symbol(), type());
            if (random_.below(500) == 0) {
                request.side = static_cast<Side>(random_.below(256));
            }
            naive_.enter(session, request, expected_);
            matcher_.enter(session, request, actual_);
            count(request.quantity, 0);
        }
        return same_replies();
    }

    /// Both hold the same orders in the same priority.
    bool same_books() const {
        std::size_t count = 0;
        for (std::uint32_t symbol = 0; symbol < scenario_.symbols; ++symbol) {
            for (const Side side : {Side::kBuy, Side::kSell}) {
                std::vector<NaiveBook::Resting> actual;
                for (const Order& order : matcher_.resting(symbol, side)) {
                    actual.push_back({order.session, order.symbol, order.id, order.price_ticks,
                                      order.quantity, order.side});
                }
                if (naive_.resting(symbol, side) != actual) {
                    return false;
                }
                count += actual.size();
            }
        }
        return count == matcher_.living_orders();
    }

    bool crossed() const {
        for (std::uint32_t symbol = 0; symbol < scenario_.symbols; ++symbol) {
            const auto bids = matcher_.resting(symbol, Side::kBuy);
            const auto asks = matcher_.resting(symbol, Side::kSell);
            if (!bids.empty() && !asks.empty() && bids[0].price_ticks >= asks[0].price_ticks) {
                return true;
            }
        }
        return false;
    }

    /// What came in, less what traded (on both sides) or was cancelled or replaced, is what rests.
    bool quantities_add_up() const {
        std::int64_t resting = 0;
        for (std::uint32_t symbol = 0; symbol < scenario_.symbols; ++symbol) {
            for (const Side side : {Side::kBuy, Side::kSell}) {
                for (const Order& order : matcher_.resting(symbol, side)) {
                    resting += order.quantity;
                }
            }
        }
        return resting == came_in_ - left_;
    }

    std::size_t trades() const { return trades_; }

private:
    bool same_replies() {
        const auto tie = [](const Reply& r) {
            return std::tie(r.session, r.symbol, r.order_id, r.price_ticks, r.quantity, r.remaining,
                            r.type, r.detail);
        };
        return std::ranges::equal(expected_, actual_,
                                  [&](const Reply& a, const Reply& b) { return tie(a) == tie(b); });
    }

    /// Keeps the quantities of what the Matcher answered; `taken` leaves if it accepted.
    void count(std::uint32_t entered, std::int64_t taken) {
        for (const Reply& reply : actual_) {
            switch (reply.type) {
                case orderwire::Type::kAccepted:
                    came_in_ += entered;
                    left_ += taken;
                    break;
                case orderwire::Type::kExecuted:
                    ++trades_;
                    left_ += reply.quantity;
                    break;
                case orderwire::Type::kCancelled: left_ += reply.quantity; break;
                default: break;
            }
        }
    }

    /// What a session has open: in the order `id`, or in all of its orders for id 0.
    std::int64_t living_quantity(SessionId session, std::uint64_t id) const {
        std::int64_t sum = 0;
        for (const auto& order : naive_.orders) {
            sum += order.session == session && (id == 0 || order.id == id) ? order.quantity : 0;
        }
        return sum;
    }

    /// Mostly a living order of some session; now and then one that does not exist.
    std::tuple<SessionId, std::uint64_t, std::uint32_t> some_order(SessionId session) {
        if (naive_.orders.empty() || random_.below(20) == 0) {
            return {session, 1 + random_.next() % id_, symbol()};
        }
        const auto& order =
            naive_.orders[random_.below(static_cast<std::uint32_t>(naive_.orders.size()))];
        const bool right_symbol = random_.below(50) != 0;
        return {order.session, order.id, right_symbol ? order.symbol : symbol()};
    }

    /// Mostly fresh; now and then one that lives already.
    std::uint64_t some_id() {
        return random_.below(50) == 0 && !naive_.orders.empty() ? naive_.orders.back().id : id_;
    }

    std::uint32_t symbol() {
        return random_.below(100) == 0 ? scenario_.symbols : random_.below(scenario_.symbols);
    }

    std::uint32_t quantity() {
        return random_.below(100) == 0 ? 0 : 1 + random_.below(scenario_.quantity_max);
    }

    OrderType type() {
        const std::uint32_t draw = random_.below(100);
        return static_cast<OrderType>(draw < 80 ? 1 : draw < 88 ? 2 : draw < 98 ? 3 : draw);
    }

    std::int64_t price(Side side) {
        if (random_.below(200) == 0) {
            return -static_cast<std::int64_t>(random_.below(2));
        }
        switch (scenario_.prices) {
            case Prices::kFewTicks: return 100 + random_.below(12);
            case Prices::kDeep: return (side == Side::kBuy ? 900 : 1'000) + random_.below(103);
            case Prices::kWindowEdges: return 5'000 + 512 * random_.below(6) + random_.below(3) - 1;
            case Prices::kDrift:
                return 1'000 + static_cast<std::int64_t>(id_ / 4) + random_.below(40);
            case Prices::kAnywhere: break;
        }
        const std::uint32_t draw = random_.below(10);
        if (draw == 0) {
            return kHighest - random_.below(3);
        }
        return draw == 1 ? 1 + random_.below(3)
                         : static_cast<std::int64_t>(random_.next() >> (1 + random_.below(62))) + 1;
    }

    const Scenario& scenario_;
    Random random_;
    MatcherLimits limits_;
    Matcher matcher_;
    NaiveBook naive_;
    std::vector<Reply> expected_;
    std::vector<Reply> actual_;
    std::uint64_t id_ = 0;
    std::size_t trades_ = 0;
    std::int64_t came_in_ = 0;
    std::int64_t left_ = 0;
};

}  // namespace

TEST_CASE("the matcher and the naive book agree on every reply and on every book") {
    // Over the scenarios and their seeds: 280,000 requests.
    constexpr Scenario kScenarios[] = {
        {"few ticks, much trading", Prices::kFewTicks, 2, 5, 20, 4096, 20, 20'000},
        {"deep books that seldom trade", Prices::kDeep, 2, 5, 20, 4096, 10, 20'000},
        {"many symbols", Prices::kFewTicks, 40, 12, 20, 4096, 30, 15'000},
        {"one session trades with itself", Prices::kFewTicks, 1, 1, 5, 4096, 20, 10'000},
        {"prices in and out of the window", Prices::kWindowEdges, 2, 5, 20, 4096, 35, 20'000},
        {"any price an int64 can hold", Prices::kAnywhere, 2, 5, 20, 4096, 35, 20'000},
        {"the market runs away", Prices::kDrift, 2, 5, 50, 4096, 25, 20'000},
        {"a book that is full", Prices::kWindowEdges, 2, 5, 20, 30, 10, 15'000},
    };
    std::size_t requests = 0;
    for (const Scenario& scenario : kScenarios) {
        for (const std::uint64_t seed : {1U, 2U}) {
            CAPTURE(scenario.name);
            CAPTURE(seed);
            Storm storm(scenario, seed);
            for (std::uint32_t step = 0; step < scenario.operations; ++step) {
                CAPTURE(step);
                REQUIRE(storm.step());
                if (step % 512 == 0) {
                    REQUIRE(storm.same_books());
                    REQUIRE_FALSE(storm.crossed());
                    REQUIRE(storm.quantities_add_up());
                }
            }
            CHECK(storm.same_books());
            CHECK(storm.trades() > 100);
            requests += scenario.operations;
        }
    }
    CHECK(280'000 == requests);
}
