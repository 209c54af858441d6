# An archive on a static web server: ts_publish writes an index, location='http://...' reads through it, and never shows a mixed state.
import glob
import os
import re
import sqlite3
import unittest

from . import static_server, support

QUERIES = ("SELECT * FROM cpu ORDER BY ts, host", "SELECT host, count(*), sum(v) FROM cpu GROUP BY host ORDER BY host",
           "SELECT * FROM cpu WHERE ts >= ts('2026-11-24') AND ts < ts('2026-11-25') ORDER BY ts, host",
           "SELECT ts, host FROM cpu ORDER BY ts DESC LIMIT 5", "SELECT v FROM cpu WHERE host = 'h1' ORDER BY ts LIMIT 3",
           "SELECT name, start, \"end\", rows, bytes, state FROM ts_files('cpu')",
           "SELECT name, state, problem FROM ts_verify('cpu')")


class Publish(support.TimeseriesCase):
    def setUp(self):
        super().setUp()
        self.location = self.file_location("root")
        self.writer = self.connect(isolation_level=None)
        self.writer.execute("CREATE VIRTUAL TABLE temp.cpu USING timeseries(ts TIMESTAMP, host TEXT TAG, v REAL, location='%s')"
                            % self.location)
        self.server = static_server.StaticServer(self.path("root"))
        self.addCleanup(self.server.stop)

    def write(self, day, rows=30):
        """A file of one day."""
        self.writer.execute("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
                            "INSERT INTO cpu SELECT ts('2026-11-23') + ? * 86400000 + i * 1000, 'h' || (i % 3), i FROM n",
                            (rows - 1, day))
        support.flush(self.writer, "cpu")

    def one(self, db, sql):
        return db.execute(sql).fetchone()[0]

    def reader(self, *options):
        db = self.connect(isolation_level=None)
        words = ", ".join(["location='%s'" % self.server.url, "spool='%s'" % self.path("reader"), *options])
        db.execute("CREATE VIRTUAL TABLE temp.cpu USING timeseries(%s)" % words)
        return db

    def refused(self, db, sql):
        with self.assertRaises(sqlite3.Error) as caught:
            db.execute(sql).fetchall()
        return str(caught.exception)

    def test_it_reads_what_the_archive_holds_in_every_way(self):
        for day in range(3):
            self.write(day)
        self.assertEqual(self.one(self.writer, "SELECT ts_publish('cpu')"), 1)
        for validators in ("strong", "weak", "time"):
            self.server.validators = validators
            db = self.reader()
            for sql in QUERIES:
                with self.subTest(sql=sql, validators=validators):
                    self.assertEqual(db.execute(sql).fetchall(), self.writer.execute(sql).fetchall())
        self.assertEqual(self.one(db, "SELECT sum(rows) FROM ts_files('cpu')"), 90)

    def test_what_is_stored_later_is_seen_when_it_is_published(self):
        self.write(0)
        self.one(self.writer, "SELECT ts_publish('cpu')")
        db = self.reader()
        self.assertEqual(self.one(db, "SELECT count(*) FROM cpu"), 30)
        self.write(1)
        self.assertEqual(self.one(db, "SELECT count(*) FROM cpu"), 30)
        self.assertEqual(self.one(self.writer, "SELECT ts_publish('cpu')"), 2)
        self.assertEqual(self.one(db, "SELECT count(*) FROM cpu"), 60)
        self.assertEqual(self.one(self.reader(), "SELECT count(*) FROM cpu"), 60)

    def test_the_writer_and_readers_of_the_directory_see_no_difference(self):
        self.write(0)
        before = self.writer.execute("SELECT * FROM ts_verify('cpu')").fetchall()
        self.one(self.writer, "SELECT ts_publish('cpu')")
        self.one(self.writer, "SELECT ts_snapshot('cpu')")
        self.assertEqual(self.writer.execute("SELECT * FROM ts_verify('cpu')").fetchall(), before)
        self.assertEqual(self.one(self.writer, "SELECT count(*) FROM cpu"), 30)

    def test_a_second_query_asks_for_a_newer_index_and_for_no_other_object_of_it(self):
        self.write(0)
        self.one(self.writer, "SELECT ts_publish('cpu')")
        db = self.reader()
        self.one(db, "SELECT count(*) FROM cpu")
        self.server.requests.clear()
        self.one(db, "SELECT count(*) FROM cpu WHERE ts < ts('2026-11-24')")
        self.assertEqual([path for path in self.server.paths() if "index" in path], ["/cpu%21index/000002.json"])

    def test_every_read_of_a_file_after_the_first_is_pinned(self):
        self.writer.execute("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 239999) INSERT INTO cpu "
                            "SELECT ts('2026-11-23') + i, 'h' || (i % 3), random() / 1e3 FROM n")  # above 1 MiB: read by parts
        support.flush(self.writer, "cpu")
        self.one(self.writer, "SELECT ts_publish('cpu')")
        self.one(self.reader(), "SELECT max(v) FROM cpu WHERE host = 'h1'")
        pins = [pin for path, pin in self.server.requests if path.endswith(".sqlite")]
        self.assertGreater(len(pins), 1)
        self.assertIsNone(pins[0])
        self.assertNotIn(None, pins[1:])

    def test_a_file_that_changed_or_is_gone_is_an_error_that_names_it(self):
        self.write(0)
        self.write(1)
        self.one(self.writer, "SELECT ts_publish('cpu')")
        db = self.reader()
        self.one(db, "SELECT count(*) FROM cpu")
        path, = glob.glob(self.path("root", "cpu", "2026-11-24", "*"))
        with open(path, "rb") as f:
            data = f.read()
        with open(path, "wb") as f:
            f.write(data[:4096] + data[4096:][::-1])
        self.assertIn(os.path.basename(path), self.refused(self.reader(), "SELECT sum(v) FROM cpu"))
        os.unlink(path)
        message = self.refused(self.reader(), "SELECT sum(v) FROM cpu")
        self.assertIn(os.path.basename(path), message)
        self.assertIn("; publish the table again with ts_publish", message)
        self.assertEqual(self.one(db, "SELECT count(*) FROM cpu WHERE ts < ts('2026-11-24')"), 30)

    def test_a_server_without_validators_is_refused(self):
        self.write(0)
        self.one(self.writer, "SELECT ts_publish('cpu')")
        self.server.validators = "none"
        with self.assertRaises(sqlite3.Error) as caught:
            self.reader()
        self.assertRegex(str(caught.exception), "sends neither ETag nor Last-Modified, so that a change during the read would go unseen: "
                         + re.escape(self.server.url))

    def test_a_server_that_refuses_what_is_not_there_serves_too(self):
        """As buckets do that may not be listed."""
        self.write(0)
        self.one(self.writer, "SELECT ts_publish('cpu')")
        self.server.missing = 403
        self.assertEqual(self.one(self.reader(), "SELECT count(*) FROM cpu"), 30)

    def test_nothing_can_be_written_through_it(self):
        self.write(0)
        self.one(self.writer, "SELECT ts_publish('cpu')")
        db = self.reader()
        for sql, what in (("INSERT INTO cpu VALUES(1, 'h', 2)", "INSERT"), ("SELECT ts_insert('cpu', 1, 'h', 2)", "INSERT"),
                          ("SELECT ts_flush('cpu')", "ts_flush"), ("SELECT ts_publish('cpu')", "ts_publish"),
                          ("SELECT ts_snapshot('cpu')", "ts_snapshot"), ("SELECT ts_import('cpu', 'x.csv')", "ts_import")):
            self.assertEqual(self.refused(db, sql), "timeseries: cpu is read-only, %s is not possible: it is read through the web server "
                             "%s; use a table with location='s3://...' or 'file:///...' and no snapshot=" % (what, self.server.url))

    def test_without_an_index_the_remedy_is_named(self):
        self.write(0)
        with self.assertRaises(sqlite3.Error) as caught:
            self.reader()
        self.assertEqual(str(caught.exception), "index: nothing is published of cpu at %s; run ts_publish where the archive can be "
                         "written, and copy what it writes along" % self.server.url)

    def test_bytes_of_an_index_that_are_not_right_are_refused(self):
        self.write(0)
        self.one(self.writer, "SELECT ts_publish('cpu')")
        for part, change, text in (("000001", lambda data: data[:-1], "is no JSON object"),
                                   ("000001", lambda data: data.replace(b'"format":1', b'"format":9'), "written by a newer version"),
                                   ("page-", lambda data: data.replace(b'"2026', b'"2025', 1), "is not the page that its digest names"),
                                   ("page-", lambda data: data[:-1], "is not the page that its digest names")):
            self.server.bytes_of = lambda path, data: change(data) if part in path else data
            with self.subTest(part=part, text=text), self.assertRaises(sqlite3.Error) as caught:
                self.reader()
            self.assertIn(text, str(caught.exception))
            self.assertRegex(str(caught.exception), re.escape(self.server.url) + r"/cpu!index/\S+\.json")

    def test_it_is_read_while_it_is_published_again_and_again(self):
        """A reader sees whole states only: as many rows as some index has, and never fewer than before."""
        self.write(0)
        self.one(self.writer, "SELECT ts_publish('cpu')")
        db, seen = self.reader(), []
        for day in range(1, 8):
            self.write(day)
            seen.append(self.one(db, "SELECT count(*) FROM cpu"))
            self.one(self.writer, "SELECT ts_publish('cpu')")
            seen.append(self.one(db, "SELECT count(*) FROM cpu"))
        self.assertEqual(seen, [30 * n for day in range(1, 8) for n in (day, day + 1)])


if __name__ == "__main__":
    unittest.main()
