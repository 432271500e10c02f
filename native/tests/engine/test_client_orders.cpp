// The table of a session's orders, and the symbols that text protocols name.
#include <doctest/doctest.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "client/random.h"
#include "engine/protocol/client_orders.h"
#include "engine/protocol/symbol.h"

using namespace cluster;
using namespace cluster::engine;

namespace {

struct Entry {
    ShortText<8> text;
    int value = 0;
    std::string_view name() const noexcept { return text.view(); }
};

Entry entry(std::string_view name, int value) {
    return {ShortText<8>(name), value};
}

}  // namespace

TEST_CASE("an order is found by its name and by its number until it is forgotten") {
    ClientOrders<Entry> orders;
    CHECK(0 == orders.number_of("a"));

    const std::uint64_t a = orders.add(entry("a", 1));
    const std::uint64_t b = orders.add(entry("b", 2));

    CHECK(a == orders.number_of("a"));
    CHECK(2 == orders.find(b)->value);
    orders.forget(a);
    CHECK(0 == orders.number_of("a"));
    CHECK(nullptr == orders.find(a));
    CHECK(b == orders.number_of("b"));
    orders.forget(a);  // twice does nothing
    CHECK(2 == orders.find(b)->value);
}

TEST_CASE("a number that is forgotten is not the next one's, though the room is") {
    ClientOrders<Entry> orders;
    const std::uint64_t first = orders.add(entry("a", 1));
    orders.forget(first);
    const std::uint64_t second = orders.add(entry("a", 2));

    CHECK(first != second);
    CHECK(nullptr == orders.find(first));
    CHECK(1 == orders.room());
}

TEST_CASE("an entry without a name is found by its number alone") {
    ClientOrders<Entry> orders;
    const std::uint64_t number = orders.add(entry("", 7));

    CHECK(7 == orders.find(number)->value);
    CHECK(0 == orders.number_of(""));
    orders.forget(number);
    CHECK(nullptr == orders.find(number));
}

TEST_CASE("any coming and going is that of a map, and memory follows what lives together") {
    ClientOrders<Entry> orders;
    std::map<std::string, std::uint64_t> expected;
    Random random(5);
    for (int step = 0; step < 50'000; ++step) {
        std::string name("N");
        name += std::to_string(random.below(300));
        const auto known = expected.find(name);
        REQUIRE((known == expected.end() ? 0 : known->second) == orders.number_of(name));
        if (known == expected.end()) {
            expected[name] = orders.add(entry(name, step));
        } else {
            orders.forget(known->second);
            expected.erase(known);
        }
    }
    CHECK(orders.room() <= 300);
}

TEST_CASE("a symbol is letters and then its number") {
    CHECK(42 == symbol_number("S00042"));
    CHECK(0 == symbol_number("a0"));
    CHECK(7 == symbol_number("ABC7"));
    for (const char* text : {"", "S", "42", "S-1", "S4x", "S 4", "S4 ", "S4294967296", "_1"}) {
        CAPTURE(text);
        CHECK_FALSE(symbol_number(text).has_value());
    }
}
