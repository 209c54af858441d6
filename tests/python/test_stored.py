# Files of every format version that was ever written are read for ever, by the extension and by SQLite alone.
#
# tests/data/format-N is an archive as version N wrote it, format-N-checksums one whose pages carry checksums; the name with .expected:
# its rows in the order of their lines (see stock_query.c).
# tests/support/make_stored_example.py makes both, once.
import glob
import os
import re
import shutil
import unittest

from . import page_checksums, stock, support
from .stock import Text, quoted

DATA = os.path.join(support.ROOT, "tests/data")
TABLE = "cpu load"


class Stored(support.TimeseriesCase):
    @classmethod
    def setUpClass(cls):
        stock.require()

    def examples(self):
        """(name, version, directory, the expected lines)"""
        found = []
        for directory in sorted(glob.glob(DATA + "/format-*/")):
            name = os.path.basename(directory[:-1])
            with open("%s/%s.expected" % (DATA, name), "rb") as f:
                found.append((name, int(re.match(r"format-(\d+)", name)[1]), directory, f.read().splitlines()))
        return found

    def test_there_is_an_example_of_each_version_that_is_written(self):
        db = self.connect(isolation_level=None)
        location = self.file_location()
        db.execute("CREATE VIRTUAL TABLE cpu USING timeseries(ts TIMESTAMP, host TEXT TAG, usage REAL, location='%s')" % location)
        db.execute("BEGIN")
        db.executemany("INSERT INTO cpu VALUES(?, ?, ?)", [(1795392000000 + i * 1000, "web1", i / 100) for i in range(3000)])
        db.execute("COMMIT")
        db.execute("SELECT ts_flush('cpu')").fetchall()
        (path,) = glob.glob(self.path("archive") + "/*/*/*.sqlite")
        ((line,),) = stock.query("system", path, "PRAGMA user_version")
        version = stock.parsed(line)[0]
        self.assertEqual(sorted(name for name, *_ in self.examples()),
                         [name for v in range(1, version + 1) for name in ("format-%d" % v, "format-%d-checksums" % v)],
                         "make the missing one with tests/support/make_stored_example.py")

    def test_checksums_are_those_of_the_format_where_a_file_carries_them(self):
        for name, _, directory, _ in self.examples():
            for path in glob.glob(directory + "*/*/*.sqlite"):
                with open(path, "rb") as f:
                    data = f.read()
                self.assertEqual(page_checksums.carried(data), name.endswith("-checksums"))
                if page_checksums.carried(data):
                    self.assertEqual(page_checksums.damaged(data), [], path)

    def test_by_sqlite_alone(self):
        for name, number, directory, expected in self.examples():
            for version in stock.VERSIONS:
                with self.subTest(name, version=version):
                    found, versions = [], set()
                    for path in glob.glob(directory + "*/*/*.sqlite"):
                        check, (user_version,), rows = stock.query(version, path, "PRAGMA integrity_check", "PRAGMA user_version",
                                                                   "SELECT * FROM " + quoted(TABLE))
                        self.assertEqual(check, [stock.value("ok")])
                        versions.add(stock.parsed(user_version)[0])
                        found += rows
                    self.assertEqual(max(versions), number)
                    self.assertEqual(stock.difference(expected, found), "")

    def table(self, name, archive):
        db = self.connect(isolation_level=None)
        db.execute("CREATE VIRTUAL TABLE x USING timeseries(location='file://%s', table='%s', spool='%s')"
                   % (archive, TABLE, self.path("spool of " + name)))
        db.text_factory = Text
        return db

    def test_by_the_extension(self):
        for name, _, directory, expected in self.examples():
            with self.subTest(name):
                archive = self.path(name)  # a copy: a reader has no business here
                shutil.copytree(directory, archive)
                db = self.table(name, archive)
                self.assertEqual(stock.difference(expected, map(stock.line, db.execute("SELECT * FROM x"))), "")
                rows = [stock.parsed(line) for line in expected]
                for sql, keep in [("ts >= ts('2026-11-24')", lambda r: r[0] >= 1795478400000), ("host = 'web1'", lambda r: r[1] == "web1"),
                                  ("region = 'EU'", lambda r: r[2].upper() == "EU"), ("host IS NULL", lambda r: r[1] is None),
                                  ("usage > 55.5 AND n < 1500", lambda r: r[3] is not None and r[3] > 55.5 and r[4] < 1500)]:
                    wanted = sum(map(keep, rows))
                    self.assertGreater(wanted, 0)
                    self.assertEqual(db.execute("SELECT count(*) FROM x WHERE " + sql).fetchone()[0], wanted, sql)

    def test_all_versions_in_one_archive(self):
        together = self.path("together")
        rows = []
        for _, _, directory, expected in self.examples():
            shutil.copytree(directory, together, dirs_exist_ok=True)
            rows += expected
        db = self.table("all", together)
        self.assertEqual(stock.difference(rows, map(stock.line, db.execute("SELECT * FROM x"))), "")


if __name__ == "__main__":
    unittest.main()
