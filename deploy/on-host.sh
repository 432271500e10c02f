#!/usr/bin/env bash
# What cluster.sh runs on each host. Lies in the directory that it is about.
#
#   on-host.sh VERB DIRECTORY TOKEN_FILE [ARGUMENT]...
#
#   install                         an environment from the directory's wheels alone
#   token keep|yes                  from standard input, kept 0600; yes: also over another one
#   start head|load ADDRESS HEAD_ADDRESS PORT
#   status | stop | remove
set -euo pipefail
verb=$1 directory=$2 token_file=$3
shift 3
cd "$directory"
directory=$(pwd -P)
[[ $token_file == /* ]] || token_file=$HOME/$token_file
source deploy/say.sh
source deploy/ports.sh
# shellcheck disable=SC2034  # say.sh reads it
speaker=host

readonly START_S=90 STOP_S=30
readonly OBJECT_STORE_BYTES=134217728 # snapshots and histograms are small
# Ray's socket paths must stay below 107 bytes, so its files are not in the directory.
ray_files=/tmp/loadcluster-$(id -u)-$(cksum <<<"$directory" | cut -d ' ' -f 1)

find_python() {
    local candidate
    for candidate in python3 python3.13 python3.12 python3.11 python3.14; do
        "$candidate" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null &&
            command -v "$candidate" && return
    done
    stop "there is no Python >= 3.11 with its module venv here"
}

install() {
    local sums python pip
    sha256sum --quiet --check SHA256SUMS || stop "the bundle did not arrive whole: install again"
    sums=$(sha256sum <SHA256SUMS)
    if [[ -e venv/bundle && $(<venv/bundle) == "$sums" ]]; then
        echo "is installed: $(versions)"
        return
    fi
    [[ -z $(own_ray) ]] || stop "Ray runs from what is installed: stop it first"
    python=$(find_python)
    rm -rf venv
    # pip comes as a wheel: Debian's venv has none without another package.
    "$python" -m venv --without-pip venv
    pip=$(echo "$PWD"/wheels/pip-*.whl)
    PYTHONPATH=$pip venv/bin/python -m pip install --quiet --no-index --find-links wheels \
        --disable-pip-version-check --no-cache-dir \
        --requirement requirements.txt loadcluster ||
        stop "the bundle is not for this machine (another Python or processor than where it was made?)"
    echo "$sums" >venv/bundle
    echo "installed: $(versions)"
}

# All that must be the same on every host.
versions() {
    venv/bin/python -I -c '
import glob, hashlib, importlib.metadata as about, platform, pathlib, importlib.util as find
parts = [f"{name} {about.version(name)}" for name in ("loadcluster", "ray")]
package = pathlib.Path(find.find_spec("cluster").origin).parent
native = [hashlib.sha256(path.read_bytes()).hexdigest()[:12] for path in package.glob("_native*.so")]
print(", ".join([*parts, f"Python {platform.python_version()}", f"native {native[0] if native else 0}"]))
' 2>/dev/null || echo "loadcluster does not work here"
}

token() { # keep|yes
    local given='' has=''
    read -r given || [[ -n $given ]] || stop "no token came"
    [[ $given =~ ^[A-Za-z0-9_-]{32,}$ ]] || stop "what came is no token"
    [[ -e $token_file ]] && read -r has <"$token_file" || true
    if [[ $has == "$given" ]]; then
        chmod 600 "$token_file"
        echo "has the token"
        return
    fi
    [[ -z $has || $1 == yes ]] ||
        stop "$token_file holds another token: token --new replaces it, after that cluster was stopped"
    (
        umask 077
        mkdir -p "$(dirname "$token_file")"
        printf '%s' "$given" >"$token_file.new"
        mv "$token_file.new" "$token_file"
    )
    : >token-is-ours
    echo "has the token now"
}

# The moment a process started, which with its pid says which one it is; empty when it is gone.
started_at() {
    local stat fields
    read -r stat 2>/dev/null <"/proc/$1/stat" || return 0
    read -ra fields <<<"${stat##*) }"
    [[ ${fields[0]} == Z ]] || echo "${fields[19]}"
}

# The pid of our Ray, if it runs.
own_ray() {
    local pid ticks
    [[ -e ray.pid ]] && read -r pid ticks <ray.pid || return 0
    [[ $(started_at "$pid") != "$ticks" ]] || echo "$pid"
}

start() { # ROLE ADDRESS HEAD_ADDRESS PORT
    local pid options
    pid=$(own_ray)
    if [[ -n $pid ]]; then
        [[ $(<ray.started) == "$*" ]] || stop "Ray runs here as \`$(<ray.started)\`: stop it first"
        echo "runs already (pid $pid)"
        return
    fi
    [[ -x venv/bin/ray ]] || stop "nothing is installed in $directory"
    [[ -s $token_file ]] || stop "there is no token: cluster.sh token brings it"
    options=(--address="$3:$4" --resources='{"loadgen": 1}')
    [[ $1 == load ]] || options=(--head --port="$4" --include-dashboard=false)
    mapfile -O "${#options[@]}" -t options < <(ray_ports "$4")
    # Connections are files, and Ray's processes inherit the limit.
    ulimit -Sn "$(ulimit -Hn)"
    (umask 077 && mkdir -p "$ray_files")
    RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH=$token_file RAY_USAGE_STATS_ENABLED=0 \
        RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO=0 \
        setsid venv/bin/ray start "${options[@]}" --block --node-ip-address="$2" \
        --object-store-memory="$OBJECT_STORE_BYTES" --temp-dir="$ray_files" --disable-usage-stats \
        --log-color=false </dev/null >ray.log 2>&1 &
    pid=$!
    echo "$pid $(started_at "$pid")" >ray.pid
    echo "$*" >ray.started
    local end=$((SECONDS + START_S))
    until grep -q 'Ray runtime started' ray.log; do
        if [[ -z $(own_ray) || $SECONDS -ge $end ]]; then
            tail -n 15 ray.log
            stop_ray >/dev/null
            stop "Ray did not start: see above"
        fi
        sleep 0.2
    done
    echo "runs (pid $pid)"
}

# Ends the Ray that `start` started: by its pid, with what it started in turn.
stop_ray() {
    local pid end=$((SECONDS + STOP_S))
    pid=$(own_ray)
    if [[ -n $pid ]]; then
        kill -TERM "$pid"
        while [[ -n $(own_ray) && $SECONDS -lt $end ]]; do sleep 0.1; done
        # Its reaper ends the rest.
        [[ -z $(own_ray) ]] || kill -KILL "$pid"
    fi
    rm -rf ray.pid ray.started "$ray_files"
    echo "${pid:-nothing}"
}

remove() {
    echo "stopped: $(stop_ray)"
    if [[ -e token-is-ours ]]; then rm -f "$token_file"; fi
    # By name: the directory may hold what others have put there.
    rm -rf venv wheels configs deploy SHA256SUMS requirements.txt token-is-ours ray.log
    cd /
    if rmdir "$directory" 2>/dev/null; then
        echo "removed $directory"
    else
        echo "removed; $directory holds other files and stays"
    fi
}

case $verb in
install) install ;;
token) token "$@" ;;
start) start "$@" ;;
status)
    pid=$(own_ray)
    echo "$(if [[ -n $pid ]]; then echo "runs (pid $pid)"; else echo stopped; fi); $(versions)"
    ;;
stop) echo "stopped: $(stop_ray)" ;;
remove) remove ;;
*) stop "unknown verb $verb" ;;
esac
