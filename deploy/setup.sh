#!/usr/bin/env bash
# Makes .venv/ ready, doing only what is still to do: system packages, environment, Python
# packages, native build.
#
#   deploy/setup.sh run|develop
#
# run: what `loadcluster` needs. develop: what tests and checks need as well. What pip is told by
# its own settings (PIP_INDEX_URL, PIP_FIND_LINKS, PIP_NO_INDEX, pip.conf …) holds.
set -euo pipefail
cd "$(dirname "$0")/.."
source deploy/say.sh

mode=${1:?run or develop}
venv=.venv
stamps=$venv/stamps
# The scripts in an environment name its place; one that was moved or copied does not work.
home=$(pwd -P)/$venv

# Two set-ups at once would build into each other.
if command -v flock >/dev/null; then
    mkdir -p build
    exec 9>build/setup.lock
    flock 9
fi

hash_of() { sha256sum "$@" | sha256sum | cut -d ' ' -f 1; }

packages_stamp() { echo "$home $(hash_of pyproject.toml deploy/requirements.py)"; }

# Tests, fuzzers and benchmarks are not part of the module.
native_stamp() {
    local sources
    mapfile -t sources < <(find native -type f -not -path 'native/tests/*' \
        -not -path 'native/bench/*' -not -path 'native/fuzz/*' | LC_ALL=C sort)
    echo "$home $(hash_of pyproject.toml "${sources[@]}")"
}

is_done() { [[ -e $stamps/$1 && $(<"$stamps/$1") == "$2" ]]; }

note_done() {
    mkdir -p "$stamps"
    echo "$2" >"$stamps/$1"
}

environment_works() {
    head -n 2 "$venv/bin/pip" 2>/dev/null | grep -qF "$home/bin/python" &&
        "$venv/bin/python" -c 'import sys, pip; assert sys.version_info >= (3, 11)' 2>/dev/null
}

make_environment() {
    local python=$1
    if [[ -e $venv ]]; then
        say "$venv/ does not work (half-made, moved, or its Python is gone): made anew"
        rm -rf "$venv"
    fi
    say "making $venv/ with $python"
    "$python" -m venv "$venv" || { rm -rf "$venv" && stop "$python could not make $venv/"; }
}

install_packages() {
    say "installing the Python packages (the first time, this takes a minute or two)"
    mkdir -p "$stamps"
    "$venv/bin/python" deploy/requirements.py "$mode" >"$stamps/requirements-$mode.txt"
    "$venv/bin/pip" install --quiet --disable-pip-version-check \
        --requirement "$stamps/requirements-$mode.txt" \
        || stop "the Python packages could not be installed: see above. Offline, PIP_FIND_LINKS" \
            "can name a directory of wheels."
}

build_native() {
    say "building the native part"
    PATH=$home/bin:$PATH CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)} \
        "$venv/bin/pip" install --quiet --disable-pip-version-check \
        --no-build-isolation --no-deps --editable . \
        || stop "the native part could not be built: see above"
}

# What is ready for `develop` is ready for `run`.
packages_done() {
    is_done packages-develop "$1" || { [[ $mode == run ]] && is_done packages-run "$1"; }
}

system_stamp="$(uname -r) ${SYSTEM_PACKAGES:-yes}"
if ! environment_works || ! is_done "system-$mode" "$system_stamp"; then
    python=$(deploy/system_packages.sh "$mode")
    environment_works || make_environment "$python"
    note_done "system-$mode" "$system_stamp"
fi
packages_done "$(packages_stamp)" || {
    install_packages
    note_done "packages-$mode" "$(packages_stamp)"
}
native_works() { "$venv/bin/python" -c 'import cluster._native'; }

# Taken before the build: what changes while it runs is not in it.
stamp=$(native_stamp)
if ! is_done native "$stamp" || ! native_works 2>/dev/null; then
    build_native
    native_works || stop "the native part was built and can't be loaded: see above"
    note_done native "$stamp"
fi
