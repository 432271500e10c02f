// The codec that speaks what a schema says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "client/codec.h"
#include "client/intent.h"
#include "protocol/decoder.h"
#include "protocol/encoder.h"
#include "protocol/plan.h"

namespace cluster {

/// Who a connection is among all of the fleet, and how it numbers its requests.
struct Identity {
    std::uint64_t first_id = 1;  ///< of its requests; the n-th has first_id + n
    std::uint32_t client = 0;    ///< number of the connection
};

/// One connection's session of a plan.
class WireCodec {
public:
    /// `plan` outlives the codec.
    WireCodec(const protocol::Plan& plan, Random random, Identity identity)
        : plan_(&plan), encoder_(plan, random), identity_(identity) {}

    const protocol::Plan& plan() const noexcept { return *plan_; }
    std::size_t room() const noexcept { return plan_->room; }
    std::size_t longest_reply() const noexcept { return plan_->frame.max; }
    protocol::ReplyManners manners() const noexcept { return plan_->manners; }

    std::size_t encode(const Intent& intent, std::uint64_t sequence, std::uint64_t target,
                       std::byte* out) noexcept {
        const auto variant = protocol::variant_of(static_cast<unsigned>(intent.action),
                                                  static_cast<unsigned>(intent.kind),
                                                  static_cast<unsigned>(intent.side));
        return encoder_.encode_order(
            variant,
            {static_cast<std::int64_t>(identity_.first_id + sequence),
             static_cast<std::int64_t>(identity_.first_id + target), intent.price_ticks,
             intent.quantity, intent.symbol, identity_.client},
            out);
    }

    /// Whether the request for an intent is answered under the id of the order that it acts on.
    bool is_answered_by_target(const Intent& intent) const noexcept {
        const std::uint16_t message = plan_->sends[protocol::variant_of(
            static_cast<unsigned>(intent.action), 0, static_cast<unsigned>(intent.side))];
        return plan_->messages[message].answered_by_target;
    }

    protocol::Decoded decode(std::span<const std::byte> bytes) const noexcept {
        return protocol::decode(*plan_, bytes);
    }

    std::uint64_t sequence_of(const protocol::Reply& reply) const noexcept {
        return reply.id - identity_.first_id;
    }

    /// A message of the session, such as a heartbeat.
    std::size_t encode_session(std::uint16_t message, std::byte* out) noexcept {
        const protocol::OrderValues values{0, 0, 0, 0, 0, identity_.client};
        return encoder_.encode(plan_->messages[message], values, out);
    }

    /// Keeps what a reply says for the session's own messages.
    void keep(const protocol::Reply& reply) noexcept {
        const protocol::LaterView view(*plan_, reply);
        for (const protocol::Keep& keep : reply.rule->keeps) {
            encoder_.keep(keep.text, view.text(keep.read));
        }
    }
    void keep(std::uint16_t text, std::span<const std::byte> value) noexcept {
        encoder_.keep(text, value);
    }

    /// Whether the number of a message of the session is the one that must come next. The first
    /// one sets what follows.
    bool is_next(std::int64_t sequence) noexcept {
        const bool is_next = expected_ < 0 || sequence == expected_;
        // After the highest there is no next: it sets nothing.
        expected_ = static_cast<std::int64_t>(static_cast<std::uint64_t>(sequence) + 1);
        return is_next;
    }

private:
    const protocol::Plan* plan_;
    protocol::Encoder encoder_;
    Identity identity_;
    std::int64_t expected_ = -1;
};

static_assert(SessionCodec<WireCodec>);

}  // namespace cluster
