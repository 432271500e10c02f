#include "client/over_time.h"

namespace cluster {

SparseSlots sparse(const SlotCounts& slots) {
    SparseSlots result{slots.due, slots.response_sum_ns, {}, {}};
    for (std::size_t slot = 0; slot < kSlotsPerS; ++slot) {
        for (std::size_t bucket = 0; bucket < CoarseLayout::kLen; ++bucket) {
            const std::uint32_t count = slots.response[slot][bucket];
            if (count == 0) continue;
            result.places.push_back(static_cast<std::uint16_t>(slot * CoarseLayout::kLen + bucket));
            result.counts.push_back(count);
        }
    }
    return result;
}

}  // namespace cluster
