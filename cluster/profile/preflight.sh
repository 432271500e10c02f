# What can be measured on this host? Reads, and tries perf on the process for milliseconds each.
#
#   sh -s -- PID DIRECTORY EVENT...  <preflight.sh
#
# Prints sections: a line `== NAME`, then what was found. Every step may fail without the others.
# shellcheck shell=dash
pid=$1 directory=$2
shift 2
export LC_ALL=C HOME="$directory" PERF_CONFIG=/dev/null
section() { printf '\n== %s\n' "$1"; }
tried() { "$@" </dev/null 2>&1; printf '\nstatus %s\n' "$?"; }

section alive; [ -d "/proc/$pid" ] && echo yes
section tools
for tool in bash setpriv timeout gzip c++filt file readelf; do
    command -v "$tool" >/dev/null && echo "$tool"
done
section uid; id -u
section capabilities; sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status
for name in perf_event_paranoid kptr_restrict perf_event_max_sample_rate; do
    section "$name"; cat "/proc/sys/kernel/$name" 2>/dev/null
done
section open_files; ulimit -Sn; ulimit -Hn
section cpus; getconf _NPROCESSORS_ONLN
section threads; ls "/proc/$pid/task" 2>/dev/null | wc -l
section free_kib; df -Pk "$directory" 2>/dev/null | awk 'NR == 2 { print $4 }'
section cpu_model; sed -n 's/^model name[[:space:]]*: //p;s/^CPU implementer.*0x41$/Arm/p' /proc/cpuinfo | head -n 1
section tracefs; grep -c ' tracefs ' /proc/self/mounts
section binary; readlink "/proc/$pid/exe"; timeout 5 file -Lb "/proc/$pid/exe" 2>/dev/null
section compiled
timeout 5 readelf --debug-dump=info "/proc/$pid/exe" 2>/dev/null | grep -m 20 DW_AT_producer | sort -u

# A perf on PATH may be a wrapper without the real one; perf works across kernel versions.
perf=
section perf
for candidate in "$(command -v perf)" /usr/lib/linux-tools/*/perf /usr/lib/linux-tools-*/perf; do
    [ -n "$candidate" ] || continue
    said=$("$candidate" --version 2>&1 </dev/null) && { perf=$candidate; break; }
    echo "$said"
done
section perf_path; echo "$perf"
[ -n "$perf" ] || exit 0
section perf_version; echo "$said"
# Rights of the program itself (setcap); getcap is not on a user's PATH.
section perf_rights; PATH=$PATH:/usr/sbin:/sbin getcap "$(readlink -f "$perf")" 2>/dev/null
section attach; tried "$perf" stat -x ';' -e task-clock -p "$pid" -- true
section json; tried "$perf" stat -j -e task-clock -o /dev/null -- true
# All at once: perf opens each event by itself. What it does not know by name makes it refuse
# them all, and what needs others (a group) is not for that; then one by one.
all=$(for event in "$@"; do case $event in *,*) ;; *) printf ',%s' "$event" ;; esac; done)
section events; tried "$perf" stat -x ';' -e "${all#,}" -p "$pid" -- true >"$directory/events"
cat "$directory/events"
refused=yes
grep -qx 'status 0' "$directory/events" && refused=
for event in "$@"; do
    case $event in *,*) ;; *) [ "$refused" ] || continue ;; esac
    section "event $event"; tried "$perf" stat -x ';' -e "$event" -p "$pid" -- true
done
