// Numbers as bytes of any width and order, and as text of any base.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "protocol/message.h"

namespace cluster::protocol {

static_assert(std::endian::native == std::endian::little, "loads and stores below rely on it");

template <class Unsigned>
Unsigned swapped(Unsigned value) noexcept {
    if constexpr (sizeof value == 8) {
        return __builtin_bswap64(value);
    } else {
        return __builtin_bswap32(value);
    }
}

/// Writes the low `width` bytes, 1 to 8.
inline void store_int(std::byte* out, std::size_t width, Order order,
                      std::uint64_t value) noexcept {
    if (order == Order::kBig) value = swapped(value) >> (64 - 8 * width);
    std::memcpy(out, &value, width);
}

/// Reads `width` bytes, 1 to 8.
inline std::uint64_t load_unsigned(const std::byte* in, std::size_t width, Order order) noexcept {
    std::uint64_t value = 0;
    std::memcpy(&value, in, width);
    return order == Order::kLittle ? value : swapped(value) >> (64 - 8 * width);
}

/// The same with `readable` bytes there, `width` at least: with eight, no loop over single bytes.
inline std::uint64_t load_unsigned(const std::byte* in, std::size_t readable, std::size_t width,
                                   Order order) noexcept {
    if (readable < sizeof(std::uint64_t)) [[unlikely]]
        return load_unsigned(in, width, order);
    const auto unused = static_cast<unsigned>(64 - 8 * width);
    std::uint64_t value = 0;
    std::memcpy(&value, in, sizeof value);
    return order == Order::kLittle ? value << unused >> unused : swapped(value) >> unused;
}

inline std::int64_t load_signed(const std::byte* in, std::size_t width, Order order) noexcept {
    const auto unused = static_cast<unsigned>(64 - 8 * width);
    return static_cast<std::int64_t>(load_unsigned(in, width, order) << unused) >> unused;
}

inline constexpr char kDigits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// The value of a digit, or 36 for what is none.
constexpr std::uint32_t digit_of(std::byte character) noexcept {
    const auto c = static_cast<unsigned char>(character);
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'Z') return c - 'A' + 10U;
    if (c >= 'a' && c <= 'z') return c - 'a' + 10U;
    return 36;
}

/// Writes digits, and a point before the last `decimals` of them, backwards from `end`. Returns
/// where they begin.
template <class Base>
inline char* put_digits(char* end, std::uint64_t value, Base base, int decimals) noexcept
    __attribute__((always_inline));
template <class Base>
inline char* put_digits(char* end, std::uint64_t value, Base base, int decimals) noexcept {
    int written = 0;
    do {
        *--end = kDigits[value % base];
        value /= base;
        if (++written == decimals) *--end = '.';
    } while (value != 0 || written <= decimals);
    return end;
}

/// Writes a number as text over exactly `width` bytes. Digits that have no room are cut off at
/// the left: what may be written is checked before, against Plan::limits.
inline void store_digits(std::byte* out, std::size_t width, const Digits& form,
                         std::int64_t value) noexcept {
    char text[80];  // 64 digits, a point, a sign, leading zeros of a fraction
    char* const end = text + sizeof text;
    char* begin = end;
    const bool is_negative = value < 0;
    auto rest = static_cast<std::uint64_t>(value);
    if (is_negative) rest = 0 - rest;
    // A base known when it is compiled needs no division.
    begin = form.base == 10 ? put_digits(begin, rest, 10U, form.decimals)
                            : put_digits(begin, rest, form.base, form.decimals);
    const auto size_without_sign = static_cast<std::size_t>(end - begin);
    // Zeros stand between the sign and the digits, other padding before the sign.
    const bool zeros = form.justify == Justify::kRight && form.pad == '0';
    if (is_negative && !zeros) *--begin = '-';
    const std::size_t size = std::min(static_cast<std::size_t>(end - begin), width);
    if (form.justify == Justify::kLeft) {
        std::memcpy(out,
                    end - static_cast<std::ptrdiff_t>(size_without_sign + (is_negative ? 1 : 0)),
                    size);
        std::memset(out + size, form.pad, width - size);
        return;
    }
    std::memset(out, form.pad, width - size);
    std::memcpy(out + (width - size), end - static_cast<std::ptrdiff_t>(size), size);
    if (is_negative && zeros && size < width) out[0] = std::byte{'-'};
}

/// Reads a number of text: pads at both ends and one sign are skipped. Nothing when there is
/// another character, no digit, or more than 64 bits.
inline std::optional<std::int64_t> load_digits(std::span<const std::byte> text,
                                               const Digits& form) noexcept {
    const auto pad = static_cast<std::byte>(form.pad);
    std::size_t at = 0;
    std::size_t end = text.size();
    while (at < end && (text[at] == pad || text[at] == std::byte{' '})) ++at;
    while (end > at && form.pad != '0' && text[end - 1] == pad) --end;
    while (end > at && text[end - 1] == std::byte{' '}) --end;
    if (at == end) {  // all padding: zeros are a number, spaces are none
        const bool is_zero = form.pad == '0' && std::ranges::find(text, pad) != text.end();
        return is_zero ? std::optional<std::int64_t>(0) : std::nullopt;
    }
    const bool is_negative = text[at] == std::byte{'-'};
    if (is_negative || text[at] == std::byte{'+'}) ++at;
    if (at == end) return std::nullopt;
    std::uint64_t value = 0;
    int decimals = -1;  // digits behind the point, -1 before it
    for (; at < end; ++at) {
        if (text[at] == std::byte{'.'} && decimals < 0) {
            decimals = 0;
            continue;
        }
        const std::uint32_t digit = digit_of(text[at]);
        if (digit >= form.base) return std::nullopt;
        if (decimals >= form.decimals) continue;  // finer than asked for
        if (decimals >= 0) ++decimals;
        if (__builtin_mul_overflow(value, std::uint64_t{form.base}, &value) ||
            __builtin_add_overflow(value, std::uint64_t{digit}, &value)) {
            return std::nullopt;
        }
    }
    for (int have = std::max(decimals, 0); have < form.decimals; ++have) {
        if (__builtin_mul_overflow(value, std::uint64_t{form.base}, &value)) return std::nullopt;
    }
    return static_cast<std::int64_t>(is_negative ? 0 - value : value);
}

/// Writes a length or checksum.
inline void store(std::byte* out, const NumberFormat& format, std::uint64_t value) noexcept {
    if (format.is_text) {
        store_digits(out, format.width, format.digits, static_cast<std::int64_t>(value));
    } else {
        store_int(out, format.width, format.order, value);
    }
}

}  // namespace cluster::protocol
