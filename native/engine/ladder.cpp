#include "engine/ladder.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace cluster::engine {

void Ladder::move_window(std::int64_t key) {
    using Limits = std::numeric_limits<std::int64_t>;
    while (words_in_use_ != 0) {
        const std::int64_t best = best_in_window();
        far_[best] = std::exchange(window_[offset(best)], {});
        unmark(offset(best));
    }
    // At the ends of int64 the window stays whole and the key lies off its centre.
    base_ =
        std::clamp(key, Limits::min() + kTicks / 2, Limits::max() - kTicks / 2 + 1) - kTicks / 2;
    missed_ = 0;
    for (auto entry = far_.lower_bound(base_); entry != far_.end() && in_window(entry->first);) {
        window_[offset(entry->first)] = entry->second;
        mark(offset(entry->first));
        entry = far_.erase(entry);
    }
}

}  // namespace cluster::engine
