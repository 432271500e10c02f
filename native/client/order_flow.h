// Which orders are sent: seeded, reproducible, and made ahead of the hot loop.
#pragma once

#include <cstdint>
#include <vector>

#include "client/intent.h"

namespace cluster {

/// Shape of an order flow. Ratios are shares of all requests and lie in [0, 1].
struct FlowConfig {
    std::uint64_t seed = 1;
    std::uint32_t symbols = 64;
    double new_ratio = 0.5;  ///< new + replace + cancel = 1
    double replace_ratio = 0.2;
    double cancel_ratio = 0.3;
    double ioc_ratio = 0.1;      ///< of new orders: immediate-or-cancel, priced to trade
    double market_ratio = 0.02;  ///< of new orders
    std::int64_t mid_price_ticks = 100'000;
    std::uint32_t spread_ticks = 2;
    std::uint32_t depth_ticks = 20;  ///< resting orders lie up to this far from the mid
    std::uint32_t quantity_mean = 100;
    std::uint32_t live_orders_max = 64;  ///< per connection; at the bound a new is a cancel
};

/// A block of requests for one connection that can be repeated without end: every order that is
/// still living when the block ends is cancelled by its last requests, so each replace and cancel
/// names an order that the same pass through the block has entered (it may have been filled since).
///
/// What has share 0 is not in the block, for protocols that have no message for it. With cancel
/// share 0 resting orders stay in the book, and `live_orders_max` bounds those that replaces name.
///
/// The same config, connection and length give the same block on every machine. All connections of
/// a seed share each symbol's mid, a bounded walk over the position in the block, so that resting
/// orders seldom meet; what trades is the small aggressive orders against the large resting ones.
/// A new in the last place of a block could not be cancelled: it is immediate-or-cancel or, where
/// those have share 0, a market order; where these have, too, one limit order stays.
///
/// Throws std::invalid_argument with a sentence when the config is impossible.
std::vector<Intent> make_flow(const FlowConfig& config, std::uint64_t connection,
                              std::uint32_t length);

}  // namespace cluster
