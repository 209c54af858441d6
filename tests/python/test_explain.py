# ts_explain tells before a query runs what it takes, and max_bytes and max_requests hold: nothing is asked for beyond them.
import sqlite3
import unittest

from . import support

START = 1795392000000  # 2026-11-23
DAY = 86400000
MIB = 1 << 20
COLUMNS = "ts TIMESTAMP, host TEXT TAG, a REAL, b REAL"
REMEDY = "; bound the time, ask ts_explain what a range takes, or raise the limit"


class Explain(support.TimeseriesCase):
    def setUp(self):
        super().setUp()
        self.where = self.file_location()

    def create(self, db, *options):
        words = ", ".join([COLUMNS, "location='%s'" % self.where, "spool='%s'" % self.path("spool"), *options])
        db.execute("DROP TABLE IF EXISTS temp.cpu")
        db.execute("CREATE VIRTUAL TABLE temp.cpu USING timeseries(%s)" % words)

    def archive(self, days, hosts=40, rows=1500):
        """`days` files of some 1.3 MB: what is read by parts of a series, head first."""
        db = self.connect(isolation_level=None)
        self.create(db, "flush_interval='1d'", "flush_size='4GB'")
        db.execute("BEGIN")
        db.execute("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
                   "INSERT INTO cpu SELECT ? + (i %% %d) * %d + i / %d, 'host' || (i / %d %% %d), random() / 1e9, random() / 1e9 FROM n"
                   % (days, DAY, days, days, hosts), (days * hosts * rows - 1, START))
        db.execute("COMMIT")
        self.assertEqual(support.flush(db, "cpu"), days)
        return db

    def explain(self, db, *bounds):
        row = db.execute("SELECT * FROM ts_explain(%s)" % ", ".join(["'cpu'", *bounds]))
        return dict(zip([c[0] for c in row.description], row.fetchone()))

    def took(self, db):
        return db.execute("SELECT files_read, requests, bytes_read FROM ts_last_query()").fetchone()

    def refused(self, db, sql):
        with self.assertRaises(sqlite3.OperationalError) as caught:
            db.execute(sql).fetchall()
        return str(caught.exception)

    def test_it_tells_what_a_query_of_the_range_takes(self):
        """Files, requests and bytes of ts_explain are those of the query, for each range; the query's bytes have the listing's keys too."""
        db = self.archive(3)
        for bounds, condition in (((), "1"), (("ts('2026-11-24')",), "ts >= ts('2026-11-24')"),
                                  (("NULL", "ts('2026-11-24')"), "ts < ts('2026-11-24')"),
                                  (("ts('2026-11-24')", "ts('2026-11-25')"), "ts >= ts('2026-11-24') AND ts < ts('2026-11-25')"),
                                  (("ts('2027-01-01')",), "ts >= ts('2027-01-01')"),
                                  (("ts('2026-11-25')", "ts('2026-11-24')"), "ts >= ts('2026-11-25') AND ts < ts('2026-11-24')")):
            with self.subTest(bounds=bounds):
                self.create(db)
                told = self.explain(db, *bounds)
                fresh = self.connect()  # whose files are not open yet
                self.create(fresh)
                rows, = fresh.execute("SELECT count(a) FROM cpu WHERE " + condition).fetchone()
                files, requests, read = self.took(fresh)
                self.assertEqual((told["files"], told["rows"]), (files, rows))
                self.assertEqual(told["requests"], requests)
                self.assertEqual(told["requests"], told["lists"] + told["gets"])
                self.assertLessEqual(told["bytes"], read)
                self.assertLess(read - told["bytes"], 2000)

    def test_it_makes_no_get_and_explain_query_plan_no_request(self):
        db = self.archive(2)
        self.create(db)
        told = self.explain(db)
        self.assertEqual((told["files"], told["gets"], told["lists"]), (2, 2, 1))
        before = self.took(db)
        detail = db.execute("EXPLAIN QUERY PLAN SELECT * FROM cpu WHERE ts > 5").fetchone()[3]
        self.assertIn("ts>?", detail)
        self.assertEqual(self.took(db), before)

    def test_prices_and_link_are_what_was_written(self):
        db = self.archive(2)
        self.create(db, "prices='get 500 list 1000 gb 1'", "link='100ms 1MB'")
        told = self.explain(db)
        self.assertEqual((told["lists"], told["gets"]), (1, 2))
        self.assertAlmostEqual(told["dollars"], 2 + told["bytes"] / 1e9)
        self.assertAlmostEqual(told["seconds"], 0.2 + told["bytes"] / MIB)
        self.assertEqual((told["round_trip_ms"], told["bytes_per_s"], told["measured"]), (100, MIB, "given"))

    def test_a_directory_costs_nothing_and_an_unknown_server_nobody_knows_what(self):
        db = self.archive(1)
        self.create(db)
        told = self.explain(db)
        self.assertEqual(told["dollars"], 0)
        self.assertEqual(told["measured"], "round trip")
        db.execute("SELECT sum(a) FROM cpu").fetchone()
        self.assertEqual(self.explain(db)["measured"], "round trip and pace")

    def test_a_query_over_a_limit_is_refused_before_the_first_get(self):
        db = self.archive(3)
        size = sum(row[0] for row in db.execute("SELECT bytes FROM ts_files('cpu')"))
        for options, limit in ((("max_bytes='2MB'",), "max_bytes is %d" % (2 * MIB)), (("max_requests=2",), "max_requests is 2")):
            self.create(db, *options)
            for sql in ("SELECT count(a) FROM cpu", "SELECT host, sum(a) FROM cpu GROUP BY host", "SELECT * FROM cpu WHERE b <> 5"):
                with self.subTest(sql=sql, options=options):
                    self.assertEqual(self.refused(db, sql),
                                     "timeseries: this query of cpu would read 3 files with 3 requests for %d bytes at least, and %s%s"
                                     % (size, limit, REMEDY))
                    files, requests, read = self.took(db)
                    self.assertEqual((files, requests), (0, 1))
            self.assertEqual(db.execute("SELECT count(a) FROM cpu WHERE ts >= ts('2026-11-25')").fetchone()[0], 60000)
            db.execute("CREATE VIRTUAL TABLE temp.daily USING timeseries_rollup(cpu, '1 day')")
            self.assertIn("would read 3 files", self.refused(db, "SELECT sum(a_sum) FROM daily"))
            self.assertEqual(db.execute("SELECT sum(rows) FROM daily WHERE ts >= ts('2026-11-25')").fetchone()[0], 60000)
            db.execute("DROP TABLE daily")

    def test_a_look_up_that_reads_heads_passes_where_whole_files_would_not(self):
        db = self.archive(3)
        self.create(db, "max_bytes='3MB'")
        self.assertIn("max_bytes", self.refused(db, "SELECT count(a) FROM cpu"))
        self.assertEqual(db.execute("SELECT count(a) FROM cpu WHERE host = 'host7'").fetchone()[0], 4500)
        self.assertLess(self.took(db)[2], 3 * MIB)

    def test_what_is_found_lazily_is_bounded_too_and_ends_with_an_error(self):
        """In the order of time files are opened as rows are asked for: the limit holds at each request, and no answer is short."""
        db = self.archive(4)
        self.create(db, "max_bytes='3MB'")
        rows = db.execute("SELECT a FROM cpu ORDER BY ts DESC")
        with self.assertRaises(sqlite3.OperationalError) as caught:
            for _ in rows:
                pass
        self.assertRegex(str(caught.exception),
                         r"^timeseries: max_bytes is 3145728, of which this statement has asked for \d+ and needs another \d+" + REMEDY)
        self.assertLess(self.took(db)[2], 3 * MIB + 2000)
        self.create(db, "max_requests=2")
        self.assertIn("max_requests is 2, and this statement needs another request", self.refused(db, "SELECT a FROM cpu ORDER BY ts"))
        self.assertLessEqual(self.took(db)[1], 2)
        self.assertEqual(len(db.execute("SELECT a FROM cpu ORDER BY ts DESC LIMIT 5").fetchall()), 5)

    def test_statements_are_bounded_one_by_one_and_ts_verify_too(self):
        db = self.archive(2)
        self.create(db, "max_requests=3")
        for _ in range(3):
            self.assertEqual(db.execute("SELECT count(a) FROM cpu").fetchone()[0], 120000)
        self.create(db, "max_requests=2")
        self.assertIn("max_requests is 2", self.refused(db, "SELECT * FROM ts_verify('cpu')"))

    def test_limits_come_from_the_environment(self):
        db = self.archive(2)
        self.setenv("TIMESERIES_MAX_REQUESTS", "1")
        self.create(db)
        self.assertIn("max_requests is 1", self.refused(db, "SELECT count(a) FROM cpu"))
        self.setenv("TIMESERIES_MAX_BYTES", "12")
        self.assertEqual(self.refused(db, "CREATE VIRTUAL TABLE temp.x USING timeseries(ts TIMESTAMP, location='%s')" % self.where),
                         "timeseries: TIMESERIES_MAX_BYTES: must be at least 1MB, or 0 for no limit")

    def test_with_a_cache_what_lies_there_costs_nothing(self):
        db = self.archive(2)
        cache = "cache_dir='%s'" % self.path("cache")
        self.create(db, cache)
        db.execute("SELECT count(a) FROM cpu").fetchone()
        fresh = self.connect()
        self.create(fresh, cache, "max_requests=1")
        self.assertEqual(fresh.execute("SELECT count(a) FROM cpu").fetchone()[0], 120000)


class ExplainS3(Explain):
    def setUp(self):
        super().setUp()
        self.where = self.s3_location()

    def test_a_directory_costs_nothing_and_an_unknown_server_nobody_knows_what(self):
        db = self.archive(1)
        self.create(db)
        self.assertIsNone(self.explain(db)["dollars"])


if __name__ == "__main__":
    unittest.main()
