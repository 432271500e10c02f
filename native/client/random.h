// Seeded random numbers that are the same on every machine: integer arithmetic and exact doubles,
// no std::distributions (whose results differ between standard libraries).
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace cluster {

/// One step of SplitMix64 (Steele, Lea and Flood, 2014): turns any number into a well mixed one. A
/// bijection.
constexpr std::uint64_t mixed(std::uint64_t value) noexcept {
    value += 0x9E3779B97F4A7C15;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
    return value ^ (value >> 31);
}

/// xoshiro256** (Blackman and Vigna, 2018).
class Random {
public:
    /// A stream of its own for each seed, its state filled by SplitMix64.
    explicit constexpr Random(std::uint64_t seed) noexcept {
        for (std::uint64_t& word : state_) {
            word = mixed(seed);
            seed += 0x9E3779B97F4A7C15;
        }
    }

    /// The stream of one worker of one agent. The first number comes from the state's second word
    /// alone, and `mixed` is a bijection: workers of one seed never start alike, nor do seeds.
    constexpr Random(std::uint64_t seed, std::uint32_t agent, std::uint32_t worker) noexcept {
        const std::uint64_t who = (std::uint64_t{agent} << 32) | worker;
        state_ = {mixed(who), mixed(seed ^ mixed(who)), mixed(seed), mixed(seed + who + 1)};
    }

    constexpr std::uint64_t next() noexcept {
        const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
        const std::uint64_t shifted = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = std::rotl(state_[3], 45);
        return result;
    }

    /// Uniform in [0, bound). Lemire's multiplication without the rejection step: the bias is below
    /// bound / 2^32, far under what a run could show.
    constexpr std::uint32_t below(std::uint32_t bound) noexcept {
        return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32);
    }

    /// Uniform in [0, 1), a multiple of 2^-53: exact in every IEEE 754 double.
    constexpr double unit() noexcept { return static_cast<double>(next() >> 11) * 0x1p-53; }

    /// Uniform in (0, 1]: safe to take the logarithm of.
    constexpr double positive_unit() noexcept { return 1.0 - unit(); }

    /// Exponential with the given mean, rounded down; at most 23 times the mean.
    constexpr std::uint64_t exponential(std::uint32_t mean) noexcept {
        constexpr std::uint64_t kLn2 = 45'426;  // ln 2 in 1/65536
        return ((minus_log2(static_cast<std::uint32_t>(next() >> 32)) * kLn2 >> 16) * mean) >> 16;
    }

private:
    /// -log2((u + 1) / 2^32) in 1/65536, one fractional bit per squaring.
    static constexpr std::uint64_t minus_log2(std::uint32_t u) noexcept {
        const std::uint64_t value = std::uint64_t{u} + 1;
        const int whole = static_cast<int>(std::bit_width(value)) - 1;
        std::uint64_t mantissa = value << (32 - whole) >> 1;  // in [2^31, 2^32)
        std::uint64_t log = static_cast<std::uint64_t>(whole);
        for (int bit = 0; bit < 16; ++bit) {
            mantissa = (mantissa * mantissa) >> 31;
            const std::uint64_t doubled = mantissa >> 32;
            log = (log << 1) | doubled;
            mantissa >>= doubled;
        }
        return (std::uint64_t{32} << 16) - log;
    }

    std::array<std::uint64_t, 4> state_{};
};

}  // namespace cluster
