// The blocks of a plan: one message, one reply.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/plan.h"
#include "protocol/plan_words.h"

namespace cluster::protocol {

/// The names of kept texts and secrets, numbered as they come.
class Texts {
public:
    /// The number of a text; the line fails when there are too many.
    std::uint16_t number_of(std::string_view name, const Words& line);
    const std::vector<std::string>& names() const noexcept { return names_; }

private:
    std::vector<std::string> names_;
};

/// Reads a `message … end` block.
class MessageReader {
public:
    MessageReader(const Plan& plan, Texts& texts, std::string name, bool answered_by_target);

    void take(std::string_view what, Words& line);
    Message finish(const Words& line);

private:
    Patch patch_at(Words& line) const;
    void read_source(Patch& patch, Words& line) const;
    void add(const Patch& patch, const Words& line);
    void begin_chunk(Words& line);
    Span span_of(Words& line) const;
    void check(const Span& span, std::size_t width, const Words& line) const;

    const Plan& plan_;
    Texts& texts_;
    Message message_;
};

/// Reads a `reply … end` block.
class ReplyReader {
public:
    ReplyReader(Plan& plan, Texts& texts, ReplyRule rule);

    void take(std::string_view what, Words& line);
    ReplyRule finish();

private:
    void read_match(Words& line);
    void read_value(Words& line);
    Read read_format(Words& line);
    std::uint16_t place(Words& line);
    std::uint16_t tag_index(std::uint32_t tag, const Words& line);

    Plan& plan_;
    Texts& texts_;
    ReplyRule rule_;
};

}  // namespace cluster::protocol
