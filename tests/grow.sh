#!/bin/sh
# Lets a dataset grow: copies the Parquet parts of one folder into another, one after the other.
#
#   tests/grow.sh FROM TO [SECONDS]
#
# Each part is first there half written, as a collector leaves it while it works, and complete SECONDS later (1 unless
# told). Try it by hand with the screen open on TO:
#
#   sigma-ocsf-tui rules/ --parquet /tmp/live --bell
set -eu
from=$1 to=$2 pause=${3:-1}
mkdir -p "$to"
find "$from" -name '*.parquet' | sort | while read -r part; do
    target=$to/$(basename "$part")
    size=$(wc -c < "$part")
    head -c "$((size / 2))" "$part" > "$target"
    sleep "$pause"
    cp "$part" "$target"
    sleep "$pause"
done
