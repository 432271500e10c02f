// The symbols of protocols that name them by text, and the price of a tick.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace cluster::engine {

/// A tick is 0.01 of whatever the prices are in.
inline constexpr std::int64_t kTicksPerUnit = 100;

/// The number of a symbol: letters, then digits, and the digits are the number. The letters only
/// say how the client likes to call it: A7 and B007 are one symbol. Nothing for any other text.
inline std::optional<std::uint32_t> symbol_number(std::string_view text) noexcept {
    const auto is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
    std::size_t letters = 0;
    while (letters < text.size() && is_letter(text[letters])) {
        ++letters;
    }
    std::uint32_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data() + letters, end, number);
    if (letters == 0 || error != std::errc{} || stopped != end) {
        return std::nullopt;
    }
    return number;
}

}  // namespace cluster::engine
