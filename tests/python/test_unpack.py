# ts_unpack(source, target): a stored file's rows as a file of plain rows, whole or not at all.
import glob
import os
import sqlite3
import unittest

from . import page_checksums, stock, support


ROWS = 5001  # no multiple of how many are copied at once


class Unpack(support.TimeseriesCase):
    def setUp(self):
        super().setUp()
        self.db = self.connect(isolation_level=None)
        self.db.execute("CREATE VIRTUAL TABLE cpu USING timeseries(ts TIMESTAMP, host TEXT TAG COLLATE NOCASE, v REAL, note TEXT, "
                        "location='%s')" % self.file_location())
        rows = [(1795392000000 + i * 1000, "h%d" % (i % 3), i / 7 if i % 5 else None, "note %d" % (i % 40)) for i in range(ROWS)]
        self.db.execute("BEGIN")
        self.db.executemany("INSERT INTO cpu VALUES(?,?,?,?)", rows)
        self.db.execute("COMMIT")
        self.db.execute("SELECT ts_flush('cpu')").fetchone()
        (self.source,) = glob.glob(self.path("archive", "cpu", "*", "*.sqlite"))
        self.target = self.path("rows.sqlite")

    def unpack(self, source, target):
        return self.db.execute("SELECT ts_unpack(?, ?)", (source, target)).fetchone()[0]

    def test_the_rows_are_the_same_and_plain(self):
        self.assertEqual(self.unpack(self.source, self.target), ROWS)
        files = [sqlite3.connect(path) for path in (self.source, self.target)]
        self.assertEqual([db.execute("PRAGMA user_version").fetchone()[0] for db in files], [2, 1])
        self.assertEqual(files[1].execute("PRAGMA integrity_check").fetchone()[0], "ok")
        self.assertEqual(files[1].execute("SELECT type FROM sqlite_schema WHERE name='cpu'").fetchone()[0], "table")
        rows = [sorted(map(stock.line, db.execute("SELECT * FROM cpu"))) for db in files]
        self.assertEqual(rows[0], rows[1])
        self.assertEqual(files[1].execute("SELECT count(*) FROM cpu WHERE host='H1'").fetchone()[0], ROWS // 3)
        for db in files:
            db.close()
        again = self.path("again.sqlite")  # a file of plain rows is taken too, whatever their number
        self.assertEqual(self.unpack(self.target, again), ROWS)
        # The plain file is a shard: in the place of the packed one it answers the same.
        before = self.db.execute("SELECT host, count(*), sum(v), max(note) FROM cpu GROUP BY host").fetchall()
        os.remove(self.source)
        os.rename(again, self.source)
        fresh = self.connect()
        fresh.execute("CREATE VIRTUAL TABLE cpu USING timeseries(location='%s', spool='%s')" % (self.file_location(), self.path("other")))
        self.assertEqual(fresh.execute("SELECT host, count(*), sum(v), max(note) FROM cpu GROUP BY host").fetchall(), before)

    def test_what_cannot_be_unpacked(self):
        with open(self.path("text"), "w") as f:
            f.write("no database")
        sqlite3.connect(self.path("other.sqlite")).executescript("CREATE TABLE t(x)")
        for source, target, text in (
                (self.path("nothing"), self.target, "ts_unpack: there is no such file: " + self.path("nothing")),
                (self.source, self.path("text"), "ts_unpack: the target exists; choose a new name: " + self.path("text")),
                (self.path("text"), self.target, "ts_unpack: not a timeseries shard: " + self.path("text")),
                (self.path("other.sqlite"), self.target, "ts_unpack: not a timeseries shard: " + self.path("other.sqlite")),
                (1, self.target, "ts_unpack: give two paths: ts_unpack('shard.sqlite', 'rows.sqlite')"),
                (self.source, None, "ts_unpack: give two paths: ts_unpack('shard.sqlite', 'rows.sqlite')")):
            with self.subTest(text):
                self.assertFails(self.db, "SELECT ts_unpack(?, ?)", text, (source, target))
                self.assertFalse(os.path.exists(self.target))

    def test_a_damaged_file_leaves_no_target(self):
        edit = sqlite3.connect(self.source)
        edit.execute("UPDATE cpu_chunk SET t1=t1+1 WHERE id=(SELECT max(id) FROM cpu_chunk)")
        edit.commit()
        edit.close()
        page_checksums.stamp(self.source)
        before = sorted(os.listdir(self.dir))
        self.assertFails(self.db, "SELECT ts_unpack(?, ?)", "shard: the times of a chunk are not what its directory says: " + self.source,
                         (self.source, self.target))
        self.assertEqual(sorted(os.listdir(self.dir)), before)


if __name__ == "__main__":
    unittest.main()
