// What a protocol makes of the symbols of a file: their numbers, and their texts on the wire.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "protocol/plan.h"

namespace cluster {

/// The one writable view of a plan: fills the tables that wait for a file's symbols.
///
/// Their memory is reserved, and each entry has bytes of its own. The feeder's thread writes an
/// entry before it puts any order of that symbol into a worker's ring; the ring's release and
/// acquire order the bytes before the order, so workers read them without a lock. `name` looks at
/// sizes only and belongs to the reader's thread.
class ReplayWireSymbols {
public:
    struct Named {
        std::uint32_t number = 0;  ///< what requests call it
        std::string why_not;       ///< why none can, or an empty text
    };

    /// `plan` outlives this.
    explicit ReplayWireSymbols(protocol::Plan& plan);

    /// What becomes of a symbol. `own` is its number in the file: the integer that it is, or its
    /// place in the order of first appearance, `index`.
    ///
    /// Nothing but the file and the plan decides. Every agent has the same plan and reads the whole
    /// file from its beginning, so all agree on the number, whichever symbols they send.
    Named name(const std::string& text, std::uint32_t own, std::uint32_t index) const;

    /// Writes a symbol's text wherever the plan waits for it; what was refused is left out.
    void write(std::string_view text, std::uint32_t number) noexcept;

private:
    std::string why_not(std::string_view text, std::uint32_t number) const;
    bool can_carry(char character) const noexcept;

    protocol::Plan& plan_;
    std::unordered_map<std::string_view, std::uint32_t> by_name_;  ///< when the schema names them
    std::vector<std::size_t> tables_;  ///< that wait for texts, by index; the narrowest first
    bool is_number_too_ = false;       ///< some field carries the number itself
};

}  // namespace cluster
