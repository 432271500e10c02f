// What a codec is: the seam between the load client and a wire protocol.
//
// A codec is a type with static members, given to the worker as a template parameter so that
// it inlines into the hot loop:
//
//   kLongestRequest, kLongestReply           bytes; bounds of the buffers
//   encode(intent, id, target_id, out)       writes one request, returns its length
//   decode(bytes)                            looks at the first reply in untrusted bytes
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include "client/intent.h"

namespace cluster {

/// What a reply means for the order it names.
enum class ReplyKind : std::uint8_t {
    kAccepted,   ///< answers the order
    kRejected,   ///< answers the order
    kExecution,  ///< may follow the answer, any number of times
    kRemainder,  ///< may follow the answer: the unfilled rest was cancelled
};

/// One reply, as far as measuring needs it.
struct Reply {
    std::uint64_t id;
    std::uint64_t engine_received_ns;  ///< engine's clock; 0 when the engine does not tell
    std::uint64_t engine_replied_ns;   ///< same clock
    ReplyKind kind;
};

enum class DecodeStatus : std::uint8_t { kReply, kNeedMore, kMalformed };

/// What the first bytes are. `reply` and `length` mean something with kReply only.
struct Decoded {
    DecodeStatus status;
    std::size_t length;
    Reply reply;
};

template <class C>
concept Codec = requires(const Intent& intent, std::uint64_t id, std::byte* out,
                         std::span<const std::byte> bytes) {
    { C::kLongestRequest } -> std::convertible_to<std::size_t>;
    { C::kLongestReply } -> std::convertible_to<std::size_t>;
    { C::encode(intent, id, id, out) } noexcept -> std::same_as<std::size_t>;
    { C::decode(bytes) } noexcept -> std::same_as<Decoded>;
};

}  // namespace cluster
