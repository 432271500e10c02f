#include "client/interval.h"

namespace cluster {
namespace {

SparseHistogram sparse(const Histogram<std::uint32_t>& histogram) {
    SparseHistogram result;
    const auto& counts = histogram.counts();
    for (std::size_t index = 0; index < counts.size(); ++index) {
        if (counts[index] == 0) continue;
        result.indices.push_back(static_cast<std::uint32_t>(index));
        result.counts.push_back(counts[index]);
    }
    return result;
}

}  // namespace

void IntervalSet::clear() noexcept {
    books = {};
    response.clear();
    service.clear();
    send_lag.clear();
    engine.clear();
    other_reply.clear();
}

Interval keep(const IntervalSet& set) {
    return {set.index,
            set.books,
            sparse(set.response),
            sparse(set.service),
            sparse(set.send_lag),
            sparse(set.engine),
            sparse(set.other_reply)};
}

IntervalChannel::IntervalChannel() {
    for (std::size_t i = 0; i < kSets; ++i) {
        // Value-initialised: its pages are touched here and not by the first orders.
        sets_.push_back(std::make_unique<IntervalSet>());
        free_.push(sets_.back().get());
    }
}

IntervalSet* IntervalChannel::take_free() noexcept {
    IntervalSet* set = nullptr;
    free_.pop(set);
    return set;
}

void IntervalChannel::hand_over(IntervalSet* set) noexcept {
    complete_.push(set);
}

void IntervalChannel::collect(std::vector<Interval>& intervals) {
    for (IntervalSet* set = nullptr; complete_.pop(set);) {
        intervals.push_back(keep(*set));
        set->clear();
        free_.push(set);
    }
}

}  // namespace cluster
