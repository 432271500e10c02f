#include <doctest/doctest.h>

#include <random>

#include "protocol/checksum.h"
#include "protocol/decoder.h"
#include "protocol/plan_reader.h"
#include "tests/protocol/bytes.h"

using namespace cluster::protocol;
using cluster::test::bytes;
using cluster::test::golden_plan;
using cluster::test::hex;
using cluster::test::text;
using cluster::test::with_soh;

namespace {

Plan plan_of(const std::string& lines) {
    return read_plan("loadcluster-plan 1\n" + lines + "message m own\nbytes 00\nend\n");
}

/// A FIX message around a body, its length and checksum right.
std::string fix(const std::string& body) {
    const std::string content = with_soh(body);
    std::string message = with_soh("8=FIX.4.4|9=" + std::to_string(content.size()) + "|") + content;
    const std::uint32_t sum = checksum(ChecksumKind::kSum256, bytes(message));
    return message + with_soh("10=" + std::to_string(1'000 + sum).substr(1) + "|");
}

std::string rule_of(const Plan& plan, const std::string& said) {
    const auto in = bytes(said);
    const Decoded decoded = decode(plan, in);
    return decoded.status == DecodeStatus::kReply ? decoded.reply.rule->name : "";
}

}  // namespace

TEST_CASE("values are read in every format") {
    const Plan plan = plan_of(
        "frame fixed 24\nreply r accepted 24 exact request\n"
        "read id dec 0 6 36 0 20 1\nread executed int 6 3 big signed 1\n"
        "read remaining dec 9 6 10 2 20 1\nread engine_received int 15 4 big unsigned 1000\n"
        "read reason text 19 5 20\nend\n");
    std::vector<std::byte> frame = bytes("   1Z ...  1.5 ....no   ");
    frame[6] = frame[7] = frame[8] = std::byte{0xFF};
    frame[15] = frame[16] = frame[17] = std::byte{0};
    frame[18] = std::byte{7};
    const Decoded decoded = decode(plan, frame);
    REQUIRE(decoded.status == DecodeStatus::kReply);
    CHECK(decoded.reply.has_id);
    CHECK(decoded.reply.id == 71);
    CHECK(decoded.reply.engine_received_ns == 7'000);
    const LaterView view(plan, decoded.reply);
    CHECK(view.number(decoded.reply.rule->executed) == -1);
    CHECK(view.number(decoded.reply.rule->remaining) == 150);
    CHECK(text(view.text(decoded.reply.rule->reason)) == "no");
}

TEST_CASE("an id that is no number is none, and is not taken for another") {
    const Plan plan = plan_of(
        "frame fixed 4\nreply r accepted 4 exact request\nread id dec 0 4 10 0 20 1\nend\n");
    const auto frame = bytes("12x4");
    const Decoded decoded = decode(plan, frame);
    CHECK(decoded.status == DecodeStatus::kReply);
    CHECK_FALSE(decoded.reply.has_id);
}

TEST_CASE("with frames by type each reply is as long as its kind") {
    const Plan plan = plan_of(
        "frame type 16\nreply a accepted 2 exact request\nmatch 0 41\nend\n"
        "reply b rejected 4 exact request\nmatch 0 42\nend\n");
    const auto stream = bytes("B...A.B.");
    Decoded decoded = decode(plan, stream);
    CHECK(decoded.reply.rule->name == "b");
    CHECK(decoded.length == 4);
    decoded = decode(plan, std::span(stream).subspan(4));
    CHECK(decoded.reply.rule->name == "a");
    CHECK(decode(plan, std::span(stream).subspan(6)).status == DecodeStatus::kNeedMore);
    CHECK(decode(plan, bytes("X")).status == DecodeStatus::kMalformed);
}

TEST_CASE("FIX replies are told apart by their tags, in any order of them") {
    const Plan plan = read_plan(golden_plan("fix44"));
    const std::string rest = "49=ENGINE|56=CLIENT00|34=7|52=20261124-10:00:00.000|37=1|17=1|";
    CHECK(rule_of(plan, fix("35=8|" + rest + "11=42|150=0|39=0|55=S|54=1|151=1|14=0|6=0|")) ==
          "new");
    CHECK(rule_of(plan, fix("35=8|" + rest + "150=F|39=2|11=42|32=5|151=0|14=5|6=0|")) ==
          "trade_in_full");
    CHECK(rule_of(plan, fix("35=8|" + rest + "39=1|150=F|11=42|32=5|151=1|14=5|6=0|")) == "trade");
    CHECK(rule_of(plan, fix("35=9|" + rest + "11=43|41=42|39=0|434=1|")) == "order_cancel_reject");
    CHECK(rule_of(plan, fix("35=z|" + rest)).empty());
    const auto message = bytes(fix("35=8|" + rest + "11=0042|150=0|39=0|"));
    const Decoded decoded = decode(plan, message);
    CHECK(decoded.reply.id == 42);
    CHECK(decoded.reply.sequence == 7);
}

TEST_CASE("a wrong checksum is garbled and its length still known") {
    const Plan plan = read_plan(golden_plan("fix44"));
    std::string message = fix("35=0|49=ENGINE|56=CLIENT00|34=7|");
    message[message.size() - 2] = message[message.size() - 2] == '0' ? '1' : '0';
    const Decoded decoded = decode(plan, bytes(message));
    CHECK(decoded.status == DecodeStatus::kGarbled);
    CHECK(decoded.length == message.size());
}

TEST_CASE("random bytes are never read beyond their end, with any plan") {
    std::mt19937_64 random(7);
    for (const char* const name : {"orderwire", "ouch42", "ouch50", "fix42", "fix44", "sbe-example",
                                   "resp", "memcached", "http11"}) {
        const Plan plan = read_plan(golden_plan(name));
        const std::string alphabet = with_soh("0123456789=|8FIX.4.49A\r\n$*+-: SUAJCE");
        for (int round = 0; round < 20'000; ++round) {
            // A heap block of exactly this size: the address sanitizer sees one byte too many.
            std::vector<std::byte> some(random() % 80);
            for (auto& byte : some) {
                byte = static_cast<std::byte>(
                    round % 2 == 0
                        ? random()
                        : static_cast<unsigned char>(alphabet[random() % alphabet.size()]));
            }
            const Decoded decoded = decode(plan, some);
            if (decoded.status == DecodeStatus::kNeedMore) {
                REQUIRE(some.size() < plan.frame.max);
            } else if (decoded.status != DecodeStatus::kMalformed) {
                REQUIRE(decoded.length > 0);
                REQUIRE(decoded.length <= some.size());
            }
        }
    }
}
