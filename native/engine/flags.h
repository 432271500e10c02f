// The flags of the engine's command line, one by one.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/options.h"

namespace cluster::engine {

/// One flag: what it is called, what follows it, what it does to the options.
struct Flag {
    const char* name;
    const char* value;  ///< null: nothing follows it
    const char* help;
    std::function<void(EngineOptions&, const std::string&)> set;
};

/// Throws UsageError for anything but a whole number within the bounds.
std::uint64_t whole_number(const std::string& flag, const std::string& text, std::uint64_t least,
                           std::uint64_t most);

/// A flag that sets one number.
template <class Number>
Flag number_flag(const char* name, const char* help, std::uint64_t least, std::uint64_t most,
                 std::function<Number&(EngineOptions&)> field) {
    return {name, "N", help, [=](EngineOptions& options, const std::string& text) {
                field(options) = static_cast<Number>(whole_number(name, text, least, most));
            }};
}

/// Those that plant a fault.
const std::vector<Flag>& fault_flags();

}  // namespace cluster::engine
