// Replies of a compiled schema: what tells them apart, what they mean, where their values are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "protocol/dispatch.h"
#include "protocol/message.h"

namespace cluster::protocol {

inline constexpr std::size_t kFrameBytesMax = 32'768;

/// What a reply means for the order or the session.
enum class Meaning : std::uint8_t {
    kAccepted,
    kRejected,
    kReceived,  ///< an interim acknowledgement: the answer is still to come
    kExecuted,
    kFilled,     ///< executed in full
    kCancelled,  ///< the order, or the rest of it, is out of the book
    kUnsolicited,
    kLoggedOn,
    kLogonRefused,
    kHeartbeat,
    kTestRequest,
    kResendRequest,
    kLoggedOut,
};

enum class ReadKind : std::uint8_t {
    kAbsent,
    kPlain64Little,
    kPlain64Big,
    kUnsigned,
    kSigned,
    kDecimal,
    kUtc,
    kText,
};

/// Where a value stands in a reply and how it is written.
struct Read {
    ReadKind kind = ReadKind::kAbsent;
    Order order = Order::kLittle;
    std::uint16_t at = 0;     ///< offset; tagged replies: index of the tag
    std::uint16_t width = 0;  ///< 0: to the end of the frame, or of the tag's value
    Digits digits;
    std::int64_t scale = 1;
};

/// A text of a reply that the session keeps.
struct Keep {
    Read read;
    std::uint16_t text = 0;  ///< index
};

/// One kind of reply.
struct ReplyRule {
    std::string name;
    Meaning meaning = Meaning::kUnsolicited;
    bool names_order = false;
    bool is_exact = true;
    std::size_t length = 0;  ///< of the frame: exactly, or at least
    std::vector<ByteMatch> matches;
    std::vector<TagMatch> tag_matches;
    Read id;
    Read reason;
    Read executed;
    Read remaining;
    Read engine_received;
    Read engine_replied;
    Read sequence;
    std::vector<Keep> keeps;
    std::uint16_t answer = kNone;  ///< message that is sent whenever this comes
};

/// How replies find their orders, and which of several counts.
struct ReplyManners {
    bool ids_in_replies = true;  ///< false: the n-th answer is to the n-th request
    bool tracks_orders = false;  ///< some replies name the order instead of the request
    bool ignores_late = false;   ///< what acts on an order that is gone may stay unanswered
    bool timed_by_last = false;  ///< response time ends with an order's last reply
    bool has_received = false;   ///< an interim acknowledgement may come before the answer
    bool tells_ends = false;     ///< fills and cancellations follow an answer
};

/// What nearly every reply is read by: a rule in few bytes, for the hot path.
struct ReplyShape {
    std::uint16_t length = 0;
    std::uint16_t id_at = 0;
    std::uint16_t received_at = kNone;
    std::uint16_t replied_at = kNone;
    Meaning meaning = Meaning::kUnsolicited;
    bool is_exact = true;
    bool names_order = false;
    bool is_quick = false;  ///< id and engine times are plain numbers of 64 bits, if they are told
    bool has_id = false;
    Order order = Order::kLittle;
};

/// The shape of a rule.
ReplyShape shape_of(const ReplyRule& rule) noexcept;

enum class FrameKind : std::uint8_t { kFixed, kLength, kType, kDelimiter, kHead, kResp, kFix };

/// How the byte stream is cut into replies.
struct Frame {
    FrameKind kind = FrameKind::kFixed;
    Order order = Order::kLittle;
    std::uint16_t at = 0;     ///< kLength: the prefix
    std::uint16_t width = 0;  ///< of it
    std::int64_t add = 0;     ///< frame length = prefix + add
    std::size_t min = 0;      ///< of the frame; kFixed: its size
    std::size_t max = 0;
    std::string delimiter;  ///< kDelimiter; kHead: the end of the head; kFix: how messages begin
    std::string marker;     ///< kHead: before the body's length
};

}  // namespace cluster::protocol
