// An order book that is obviously right: a plain list of orders, searched from front to back.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "engine/matcher.h"
#include "wire/orderwire.h"

namespace cluster::engine::test {

/// The oracle that the Matcher is compared with. Orders are kept in the order in which they came,
/// so time priority is the position in the list.
class NaiveBook {
public:
    struct Resting {
        SessionId session;
        std::uint32_t symbol;
        std::uint64_t id;
        std::int64_t price;
        std::uint32_t quantity;
        orderwire::Side side;
        bool operator==(const Resting&) const = default;
    };

    explicit NaiveBook(MatcherLimits limits) : limits_(limits) {}

    void enter(SessionId session, const orderwire::New& wanted, std::vector<Reply>& replies) {
        using enum orderwire::RejectReason;
        const auto type = wanted.header.detail;
        const bool is_limit = type == 1;
        const bool is_market = type == 2;
        const auto id = wanted.order_id;
        const auto symbol = wanted.header.symbol;
        if (symbol >= limits_.symbols_max)
            return reject(session, symbol, id, kUnknownSymbol, replies);
        if (type < 1 || type > 3) return reject(session, symbol, id, kBadField, replies);
        if (wanted.side != orderwire::Side::kBuy && wanted.side != orderwire::Side::kSell) {
            return reject(session, symbol, id, kBadField, replies);
        }
        if (!is_market && wanted.price_ticks < 1)
            return reject(session, symbol, id, kBadPrice, replies);
        if (wanted.quantity == 0) return reject(session, symbol, id, kBadQuantity, replies);
        if (find(session, id) != orders.end())
            return reject(session, symbol, id, kDuplicateId, replies);
        if (is_limit && orders.size() >= limits_.orders_max) {
            return reject(session, symbol, id, kBookFull, replies);
        }
        replies.push_back({session, symbol, id, 0, 0, 0, orderwire::Type::kAccepted, 0});
        Resting order{session, symbol, id, wanted.price_ticks, wanted.quantity, wanted.side};
        trade(order, is_market, replies);
        if (order.quantity > 0 && is_limit) {
            orders.push_back(order);
        } else if (order.quantity > 0) {
            replies.push_back(
                {session, symbol, id, 0, order.quantity, 0, orderwire::Type::kCancelled, 1});
        }
    }

    void replace(SessionId session, const orderwire::Replace& wanted, std::vector<Reply>& replies) {
        using enum orderwire::RejectReason;
        const auto id = wanted.order_id;
        const auto symbol = wanted.header.symbol;
        if (symbol >= limits_.symbols_max)
            return reject(session, symbol, id, kUnknownSymbol, replies);
        if (wanted.price_ticks < 1) return reject(session, symbol, id, kBadPrice, replies);
        if (wanted.quantity == 0) return reject(session, symbol, id, kBadQuantity, replies);
        const auto target = find(session, wanted.target_id);
        if (target == orders.end() || target->symbol != symbol) {
            return reject(session, symbol, id, kUnknownOrder, replies);
        }
        if (find(session, id) != orders.end())
            return reject(session, symbol, id, kDuplicateId, replies);
        replies.push_back({session, symbol, id, 0, 0, 0, orderwire::Type::kAccepted, 0});
        Resting order{session, symbol, id, wanted.price_ticks, wanted.quantity, target->side};
        orders.erase(target);
        trade(order, false, replies);
        if (order.quantity > 0) orders.push_back(order);
    }

    void cancel(SessionId session, const orderwire::Cancel& wanted, std::vector<Reply>& replies) {
        using enum orderwire::RejectReason;
        const auto id = wanted.order_id;
        const auto symbol = wanted.header.symbol;
        if (symbol >= limits_.symbols_max)
            return reject(session, symbol, id, kUnknownSymbol, replies);
        const auto target = find(session, wanted.target_id);
        if (target == orders.end() || target->symbol != symbol) {
            return reject(session, symbol, id, kUnknownOrder, replies);
        }
        replies.push_back(
            {session, symbol, id, 0, target->quantity, 0, orderwire::Type::kCancelled, 0});
        orders.erase(target);
    }

    std::size_t cancel_all(SessionId session) {
        return std::erase_if(orders, [&](const Resting& o) { return o.session == session; });
    }

    /// In priority order, best first.
    std::vector<Resting> resting(std::uint32_t symbol, orderwire::Side side) const {
        std::vector<Resting> found;
        for (const Resting& order : orders) {
            if (order.symbol == symbol && order.side == side) found.push_back(order);
        }
        std::ranges::stable_sort(found, [&](const Resting& a, const Resting& b) {
            return side == orderwire::Side::kBuy ? a.price > b.price : a.price < b.price;
        });
        return found;
    }

    std::vector<Resting> orders;

private:
    std::vector<Resting>::iterator find(SessionId session, std::uint64_t id) {
        return std::ranges::find_if(
            orders, [&](const Resting& o) { return o.session == session && o.id == id; });
    }

    static void reject(SessionId session, std::uint32_t symbol, std::uint64_t id,
                       orderwire::RejectReason reason, std::vector<Reply>& replies) {
        replies.push_back({session, symbol, id, 0, 0, 0, orderwire::Type::kRejected,
                           static_cast<std::uint8_t>(reason)});
    }

    void trade(Resting& incoming, bool at_any_price, std::vector<Reply>& replies) {
        while (incoming.quantity > 0) {
            const auto best = best_against(incoming, at_any_price);
            if (best == orders.end()) return;
            const std::uint32_t traded = std::min(incoming.quantity, best->quantity);
            incoming.quantity -= traded;
            best->quantity -= traded;
            replies.push_back({incoming.session, incoming.symbol, incoming.id, best->price, traded,
                               incoming.quantity, orderwire::Type::kExecuted, 0});
            replies.push_back({best->session, best->symbol, best->id, best->price, traded,
                               best->quantity, orderwire::Type::kExecuted, 0});
            if (best->quantity == 0) orders.erase(best);
        }
    }

    std::vector<Resting>::iterator best_against(const Resting& incoming, bool at_any_price) {
        const bool buys = incoming.side == orderwire::Side::kBuy;
        auto best = orders.end();
        for (auto at = orders.begin(); at != orders.end(); ++at) {
            if (at->symbol != incoming.symbol || at->side == incoming.side) continue;
            if (!at_any_price && (buys ? at->price > incoming.price : at->price < incoming.price)) {
                continue;
            }
            if (best == orders.end() ||
                (buys ? at->price < best->price : at->price > best->price)) {
                best = at;
            }
        }
        return best;
    }

    MatcherLimits limits_;
};

}  // namespace cluster::engine::test
