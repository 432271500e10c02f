// Checksums over a span of a message.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "protocol/message.h"

namespace cluster::protocol {

namespace detail {

/// The table of a reflected CRC-32 with that polynomial.
constexpr std::array<std::uint32_t, 256> crc_table(std::uint32_t polynomial) noexcept {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t value = 0; value < 256; ++value) {
        std::uint32_t crc = value;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
        table[value] = crc;
    }
    return table;
}

inline constexpr auto kCrc32Table = crc_table(0xEDB88320);   // ISO 3309, as in zlib
inline constexpr auto kCrc32cTable = crc_table(0x82F63B78);  // Castagnoli, as in iSCSI (RFC 3720)

constexpr std::uint32_t crc(std::span<const std::byte> bytes,
                            const std::array<std::uint32_t, 256>& table) noexcept {
    std::uint32_t crc = 0xFFFFFFFF;
    for (const std::byte byte : bytes) {
        crc = (crc >> 8) ^ table[(crc ^ static_cast<std::uint32_t>(byte)) & 0xFF];
    }
    return ~crc;
}

/// RFC 1950.
constexpr std::uint32_t adler32(std::span<const std::byte> bytes) noexcept {
    constexpr std::uint32_t kPrime = 65'521;
    std::uint32_t a = 1;
    std::uint32_t b = 0;
    for (const std::byte byte : bytes) {
        a = (a + static_cast<std::uint32_t>(byte)) % kPrime;
        b = (b + a) % kPrime;
    }
    return (b << 16) | a;
}

}  // namespace detail

constexpr std::uint32_t checksum(ChecksumKind kind, std::span<const std::byte> bytes) noexcept {
    std::uint32_t value = 0;
    switch (kind) {
        case ChecksumKind::kSum256:
            for (const std::byte byte : bytes) value += static_cast<std::uint32_t>(byte);
            return value & 0xFF;
        case ChecksumKind::kXor8:
            for (const std::byte byte : bytes) value ^= static_cast<std::uint32_t>(byte);
            return value;
        case ChecksumKind::kCrc32: return detail::crc(bytes, detail::kCrc32Table);
        case ChecksumKind::kCrc32c: return detail::crc(bytes, detail::kCrc32cTable);
        case ChecksumKind::kAdler32: return detail::adler32(bytes);
    }
    return value;
}

}  // namespace cluster::protocol
