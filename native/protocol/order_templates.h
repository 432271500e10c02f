// The messages that orders are sent with, laid out so that one path through the code serves all.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "protocol/message.h"
#include "protocol/numbers.h"

namespace cluster::protocol {

/// Which message each variant of an order is sent with, by variant_of; kNone: never sent.
using Sends = std::array<std::uint16_t, kVariants>;

constexpr Sends no_sends() noexcept {
    Sends sends{};
    sends.fill(kNone);
    return sends;
}

/// The numbers that an order gives to its message, by Source.
using OrderValues = std::array<std::int64_t, kOrderSources>;

/// Copies and plain patches are padded so that every order's message takes the same number of
/// each: which message it is decides over data only, and no branch can be predicted wrongly. What
/// a shorter message does not need goes to the bytes behind it, where the next one will stand.
class OrderTemplates {
public:
    OrderTemplates() = default;
    OrderTemplates(const std::vector<Message>& messages, const Sends& sends);

    /// Whether every order's message is short and of a fixed length. Only then may write be used.
    bool usable() const noexcept { return usable_; }

    /// Bytes that write touches, of which the message is the first part.
    std::size_t touched() const noexcept { return copied_ + sizeof(std::uint64_t); }

    /// The template and its plain fields. Returns the message's length.
    std::size_t write(std::size_t variant, const OrderValues& values,
                      std::byte* out) const noexcept {
        const std::byte* from = bytes_.data() + variant * copied_;
        std::memcpy(out, from, kStep);
        for (std::size_t at = kStep; at < copied_; at += kStep) {
            std::memcpy(out + at, from + at, kStep);
        }
        const Place* place = places_.data() + variant * places_each_;
        for (std::size_t n = counts_[0]; n > 0; --n, ++place) {
            put(out + place->at, value(values, *place));
        }
        for (std::size_t n = counts_[1]; n > 0; --n, ++place) {
            put(out + place->at, static_cast<std::uint32_t>(value(values, *place)));
        }
        for (std::size_t n = counts_[2]; n > 0; --n, ++place) {
            put(out + place->at, swapped(value(values, *place)));
        }
        for (std::size_t n = counts_[3]; n > 0; --n, ++place) {
            put(out + place->at, swapped(static_cast<std::uint32_t>(value(values, *place))));
        }
        return lengths_[variant];
    }

private:
    static constexpr std::size_t kStep = 64;  ///< most messages are no longer
    static constexpr std::size_t kLongest = 256;
    static constexpr std::size_t kKinds = 4;  ///< the plain ones, in the order of PatchKind

    /// Where one of an order's numbers goes.
    struct Place {
        std::uint16_t at;
        Source source;
    };

    static std::uint64_t value(const OrderValues& values, const Place& place) noexcept {
        return static_cast<std::uint64_t>(values[static_cast<std::size_t>(place.source)]);
    }
    template <class Unsigned>
    static void put(std::byte* out, Unsigned value) noexcept {
        std::memcpy(out, &value, sizeof value);
    }

    bool usable_ = false;
    std::size_t copied_ = 0;       ///< bytes of each template
    std::size_t places_each_ = 0;  ///< of each template, kind by kind
    std::array<std::size_t, kKinds> counts_{};
    std::array<std::size_t, kVariants> lengths_{};
    std::vector<std::byte> bytes_;
    std::vector<Place> places_;
};

}  // namespace cluster::protocol
