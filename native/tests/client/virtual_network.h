// An engine and its connections in virtual time: no socket, no thread, no waiting.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <limits>
#include <vector>

#include "client/network.h"
#include "wire/orderwire.h"

namespace cluster::test {

inline constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

/// The engine's end of one connection: answers requests in order, one at a time.
struct VirtualLink {
    // What it does.
    std::int64_t service_ns = 0;             ///< to answer one request
    std::int64_t frozen_from_ns = kNever;    ///< it neither reads nor answers from here …
    std::int64_t frozen_to_ns = kNever;      ///< … until here
    std::int64_t ends_ns = kNever;           ///< then the connection ends …
    IoStatus ends_with = IoStatus::kClosed;  ///< … like this
    std::size_t window_bytes = std::numeric_limits<std::size_t>::max();   ///< unread requests
    std::size_t receive_chunk = std::numeric_limits<std::size_t>::max();  ///< per recv
    bool answers = true;
    bool rejects = false;
    /// Rewrites the bytes of the n-th reply, or puts more in their place.
    std::function<void(std::uint64_t n, std::vector<std::byte>& bytes)> tamper;

    // What it has been sent and has to send.
    struct Answer {
        std::int64_t at_ns;
        std::size_t request_bytes;
        std::vector<std::byte> bytes;
    };
    std::vector<std::byte> partial;
    std::deque<Answer> answers_due;
    std::size_t answer_offset = 0;  ///< of the first answer due, already received
    std::size_t unread = 0;
    std::int64_t busy_until_ns = 0;
    std::uint64_t replies = 0;
    std::vector<std::uint64_t> ids;  ///< of the requests, as they came
    std::int64_t polled_ns = -1;
    bool shut_down = false;
};

/// Time, and the connections that live in it.
struct VirtualWorld {
    std::int64_t now_ns = 0;
    std::int64_t tick_ns = 50;  ///< what every look at the clock costs
    std::vector<VirtualLink> links;
    std::function<void()> on_wait;

    IoResult send(VirtualLink& link, std::span<const std::byte> bytes) {
        read_requests(link);
        if (now_ns >= link.ends_ns || link.shut_down) return {IoStatus::kReset, 0};
        const std::size_t room = link.window_bytes - link.unread;
        const std::size_t taken = std::min(room, bytes.size());
        if (taken == 0) return {IoStatus::kWouldBlock, 0};
        link.partial.insert(link.partial.end(), bytes.begin(),
                            bytes.begin() + static_cast<std::ptrdiff_t>(taken));
        link.unread += taken;
        take_requests(link);
        return {IoStatus::kOk, taken};
    }

    IoResult recv(VirtualLink& link, std::span<std::byte> bytes) {
        std::size_t filled = 0;
        const std::size_t most = std::min(bytes.size(), link.receive_chunk);
        read_requests(link);
        while (filled < most && !link.answers_due.empty() &&
               link.answers_due.front().at_ns <= std::min(now_ns, link.ends_ns)) {
            auto& answer = link.answers_due.front();
            const std::size_t part =
                std::min(most - filled, answer.bytes.size() - link.answer_offset);
            std::copy_n(answer.bytes.begin() + static_cast<std::ptrdiff_t>(link.answer_offset),
                        part, bytes.begin() + static_cast<std::ptrdiff_t>(filled));
            filled += part;
            link.answer_offset += part;
            if (link.answer_offset == answer.bytes.size()) {
                link.answers_due.pop_front();
                link.answer_offset = 0;
            }
        }
        if (filled > 0) return {IoStatus::kOk, filled};
        if (now_ns >= link.ends_ns) return {link.ends_with, 0};
        return {IoStatus::kWouldBlock, 0};
    }

    /// What happened on a link after it was last polled; edges, as epoll gives them.
    bool happened(const VirtualLink& link) const {
        const std::int64_t at_ns = next_event(link);
        return at_ns <= now_ns;
    }

    std::int64_t next_event(const VirtualLink& link) const {
        std::int64_t at_ns = link.ends_ns > link.polled_ns ? link.ends_ns : kNever;
        for (const auto& answer : link.answers_due) {
            if (answer.at_ns > link.polled_ns) {
                at_ns = std::min(at_ns, answer.at_ns);
                break;
            }
        }
        return at_ns;
    }

private:
    /// A request's bytes leave the window when it is answered.
    void read_requests(VirtualLink& link) const {
        for (auto& answer : link.answers_due) {
            if (answer.at_ns > now_ns) break;
            link.unread -= answer.request_bytes;
            answer.request_bytes = 0;
        }
    }

    void take_requests(VirtualLink& link) {
        std::size_t used = 0;
        while (link.partial.size() - used >= sizeof(orderwire::Header)) {
            orderwire::Header header;
            std::memcpy(&header, link.partial.data() + used, sizeof header);
            if (link.partial.size() - used < header.length) break;
            std::uint64_t id = 0;
            std::memcpy(&id, link.partial.data() + used + sizeof header, sizeof id);
            answer(link, header, id);
            used += header.length;
        }
        link.partial.erase(link.partial.begin(),
                           link.partial.begin() + static_cast<std::ptrdiff_t>(used));
    }

    void answer(VirtualLink& link, const orderwire::Header& request, std::uint64_t id) {
        link.ids.push_back(id);
        std::int64_t begin_ns = std::max(now_ns, link.busy_until_ns);
        if (begin_ns >= link.frozen_from_ns && begin_ns < link.frozen_to_ns) {
            begin_ns = link.frozen_to_ns;
        }
        link.busy_until_ns = begin_ns + link.service_ns;
        if (!link.answers) return;
        const auto type = link.rejects ? orderwire::Type::kRejected : orderwire::Type::kAccepted;
        const orderwire::ReplyHeader reply{
            {sizeof(orderwire::ReplyHeader), type, 0, request.symbol},
            id,
            1'000,
            1'000 + static_cast<std::uint64_t>(link.service_ns)};
        std::vector<std::byte> bytes(sizeof reply);
        std::memcpy(bytes.data(), &reply, sizeof reply);
        if (link.tamper) link.tamper(link.replies, bytes);
        ++link.replies;
        link.answers_due.push_back({link.busy_until_ns, request.length, std::move(bytes)});
    }
};

struct VirtualClock {
    VirtualWorld* world;
    std::int64_t now_ns() noexcept { return world->now_ns += world->tick_ns; }
};

struct VirtualNetwork {
    struct Socket {
        VirtualWorld* world;
        std::size_t link;
        IoResult send(std::span<const std::byte> bytes) noexcept {
            return world->send(world->links[link], bytes);
        }
        IoResult recv(std::span<std::byte> bytes) noexcept {
            return world->recv(world->links[link], bytes);
        }
        void shut_down() noexcept { world->links[link].shut_down = true; }
    };

    struct Poller {
        VirtualWorld* world;
        std::vector<Ready> ready;

        std::span<const Ready> wait(std::int64_t wait_ns) noexcept {
            if (world->on_wait) world->on_wait();
            std::int64_t until_ns = world->now_ns + wait_ns;
            for (const auto& link : world->links) {
                until_ns = std::min(until_ns, world->next_event(link));
            }
            world->now_ns = std::max(world->now_ns, until_ns);
            ready.clear();
            for (std::uint32_t i = 0; i < world->links.size(); ++i) {
                auto& link = world->links[i];
                // An answer read frees the window, so one edge tells of both.
                if (world->happened(link)) ready.push_back({i, true, true});
                link.polled_ns = world->now_ns;
            }
            return ready;
        }
    };
};
static_assert(Network<VirtualNetwork>);

}  // namespace cluster::test
