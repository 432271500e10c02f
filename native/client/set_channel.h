// Sets of counts on their way from the worker that fills them to the collector, and back.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "client/spsc_queue.h"

namespace cluster {

/// Between one worker and the collector, without locks.
///
/// A set is made before the start and used again and again. `Set` has `clear()`, and `keep(set)`
/// gives what is kept of it.
template <class Set, std::size_t kSetCount>
class SetChannel {
public:
    static constexpr std::size_t kSets = kSetCount;
    using Kept = decltype(keep(std::declval<const Set&>()));

    SetChannel() {
        for (auto& set : sets_) {
            // Value-initialised: its pages are touched here and not by the first orders.
            set = std::make_unique<Set>();
            free_.push(set.get());
        }
    }

    /// For the worker: an empty set, or nullptr when all are in use.
    Set* take_free() noexcept {
        Set* set = nullptr;
        free_.pop(set);
        return set;
    }

    /// For the worker: a set to which nothing is added any more.
    void hand_over(Set* set) noexcept { complete_.push(set); }

    /// For the collector: appends what the worker has handed over, and gives the sets back empty.
    void collect(std::vector<Kept>& kept) {
        for (Set* set = nullptr; complete_.pop(set);) {
            kept.push_back(keep(*set));
            set->clear();
            free_.push(set);
        }
    }

private:
    std::array<std::unique_ptr<Set>, kSets> sets_;
    SpscQueue<Set*, kSets> complete_;
    SpscQueue<Set*, kSets> free_;
};

}  // namespace cluster
