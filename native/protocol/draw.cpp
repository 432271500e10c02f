#include "protocol/draw.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace cluster::protocol {
namespace {

__extension__ using Wide = unsigned __int128;

}  // namespace

Draw Draw::uniform(std::int64_t from, std::int64_t to) {
    Draw draw;
    draw.min_ = from;
    draw.max_ = to;
    return draw;
}

Draw Draw::normal(double mean, double deviation, std::int64_t min, std::int64_t max) {
    Draw draw = uniform(min, max);
    draw.law_ = DrawLaw::kNormal;
    draw.mean_ = mean;
    draw.deviation_ = deviation;
    return draw;
}

Draw Draw::weighted(const std::vector<double>& weights) {
    Draw draw = uniform(0, static_cast<std::int64_t>(weights.size()) - 1);
    draw.law_ = DrawLaw::kWeighted;
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    const double mean = sum / static_cast<double>(weights.size());
    std::vector<double> left(weights.size());
    std::vector<std::uint32_t> poor;
    std::vector<std::uint32_t> rich;
    for (std::uint32_t i = 0; i < weights.size(); ++i) {
        left[i] = weights[i] / mean;
        (left[i] < 1 ? poor : rich).push_back(i);
    }
    draw.columns_.resize(weights.size(), {1, 0});
    while (!poor.empty() && !rich.empty()) {
        const std::uint32_t small = poor.back();
        const std::uint32_t large = rich.back();
        poor.pop_back();
        draw.columns_[small] = {left[small], large};
        left[large] -= 1 - left[small];
        if (left[large] < 1) {
            rich.pop_back();
            poor.push_back(large);
        }
    }
    return draw;
}

Draw Draw::zipf(std::uint32_t count, double exponent) {
    std::vector<double> weights(count);
    for (std::uint32_t i = 0; i < count; ++i) weights[i] = std::pow(i + 1.0, -exponent);
    return weighted(weights);
}

std::int64_t Draw::draw(Random& random) const noexcept {
    switch (law_) {
        case DrawLaw::kUniform: {
            // The upper half of a 128-bit product: the bias is below the range / 2^64. A range of
            // all 64 bits wraps to 0 and takes the number as it is.
            const std::uint64_t range =
                static_cast<std::uint64_t>(max_) - static_cast<std::uint64_t>(min_) + 1;
            const std::uint64_t number = random.next();
            const auto scaled =
                range == 0 ? number
                           : static_cast<std::uint64_t>((static_cast<Wide>(number) * range) >> 64);
            return static_cast<std::int64_t>(static_cast<std::uint64_t>(min_) + scaled);
        }
        case DrawLaw::kNormal: {
            // Box and Muller, 1958.
            const double radius = std::sqrt(-2 * std::log(random.positive_unit()));
            const double angle = 2 * std::numbers::pi * random.unit();
            const double value = std::round(mean_ + deviation_ * radius * std::cos(angle));
            // As a double the largest bound is 2^63, which is no bound any more.
            if (value <= static_cast<double>(min_)) return min_;
            if (value >= static_cast<double>(max_)) return max_;
            return static_cast<std::int64_t>(value);
        }
        case DrawLaw::kWeighted: break;
    }
    const std::uint32_t column = random.below(static_cast<std::uint32_t>(columns_.size()));
    const bool keep = random.unit() < columns_[column].keep;
    return min_ + (keep ? column : columns_[column].other);
}

}  // namespace cluster::protocol
