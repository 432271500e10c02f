// An engine that does nothing: answers every orderwire request with Accepted, at once.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "client/file_descriptor.h"

namespace cluster::bench {

/// Listens on a free loopback port and serves one connection at a time from its own thread.
class AckServer {
public:
    /// `cpu` < 0: not pinned. Keeps the arrival time of up to `arrivals_max` requests: the clock
    /// just after the recv() that brought the request's last byte.
    explicit AckServer(int cpu, std::size_t arrivals_max = 0);
    ~AckServer();

    std::uint16_t port() const noexcept { return port_; }

    /// Requests answered so far.
    std::uint64_t answered() const noexcept { return answered_.load(); }

    /// Ends the server and gives the arrival times, in ns, as the requests came.
    std::vector<std::int64_t> take_arrivals();

private:
    void serve() noexcept;
    void answer(int connection) noexcept;

    FileDescriptor listener_;
    std::uint16_t port_ = 0;
    std::vector<std::int64_t> arrivals_ns_;
    std::atomic<std::uint64_t> answered_ = 0;
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

/// Connects to it, blocking, without Nagle's delay.
FileDescriptor connect_to(std::uint16_t port);

/// Keeps the calling thread on `cpu`; < 0: anywhere.
void pin_to(int cpu);

}  // namespace cluster::bench
