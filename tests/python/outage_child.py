# A process with one thread that inserts and may not wait: tests/support/shim refuses and counts its waits.
#
# `python -m python.outage_child LOCATION OPTIONS` with the library preloaded. For each line "COUNT" on its input it inserts so many rows,
# one by one, and says "rows so far, errors, waits for the network, a file's lock, a time, a mutex" and each insert's microseconds.
import sqlite3
import sys
import time

from python import shim, spool_child, support


def main():
    location, options = sys.argv[1:]
    lib = shim.library()
    db = support.connect(isolation_level=None)
    spool_child.declare(db, location, options)
    db.execute("SELECT ts_insert('cpu', ?, 'w', 0, NULL)", (spool_child.START,)).fetchall()  # starts the flusher, which may wait
    if not lib.shim_watch_waits():
        spool_child.say("unwatched")
        return
    spool_child.say("ready")
    n, errors = 1, 0
    for line in sys.stdin:
        took = []
        for _ in range(int(line)):
            began = time.perf_counter_ns()
            try:
                db.execute("SELECT ts_insert('cpu', ?, 'w', ?, NULL)", (spool_child.START + n, n)).fetchall()
                n += 1
            except sqlite3.Error as e:
                errors += 1
                sys.stderr.write("%s\n" % e)
            took.append((time.perf_counter_ns() - began) // 1000)
        spool_child.say(n, errors, *map(lib.shim_waits, (shim.NETWORK, shim.LOCK, shim.SLEEP, shim.MUTEX)), *took)
    if any(map(lib.shim_waits, (shim.NETWORK, shim.LOCK, shim.SLEEP))):
        sys.stderr.write("%s\n" % lib.shim_last().decode())
        sys.stderr.flush()
        lib.shim_tell()


main()
