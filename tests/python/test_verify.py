# ts_verify(table): walks the archive; says of each file whether all of it is there and is what its name says; can be resumed.
import glob
import os
import random
import shutil
import sqlite3
import unittest

from . import page_checksums, support

T = 1795392000000  # 2026-11-23
DAY = 86400000
ROWS = 2000
ALL = "SELECT name, state, problem FROM ts_verify('cpu')"


class Verify(support.TimeseriesCase):
    def setUp(self):
        super().setUp()
        self.location = self.file_location()
        db = self.table("writer")
        for day in range(3):
            self.write(db, [(T + day * DAY + i * 1000, "web%d" % (i % 3), i / 7, "line %d" % (i % 90)) for i in range(ROWS)])
        self.write(db, [(T + 3 * DAY, "web1", 1.5, "one row: a file of plain rows")])
        db.close()
        self.files = sorted(glob.glob(self.path("archive", "cpu", "*", "*.sqlite")))
        self.names = [os.path.relpath(f, self.path("archive")) for f in self.files]
        self.db = self.table("reader")

    def table(self, spool, options=""):
        db = self.connect(isolation_level=None)
        db.execute("CREATE VIRTUAL TABLE cpu USING timeseries(ts TIMESTAMP, host TEXT TAG, v REAL, note TEXT, location='%s', spool='%s'%s)"
                   % (self.location, self.path(spool), options))
        return db

    def write(self, db, rows):
        db.execute("BEGIN")
        db.executemany("INSERT INTO cpu VALUES(?,?,?,?)", rows)
        db.execute("COMMIT")
        db.execute("SELECT ts_flush('cpu')").fetchall()

    def verdicts(self, sql=ALL, arguments=()):
        return self.db.execute(sql, arguments).fetchall()

    def contents(self, path):
        with open(path, "rb") as f:
            return f.read()

    def put(self, path, data):
        with open(path, "wb") as f:
            f.write(data)

    def edit(self, path, sql):
        db = sqlite3.connect(path)
        db.executescript(sql)
        db.close()
        page_checksums.stamp(path)

    def assertDamaged(self, number, words):
        """Of all files this one alone is damaged, and the problem says so."""
        found = self.verdicts()
        self.assertEqual([(n, s) for n, s, _ in found], [(n, "damaged" if n == self.names[number] else "ok") for n in self.names])
        problem = found[number][2]
        self.assertIn(words, problem)
        self.assertIn("file://" + self.files[number], problem)

    def test_a_whole_archive(self):
        rows = self.verdicts("SELECT * FROM ts_verify('cpu')")
        self.assertEqual([r[:3] for r in rows], [(n, "ok", None) for n in self.names])
        self.assertEqual([r[3:6] for r in rows], [(T + d * DAY, T + d * DAY + (ROWS - 1) * 1000, ROWS) for d in range(3)]
                         + [(T + 3 * DAY, T + 3 * DAY, 1)])
        for (_, _, _, _, _, _, size, pages, checksums, _, _), path in zip(rows, self.files):
            data = self.contents(path)
            self.assertEqual((size, pages, checksums), (len(data), len(page_checksums.pages(data)), 1))
        self.assertEqual([r[9:] for r in rows], [(None, 0)] + [(DAY - (ROWS - 1) * 1000, 0)] * 3)

    def test_overlaps_and_gaps_are_facts(self):
        late = self.table("late")
        self.write(late, [(T + 1000 + i * 1000, "late", 1.0, None) for i in range(10000)])  # reaches beyond the first file of its day
        late.close()
        rows = self.verdicts("SELECT state, gap, overlaps FROM ts_verify('cpu')")
        self.assertEqual(rows[:3], [("ok", None, 0), ("ok", 0, 1), ("ok", DAY - 10000000, 0)])

    def test_a_flipped_bit_of_any_page(self):
        for number in (1, 3):
            whole = self.contents(self.files[number])
            size = page_checksums.page_bytes(whole)
            for page in page_checksums.some_pages(whole, random.Random(number)):
                with self.subTest(file=number, page=page):
                    data = bytearray(whole)
                    data[(page - 1) * size + 100 + page % 300] ^= 1 << page % 8
                    self.put(self.files[number], data)
                    self.assertDamaged(number, "page %d is damaged (its checksum is wrong)" % page)
            self.put(self.files[number], whole)

    def test_files_that_are_not_whole_or_not_ours(self):
        whole = self.contents(self.files[1])
        size = page_checksums.page_bytes(whole)
        for data, words in ((whole[:-size], "is truncated"), (whole[:-1], "is truncated"), (whole + b"x", "bytes where its header says"),
                            (whole + bytes(size), "bytes where its header says"), (b"", "is empty, not an SQLite database"),
                            (b"hello" * 1000, "is not an SQLite database"), (self.contents(self.files[2]), "where its name says"),
                            (self.contents(self.files[3]), "where its name says")):
            with self.subTest(words, bytes=len(data)):
                self.put(self.files[1], data)
                self.assertDamaged(1, words)

    def test_edits_with_right_checksums(self):
        whole = self.contents(self.files[1])
        for sql, words in (("UPDATE timeseries_meta SET value=7 WHERE key='rows'",
                            "timeseries_meta says rows=7 where its name says %d" % ROWS),
                           ("DELETE FROM cpu_chunk WHERE id=(SELECT max(id) FROM cpu_chunk)", "its number of rows is "),
                           ("UPDATE cpu_chunk SET t0=t0+1 WHERE id=1", "the times of a chunk are not what its directory says"),
                           ("DELETE FROM cpu_value WHERE id=1", "lacks a value that a chunk needs"),
                           ("CREATE TABLE more(x)", "holds a table that no packed shard has"),
                           ("PRAGMA journal_mode=WAL", "is in WAL mode"), ("PRAGMA application_id=7", "not a timeseries shard")):
            with self.subTest(sql):
                self.put(self.files[1], whole)
                self.edit(self.files[1], sql)
                self.assertDamaged(1, words)
        self.put(self.files[1], whole)
        whole = self.contents(self.files[3])
        for sql, words in (("DELETE FROM cpu", "its number of rows is 0 where its name says 1"),
                           ("INSERT INTO cpu SELECT * FROM cpu", "its number of rows is 2 where its name says 1"),
                           ("UPDATE cpu SET ts=ts+1", "time is %d where its name says %d" % (T + 3 * DAY + 1, T + 3 * DAY)),
                           ("UPDATE cpu SET ts='x'", "a row without a time")):
            with self.subTest(sql):
                self.put(self.files[3], whole)
                self.edit(self.files[3], sql)
                self.assertDamaged(3, words)

    def test_names(self):
        beside = os.path.dirname(self.files[1])
        self.put(os.path.join(beside, "notes.txt"), b"x")
        os.makedirs(self.path("archive", "cpu", "2026-11-23", "merged"))
        self.put(self.path("archive", "cpu", "2026-11-23", "merged", "x"), b"x")
        wrong_day = os.path.join(beside, os.path.basename(self.files[0]))
        shutil.copy(self.files[0], wrong_day)
        more_rows = self.files[2].replace("%drows" % ROWS, "%drows" % (ROWS + 1))
        os.rename(self.files[2], more_rows)
        found = {name: (state, problem) for name, state, problem in self.verdicts()}
        self.assertEqual(len(found), 7)

        def of(path):
            return found[os.path.relpath(path, self.path("archive"))]
        self.assertEqual(of(os.path.join(beside, "notes.txt")), ("foreign", "its name is no shard's: queries leave it out"))
        self.assertEqual(of(self.path("archive", "cpu", "2026-11-23", "merged", "x")),
                         ("newer", "a newer version wrote it: queries fail until timeseries is upgraded"))
        self.assertEqual(of(wrong_day), ("damaged", "its name contradicts itself or its partition: every query fails that lists it"))
        self.assertEqual(of(more_rows), ("damaged", "shard: timeseries_meta says rows=%d where its name says %d: file://%s"
                                         % (ROWS, ROWS + 1, more_rows)))
        self.edit(self.files[1], "PRAGMA user_version=7")
        self.assertEqual(dict((n, s) for n, s, _ in self.verdicts())[self.names[1]], "newer")

    def test_files_without_checksums_are_verified_by_their_content(self):
        archive = self.path("old")
        shutil.copytree(os.path.join(support.ROOT, "tests/data/format-2"), archive)
        db = self.connect()
        db.execute("CREATE VIRTUAL TABLE x USING timeseries(location='file://%s', table='cpu load', spool='%s')"
                   % (archive, self.path("o")))
        self.assertEqual(db.execute("SELECT state, checksums FROM ts_verify('x')").fetchall(), [("ok", 0), ("ok", 0)])

    def test_it_goes_on_after_a_name_and_reads_no_more_than_it_says(self):
        self.assertEqual([n for n, _, _ in self.verdicts(ALL + " WHERE name > ?", (self.names[1],))], self.names[2:])
        self.assertEqual(self.verdicts(ALL + " WHERE name > ?", (self.names[3],)), [])
        self.assertEqual(self.verdicts(ALL + " WHERE name > 'zzz'"), [])
        self.assertEqual([n for n, _, _ in self.verdicts(ALL + " WHERE name > '' ORDER BY name")], self.names)
        self.assertEqual([n for n, _, _ in self.verdicts(ALL + " WHERE name > 5")], self.names)
        self.assertEqual([n for n, _, _ in self.verdicts(ALL + " ORDER BY name DESC")], self.names[::-1])
        self.assertEqual(self.verdicts(ALL + " WHERE name > NULL"), [])
        # What comes before is not opened, nor what comes after a LIMIT.
        for number in (0, 3):
            self.put(self.files[number], b"x")
        self.assertEqual([s for _, s, _ in self.verdicts(ALL + " WHERE name > ? LIMIT 2", (self.names[0],))], ["ok", "ok"])
        seen, last = [], ""
        while True:
            page = self.verdicts(ALL + " WHERE name > ? ORDER BY name LIMIT 1", (last,))
            if not page:
                break
            seen += page
            last = page[0][0]
        self.assertEqual(seen, self.verdicts())

    def test_it_does_not_believe_a_cache(self):
        self.db = self.table("cached", ", cache_dir='%s'" % self.path("cache"))
        self.db.execute("SELECT count(note) FROM cpu").fetchall()
        data = bytearray(self.contents(self.files[1]))
        data[-100] ^= 1
        stat = os.stat(self.files[1])
        with open(self.files[1], "r+b") as f:
            f.write(data)
        os.utime(self.files[1], ns=(stat.st_atime_ns, stat.st_mtime_ns))  # the same ETag
        self.assertDamaged(1, "is damaged (its checksum is wrong)")

    def test_its_argument(self):
        self.assertFails(self.db, "SELECT * FROM ts_verify", "ts_verify: name the table: ts_verify('cpu')")
        self.assertFails(self.db, "SELECT * FROM ts_verify('nothing')",
                         "timeseries: 'nothing' is not a timeseries table of this connection; "
                         'create it with CREATE VIRTUAL TABLE "nothing" USING timeseries(...)')

    def test_an_empty_archive(self):
        self.location = self.file_location("empty")
        self.db = self.table("of the empty one")
        self.assertEqual(self.verdicts(), [])

    def test_it_can_be_interrupted(self):
        self.db.set_progress_handler(lambda: 1, 1)
        with self.assertRaises(sqlite3.OperationalError) as caught:
            self.verdicts()
        self.assertEqual(str(caught.exception), "interrupted")


if __name__ == "__main__":
    unittest.main()
