// The order flow: reproducible, in the shares asked for, and naming orders that live.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "client/order_flow.h"
#include "client/random.h"
#include "engine/matcher.h"
#include "flow_session.h"

using namespace cluster;
using cluster::engine::test::FlowSession;

namespace {

bool same(const std::vector<Intent>& a, const std::vector<Intent>& b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](auto& x, auto& y) {
               return x.price_ticks == y.price_ticks && x.quantity == y.quantity &&
                      x.symbol == y.symbol && x.target_back == y.target_back &&
                      x.action == y.action && x.kind == y.kind && x.side == y.side;
           });
}

/// FNV-1a over the fields, so that a change of one bit anywhere shows.
std::uint64_t fingerprint(const std::vector<Intent>& block) {
    std::uint64_t hash = 0xCBF29CE484222325;
    const auto mix = [&](std::uint64_t value) { hash = (hash ^ value) * 0x100000001B3; };
    for (const Intent& intent : block) {
        mix(static_cast<std::uint64_t>(intent.price_ticks));
        mix(intent.quantity);
        mix(intent.symbol);
        mix(intent.target_back);
        mix(static_cast<std::uint64_t>(intent.action) << 16 |
            static_cast<std::uint64_t>(intent.kind) << 8 | static_cast<std::uint64_t>(intent.side));
    }
    return hash;
}

/// What a block breaks of its promises, or nullptr.
const char* broken_promise(const FlowConfig& config, const std::vector<Intent>& block) {
    std::vector<int> living(block.size(), 0);
    std::size_t count = 0;
    for (std::size_t position = 0; position < block.size(); ++position) {
        const Intent& intent = block[position];
        if (intent.symbol >= config.symbols) return "symbol out of range";
        if (intent.action == Action::kNew) {
            if (intent.quantity == 0) return "quantity 0";
            if (intent.kind != OrderKind::kMarket && intent.price_ticks < 1) return "price below 1";
            if (intent.target_back != 0) return "a new has a target";
            if (intent.kind == OrderKind::kLimit) {
                living[position] = 1;
                ++count;
            }
        } else {
            if (intent.target_back == 0 || intent.target_back > position) return "target_back";
            const std::size_t target = position - intent.target_back;
            if (living[target] == 0) return "target does not live";
            if (block[target].symbol != intent.symbol) return "symbol of the target";
            if (block[target].side != intent.side) return "side of the target";
            living[target] = 0;
            --count;
            if (intent.action == Action::kReplace) {
                if (intent.quantity == 0 || intent.price_ticks < 1) return "replace";
                living[position] = 1;
                ++count;
            }
        }
        if (count > config.live_orders_max) return "too many living orders";
    }
    return count == 0 ? nullptr : "orders left at the end";
}

double share(const std::vector<Intent>& block, auto&& holds) {
    return static_cast<double>(std::count_if(block.begin(), block.end(), holds)) /
           static_cast<double>(block.size());
}

/// The share of requests refused when many connections send their flow to one matcher.
double reject_ratio(const FlowConfig& config, std::uint32_t connections, std::uint32_t block_length,
                    std::uint64_t requests, bool in_step) {
    std::vector<std::vector<Intent>> blocks;
    std::vector<FlowSession> sessions;
    Random random(99);
    for (std::uint32_t connection = 0; connection < connections; ++connection) {
        blocks.push_back(make_flow(config, connection, block_length));
    }
    for (std::uint32_t connection = 0; connection < connections; ++connection) {
        sessions.emplace_back(connection, blocks[connection]);
    }
    engine::Matcher matcher{{config.symbols, 1U << 20}};
    std::vector<engine::Reply> replies;
    std::uint64_t rejected = 0;
    for (std::uint64_t request = 0; request < requests; ++request) {
        const std::uint64_t connection =
            in_step ? request % connections : random.below(connections);
        replies.clear();
        sessions[connection].send_next(matcher, replies);
        rejected += replies[0].type == orderwire::Type::kRejected;
    }
    return static_cast<double>(rejected) / static_cast<double>(requests);
}

}  // namespace

TEST_CASE("the same config, connection and length give the same block") {
    CHECK(same(make_flow({}, 3, 5'000), make_flow({}, 3, 5'000)));
}

TEST_CASE("the block is the same on every machine") {
    CHECK(8'268'450'109'906'423'616ULL == fingerprint(make_flow({}, 3, 5'000)));
}

TEST_CASE("another seed, connection or length gives another block") {
    FlowConfig other_seed;
    other_seed.seed = 2;
    const auto block = make_flow({}, 3, 5'000);

    CHECK_FALSE(same(block, make_flow({}, 4, 5'000)));
    CHECK_FALSE(same(block, make_flow(other_seed, 3, 5'000)));
    CHECK_FALSE(same(block, make_flow({}, 3, 5'001)));
}

TEST_CASE("the shares of the requests are those asked for, within sampling error") {
    // More are cancelled than enter would let the book run dry; here it only just stays filled.
    FlowConfig config;
    config.new_ratio = 0.5;
    config.replace_ratio = 0.2;
    config.cancel_ratio = 0.3;
    config.ioc_ratio = 0.3;
    config.market_ratio = 0.1;
    config.live_orders_max = 4'096;
    const std::uint32_t length = 100'000;
    const auto block = make_flow(config, 0, length);
    const auto within = [&](double expected, double actual) {
        return std::abs(expected - actual) <
               5 * std::sqrt(expected * (1 - expected) / length) + 0.01;
    };

    const double entered = share(block, [](auto& i) { return i.action == Action::kNew; });
    CHECK(within(0.5, entered));
    CHECK(within(0.2, share(block, [](auto& i) { return i.action == Action::kReplace; })));
    CHECK(within(0.3, share(block, [](auto& i) { return i.action == Action::kCancel; })));
    CHECK(within(0.3, share(block, [](auto& i) {
                          return i.kind == OrderKind::kImmediateOrCancel;
                      }) / entered));
    CHECK(
        within(0.1, share(block, [](auto& i) { return i.kind == OrderKind::kMarket; }) / entered));
    CHECK(within(0.5, share(block, [](auto& i) { return i.side == OrderSide::kBuy; })));
}

TEST_CASE("at the bound of living orders a new becomes a cancel") {
    FlowConfig config;
    config.new_ratio = 0.99;
    config.replace_ratio = 0;
    config.cancel_ratio = 0.01;
    config.live_orders_max = 8;
    const auto block = make_flow(config, 0, 10'000);

    CHECK(nullptr == broken_promise(config, block));
    CHECK(share(block, [](auto& i) { return i.action == Action::kCancel; }) > 0.4);
}

TEST_CASE("a flow of new limit orders alone is new limit orders and nothing else") {
    FlowConfig config;
    config.new_ratio = 1;
    config.replace_ratio = 0;
    config.cancel_ratio = 0;
    config.ioc_ratio = 0;
    config.market_ratio = 0;
    config.live_orders_max = 8;
    for (const std::uint32_t length : {1U, 2U, 10'000U}) {
        const auto block = make_flow(config, 0, length);

        REQUIRE(length == block.size());
        CHECK(1 == share(block, [](auto& i) {
                  return i.action == Action::kNew && i.kind == OrderKind::kLimit;
              }));
    }
}

TEST_CASE("a flow without cancels replaces the orders that it remembers, and none twice") {
    FlowConfig config;
    config.new_ratio = 0.6;
    config.replace_ratio = 0.4;
    config.cancel_ratio = 0;
    config.live_orders_max = 8;
    const auto block = make_flow(config, 0, 10'000);
    // Those in the book are more than the bound: nothing takes them out.
    FlowConfig unbounded = config;
    unbounded.live_orders_max = 10'000;

    CHECK(broken_promise(unbounded, block) == std::string("orders left at the end"));
    CHECK(0 == share(block, [](auto& i) { return i.action == Action::kCancel; }));
    CHECK(share(block, [](auto& i) { return i.action == Action::kReplace; }) ==
          doctest::Approx(0.4).epsilon(0.05));
}

TEST_CASE("the last order of a block is of a kind that has a share") {
    FlowConfig config;
    config.ioc_ratio = 0;
    config.market_ratio = 0;
    CHECK(OrderKind::kLimit == make_flow(config, 0, 1).front().kind);

    config.market_ratio = 0.001;
    CHECK(OrderKind::kMarket == make_flow(config, 0, 1).front().kind);

    config.ioc_ratio = 0.001;
    CHECK(OrderKind::kImmediateOrCancel == make_flow(config, 0, 1).front().kind);
}

TEST_CASE("resting orders lie on their side of the mid and within its reach") {
    const FlowConfig config;
    std::int64_t farthest = 0;
    for (const Intent& intent : make_flow(config, 0, 50'000)) {
        if (intent.action != Action::kCancel && intent.kind == OrderKind::kLimit) {
            farthest = std::max(farthest, std::abs(intent.price_ticks - config.mid_price_ticks));
        }
    }

    CHECK(farthest > config.depth_ticks);
    CHECK(farthest <= config.depth_ticks + config.depth_ticks / 4);
}

TEST_CASE("quantities have the mean asked for and aggressive orders are small") {
    double resting = 0;
    double count = 0;
    std::uint32_t largest_aggressive = 0;
    for (const Intent& intent : make_flow({}, 0, 100'000)) {
        if (intent.action != Action::kCancel && intent.kind == OrderKind::kLimit) {
            resting += intent.quantity;
            ++count;
        } else if (intent.action == Action::kNew) {
            largest_aggressive = std::max(largest_aggressive, intent.quantity);
        }
    }

    CHECK(100 == doctest::Approx(resting / count).epsilon(0.02));
    CHECK(100 / 16 == largest_aggressive);
}

TEST_CASE("any possible config and length keeps every promise") {
    Random random(5);
    for (int round = 0; round < 400; ++round) {
        FlowConfig config;
        config.seed = random.next();
        config.symbols = 1 + random.below(random.below(2) == 0 ? 3 : 5'000);
        config.new_ratio = 0.05 + 0.9 * random.unit();
        config.replace_ratio = (1 - config.new_ratio) * random.unit();
        config.cancel_ratio = 1 - config.new_ratio - config.replace_ratio;
        config.ioc_ratio = random.below(3) == 0 ? 0 : random.unit();
        config.market_ratio = (1 - config.ioc_ratio) * random.unit();
        config.depth_ticks = 1 + random.below(400);
        config.spread_ticks = 1 + random.below(100);
        config.mid_price_ticks =
            1'100 + static_cast<std::int64_t>(random.next() >> random.below(40) >> 4);
        config.quantity_mean = 1 + random.below(1'000'000);
        config.live_orders_max = 1 + random.below(300);
        const std::uint32_t length = random.below(random.below(2) == 0 ? 12 : 3'000);
        CAPTURE(round);

        const auto block = make_flow(config, random.next(), length);

        REQUIRE(length == block.size());
        const char* broken = broken_promise(config, block);
        CAPTURE(broken);
        REQUIRE(nullptr == broken);
    }
}

TEST_CASE("an impossible config is refused with a sentence") {
    const auto refused = [](auto&& change) {
        FlowConfig config;
        change(config);
        CHECK_THROWS_AS(make_flow(config, 0, 10), std::invalid_argument);
    };
    refused([](FlowConfig& c) { c.symbols = 0; });
    refused([](FlowConfig& c) { c.new_ratio = 0.6; });
    refused([](FlowConfig& c) {
        c.new_ratio = 0;
        c.cancel_ratio = 0.8;
    });
    refused([](FlowConfig& c) { c.ioc_ratio = std::nan(""); });
    refused([](FlowConfig& c) { c.market_ratio = 0.95; });
    refused([](FlowConfig& c) { c.quantity_mean = 0; });
    refused([](FlowConfig& c) { c.live_orders_max = 0; });
    refused([](FlowConfig& c) { c.mid_price_ticks = 20; });
}

TEST_CASE("hardly any request names an order that is gone") {
    CHECK(reject_ratio({}, 64, 8'192, 600'000, true) < 0.02);
    CHECK(reject_ratio({}, 500, 4'096, 600'000, true) < 0.02);
    CHECK(reject_ratio({}, 1, 65'536, 200'000, true) < 0.02);
}

TEST_CASE("connections that drift apart still name living orders") {
    CHECK(reject_ratio({}, 64, 8'192, 600'000, false) < 0.02);
}
