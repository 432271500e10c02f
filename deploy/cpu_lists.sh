# CPU lists as the kernel writes them: 0-3,7.
# shellcheck shell=bash

is_cpu_list() { [[ $1 =~ ^[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*$ ]]; }

# Each CPU of a list on a line.
cpus_of() {
    local part
    for part in ${1//,/ }; do seq "${part%-*}" "${part#*-}"; done
}

# The first list without the CPUs of the second one; empty when none is left.
cpus_without() {
    local cpu first='' last='' list=''
    while read -r cpu; do
        if [[ -n $last && $cpu -eq $((last + 1)) ]]; then
            last=$cpu
            continue
        fi
        [[ -z $first ]] || list+=,$first$([[ $first == "$last" ]] || echo "-$last")
        first=$cpu last=$cpu
    done < <(comm -23 <(cpus_of "$1" | sort -u) <(cpus_of "$2" | sort -u) | sort -n)
    [[ -z $first ]] || list+=,$first$([[ $first == "$last" ]] || echo "-$last")
    echo "${list#,}"
}
