// The books: what became of every order.
#pragma once

#include <cstdint>

namespace cluster {

/// Orders by fate. At the end `intended = sent + unsent` and
/// `sent = accepted + rejected + timed_out + lost`.
struct Books {
    std::uint64_t intended = 0;
    std::uint64_t sent = 0;
    std::uint64_t unsent = 0;
    std::uint64_t accepted = 0;
    std::uint64_t rejected = 0;
    std::uint64_t timed_out = 0;
    std::uint64_t lost = 0;

    std::uint64_t in_flight() const noexcept {
        return sent - accepted - rejected - timed_out - lost;
    }

    /// Whether every order has met its fate.
    bool balanced() const noexcept { return intended == sent + unsent && in_flight() == 0; }

    Books& operator+=(const Books& other) noexcept {
        intended += other.intended;
        sent += other.sent;
        unsent += other.unsent;
        accepted += other.accepted;
        rejected += other.rejected;
        timed_out += other.timed_out;
        lost += other.lost;
        return *this;
    }
    bool operator==(const Books&) const = default;
};

}  // namespace cluster
