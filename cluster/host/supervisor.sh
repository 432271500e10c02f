# Runs one command on a host so that it can't outlive the driver.
#
#   bash supervisor.sh DIR MAX_MS HEARTBEAT_MS STOP_SIGNAL CPUS CWD \
#                      ENV_COUNT [NAME=VALUE]... ARGV...
#
# stdin is the driver: one command a line; any line is a heartbeat, so an idle driver sends `hb`.
#   clock ID           -> clock ID received_ns replied_ns
#   enable|disable|ping ID PATIENCE_S  (perf's control)  -> ack ID sent_ns acked_ns | noack ID
#   stop KILL_AFTER_S  -> the command gets STOP_SIGNAL, and SIGKILL so long after
# stdout carries only those answers, and before them `ready PID ANCHOR_NS ERROR_NS METHOD`, or
# `missing TOOL`, `nodirectory` or `failed STATUS`; at the very end `ended STATUS WHY`. Times are
# CLOCK_MONOTONIC.
#
# The command's own output goes to files in DIR: a pipe to a dead driver would kill it by SIGPIPE
# just while it writes its data. There is no terminal, so no SIGHUP either.
# shellcheck shell=bash

directory=$1 max_ms=$2 heartbeat_ms=$3 stop_signal=$4 cpus=$5 cwd=$6 env_count=$7
shift 7
environment=("${@:1:env_count}")
shift "$env_count"

umask 077
export LC_ALL=C
cd "$directory" || { echo "failed 1"; exit 1; }
exec 2>supervisor.log
# Handlers, not '': an ignored signal would stay ignored in the command, a handled one does not.
trap : HUP PIPE
terminated=
trap terminated=yes TERM INT
# With job control the command is in its own process group, and its SIGINT is not ignored. (Where
# ours is, in a job that a script left in the background, `timeout` undoes that.)
set -m

((BASH_VERSINFO[0] >= 5)) || { echo "missing bash5"; exit 1; }
tools=(setpriv setsid timeout mkfifo)
[[ $cpus == - ]] || tools+=(taskset)
for tool in "${tools[@]}"; do
    type -P "$tool" >/dev/null || { echo "missing $tool"; exit 1; }
done
[[ $cwd == - ]] || cd "$cwd" || { echo "nodirectory"; exit 1; }
type -P -- "$1" >/dev/null || { echo "missing $1"; exit 1; }
cd "$directory" || exit 1

# bash tells only CLOCK_REALTIME without a fork; the anchor, realtime - monotonic, turns it into
# CLOCK_MONOTONIC. Prints: anchor_ns error_ns method.
find_anchor() {
    python3 -I -S -c '
import time
best = None
for _ in range(100):
    before, real, after = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
    if best is None or after - before < best[0]:
        best = (after - before, real - (before + after) // 2)
print(best[1], best[0] // 2 + 1000, "clock_gettime")' 2>/dev/null && return
    perl -MTime::HiRes=clock_gettime,CLOCK_MONOTONIC,CLOCK_REALTIME -e '
my ($least, $anchor);
for (1 .. 100) {
    my $before = clock_gettime(CLOCK_MONOTONIC);
    my $real = clock_gettime(CLOCK_REALTIME);
    my $after = clock_gettime(CLOCK_MONOTONIC);
    ($least, $anchor) = ($after - $before, $real - ($before + $after) / 2)
        if !defined $least || $after - $before < $least;
}
printf "%.0f %.0f clock_gettime\n", $anchor * 1e9, $least * 5e8 + 2000;' 2>/dev/null && return
    # The uptime advances in steps of 10 ms; watched closely, each step is exact to a few µs.
    # It equals CLOCK_MONOTONIC unless the host was suspended, and a container may see its own.
    [[ $(</proc/self/mountinfo) == *" /proc/uptime "* ]] && { echo "0 -1 none"; return; }
    local first now before after=$EPOCHREALTIME
    read -r first _ </proc/uptime
    while before=$after; read -r now _ </proc/uptime; after=$EPOCHREALTIME; [[ $now == "$first" ]]
    do :; done
    before=${before/./}000 after=${after/./}000 now=${now/./}0000000
    echo "$(((before + after) / 2 - now)) $(((after - before) / 2 + 1000)) uptime-step"
}

read -r anchor_ns anchor_error_ns anchor_method < <(find_anchor </dev/null)

mkfifo ctl ack started || { echo "failed 1"; exit 1; }
# Opened for both directions nobody ever waits for a peer, and none of them ends.
exec 7<>started 8<>ctl 9<>ack

# The last step before the command itself: its own pid is the command's pid.
launch='
cd "$2" || exit 126
for ((count = $1; count > 0; count--)); do export "$3"; set -- "${@:1:2}" "${@:4}"; done
shift 2
echo $$ >&7
exec 7>&-
exec -- "$@"'

pin=()
[[ $cpus == - ]] || pin=(taskset --cpu-list "$cpus")
[[ $cwd == - ]] && cwd=$directory
printf -v max_s '%d.%03d' "$((max_ms / 1000))" "$((max_ms % 1000))"
# `timeout` bounds the life and follows up with SIGKILL. PDEATHSIG: should the supervisor or
# `timeout` be killed, the kernel sends the command its stop signal. The command leads a session and
# group of its own, so that it and its children each get the stop signal once: to many programs a
# second one means "at once".
setpriv --pdeathsig "$stop_signal" \
    timeout --foreground --preserve-status -s "$stop_signal" -k 10 "$max_s" \
    setpriv --pdeathsig "$stop_signal" setsid "${pin[@]}" \
    bash -c "$launch" "launch:$directory" "$env_count" "$cwd" "${environment[@]}" "$@" \
    </dev/null >stdout 2>stderr 8>&- 9>&- &
keeper=$!
started=$EPOCHREALTIME

running() { kill -0 "$keeper" 2>/dev/null; }

# Reads a line of descriptor $1 into `line`; 1 when there is none yet, 2 at the end. What a read
# has taken when its time is over, a busy host stopping us in between, is kept for the next.
declare -A pieces=()
take_line() { # DESCRIPTOR SECONDS
    local piece status
    IFS= read -r -t "$2" -u "$1" piece
    status=$?
    line=${pieces[$1]}$piece
    if ((status == 0)); then
        pieces[$1]=
        return 0
    fi
    pieces[$1]=$line
    ((status > 128)) && return 1
    return 2
}

# Sleeps without a fork: nothing is ever written to the fifo after the pid.
doze() { read -r -t "$1" -u 7 _; }

# Whether process $1 is past the launcher: it has another command line.
launched() {
    local words
    mapfile -d '' -t words 2>/dev/null <"/proc/$1/cmdline" || return 0
    [[ ${words[3]} != "launch:$directory" ]]
}

pid=
for ((turn = 0; turn < 200; turn++)); do
    take_line 7 0.05 && pid=$line && break
    running || break
done
# A wrong pid would be a disaster: we are going to signal it. It is our keeper's child, unless it
# has ended already, and then the keeper ends, too.
for ((turn = 0; turn < 20; turn++)); do
    [[ $pid ]] && running || break
    parent=
    read -r stat <"/proc/$pid/stat" && read -r _ parent _ <<<"${stat##*) }"
    [[ $parent == "$keeper" ]] && break
    doze 0.05
done
((turn < 20)) || pid=
for ((turn = 0; turn < 400; turn++)); do
    [[ -z $pid ]] || launched "$pid" && break
    doze 0.005
done

# Ends what still runs, tells how it ended, and leaves.
finish() { # WHY KILL_AFTER_S
    local why=$1 turns
    if running; then
        kill -s "$stop_signal" -- "-$pid"
        for ((turns = $2 * 50; turns > 0; turns--)); do
            running || break
            doze 0.02
        done
    fi
    # Also the children that it left behind.
    kill -s KILL -- "-$pid"
    wait "$keeper"
    local status=$?
    rm -f ctl ack started
    echo "ended $status $why"
    exit 0
}

if [[ -z $pid ]]; then
    kill -s KILL -- "-$keeper"
    wait "$keeper"
    echo "failed $?"
    exit 1
fi
echo "ready $pid $anchor_ns $anchor_error_ns $anchor_method"

stale_acks=
control() { # NAME ID PATIENCE_S
    local sent acked line turn
    # An answer that came too late must not be taken for the next one.
    if [[ $stale_acks ]]; then
        while take_line 9 0.01; do :; done
        stale_acks=
    fi
    sent=$EPOCHREALTIME
    echo "$1" >&8
    for ((turn = 0; turn < $3 * 10; turn++)); do
        if take_line 9 0.1; then
            acked=$EPOCHREALTIME
            echo "ack $2 $((${sent/./}000 - anchor_ns)) $((${acked/./}000 - anchor_ns))"
            return
        fi
        running || break
    done
    stale_acks=yes
    echo "noack $2"
}

obey() { # LINE RECEIVED
    local name=${1%% *} rest=${1#* } id replied
    id=${rest%% *}
    case $name in
        clock)
            replied=$EPOCHREALTIME
            echo "clock $id $((${2/./}000 - anchor_ns)) $((${replied/./}000 - anchor_ns))"
            ;;
        enable | disable | ping) control "$name" "$id" "${rest##* }" ;;
        stop) finish stopped "$id" ;;
    esac
}

# Silence is counted in turns of 0.2 s: the wall clock may be set, and $SECONDS follows it.
silent=0
while :; do
    if ! running; then
        elapsed_us=$((${EPOCHREALTIME/./} - ${started/./}))
        ((elapsed_us >= max_ms * 1000)) && finish time-limit 0
        finish exited 0
    fi
    [[ $terminated ]] && finish supervisor-signal 10
    take_line 0 0.2
    case $? in
        0)
            received=$EPOCHREALTIME
            silent=0
            obey "$line" "$received"
            ;;
        1) ((++silent * 200 < heartbeat_ms)) || finish heartbeat-timeout 10 ;;
        2) finish stdin-eof 10 ;;
    esac
done
