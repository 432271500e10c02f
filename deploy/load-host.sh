#!/usr/bin/env bash
# Prepares a load host: open files, ports, clock frequency, interrupts.
#
#   deploy/load-host.sh [--show | --apply | --undo] [--load-cpus LIST] [--state FILE] [--root DIR]
#
# --show (the default) tells what is, what would change, and why. --apply changes it, again and
# again with the same outcome. --undo restores what was before the first --apply.
# --load-cpus 2-7: interrupts keep off these CPUs, which the load workers have for themselves.
# --state: where the values from before are kept; left out: /var/lib/loadcluster/load-host.
# --root: a directory that stands for /, for trying it out.
#
# What is set in the kernel is gone after a restart; then --apply again.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/say.sh"
source "$(dirname "${BASH_SOURCE[0]}")/changes.sh"
source "$(dirname "${BASH_SOURCE[0]}")/cpu_lists.sh"
# shellcheck disable=SC2034  # say.sh reads it
speaker=load-host load_cpus=

while [[ $# -gt 0 ]]; do
    case $1 in
    --show | --apply | --undo) mode=${1#--} && shift ;;
    --load-cpus) load_cpus=${2:?LIST} && shift 2 ;;
    --state) state=${2:?FILE} && shift 2 ;;
    --root) root=${2:?DIR} && shift 2 ;;
    *) stop "unknown argument $1; known: --show --apply --undo --load-cpus --state --root" ;;
    esac
done
[[ -z $load_cpus ]] || is_cpu_list "$load_cpus" ||
    stop "--load-cpus $load_cpus: write CPUs like 2-7 or 1,3,5"

readonly IPV4=/proc/sys/net/ipv4 CPUS=/sys/devices/system/cpu
readonly OPEN_FILES=1048576
# Above Ray's ports (deploy/ports.sh), so that no connection of ours takes one of them.
readonly FIRST_PORT=16384 LAST_PORT=65535

open_files() {
    local limit=$OPEN_FILES most path=/etc/security/limits.d/90-loadcluster.conf
    # A limit above the kernel's own keeps everybody from logging in.
    most=$(read_value /proc/sys/fs/nr_open) && ((most < limit)) && limit=$most
    contents[$path]="# By load-host.sh of loadcluster; its --undo removes it. Holds from the next login on.
* soft nofile $limit
* hard nofile $limit
root soft nofile $limit
root hard nofile $limit
"
    local wanted now
    wanted=$(printf '%s' "${contents[$path]}" | sha256sum | cut -c 1-12)
    now=$(read_file "$path")
    if [[ $now != absent && $now != "$wanted" ]]; then
        trouble=1
        tell "left alone" "open files" "$path is there and not of this script"
    else
        want file "$path" "$wanted" "open files: $limit" "each connection is an open file ($path)"
    fi
}

ports() {
    local first last
    read -r first last <<<"$(read_value $IPV4/ip_local_port_range)" || true
    if ((${first:-0} > 0 && first <= FIRST_PORT && last >= LAST_PORT)); then
        tell "is enough" ip_local_port_range "$first $last"
    else
        want value $IPV4/ip_local_port_range "$FIRST_PORT $LAST_PORT" ip_local_port_range \
            "so many connections one address may have to the engine"
    fi
    want value $IPV4/tcp_tw_reuse 1 tcp_tw_reuse \
        "closed connections keep their ports for a minute; the next level needs them"
}

backlog() {
    local path=/proc/sys/net/core/somaxconn now
    now=$(read_value $path) || now=0
    if ((now >= 4096)); then
        tell "is enough" somaxconn "$now"
    else
        want value $path 4096 somaxconn \
            "in a calibration all connections reach this host's reflector at once"
    fi
}

governor() {
    local directory cpu found=
    for directory in "$root$CPUS"/cpu[0-9]*/cpufreq; do
        [[ -e $directory/scaling_governor ]] || continue
        found=yes directory=${directory#"$root"} cpu=${directory%/cpufreq}
        if [[ " $(read_value "$directory/scaling_available_governors") " == *" performance "* ]]; then
            want value "$directory/scaling_governor" performance "governor of ${cpu##*/}" \
                "a CPU that has to speed up first sends late"
        else
            tell "not here" "governor of ${cpu##*/}" "it can't be performance on this machine"
        fi
    done
    [[ -n $found ]] || tell "not here" governor \
        "no cpufreq: in a virtual machine its host decides on the clock frequency"
}

interrupts() {
    local others online path irq now
    if [[ -z $load_cpus ]]; then
        tell "not asked" "interrupts" "--load-cpus names the CPUs that they keep off"
        return
    fi
    online=$(read_value $CPUS/online)
    others=$(cpus_without "$online" "$load_cpus")
    [[ -n $others ]] || stop "--load-cpus $load_cpus leaves no CPU for interrupts (online: $online)"
    for path in "$root"/proc/irq/[0-9]*/smp_affinity_list; do
        [[ -e $path ]] || continue
        path=${path#"$root"} irq=${path%/*}
        now=$(read_value "$path") || continue
        local rest
        rest=$(cpus_without "$now" "$load_cpus")
        want value "$path" "${rest:-$others}" "interrupt ${irq##*/}" "the load CPUs are for workers"
    done
    if grep -qsx irqbalance "$root"/proc/[0-9]*/comm; then
        tell "beware" irqbalance "it runs and moves interrupts back: stop it while the load runs"
    fi
}

settings() {
    open_files
    ports
    backlog
    governor
    interrupts
}

carry_out load-host
