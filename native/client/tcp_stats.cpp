#include "client/tcp_stats.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

namespace cluster {

TcpStats read_tcp_stats(std::span<const int> fds) noexcept {
    TcpStats stats;
    double rtt_us_sum = 0;
    for (const int fd : fds) {
        tcp_info info{};
        socklen_t size = sizeof info;
        if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0) continue;
        const double rtt_us = info.tcpi_rtt;
        const double min_rtt_us = info.tcpi_min_rtt;
        const bool first = stats.connections++ == 0;
        stats.rtt_us_min = first ? rtt_us : std::min(stats.rtt_us_min, rtt_us);
        stats.rtt_us_max = std::max(stats.rtt_us_max, rtt_us);
        stats.min_rtt_us = first ? min_rtt_us : std::min(stats.min_rtt_us, min_rtt_us);
        stats.retransmits += info.tcpi_total_retrans;
        stats.busy_us += info.tcpi_busy_time;
        stats.rwnd_limited_us += info.tcpi_rwnd_limited;
        stats.sndbuf_limited_us += info.tcpi_sndbuf_limited;
        rtt_us_sum += rtt_us;
    }
    if (stats.connections > 0) stats.rtt_us_mean = rtt_us_sum / stats.connections;
    return stats;
}

}  // namespace cluster
