#!/bin/bash
# rgw-down.sh DIR: stops the S3 server that rgw-up.sh started in DIR. May be called twice, and while it is starting.
set -uo pipefail
dir=$(cd "${1:?usage: rgw-down.sh DIR}" 2>/dev/null && pwd) || exit 0
if [ ! -f "$dir/pids" ]; then exit 0; fi
rm -f "$dir/env"

# Only processes that run on this directory's configuration: a pid may have been given to somebody else since.
ours() { tr '\0' '\n' 2>/dev/null < "/proc/$1/cmdline" | grep -qxF "$dir/ceph.conf"; }
each() { while read -r _ pid; do if ours "$pid"; then kill "$1" "$pid" 2>/dev/null; fi; done < "$dir/pids"; }
any_left() { while read -r _ pid; do if ours "$pid"; then return 0; fi; done < "$dir/pids"; return 1; }

each -CONT  # a test may have stopped one
each -TERM
for _ in $(seq 10); do  # its data is thrown away: no need to let it end in its own time
  if ! any_left; then break; fi
  sleep 0.05
done
each -KILL
rm -f "$dir/pids"
exit 0
