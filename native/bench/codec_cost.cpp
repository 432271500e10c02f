// What it costs that a protocol is data: ns per order to encode its request and decode its answer,
// by the plan of orderwire and by hand (orderwire_codec.h); and of every other golden plan.
//
//     codec_cost [PLANS-DIRECTORY]
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "bench/orderwire_codec.h"
#include "client/clock.h"
#include "client/order_flow.h"
#include "client/wire_codec.h"
#include "protocol/plan_reader.h"

namespace {

using namespace cluster;

constexpr std::uint32_t kOrders = 1U << 16;
constexpr int kPasses = 20;
constexpr int kRounds = 7;
constexpr double kGoal = 1.5;

/// Mean ns of one call of `action(i)`.
template <class Action>
double cost_ns(Action action) {
    const std::int64_t start_ns = MonotonicClock::now_ns();
    for (int pass = 0; pass < kPasses; ++pass) {
        for (std::uint32_t i = 0; i < kOrders; ++i) action(i);
    }
    return static_cast<double>(MonotonicClock::now_ns() - start_ns) / (double{kPasses} * kOrders);
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

template <class C>
double encode_ns(C& codec, const std::vector<Intent>& flow) {
    std::vector<std::byte> out(codec.room() + (1U << 16));
    std::size_t at = 0;
    return cost_ns([&](std::uint32_t i) {
        at += codec.encode(flow[i], i, i - flow[i].target_back, out.data() + (at & 0x7FFF));
        asm volatile("" ::: "memory");
    });
}

/// Answers as an engine gives them: of five, one is a cancel's and one a fill's.
std::vector<std::byte> answers() {
    std::vector<std::byte> bytes;
    Random random(1);
    for (std::uint64_t id = 1; id <= kOrders; ++id) {
        const std::uint32_t what = random.below(5);
        const auto type = what == 0   ? orderwire::Type::kCancelled
                          : what == 1 ? orderwire::Type::kExecuted
                                      : orderwire::Type::kAccepted;
        const std::size_t length = orderwire::length_of(type);
        const orderwire::ReplyHeader reply{
            {static_cast<std::uint16_t>(length), type, 0, 3}, id, 100, 200};
        const std::size_t end = bytes.size();
        bytes.resize(end + length);
        std::memcpy(bytes.data() + end, &reply, sizeof reply);
    }
    return bytes;
}

template <class C>
double decode_ns(C& codec, const std::vector<std::byte>& bytes, std::uint64_t& sum) {
    std::size_t at = 0;
    return cost_ns([&](std::uint32_t) {
        const protocol::Decoded decoded = codec.decode(std::span(bytes).subspan(at));
        sum += decoded.reply.id + decoded.reply.engine_replied_ns +
               static_cast<std::uint64_t>(decoded.reply.meaning);
        at += decoded.length;
        if (at == bytes.size()) at = 0;
    });
}

protocol::Plan plan_in(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::stringstream text;
    text << in.rdbuf();
    return protocol::read_plan(text.str());
}

/// Every request of a flow that the plan can send.
std::vector<Intent> flow_for(const protocol::Plan& plan) {
    std::vector<Intent> flow;
    for (const Intent& intent : make_flow({}, 0, kOrders)) {
        const auto variant = protocol::variant_of(static_cast<unsigned>(intent.action),
                                                  static_cast<unsigned>(intent.kind),
                                                  static_cast<unsigned>(intent.side));
        if (plan.sends[variant] != protocol::kNone) flow.push_back(intent);
    }
    const std::size_t sendable = flow.size();
    while (flow.size() < kOrders) flow.push_back(flow[flow.size() - sendable]);
    return flow;
}

void compare(const std::filesystem::path& plans) {
    const protocol::Plan plan = plan_in(plans / "orderwire.plan");
    const std::vector<Intent> flow = make_flow({}, 0, kOrders);
    const std::vector<std::byte> bytes = answers();
    WireCodec by_plan(plan, Random(1), {});
    OrderwireCodec by_hand;
    std::vector<double> encode[2];
    std::vector<double> decode[2];
    std::uint64_t sum = 0;
    for (int round = 0; round < kRounds; ++round) {  // in turn, so that a busy moment hits both
        encode[0].push_back(encode_ns(by_hand, flow));
        encode[1].push_back(encode_ns(by_plan, flow));
        decode[0].push_back(decode_ns(by_hand, bytes, sum));
        decode[1].push_back(decode_ns(by_plan, bytes, sum));
    }
    const double hand = median(encode[0]) + median(decode[0]);
    const double by_data = median(encode[1]) + median(decode[1]);
    std::printf("orderwire   encode: by hand %5.2f ns, by plan %5.2f ns\n", median(encode[0]),
                median(encode[1]));
    std::printf("            decode: by hand %5.2f ns, by plan %5.2f ns\n", median(decode[0]),
                median(decode[1]));
    std::printf(
        "            an order: by hand %5.2f ns, by plan %5.2f ns, ratio %.2f; goal %.2f: %s\n",
        hand, by_data, by_data / hand, kGoal, by_data / hand <= kGoal ? "met" : "missed");
    if (sum == 0) std::printf("nothing was decoded\n");
}

}  // namespace

int main(int argc, char** argv) {
    const std::filesystem::path plans = argc > 1 ? argv[1] : PLANS;
    compare(plans);
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(plans)) {
        if (entry.path().extension() == ".plan") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const std::filesystem::path& file : files) {
        const protocol::Plan plan = plan_in(file);
        WireCodec codec(plan, Random(1), {});
        const std::vector<Intent> flow = flow_for(plan);
        std::vector<double> rounds;
        for (int round = 0; round < 3; ++round) rounds.push_back(encode_ns(codec, flow));
        std::printf("%-12s encode %6.1f ns\n", file.stem().c_str(), median(rounds));
    }
    return 0;
}
