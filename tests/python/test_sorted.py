# Rows come sorted by the tags, and by time among those, where shards hold them so: SQLite then needs no sorter of its own.
import os
import random
import unittest

from . import support

TAGS = "host TEXT TAG, core INTEGER TAG"
QUERIES = [  # query, the plan's word; None: SQLite sorts
    ("SELECT host, core, ts, v FROM {} ORDER BY host, core, ts", "sorted:host,core,ts"),
    ("SELECT host, core FROM {} ORDER BY host, core", "sorted:host,core"),
    ("SELECT host FROM {} WHERE v > 3 ORDER BY host", "sorted:host"),
    ("SELECT host, core, ts FROM {} WHERE ts >= 1795392100000 ORDER BY host, core, ts LIMIT 7 OFFSET 2", "sorted:host,core,ts"),
    ("SELECT host, core, ts FROM {} WHERE host = 'b' ORDER BY host, core, ts", "sorted:host,core,ts"),
    ("SELECT host, count(*), sum(v), max(ts) FROM {} GROUP BY host", "sorted:host"),
    ("SELECT core, host, count(*), min(v) FROM {} GROUP BY core, host", "sorted:host,core"),
    ("SELECT DISTINCT host FROM {}", "sorted:host"),
    ("SELECT host, core, row_number() OVER (PARTITION BY host, core ORDER BY ts) FROM {} WHERE v IS NOT NULL", "sorted:host,core,ts"),
    ("SELECT core FROM {} ORDER BY core", None),
    ("SELECT host FROM {} ORDER BY host DESC", None),
    ("SELECT host, ts FROM {} ORDER BY host, ts", None),
    ("SELECT core, host FROM {} ORDER BY core, host", None),
    ("SELECT host FROM {} ORDER BY host COLLATE NOCASE", None),
]


class Sorted(support.TimeseriesCase):
    def fill(self, columns, make):
        db = self.connect(so=support.WITH_FAILPOINTS, isolation_level=None)
        db.execute("CREATE VIRTUAL TABLE v USING timeseries(ts TIMESTAMP, %s, v INTEGER, location='%s', flush_on_close='never', "
                   "flush_timeout='%dms')" % (columns, self.file_location(), 300 * support.PATIENCE))
        db.execute("CREATE TABLE p(ts INTEGER, %s, v INTEGER)" % columns.replace(" TAG", ""))

        def add(count):
            rows = [make() for _ in range(count)]
            db.execute("BEGIN")
            db.executemany("INSERT INTO v VALUES(?,?,?,?)", rows)
            db.execute("COMMIT")
            db.executemany("INSERT INTO p VALUES(?,?,?,?)", rows)

        os.environ["TIMESERIES_FAILPOINT"] = "none=error"
        self.addCleanup(os.environ.pop, "TIMESERIES_FAILPOINT", None)
        for count in (3000, 40, 700):
            add(count)
            db.execute("SELECT ts_flush('v')").fetchone()
        os.environ["TIMESERIES_FAILPOINT"] = "upload.attempted=error"
        add(500)
        with self.assertRaises(support.sqlite3.OperationalError):
            db.execute("SELECT ts_flush('v')").fetchone()
        add(100)
        self.assertEqual({s for (s,) in db.execute("SELECT state FROM ts_files('v')")}, {"open", "sealed", "stored"})
        return db

    def plan(self, db, query):
        return " ".join(row[3] for row in db.execute("EXPLAIN QUERY PLAN " + query))

    def test_rows_come_sorted_by_tags(self):
        rng = random.Random(5)
        db = self.fill(TAGS, lambda: (1795392000000 + rng.randrange(3 * 86400) * 1000, rng.choice(["a", "b", "B", "", None, "host"]),
                                      rng.choice([None, 0, 1, 2, -1]), rng.choice([None, 1, 2, 3, 4, 5])))
        db.execute("BEGIN")  # a transaction's own rows are sorted in between
        for row in [(1795392000001, "b", 7, 1), (1795392000001, "a", 0, 1)]:
            db.execute("INSERT INTO v VALUES(?,?,?,?)", row)
            db.execute("INSERT INTO p VALUES(?,?,?,?)", row)
        for query, word in QUERIES:
            with self.subTest(query):
                plan = self.plan(db, query.format("v"))
                if word:
                    self.assertIn(word + " ", plan)
                    if "DISTINCT" not in query:  # SQLite does not trust a virtual table's order for that
                        self.assertNotIn("TEMP B-TREE", plan)
                else:
                    self.assertNotIn("sorted:", plan)
                mine, theirs = db.execute(query.format("v")).fetchall(), db.execute(query.format("p")).fetchall()
                if "ORDER BY host, core, ts" in query and "OVER" not in query:
                    self.assertEqual([row[:3] for row in mine], [row[:3] for row in theirs])
                elif "ORDER BY" in query and "OVER" not in query:
                    def first(rows):  # b and B are the same to NOCASE
                        return [str(row[0]).lower() if "NOCASE" in query else row[0] for row in rows]
                    self.assertEqual(first(mine), first(theirs))
                else:
                    self.assertEqual(sorted(mine, key=repr), sorted(theirs, key=repr))

    def test_what_equal_tags_are_written_like_is_sorted_by_sqlite(self):
        rng = random.Random(6)
        db = self.fill("host TAG, core INTEGER TAG", lambda: (1795392000000 + rng.randrange(900), rng.choice([1, 1.0, "1", b"1", 2]), 1, 1))
        query = "SELECT host, core, ts FROM {} ORDER BY host, core, ts"
        self.assertIn("TEMP B-TREE", self.plan(db, query.format("v")))
        self.assertEqual([row[2] for row in db.execute(query.format("v"))], [row[2] for row in db.execute(query.format("p"))])
        query = "SELECT host, count(*) FROM {} GROUP BY host"
        self.assertNotIn("TEMP B-TREE", self.plan(db, query.format("v")))
        counts = [sorted(count for _, count in db.execute(query.format(table))) for table in "vp"]
        self.assertEqual(counts[0], counts[1])


if __name__ == "__main__":
    unittest.main()
