#!/bin/bash
# demo.sh: the main job from end to end on a local directory, ./demo-archive: rows in, files out, SQL over both, and the count checked.
#
# Every step shows its SQL and runs it in a sqlite3 shell of its own that loads ./timeseries.so, except the last step: it is
# what anybody can do with a downloaded file and nothing but sqlite3. Fails if the numbers of rows do not agree.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$PWD/demo-archive
database=$dir/demo.db
archive=$dir/archive
days=3
per_day=$((8640 * 12))  # every 10 seconds, 12 hosts
rows=$((days * per_day))

if [ ! -f timeseries.so ]; then echo "demo.sh: timeseries.so is not built; run make demo" >&2; exit 2; fi
rm -rf "$dir"
mkdir -p "$archive"
export XDG_STATE_HOME=$dir  # the spool, too, stays in here
began=$(date +%s%N)
steps=0

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
if [ ! -t 1 ]; then say() { printf '\n%s\n' "$*"; }; fi
seconds() { awk -v a="$1" -v b="$(date +%s%N)" 'BEGIN { printf "%.1f", (b - a) / 1e9 }'; }
show() { sed 's/^/  | /' <<< "$1"; }

# step TITLE SQL: shows both, runs the SQL, shows the answer; leaves it in $answer.
step() {
  local start
  steps=$((steps + 1))
  say "$steps. $1"
  show "$2"
  start=$(date +%s%N)
  answer=$(printf '.bail on\n.load ./timeseries\n.mode list\n.separator "  "\n%s\n' "$2" | sqlite3 -batch "$database")
  if [ -n "$answer" ]; then sed 's/^/  /' <<< "$answer"; fi
  echo "  ($(seconds "$start") s)"
}

expect() {  # WHAT WANTED GOT
  if [ "$2" != "$3" ]; then
    echo "demo.sh: $1: wanted $2, got $3" >&2
    exit 1
  fi
}

step "A table whose rows live in $archive" "\
CREATE VIRTUAL TABLE cpu USING timeseries(
  ts TIMESTAMP, host TEXT TAG, region TEXT TAG, usage REAL, note TEXT,
  location='file://$archive'
);"

step "$rows rows to send: $days days, every 10 seconds, 12 hosts" "\
CREATE VIEW gen AS
  WITH RECURSIVE
    tick(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM tick LIMIT $((days * 8640))),
    web(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM web LIMIT 12)
  SELECT date('2026-11-21', (i / 8640) || ' days') AS day,
         1795219200000 + i * 10000 AS ts,
         printf('web%02d', n) AS host,
         CASE WHEN n % 3 = 0 THEN 'us' ELSE 'eu' END AS region,
         (i * 7 + n * 131) % 1000 / 1000.0 AS usage,
         CASE WHEN i % 1000 = n THEN 'restarted' END AS note
    FROM tick, web;
SELECT day, count(*) || ' rows from', ts_text(min(ts)) FROM gen GROUP BY day;"

step "The first day through ts_insert(), as an event's handler would call it" "\
BEGIN;
SELECT sum(ts_insert('cpu', ts, host, region, usage, note)) FROM gen WHERE day = '2026-11-21';
COMMIT;"
expect "rows taken by ts_insert" "$per_day" "$answer"

step "The other days through INSERT" "\
INSERT INTO cpu SELECT ts, host, region, usage, note FROM gen WHERE day > '2026-11-21';
SELECT changes();"

step "They are in the spool and can be asked for at once" "\
SELECT count(*) FROM cpu;"
expect "rows before the flush" "$rows" "$answer"

step "Store them now, without waiting for size or age" "\
SELECT ts_flush('cpu');"
if [ "$answer" -lt "$days" ]; then
  echo "demo.sh: $answer files stored, at least $days expected" >&2
  exit 1
fi

step "One day of them, and which files that took" "\
SELECT host, count(*), round(avg(usage), 4), max(usage), count(note) FROM cpu
 WHERE ts >= ts('2026-11-22') AND ts < ts('2026-11-23') GROUP BY host;
.mode line
SELECT * FROM ts_last_query();"
expect "rows of web01 on one day" 8640 "$(awk '$1 == "web01" { print $2 }' <<< "$answer")"

step "The files" "\
SELECT state, rows, name FROM ts_files('cpu') ORDER BY name;"
expect "rows in stored files" "$rows" "$(awk '$1 == "stored" { n += $2 } END { print n + 0 }' <<< "$answer")"

step "Every row, compared with what was sent" "\
SELECT count(*), sum(ts), round(sum(usage), 3), count(note) FROM cpu
UNION
SELECT count(*), sum(ts), round(sum(usage), 3), count(note) FROM gen;"
expect "answers for the table and for what was sent (one line: they are equal)" 1 "$(wc -l <<< "$answer")"

steps=$((steps + 1))
say "$steps. Any one file, with the stock sqlite3 shell and nothing else"
mapfile -t files < <(find "$archive" -name '*.sqlite' | sort)
sql="SELECT * FROM cpu LIMIT 3;
SELECT count(*) FROM cpu;
SELECT key, substr(value, 1, 100) FROM timeseries_meta;"
echo "  \$ sqlite3 ${files[0]#"$PWD/"}"
show "$sql"
sqlite3 -batch -readonly "${files[0]}" "$sql" | sed 's/^/  /'
total=0
for f in "${files[@]}"; do
  expect "PRAGMA integrity_check of $f" ok "$(sqlite3 -batch -readonly "$f" 'PRAGMA integrity_check')"
  total=$((total + $(sqlite3 -batch -readonly "$f" 'SELECT count(*) FROM cpu')))
done
expect "rows in the files, counted by the stock shell" "$rows" "$total"

say "Done in $(seconds "$began") s: $rows rows sent, asked for and counted again in ${#files[@]} plain SQLite files (demo-archive/archive)."
