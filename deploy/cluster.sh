#!/usr/bin/env bash
# Brings a load cluster up on many hosts over plain SSH, and takes it down again.
#
#   deploy/cluster.sh bundle [DIR]             all that the hosts need, in one directory
#   deploy/cluster.sh VERB HOSTS [OPTION]...
#
#   install   copy the bundle to every host and install it there, without any other source
#   token     make the cluster's token, if there is none yet, and give it to every host
#   start     Ray on the head, then on the load hosts
#   status    what runs where, in which versions; fails where they differ
#   stop      end what `start` started, and nothing else
#   remove    stop, and remove everything that this script brought
#
# HOSTS is a file with a line per host: ROLE LOGIN ADDRESS, that is `head` (once) or `load`, what one
# types after ssh (`local`: this machine), its address in the cluster's network. A line
# `port 6379` names the head's port. Each verb can be said again: what is done already stays.
#
#   --directory DIR    on the hosts, from the home directory on (loadcluster)
#   --token-file FILE  here and on the hosts (.ray/auth_token in the home directory)
#   --bundle DIR       (build/bundle, or the one that this script lies in)
#   --ssh-config FILE  instead of ~/.ssh/config
#   --new              with `token`: a new one, everywhere; the cluster must be stopped
#
# Host keys must be known and logins need no password: ssh asks nothing here.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
source "$here/say.sh"
source "$here/ports.sh"
source "$here/hosts_file.sh"
# shellcheck disable=SC2034  # say.sh reads it
speaker=cluster
readonly AT_ONCE=16 # hosts

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; }

[[ $# -gt 0 && $1 != -h && $1 != --help ]] || { usage && exit 0; }
verb=$1 hosts_file='' directory=loadcluster token_file=.ray/auth_token bundle='' new=''
shift
while [[ $# -gt 0 ]]; do
    case $1 in
    --directory) directory=${2:?DIR} && shift 2 ;;
    --token-file) token_file=${2:?FILE} && shift 2 ;;
    --bundle) bundle=${2:?DIR} && shift 2 ;;
    --ssh-config) ssh_options+=(-F "${2:?FILE}") && shift 2 ;;
    --new) new=yes && shift ;;
    -*) stop "unknown option $1; deploy/cluster.sh --help tells them" ;;
    *)
        [[ -z $hosts_file ]] || stop "one hosts file is enough: $hosts_file or $1?"
        hosts_file=$1 && shift
        ;;
    esac
done
for path in "$directory" "$token_file"; do
    [[ $path =~ ^[A-Za-z0-9._/-]+$ ]] || stop "$path: write it with A-Z a-z 0-9 . _ - / alone"
done
if [[ -z $bundle ]]; then
    bundle=$here/../build/bundle
    [[ ! -e $here/../SHA256SUMS ]] || bundle=$here/..
fi

# Runs a verb of on-host.sh on the host of this login; standard input goes along.
on_host() { # LOGIN VERB ARGUMENT...
    local status=0
    on "$1" bash "$directory/deploy/on-host.sh" "$2" "$directory" "$token_file" "${@:3}" || status=$?
    [[ $status -ne 127 ]] || say "nothing is in $directory there: install brings it"
    return $status
}

# Does it for all these hosts at once, each line of output after the host's login.
each() { # FUNCTION LOGIN...
    local what=$1 login pids=() pid failed=0
    shift
    for login in "$@"; do
        while [[ $(jobs -rp | wc -l) -ge $AT_ONCE ]]; do wait -n || true; done
        { "$what" "$login" 2>&1 | sed -u "s|^|$login: |"; } &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
    return $failed
}

install_on() {
    local sums
    sums=$(on "$1" cat "$directory/SHA256SUMS" 2>/dev/null) || true
    if [[ $sums != "$(<"$bundle/SHA256SUMS")" ]]; then
        # An older bundle's wheels could be taken for this one's.
        on "$1" mkdir -p "$directory" && on "$1" rm -rf "$directory/wheels" &&
            tar -C "$bundle" -c . | on "$1" tar -C "$directory" -x --no-same-owner || return 1
    fi
    on_host "$1" install
}

token_to() { on_host "$1" token "${new:-keep}" <"$local_token"; }
start_on() { on_host "$1" start "${role[$1]}" "${address[$1]}" "$head_address" "$port"; }
status_of() { on_host "$1" status 2>/dev/null || echo "not installed, or not to be reached"; }
stop_on() { on_host "$1" stop; }
remove_from() { on_host "$1" remove; }

make_token() {
    local_token=$token_file
    [[ $local_token == /* ]] || local_token=$HOME/$local_token
    if [[ -e $local_token && -n $(find -L "$local_token" -perm /077) ]]; then
        stop "$local_token: others may read it. If nobody did: chmod 600 $local_token;" \
            "else remove it and say: token --new"
    fi
    if [[ -n $new || ! -s $local_token ]]; then
        (
            umask 077
            mkdir -p "$(dirname "$local_token")"
            head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >"$local_token.new"
            mv "$local_token.new" "$local_token"
        )
        say "a new token is in $local_token"
    fi
}

check_status() {
    local said versions
    said=$(each status_of "${logins[@]}") || true
    echo "$said"
    # shellcheck disable=SC2001  # a pattern for each line
    versions=$(sed 's/^[^:]*: [^;]*; //' <<<"$said" | sort -u)
    [[ $(wc -l <<<"$versions") -eq 1 ]] ||
        stop "the hosts have not all the same: see above. install brings the bundle's to all"
    ! grep -q ': not installed' <<<"$said"
}

if [[ $verb == bundle ]]; then
    exec "$here/bundle.sh" "${hosts_file:-$here/../build/bundle}"
fi
[[ -n $hosts_file ]] || stop "$verb needs a hosts file; deploy/cluster.sh --help tells its form"
read_hosts "$hosts_file"
case $verb in
install)
    [[ -s $bundle/SHA256SUMS ]] ||
        stop "there is no bundle in $bundle: deploy/cluster.sh bundle makes one"
    each install_on "${logins[@]}"
    ;;
token)
    make_token
    each token_to "${logins[@]}"
    ;;
start)
    each start_on "$head_login" || stop "the head did not start: see above"
    [[ ${#load_logins[@]} -eq 0 ]] || each start_on "${load_logins[@]}"
    ;;
status) check_status ;;
stop)
    failed=0
    [[ ${#load_logins[@]} -eq 0 ]] || each stop_on "${load_logins[@]}" || failed=1
    each stop_on "$head_login" || failed=1
    exit $failed
    ;;
remove) each remove_from "${logins[@]}" ;;
*) stop "unknown verb $verb; known: bundle install token start status stop remove" ;;
esac
