// Replies as orderwire bytes, and the time that is put into them last.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/matcher.h"
#include "wire/orderwire.h"

namespace cluster::engine {

/// Writes a reply, with engine_replied_ns still 0, and returns its length. `out` has room for
/// orderwire::kLongestReply.
inline std::size_t encode(const Reply& reply, std::int64_t received_ns, std::byte* out) noexcept {
    const std::size_t length = orderwire::length_of(reply.type);
    const orderwire::ReplyHeader header{
        {static_cast<std::uint16_t>(length), reply.type, reply.detail, reply.symbol},
        reply.order_id,
        static_cast<std::uint64_t>(received_ns),
        0};
    if (reply.type == orderwire::Type::kExecuted) {
        const orderwire::Executed message{header, reply.price_ticks, reply.quantity,
                                          reply.remaining};
        std::memcpy(out, &message, sizeof message);
    } else if (reply.type == orderwire::Type::kCancelled) {
        const orderwire::Cancelled message{header, reply.quantity, {}};
        std::memcpy(out, &message, sizeof message);
    } else {
        std::memcpy(out, &header, sizeof header);
    }
    return length;
}

/// Writes engine_replied_ns into each of the whole replies in [begin, end).
inline void stamp(std::byte* begin, const std::byte* end, std::int64_t replied_ns) noexcept {
    constexpr std::size_t kAt = offsetof(orderwire::ReplyHeader, engine_replied_ns);
    while (begin != end) {
        std::uint16_t length = 0;
        std::memcpy(&length, begin, sizeof length);
        std::memcpy(begin + kAt, &replied_ns, sizeof replied_ns);
        begin += length;
    }
}

}  // namespace cluster::engine
