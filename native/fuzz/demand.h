// What must hold, in every build: a fuzzer's oracle.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace cluster::fuzz {

/// Ends the process, for the fuzzer to keep the input, when `holds` is false.
inline void demand(bool holds, const char* sentence) {
    if (holds) return;
    std::fprintf(stderr, "does not hold: %s\n", sentence);
    std::abort();
}

}  // namespace cluster::fuzz
