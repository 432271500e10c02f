// The executable's command line.
#pragma once

#include <string>
#include <vector>

#include "client/load_config.h"

namespace cluster {

/// What `--help` prints.
std::string usage();

/// Reads `--name value` pairs and switches. Throws LoadError with one sentence for a flag that
/// does not exist, a value that is missing or no number.
LoadConfig parse_options(const std::vector<std::string>& arguments);

}  // namespace cluster
