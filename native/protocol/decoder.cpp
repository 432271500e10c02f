#include "protocol/decoder.h"

#include <algorithm>
#include <cstring>

#include "protocol/checksum.h"
#include "protocol/utc.h"

namespace cluster::protocol {
namespace {

constexpr std::byte kSoh{0x01};
constexpr std::size_t kFixTrailerBytes = 7;

bool checksum_is_right(std::span<const std::byte> frame) noexcept {
    const auto trailer = frame.last(kFixTrailerBytes);
    const auto said = load_digits(trailer.subspan(3, 3), {});
    const std::uint32_t is =
        checksum(ChecksumKind::kSum256, frame.first(frame.size() - kFixTrailerBytes));
    return said && static_cast<std::uint64_t>(*said) == is;
}

/// Where the wanted tags have their values; of a tag that comes several times, the first.
TagValues find_tags(const Plan& plan, std::span<const std::byte> frame) noexcept {
    TagValues values;
    std::size_t at = 0;
    while (at < frame.size()) {
        std::uint32_t tag = 0;
        std::size_t digits = 0;
        while (at < frame.size() && digits < 9 && digit_of(frame[at]) < 10) {
            tag = tag * 10 + digit_of(frame[at++]);
            ++digits;
        }
        const auto* const end = static_cast<const std::byte*>(
            std::memchr(frame.data() + at, static_cast<int>(kSoh), frame.size() - at));
        if (end == nullptr) break;
        const auto next = static_cast<std::size_t>(end - frame.data());
        if (digits > 0 && at < next && frame[at] == std::byte{'='}) {
            const auto found = std::find(plan.tags.begin(), plan.tags.end(), tag);
            if (found != plan.tags.end()) {
                auto& place = values.places[static_cast<std::size_t>(found - plan.tags.begin())];
                if (place.length == 0) {
                    place = {static_cast<std::uint16_t>(at + 1),
                             static_cast<std::uint16_t>(next - at - 1)};
                }
            }
        }
        at = next + 1;
    }
    return values;
}

bool has_all(const ReplyRule& rule, const TagValues& values,
             std::span<const std::byte> frame) noexcept {
    return std::all_of(
        rule.tag_matches.begin(), rule.tag_matches.end(), [&](const TagMatch& match) {
            const TagValues::Place place = values.places[match.tag];
            const auto value = frame.subspan(place.at, place.length);
            return std::equal(value.begin(), value.end(), match.value.begin(), match.value.end());
        });
}

/// The plan's reader puts the rules with most constants first: the first that fits is the one.
const ReplyRule* find_tagged(const Plan& plan, const TagValues& values,
                             std::span<const std::byte> frame) noexcept {
    for (const ReplyRule& rule : plan.replies) {
        if (has_all(rule, values, frame)) return &rule;
    }
    return nullptr;
}

Decoded decode_fix(const Plan& plan, std::span<const std::byte> bytes) noexcept {
    const FrameFound found = find_frame(plan.frame, bytes);
    if (found.status != FrameStatus::kWhole) {
        return failed(found.status);
    }
    const std::span<const std::byte> frame = bytes.first(found.length);
    if (!checksum_is_right(frame)) return {DecodeStatus::kGarbled, found.length, {}};
    const TagValues values = find_tags(plan, frame);
    const ReplyRule* rule = find_tagged(plan, values, frame);
    if (rule == nullptr) return {DecodeStatus::kUnknown, found.length, {}};
    return {DecodeStatus::kReply, found.length, read_reply(*rule, {frame, &values})};
}

/// The message found by its constants has its length.
Decoded decode_by_type(const Plan& plan, std::span<const std::byte> bytes) noexcept {
    const std::uint16_t index = plan.dispatch.find_in_part(bytes);
    if (index == Dispatch::kNeedMore) return {DecodeStatus::kNeedMore, 0, {}};
    if (index == Dispatch::kNoRule) return {DecodeStatus::kMalformed, 0, {}};
    const ReplyRule& rule = plan.replies[index];
    if (bytes.size() < rule.length) return {DecodeStatus::kNeedMore, 0, {}};
    const auto frame = bytes.first(rule.length);
    return {DecodeStatus::kReply, rule.length, read_reply(rule, {frame})};
}

Decoded decode_text(const Plan& plan, std::span<const std::byte> bytes) noexcept {
    const FrameFound found = find_text_frame(plan.frame, bytes);
    if (found.status != FrameStatus::kWhole) {
        return failed(found.status);
    }
    const std::span<const std::byte> frame = bytes.first(found.content);
    const std::uint16_t index = plan.dispatch.find(frame);
    if (index == Dispatch::kNoRule) return {DecodeStatus::kUnknown, found.length, {}};
    const ReplyRule& rule = plan.replies[index];
    if (frame.size() < rule.length) return {DecodeStatus::kUnknown, found.length, {}};
    return {DecodeStatus::kReply, found.length, read_reply(rule, {frame})};
}

/// The bytes that a read is of; empty when they are absent or not all there.
std::span<const std::byte> bytes_of(const Read& read, const View& view) noexcept {
    if (view.tags != nullptr) {
        const TagValues::Place place = view.tags->places[read.at];
        return view.frame.subspan(place.at, place.length);
    }
    if (read.at > view.frame.size()) return {};
    const std::size_t left = view.frame.size() - read.at;
    if (read.width > left) return {};
    return view.frame.subspan(read.at, read.width == 0 ? left : read.width);
}

std::optional<std::int64_t> unscaled(const Read& read, std::span<const std::byte> bytes) noexcept {
    switch (read.kind) {
        case ReadKind::kUnsigned:
        case ReadKind::kPlain64Little:
        case ReadKind::kPlain64Big:
            return static_cast<std::int64_t>(
                load_unsigned(bytes.data(), std::min<std::size_t>(bytes.size(), 8), read.order));
        case ReadKind::kSigned:
            return load_signed(bytes.data(), std::min<std::size_t>(bytes.size(), 8), read.order);
        case ReadKind::kDecimal: return load_digits(bytes, read.digits);
        case ReadKind::kUtc: return read_utc(bytes);
        case ReadKind::kAbsent:
        case ReadKind::kText: break;
    }
    return std::nullopt;
}

}  // namespace

ReplyShape shape_of(const ReplyRule& rule) noexcept {
    ReplyShape shape;
    shape.length = static_cast<std::uint16_t>(rule.length);
    shape.meaning = rule.meaning;
    shape.is_exact = rule.is_exact;
    shape.names_order = rule.names_order;
    shape.is_quick = true;
    bool is_big = false;
    bool is_little = false;
    const auto place = [&](const Read& read) {
        const bool big = read.kind == ReadKind::kPlain64Big;
        const bool little = read.kind == ReadKind::kPlain64Little;
        is_big = is_big || big;
        is_little = is_little || little;
        if (!big && !little && read.kind != ReadKind::kAbsent) shape.is_quick = false;
        return big || little ? read.at : kNone;
    };
    shape.id_at = place(rule.id);
    shape.received_at = place(rule.engine_received);
    shape.replied_at = place(rule.engine_replied);
    shape.has_id = shape.id_at != kNone;
    shape.is_quick =
        shape.is_quick && !(is_big && is_little) && rule.sequence.kind == ReadKind::kAbsent;
    shape.order = is_big ? Order::kBig : Order::kLittle;
    return shape;
}

Decoded decode_slowly(const Plan& plan, std::span<const std::byte> bytes) noexcept {
    switch (plan.frame.kind) {
        case FrameKind::kFix: return decode_fix(plan, bytes);
        case FrameKind::kType: return decode_by_type(plan, bytes);
        default: return decode_text(plan, bytes);
    }
}

std::span<const std::byte> text_of(const Read& read, const View& view) noexcept {
    std::span<const std::byte> text = bytes_of(read, view);
    const auto pad = static_cast<std::byte>(read.digits.pad);
    while (!text.empty() && text.back() == pad) text = text.first(text.size() - 1);
    return text;
}

LaterView::LaterView(const Plan& plan, const Reply& reply) noexcept
    : frame_(reply.frame, reply.frame_length), is_tagged_(plan.frame.kind == FrameKind::kFix) {
    if (is_tagged_) tags_ = find_tags(plan, frame_);
}

Reply read_reply(const ReplyRule& rule, const View& view) noexcept {
    const std::optional<std::int64_t> id = number_of(rule.id, view);
    return {static_cast<std::uint64_t>(id.value_or(0)),
            static_cast<std::uint64_t>(number_of(rule.engine_received, view).value_or(0)),
            static_cast<std::uint64_t>(number_of(rule.engine_replied, view).value_or(0)),
            number_of(rule.sequence, view).value_or(-1),
            &rule,
            view.frame.data(),
            static_cast<std::uint32_t>(view.frame.size()),
            rule.meaning,
            id.has_value(),
            rule.names_order};
}

std::optional<std::int64_t> number_of(const Read& read, const View& view) noexcept {
    if (read.kind == ReadKind::kAbsent) return std::nullopt;
    const std::span<const std::byte> bytes = bytes_of(read, view);
    if (bytes.empty()) return std::nullopt;
    const std::optional<std::int64_t> number = unscaled(read, bytes);
    std::int64_t scaled = 0;
    if (!number || __builtin_mul_overflow(*number, read.scale, &scaled)) return std::nullopt;
    return scaled;
}

}  // namespace cluster::protocol
