// A real engine on loopback that misbehaves as told.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "client/file_descriptor.h"

namespace cluster::test {

/// What the engine makes of one connection, in a thread of its own. `stop` turns true when the
/// test is over; nothing may wait longer.
using Behaviour = std::function<void(int connection, const std::atomic<bool>& stop)>;

/// Accepts connections on a free loopback port until it is destroyed.
class LoopbackEngine {
public:
    explicit LoopbackEngine(Behaviour behaviour);
    ~LoopbackEngine();

    std::uint16_t port() const noexcept { return port_; }

private:
    void accept_until_stopped();

    Behaviour behaviour_;
    std::uint16_t port_ = 0;
    FileDescriptor listener_;
    std::atomic<bool> stop_ = false;
    std::vector<std::thread> connections_;
    std::thread acceptor_;
};

/// Reads requests and calls `answer` for each with its id, until the peer has gone.
void serve(int connection, const std::atomic<bool>& stop,
           const std::function<void(std::uint64_t id)>& answer);

/// Sends an Accepted for `id` in pieces of at most `piece` bytes. False: the peer has gone.
bool accept_order(int connection, std::uint64_t id, std::size_t piece = 32);

/// Closes with a reset instead of an orderly end.
void reset(int connection);

/// A port on which nobody listens.
std::uint16_t closed_port();

}  // namespace cluster::test
