// What a codec is: the seam between the load client and a wire protocol.
//
// A codec belongs to one connection and is given to it as a template parameter, so that it inlines
// into the hot loop. WireCodec is the one that speaks what a schema says.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include "client/intent.h"
#include "protocol/plan.h"
#include "protocol/reply.h"

namespace cluster {

template <class C>
concept Codec = requires(C& codec, const Intent& intent, std::uint64_t sequence, std::byte* out,
                         std::span<const std::byte> bytes, const protocol::Reply& reply) {
    // Bytes that encode may touch, and that the longest reply has.
    { codec.room() } noexcept -> std::convertible_to<std::size_t>;
    { codec.longest_reply() } noexcept -> std::convertible_to<std::size_t>;
    { codec.manners() } noexcept -> std::convertible_to<protocol::ReplyManners>;
    // The request of a sequence number of the connection, and of the order that it acts on.
    { codec.encode(intent, sequence, sequence, out) } noexcept -> std::same_as<std::size_t>;
    { codec.decode(bytes) } noexcept -> std::same_as<protocol::Decoded>;
    // The sequence number that a reply's id stands for: anything, for an id that was never sent.
    { codec.sequence_of(reply) } noexcept -> std::same_as<std::uint64_t>;
};

/// A codec whose protocol may have sessions: logon, heartbeats, logout.
template <class C>
concept SessionCodec = Codec<C> && requires(C& codec, const protocol::Reply& reply,
                                            std::uint16_t message, std::byte* out) {
    { codec.plan() } noexcept -> std::same_as<const protocol::Plan&>;
    { codec.encode_session(message, out) } noexcept -> std::same_as<std::size_t>;
    { codec.keep(reply) } noexcept;
};

}  // namespace cluster
