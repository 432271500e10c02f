// What waits to be sent on one connection.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "engine/encode.h"
#include "wire/orderwire.h"

namespace cluster::engine {

/// Replies that wait for their send, oldest first.
class OutputBuffer {
public:
    std::size_t size() const noexcept { return end_ - begin_; }

    /// Room for so many bytes more; commit() says how many were used.
    std::byte* room(std::size_t length = orderwire::kLongestReply) {
        while (bytes_.size() - end_ < length) {
            make_room();
        }
        return bytes_.data() + end_;
    }
    void commit(std::size_t length) noexcept { end_ += length; }

    void append(std::span<const std::byte> bytes) {
        std::memcpy(room(bytes.size()), bytes.data(), bytes.size());
        commit(bytes.size());
    }

    /// Gives every orderwire reply that has no reply time yet this one.
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
            stamped_ -= std::min(stamped_, begin_);
            end_ -= begin_;
            begin_ = 0;
        } else {
            bytes_.resize(std::max<std::size_t>(4096, 2 * bytes_.size()));
        }
    }

    std::vector<std::byte> bytes_;
    std::size_t begin_ = 0;    ///< the first byte that the kernel has not taken
    std::size_t stamped_ = 0;  ///< orderwire replies up to here have their reply time
    std::size_t end_ = 0;
};

}  // namespace cluster::engine
