// An input, taken from the front; behind its end there are zeros.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace cluster::fuzz {

class Input {
public:
    Input(const std::uint8_t* data, std::size_t size)
        : left_(reinterpret_cast<const std::byte*>(data), size) {}

    bool empty() const { return left_.empty(); }
    std::span<const std::byte> rest() const { return left_; }

    std::uint8_t byte() {
        if (left_.empty()) return 0;
        const auto value = static_cast<std::uint8_t>(left_.front());
        left_ = left_.subspan(1);
        return value;
    }
    std::span<const std::byte> bytes(std::size_t most) {
        const auto taken = left_.first(std::min(most, left_.size()));
        left_ = left_.subspan(taken.size());
        return taken;
    }

private:
    std::span<const std::byte> left_;
};

}  // namespace cluster::fuzz
