// Orders that may still be in the engine's book, for protocols whose replies name the order.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace cluster {

/// One order as far as its replies have told.
struct LivingOrder {
    std::uint64_t sequence = 0;  ///< of the request that entered it, plus 1; 0: an empty place
    std::uint64_t pending = 0;   ///< the request that acts on it and is not answered, plus 1
    std::uint64_t replaces = 0;  ///< the order that it is to replace, plus 1
    std::int64_t open = 0;       ///< size not executed yet
};

/// A bounded hash table by sequence number: open addressing, deletion by shifting back (Knuth,
/// The Art of Computer Programming 3, 6.4, algorithm R). Allocates nothing after construction.
class LivingOrders {
public:
    /// Room for `orders` at once.
    explicit LivingOrders(std::size_t orders)
        : places_(orders == 0 ? 0 : std::bit_ceil(2 * orders)), room_(orders) {}

    /// False when it has no room: the order is then not known.
    bool add(std::uint64_t sequence, std::int64_t size) noexcept {
        if (used_ == room_) {
            has_forgotten_ = true;
            return false;
        }
        std::size_t at = home(sequence + 1);
        while (places_[at].sequence != 0) at = next(at);
        places_[at] = {sequence + 1, 0, 0, size};
        ++used_;
        return true;
    }

    LivingOrder* find(std::uint64_t sequence) noexcept {
        if (places_.empty()) return nullptr;
        for (std::size_t at = home(sequence + 1); places_[at].sequence != 0; at = next(at)) {
            if (places_[at].sequence == sequence + 1) return &places_[at];
        }
        return nullptr;
    }

    /// Whether the order may be alive: it is known, or some had no room here.
    bool may_live(std::uint64_t sequence) noexcept {
        return has_forgotten_ || find(sequence) != nullptr;
    }

    void erase(std::uint64_t sequence) noexcept {
        const LivingOrder* found = find(sequence);
        if (found == nullptr) return;
        auto hole = static_cast<std::size_t>(found - places_.data());
        for (std::size_t at = next(hole); places_[at].sequence != 0; at = next(at)) {
            // It may move into the hole unless its home lies behind the hole.
            const std::size_t wanted = home(places_[at].sequence);
            const bool stays =
                hole <= at ? (hole < wanted && wanted <= at) : (hole < wanted || wanted <= at);
            if (stays) continue;
            places_[hole] = places_[at];
            hole = at;
        }
        places_[hole] = {};
        --used_;
    }

    std::size_t size() const noexcept { return used_; }

private:
    std::size_t home(std::uint64_t key) const noexcept {
        // Fibonacci hashing: sequence numbers come in rows.
        return static_cast<std::size_t>((key * 0x9E3779B97F4A7C15) >> 32) & (places_.size() - 1);
    }
    std::size_t next(std::size_t at) const noexcept { return (at + 1) & (places_.size() - 1); }

    std::vector<LivingOrder> places_;
    std::size_t room_;
    std::size_t used_ = 0;
    bool has_forgotten_ = false;
};

}  // namespace cluster
