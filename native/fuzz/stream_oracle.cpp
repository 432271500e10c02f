#include "fuzz/stream_oracle.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

#include "fuzz/demand.h"
#include "protocol/decoder.h"

namespace cluster::fuzz {
namespace {

using protocol::DecodeStatus;

/// All that a reply says. Its frame by position, as the bytes lie elsewhere each time.
struct Seen {
    DecodeStatus status;
    std::size_t at;
    std::size_t length;
    std::uint64_t id = 0;
    std::uint64_t received_ns = 0;
    std::uint64_t replied_ns = 0;
    std::int64_t sequence = 0;
    const protocol::ReplyRule* rule = nullptr;
    bool has_id = false;
    std::vector<std::optional<std::int64_t>> numbers;
    std::vector<std::string> texts;

    bool operator==(const Seen&) const = default;
};

Seen look(const protocol::Plan& plan, const protocol::Decoded& decoded, std::size_t at) {
    Seen seen{decoded.status, at, decoded.length, 0, 0, 0, 0, nullptr, false, {}, {}};
    if (decoded.status != DecodeStatus::kReply) return seen;
    const protocol::Reply& reply = decoded.reply;
    demand(reply.rule != nullptr, "a reply has its rule");
    demand(reply.frame_length <= decoded.length, "a reply lies within its frame");
    seen.id = reply.id;
    seen.received_ns = reply.engine_received_ns;
    seen.replied_ns = reply.engine_replied_ns;
    seen.sequence = reply.sequence;
    seen.rule = reply.rule;
    seen.has_id = reply.has_id;
    const protocol::LaterView view(plan, reply);
    for (const protocol::Read* read :
         {&reply.rule->reason, &reply.rule->executed, &reply.rule->remaining}) {
        seen.numbers.push_back(view.number(*read));
        if (read->kind == protocol::ReadKind::kAbsent) continue;
        const auto text = view.text(*read);
        seen.texts.emplace_back(reinterpret_cast<const char*>(text.data()), text.size());
    }
    for (const protocol::Keep& keep : reply.rule->keeps) {
        const auto text = view.text(keep.read);
        seen.texts.emplace_back(reinterpret_cast<const char*>(text.data()), text.size());
    }
    return seen;
}

/// Appends what the bytes from `at` on hold and moves `at` behind it. Returns the last status.
DecodeStatus decode_all(const protocol::Plan& plan, std::span<const std::byte> bytes,
                        std::size_t& at, std::vector<Seen>& seen) {
    // A copy of exactly these bytes: a sanitizer sees one byte too many.
    const std::vector<std::byte> copy(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end());
    for (std::span<const std::byte> left = copy;; left = std::span(copy).last(bytes.size() - at)) {
        const protocol::Decoded decoded = protocol::decode(plan, left);
        if (decoded.status == DecodeStatus::kNeedMore) {
            demand(left.size() < plan.frame.max, "no more is needed than the longest frame");
            return decoded.status;
        }
        if (decoded.status == DecodeStatus::kMalformed) return decoded.status;
        demand(decoded.length > 0, "every message has a length");
        demand(decoded.length <= left.size(), "no message is longer than its bytes");
        demand(decoded.length <= plan.frame.max, "no message is longer than the longest");
        seen.push_back(look(plan, decoded, at));
        at += decoded.length;
    }
}

}  // namespace

void check_stream(const protocol::Plan& plan, std::span<const std::byte> stream,
                  const std::vector<std::size_t>& pieces) {
    std::vector<Seen> whole;
    std::size_t at = 0;
    const DecodeStatus whole_end = decode_all(plan, stream, at, whole);
    const std::size_t whole_at = at;

    std::vector<Seen> parted;
    at = 0;
    std::size_t there = 0;
    DecodeStatus end = DecodeStatus::kNeedMore;
    for (std::size_t i = 0; there < stream.size() && end == DecodeStatus::kNeedMore; ++i) {
        const std::size_t piece = pieces.empty() ? stream.size() : pieces[i % pieces.size()];
        there = std::min(stream.size(), there + std::max<std::size_t>(piece, 1));
        end = decode_all(plan, stream.first(there), at, parted);
    }
    if (stream.empty()) return;
    demand(whole == parted, "what comes in pieces says the same as what comes at once");
    demand(whole_end == end && whole_at == at, "both ways end at the same place");
}

}  // namespace cluster::fuzz
