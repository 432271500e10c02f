#include "fuzz/golden_plans.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "fuzz/demand.h"
#include "protocol/plan_reader.h"

namespace cluster::fuzz {
namespace {

// A new plan comes last: kept inputs name the others by their places.
constexpr std::array kNames{"fix42",  "fix44",  "http11", "memcached",  "orderwire",
                            "ouch42", "ouch50", "resp",   "sbe-example"};

std::vector<protocol::Plan> read_all() {
    const std::filesystem::path folder = LOADCLUSTER_PLANS;
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        files += entry.path().extension() == ".plan";
    }
    demand(files == kNames.size(), "kNames has every plan of the folder");
    std::vector<protocol::Plan> plans;
    for (const std::string name : kNames) {
        std::ifstream file(folder / (name + ".plan"));
        plans.push_back(protocol::read_plan(
            std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>())));
    }
    return plans;
}

}  // namespace

const std::vector<protocol::Plan>& golden_plans() {
    static const std::vector<protocol::Plan> plans = read_all();
    return plans;
}

}  // namespace cluster::fuzz
