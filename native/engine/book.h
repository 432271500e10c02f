// The limit order book of one symbol: who rests where, in price-time order.
#pragma once

#include <cstdint>

#include "engine/ladder.h"
#include "engine/order.h"

namespace cluster::engine {

/// Two ladders over orders of a shared pool. Knows queues and prices; what an order may do, and who
/// is told, is the Matcher's part.
class OrderBook {
public:
    explicit OrderBook(OrderPool& orders) : orders_(orders) {}

    /// Puts an order behind all others of its price.
    void append(OrderSlot slot) {
        Order& order = orders_[slot];
        Level& level = side(order.side).open(key(order.side, order.price_ticks));
        order.earlier = level.last;
        order.later = kNoOrder;
        (level.last == kNoOrder ? level.first : orders_[level.last].later) = slot;
        level.last = slot;
    }

    /// Takes an order out, wherever it stands in its queue.
    void remove(OrderSlot slot) noexcept {
        const Order& order = orders_[slot];
        Ladder& ladder = side(order.side);
        const std::int64_t at = key(order.side, order.price_ticks);
        Level& level = ladder.at(at);
        (order.earlier == kNoOrder ? level.first : orders_[order.earlier].later) = order.later;
        (order.later == kNoOrder ? level.last : orders_[order.later].earlier) = order.earlier;
        if (level.first == kNoOrder) {
            ladder.close(at);
        }
    }

    /// The order that an incoming one on `incoming` with this limit trades with next: the earliest
    /// at the best price of the other side, or kNoOrder when the limit does not reach it.
    OrderSlot best_against(orderwire::Side incoming, std::int64_t limit_ticks) noexcept {
        const orderwire::Side resting = opposite(incoming);
        Ladder& ladder = side(resting);
        if (ladder.empty()) {
            return kNoOrder;
        }
        const std::int64_t best = ladder.best_key();
        return best < key(resting, limit_ticks) ? kNoOrder : ladder.at(best).first;
    }

    const Ladder& ladder(orderwire::Side which) const noexcept {
        return which == orderwire::Side::kBuy ? bids_ : asks_;
    }

    /// The key of a price in its side's ladder. Prices are above 0, so the minus is exact.
    static std::int64_t key(orderwire::Side side, std::int64_t price_ticks) noexcept {
        return side == orderwire::Side::kBuy ? price_ticks : -price_ticks;
    }

    static orderwire::Side opposite(orderwire::Side side) noexcept {
        return side == orderwire::Side::kBuy ? orderwire::Side::kSell : orderwire::Side::kBuy;
    }

private:
    Ladder& side(orderwire::Side which) noexcept {
        return which == orderwire::Side::kBuy ? bids_ : asks_;
    }

    OrderPool& orders_;
    Ladder bids_;
    Ladder asks_;
};

}  // namespace cluster::engine
