// What the kernel says of the connections.
#pragma once

#include <cstdint>
#include <span>

namespace cluster {

/// Sums and extremes over connections, from tcp_info. Round-trip times in µs.
struct TcpStats {
    std::uint32_t connections = 0;  ///< whose tcp_info could be read; 0: the rest means nothing
    double rtt_us_min = 0;          ///< of the smoothed round-trip times
    double rtt_us_mean = 0;
    double rtt_us_max = 0;
    double min_rtt_us = 0;  ///< the shortest round trip ever seen
    std::uint64_t retransmits = 0;
    std::uint64_t busy_us = 0;
    std::uint64_t rwnd_limited_us = 0;    ///< held back by the engine's receive window
    std::uint64_t sndbuf_limited_us = 0;  ///< held back by our own send buffer
};

TcpStats read_tcp_stats(std::span<const int> fds) noexcept;

}  // namespace cluster
