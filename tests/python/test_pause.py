# At every step of writer, flusher and reader somebody stops: whoever reads meanwhile sees every acknowledged row exactly once.
import collections
import os
import time
import unittest

from . import spool_child, support
from .spool_child import Child
from .test_kill import FAILPOINTS

WRITERS = [name for name in FAILPOINTS if not name.startswith("snapshot.")]
READERS = [name for name in FAILPOINTS if name.startswith("snapshot.")]
# Paused there a process holds spool.db: others can read it, and wait to change it.
HOLDS_SPOOL_DB = {"seal.before_commit"}


class Pause(support.TimeseriesCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(Child.end_all)

    def wait_for(self, path, child):
        end = time.monotonic() + 30 * support.PATIENCE
        while not os.path.exists(path):
            if child.process.poll() is not None or time.monotonic() > end:
                self.fail("the failpoint was not passed: %r %r" % (child.lines[-2:], child.errors))
            time.sleep(0.002)

    def judge(self, found, acknowledged, in_doubt, where):
        wanted = collections.Counter(acknowledged)
        if in_doubt and in_doubt[0] in found:
            wanted.update(in_doubt)
        if found != wanted:
            missing, doubled = sorted((wanted - found).elements()), sorted((found - wanted).elements())
            self.fail("%s: missing %r, too many %r" % (where, missing[:5], doubled[:5]))

    def test_writer_and_flusher(self):
        """While a writer or its flusher stands still, other connections read each row once, insert, and flush what was committed."""
        pauses = flushes = 0
        for name in WRITERS:
            for passage in (1, 2):
                with self.subTest(failpoint=name, passage=passage):
                    location = self.file_location("archive-%s-%d" % (name, passage))
                    pause = self.path("pause-%s-%d" % (name, passage))
                    child = Child("steps", {"TIMESERIES_FAILPOINT": "%s@%d=pause:%s" % (name, passage, pause)}, name="w",
                                  rounds=2 + 2 * passage, path=self.path("%s-%d.db" % (name, passage)), so=support.WITH_FAILPOINTS,
                                  location=location, large=name.startswith("spill."))
                    try:
                        if passage == 2:
                            try:
                                self.wait_for(pause, child)
                            except AssertionError:
                                self.assertEqual(child.end(), 0, child.errors)  # passed only once
                                continue
                        self.wait_for(pause, child)
                        pauses += 1
                        db = self.connect(isolation_level=None)
                        spool_child.declare(db, location, "flush_timeout='8s'")
                        own = []
                        for i in range(3):
                            # The child stands still, or its flusher does and it goes on.
                            acknowledged = [("w", n) for n in child.acknowledged()]
                            found = collections.Counter(db.execute("SELECT writer, n FROM cpu").fetchall())
                            self.assertEqual(max(found.values(), default=1), 1, "a row twice")
                            self.assertLessEqual(set(acknowledged + own), set(found))
                            strange = set(found) - set(own)
                            until = time.monotonic() + 5 * support.PATIENCE
                            while strange and time.monotonic() < until:  # what the child said last may still be on its way to us
                                strange -= set(("w", n) for n in child.acknowledged() + child.in_doubt())
                                time.sleep(0.001)
                            self.assertEqual(strange, set(), "rows nobody wrote")
                            if name not in HOLDS_SPOOL_DB:
                                db.execute("SELECT ts_insert('cpu', ?, 'own', ?, NULL)", (spool_child.START, i)).fetchall()
                                own.append(("own", i))
                            if i == 1 and name not in HOLDS_SPOOL_DB:
                                covered = set(("w", n) for n in child.acknowledged()) | set(own)
                                db.execute("SELECT ts_flush('cpu')").fetchall()
                                flushes += 1
                                alone = self.connect()
                                spool_child.declare(alone, location, "spool='%s'" % self.path("alone-%s-%d" % (name, passage)))
                                stored = collections.Counter(alone.execute("SELECT writer, n FROM cpu").fetchall())
                                self.assertEqual(max(stored.values(), default=1), 1, "a row twice in the archive")
                                self.assertLessEqual(covered, set(stored))
                                alone.close()
                    finally:
                        if os.path.exists(pause):
                            os.remove(pause)
                        code = child.end()
                    self.assertEqual(code, 0, child.errors)
                    db.execute("SELECT ts_flush('cpu')").fetchall()
                    self.judge(collections.Counter(db.execute("SELECT writer, n FROM cpu").fetchall()),
                               [("w", n) for n in child.acknowledged()] + own, [], "at the end")
                    db.close()
        print(" %d pauses at %d failpoints, %d flushes meanwhile" % (pauses, len(WRITERS), flushes), flush=True)

    def test_reader(self):
        """While a reader stands still between its own steps and pages of a LIST, rows move on; it sees each committed row once."""
        pauses = 0
        for name in READERS:
            for passage in (1, 2, 3):
                for move in ("insert", "flush", "flush twice"):
                    with self.subTest(failpoint=name, passage=passage, move=move):
                        tag = "%s-%d-%s" % (name, passage, move.replace(" ", "-"))
                        location = self.file_location("archive-" + tag)
                        db = self.connect(isolation_level=None)
                        spool_child.declare(db, location)
                        rows = []

                        def insert(count):
                            for _ in range(count):
                                n = len(rows)
                                time_ms = spool_child.START + n * spool_child.DAY
                                db.execute("SELECT ts_insert('cpu', ?, 'w', ?, NULL)", (time_ms, n)).fetchall()
                                rows.append(("w", n))

                        insert(3)
                        db.execute("SELECT ts_flush('cpu')").fetchall()
                        insert(3)
                        before = list(rows)
                        pause = self.path("pause-" + tag)
                        child = Child("reader", {"TIMESERIES_FAILPOINT": "%s@%d=pause:%s" % (name, passage, pause),
                                                 "TIMESERIES_LIST_PAGE": "2"}, name="r", rounds=1, path=self.path(tag + ".db"),
                                      so=support.WITH_FAILPOINTS, location=location)
                        try:
                            try:
                                self.wait_for(pause, child)
                            except AssertionError:
                                self.assertEqual((passage > 1, child.end()), (True, 0), child.errors)
                                continue
                            pauses += 1
                            for step in move.split():
                                insert(1)
                                if move != "insert":
                                    db.execute("SELECT ts_flush('cpu')").fetchall()
                            insert(1)
                        finally:
                            if os.path.exists(pause):
                                os.remove(pause)
                            code = child.end()
                        self.assertEqual(code, 0, child.errors)
                        for saw in child.saw():
                            self.assertEqual(max(saw.values(), default=1), 1, "a row twice")
                            self.assertLessEqual(set(before), set(saw))
                            # Of this connection's commits a prefix.
                            self.assertEqual(set(saw), set(rows[:len(saw)]))
                        db.close()
        print(" %d pauses at %d failpoints" % (pauses, len(READERS)), flush=True)


if __name__ == "__main__":
    unittest.main()
