// Answers without matching: what a client measures against it is the client's own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "engine/matcher.h"
#include "engine/request.h"
#include "wire/orderwire.h"

namespace cluster::engine {

/// Appends what accepts the request, as books would in which nobody ever waits: a New or Replace is
/// Accepted, and cancelled at once if it is a market or immediate-or-cancel order; a Cancel is
/// Cancelled. Nothing is checked and nothing kept, so a cancelled quantity is told as 0.
///
/// `bytes` are one whole request.
inline void reflect(SessionId session, const std::byte* bytes, std::vector<Reply>& replies) {
    using orderwire::Type;
    orderwire::New request;  // a Cancel is shorter, but its id lies where a New's does
    std::memcpy(&request, bytes, sizeof(orderwire::Cancel));
    const orderwire::Header header = request.header;
    Reply reply{session, header.symbol, request.order_id, 0, 0, 0, Type::kAccepted, 0};
    if (header.type == Type::kCancel) {
        reply.type = Type::kCancelled;
    } else if (header.type == kReduce) {
        orderwire::Replace reduced;
        std::memcpy(&reduced, bytes, sizeof reduced);
        reply.type = Type::kCancelled;
        reply.remaining = reduced.quantity;
    }
    replies.push_back(reply);
    if (header.type == Type::kNew &&
        header.detail != static_cast<std::uint8_t>(orderwire::OrderType::kLimit)) {
        std::memcpy(&request, bytes, sizeof request);
        reply.type = Type::kCancelled;
        reply.detail = static_cast<std::uint8_t>(orderwire::CancelReason::kRemainder);
        reply.quantity = request.quantity;
        replies.push_back(reply);
    }
}

}  // namespace cluster::engine
