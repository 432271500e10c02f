#include "fuzz/golden_plans.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "fuzz/demand.h"
#include "protocol/plan_reader.h"

namespace cluster::fuzz {
namespace {

std::vector<protocol::Plan> read_all() {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(LOADCLUSTER_PLANS)) {
        if (entry.path().extension() == ".plan") paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    std::vector<protocol::Plan> plans;
    for (const auto& path : paths) {
        std::ifstream file(path);
        plans.push_back(protocol::read_plan(
            std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>())));
    }
    demand(!plans.empty(), "there are golden plans");
    return plans;
}

}  // namespace

const std::vector<protocol::Plan>& golden_plans() {
    static const std::vector<protocol::Plan> plans = read_all();
    return plans;
}

}  // namespace cluster::fuzz
