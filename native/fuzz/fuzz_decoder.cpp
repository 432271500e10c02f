// Any stream by any golden plan, cut at any places: both ways must read the same.
//
// Input: which plan, two sizes of pieces, the stream.
#include <cstdint>

#include "fuzz/golden_plans.h"
#include "fuzz/input.h"
#include "fuzz/mutate.h"
#include "fuzz/stream_oracle.h"

namespace {

using namespace cluster;

constexpr std::size_t kHead = 3;

const protocol::Plan& plan_of(std::uint8_t choice) {
    return fuzz::golden_plans()[choice % fuzz::golden_plans().size()];
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    const protocol::Plan& plan = plan_of(input.byte());
    const std::size_t first = input.byte();
    const std::size_t second = input.byte();
    fuzz::check_stream(plan, input.rest(), {first, second});
    return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
    Random random(seed);
    if (size < kHead || random.below(3) > 0) return LLVMFuzzerMutate(data, size, most);
    return fuzz::insert_reply(plan_of(data[0]), random, data, kHead, size, most);
}
