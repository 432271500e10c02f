// A socket whose other end is written by the test, byte by byte.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "client/network.h"

namespace cluster::test {

/// What the engine has sent, and what it has been sent.
struct ByteLink {
    std::vector<std::byte> incoming;              ///< not received yet
    IoStatus when_empty = IoStatus::kWouldBlock;  ///< what recv() says when nothing is there
    IoStatus when_sending = IoStatus::kOk;        ///< what send() says
    std::size_t window = std::numeric_limits<std::size_t>::max();  ///< bytes that sends may take
    std::size_t chunk = std::numeric_limits<std::size_t>::max();   ///< bytes per recv()
    std::vector<std::byte> sent;
    bool shut_down = false;

    void say(std::span<const std::byte> bytes) {
        incoming.insert(incoming.end(), bytes.begin(), bytes.end());
    }
};

struct ByteSocket {
    ByteLink* link;

    IoResult send(std::span<const std::byte> bytes) noexcept {
        if (link->when_sending != IoStatus::kOk) return {link->when_sending, 0};
        const auto taken = bytes.first(std::min(bytes.size(), link->window));
        if (taken.empty()) return {IoStatus::kWouldBlock, 0};
        link->window -= taken.size();
        link->sent.insert(link->sent.end(), taken.begin(), taken.end());
        return {IoStatus::kOk, taken.size()};
    }

    IoResult recv(std::span<std::byte> bytes) noexcept {
        const std::size_t size = std::min({bytes.size(), link->chunk, link->incoming.size()});
        if (size == 0) return {link->when_empty, 0};
        const auto end = link->incoming.begin() + static_cast<std::ptrdiff_t>(size);
        std::copy(link->incoming.begin(), end, bytes.begin());
        link->incoming.erase(link->incoming.begin(), end);
        return {IoStatus::kOk, size};
    }

    void shut_down() noexcept { link->shut_down = true; }
};

/// Time that a test sets.
struct SetClock {
    std::int64_t at_ns = 0;
    std::int64_t now_ns() noexcept { return at_ns; }
};

}  // namespace cluster::test
