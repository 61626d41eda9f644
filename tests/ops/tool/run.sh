#!/bin/sh
# run.sh PROGRAM DIR EXPECTED [THROUGH]: runs the unpacked cases; exit code 77 if there are none.
set -eu
[ -d "$2" ] || { echo "skipped: no unpacked cases in $2"; exit 77; }
exec "$1" "$2" --expect "$3" --through "${4:-reference}"
