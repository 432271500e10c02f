#include "engine/options.h"

#include <cstdlib>
#include <sstream>

#include "engine/flags.h"
#include "wire/soupbin.h"

namespace cluster::engine {
namespace {

void set_cpus(EngineOptions& options, const std::string& text) {
    options.cpus.clear();
    std::istringstream list(text);
    for (std::string cpu; std::getline(list, cpu, ',');) {
        options.cpus.push_back(static_cast<int>(whole_number("--cpus", cpu, 0, 4095)));
    }
    if (options.cpus.empty()) {
        throw UsageError("--cpus takes CPU numbers with commas between them, such as 2,3");
    }
}

void set_wait(EngineOptions& options, const std::string& text) {
    if (text != "block" && text != "spin") {
        throw UsageError("--wait takes block or spin, not \"" + text + "\"");
    }
    options.wait = text == "spin" ? Wait::kSpin : Wait::kBlock;
}

void set_law(EngineOptions& options, const std::string& text) {
    if (text != "constant" && text != "exponential") {
        throw UsageError("--queue-law takes constant or exponential, not \"" + text + "\"");
    }
    options.queue.law = text == "constant" ? ServiceLaw::kConstant : ServiceLaw::kExponential;
}

void set_protocol(EngineOptions& options, const std::string& text) {
    if (text == "orderwire") {
        options.protocol = Protocol::kOrderwire;
    } else if (text == "ouch42") {
        options.protocol = Protocol::kOuch42;
    } else if (text == "fix44") {
        options.protocol = Protocol::kFix44;
    } else {
        throw UsageError("--protocol takes orderwire, ouch42 or fix44, not \"" + text + "\"");
    }
}

/// From the environment, because other users of the host can see a command line.
void set_password(EngineOptions& options, const std::string& text) {
    const char* password = std::getenv(text.c_str());
    if (password == nullptr || *password == '\0') {
        throw UsageError("--password-env names the environment variable " + text +
                         ", which is not set");
    }
    options.password_env = text;
    options.password = password;
}

const std::vector<Flag>& run_flags() {
    static const std::vector<Flag> flags = {
        {"--address", "ADDRESS", "where to listen (127.0.0.1)",
         [](EngineOptions& options, const std::string& text) { options.address = text; }},
        number_flag<std::uint16_t>(
            "--port", "where to listen; 0 takes a free port (9001)", 0, 65'535,
            [](EngineOptions& options) -> std::uint16_t& { return options.port; }),
        {"--protocol", "orderwire|ouch42|fix44",
         "what clients speak; ouch42 is OUCH 4.2 over SoupBinTCP 3.0, fix44 is FIX 4.4 (orderwire)",
         set_protocol},
        {"--user", "NAME", "who may log on, with ouch42 and fix44 (anybody)",
         [](EngineOptions& options, const std::string& text) { options.user = text; }},
        {"--password-env", "VARIABLE", "the environment variable that holds the user's password",
         set_password},
        number_flag<std::uint32_t>(
            "--threads", "matching threads; each owns every N-th symbol (1)", 1, 256,
            [](EngineOptions& options) -> std::uint32_t& { return options.threads; }),
        number_flag<std::uint32_t>(
            "--symbols-max", "symbols 0 to N - 1 exist (65536)", 1, 1U << 24,
            [](EngineOptions& options) -> std::uint32_t& { return options.limits.symbols_max; }),
        number_flag<std::uint32_t>(
            "--orders-max", "orders living together, per thread (1048576)", 1, 1U << 28,
            [](EngineOptions& options) -> std::uint32_t& { return options.limits.orders_max; }),
        number_flag<std::size_t>(
            "--unread-max-bytes",
            "a connection that leaves more replies unread is closed (67108864)", 1U << 20, 1U << 30,
            [](EngineOptions& options) -> std::size_t& { return options.unread_max_bytes; }),
        {"--cpus", "A,B,…", "pins matching thread i to the i-th of these CPUs (not pinned)",
         set_cpus},
        {"--reflect", nullptr,
         "accept every request at once, without books: what clients measure is their own",
         [](EngineOptions& options, const std::string&) { options.reflect = true; }},
        number_flag<std::uint64_t>(
            "--queue-ns",
            "one server takes N ns for each order, in virtual time, one after another; 0: none (0)",
            0, 1'000'000'000,
            [](EngineOptions& options) -> std::uint64_t& { return options.queue.service_ns; }),
        {"--queue-law", "constant|exponential",
         "how its service times are distributed, with that mean (constant)", set_law},
        number_flag<std::uint64_t>(
            "--queue-seed", "of exponential service times (1)", 0, ~std::uint64_t{0},
            [](EngineOptions& options) -> std::uint64_t& { return options.queue.seed; }),
        {"--wait", "block|spin",
         "block: sleep until something comes; spin: a whole CPU per thread, and quicker (block)",
         set_wait},
    };
    return flags;
}

const Flag& find_flag(const std::string& name) {
    for (const auto* flags : {&run_flags(), &fault_flags()}) {
        for (const Flag& flag : *flags) {
            if (name == flag.name) {
                return flag;
            }
        }
    }
    throw UsageError("there is no option " + name + "; --help lists them all");
}

void check_login(const EngineOptions& options) {
    constexpr std::size_t kOuchUser = sizeof(soupbin::LoginRequest::user);
    constexpr std::size_t kOuchPassword = sizeof(soupbin::LoginRequest::password);
    if (options.user.empty() != options.password_env.empty()) {
        throw UsageError("--user and --password-env belong together: give both or none");
    }
    if (!options.user.empty() && options.protocol == Protocol::kOrderwire) {
        throw UsageError("--user needs --protocol ouch42 or fix44: orderwire has no log-on");
    }
    if (options.protocol == Protocol::kOuch42 &&
        (options.user.size() > kOuchUser || options.password.size() > kOuchPassword)) {
        throw UsageError("with ouch42 a user has at most " + std::to_string(kOuchUser) +
                         " characters and a password " + std::to_string(kOuchPassword));
    }
}

void check_together(const EngineOptions& options) {
    const FaultOptions& faults = options.faults;
    if (faults.stall_every_ms != 0 && faults.stall_at_ms != 0) {
        throw UsageError(
            "a stall returns with --stall-every-ms or comes once with --stall-at-ms: give one");
    }
    if ((faults.stall_every_ms + faults.stall_at_ms == 0) != (faults.stall_ms == 0)) {
        throw UsageError(
            "--stall-ms belongs to --stall-every-ms or --stall-at-ms: give both, above 0");
    }
    if (faults.stall_every_ms != 0 && faults.stall_ms >= faults.stall_every_ms) {
        throw UsageError("--stall-ms must be shorter than --stall-every-ms");
    }
    if (options.queue.service_ns != 0 && options.threads != 1) {
        throw UsageError("--queue-ns needs --threads 1: it is one queue with one server");
    }
    check_login(options);
}

void write_flags(std::ostream& out, const std::vector<Flag>& flags) {
    for (const Flag& flag : flags) {
        out << "  " << flag.name << (flag.value == nullptr ? "" : " ")
            << (flag.value == nullptr ? "" : flag.value) << "\n        " << flag.help << '\n';
    }
}

}  // namespace

EngineOptions parse_options(const std::vector<std::string>& arguments) {
    EngineOptions options;
    for (std::size_t at = 0; at < arguments.size(); ++at) {
        std::string name = arguments[at];
        if (name == "--help" || name == "-h") {
            options.help = true;
            return options;
        }
        std::string value;
        const std::size_t equals = name.find('=');
        if (equals != std::string::npos) {
            value = name.substr(equals + 1);
            name.resize(equals);
        }
        const Flag& flag = find_flag(name);
        if (flag.value == nullptr && equals != std::string::npos) {
            throw UsageError(name + " takes no value");
        }
        if (flag.value != nullptr && equals == std::string::npos) {
            if (at + 1 == arguments.size()) {
                throw UsageError(name + " needs a value: " + name + ' ' + flag.value);
            }
            value = arguments[++at];
        }
        flag.set(options, value);
    }
    check_together(options);
    return options;
}

std::string help_text() {
    std::ostringstream out;
    out << "loadcluster-engine: a matching engine to practise on. Limit order books with "
           "price-time\n"
           "priority behind TCP; docs/engine.md says what it speaks and how.\n\n"
           "usage: loadcluster-engine [options]\n"
           "  loadcluster-engine --port 9001 --threads 2 --cpus 2,3\n"
           "  loadcluster-engine --protocol fix44\n\n";
    write_flags(out, run_flags());
    out << "\nWith ouch42 and fix44 a symbol is letters and then its number, such as S00042, and "
           "a\n"
           "tick is 0.01: 100050 ticks are a price of 1000.50.\n";
    out << "\nFaults, planted on purpose, to see whether a measurement finds them (all off):\n";
    write_flags(out, fault_flags());
    out << "\nPrints \"listening on ADDRESS:PORT\" once it is ready. SIGTERM or SIGINT ends it; "
           "it\n"
           "then prints what it handled, for people and, as the last line, as JSON.\n"
           "Exit status: 0 ended by a signal, 1 could not listen or start, 2 wrong option.\n";
    return out.str();
}

}  // namespace cluster::engine
