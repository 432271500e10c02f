#include <doctest/doctest.h>

#include <bit>
#include <cstring>

#include "protocol/checksum.h"
#include "protocol/encoder.h"
#include "protocol/plan_reader.h"
#include "tests/protocol/bytes.h"

using namespace cluster;
using namespace cluster::protocol;
using cluster::test::bytes;
using cluster::test::hex;
using cluster::test::text;

namespace {

Plan plan_with(const std::string& message) {
    return read_plan(
        "loadcluster-plan 1\nframe fixed 8\ntable 0 4 4141504c4d534654\n"
        "draw 0 uniform 7 7\n" +
        message);
}

// id, target, price, size, symbol, client
constexpr OrderValues kValues{0x0102030405060708, 3, 12'345, 100, 1, 9};

std::vector<std::byte> encoded(const Plan& plan, Encoder& encoder, std::size_t message = 0) {
    std::vector<std::byte> out(plan.room);
    out.resize(encoder.encode(plan.messages[message], kValues, out.data()));
    return out;
}

std::string encoded_text(const std::string& lines) {
    const Plan plan = plan_with(lines);
    Encoder encoder(plan, Random(1));
    return text(encoded(plan, encoder));
}

std::string encoded_hex(const std::string& lines) {
    const Plan plan = plan_with(lines);
    Encoder encoder(plan, Random(1));
    return hex(encoded(plan, encoder));
}

}  // namespace

TEST_CASE("each kind of field is written over its template") {
    CHECK(encoded_hex("message m own\nbytes aaaaaaaaaaaaaaaaaaaa\nint 1 8 big id 1 0\nend\n") ==
          "aa0102030405060708aa");
    CHECK(encoded_hex("message m own\nbytes aaaaaaaaaa\nint 1 3 little price 100 1\nend\n") ==
          "aa45d612aa");
    CHECK(encoded_text("message m own\nbytes " + hex("[          ]") +
                       "\ndec 1 10 price 1 0 10 2 right 30\nend\n") == "[0000123.45]");
    CHECK(encoded_text("message m own\nbytes " + hex("[    ]") + "\ntable 1 symbol 0\nend\n") ==
          "[MSFT]");
    CHECK(encoded_hex("message m own\nbytes 00000000\nint 0 4 big draw.0 1 0\nend\n") ==
          "00000007");
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(123.45F);
    std::array<std::byte, 4> expected{};
    std::memcpy(expected.data(), &bits, 4);
    CHECK(encoded_hex("message m own\nbytes 00000000\nfloat 0 4 little price 0.01\nend\n") ==
          hex(expected));
}

TEST_CASE("a sequence number is used up by the messages that carry it, and by no others") {
    const Plan plan = plan_with(
        "message m own\nbytes 00\nint 0 1 big sequence 1 0\nend\n"
        "message n own\nbytes 00\nint 0 1 big next_sequence 1 0\nend\nsession sequence 5\n");
    Encoder encoder(plan, Random(1));
    CHECK(hex(encoded(plan, encoder, 0)) == "05");
    CHECK(hex(encoded(plan, encoder, 1)) == "06");
    CHECK(hex(encoded(plan, encoder, 0)) == "06");
}

TEST_CASE("texts of the session are padded, cut or inserted; lengths and checksums follow") {
    const Plan plan = plan_with(
        "message m own\n"
        "bytes " +
        hex("<    >9=000|35=A|") +
        "\n"
        "text 1 4 left 20 secret.USER\n"
        "insert secret.PASSWORD\n"
        "bytes " +
        hex("|10=000|") +
        "\n"
        "length 0 8 dec 3 10 right 30 0 12 1 1 0\n"
        "checksum 1 4 dec 3 10 right 30 sum256 0 0 1 1\n"
        "end\n");
    REQUIRE(plan.texts.size() == 2);
    Encoder encoder(plan, Random(1));
    encoder.keep(0, bytes("me"));
    encoder.keep(1, bytes("secret"));
    const std::string said = text(encoded(plan, encoder));
    const std::string body = "<me  >9=012|35=A|secret|";
    const std::uint32_t sum = checksum(ChecksumKind::kSum256, bytes(body));
    CHECK(said.substr(0, body.size()) == body);
    CHECK(said.substr(body.size()) == "10=" + std::to_string(1'000 + sum).substr(1) + "|");
    encoder.keep(0, bytes("longer than four"));
    CHECK(text(encoded(plan, encoder)).substr(0, 6) == "<long>");
    encoder.keep(1, {});
    CHECK(text(encoded(plan, encoder)).substr(6, 11) == "9=006|35=A|");
}

TEST_CASE("an order's message is the same by its template as field by field") {
    for (const std::string name : {"orderwire", "ouch42", "ouch50", "sbe-example", "fix44"}) {
        CAPTURE(name);
        const Plan plan = read_plan(test::golden_plan(name));
        for (std::size_t variant = 0; variant < kVariants; ++variant) {
            if (plan.sends[variant] == kNone) continue;
            const Message& message = plan.messages[plan.sends[variant]];
            Encoder one(plan, Random(1));
            Encoder other(plan, Random(1));
            std::vector<std::byte> by_template(plan.room);
            std::vector<std::byte> by_field(plan.room);
            by_template.resize(one.encode_order(variant, kValues, by_template.data()));
            by_field.resize(other.encode(message, kValues, by_field.data()));
            if (name != "fix44" && name != "sbe-example") {
                CHECK(hex(by_template) == hex(by_field));
            } else {  // the clock has gone on between the two
                CHECK(by_template.size() == by_field.size());
            }
        }
    }
}
