// Which of a file's orders are living, and which request of their connection entered them.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace cluster {

/// A hash map from an order's key to a number, in bounded memory.
///
/// A file says which orders were cancelled, not which were filled, so the map would grow with the
/// file. It remembers at least the `most` orders entered last and at most twice as many: two tables
/// of one size; when the young one is full, the old one is forgotten and takes its place. Keys
/// are taken to be well mixed.
class ReplayLives {
public:
    explicit ReplayLives(std::uint32_t most)
        : most_(std::max(most, 1U)), young_(std::max(most, 1U)), old_(std::max(most, 1U)) {}

    /// Enters an order; one of the same key is forgotten.
    void enter(std::uint64_t key, std::uint64_t number) {
        forget(key);
        if (young_.size() == most_) {
            std::swap(young_, old_);
            young_.clear();
        }
        young_.put(key, number);
    }

    std::optional<std::uint64_t> find(std::uint64_t key) const noexcept {
        const auto young = young_.find(key);
        return young ? young : old_.find(key);
    }

    void forget(std::uint64_t key) noexcept {
        if (!young_.erase(key)) old_.erase(key);
    }

    void clear() noexcept {
        young_.clear();
        old_.clear();
    }

private:
    /// Open addressing, at most half full.
    class Table {
    public:
        explicit Table(std::uint32_t most) : slots_(std::bit_ceil(std::size_t{most} * 2)) {}

        std::size_t size() const noexcept { return size_; }

        void put(std::uint64_t key, std::uint64_t number) noexcept {
            std::size_t at = home(key);
            while (slots_[at].number_plus_1 != 0) at = after(at);
            slots_[at] = {key, number + 1};
            ++size_;
        }

        std::optional<std::uint64_t> find(std::uint64_t key) const noexcept {
            const std::size_t at = place_of(key);
            if (slots_[at].number_plus_1 == 0) return std::nullopt;
            return slots_[at].number_plus_1 - 1;
        }

        bool erase(std::uint64_t key) noexcept {
            std::size_t hole = place_of(key);
            if (slots_[hole].number_plus_1 == 0) return false;
            --size_;
            // What was pushed past the hole moves back, so that no search ends too early.
            for (std::size_t at = after(hole); slots_[at].number_plus_1 != 0; at = after(at)) {
                const std::size_t wanted = home(slots_[at].key);
                if (((at - wanted) & mask()) < ((at - hole) & mask())) continue;
                slots_[hole] = slots_[at];
                hole = at;
            }
            slots_[hole] = {};
            return true;
        }

        void clear() noexcept {
            if (size_ > 0) std::fill(slots_.begin(), slots_.end(), Slot{});
            size_ = 0;
        }

    private:
        struct Slot {
            std::uint64_t key = 0;
            std::uint64_t number_plus_1 = 0;  ///< 0: the slot is free
        };

        std::size_t mask() const noexcept { return slots_.size() - 1; }
        std::size_t home(std::uint64_t key) const noexcept { return key & mask(); }
        std::size_t after(std::size_t at) const noexcept { return (at + 1) & mask(); }

        /// Where the key is, or the free slot that ends the search for it.
        std::size_t place_of(std::uint64_t key) const noexcept {
            std::size_t at = home(key);
            while (slots_[at].number_plus_1 != 0 && slots_[at].key != key) at = after(at);
            return at;
        }

        std::vector<Slot> slots_;
        std::size_t size_ = 0;
    };

    std::size_t most_;
    Table young_;
    Table old_;
};

}  // namespace cluster
