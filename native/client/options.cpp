#include "client/options.h"

#include <charconv>
#include <cmath>
#include <functional>
#include <limits>

#include "client/errors.h"

namespace cluster {
namespace {

template <class Number>
Number number(const std::string& flag, const std::string& text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        throw LoadError(flag + ": `" + text + "` is not a number it can be");
    }
    return value;
}

std::int64_t seconds(const std::string& flag, const std::string& text) {
    const double value = number<double>(flag, text);
    if (!(value >= 0 && value <= 86'400)) {
        throw LoadError(flag + ": must be 0 to 86400 seconds");
    }
    return std::llround(value * static_cast<double>(kNsPerS));
}

std::vector<int> cpus(const std::string& flag, const std::string& text) {
    std::vector<int> list;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        list.push_back(number<int>(flag, text.substr(begin, end - begin)));
        begin = end + 1;
    }
    return list;
}

struct Option {
    const char* flag;
    const char* value;  ///< what follows it, "" for a switch
    const char* says;
    std::function<void(LoadConfig&, const std::string& flag, const std::string& text)> set;
};

template <auto kMember>
auto a_number() {
    return [](LoadConfig& config, const std::string& flag, const std::string& text) {
        auto& field = config.*kMember;
        field = number<std::remove_reference_t<decltype(field)>>(flag, text);
    };
}

template <auto kMember>
auto a_time() {
    return [](LoadConfig& config, const std::string& flag, const std::string& text) {
        config.*kMember = seconds(flag, text);
    };
}

const std::vector<Option>& options() {
    static const std::vector<Option> all = {
        {"--address", "HOST", "where the engine listens (127.0.0.1)",
         [](LoadConfig& c, auto&, auto& text) { c.address = text; }},
        {"--port", "N", "its TCP port (9001)", a_number<&LoadConfig::port>()},
        {"--arrivals", "LAW", "poisson, constant, hawkes, bursts or closed (poisson)",
         [](LoadConfig& c, auto&, auto& text) { c.arrivals = arrival_law_of(text); }},
        {"--rate", "R", "orders per second, in the mean; not closed",
         a_number<&LoadConfig::rate_per_s>()},
        {"--branching-ratio", "N", "hawkes: orders that an order provokes, in the mean (0.8)",
         [](LoadConfig& c, auto& flag, auto& text) {
             c.hawkes.branching_ratio = number<double>(flag, text);
         }},
        {"--decay", "S", "hawkes: mean seconds from an order to those it provokes (0.005)",
         [](LoadConfig& c, auto& flag, auto& text) { c.hawkes.decay_ns = seconds(flag, text); }},
        {"--burst-on", "S", "bursts: seconds that each lasts (0.01)",
         [](LoadConfig& c, auto& flag, auto& text) { c.bursts.on_ns = seconds(flag, text); }},
        {"--burst-off", "S", "bursts: seconds from one to the next without orders (0.09)",
         [](LoadConfig& c, auto& flag, auto& text) { c.bursts.off_ns = seconds(flag, text); }},
        {"--burst-within", "LAW", "bursts: poisson or constant within (poisson)",
         [](LoadConfig& c, auto&, auto& text) { c.bursts.within = arrival_law_of(text); }},
        {"--in-flight", "N", "orders kept in flight, closed", a_number<&LoadConfig::in_flight>()},
        {"--in-flight-max", "N", "bound of unanswered orders; beyond, orders wait (65536)",
         a_number<&LoadConfig::in_flight_max>()},
        {"--connections", "N", "TCP connections (1)", a_number<&LoadConfig::connections>()},
        {"--workers", "N", "threads (1)", a_number<&LoadConfig::workers>()},
        {"--duration", "S", "seconds of sending (1)", a_time<&LoadConfig::duration_ns>()},
        {"--timeout", "S", "seconds after which an order has timed out (2)",
         a_time<&LoadConfig::timeout_ns>()},
        {"--drain", "S", "seconds to wait for late answers (5)", a_time<&LoadConfig::drain_ns>()},
        {"--seed", "N", "of the arrivals (1)", a_number<&LoadConfig::seed>()},
        {"--cpus", "A,B", "one CPU per worker (not pinned)",
         [](LoadConfig& c, auto& flag, auto& text) { c.cpus = cpus(flag, text); }},
        {"--spin", "", "never sleep: sends to the µs, takes a core per worker",
         [](LoadConfig& c, auto&, auto&) { c.spin = true; }},
    };
    return all;
}

const Option& option_of(const std::string& flag) {
    for (const Option& option : options()) {
        if (flag == option.flag) return option;
    }
    throw LoadError(flag + ": no such option; --help lists them");
}

}  // namespace

std::string usage() {
    std::string text =
        "usage: loadcluster-client [options]\n\n"
        "Loads an orderwire engine over TCP and prints what became of every order as JSON.\n"
        "Example: loadcluster-client --port 9001 --rate 100000 --duration 10 --connections 4\n\n";
    for (const Option& option : options()) {
        std::string left = std::string("  ") + option.flag + " " + option.value;
        left.resize(24, ' ');
        text += left + option.says + "\n";
    }
    return text;
}

LoadConfig parse_options(const std::vector<std::string>& arguments) {
    LoadConfig config;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const Option& option = option_of(arguments[i]);
        const bool takes_value = option.value[0] != '\0';
        if (takes_value && i + 1 == arguments.size()) {
            throw LoadError(arguments[i] + ": a value must follow");
        }
        option.set(config, option.flag, takes_value ? arguments[i + 1] : std::string());
        i += takes_value;
    }
    require_possible(config);
    return config;
}

}  // namespace cluster
