// The index of living orders against std::map, through growth and long runs of collisions.
#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <utility>

#include "client/random.h"
#include "engine/order.h"
#include "engine/order_index.h"

using namespace cluster;
using namespace cluster::engine;

TEST_CASE("the index finds what was entered and nothing else") {
    OrderPool pool(60'000);
    OrderIndex index(pool);
    std::map<std::pair<SessionId, std::uint64_t>, OrderSlot> expected;
    Random random(11);
    for (std::uint32_t step = 0; step < 300'000; ++step) {
        // Few sessions and dense ids, as connections make them; the target wavers between hardly
        // anything and nearly everything.
        const std::pair<SessionId, std::uint64_t> key{random.below(8), random.below(6'000)};
        const auto found = expected.find(key);
        REQUIRE((found == expected.end() ? kNoOrder : found->second) ==
                index.find(key.first, key.second));
        const bool grows = (step / 60'000) % 2 == 0;
        if (found == expected.end() && (grows || random.below(4) == 0)) {
            REQUIRE_FALSE(pool.full());
            const OrderSlot slot = pool.take();
            pool[slot].session = key.first;
            pool[slot].id = key.second;
            index.insert(slot);
            expected[key] = slot;
        } else if (found != expected.end() && (!grows || random.below(4) == 0)) {
            index.erase(found->second);
            pool.give_back(found->second);
            expected.erase(found);
        }
        REQUIRE(expected.size() == index.living());
    }
    CHECK(expected.size() > 1'000);
}

TEST_CASE("a pool gives out as many slots as it may and never one twice") {
    OrderPool pool(3);
    const OrderSlot first = pool.take();
    const OrderSlot second = pool.take();
    const OrderSlot third = pool.take();

    CHECK(pool.full());
    CHECK(first != second);
    CHECK(second != third);
    CHECK(first != third);
    CHECK(kNoOrder != first);
    pool.give_back(second);
    CHECK_FALSE(pool.full());
    CHECK(second == pool.take());
    CHECK(pool.full());
}
