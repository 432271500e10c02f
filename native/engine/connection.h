// One client's connection: the part of a request that has not come yet, and replies not yet sent.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "client/file_descriptor.h"
#include "engine/encode.h"
#include "engine/order.h"
#include "wire/orderwire.h"

namespace cluster::engine {

/// Replies that wait for their send, oldest first.
class OutputBuffer {
public:
    std::size_t size() const noexcept { return end_ - begin_; }

    /// Room for one more reply; commit() says how much of it was used.
    std::byte* room() {
        if (bytes_.size() - end_ < orderwire::kLongestReply) {
            make_room();
        }
        return bytes_.data() + end_;
    }
    void commit(std::size_t length) noexcept { end_ += length; }

    /// Gives every reply that has no reply time yet this one.
    void stamp_new(std::int64_t replied_ns) noexcept {
        stamp(bytes_.data() + stamped_, bytes_.data() + end_, replied_ns);
        stamped_ = end_;
    }

    const std::byte* data() const noexcept { return bytes_.data() + begin_; }

    void sent(std::size_t length) noexcept {
        begin_ += length;
        if (begin_ == end_) {
            begin_ = end_ = stamped_ = 0;
        }
    }

private:
    void make_room() {
        if (begin_ >= bytes_.size() / 2 && begin_ > 0) {
            std::memmove(bytes_.data(), data(), size());
            stamped_ -= begin_;
            end_ -= begin_;
            begin_ = 0;
        } else {
            bytes_.resize(std::max<std::size_t>(4096, 2 * bytes_.size()));
        }
    }

    std::vector<std::byte> bytes_;
    std::size_t begin_ = 0;    ///< the first byte that the kernel has not taken
    std::size_t stamped_ = 0;  ///< replies up to here have their reply time
    std::size_t end_ = 0;
};

/// Belongs to one matching thread.
struct Connection {
    Connection(FileDescriptor fd, SessionId id) : socket(std::move(fd)), session(id) {}

    FileDescriptor socket;
    SessionId session;
    OutputBuffer output;
    std::array<std::byte, orderwire::kLongestRequest> carry{};  ///< the start of a request
    std::size_t carry_size = 0;
    std::uint32_t events = 0;      ///< what epoll watches for it
    bool has_new_replies = false;  ///< it is in its thread's list of connections to send to
};

}  // namespace cluster::engine
