// Seeded random values of a message's fields.
#pragma once

#include <cstdint>
#include <vector>

#include "client/random.h"

namespace cluster::protocol {

enum class DrawLaw : std::uint8_t { kUniform, kNormal, kWeighted };

/// A law that values are drawn from; shared by all connections, the random numbers are theirs.
///
/// Weighted values take two random numbers and two look-ups, however many there are (the alias
/// method: Walker 1977, in Vose's form of 1991).
class Draw {
public:
    static constexpr std::size_t kWeightsMax = 1'000'000;

    /// Every whole number of [from, to] is as likely.
    static Draw uniform(std::int64_t from, std::int64_t to);
    /// Normal, rounded, and kept within [min, max].
    static Draw normal(double mean, double deviation, std::int64_t min, std::int64_t max);
    /// 0, 1, 2 … as likely as their weights are large. One weight at least must be above 0.
    static Draw weighted(const std::vector<double>& weights);
    /// 0 to `count` - 1, the k-th of them (from 1) as likely as 1 / k^exponent.
    static Draw zipf(std::uint32_t count, double exponent);

    std::int64_t draw(Random& random) const noexcept;

    /// The values lie in [min, max].
    std::int64_t min() const noexcept { return min_; }
    std::int64_t max() const noexcept { return max_; }

private:
    struct Column {
        double keep;          ///< chance of the column's own value
        std::uint32_t other;  ///< else this one
    };

    DrawLaw law_ = DrawLaw::kUniform;
    std::int64_t min_ = 0;
    std::int64_t max_ = 0;
    double mean_ = 0;
    double deviation_ = 0;
    std::vector<Column> columns_;
};

}  // namespace cluster::protocol
