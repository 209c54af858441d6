# What a query asks the store for, and what EXPLAIN QUERY PLAN says about it.
import json
import re
import unittest

from . import support

DAYS = 300
CREATE = "CREATE VIRTUAL TABLE cpu USING timeseries(ts TIMESTAMP, host TEXT TAG, n INTEGER, location='%s', flush_on_close='never')"
FACTS = ("files_listed", "files_pruned", "files_read", "requests", "rows_returned")
# In a process and a spool that know nothing: each query, then what it cost.
COLD = """
import json, sys
location, queries = sys.argv[1], json.loads(sys.argv[2])
db = support.connect(isolation_level=None)
db.execute("%s" %% location)
for sql in queries:
    rows = db.execute(sql).fetchall()
    facts = db.execute("SELECT files_listed, files_pruned, files_read, requests, rows_returned FROM ts_last_query()").fetchone()
    print(json.dumps([rows, facts]))
""" % CREATE


class Requests(support.TimeseriesCase):
    """300 daily files on S3."""

    def setUp(self):
        super().setUp()
        self.location = self.s3_location()
        db = self.connect(isolation_level=None)
        db.execute(CREATE % self.location)
        db.execute("BEGIN")
        db.execute("WITH RECURSIVE d(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM d WHERE i < %d) INSERT INTO cpu SELECT "
                   "ts('2026-01-01', '+' || i || ' days', h || ' hours'), "
                   "'web' || h, i FROM d, (SELECT 6 AS h UNION ALL SELECT 18)" % (DAYS - 1))
        db.execute("COMMIT")
        self.assertEqual(db.execute("SELECT ts_flush('cpu')").fetchone(), (DAYS,))

    def cold(self, *queries):
        """[(rows, facts)] of the queries, in a fresh process with a fresh spool."""
        done = support.python(COLD, self.location, json.dumps(queries), env=support.environment(XDG_STATE_HOME=self.path("fresh")))
        return [(rows, dict(zip(FACTS, facts))) for rows, facts in map(json.loads, done.stdout.splitlines())]

    def test_one_day(self):
        """A query of one day asks at most four times when it knows nothing and twice when it knows the archive, and for one file only."""
        day = "SELECT count(*), min(n), max(n) FROM cpu WHERE ts >= ts('2026-06-10') AND ts < ts('2026-06-11')"
        other = "SELECT count(*), min(n), max(n) FROM cpu WHERE ts BETWEEN ts('2026-03-01') AND ts('2026-03-01T23:59:59')"
        first, second, again = self.cold(day, other, day)
        self.assertEqual(first[0], [[2, 160, 160]])
        self.assertLessEqual(first[1]["requests"], 4)
        self.assertEqual(second[0], [[2, 59, 59]])
        self.assertLessEqual(second[1]["requests"], 2)
        self.assertEqual(again[1]["requests"], 1)
        for _, facts in (first, second, again):
            self.assertEqual(facts["files_read"], 1)
            self.assertEqual(facts["files_pruned"], facts["files_listed"] - 1)

    def test_one_instant(self):
        """= and IN on the time read the files whose range holds it, and none where none does."""
        for sql, rows, read in (("SELECT n FROM cpu WHERE ts = ts('2026-06-10T06:00')", [[160]], 1),
                                ("SELECT n FROM cpu WHERE ts = ts('2026-06-10T03:00')", [], 0),
                                ("SELECT n FROM cpu WHERE ts > ts('2026-06-10T18:00') AND ts < ts('2026-06-11T06:00')", [], 0),
                                ("SELECT n FROM cpu WHERE ts > 5 AND ts < 3", [], 0),
                                ("SELECT n FROM cpu WHERE ts > NULL", [], 0)):
            ((found, facts),) = self.cold(sql)
            self.assertEqual((found, facts["files_read"]), (rows, read), sql)

    def test_the_newest_rows(self):
        """ORDER BY the time with a LIMIT reads the files at that end only."""
        newest, more, oldest, skipped, bounded, limited = self.cold(
            "SELECT n FROM cpu ORDER BY ts DESC LIMIT 1", "SELECT n FROM cpu ORDER BY ts DESC LIMIT 10",
            "SELECT n FROM cpu ORDER BY ts LIMIT 2",
            "SELECT n FROM cpu ORDER BY ts DESC LIMIT 1 OFFSET 2",
            "SELECT n FROM cpu WHERE ts < ts('2026-06-11') ORDER BY ts DESC LIMIT 1", "SELECT n FROM cpu LIMIT 1")
        self.assertEqual((newest[0], newest[1]["files_read"]), ([[DAYS - 1]], 1))
        self.assertLessEqual(newest[1]["requests"], 4)
        self.assertEqual(more[0], [[DAYS - 1 - i // 2] for i in range(10)])
        self.assertLessEqual(more[1]["files_read"], 5 + 4)  # two rows a file; the more files were not enough, the more go ahead
        self.assertEqual((oldest[0], oldest[1]["files_read"]), ([[0], [0]], 1))
        self.assertEqual(skipped[0], [[DAYS - 2]])
        self.assertLessEqual(skipped[1]["files_read"], 2)
        self.assertEqual((bounded[0], bounded[1]["files_read"]), ([[160]], 1))
        self.assertEqual(len(limited[0]), 1)
        self.assertEqual(limited[1]["files_read"], 1)


class Plans(support.TimeseriesCase):
    FORMS = [
        ("SELECT * FROM t", "SCAN t VIRTUAL TABLE INDEX :columns:1,2,3"),
        ("SELECT count(*) FROM t", "SCAN t VIRTUAL TABLE INDEX :columns:"),
        ("SELECT ts, _file FROM t", "SCAN t VIRTUAL TABLE INDEX :columns:4"),
        ("SELECT host FROM t WHERE ts >= 5 AND ts < 9", "SCAN t VIRTUAL TABLE INDEX :ts>=? ts<? columns:1"),
        ("SELECT host FROM t WHERE ts BETWEEN 5 AND 9", "SCAN t VIRTUAL TABLE INDEX :ts>=? ts<=? columns:1"),
        ("SELECT n FROM t WHERE ts = 5", "SCAN t VIRTUAL TABLE INDEX :ts=? columns:2"),
        ("SELECT n FROM t WHERE ts IS 5", "SCAN t VIRTUAL TABLE INDEX :ts=? columns:2"),
        ("SELECT n FROM t WHERE ts <> 5", "SCAN t VIRTUAL TABLE INDEX :ts<>? columns:2"),
        ("SELECT n FROM t WHERE ts IS NULL", "SCAN t VIRTUAL TABLE INDEX :ts:null columns:2"),
        ("SELECT n FROM t WHERE host = 'a' AND n > 5", "SCAN t VIRTUAL TABLE INDEX :host=? n>? columns:1,2"),
        ("SELECT n FROM t WHERE host > 'a'", "SCAN t VIRTUAL TABLE INDEX :host>? columns:1,2"),
        ("SELECT n FROM t WHERE host = 'a' COLLATE NOCASE", "SCAN t VIRTUAL TABLE INDEX :host@NOCASE=? columns:1,2"),
        ("SELECT n FROM t WHERE host IS NULL", "SCAN t VIRTUAL TABLE INDEX :host:null columns:1,2"),
        ("SELECT n FROM t WHERE host IS NOT NULL", "SCAN t VIRTUAL TABLE INDEX :columns:1,2"),
        ("SELECT n FROM t WHERE \"my col\" = 5", "SCAN t VIRTUAL TABLE INDEX :columns:2,3"),  # no affinity: only SQLite compares
        ("SELECT ts FROM t ORDER BY ts", "SCAN t VIRTUAL TABLE INDEX :order:asc columns:"),
        ("SELECT ts FROM t WHERE ts > 5 ORDER BY ts DESC", "SCAN t VIRTUAL TABLE INDEX :ts>? order:desc columns:"),
        ("SELECT ts FROM t GROUP BY ts", "SCAN t VIRTUAL TABLE INDEX :order:asc columns:"),
    ]
    SINCE_3_38 = [
        ("SELECT n FROM t WHERE ts IN (5, 6)", "SCAN t VIRTUAL TABLE INDEX :ts:in? columns:2"),
        ("SELECT n FROM t WHERE host IN ('a', 'b')", "SCAN t VIRTUAL TABLE INDEX :host:in? columns:1,2"),
        ("SELECT ts FROM t ORDER BY ts DESC LIMIT 10", "SCAN t VIRTUAL TABLE INDEX :order:desc limit? columns:"),
        ("SELECT ts FROM t ORDER BY ts LIMIT 10 OFFSET 5", "SCAN t VIRTUAL TABLE INDEX :order:asc limit? offset? columns:"),
        ("SELECT ts FROM t WHERE host = 'a' ORDER BY ts DESC LIMIT 1", "SCAN t VIRTUAL TABLE INDEX :host=? order:desc limit? columns:1"),
        ("SELECT ts FROM t WHERE host LIKE '%x' ORDER BY ts DESC LIMIT 1", "SCAN t VIRTUAL TABLE INDEX :order:desc columns:1"),
        ("SELECT ts FROM t ORDER BY host LIMIT 3", "SCAN t VIRTUAL TABLE INDEX :sorted:host limit? columns:1"),
        ("SELECT ts FROM t ORDER BY host, ts", "SCAN t VIRTUAL TABLE INDEX :sorted:host,ts columns:1"),
        ("SELECT ts FROM t ORDER BY n LIMIT 3", "SCAN t VIRTUAL TABLE INDEX :columns:2|USE TEMP B-TREE FOR ORDER BY"),
    ]

    def test_explain_query_plan(self):
        """EXPLAIN QUERY PLAN shows, in the words of ext/table/plan.h, what is pushed down; the number of the plan varies."""
        db = self.connect(isolation_level=None)
        db.execute("CREATE VIRTUAL TABLE t USING timeseries(ts TIMESTAMP, host TEXT TAG, n INTEGER, \"my col\", location='%s', "
                   "flush_on_close='never')" % self.file_location())
        forms = self.FORMS + (self.SINCE_3_38 if support.sqlite3.sqlite_version_info >= (3, 38) else [])
        for sql, expected in forms:
            with self.subTest(sql=sql):
                steps = [row[3] for row in db.execute("EXPLAIN QUERY PLAN " + sql)]
                self.assertEqual(re.sub(r"INDEX \d+:", "INDEX :", "|".join(steps)), expected)


if __name__ == "__main__":
    unittest.main()
