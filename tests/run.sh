#!/bin/bash
# run.sh [all | unit [NAME] | python [NAME]]: runs the tests as built, on an S3 server of their own, and ends with "N passed, N failed".
#
# NAME selects by name (part of a doctest case or of a Python test). From the environment: BUILD (default build/default),
# MODULE (default ./timeseries.so), SANITIZE (as the build was made), PYTHON, TIMESERIES_TEST_TIMEOUT (seconds for each half), and
# how long the loops go on:
# TIMESERIES_OSDS (default 1: object stores of the S3 server, which keep each object so often),
# TIMESERIES_KILL_ROUNDS, TIMESERIES_DIFFERENTIAL_QUERIES, TIMESERIES_FUZZ_SECONDS, TIMESERIES_FAULT_STEPS (of the calls that may fail how
# many do, 0: each), TIMESERIES_POWER_STATES, TIMESERIES_OUTAGE_SECONDS, TIMESERIES_HOST_FILES, TIMESERIES_MANY_WRITERS,
# TIMESERIES_ORACLE_SEEDS (default 0: Prometheus and PostgreSQL are not needed, and their pinned answers alone are held against ours).
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
what=${1:-all}
name=${2:-}
sanitize=${SANITIZE:-}
export TIMESERIES_KILL_ROUNDS=${TIMESERIES_KILL_ROUNDS:-20}
export TIMESERIES_DIFFERENTIAL_QUERIES=${TIMESERIES_DIFFERENTIAL_QUERIES:-2000}
export TIMESERIES_FUZZ_SECONDS=${TIMESERIES_FUZZ_SECONDS:-5}
export TIMESERIES_FAULT_STEPS=${TIMESERIES_FAULT_STEPS:-40} TIMESERIES_POWER_STATES=${TIMESERIES_POWER_STATES:-60}
export TIMESERIES_OUTAGE_SECONDS=${TIMESERIES_OUTAGE_SECONDS:-5} TIMESERIES_HOST_FILES=${TIMESERIES_HOST_FILES:-400}
export TIMESERIES_MANY_WRITERS=${TIMESERIES_MANY_WRITERS:-4}
limit=${TIMESERIES_TEST_TIMEOUT:-2400}  # a hung test ends well before CI's own limit of 90 minutes

if [ -n "$sanitize" ]; then
  build=${BUILD:-build/${sanitize//,/-}}
  module=${MODULE:-$build/timeseries.so}
else
  build=${BUILD:-build/default}
  module=${MODULE:-timeseries.so}
fi
case $what in all | unit | python) ;; *) sed -n '2,10s/^# //p' "$0" >&2; exit 2 ;; esac
for f in "$build/unit_tests" "$build/timeseries_failpoints.so" "$build/timeseries_shim.so" "$module"; do
  if [ ! -e "$f" ]; then echo "run.sh: $f is not built; run make test" >&2; exit 2; fi
done
TIMESERIES_SO=$(realpath "$module")
TIMESERIES_FAILPOINTS_SO=$(realpath "$build/timeseries_failpoints.so")
TIMESERIES_SHIM=$(realpath "$build/timeseries_shim.so")
export TIMESERIES_SO TIMESERIES_FAILPOINTS_SO TIMESERIES_SHIM SANITIZE=$sanitize

# Debian's own Python first: others are often built without loadable extensions.
find_python() {
  local p
  for p in ${PYTHON:-} /usr/bin/python3 python3; do
    if "$p" -c 'import sqlite3; sqlite3.connect(":memory:").enable_load_extension(True)' 2>/dev/null; then echo "$p"; return; fi
  done
  echo "run.sh: no Python here whose sqlite3 loads extensions (apt-get install python3, or set PYTHON)" >&2
  return 1
}

# A host that was not built with the sanitizer loads its runtime first. What cannot be said in flags is in the .supp files.
preload=
around=()
support=$root/tests/support
export UBSAN_OPTIONS=print_stacktrace=1
case $sanitize in
  *address*)
    preload=$(ldd "$build/unit_tests" | awk '/lib(clang_rt\.)?asan/ { print $3 }')
    export ASAN_OPTIONS=detect_stack_use_after_return=1:abort_on_error=0
    export LSAN_OPTIONS=suppressions=$support/leak.supp:print_suppressions=0
    ;;
  *thread*)
    preload=$(ldd "$build/unit_tests" | awk '/lib(clang_rt\.)?tsan/ { print $3 }')
    export TSAN_OPTIONS=suppressions=$support/thread.supp:halt_on_error=0:exitcode=66:second_deadlock_stack=1:die_after_fork=0
    around=(setarch "$(uname -m)" -R)  # its memory map does not fit kernels that randomise 32 bits
    ;;
esac

scratch=$(mktemp -d "${TMPDIR:-/tmp}/timeseries-test-XXXXXX")
stop() {
  trap - EXIT
  "$support/rgw-down.sh" "$scratch/rgw"
  rm -rf "$scratch"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir "$scratch/tmp" "$scratch/state" "$scratch/rgw"

# Before the environment is emptied, since npm may need a proxy. Without them the tests of stored files fail, and say why.
if [ "$what" != unit ]; then
  export TIMESERIES_STOCK=$root/build/stock  # the same for all builds
  "$support/stock-sqlite.sh" "$TIMESERIES_STOCK" || echo "run.sh: no stock versions of SQLite: tests of stored files will fail" >&2
  "$support/stock-cksumvfs.sh" "$TIMESERIES_STOCK" || echo "run.sh: no cksumvfs of SQLite: a test of checksums is skipped" >&2
fi

began=$SECONDS
echo "run.sh: starting an S3 server"
"$support/rgw-up.sh" "$scratch/rgw" $$
# Only what the tests are given counts, not the credentials, profiles and proxies of whoever runs them.
options='LOCATION|TABLE|SPOOL|PRECISION|PARTITION|FLUSH|DURABILITY|CACHE|MAX_STALENESS|ENDPOINT|REGION|PROFILE|ANONYMOUS'
foreign="^AWS_|^TIMESERIES_($options)|_(proxy|PROXY)\$"
for v in $(compgen -e); do
  if [[ $v =~ $foreign ]]; then unset "$v"; fi
done
. "$scratch/rgw/env"
export AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=$scratch/none AWS_SHARED_CREDENTIALS_FILE=$scratch/none
export TMPDIR=$scratch/tmp XDG_STATE_HOME=$scratch/state

passed=0
failed=0
skipped=0
count() {  # HALF PASSED FAILED SKIPPED
  passed=$((passed + $2)) failed=$((failed + $3)) skipped=$((skipped + $4))
  echo "run.sh: $1: $2 of $(($2 + $3)) tests passed ($((SECONDS - began)) s since the start)"
}

# run_limited COMMAND...: its output to the terminal and to $scratch/out; its exit code in $code.
run_limited() {
  code=0
  { "${around[@]}" timeout --foreground -k 10 "$limit" "$@" 2>&1 || code=$?; echo "$code" > "$scratch/code"; } | tee "$scratch/out"
  code=$(cat "$scratch/code")
  if [ "$code" = 124 ] || [ "$code" = 137 ]; then echo "run.sh: ended after $limit s or killed: $*" >&2; fi
}

run_unit() {
  local filter=() line ok bad
  if [ -n "$name" ]; then filter=(-tc="*$name*"); fi
  echo "run.sh: unit_tests $name"
  run_limited "$build/unit_tests" --no-colors --no-version "${filter[@]}"
  line=$(sed -n 's/^\[doctest\] test cases://p' "$scratch/out" | tail -n 1)
  ok=$(sed -n 's/.*| *\([0-9]*\) passed.*/\1/p' <<< "$line")
  bad=$(sed -n 's/.*| *\([0-9]*\) failed.*/\1/p' <<< "$line")
  ok=${ok:-0} bad=${bad:-0}
  if [ "$code" != 0 ] && [ "$bad" = 0 ]; then
    echo "run.sh: unit_tests ended with $code and no failed test of its own: counted as one failure" >&2
    bad=1
  fi
  count unit "$ok" "$bad" 0
}

run_python() {
  local python filter=() ok bad skip
  python=$(find_python)
  if [ -n "$name" ]; then filter=(-k "$name"); fi
  echo "run.sh: Python tests $name ($("$python" -c 'import sys, sqlite3; print(sys.executable, "with SQLite", sqlite3.sqlite_version)'))"
  export TIMESERIES_PYTHON=$python TIMESERIES_PRELOAD=$preload PYTHONPATH=$root/tests PYTHONDONTWRITEBYTECODE=1
  # Leaks are looked for in unit_tests; Python itself would be full of them.
  run_limited env ${preload:+LD_PRELOAD="$preload" ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"} \
    "$python" -m python "${filter[@]}" "$scratch/counts"
  ok=0 bad=0 skip=0
  if [ -f "$scratch/counts" ]; then read -r ok bad skip < "$scratch/counts"; fi
  if [ "$code" != 0 ] && [ "$bad" = 0 ]; then
    echo "run.sh: Python ended with $code and no failed test of its own: counted as one failure" >&2
    bad=1
  fi
  count python "$ok" "$bad" "$skip"
}

if [ "$what" != python ]; then run_unit; fi
if [ "$what" != unit ]; then run_python; fi

if [ "$skipped" -gt 0 ]; then
  echo "$passed passed, $failed failed, $skipped skipped"
else
  echo "$passed passed, $failed failed"
fi
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
