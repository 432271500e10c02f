// One process's share of one level of load.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/clock.h"
#include "client/order_flow.h"
#include "client/replay_config.h"

namespace cluster {

enum class ArrivalLaw : std::uint8_t { kConstant, kPoisson, kHawkes, kBursts, kClosed, kRecorded };

/// "constant", "poisson", "hawkes", "bursts", "closed" or "recorded"; LoadError for anything else.
ArrivalLaw arrival_law_of(const std::string& name);

/// What client/hawkes_arrivals.h makes of the rate.
struct HawkesConfig {
    double branching_ratio = 0.8;          ///< orders that an order provokes directly, in the mean
    std::int64_t decay_ns = 5 * kNsPerMs;  ///< mean time from an order to those
};

/// What client/burst_arrivals.h makes of the rate.
struct BurstConfig {
    std::int64_t on_ns = 10 * kNsPerMs;
    std::int64_t off_ns = 90 * kNsPerMs;
    ArrivalLaw within = ArrivalLaw::kPoisson;  ///< or kConstant

    /// The rate within bursts whose mean over on and off is `rate_per_s`.
    double rate_within(double rate_per_s) const noexcept {
        return rate_per_s * static_cast<double>(on_ns + off_ns) / static_cast<double>(on_ns);
    }
};

/// How the connections speak, and who each of them is.
struct WireConfig {
    std::string plan;  ///< of the protocol; empty: orderwire's
    /// Credentials by name, for the plan's texts secret.NAME.
    std::vector<std::pair<std::string, std::string>> secrets;
    std::uint64_t first_id = 1;            ///< of connection 0's first request
    std::uint64_t ids_per_connection = 0;  ///< between connections; 0: each counts alone
    std::uint32_t first_client = 0;        ///< number of our first connection in the fleet
};

struct LoadConfig {
    std::string address = "127.0.0.1";
    std::uint16_t port = 9001;
    std::uint32_t connections = 1;
    std::uint32_t workers = 1;
    ArrivalLaw arrivals = ArrivalLaw::kPoisson;
    HawkesConfig hawkes;                   ///< only when hawkes
    BurstConfig bursts;                    ///< only when bursts
    double rate_per_s = 0;                 ///< of all workers together; not when closed
    std::uint32_t in_flight = 0;           ///< of all workers together; only when closed
    std::uint32_t in_flight_max = 65'536;  ///< open-loop: beyond it orders wait
    std::int64_t duration_ns = kNsPerS;    ///< of sending
    std::int64_t timeout_ns = 2 * kNsPerS;
    std::int64_t drain_ns = 5 * kNsPerS;
    std::int64_t lease_ns = 0;  ///< the load stops when progress() is not called so long; 0 never
    std::uint64_t seed = 1;
    std::uint32_t agent = 0;
    double phase = 0;       ///< 0 to 1 of an interval between this process's constant orders
    std::vector<int> cpus;  ///< one per worker, or empty: not pinned
    bool spin = false;
    bool kernel_times = true;          ///< of a sample of orders, where the kernel gives them
    std::int64_t sample_width_ns = 0;  ///< of the part of each second whose send times are kept
    FlowConfig flow;
    WireConfig wire;
    std::optional<ReplayConfig> replay;  ///< orders come from a file, and `flow` means nothing
};

/// Refuses what can't be carried out. Throws LoadError with one sentence.
void require_possible(const LoadConfig& config);

}  // namespace cluster
