#!/bin/sh
# unpack.sh SOURCE_DIR DIR: unpacks ONNX's test cases into DIR, once per archive. Exit code 77: there is nothing to unpack, or
# nothing to unpack it with.
set -eu
data=${HONE_DATA:-$1/../shared/data}
archive=$(ls "$data"/conformance/onnx_backend_test_data_*.tar.zst 2>/dev/null | head -n 1)
[ -n "$archive" ] || { echo "skipped: no conformance archive in $data/conformance"; exit 77; }
command -v zstd >/dev/null && command -v tar >/dev/null || { echo "skipped: tar and zstd are needed to unpack $archive"; exit 77; }
stamp=$2/$(basename "$archive").unpacked
[ -e "$stamp" ] && exit 0
rm -rf "$2"
mkdir -p "$2"
tar --zstd -xf "$archive" -C "$2"
touch "$stamp"
