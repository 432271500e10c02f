// An engine that does nothing: answers every orderwire request with Accepted, at once.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#include "client/file_descriptor.h"

namespace cluster::bench {

/// Listens on a free loopback port and serves one connection at a time from its own thread.
class AckServer {
public:
    /// `cpu` < 0: not pinned.
    explicit AckServer(int cpu);
    ~AckServer();

    std::uint16_t port() const noexcept { return port_; }

private:
    void serve() noexcept;
    void answer(int connection) noexcept;

    FileDescriptor listener_;
    std::uint16_t port_ = 0;
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

/// Connects to it, blocking, without Nagle's delay.
FileDescriptor connect_to(std::uint16_t port);

/// Keeps the calling thread on `cpu`; < 0: anywhere.
void pin_to(int cpu);

}  // namespace cluster::bench
