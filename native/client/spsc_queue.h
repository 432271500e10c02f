// A bounded queue between one producing and one consuming thread, without locks.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>

namespace cluster {

/// Holds up to `kCapacity` values. `push` belongs to one thread, `pop` to one other.
template <class T, std::size_t kCapacity>
class SpscQueue {
    static_assert((kCapacity & (kCapacity - 1)) == 0, "a power of two, so that indices may wrap");

public:
    /// False when it is full.
    bool push(T value) noexcept {
        const std::size_t tail = tail_.load(std::memory_order_relaxed);
        if (tail - head_.load(std::memory_order_acquire) == kCapacity) return false;
        values_[tail % kCapacity] = value;
        tail_.store(tail + 1, std::memory_order_release);
        return true;
    }

    /// False when it is empty.
    bool pop(T& value) noexcept {
        const std::size_t head = head_.load(std::memory_order_relaxed);
        if (head == tail_.load(std::memory_order_acquire)) return false;
        value = values_[head % kCapacity];
        head_.store(head + 1, std::memory_order_release);
        return true;
    }

    /// For the consumer: the value `ahead` places behind the first, or nullptr: not so many are
    /// there. It stays until it is popped.
    const T* peek(std::size_t ahead = 0) const noexcept {
        const std::size_t head = head_.load(std::memory_order_relaxed);
        if (tail_.load(std::memory_order_acquire) - head <= ahead) return nullptr;
        return &values_[(head + ahead) % kCapacity];
    }

private:
    std::array<T, kCapacity> values_{};
    alignas(64) std::atomic<std::size_t> head_ = 0;
    alignas(64) std::atomic<std::size_t> tail_ = 0;
};

}  // namespace cluster
