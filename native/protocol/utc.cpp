#include "protocol/utc.h"

#include <chrono>
#include <cstring>

namespace cluster::protocol {
namespace {

void put_number(std::byte* out, std::size_t width, std::uint64_t value) noexcept {
    for (std::size_t i = width; i-- > 0; value /= 10) {
        out[i] = static_cast<std::byte>('0' + value % 10);
    }
}

constexpr int kLastYear = 2261;  // the last whole one whose ns since 1970 have 63 bits

/// The number that `width` digits are, or -1.
int number_at(const std::byte* in, std::size_t width) noexcept {
    int value = 0;
    for (std::size_t i = 0; i < width; ++i) {
        const auto digit = static_cast<unsigned char>(in[i]) - '0';
        if (digit < 0 || digit > 9) return -1;
        value = value * 10 + digit;
    }
    return value;
}

}  // namespace

void UtcWriter::write(std::byte* out, std::size_t fraction_digits, std::int64_t now_ns) noexcept {
    const std::int64_t second = now_ns / kNsPerSecond;
    if (second != second_) {
        using namespace std::chrono;
        const sys_seconds at{seconds{second}};
        const auto day = floor<days>(at);
        const year_month_day date{day};
        const hh_mm_ss time{at - day};
        put_number(text_, 4, static_cast<std::uint64_t>(static_cast<int>(date.year())));
        put_number(text_ + 4, 2, static_cast<unsigned>(date.month()));
        put_number(text_ + 6, 2, static_cast<unsigned>(date.day()));
        text_[8] = std::byte{'-'};
        put_number(text_ + 9, 2, static_cast<std::uint64_t>(time.hours().count()));
        text_[11] = std::byte{':'};
        put_number(text_ + 12, 2, static_cast<std::uint64_t>(time.minutes().count()));
        text_[14] = std::byte{':'};
        put_number(text_ + 15, 2, static_cast<std::uint64_t>(time.seconds().count()));
        second_ = second;
    }
    std::memcpy(out, text_, sizeof text_);
    if (fraction_digits == 0) return;
    auto fraction = static_cast<std::uint64_t>(now_ns % kNsPerSecond);
    for (std::size_t digits = 9; digits > fraction_digits; --digits) fraction /= 10;
    out[sizeof text_] = std::byte{'.'};
    put_number(out + sizeof text_ + 1, fraction_digits, fraction);
}

std::optional<std::int64_t> read_utc(std::span<const std::byte> text) noexcept {
    if (text.size() < 17 || text[8] != std::byte{'-'} || text[11] != std::byte{':'} ||
        text[14] != std::byte{':'}) {
        return std::nullopt;
    }
    const int year = number_at(text.data(), 4);
    const int month = number_at(text.data() + 4, 2);
    const int day = number_at(text.data() + 6, 2);
    const int hour = number_at(text.data() + 9, 2);
    const int minute = number_at(text.data() + 12, 2);
    const int second = number_at(text.data() + 15, 2);
    using namespace std::chrono;
    const year_month_day date{std::chrono::year{year},
                              std::chrono::month{static_cast<unsigned>(month)},
                              std::chrono::day{static_cast<unsigned>(day)}};
    if (year < 1970 || year > kLastYear || !date.ok() || hour < 0 || hour > 23 || minute < 0 ||
        minute > 59 || second < 0 || second > 60) {
        return std::nullopt;
    }
    std::int64_t fraction_ns = 0;
    if (text.size() > 17) {
        if (text[17] != std::byte{'.'}) return std::nullopt;
        std::int64_t unit_ns = kNsPerSecond / 10;
        for (const std::byte character : text.subspan(18)) {
            const int digit = number_at(&character, 1);
            if (digit < 0) return std::nullopt;
            fraction_ns += digit * unit_ns;
            unit_ns /= 10;
        }
    }
    const std::int64_t seconds_of_day = hour * 3'600 + minute * 60 + second;
    return sys_days{date}.time_since_epoch().count() * kNsPerDay + seconds_of_day * kNsPerSecond +
           fraction_ns;
}

}  // namespace cluster::protocol
