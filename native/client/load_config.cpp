#include "client/load_config.h"

#include <cmath>

#include "client/errors.h"

namespace cluster {
namespace {

void require(bool holds, const char* sentence) {
    if (!holds) throw LoadError(sentence);
}

constexpr std::int64_t kLongestNs = 86'400 * kNsPerS;

void require_possible(const HawkesConfig& hawkes) {
    require(hawkes.branching_ratio >= 0 && hawkes.branching_ratio < 1,
            "branching_ratio: must be at least 0 and below 1, or the rate grows without end");
    require(hawkes.decay_ns > 0 && hawkes.decay_ns <= kLongestNs,
            "decay_ns: must be above 0 and at most a day");
}

void require_possible(const BurstConfig& bursts) {
    require(bursts.on_ns > 0 && bursts.on_ns <= kLongestNs,
            "on_ns: must be above 0 and at most a day");
    require(bursts.off_ns > 0 && bursts.off_ns <= kLongestNs,
            "off_ns: must be above 0 and at most a day");
    require(bursts.within == ArrivalLaw::kConstant || bursts.within == ArrivalLaw::kPoisson,
            "within: must be constant or poisson");
}

void require_replay_possible(const LoadConfig& config) {
    if (!config.replay) {
        return require(config.arrivals != ArrivalLaw::kRecorded,
                       "arrivals: `recorded` needs the orders of a file");
    }
    const ReplayConfig& replay = *config.replay;
    require(config.agent < replay.agents, "replay: `agents` must be above `agent`");
    require(replay.symbols_max > 0, "symbols_max: must be at least 1");
    require(std::uint64_t{replay.agents} * config.connections <= UINT32_MAX,
            "connections: too many for all agents together");
    if (config.arrivals == ArrivalLaw::kRecorded) {
        require(std::isfinite(replay.speed) && replay.speed > 0, "speed: must be above 0");
    } else if (config.arrivals != ArrivalLaw::kClosed) {
        require(std::isfinite(replay.rate_per_s) && replay.rate_per_s > 0,
                "replay: rate_per_s must be above 0");
    }
}

}  // namespace

ArrivalLaw arrival_law_of(const std::string& name) {
    if (name == "constant") return ArrivalLaw::kConstant;
    if (name == "poisson") return ArrivalLaw::kPoisson;
    if (name == "hawkes") return ArrivalLaw::kHawkes;
    if (name == "bursts") return ArrivalLaw::kBursts;
    if (name == "closed") return ArrivalLaw::kClosed;
    if (name == "recorded") return ArrivalLaw::kRecorded;
    throw LoadError("arrivals: `" + name +
                    "` is not one of constant, poisson, hawkes, bursts, closed, recorded");
}

void require_possible(const LoadConfig& config) {
    require(config.port > 0, "port: must be 1 to 65535");
    require(config.workers > 0, "workers: must be at least 1");
    require(config.connections >= config.workers,
            "connections: must be at least `workers`, each worker has its own");
    require(config.duration_ns > 0, "duration_ns: must be above 0");
    require(config.timeout_ns > 0, "timeout_ns: must be above 0");
    require(config.drain_ns >= 0, "drain_ns: must not be negative");
    require(config.lease_ns >= 0, "lease_ns: must not be negative");
    require(config.phase >= 0 && config.phase <= 1, "phase: must be 0 to 1");
    require(config.sample_width_ns >= 0 && config.sample_width_ns <= kNsPerS,
            "sample_width_ns: must be 0 to a second");
    require(config.cpus.empty() || config.cpus.size() == config.workers,
            "cpus: give one CPU per worker, or none");
    if (config.arrivals == ArrivalLaw::kHawkes) require_possible(config.hawkes);
    if (config.arrivals == ArrivalLaw::kBursts) require_possible(config.bursts);
    if (config.arrivals == ArrivalLaw::kClosed) {
        require(config.in_flight >= config.workers,
                "in_flight: must be at least `workers`, each keeps orders in flight");
    } else {
        require(config.arrivals == ArrivalLaw::kRecorded ||
                    (std::isfinite(config.rate_per_s) && config.rate_per_s > 0),
                "rate_per_s: must be above 0");
        require(config.in_flight_max >= config.workers,
                "in_flight_max: must be at least `workers`, each keeps orders in flight");
    }
    require_replay_possible(config);
}

}  // namespace cluster
