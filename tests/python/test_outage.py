# The store is away, or says nothing: inserts go on, the error is told, and everything arrives once when it is back.
import os
import re
import socket
import sqlite3
import statistics
import subprocess
import threading
import time
import unittest

from . import shim, spool_child, support

T = spool_child.START


class Line:
    """A TCP line to the S3 server that can be cut, and that can go silent."""

    def __init__(self, target):
        self.host, self.port = re.match(r"http://([^:/]+):(\d+)", target).groups()
        self.silent = False
        self.listener = None
        self.sockets = []
        probe = socket.socket()
        probe.bind(("127.0.0.1", 0))
        self.own_port = probe.getsockname()[1]
        probe.close()
        self.endpoint = "http://127.0.0.1:%d" % self.own_port

    def up(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.own_port))
        self.listener.listen(50)
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def down(self):
        if self.listener:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        for s in self.sockets:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # gone already; closed with the line, since other threads may still look at them

    def accept(self, listener):
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.create_connection((self.host, int(self.port)))
            self.sockets += [near, far]
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self.pump, args=(a, b), daemon=True).start()

    def pump(self, a, b):
        try:
            while data := a.recv(65536):
                while self.silent:
                    time.sleep(0.01)
                b.sendall(data)
        except OSError:
            pass


class Outage(support.TimeseriesCase):
    def table(self, endpoint, options="", location=None, timeout="2s"):
        db = self.connect(isolation_level=None)
        options = "endpoint='%s', flush_timeout='%s', flush_size='100kB'%s" % (endpoint, timeout, options)
        spool_child.declare(db, location or self.location, options)
        return db

    def insert(self, db, first, count):
        """Returns the slowest of `count` single inserts and all of them, in seconds."""
        slowest, began = 0, time.monotonic()
        for n in range(first, first + count):
            start = time.monotonic()
            db.execute("SELECT ts_insert('cpu', ?, 'w', ?, NULL)", (T + n * 1000, n)).fetchall()
            slowest = max(slowest, time.monotonic() - start)
        return slowest, time.monotonic() - began

    def check(self, db, count):
        found = db.execute("SELECT count(*), count(DISTINCT n), sum(n) FROM cpu").fetchone()
        self.assertEqual(found, (count, count, count * (count - 1) // 2))

    def test_down_and_silent(self):
        """While nothing listens, and while the server is silent, inserts run at full speed; ts_flush says why; then all is stored once."""
        self.location = self.s3_location()
        line = Line(os.environ["S3_ENDPOINT"])
        self.addCleanup(line.down)
        db = self.table(line.endpoint, timeout="7s")
        hasty = self.table(line.endpoint, timeout="500ms")
        down = self.insert(db, 0, 2000)
        with self.assertRaises(sqlite3.OperationalError) as caught:
            db.execute("SELECT ts_flush('cpu')").fetchall()
        self.assertRegex(str(caught.exception), r"^ts_flush: gave up after 7000 ms without progress \(flush_timeout\);"
                                                r" the rows are safe in the spool /\S+"
                                                r" and will be stored when the cause is gone: .*127\.0\.0\.1.*")
        rows, errors, last = db.execute("SELECT buffered_rows, upload_errors, last_error FROM ts_status('cpu')").fetchone()
        self.assertEqual(rows, 2000)
        self.assertGreater(errors, 0)
        self.assertIn("127.0.0.1", last)
        line.up()
        self.assertGreater(db.execute("SELECT ts_flush('cpu')").fetchone()[0], 0)
        self.check(db, 2000)
        up = self.insert(db, 2000, 2000)
        line.silent = True
        silent = self.insert(db, 4000, 2000)
        with self.assertRaises(sqlite3.OperationalError):
            hasty.execute("SELECT ts_flush('cpu')").fetchall()
        again = self.insert(db, 6000, 2000)
        line.silent = False
        db.execute("SELECT ts_flush('cpu')").fetchall()
        self.check(db, 8000)
        self.assertEqual(db.execute("SELECT buffered_rows, last_error FROM ts_status('cpu')").fetchone(), (0, None))
        print(" slowest insert of 2,000: up %.1f ms, down %.1f ms, silent %.1f and %.1f ms; all of them %.2f, %.2f, %.2f, %.2f s"
              % (up[0] * 1e3, down[0] * 1e3, silent[0] * 1e3, again[0] * 1e3, up[1], down[1], silent[1], again[1]), flush=True)
        for slowest, whole in (down, silent, again):
            self.assertLess(slowest, 1 * support.PATIENCE)
            self.assertLess(whole, 5 * support.PATIENCE)

    def test_server_killed_under_the_uploads(self):
        """A line cut again and again while rows are stored loses and doubles nothing."""
        self.location = self.s3_location()
        line = Line(os.environ["S3_ENDPOINT"])
        self.addCleanup(line.down)
        db = self.table(line.endpoint)
        for round in range(5):
            line.up()
            self.insert(db, round * 500, 500)
            timer = threading.Timer(0.02 * round, line.down)
            timer.start()
            try:
                db.execute("SELECT ts_flush('cpu')").fetchall()
            except sqlite3.OperationalError:
                pass
            timer.join()
        line.up()
        until = time.monotonic() + 30 * support.PATIENCE
        while True:  # the flusher may be in the pause between two tries, which is longer than this table's flush_timeout
            try:
                db.execute("SELECT ts_flush('cpu')").fetchall()
                break
            except sqlite3.OperationalError:
                if time.monotonic() > until:
                    raise
        self.check(db, 2500)

    def test_spool_limit(self):
        """At spool_limit an insert fails with SQLITE_FULL and says so; what was taken is stored, and then there is room again."""
        self.location = self.s3_location()
        line = Line(os.environ["S3_ENDPOINT"])
        self.addCleanup(line.down)
        db = self.table(line.endpoint, ", spool_limit='1MB', spool='%s'" % self.path("spool"))
        taken = 0
        with self.assertRaises(sqlite3.OperationalError) as caught:
            for taken in range(100000):
                db.execute("SELECT ts_insert('cpu', ?, 'w', ?, zeroblob(1000))", (T + taken, taken)).fetchall()
        self.assertRegex(str(caught.exception), r"^timeseries: the spool is full: %s holds \d+ bytes, spool_limit is 1048576; .*"
                         % re.escape(os.path.realpath(self.path("spool"))))
        self.assertEqual(getattr(caught.exception, "sqlite_errorcode", 13), 13)
        with self.assertRaises(sqlite3.OperationalError):
            db.execute("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 40000)"
                       " INSERT INTO cpu SELECT %d, 'w', -x, zeroblob(1000) FROM c" % T)
        line.up()
        db.execute("SELECT ts_flush('cpu')").fetchall()
        self.check(db, taken)
        self.insert(db, taken, 10)
        self.check(db, taken + 10)


class Windows(support.TimeseriesCase):
    def batch(self, child, count):
        child.stdin.write("%d\n" % count)
        child.stdin.flush()
        words = [int(word) for word in child.stdout.readline().split()]
        return words[0], words[1], words[2:6], words[6:]

    def window(self, child, seconds):
        """The insert latencies of so many seconds under load."""
        took, until = [], time.monotonic() + seconds
        while time.monotonic() < until:
            rows, errors, waits, more = self.batch(child, 50)
            took += more
        self.assertEqual(errors, 0)
        return rows, waits, sorted(took)

    @unittest.skipIf(support.SANITIZE, "sanitizers wait for locks of their own")
    def test_inserts_wait_for_nothing(self):
        """With the store, and without it for as long again, the inserting thread makes no system call that waits; ts_status is right."""
        location = self.s3_location()
        line = Line(os.environ["S3_ENDPOINT"])
        self.addCleanup(line.down)
        spool = "spool='%s', flush_size='200kB', flush_interval='1s', flush_timeout='60s'" % self.path("spool")
        db, direct = self.connect(isolation_level=None), self.connect(isolation_level=None)
        spool_child.declare(direct, location, "spool='%s'" % self.path("direct"))
        line.up()
        child = shim.start("python.outage_child", location, spool + ", endpoint='%s'" % line.endpoint, stdin=subprocess.PIPE,
                           stderr=subprocess.PIPE)
        self.addCleanup(child.kill)
        if child.stdout.readline() != "ready\n":
            self.skipTest("the kernel allows no seccomp filter here")
        spool_child.declare(db, location, spool + ", endpoint='%s'" % line.endpoint)
        ratios, tails = [], []
        for _ in range(5):
            with_store = self.window(child, support.OUTAGE_SECONDS / 5)[2]
            line.down()
            rows, waits, without = self.window(child, support.OUTAGE_SECONDS / 5)
            stored = direct.execute("SELECT count(*) FROM cpu").fetchone()[0]
            buffered = db.execute("SELECT buffered_rows FROM ts_status('cpu')").fetchone()[0]
            self.assertGreaterEqual(buffered, rows - stored)
            self.assertLessEqual(buffered, rows)
            ratios.append(statistics.median(without) / statistics.median(with_store))
            tails.append(without[-len(without) // 1000] / with_store[-len(with_store) // 1000])
            line.up()
        child.stdin.close()
        errors = child.stderr.read()
        child.stderr.close()
        child.stdout.close()
        child.wait()
        print(" %d rows, %.0f s without the store: latency without it by latency with it, p50 %.2f, p99.9 %.2f (medians of 5 windows);"
              " waits for network, file locks, times: %r; tries for a mutex: %d" %
              (rows, support.OUTAGE_SECONDS, statistics.median(ratios), statistics.median(tails), waits[:3], waits[3]), flush=True)
        self.assertEqual(waits[:3], [0, 0, 0], errors)
        support.flush(db, "cpu")
        for one in (db, direct):
            found = one.execute("SELECT count(*), count(DISTINCT n), max(n) FROM cpu").fetchone()
            self.assertEqual(found, (rows, rows, rows - 1))
        self.assertEqual(db.execute("SELECT buffered_rows, last_error FROM ts_status('cpu')").fetchone(), (0, None))


@unittest.skipUnless(os.geteuid() == 0, "a small disk needs a mount")
class FullDisk(support.TimeseriesCase):
    def test_full_disk(self):
        """On a full disk inserts fail with SQLITE_FULL, nothing acknowledged is lost, and uploads make room again."""
        small = self.path("small")
        os.mkdir(small)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", small], stderr=subprocess.DEVNULL).returncode:
            self.skipTest("mount is not allowed here")
        self.addCleanup(subprocess.run, ["umount", "-l", small])
        location = self.file_location()
        db = self.connect(isolation_level=None)
        spool_child.declare(db, location, "spool='%s', flush_timeout='3s'" % os.path.join(small, "spool"))
        acknowledged, failures = [], 0

        def look(may_fail=False):
            try:
                found = [n for (n,) in db.execute("SELECT n FROM cpu ORDER BY n")]
            except sqlite3.OperationalError as e:
                if not may_fail:
                    raise
                return self.assertRegex(str(e), "full|No space left|disk I/O error")  # complete, or an error
            self.assertEqual(found, acknowledged)

        for round in range(3):
            for n in range(round * 100000, (round + 1) * 100000):
                try:
                    if n % 3:
                        db.execute("SELECT ts_insert('cpu', ?, 'w', ?, randomblob(3000))", (T + n, n)).fetchall()
                    else:
                        db.execute("INSERT INTO cpu VALUES(?, 'w', ?, randomblob(3000))", (T + n, n))
                    acknowledged.append(n)
                except sqlite3.OperationalError as e:
                    failures += 1
                    self.assertRegex(str(e), "full|No space left")
                    if failures % 5 == 0:
                        break
            look(may_fail=True)
            try:
                db.execute("SELECT ts_flush('cpu')").fetchall()
            except sqlite3.OperationalError as e:
                self.assertRegex(str(e), "full|No space left|disk I/O error")
                look(may_fail=True)
                subprocess.run(["mount", "-o", "remount,size=%dm" % (8 * (round + 1)), small], check=True)  # somebody makes room
                db.execute("SELECT ts_flush('cpu')").fetchall()
            look()
            self.assertEqual(db.execute("SELECT buffered_rows FROM ts_status('cpu')").fetchone(), (0,))
        sealed, until = os.path.join(small, "spool", "sealed"), time.monotonic() + 10 * support.PATIENCE
        while os.listdir(sealed) and time.monotonic() < until:  # local copies go a moment after the flush
            time.sleep(0.01)
        self.assertEqual(os.listdir(sealed), [])
        self.assertGreaterEqual(failures, 10)


if __name__ == "__main__":
    unittest.main()
