# Many writers: processes that share a spool, spools that share a bucket, a stopped one, and many that begin at once.
import collections
import os
import random
import signal
import subprocess
import threading
import time
import unittest

from . import spool_child, support
from .spool_child import Child

SECONDS = 3


class Many(support.TimeseriesCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(Child.end_all)

    def watch(self, db, children, until, transactions=True):
        """Reads as often as it can: each row once, of each connection a gap-free prefix, no less than was acknowledged before."""
        reads = 0
        while reads < 3 or time.monotonic() < until:
            before = {child.arguments["name"]: max(child.acknowledged(), default=-1) for child in children}
            count = collections.defaultdict(list)
            for writer, n in db.execute("SELECT writer, n FROM cpu"):
                count[writer].append(n)
            for writer, numbers in count.items():
                numbers.sort()
                self.assertEqual(numbers, list(range(len(numbers))), "%s: a gap, or a row twice" % writer)
            for writer, last in before.items():
                self.assertGreaterEqual(len(count[writer]), last + 1, "%s: an acknowledged row is not there" % writer)
            reads += 1
        return reads

    def finish(self, db, children):
        for child in children:
            child.kill()
        expected = {}
        for child in children:
            expected[child.arguments["name"]] = (len(child.acknowledged()), len(child.acknowledged()) + len(child.in_doubt()))
        db.execute("SELECT ts_flush('cpu')").fetchall()
        total = 0
        for writer, (least, most) in expected.items():
            rows, different, top = db.execute("SELECT count(*), count(DISTINCT n), max(n) FROM cpu WHERE writer = ?", (writer,)).fetchone()
            self.assertIn(rows, (least, most), writer)
            self.assertEqual((different, top), (rows, rows - 1))
            total += rows
        self.assertEqual(db.execute("SELECT count(*) FROM cpu").fetchone(), (total,))
        names = [name.split("/")[-1] for (name,) in db.execute("SELECT name FROM ts_files('cpu')")]
        self.assertEqual(len(names), len(set(names)))
        return total, len(names)

    def test_two_writers_and_a_reader_on_one_spool(self):
        """Every acknowledged row is seen exactly once at every moment, of each connection a gap-free prefix."""
        location = self.file_location()
        options = "flush_size='200kB', flush_interval='1s'"
        children = [Child("hurried", path=self.path("%d.db" % i), location=location, name="w%d" % i, options=options, flush=True)
                    for i in range(2)]
        db = self.connect(isolation_level=None)
        spool_child.declare(db, location, options)
        reads = self.watch(db, children, time.monotonic() + SECONDS)
        total, files = self.finish(db, children)
        print(" %d reads, %d rows, %d files" % (reads, total, files), flush=True)

    def test_writers_with_spools_of_their_own_on_one_bucket(self):
        """Sums are exact, names do not collide, and every flush is seen by a reader elsewhere."""
        location = self.s3_location()
        children = [Child("hurried", {"XDG_STATE_HOME": self.path("state-%d" % i)}, path=self.path("%d.db" % i), location=location,
                          name="w%d" % i, flush=True) for i in range(2)]
        db = self.connect(isolation_level=None)
        spool_child.declare(db, location)
        end = time.monotonic() + SECONDS
        reads = 0
        while time.monotonic() < end or reads < 3:
            groups = db.execute("SELECT writer, count(*), count(DISTINCT n), max(n) FROM cpu GROUP BY writer").fetchall()
            for writer, rows, different, top in groups:
                self.assertEqual((different, top), (rows, rows - 1), writer)
            reads += 1
        for child in children:
            child.kill()
        total = 0
        for i, child in enumerate(children):  # what the dead have left is stored by the next process on their spool
            other = support.connect(isolation_level=None)
            spool_child.declare(other, location, "spool='%s'" % self.spool_of("state-%d" % i))
            other.execute("SELECT ts_flush('cpu')").fetchall()
            other.close()
            rows, different, top = db.execute("SELECT count(*), count(DISTINCT n), max(n) FROM cpu WHERE writer = ?",
                                              (child.arguments["name"],)).fetchone()
            self.assertIn(rows, (len(child.acknowledged()), len(child.acknowledged()) + len(child.in_doubt())))
            self.assertEqual((different, top), (rows, rows - 1))
            total += rows
        names = [name for (name,) in db.execute("SELECT name FROM ts_files('cpu')")]
        self.assertEqual(len(names), len(set(names)))
        print(" %d reads, %d rows, %d files" % (reads, total, len(names)), flush=True)

    def spool_of(self, state):
        folder = self.path(state, "sqlite-timeseries")
        (name,) = os.listdir(folder)
        return os.path.join(folder, name)

    def test_stopped_writer(self):
        """ts_flush of another process covers what a stopped one has committed, wherever in a commit it stands (not inside spool.db)."""
        dice = random.Random(3)
        location = self.file_location()
        db = self.connect(isolation_level=None)
        spool_child.declare(db, location, "flush_timeout='5s'")
        child = Child("hurried", path=self.path("w.db"), location=location, name="w")
        for round in range(10):
            child.wait_for(child.counts["ok"] + 5 + dice.randrange(40))
            self.stop(child)
            while self.holds_spool_db():
                child.process.send_signal(signal.SIGCONT)
                time.sleep(0.01)
                self.stop(child)
            try:
                time.sleep(0.02)  # what it wrote to the pipe arrives
                rows = len(child.acknowledged())
                db.execute("SELECT ts_flush('cpu')").fetchall()
                alone = support.connect()
                spool_child.declare(alone, location, "spool='%s'" % self.path("alone-%d" % round))
                numbers = sorted(n for (n,) in alone.execute("SELECT n FROM cpu"))
                alone.close()
                self.assertEqual(numbers, list(range(len(numbers))))
                self.assertGreaterEqual(len(numbers), rows)
            finally:
                child.process.send_signal(signal.SIGCONT)
        self.finish(db, [child])

    def stop(self, child):
        """SIGSTOP, and until every thread stands still: one inside a system call still ends that first."""
        child.process.send_signal(signal.SIGSTOP)
        tasks = "/proc/%d/task" % child.process.pid
        until = time.monotonic() + 5 * support.PATIENCE
        while time.monotonic() < until:
            states = []
            for task in os.listdir(tasks):
                try:
                    with open("%s/%s/stat" % (tasks, task)) as stat:
                        states.append(stat.read().rsplit(")", 1)[1].split()[0])
                except OSError:
                    states.append("ended")
            if set(states) == {"T"}:
                return
            time.sleep(0.001)
        self.fail("the child does not stop: %r" % states)

    def holds_spool_db(self):
        db = support.sqlite3.connect(os.path.join(self.spool_of("state"), "spool.db"), isolation_level=None, timeout=0.1)
        try:
            db.execute("BEGIN IMMEDIATE")
            db.execute("ROLLBACK")
            return False
        except support.sqlite3.OperationalError:
            return True
        finally:
            db.close()

    def test_many_begin_at_once(self):
        """A dozen processes that meet in a new spool all get to write."""
        location = self.file_location()
        children = [Child("hurried", path=self.path("%d.db" % i), location=location, name="w%d" % i, rounds=5) for i in range(12)]
        for child in children:
            self.assertEqual(child.end(), 0, child.errors)
        db = self.connect(isolation_level=None)
        spool_child.declare(db, location)
        self.finish_all(db, children)

    def finish_all(self, db, children):
        expected = sum(len(child.acknowledged()) for child in children)
        self.assertEqual(db.execute("SELECT count(*) FROM cpu").fetchone(), (expected,))
        db.execute("SELECT ts_flush('cpu')").fetchall()
        self.assertEqual(db.execute("SELECT count(*) FROM cpu").fetchone(), (expected,))

    def test_connections_of_one_process(self):
        """Threads with a connection each, opened and closed all the time, write and read one spool: gap-free prefixes, each row once."""
        location = self.file_location()
        options = "flush_size='100kB', flush_interval='1s'"
        acknowledged = collections.Counter()
        errors = []
        stop = threading.Event()

        def write(name):
            try:
                n = 0
                while not stop.is_set():
                    db = support.connect(isolation_level=None)
                    spool_child.declare(db, location, options)
                    for _ in range(200):
                        db.execute("SELECT ts_insert('cpu', ?, ?, ?, NULL)", (spool_child.START + n * 1000, name, n)).fetchall()
                        n += 1
                        acknowledged[name] = n
                    db.close()
            except Exception as e:
                errors.append(e)

        threads = [threading.Thread(target=write, args=("t%d" % i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        db = self.connect(isolation_level=None)
        spool_child.declare(db, location, options)
        end, reads = time.monotonic() + SECONDS, 0
        try:
            while time.monotonic() < end:
                before = dict(acknowledged)
                found = collections.Counter(db.execute("SELECT writer, n FROM cpu").fetchall())
                self.assertEqual(max(found.values(), default=1), 1)
                for name, count in before.items():
                    numbers = sorted(n for writer, n in found if writer == name)
                    self.assertEqual(numbers, list(range(len(numbers))))
                    self.assertGreaterEqual(len(numbers), count)
                reads += 1
                if reads % 3 == 0:
                    db.execute("SELECT ts_flush('cpu')").fetchall()
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual(errors, [])
        self.assertEqual(db.execute("SELECT count(*) FROM cpu").fetchone(), (sum(acknowledged.values()),))


class Replicated(support.TimeseriesCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(Child.end_all)

    def server(self, *arguments):
        subprocess.run([os.path.join(support.ROOT, "tests/support/rgw-up.sh"), self.path("rgw"), *arguments],
                       env=dict(os.environ, TIMESERIES_OSDS="3", LD_PRELOAD=""), stdout=subprocess.DEVNULL, check=True)

    def disk(self, number):
        """The process id of an object store."""
        with open(self.path("rgw", "pids")) as f:
            return int(dict(line.split() for line in f)["osd%d" % number])

    def look(self, db, children):
        """Everything flushed before is there, nothing twice, nothing that nobody wrote."""
        flushed = {child: max(0, child.last("flushed")) if child.arguments["flush"] else 0 for child in children}
        bounds = " ".join("WHEN '%s' THEN %d" % (child.arguments["name"], upto) for child, upto in flushed.items())
        found = {row[0]: row[1:] for row in db.execute("SELECT writer, count(*), count(DISTINCT n), min(n), max(n), sum(n < CASE writer %s"
                                                       " END) FROM cpu GROUP BY writer" % bounds)}
        for child in children:
            name = child.arguments["name"]
            rows, different, least, most, before = found.get(name, (0, 0, 0, -1, 0))
            self.assertEqual(different, rows, "%s: a row twice" % name)
            self.assertEqual(before, flushed[child], "%s: flushed, and not there" % name)
            self.assertTrue(0 <= least and most <= child.last("try"), "%s: a row that nobody wrote" % name)
        return sum(row[0] for row in found.values())

    def test_a_disk_of_a_replicated_store_killed_under_load(self):
        """Writers on several spools, an object store killed and started again empty: readers are right at every moment and at the end."""
        if "S3_ENDPOINT" not in os.environ:
            self.skipTest("no S3 server: run tests/run.sh")
        self.addCleanup(subprocess.run, [os.path.join(support.ROOT, "tests/support/rgw-down.sh"), self.path("rgw")])
        self.server(str(os.getpid()))
        with open(self.path("rgw", "env")) as f:
            for name, value in (word.split("=", 1) for word in f.read().split()[1:]):
                self.setenv(name, value)
        location = self.s3_location()
        spools = max(2, support.MANY_WRITERS // 4)
        options = "spool='%s', flush_size='200kB', flush_interval='1s', flush_timeout='5s'"
        children = [Child("hurried", path=self.path("%d.db" % i), location=location, name="w%d" % i, flush=i < spools, patient=True,
                          options=options % self.path("spool-%d" % (i % spools))) for i in range(support.MANY_WRITERS)]
        db = self.connect(isolation_level=None)
        spool_child.declare(db, location, options % self.path("reader"))
        for child in children:
            child.wait_for(100, timeout=120)
        reads = rows = 0

        def watch_until(flushes):
            nonlocal reads, rows
            goal = {child: child.counts["flushed"] + flushes for child in children[:spools]}
            until = time.monotonic() + 120 * support.PATIENCE
            while any(child.counts["flushed"] < count for child, count in goal.items()):
                self.assertLess(time.monotonic(), until, "no flush succeeds any more")
                rows = self.look(db, children)
                reads += 1

        watch_until(1)
        os.kill(self.disk(1), signal.SIGKILL)
        watch_until(2)
        self.server("osd", "1")
        watch_until(1)
        for child in children:
            child.kill()
        for spool in range(spools):
            own = self.connect(isolation_level=None)
            spool_child.declare(own, location, options % self.path("spool-%d" % spool))
            support.flush(own, "cpu")
        self.assertGreaterEqual(self.look(db, children), rows)
        counts = dict(db.execute("SELECT writer, count(*) FROM cpu GROUP BY writer"))
        for child in children:  # each row once, and none above what was tried: the count tells which there are
            acknowledged = child.last("ok") + 1
            self.assertIn(counts[child.arguments["name"]], (acknowledged, acknowledged + len(child.in_doubt())))
        print(" %d writers, %d spools, one of 3 object stores killed: %d reads, %d rows" %
              (len(children), spools, reads, sum(counts.values())), flush=True)


if __name__ == "__main__":
    unittest.main()
