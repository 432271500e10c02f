#include "protocol/framing.h"

#include <algorithm>
#include <optional>
#include <string_view>

namespace cluster::protocol {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr int kRespDepthMax = 8;
constexpr std::size_t kFixTrailerBytes = 7;  // 10=nnn and its SOH

std::string_view as_text(std::span<const std::byte> bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Not found yet: more may come, up to the longest frame.
FrameFound unless_too_long(const Frame& frame, std::span<const std::byte> bytes) noexcept {
    return {bytes.size() < frame.max ? FrameStatus::kNeedMore : FrameStatus::kMalformed};
}

FrameFound whole_of(const Frame& frame, std::span<const std::byte> bytes, std::size_t length,
                    std::size_t content) noexcept {
    if (length > frame.max) return {FrameStatus::kMalformed};
    if (bytes.size() < length) return {FrameStatus::kNeedMore};
    return {FrameStatus::kWhole, length, content};
}

/// A plain decimal number of up to nine digits.
std::optional<std::size_t> small_number(std::string_view digits) noexcept {
    if (digits.empty() || digits.size() > 9) return std::nullopt;
    std::size_t value = 0;
    for (const char c : digits) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + static_cast<std::size_t>(c - '0');
    }
    return value;
}

FrameFound find_delimited(const Frame& frame, std::span<const std::byte> bytes) noexcept {
    const std::size_t at = as_text(bytes).find(frame.delimiter);
    if (at == std::string_view::npos) return unless_too_long(frame, bytes);
    return whole_of(frame, bytes, at + frame.delimiter.size(), at);
}

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// The number after the marker, which stands in any case of letters; 0 without it.
std::optional<std::size_t> body_length(std::string_view head, std::string_view marker) noexcept {
    const auto found = std::search(head.begin(), head.end(), marker.begin(), marker.end(),
                                   [](char a, char b) { return lower(a) == lower(b); });
    if (marker.empty() || found == head.end()) return 0;
    std::string_view rest = head.substr(static_cast<std::size_t>(found - head.begin()));
    rest.remove_prefix(marker.size());
    while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    return small_number(
        rest.substr(0, std::min(rest.find_first_not_of("0123456789"), rest.size())));
}

FrameFound find_headed(const Frame& frame, std::span<const std::byte> bytes) noexcept {
    const std::string_view text = as_text(bytes);
    const std::size_t end = text.find(frame.delimiter);
    if (end == std::string_view::npos) return unless_too_long(frame, bytes);
    const std::size_t head = end + frame.delimiter.size();
    const std::optional<std::size_t> body = body_length(text.substr(0, head), frame.marker);
    if (!body) return {FrameStatus::kMalformed};
    return whole_of(frame, bytes, head + *body, head + *body);
}

/// One RESP value at `at`: simple strings, errors, integers, bulk strings, arrays and the other
/// aggregates of RESP3. Moves `at` behind it.
FrameStatus skip_resp(std::string_view text, std::size_t& at, std::size_t max, int depth) noexcept {
    if (depth > kRespDepthMax) return FrameStatus::kMalformed;
    if (at >= text.size()) return FrameStatus::kNeedMore;
    const std::size_t line_end = text.find(kLineEnd, at);
    if (line_end == std::string_view::npos) return FrameStatus::kNeedMore;
    const char type = text[at];
    const std::string_view line = text.substr(at + 1, line_end - at - 1);
    at = line_end + kLineEnd.size();
    switch (type) {
        case '+':
        case '-':
        case ':':
        case '_':
        case '#':
        case ',':
        case '(': return FrameStatus::kWhole;
        case '$':
        case '!':
        case '=': {
            if (line == "-1") return FrameStatus::kWhole;  // no value
            const std::optional<std::size_t> size = small_number(line);
            if (!size || *size > max) return FrameStatus::kMalformed;
            if (text.size() - at < *size + kLineEnd.size()) return FrameStatus::kNeedMore;
            if (text.substr(at + *size, kLineEnd.size()) != kLineEnd) {
                return FrameStatus::kMalformed;
            }
            at += *size + kLineEnd.size();
            return FrameStatus::kWhole;
        }
        case '*':
        case '~':
        case '>':
        case '%': {
            if (line == "-1") return FrameStatus::kWhole;
            std::optional<std::size_t> items = small_number(line);
            if (!items || *items > max) return FrameStatus::kMalformed;
            if (type == '%') *items *= 2;  // keys and values
            for (std::size_t i = 0; i < *items; ++i) {
                const FrameStatus status = skip_resp(text, at, max, depth + 1);
                if (status != FrameStatus::kWhole) return status;
            }
            return FrameStatus::kWhole;
        }
        default: return FrameStatus::kMalformed;
    }
}

FrameFound find_resp(const Frame& frame, std::span<const std::byte> bytes) noexcept {
    std::size_t length = 0;
    const std::string_view text = as_text(bytes);
    const FrameStatus status = skip_resp(text, length, frame.max, 0);
    if (status == FrameStatus::kNeedMore) return unless_too_long(frame, bytes);
    if (status == FrameStatus::kMalformed) return {status};
    // A last line's end is no part of what it says.
    return whole_of(frame, bytes, length, length - kLineEnd.size());
}

/// 8=FIX.x.y|9=BodyLength|…|10=nnn| with | for SOH.
FrameFound find_fix(const Frame& frame, std::span<const std::byte> bytes) noexcept {
    const std::string_view text = as_text(bytes);
    const std::string_view begin = frame.delimiter;
    const std::size_t shared = std::min(text.size(), begin.size());
    if (text.substr(0, shared) != begin.substr(0, shared)) return {FrameStatus::kMalformed};
    const std::string_view rest = text.substr(shared);
    const std::string_view tag = "9=";
    const std::size_t seen = std::min(rest.size(), tag.size());
    if (rest.substr(0, seen) != tag.substr(0, seen)) return {FrameStatus::kMalformed};
    if (seen < tag.size()) return {FrameStatus::kNeedMore};
    const std::size_t end = rest.find('\x01');
    if (end == std::string_view::npos) {
        const bool digits_only =
            rest.find_first_not_of("0123456789", tag.size()) == std::string_view::npos;
        const bool could_be = digits_only && rest.size() <= tag.size() + 9;
        return {could_be ? FrameStatus::kNeedMore : FrameStatus::kMalformed};
    }
    const std::optional<std::size_t> body = small_number(rest.substr(tag.size(), end - tag.size()));
    if (!body) return {FrameStatus::kMalformed};
    const std::size_t content = begin.size() + end + 1 + *body;
    const FrameFound found = whole_of(frame, bytes, content + kFixTrailerBytes, content);
    if (found.status != FrameStatus::kWhole) return found;
    // A wrong length puts something else where the trailer must be.
    const std::string_view trailer = text.substr(content, kFixTrailerBytes);
    if (trailer.substr(0, 3) != "10=" || trailer.back() != '\x01') {
        return {FrameStatus::kMalformed};
    }
    return found;
}

}  // namespace

FrameFound find_text_frame(const Frame& frame, std::span<const std::byte> bytes) noexcept {
    switch (frame.kind) {
        case FrameKind::kDelimiter: return find_delimited(frame, bytes);
        case FrameKind::kHead: return find_headed(frame, bytes);
        case FrameKind::kResp: return find_resp(frame, bytes);
        case FrameKind::kFix: return find_fix(frame, bytes);
        case FrameKind::kFixed:
        case FrameKind::kLength:
        case FrameKind::kType: break;
    }
    return {FrameStatus::kMalformed};
}

}  // namespace cluster::protocol
