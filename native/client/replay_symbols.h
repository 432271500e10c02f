// The symbols of a file: their numbers, their texts, and the connection each belongs to.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "client/random.h"

namespace cluster {

/// FNV-1a of the bytes, mixed: the same on every host and in every version. Never 0 but for none.
inline std::uint64_t stable_hash(std::string_view text) noexcept {
    if (text.empty()) return 0;
    std::uint64_t hash = 0xCBF2'9CE4'8422'2325;
    for (const char byte : text) {
        hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100'0000'01B3;
    }
    const std::uint64_t well_mixed = mixed(hash);
    return well_mixed == 0 ? 1 : well_mixed;
}

/// Symbols in the order of their first appearance in the file: its place there is a symbol's index.
///
/// One thread adds; any thread may read what `size` covers. Texts never move.
class ReplaySymbols {
public:
    struct Symbol {
        std::string text;          ///< as in the file; a number in decimal
        std::uint32_t number;      ///< in requests: the index, or the file's own integer
        std::uint64_t key;         ///< stable_hash of the text
        std::uint32_t connection;  ///< of all agents' connections
    };

    /// `connections` of all agents together.
    ReplaySymbols(std::uint32_t most, std::uint32_t connections) : connections_(connections) {
        symbols_.reserve(most);
    }

    /// False when there is no room for another.
    bool add(std::string text, std::uint32_t number) {
        if (symbols_.size() == symbols_.capacity()) return false;
        const std::uint64_t key = stable_hash(text);
        symbols_.push_back(
            {std::move(text), number, key, static_cast<std::uint32_t>(key % connections_)});
        size_.store(symbols_.size(), std::memory_order_release);
        return true;
    }

    std::size_t size() const noexcept { return size_.load(std::memory_order_acquire); }
    const Symbol& operator[](std::size_t index) const noexcept { return symbols_.data()[index]; }

private:
    std::uint32_t connections_;
    std::vector<Symbol> symbols_;
    std::atomic<std::size_t> size_ = 0;
};

}  // namespace cluster
