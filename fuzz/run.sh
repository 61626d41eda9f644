#!/bin/sh
# run.sh [SECONDS [NAME...]]: runs the fuzzers in build/fuzz (all, or those named) for SECONDS (60) each. What they find is
# kept in build/fuzz/found/NAME, what they learn in build/fuzz/corpus/NAME.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
[ $# -eq 0 ] || shift
if [ $# -eq 0 ]; then
  for target in build/fuzz/bin/fuzz_*; do set -- "$@" "${target##*/fuzz_}"; done
fi
for name; do
  echo "== $name"
  mkdir -p "build/fuzz/found/$name" "build/fuzz/corpus/$name"
  words=
  case $name in onnx | model) words=-dict=fuzz/operators.dict ;; esac
  # shellcheck disable=SC2086  # nothing where there is no dictionary
  "build/fuzz/bin/fuzz_$name" $words -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/found/$name/" "build/fuzz/corpus/$name" "fuzz/seeds/$name"
done
