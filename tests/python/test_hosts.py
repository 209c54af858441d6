# Hosts do all kinds of things: load twice, open a thousand other files, fork, exit, close in any order, use threads.
import multiprocessing
import os
import sqlite3
import subprocess
import sys
import threading
import time
import unittest

from . import spool_child, support

T = spool_child.START


class Hosts(support.TimeseriesCase):
    def setUp(self):
        super().setUp()
        self.location = self.file_location()

    def table(self, path=":memory:", options="", **more):
        db = self.connect(path, isolation_level=None, **more)
        spool_child.declare(db, self.location, options)
        return db

    def insert(self, db, *numbers, writer="w"):
        for n in numbers:
            db.execute("SELECT ts_insert('cpu', ?, ?, ?, NULL)", (T + n, writer, n)).fetchall()

    def numbers(self, db=None):
        return [n for (n,) in (db or self.table()).execute("SELECT n FROM cpu ORDER BY n")]

    def test_two_connections_that_load_twice(self):
        """Loading again, into the same and into another connection, changes nothing."""
        a = self.table()
        self.insert(a, 1)
        a.enable_load_extension(True)
        a.load_extension(os.path.splitext(support.PRODUCT)[0])
        self.insert(a, 2)
        b = self.table()
        self.insert(b, 3)
        self.assertEqual((self.numbers(a), self.numbers(b)), ([1, 2, 3],) * 2)

    def test_both_modules_in_one_process(self):
        """Two copies of the extension in a process do not take each other's shards for a dead process's."""
        a = self.table()
        b = self.connect(so=support.WITH_FAILPOINTS, isolation_level=None)
        spool_child.declare(b, self.location)
        self.insert(a, 1)
        self.insert(b, 2)
        a.execute("BEGIN")
        self.insert(a, 3)
        self.assertEqual(self.numbers(b), [1, 2])
        b.execute("SELECT ts_flush('cpu')").fetchall()
        a.execute("COMMIT")
        self.insert(b, 4)
        self.assertEqual((self.numbers(a), self.numbers(b)), ([1, 2, 3, 4],) * 2)
        status = a.execute("SELECT count(*) FROM ts_files('cpu') WHERE state = 'open'").fetchone()
        self.assertEqual(status, (2,))

    def test_spool_by_several_names(self):
        """A spool reached through a link or another spelling is the same spool."""
        os.mkdir(self.path("spool"))
        os.symlink(self.path("spool"), self.path("link"))
        tables = [self.table(options="spool='%s'" % spool)
                  for spool in (self.path("spool"), self.path("link"), self.path(".", "spool") + "/")]
        for n, db in enumerate(tables):
            self.insert(db, n)
        for db in tables:
            self.assertEqual(self.numbers(db), [0, 1, 2])
        self.assertEqual(tables[0].execute("SELECT ts_flush('cpu')").fetchone(), (1,))

    def test_thousand_other_opens(self):
        """After loading, a thousand opens of other files in the process are as they were."""
        db = self.table()
        self.insert(db, 1)
        for i in range(1000):
            other = sqlite3.connect(":memory:" if i % 2 else self.path("other.db"))
            other.execute("SELECT 1").fetchone()
            with self.assertRaises(sqlite3.OperationalError):
                other.execute("SELECT timeseries_version()")
            other.close()
        self.assertEqual(self.numbers(db), [1])

    def test_awkward_directories(self):
        """A spool and an archive whose paths hold spaces, '%', '?' and '#' work."""
        for number, name in enumerate(("with space", "per%20cent", "question?mode=ro", "hash#1", "sch\u00f6n")):
            with self.subTest(name=name):
                os.mkdir(self.path(name))
                db = self.connect(isolation_level=None)
                spool_child.declare(db, self.location, "spool='%s', table='%s'" % (self.path(name, "spool"), "t%d" % number))
                self.insert(db, 1)
                db.execute("SELECT ts_flush('cpu')").fetchall()
                self.assertEqual(self.numbers(db), [1])
                db.close()

    def test_closed_with_uploads_under_way(self):
        """A close while rows are sealed and stored ends soon, and the next process has every row."""
        rows = 0
        for round in range(6):
            db = support.connect(isolation_level=None)
            spool_child.declare(db, self.location, "flush_size='50kB', flush_on_close='%s'" % ("due", "never")[round % 2])
            self.insert(db, *range(rows, rows + 200))
            rows += 200
            time.sleep(0.004 * round)
            began = time.monotonic()
            db.close()
            self.assertLess(time.monotonic() - began, 10 * support.PATIENCE)
        self.assertEqual(self.numbers(), list(range(rows)))

    def test_fork_with_the_table_open(self):
        """Children of fork write through the table that the parent had open, through one of their own, and while the parent goes on."""
        db = self.table(self.path("parent.db"))
        self.insert(db, 0)
        half = db.execute("SELECT n FROM cpu")
        half.fetchone()
        children = []
        for i in range(1, 5):
            pid = os.fork()
            if pid == 0:
                try:
                    if i % 2:
                        mine = db  # inherited: its file is not touched by ts_insert
                    else:
                        mine = support.connect(isolation_level=None)
                        spool_child.declare(mine, self.location)
                    for n in range(50):
                        self.insert(mine, i * 1000 + n)
                    if i >= 3:
                        mine.execute("SELECT ts_flush('cpu')").fetchall()
                    seen = {n for (n,) in mine.execute("SELECT n FROM cpu")}
                    os._exit(0 if seen >= {0} | {i * 1000 + n for n in range(50)} else 1)
                except BaseException as e:
                    os.write(2, ("child: %r\n" % e).encode())
                    os._exit(2)
            children.append(pid)
            self.insert(db, *range(i * 10, i * 10 + 10))
        db.close()  # the children go on with a spool whose first opener has left
        for pid in children:
            self.assertEqual(os.waitpid(pid, 0)[1], 0)
        expected = sorted([0] + list(range(10, 50)) + [i * 1000 + n for i in range(1, 5) for n in range(50)])
        after = self.table()
        self.assertEqual(self.numbers(after), expected)
        after.execute("SELECT ts_flush('cpu')").fetchall()
        self.assertEqual(self.numbers(after), expected)

    @unittest.skipIf("thread" in support.SANITIZE, "the thread sanitizer cannot follow threads in a child of a process with threads")
    def test_forked_pool(self):
        """multiprocessing's forked workers write while the parent writes, flushes and reads, and the parent's threads are busy."""
        db = self.table()
        self.insert(db, 0)

        def work(i):
            mine = support.connect(isolation_level=None)
            spool_child.declare(mine, self.location, "flush_size='20kB'")
            self.insert(mine, *range(i * 1000, i * 1000 + 100))
            mine.close()

        context = multiprocessing.get_context("fork")
        workers = [context.Process(target=work, args=(i,)) for i in range(1, 9)]
        for i, worker in enumerate(workers):
            worker.start()
            self.insert(db, i + 1)
            db.execute("SELECT ts_flush('cpu')").fetchall()
        for worker in workers:
            worker.join(60 * support.PATIENCE)
            self.assertEqual(worker.exitcode, 0)
        expected = sorted(list(range(0, 9)) + [i * 1000 + n for i in range(1, 9) for n in range(100)])
        self.assertEqual(self.numbers(db), expected)
        db.execute("SELECT ts_flush('cpu')").fetchall()
        self.assertEqual(self.numbers(db), expected)

    def run_host(self, ending, expected=0):
        code = ("import os\ndb = support.connect(%r, isolation_level=None)\nfrom python import spool_child\n"
                "spool_child.declare(db, %r, \"flush_size='20kB'\")\n"
                "for n in range(300): db.execute(\"SELECT ts_insert('cpu', ?, 'w', ?, NULL)\", (spool_child.START + n, n)).fetchall()\n"
                % (self.path("host.db"), self.location)) + ending
        done = support.python(code, check=False)
        self.assertEqual(done.returncode, expected, done.stderr)
        return done

    def test_ways_to_end(self):
        """os._exit, an interpreter that ends with connections open, one that ends in the middle of a SELECT: every row is there."""
        for ending in ("os._exit(0)", "import sys; sys.exit(0)", "c = db.execute('SELECT n FROM cpu'); c.fetchone()",
                       "import threading; threading.Thread(target=lambda: db, daemon=True).start()",
                       "db.execute('BEGIN'); db.execute('INSERT INTO cpu VALUES(1,2,3,4)')",
                       "import builtins; builtins.keep = db", "db.close()"):
            with self.subTest(ending=ending):
                self.location = self.file_location("archive-%d" % len(os.listdir(self.dir)))
                try:
                    os.remove(self.path("host.db"))
                except FileNotFoundError:
                    pass
                self.run_host(ending)
                self.assertEqual(self.numbers(), list(range(300)))

    def test_threads_with_a_connection_each(self):
        """Connections used and closed in many threads, in any order."""
        databases = [self.connect(isolation_level=None, check_same_thread=False) for _ in range(8)]

        def work(i):
            spool_child.declare(databases[i], self.location)
            self.insert(databases[i], *range(i * 100, i * 100 + 100))
            self.numbers(databases[i])

        threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for i in (3, 0, 7, 1, 6):
            databases[i].close()
        self.assertEqual(self.numbers(databases[2]), list(range(800)))

    def test_dropped_table(self):
        """DROP TABLE leaves rows in the spool, and they are still stored; created again the table shows them."""
        db = self.table(self.path("main.db"))
        self.insert(db, 1, 2)
        db.execute("DROP TABLE cpu")
        spool_child.declare(db, self.location, name="mem", options="table='mem'")
        db.execute("SELECT ts_flush('mem')").fetchall()
        spool_child.declare(db, self.location)
        db.execute("SELECT ts_flush('cpu')").fetchall()
        self.assertEqual(self.numbers(db), [1, 2])
        self.assertEqual(db.execute("SELECT state FROM ts_files('cpu')").fetchall(), [("stored",)])


class Closing(support.TimeseriesCase):
    def run_process(self, options, rows=20, name="a"):
        inserts = "".join("SELECT ts_insert('cpu', %d, 'w', %d, NULL);\n" % (T + n, n) for n in range(rows))
        support.shell("CREATE VIRTUAL TABLE IF NOT EXISTS cpu USING timeseries(ts TIMESTAMP, writer TEXT TAG, n INTEGER, pad,"
                      " location='%s'%s);\n%s" % (self.location, options, inserts), self.path(name + ".db"))

    def states(self):
        db = support.connect(isolation_level=None)
        spool_child.declare(db, self.location)
        found = dict(db.execute("SELECT state, sum(rows) FROM ts_files('cpu') GROUP BY state"))
        db.close()
        return found

    def test_policies(self):
        """flush_on_close: 'always' stores everything, 'never' nothing, 'due' what is due by size or age; the rest waits."""
        for options, expected in ((", flush_on_close='always'", {"stored": 20}),
                                  (", flush_on_close='never', flush_size='1kB'", {"open": 20}), ("", {"open": 20}),
                                  (", flush_size='1kB'", {"stored": 20})):
            with self.subTest(options=options):
                self.location = self.file_location("archive-%d" % len(os.listdir(self.dir)))
                self.run_process(options, name="db-%d" % len(os.listdir(self.dir)))
                if "never" in options:
                    self.assertEqual(sum(self.states().values()), 20)
                else:
                    self.assertEqual(self.states(), expected)

    def test_rotates_by_itself(self):
        """flush_size and flush_interval store rows without anybody asking."""
        for options in ("flush_size='50kB', flush_interval='1h'", "flush_interval='1s'"):
            with self.subTest(options=options):
                self.location = self.file_location("archive-%d" % len(options))
                db = self.connect(isolation_level=None)
                spool_child.declare(db, self.location, options)
                for n in range(50):
                    db.execute("SELECT ts_insert('cpu', ?, 'w', ?, NULL)", (T + n, n)).fetchall()
                end = time.monotonic() + 20 * support.PATIENCE
                while time.monotonic() < end and db.execute("SELECT buffered_rows FROM ts_status('cpu')").fetchone() != (0,):
                    time.sleep(0.05)
                self.assertEqual(db.execute("SELECT state, sum(rows) FROM ts_files('cpu') GROUP BY state").fetchall(), [("stored", 50)])

    def test_many_short_processes(self):
        """Thirty processes with a row each and one flush give one file per partition."""
        self.location = self.file_location()
        for i in range(30):
            self.run_process("", rows=1, name="cron")
        self.assertEqual(self.states(), {"open": 30})
        db = self.connect(isolation_level=None)
        spool_child.declare(db, self.location)
        self.assertEqual(db.execute("SELECT ts_flush('cpu')").fetchone(), (1,))
        self.assertEqual(db.execute("SELECT state, rows FROM ts_files('cpu')").fetchall(), [("stored", 30)])


if __name__ == "__main__":
    unittest.main()
