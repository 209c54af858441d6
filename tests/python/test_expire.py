# ts_expire and retention: whole partitions go, oldest first, nothing younger, and what comes late is seen.
import glob
import time
import unittest

from . import support

DAY = 86400000
OLD = 1577836800000  # 2020-01-01


class Expire(support.TimeseriesCase):
    def setUp(self):
        super().setUp()
        self.location = self.file_location()
        self.db = self.table("spool")
        for day in range(4):
            self.write(self.db, [(OLD + day * DAY + i, "web1", i) for i in range(10)])
        self.write(self.db, [(OLD + 1000, "web2", 1)])

    def table(self, spool, options=", compact_grace='0'"):
        db = self.connect(isolation_level=None)
        db.execute("CREATE VIRTUAL TABLE cpu USING timeseries(ts TIMESTAMP, host TEXT TAG, v REAL, location='%s', spool='%s'%s)"
                   % (self.location, self.path(spool), options))
        return db

    def write(self, db, rows):
        db.executemany("INSERT INTO cpu VALUES(?,?,?)", rows)
        db.execute("SELECT ts_flush('cpu')").fetchall()

    def names(self):
        return sorted(path[len(self.path("archive", "cpu")) + 1:] for path in glob.glob(self.path("archive", "cpu", "*", "*")))

    def test_a_dry_run_lists_and_an_expiry_removes_what_it_listed(self):
        bytes_of = dict(self.db.execute("SELECT substr(name, 5, 10), sum(bytes) FROM ts_files('cpu') GROUP BY 1"))
        expected = [("2020-01-01", 2, 11, bytes_of["2020-01-01"]), ("2020-01-02", 1, 10, bytes_of["2020-01-02"])]
        before = self.names()
        dry = self.db.execute("SELECT * FROM ts_expire('cpu', ts('2020-01-03T12:00:00Z'), 1)").fetchall()
        self.assertEqual(dry, [row + (0,) for row in expected])
        self.assertEqual(self.names(), before)
        self.assertEqual(self.db.execute("SELECT count(*) FROM cpu").fetchone(), (41,))
        done = self.db.execute("SELECT * FROM ts_expire('cpu', ts('2020-01-03T12:00:00Z'))").fetchall()
        self.assertEqual(done, [row + (row[1],) for row in expected])
        self.assertEqual(self.db.execute("SELECT min(ts), count(*) FROM cpu").fetchone(), (OLD + 2 * DAY, 20))
        self.assertEqual([name for name in self.names() if name < "2020-01-03"],
                         ["2020-01-01/merge-000001.json", "2020-01-02/merge-000001.json"])
        self.assertEqual(self.db.execute("SELECT * FROM ts_expire('cpu', ts('2020-01-03'))").fetchall(), [])
        self.assertEqual(self.db.execute("SELECT count(*) FROM ts_verify('cpu') WHERE state <> 'ok'").fetchone(), (0,))

    def test_with_a_grace_rows_go_at_once_and_files_later(self):
        other = self.table("other", "")
        self.assertEqual([row[-1] for row in other.execute("SELECT * FROM ts_expire('cpu', ts('2020-01-02'))")], [0])
        self.assertEqual(other.execute("SELECT count(*) FROM cpu").fetchone(), (30,))
        self.assertEqual(self.db.execute("SELECT count(*) FROM cpu").fetchone(), (30,))
        self.assertEqual(self.db.execute("SELECT state, count(*) FROM ts_verify('cpu') WHERE state <> 'ok' GROUP BY 1").fetchall(),
                         [("dead", 2)])
        self.assertEqual(len([name for name in self.names() if name.startswith("2020-01-01/2")]), 2)

    def test_rows_that_come_late_are_seen_until_the_next_expiry(self):
        self.db.execute("SELECT * FROM ts_expire('cpu', ts('2020-01-02'))").fetchall()
        self.write(self.db, [(OLD + 7, "late", 1)])
        self.assertEqual(self.db.execute("SELECT host FROM cpu WHERE ts < ts('2020-01-02')").fetchall(), [("late",)])
        self.assertEqual([row[1] for row in self.db.execute("SELECT * FROM ts_expire('cpu', ts('2020-01-02'))")], [1])
        self.assertEqual(self.db.execute("SELECT count(*) FROM cpu").fetchone(), (30,))

    def test_a_reader_in_the_middle_of_a_statement_goes_on_while_the_grace_lasts(self):
        reader = self.table("reader", "")
        rows = reader.execute("SELECT ts FROM cpu ORDER BY ts")
        first = rows.fetchone()
        self.table("other", "").execute("SELECT * FROM ts_expire('cpu', ts('2020-01-05'))").fetchall()
        self.assertEqual(len([first] + rows.fetchall()), 41)
        self.assertEqual(reader.execute("SELECT count(*) FROM cpu").fetchone(), (0,))

    def test_mistakes_are_errors(self):
        self.assertFails(self.db, "SELECT * FROM ts_expire('cpu')",
                         "ts_expire: say before which time: ts_expire('cpu', ts('now', '-90 days'))")
        self.assertFails(self.db, "SELECT * FROM ts_expire('cpu', NULL)",
                         "ts_expire: say before which time: ts_expire('cpu', ts('now', '-90 days'))")
        self.assertFails(self.db, "SELECT * FROM ts_expire('cpu', ts('9000-01-01'))",
                         "ts_expire: 9000-01-01T00:00:00.000Z lies in the future; give a time that has passed, in ms as ts(...) returns it")
        with self.assertRaisesRegex(Exception, "but the value is in s"):
            self.db.execute("SELECT * FROM ts_expire('cpu', ts_s('2020-01-02'))").fetchall()
        self.db.execute("CREATE VIEW hidden AS SELECT * FROM ts_expire('cpu', ts('2020-01-02'))")
        self.assertFails(self.db, "SELECT * FROM hidden", "unsafe use of virtual table \"ts_expire\"")
        self.assertFails(self.db, "DELETE FROM cpu", "timeseries: cpu is append-only; DELETE is not possible; ts_expire "
                         "removes what is older than a time, by whole partitions")
        self.assertEqual(self.db.execute("SELECT count(*) FROM cpu").fetchone(), (41,))

    def test_retention_works_in_the_background_and_spares_what_is_young(self):
        young = int(time.time() * 1000)
        self.write(self.db, [(young, "now", 1)])
        keeper = self.table("keeper", ", compact_grace='0', retention='90 days'")
        deadline = time.monotonic() + 60 * support.PATIENCE
        while keeper.execute("SELECT count(*) FROM cpu").fetchone() != (1,):
            self.assertLess(time.monotonic(), deadline, keeper.execute("SELECT last_error FROM ts_status('cpu')").fetchone())
            time.sleep(0.05)
        self.assertEqual(keeper.execute("SELECT ts, host FROM cpu").fetchall(), [(young, "now")])


if __name__ == "__main__":
    unittest.main()
