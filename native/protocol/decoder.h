// Untrusted bytes to replies, by a plan.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "protocol/framing.h"
#include "protocol/numbers.h"
#include "protocol/plan.h"
#include "protocol/reply.h"

namespace cluster::protocol {

inline constexpr std::size_t kTagsMax = 64;

/// Where a tagged message has its values: offset and length by index of the tag; length 0: absent.
struct TagValues {
    struct Place {
        std::uint16_t at = 0;
        std::uint16_t length = 0;
    };
    std::array<Place, kTagsMax> places;
};

/// Looks at the first reply in `bytes`. Reads nothing beyond them; `bytes` may hold anything.
Decoded decode_slowly(const Plan& plan, std::span<const std::byte> bytes) noexcept;

/// A frame with the places of its tags, when it is a tagged message.
struct View {
    std::span<const std::byte> frame;
    const TagValues* tags = nullptr;
};

/// The bytes of a text in a reply, its padding cut off.
std::span<const std::byte> text_of(const Read& read, const View& view) noexcept;

/// The same of a reply that was decoded before.
std::span<const std::byte> text_of(const Plan& plan, const Read& read, const Reply& reply) noexcept;

/// The number in a reply, scaled. Nothing when it is absent, too long or no number.
std::optional<std::int64_t> number_of(const Read& read, const View& view) noexcept;

/// A look at a reply that was decoded before, for what is seldom asked for.
class LaterView {
public:
    LaterView(const Plan& plan, const Reply& reply) noexcept;

    std::span<const std::byte> text(const Read& read) const noexcept {
        return text_of(read, {frame_, is_tagged_ ? &tags_ : nullptr});
    }
    std::optional<std::int64_t> number(const Read& read) const noexcept {
        return number_of(read, {frame_, is_tagged_ ? &tags_ : nullptr});
    }

private:
    std::span<const std::byte> frame_;
    bool is_tagged_;
    TagValues tags_;
};

/// Fills in what a frame of this rule says. The frame is at least as long as the rule asks.
Reply read_reply(const ReplyRule& rule, const View& view) noexcept;

namespace detail {

/// A number of 64 bits that the rule's length has vouched for; 0 where none is told.
inline std::uint64_t load(const std::byte* frame, std::uint16_t at, Order order) noexcept {
    if (at == kNone) return 0;
    std::uint64_t value = 0;
    std::memcpy(&value, frame + at, sizeof value);
    return order == Order::kLittle ? value : swapped(value);
}

}  // namespace detail

inline Decoded failed(FrameStatus status) noexcept {
    return {status == FrameStatus::kNeedMore ? DecodeStatus::kNeedMore : DecodeStatus::kMalformed,
            0,
            {}};
}

/// Looks at the first reply in `bytes`: the way of binary protocols, the slow one for the others.
inline Decoded decode(const Plan& plan, std::span<const std::byte> bytes) noexcept {
    const Frame& form = plan.frame;
    if (form.kind != FrameKind::kLength && form.kind != FrameKind::kFixed) {
        return decode_slowly(plan, bytes);
    }
    const FrameFound found = find_frame(form, bytes);
    if (found.status != FrameStatus::kWhole) {
        return failed(found.status);
    }
    const std::span<const std::byte> frame = bytes.first(found.length);
    const std::uint16_t index = plan.dispatch.find(frame);
    if (index == Dispatch::kNoRule) [[unlikely]]
        return {DecodeStatus::kUnknown, found.length, {}};
    const ReplyShape& shape = plan.shapes[index];
    if (frame.size() != shape.length && (shape.is_exact || frame.size() < shape.length))
        [[unlikely]] {
        return {DecodeStatus::kMalformed, 0, {}};
    }
    if (!shape.is_quick) {
        return {DecodeStatus::kReply, found.length, read_reply(plan.replies[index], {frame})};
    }
    return {DecodeStatus::kReply,
            found.length,
            {detail::load(frame.data(), shape.id_at, shape.order),
             detail::load(frame.data(), shape.received_at, shape.order),
             detail::load(frame.data(), shape.replied_at, shape.order), -1, &plan.replies[index],
             frame.data(), static_cast<std::uint32_t>(frame.size()), shape.meaning, shape.has_id,
             shape.names_order}};
}

}  // namespace cluster::protocol
