// An engine that says anything instead of answering the logon.
//
// Input: which of the plans with sessions, the size of the pieces, what the engine says.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "client/errors.h"
#include "client/logon_exchange.h"
#include "fuzz/demand.h"
#include "fuzz/golden_plans.h"
#include "fuzz/input.h"
#include "fuzz/mutate.h"

namespace {

using namespace cluster;

constexpr std::size_t kHead = 2;

const protocol::Plan& plan_of(std::uint8_t choice) {
    static const auto plans = [] {
        std::vector<const protocol::Plan*> with_logon;
        for (const protocol::Plan& plan : fuzz::golden_plans()) {
            if (plan.session.logon != protocol::kNone) with_logon.push_back(&plan);
        }
        return with_logon;
    }();
    return *plans[choice % plans.size()];
}

/// An error goes to a terminal: the engine's bytes in it must not be able to do anything there.
void check_error(std::string_view what) {
    constexpr std::string_view kCut = "…";
    constexpr std::size_t kLongest = 300;
    const bool harmless = std::all_of(what.begin(), what.end(), [&](char c) {
        return (c >= ' ' && c <= '~') || kCut.find(c) != std::string_view::npos;
    });
    fuzz::demand(harmless, "an error holds printable characters only");
    fuzz::demand(what.size() < kLongest, "an error is short");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    const protocol::Plan& plan = plan_of(input.byte());
    const std::size_t piece = 1 + input.byte();
    static const std::string peer = "engine:1";
    WireCodec codec(plan, Random(1), {});
    LogonExchange exchange(codec, peer);
    std::size_t said = exchange.take_pending().size();
    fuzz::demand(said > 0 && said <= plan.room, "the logon is sent at once");
    const std::size_t heard = input.rest().size();
    std::size_t given = 0;
    try {
        while (!input.empty() && !exchange.is_done()) {
            const auto bytes = input.bytes(piece);
            given += bytes.size();
            exchange.receive(bytes);
            said += exchange.take_pending().size();
        }
        if (exchange.is_done()) {
            fuzz::demand(exchange.take_rest().size() < given, "the answer itself is used up");
        }
    } catch (const LoadError& error) {
        check_error(error.what());
    }
    // One answer per message, and no message is shorter than three bytes.
    fuzz::demand(said <= plan.room * (2 + heard / 3), "what is answered is bounded");
    return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
    Random random(seed);
    if (size < kHead || random.below(3) > 0) return LLVMFuzzerMutate(data, size, most);
    return fuzz::insert_reply(plan_of(data[0]), random, data, kHead, size, most);
}
