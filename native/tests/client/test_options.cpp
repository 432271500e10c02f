#include <doctest/doctest.h>

#include "client/errors.h"
#include "client/options.h"

using namespace cluster;

TEST_CASE("flags become the config, times in seconds") {
    const LoadConfig config = parse_options(
        {"--address", "10.0.0.5", "--port", "7000", "--arrivals", "constant", "--rate", "1e5",
         "--duration", "2.5", "--workers", "2", "--connections", "8", "--cpus", "1,3", "--spin"});
    CHECK(config.address == "10.0.0.5");
    CHECK(config.port == 7000);
    CHECK(config.arrivals == ArrivalLaw::kConstant);
    CHECK(config.rate_per_s == 1e5);
    CHECK(config.duration_ns == 2'500'000'000);
    CHECK(config.workers == 2);
    CHECK(config.connections == 8);
    CHECK(config.cpus == std::vector<int>{1, 3});
    CHECK(config.spin);
}

TEST_CASE("a wrong command line is answered with one sentence") {
    CHECK_THROWS_WITH_AS(parse_options({"--rats", "5"}),
                         "--rats: no such option; --help lists them", LoadError);
    CHECK_THROWS_WITH_AS(parse_options({"--rate"}), "--rate: a value must follow", LoadError);
    CHECK_THROWS_WITH_AS(parse_options({"--rate", "fast"}),
                         "--rate: `fast` is not a number it can be", LoadError);
    CHECK_THROWS_WITH_AS(parse_options({"--port", "70000"}),
                         "--port: `70000` is not a number it can be", LoadError);
    CHECK_THROWS_WITH_AS(parse_options({"--rate", "5", "--duration", "-1"}),
                         "--duration: must be 0 to 86400 seconds", LoadError);
    CHECK_THROWS_WITH_AS(parse_options({}), "rate_per_s: must be above 0", LoadError);
}

TEST_CASE("flags give the arrival laws their parameters") {
    const LoadConfig hawkes = parse_options(
        {"--arrivals", "hawkes", "--rate", "1e5", "--branching-ratio", "0.9", "--decay", "0.002"});
    CHECK(hawkes.arrivals == ArrivalLaw::kHawkes);
    CHECK(hawkes.hawkes.branching_ratio == 0.9);
    CHECK(hawkes.hawkes.decay_ns == 2'000'000);

    const LoadConfig bursts =
        parse_options({"--arrivals", "bursts", "--rate", "1e5", "--burst-on", "0.001",
                       "--burst-off", "0.003", "--burst-within", "constant"});
    CHECK(bursts.arrivals == ArrivalLaw::kBursts);
    CHECK(bursts.bursts.on_ns == 1'000'000);
    CHECK(bursts.bursts.off_ns == 3'000'000);
    CHECK(bursts.bursts.within == ArrivalLaw::kConstant);
    CHECK(bursts.bursts.rate_within(1e5) == 4e5);
}

TEST_CASE("arrival laws that can't be are answered with one sentence") {
    CHECK_THROWS_WITH_AS(
        parse_options({"--arrivals", "often"}),
        "arrivals: `often` is not one of constant, poisson, hawkes, bursts, closed, recorded",
        LoadError);
    CHECK_THROWS_WITH_AS(
        parse_options({"--arrivals", "hawkes", "--rate", "5", "--branching-ratio", "1"}),
        "branching_ratio: must be at least 0 and below 1, or the rate grows without end",
        LoadError);
    CHECK_THROWS_WITH_AS(parse_options({"--arrivals", "hawkes", "--rate", "5", "--decay", "0"}),
                         "decay_ns: must be above 0 and at most a day", LoadError);
    CHECK_THROWS_WITH_AS(parse_options({"--arrivals", "bursts", "--rate", "5", "--burst-on", "0"}),
                         "on_ns: must be above 0 and at most a day", LoadError);
    CHECK_THROWS_WITH_AS(parse_options({"--arrivals", "bursts", "--rate", "5", "--burst-off", "0"}),
                         "off_ns: must be above 0 and at most a day", LoadError);
    CHECK_THROWS_WITH_AS(
        parse_options({"--arrivals", "bursts", "--rate", "5", "--burst-within", "closed"}),
        "within: must be constant or poisson", LoadError);
}

TEST_CASE("the usage lists every flag") {
    for (const char* flag : {"--port", "--rate", "--in-flight", "--spin", "--drain"}) {
        CHECK(usage().find(flag) != std::string::npos);
    }
}
