// Finds a living order by its session and id.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "engine/order.h"

namespace cluster::engine {

/// An open-addressing hash table with linear probing and no tombstones.
///
/// It holds slots of an OrderPool beside 32 bits of each hash, so that a probe touches the order
/// itself only when it is (almost certainly) the one meant. Doubles when half full: its size
/// follows the orders that live together, which keeps it in the cache; nothing else here allocates.
class OrderIndex {
public:
    explicit OrderIndex(const OrderPool& orders) : orders_(orders), entries_(kSizeAtFirst) {}

    /// The slot of the living order, or kNoOrder.
    OrderSlot find(SessionId session, std::uint64_t id) const noexcept {
        const std::uint32_t hash = hash_of(session, id);
        for (std::size_t at = home(hash);; at = next(at)) {
            const Entry& entry = entries_[at];
            if (entry.slot == kNoOrder) {
                return kNoOrder;
            }
            if (entry.hash == hash && orders_[entry.slot].id == id &&
                orders_[entry.slot].session == session) {
                return entry.slot;
            }
        }
    }

    /// Enters the order in `slot`, whose session and id are not in the index yet.
    void insert(OrderSlot slot) {
        if (2 * (living_ + 1) > entries_.size()) {
            grow();
        }
        ++living_;
        place({slot, hash_of(orders_[slot].session, orders_[slot].id)});
    }

    /// Takes out the order in `slot`, which must be in the index.
    void erase(OrderSlot slot) noexcept {
        std::size_t hole = home(hash_of(orders_[slot].session, orders_[slot].id));
        while (entries_[hole].slot != slot) {
            hole = next(hole);
        }
        close_gap(hole);
        --living_;
    }

    std::size_t living() const noexcept { return living_; }

private:
    struct Entry {
        OrderSlot slot = kNoOrder;
        std::uint32_t hash = 0;
    };
    static constexpr std::size_t kSizeAtFirst = 4096;

    static std::uint32_t hash_of(SessionId session, std::uint64_t id) noexcept {
        std::uint64_t value = id ^ (std::uint64_t{session} << 40 | session);
        value *= 0x9E3779B97F4A7C15;
        value ^= value >> 32;
        value *= 0xD6E8FEB86659FD93;
        return static_cast<std::uint32_t>(value >> 32);
    }

    std::size_t home(std::uint32_t hash) const noexcept { return hash & (entries_.size() - 1); }
    std::size_t next(std::size_t at) const noexcept { return (at + 1) & (entries_.size() - 1); }

    void place(Entry entry) noexcept {
        std::size_t at = home(entry.hash);
        while (entries_[at].slot != kNoOrder) {
            at = next(at);
        }
        entries_[at] = entry;
    }

    /// Moves later entries of the run back, so that every probe still meets no hole before its
    /// goal.
    void close_gap(std::size_t hole) noexcept {
        const std::size_t mask = entries_.size() - 1;
        for (std::size_t at = next(hole); entries_[at].slot != kNoOrder; at = next(at)) {
            const std::size_t distance_from_home = (at - home(entries_[at].hash)) & mask;
            if (distance_from_home >= ((at - hole) & mask)) {
                entries_[hole] = entries_[at];
                hole = at;
            }
        }
        entries_[hole] = {};
    }

    void grow() {
        const std::vector<Entry> old =
            std::exchange(entries_, std::vector<Entry>(2 * entries_.size()));
        for (const Entry& entry : old) {
            if (entry.slot != kNoOrder) {
                place(entry);
            }
        }
    }

    const OrderPool& orders_;
    std::vector<Entry> entries_;
    std::size_t living_ = 0;
};

}  // namespace cluster::engine
