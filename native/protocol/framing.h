// Cuts a stream of untrusted bytes into replies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "protocol/numbers.h"
#include "protocol/reply_rule.h"

namespace cluster::protocol {

enum class FrameStatus : std::uint8_t { kWhole, kNeedMore, kMalformed };

/// The first frame of some bytes. The rest means something with kWhole only.
struct FrameFound {
    FrameStatus status;
    std::size_t length = 0;   ///< of the whole frame
    std::size_t content = 0;  ///< of it without a delimiter at its end
};

/// The kinds that are not found at a fixed place: delimiter, head, RESP, FIX.
FrameFound find_text_frame(const Frame& frame, std::span<const std::byte> bytes) noexcept;

/// The first frame. Not for kType, whose length the dispatch tells.
inline FrameFound find_frame(const Frame& frame, std::span<const std::byte> bytes) noexcept {
    if (frame.kind == FrameKind::kLength) [[likely]] {
        const std::size_t prefix_end = std::size_t{frame.at} + frame.width;
        if (bytes.size() < prefix_end) return {FrameStatus::kNeedMore};
        // A prefix of 8 bytes may be anything: compared before it is added to.
        const std::uint64_t prefix = load_unsigned(bytes.data() + frame.at, bytes.size() - frame.at,
                                                   frame.width, frame.order);
        if (prefix > kFrameBytesMax) [[unlikely]]
            return {FrameStatus::kMalformed};
        const auto length = static_cast<std::size_t>(static_cast<std::int64_t>(prefix) + frame.add);
        if (length < frame.min || length > frame.max) [[unlikely]]
            return {FrameStatus::kMalformed};
        if (bytes.size() < length) return {FrameStatus::kNeedMore};
        return {FrameStatus::kWhole, length, length};
    }
    if (frame.kind == FrameKind::kFixed) {
        if (bytes.size() < frame.min) return {FrameStatus::kNeedMore};
        return {FrameStatus::kWhole, frame.min, frame.min};
    }
    return find_text_frame(frame, bytes);
}

}  // namespace cluster::protocol
