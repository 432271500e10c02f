// The plans of native/protocol/plans/, read once; a byte of the input chooses among them.
#pragma once

#include <cstddef>
#include <vector>

#include "protocol/plan.h"

namespace cluster::fuzz {

/// In an order that stays. The files lie in LOADCLUSTER_PLANS, a path given by the build.
const std::vector<protocol::Plan>& golden_plans();

}  // namespace cluster::fuzz
