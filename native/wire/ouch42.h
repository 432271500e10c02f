// OUCH 4.2: order entry as Nasdaq published it, the payload of SoupBinTCP packets.
// docs/engine.md says which part of it the reference engine speaks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "wire/big_endian.h"

namespace cluster::ouch42 {

/// What a message is. Requests and replies share letters: who sends it tells which is meant.
enum class Type : char {
    kEnter = 'O',
    kReplace = 'U',
    kCancel = 'X',
    kModify = 'M',
    kSystemEvent = 'S',
    kAccepted = 'A',
    kReplaced = 'U',
    kCanceled = 'C',
    kExecuted = 'E',
    kRejected = 'J',
};

using Token = Alpha<14>;
using Stock = Alpha<8>;

inline constexpr std::uint32_t kImmediateOrCancel = 0;  ///< times in force
inline constexpr std::uint32_t kMarketHours = 99'998;
inline constexpr std::uint32_t kSystemHours = 99'999;

inline constexpr std::uint32_t kPriceUnitsPerDollar = 10'000;
inline constexpr std::uint32_t kPriceMax = 1'999'999'900;  ///< $199,999.99
inline constexpr std::uint32_t kMarketPrice = 0x7FFF'FFFF;
inline constexpr std::uint32_t kSharesBelow = 1'000'000;

struct Enter {
    Type type;
    Token token;
    char side;  ///< B, S, T (short) or E (short exempt)
    BigEndian<std::uint32_t> shares;
    Stock stock;
    BigEndian<std::uint32_t> price;
    BigEndian<std::uint32_t> time_in_force;
    Alpha<4> firm;
    char display;
    char capacity;
    char sweep_eligibility;
    BigEndian<std::uint32_t> minimum_quantity;
    char cross_type;
    char customer_type;
};

struct Replace {
    Type type;
    Token existing;
    Token replacement;
    BigEndian<std::uint32_t> shares;  ///< of the whole chain, with what has traded
    BigEndian<std::uint32_t> price;
    BigEndian<std::uint32_t> time_in_force;
    char display;
    char sweep_eligibility;
    BigEndian<std::uint32_t> minimum_quantity;
};

struct Cancel {
    Type type;
    Token token;
    BigEndian<std::uint32_t> shares;  ///< that the order keeps, with what has traded; 0: none
};

struct Modify {
    Type type;
    Token token;
    char side;
    BigEndian<std::uint32_t> shares;
};

struct SystemEvent {
    Type type;
    BigEndian<std::uint64_t> timestamp;  ///< ns since midnight, here and below
    char event;                          ///< S: start of day, E: end of day
};

struct Accepted {
    Type type;
    BigEndian<std::uint64_t> timestamp;
    Token token;
    char side;
    BigEndian<std::uint32_t> shares;
    Stock stock;
    BigEndian<std::uint32_t> price;
    BigEndian<std::uint32_t> time_in_force;
    Alpha<4> firm;
    char display;
    BigEndian<std::uint64_t> order_reference;
    char capacity;
    char sweep_eligibility;
    BigEndian<std::uint32_t> minimum_quantity;
    char cross_type;
    char state;  ///< L: live, D: dead
    char bbo_weight;
};

struct Replaced {
    Type type;
    BigEndian<std::uint64_t> timestamp;
    Token token;  ///< of the replacement
    char side;
    BigEndian<std::uint32_t> shares;  ///< still open
    Stock stock;
    BigEndian<std::uint32_t> price;
    BigEndian<std::uint32_t> time_in_force;
    Alpha<4> firm;
    char display;
    BigEndian<std::uint64_t> order_reference;
    char capacity;
    char sweep_eligibility;
    BigEndian<std::uint32_t> minimum_quantity;
    char cross_type;
    char state;
    Token previous;
    char bbo_weight;
};

struct Canceled {
    Type type;
    BigEndian<std::uint64_t> timestamp;
    Token token;
    BigEndian<std::uint32_t> decrement;  ///< shares that left the book now
    char reason;                         ///< U: asked for, I: immediate or cancel
};

struct Executed {
    Type type;
    BigEndian<std::uint64_t> timestamp;
    Token token;
    BigEndian<std::uint32_t> shares;  ///< traded now
    BigEndian<std::uint32_t> price;
    char liquidity;  ///< A: added, R: removed
    BigEndian<std::uint64_t> match;
};

struct Rejected {
    Type type;
    BigEndian<std::uint64_t> timestamp;
    Token token;
    char reason;
};

static_assert(sizeof(Enter) == 49);
static_assert(sizeof(Replace) == 47);
static_assert(sizeof(Cancel) == 19);
static_assert(sizeof(Modify) == 20);
static_assert(sizeof(SystemEvent) == 10);
static_assert(sizeof(Accepted) == 66);
static_assert(sizeof(Replaced) == 80);
static_assert(sizeof(Canceled) == 28);
static_assert(sizeof(Executed) == 40);
static_assert(sizeof(Rejected) == 24);

}  // namespace cluster::ouch42
