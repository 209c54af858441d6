#!/bin/bash
# rgw-up.sh DIR [OWNER_PID]: starts a real S3 server for tests, Ceph's gateway with its store in memory, on free loopback ports.
#
# DIR/env gets the endpoint and keys (also S3_RGW_DIR=DIR), DIR/pids one "name pid" a line. rgw-down.sh DIR stops it; so does
# the death of OWNER_PID. Run again on a DIR whose gateway was killed, it starts only the gateway, on the same port, with the
# data as it was: for tests of outages. Needs no root, no systemd and no network.
# TIMESERIES_OSDS=3: three object stores, each object in all of them; two are enough to go on. `rgw-up.sh DIR osd N` starts one
# again that was killed: it comes back empty, as from a new disk, and is filled by the others.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mkdir -p "${1:?usage: rgw-up.sh DIR [OWNER_PID]}" && cd "$1" && pwd)
owner=${2:-}
access_key=TESTACCESSKEY
secret_key=testsecretkey0123456789
osds=${TIMESERIES_OSDS:-1}  # so many object stores, and each object on all of them
memory=8589934592  # bytes an object store may grow to; nothing is reserved
log=$dir/log
export CEPH_CONF=$dir/ceph.conf

fail() {
  echo "rgw-up: $*" >&2
  for f in "$log"/*.out; do if [ -s "$f" ]; then tail -n 5 "$f" >&2; fi; done
  exit 1
}

# Ports nobody listens on now. Another process may be faster: start_all is tried again on others.
free_ports() {
  /usr/bin/python3 -c '
import socket
held = [socket.socket() for _ in range(2)]
for s in held: s.bind(("127.0.0.1", 0))
print(*[s.getsockname()[1] for s in held])'
}

# setsid: a Ctrl-C at the terminal goes to the tests, not to the server they may still be using. -c: rgw-down.sh knows its own.
start() {
  local name=$1
  shift
  setsid "$@" -f -c "$CEPH_CONF" >"$log/$name.out" 2>&1 </dev/null &
  echo "$name $!" >> "$dir/pids"
}

# By its command line: a process that was killed and that nobody has waited for still has a pid, but no command line.
alive() {
  local pid
  pid=$(awk -v n="$1" '$1 == n { p = $2 } END { print p }' "$dir/pids")
  tr '\0' '\n' 2>/dev/null < "/proc/$pid/cmdline" | grep -qxF "$CEPH_CONF"
}

# wait_for DAEMON COMMAND...: until the command succeeds; no longer than the daemon lives or 30 s.
wait_for() {
  local daemon=$1 deadline=$((SECONDS + 30))
  shift
  while [ $SECONDS -lt $deadline ]; do
    if "$@" >/dev/null 2>&1; then return 0; fi
    if ! alive "$daemon"; then echo "rgw-up: $daemon ended" >&2; return 1; fi
    sleep 0.05
  done
  echo "rgw-up: $daemon is not ready after 30 s" >&2
  return 1
}

mon_ready() { ceph --connect-timeout 2 mon stat; }
osd_ready() { ceph --connect-timeout 5 osd stat | grep -q "$osds up"; }

# Readiness is a signed request that succeeds. --aws-sigv4 of older curls does not send the header by itself.
put_bucket() {
  local status
  status=$(curl -s -o /dev/null -w '%{http_code}' --max-time 5 -X PUT -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' \
    --aws-sigv4 aws:amz:us-east-1:s3 -u "$access_key:$secret_key" "http://127.0.0.1:$gateway_port/test")
  [ "$status" = 200 ]
}

write_conf() {
  cat > "$CEPH_CONF" <<CONF
[global]
fsid = $fsid
mon host = [v2:127.0.0.1:$monitor_port/0]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
# without this the gateway insists on encryption, which needs the keys that are switched off above, and never listens
ms mon client mode = crc
run dir = $dir/run
admin socket = $dir/run/\$name.\$pid.asok
log file = $log/\$name.log
crash dir = $dir/run
osd pool default size = $osds
osd pool default min size = $(((osds + 1) / 2))
mon osd min down reporters = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
[mon]
mon data = $dir/mon
mon cluster log file = $log/cluster.log
mon data avail crit = 1
paxos propose interval = 0.05
paxos min wait = 0.01
[osd]
osd data = $dir/osd/\$id
osd heartbeat interval = 1
osd heartbeat grace = 4
osd objectstore = memstore
memstore device bytes = $memory
osd class load list = *
osd class default list = *
[client.rgw]
rgw data = $dir/rgw
# without tcp_nodelay a small PUT and GET cost 45 ms
rgw frontends = beast endpoint=127.0.0.1:$gateway_port tcp_nodelay=1
rgw thread pool size = 64
rgw run sync thread = false
rgw enable quota threads = false
rgw dynamic resharding = false
rgw override bucket index max shards = 1
# give the memory of deleted objects back within seconds, not hours
rgw gc max objs = 1
rgw gc obj min wait = 2
rgw gc processor period = 4
debug rgw = 0/0
CONF
}

# start_osd N: with an empty store of its own.
start_osd() {
  local id
  id=$(cat /proc/sys/kernel/random/uuid)
  rm -rf "$dir/osd/$1"
  mkdir -p "$dir/osd/$1"
  if [ -e "$dir/osd/id-$1" ]; then id=$(cat "$dir/osd/id-$1"); else ceph osd new "$id" "$1" >>"$log/mkfs.out" 2>&1 || return 1; fi
  echo "$id" > "$dir/osd/id-$1"
  ceph-osd -i "$1" --mkfs --osd-uuid "$id" >>"$log/mkfs.out" 2>&1 || return 1
  start "osd$1" ceph-osd -i "$1"
}

start_gateway() {
  start rgw radosgw -n client.rgw
  wait_for rgw curl -s -o /dev/null --max-time 5 "http://127.0.0.1:$gateway_port/"
}

start_all() {
  local ports n
  ports=$(free_ports)
  read -r gateway_port monitor_port <<< "$ports"
  rm -rf "$dir"/{mon,osd,run,log,rgw,monmap}
  mkdir -p "$dir"/{mon,osd,run,log,rgw}
  : > "$dir/pids"
  fsid=$(cat /proc/sys/kernel/random/uuid)
  write_conf
  {
    monmaptool --create --fsid "$fsid" --addv a "[v2:127.0.0.1:$monitor_port]" "$dir/monmap" &&
      ceph-mon --mkfs -i a --monmap "$dir/monmap"
  } >"$log/mkfs.out" 2>&1 || return 1
  start mon ceph-mon -i a
  wait_for mon mon_ready || return 1
  for ((n = 0; n < osds; n++)); do start_osd "$n" || return 1; done
  wait_for osd0 osd_ready || return 1
  start_gateway || return 1
  radosgw-admin -n client.rgw user create --uid=test --display-name=test --access-key="$access_key" --secret="$secret_key" \
    >"$log/user.out" 2>&1 || return 1
  wait_for rgw put_bucket || return 1
}

if [ -f "$dir/env" ] && [ "$owner" = osd ]; then
  sed -i "/^osd$3 /d" "$dir/pids"
  start_osd "$3" || fail "the object store $3 did not come back"
  exit 0
fi

if [ -f "$dir/env" ]; then
  gateway_port=$(sed -n 's|.*127\.0\.0\.1:\([0-9]*\) .*|\1|p' "$dir/env")
  for _ in $(seq 20); do
    if ! alive rgw; then break; fi
    sleep 0.05  # a kill takes a moment
  done
  if alive rgw; then echo "rgw-up: a gateway is running in $dir" >&2; exit 1; fi
  sed -i '/^rgw /d' "$dir/pids"
  start_gateway || fail "the gateway did not come back"
  exit 0
fi

up=no
trap 'if [ $up = no ]; then "$here/rgw-down.sh" "$dir"; fi' EXIT
trap 'exit 130' INT TERM
for try in 1 2 3; do
  if start_all; then up=yes; break; fi
  "$here/rgw-down.sh" "$dir"
  echo "rgw-up: try $try of 3 failed" >&2
done
if [ $up = no ]; then fail "no S3 server came up; its files are in $log"; fi
echo "export S3_ENDPOINT=http://127.0.0.1:$gateway_port AWS_ACCESS_KEY_ID=$access_key AWS_SECRET_ACCESS_KEY=$secret_key" \
  "AWS_REGION=us-east-1 S3_RGW_DIR=$dir" > "$dir/env"
if [ -n "$owner" ]; then
  # It carries the configuration's name, as the daemons do, so that rgw-down.sh ends it with them.
  setsid bash -c 'while kill -0 "$1"; do sleep 1; done; exec "$3/rgw-down.sh" "$2"' \
    rgw-owner "$owner" "$dir" "$here" "$CEPH_CONF" >/dev/null 2>&1 </dev/null &
  echo "owner $!" >> "$dir/pids"
fi
