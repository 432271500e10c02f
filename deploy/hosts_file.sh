# The hosts of a cluster, and how commands reach them.
# shellcheck shell=bash disable=SC2034  # cluster.sh reads what is read here

# Asks nothing, and believes no host whose key is not known.
ssh_options=(-T -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=10)
ssh_options+=(-o ServerAliveInterval=5 -o ServerAliveCountMax=6)
logins=() load_logins=() head_login='' head_address='' port=$HEAD_PORT
declare -A role=() address=()

read_hosts() { # FILE
    local number=0 line words kind login place
    [[ -r $1 ]] || stop "$1: there is no such hosts file"
    while read -r line || [[ -n $line ]]; do
        number=$((number + 1)) line=${line%%#*}
        read -ra words <<<"$line"
        kind=${words[0]:-} login=${words[1]:-} place=${words[2]:-}
        case $kind:${#words[@]} in
        :0) ;;
        port:2)
            [[ $login =~ ^[0-9]{4,5}$ ]] || stop "$1:$number: port $login is no port above 1023"
            port=$login
            ;;
        head:3 | load:3)
            # It goes to a shell on the other side.
            [[ $login =~ ^[A-Za-z0-9_][A-Za-z0-9@._-]*$ ]] || stop "$1:$number: $login is no login"
            [[ $place =~ ^[A-Za-z0-9.:-]+$ ]] || stop "$1:$number: $place is no address"
            [[ -z ${role[$login]:-} ]] || stop "$1:$number: $login is there twice"
            logins+=("$login") role[$login]=$kind address[$login]=$place
            if [[ $kind == load ]]; then
                load_logins+=("$login")
            else
                [[ -z $head_login ]] || stop "$1:$number: a second head; $head_login is the first"
                head_login=$login head_address=$place
            fi
            ;;
        *) stop "$1:$number: write \`head LOGIN ADDRESS\`, \`load LOGIN ADDRESS\` or \`port N\`" ;;
        esac
    done <"$1"
    [[ -n $head_login ]] || stop "$1: no line says \`head LOGIN ADDRESS\`"
}

# Runs a command on the host of this login, in its home directory.
on() { # LOGIN COMMAND...
    if [[ $1 == local ]]; then
        (cd && "${@:2}")
    else
        local command
        printf -v command '%q ' "${@:2}"
        ssh "${ssh_options[@]}" -- "$1" "$command"
    fi
}
