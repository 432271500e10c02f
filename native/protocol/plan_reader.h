// From a plan's text to a Plan.
#pragma once

#include <string_view>

#include "protocol/plan.h"
#include "protocol/plan_error.h"

namespace cluster::protocol {

/// Reads what the schema's compiler wrote; docs/protocols.md describes the text.
///
/// Everything that the hot path relies on is checked here: offsets within messages, indices of
/// tables, draws, texts and messages, sizes. Throws PlanError with the line and one sentence.
Plan read_plan(std::string_view text);

}  // namespace cluster::protocol
