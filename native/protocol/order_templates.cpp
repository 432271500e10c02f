#include "protocol/order_templates.h"

namespace cluster::protocol {
namespace {

std::size_t count_of(const Message& message, PatchKind kind) {
    const auto& patches = message.chunks.front().patches;
    return static_cast<std::size_t>(std::count_if(
        patches.begin(), patches.end(), [&](const Patch& patch) { return patch.kind == kind; }));
}

}  // namespace

OrderTemplates::OrderTemplates(const std::vector<Message>& messages, const Sends& sends) {
    std::size_t longest = 0;
    for (const std::uint16_t index : sends) {
        if (index == kNone) continue;
        const Message& message = messages[index];
        if (!message.is_fixed || message.longest > kLongest) return;
        longest = std::max(longest, message.longest);
        for (std::size_t kind = 0; kind < kKinds; ++kind) {
            counts_[kind] =
                std::max(counts_[kind], count_of(message, static_cast<PatchKind>(kind)));
        }
    }
    usable_ = true;
    copied_ = (longest + kStep - 1) / kStep * kStep;
    for (const std::size_t count : counts_) places_each_ += count;
    bytes_.resize(copied_ * sends.size());
    // Spare places write a number behind the template.
    places_.resize(places_each_ * sends.size(), {static_cast<std::uint16_t>(copied_), Source::kId});
    for (std::size_t variant = 0; variant < sends.size(); ++variant) {
        if (sends[variant] == kNone) continue;
        const Message& message = messages[sends[variant]];
        lengths_[variant] = message.longest;
        std::copy_n(message.bytes.begin(), message.longest,
                    bytes_.begin() + static_cast<std::ptrdiff_t>(variant * copied_));
        std::size_t first = variant * places_each_;
        for (std::size_t kind = 0; kind < kKinds; ++kind) {
            std::size_t next = first;
            for (const Patch& patch : message.chunks.front().patches) {
                if (patch.kind == static_cast<PatchKind>(kind)) {
                    places_[next++] = {patch.at, patch.source};
                }
            }
            first += counts_[kind];
        }
    }
}

}  // namespace cluster::protocol
