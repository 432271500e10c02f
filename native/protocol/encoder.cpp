#include "protocol/encoder.h"

#include <algorithm>
#include <bit>

#include "protocol/checksum.h"

namespace cluster::protocol {
namespace {

std::int64_t in_unit(std::int64_t ns, TimeUnit unit) noexcept {
    switch (unit) {
        case TimeUnit::kNs: return ns;
        case TimeUnit::kUs: return ns / 1'000;
        case TimeUnit::kMs: return ns / 1'000'000;
        case TimeUnit::kS: return ns / kNsPerSecond;
    }
    return ns;
}

}  // namespace

std::int64_t Encoder::other_value(const Patch& patch) noexcept {
    switch (patch.source) {
        case Source::kDraw: return plan_->draws[patch.detail].draw(random_);
        case Source::kTime: {
            const std::int64_t now_ns = message_time_ns();
            return in_unit(patch.since_midnight ? now_ns % kNsPerDay : now_ns,
                           static_cast<TimeUnit>(patch.detail));
        }
        default: return static_cast<std::int64_t>(next_sequence_);
    }
}

void Encoder::write_rarer(const Patch& patch, const OrderValues& values, std::byte* out) noexcept {
    switch (patch.kind) {
        case PatchKind::kFloat: {
            const double value = static_cast<double>(scaled(patch, values)) * patch.factor;
            const std::uint64_t bits = patch.width == sizeof(float)
                                           ? std::bit_cast<std::uint32_t>(static_cast<float>(value))
                                           : std::bit_cast<std::uint64_t>(value);
            return store_int(out, patch.width, patch.order, bits);
        }
        case PatchKind::kTable: {
            const Table& table = plan_->tables[patch.table];
            // A number beyond the table would be refused before; here it must only not be read.
            const auto entry = static_cast<std::uint64_t>(scaled(patch, values)) % table.entries;
            std::memcpy(out, table.bytes.data() + entry * table.width, table.width);
            return;
        }
        case PatchKind::kUtc: return utc_.write(out, patch.detail, message_time_ns());
        default: {
            const std::span<const std::byte> text = texts_[patch.detail].view();
            const std::size_t size = std::min<std::size_t>(text.size(), patch.width);
            const std::size_t gap = patch.width - size;
            const bool left = patch.digits.justify == Justify::kLeft;
            std::memset(out + (left ? size : 0), patch.digits.pad, gap);
            std::copy_n(text.begin(), size, out + (left ? 0 : gap));
        }
    }
}

/// What an order's template leaves to be done.
void Encoder::add_rest(const Message& message, const OrderValues& values, std::byte* out) noexcept {
    constexpr std::size_t kBegin = 0;
    for (const Patch& patch : message.chunks.front().patches) {
        if (patch.kind >= PatchKind::kInt) write(patch, values, out + patch.at);
    }
    finish(message, &kBegin, out);
}

std::size_t Encoder::encode(const Message& message, const OrderValues& values,
                            std::byte* out) noexcept {
    std::array<std::size_t, kChunksMax> begins{};
    std::size_t length = 0;
    for (std::size_t i = 0; i < message.chunks.size(); ++i) {
        const Chunk& chunk = message.chunks[i];
        begins[i] = length;
        std::memcpy(out + length, message.bytes.data() + chunk.begin, chunk.length);
        for (const Patch& patch : chunk.patches) write(patch, values, out + length + patch.at);
        length += chunk.length;
        if (chunk.insert != kNone) {
            const std::span<const std::byte> text = texts_[chunk.insert].view();
            std::copy(text.begin(), text.end(), out + length);
            length += text.size();
        }
    }
    finish(message, begins.data(), out);
    return length;
}

/// Lengths, then checksums, over what has been written; `begins` has where each chunk begins.
void Encoder::finish(const Message& message, const std::size_t* begins, std::byte* out) noexcept {
    const auto bounds = [&](const Span& span) {
        const std::size_t from = begins[span.from_chunk] + span.from;
        return std::pair{from, std::max(from, begins[span.to_chunk] + span.to)};
    };
    for (const LengthField& field : message.lengths) {
        const auto [from, to] = bounds(field.span);
        store(out + begins[field.span.chunk] + field.span.at, field.format,
              static_cast<std::uint64_t>(static_cast<std::int64_t>(to - from) + field.add));
    }
    for (const ChecksumField& field : message.checksums) {
        const auto [from, to] = bounds(field.span);
        store(out + begins[field.span.chunk] + field.span.at, field.format,
              checksum(field.kind, {out + from, to - from}));
    }
    next_sequence_ += message.uses_sequence;
    message_time_ns_ = 0;
}

}  // namespace cluster::protocol
