// From a row of a file to a request of one connection.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "client/intent.h"
#include "client/replay_lives.h"
#include "client/replay_symbols.h"

namespace cluster {

/// One row of a file, as numbers.
struct ReplayRow {
    std::int64_t time_ns;  ///< as recorded
    std::int64_t price_ticks;
    std::uint64_t id;         ///< stable_hash of the text; 0: none
    std::uint64_t reference;  ///< likewise
    std::uint32_t quantity;
    std::uint32_t symbol;  ///< index
    Action action;
    OrderKind kind;
    std::optional<OrderSide> side;  ///< none: a replace or cancel is of its order's side
};

/// Follows the life of every order of the file, so that a replace or cancel names the request of
/// its own connection that the order goes by, and of its side unless the file says one.
///
/// A symbol belongs to one connection, so all requests of an order do. Ids are told apart by
/// symbol. Orders that can't rest (market, immediate-or-cancel) are dead once sent. Every agent
/// follows all orders, its own and those of others: which rows are skipped is then the same on
/// each.
class ReplayRouter {
public:
    /// `connections` of all agents together.
    ReplayRouter(std::uint32_t connections, std::uint32_t living_orders_max)
        : living_(living_orders_max), requests_(connections) {}

    /// The file begins, maybe again: ids of an earlier pass mean nothing any more.
    void begin_pass() noexcept { living_.clear(); }

    /// The request of `symbol.connection` that the row is; none when it names no living order.
    std::optional<Intent> route(const ReplayRow& row, const ReplaySymbols::Symbol& symbol) {
        std::uint64_t& requests = requests_[symbol.connection];
        Intent intent{row.price_ticks,
                      row.quantity,
                      symbol.number,
                      0,
                      row.action,
                      row.kind,
                      row.side.value_or(OrderSide::kBuy)};
        const std::uint64_t target = row.reference != 0 ? row.reference : row.id;
        if (row.action != Action::kNew) {
            const auto life = living_.find(key(target, symbol));
            if (!life) return std::nullopt;
            const std::uint64_t back = requests - *life / 2;
            if (back > UINT32_MAX) return std::nullopt;
            intent.target_back = static_cast<std::uint32_t>(back);
            if (!row.side) intent.side = static_cast<OrderSide>(*life % 2);
            living_.forget(key(target, symbol));
        }
        const std::uint64_t name = row.id != 0 ? row.id : target;
        const bool rests = row.action == Action::kReplace ||
                           (row.action == Action::kNew && row.kind == OrderKind::kLimit);
        if (rests && name != 0) {
            living_.enter(key(name, symbol), requests * 2 + static_cast<unsigned>(intent.side));
        }
        ++requests;
        return intent;
    }

private:
    static std::uint64_t key(std::uint64_t id, const ReplaySymbols::Symbol& symbol) noexcept {
        return mixed(id ^ mixed(symbol.key));
    }

    ReplayLives living_;  ///< the number of the request that entered it, twice, plus its side
    std::vector<std::uint64_t> requests_;  ///< by connection, since the start
};

}  // namespace cluster
