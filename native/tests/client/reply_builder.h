// Replies as an engine would write them, made from a plan's own rules.
//
// For tests and fuzzers: what comes out decodes as its rule unless something is done to it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/checksum.h"
#include "protocol/numbers.h"
#include "protocol/plan.h"

namespace cluster::test {

/// The numbers that a reply carries where its rule has a place for them.
struct ReplyValues {
    std::uint64_t id = 0;
    std::int64_t sequence = 1;
    std::int64_t executed = 0;
    std::int64_t remaining = 0;
    std::int64_t engine_received = 0;
    std::int64_t engine_replied = 0;
    std::string text = {};  ///< reasons and kept texts; a number where a number must stand
};

inline void append(std::vector<std::byte>& to, std::string_view text) {
    for (const char c : text) to.push_back(static_cast<std::byte>(c));
}

class ReplyBuilder {
public:
    /// `plan` outlives the builder.
    explicit ReplyBuilder(const protocol::Plan& plan) : plan_(plan) {}

    std::vector<std::byte> build(const protocol::ReplyRule& rule, const ReplyValues& values) const {
        return plan_.frame.kind == protocol::FrameKind::kFix ? tagged(rule, values)
                                                             : placed(rule, values);
    }

    /// The first rule of that name; there must be one.
    const protocol::ReplyRule& rule(std::string_view name) const {
        return *std::find_if(plan_.replies.begin(), plan_.replies.end(),
                             [&](const protocol::ReplyRule& r) { return r.name == name; });
    }
    std::vector<std::byte> build(std::string_view name, const ReplyValues& values) const {
        return build(rule(name), values);
    }

    /// Body length and checksum of a tagged message, around its fields.
    static std::vector<std::byte> framed(const protocol::Plan& plan, std::string_view fields) {
        std::vector<std::byte> bytes;
        append(bytes, plan.frame.delimiter + "9=" + std::to_string(fields.size()) + "\x01");
        append(bytes, fields);
        std::string sum =
            std::to_string(protocol::checksum(protocol::ChecksumKind::kSum256, bytes));
        sum.insert(0, 3 - sum.size(), '0');
        append(bytes, "10=" + sum + "\x01");
        return bytes;
    }

private:
    struct Value {
        const protocol::Read* read;
        std::int64_t number;
        bool is_said;  ///< as text
    };

    static std::vector<Value> values_of(const protocol::ReplyRule& rule, const ReplyValues& v) {
        std::vector<Value> all{{&rule.id, static_cast<std::int64_t>(v.id), false},
                               {&rule.sequence, v.sequence, false},
                               {&rule.executed, v.executed, false},
                               {&rule.remaining, v.remaining, false},
                               {&rule.engine_received, v.engine_received, false},
                               {&rule.engine_replied, v.engine_replied, false},
                               {&rule.reason, 1, true}};
        for (const protocol::Keep& keep : rule.keeps) all.push_back({&keep.read, 1, true});
        std::erase_if(all,
                      [](const Value& x) { return x.read->kind == protocol::ReadKind::kAbsent; });
        return all;
    }

    /// As the read would have it, before its scale.
    static std::string text_of(const Value& value, const ReplyValues& values) {
        if (value.read->kind == protocol::ReadKind::kUtc) return "20261124-12:00:00.000";
        if (value.is_said && !values.text.empty()) return values.text;
        const auto number = static_cast<std::uint64_t>(value.number);
        return std::to_string(number);
    }

    std::vector<std::byte> tagged(const protocol::ReplyRule& rule,
                                  const ReplyValues& values) const {
        std::string fields;
        // The type comes first, as FIX has it.
        for (const bool is_type : {true, false}) {
            for (const protocol::TagMatch& match : rule.tag_matches) {
                if ((plan_.tags[match.tag] == 35) != is_type) continue;
                fields += std::to_string(plan_.tags[match.tag]) + "=";
                for (const std::byte byte : match.value) fields += static_cast<char>(byte);
                fields += '\x01';
            }
        }
        for (const Value& value : values_of(rule, values)) {
            fields += std::to_string(plan_.tags[value.read->at]) + "=" + text_of(value, values);
            fields += '\x01';
        }
        return framed(plan_, fields);
    }

    std::vector<std::byte> placed(const protocol::ReplyRule& rule,
                                  const ReplyValues& values) const {
        using protocol::FrameKind;
        const protocol::Frame& frame = plan_.frame;
        const bool is_text = frame.kind == FrameKind::kDelimiter ||
                             frame.kind == FrameKind::kHead || frame.kind == FrameKind::kResp;
        std::size_t length = rule.length;
        if (frame.kind == FrameKind::kFixed || frame.kind == FrameKind::kLength) {
            length = std::max(length, frame.min);
        }
        std::vector<std::byte> bytes(length, is_text ? std::byte{' '} : std::byte{0});
        for (const Value& value : values_of(rule, values)) put(bytes, value, values);
        for (const protocol::ByteMatch& match : rule.matches) {
            std::copy(match.bytes.begin(), match.bytes.end(), bytes.begin() + match.at);
        }
        if (frame.kind == FrameKind::kLength) {
            protocol::store_int(
                bytes.data() + frame.at, frame.width, frame.order,
                static_cast<std::uint64_t>(static_cast<std::int64_t>(bytes.size()) - frame.add));
        } else if (frame.kind == FrameKind::kHead && !frame.marker.empty()) {
            append(bytes, "\r\n" + frame.marker + " 0" + frame.delimiter);
        } else if (is_text) {
            append(bytes, frame.kind == FrameKind::kResp ? "\r\n" : frame.delimiter);
        }
        return bytes;
    }

    static void put(std::vector<std::byte>& bytes, const Value& value, const ReplyValues& values) {
        const protocol::Read& read = *value.read;
        switch (read.kind) {
            case protocol::ReadKind::kPlain64Little:
            case protocol::ReadKind::kPlain64Big:
            case protocol::ReadKind::kUnsigned:
            case protocol::ReadKind::kSigned:
                protocol::store_int(bytes.data() + read.at, read.width, read.order,
                                    static_cast<std::uint64_t>(value.number));
                return;
            default: break;
        }
        std::string text = text_of(value, values);
        if (read.width > 0) {
            const char pad = read.digits.pad == '\0' ? ' ' : read.digits.pad;
            if (text.size() < read.width) {
                text.insert(value.is_said ? text.size() : 0, read.width - text.size(), pad);
            }
            text.resize(read.width);
        }
        if (bytes.size() < read.at + text.size()) bytes.resize(read.at + text.size());
        for (std::size_t i = 0; i < text.size(); ++i) {
            bytes[read.at + i] = static_cast<std::byte>(text[i]);
        }
    }

    const protocol::Plan& plan_;
};

}  // namespace cluster::test
