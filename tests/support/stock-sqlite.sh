#!/bin/bash
# stock-sqlite.sh DIR: makes DIR/<version>/stock_query (see stock_query.c) for the stock versions of SQLite that tests read files with.
#
# DIR/system uses this machine's libsqlite3. The others are SQLite's amalgamations as npm packages of better-sqlite3 carry them,
# fetched once with `npm pack` and checked against the sum below: the oldest that is to read our files, one between, a new one.
# The new one is made a library too, DIR/<version>/libsqlite3.so.0, which a test loads in the place of the system's.
# What is there already is not made again. Needs cc and, for what is missing, npm with its registry; JOBS at a time (default: cores).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mkdir -p "${1:?usage: stock-sqlite.sh DIR}" && cd "$1" && pwd)
cc=${STOCK_CC:-cc}  # not CC: what a sanitized build is made with does not matter here
jobs=${JOBS:-$(nproc 2>/dev/null || echo 2)}

versions() {  # SQLITE PACKAGE SHA256 of sqlite3.c
  cat <<'END'
3.53.2 12.11.1 60d2f39a3726cd6b9021da6f4e868608d66fbb6528a9f513dc8ffcc640493422
3.38.2 7.5.1   402e0dfe3dfbc7209db9d8e99dd731a6e2883dd3cda0632afd92cd0729bfc3b0
3.31.1 7.0.0   610157e869b503e6897a829dd9404498acaf3c0fdd64960bf8a4e575650bc9e5
END
}

work=$(mktemp -d "$dir/.work-XXXXXX")
trap 'rm -rf "$work"' EXIT

fail() {
  echo "stock-sqlite: $*" >&2
  exit 1
}

as_library=3.53.2

ready() {
  [ -x "$dir/$1/stock_query" ] && [ "$dir/$1/stock_query" -nt "$here/stock_query.c" ] || return 1
  [ "$1" != $as_library ] || [ -e "$dir/$1/libsqlite3.so.0" ]
}

# install VERSION FILE: whole or not at all, also where several of these scripts run at a time.
install() {
  mkdir -p "$dir/$1"
  mv "$2" "$dir/$1/"
}

# fetch VERSION PACKAGE SHA256 TO: leaves TO/sqlite3.c and TO/sqlite3.h.
fetch() {
  local version=$1 package=$2 wanted=$3 to=$4 source sum
  command -v npm >/dev/null || fail "npm is missing (.ci/packages test installs it): SQLite $version is fetched with it"
  mkdir "$to"
  if ! (cd "$to" && npm pack "better-sqlite3@$package" --loglevel error --cache "$work/cache-$version" --fetch-retries 2 \
        --fetch-retry-mintimeout 1000 --fetch-retry-maxtimeout 5000 >"$to/npm.out" 2>&1); then
    head -n 3 "$to/npm.out" >&2
    fail "npm's registry gives no better-sqlite3@$package, and with it no SQLite $version to read stored files with"
  fi
  tar -xzf "$to/better-sqlite3-$package.tgz" -C "$to"
  if [ -f "$to/package/deps/sqlite3.tar.gz" ]; then tar -xzf "$to/package/deps/sqlite3.tar.gz" -C "$to/package/deps"; fi
  source=$(find "$to/package" -name sqlite3.c)
  sum=$(sha256sum "$source")
  [ "${sum%% *}" = "$wanted" ] || fail "sqlite3.c of better-sqlite3@$package has the SHA-256 ${sum%% *}, not $wanted"
  mv "$source" "$(dirname "$source")/sqlite3.h" "$to/"
}

make_version() {
  local version=$1 to=$work/$1
  echo "stock-sqlite: making SQLite $version"
  fetch "$version" "$2" "$3" "$to"
  # -g0 -O1: half the time of a usual build. Column metadata, which other programs' SQLites have too, changes no answer.
  nice "$cc" -w -g0 -O1 -fPIC -DSQLITE_ENABLE_COLUMN_METADATA -c -o "$to/sqlite3.o" "$to/sqlite3.c"
  if [ "$version" = $as_library ]; then
    "$cc" -shared -Wl,-soname,libsqlite3.so.0 -o "$to/libsqlite3.so.0" "$to/sqlite3.o" -lpthread -lm -ldl
    install "$version" "$to/libsqlite3.so.0"
  fi
  nice "$cc" -w -g0 -O1 -I"$to" -o "$to/stock_query" "$here/stock_query.c" "$to/sqlite3.o" -lpthread -lm -ldl
  install "$version" "$to/stock_query"
}

running=0
failed=0
while read -r version package sum; do
  if ready "$version"; then continue; fi
  if [ "$running" -ge "$jobs" ]; then
    wait -n || failed=1
    running=$((running - 1))
  fi
  make_version "$version" "$package" "$sum" </dev/null &
  running=$((running + 1))
done < <(versions)
if ! ready system; then
  mkdir "$work/system"
  "$cc" -Wall -Wextra -O1 -o "$work/system/stock_query" "$here/stock_query.c" -lsqlite3
  install system "$work/system/stock_query"
fi
while [ "$running" -gt 0 ]; do
  wait -n || failed=1
  running=$((running - 1))
done
exit "$failed"
