# Prints what this host is, one `key<TAB>value` a line; what can't be read is left out.
# shellcheck shell=dash
say() { [ -n "$2" ] && printf '%s\t%s\n' "$1" "$2"; }
PATH="$PATH:/usr/sbin:/sbin"
first() { for file in "$@"; do [ -r "$file" ] && { tr '\n' ' ' <"$file" 2>/dev/null; return; }; done; }

say hostname "$(uname -n)"
say kernel "$(uname -sr)"
say architecture "$(uname -m)"
say os "$(. /etc/os-release 2>/dev/null; echo "$PRETTY_NAME")"
say kernel_command_line "$(first /proc/cmdline)"
say cpu_model "$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo 2>/dev/null | head -n 1)"
say cpus "$(getconf _NPROCESSORS_ONLN 2>/dev/null)"
say smt "$(first /sys/devices/system/cpu/smt/control)"
[ -d /sys/devices/system/node/node0 ] &&
    say numa_nodes "$(ls -d /sys/devices/system/node/node[0-9]* | wc -l)"
say isolated_cpus "$(first /sys/devices/system/cpu/isolated)"
if grep -q '^flags.* hypervisor' /proc/cpuinfo 2>/dev/null; then
    vendor="$(first /sys/hypervisor/type /sys/class/dmi/id/sys_vendor)"
    say hypervisor "${vendor:-yes, unnamed}"
elif [ "$(uname -m)" = x86_64 ]; then
    say hypervisor none
fi
say governor "$(first /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor)"
say frequency_driver "$(first /sys/devices/system/cpu/cpu0/cpufreq/scaling_driver)"
say idle_driver "$(first /sys/devices/system/cpu/cpuidle/current_driver)"
say clocksource "$(first /sys/devices/system/clocksource/clocksource0/current_clocksource)"
say memory_kib "$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo 2>/dev/null)"
say transparent_huge_pages "$(sed -n 's/.*\[\(.*\)\].*/\1/p' \
    /sys/kernel/mm/transparent_hugepage/enabled 2>/dev/null)"
say open_files_max "$(ulimit -n)"
say load_average_1_min "$(cut -d ' ' -f 1 /proc/loadavg 2>/dev/null)"
say perf_event_paranoid "$(first /proc/sys/kernel/perf_event_paranoid)"
say kptr_restrict "$(first /proc/sys/kernel/kptr_restrict)"
for name in net/core/somaxconn net/core/rmem_max net/core/wmem_max net/core/netdev_max_backlog \
    net/core/busy_poll net/ipv4/tcp_rmem net/ipv4/tcp_wmem net/ipv4/tcp_congestion_control \
    net/ipv4/tcp_autocorking net/ipv4/ip_local_port_range net/ipv4/tcp_max_syn_backlog; do
    say "sysctl $(echo "$name" | tr / .)" "$(first "/proc/sys/$name")"
done
for path in /sys/class/net/*; do
    name="${path##*/}"
    [ "$name" = lo ] && continue
    driver="$(readlink "$path/device/driver" 2>/dev/null)"
    speed="$(cat "$path/speed" 2>/dev/null)"
    say "interface $name" "${driver##*/}|$speed|$(first "$path/mtu")"
done
say "version python3" "$(python3 -V 2>&1 | sed -n 's/^Python //p')"
say "version perf" "$(perf --version 2>/dev/null | sed -n 's/^perf version //p')"
say "version bash" "$(bash -c 'echo "$BASH_VERSION"' 2>/dev/null)"
exit 0
