// The Matcher, rule by rule.
#include <doctest/doctest.h>

#include <limits>
#include <type_traits>
#include <vector>

#include "engine/matcher.h"
#include "messages.h"

using namespace cluster;
using namespace cluster::engine;
using namespace cluster::engine::test;
using orderwire::OrderType;
using orderwire::RejectReason;
using orderwire::Side;
using orderwire::Type;

namespace {

struct Fixture {
    Matcher matcher{{.symbols_max = 4, .orders_max = 8}};

    template <class Request>
    std::vector<Reply> operator()(SessionId session, const Request& request) {
        std::vector<Reply> replies;
        if constexpr (std::is_same_v<Request, orderwire::New>) {
            matcher.enter(session, request, replies);
        } else if constexpr (std::is_same_v<Request, orderwire::Replace>) {
            matcher.replace(session, request, replies);
        } else {
            matcher.cancel(session, request, replies);
        }
        return replies;
    }

    template <class Request>
    RejectReason refused(SessionId session, const Request& request) {
        const auto replies = (*this)(session, request);
        REQUIRE(1 == replies.size());
        REQUIRE(Type::kRejected == replies[0].type);
        CHECK(request.order_id == replies[0].order_id);
        return static_cast<RejectReason>(replies[0].detail);
    }
};

}  // namespace

TEST_CASE("a limit order that meets nobody is accepted and rests") {
    Fixture send;

    const auto replies = send(1, new_order(7, Side::kBuy, 100, 10));

    REQUIRE(1 == replies.size());
    CHECK(Type::kAccepted == replies[0].type);
    CHECK(7 == replies[0].order_id);
    CHECK(1 == replies[0].session);
    CHECK(1 == send.matcher.living_orders());
}

TEST_CASE("trades happen at the resting price, the earliest of the best price first") {
    Fixture send;
    send(1, new_order(1, Side::kSell, 102, 10));
    send(1, new_order(2, Side::kSell, 101, 10));
    send(2, new_order(3, Side::kSell, 101, 10));

    const auto replies = send(3, new_order(9, Side::kBuy, 105, 15));

    REQUIRE(5 == replies.size());
    CHECK(Type::kAccepted == replies[0].type);
    CHECK(9 == replies[1].order_id);
    CHECK(101 == replies[1].price_ticks);
    CHECK(10 == replies[1].quantity);
    CHECK(5 == replies[1].remaining);
    CHECK(2 == replies[2].order_id);
    CHECK(0 == replies[2].remaining);
    CHECK(9 == replies[3].order_id);
    CHECK(0 == replies[3].remaining);
    CHECK(3 == replies[4].order_id);
    CHECK(2 == replies[4].session);
    CHECK(5 == replies[4].remaining);
}

TEST_CASE("an order does not trade beyond its limit and its rest joins the book") {
    Fixture send;
    send(1, new_order(1, Side::kSell, 101, 10));
    send(1, new_order(2, Side::kSell, 103, 10));

    const auto replies = send(2, new_order(3, Side::kBuy, 102, 25));

    REQUIRE(3 == replies.size());
    CHECK(15 == replies[1].remaining);
    const auto bids = send.matcher.resting(0, Side::kBuy);
    REQUIRE(1 == bids.size());
    CHECK(15 == bids[0].quantity);
    CHECK(102 == bids[0].price_ticks);
}

TEST_CASE("the remainder of an immediate-or-cancel order is cancelled") {
    Fixture send;
    send(1, new_order(1, Side::kSell, 101, 10));

    const auto replies =
        send(2, new_order(3, Side::kBuy, 101, 25, 0, OrderType::kImmediateOrCancel));

    REQUIRE(4 == replies.size());
    CHECK(Type::kCancelled == replies[3].type);
    CHECK(3 == replies[3].order_id);
    CHECK(15 == replies[3].quantity);
    CHECK(static_cast<std::uint8_t>(orderwire::CancelReason::kRemainder) == replies[3].detail);
    CHECK(0 == send.matcher.living_orders());
}

TEST_CASE("a market order trades at any price and ignores its own") {
    Fixture send;
    send(1, new_order(1, Side::kBuy, 1, 5));
    send(1, new_order(2, Side::kSell, std::numeric_limits<std::int64_t>::max(), 5));

    const auto sold = send(2, new_order(3, Side::kSell, -5, 5, 0, OrderType::kMarket));
    const auto bought = send(2, new_order(4, Side::kBuy, 0, 5, 0, OrderType::kMarket));

    CHECK(3 == sold.size());
    CHECK(3 == bought.size());
    CHECK(0 == send.matcher.living_orders());
}

TEST_CASE("a market order without a counterpart is accepted and cancelled whole") {
    Fixture send;

    const auto replies = send(2, new_order(3, Side::kSell, 0, 5, 0, OrderType::kMarket));

    REQUIRE(2 == replies.size());
    CHECK(Type::kAccepted == replies[0].type);
    CHECK(Type::kCancelled == replies[1].type);
    CHECK(5 == replies[1].quantity);
}

TEST_CASE("orders of one session trade with each other") {
    Fixture send;
    send(1, new_order(1, Side::kSell, 101, 10));

    CHECK(3 == send(1, new_order(2, Side::kBuy, 101, 10)).size());
}

TEST_CASE("a replace takes a new id and goes to the end of its queue") {
    Fixture send;
    send(1, new_order(1, Side::kSell, 101, 10));
    send(2, new_order(2, Side::kSell, 101, 10));

    send(1, replace_order(3, 1, 101, 10));

    const auto asks = send.matcher.resting(0, Side::kSell);
    REQUIRE(2 == asks.size());
    CHECK(2 == asks[0].id);
    CHECK(3 == asks[1].id);
    CHECK(RejectReason::kUnknownOrder == send.refused(1, cancel_order(4, 1)));
}

TEST_CASE("a replace that crosses trades") {
    Fixture send;
    send(1, new_order(1, Side::kSell, 105, 10));
    send(2, new_order(2, Side::kBuy, 101, 4));

    const auto replies = send(1, replace_order(3, 1, 101, 10));

    REQUIRE(3 == replies.size());
    CHECK(3 == replies[1].order_id);
    CHECK(6 == replies[1].remaining);
}

TEST_CASE("a cancel is answered with its own id and the quantity taken out") {
    Fixture send;
    send(1, new_order(1, Side::kSell, 105, 10));
    send(2, new_order(2, Side::kBuy, 105, 4));

    const auto replies = send(1, cancel_order(5, 1));

    REQUIRE(1 == replies.size());
    CHECK(Type::kCancelled == replies[0].type);
    CHECK(5 == replies[0].order_id);
    CHECK(6 == replies[0].quantity);
    CHECK(0 == replies[0].detail);
}

TEST_CASE("every reason to refuse is told") {
    Fixture send;
    send(1, new_order(1, Side::kBuy, 100, 10));
    orderwire::New no_side = new_order(2, Side::kBuy, 100, 10);
    no_side.side = static_cast<Side>(3);

    CHECK(RejectReason::kUnknownSymbol == send.refused(1, new_order(2, Side::kBuy, 100, 10, 4)));
    CHECK(RejectReason::kUnknownSymbol == send.refused(1, replace_order(2, 1, 100, 10, 4)));
    CHECK(RejectReason::kUnknownSymbol == send.refused(1, cancel_order(2, 1, 4)));
    CHECK(RejectReason::kBadField == send.refused(1, no_side));
    CHECK(RejectReason::kBadField ==
          send.refused(1, new_order(2, Side::kBuy, 100, 10, 0, static_cast<OrderType>(4))));
    CHECK(RejectReason::kBadPrice == send.refused(1, new_order(2, Side::kBuy, 0, 10)));
    CHECK(RejectReason::kBadPrice == send.refused(1, replace_order(2, 1, -1, 10)));
    CHECK(RejectReason::kBadQuantity == send.refused(1, new_order(2, Side::kBuy, 100, 0)));
    CHECK(RejectReason::kBadQuantity == send.refused(1, replace_order(2, 1, 100, 0)));
    CHECK(RejectReason::kDuplicateId == send.refused(1, new_order(1, Side::kBuy, 100, 10)));
    CHECK(RejectReason::kDuplicateId == send.refused(1, replace_order(1, 1, 100, 10)));
    CHECK(RejectReason::kUnknownOrder == send.refused(1, replace_order(2, 9, 100, 10)));
    CHECK(RejectReason::kUnknownOrder == send.refused(2, cancel_order(2, 1)));
    CHECK(RejectReason::kUnknownOrder == send.refused(1, cancel_order(2, 1, 3)));
    CHECK(1 == send.matcher.living_orders());
}

TEST_CASE("a full book refuses limit orders until one has left") {
    Fixture send;
    for (std::uint64_t id = 1; id <= 8; ++id) {
        send(1, new_order(id, Side::kBuy, 100, 10));
    }

    CHECK(RejectReason::kBookFull == send.refused(1, new_order(9, Side::kBuy, 100, 10)));
    CHECK(1 == send(1, replace_order(10, 1, 100, 10)).size());
    send(1, cancel_order(11, 2));
    CHECK(Type::kAccepted == send(1, new_order(12, Side::kBuy, 100, 10))[0].type);
}

TEST_CASE("a session that goes takes its orders with it and no others") {
    Fixture send;
    send(1, new_order(1, Side::kBuy, 100, 10, 0));
    send(1, new_order(2, Side::kSell, 100, 10, 1));
    send(2, new_order(1, Side::kBuy, 100, 10, 0));

    CHECK(2 == send.matcher.cancel_all(1));
    CHECK(0 == send.matcher.cancel_all(1));
    CHECK(0 == send.matcher.cancel_all(77));
    CHECK(1 == send.matcher.living_orders());
}

TEST_CASE("a replace by total counts what the chain has traded") {
    Fixture send;
    std::vector<Reply> replies;
    send(1, new_order(1, Side::kBuy, 100, 10));
    send(2, new_order(1, Side::kSell, 100, 4));

    auto total = replace_order(2, 1, 101, 9);
    total.header.type = kReplaceTotal;
    send.matcher.replace_total(1, total, replies);

    CHECK(Type::kAccepted == replies.at(0).type);
    CHECK(5 == send.matcher.resting(0, Side::kBuy).at(0).quantity);
    CHECK(4 == send.matcher.resting(0, Side::kBuy).at(0).traded);
}

TEST_CASE(
    "a replace by total that leaves nothing is rejected, or cancels where that is asked for") {
    Fixture send;
    send(1, new_order(1, Side::kBuy, 100, 10));
    send(2, new_order(1, Side::kSell, 100, 4));
    auto total = replace_order(2, 1, 101, 4);
    std::vector<Reply> replies;

    total.header.detail = static_cast<std::uint8_t>(WhenNothingIsLeft::kReject);
    send.matcher.replace_total(1, total, replies);
    CHECK(Type::kRejected == replies.at(0).type);
    CHECK(static_cast<std::uint8_t>(RejectReason::kBadQuantity) == replies.at(0).detail);
    CHECK(1 == send.matcher.living_orders());

    total.header.detail = static_cast<std::uint8_t>(WhenNothingIsLeft::kCancel);
    send.matcher.replace_total(1, total, replies);
    CHECK(Type::kCancelled == replies.at(1).type);
    CHECK(2 == replies.at(1).order_id);
    CHECK(6 == replies.at(1).quantity);
    CHECK(0 == send.matcher.living_orders());
}

TEST_CASE("a reduced order keeps its place, and one that is no larger already is left alone") {
    Fixture send;
    send(1, new_order(1, Side::kBuy, 100, 10));
    send(2, new_order(1, Side::kBuy, 100, 10));
    send(3, new_order(1, Side::kSell, 100, 4));
    std::vector<Reply> replies;

    send.matcher.reduce(1, replace_order(2, 1, 0, 7), replies);
    CHECK(Type::kCancelled == replies.at(0).type);
    CHECK(3 == replies.at(0).quantity);
    CHECK(3 == replies.at(0).remaining);
    CHECK(1 == send.matcher.resting(0, Side::kBuy).at(0).session);

    send.matcher.reduce(1, replace_order(3, 1, 0, 7), replies);
    CHECK(Type::kRejected == replies.at(1).type);

    send.matcher.reduce(1, replace_order(4, 1, 0, 3), replies);
    CHECK(0 == replies.at(2).remaining);
    CHECK(1 == send.matcher.living_orders());

    send.matcher.reduce(1, replace_order(5, 1, 0, 1), replies);
    CHECK(static_cast<std::uint8_t>(RejectReason::kUnknownOrder) == replies.at(3).detail);
}

TEST_CASE("both sides of a trade get its number, and matchers that take turns share none") {
    Matcher matcher({}, {.first = 2, .step = 3});
    std::vector<Reply> replies;
    matcher.enter(1, new_order(1, Side::kBuy, 100, 1), replies);
    matcher.enter(1, new_order(2, Side::kBuy, 100, 1), replies);
    replies.clear();
    matcher.enter(2, new_order(1, Side::kSell, 100, 2), replies);

    REQUIRE(5 == replies.size());
    CHECK(2 == replies[1].match);
    CHECK_FALSE(replies[1].was_resting);
    CHECK(2 == replies[2].match);
    CHECK(replies[2].was_resting);
    CHECK(5 == replies[3].match);
    CHECK(5 == replies[4].match);
}
