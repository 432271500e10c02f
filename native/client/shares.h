// How a number of things is dealt out evenly.
#pragma once

#include <algorithm>
#include <cstdint>

namespace cluster {

/// `total` dealt out evenly; the first shares are larger by one where it does not divide.
constexpr std::uint32_t share(std::uint32_t total, std::uint32_t parts, std::uint32_t part) {
    return total / parts + (part < total % parts ? 1 : 0);
}

/// Where part `part` begins.
constexpr std::uint32_t share_begin(std::uint32_t total, std::uint32_t parts, std::uint32_t part) {
    return part * (total / parts) + std::min(part, total % parts);
}

}  // namespace cluster
