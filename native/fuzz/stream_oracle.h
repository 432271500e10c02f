// What decoding must keep to on any bytes whatever.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "protocol/plan.h"

namespace cluster::fuzz {

/// Decodes `stream` whole, and again as it would come in pieces of those sizes (used in turn):
/// demands that both read the same, that every reply lies within its bytes and has some, and that
/// nothing is waited for beyond the plan's longest frame.
void check_stream(const protocol::Plan& plan, std::span<const std::byte> stream,
                  const std::vector<std::size_t>& pieces);

}  // namespace cluster::fuzz
