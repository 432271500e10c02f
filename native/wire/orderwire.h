// orderwire: the raw binary order-entry protocol between load client and engine.
// docs/orderwire.md describes every byte; this file is that description for the compiler.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace cluster::orderwire {

static_assert(std::endian::native == std::endian::little,
              "orderwire is little-endian and these structs are copied as they are");

/// Message types. Requests have the top bit clear, replies have it set.
enum class Type : std::uint8_t {
    kNew = 0x01,
    kReplace = 0x02,
    kCancel = 0x03,
    kAccepted = 0x81,
    kRejected = 0x82,
    kExecuted = 0x83,
    kCancelled = 0x84,
};

enum class OrderType : std::uint8_t { kLimit = 1, kMarket = 2, kImmediateOrCancel = 3 };
enum class Side : std::uint8_t { kBuy = 1, kSell = 2 };

/// Why a request was rejected.
enum class RejectReason : std::uint8_t {
    kUnknownOrder = 1,  ///< the order to replace or cancel is not in the book (any more)
    kUnknownSymbol = 2,
    kBadPrice = 3,
    kBadQuantity = 4,
    kDuplicateId = 5,
    kBadField = 6,  ///< a type, side or order type that does not exist
    kBookFull = 7,
};

/// Why an order left the book.
enum class CancelReason : std::uint8_t {
    kRequested = 0,  ///< the answer to a Cancel: `order_id` is the id of the Cancel itself
    kRemainder = 1,  ///< the unfilled rest of a market or IOC order: `order_id` is that order
};

/// Starts every message, both ways.
struct Header {
    std::uint16_t length;  ///< of the whole message, this header included; fixed per type
    Type type;
    std::uint8_t
        detail;  ///< New: OrderType; Rejected: RejectReason; Cancelled: CancelReason; else 0
    std::uint32_t symbol;
};

/// Every request has an id of its own, unique on its connection and rising.
struct New {
    Header header;
    std::uint64_t order_id;
    std::int64_t price_ticks;  ///< ignored for market orders
    std::uint32_t quantity;
    Side side;
    std::uint8_t reserved[3];
};

/// Takes the order `target_id` out and enters one with `order_id` on the same side, price and
/// quantity anew (and time priority lost).
struct Replace {
    Header header;
    std::uint64_t order_id;
    std::uint64_t target_id;
    std::int64_t price_ticks;
    std::uint32_t quantity;
    std::uint8_t reserved[4];
};

struct Cancel {
    Header header;
    std::uint64_t order_id;  ///< of this request, not of the order it cancels
    std::uint64_t target_id;
};

/// Starts every reply. Exactly one of Accepted, Rejected or Cancelled(kRequested) answers each
/// request, with the request's own id; Executed and Cancelled(kRemainder) may follow it.
struct ReplyHeader {
    Header header;
    std::uint64_t order_id;
    std::uint64_t
        engine_received_ns;  ///< engine's monotonic clock when the request's bytes were read
    std::uint64_t engine_replied_ns;  ///< same clock, right before the send that first offered it
};

using Accepted = ReplyHeader;
using Rejected = ReplyHeader;

struct Executed {
    ReplyHeader reply;
    std::int64_t price_ticks;
    std::uint32_t quantity;
    std::uint32_t remaining;  ///< of `order_id`, after this fill
};

struct Cancelled {
    ReplyHeader reply;
    std::uint32_t quantity;  ///< taken out of the book
    std::uint8_t reserved[4];
};

static_assert(sizeof(Header) == 8);
static_assert(sizeof(New) == 32);
static_assert(sizeof(Replace) == 40);
static_assert(sizeof(Cancel) == 24);
static_assert(sizeof(ReplyHeader) == 32);
static_assert(sizeof(Executed) == 48);
static_assert(sizeof(Cancelled) == 40);

inline constexpr std::size_t kLongestRequest = sizeof(Replace);
inline constexpr std::size_t kLongestReply = sizeof(Executed);

/// The fixed length of a message type, 0 for a type that does not exist.
constexpr std::size_t length_of(Type type) noexcept {
    switch (type) {
        case Type::kNew: return sizeof(New);
        case Type::kReplace: return sizeof(Replace);
        case Type::kCancel: return sizeof(Cancel);
        case Type::kAccepted:
        case Type::kRejected: return sizeof(ReplyHeader);
        case Type::kExecuted: return sizeof(Executed);
        case Type::kCancelled: return sizeof(Cancelled);
    }
    return 0;
}

}  // namespace cluster::orderwire
