// read_plan on any text. A plan that it takes must then serve: every message is encoded with the
// most different values, every order's message too, and streams are decoded by it, random ones
// and such as its own rules describe.
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "client/random.h"
#include "fuzz/demand.h"
#include "fuzz/stream_oracle.h"
#include "protocol/encoder.h"
#include "protocol/plan_reader.h"
#include "tests/client/reply_builder.h"

namespace {

using namespace cluster;

constexpr std::size_t kRepliesTried = 16;
constexpr std::size_t kMessagesTried = 64;

std::optional<protocol::Plan> plan_in(std::string_view text) {
    try {
        return protocol::read_plan(text);
    } catch (const protocol::PlanError& error) {
        fuzz::demand(std::string_view(error.what()).starts_with("plan"), "an error says where");
        return std::nullopt;
    }
}

void encode_all(const protocol::Plan& plan) {
    constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
    constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
    protocol::Encoder encoder(plan, Random(1));
    const std::vector<std::byte> text(protocol::kKeptBytesMax + 1, std::byte{'t'});
    for (std::uint16_t i = 0; i < plan.texts.size(); ++i) encoder.keep(i, text);
    // Exactly as large as the plan asks for.
    std::vector<std::byte> out(plan.room);
    for (const protocol::OrderValues& values : {protocol::OrderValues{0, 0, 0, 0, 0, 0},
                                                {kMin, kMin, kMin, kMin, kMin, kMin},
                                                {kMax, kMax, kMax, kMax, kMax, kMax},
                                                {-1, 1, -1, 1, -1, 1}}) {
        std::size_t tried = 0;
        for (const protocol::Message& message : plan.messages) {
            if (++tried > kMessagesTried) break;
            const std::size_t length = encoder.encode(message, values, out.data());
            fuzz::demand(length <= message.longest, "no message is longer than its longest");
        }
        for (std::size_t variant = 0; variant < protocol::kVariants; ++variant) {
            if (plan.sends[variant] == protocol::kNone) continue;
            const std::size_t length = encoder.encode_order(variant, values, out.data());
            fuzz::demand(length <= plan.messages[plan.sends[variant]].longest,
                         "no order is longer than its message");
        }
    }
}

void decode_some(const protocol::Plan& plan, std::uint64_t seed) {
    Random random(seed);
    const test::ReplyBuilder builder(plan);
    std::vector<std::byte> stream;
    std::size_t tried = 0;
    for (const protocol::ReplyRule& rule : plan.replies) {
        if (++tried > kRepliesTried) break;
        const std::vector<std::byte> reply =
            builder.build(rule, {random.next(), 1, 2, 3, 4, 5, ""});
        stream.insert(stream.end(), reply.begin(), reply.end());
    }
    fuzz::check_stream(plan, stream, {1 + stream.size() / 16, 1});
    for (std::byte& byte : stream) {
        if (random.below(8) == 0) byte = static_cast<std::byte>(random.next());
    }
    fuzz::check_stream(plan, stream, {1 + stream.size() / 8});
    std::vector<std::byte> noise(96);
    for (std::byte& byte : noise) byte = static_cast<std::byte>(random.next());
    fuzz::check_stream(plan, noise, {1, 3});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::optional<protocol::Plan> plan = plan_in({reinterpret_cast<const char*>(data), size});
    if (!plan) return 0;
    encode_all(*plan);
    decode_some(*plan, size);
    return 0;
}
