# Hosts that serve: workers forked before or after the table is open, ended in any way, with few descriptors and little memory.
import os
import random
import resource
import signal
import sqlite3
import sys
import threading
import time
import unittest

from . import spool_child, stalling_server, support

T = spool_child.START


class Servers(support.TimeseriesCase):
    def setUp(self):
        super().setUp()
        self.location = self.file_location()

    def table(self, options="", location=None, **more):
        db = self.connect(isolation_level=None, **more)
        spool_child.declare(db, location or self.location, options)
        return db

    @unittest.skipIf("thread" in support.SANITIZE, "the thread sanitizer cannot follow threads in a child of a process with threads")
    def test_prefork(self):
        """A server that has the table open before it forks, and replaces workers that are killed or told to end: every answer holds."""
        options = "flush_size='20kB', flush_interval='1s'"
        db = self.table(options)
        db.execute("SELECT ts_insert('cpu', ?, 'boss', 0, NULL)", (T,)).fetchall()
        answers, said = os.pipe()

        def work(number):
            try:
                signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # as an application server's worker does
                mine = self.table(options) if number % 2 else db
                for n in range(10 ** 9):
                    mine.execute("SELECT ts_insert('cpu', ?, ?, ?, NULL)", (T + n, "w%d" % number, n)).fetchall()
                    os.write(said, b"%d %d\n" % (number, n))
            finally:
                os._exit(0)

        dice, workers, lines, rest = random.Random(3), {}, [], b""

        def hear(done):
            nonlocal rest
            while not done():
                *whole, rest = (rest + os.read(answers, 65536)).split(b"\n")
                lines.extend(tuple(map(int, line.split())) for line in whole)

        for number in range(12):
            pid = os.fork()
            if pid == 0:
                work(number)
            workers[number] = pid
            db.execute("SELECT ts_insert('cpu', ?, 'boss', ?, NULL)", (T, number + 1)).fetchall()
            if len(workers) == 4:
                hear(lambda: set(workers) <= {worker for worker, n in lines if n >= 20})
                victim = dice.choice(list(workers))
                ending = workers.pop(victim)
                os.kill(ending, dice.choice((signal.SIGKILL, signal.SIGTERM)))
                os.waitpid(ending, 0)
        for pid in workers.values():
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.close(said)
        while piece := os.read(answers, 65536):
            rest += piece
        os.close(answers)
        lines += [tuple(map(int, line.split())) for line in rest.split(b"\n")[:-1]]
        acknowledged = {}
        for number, n in lines:
            acknowledged[number] = max(n, acknowledged.get(number, -1))
        support.flush(db, "cpu")
        self.assertEqual(len(acknowledged), 12)
        for number, last in acknowledged.items():
            rows, different, most = db.execute("SELECT count(*), count(DISTINCT n), max(n) FROM cpu WHERE writer = ?",
                                               ("w%d" % number,)).fetchone()
            self.assertEqual((different, most), (rows, rows - 1))
            self.assertIn(rows, (last + 1, last + 2), "one more may have been stored and not said")
        self.assertEqual(db.execute("SELECT count(*) FROM cpu WHERE writer = 'boss'").fetchone(), (13,))

    def test_shutdown_with_uploads_under_way(self):
        """An interpreter that ends while the store says nothing ends soon, in every way, and its rows wait in the spool."""
        for number, ending in enumerate(("import sys; sys.exit(0)", "os._exit(0)", "db.close()", "import builtins; builtins.keep = db",
                                         "raise SystemExit", "import signal; os.kill(os.getpid(), signal.SIGINT)")):
            with self.subTest(ending=ending):
                server = stalling_server.StallingServer(self.path("silent"), lambda *_: True)
                self.addCleanup(server.close)
                spool = "spool='%s'" % self.path("spool-%d" % number)
                code = ("import os\ndb = support.connect(isolation_level=None)\nfrom python import spool_child\n"
                        "spool_child.declare(db, 's3://test/x', \"%s, endpoint='%s', flush_size='10kB', flush_timeout='2s'\")\n"
                        "for n in range(200): db.execute(\"SELECT ts_insert('cpu', ?, 'w', ?, NULL)\", (spool_child.START + n, n))"
                        ".fetchall()\n"
                        "try: db.execute(\"SELECT ts_flush('cpu')\").fetchall()\n"
                        "except Exception as e: print('flush', e)\n" % (spool, server.endpoint)) + ending
                began = time.monotonic()
                done = support.python(code, check=False, env=support.environment(AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b"))
                self.assertIn("gave up after", done.stdout, done.stderr)
                self.assertLess(time.monotonic() - began, 30 * support.PATIENCE)
                self.assertNotIn("terminate", done.stderr)
                self.assertNotEqual(done.returncode, -signal.SIGABRT, done.stderr)
                self.assertNotEqual(done.returncode, -signal.SIGSEGV, done.stderr)
                db = self.table(spool + ", endpoint='%s', flush_on_close='never'" % server.endpoint, "s3://test/x")
                self.assertEqual(db.execute("SELECT buffered_rows FROM ts_status('cpu')").fetchone(), (200,))
                db.close()

    def test_interrupted_at_any_moment(self):
        """sqlite3_interrupt at random in every kind of statement: a row or an error, and the next statement works.

        An interrupt that comes between ts_insert's return and the end of its SELECT is an error although the row is there."""
        db = self.table("flush_size='30kB'", check_same_thread=False)
        dice, acknowledged, doubtful, interrupted, stop = random.Random(5), [], set(), 0, threading.Event()

        def disturb():
            while not stop.wait(dice.random() * 0.004):
                db.interrupt()

        thread = threading.Thread(target=disturb)
        thread.start()
        try:
            for n in range(1500):
                sql, rows, values = dice.choice((
                    ("SELECT ts_insert('cpu', ?, 'w', ?, NULL)", [n], (T + n, n)),
                    ("INSERT INTO cpu VALUES(?, 'w', ?, NULL)", [n], (T + n, n)),
                    ("SELECT count(*) FROM cpu", [], ()), ("SELECT * FROM cpu ORDER BY ts DESC LIMIT 5", [], ()),
                    ("SELECT * FROM ts_files('cpu')", [], ()), ("SELECT * FROM ts_status('cpu')", [], ()),
                    ("SELECT * FROM ts_verify('cpu')", [], ()), ("SELECT ts_flush('cpu')", [], ())))
                try:
                    db.execute(sql, values).fetchall()
                    acknowledged += rows
                except sqlite3.OperationalError as e:
                    self.assertIn("interrupt", str(e))
                    interrupted += 1
                    doubtful.update(rows if "ts_insert" in sql else [])
        finally:
            stop.set()
            thread.join()
        found = [n for (n,) in db.execute("SELECT n FROM cpu ORDER BY n")]
        self.assertEqual([n for n in found if n not in doubtful], sorted(acknowledged))
        self.assertEqual(len(found), len(set(found)))
        support.flush(db, "cpu")
        self.assertEqual([n for (n,) in db.execute("SELECT n FROM cpu ORDER BY n")], found)
        print(" %d of 1,500 statements interrupted" % interrupted, flush=True)
        self.assertGreater(interrupted, 10)

    def test_many_files_with_few_descriptors(self):
        """Under limits of descriptors and memory a process reads, sorts, aggregates and verifies more files than it may open."""
        count, hour = support.HOST_FILES, 3600000
        db = self.table("partition='hour', flush_timeout='10m', flush_on_close='never'")
        db.execute("INSERT INTO cpu WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c LIMIT %d)"
                   " SELECT %d + n / 2 * %d + n %% 2, 'w' || (n %% 2), n, NULL FROM c" % (2 * count, T, hour))
        db.execute("SELECT ts_flush('cpu')").fetchall()
        db.close()
        wanted = "%d %d [(%d,), (%d,)] [('w0', %d), ('w1', %d)] %d 0" % (2 * count, count * (2 * count - 1), 2 * count - 1, 2 * count - 2,
                                                                        count, count, count)
        code = ("import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (%d, %d))\n"
                "db = support.connect(isolation_level=None)\nfrom python import spool_child\n"
                "resource.setrlimit(resource.RLIMIT_AS, (%d, %d))\n"
                "spool_child.declare(db, %r, \"spool='%s', partition='hour'\")\n"
                "db.execute(\"CREATE VIRTUAL TABLE r USING timeseries_rollup(cpu, '1 hour')\")\n"
                "q = lambda sql: db.execute(sql).fetchall()\n"
                "print(*q('SELECT count(*), sum(n) FROM cpu')[0], q('SELECT n FROM cpu ORDER BY ts DESC LIMIT 2'),"
                " q('SELECT writer, count(*) FROM cpu GROUP BY writer'), q('SELECT count(DISTINCT ts) FROM r')[0][0],"
                " q(\"SELECT count(*) FROM ts_verify('cpu') WHERE problem IS NOT NULL\")[0][0])\n")
        address_space = resource.RLIM_INFINITY if support.SANITIZE else 3 << 30  # threads' stacks alone are 8 MB each
        for limit in (256, 1024):
            with self.subTest(descriptors=limit):
                spool = self.path("reader-%d" % limit)
                done = support.python(code % (limit, limit, address_space, address_space, self.location, spool), timeout=300)
                self.assertEqual(done.stdout.strip(), wanted)


if __name__ == "__main__":
    unittest.main()
