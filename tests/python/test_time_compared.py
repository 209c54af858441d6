# The time column in comparisons: text and other units are errors wherever SQLite hands them over; numbers of any size are exact.
import sqlite3
import unittest

from . import support

UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
PARTITIONS = ("hour", "day", "month")
HINT = "timeseries: column \"ts\" of v is a time and cannot be compared with the text '%s'; write ts('%s')"


class Text(support.TimeseriesCase):
    def setUp(self):
        super().setUp()
        self.db = self.connect(isolation_level=None)
        self.db.execute("CREATE VIRTUAL TABLE v USING timeseries(ts TIMESTAMP, n INTEGER, location='%s', flush_on_close='never')"
                        % self.file_location())
        self.db.execute("INSERT INTO v VALUES('2026-11-23', 1)")
        self.db.execute("CREATE TABLE k(at TEXT, n INTEGER)")
        self.db.execute("INSERT INTO k VALUES('2026-11-23', 1)")

    def test_text_is_refused_in_every_form_that_sqlite_hands_over(self):
        """A comparison of the time with text that SQLite hands over is an error with the remedy, never an empty answer."""
        text = "2026-11-23"
        told = HINT % (text, text)
        for sql in ["SELECT * FROM v WHERE ts = '%s'", "SELECT * FROM v WHERE '%s' = ts", "SELECT * FROM v WHERE ts == '%s'",
                    "SELECT * FROM v WHERE ts > '%s'", "SELECT * FROM v WHERE ts >= '%s'",
                    "SELECT * FROM v WHERE ts < '%s'", "SELECT * FROM v WHERE ts <= '%s'", "SELECT * FROM v WHERE ts <> '%s'",
                    "SELECT * FROM v WHERE ts != '%s'",
                    "SELECT * FROM v WHERE ts IS '%s'", "SELECT * FROM v WHERE ts IS NOT '%s'",
                    "SELECT * FROM v WHERE ts IS NOT DISTINCT FROM '%s'",
                    "SELECT * FROM v WHERE ts BETWEEN '%s' AND 5", "SELECT * FROM v WHERE ts BETWEEN 5 AND '%s'",
                    "SELECT * FROM v WHERE ts IN (5, '%s')", "SELECT * FROM v WHERE ts IN ('%s')",
                    "SELECT * FROM v WHERE ts IN (SELECT at FROM k WHERE at = '%s')",
                    "SELECT * FROM v WHERE ts = (SELECT at FROM k WHERE at = '%s')",
                    "SELECT * FROM v WHERE ts > date('%s')", "SELECT * FROM v WHERE ts = 5 OR ts = '%s' OR ts = 6",
                    "SELECT * FROM v WHERE n = 1 AND ts > '%s'",
                    "SELECT * FROM v WHERE (ts, n) = ('%s', 1)", "SELECT * FROM v WHERE (ts, n) > ('%s', 1)",
                    "SELECT * FROM v WHERE (ts, n) <= ('%s', 1)", "SELECT * FROM v WHERE (n, ts) = (1, '%s')",
                    "SELECT * FROM k LEFT JOIN v ON v.ts = k.at /* %s */", "SELECT * FROM k LEFT JOIN v ON v.ts >= k.at /* %s */",
                    "SELECT * FROM k LEFT JOIN v ON v.ts > '%s'",
                    "SELECT * FROM k CROSS JOIN v WHERE v.ts = k.at /* %s */", "SELECT * FROM k CROSS JOIN v ON v.ts < k.at /* %s */",
                    "SELECT (SELECT count(*) FROM v WHERE v.ts = k.at) FROM k /* %s */",
                    "SELECT * FROM k WHERE EXISTS (SELECT 1 FROM v WHERE v.ts > k.at) /* %s */",
                    "SELECT count(*) FROM v WHERE ts > '%s'", "SELECT ts FROM v WHERE ts > '%s' ORDER BY ts DESC LIMIT 1",
                    "SELECT * FROM v a JOIN v b ON a.n = b.n AND a.ts > '%s'",
                    "SELECT ts FROM v GROUP BY ts HAVING ts > '%s'", "DELETE FROM k WHERE n IN (SELECT n FROM v WHERE ts > '%s')"]:
            with self.subTest(sql=sql):
                self.assertFails(self.db, sql % text, told)

    def test_text_that_looks_like_a_number_is_text(self):
        """'5' is refused like any other text, so that no query works by its luck."""
        self.assertFails(self.db, "SELECT * FROM v WHERE ts > '1795392000000'", HINT % ("1795392000000", "1795392000000"))
        self.assertFails(self.db, "SELECT * FROM v WHERE ts = ?", HINT % ("5", "5"), ("5",))

    def test_forms_that_sqlite_keeps_to_itself_follow_its_own_rules(self):
        """Where SQLite compares itself, as the README lists, integer against text is what it is in any table."""
        self.db.execute("CREATE TABLE p(ts INTEGER, n INTEGER)")
        self.db.execute("INSERT INTO p SELECT ts, n FROM v")
        for form in ["SELECT count(*) FROM {} WHERE +ts < '2'", "SELECT ts < '2' FROM {}",
                     "SELECT count(*) FILTER (WHERE ts < '2') FROM {}", "SELECT count(*) FROM {} WHERE NOT ts < '2'",
                     "SELECT CASE WHEN ts < '2' THEN 1 ELSE 2 END FROM {}", "SELECT count(*) FROM {} WHERE ts < '2' OR n + 0 = 1",
                     "SELECT max(ts) FROM {} HAVING max(ts) > '2'"]:
            with self.subTest(form=form):
                self.assertEqual(self.db.execute(form.format("v")).fetchall(), self.db.execute(form.format("p")).fetchall())

    def test_another_unit_is_refused(self):
        """A bound that a ts function made in another unit than the table's is an error, not a factor of a thousand."""
        told = 'timeseries: column "ts" of v counts ms, but the value is in s; write ts(...)'
        for sql in ("SELECT * FROM v WHERE ts >= ts_s('2026-11-23')",
                    "SELECT * FROM v WHERE ts BETWEEN ts('2026-11-23') AND ts_s('2026-11-24')",
                    "SELECT * FROM v WHERE (ts, n) > (ts_s('2026-11-23'), 1)"):
            self.assertFails(self.db, sql, told)
        self.assertEqual(self.db.execute("SELECT n FROM v WHERE ts >= ts('2026-11-23') AND ts < ts('2026-11-24')").fetchall(), [(1,)])

    def test_a_refused_comparison_leaves_the_connection_well(self):
        """After the error the same statement with a number works."""
        for bound, rows in (("x", None), (0, 1), ("x", None), (1e300, 0)):
            if rows is None:
                with self.assertRaises(sqlite3.Error):
                    self.db.execute("SELECT count(*) FROM v WHERE ts > ?", (bound,)).fetchone()
            else:
                self.assertEqual(self.db.execute("SELECT count(*) FROM v WHERE ts > ?", (bound,)).fetchone(), (rows,))


class Numbers(support.TimeseriesCase):
    def tables(self, precision, partition):
        """`v` with rows in stored and open shards, `p` an ordinary table with the same."""
        db = self.connect(isolation_level=None)
        db.execute("CREATE VIRTUAL TABLE v USING timeseries(ts TIMESTAMP, n INTEGER, location='%s', precision='%s', partition='%s', "
                   "flush_on_close='never')"
                   % (self.file_location("%s-%s" % (precision, partition)), precision, partition))
        db.execute("CREATE TABLE p(ts INTEGER, n INTEGER)")
        unit = UNITS[precision]
        base = 1_795_392_000
        first, last = ((-9_214_560_000, 9_214_646_399) if precision == "ns" else (-62_135_596_800, 253_402_300_799))  # the storable years
        seconds = [base + d for d in (0, 1, 3599, 3600, 86399, 86400, 31 * 86400, 366 * 86400)] + [0, -1, -86400, first, last]
        times = sorted({s * unit + f for s in seconds for f in ((0,) if unit == 1 else (0, 1, unit - 1))})
        for n, at in enumerate(times):
            for table in "vp":
                db.execute("INSERT INTO %s VALUES(?,?)" % table, (at, n))
            if n == len(times) // 2:
                db.execute("SELECT ts_flush('v')").fetchone()
        return db, times

    def bounds(self, times):
        around = [t + d for t in times for d in (-1, 0, 1)]
        huge = [2**63 - 1, -(2**63), 2**62, -(2**62), 0, 253_402_300_800_000, -62_135_596_800_001]
        reals = [float(t) for t in times] + [t + 0.5 for t in times[::3]] + [1e300, -1e300, 9.2e18, -9.2e18, 9223372036854775808.0,
                -9223372036854775808.0, float("inf"), float("-inf"), -0.0, 0.5, -0.5]
        return around + huge + reals + [None, b"", b"\xff"]

    def test_bounds_are_exact_in_every_precision_and_partition(self):
        """A bound of any number, NULL or blob cuts exactly as in an ordinary table, in every precision and partition."""
        for precision in UNITS:
            for partition in PARTITIONS:
                with self.subTest(precision=precision, partition=partition):
                    db, times = self.tables(precision, partition)
                    for bound in self.bounds(times):
                        for op in ("=", "<", "<=", ">", ">=", "<>", "IS", "IS NOT"):
                            sql = "SELECT n FROM %%s WHERE ts %s ? ORDER BY n" % op
                            self.assertEqual(db.execute(sql % "v", (bound,)).fetchall(), db.execute(sql % "p", (bound,)).fetchall(),
                                             (op, bound))
                    db.close()

    def test_in_and_between(self):
        """IN takes integers, whole reals, NULLs and blobs, from a list or a subquery, and BETWEEN any two of them."""
        for precision, partition in (("ns", "hour"), ("ms", "day"), ("s", "month")):
            db, times = self.tables(precision, partition)
            bounds = self.bounds(times)
            db.execute("CREATE TABLE k(at)")
            db.executemany("INSERT INTO k VALUES(?)", [(b,) for b in bounds])
            for i in range(0, len(bounds), 3):
                some = bounds[i:i + 5]
                for sql in ("SELECT n FROM %%s WHERE ts IN (%s) ORDER BY n" % ",".join("?" * len(some)),
                            "SELECT n FROM %%s WHERE ts NOT IN (%s) ORDER BY n" % ",".join("?" * len(some))):
                    self.assertEqual(db.execute(sql % "v", some).fetchall(), db.execute(sql % "p", some).fetchall(), (sql, some))
                sql = "SELECT n FROM %s WHERE ts BETWEEN ? AND ? ORDER BY ts"
                two = (some + some)[:2]
                self.assertEqual(db.execute(sql % "v", two).fetchall(), db.execute(sql % "p", two).fetchall(), two)
            for sql in ("SELECT n FROM %s WHERE ts IN (SELECT at FROM k) ORDER BY n",
                        "SELECT n FROM %s WHERE ts IN (SELECT at FROM k WHERE typeof(at) = 'real') ORDER BY ts DESC",
                        "SELECT n FROM %s WHERE ts IN () ORDER BY n", "SELECT n FROM %s WHERE ts IN (NULL) ORDER BY n",
                        "SELECT count(*) FROM %s WHERE ts IN (SELECT ts FROM p) AND n > 3"):
                self.assertEqual(db.execute(sql % "v").fetchall(), db.execute(sql % "p").fetchall(), sql)
            # More members than shards are asked for.
            many = list(range(times[0], times[0] + 3000)) + times
            sql = "SELECT count(*) FROM v WHERE ts IN (%s)" % ",".join(map(str, many))
            self.assertEqual(db.execute(sql).fetchone(), (len(times),))
            db.close()

    def test_rows_come_in_the_order_of_time(self):
        """ORDER BY the time gives both directions, over files that touch and overlap, with any LIMIT and OFFSET."""
        db, times = self.tables("ms", "day")
        for n, at in enumerate(times):
            for table in "vp":
                db.execute("INSERT INTO %s VALUES(?,?)" % table, (at + n % 2, 1000 + n))
            if n % 10 == 0:
                db.execute("SELECT ts_flush('v')").fetchone()
        for direction in ("", " DESC"):
            for limit in (None, 0, 1, 2, 7, 40, 1000):
                for offset in (0, 1, 5, 1000):
                    tail = " ORDER BY ts" + direction + ("" if limit is None else " LIMIT %d OFFSET %d" % (limit, offset))
                    for sql in ("SELECT ts FROM %s" + tail, "SELECT ts FROM %s WHERE (ts, n) > (0, 5)" + tail):
                        self.assertEqual(db.execute(sql % "v").fetchall(), db.execute(sql % "p").fetchall(), sql)


if __name__ == "__main__":
    unittest.main()
