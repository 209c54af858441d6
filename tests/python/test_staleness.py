# max_staleness: what a query uses again of an earlier listing, what it asks for, and what it never misses.
import os
import unittest

from . import support

START = 1795392000000  # 2026-11-23
DAY = 86_400_000
FACTS = "SELECT requests, cache_hits, files_listed, files_pruned, files_read FROM ts_last_query()"
ROWS = 3000
WRITE = """
db = support.connect(isolation_level=None)
db.execute(sys.argv[1])
db.execute("INSERT INTO cpu VALUES(?, 'other', ?)", (int(sys.argv[2]), int(sys.argv[3])))
print(db.execute("SELECT ts_flush('cpu')").fetchone()[0])
"""


class Staleness(support.TimeseriesCase):
    def declaration(self, location, options="", spool="spool"):
        return ("CREATE VIRTUAL TABLE cpu USING timeseries(ts TIMESTAMP, host TEXT TAG, n INTEGER, location='%s', spool='%s', "
                "flush_on_close='never'%s)" % (location, self.path(spool), options and ", " + options))

    def open(self, location, options="max_staleness='1h'", **more):
        db = self.connect(isolation_level=None)
        db.execute(self.declaration(location, options, **more))
        return db

    def insert(self, db, day, first, count=ROWS):
        db.execute("BEGIN")
        db.executemany("INSERT INTO cpu VALUES(?, ?, ?)", ((START + day * DAY + i, "h%d" % (i % 5), first + i) for i in range(count)))
        db.execute("COMMIT")
        return support.flush(db, "cpu")

    def archive(self, days=3):
        location = self.s3_location()
        db = self.connect(isolation_level=None)
        db.execute(self.declaration(location, spool="writer"))
        for day in range(days):
            self.insert(db, day, day * ROWS)
        db.close()
        return location

    def count(self, db, where=""):
        return db.execute("SELECT count(*) FROM cpu " + where).fetchone()[0]

    def facts(self, db):
        return dict(zip(("requests", "cache_hits", "listed", "pruned", "read"), db.execute(FACTS).fetchone()))

    def elsewhere(self, location, day, spool="elsewhere", n=-1):
        done = support.python(WRITE, self.declaration(location, spool=spool), START + day * DAY + 5, n)
        self.assertEqual(done.stdout.split(), ["1"])

    def test_the_second_query_makes_no_request(self):
        """Within the staleness a query lists nothing; with a cache on disk it asks for nothing at all, also for files it opens anew."""
        location = self.archive()
        for options, reopens in (("max_staleness='1h'", False), ("max_staleness='1h', cache_dir='%s'" % self.path("cache"), True)):
            with self.subTest(options):
                db = self.open(location, options)
                self.assertEqual(self.count(db), 3 * ROWS)
                self.assertGreater(self.facts(db)["requests"], 0)
                again = self.open(location, options) if reopens else db  # the listing is the process's, open files the connection's
                self.assertEqual(self.count(again), 3 * ROWS)
                self.assertEqual(self.facts(again)["requests"], 0)
                self.assertEqual((self.facts(again)["listed"], self.facts(again)["read"]), (3, 3))
                one_day = "WHERE ts >= %d AND ts < %d" % (START + DAY, START + 2 * DAY)
                self.assertEqual(self.count(again, one_day), ROWS)
                self.assertEqual((self.facts(again)["requests"], self.facts(again)["listed"], self.facts(again)["read"]), (0, 1, 1))
                # Each statement of a table without it lists, in the same process and spool too.
                fresh = self.open(location, "")
                self.count(fresh), self.count(fresh)
                self.assertEqual(self.facts(fresh)["requests"], 1)

    def test_every_form_of_statement(self):
        """Joins, subqueries, rollups and both orders give from a used listing what they give from a fresh one, and ask for nothing."""
        location = self.archive()
        db, fresh = self.open(location), self.open(location, "")
        forms = ("SELECT n FROM cpu ORDER BY ts DESC LIMIT 7", "SELECT n FROM cpu ORDER BY ts, n LIMIT 5 OFFSET 3",
                 "SELECT count(*), sum(a.n) FROM cpu a JOIN cpu b ON a.ts = b.ts AND b.n < 50",
                 "SELECT host, count(*) FROM cpu GROUP BY host",
                 "SELECT (SELECT max(n) FROM cpu WHERE ts < %d), (SELECT min(n) FROM cpu WHERE ts > %d)" % (START + DAY, START + DAY),
                 "SELECT ts, rows, n_sum FROM daily ORDER BY ts",
                 "SELECT count(*) FROM cpu WHERE ts IN (%d, %d) OR n = 5" % (START, START + 1))
        for each in (db, fresh):
            each.execute("CREATE VIRTUAL TABLE temp.daily USING timeseries_rollup(cpu, '1 day', by='')")
        for form in forms:
            with self.subTest(form):
                expected = fresh.execute(form).fetchall()
                for _ in range(2):
                    self.assertEqual(db.execute(form).fetchall(), expected)
                self.assertEqual(self.facts(db)["requests"], 0)

    def test_the_spools_own_flush_is_seen_at_once(self):
        """What ts_flush has acknowledged is seen by the next statement, whichever process of the spool called it; each row once."""
        location = self.archive()
        db = self.open(location, "max_staleness='1h', cache_dir='%s'" % self.path("cache"))
        rows = 3 * ROWS
        self.assertEqual(self.count(db), rows)
        for round in range(3):
            self.assertEqual(self.insert(db, 1, 10_000 * (round + 1), 50), 2 if round else 1)  # late rows: another file of an old day
            self.assertEqual(self.count(db), rows + 50)
            self.elsewhere(location, 2, spool="spool", n=round)
            rows += 51
            self.assertEqual(self.count(db), rows)
            self.assertEqual(self.count(db, "WHERE host = 'other'"), round + 1)
            db.execute("INSERT INTO cpu VALUES(?, 'h', 1)", (START + 9 * DAY,))  # not flushed: read where it lies
            rows += 1
            self.assertEqual(self.count(db), rows)
            self.assertEqual(self.facts(db)["listed"], 3 + 2 * (round + 1) + round)

    def test_other_hosts_are_seen_after_the_staleness(self):
        """What another host stores is seen by the first statement after the staleness, and by one without it at once."""
        location = self.archive()
        db, fresh = self.open(location), self.open(location, "")
        short = self.open(location, "max_staleness='1ms'")
        self.assertEqual(self.count(db), 3 * ROWS)
        self.elsewhere(location, 1)
        self.assertEqual(self.count(db), 3 * ROWS)
        self.assertEqual(self.count(fresh), 3 * ROWS + 1)
        self.assertEqual(self.count(short), 3 * ROWS + 1)  # a process was started and ended meanwhile
        self.assertEqual(self.count(db), 3 * ROWS + 1)  # by the listing that this one made

    def test_an_object_that_is_gone_drops_the_listing(self):
        """A listed object that is gone costs one more listing, which is used from then on; after the first row the statement ends."""
        location = self.file_location()
        writer = self.connect(isolation_level=None)
        writer.execute(self.declaration(location, spool="writer"))
        for day in range(3):
            self.insert(writer, day, day * ROWS)
        db = self.open(location)
        self.assertEqual(self.count(db), 3 * ROWS)

        def remove(day):
            folder = self.path("archive", "cpu", "2026-11-%d" % (23 + day))
            for name in os.listdir(folder):
                os.remove(os.path.join(folder, name))

        remove(0)
        again = self.open(location)  # has no file open
        self.assertEqual(self.count(again), 2 * ROWS)
        self.assertEqual(self.count(self.open(location)), 2 * ROWS)
        # Gone while a statement runs, and again afterwards.
        remove(2)
        running = self.open(location).execute("SELECT n FROM cpu ORDER BY ts")
        self.assertEqual(running.fetchone(), (ROWS,))
        with self.assertRaisesRegex(support.sqlite3.OperationalError, "2026-11-25"):
            running.fetchall()
        self.assertEqual(self.count(self.open(location)), ROWS)


if __name__ == "__main__":
    unittest.main()
