#include "client/activity.h"

namespace cluster {

void ActivitySet::clear() noexcept {
    sent_per_ms.fill(0);
    in_flight_order_ns.fill(0);
    sampled = 0;
    sample_cut = false;
    poll_gap.clear();
    kernel_send.clear();
    kernel_receive.clear();
}

Activity keep(const ActivitySet& set) {
    const auto sampled = static_cast<std::ptrdiff_t>(set.sampled);
    return {set.index,
            {set.sent_per_ms.begin(), set.sent_per_ms.end()},
            {set.in_flight_order_ns.begin(), set.in_flight_order_ns.end()},
            {set.send_sample_ns.begin(), set.send_sample_ns.begin() + sampled},
            set.sample_cut,
            sparse(set.poll_gap),
            sparse(set.kernel_send),
            sparse(set.kernel_receive)};
}

}  // namespace cluster
