# kill -9 at every step of commit, rotate, seal, upload and retire, and at random: nothing acknowledged is lost, nothing is doubled.
import collections
import os
import random
import re
import signal
import unittest

from . import spool_child, support
from .spool_child import Child

# Steps of the spool's life in the order in which a row goes through them.
def failpoints():
    names = set()
    for folder, _, files in os.walk(os.path.join(support.ROOT, "ext")):
        for file in files:
            if file.endswith((".cc", ".h")):
                with open(os.path.join(folder, file)) as f:
                    names |= set(re.findall(r'TS_FAILPOINT\("([^"]+)"\)', f.read()))
    return sorted(names)


def compaction_failpoints():
    return [name for name in failpoints() if name.startswith(("compact.", "merge."))]


# Those of an import are in test_import.py, those of a compaction in test_compact.py, those of a schema's change in test_evolution.py; of
# a sweep tests/partition_sweep_test.cc has them; those of expiry and retention have no kill yet (docs/RELIABILITY.md).
FAILPOINTS = [name for name in failpoints()
              if not name.startswith(("import.", "compact.", "merge.", "schema.", "sweep.", "expire.", "retention."))]


class KillCase(support.TimeseriesCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(Child.end_all)

    def check(self, location, expected, in_doubt=(), options=""):
        """In the spool's rows, after a flush, in the archive alone: acknowledged rows once, a transaction in doubt whole or not at all."""
        db = self.connect(isolation_level=None)
        spool_child.declare(db, location, options)
        alone = self.connect()

        def look(connection):
            return collections.Counter(connection.execute("SELECT writer, n FROM cpu").fetchall())

        def judge(found, where):
            wanted = collections.Counter(expected)
            for transaction in in_doubt:
                if transaction and transaction[0] in found:
                    wanted.update(transaction)
            if found != wanted:
                lost, doubled = list((wanted - found).elements()), list((found - wanted).elements())
                self.fail("%s: lost %r, too many %r" % (where, lost[:5], doubled[:5]))
            return wanted

        before = judge(look(db), "before the flush")
        db.execute("SELECT ts_flush('cpu')").fetchall()
        self.assertEqual(judge(look(db), "after the flush"), before)
        if before:
            spool_child.declare(alone, location, "spool='%s'" % self.path("alone-%d" % random.getrandbits(40)))
            self.assertEqual(judge(look(alone), "in the archive"), before)
        self.assertEqual(db.execute("SELECT buffered_rows FROM ts_status('cpu')").fetchone(), (0,))
        db.close()
        alone.close()
        return before


class Kill(KillCase):
    def test_at_each_step(self):
        """A process killed at any step loses and doubles nothing acknowledged."""
        kills = rows = 0
        for number, name in enumerate(FAILPOINTS):
            for passage in (1, 3):
                with self.subTest(failpoint=name, passage=passage):
                    location = self.file_location("archive-%s-%d" % (name, passage))
                    if name.startswith("upload.") and "S3_ENDPOINT" in os.environ:
                        location = self.s3_location()
                    child = Child("steps", {"TIMESERIES_FAILPOINT": "%s@%d=kill" % (name, passage)},
                                  path=self.path("%s-%d.db" % (name, passage)), so=support.WITH_FAILPOINTS, location=location, name="w",
                                  rounds=4 if passage > 1 else 2,
                                  large=name.startswith("spill."))
                    code = child.end()
                    self.assertIn(code, (0, -signal.SIGKILL), child.errors)
                    self.assertTrue(passage > 1 or code != 0, "the failpoint was not passed: %r" % child.errors)
                    kills += code != 0
                    rows += len(child.acknowledged())
                    self.check(location, [("w", n) for n in child.acknowledged()], [[("w", n) for n in child.in_doubt()]])
        print(" %d kills at %d failpoints, %d rows acknowledged" % (kills, len(FAILPOINTS), rows), flush=True)
        self.assertGreaterEqual(len(FAILPOINTS), 30)

    ROUNDS_OF_ONE_ARCHIVE = 20  # each check reads all rows of it

    def test_at_random(self):
        """Several writers of one spool killed at any moment, again and again, lose and double nothing acknowledged."""
        dice = random.Random(7)
        rows = 0
        for begin in range(0, support.KILL_ROUNDS, self.ROUNDS_OF_ONE_ARCHIVE):
            rounds = min(self.ROUNDS_OF_ONE_ARCHIVE, support.KILL_ROUNDS - begin)
            rows += self.kill_at_random(dice, self.file_location("archive-%d" % begin), rounds)
        print(" %d kills, %d rows" % (3 * support.KILL_ROUNDS, rows), flush=True)

    def kill_at_random(self, dice, location, rounds):
        options = "flush_size='300kB', flush_interval='1s'"
        acknowledged, doubts, first = [], [], 0
        for round in range(rounds):
            children = [Child("hurried", path=self.path("%s-%d.db" % (os.path.basename(location), i)), location=location, name="w%d" % i,
                              options=options, first=first, flush=i == 0) for i in range(3)]
            for child in children:
                child.wait_for(1 + dice.randrange(60))
            dice.shuffle(children)
            for child in children:
                child.wait_for(1 + dice.randrange(300))
                child.kill()
            for child in children:
                name = child.arguments["name"]
                acknowledged += [(name, n) for n in child.acknowledged()]
                doubts.append([(name, n) for n in child.in_doubt()])
                first = max([first] + [n + 1 for n in child.acknowledged() + child.in_doubt()])
            if round % 5 == 4 or round == rounds - 1:
                found = self.check(location, acknowledged, doubts, options)
                acknowledged, doubts = list(found.elements()), []
        return len(acknowledged)


class Crumbs(KillCase):
    def test_unfinished_files_disturb_nobody_and_go(self):
        """What a crash leaves in the spool (half a sealed file, an open shard nobody knows) is not read, and removed after an hour."""
        location = self.file_location()
        db = self.connect(isolation_level=None)
        spool_child.declare(db, location, "spool='%s'" % self.path("spool"))
        db.execute("SELECT ts_insert('cpu', 1795418160000, 'w', 1, NULL)").fetchall()
        ulid = "01KAQ5Z8K3M2T4V6X8Z0B2D4F6"
        crumbs = [self.path("spool", "sealed", ulid + ".tmp"), self.path("spool", "sealed", ulid + ".sqlite"),
                  self.path("spool", "open", ulid + ".db"), self.path("spool", "open", ulid + ".db-wal")]
        young = self.path("spool", "sealed", "01KAQ5Z8K3M2T4V6X8Z0B2D4F7.tmp")
        for path in crumbs + [young]:
            with open(path, "wb") as f:
                f.write(b"half")
        for path in crumbs:
            os.utime(path, (1, 1))
        self.assertEqual(db.execute("SELECT count(*) FROM cpu").fetchone(), (1,))
        db.close()
        self.check(location, [("w", 1)], options="spool='%s'" % self.path("spool"))
        self.assertEqual([path for path in crumbs + [young] if os.path.exists(path)], [young])

    def test_vanished_shard_does_not_stop_the_others(self):
        """An open shard whose files somebody removed is reported, and every other row is still stored."""
        location = self.file_location()
        options = "spool='%s'" % self.path("spool")
        for n in range(2):  # each leaves an open shard behind
            child = Child("hurried", path=self.path("%d.db" % n), location=location, name="w%d" % n, options=options, rounds=1)
            child.wait_for(1, "end")
            child.end()
        db = self.connect(isolation_level=None)
        spool_child.declare(db, location, options)
        self.assertEqual(db.execute("SELECT count(*) FROM cpu").fetchone(), (16,))
        shards = sorted(f for f in os.listdir(self.path("spool", "open"))
                        if f.endswith(".db-wal") and os.path.getsize(self.path("spool", "open", f)) > 0)
        for suffix in ("", "-wal", "-shm", ".mark"):
            path = self.path("spool", "open", shards[0][:-4] + suffix)
            if os.path.exists(path):
                os.remove(path)
        db.execute("SELECT ts_flush('cpu')").fetchall()
        self.assertEqual(db.execute("SELECT count(*) FROM cpu").fetchone(), (8,))


if __name__ == "__main__":
    unittest.main()
