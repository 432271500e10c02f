#include "engine/protocol/ouch42.h"

#include <cstring>
#include <string_view>

#include "engine/protocol/symbol.h"
#include "engine/request.h"
#include "wire/orderwire.h"

namespace cluster::engine {
namespace {

using orderwire::CancelReason;
using orderwire::OrderType;
using orderwire::RejectReason;

constexpr std::uint32_t kPriceUnitsPerTick =
    ouch42::kPriceUnitsPerDollar / static_cast<std::uint32_t>(kTicksPerUnit);
constexpr char kLive = 'L';
constexpr char kNoBboWeight = ' ';

/// The protocol's reject reasons.
constexpr char kTooManyShares = 'Z';
constexpr char kInvalidStock = 'S';
constexpr char kInvalidPrice = 'X';
constexpr char kInvalidMinimum = 'N';
constexpr char kNotInThisCross = 'R';
constexpr char kOther = 'O';
constexpr char kNothingWrong = 0;

template <class Message>
bool read(std::span<const std::byte> data, Message& message) noexcept {
    if (data.size() != sizeof message) {
        return false;
    }
    std::memcpy(&message, data.data(), sizeof message);
    return true;
}

std::optional<std::uint32_t> symbol_of(const ouch42::Stock& stock) noexcept {
    const std::string_view text(stock.data(), stock.size());
    const std::size_t last = text.find_last_not_of(' ');
    return last == std::string_view::npos ? std::nullopt : symbol_number(text.substr(0, last + 1));
}

bool is_limit(std::uint32_t price) noexcept {
    return price > 0 && price <= ouch42::kPriceMax && price % kPriceUnitsPerTick == 0;
}

bool is_day_order(std::uint32_t time_in_force) noexcept {
    return time_in_force == ouch42::kMarketHours || time_in_force == ouch42::kSystemHours;
}

char fault_of_shares(std::uint32_t shares) noexcept {
    if (shares == 0) {
        return kOther;
    }
    return shares < ouch42::kSharesBelow ? kNothingWrong : kTooManyShares;
}

char fault_of(const ouch42::Enter& order) noexcept {
    if (!symbol_of(order.stock)) {
        return kInvalidStock;
    }
    if (std::string_view("BSTE").find(order.side) == std::string_view::npos) {
        return kOther;
    }
    if (const char fault = fault_of_shares(order.shares)) {
        return fault;
    }
    if (!is_limit(order.price) && order.price != ouch42::kMarketPrice) {
        return kInvalidPrice;
    }
    if (!is_day_order(order.time_in_force) && order.time_in_force != ouch42::kImmediateOrCancel) {
        return kOther;
    }
    if (order.minimum_quantity != 0) {
        return kInvalidMinimum;
    }
    return order.cross_type == 'N' ? kNothingWrong : kNotInThisCross;
}

OrderType type_of(const ouch42::Enter& order) noexcept {
    if (order.price == ouch42::kMarketPrice) {
        return OrderType::kMarket;
    }
    return order.time_in_force == ouch42::kImmediateOrCancel ? OrderType::kImmediateOrCancel
                                                             : OrderType::kLimit;
}

std::uint64_t since_midnight_ns(Now now) noexcept {
    constexpr std::int64_t kDayNs = 86'400 * kNsPerS;
    return static_cast<std::uint64_t>(now.wall_ns % kDayNs);
}

char reason_of(std::uint8_t detail) noexcept {
    switch (static_cast<RejectReason>(detail)) {
        case RejectReason::kUnknownSymbol: return kInvalidStock;
        case RejectReason::kBadPrice: return kInvalidPrice;
        default: return kOther;
    }
}

}  // namespace

Ouch42Session::Ouch42Session(SessionId id, const Login& login, Now now)
    : id_(id), soup_(id, login, now) {}

Taken Ouch42Session::take(std::span<const std::byte> bytes, Now now, Request& request,
                          OutputBuffer& output) {
    const SoupBin::Packet packet = soup_.take(bytes, now, output);
    ending_ = soup_.ending();
    if (packet.logged_in) {
        soup_.send(ouch42::SystemEvent{ouch42::Type::kSystemEvent, since_midnight_ns(now), 'S'},
                   now, output);
    }
    return {packet.bytes, !packet.data.empty() && take_message(packet.data, now, request, output)};
}

/// True when it has become a request for the books.
bool Ouch42Session::take_message(std::span<const std::byte> data, Now now, Request& request,
                                 OutputBuffer& output) {
    switch (static_cast<ouch42::Type>(data.front())) {
        case ouch42::Type::kEnter:
            if (ouch42::Enter message; read(data, message)) {
                return enter(message, now, request, output);
            }
            break;
        case ouch42::Type::kReplace:
            if (ouch42::Replace message; read(data, message)) {
                return replace(message, request);
            }
            break;
        case ouch42::Type::kCancel:
            if (ouch42::Cancel message; read(data, message)) {
                return cancel(message, request);
            }
            break;
        case ouch42::Type::kModify:
            // Not offered, and the protocol has no words to say so: an order that cannot be
            // modified stays as it is, in silence.
            if (data.size() == sizeof(ouch42::Modify)) {
                ++refused_;
                return false;
            }
            break;
        default: break;
    }
    ending_ = Ending::kMalformed;
    return false;
}

bool Ouch42Session::enter(const ouch42::Enter& message, Now now, Request& request,
                          OutputBuffer& output) {
    const std::string_view token(message.token.data(), message.token.size());
    if (orders_.number_of(token) != 0) {
        ++refused_;  // in silence: the client may have sent it twice to be sure
        return false;
    }
    if (const char fault = fault_of(message)) {
        ++refused_;
        reject(message.token, fault, now, output);
        return false;
    }
    const std::uint32_t symbol = *symbol_of(message.stock);
    const std::uint64_t number = orders_.add({Kind::kEnter, true, message, symbol, 0, 0});
    request.put(orderwire::New{{sizeof(orderwire::New), orderwire::Type::kNew,
                                static_cast<std::uint8_t>(type_of(message)), symbol},
                               number,
                               static_cast<std::int64_t>(message.price / kPriceUnitsPerTick),
                               message.shares,
                               message.side == 'B' ? orderwire::Side::kBuy : orderwire::Side::kSell,
                               {}});
    return true;
}

bool Ouch42Session::replace(const ouch42::Replace& message, Request& request) {
    const std::string_view existing(message.existing.data(), message.existing.size());
    const std::string_view replacement(message.replacement.data(), message.replacement.size());
    const std::uint64_t target = orders_.number_of(existing);
    if (target == 0 || orders_.number_of(replacement) != 0) {
        ++refused_;  // in silence, both
        return false;
    }
    Entry entry = *orders_.find(target);
    if (!is_limit(message.price) || fault_of_shares(message.shares) != kNothingWrong ||
        !is_day_order(message.time_in_force) || message.minimum_quantity != 0) {
        // A living order does not stay when its client no longer wants it as it is.
        request_cancel(target, entry.symbol, request);
        return true;
    }
    entry.kind = Kind::kReplace;
    entry.target = target;
    entry.order.token = message.replacement;
    entry.order.shares = message.shares;
    entry.order.price = message.price;
    entry.order.time_in_force = message.time_in_force;
    entry.order.display = message.display;
    entry.order.sweep_eligibility = message.sweep_eligibility;
    const std::uint64_t number = orders_.add(entry);
    request.put(
        orderwire::Replace{{sizeof(orderwire::Replace), kReplaceTotal,
                            static_cast<std::uint8_t>(WhenNothingIsLeft::kCancel), entry.symbol},
                           number,
                           target,
                           static_cast<std::int64_t>(message.price / kPriceUnitsPerTick),
                           message.shares,
                           {}});
    return true;
}

bool Ouch42Session::cancel(const ouch42::Cancel& message, Request& request) {
    const std::string_view token(message.token.data(), message.token.size());
    const std::uint64_t target = orders_.number_of(token);
    if (target == 0) {
        ++refused_;  // superfluous: in silence
        return false;
    }
    const std::uint32_t symbol = orders_.find(target)->symbol;
    if (message.shares == 0) {
        request_cancel(target, symbol, request);
        return true;
    }
    const std::uint64_t number = orders_.add({Kind::kCancel, false, {}, symbol, 0, target});
    request.put(orderwire::Replace{
        {sizeof(orderwire::Replace), kReduce, 0, symbol}, number, target, 0, message.shares, {}});
    return true;
}

void Ouch42Session::request_cancel(std::uint64_t target, std::uint32_t symbol, Request& request) {
    const std::uint64_t number = orders_.add({Kind::kCancel, false, {}, symbol, 0, target});
    request.put(orderwire::Cancel{
        {sizeof(orderwire::Cancel), orderwire::Type::kCancel, 0, symbol}, number, target});
}

void Ouch42Session::reply(const Reply& reply, Now now, OutputBuffer& output) {
    Entry* const entry = orders_.find(reply.order_id);
    if (entry == nullptr || ending_ != Ending::kNone) {
        return;
    }
    switch (reply.type) {
        case orderwire::Type::kAccepted:
            return entry->kind == Kind::kReplace ? replaced(*entry, now, output)
                                                 : accepted(*entry, now, output);
        case orderwire::Type::kExecuted: return executed(reply, *entry, now, output);
        case orderwire::Type::kCancelled: return canceled(reply, *entry, now, output);
        default: rejected(reply, *entry, now, output);
    }
}

void Ouch42Session::accepted(const Entry& entry, Now now, OutputBuffer& output) {
    const ouch42::Enter& order = entry.order;
    soup_.send(
        ouch42::Accepted{ouch42::Type::kAccepted, since_midnight_ns(now), order.token, order.side,
                         order.shares, order.stock, order.price, order.time_in_force, order.firm,
                         order.display, std::uint64_t{id_} << 40 | ++references_, order.capacity,
                         order.sweep_eligibility, order.minimum_quantity, order.cross_type, kLive,
                         kNoBboWeight},
        now, output);
}

void Ouch42Session::replaced(Entry& entry, Now now, OutputBuffer& output) {
    const std::uint64_t target = entry.target;
    const Entry* const previous = orders_.find(target);
    if (previous == nullptr) {
        return;  // it lives until this reply
    }
    entry.kind = Kind::kEnter;
    entry.traded = previous->traded;
    const ouch42::Enter& order = entry.order;
    soup_.send(
        ouch42::Replaced{ouch42::Type::kReplaced, since_midnight_ns(now), order.token, order.side,
                         order.shares - entry.traded, order.stock, order.price, order.time_in_force,
                         order.firm, order.display, std::uint64_t{id_} << 40 | ++references_,
                         order.capacity, order.sweep_eligibility, order.minimum_quantity,
                         order.cross_type, kLive, previous->order.token, kNoBboWeight},
        now, output);
    orders_.forget(target);
}

void Ouch42Session::executed(const Reply& reply, Entry& entry, Now now, OutputBuffer& output) {
    entry.traded += reply.quantity;
    soup_.send(ouch42::Executed{ouch42::Type::kExecuted, since_midnight_ns(now), entry.order.token,
                                reply.quantity,
                                static_cast<std::uint32_t>(reply.price_ticks) * kPriceUnitsPerTick,
                                reply.was_resting ? 'A' : 'R', reply.match},
               now, output);
    if (reply.remaining == 0) {
        orders_.forget(reply.order_id);
    }
}

void Ouch42Session::canceled(const Reply& reply, const Entry& entry, Now now,
                             OutputBuffer& output) {
    const bool is_remainder = reply.detail == static_cast<std::uint8_t>(CancelReason::kRemainder);
    const std::uint64_t order = is_remainder ? reply.order_id : entry.target;
    if (const Entry* const meant = orders_.find(order)) {
        soup_.send(ouch42::Canceled{ouch42::Type::kCanceled, since_midnight_ns(now),
                                    meant->order.token, reply.quantity, is_remainder ? 'I' : 'U'},
                   now, output);
    }
    orders_.forget(reply.order_id);
    if (reply.remaining == 0) {
        orders_.forget(order);
    }
}

/// A cancel or replace that came too late is passed over in silence: its client has been told of
/// the execution already.
void Ouch42Session::rejected(const Reply& reply, const Entry& entry, Now now,
                             OutputBuffer& output) {
    if (entry.kind == Kind::kEnter) {
        reject(entry.order.token, reason_of(reply.detail), now, output);
    }
    orders_.forget(reply.order_id);
}

void Ouch42Session::reject(const ouch42::Token& token, char reason, Now now, OutputBuffer& output) {
    soup_.send(ouch42::Rejected{ouch42::Type::kRejected, since_midnight_ns(now), token, reason},
               now, output);
}

void Ouch42Session::tick(Now now, OutputBuffer& output) {
    if (ending_ == Ending::kNone) {
        soup_.tick(now, output);
        ending_ = soup_.ending();
    }
}

void Ouch42Session::farewell(Now now, OutputBuffer& output) {
    if (ending_ == Ending::kNone && soup_.logged_in()) {
        soup_.send(ouch42::SystemEvent{ouch42::Type::kSystemEvent, since_midnight_ns(now), 'E'},
                   now, output);
        soup_.end_session(now, output);
        ending_ = Ending::kAgreed;
    }
}

}  // namespace cluster::engine
