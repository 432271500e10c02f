// Seeded random numbers: the same seed gives the same load on every machine.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace cluster {

/// xoshiro256++ (Blackman and Vigna, 2019), seeded so that no two workers start alike.
class Random {
public:
    /// The stream of one worker of one agent. Different (agent, worker) differ in the state's
    /// second word, because `mix` is a bijection: their streams never start alike.
    Random(std::uint64_t seed, std::uint32_t agent, std::uint32_t worker) noexcept {
        const std::uint64_t who = (std::uint64_t{agent} << 32) | worker;
        state_ = {mix(seed), mix(who), mix(seed ^ mix(who)), mix(seed + who + 1)};
    }

    std::uint64_t next() noexcept {
        const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
        const std::uint64_t shifted = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = std::rotl(state_[3], 45);
        return result;
    }

    /// Uniform in (0, 1]: safe to take the logarithm of.
    double next_unit() noexcept { return static_cast<double>((next() >> 11) + 1) * 0x1.0p-53; }

private:
    /// SplitMix64's finaliser (Steele, Lea and Flood, 2014), offset so that 0 does not stay 0.
    static constexpr std::uint64_t mix(std::uint64_t x) noexcept {
        x += 0x9e3779b97f4a7c15;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
        x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
        return x ^ (x >> 31);
    }

    std::array<std::uint64_t, 4> state_;
};

}  // namespace cluster
