// The engine's command line.
#include <doctest/doctest.h>

#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "engine/counters.h"
#include "engine/options.h"

using namespace cluster::engine;

namespace {

std::string complaint(const std::vector<std::string>& arguments) {
    try {
        parse_options(arguments);
    } catch (const UsageError& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("without options the engine listens on loopback, on one thread, with no faults") {
    const EngineOptions options = parse_options({});

    CHECK("127.0.0.1" == options.address);
    CHECK(9001 == options.port);
    CHECK(1 == options.threads);
    CHECK(options.cpus.empty());
    CHECK(!options.reflect);
    CHECK(Wait::kBlock == options.wait);
    CHECK(0 == options.faults.busy_ns + options.faults.sleep_us + options.faults.lock_ns +
                   options.faults.stall_every_ms + options.faults.stall_ms +
                   options.faults.exit_after_orders + options.faults.slow_reader_us);
}

TEST_CASE("every option is taken, with a space or an equals sign") {
    const EngineOptions options = parse_options({"--address=0.0.0.0",
                                                 "--port",
                                                 "0",
                                                 "--threads=4",
                                                 "--symbols-max",
                                                 "10",
                                                 "--cpus",
                                                 "1,3",
                                                 "--wait=spin",
                                                 "--reflect",
                                                 "--orders-max",
                                                 "99",
                                                 "--busy-ns",
                                                 "1",
                                                 "--sleep-us=2",
                                                 "--lock-ns",
                                                 "3",
                                                 "--stall-every-ms=9",
                                                 "--stall-ms",
                                                 "4",
                                                 "--exit-after-orders",
                                                 "5",
                                                 "--slow-reader-us=6",
                                                 "--unread-max-bytes",
                                                 "2000000"});

    CHECK("0.0.0.0" == options.address);
    CHECK(0 == options.port);
    CHECK(4 == options.threads);
    CHECK(10 == options.limits.symbols_max);
    CHECK(99 == options.limits.orders_max);
    CHECK(std::vector<int>{1, 3} == options.cpus);
    CHECK(Wait::kSpin == options.wait);
    CHECK(options.reflect);
    CHECK(1 == options.faults.busy_ns);
    CHECK(2 == options.faults.sleep_us);
    CHECK(3 == options.faults.lock_ns);
    CHECK(9 == options.faults.stall_every_ms);
    CHECK(4 == options.faults.stall_ms);
    CHECK(5 == options.faults.exit_after_orders);
    CHECK(6 == options.faults.slow_reader_us);
    CHECK(2'000'000 == options.unread_max_bytes);
}

TEST_CASE("a queue, a single stall and what else an order may cost are taken") {
    const EngineOptions options = parse_options(
        {"--queue-ns=200000", "--queue-law", "exponential", "--queue-seed=7", "--stall-at-ms=1500",
         "--stall-ms=2000", "--syscalls-per-order=3", "--memory-kib=64", "--memory-steps=5"});

    CHECK(200'000 == options.queue.service_ns);
    CHECK(ServiceLaw::kExponential == options.queue.law);
    CHECK(7 == options.queue.seed);
    CHECK(1'500 == options.faults.stall_at_ms);
    CHECK(2'000 == options.faults.stall_ms);
    CHECK(3 == options.faults.syscalls_per_order);
    CHECK(64 == options.faults.memory_kib);
    CHECK(5 == options.faults.memory_steps);
    CHECK(0 == parse_options({}).queue.service_ns);
    CHECK(ServiceLaw::kConstant == parse_options({"--queue-law=constant"}).queue.law);
}

TEST_CASE("a protocol and who may log on are taken, the password from the environment") {
    ::setenv("ENGINE_TEST_PASSWORD", "secret", 1);
    const EngineOptions options = parse_options(
        {"--protocol=ouch42", "--user", "trader", "--password-env=ENGINE_TEST_PASSWORD"});

    CHECK(Protocol::kOuch42 == options.protocol);
    CHECK("trader" == options.user);
    CHECK("secret" == options.password);
    CHECK(Protocol::kFix44 == parse_options({"--protocol", "fix44"}).protocol);
    CHECK(Protocol::kOrderwire == parse_options({"--protocol", "orderwire"}).protocol);
    CHECK(Protocol::kOrderwire == parse_options({}).protocol);
}

TEST_CASE("a log-on that cannot be is told") {
    ::setenv("ENGINE_TEST_PASSWORD", "secret", 1);
    ::setenv("ENGINE_TEST_LONG_PASSWORD", "elevenchars", 1);
    ::unsetenv("ENGINE_TEST_NOTHING");

    CHECK("--protocol takes orderwire, ouch42 or fix44, not \"fix\"" ==
          complaint({"--protocol", "fix"}));
    CHECK("--user and --password-env belong together: give both or none" ==
          complaint({"--protocol=fix44", "--user=me"}));
    CHECK("--user needs --protocol ouch42 or fix44: orderwire has no log-on" ==
          complaint({"--user=me", "--password-env=ENGINE_TEST_PASSWORD"}));
    CHECK("--password-env names the environment variable ENGINE_TEST_NOTHING, which is not set" ==
          complaint({"--protocol=fix44", "--user=me", "--password-env=ENGINE_TEST_NOTHING"}));
    CHECK(
        "with ouch42 a user has at most 6 characters and a password 10" ==
        complaint({"--protocol=ouch42", "--user=me", "--password-env=ENGINE_TEST_LONG_PASSWORD"}));
    CHECK(
        "with ouch42 a user has at most 6 characters and a password 10" ==
        complaint({"--protocol=ouch42", "--user=trader7", "--password-env=ENGINE_TEST_PASSWORD"}));
}

TEST_CASE("a wrong option is answered with what is wrong and what is allowed") {
    CHECK("there is no option --prot; --help lists them all" == complaint({"--prot", "1"}));
    CHECK("--port takes a whole number from 0 to 65535, not \"65536\"" ==
          complaint({"--port", "65536"}));
    CHECK("--port takes a whole number from 0 to 65535, not \"-1\"" == complaint({"--port=-1"}));
    CHECK("--threads takes a whole number from 1 to 256, not \"\"" == complaint({"--threads="}));
    CHECK("--busy-ns takes a whole number from 0 to 1000000000, not \"5ns\"" ==
          complaint({"--busy-ns", "5ns"}));
    CHECK("--port needs a value: --port N" == complaint({"--port"}));
    CHECK("--reflect takes no value" == complaint({"--reflect=yes"}));
    CHECK("--wait takes block or spin, not \"poll\"" == complaint({"--wait", "poll"}));
    CHECK("--cpus takes CPU numbers with commas between them, such as 2,3" ==
          complaint({"--cpus", ""}));
    CHECK("--stall-ms belongs to --stall-every-ms or --stall-at-ms: give both, above 0" ==
          complaint({"--stall-ms", "5"}));
    CHECK("--stall-ms belongs to --stall-every-ms or --stall-at-ms: give both, above 0" ==
          complaint({"--stall-at-ms", "5"}));
    CHECK("a stall returns with --stall-every-ms or comes once with --stall-at-ms: give one" ==
          complaint({"--stall-ms", "5", "--stall-every-ms", "9", "--stall-at-ms", "9"}));
    CHECK("--queue-law takes constant or exponential, not \"fair\"" ==
          complaint({"--queue-law", "fair"}));
    CHECK("--queue-ns needs --threads 1: it is one queue with one server" ==
          complaint({"--queue-ns", "5", "--threads", "2"}));
    CHECK("--stall-ms must be shorter than --stall-every-ms" ==
          complaint({"--stall-ms", "5", "--stall-every-ms", "5"}));
}

TEST_CASE("help names every option") {
    const std::string help = help_text();
    std::istringstream names(
        "--address --port --threads --symbols-max --orders-max --cpus --wait --unread-max-bytes "
        "--protocol --user --password-env --reflect --queue-ns --queue-law --queue-seed --busy-ns "
        "--sleep-us --lock-ns --syscalls-per-order --memory-kib --memory-steps --stall-every-ms "
        "--stall-at-ms --stall-ms --exit-after-orders --slow-reader-us");
    for (std::string name; names >> name;) {
        CAPTURE(name);
        CHECK(help.find("  " + name) != std::string::npos);
    }
    CHECK(parse_options({"--threads", "2", "--help"}).help);
}

TEST_CASE("the counters of all threads are added up and each is shown") {
    Counters first;
    first.new_limit = 3;
    first.accepted = 3;
    first.rejected[1] = 2;
    Counters second;
    second.cancel = 4;
    second.cancelled = 4;

    const std::string text = describe({first, second});

    CHECK(
        text.starts_with("orders: 7 (new: 3 limit, 0 market, 0 ioc; 0 replace, 4 cancel)\n"
                         "answers: 3 accepted, 4 cancelled, 2 rejected (2 unknown_order)\n"));
    CHECK(text.find("match-1: 4 orders, 0 trades, 0 connections\n") != std::string::npos);
    CHECK(text.find("{\"total\": {\"orders\": 7, \"new_limit\": 3,") != std::string::npos);
    CHECK(text.ends_with("}]}\n"));
}
