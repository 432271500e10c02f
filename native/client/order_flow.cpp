#include "client/order_flow.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "client/random.h"

namespace cluster {
namespace {

// An order lives for about a hundred requests of its connection; in this many, the mid moves once.
constexpr std::uint32_t kRequestsPerStep = 256;

// An aggressive order takes up to 1/16 of what the mean resting order shows, so hardly any resting
// order is gone before the flow names it again.
constexpr std::uint32_t kAggressiveShare = 16;

void require(bool holds, const char* sentence) {
    if (!holds) {
        throw std::invalid_argument(sentence);
    }
}

bool is_ratio(double value) {
    return value >= 0 && value <= 1;
}

std::int64_t nearest_distance(const FlowConfig& config) {
    return std::max<std::int64_t>(1, (std::int64_t{config.spread_ticks} + 1) / 2);
}

std::int64_t farthest_distance(const FlowConfig& config) {
    return std::max<std::int64_t>(nearest_distance(config), config.depth_ticks);
}

/// The mid stays this close to where it began.
std::int64_t walk_bound(const FlowConfig& config) {
    return std::max<std::int64_t>(1, config.depth_ticks / 4);
}

void check(const FlowConfig& config) {
    require(config.symbols > 0, "symbols must be at least 1");
    require(is_ratio(config.new_ratio) && is_ratio(config.replace_ratio) &&
                is_ratio(config.cancel_ratio) && is_ratio(config.ioc_ratio) &&
                is_ratio(config.market_ratio),
            "every ratio of the order flow must lie in [0, 1]");
    require(std::abs(config.new_ratio + config.replace_ratio + config.cancel_ratio - 1) < 1e-6,
            "new_ratio + replace_ratio + cancel_ratio must be 1");
    require(config.new_ratio > 0, "new_ratio must be above 0: only new orders can be replaced");
    require(config.ioc_ratio + config.market_ratio <= 1 + 1e-9,
            "ioc_ratio + market_ratio must be at most 1");
    require(config.quantity_mean > 0 &&
                config.quantity_mean <= std::numeric_limits<std::uint32_t>::max() / 32,
            "quantity_mean must lie in [1, 134217727]");
    require(config.live_orders_max > 0, "live_orders_max must be at least 1");
    const std::int64_t reach = farthest_distance(config) + walk_bound(config);
    require(
        config.mid_price_ticks > reach &&
            config.mid_price_ticks <= std::numeric_limits<std::int64_t>::max() - reach,
        "mid_price_ticks must exceed depth_ticks and spread_ticks, so that no price is below 1");
}

/// Where each symbol's mid is, as a function of the position in the block.
///
/// Ehrenfest's urn: from offset o of bound W a step leads up with probability (W - o) / 2W, so the
/// walk is bounded and drawn back to the start. Steps are drawn from (seed, symbol, step) alone:
/// every connection sees the same mid.
class Mids {
public:
    explicit Mids(const FlowConfig& config)
        : seed_(mixed(config.seed)),
          start_ticks_(config.mid_price_ticks),
          bound_(walk_bound(config)),
          walks_(config.symbols) {}

    std::int64_t at(std::uint32_t symbol, std::uint32_t position) {
        Walk& walk = walks_[symbol];
        for (const std::uint32_t step = position / kRequestsPerStep; walk.step < step;) {
            ++walk.step;
            const std::uint64_t draw =
                mixed(seed_ ^ mixed((std::uint64_t{symbol} << 32) | walk.step)) >> 32;
            const auto urn = static_cast<std::uint64_t>(2 * bound_);
            const auto upward = static_cast<std::uint64_t>(bound_ - walk.offset);
            walk.offset += (draw * urn >> 32) < upward ? 1 : -1;
        }
        return start_ticks_ + walk.offset;
    }

private:
    struct Walk {
        std::int64_t offset = 0;
        std::uint32_t step = 0;
    };
    std::uint64_t seed_;
    std::int64_t start_ticks_;
    std::int64_t bound_;
    std::vector<Walk> walks_;
};

/// Writes one block, request by request.
class Writer {
public:
    Writer(const FlowConfig& config, std::uint64_t connection, std::uint32_t length)
        : config_(config),
          random_(mixed(config.seed) ^ mixed(mixed(connection))),
          mids_(config),
          length_(length),
          cancels_(config.cancel_ratio > 0),
          remembers_(cancels_ || config.replace_ratio > 0) {
        block_.reserve(length);
        if (remembers_) living_.reserve(std::min(config.live_orders_max, length));
    }

    std::vector<Intent> write() {
        while (position() < length_) {
            switch (choose()) {
                case Action::kNew: enter(); break;
                case Action::kReplace: replace(); break;
                case Action::kCancel: cancel(); break;
            }
        }
        return std::move(block_);
    }

private:
    struct Living {
        std::uint32_t position;
        std::uint32_t symbol;
        OrderSide side;
    };

    std::uint32_t position() const { return static_cast<std::uint32_t>(block_.size()); }
    std::uint32_t requests_left() const { return length_ - position(); }

    Action choose() {
        const double draw = random_.unit();
        if (living_.empty()) {
            return Action::kNew;
        }
        if (!cancels_) {
            return draw < config_.new_ratio ? Action::kNew : Action::kReplace;
        }
        if (requests_left() == living_.size()) {
            return Action::kCancel;
        }
        if (draw < config_.new_ratio) {
            return living_.size() < config_.live_orders_max ? Action::kNew : Action::kCancel;
        }
        return draw < config_.new_ratio + config_.replace_ratio ? Action::kReplace
                                                                : Action::kCancel;
    }

    void enter() {
        OrderKind kind = draw_kind();
        const bool must_not_rest = cancels_ && requests_left() < living_.size() + 2;
        if (kind == OrderKind::kLimit && must_not_rest) {
            if (!living_.empty()) {
                return cancel();
            }
            kind = kind_of_last();
        }
        const std::uint32_t symbol = random_.below(config_.symbols);
        const OrderSide side = random_.below(2) == 0 ? OrderSide::kBuy : OrderSide::kSell;
        if (kind == OrderKind::kLimit) {
            if (remembers_) remember({position(), symbol, side});
            push({resting_price(symbol, side), resting_quantity(), symbol, 0, Action::kNew, kind,
                  side});
        } else {
            push({aggressive_price(symbol, side, kind), aggressive_quantity(), symbol, 0,
                  Action::kNew, kind, side});
        }
    }

    /// Without cancels the bound is of what is remembered: what gives way stays in the book.
    void remember(const Living& order) {
        if (living_.size() < config_.live_orders_max) {
            living_.push_back(order);
        } else {
            living_[random_.below(static_cast<std::uint32_t>(living_.size()))] = order;
        }
    }

    void replace() {
        Living& target = living_[random_.below(static_cast<std::uint32_t>(living_.size()))];
        const std::uint32_t back = position() - target.position;
        target.position = position();
        push({resting_price(target.symbol, target.side), resting_quantity(), target.symbol, back,
              Action::kReplace, OrderKind::kLimit, target.side});
    }

    void cancel() {
        const std::uint32_t index = random_.below(static_cast<std::uint32_t>(living_.size()));
        const Living target = living_[index];
        living_[index] = living_.back();
        living_.pop_back();
        push({0, 0, target.symbol, position() - target.position, Action::kCancel, OrderKind::kLimit,
              target.side});
    }

    OrderKind draw_kind() {
        const double draw = random_.unit();
        if (draw < config_.ioc_ratio) {
            return OrderKind::kImmediateOrCancel;
        }
        return draw < config_.ioc_ratio + config_.market_ratio ? OrderKind::kMarket
                                                               : OrderKind::kLimit;
    }

    /// What can't be cancelled any more should not rest, as far as the shares have such orders.
    OrderKind kind_of_last() const {
        if (config_.ioc_ratio > 0) return OrderKind::kImmediateOrCancel;
        return config_.market_ratio > 0 ? OrderKind::kMarket : OrderKind::kLimit;
    }

    std::int64_t resting_price(std::uint32_t symbol, OrderSide side) {
        const std::int64_t nearest = nearest_distance(config_);
        const auto distances = static_cast<std::uint32_t>(farthest_distance(config_) - nearest + 1);
        const std::int64_t distance = nearest + random_.below(distances);
        const std::int64_t mid = mids_.at(symbol, position());
        return side == OrderSide::kBuy ? mid - distance : mid + distance;
    }

    std::int64_t aggressive_price(std::uint32_t symbol, OrderSide side, OrderKind kind) {
        if (kind == OrderKind::kMarket) {
            return 0;
        }
        const std::int64_t mid = mids_.at(symbol, position());
        const std::int64_t reach = farthest_distance(config_);
        return side == OrderSide::kBuy ? mid + reach : mid - reach;
    }

    /// Half the mean for certain, the other half geometric: no resting order is a crumb.
    std::uint32_t resting_quantity() {
        const std::uint32_t certain = config_.quantity_mean / 2;
        const std::uint32_t rest = config_.quantity_mean - certain;
        return 1 + certain +
               static_cast<std::uint32_t>(rest > 1 ? random_.exponential(rest - 1) : 0);
    }

    std::uint32_t aggressive_quantity() {
        return 1 + random_.below(std::max(1U, config_.quantity_mean / kAggressiveShare));
    }

    void push(const Intent& intent) { block_.push_back(intent); }

    const FlowConfig& config_;
    Random random_;
    Mids mids_;
    std::uint32_t length_;
    bool cancels_;
    bool remembers_;  // orders that a replace or a cancel can name
    std::vector<Intent> block_;
    std::vector<Living> living_;
};

}  // namespace

std::vector<Intent> make_flow(const FlowConfig& config, std::uint64_t connection,
                              std::uint32_t length) {
    check(config);
    return Writer(config, connection, length).write();
}

}  // namespace cluster
