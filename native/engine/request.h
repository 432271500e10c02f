// A request on its way to its books, whatever protocol it came in.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "wire/orderwire.h"

namespace cluster::engine {

/// Requests that other protocols know and orderwire does not. Both have the layout of a Replace;
/// no orderwire message may have these types, so a client cannot send them.
///
/// kReplaceTotal: a Replace whose quantity is that of the whole chain of orders, with what has
/// traded. `detail` is a WhenNothingIsLeft.
inline constexpr auto kReplaceTotal = static_cast<orderwire::Type>(0x12);
/// kReduce: `target_id` shall have `quantity` in all, with what has traded, and keep its place.
inline constexpr auto kReduce = static_cast<orderwire::Type>(0x13);

/// What becomes of a kReplaceTotal whose target has traded all of its quantity or more.
enum class WhenNothingIsLeft : std::uint8_t { kReject, kCancel };

/// Room for any request; what a session hands to its thread.
class Request {
public:
    template <class Message>
    void put(const Message& message) noexcept {
        static_assert(sizeof message <= orderwire::kLongestRequest);
        std::memcpy(bytes_.data(), &message, sizeof message);
    }

    /// One whole request in orderwire's layout, as long as its header says.
    void copy(const std::byte* bytes) noexcept {
        orderwire::Header header;
        std::memcpy(&header, bytes, sizeof header);
        std::memcpy(bytes_.data(), bytes, std::min<std::size_t>(header.length, bytes_.size()));
    }

    const std::byte* data() const noexcept { return bytes_.data(); }

private:
    std::array<std::byte, orderwire::kLongestRequest> bytes_{};
};

}  // namespace cluster::engine
