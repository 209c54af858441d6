# A host in which the n-th file call or allocation fails, for n = 1, 2, 3..., each in a fork of its own: what is left must be right.
#
# `python -m python.fault_child JSON` with the library of tests/support/shim preloaded; says one line of JSON for each n that went
# wrong, and a summary. The parent loads the extension and opens no table, so that each fork begins afresh.
import collections
import json
import os
import select
import shutil
import signal
import sqlite3
import sys
import time
import traceback

from python import shim, spool_child, support

START = spool_child.START
DAY = 86400000
FAILURES = (sqlite3.Error, MemoryError)


class Wrong(Exception):
    """Something was lost, doubled, half told, or does not work any more."""


class Attempts:
    """A life of a table in which anything may fail: what was acknowledged is kept, every error must say something."""

    def __init__(self, place, options):
        self.place = place
        self.options = "spool='%s/spool', flush_timeout='200ms'%s" % (place, options)
        self.location = "file://%s/archive" % place
        self.acknowledged = []
        self.refused = 0
        self.n = 0

    def attempt(self, work, *arguments):
        """What work returns, or None when it failed."""
        try:
            return work(*arguments) or True
        except FAILURES as e:
            self.refused += 1
            if not isinstance(e, MemoryError) and not str(e):
                raise Wrong("an error without a text")
            return None

    def connect(self, tries=5):
        for _ in range(tries):
            db = None
            try:
                db = support.connect(isolation_level=None)
                spool_child.declare(db, self.location, self.options)
                return db
            except FAILURES:
                self.refused += 1
                if db:
                    db.close()
        return None

    def rows(self, count, days=1):
        rows = [(START + (self.n + i) * DAY // 4 * (days - 1) + self.n + i, "w", self.n + i, None) for i in range(count)]
        self.n += count
        return rows

    def write(self, db, rows, how):
        """In one transaction."""
        if self.attempt(how, db, rows):
            self.acknowledged += [row[2] for row in rows]

    def write_each(self, db, rows):
        for row in rows:
            self.write(db, [row], self.one)

    def one(self, db, rows):
        for row in rows:
            db.execute("SELECT ts_insert('cpu', ?, ?, ?, ?)", row).fetchall()

    def plain(self, db, rows):
        db.execute("INSERT INTO cpu VALUES" + ",".join(["(?, ?, ?, ?)"] * len(rows)), [value for row in rows for value in row])

    def several(self, db, rows, end="COMMIT"):
        db.execute("BEGIN")
        try:
            for i, row in enumerate(rows):
                if not db.in_transaction:
                    raise sqlite3.OperationalError("SQLite has rolled back")
                (self.one if i % 2 else self.plain)(db, [row])
                if i == 0:
                    db.execute("SAVEPOINT s")
                    self.one(db, [(START, "w", -1, None)])
                    db.execute("ROLLBACK TO s")
            db.execute(end)
        finally:
            for _ in range(3):
                if db.in_transaction:
                    self.attempt(db.execute, "ROLLBACK")

    def rolled_back(self, db, rows):
        self.several(db, rows, "ROLLBACK")

    def read(self, db, sql="SELECT n FROM cpu ORDER BY n"):
        """The right rows, or an error."""
        found = self.attempt(lambda: [n for (n,) in db.execute(sql)] or [None])
        if found and found != (sorted(self.acknowledged) or [None]):
            raise Wrong("read %s: %r" % (sql, difference(self.acknowledged, found)))

    def flush(self, db):
        self.attempt(lambda: db.execute("SELECT ts_flush('cpu')").fetchall())

    def facts(self, db):
        for sql in ("SELECT * FROM ts_files('cpu')", "SELECT * FROM ts_status('cpu')", "SELECT * FROM ts_verify('cpu')"):
            self.attempt(lambda: db.execute(sql).fetchall())

    def life(self):
        db = self.connect()
        if not db:
            return
        self.write_each(db, self.rows(1))
        self.write(db, self.rows(3, days=3), self.plain)
        self.write(db, self.rows(3), self.several)
        self.attempt(self.rolled_back, db, self.rows(2))
        self.read(db)
        self.flush(db)
        self.read(db, "SELECT n FROM cpu ORDER BY n")
        self.write_each(db, self.rows(2))
        other = self.connect()
        if other:
            self.read(other)
            self.write_each(other, self.rows(2))
            other.close()
        self.flush(db)
        self.facts(db)
        self.read(db)
        self.write_each(db, self.rows(1))
        db.close()
        db = self.connect()
        if db:
            self.write(db, self.rows(2), self.several)
            self.read(db)
            db.close()

    def aftermath(self):
        """Nothing fails any more: all is there once, the table takes more, and the archive alone has it too."""
        db = self.connect(tries=1)
        if not db:
            raise Wrong("the table cannot be opened any more")
        self.must_be(db, "after")
        db.execute("SELECT ts_insert('cpu', ?, 'w', ?, NULL)", (START, self.n)).fetchall()
        self.acknowledged.append(self.n)
        support.flush(db, "cpu")
        self.must_be(db, "after the flush")
        if db.execute("SELECT buffered_rows FROM ts_status('cpu')").fetchone() != (0,):
            raise Wrong("rows are left in the spool after a flush")
        faults = db.execute("SELECT * FROM ts_verify('cpu') WHERE problem IS NOT NULL").fetchall()
        if faults:
            raise Wrong("ts_verify: %r" % faults)
        db.close()
        alone = support.connect(isolation_level=None)
        spool_child.declare(alone, self.location, "spool='%s/alone'" % self.place)
        self.must_be(alone, "in the archive")
        alone.close()

    def must_be(self, db, where):
        found = [n for (n,) in db.execute("SELECT n FROM cpu")]
        if sorted(found) != sorted(self.acknowledged):
            raise Wrong("%s: %s" % (where, difference(self.acknowledged, found)))


def difference(wanted, found):
    wanted, found = collections.Counter(wanted), collections.Counter(found)
    return "lost %r, too many %r" % (list((wanted - found).elements())[:9], list((found - wanted).elements())[:9])


def descriptors():
    """What is open, but for the lock files, which are never closed."""
    found = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink("/proc/self/fd/" + fd))
        except OSError:
            pass
    return collections.Counter(name for name in found if not name.endswith("/locks") and "/proc/" not in name)


def live(n, arguments, say):
    """In the fork: one life with the n-th failure, and what is left of it."""
    lib = shim.library()
    lib.shim_tell_of_death()
    place = os.path.join(arguments["directory"], str(n))
    attempts = Attempts(place, arguments["options"])
    os.mkdir(place)
    os.mkdir(place + "/archive")
    before = descriptors()
    if arguments["fails"] == "memory":
        lib.shim_fail_memory(n, arguments["lasts"])
    else:
        lib.shim_files(place.encode())
        lib.shim_fail_file(n, arguments["errno"], arguments["lasts"], arguments["kinds"])
    try:
        attempts.life()
    finally:
        lib.shim_fail_no_file()
        if arguments["fails"] == "memory":
            lib.shim_fail_no_memory()
    calls, failed = (lib.shim_memory_calls(), lib.shim_memory_failed()) if arguments["fails"] == "memory" else (
        lib.shim_file_calls(), lib.shim_files_failed())
    say(calls=calls, failed=failed, refused=attempts.refused)
    attempts.aftermath()
    left = descriptors() - before
    if left:
        raise Wrong("descriptors are left open: %r" % sorted(left))
    say(rows=len(attempts.acknowledged))
    shutil.rmtree(place)


def fork(n, arguments):
    """Returns (pid, the pipe on which the fork says what it has found)."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid:
        os.close(theirs)
        return pid, ours
    os.close(ours)

    def say(**what):
        os.write(theirs, (json.dumps(what) + "\n").encode())

    try:
        live(n, arguments, say)
    except BaseException as e:
        say(wrong=str(e) if isinstance(e, Wrong) else traceback.format_exc(), what=shim.library().shim_last().decode())
        if arguments.get("tell"):
            shim.library().shim_tell()
    finally:
        os._exit(0)


def judge(n, pid, pipe, limit):
    """What became of a fork: its words, and in "wrong" what was wrong."""
    text, until = b"", time.monotonic() + limit
    while select.select([pipe], [], [], max(0, until - time.monotonic()))[0]:
        piece = os.read(pipe, 65536)
        if not piece:
            break
        text += piece
    else:
        os.kill(pid, signal.SIGKILL)
    os.close(pipe)
    status = os.waitpid(pid, 0)[1]
    result = {"n": n, "seconds": round(time.monotonic() + limit - until, 1)}
    for line in text.splitlines():
        result.update(json.loads(line))
    if os.WIFSIGNALED(status):
        signal_name = signal.Signals(os.WTERMSIG(status)).name
        result["wrong"] = "hangs" if signal_name == "SIGKILL" else "the process died of " + signal_name
    elif "rows" not in result and "wrong" not in result:
        result["wrong"] = "the process ended early with %d" % os.waitstatus_to_exitcode(status)
    if "wrong" in result:
        print(json.dumps(result), flush=True)
    return result


def main():
    arguments = json.loads(sys.argv[1])
    support.connect().close()  # loads the extension
    os.makedirs(arguments["directory"], exist_ok=True)

    def run(numbers):
        running, results = collections.deque(), []
        for n in numbers:
            running.append((n, *fork(n, arguments)))
            if len(running) == arguments["jobs"]:
                results.append(judge(*running.popleft(), arguments["limit"]))
        return results + [judge(*one, arguments["limit"]) for one in running]

    calls = run([10**9])[0]["calls"]  # none fails
    steps = arguments["steps"] or calls
    step = max(1, calls // steps)
    results = run(arguments.get("only") or range(1 + arguments.get("first", 0) % step, calls + 1, step))
    print(json.dumps({"calls": calls, "lives": len(results), "failed": sum(r.get("failed", 0) > 0 for r in results),
                      "refused": sum(r.get("refused", 0) for r in results), "rows": sum(r.get("rows", 0) for r in results)}), flush=True)


if __name__ == "__main__":
    main()
