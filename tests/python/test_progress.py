# Progress on a terminal: what a person sees while a query or ts_flush waits, and what of it is left. The terminal is a pty.
import os
import pty
import select
import subprocess
import sys
import threading
import time

from . import support
from .stalling_server import BASE, ServedArchive

PRELUDE = """
import sys
from python import support
db = support.connect(isolation_level=None)
db.execute("CREATE VIRTUAL TABLE temp.cpu USING timeseries(ts TIMESTAMP, host TEXT TAG, v REAL, note BLOB, location='s3://test', "
           "partition='hour', flush_timeout='1h'%s)")
"""


def screen(text):
    """The lines that a terminal shows after this text."""
    lines, column = [[]], 0
    for c in text:
        if c == "\r":
            column = 0
        elif c == "\n":
            lines.append([])
        else:
            line = lines[-1]
            line.extend(" " * (column + 1 - len(line)))
            line[column] = c
            column += 1
    return ["".join(line).rstrip() for line in lines]


class Progress(ServedArchive):
    def setUp(self):
        super().setUp()
        self.go_on = threading.Event()  # the held request is answered
        self.addCleanup(self.go_on.set)

    def on_terminal(self, code, until, more="", **environment):
        """Runs code on a terminal; when `until` is on it, the server goes on. Returns all that was written to the terminal."""
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        child = subprocess.Popen([sys.executable, "-c", PRELUDE % more + code], stdin=subprocess.DEVNULL, stdout=slave, stderr=slave,
                                 cwd=os.path.join(support.ROOT, "tests"), env=support.environment(**environment))
        os.close(slave)
        text, end = b"", time.monotonic() + 60 * support.PATIENCE
        written = select.poll()  # select() bears no descriptor beyond 1,023, and the process has many connections open
        written.register(master, select.POLLIN)
        while time.monotonic() < end:
            if written.poll(50):
                try:
                    piece = os.read(master, 4096)
                except OSError:  # the child has gone
                    break
                if not piece:
                    break
                text += piece
                if until in text:
                    self.go_on.set()
        else:
            child.kill()
            self.fail("no end: %r" % text)
        self.assertEqual(child.wait(), 0, text)
        return text.decode()

    def held(self, wanted):
        """A server that holds requests for `wanted` back until go_on."""
        def stall(*request):
            if wanted(*request):
                self.go_on.wait()
            return False
        return self.serve(stall)

    def test_query(self):
        """A query that waits for its second file says so, and nothing of it is left when rows are printed."""
        self.held(lambda method, key, offset: key == self.second)
        text = self.on_terminal("for row in db.execute('SELECT host, v FROM cpu WHERE v <= 2 ORDER BY ts'): print(*row, flush=True)",
                                b"1 of 2 files")
        self.assertIn("timeseries: 1 of 2 files, ", text)
        self.assertRegex(text, r"[0-9]+ s left")
        self.assertEqual(screen(text), ["a 1.0", "a 2.0", "a 1.0", "a 2.0", ""])

    def test_listing_and_rollup(self):
        """While the LIST waits, no number is known; a rollup tells its files."""
        self.held(lambda method, key, offset: method == "LIST")
        text = self.on_terminal("print(*db.execute('SELECT count(*) FROM cpu').fetchone())", b"listing files")
        self.assertEqual(screen(text), ["3100", ""])
        self.go_on.clear()
        self.held(lambda method, key, offset: key == self.second)
        text = self.on_terminal("db.execute(\"CREATE VIRTUAL TABLE temp.hourly USING timeseries_rollup(cpu, '1h')\")\n"
                                "print(*db.execute('SELECT sum(v_count) FROM hourly').fetchone())", b"1 of 2 files")
        self.assertEqual(screen(text), ["3100", ""])

    def test_flush(self):
        """ts_flush tells what it stores."""
        self.held(lambda method, key, offset: method == "PUT")
        text = self.on_terminal("db.execute('INSERT INTO cpu VALUES(%d, \"a\", 1, NULL)')\n"
                                "print(*db.execute(\"SELECT ts_flush('cpu')\").fetchone())" % BASE, b"0 of 1 files", ", table='other'")
        self.assertEqual(screen(text), ["1", ""])

    def test_nowhere_else(self):
        """Nothing is shown where stderr is no terminal, where it is off, and of what takes no second."""
        query = "print(*db.execute('SELECT count(*) FROM cpu').fetchone())"
        self.assertEqual(self.slow(lambda: self.on_terminal(query, b"never", TIMESERIES_PROGRESS="off")), "3100\r\n")
        done = self.slow(lambda: subprocess.run([sys.executable, "-c", PRELUDE % "" + query], capture_output=True, text=True,
                                                       cwd=os.path.join(support.ROOT, "tests"), env=support.environment()))
        self.assertEqual((done.stdout, done.stderr), ("3100\n", ""))
        self.assertEqual(self.on_terminal(query, b"never"), "3100\r\n")

    def slow(self, run):
        """run() while the second file takes one and a half seconds, after which progress would be shown."""
        self.go_on.clear()
        self.held(lambda method, key, offset: key == self.second)
        timer = threading.Timer(1.5, self.go_on.set)
        timer.start()
        try:
            return run()
        finally:
            timer.join()
