#include "protocol/dispatch.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

#include "protocol/plan_error.h"

namespace cluster::protocol {

Dispatch::Dispatch(const std::vector<std::vector<ByteMatch>>& matches,
                   const std::vector<std::size_t>& lengths) {
    std::vector<Candidate> all;
    for (std::size_t rule = 0; rule < matches.size(); ++rule) {
        Candidate candidate{
            static_cast<std::uint16_t>(rule), {}, 0, lengths.empty() ? SIZE_MAX : lengths[rule]};
        for (const ByteMatch& match : matches[rule]) {
            for (std::size_t i = 0; i < match.bytes.size(); ++i) {
                candidate.left.emplace_back(static_cast<std::uint16_t>(match.at + i),
                                            match.bytes[i]);
            }
        }
        std::sort(candidate.left.begin(), candidate.left.end());
        candidate.constants = candidate.left.size();
        all.push_back(std::move(candidate));
    }
    root_ = build(std::move(all));
}

/// Candidates agree with all bytes looked at so far. The next byte to look at is the one that the
/// most of them have a constant for: it tells the most.
std::uint16_t Dispatch::build(std::vector<Candidate> candidates) {
    if (candidates.empty()) return kNoRule;
    std::size_t shortest = SIZE_MAX;
    for (const Candidate& candidate : candidates) shortest = std::min(shortest, candidate.length);
    bool has_constants = false;
    std::map<std::uint16_t, std::size_t> wanted;
    for (const Candidate& candidate : candidates) {
        has_constants = has_constants || !candidate.left.empty();
        for (const auto& constant : candidate.left) {
            if (constant.first < shortest) ++wanted[constant.first];
        }
    }
    if (wanted.empty() && has_constants) {
        throw PlanError("plan: a reply can't be told from a longer one by its own bytes");
    }
    if (wanted.empty()) {
        const auto best = std::max_element(
            candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.constants < b.constants; });
        return static_cast<std::uint16_t>(kLeaf + best->rule);
    }
    const std::uint16_t at =
        std::max_element(wanted.begin(), wanted.end(), [](const auto& a, const auto& b) {
            return a.second < b.second;
        })->first;
    if (nodes_.size() == kNodesMax) throw PlanError("plan: its replies have too many constants");
    const auto index = static_cast<std::uint16_t>(nodes_.size());
    nodes_.emplace_back();
    nodes_[index].at = at;

    std::map<std::byte, std::vector<Candidate>> by_byte;
    std::vector<Candidate> indifferent;
    for (Candidate& candidate : candidates) {
        const auto found = std::find_if(candidate.left.begin(), candidate.left.end(),
                                        [&](const auto& constant) { return constant.first == at; });
        if (found == candidate.left.end()) {
            indifferent.push_back(candidate);
            continue;
        }
        const std::byte value = found->second;
        candidate.left.erase(found);
        by_byte[value].push_back(std::move(candidate));
    }
    const std::uint16_t otherwise = build(indifferent);
    nodes_[index].otherwise = otherwise;
    nodes_[index].next.fill(otherwise);
    for (auto& [value, these] : by_byte) {
        these.insert(these.end(), indifferent.begin(), indifferent.end());
        const std::uint16_t next = build(std::move(these));
        nodes_[index].next[static_cast<std::uint8_t>(value)] = next;
    }
    return index;
}

}  // namespace cluster::protocol
