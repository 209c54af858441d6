# Queries in the order of time over an archive of many pages: the store is listed, and files are opened, as far as rows are asked for.
import os
import random
import unittest

from . import support

DAY = 86_400_000
START = 1_788_220_800_000  # 2026-09-01
DAYS = 60
FACTS = ("requests", "files_listed", "files_read")


class Walk(support.TimeseriesCase):
    """A LIST's page is 4 keys: 60 days with a file each, every tenth day three that overlap, and rows that are not stored yet."""

    def setUp(self):
        super().setUp()
        self.setenv("TIMESERIES_LIST_PAGE", "4")
        self.location = self.file_location()
        self.plain = self.connect(isolation_level=None)
        self.plain.execute("CREATE TABLE cpu(ts INTEGER, host TEXT, n INTEGER)")
        self.rng = random.Random(11)
        self.written = self.open("writer")
        self.rows = 0
        for day in range(DAYS):
            for _ in range(3 if day % 10 == 0 else 1):
                self.insert(self.written, day, 6)
                support.flush(self.written, "cpu")

    def open(self, spool, options="flush_timeout='%dms'" % (300 * support.PATIENCE)):
        db = self.connect(so=support.WITH_FAILPOINTS, isolation_level=None)
        db.execute("CREATE VIRTUAL TABLE cpu USING timeseries(ts TIMESTAMP NOT NULL, host TEXT TAG, n INTEGER, location='%s', "
                   "spool='%s', flush_on_close='never', %s)" % (self.location, self.path(spool), options))
        return db

    def insert(self, db, day, count):
        rows = []
        for _ in range(count):
            self.rows += 1
            rows.append((START + day * DAY + self.rng.randrange(DAY), "h%d" % (self.rows % 4), self.rows))
        for each in (db, self.plain):
            each.execute("BEGIN")
            each.executemany("INSERT INTO cpu VALUES(?,?,?)", rows)
            each.execute("COMMIT")

    def facts(self, db):
        return dict(zip(FACTS, db.execute("SELECT requests, files_listed, files_read FROM ts_last_query()").fetchone()))

    def leave_in_the_spool(self, db):
        """Late and new rows of every state: sealed ones that the store does not get, and open ones."""
        os.environ["TIMESERIES_FAILPOINT"] = "upload.attempted=error"
        self.addCleanup(os.environ.pop, "TIMESERIES_FAILPOINT", None)
        for day in (3, 30, 58, 70):
            self.insert(db, day, 5)
        with self.assertRaises(support.sqlite3.OperationalError):
            db.execute("SELECT ts_flush('cpu')").fetchone()
        for day in (1, 45, 59, 66):
            self.insert(db, day, 5)
        self.assertEqual({s for (s,) in db.execute("SELECT state FROM ts_files('cpu')")}, {"open", "sealed", "stored"})

    QUERIES = (
        "SELECT ts, n FROM cpu ORDER BY ts DESC", "SELECT ts, n FROM cpu ORDER BY ts", "SELECT ts, n FROM cpu ORDER BY ts DESC LIMIT 3",
        "SELECT ts, n FROM cpu ORDER BY ts LIMIT 3", "SELECT ts, n FROM cpu ORDER BY ts DESC LIMIT 40 OFFSET 25",
        "SELECT ts, n FROM cpu WHERE ts < {0} ORDER BY ts DESC LIMIT 30", "SELECT ts, n FROM cpu WHERE ts > {0} ORDER BY ts LIMIT 30",
        "SELECT ts, n FROM cpu WHERE ts BETWEEN {0} - 900000000 AND {0} ORDER BY ts DESC",
        "SELECT ts, n FROM cpu WHERE host = 'h1' ORDER BY ts DESC LIMIT 9",
        "SELECT ts, n FROM cpu WHERE n % 17 = 0 ORDER BY ts DESC LIMIT 5",
        "SELECT max(ts) FROM cpu", "SELECT min(ts) FROM cpu", "SELECT max(ts) FROM cpu WHERE host = 'h2' AND ts < {0}",
        "SELECT a.ts, (SELECT b.n FROM cpu b WHERE b.ts < a.ts ORDER BY b.ts DESC LIMIT 1) FROM cpu a WHERE a.ts > {0} ORDER BY a.ts DESC",
        "SELECT n FROM (SELECT ts, n FROM cpu ORDER BY ts DESC LIMIT 5) UNION ALL "
        "SELECT n FROM (SELECT ts, n FROM cpu ORDER BY ts LIMIT 5)",
        "SELECT a.n, b.n FROM (SELECT n, ts FROM cpu ORDER BY ts LIMIT 7) a JOIN (SELECT n, ts FROM cpu ORDER BY ts DESC LIMIT 7) b",
    )

    def test_answers_are_those_of_a_plain_table(self):
        """Whatever is in which state and however the archive is listed, rows come in order, each once."""
        self.leave_in_the_spool(self.written)
        for options in ("flush_interval='1d'", "max_staleness='1h'"):
            db = self.written if options != "max_staleness='1h'" else self.open("writer", options)
            for query in self.QUERIES:
                sql = query.format(START + 33 * DAY)
                for attempt in range(2):
                    with self.subTest(query=sql, options=options, attempt=attempt):
                        self.assertEqual(db.execute(sql).fetchall(), self.plain.execute(sql).fetchall())

    def test_a_few_rows_without_an_order_list_one_page(self):
        """LIMIT alone lists and opens what it needs."""
        db = self.open("reader")
        for _ in range(2):
            self.assertEqual(len(db.execute("SELECT n FROM cpu LIMIT 9").fetchall()), 9)
        self.assertLessEqual(self.facts(db)["files_listed"], 4)  # of a page what is whole partitions
        self.assertLessEqual(self.facts(db)["files_read"], 3)

    def test_the_newest_and_the_oldest_rows(self):
        """Both ends are found by few LISTs, and few files are opened; the more rows are asked for, the further it goes."""
        db = self.open("reader")
        for sql, files in (("SELECT n FROM cpu ORDER BY ts DESC LIMIT 3", 12), ("SELECT max(ts) FROM cpu", 12),
                           ("SELECT n FROM cpu ORDER BY ts LIMIT 3", 12), ("SELECT min(ts) FROM cpu", 12),
                           ("SELECT n FROM cpu WHERE host = 'h1' ORDER BY ts DESC LIMIT 1", 12)):
            with self.subTest(sql):
                expected = self.plain.execute(sql).fetchall()
                for _ in range(2):  # the second one knows that the archive is large
                    self.assertEqual(db.execute(sql).fetchall(), expected)
                    self.assertLess(self.facts(db)["files_listed"], (DAYS + 12) // 2)
                    self.assertLessEqual(self.facts(db)["files_read"], files)
        listed = []
        for limit in (1, 40, 150, 1000):
            db.execute("SELECT n FROM cpu ORDER BY ts DESC LIMIT %d" % limit).fetchall()
            listed.append(self.facts(db)["files_listed"])
        self.assertEqual(listed, sorted(listed))
        self.assertEqual(listed[-1], DAYS + 12)

    def test_the_last_row_of_each_series(self):
        """By a subquery for each series the newest files that hold them are opened; a series that ended long ago costs what is between."""
        for host, day in (("gone", 2),):
            for each in (self.written, self.plain):
                each.execute("INSERT INTO cpu VALUES(?,?,?)", (START + day * DAY, host, -1))
            support.flush(self.written, "cpu")
        sql = ("SELECT host, (SELECT n FROM cpu WHERE cpu.host = series.host ORDER BY ts DESC LIMIT 1) FROM series ORDER BY host")
        db = self.open("reader")
        for each in (db, self.plain):
            each.execute("CREATE TABLE series(host TEXT)")
            each.executemany("INSERT INTO series VALUES(?)", [("h%d" % i,) for i in range(4)])
        self.assertEqual(db.execute(sql).fetchall(), self.plain.execute(sql).fetchall())
        self.assertLess(self.facts(db)["files_listed"], (DAYS + 12) // 2)
        self.assertLessEqual(self.facts(db)["files_read"], 4 * 4)
        for each in (db, self.plain):
            each.execute("INSERT INTO series VALUES('gone')")
        self.assertEqual(db.execute(sql).fetchall(), self.plain.execute(sql).fetchall())
        self.assertEqual(db.execute(sql).fetchall()[0], ("gone", -1))


if __name__ == "__main__":
    unittest.main()
