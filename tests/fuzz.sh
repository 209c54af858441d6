#!/bin/bash
# fuzz.sh BINARY SECONDS [TARGET...]: runs libFuzzer on each target (default: all of tests/fuzz/targets.h) for so many seconds.
#
# What it learns stays beside the binary, in corpus/TARGET; an input that does harm or breaks a law is left in findings/ and fails the run:
# it becomes a seed in tests/fuzz/corpus/TARGET and a named test.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
binary=${1:?usage: fuzz.sh BINARY SECONDS [TARGET...]} seconds=${2:?usage: fuzz.sh BINARY SECONDS [TARGET...]}
shift 2
if [ $# = 0 ]; then
  mapfile -t all < <(grep -o '{"[a-z]*", run_' "$root/tests/fuzz/targets.h" | cut -d'"' -f2)
  set -- "${all[@]}"
fi
work=$(dirname "$binary")
mkdir -p "$work/findings"
failed=0
for target; do
  learnt=$work/corpus/$target
  mkdir -p "$learnt"
  if [ "$target" = shards ]; then  # its seeds are the stored examples of every format
    find "$root/tests/data" -name '*.sqlite' | while read -r file; do cp "$file" "$learnt/seed-$(sha256sum < "$file" | cut -c1-16)"; done
  fi
  seeds=()
  if [ -d "$root/tests/fuzz/corpus/$target" ]; then seeds=("$root/tests/fuzz/corpus/$target"); fi
  code=0
  FUZZ_TARGET=$target "$binary" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=4096 -max_len=131072 -print_final_stats=1 \
    -artifact_prefix="$work/findings/$target-" "$learnt" "${seeds[@]}" >"$work/$target.log" 2>&1 || code=$?
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$target.log")
  echo "fuzz.sh: $target: ${runs:-no} executions in $seconds s, ended with $code"
  if [ "$code" != 0 ]; then
    tail -n 30 "$work/$target.log" >&2
    failed=1
  fi
done
exit "$failed"
