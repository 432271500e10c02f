// Requests of a compiled schema: templates plus patches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace cluster::protocol {

inline constexpr std::size_t kRequestBytesMax = 16'384;
inline constexpr std::size_t kChunksMax = 16;
inline constexpr std::size_t kKeptTextsMax = 16;
inline constexpr std::size_t kKeptBytesMax = 256;

/// An index that is none.
inline constexpr std::uint16_t kNone = 0xFFFF;

/// Where a patch's number comes from. The first six are given with every order.
enum class Source : std::uint8_t {
    kId,
    kTarget,
    kPrice,
    kSize,
    kSymbol,
    kClient,
    kSequence,      ///< number of this message in the session; uses it up
    kNextSequence,  ///< the same, and does not
    kDraw,          ///< `detail` is which
    kTime,          ///< `detail` is the unit, `since_midnight` the zero
};
inline constexpr std::size_t kOrderSources = 6;

/// Messages that orders are sent with: see variant_of.
inline constexpr std::size_t kVariants = 10;

/// Unit of a time, by the ns it has.
enum class TimeUnit : std::uint8_t { kNs, kUs, kMs, kS };

enum class Order : std::uint8_t { kLittle, kBig };
enum class Justify : std::uint8_t { kLeft, kRight };

/// How a patch is written. The plain ones, which stand first, put a number of the order as it is.
enum class PatchKind : std::uint8_t {
    kPlain64Little,
    kPlain32Little,
    kPlain64Big,
    kPlain32Big,
    kInt,
    kDecimal,
    kFloat,
    kTable,
    kUtc,
    kText,
};

/// Digits as text: ASCII number of a base, perhaps with a decimal point.
struct Digits {
    std::uint8_t base = 10;
    std::uint8_t decimals = 0;
    Justify justify = Justify::kRight;
    char pad = '0';
};

/// One field that changes from message to message.
struct Patch {
    PatchKind kind = PatchKind::kInt;
    Source source = Source::kId;
    Order order = Order::kLittle;
    bool since_midnight = false;
    std::uint16_t at = 0;      ///< within its chunk
    std::uint16_t width = 0;   ///< bytes
    std::uint16_t detail = 0;  ///< of the source: draw or TimeUnit; text: index of the kept text
    std::uint16_t table = 0;   ///< kTable
    Digits digits;             ///< kDecimal; kText uses justify and pad
    std::int64_t scale = 1;    ///< the field is source · scale + add
    std::int64_t add = 0;
    double factor = 1;  ///< kFloat: the field is source · factor
};

/// A stretch of fixed bytes with its patches; after it a text of the session may stand.
struct Chunk {
    std::size_t begin = 0;         ///< of its template in Message::bytes
    std::size_t length = 0;        ///< bytes
    std::vector<Patch> patches;    ///< the plain ones first
    std::uint16_t insert = kNone;  ///< index of the kept text that follows
};

/// Where a length or checksum stands, and over what it goes: positions as (chunk, offset in it).
struct Span {
    std::uint16_t chunk = 0;
    std::uint16_t at = 0;
    std::uint16_t from_chunk = 0;
    std::uint16_t from = 0;
    std::uint16_t to_chunk = 0;
    std::uint16_t to = 0;
};

/// How a length or checksum is written.
struct NumberFormat {
    bool is_text = false;
    std::uint16_t width = 0;
    Order order = Order::kLittle;
    Digits digits;
};

struct LengthField {
    Span span;
    NumberFormat format;
    std::int64_t add = 0;
};

enum class ChecksumKind : std::uint8_t { kSum256, kXor8, kCrc32, kCrc32c, kAdler32 };

struct ChecksumField {
    ChecksumKind kind = ChecksumKind::kSum256;
    Span span;
    NumberFormat format;
};

/// One message that we can send.
struct Message {
    std::string name;
    bool answered_by_target = false;  ///< replies name the order it acts on, not the request
    bool uses_sequence = false;
    bool is_fixed = false;         ///< one chunk, nothing to insert
    bool is_plain = false;         ///< fixed, all patches plain, nothing to finish
    std::vector<std::byte> bytes;  ///< all templates
    std::vector<Chunk> chunks;     ///< at least one
    std::vector<LengthField> lengths;
    std::vector<ChecksumField> checksums;  ///< after the lengths
    std::size_t longest = 0;               ///< bytes, inserted texts at their longest
};

/// Where the message for an order stands in Plan::sends. `action` 0 new, 1 replace, 2 cancel;
/// `kind` 0 limit, 1 market, 2 immediate-or-cancel; `side` 0 buy, 1 sell.
constexpr std::size_t variant_of(unsigned action, unsigned kind, unsigned side) noexcept {
    return action == 0 ? kind * 2 + side : 4 + action * 2 + side;
}

}  // namespace cluster::protocol
