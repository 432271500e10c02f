#include "engine/protocol/fix44.h"

#include <array>
#include <limits>
#include <string>

#include "engine/protocol/symbol.h"
#include "wire/orderwire.h"

namespace cluster::engine {
namespace {

using orderwire::OrderType;
using orderwire::RejectReason;

constexpr char kExecNew = '0', kExecCanceled = '4', kExecReplaced = '5', kExecRejected = '8',
               kExecTrade = 'F';
constexpr char kStatusNew = '0', kStatusPartlyFilled = '1', kStatusFilled = '2',
               kStatusCanceled = '4', kStatusRejected = '8';
constexpr char kMarket = '1', kLimit = '2';
constexpr char kDay = '0', kImmediateOrCancel = '3';

/// OrdRejReason and CxlRejReason.
constexpr int kUnknownSymbol = 1, kDuplicateOrder = 6, kUnsupportedCharacteristic = 11,
              kIncorrectQuantity = 13, kOtherReason = 99;
constexpr int kUnknownOrder = 1, kDuplicateClOrdId = 6;

constexpr std::string_view kNoSuchOrder = "no living order has this OrigClOrdID";
constexpr std::string_view kIdInUse = "ClOrdID is in use by a living order";

/// The one letter of a value that must have one; 0 for any other.
char letter_of(std::string_view value) noexcept {
    return value.size() == 1 ? value[0] : '\0';
}

std::uint32_t quantity_of(std::string_view value) noexcept {
    const auto quantity = fix_decimal(value, 1);
    return quantity && *quantity <= std::numeric_limits<std::uint32_t>::max()
               ? static_cast<std::uint32_t>(*quantity)
               : 0;
}

std::int64_t price_of(std::string_view value) noexcept {
    return fix_decimal(value, kTicksPerUnit).value_or(0);
}

bool is_none(std::string_view quantity) noexcept {
    return quantity.empty() || fix_decimal(quantity, 1) == 0;
}

OrderType order_type(char type, char time_in_force) noexcept {
    if (type == kMarket) {
        return OrderType::kMarket;
    }
    return time_in_force == kImmediateOrCancel ? OrderType::kImmediateOrCancel : OrderType::kLimit;
}

std::string_view words_of(std::uint8_t detail) noexcept {
    switch (static_cast<RejectReason>(detail)) {
        case RejectReason::kUnknownOrder: return kNoSuchOrder;
        case RejectReason::kUnknownSymbol: return "the engine has no symbol of this number";
        case RejectReason::kBadPrice: return "Price is not above 0";
        case RejectReason::kBadQuantity: return "OrderQty is not above what has traded";
        case RejectReason::kDuplicateId: return kIdInUse;
        case RejectReason::kBookFull: return "the engine holds as many orders as it may";
        case RejectReason::kBadField: break;
    }
    return "the engine does not know such an order";
}

int order_reason(std::uint8_t detail) noexcept {
    switch (static_cast<RejectReason>(detail)) {
        case RejectReason::kUnknownSymbol: return kUnknownSymbol;
        case RejectReason::kBadQuantity: return kIncorrectQuantity;
        case RejectReason::kDuplicateId: return kDuplicateOrder;
        default: return kOtherReason;
    }
}

}  // namespace

Fix44Session::Fix44Session(SessionId id, const Login& login, Now now)
    : session_(id), fix_(login, now) {}

Taken Fix44Session::take(std::span<const std::byte> bytes, Now now, Request& request,
                         OutputBuffer& output) {
    const FixSession::Got got = fix_.take(bytes, now, output);
    ending_ = fix_.ending();
    garbled_ += got.is_garbled;
    return {got.bytes, got.is_application && take_application(now, request, output)};
}

/// True when it has become a request for the books.
bool Fix44Session::take_application(Now now, Request& request, OutputBuffer& output) {
    bool is_request = false;
    switch (letter_of(fix_.message()[fix::kMsgType])) {
        case 'D': is_request = enter(now, request, output); break;
        case 'F': is_request = cancel(now, request, output); break;
        case 'G': is_request = replace(now, request, output); break;
        default: fix_.reject_unsupported(now, output);
    }
    refused_ += !is_request;
    return is_request;
}

/// Whether all these fields are there and as long as they may be; if not, it says so.
bool Fix44Session::has_all(std::initializer_list<int> tags, Now now, OutputBuffer& output) {
    using Why = FixSession::RejectReason;
    for (const int tag : tags) {
        const std::string_view value = fix_.message()[tag];
        if (value.empty()) {
            fix_.reject(Why::kRequiredTagMissing, tag, "a field is missing that is needed", now,
                        output);
            return false;
        }
        const bool is_letter = tag == fix::kSide || tag == fix::kOrdType;
        const std::size_t longest = is_letter ? 1 : tag == fix::kSymbol ? kSymbolMax : kClOrdIdMax;
        if (value.size() > longest) {
            fix_.reject(Why::kValueIncorrect, tag, "a value is longer than the engine takes", now,
                        output);
            return false;
        }
    }
    return true;
}

/// What cannot be about the terms of an order; empty when nothing is wrong.
std::string_view Fix44Session::fault_of_terms(const Entry& order) const noexcept {
    if (std::string_view("1256").find(order.side) == std::string_view::npos) {
        return "Side must be 1, 2, 5 or 6";
    }
    if (order.type != kLimit && order.type != kMarket) {
        return "OrdType must be 1 (market) or 2 (limit)";
    }
    if (order.time_in_force != kDay && order.time_in_force != kImmediateOrCancel) {
        return "TimeInForce must be 0 (day) or 3 (immediate or cancel)";
    }
    if (!is_none(fix_.message()[fix::kMinQty]) || !is_none(fix_.message()[fix::kMaxFloor])) {
        return "MinQty and MaxFloor are not offered";
    }
    if (order.quantity == 0) {
        return "OrderQty must be a whole number from 1 to 4294967295";
    }
    if (order.type == kLimit && order.price_ticks <= 0) {
        return "Price must be above 0 and a multiple of 0.01";
    }
    return {};
}

bool Fix44Session::enter(Now now, Request& request, OutputBuffer& output) {
    const FixMessage& message = fix_.message();
    if (!has_all({fix::kClOrdId, fix::kSymbol, fix::kSide, fix::kTransactTime, fix::kOrderQty,
                  fix::kOrdType},
                 now, output)) {
        return false;
    }
    Entry order;
    order.side = letter_of(message[fix::kSide]);
    order.type = letter_of(message[fix::kOrdType]);
    order.time_in_force =
        message[fix::kTimeInForce].empty() ? kDay : letter_of(message[fix::kTimeInForce]);
    order.id = ShortText<kClOrdIdMax>(message[fix::kClOrdId]);
    order.symbol_text = ShortText<kSymbolMax>(message[fix::kSymbol]);
    order.quantity = quantity_of(message[fix::kOrderQty]);
    order.price_ticks = price_of(message[fix::kPrice]);
    order.order_id = ++order_ids_;
    const auto symbol = symbol_number(message[fix::kSymbol]);
    if (!symbol) {
        refuse_order(order, kUnknownSymbol, "a Symbol is letters and then its number, as in S00042",
                     now, output);
        return false;
    }
    if (const std::string_view fault = fault_of_terms(order); !fault.empty()) {
        refuse_order(order, order.quantity == 0 ? kIncorrectQuantity : kUnsupportedCharacteristic,
                     fault, now, output);
        return false;
    }
    if (orders_.number_of(order.name()) != 0) {
        refuse_order(order, kDuplicateOrder, kIdInUse, now, output);
        return false;
    }
    order.symbol = *symbol;
    const bool buys = order.side == '1';
    request.put(orderwire::New{
        {sizeof(orderwire::New), orderwire::Type::kNew,
         static_cast<std::uint8_t>(order_type(order.type, order.time_in_force)), order.symbol},
        orders_.add(order),
        order.price_ticks,
        order.quantity,
        buys ? orderwire::Side::kBuy : orderwire::Side::kSell,
        {}});
    return true;
}

bool Fix44Session::replace(Now now, Request& request, OutputBuffer& output) {
    const FixMessage& message = fix_.message();
    if (!has_all({fix::kClOrdId, fix::kOrigClOrdId, fix::kSymbol, fix::kSide, fix::kTransactTime,
                  fix::kOrderQty, fix::kOrdType},
                 now, output)) {
        return false;
    }
    Entry order;
    order.kind = Kind::kReplace;
    order.id = ShortText<kClOrdIdMax>(message[fix::kClOrdId]);
    order.original = ShortText<kClOrdIdMax>(message[fix::kOrigClOrdId]);
    order.target = orders_.number_of(order.original.view());
    const Entry* const target = orders_.find(order.target);
    if (target == nullptr || target->kind == Kind::kCancel) {
        refuse_change(order, nullptr, kUnknownOrder, kNoSuchOrder, now, output);
        return false;
    }
    order.side = letter_of(message[fix::kSide]);
    order.type = letter_of(message[fix::kOrdType]);
    order.time_in_force =
        message[fix::kTimeInForce].empty() ? kDay : letter_of(message[fix::kTimeInForce]);
    order.symbol_text = target->symbol_text;
    order.symbol = target->symbol;
    order.order_id = target->order_id;
    order.quantity = quantity_of(message[fix::kOrderQty]);
    order.price_ticks = price_of(message[fix::kPrice]);
    std::string_view fault = fault_of_terms(order);
    if (fault.empty() && (order.type != kLimit || order.time_in_force != kDay)) {
        fault = "an order can only be replaced by a limit order for the day";
    }
    if (fault.empty() &&
        (message[fix::kSymbol] != target->symbol_text.view() || order.side != target->side)) {
        fault = "Symbol and Side must be those of the order";
    }
    if (!fault.empty()) {
        refuse_change(order, target, kOtherReason, fault, now, output);
        return false;
    }
    if (orders_.number_of(order.name()) != 0) {
        refuse_change(order, target, kDuplicateClOrdId, kIdInUse, now, output);
        return false;
    }
    request.put(
        orderwire::Replace{{sizeof(orderwire::Replace), kReplaceTotal,
                            static_cast<std::uint8_t>(WhenNothingIsLeft::kReject), order.symbol},
                           orders_.add(order),
                           order.target,
                           order.price_ticks,
                           order.quantity,
                           {}});
    return true;
}

bool Fix44Session::cancel(Now now, Request& request, OutputBuffer& output) {
    const FixMessage& message = fix_.message();
    if (!has_all({fix::kClOrdId, fix::kOrigClOrdId, fix::kSymbol, fix::kSide, fix::kTransactTime},
                 now, output)) {
        return false;
    }
    Entry order;
    order.kind = Kind::kCancel;
    order.id = ShortText<kClOrdIdMax>(message[fix::kClOrdId]);
    order.original = ShortText<kClOrdIdMax>(message[fix::kOrigClOrdId]);
    order.target = orders_.number_of(order.original.view());
    const Entry* const target = orders_.find(order.target);
    if (target == nullptr || target->kind == Kind::kCancel) {
        refuse_change(order, nullptr, kUnknownOrder, kNoSuchOrder, now, output);
        return false;
    }
    if (message[fix::kSymbol] != target->symbol_text.view() ||
        letter_of(message[fix::kSide]) != target->side) {
        refuse_change(order, target, kOtherReason, "Symbol and Side must be those of the order",
                      now, output);
        return false;
    }
    if (orders_.number_of(order.name()) != 0) {
        refuse_change(order, target, kDuplicateClOrdId, kIdInUse, now, output);
        return false;
    }
    order.symbol = target->symbol;
    request.put(
        orderwire::Cancel{{sizeof(orderwire::Cancel), orderwire::Type::kCancel, 0, order.symbol},
                          orders_.add(order),
                          order.target});
    return true;
}

void Fix44Session::reply(const Reply& reply, Now now, OutputBuffer& output) {
    Entry* const entry = orders_.find(reply.order_id);
    if (entry == nullptr || ending_ != Ending::kNone) {
        return;
    }
    switch (reply.type) {
        case orderwire::Type::kAccepted: return accepted(reply, *entry, now, output);
        case orderwire::Type::kExecuted: return executed(reply, *entry, now, output);
        case orderwire::Type::kCancelled: return canceled(reply, *entry, now, output);
        default: rejected(reply, *entry, now, output);
    }
}

void Fix44Session::accepted(const Reply&, Entry& order, Now now, OutputBuffer& output) {
    if (order.kind == Kind::kNew) {
        FixWriter message = report(kExecNew, kStatusNew, order, order.quantity, now);
        return fix_.send(message, now, output);
    }
    const Entry* const target = orders_.find(order.target);
    if (target == nullptr) {
        return;  // it lives until this reply
    }
    order.kind = Kind::kNew;
    order.traded = target->traded;
    order.turnover = target->turnover;
    FixWriter message = report(kExecReplaced, order.traded == 0 ? kStatusNew : kStatusPartlyFilled,
                               order, order.quantity - order.traded, now);
    message.text(fix::kOrigClOrdId, order.original.view());
    fix_.send(message, now, output);
    orders_.forget(order.target);
}

void Fix44Session::executed(const Reply& reply, Entry& order, Now now, OutputBuffer& output) {
    order.traded += reply.quantity;
    order.turnover += static_cast<double>(reply.price_ticks) * reply.quantity;
    FixWriter message =
        report(kExecTrade, reply.remaining == 0 ? kStatusFilled : kStatusPartlyFilled, order,
               reply.remaining, now);
    message.number(fix::kLastQty, reply.quantity);
    message.hundredths(fix::kLastPx, reply.price_ticks);
    fix_.send(message, now, output);
    if (reply.remaining == 0) {
        orders_.forget(reply.order_id);
    }
}

void Fix44Session::canceled(const Reply& reply, Entry& request, Now now, OutputBuffer& output) {
    if (request.kind != Kind::kCancel) {  // what was left of a market or IOC order
        FixWriter message = report(kExecCanceled, kStatusCanceled, request, 0, now);
        message.text(fix::kText, "nothing more to trade with at once");
        fix_.send(message, now, output);
        return orders_.forget(reply.order_id);
    }
    const std::uint64_t target = request.target;
    if (const Entry* const found = orders_.find(target)) {
        Entry order = *found;
        order.id = request.id;
        FixWriter message = report(kExecCanceled, kStatusCanceled, order, 0, now);
        message.text(fix::kOrigClOrdId, request.original.view());
        fix_.send(message, now, output);
    }
    orders_.forget(reply.order_id);
    orders_.forget(target);
}

void Fix44Session::rejected(const Reply& reply, Entry& request, Now now, OutputBuffer& output) {
    if (request.kind == Kind::kNew) {
        refuse_order(request, order_reason(reply.detail), words_of(reply.detail), now, output);
    } else {
        const bool unknown = reply.detail == static_cast<std::uint8_t>(RejectReason::kUnknownOrder);
        refuse_change(request, orders_.find(request.target), unknown ? kUnknownOrder : kOtherReason,
                      words_of(reply.detail), now, output);
    }
    orders_.forget(reply.order_id);
}

FixWriter Fix44Session::report(char exec_type, char status, const Entry& order, std::uint32_t open,
                               Now now) {
    FixWriter message = fix_.start("8", now);
    message.text(fix::kOrderId, id_of(order.order_id).view());
    message.text(fix::kClOrdId, order.id.view());
    message.text(fix::kExecId, id_of(++executions_).view());
    message.letter(fix::kExecType, exec_type);
    message.letter(fix::kOrdStatus, status);
    message.text(fix::kSymbol, order.symbol_text.view());
    message.letter(fix::kSide, order.side);
    if (order.quantity != 0) {
        message.number(fix::kOrderQty, order.quantity);
    }
    message.letter(fix::kOrdType, order.type);
    if (order.type == kLimit && order.price_ticks > 0) {
        message.hundredths(fix::kPrice, order.price_ticks);
    }
    message.letter(fix::kTimeInForce, order.time_in_force == '\0' ? kDay : order.time_in_force);
    message.number(fix::kLeavesQty, open);
    message.number(fix::kCumQty, order.traded);
    const double per_unit = static_cast<double>(kTicksPerUnit);
    message.decimal(fix::kAvgPx, order.traded == 0 ? 0 : order.turnover / order.traded / per_unit);
    message.text(fix::kTransactTime, fix_.time(now));
    return message;
}

void Fix44Session::refuse_order(const Entry& order, int reason, std::string_view text, Now now,
                                OutputBuffer& output) {
    FixWriter message = report(kExecRejected, kStatusRejected, order, 0, now);
    message.number(fix::kOrdRejReason, static_cast<std::uint64_t>(reason));
    message.text(fix::kText, text);
    fix_.send(message, now, output);
}

void Fix44Session::refuse_change(const Entry& request, const Entry* target, int reason,
                                 std::string_view text, Now now, OutputBuffer& output) {
    char status = kStatusRejected;
    if (target != nullptr) {
        status = target->traded == 0 ? kStatusNew : kStatusPartlyFilled;
    }
    FixWriter message = fix_.start("9", now);
    message.text(fix::kOrderId, target == nullptr ? "NONE" : id_of(target->order_id).view());
    message.text(fix::kClOrdId, request.id.view());
    message.text(fix::kOrigClOrdId, request.original.view());
    message.letter(fix::kOrdStatus, status);
    message.letter(fix::kCxlRejResponseTo, request.kind == Kind::kCancel ? '1' : '2');
    message.number(fix::kCxlRejReason, static_cast<std::uint64_t>(reason));
    message.text(fix::kText, text);
    message.text(fix::kTransactTime, fix_.time(now));
    fix_.send(message, now, output);
}

/// A name for an order or execution that no other of this run of the engine has.
ShortText<Fix44Session::kClOrdIdMax> Fix44Session::id_of(std::uint64_t count) const {
    return ShortText<kClOrdIdMax>(std::to_string(session_ + std::uint64_t{1}) + '-' +
                                  std::to_string(count));
}

void Fix44Session::tick(Now now, OutputBuffer& output) {
    if (ending_ == Ending::kNone) {
        fix_.tick(now, output);
        ending_ = fix_.ending();
    }
}

void Fix44Session::farewell(Now now, OutputBuffer& output) {
    if (ending_ == Ending::kNone && fix_.logged_on()) {
        fix_.log_out("the engine stops", Ending::kAgreed, now, output);
        ending_ = fix_.ending();
    }
}

}  // namespace cluster::engine
