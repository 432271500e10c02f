# What the set-up scripts share: how they speak, and how they become root.
# shellcheck shell=bash

say() { printf '%s: %s\n' "${speaker:-setup}" "$*" >&2; }

stop() {
    say "$@"
    exit 1
}

# Runs its arguments as root; fails where that takes a password.
as_root() {
    if [[ $(id -u) -eq 0 ]]; then "$@"; else sudo -n "$@"; fi
}

may_become_root() {
    [[ $(id -u) -eq 0 ]] || { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }
}
