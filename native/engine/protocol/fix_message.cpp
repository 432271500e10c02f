#include "engine/protocol/fix_message.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>

namespace cluster::engine {
namespace {

constexpr std::string_view kStart = "8=FIX";
constexpr std::size_t kLongestHead = 40;  // BeginString and BodyLength of any sane message
constexpr std::size_t kTrailer = 7;       // 10=123 and its end

unsigned checksum(std::string_view text) noexcept {
    return std::accumulate(
               text.begin(), text.end(), 0U,
               [](unsigned sum, char letter) { return sum + static_cast<unsigned char>(letter); }) %
           256;
}

/// The bytes up to where the next message may begin, but at least one.
FixFrame garbled(std::string_view text) noexcept {
    const std::size_t next = text.find(kStart, 1);
    if (next != std::string_view::npos) {
        return {FixFrame::Is::kGarbled, next};
    }
    // The last bytes may be the first of a start.
    std::size_t keep = std::min(kStart.size() - 1, text.size() - 1);
    while (!text.ends_with(kStart.substr(0, keep))) {
        --keep;
    }
    return {FixFrame::Is::kGarbled, text.size() - keep};
}

/// True when `text` is `wanted`, or as much of it as has come.
bool may_be(std::string_view text, std::string_view wanted) noexcept {
    return wanted.starts_with(text.substr(0, wanted.size()));
}

}  // namespace

FixMessage::FixMessage(std::string_view body) noexcept : body_(body) {
    for (std::size_t start = 0; start < body.size();) {
        const std::size_t end = std::min(body.find(kFixEnd, start), body.size());
        const std::string_view field = body.substr(start, end - start);
        int tag = 0;
        const auto [stopped, error] =
            std::from_chars(field.data(), field.data() + field.size(), tag);
        const auto digits = static_cast<std::size_t>(stopped - field.data());
        fault_tag_ = tag;
        if (error != std::errc{} || tag <= 0 || digits == field.size() || field[digits] != '=') {
            fault_ = Fault::kInvalidTag;
            return;
        }
        if (digits + 1 == field.size()) {
            fault_ = Fault::kTagWithoutValue;
            return;
        }
        if (size_ == fields_.size()) {
            fault_ = Fault::kTooManyFields;
            return;
        }
        fields_[size_++] = {tag, static_cast<std::uint32_t>(start + digits + 1),
                            static_cast<std::uint32_t>(field.size() - digits - 1)};
        start = end + 1;
    }
}

std::string_view FixMessage::operator[](int tag) const noexcept {
    for (std::size_t at = 0; at < size_; ++at) {
        if (fields_[at].tag == tag) {
            return body_.substr(fields_[at].at, fields_[at].size);
        }
    }
    return {};
}

FixFrame find_fix_frame(std::span<const std::byte> bytes) noexcept {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const FixFrame partial{FixFrame::Is::kPartial};
    if (text.empty()) {
        return partial;
    }
    if (!may_be(text, kStart)) {
        return garbled(text);
    }
    const std::string_view head = text.substr(0, kLongestHead);
    const bool may_grow = text.size() < kLongestHead;
    const std::size_t begin_end = head.find(kFixEnd);
    if (begin_end == std::string_view::npos) {
        return may_grow ? partial : garbled(text);
    }
    if (!may_be(head.substr(begin_end + 1), "9=")) {
        return garbled(text);
    }
    const std::size_t length_end = head.find(kFixEnd, begin_end + 1);
    if (length_end == std::string_view::npos) {
        return may_grow ? partial : garbled(text);
    }
    const auto length = fix_number(head.substr(begin_end + 3, length_end - begin_end - 3));
    if (!length || *length == 0 || *length > FixFrame::kLongest) {
        return garbled(text);
    }
    const std::size_t body_end = length_end + 1 + *length;
    const std::size_t whole = body_end + kTrailer;
    if (whole > FixFrame::kLongest) {
        return garbled(text);
    }
    if (text.size() < whole) {
        return partial;
    }
    const std::string_view trailer = text.substr(body_end, kTrailer);
    const auto sum = fix_number(trailer.substr(3, 3));
    if (!text.substr(length_end + 1).starts_with("35=") || text[body_end - 1] != kFixEnd ||
        !trailer.starts_with("10=") || trailer.back() != kFixEnd || !sum ||
        *sum != checksum(text.substr(0, body_end))) {
        return garbled(text);
    }
    return {FixFrame::Is::kWhole, whole, text.substr(2, begin_end - 2),
            text.substr(length_end + 1, *length)};
}

std::optional<std::uint64_t> fix_number(std::string_view value) noexcept {
    std::uint64_t number = 0;
    const char* const end = value.data() + value.size();
    const auto [stopped, error] = std::from_chars(value.data(), end, number);
    return error == std::errc{} && stopped == end ? std::optional(number) : std::nullopt;
}

std::optional<std::int64_t> fix_decimal(std::string_view value, std::int64_t per_unit) noexcept {
    const std::size_t point = value.find('.');
    std::string_view decimals =
        point == std::string_view::npos ? std::string_view{} : value.substr(point + 1);
    const std::string_view units = value.substr(0, point);
    if (units.empty() && decimals.empty()) {
        return std::nullopt;
    }
    const auto whole = units.empty() ? std::optional<std::uint64_t>(0) : fix_number(units);
    constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max() / 1'000'000;
    if (!whole || *whole > kMost) {
        return std::nullopt;
    }
    std::int64_t number = static_cast<std::int64_t>(*whole) * per_unit;
    for (std::int64_t place = per_unit / 10; !decimals.empty(); place /= 10) {
        const char digit = decimals.front();
        if (digit < '0' || digit > '9' || (place == 0 && digit != '0')) {
            return std::nullopt;
        }
        number += (digit - '0') * place;
        decimals.remove_prefix(1);
    }
    return number;
}

void FixWriter::hundredths(int tag, std::int64_t value) noexcept {
    number_only(tag);
    put('=');
    number_only(value / 100);
    put('.');
    put(static_cast<char>('0' + value / 10 % 10));
    put(static_cast<char>('0' + value % 10));
    put(kFixEnd);
}

void FixWriter::decimal(int tag, double value) noexcept {
    constexpr std::int64_t kPerUnit = 1'000'000;
    const auto millionths = static_cast<std::int64_t>(std::llround(value * kPerUnit));
    number_only(tag);
    put('=');
    number_only(millionths / kPerUnit);
    std::int64_t rest = millionths % kPerUnit;
    if (rest != 0) {
        put('.');
    }
    for (std::int64_t place = kPerUnit / 10; rest != 0; place /= 10) {
        put(static_cast<char>('0' + rest / place));
        rest %= place;
    }
    put(kFixEnd);
}

std::string_view FixWriter::finish() noexcept {
    std::size_t start = kHead;
    const auto put_before = [&](std::string_view text) {
        start -= text.size();
        std::ranges::copy(text, bytes_.begin() + static_cast<std::ptrdiff_t>(start));
    };
    std::array<char, 20> length;
    char* const end = std::to_chars(length.data(), length.data() + 20, end_ - kHead).ptr;
    put_before({&kFixEnd, 1});
    put_before({length.data(), static_cast<std::size_t>(end - length.data())});
    put_before("9=");
    put_before({&kFixEnd, 1});
    put_before("8=FIX.4.4");
    const unsigned sum = checksum({bytes_.data() + start, end_ - start});
    put("10=");
    put(static_cast<char>('0' + sum / 100));
    put(static_cast<char>('0' + sum / 10 % 10));
    put(static_cast<char>('0' + sum % 10));
    put(kFixEnd);
    return {bytes_.data() + start, end_ - start};
}

std::string_view FixTime::at(std::int64_t wall_ns) noexcept {
    using namespace std::chrono;
    constexpr std::int64_t kDayMs = 86'400'000;
    const auto put = [this](std::size_t at, std::int64_t value, std::size_t digits) {
        for (std::size_t left = digits; left > 0; --left, value /= 10) {
            text_[at + left - 1] = static_cast<char>('0' + value % 10);
        }
    };
    const std::int64_t ms = wall_ns / 1'000'000;
    if (ms / kDayMs != day_) {
        day_ = ms / kDayMs;
        const year_month_day date{sys_days{days{day_}}};
        put(0, static_cast<int>(date.year()), 4);
        put(4, static_cast<unsigned>(date.month()), 2);
        put(6, static_cast<unsigned>(date.day()), 2);
        text_[8] = '-';
        text_[11] = text_[14] = ':';
        text_[17] = '.';
    }
    const std::int64_t of_day = ms % kDayMs;
    put(9, of_day / 3'600'000, 2);
    put(12, of_day / 60'000 % 60, 2);
    put(15, of_day / 1'000 % 60, 2);
    put(18, of_day % 1'000, 3);
    return {text_.data(), text_.size()};
}

}  // namespace cluster::engine
