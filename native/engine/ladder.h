// The price levels of one side of a book, and which of them is best.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>

#include "engine/order.h"

namespace cluster::engine {

/// The queue of orders at one price, the earliest first.
struct Level {
    OrderSlot first = kNoOrder;
    OrderSlot last = kNoOrder;
};

/// Levels by key, where the larger key is the better price (a book gives its asks as -price).
///
/// Keys near each other lie in a window indexed by tick, with a bit per occupied level, so that the
/// best is two instructions away; keys outside lie in a sorted map, correct at any price and
/// slower. A key is in one of the two only. The window moves to a key that misses it when it is
/// empty, or when it has been missed a thousand times.
class Ladder {
public:
    static constexpr std::int64_t kTicks = 1024;

    bool empty() const noexcept { return words_in_use_ == 0 && far_.empty(); }

    /// The best occupied key. Only when not empty().
    std::int64_t best_key() const noexcept {
        if (words_in_use_ == 0) {
            return far_.rbegin()->first;
        }
        const std::int64_t near = best_in_window();
        return far_.empty() || near > far_.rbegin()->first ? near : far_.rbegin()->first;
    }

    /// The level of an occupied key.
    Level& at(std::int64_t key) noexcept {
        return in_window(key) ? window_[offset(key)] : far_.find(key)->second;
    }

    /// The level of `key`, occupied from now on.
    Level& open(std::int64_t key) {
        if (!in_window(key)) {
            if (words_in_use_ != 0 && ++missed_ < kTicks) {
                return far_[key];
            }
            move_window(key);
        }
        mark(offset(key));
        return window_[offset(key)];
    }

    /// Forgets a key whose level has no orders any more.
    void close(std::int64_t key) noexcept {
        if (in_window(key)) {
            unmark(offset(key));
        } else {
            far_.erase(key);
        }
    }

    /// Every occupied key from best to worst: for tests, slow.
    template <class Visit>
    void for_each_key(Visit visit) const {
        std::map<std::int64_t, int> keys;
        for (const auto& [key, level] : far_) {
            keys[key] = 0;
        }
        for (std::size_t tick = 0; tick < kTicks; ++tick) {
            if ((occupied_[tick / 64] >> (tick % 64) & 1) != 0) {
                keys[base_ + static_cast<std::int64_t>(tick)] = 0;
            }
        }
        for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
            visit(key->first);
        }
    }

private:
    // Unsigned arithmetic: the distance of two keys need not fit in an int64.
    std::size_t offset(std::int64_t key) const noexcept {
        return static_cast<std::uint64_t>(key) - static_cast<std::uint64_t>(base_);
    }
    bool in_window(std::int64_t key) const noexcept { return offset(key) < kTicks; }

    std::int64_t best_in_window() const noexcept {
        const auto word = static_cast<std::size_t>(63 - std::countl_zero(words_in_use_));
        const int bit = 63 - std::countl_zero(occupied_[word]);
        return base_ + (static_cast<std::int64_t>(word) * 64 + bit);
    }

    void mark(std::size_t tick) noexcept {
        occupied_[tick / 64] |= std::uint64_t{1} << (tick % 64);
        words_in_use_ |= std::uint64_t{1} << (tick / 64);
    }

    void unmark(std::size_t tick) noexcept {
        occupied_[tick / 64] &= ~(std::uint64_t{1} << (tick % 64));
        if (occupied_[tick / 64] == 0) {
            words_in_use_ &= ~(std::uint64_t{1} << (tick / 64));
        }
    }

    void move_window(std::int64_t key);

    std::int64_t base_ = 0;           ///< key of the window's first tick
    std::uint64_t words_in_use_ = 0;  ///< bit i: occupied_[i] has a bit set
    std::int64_t missed_ = 0;         ///< levels opened outside the window since it moved
    std::array<std::uint64_t, kTicks / 64> occupied_{};
    std::array<Level, kTicks> window_{};
    std::map<std::int64_t, Level> far_;
};

}  // namespace cluster::engine
