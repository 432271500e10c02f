// Requests to bytes, by a plan: templates are copied, then patched.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "client/random.h"
#include "protocol/numbers.h"
#include "protocol/order_templates.h"
#include "protocol/plan.h"
#include "protocol/utc.h"

namespace cluster::protocol {

/// Messages of one session of a plan: remembers its sequence numbers, its texts and its draws.
///
/// Belongs to one connection. Allocates nothing after construction.
class Encoder {
public:
    /// `plan` outlives the encoder. `random` is this connection's own stream.
    Encoder(const Plan& plan, Random random)
        : plan_(&plan),
          random_(random),
          next_sequence_(plan.session.first_sequence),
          texts_(plan.texts.size()) {}

    /// Writes the message of an order, by variant_of, and returns its length. `out` has room for
    /// Plan::room bytes.
    std::size_t encode_order(std::size_t variant, const OrderValues& values,
                             std::byte* out) noexcept {
        const OrderTemplates& templates = plan_->templates;
        if (!templates.usable()) [[unlikely]] {
            return encode(plan_->messages[plan_->sends[variant]], values, out);
        }
        const std::size_t length = templates.write(variant, values, out);
        if (plan_->orders_need_more) add_rest(plan_->messages[plan_->sends[variant]], values, out);
        return length;
    }

    /// Writes any message and returns its length. `out` has room for Plan::room bytes.
    std::size_t encode(const Message& message, const OrderValues& values, std::byte* out) noexcept;

    /// A kept text or a secret; what is longer than kKeptBytesMax is cut.
    void keep(std::uint16_t text, std::span<const std::byte> value) noexcept {
        Kept& kept = texts_[text];
        kept.size = std::min(value.size(), kept.bytes.size());
        std::copy_n(value.begin(), kept.size, kept.bytes.begin());
    }

    std::uint64_t next_sequence() const noexcept { return next_sequence_; }

private:
    struct Kept {
        std::array<std::byte, kKeptBytesMax> bytes{};
        std::size_t size = 0;
        std::span<const std::byte> view() const noexcept { return {bytes.data(), size}; }
    };

    void write(const Patch& patch, const OrderValues& values, std::byte* out) noexcept {
        switch (patch.kind) {
            case PatchKind::kPlain64Little: return store_plain(out, of_order(patch, values));
            case PatchKind::kPlain64Big: return store_plain(out, swapped(of_order(patch, values)));
            case PatchKind::kPlain32Little:
                return store_plain(out, static_cast<std::uint32_t>(of_order(patch, values)));
            case PatchKind::kPlain32Big:
                return store_plain(out,
                                   swapped(static_cast<std::uint32_t>(of_order(patch, values))));
            case PatchKind::kInt:
                return store_int(out, patch.width, patch.order,
                                 static_cast<std::uint64_t>(scaled(patch, values)));
            case PatchKind::kDecimal:
                return store_digits(out, patch.width, patch.digits, scaled(patch, values));
            default: write_rarer(patch, values, out);
        }
    }

    template <class Unsigned>
    static void store_plain(std::byte* out, Unsigned value) noexcept {
        std::memcpy(out, &value, sizeof value);
    }

    static std::uint64_t of_order(const Patch& patch, const OrderValues& values) noexcept {
        return static_cast<std::uint64_t>(values[static_cast<std::size_t>(patch.source)]);
    }

    std::int64_t scaled(const Patch& patch, const OrderValues& values) noexcept {
        const auto index = static_cast<std::size_t>(patch.source);
        const std::int64_t value = index < kOrderSources ? values[index] : other_value(patch);
        // Wraps instead of overflowing: values beyond the plan's limits were refused before.
        return static_cast<std::int64_t>(static_cast<std::uint64_t>(value) *
                                             static_cast<std::uint64_t>(patch.scale) +
                                         static_cast<std::uint64_t>(patch.add));
    }

    void add_rest(const Message& message, const OrderValues& values, std::byte* out) noexcept;
    void finish(const Message& message, const std::size_t* begins, std::byte* out) noexcept;
    /// One reading serves all times of a message.
    std::int64_t message_time_ns() noexcept {
        if (message_time_ns_ == 0) message_time_ns_ = wall_ns();
        return message_time_ns_;
    }
    std::int64_t other_value(const Patch& patch) noexcept;
    void write_rarer(const Patch& patch, const OrderValues& values, std::byte* out) noexcept;
    const Plan* plan_;
    Random random_;
    UtcWriter utc_;
    std::uint64_t next_sequence_;
    std::int64_t message_time_ns_ = 0;  ///< 0: not read yet
    std::vector<Kept> texts_;
};

}  // namespace cluster::protocol
