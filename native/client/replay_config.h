// How a file's orders are sent.
#pragma once

#include <cstdint>

namespace cluster {

struct ReplayConfig {
    double speed = 1;          ///< recorded times pass so many times as fast
    double rate_per_s = 0;     ///< of all agents together, when the times are not the file's
    std::uint32_t agents = 1;  ///< that share the file, each with as many connections
    std::uint32_t symbols_max = 65'536;
    std::uint32_t living_orders_max = 1'000'000;  ///< of the file, remembered at least
};

}  // namespace cluster
