#include <doctest/doctest.h>

#include <random>

#include "protocol/dispatch.h"
#include "protocol/plan_error.h"
#include "tests/protocol/bytes.h"

using namespace cluster::protocol;
using cluster::test::bytes;

namespace {

using Rules = std::vector<std::vector<ByteMatch>>;

/// The most specific rule whose constants the frame has, looked for one by one.
std::uint16_t found_slowly(const Rules& rules, const std::vector<std::byte>& frame) {
    std::uint16_t best = Dispatch::kNoRule;
    std::size_t most = 0;
    for (std::size_t rule = 0; rule < rules.size(); ++rule) {
        std::size_t constants = 0;
        bool fits = true;
        for (const ByteMatch& match : rules[rule]) {
            for (std::size_t i = 0; i < match.bytes.size(); ++i) {
                fits = fits && match.at + i < frame.size() && frame[match.at + i] == match.bytes[i];
                ++constants;
            }
        }
        if (fits && (best == Dispatch::kNoRule || constants > most)) {
            best = static_cast<std::uint16_t>(rule);
            most = constants;
        }
    }
    return best;
}

}  // namespace

TEST_CASE("the constants of a frame tell its rule, the more specific one first") {
    const Rules rules = {{{0, bytes("A")}},
                         {{0, bytes("A")}, {2, bytes("x")}},
                         {{0, bytes("HTTP/1.1 2")}},
                         {{0, bytes("HTTP/1.1 ")}}};
    const Dispatch dispatch(rules);
    CHECK(dispatch.find(bytes("A-y")) == 0);
    CHECK(dispatch.find(bytes("A-x")) == 1);
    CHECK(dispatch.find(bytes("A")) == 0);
    CHECK(dispatch.find(bytes("HTTP/1.1 200 OK")) == 2);
    CHECK(dispatch.find(bytes("HTTP/1.1 404")) == 3);
    CHECK(dispatch.find(bytes("HTTP/1.0 404")) == Dispatch::kNoRule);
    CHECK(dispatch.find({}) == Dispatch::kNoRule);
}

TEST_CASE("a part of a frame needs more until its rule is told") {
    const Dispatch dispatch({{{0, bytes("A")}, {3, bytes("x")}}, {{0, bytes("B")}}});
    CHECK(dispatch.find_in_part({}) == Dispatch::kNeedMore);
    CHECK(dispatch.find_in_part(bytes("A..")) == Dispatch::kNeedMore);
    CHECK(dispatch.find_in_part(bytes("A..x")) == 0);
    CHECK(dispatch.find_in_part(bytes("C...")) == Dispatch::kNoRule);
}

TEST_CASE("a reply that is as long as its kind is told by its own bytes, not by the next one's") {
    const Rules rules = {{{0, bytes("A")}}, {{0, bytes("A")}, {2, bytes("x")}, {3, bytes("y")}}};
    CHECK(Dispatch(rules, {4, 4}).find_in_part(bytes("A.x")) == Dispatch::kNeedMore);
    CHECK_THROWS_AS(Dispatch(rules, {2, 4}), PlanError);
    const Rules told_late = {{{0, bytes("A")}},
                             {{0, bytes("B")}, {3, bytes("1")}},
                             {{0, bytes("B")}, {3, bytes("2")}},
                             {{3, bytes("3")}}};
    CHECK_THROWS_AS(Dispatch(told_late, {1, 4, 4, 4}), PlanError);
    const Rules told_soon = {
        {{0, bytes("A")}}, {{0, bytes("B")}, {3, bytes("1")}}, {{0, bytes("B")}, {3, bytes("2")}}};
    CHECK(Dispatch(told_soon, {1, 4, 4}).find_in_part(bytes("A")) == 0);
}

TEST_CASE("random rules are found as a look at each of them finds them") {
    std::mt19937 random(3);
    for (int round = 0; round < 300; ++round) {
        Rules rules;
        for (unsigned rule = 0; rule < 1 + random() % 6; ++rule) {
            std::vector<ByteMatch> matches;
            for (unsigned n = 0; n < 1 + random() % 2; ++n) {
                const auto at = static_cast<std::uint16_t>(n * 3 + random() % 3);
                matches.push_back({at, {static_cast<std::byte>('a' + random() % 3)}});
            }
            rules.push_back(matches);
        }
        const Dispatch dispatch(rules);
        for (int frame = 0; frame < 200; ++frame) {
            std::vector<std::byte> some(random() % 8);
            for (auto& byte : some) byte = static_cast<std::byte>('a' + random() % 3);
            const std::uint16_t expected = found_slowly(rules, some);
            const std::uint16_t found = dispatch.find(some);
            // Rules of the same weight that fit both are refused by the schema's compiler.
            const auto weight = [&](std::uint16_t rule) {
                return rule == Dispatch::kNoRule ? 0 : rules[rule].size();
            };
            REQUIRE(weight(found) == weight(expected));
        }
    }
}
