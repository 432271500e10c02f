// A living order, and the pool that living orders come from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "wire/orderwire.h"

namespace cluster::engine {

/// Where an order lies in its pool. Slots are reused; `kNoOrder` is none.
using OrderSlot = std::uint32_t;
inline constexpr OrderSlot kNoOrder = 0;

/// Which connection sent something. Never reused while the engine runs.
using SessionId = std::uint32_t;

/// One order resting in a book, a cache line long.
///
/// It is in two lists at once: the queue of its price (`earlier`, `later`), and the orders of its
/// session (`session_previous`, `session_next`), which a disconnect cancels.
struct alignas(64) Order {
    std::uint64_t id;
    std::int64_t price_ticks;
    SessionId session;
    std::uint32_t symbol;
    std::uint32_t quantity;  ///< still open
    std::uint32_t traded;    ///< with what the orders that it replaced had traded
    OrderSlot earlier;
    OrderSlot later;
    OrderSlot session_previous;
    OrderSlot session_next;
    orderwire::Side side;
};
static_assert(sizeof(Order) == 64);

/// A fixed number of orders. Their address space is reserved at once and their memory used only as
/// far as orders ever lived together; a freed slot, still in the cache, is the next one taken.
class OrderPool {
public:
    explicit OrderPool(std::uint32_t orders_max) : orders_max_(orders_max) {
        orders_.reserve(std::size_t{orders_max} + 1);
        orders_.emplace_back();  // slot 0 is kNoOrder
    }

    bool full() const noexcept { return free_ == kNoOrder && orders_.size() > orders_max_; }

    /// A slot for a new order. Only when not full().
    OrderSlot take() noexcept {
        if (free_ == kNoOrder) {
            orders_.emplace_back();  // within the reserved memory: never moves or allocates
            return static_cast<OrderSlot>(orders_.size() - 1);
        }
        const OrderSlot slot = free_;
        free_ = orders_[slot].later;
        return slot;
    }

    void give_back(OrderSlot slot) noexcept {
        orders_[slot].later = free_;
        free_ = slot;
    }

    Order& operator[](OrderSlot slot) noexcept { return orders_[slot]; }
    const Order& operator[](OrderSlot slot) const noexcept { return orders_[slot]; }

private:
    std::uint32_t orders_max_;
    std::vector<Order> orders_;
    OrderSlot free_ = kNoOrder;
};

}  // namespace cluster::engine
