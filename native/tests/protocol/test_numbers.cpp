#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <random>

#include "protocol/numbers.h"
#include "tests/protocol/bytes.h"

using namespace cluster::protocol;
using cluster::test::bytes;
using cluster::test::text;

namespace {

std::string digits(std::size_t width, const Digits& form, std::int64_t value) {
    std::vector<std::byte> out(width);
    store_digits(out.data(), width, form, value);
    return text(out);
}

}  // namespace

TEST_CASE("integers of every width and both orders come back as they were written") {
    std::mt19937_64 random(1);
    for (std::size_t width = 1; width <= 8; ++width) {
        for (const Order order : {Order::kLittle, Order::kBig}) {
            for (int round = 0; round < 1'000; ++round) {
                const std::uint64_t value = random() >> (64 - 8 * width);
                std::array<std::byte, 16> out{};
                store_int(out.data() + 4, width, order, value);
                CHECK(load_unsigned(out.data() + 4, width, order) == value);
                CHECK(load_unsigned(out.data() + 4, 12, width, order) == value);
                CHECK(load_unsigned(out.data() + 4, width, width, order) == value);
                CHECK(out[3] == std::byte{0});
                CHECK(out[4 + width] == std::byte{0});
            }
        }
    }
}

TEST_CASE("24 and 48 bits lie as the order says, and negative numbers keep their sign") {
    std::array<std::byte, 6> out{};
    store_int(out.data(), 3, Order::kBig, 0x010203);
    CHECK(cluster::test::hex(std::span(out).first(3)) == "010203");
    store_int(out.data(), 6, Order::kLittle, 0x0102030405060);
    CHECK(cluster::test::hex(out) == "605040302010");
    store_int(out.data(), 6, Order::kBig, static_cast<std::uint64_t>(-2));
    CHECK(load_signed(out.data(), 6, Order::kBig) == -2);
    store_int(out.data(), 3, Order::kLittle, static_cast<std::uint64_t>(-8'388'608));
    CHECK(load_signed(out.data(), 3, Order::kLittle) == -8'388'608);
}

TEST_CASE("numbers of text are padded, pointed and signed") {
    CHECK(digits(6, {}, 42) == "000042");
    CHECK(digits(6, {10, 0, Justify::kRight, ' '}, 42) == "    42");
    CHECK(digits(6, {10, 0, Justify::kLeft, ' '}, 42) == "42    ");
    CHECK(digits(6, {10, 0, Justify::kLeft, ' '}, -42) == "-42   ");
    CHECK(digits(6, {10, 0, Justify::kRight, ' '}, -42) == "   -42");
    CHECK(digits(6, {}, -42) == "-00042");
    CHECK(digits(7, {10, 2, Justify::kRight, '0'}, 12'345) == "0123.45");
    CHECK(digits(7, {10, 2, Justify::kRight, '0'}, 5) == "0000.05");
    CHECK(digits(7, {10, 2, Justify::kLeft, ' '}, 5) == "0.05   ");
    CHECK(digits(8, {16, 0, Justify::kRight, '0'}, 0xBEEF) == "0000BEEF");
    CHECK(digits(14, {36, 0, Justify::kRight, '0'}, 35) == "0000000000000Z");
    CHECK(digits(3, {}, 0) == "000");
    CHECK(digits(20, {}, std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
    CHECK(digits(3, {}, 12'345) == "345");
}

TEST_CASE("what is written as text is read back, in every base and padding") {
    std::mt19937_64 random(2);
    for (unsigned base = 2; base <= 36; ++base) {
        for (const char pad : {'0', ' '}) {
            for (const Justify justify : {Justify::kLeft, Justify::kRight}) {
                if (justify == Justify::kLeft && pad == '0') continue;  // 10 and 100 would be alike
                const Digits form{static_cast<std::uint8_t>(base), 0, justify, pad};
                for (int round = 0; round < 100; ++round) {
                    const auto value = static_cast<std::int64_t>(random() >> (round % 60 + 1)) *
                                       (round % 2 == 0 ? 1 : -1);
                    std::vector<std::byte> out(66);
                    store_digits(out.data(), out.size(), form, value);
                    REQUIRE(load_digits(out, form) == value);
                }
            }
        }
    }
}

TEST_CASE("text that is no number is none") {
    const Digits decimal{10, 2, Justify::kRight, '0'};
    for (const char* wrong : {"", " ", "12a", "1 2", "--1", "1.2.3", "-", "99999999999999999999"}) {
        CHECK_FALSE(load_digits(bytes(wrong), decimal).has_value());
    }
    CHECK(load_digits(bytes("1.5"), decimal) == 150);
    CHECK(load_digits(bytes("1.2599"), decimal) == 125);
    CHECK(load_digits(bytes("+7"), decimal) == 700);
    CHECK(load_digits(bytes("000"), {}) == 0);
    CHECK(load_digits(bytes(" 12 "), {}) == 12);
}
