// Wall-clock time in messages: FIX's UTCTimestamp text, and times since midnight.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>
#include <span>

namespace cluster::protocol {

inline constexpr std::int64_t kNsPerSecond = 1'000'000'000;
inline constexpr std::int64_t kNsPerDay = 86'400 * kNsPerSecond;

/// Wall-clock ns since 1970, UTC.
inline std::int64_t wall_ns() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * kNsPerSecond + now.tv_nsec;
}

/// Bytes of `YYYYMMDD-HH:MM:SS` and its fraction.
constexpr std::size_t utc_width(std::size_t fraction_digits) noexcept {
    return 17 + (fraction_digits > 0 ? 1 + fraction_digits : 0);
}

/// Writes UTC text. Remembers the second it wrote last: the next message is mostly of the same.
class UtcWriter {
public:
    void write(std::byte* out, std::size_t fraction_digits, std::int64_t now_ns) noexcept;

private:
    std::int64_t second_ = -1;
    std::byte text_[17]{};
};

/// Reads UTC text with a fraction of any length; ns since 1970. Nothing when it is none.
std::optional<std::int64_t> read_utc(std::span<const std::byte> text) noexcept;

}  // namespace cluster::protocol
