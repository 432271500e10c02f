// A queue of known behaviour in front of the books: one server, in virtual time.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>

#include "client/random.h"
#include "engine/order.h"
#include "engine/request.h"

namespace cluster::engine {

/// How long the server takes for a request.
enum class ServiceLaw : std::uint8_t { kConstant, kExponential };

struct QueueOptions {
    std::uint64_t service_ns = 0;  ///< in the mean; 0: no queue
    ServiceLaw law = ServiceLaw::kConstant;
    std::uint64_t seed = 1;  ///< of exponential service times
};

/// A request that waits or is served.
struct QueuedRequest {
    std::int64_t arrived_ns;
    std::int64_t leaves_ns;
    SessionId session;
    Request request;
};

/// First in, first out, one at a time: a request that arrived at a leaves at
/// d = max(a, d of the one before) + its service time (Lindley, 1952).
///
/// The departures are computed from the arrivals and drawn service times alone. What serving them
/// really costs is no part of the recursion, so it delays an answer but never the next one.
class VirtualQueue {
public:
    /// Whoever fills it stops reading here, so that an overloaded queue does not eat the host.
    static constexpr std::size_t kHeldMax = std::size_t{1} << 20;
    static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

    explicit VirtualQueue(const QueueOptions& options) : options_(options), random_(options.seed) {}

    bool is_on() const noexcept { return options_.service_ns != 0; }
    bool is_full() const noexcept { return held_.size() >= kHeldMax; }

    /// `bytes` are one whole request.
    void enter(SessionId session, const std::byte* bytes, std::int64_t arrived_ns) {
        last_leaves_ns_ = std::max(arrived_ns, last_leaves_ns_) + draw_ns();
        QueuedRequest queued{arrived_ns, last_leaves_ns_, session, {}};
        queued.request.copy(bytes);
        held_.push_back(queued);
    }

    /// When the first leaves; kNever when nobody is there.
    std::int64_t next_ns() const noexcept {
        return held_.empty() ? kNever : held_.front().leaves_ns;
    }

    /// The first. Only when next_ns() has come.
    QueuedRequest take() {
        const QueuedRequest first = held_.front();
        held_.pop_front();
        return first;
    }

private:
    std::int64_t draw_ns() noexcept {
        const auto mean_ns = static_cast<double>(options_.service_ns);
        const double drawn = options_.law == ServiceLaw::kConstant
                                 ? mean_ns
                                 : -mean_ns * std::log(random_.positive_unit());
        return std::llround(drawn);
    }

    QueueOptions options_;
    Random random_;
    std::int64_t last_leaves_ns_ = 0;
    std::deque<QueuedRequest> held_;
};

}  // namespace cluster::engine
