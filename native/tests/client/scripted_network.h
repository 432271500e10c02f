// Connections in virtual time whose engine is a function of the test: bytes in, bytes out.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "client/network.h"
#include "tests/client/virtual_network.h"
#include "tests/protocol/bytes.h"

namespace cluster::test {

/// One connection's engine.
struct ScriptedLink {
    struct Piece {
        std::int64_t at_ns;
        std::vector<std::byte> bytes;
    };

    /// Is given what the client sent since the last call, whenever it sends.
    std::function<void(ScriptedLink& link, std::string_view sent, std::int64_t now_ns)> on_bytes;
    std::deque<Piece> pieces;  ///< to be received, rising
    std::int64_t ends_ns = kNever;
    std::string sent;  ///< all that the client has sent
    bool shut_down = false;

    void say(std::int64_t at_ns, std::string_view text) { pieces.push_back({at_ns, bytes(text)}); }
};

struct ScriptedWorld {
    std::int64_t now_ns = 0;
    std::int64_t tick_ns = 50;
    std::vector<ScriptedLink> links;
};

struct ScriptedClock {
    ScriptedWorld* world;
    std::int64_t now_ns() noexcept { return world->now_ns += world->tick_ns; }
};

struct ScriptedNetwork {
    struct Socket {
        ScriptedWorld* world;
        std::size_t link;

        IoResult send(std::span<const std::byte> out) noexcept {
            ScriptedLink& to = world->links[link];
            if (to.shut_down || world->now_ns >= to.ends_ns) return {IoStatus::kReset, 0};
            const std::string said = text(out);
            to.sent += said;
            if (to.on_bytes) to.on_bytes(to, said, world->now_ns);
            return {IoStatus::kOk, out.size()};
        }
        IoResult recv(std::span<std::byte> in) noexcept {
            ScriptedLink& from = world->links[link];
            if (!from.pieces.empty() && from.pieces.front().at_ns <= world->now_ns) {
                auto& piece = from.pieces.front().bytes;
                const std::size_t size = std::min(piece.size(), in.size());
                std::copy_n(piece.begin(), size, in.begin());
                piece.erase(piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(size));
                if (piece.empty()) from.pieces.pop_front();
                return {IoStatus::kOk, size};
            }
            if (world->now_ns >= from.ends_ns) return {IoStatus::kClosed, 0};
            return {IoStatus::kWouldBlock, 0};
        }
        void shut_down() noexcept { world->links[link].shut_down = true; }
    };

    struct Poller {
        ScriptedWorld* world;
        std::vector<Ready> ready;

        std::span<const Ready> wait(std::int64_t wait_ns) noexcept {
            std::int64_t until_ns = world->now_ns + wait_ns;
            for (const auto& link : world->links) until_ns = std::min(until_ns, next(link));
            world->now_ns = std::max(world->now_ns, until_ns);
            ready.clear();
            for (std::uint32_t i = 0; i < world->links.size(); ++i) {
                if (next(world->links[i]) <= world->now_ns) ready.push_back({i, true, true});
            }
            return ready;
        }

        std::int64_t next(const ScriptedLink& link) const noexcept {
            if (link.shut_down) return kNever;
            const std::int64_t ends_ns = link.ends_ns;
            return link.pieces.empty() ? ends_ns : std::min(ends_ns, link.pieces.front().at_ns);
        }
    };
};
static_assert(Network<ScriptedNetwork>);

}  // namespace cluster::test
