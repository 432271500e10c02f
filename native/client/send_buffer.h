// Encoded requests on their way to the socket.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

namespace cluster {

/// A bounded byte queue whose content always lies in one piece.
class SendBuffer {
public:
    explicit SendBuffer(std::size_t capacity) : bytes_(capacity) {}

    bool empty() const noexcept { return head_ == tail_; }
    std::span<const std::byte> pending() const noexcept {
        return {bytes_.data() + head_, tail_ - head_};
    }

    /// Whether `length` more bytes fit.
    bool has_room(std::size_t length) const noexcept {
        return bytes_.size() - (tail_ - head_) >= length;
    }

    /// Where the next bytes go. Room for `length` must have been asked for.
    std::byte* reserve(std::size_t length) noexcept {
        if (bytes_.size() - tail_ < length) {
            std::memmove(bytes_.data(), bytes_.data() + head_, tail_ - head_);
            tail_ -= head_;
            head_ = 0;
        }
        return bytes_.data() + tail_;
    }
    void commit(std::size_t length) noexcept { tail_ += length; }

    void consume(std::size_t length) noexcept {
        head_ += length;
        if (head_ == tail_) head_ = tail_ = 0;
    }
    void clear() noexcept { head_ = tail_ = 0; }

private:
    std::vector<std::byte> bytes_;
    std::size_t head_ = 0;
    std::size_t tail_ = 0;
};

}  // namespace cluster
