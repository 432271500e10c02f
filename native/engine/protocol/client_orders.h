// A session's orders: found by the text that their client calls them, and by the books' numbers.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace cluster::engine {

/// A short text without memory of its own.
template <std::size_t kSize>
class ShortText {
public:
    ShortText() = default;
    /// Keeps the first `kSize` characters.
    explicit ShortText(std::string_view text) noexcept
        : size_(static_cast<std::uint8_t>(std::min(text.size(), kSize))) {
        static_assert(kSize < 256);
        std::copy_n(text.begin(), size_, text_.begin());
    }
    std::string_view view() const noexcept { return {text_.data(), size_}; }

private:
    std::array<char, kSize> text_{};
    std::uint8_t size_ = 0;
};

/// What a session remembers of its living orders and of its requests that are on their way.
///
/// An `Entry` has a name(), by which it is found while it lives; an empty one is none. Its number
/// is what the books know it by: the slot in the lower half, so that finding it is a look into an
/// array, and a count in the upper, so that a number does not come again soon.
///
/// What is forgotten gives its room to the next, so memory follows what lives together. Entries
/// move when another is added: a reference holds until then.
template <class Entry>
class ClientOrders {
public:
    /// Enters an entry whose name is not in use and returns its number.
    std::uint64_t add(const Entry& entry) {
        std::uint32_t slot = free_;
        if (slot == kNone) {
            slot = static_cast<std::uint32_t>(slots_.size());
            slots_.emplace_back();
        } else {
            free_ = slots_[slot].next_free;
        }
        count_ += count_ == kCountMax ? 2 : 1;  // 0 is none, also after it has gone round
        slots_[slot] = {entry, std::uint64_t{count_} << 32 | slot, kNone};
        if (!entry.name().empty()) {
            insert(slot);
        }
        return slots_[slot].number;
    }

    /// Nothing when it has been forgotten.
    Entry* find(std::uint64_t number) noexcept {
        const auto slot = static_cast<std::uint32_t>(number);
        return slot < slots_.size() && slots_[slot].number == number ? &slots_[slot].entry
                                                                     : nullptr;
    }

    /// The number of the entry with this name; 0 when there is none.
    std::uint64_t number_of(std::string_view name) const noexcept {
        if (index_.empty()) {
            return 0;
        }
        const std::uint32_t hash = hash_of(name);
        for (std::size_t at = home(hash); index_[at].slot != kNone; at = next(at)) {
            if (index_[at].hash == hash && slots_[index_[at].slot].entry.name() == name) {
                return slots_[index_[at].slot].number;
            }
        }
        return 0;
    }

    void forget(std::uint64_t number) noexcept {
        if (find(number) == nullptr) {
            return;
        }
        const auto slot = static_cast<std::uint32_t>(number);
        if (!slots_[slot].entry.name().empty()) {
            erase(slot);
        }
        slots_[slot].number = 0;
        slots_[slot].next_free = std::exchange(free_, slot);
    }

    /// How many there is room for without more memory: for tests.
    std::size_t room() const noexcept { return slots_.size(); }

private:
    static constexpr std::uint32_t kNone = ~std::uint32_t{0};
    static constexpr std::uint32_t kCountMax = ~std::uint32_t{0};

    struct Slot {
        Entry entry{};
        std::uint64_t number = 0;  ///< 0: free
        std::uint32_t next_free = kNone;
    };
    struct Place {
        std::uint32_t slot = kNone;
        std::uint32_t hash = 0;
    };

    static std::uint32_t hash_of(std::string_view name) noexcept {
        std::uint64_t value = 0xCBF29CE484222325;
        for (const char letter : name) {
            value = (value ^ static_cast<std::uint8_t>(letter)) * 0x100000001B3;
        }
        return static_cast<std::uint32_t>(value ^ value >> 32);
    }

    std::size_t home(std::uint32_t hash) const noexcept { return hash & (index_.size() - 1); }
    std::size_t next(std::size_t at) const noexcept { return (at + 1) & (index_.size() - 1); }

    void insert(std::uint32_t slot) {
        if (2 * (named_ + 1) > index_.size()) {
            const std::vector<Place> old = std::exchange(
                index_, std::vector<Place>(std::max<std::size_t>(64, 2 * index_.size())));
            for (const Place& place : old) {
                if (place.slot != kNone) {
                    put(place);
                }
            }
        }
        ++named_;
        put({slot, hash_of(slots_[slot].entry.name())});
    }

    void put(Place place) noexcept {
        std::size_t at = home(place.hash);
        while (index_[at].slot != kNone) {
            at = next(at);
        }
        index_[at] = place;
    }

    /// Later places of the run move back, so that a search still meets no hole before its goal.
    void erase(std::uint32_t slot) noexcept {
        std::size_t hole = home(hash_of(slots_[slot].entry.name()));
        while (index_[hole].slot != slot) {
            hole = next(hole);
        }
        for (std::size_t at = next(hole); index_[at].slot != kNone; at = next(at)) {
            const std::size_t distance_from_home =
                (at - home(index_[at].hash)) & (index_.size() - 1);
            if (distance_from_home >= ((at - hole) & (index_.size() - 1))) {
                index_[hole] = index_[at];
                hole = at;
            }
        }
        index_[hole] = {};
        --named_;
    }

    std::vector<Slot> slots_;
    std::vector<Place> index_;  ///< open addressing with linear probing, at most half full
    std::size_t named_ = 0;
    std::uint32_t free_ = kNone;
    std::uint32_t count_ = 0;
};

}  // namespace cluster::engine
