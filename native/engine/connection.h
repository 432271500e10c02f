// One client's connection: the part of a request that has not come yet, and replies not yet sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "client/file_descriptor.h"
#include "engine/order.h"
#include "engine/output_buffer.h"
#include "engine/session.h"

namespace cluster::engine {

/// Belongs to one matching thread.
struct Connection {
    Connection(FileDescriptor fd, SessionId id, std::unique_ptr<Session> talk,
               std::size_t longest_request)
        : socket(std::move(fd)), session(id), protocol(std::move(talk)), carry(longest_request) {}

    FileDescriptor socket;
    SessionId session;
    std::unique_ptr<Session> protocol;  ///< empty: orderwire
    OutputBuffer output;
    std::vector<std::byte> carry;  ///< the start of a request
    std::size_t carry_size = 0;
    std::uint32_t events = 0;      ///< what epoll watches for it
    bool has_new_replies = false;  ///< it is in its thread's list of connections to send to
};

}  // namespace cluster::engine
