// One reply, as far as measuring and the session need it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "protocol/reply_rule.h"

namespace cluster::protocol {

struct Reply {
    std::uint64_t id;                  ///< when has_id
    std::uint64_t engine_received_ns;  ///< engine's clock; 0 when the engine does not tell
    std::uint64_t engine_replied_ns;   ///< same clock
    std::int64_t sequence;             ///< of the message in its session; -1: not told
    const ReplyRule* rule;             ///< null for a codec without a plan
    const std::byte* frame;            ///< what it was read from …
    std::uint32_t frame_length;        ///< … without a delimiter at its end
    Meaning meaning;
    bool has_id;
    bool names_order;  ///< its id is of an order, not of a request
};

enum class DecodeStatus : std::uint8_t {
    kReply,
    kNeedMore,
    kUnknown,    ///< a whole frame that is no reply we know: to be skipped
    kGarbled,    ///< a whole frame whose checksum is wrong: to be skipped
    kMalformed,  ///< no frame can be found any more
};

/// What the first bytes are. `length` means something with kReply, kUnknown and kGarbled; `reply`
/// with kReply only.
struct Decoded {
    DecodeStatus status;
    std::size_t length;
    Reply reply;
};

}  // namespace cluster::protocol
