#include "client/replay_wire_symbols.h"

#include <algorithm>
#include <cstdio>

namespace cluster {
namespace {

constexpr std::size_t kShownMax = 64;

bool is_control(char character) noexcept {
    return static_cast<unsigned char>(character) < 0x20 || character == 0x7F;
}

std::string as_hex(char character) {
    char text[5];
    std::snprintf(text, sizeof text, "0x%02x", static_cast<unsigned>(character) & 0xFFU);
    return text;
}

/// As a sentence may hold it: no control characters, and not too much.
std::string shown(std::string_view text) {
    std::size_t size = std::min(text.size(), kShownMax);
    // A character of several bytes is not cut within.
    while (size < text.size() && size > 0 && (static_cast<unsigned>(text[size]) & 0xC0U) == 0x80U) {
        --size;
    }
    std::string result = "`";
    for (const char character : text.substr(0, size)) {
        if (is_control(character)) {
            result.append("\\").append(as_hex(character), 1);
        } else {
            result += character;
        }
    }
    result += size < text.size() ? "…`" : "`";
    return result;
}

void write_padded(protocol::Table& table, std::string_view text, std::size_t entry) noexcept {
    std::byte* const out = table.bytes.data() + entry * table.width;
    const std::size_t gap =
        table.justify == protocol::Justify::kRight ? table.width - text.size() : 0;
    // The rest holds padding already.
    std::copy_n(reinterpret_cast<const std::byte*>(text.data()), text.size(), out + gap);
}

}  // namespace

ReplayWireSymbols::ReplayWireSymbols(protocol::Plan& plan) : plan_(plan) {
    for (std::uint32_t number = 0; number < plan.symbol_names.size(); ++number) {
        by_name_.emplace(plan.symbol_names[number], number);
    }
    for (std::size_t i = 0; i < plan.tables.size(); ++i) {
        if (plan.tables[i].awaits_symbols) tables_.push_back(i);
    }
    std::ranges::sort(tables_, {}, [&](std::size_t i) { return plan.tables[i].width; });
    for (const protocol::Message& message : plan.messages) {
        for (const protocol::Chunk& chunk : message.chunks) {
            for (const protocol::Patch& patch : chunk.patches) {
                is_number_too_ = is_number_too_ || (patch.source == protocol::Source::kSymbol &&
                                                    patch.kind != protocol::PatchKind::kTable);
            }
        }
    }
}

ReplayWireSymbols::Named ReplayWireSymbols::name(const std::string& text, std::uint32_t own,
                                                 std::uint32_t index) const {
    if (!by_name_.empty()) {
        const auto found = by_name_.find(text);
        if (found != by_name_.end()) return {found->second, {}};
        return {own, "its symbol " + shown(text) + " is none of the names in the wire schema"};
    }
    // Where only texts are sent, the number just says which entry: a file's integers may be large.
    const std::uint32_t number = tables_.empty() || is_number_too_ ? own : index;
    return {number, why_not(text, number)};
}

std::string ReplayWireSymbols::why_not(std::string_view text, std::uint32_t number) const {
    for (const std::size_t index : tables_) {
        const protocol::Table& table = plan_.tables[index];
        const std::string its = "its symbol " + shown(text) + " ";
        if (text.size() > table.width) {
            return its + "has " + std::to_string(text.size()) + " bytes, and " +
                   std::to_string(table.width) + " fit into the protocol's field";
        }
        const auto wrong =
            std::find_if_not(text.begin(), text.end(), [&](char c) { return can_carry(c); });
        if (wrong != text.end()) {
            return its + "holds the character " + as_hex(*wrong) +
                   ", which the protocol's field can't carry";
        }
        if (number >= table.entries) {
            return its + "is a number of " + std::to_string(table.entries) +
                   " or more, and the protocol sends it as text, too: raise `symbols_max` above it";
        }
    }
    return {};
}

bool ReplayWireSymbols::can_carry(char character) const noexcept {
    if (is_control(character)) return false;  // no spec has them in a symbol, and framings use them
    const protocol::Frame& frame = plan_.frame;
    if (frame.kind == protocol::FrameKind::kFix) return character != '=';
    // What ends a message may not stand within it.
    return frame.kind != protocol::FrameKind::kDelimiter ||
           frame.delimiter.find(character) == std::string::npos;
}

void ReplayWireSymbols::write(std::string_view text, std::uint32_t number) noexcept {
    for (const std::size_t index : tables_) {
        protocol::Table& table = plan_.tables[index];
        if (number < table.entries && text.size() <= table.width) {
            write_padded(table, text, number);
        }
    }
}

}  // namespace cluster
