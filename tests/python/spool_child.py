# The processes that the tests of the spool kill, stop and pause: writers that say what they have been promised, readers.
#
# A Child runs `python -m python.spool_child ROLE JSON` and collects its lines. A writer says "try a b c" before it commits the
# rows a, b, c, and "ok a b c" when the commit has returned: what was acknowledged, and what is in doubt.
import collections
import json
import os
import signal
import subprocess
import sys
import threading
import time

if __name__ == "__main__":
    from python import support
else:
    from . import support

DAY = 86400000
START = 1795392000000  # 2026-11-23


def declare(db, location, options="", name="cpu"):
    db.execute("CREATE VIRTUAL TABLE IF NOT EXISTS %s USING timeseries(ts TIMESTAMP, writer TEXT TAG, n INTEGER, pad, location='%s'%s)"
               % (name, location, ", " + options if options else ""))


def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


class Writer:
    """Writes rows (writer, n), n = 0, 1, 2..., one a minute, in transactions of all kinds; says what happens."""

    def __init__(self, path, location, name, options="", so=None, **more):
        self.path = path
        self.db = support.connect(path, so, isolation_level=None, timeout=0)
        self.other = None
        declare(self.db, location, options)
        self.name, self.n, self.more = name, more.pop("first", 0), more

    def take(self, count):
        rows = [(START + n * 60000, self.name, n, None) for n in range(self.n, self.n + count)]
        self.n += count
        return rows

    def commit(self, rows, write):
        ids = [row[2] for row in rows]
        say("try", *ids)
        write(rows)
        say("ok", *ids)

    def one(self, rows):
        for row in rows:
            self.db.execute("SELECT ts_insert('cpu', ?, ?, ?, ?)", row).fetchall()

    def several(self, rows):
        self.db.execute("BEGIN")
        for i, row in enumerate(rows):
            if i % 2:
                self.db.execute("INSERT INTO cpu VALUES(?, ?, ?, ?)", row)
            else:
                self.one([row])
        self.db.execute("COMMIT")

    def plain(self, rows):
        self.db.execute("INSERT INTO cpu VALUES" + ",".join(["(?, ?, ?, ?)"] * len(rows)), [v for row in rows for v in row])

    def large(self, rows):
        self.db.execute("BEGIN")
        for row in rows:
            self.db.execute("INSERT INTO cpu VALUES(?, ?, ?, zeroblob(1000000))", row[:3])
        self.db.execute("COMMIT")

    def rolled_back(self):
        self.db.execute("BEGIN")
        self.one([(START, self.name, -1, None)])
        self.db.execute("ROLLBACK")

    def locked_out(self):
        """An INSERT whose rows are durable already when SQLite finds the main file locked: xSync, then xRollback."""
        if not self.other:
            self.other = support.sqlite3.connect(self.path)
        reader = self.other.execute("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 9)"
                                    " SELECT x FROM c, sqlite_schema")
        reader.fetchone()
        try:
            self.db.execute("INSERT INTO cpu VALUES(?, ?, ?, ?)", (START, self.name, -2, None))
            raise AssertionError("the main file was not locked")
        except support.sqlite3.OperationalError as e:
            if "locked" not in str(e):
                raise
        reader.close()

    def flush(self):
        self.db.execute("SELECT ts_flush('cpu')").fetchall()

    def read(self):
        self.db.execute("SELECT count(*) FROM cpu").fetchall()


def steps(writer, rounds, large=False):
    for i in range(rounds):
        writer.commit(writer.take(1), writer.one)
        writer.commit(writer.take(3), writer.several)
        writer.commit(writer.take(2), writer.plain)
        writer.rolled_back()
        writer.locked_out()
        if large:
            writer.commit(writer.take(40), writer.large)
        writer.read()
        if i % 2 == 1:
            writer.flush()
            say("flushed")


def hurried(writer, rounds=10**9):
    """As fast as it goes."""
    for i in range(rounds):
        writer.commit(writer.take(1), writer.one)
        if i % 5 == 0:
            writer.commit(writer.take(7), writer.several)
        if i % 200 == 199 and writer.more.get("flush"):
            upto = writer.n
            try:
                writer.flush()
                say("flushed", upto)
            except support.sqlite3.OperationalError as e:
                if "gave up after" not in str(e) or not writer.more.get("patient"):
                    raise


def reader(writer, rounds):
    """Says what each of its statements saw, as JSON."""
    for _ in range(rounds):
        say("try")
        rows = writer.db.execute("SELECT writer, n FROM cpu").fetchall()
        say("saw", json.dumps(rows, separators=(",", ":")).replace(" ", ""))


class Child:
    """A process of one of the roles; its lines are collected as they come."""
    all = []

    @classmethod
    def end_all(cls):
        """For addCleanup: no child outlives its test."""
        for child in cls.all:
            if child.process.poll() is None:
                child.kill()
        cls.all.clear()

    def __init__(self, role, env=None, **arguments):
        environment = support.environment(PYTHONPATH=os.path.join(support.ROOT, "tests"), **(env or {}))
        self.process = subprocess.Popen([sys.executable, "-m", "python.spool_child", role, json.dumps(arguments)],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        self.arguments = arguments
        self.lines = []
        self.changed = threading.Condition()
        self.counts = collections.Counter()
        self.thread = threading.Thread(target=self.collect, daemon=True)
        self.thread.start()
        self.errors = []
        Child.all.append(self)
        self.error_thread = threading.Thread(target=lambda: self.errors.append(self.process.stderr.read()), daemon=True)
        self.error_thread.start()

    def collect(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.split())
                self.counts[self.lines[-1][0]] += 1
                self.changed.notify_all()

    def wait_for(self, count, word="ok", timeout=30):
        """Until it has said `word` so often."""
        end = time.monotonic() + timeout * support.PATIENCE
        with self.changed:
            while self.counts[word] < count:
                if not self.changed.wait(0.1) and (self.process.poll() is not None or time.monotonic() > end) and self.counts[word] < count:
                    raise AssertionError("a child ended or waits: %r %r" % (self.lines[-3:], self.errors))

    def last(self, word):
        """The largest number of its last line with that word; -1: it has not said it yet."""
        with self.changed:
            return next((int(line[-1]) for line in reversed(self.lines) if line[0] == word), -1)

    def saw(self):
        with self.changed:
            return [collections.Counter(map(tuple, json.loads(line[1]))) for line in self.lines if line[0] == "saw"]

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        return self.end()

    def end(self, timeout=60):
        code = self.process.wait(timeout * support.PATIENCE)
        self.thread.join()
        self.error_thread.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return code

    def acknowledged(self):
        with self.changed:
            return [int(n) for line in self.lines if line[0] == "ok" for n in line[1:]]

    def in_doubt(self):
        """The transaction that was begun and not acknowledged."""
        with self.changed:
            tried = [line[1:] for line in self.lines if line[0] == "try"]
            done = [line[1:] for line in self.lines if line[0] == "ok"]
        return [int(n) for n in tried[-1]] if len(tried) > len(done) else []


def main():
    role, arguments = sys.argv[1], json.loads(sys.argv[2])
    rounds = arguments.pop("rounds", None)
    large = arguments.pop("large", False)
    writer = Writer(**arguments)
    if role == "steps":
        steps(writer, rounds or 4, large)
        writer.db.close()
    elif role == "reader":
        reader(writer, rounds or 1)
    elif role == "hurried":
        hurried(writer, rounds or 10**9)
    say("end")


if __name__ == "__main__":
    main()
