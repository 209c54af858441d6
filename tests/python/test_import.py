# ts_import(table, file [, format [, from]]): files of other systems into the archive, whole and once.
import collections
import os
import sqlite3
import unittest

from . import support

DECLARATION = "ts TIMESTAMP, host TEXT TAG, usage REAL NOT NULL DEFAULT 0.5, n INTEGER, note"


class ImportCase(support.TimeseriesCase):
    def setUp(self):
        super().setUp()
        self.location = self.file_location()
        self.db = self.declared()

    def declared(self, spool="spool", so=None, options="flush_on_close='never'"):
        db = self.connect(so=so, isolation_level=None)
        db.execute("CREATE VIRTUAL TABLE cpu USING timeseries(%s, location='%s', spool='%s', %s)" %
                   (DECLARATION, self.location, self.path(spool), options))
        return db

    def write(self, name, text):
        with open(self.path(name), "wb") as f:
            f.write(text.encode() if isinstance(text, str) else text)
        return self.path(name)

    def take(self, *arguments, db=None):
        return (db or self.db).execute("SELECT ts_import('cpu'%s)" % (", ?" * len(arguments)), arguments).fetchone()[0]

    def rows(self, db=None):
        return (db or self.db).execute("SELECT ts, host, usage, n, note FROM cpu ORDER BY ts, host").fetchall()


class Formats(ImportCase):
    def test_csv(self):
        """Names in the first row in any order; quotes, breaks, NULL for an empty field, '' for quotes; times as text or counts."""
        file = self.write("cpu.csv", '\ufeffHOST,ts,note,n\r\n'
                          'web1,2026-11-23T07:16:00Z,"a ""b"", c\nd",\r\n'
                          'web2,1795418160500,"",12\r\n'
                          ' web3 ,-1000,1.50,1e3\r\n')
        self.assertEqual(self.take(file), 3)
        self.assertEqual(self.rows(), [(-1000, " web3 ", 0.5, 1000, "1.50"), (1795418160000, "web1", 0.5, None, 'a "b", c\nd'),
                                       (1795418160500, "web2", 0.5, 12, "")])

    def test_tsv(self):
        self.assertEqual(self.take(self.write("a.TSV", "ts\tusage\n1000\t2\n")), 1)
        self.assertEqual(self.take(self.write("b.txt", "ts\tusage\n2000\t2,5\n"), "tsv"), 1)
        self.assertEqual(self.db.execute("SELECT ts, usage, typeof(usage) FROM cpu ORDER BY ts").fetchall(),
                         [(1000, 2.0, "real"), (2000, "2,5", "text")])  # as SQLite stores a text that is no number in a REAL column

    def test_line_protocol(self):
        file = self.write("cpu.lp", "# points\ncpu,host=web1 usage=0.5,n=3i,note=\"x y\" 1795418160000999999\n\n"
                                    "cpu,host=web\\ 2 usage=1,note=t 1795418161000000000\n")
        self.assertEqual(self.take(file), 2)
        self.assertEqual(self.rows(), [(1795418160000, "web1", 0.5, 3, "x y"), (1795418161000, "web 2", 1.0, None, 1)])

    def test_one_measurement_of_several(self):
        file = self.write("all.lp", "mem,host=a used=1 1000000000\nload,host=a n=1i 1000000000\nload,host=b n=2i 2000000000\n")
        self.assertEqual(self.take(file, "lines", "load"), 2)
        self.assertEqual(self.rows(), [(1000, "a", 0.5, 1, None), (2000, "b", 0.5, 2, None)])

    def test_sqlite(self):
        """A table of another database, values with their storage classes as the columns' affinities have them."""
        source = self.path("other.db")
        with sqlite3.connect(source) as other:
            other.executescript("CREATE TABLE load(n, ts, usage, note BLOB); CREATE TABLE mem(ts);"
                                "INSERT INTO load VALUES('7', '2026-11-23', '0.25', x'00ff'), (NULL, 5000, 1, 'text'), (2.5, 6000.0, 1, 3)")
        other.close()
        self.assertEqual(self.take(source, "sqlite", "LOAD"), 3)
        self.assertEqual(self.rows(), [(5000, None, 1.0, None, "text"), (6000, None, 1.0, 2.5, 3),
                                       (1795392000000, None, 0.25, 7, b"\x00\xff")])

    def test_a_stored_shard_is_a_sqlite_file(self):
        self.db.execute("INSERT INTO cpu VALUES(1000, 'a', 1, 2, 'x'), (2000, 'b', 0.1, NULL, NULL)")
        self.db.execute("SELECT ts_flush('cpu')").fetchall()
        (name,) = self.db.execute("SELECT name FROM ts_files('cpu')").fetchone()
        self.assertEqual(self.take(self.path("archive", name)), 2)
        self.assertEqual(collections.Counter(self.rows()),
                         collections.Counter([(1000, "a", 1.0, 2, "x"), (2000, "b", 0.1, None, None)] * 2))


class Laws(ImportCase):
    def test_whole_or_not_at_all(self):
        """A fault in the last row of many leaves nothing behind, in the spool or the archive."""
        rows = ["%d,web%d,1" % (i, i % 3) for i in range(5000)]
        file = self.write("cpu.csv", "\n".join(["ts,host,usage"] + rows + ["no time,web1,1"]))
        self.assertFails(self.db, "SELECT ts_import('cpu', ?)",
                         "ts_import: %s, row 5001 below the names: timeseries: column \"ts\" of cpu: 'no time' is no time; give an "
                         "integer (ms since 1970-01-01 UTC) or ISO-8601 text such as "
                         "'2026-11-23T07:16:00Z'" % file, (file,))
        self.assertEqual(self.rows(), [])
        self.assertEqual(os.listdir(self.path("spool", "sealed")), [])
        self.assertEqual([n for n in os.listdir(self.path("spool")) if n.startswith("import-")], [])

    def test_seen_at_once_and_stored_by_the_next_flush(self):
        file = self.write("cpu.csv", "ts,host\n" + "".join("%d,web%d\n" % (i * 3600000, i % 7) for i in range(100)))
        self.assertEqual(self.take(file), 100)
        self.assertEqual(self.db.execute("SELECT count(*), count(DISTINCT _file) FROM cpu").fetchone(), (100, 5))
        self.assertEqual(support.flush(self.db, "cpu"), 5)
        other = self.declared("elsewhere")
        self.assertEqual(self.rows(other), self.rows())
        for (name,) in other.execute("SELECT name FROM ts_files('cpu')"):
            self.assertRegex(name, r"^cpu/1970-01-0\d/.*rows_import_0000000000[0-9A-Z]{16}\.sqlite$")
            with sqlite3.connect(self.path("archive", name)) as stock:
                self.assertEqual(stock.execute("PRAGMA integrity_check").fetchone(), ("ok",))
            stock.close()

    def test_once_whoever_repeats_it(self):
        """The same bytes again: in the same spool, after they were stored, from another machine, under another name, with other words."""
        text = "ts,host\n" + "".join("%d,web%d\n" % (i, i % 7) for i in range(3000))
        file, copy = self.write("cpu.csv", text), self.write("copy.txt", text)
        self.assertEqual(self.take(file), 3000)
        self.assertEqual(self.take(file), 0)
        self.assertEqual(self.take(copy, "csv"), 0)
        self.assertEqual(len(self.rows()), 3000)
        support.flush(self.db, "cpu")
        self.assertEqual(self.take(file), 0)
        other = self.declared("elsewhere")
        self.assertEqual(self.take(file, db=other), 3000)  # its spool cannot know; the archive does
        self.assertEqual(len(self.rows(other)), 3000)
        support.flush(other, "cpu")
        self.assertEqual(other.execute("SELECT buffered_rows, last_error FROM ts_status('cpu')").fetchone(), (0, None))
        for db in (self.db, other):
            self.assertEqual(len(self.rows(db)), 3000)
            self.assertEqual(db.execute("SELECT count(*) FROM ts_files('cpu')").fetchone(), (1,))
        lines = self.write("cpu.lp", "cpu n=1i 1000000\n")
        self.assertEqual([self.take(lines), self.take(lines, "lines", "cpu")], [1, 0])

    def test_another_file_with_equal_rows_is_another_file(self):
        """Duplicate rows are rows: only the same bytes are the same import."""
        for name, text in (("a.csv", "ts,n\n1,1\n"), ("b.csv", "ts,n\r\n1,1\r\n")):
            self.assertEqual(self.take(self.write(name, text)), 1)
        self.assertEqual(len(self.rows()), 2)

    def test_killed_at_each_step_and_repeated(self):
        """A process killed anywhere in an import leaves all or nothing, and the same import again completes it."""
        file = self.write("cpu.csv", "ts,host\n" + "".join("%d,web%d\n" % (i * 3600000, i % 7) for i in range(2000)))
        expected = 2000
        for name in ("import.sealed", "import.renamed", "import.committed", "seal.written", "seal.renamed"):
            with self.subTest(name):
                self.location = self.file_location(name)
                done = support.python(
                    "db = support.connect(isolation_level=None)\n"
                    "db.execute(\"CREATE VIRTUAL TABLE cpu USING timeseries(%s, location='%s', spool='%s', flush_on_close='never')\")\n"
                    "db.execute(\"SELECT ts_import('cpu', '%s')\").fetchall()\n" %
                    (DECLARATION, self.location, self.path(name + "-spool"), file),
                    so=support.WITH_FAILPOINTS, check=False, env=support.environment(TIMESERIES_FAILPOINT=name + "@1=kill"))
                self.assertKilled(done)
                db = self.declared(name + "-spool")
                self.assertIn(len(self.rows(db)), (0, expected))
                self.take(file, db=db)
                self.assertEqual(len(self.rows(db)), expected)
                support.flush(db, "cpu")
                self.assertEqual(len(self.rows(self.declared(name + "-alone"))), expected)


class Refusals(ImportCase):
    def refuse(self, file, text, *more):
        self.assertFails(self.db, "SELECT ts_import('cpu', ?%s)" % (", ?" * len(more)), "ts_import: " + text, (file, *more))
        self.assertEqual(self.rows(), [])

    def test_csv(self):
        columns = "ts, host, usage, n, note"
        for name, text, message in (
                ("empty.csv", "", ": the file is empty; its first row names the columns"),
                ("unknown.csv", "ts,cpu\n", ": \"cpu\" is no column of the table, which has " + columns),
                ("twice.csv", "ts,n,N\n", ": column \"N\" is named twice"),
                ("timeless.csv", "host,n\n", ": no column is called ts, which is the time of the table"),
                ("short.csv", "ts,n\n1,2\n3\n", ", row 2 below the names: has 1 fields where the first row names 2 columns"),
                ("null.csv", "ts,usage\n1,\n", ", row 1 below the names: NOT NULL constraint failed: cpu.usage"),
                ("missing.csv", "ts,usage\n,1\n", ", row 1 below the names: the time is missing"),
                ("bytes.csv", b"ts,host\n1,\xff\n", ", row 1 below the names: field 2 is no UTF-8 text: ?"),
                ("open.csv", "ts,host\n1,\"a\n",
                 ", row 1 below the names: a quote stands where none may be, or is never closed; a field with "
                 "quotes is quoted whole, and quotes in it are doubled"),
                ("quote.csv", "ts,host\n1,a\n2,a\"b\n",
                 ", row 2 below the names: a quote stands where none may be, or is never closed; a field "
                 "with quotes is quoted whole, and quotes in it are doubled")):
            with self.subTest(name):
                file = self.write(name, text)
                self.refuse(file, file + message)

    def test_lines(self):
        for name, text, message in (
                ("other.lp", "mem n=1i 1\n",
                 ", line 1: is of measurement mem, not cpu; name the one to take: ts_import(table, file, 'lines', "
                 "'mem')"),
                ("timeless.lp", "cpu n=1i 1\ncpu n=1i\n",
                 ", line 2: has no time, and the same file must give the same rows each time; write "
                 "one, in nanoseconds"),
                ("unknown.lp", "cpu x=1i 1\n", ", line 1: \"x\" is no column of the table, which has ts, host, usage, n, note"),
                ("twice.lp", "cpu,host=a host=\"b\" 1\n", ", line 1: column host is given twice"),
                ("time.lp", "cpu ts=1i 1\n", ", line 1: the time column ts is a tag or field; the time stands at the end of the line")):
            with self.subTest(name):
                file = self.write(name, text)
                self.refuse(file, file + message)

    def test_sqlite(self):
        source = self.path("other.db")
        other = sqlite3.connect(source)
        other.executescript("CREATE TABLE load(ts, n); CREATE TABLE mem(ts)")
        self.refuse(source, source + ": there is no table cpu in it; it has load, mem; name one: ts_import(table, file, 'sqlite', name)")
        other.executescript("PRAGMA journal_mode=WAL; INSERT INTO load VALUES(1,2)")
        self.refuse(source,
                    source + ": the database is in use, or its last change is not settled: there is a -wal file; close it everywhere, "
                    "or run PRAGMA wal_checkpoint(TRUNCATE) on it", "sqlite", "load")
        other.close()

    def test_what_is_asked(self):
        file = self.write("cpu.dat", "ts\n1\n")
        self.refuse(file,
                    file + ": is no SQLite file, and its name does not tell what it is; write ts_import(table, file, 'csv'), 'tsv' or "
                    "'lines' (InfluxDB's line protocol)")
        self.refuse(file, file + ": there is no format 'xml'; it is one of csv, tsv, lines, sqlite", "xml")
        self.refuse(file, file + ": the fourth argument names a table or measurement; a file of format 'csv' has one only", "csv", "cpu")
        self.assertFails(self.db, "SELECT ts_import('cpu')",
                         "ts_import: give a table and a file: ts_import('cpu', 'cpu.csv' [, format [, from]])")
        self.db.execute("BEGIN")
        self.refuse(file, "a transaction is open; commit first", "csv")
        self.db.execute("ROLLBACK")


if __name__ == "__main__":
    unittest.main()
