#include "client/load_config.h"

#include <cmath>

#include "client/errors.h"

namespace cluster {
namespace {

void require(bool holds, const char* sentence) {
    if (!holds) throw LoadError(sentence);
}

}  // namespace

ArrivalLaw arrival_law_of(const std::string& name) {
    if (name == "constant") return ArrivalLaw::kConstant;
    if (name == "poisson") return ArrivalLaw::kPoisson;
    if (name == "closed") return ArrivalLaw::kClosed;
    throw LoadError("arrivals: `" + name + "` is not one of constant, poisson, closed");
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
    require(config.cpus.empty() || config.cpus.size() == config.workers,
            "cpus: give one CPU per worker, or none");
    if (config.arrivals == ArrivalLaw::kClosed) {
        require(config.in_flight >= config.workers,
                "in_flight: must be at least `workers`, each keeps orders in flight");
    } else {
        require(std::isfinite(config.rate_per_s) && config.rate_per_s > 0,
                "rate_per_s: must be above 0");
        require(config.in_flight_max >= config.workers,
                "in_flight_max: must be at least `workers`, each keeps orders in flight");
    }
}

}  // namespace cluster
