#!/usr/bin/env bash
# Configures, builds and runs the native tests of one preset of native/CMakePresets.json.
#
#   scripts/native_tests.sh dev|asan|tsan
set -euo pipefail
cd "$(dirname "$0")/.."
source deploy/say.sh

preset=${1:?dev, asan or tsan}
jobs=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
PATH=$PWD/.venv/bin:$PATH

if [[ ! -e /usr/include/doctest/doctest.h ]]; then
    say "the native tests ($preset) are skipped: doctest is missing; apt-get install doctest-dev"
    exit 0
fi
# A sanitizer that this compiler does not bring is a reason to skip, not a failure.
sanitizer=$(sed -n 's/^asan$/address,undefined/p; s/^tsan$/thread/p' <<<"$preset")
if [[ -n $sanitizer ]] && ! echo 'int main() {}' |
    "${CXX:-c++}" -x c++ "-fsanitize=$sanitizer" -o /dev/null - 2>/dev/null; then
    say "the native tests ($preset) are skipped: this compiler can't link -fsanitize=$sanitizer"
    exit 0
fi
cd native
cmake --preset "$preset" --log-level=WARNING
cmake --build --preset "$preset" --parallel "$jobs" -- --quiet
# ThreadSanitizer of older compilers does not cope with more than 28 bits of address randomness
# (vm.mmap_rnd_bits); -R switches it off for the tests, where the kernel lets us.
fixed_addresses=()
if setarch -R true 2>/dev/null; then fixed_addresses=(setarch -R); fi
"${fixed_addresses[@]}" ctest --preset "$preset" --parallel "$jobs"
