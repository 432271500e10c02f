// Feeds an order flow to a Matcher as a connection would, without a connection.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "client/intent.h"
#include "engine/matcher.h"
#include "tests/engine/messages.h"

namespace cluster::engine::test {

inline orderwire::New to_new(const Intent& intent, std::uint64_t id) {
    constexpr orderwire::OrderType kTypes[] = {orderwire::OrderType::kLimit,
                                               orderwire::OrderType::kMarket,
                                               orderwire::OrderType::kImmediateOrCancel};
    const auto side =
        intent.side == OrderSide::kBuy ? orderwire::Side::kBuy : orderwire::Side::kSell;
    return new_order(id, side, intent.price_ticks, intent.quantity, intent.symbol,
                     kTypes[static_cast<std::size_t>(intent.kind)]);
}

/// Repeats a block without end; request k has the id k + 1.
class FlowSession {
public:
    FlowSession(SessionId session, std::span<const Intent> block, std::size_t first_position = 0)
        : session_(session), block_(block), position_(first_position) {}

    void send_next(Matcher& matcher, std::vector<Reply>& replies) {
        const Intent& intent = block_[position_];
        position_ = position_ + 1 == block_.size() ? 0 : position_ + 1;
        const std::uint64_t id = ++last_id_;
        // A session that began in the middle of its block may mean orders it never entered.
        const std::uint64_t target = id > intent.target_back ? id - intent.target_back : 0;
        switch (intent.action) {
            case Action::kNew: matcher.enter(session_, to_new(intent, id), replies); break;
            case Action::kReplace:
                matcher.replace(
                    session_,
                    replace_order(id, target, intent.price_ticks, intent.quantity, intent.symbol),
                    replies);
                break;
            case Action::kCancel:
                matcher.cancel(session_, cancel_order(id, target, intent.symbol), replies);
                break;
        }
    }

private:
    SessionId session_;
    std::span<const Intent> block_;
    std::size_t position_;
    std::uint64_t last_id_ = 0;
};

}  // namespace cluster::engine::test
