# Ctrl-C: sqlite3_interrupt() ends whatever waits for the network at once, on the SQLite at hand and on a newer one.
#
# Each test measures the time from the interrupt to the statement's end and prints it; what is asserted leaves room for a busy machine.
import os
import sqlite3
import subprocess
import sys
import threading
import time

from . import stock, support
from .stalling_server import BASE, HOUR, Refused, ServedArchive

LIMIT = 1.0  # seconds; 0.1 is meant, and what an idle machine shows
NEWER = "3.53.2"


class Interrupt(ServedArchive):
    def declare(self, db, columns="ts TIMESTAMP, host TEXT TAG, v REAL, note BLOB, ", schema="temp", more=""):
        db.execute("CREATE VIRTUAL TABLE %s.cpu USING timeseries(%slocation='s3://test', partition='hour', flush_timeout='1h'%s)"
                   % (schema, columns, more))

    def ends(self, db, server, what, sql, arguments=()):
        """The statement waits for a request that is never answered, and an interrupt ends it soon."""
        times = []

        def interrupt():
            server.stalled.wait(30 * support.PATIENCE)
            times.append(time.monotonic())
            db.interrupt()

        server.stalled.clear()
        thread = threading.Thread(target=interrupt)
        thread.start()
        with self.assertRaises(sqlite3.OperationalError) as caught:
            for _ in db.execute(sql, arguments):
                pass
        ended = time.monotonic()
        thread.join()
        self.assertTrue(server.stalled.is_set(), caught.exception)
        self.assertEqual(caught.exception.sqlite_errorcode, sqlite3.SQLITE_INTERRUPT, caught.exception)
        took = ended - times[0]
        print("interrupt: SQLite %s, %s: %.0f ms" % (sqlite3.sqlite_version, what, took * 1000), file=sys.stderr)
        self.assertLess(took, LIMIT * support.PATIENCE)

    def serves_again(self, db, server, sql="SELECT count(*) FROM cpu", rows=3100):
        """Afterwards the connection is as good as before."""
        server.stall = lambda *_: False
        self.assertEqual(db.execute(sql).fetchone()[0], rows)

    def test_list(self):
        """While the LIST waits."""
        server = self.serve(lambda method, *_: method == "LIST")
        db = self.connect(isolation_level=None)
        self.declare(db)
        self.ends(db, server, "LIST", "SELECT count(*) FROM cpu")
        self.serves_again(db, server)

    def test_head(self):
        """While the first GET of a file waits."""
        server = self.serve(lambda method, key, *_: method == "GET" and key.endswith(".sqlite"))
        db = self.connect(isolation_level=None)
        self.declare(db)
        for order in ("", " ORDER BY ts", " ORDER BY ts DESC", " ORDER BY host, ts", " ORDER BY ts DESC LIMIT 3"):
            self.ends(db, server, "first GET" + order, "SELECT * FROM cpu" + order)
        self.serves_again(db, server)

    def test_ranges(self):
        """While ranges in the middle of a large file wait, fetched ahead or not."""
        server = self.serve(lambda method, key, offset: key == self.second and offset > 0)
        db = self.connect(isolation_level=None)
        self.declare(db)
        for sql in ("SELECT sum(length(note)) FROM cpu", "SELECT * FROM cpu ORDER BY ts",
                    "SELECT length(note) FROM cpu WHERE v = 2900", "SELECT * FROM cpu ORDER BY ts DESC"):
            self.ends(db, server, "ranges of " + sql, sql)
        self.serves_again(db, server)

    def test_rollup(self):
        """While a rollup's files wait."""
        server = self.serve(lambda method, key, offset: key == self.second)
        db = self.connect(isolation_level=None)
        self.declare(db)
        db.execute("CREATE VIRTUAL TABLE temp.hourly USING timeseries_rollup(cpu, '1h')")
        self.ends(db, server, "rollup", "SELECT * FROM hourly")
        self.serves_again(db, server)

    def test_retry(self):
        """While a request waits to be tried again."""
        server = self.serve(None)

        def refuse(method, *_):
            if method != "LIST":
                return False
            server.stalled.set()
            raise Refused(503)
        server.stall = refuse
        db = self.connect(isolation_level=None)
        self.declare(db)
        self.ends(db, server, "retry", "SELECT count(*) FROM cpu")
        self.serves_again(db, server)

    def test_flush(self):
        """While ts_flush waits for an upload. The rows stay safe."""
        server = self.serve(lambda method, *_: method == "PUT")
        db = self.connect(isolation_level=None)
        self.declare(db, more=", table='other'")
        db.execute("INSERT INTO cpu VALUES(?, 'a', 1, NULL)", (BASE,))
        self.ends(db, server, "ts_flush", "SELECT ts_flush('cpu')")
        server.stall = lambda *_: False
        server._closing.set()
        self.assertEqual(db.execute("SELECT count(*) FROM cpu").fetchone()[0], 1)
        self.assertEqual(db.execute("SELECT ts_flush('cpu')").fetchone()[0], 1)

    def test_schema(self):
        """While the columns are read from the archive: by CREATE, and by the statement that connects the table later."""
        server = self.serve(lambda method, key, offset: key.endswith(".json"))
        path = self.path("main.db")
        db = self.connect(path, isolation_level=None)
        create = "CREATE VIRTUAL TABLE cpu USING timeseries(location='s3://test')"
        self.ends(db, server, "CREATE", create)
        server.stall = lambda *_: False
        db.execute(create)
        db.close()
        self.setenv("XDG_STATE_HOME", self.path("elsewhere"))  # a spool that knows nothing yet
        server.stall = lambda method, key, offset: key.endswith(".json")
        db = self.connect(path, isolation_level=None)
        self.ends(db, server, "connecting", "SELECT count(*) FROM cpu")
        self.serves_again(db, server)

    def test_vfs(self):
        """While a file that the VFS s3 opens or reads waits; so for http."""
        server = self.serve(lambda method, key, offset: method == "GET")
        db = self.connect("file::memory:", isolation_level=None)
        s3 = "file:s3://test/%s?vfs=s3" % self.second
        web = "file:%s/test/%s?vfs=http" % (server.endpoint, self.second)
        for what, uri in (("s3", s3), ("http", web)):
            server.stall = lambda method, *_: method == "GET"
            self.ends(db, server, "ATTACH of vfs=" + what, "ATTACH ? AS x", (uri,))
            server.stall = lambda *_: False
            db.execute("ATTACH ? AS x", (uri,))
            server.stall = lambda method, key, offset: offset > 0
            self.ends(db, server, "read of vfs=" + what, "SELECT sum(length(note)) FROM x.cpu")
            self.serves_again(db, server, "SELECT count(*) FROM x.cpu", 3000)
            db.execute("DETACH x")

    def test_two_statements(self):
        """An interrupt ends the statement that waits and the one that was stepped half, as SQLite has it, and no later one."""
        server = self.serve(lambda method, key, offset: key == self.second)
        db = self.connect(isolation_level=None)
        self.declare(db)
        half = db.execute("SELECT v FROM cpu WHERE ts < ?", (BASE + HOUR,))
        half.fetchone()
        self.ends(db, server, "beside another statement", "SELECT * FROM cpu")
        half.close()
        self.serves_again(db, server)


class Newer(support.TimeseriesCase):
    def test_newer_sqlite(self):
        """The same on a newer SQLite, which tells of an interrupt by a function of its own."""
        library = os.path.join(stock.DIRECTORY, NEWER, "libsqlite3.so.0")
        if not os.path.exists(library):
            raise AssertionError("no SQLite %s as a library: tests/support/stock-sqlite.sh makes it" % NEWER)
        if support.SANITIZE:
            self.skipTest("a sanitizer's runtime and another SQLite cannot both be loaded first")
        done = subprocess.run([sys.executable, "-m", "unittest", "-v", "python.test_interrupt.Interrupt"], text=True, capture_output=True,
                              cwd=os.path.join(support.ROOT, "tests"), timeout=300, env=support.environment(LD_PRELOAD=library))
        sys.stderr.write("".join(line[line.index("interrupt: "):] + "\n" for line in done.stderr.splitlines() if "interrupt: " in line))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("SQLite %s, " % NEWER, done.stderr)
