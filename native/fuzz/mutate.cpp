#include "fuzz/mutate.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "tests/client/reply_builder.h"

namespace cluster::fuzz {
namespace {

constexpr std::uint32_t kSmallIds = 40;

std::int64_t some_number(Random& random) {
    constexpr std::array<std::int64_t, 10> kEdges{0,
                                                  1,
                                                  -1,
                                                  2,
                                                  std::numeric_limits<std::int64_t>::max(),
                                                  std::numeric_limits<std::int64_t>::min(),
                                                  0xFFFF'FFFF,
                                                  0x7FFF'FFFF,
                                                  1'000,
                                                  -1'000};
    return random.below(2) == 0 ? kEdges[random.below(kEdges.size())]
                                : static_cast<std::int64_t>(random.below(100));
}

}  // namespace

std::vector<std::byte> some_reply(const protocol::Plan& plan, Random& random) {
    if (plan.replies.empty()) return {};
    const auto rules = static_cast<std::uint32_t>(plan.replies.size());
    const protocol::ReplyRule& rule = plan.replies[random.below(rules)];
    const test::ReplyValues values{
        random.below(8) == 0 ? random.next() : std::uint64_t{random.below(kSmallIds)},
        some_number(random),
        some_number(random),
        some_number(random),
        some_number(random),
        some_number(random),
        random.below(4) == 0 ? "\x1b]0;owned\x07" : ""};
    std::vector<std::byte> reply = test::ReplyBuilder(plan).build(rule, values);
    if (random.below(6) == 0)
        reply.resize(random.below(static_cast<std::uint32_t>(reply.size()) + 1));
    if (random.below(6) == 0) reply.resize(reply.size() + random.below(9), std::byte{'9'});
    return reply;
}

std::size_t insert_reply(const protocol::Plan& plan, Random& random, std::uint8_t* data,
                         std::size_t from, std::size_t size, std::size_t most) {
    const std::vector<std::byte> reply = some_reply(plan, random);
    const std::size_t at = random.below(2) == 0
                               ? size
                               : from + random.below(static_cast<std::uint32_t>(size - from) + 1);
    for (std::uint32_t times = 1 + (random.below(8) == 0); times > 0; --times) {
        if (reply.empty() || size + reply.size() > most) break;
        std::memmove(data + at + reply.size(), data + at, size - at);
        std::memcpy(data + at, reply.data(), reply.size());
        size += reply.size();
    }
    return size;
}

}  // namespace cluster::fuzz
