# What load-host.sh and engine-host.sh share: settings that are shown, applied, and undone exactly.
#
# A setting has a kind, a place and a value; read_KIND and write_KIND are its two functions. Before
# the first change of a place its value is written to the state file, one line each:
# kind, place, value before, value set. Undoing goes through them backwards and leaves alone
# what somebody else has changed since.
# shellcheck shell=bash

mode=show root='' state='' trouble=0
recorded=() # "kind<tab>place", in the order of the first changes
declare -A before=() applied=() contents=()

# Three columns: what became of it, which setting, the values or the reason.
tell() { printf '%-12s %-34s %s\n' "$1" "$2" "$3"; }

# What the kernel shows in a file: words with single blanks.
read_value() {
    local words
    [[ -r $root$1 ]] && { read -ra words <"$root$1"; } 2>/dev/null && echo "${words[*]}"
}

write_value() { printf '%s\n' "$2" 2>/dev/null >"$root$1"; }

# A file of ours: "absent", or the digest of what is in it.
read_file() {
    if [[ -e $root$1 ]]; then sha256sum <"$root$1" | cut -c 1-12; else echo absent; fi
}

write_file() {
    if [[ $2 == absent ]]; then
        rm -f "$root$1"
    else
        mkdir -p "$(dirname "$root$1")" && printf '%s' "${contents[$1]}" >"$root$1"
    fi
}

boot_id() { read_value /proc/sys/kernel/random/boot_id || echo unknown; }

load_state() {
    local kind place was set
    [[ -e $state ]] || return 0
    local since
    read -r since <"$state"
    while IFS=$'\t' read -r kind place was set; do
        # What the kernel holds is gone with a restart, and so is our part in it.
        [[ $kind == value && $since != "boot $(boot_id)" ]] && continue
        recorded+=("$kind"$'\t'"$place")
        before[$kind$'\t'$place]=$was applied[$kind$'\t'$place]=$set
    done < <(tail -n +2 "$state")
}

save_state() {
    mkdir -p "$(dirname "$state")"
    {
        echo "boot $(boot_id)"
        local key
        for key in "${recorded[@]}"; do
            printf '%s\t%s\t%s\n' "$key" "${before[$key]}" "${applied[$key]}"
        done
    } >"$state.new" && mv "$state.new" "$state"
}

remember() { # KIND PLACE NOW VALUE
    local key=$1$'\t'$2
    if [[ -z ${before[$key]+is} ]]; then
        recorded+=("$key")
        before[$key]=$3
    fi
    applied[$key]=$4
    save_state || stop "nothing was changed: $state can't be written"
}

# The setting NAME of KIND in PLACE shall be VALUE.
want() { # KIND PLACE VALUE NAME WHY
    local kind=$1 place=$2 value=$3 name=$4 why=$5 now
    if ! now=$("read_$kind" "$place"); then
        tell "not here" "$name" "there is no $place"
    elif [[ $now == "$value" ]]; then
        tell "is so" "$name" "$now"
    elif [[ $mode == show ]]; then
        tell "would change" "$name" "$now -> $value: $why"
    else
        remember "$kind" "$place" "$now" "$value"
        if "write_$kind" "$place" "$value" && [[ $("read_$kind" "$place") == "$value" ]]; then
            tell "changed" "$name" "$now -> $value: $why"
        else
            trouble=1
            tell "refused" "$name" "stays $("read_$kind" "$place")"
        fi
    fi
}

undo_all() {
    local index key kind place now
    [[ ${#recorded[@]} -gt 0 ]] || say "there is nothing to undo ($state)"
    for ((index = ${#recorded[@]} - 1; index >= 0; index--)); do
        key=${recorded[index]}
        kind=${key%%$'\t'*} place=${key#*$'\t'}
        if ! now=$("read_$kind" "$place"); then
            tell "is gone" "$place" ""
        elif [[ $now == "${before[$key]}" ]]; then
            tell "is as before" "$place" "$now"
        elif [[ $now != "${applied[$key]}" ]]; then
            tell "left alone" "$place" "somebody else has set it since: $now"
        elif "write_$kind" "$place" "${before[$key]}" &&
            [[ $("read_$kind" "$place") == "${before[$key]}" ]]; then
            tell "restored" "$place" "$now -> ${before[$key]}"
        else
            trouble=1
            tell "refused" "$place" "stays $("read_$kind" "$place")"
        fi
    done
    # What could not be restored may be tried again.
    [[ $trouble -ne 0 ]] || rm -f "$state"
}

# Shows, applies or undoes what the function `settings` wants.
carry_out() { # NAME OF THE STATE FILE
    state=${state:-$root/var/lib/loadcluster/$1}
    [[ $mode == show || -n $root || $(id -u) -eq 0 ]] || stop "$mode takes root: sudo $0 --$mode"
    load_state
    if [[ $mode == undo ]]; then undo_all; else settings; fi
    [[ $mode != show ]] || say "nothing was changed; --apply does, and --undo restores what was"
    return $trouble
}
