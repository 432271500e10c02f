#include "client/interval.h"

namespace cluster {

void IntervalSet::clear() noexcept {
    books = {};
    slots = {};
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
            sparse(set.other_reply),
            sparse(set.slots)};
}

}  // namespace cluster
