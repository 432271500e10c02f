#!/usr/bin/env bash
# Gives those who profile the engine the least right that perf needs, and takes it back.
#
#   deploy/engine-host.sh [--show | --apply | --undo] [--user NAME]... [--other-users]
#                         [--perf FILE] [--group NAME] [--state FILE] [--root DIR]
#
# --show (the default) tells what is, what would change, and why. --apply makes a group whose
# members may run perf with CAP_PERFMON and CAP_SYSLOG; nobody else may run that perf. --undo
# restores owner, mode, capabilities, group and settings as they were before the first --apply.
# --user: who joins the group: the user that loadcluster logs in as. Holds from the next login on.
# --other-users: adds CAP_SYS_PTRACE, which older kernels want before perf may read the memory map
#   of another user's engine. Who may run perf with it can do nearly what root can: leave it out where
#   the profiler logs in as the engine's user.
# --perf: the perf that gets the right; left out: the one that loadcluster would use.
# --group: its name; left out: loadcluster-perf.
# --state: where the values from before are kept; left out: /var/lib/loadcluster/engine-host.
# --root: a directory that stands for / where /proc and the state are looked up, for trying it out.
#
# What is set in the kernel is gone after a restart, the rest stays; an update of perf takes the
# right away. In both cases --apply again.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin # setcap and groupadd are not on a user's PATH
source "$(dirname "${BASH_SOURCE[0]}")/say.sh"
source "$(dirname "${BASH_SOURCE[0]}")/changes.sh"
# shellcheck disable=SC2034  # say.sh reads it
speaker=engine-host perf='' group=loadcluster-perf other_users='' users=()

while [[ $# -gt 0 ]]; do
    case $1 in
    --show | --apply | --undo) mode=${1#--} && shift ;;
    --user) users+=("${2:?NAME}") && shift 2 ;;
    --other-users) other_users=yes && shift ;;
    --perf) perf=${2:?FILE} && shift 2 ;;
    --group) group=${2:?NAME} && shift 2 ;;
    --state) state=${2:?FILE} && shift 2 ;;
    --root) root=${2:?DIR} && shift 2 ;;
    *) stop "unknown argument $1; known: --show --apply --undo --user --other-users --perf" \
        "--group --state --root" ;;
    esac
done

readonly CAP_PERFMON=38 # its number; linux/capability.h

is_program() { [[ -x $1 && $(head -c 4 "$1" | tail -c 3) == ELF ]]; }

# A perf on PATH may be a script that looks for the real one: a right on a script means nothing.
find_perf() {
    local candidate
    for candidate in "$(command -v perf || true)" "/usr/lib/linux-tools/$(uname -r)/perf" \
        /usr/lib/linux-tools/*/perf /usr/lib/linux-tools-*/perf; do
        is_program "$candidate" && readlink -f "$candidate" && return
    done
    return 1
}

# Owner, mode and capabilities of a program: "0:0 755 -".
read_program() {
    [[ -e $1 ]] || return 1
    local said
    said=$(getcap "$1")
    said=${said#"$1"} said=${said# =} said=${said# } # older ones print `FILE = …+ep`
    echo "$(stat -c '%u:%g %a' "$1") ${said:--}"
}

# The capabilities go first and come last: a right is never seen with somebody else's mode.
write_program() {
    local owner access capabilities
    read -r owner access capabilities <<<"$2"
    setcap -q -r "$1" 2>/dev/null || true # there was none
    chown "$owner" "$1" && chmod "$access" "$1" &&
        { [[ $capabilities == - ]] || setcap -q "$capabilities" "$1"; }
}

read_group() { if getent group "$1" >/dev/null; then echo present; else echo absent; fi; }

write_group() {
    if [[ $2 == present ]]; then groupadd --system "$1"; else groupdel "$1"; fi
}

# A member is named GROUP:USER.
read_member() {
    local members
    members=$(getent group "${1%%:*}" | cut -d : -f 4)
    if [[ ,$members, == *",${1#*:},"* ]]; then echo present; else echo absent; fi
}

write_member() {
    if [[ $2 == present ]]; then
        gpasswd --add "${1#*:}" "${1%%:*}" >/dev/null
    else
        gpasswd --delete "${1#*:}" "${1%%:*}" >/dev/null
    fi
}

look() {
    local last
    last=$(read_value /proc/sys/kernel/cap_last_cap) || last=0
    ((last >= CAP_PERFMON)) ||
        stop "this kernel has no CAP_PERFMON (Linux 5.8 has): profile as root, or with" \
            "sysctl kernel.perf_event_paranoid=1, which gives the right to everybody here"
    command -v setcap >/dev/null && command -v getcap >/dev/null ||
        stop "setcap is not here: apt-get install libcap2-bin"
    if [[ -z $perf ]]; then
        perf=$(find_perf) || stop "there is no perf here: apt-get install linux-perf (Debian)," \
            "linux-tools-generic (Ubuntu), perf (Fedora)"
    fi
    perf=$(readlink -f "$perf")
    is_program "$perf" || stop "--perf $perf is no program of this machine (a script gets no rights)"
    local user
    for user in "${users[@]}"; do
        getent passwd "$user" >/dev/null || stop "--user $user: there is no such user"
    done
}

settings() {
    look
    local owner gid user capabilities=cap_syslog,cap_perfmon=ep
    [[ -z $other_users ]] || capabilities=cap_sys_ptrace,$capabilities
    want group "$group" present "group $group" "its members may profile"
    gid=$(getent group "$group" | cut -d : -f 3) || gid=$group
    owner=$(stat -c %u "$perf")
    want program "$perf" "$owner:$gid 750 $capabilities" "$perf" \
        "counts, samples and names kernel functions for the group, and runs for nobody else"
    for user in "${users[@]}"; do
        want member "$group:$user" present "$user in $group" "loadcluster logs in as this user"
    done
    if [[ $(read_value /proc/sys/kernel/kptr_restrict) == 2 ]]; then
        want value /proc/sys/kernel/kptr_restrict 1 kptr_restrict \
            "with 2 the kernel's functions have no names, whatever the rights"
    else
        tell "is enough" kptr_restrict "$(read_value /proc/sys/kernel/kptr_restrict)"
    fi
    tell "is enough" perf_event_paranoid \
        "$(read_value /proc/sys/kernel/perf_event_paranoid): CAP_PERFMON does not ask it"
}

carry_out engine-host
