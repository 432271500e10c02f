#!/usr/bin/env bash
# Feeds bad bytes to plans, decoder, logons and sessions (native/fuzz/), with clang's sanitizers.
#
#   scripts/fuzz.sh [--seconds N] [--keep] [TARGET...]
#
# N seconds for each target (default 600), as many targets at once as there are processors. Says how
# many inputs were tried; an input that fails is kept in tests/data/fuzz/ and ends this with 1.
# --keep: inputs that reach what no kept one reaches join them, as far as there is room.
set -euo pipefail
cd "$(dirname "$0")/.."
source deploy/say.sh

readonly KEPT=tests/data/fuzz BUILD=build/fuzz
readonly KEPT_KIB_MAX=1024 # all targets together
seconds=600 keep=no targets=()
while [[ $# -gt 0 ]]; do
    case $1 in
    --seconds) seconds=${2:?N} && shift 2 ;;
    --keep) keep=yes && shift ;;
    plan | decoder | logon | session) targets+=("$1") && shift ;;
    *) stop "fuzz: unknown argument $1" ;;
    esac
done
[[ ${#targets[@]} -gt 0 ]] || targets=(plan decoder logon session)
PATH=$PWD/.venv/bin:$PATH

probe='extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }'
if ! echo "$probe" | clang++ -x c++ -fsanitize=fuzzer,address,undefined -o /dev/null - 2>/dev/null; then
    say "fuzzing is skipped: there is no clang++ that links -fsanitize=fuzzer here"
    exit 0
fi
(cd native && cmake --preset fuzz --log-level=WARNING >/dev/null &&
    cmake --build --preset fuzz --parallel "${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}" -- --quiet)

# One target: its finds of earlier times in build/, the kept ones as seeds.
fuzz() {
    local target=$1 finds=$BUILD/finds/$1 log=$BUILD/$1.log status=0 tried
    local options=(-max_len=1500) seeds=("$KEPT/$target")
    if [[ $target == plan ]]; then
        options=(-max_len=16000 -dict=native/fuzz/plan.dict)
        seeds+=(native/protocol/plans)
    fi
    mkdir -p "$finds"
    nice -n 10 "$BUILD/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        "${options[@]}" -print_final_stats=1 -artifact_prefix="$BUILD/$target-" \
        "$finds" "${seeds[@]}" >"$log" 2>&1 || status=1
    tried=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    if [[ $status -ne 0 ]]; then
        local input
        input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -1)
        say "fuzz_$target: failed after ${tried:-some} inputs; the end of $log:"
        grep -E 'runtime error|ERROR|does not hold|#[0-9]+ ' "$log" | head -20 >&2
        if [[ -n $input ]]; then
            cp "$input" "$KEPT/$target/" && say "the input is kept: $KEPT/$target/${input##*/}"
        fi
        return 1
    fi
    echo "$target: $tried inputs in $seconds s, no failure"
}

# What the finds add to the kept inputs, the smallest first, as long as all of those stay small.
join() {
    local target=$1 merged=$BUILD/merged/$1 added=0 room size input
    room=$((KEPT_KIB_MAX * 1024 - $(du -sb "$KEPT" | cut -f1)))
    mkdir -p "$BUILD/merged"
    rm -rf "$merged"
    cp -r "$KEPT/$target" "$merged"
    "$BUILD/fuzz/fuzz_$target" -merge=1 "$merged" "$BUILD/finds/$target" 2>/dev/null
    while read -r size input; do
        [[ -e $KEPT/$target/${input##*/} ]] && continue
        room=$((room - size))
        [[ $room -ge 0 ]] || { say "fuzz_$target: the kept inputs have no room for more" && break; }
        cp "$input" "$KEPT/$target/"
        added=$((added + 1))
    done < <(find "$merged" -type f -printf '%s %p\n' | sort -n)
    echo "$target: $added inputs join the kept ones"
}

failed=0 running=0
for target in "${targets[@]}"; do
    if [[ $running -ge $(nproc) ]]; then
        wait -n || failed=1
        running=$((running - 1))
    fi
    fuzz "$target" &
    running=$((running + 1))
done
while [[ $running -gt 0 ]]; do
    wait -n || failed=1
    running=$((running - 1))
done
if [[ $keep == yes && $failed -eq 0 ]]; then
    for target in "${targets[@]}"; do join "$target"; done
fi
exit $failed
