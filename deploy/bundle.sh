#!/usr/bin/env bash
# Puts all that a cluster's hosts need into one directory: wheels, scripts, experiments.
#
#   deploy/bundle.sh DIR
#
# The wheels are for this machine's Python version, processor and C library: make the bundle on a
# machine like the hosts. They need no compiler and no network for it; DIR can be carried there.
set -euo pipefail
cd "$(dirname "$0")/.."
source deploy/say.sh
# shellcheck disable=SC2034  # say.sh reads it
speaker=bundle
target=${1:?DIR}
[[ -e pyproject.toml ]] || stop "bundles are made from a checkout, not from a bundle"
deploy/setup.sh run

mkdir -p "$(dirname "$target")"
work=$(mktemp -d "$target.XXXX")
trap 'rm -rf "$work"' EXIT
say "collecting wheels; the first time, this takes some minutes"
pip=(.venv/bin/pip --disable-pip-version-check)
.venv/bin/python deploy/requirements.py hosts >"$work/requirements.txt"
"${pip[@]}" wheel --quiet --wheel-dir "$work/wheels" --requirement "$work/requirements.txt" pip ||
    stop "the Python packages could not be collected: see above"
PATH=$PWD/.venv/bin:$PATH "${pip[@]}" wheel --quiet --wheel-dir "$work/wheels" \
    --no-build-isolation --no-deps . || stop "loadcluster could not be built: see above"
cp -R deploy configs "$work/"
sums=$(cd "$work" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum)
echo "$sums" >"$work/SHA256SUMS"
chmod 755 "$work"
rm -rf "$target"
mv "$work" "$target"
trap - EXIT
say "$target is ready: $(find "$target/wheels" -name '*.whl' | wc -l) wheels," \
    "$(du -sh "$target" | cut -f 1)"
