// orderwire by hand: the yardstick that schemas are measured against, and checked against in tests.
#pragma once

#include <cstring>

#include "client/codec.h"
#include "wire/orderwire.h"

namespace cluster {

/// What the plan of orderwire (docs/orderwire.md) must do, as one would write it for speed.
struct OrderwireCodec {
    static std::size_t put_request(const Intent& intent, std::uint64_t id, std::uint64_t target_id,
                                   std::byte* out) noexcept {
        switch (intent.action) {
            case Action::kNew:
                return put(out, orderwire::New{header(orderwire::Type::kNew, intent),
                                               id,
                                               intent.price_ticks,
                                               intent.quantity,
                                               side_of(intent.side),
                                               {}});
            case Action::kReplace:
                return put(out, orderwire::Replace{header(orderwire::Type::kReplace, intent),
                                                   id,
                                                   target_id,
                                                   intent.price_ticks,
                                                   intent.quantity,
                                                   {}});
            case Action::kCancel:
                return put(out, orderwire::Cancel{header(orderwire::Type::kCancel, intent), id,
                                                  target_id});
        }
        return 0;
    }

    static protocol::Decoded decode(std::span<const std::byte> bytes) noexcept {
        using protocol::DecodeStatus;
        // Length and type are the first three bytes: garbage is known before it is waited for.
        if (bytes.size() < 3) return {DecodeStatus::kNeedMore, 0, {}};
        std::uint16_t length = 0;
        std::memcpy(&length, bytes.data(), sizeof length);
        const auto type = static_cast<orderwire::Type>(bytes[2]);
        if (!is_reply(type) || length != orderwire::length_of(type)) [[unlikely]] {
            return {DecodeStatus::kMalformed, 0, {}};
        }
        if (bytes.size() < length) return {DecodeStatus::kNeedMore, 0, {}};
        orderwire::ReplyHeader wire;
        std::memcpy(&wire, bytes.data(), sizeof wire);
        protocol::Meaning meaning{};
        if (!meaning_of(wire.header, meaning)) [[unlikely]]
            return {DecodeStatus::kMalformed, 0, {}};
        return {DecodeStatus::kReply,
                length,
                {wire.order_id, wire.engine_received_ns, wire.engine_replied_ns, -1, nullptr,
                 bytes.data(), length, meaning, true, false}};
    }

    static std::size_t room() noexcept { return orderwire::kLongestRequest; }
    static std::size_t longest_reply() noexcept { return orderwire::kLongestReply; }
    static protocol::ReplyManners manners() noexcept { return {}; }
    static std::size_t encode(const Intent& intent, std::uint64_t sequence, std::uint64_t target,
                              std::byte* out) noexcept {
        return put_request(intent, sequence + 1, target + 1, out);
    }
    static std::uint64_t sequence_of(const protocol::Reply& reply) noexcept { return reply.id - 1; }

private:
    template <class Message>
    static std::size_t put(std::byte* out, const Message& message) noexcept {
        std::memcpy(out, &message, sizeof message);
        return sizeof message;
    }

    static orderwire::Header header(orderwire::Type type, const Intent& intent) noexcept {
        const bool is_new = type == orderwire::Type::kNew;
        return {static_cast<std::uint16_t>(orderwire::length_of(type)), type,
                is_new ? order_type_of(intent.kind) : std::uint8_t{0}, intent.symbol};
    }

    static std::uint8_t order_type_of(OrderKind kind) noexcept {
        static_assert(static_cast<int>(OrderKind::kLimit) + 1 ==
                      static_cast<int>(orderwire::OrderType::kLimit));
        static_assert(static_cast<int>(OrderKind::kMarket) + 1 ==
                      static_cast<int>(orderwire::OrderType::kMarket));
        static_assert(static_cast<int>(OrderKind::kImmediateOrCancel) + 1 ==
                      static_cast<int>(orderwire::OrderType::kImmediateOrCancel));
        return static_cast<std::uint8_t>(static_cast<unsigned>(kind) + 1);
    }

    static orderwire::Side side_of(OrderSide side) noexcept {
        return side == OrderSide::kBuy ? orderwire::Side::kBuy : orderwire::Side::kSell;
    }

    static bool is_reply(orderwire::Type type) noexcept {
        return (static_cast<std::uint8_t>(type) & 0x80) != 0 && orderwire::length_of(type) != 0;
    }

    /// False for a Cancelled whose reason does not exist.
    static bool meaning_of(const orderwire::Header& header, protocol::Meaning& meaning) noexcept {
        switch (header.type) {
            case orderwire::Type::kAccepted: meaning = protocol::Meaning::kAccepted; return true;
            case orderwire::Type::kRejected: meaning = protocol::Meaning::kRejected; return true;
            case orderwire::Type::kExecuted: meaning = protocol::Meaning::kExecuted; return true;
            default: break;
        }
        const auto reason = static_cast<orderwire::CancelReason>(header.detail);
        // The answer to a Cancel is Cancelled: the request was taken, so it counts as accepted.
        meaning = reason == orderwire::CancelReason::kRequested ? protocol::Meaning::kAccepted
                                                                : protocol::Meaning::kCancelled;
        return reason == orderwire::CancelReason::kRequested ||
               reason == orderwire::CancelReason::kRemainder;
    }
};

static_assert(Codec<OrderwireCodec>);

}  // namespace cluster
