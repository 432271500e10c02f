// Whether a protocol can say an order that comes from a file.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "client/replay_router.h"
#include "protocol/plan.h"

namespace cluster {

/// Refuses what would be sent as nothing, or cut, before it is sent.
class ReplaySendable {
public:
    explicit ReplaySendable(const protocol::Plan& plan)
        : sends_(plan.sends), limits_(plan.limits) {}

    /// Why the row can't be sent, or an empty text. `symbol` is its number in requests.
    std::string why_not(const ReplayRow& row, std::uint32_t symbol) const {
        for (const OrderSide side : {OrderSide::kBuy, OrderSide::kSell}) {
            if (row.side.value_or(side) == side && !has_message(row, side)) {
                return "the protocol has no message for it";
            }
        }
        const bool is_cancel = row.action == Action::kCancel;
        const bool has_price = !is_cancel && row.kind != OrderKind::kMarket;
        if (has_price && !fits(protocol::Source::kPrice, row.price_ticks)) {
            return "the protocol can't carry its price of " + std::to_string(row.price_ticks) +
                   " ticks";
        }
        if (!is_cancel && !fits(protocol::Source::kSize, row.quantity)) {
            return "the protocol can't carry its size of " + std::to_string(row.quantity);
        }
        if (!fits(protocol::Source::kSymbol, symbol)) {
            return "the protocol can't carry its symbol, number " + std::to_string(symbol);
        }
        return {};
    }

private:
    bool has_message(const ReplayRow& row, OrderSide side) const noexcept {
        return sends_[protocol::variant_of(static_cast<unsigned>(row.action),
                                           static_cast<unsigned>(row.kind),
                                           static_cast<unsigned>(side))] != protocol::kNone;
    }

    bool fits(protocol::Source source, std::int64_t value) const noexcept {
        const protocol::Limit& limit = limits_[static_cast<std::size_t>(source)];
        return !limit.given || (limit.min <= value && value <= limit.max);
    }

    protocol::Sends sends_;
    std::array<protocol::Limit, protocol::kOrderSources> limits_;
};

}  // namespace cluster
