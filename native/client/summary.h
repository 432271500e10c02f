// What the executable prints: one level's outcome as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "client/interval.h"
#include "client/progress.h"

namespace cluster {

/// The value at `quantile` (0 to 1] of a histogram: the highest that its bucket stands for.
/// -1 when nothing was recorded.
std::int64_t value_at(const Histogram<std::uint64_t>& histogram, double quantile);

/// Adds a sparse histogram's counts.
void add_to(Histogram<std::uint64_t>& sum, const SparseHistogram& part);

/// Why orders were rejected; "" is no reason and what had no room in the list.
using ReasonCounts = std::vector<std::pair<std::string, std::uint64_t>>;

/// One JSON object: the books, the errors by kind, response, service, send lag and engine time
/// and that of the other reply in ns (null where nothing was recorded), what else was replied and
/// why orders were rejected, and answered orders per second of `duration_ns`.
std::string summary_json(const Progress& progress, const std::vector<Interval>& intervals,
                         const ReasonCounts& reasons, std::int64_t duration_ns);

}  // namespace cluster
