// What each request does to the books of a shard, and which replies it causes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/book.h"
#include "engine/order.h"
#include "engine/order_index.h"
#include "engine/request.h"
#include "wire/orderwire.h"

namespace cluster::engine {

/// A reply before it has been put into bytes. Which fields mean something depends on `type`, as in
/// the messages of wire/orderwire.h.
struct Reply {
    SessionId session;
    std::uint32_t symbol;
    std::uint64_t order_id;
    std::int64_t price_ticks;
    std::uint32_t quantity;
    std::uint32_t remaining;
    orderwire::Type type;
    std::uint8_t detail;
    bool was_resting = false;  ///< Executed: the order was in the book, the other one came to it
    std::uint64_t match = 0;   ///< Executed: the number of the trade, the same for both its orders
};

/// How a Matcher numbers its trades. Several matchers take turns, and no two trades have one
/// number.
struct MatchNumbers {
    std::uint64_t first = 1;
    std::uint64_t step = 1;
};

/// What a Matcher may hold.
struct MatcherLimits {
    std::uint32_t symbols_max = 65'536;
    std::uint32_t orders_max = 1U << 20;  ///< living together, in all books of this matcher
};

/// Price-time priority over many symbols, for one thread.
///
/// Replies are appended in the order in which they happen: the answer to the request first, then
/// for each trade the Executed of the incoming order and the Executed of the resting one, then the
/// Cancelled of a market or IOC order's remainder. Trades happen at the resting order's price.
/// Orders of one session may trade with each other: there is no self-trade prevention.
///
/// The checks of a request come in this order and the first that fails is the reason: symbol,
/// field, price, quantity, target, duplicate id, room. A rejected request changes nothing.
///
/// Allocates when a symbol gets its first order, when the index doubles and when a price lies far
/// from its book; never otherwise.
class Matcher {
public:
    explicit Matcher(MatcherLimits limits, MatchNumbers numbers = {});

    void enter(SessionId session, const orderwire::New& request, std::vector<Reply>& replies);
    void replace(SessionId session, const orderwire::Replace& request, std::vector<Reply>& replies);
    void cancel(SessionId session, const orderwire::Cancel& request, std::vector<Reply>& replies);

    /// A kReplaceTotal, see request.h. Where nothing would be left, it is rejected for its quantity
    /// or answered as the Cancel of its target.
    void replace_total(SessionId session, const orderwire::Replace& request,
                       std::vector<Reply>& replies);

    /// A kReduce, see request.h. Answered as a Cancel, with what is left in `remaining`; rejected
    /// for its quantity where the target is no larger already.
    void reduce(SessionId session, const orderwire::Replace& request, std::vector<Reply>& replies);

    /// Takes out every order of a session that has gone; nobody is told. Returns how many.
    std::size_t cancel_all(SessionId session);

    std::size_t living_orders() const noexcept { return index_.living(); }

    /// The living orders of a symbol in priority order, best first: for tests, slow.
    std::vector<Order> resting(std::uint32_t symbol, orderwire::Side side) const;

private:
    struct Incoming;

    OrderSlot target_of(SessionId session, std::uint64_t id, std::uint32_t symbol) const noexcept;
    orderwire::RejectReason fault_of(SessionId session, const orderwire::Replace& request) const;
    void put_in_place_of(OrderSlot target, const orderwire::Replace& request,
                         std::uint32_t quantity, std::vector<Reply>& replies);
    OrderBook& book(std::uint32_t symbol);
    void match(OrderBook& book, Incoming& incoming, std::vector<Reply>& replies);
    void rest(OrderBook& book, const Incoming& incoming);
    void take_out(OrderBook& book, OrderSlot slot) noexcept;
    OrderSlot& first_of_session(SessionId session);

    MatcherLimits limits_;
    OrderPool orders_;
    OrderIndex index_;
    std::vector<std::unique_ptr<OrderBook>> books_;  ///< by symbol; made at its first order
    std::vector<OrderSlot> first_of_session_;        ///< by session
    MatchNumbers next_match_;
};

}  // namespace cluster::engine
