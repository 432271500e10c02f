#include "engine/matcher.h"

#include <algorithm>
#include <limits>

namespace cluster::engine {

using orderwire::OrderType;
using orderwire::RejectReason;
using orderwire::Side;
using orderwire::Type;

/// An order on its way into a book.
struct Matcher::Incoming {
    SessionId session;
    std::uint32_t symbol;
    std::uint64_t id;
    std::int64_t limit_ticks;
    std::uint32_t quantity;
    Side side;
    std::uint32_t traded = 0;
};

namespace {

/// No RejectReason: nothing is wrong.
constexpr RejectReason kNothing{};

void accept(SessionId session, std::uint32_t symbol, std::uint64_t id,
            std::vector<Reply>& replies) {
    replies.push_back({session, symbol, id, 0, 0, 0, Type::kAccepted, 0});
}

template <class Request>
void reject(SessionId session, const Request& request, RejectReason reason,
            std::vector<Reply>& replies) {
    replies.push_back({session, request.header.symbol, request.order_id, 0, 0, 0, Type::kRejected,
                       static_cast<std::uint8_t>(reason)});
}

void cancelled(SessionId session, std::uint32_t symbol, std::uint64_t id, std::uint32_t quantity,
               orderwire::CancelReason reason, std::vector<Reply>& replies,
               std::uint32_t remaining = 0) {
    replies.push_back({session, symbol, id, 0, quantity, remaining, Type::kCancelled,
                       static_cast<std::uint8_t>(reason)});
}

bool exists(OrderType type) {
    return type >= OrderType::kLimit && type <= OrderType::kImmediateOrCancel;
}
bool exists(Side side) {
    return side == Side::kBuy || side == Side::kSell;
}

/// The limit that any price of the other side meets.
std::int64_t any_price(Side side) {
    return side == Side::kBuy ? std::numeric_limits<std::int64_t>::max() : 1;
}

}  // namespace

Matcher::Matcher(MatcherLimits limits, MatchNumbers numbers)
    : limits_(limits),
      orders_(limits.orders_max),
      index_(orders_),
      books_(limits.symbols_max),
      next_match_(numbers) {}

void Matcher::enter(SessionId session, const orderwire::New& request, std::vector<Reply>& replies) {
    const std::uint32_t symbol = request.header.symbol;
    const auto type = static_cast<OrderType>(request.header.detail);
    const auto refuse = [&](RejectReason reason) { reject(session, request, reason, replies); };
    if (symbol >= limits_.symbols_max) {
        return refuse(RejectReason::kUnknownSymbol);
    }
    if (!exists(type) || !exists(request.side)) {
        return refuse(RejectReason::kBadField);
    }
    if (type != OrderType::kMarket && request.price_ticks <= 0) {
        return refuse(RejectReason::kBadPrice);
    }
    if (request.quantity == 0) {
        return refuse(RejectReason::kBadQuantity);
    }
    if (index_.find(session, request.order_id) != kNoOrder) {
        return refuse(RejectReason::kDuplicateId);
    }
    if (type == OrderType::kLimit && orders_.full()) {
        return refuse(RejectReason::kBookFull);
    }
    accept(session, symbol, request.order_id, replies);
    const std::int64_t limit_ticks =
        type == OrderType::kMarket ? any_price(request.side) : request.price_ticks;
    Incoming incoming{session,     symbol,           request.order_id,
                      limit_ticks, request.quantity, request.side};
    OrderBook& in = book(symbol);
    match(in, incoming, replies);
    if (incoming.quantity == 0) {
        return;
    }
    if (type == OrderType::kLimit) {
        rest(in, incoming);
    } else {
        cancelled(session, symbol, incoming.id, incoming.quantity,
                  orderwire::CancelReason::kRemainder, replies);
    }
}

void Matcher::replace(SessionId session, const orderwire::Replace& request,
                      std::vector<Reply>& replies) {
    const RejectReason fault = fault_of(session, request);
    if (fault != kNothing) {
        return reject(session, request, fault, replies);
    }
    put_in_place_of(index_.find(session, request.target_id), request, request.quantity, replies);
}

void Matcher::replace_total(SessionId session, const orderwire::Replace& request,
                            std::vector<Reply>& replies) {
    const RejectReason fault = fault_of(session, request);
    if (fault != kNothing) {
        return reject(session, request, fault, replies);
    }
    const OrderSlot target = index_.find(session, request.target_id);
    const std::uint32_t traded = orders_[target].traded;
    if (request.quantity > traded) {
        return put_in_place_of(target, request, request.quantity - traded, replies);
    }
    if (static_cast<WhenNothingIsLeft>(request.header.detail) == WhenNothingIsLeft::kReject) {
        return reject(session, request, RejectReason::kBadQuantity, replies);
    }
    cancelled(session, request.header.symbol, request.order_id, orders_[target].quantity,
              orderwire::CancelReason::kRequested, replies);
    take_out(book(request.header.symbol), target);
}

void Matcher::cancel(SessionId session, const orderwire::Cancel& request,
                     std::vector<Reply>& replies) {
    const std::uint32_t symbol = request.header.symbol;
    if (symbol >= limits_.symbols_max) {
        return reject(session, request, RejectReason::kUnknownSymbol, replies);
    }
    const OrderSlot target = target_of(session, request.target_id, symbol);
    if (target == kNoOrder) {
        return reject(session, request, RejectReason::kUnknownOrder, replies);
    }
    cancelled(session, symbol, request.order_id, orders_[target].quantity,
              orderwire::CancelReason::kRequested, replies);
    take_out(book(symbol), target);
}

void Matcher::reduce(SessionId session, const orderwire::Replace& request,
                     std::vector<Reply>& replies) {
    const std::uint32_t symbol = request.header.symbol;
    if (symbol >= limits_.symbols_max) {
        return reject(session, request, RejectReason::kUnknownSymbol, replies);
    }
    const OrderSlot target = target_of(session, request.target_id, symbol);
    if (target == kNoOrder) {
        return reject(session, request, RejectReason::kUnknownOrder, replies);
    }
    Order& order = orders_[target];
    const std::uint32_t keeps = request.quantity - std::min(request.quantity, order.traded);
    if (keeps >= order.quantity) {
        return reject(session, request, RejectReason::kBadQuantity, replies);
    }
    cancelled(session, symbol, request.order_id, order.quantity - keeps,
              orderwire::CancelReason::kRequested, replies, keeps);
    order.quantity = keeps;
    if (keeps == 0) {
        take_out(book(symbol), target);
    }
}

std::size_t Matcher::cancel_all(SessionId session) {
    if (session >= first_of_session_.size()) {
        return 0;
    }
    std::size_t count = 0;
    for (; first_of_session_[session] != kNoOrder; ++count) {
        const OrderSlot slot = first_of_session_[session];
        take_out(book(orders_[slot].symbol), slot);
    }
    return count;
}

std::vector<Order> Matcher::resting(std::uint32_t symbol, Side side) const {
    std::vector<Order> found;
    if (symbol >= books_.size() || books_[symbol] == nullptr) {
        return found;
    }
    Ladder ladder = books_[symbol]->ladder(side);
    ladder.for_each_key([&](std::int64_t key) {
        for (OrderSlot slot = ladder.at(key).first; slot != kNoOrder; slot = orders_[slot].later) {
            found.push_back(orders_[slot]);
        }
    });
    return found;
}

/// The living order that a request on this symbol means, or kNoOrder.
OrderSlot Matcher::target_of(SessionId session, std::uint64_t id,
                             std::uint32_t symbol) const noexcept {
    const OrderSlot target = index_.find(session, id);
    return target == kNoOrder || orders_[target].symbol != symbol ? kNoOrder : target;
}

RejectReason Matcher::fault_of(SessionId session, const orderwire::Replace& request) const {
    const std::uint32_t symbol = request.header.symbol;
    if (symbol >= limits_.symbols_max) {
        return RejectReason::kUnknownSymbol;
    }
    if (request.price_ticks <= 0) {
        return RejectReason::kBadPrice;
    }
    if (request.quantity == 0) {
        return RejectReason::kBadQuantity;
    }
    if (target_of(session, request.target_id, symbol) == kNoOrder) {
        return RejectReason::kUnknownOrder;
    }
    if (index_.find(session, request.order_id) != kNoOrder) {
        return RejectReason::kDuplicateId;
    }
    return kNothing;
}

void Matcher::put_in_place_of(OrderSlot target, const orderwire::Replace& request,
                              std::uint32_t quantity, std::vector<Reply>& replies) {
    const std::uint32_t symbol = request.header.symbol;
    const SessionId session = orders_[target].session;
    accept(session, symbol, request.order_id, replies);
    Incoming incoming{session,
                      symbol,
                      request.order_id,
                      request.price_ticks,
                      quantity,
                      orders_[target].side,
                      orders_[target].traded};
    OrderBook& in = book(symbol);
    take_out(in, target);
    match(in, incoming, replies);
    if (incoming.quantity != 0) {
        rest(in, incoming);
    }
}

OrderBook& Matcher::book(std::uint32_t symbol) {
    std::unique_ptr<OrderBook>& slot = books_[symbol];
    if (slot == nullptr) [[unlikely]] {
        slot = std::make_unique<OrderBook>(orders_);
    }
    return *slot;
}

void Matcher::match(OrderBook& book, Incoming& incoming, std::vector<Reply>& replies) {
    while (incoming.quantity != 0) {
        const OrderSlot slot = book.best_against(incoming.side, incoming.limit_ticks);
        if (slot == kNoOrder) {
            return;
        }
        Order& resting = orders_[slot];
        const std::uint32_t traded = std::min(incoming.quantity, resting.quantity);
        incoming.quantity -= traded;
        incoming.traded += traded;
        resting.quantity -= traded;
        resting.traded += traded;
        const std::uint64_t number = next_match_.first;
        next_match_.first += next_match_.step;
        replies.push_back({incoming.session, incoming.symbol, incoming.id, resting.price_ticks,
                           traded, incoming.quantity, Type::kExecuted, 0, false, number});
        replies.push_back({resting.session, incoming.symbol, resting.id, resting.price_ticks,
                           traded, resting.quantity, Type::kExecuted, 0, true, number});
        if (resting.quantity == 0) {
            take_out(book, slot);
        }
    }
}

void Matcher::rest(OrderBook& book, const Incoming& incoming) {
    OrderSlot& first = first_of_session(incoming.session);
    const OrderSlot slot = orders_.take();
    orders_[slot] = {incoming.id,       incoming.limit_ticks,
                     incoming.session,  incoming.symbol,
                     incoming.quantity, incoming.traded,
                     kNoOrder,          kNoOrder,
                     kNoOrder,          first,
                     incoming.side};
    if (first != kNoOrder) {
        orders_[first].session_previous = slot;
    }
    first = slot;
    index_.insert(slot);
    book.append(slot);
}

void Matcher::take_out(OrderBook& book, OrderSlot slot) noexcept {
    const Order& order = orders_[slot];
    book.remove(slot);
    index_.erase(slot);
    (order.session_previous == kNoOrder ? first_of_session_[order.session]
                                        : orders_[order.session_previous].session_next) =
        order.session_next;
    if (order.session_next != kNoOrder) {
        orders_[order.session_next].session_previous = order.session_previous;
    }
    orders_.give_back(slot);
}

OrderSlot& Matcher::first_of_session(SessionId session) {
    if (session >= first_of_session_.size()) [[unlikely]] {
        first_of_session_.resize(std::size_t{session} + 1, kNoOrder);
    }
    return first_of_session_[session];
}

}  // namespace cluster::engine
