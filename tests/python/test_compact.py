# ts_compact: few large files instead of many small ones, the same rows at every moment, whoever is killed and whoever acts beside it.
import collections
import glob
import os
import random
import sqlite3
import threading
import time
import unittest

from . import support
from .test_kill import compaction_failpoints

T = 1795392000000  # 2026-11-23
DAY = 86400000
COLUMNS = "ts TIMESTAMP, host TEXT TAG, v REAL, note"
# A process that compacts until it finds nothing to do so often.
COMPACT = """
db = support.connect(isolation_level=None)
db.execute("CREATE VIRTUAL TABLE cpu USING timeseries(%s, location='%s', spool='%s')")
for _ in range(%d):
    db.execute("SELECT * FROM ts_compact('cpu')").fetchall()
"""
# A process that writes rows late and early, and stores them; it says how many when they are acknowledged.
WRITE = """
db = support.connect(isolation_level=None)
db.execute("CREATE VIRTUAL TABLE cpu USING timeseries(%s, location='%s', spool='%s')")
for round in range(%d):
    db.execute("BEGIN")
    db.executemany("INSERT INTO cpu VALUES(?,?,?,?)",
                   [(1795392000000 + (round * 7 + i) %% 3 * 86400000 + i, '%s', i / 8, round) for i in range(9)])
    db.execute("COMMIT")
    support.flush(db, "cpu")
"""


class CompactCase(support.TimeseriesCase):
    def setUp(self):
        super().setUp()
        self.location = self.file_location()

    def declared(self, spool="spool", so=None, options=""):
        db = self.connect(so=so, isolation_level=None)
        db.execute("CREATE VIRTUAL TABLE cpu USING timeseries(%s, location='%s', spool='%s'%s)"
                   % (COLUMNS, self.location, self.path(spool), options))
        return db

    def write(self, db, files, days=3, rows=20, seed=1):
        """So many files in each of some days, some rows of which are the same."""
        dice = random.Random(seed)
        for _ in range(files):
            batch = [(T + dice.randrange(days) * DAY + dice.randrange(1000), "web%d" % dice.randrange(3), dice.random(),
                      dice.choice([None, "x", 7])) for _ in range(rows)]
            batch += [(T + day * DAY, "web1", 0.5, "same") for day in range(days)]
            db.execute("BEGIN")
            db.executemany("INSERT INTO cpu VALUES(?,?,?,?)", batch)
            db.execute("COMMIT")
            support.flush(db, "cpu")

    def rows(self, db):
        return collections.Counter(db.execute("SELECT ts, host, v, note FROM cpu").fetchall())

    def files(self, db):
        return db.execute("SELECT count(*) FROM ts_files('cpu') WHERE state IN ('stored','cached')").fetchone()[0]

    def compact(self, db, arguments=""):
        return db.execute("SELECT * FROM ts_compact('cpu'%s)" % arguments).fetchall()


class Compact(CompactCase):
    def test_small_files_become_few(self):
        """Every partition's files become one, a row tells of each, other readers see the same rows, and a second time does nothing."""
        db = self.declared()
        self.write(db, 6)
        expected, alone = self.rows(db), self.declared("alone")
        self.assertEqual(self.files(db), 18)
        planned = self.compact(db, ", NULL, NULL, 1")
        self.assertEqual([row[:3] for row in planned], [("2026-11-%d" % day, 6, 1) for day in (23, 24, 25)])
        self.assertEqual({row[4] for row in planned}, {None})
        self.assertEqual(self.files(db), 18)
        done = self.compact(db)
        self.assertEqual([row[:4] + row[5:] for row in done], [row[:4] + row[5:] for row in planned])
        self.assertTrue(all(after < before for _, _, _, before, after, _ in done))
        self.assertEqual(sum(row[5] for row in done), sum(expected.values()))
        self.assertEqual(self.files(db), 3)
        self.assertEqual(self.rows(db), expected)
        self.assertEqual(self.rows(alone), expected)
        self.assertEqual(self.compact(db), [])
        self.write(db, 4, seed=2)  # late rows make small files again, which are merged with one another and with the merged file
        expected = self.rows(db)
        self.compact(db)
        self.assertLessEqual(self.files(db), 6)
        self.assertEqual(self.rows(alone), expected)
        for (name,) in alone.execute("SELECT DISTINCT _file FROM cpu"):
            self.assertIn("/merged/", name)

    def test_bounds_choose_partitions(self):
        db = self.declared()
        self.write(db, 3)
        self.assertEqual(self.compact(db, ", ts('2026-11-24T12:00'), ts('2026-11-25')")[0][0], "2026-11-24")
        self.assertEqual([row[0] for row in self.compact(db, ", ts('2026-11-25'), NULL")], ["2026-11-25"])
        self.assertEqual([row[0] for row in self.compact(db, ", NULL, ts('2026-11-23T00:00:00.001')")], ["2026-11-23"])
        self.assertEqual(self.compact(db), [])

    def test_large_files_are_left_alone(self):
        """A late row does not make a file be written anew that is large beside it."""
        db = self.declared()
        self.write(db, 2, days=1, rows=3000)
        self.compact(db)
        large = glob.glob(self.path("archive", "cpu", "*", "merged", "*.sqlite"))
        self.write(db, 1, days=1, rows=1)
        self.assertEqual(self.compact(db), [])
        self.assertEqual(glob.glob(self.path("archive", "cpu", "*", "merged", "*.sqlite")), large)

    def test_merged_files_are_ordinary_files(self):
        """Stock SQLite reads them; nobody else may read what lies in the spool meanwhile."""
        db = self.declared()
        self.write(db, 4, days=1)
        expected = self.rows(db)
        self.compact(db)
        (merged,) = glob.glob(self.path("archive", "cpu", "*", "merged", "*.sqlite"))
        stock = sqlite3.connect(merged)
        self.assertEqual(collections.Counter(stock.execute("SELECT * FROM cpu").fetchall()), expected)
        self.assertEqual(stock.execute("PRAGMA integrity_check").fetchone(), ("ok",))
        stock.close()
        self.assertEqual([name for name in os.listdir(self.path("spool")) if name.startswith("compact-")], [])

    def test_what_does_not_pack_exactly_is_stored_plain(self):
        db = self.declared(so=support.WITH_FAILPOINTS)
        self.write(db, 4, days=1)
        expected = self.rows(db)
        self.setenv("TIMESERIES_FAILPOINT", "compact.prove=corrupt")
        self.assertEqual(len(self.compact(db)), 1)
        self.assertEqual(self.rows(db), expected)
        (merged,) = glob.glob(self.path("archive", "cpu", "*", "merged", "*.sqlite"))
        stock = sqlite3.connect(merged)
        self.assertEqual(stock.execute("PRAGMA user_version").fetchone(), (1,))
        stock.close()

    def test_refusals(self):
        db = self.declared()
        self.write(db, 1)
        for sql, text in (("SELECT * FROM ts_compact", "ts_compact: name the table: ts_compact('cpu')"),
                          ("SELECT * FROM ts_compact('cpu', '2026-11-23')", "timeseries: column \"ts\" of cpu is a time and cannot be "
                           "compared with the text '2026-11-23'; write ts('2026-11-23')"),
                          ("SELECT * FROM ts_compact('cpu', 1.5)",
                           "ts_compact: a bound is a time, as ts('2026-11-01') gives it, or NULL"),
                          ("SELECT * FROM ts_compact(7)", "ts_compact: the first argument is the name of a timeseries table, as text"),
                          ("SELECT * FROM ts_compact('none')",
                           "timeseries: 'none' is not a timeseries table of this connection; create it with CREATE VIRTUAL TABLE \"none\" "
                           "USING timeseries(...)")):
            with self.subTest(sql):
                self.assertFails(db, sql, text)
        db.execute("CREATE VIEW v AS SELECT * FROM ts_compact('cpu')")
        self.assertFails(db, "SELECT * FROM v", "unsafe use of virtual table \"ts_compact\"")
        db.execute("BEGIN")
        self.assertFails(db, "SELECT * FROM ts_compact('cpu')", "ts_compact: a transaction is open; commit first")
        db.execute("ROLLBACK")

    def test_interrupted_at_any_moment(self):
        """Ctrl-C ends it; what was committed stays, and no row is lost or doubled."""
        db = self.declared()
        self.write(db, 10)
        expected = self.rows(db)
        interrupts = 0
        for turns in (1, 3, 10, 30, 100, 300, 1000):
            stop = threading.Event()

            def insist():
                for _ in range(turns):
                    sqlite3.connect(":memory:").close()
                while not stop.is_set():
                    db.interrupt()

            thread = threading.Thread(target=insist)
            thread.start()
            try:
                self.compact(db)
            except sqlite3.OperationalError as e:
                self.assertIn("interrupted", str(e))
                interrupts += 1
            finally:
                stop.set()
                thread.join()
            self.assertEqual(self.rows(self.declared("alone-%d" % turns)), expected)
        self.assertGreater(interrupts, 0)
        self.compact(db)
        self.assertEqual(self.rows(db), expected)
        self.assertEqual([name for name in os.listdir(self.path("spool")) if name.startswith("compact-")], [])


class Auto(CompactCase):
    def test_in_the_background(self):
        """compact='auto' merges what is worth it in partitions that are over; nobody asks for it, and nobody waits."""
        db = self.declared()
        self.write(db, 5)
        expected = self.rows(db)
        auto = self.declared("auto", options=", compact='auto', compact_interval='20ms'")
        end = time.monotonic() + 60 * support.PATIENCE
        while self.files(auto) > 3 and time.monotonic() < end:
            self.assertEqual(self.rows(auto), expected)
        self.assertEqual(self.files(auto), 3)
        self.assertEqual(self.rows(db), expected)
        auto.close()
        self.assertEqual([name for name in os.listdir(self.path("auto")) if name.startswith("compact-")], [])

    def test_the_end_of_a_process_ends_it(self):
        """A host that exits or forks while files are merged ends as ever, and loses nothing."""
        db = self.declared()
        self.write(db, 12)
        expected = self.rows(db)
        for ending in ("", "db.close()", "os._exit(0)", "pid = os.fork()\nif pid: os.waitpid(pid, 0)"):
            with self.subTest(ending):
                done = support.python("import os\ndb = support.connect(isolation_level=None)\n"
                                      "db.execute(\"CREATE VIRTUAL TABLE cpu USING timeseries(%s, location='%s', spool='%s', "
                                      "compact='auto', compact_interval='1ms')\")\n"
                                      "for _ in range(30): db.execute('SELECT count(*) FROM cpu').fetchall()\n%s\n"
                                      % (COLUMNS, self.location, self.path("auto"), ending))
                self.assertEqual(done.returncode, 0)
                self.assertEqual(self.rows(self.declared("alone-%d" % len(ending))), expected)
                self.write(db, 2, seed=len(ending))
                expected = self.rows(db)


class Killed(CompactCase):
    def test_at_each_step(self):
        """A compactor killed at any step loses and doubles nothing, and the next one ends its work and removes what it left."""
        kills = 0
        names = compaction_failpoints()
        for name in names:
            for passage in (1, 2):
                with self.subTest(failpoint=name, passage=passage):
                    self.location = self.file_location("%s-%d" % (name, passage))
                    spool = "%s-%d-spool" % (name, passage)
                    db = self.declared(spool)
                    self.write(db, 4, days=2)
                    expected = self.rows(db)
                    done = support.python(COMPACT % (COLUMNS, self.location, self.path(spool), 2), so=support.WITH_FAILPOINTS, check=False,
                                          env=support.environment(TIMESERIES_FAILPOINT="%s@%d=kill" % (name, passage)))
                    if passage == 1:
                        self.assertKilled(done)
                    kills += done.returncode != 0
                    self.assertEqual(self.rows(db), expected)
                    self.assertEqual(self.rows(self.declared(spool + "-alone")), expected)
                    self.compact(db)
                    self.assertEqual(self.rows(db), expected)
                    self.assertEqual(self.files(db), 2)
                    self.assertEqual([f for f in os.listdir(self.path(spool)) if f.startswith("compact-")], [])
        print(" %d kills at %d failpoints" % (kills, len(names)), flush=True)
        self.assertGreaterEqual(len(names), 8)


class Beside(CompactCase):
    def test_two_compactors_writers_and_readers(self):
        """While two processes compact and two write, late rows too, a reader never sees a row twice, nor less than before."""
        db = self.declared()
        self.write(db, 8)
        start = self.rows(db)
        rounds = 12
        codes = [COMPACT % (COLUMNS, self.location, self.path("compactor-%d" % i), rounds) for i in range(2)]
        codes += [WRITE % (COLUMNS, self.location, self.path("writer-%d" % i), rounds, "writer%d" % i) for i in range(2)]
        results = []
        threads = [threading.Thread(target=lambda code=code: results.append(support.python(code, check=False))) for code in codes]
        for thread in threads:
            thread.start()
        seen, reads = start, 0
        reader = self.declared("reader")
        while any(thread.is_alive() for thread in threads):
            now = self.rows(reader)
            self.assertEqual(seen - now, collections.Counter(), "rows are gone")
            for row, count in now.items():
                if row[1].startswith("writer"):
                    self.assertEqual(count, 1, row)
                else:
                    self.assertEqual(count, start[row], row)
            seen, reads = now, reads + 1
        for thread in threads:
            thread.join()
        self.assertEqual([(r.returncode, r.stderr) for r in results], [(0, "")] * 4)
        self.assertGreater(reads, 0)
        expected = start + collections.Counter((T + (r * 7 + i) % 3 * DAY + i, "writer%d" % w, i / 8, r)
                                               for w in range(2) for r in range(rounds) for i in range(9))
        self.assertEqual(self.rows(reader), expected)
        self.compact(db)
        self.assertEqual(self.rows(self.declared("last")), expected)
        print(" %d reads beside two compactors and two writers" % reads, flush=True)


if __name__ == "__main__":
    unittest.main()
