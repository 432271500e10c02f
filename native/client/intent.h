// What the order flow wants sent, before any protocol has put it into bytes.
#pragma once

#include <cstdint>

namespace cluster {

enum class Action : std::uint8_t { kNew, kReplace, kCancel };
enum class OrderKind : std::uint8_t { kLimit, kMarket, kImmediateOrCancel };
enum class OrderSide : std::uint8_t { kBuy, kSell };

/// One request of an order flow.
///
/// Requests of a connection are numbered 0, 1, 2 …; `target_back` names the living order that a
/// replace or cancel means by how many requests ago it was sent on the same connection.
struct Intent {
    std::int64_t price_ticks;
    std::uint32_t quantity;
    std::uint32_t symbol;
    std::uint32_t target_back;
    Action action;
    OrderKind kind;
    OrderSide side;
};
static_assert(sizeof(Intent) == 24);

}  // namespace cluster
