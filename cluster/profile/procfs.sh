# Samples one process, its threads, its sockets and its host, again and again.
#
#   bash procfs.sh PID PORT_HEX INTERVAL_S OUTPUT
#
# One grep a turn reads every file: no fork per thread. Each sample is a line
# `@ real_us uptime_s looked_at_queues`, the lines `file:content` that grep found, and a line
# `. real_us`. At the end, when the process is gone: a line `! gone`. Times are CLOCK_REALTIME,
# the only clock bash tells without a fork; the uptime beside it shows when that clock was set.
# shellcheck shell=bash
pid=$1 port=$2 interval_s=$3 output=$4
export LC_ALL=C
# Relative names below this directory can't reach another process that later has the same pid.
cd "/proc/$pid" || exit 1
exec 3>>"$output" || exit 1
# A pipe that nobody writes to: reading it with a timeout sleeps without a fork.
exec 4<> <(:)

# What is read: a thread's on-CPU and waiting time (schedstat), its name, memory and switches
# (status), faults (stat), the kernel's TCP counters, the host's CPU times, and the established
# sockets of the engine's port that hold unread bytes.
numbers='^[0-9]+ [0-9]+ [0-9]+$'
words='^(Name|VmRSS|VmHWM|voluntary_ctxt_switches|nonvoluntary_ctxt_switches|Tcp|TcpExt):'
host='^cpu '
faults="^$pid \\("
unread="^ *[0-9]+: [0-9A-F]+:$port [0-9A-F]+:[0-9A-F]{4} 01 [0-9A-F]{8}:[0-9A-F]*[1-9A-F][0-9A-F]* "
patterns="$numbers|$words|$host|$faults|$unread"
queues_every=1 turn=0
# Of each connection: addresses, and how long the kernel had bytes to send and what held them back.
sends='^[0-9]+ +[0-9]+ +[^ ]+ +[^ ]+|(busy|rwnd_limited|sndbuf_limited):[0-9]+ms'

while [[ -e stat ]]; do  # as long as the process is there
    read -r uptime_s _ </proc/uptime
    before=${EPOCHREALTIME/./}
    # The kernel walks every socket for net/tcp: with many of them, look less often.
    mapfile -t sockets <net/sockstat
    # shellcheck disable=SC2017  # whole thousands on purpose
    [[ ${sockets[*]} =~ TCP:\ inuse\ ([0-9]+)\ orphan\ [0-9]+\ tw\ ([0-9]+) ]] &&
        queues_every=$(((BASH_REMATCH[1] + BASH_REMATCH[2]) / 2000 * 10 + 1))
    queues=() looked=no
    ((turn++ % queues_every)) || { queues=(net/tcp net/tcp6) looked=yes; }
    {
        echo "@ $before $uptime_s $looked"
        grep -sHE "$patterns" -- task/*/schedstat task/*/status stat status net/snmp net/netstat \
            /proc/stat "${queues[@]}"
        if [[ $looked == yes ]]; then
            { ss -tinH state established "sport = :$((16#$port))" 2>/dev/null || echo refused; } |
                grep -oE "$sends|^refused$" | sed 's/^/ss:/'
        fi
        after=${EPOCHREALTIME/./}
        echo ". $after"
    } >&3
    read -r -t "$interval_s" -u 4 _
done
echo "! gone" >&3
