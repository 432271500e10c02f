// The engine's command line.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/faults.h"
#include "engine/match_thread.h"
#include "engine/matcher.h"
#include "engine/protocol/protocol.h"

namespace cluster::engine {

/// How an engine is to run.
struct EngineOptions {
    std::string address = "127.0.0.1";
    std::uint16_t port = 9001;  ///< 0: any free one
    std::uint32_t threads = 1;
    std::vector<int> cpus;  ///< thread i runs on cpus[i mod size]; empty: anywhere
    Wait wait = Wait::kBlock;
    Protocol protocol = Protocol::kOrderwire;
    bool reflect = false;      ///< accept everything, match nothing
    std::string user;          ///< empty: anybody may log on
    std::string password_env;  ///< the environment variable that the password was taken from
    std::string password;
    MatcherLimits limits;
    std::size_t unread_max_bytes = 64U << 20;  ///< per connection, of replies it does not read
    QueueOptions queue;
    FaultOptions faults;
    bool help = false;
};

/// Something on the command line cannot be; what() is one sentence.
struct UsageError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Throws UsageError. `arguments` are without the program's name.
EngineOptions parse_options(const std::vector<std::string>& arguments);

/// What --help prints.
std::string help_text();

}  // namespace cluster::engine
