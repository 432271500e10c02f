// Numbers as some protocols want them: the most significant byte first, at any address.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace cluster {

/// A number in a message that is copied as it is; reads and is assigned like a `Number`.
template <class Number>
class BigEndian {
public:
    constexpr BigEndian() noexcept = default;
    constexpr BigEndian(Number value) noexcept {
        for (std::size_t at = 0; at < sizeof(Number); ++at) {
            bytes_[at] = static_cast<std::uint8_t>(value >> (8 * (sizeof(Number) - 1 - at)));
        }
    }
    constexpr operator Number() const noexcept {
        Number value = 0;
        for (const std::uint8_t byte : bytes_) {
            value = static_cast<Number>(value << 8 | byte);
        }
        return value;
    }

private:
    std::array<std::uint8_t, sizeof(Number)> bytes_{};
};

/// Text of a fixed length, padded with spaces: on the right, where the protocol says nothing else.
template <std::size_t kSize>
using Alpha = std::array<char, kSize>;

}  // namespace cluster
