#include <doctest/doctest.h>

#include <map>
#include <random>

#include "client/living_orders.h"

using namespace cluster;

TEST_CASE("living orders are what a map of them would be") {
    constexpr std::size_t kRoom = 50;
    LivingOrders orders(kRoom);
    std::map<std::uint64_t, std::int64_t> expected;
    std::mt19937_64 random(4);
    std::uint64_t next = 0;
    for (int step = 0; step < 100'000; ++step) {
        if (random() % 2 == 0 && expected.size() < kRoom) {
            REQUIRE(orders.add(next, static_cast<std::int64_t>(next)));
            expected[next] = static_cast<std::int64_t>(next);
            next += 1 + random() % 3;
        } else if (!expected.empty()) {
            auto victim = expected.begin();
            std::advance(victim, static_cast<std::ptrdiff_t>(random() % expected.size()));
            orders.erase(victim->first);
            expected.erase(victim);
        }
        REQUIRE(orders.size() == expected.size());
        const std::uint64_t probe = next - std::min<std::uint64_t>(next, random() % 200);
        const LivingOrder* found = orders.find(probe);
        REQUIRE((found != nullptr) == (expected.count(probe) == 1));
        if (found != nullptr) REQUIRE(found->open == expected[probe]);
    }
}

TEST_CASE("beyond its room an order is not known, and then every order may live") {
    LivingOrders orders(2);
    CHECK(orders.add(1, 1));
    CHECK(orders.add(2, 1));
    CHECK_FALSE(orders.may_live(3));
    CHECK_FALSE(orders.add(3, 1));
    CHECK(orders.may_live(3));
    CHECK(orders.find(3) == nullptr);
}

TEST_CASE("a table of no room knows nothing") {
    LivingOrders none(0);
    CHECK(none.find(1) == nullptr);
    CHECK_FALSE(none.may_live(1));
    none.erase(1);
}
