#include <doctest/doctest.h>

#include <string>

#include "client/clock.h"
#include "client/summary.h"

using namespace cluster;

namespace {

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("what was replied besides the answers is in the summary") {
    Progress progress;
    progress.unsolicited = 3;
    progress.out_of_order = 4;
    progress.skipped = 5;
    Interval interval;
    interval.other_reply = {{100}, {2}};
    const std::string json = summary_json(progress, {interval}, {{"3", 7}}, kNsPerS);
    CHECK(has(json, "\"unsolicited\": 3"));
    CHECK(has(json, "\"out_of_order\": 4"));
    CHECK(has(json, "\"skipped\": 5"));
    CHECK(has(json, "\"other_reply_ns\": {\"count\": 2, \"p50\": 100"));
    CHECK(has(json, "\"reject_reasons\": {\"3\": 7}"));
}

TEST_CASE("a reason may be any bytes and is a string of JSON all the same") {
    const std::string json = summary_json({}, {}, {{"a\"\\\n\xff", 1}, {"", 2}}, kNsPerS);
    CHECK(has(json, R"("reject_reasons": {"a\u0022\u005c\u000a\u00ff": 1, "": 2})"));
    CHECK(has(json, "\"other_reply_ns\": null"));
}
