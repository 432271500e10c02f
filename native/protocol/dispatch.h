// Which reply is it? A trie over the constants that tell the replies apart.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace cluster::protocol {

/// A constant of a reply: these bytes stand at this offset.
struct ByteMatch {
    std::uint16_t at = 0;
    std::vector<std::byte> bytes;
};

/// A constant of a tagged reply: the tag (by index) has this value.
struct TagMatch {
    std::uint16_t tag = 0;
    std::vector<std::byte> value;
};

/// Finds the most specific rule whose constants a frame has.
///
/// Each node looks at one byte. A frame that is too short for a node's offset takes the way of
/// the rules that do not look there.
class Dispatch {
public:
    static constexpr std::uint16_t kNoRule = 0xFFFF;
    static constexpr std::uint16_t kNeedMore = 0xFFFE;

    Dispatch() = default;

    /// `matches[i]` are the constants of rule i. Where a frame is as long as its reply, `lengths`
    /// has how long: a rule is then found within the shortest of those that it is told from.
    /// Throws PlanError when that can't be, or when it would be too large.
    explicit Dispatch(const std::vector<std::vector<ByteMatch>>& matches,
                      const std::vector<std::size_t>& lengths = {});

    /// The index of the rule, or kNoRule.
    std::uint16_t find(std::span<const std::byte> frame) const noexcept {
        return walk<false>(frame);
    }

    /// The same on the start of a frame of unknown length: kNeedMore when it can't be told yet.
    std::uint16_t find_in_part(std::span<const std::byte> bytes) const noexcept {
        return walk<true>(bytes);
    }

private:
    // A step: the next node, or from kLeaf on a rule.
    static constexpr std::uint16_t kLeaf = 0x8000;
    static constexpr std::uint16_t kNodesMax = 4'096;

    struct Node {
        std::uint16_t at = 0;
        std::uint16_t otherwise = kNoRule;  ///< for a frame that ends before `at`
        std::array<std::uint16_t, 256> next{};
    };
    struct Candidate {
        std::uint16_t rule;
        std::vector<std::pair<std::uint16_t, std::byte>> left;  ///< constants not looked at yet
        std::size_t constants;
        std::size_t length;  ///< no byte from here on may be looked at
    };

    std::uint16_t build(std::vector<Candidate> candidates);

    template <bool kPart>
    std::uint16_t walk(std::span<const std::byte> bytes) const noexcept {
        std::uint16_t step = root_;
        while (step < kLeaf) {
            const Node& node = nodes_[step];
            if (node.at >= bytes.size()) [[unlikely]] {
                if constexpr (kPart) return kNeedMore;
                step = node.otherwise;
                continue;
            }
            step = node.next[static_cast<std::uint8_t>(bytes[node.at])];
        }
        return step == kNoRule ? kNoRule : static_cast<std::uint16_t>(step - kLeaf);
    }

    std::vector<Node> nodes_;
    std::uint16_t root_ = kNoRule;
};

}  // namespace cluster::protocol
