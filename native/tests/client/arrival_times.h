// What the tests of schedules share: taking their times, and judging them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace cluster {

/// The first `count` due times.
template <class Schedule>
std::vector<std::int64_t> due_times(Schedule schedule, std::size_t count) {
    std::vector<std::int64_t> times;
    for (; times.size() < count; schedule.advance()) times.push_back(schedule.due_ns());
    return times;
}

/// All due times before `end_ns`.
template <class Schedule>
std::vector<std::int64_t> due_before(Schedule schedule, std::int64_t end_ns) {
    std::vector<std::int64_t> times;
    for (; schedule.due_ns() < end_ns; schedule.advance()) times.push_back(schedule.due_ns());
    return times;
}

/// How many of `times` lie in each window of `window_ns` from 0; the last, partial one is dropped.
inline std::vector<double> counts_in(const std::vector<std::int64_t>& times,
                                     std::int64_t window_ns) {
    std::vector<double> counts(static_cast<std::size_t>(times.back() / window_ns) + 1);
    for (const std::int64_t time : times) ++counts[static_cast<std::size_t>(time / window_ns)];
    counts.pop_back();
    return counts;
}

inline double mean_of(const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) sum += value;
    return sum / static_cast<double>(values.size());
}

/// Covariance of each value with the one `lag` later; 0: the variance.
inline double covariance_of(const std::vector<double>& values, std::size_t lag = 0) {
    const double mean = mean_of(values);
    double sum = 0;
    for (std::size_t i = lag; i < values.size(); ++i) {
        sum += (values[i] - mean) * (values[i - lag] - mean);
    }
    return sum / static_cast<double>(values.size() - lag);
}

/// Kolmogorov-Smirnov: whether `values` are exponential with mean 1, at the 1 % level.
inline bool are_exponential(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const auto count = static_cast<double>(values.size());
    double distance = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double expected = 1 - std::exp(-values[i]);
        const auto rank = static_cast<double>(i);
        distance = std::max(
            {distance, std::abs(expected - rank / count), std::abs(expected - (rank + 1) / count)});
    }
    return distance < 1.63 / std::sqrt(count);
}

}  // namespace cluster
