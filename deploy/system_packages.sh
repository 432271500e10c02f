#!/usr/bin/env bash
# Installs the system packages that are missing, or names the line to type.
#
#   deploy/system_packages.sh run|develop
#
# run: what `make quickstart` needs. develop: what the tests need as well. SYSTEM_PACKAGES=no
# forbids installing. Ends with 1 only when something is missing without which nothing works:
# a compiler, or Python >= 3.11 with its headers and venv. Prints the Python to use on stdout.
set -euo pipefail
cd "$(dirname "$0")/.."
source deploy/say.sh

mode=${1:?run or develop}
PATH=$PATH:/usr/sbin:/sbin # sshd and others are not on a user's PATH

compiles_cpp20() {
    local compiler=${CXX:-} scratch=
    [[ -n $compiler ]] || compiler=$(command -v g++ || command -v c++ || command -v clang++) || return 1
    scratch=$(mktemp -d)
    echo '#include <bit>
#include <concepts>
#include <span>
int main() { return static_cast<int>(std::span<int>{}.size()) + std::popcount(0U); }' \
        >"$scratch/probe.cpp"
    local status=0
    "$compiler" -std=c++20 -o "$scratch/probe" "$scratch/probe.cpp" 2>/dev/null || status=1
    rm -rf "$scratch"
    return $status
}

# The first Python from 3.11 on: the one asked for, the usual one, then by version.
find_python() {
    local candidate
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11 python3.14; do
        # The program itself, not a shim that picks another one in another directory.
        "$candidate" -c 'import sys
if sys.version_info < (3, 11): sys.exit(1)
print(sys.executable)' 2>/dev/null && return
    done
    return 1
}

python_builds() {
    "$1" -c 'import ensurepip, os, sysconfig, venv
assert os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h"))' 2>/dev/null
}

# Debian's own Python comes in pieces; any other one is whole, or not ours to complete.
python_packages() {
    local python=$1 version
    [[ -n $python ]] || { echo python3 python3-venv python3-dev && return; }
    [[ $(readlink -f "$python") == /usr/bin/* ]] || return 0
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    echo "python$version-venv python$version-dev"
}

perf_packages() {
    if grep -qsE '^ID(_LIKE)?=.*ubuntu' /etc/os-release; then
        echo "linux-tools-generic linux-tools-$(uname -r)"
    else
        echo linux-perf
    fi
}

# A clang with its fuzzing runtime, which Debian packs apart, by version.
fuzzes() {
    local probe='extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }'
    echo "$probe" | clang++ -x c++ -fsanitize=fuzzer,address,undefined -o /dev/null - 2>/dev/null
}

fuzzer_packages() {
    local version
    version=$(clang --version 2>/dev/null | sed -n '1s/.*version \([0-9]*\).*/\1/p')
    # Without a clang yet: the distribution's own.
    [[ -n $version ]] || version=$(apt-cache depends clang 2>/dev/null |
        sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p')
    echo "clang${version:+ libclang-rt-$version-dev}"
}

# Fills `essential` and `optional` with the packages that are missing.
look() {
    essential=() optional=()
    python=$(find_python) || python=
    if [[ -z $python ]] || ! python_builds "$python"; then
        read -ra essential <<<"$(python_packages "$python")"
    fi
    compiles_cpp20 || essential+=(g++)
    perf --version >/dev/null 2>&1 || read -ra optional <<<"$(perf_packages)"
    command -v setpriv >/dev/null || optional+=(util-linux)
    [[ $mode == develop ]] || return 0
    command -v make >/dev/null || optional+=(make)
    command -v valgrind >/dev/null || optional+=(valgrind)
    command -v sshd >/dev/null || optional+=(openssh-server)
    command -v ss >/dev/null || optional+=(iproute2)
    command -v ps >/dev/null || optional+=(procps)
    [[ -e /usr/include/doctest/doctest.h ]] || optional+=(doctest-dev)
    if ! fuzzes; then
        local packages=()
        read -ra packages <<<"$(fuzzer_packages)"
        optional+=("${packages[@]}")
    fi
    # Counterparts that others wrote, for the shipped wire schemas.
    command -v redis-server >/dev/null || optional+=(redis-server)
    command -v memcached >/dev/null || optional+=(memcached)
    command -v nginx >/dev/null || optional+=(nginx-light)
    command -v tshark >/dev/null || optional+=(tshark)
    [[ -e /usr/include/quickfix/Application.h ]] || optional+=(libquickfix-dev)
}

# Some packages would start and enable a server: the tests start their own, so nothing else shall.
# A subshell, so that its policy against starting services goes away however it ends.
apt_install() (
    policy=/usr/sbin/policy-rc.d
    if [[ ! -e $policy ]]; then
        trap 'as_root rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
    fi
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "$@" >&2 || exit 1
    [[ -d /run/systemd/system ]] || exit 0
    local package
    for package in "$@"; do
        case $package in
        openssh-server) as_root systemctl disable --quiet ssh.service ssh.socket || true ;;
        redis-server) as_root systemctl disable --quiet redis-server.service || true ;;
        memcached) as_root systemctl disable --quiet memcached.service || true ;;
        nginx-light) as_root systemctl disable --quiet nginx.service || true ;;
        esac
    done
)

install() {
    say "these system packages are missing and are installed now with apt-get: $*"
    say "(SYSTEM_PACKAGES=no forbids it)"
    as_root apt-get update -q >&2 || say "apt-get update failed; trying with the lists that are here"
    # All at once is quicker; one by one, a package that does not exist here stops no other.
    apt_install "$@" || for package in "$@"; do
        apt_install "$package" || say "$package could not be installed"
    done
}

why_not() {
    if [[ ${SYSTEM_PACKAGES:-yes} == no ]]; then
        echo "SYSTEM_PACKAGES=no forbids installing"
    elif ! command -v apt-get >/dev/null; then
        echo "there is no apt-get here"
    elif ! may_become_root; then
        echo "installing takes root"
    fi
}

look
missing=("${essential[@]}" "${optional[@]}")
reason=$(why_not)
if [[ ${#missing[@]} -gt 0 && -z $reason ]]; then
    install "${missing[@]}"
    look
    missing=("${essential[@]}" "${optional[@]}")
    reason="apt-get did not bring it"
fi
if [[ ${#missing[@]} -gt 0 ]]; then
    say "missing: ${missing[*]} ($reason). To install:"
    say "    sudo apt-get install ${missing[*]}"
fi
if [[ ${#essential[@]} -gt 0 ]]; then
    stop "without ${essential[*]} nothing can be built: a C++20 compiler and Python >= 3.11 with" \
        "its headers and venv are needed. PYTHON= and CXX= name others than the usual ones."
fi
if [[ ${#optional[@]} -gt 0 ]]; then
    say "going on without: what needs them is skipped, and says so"
fi
echo "$python"
