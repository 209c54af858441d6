# A changed byte of a stored file is found when its page is read, wherever it lies; a damaged file does not leave the spool.
import glob
import os
import random
import sqlite3
import subprocess
import unittest

from . import page_checksums, support

T = 1795392000000  # 2026-11-23
COLUMNS = "ts TIMESTAMP, host TEXT TAG, n INTEGER, v REAL, note TEXT, raw BLOB"
QUERY = "SELECT count(*), total(n), total(v), total(length(note)), total(length(raw)), max(host) FROM cpu"


def rows(count):
    rng = random.Random(8)
    return [(T + i * 1000, "web%d" % (i % 5), i * 3, rng.random(), "line %d" % (i % 70), rng.randbytes(40)) for i in range(count)]


class Checksums(support.TimeseriesCase):
    def table(self, location, spool, options=""):
        db = self.connect(isolation_level=None)
        db.execute("CREATE VIRTUAL TABLE cpu USING timeseries(%s, location='%s', spool='%s'%s)"
                   % (COLUMNS, location, self.path(spool), options))
        return db

    def store(self, count, location):
        db = self.table(location, "writer")
        db.execute("BEGIN")
        db.executemany("INSERT INTO cpu VALUES(?,?,?,?,?,?)", rows(count))
        db.execute("COMMIT")
        db.execute("SELECT ts_flush('cpu')").fetchall()
        answer = db.execute(QUERY).fetchone()
        db.close()
        return answer

    def one_file(self):
        (path,) = glob.glob(self.path("archive", "cpu", "*", "*.sqlite"))
        with open(path, "rb") as f:
            return path, f.read()

    def flipped_everywhere(self, count, version):
        """A bit of one page after the other is changed; those whose change was an error, and all that were."""
        location = self.file_location()
        expected = self.store(count, location)
        path, whole = self.one_file()
        self.assertEqual(int.from_bytes(whole[60:64], "big"), version)
        size = page_checksums.page_bytes(whole)
        rng = random.Random(count)
        found, pages = set(), page_checksums.some_pages(whole, rng)
        for page in pages:
            data = bytearray(whole)
            at = (page - 1) * size + rng.randrange(100, size)
            data[at] ^= 1 << rng.randrange(8)
            with open(path, "wb") as f:
                f.write(data)
            db = self.table(location, "reader")  # what it reads lies in the archive: its spool is empty
            try:
                self.assertEqual(db.execute(QUERY).fetchone(), expected, "byte %d" % at)
            except sqlite3.DatabaseError as e:
                self.assertEqual(str(e), "shard: page %d is damaged (its checksum is wrong): file://%s; restore the object, or empty "
                                         "cache_dir if the object itself is whole" % (page, path))
                found.add(page)
            db.close()
        return found, pages

    def test_a_changed_byte_of_a_packed_file_never_changes_an_answer(self):
        found, pages = self.flipped_everywhere(3000, 2)
        self.assertEqual(len(pages), 20)
        self.assertGreaterEqual(len(found), 20 - 4, "but for the pages that only the view reads")

    def test_a_changed_byte_of_a_file_of_plain_rows_never_changes_an_answer(self):
        found, pages = self.flipped_everywhere(3, 1)
        self.assertEqual(found, set(pages))

    def test_a_header_that_hides_the_checksums_is_refused(self):
        location = self.file_location()
        self.store(3000, location)
        path, whole = self.one_file()
        for at, change in ((20, 8), (20, 9), (16, 48), (68, 1)):
            with self.subTest(byte=at, change=change):
                data = bytearray(whole)
                data[at] ^= change
                with open(path, "wb") as f:
                    f.write(data)
                db = self.table(location, "reader")
                with self.assertRaises(sqlite3.DatabaseError) as caught:
                    db.execute(QUERY).fetchone()
                self.assertIn(path, str(caught.exception))
                db.close()

    def test_a_changed_byte_in_s3_is_found_through_the_cache_too(self):
        location = self.s3_location()
        expected = self.store(3000, location)
        cached = ", cache_dir='%s'" % self.path("cache")
        db = self.table(location, "reader", cached)
        self.assertEqual(db.execute(QUERY).fetchone(), expected)
        (name,) = db.execute("SELECT name FROM ts_files('cpu')").fetchone()
        db.close()
        curl = ["curl", "-sf", "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", "--aws-sigv4", "aws:amz:us-east-1:s3", "-u",
                os.environ["AWS_ACCESS_KEY_ID"] + ":" + os.environ["AWS_SECRET_ACCESS_KEY"],
                location.replace("s3:/", os.environ["S3_ENDPOINT"], 1) + "/" + name]
        plain = dict(os.environ, LD_PRELOAD="")  # no sanitizer in curl
        data = bytearray(subprocess.run(curl, check=True, env=plain, capture_output=True).stdout)
        self.assertEqual(page_checksums.damaged(data), [])
        data[-100] ^= 1
        with open(self.path("changed"), "wb") as f:
            f.write(data)
        subprocess.run([*curl, "-T", self.path("changed")], check=True, env=plain, capture_output=True)
        for spool in ("another", "and another"):  # from the server, then out of the cache
            db = self.table(location, spool, cached)
            self.assertFails(db, QUERY, "shard: page %d is damaged (its checksum is wrong): %s/%s; restore the object, or empty cache_dir "
                                        "if the object itself is whole"
                             % (len(data) // page_checksums.page_bytes(data), location, name))
            db.close()

    def test_a_file_that_a_disk_has_changed_does_not_leave_the_spool_and_others_do(self):
        with open(self.path("archive"), "w"):
            pass  # no directory: nothing can be stored yet
        db = self.table("file://" + self.path("archive"), "writer", ", flush_timeout='200ms'")
        for day in range(3):
            db.execute("INSERT INTO cpu VALUES(?, 'web1', ?, 1.5, 'x', NULL)", (T + day * 86400000, day))
        with self.assertRaises(sqlite3.Error):
            db.execute("SELECT ts_flush('cpu')").fetchall()
        damaged = sorted(glob.glob(self.path("writer", "sealed", "*.sqlite")))[0]
        with open(damaged, "r+b") as f:
            f.seek(-20, os.SEEK_END)
            byte = f.read(1)[0]
            f.seek(-20, os.SEEK_END)
            f.write(bytes([byte ^ 1]))
        os.remove(self.path("archive"))
        os.mkdir(self.path("archive"))
        for _ in range(100):  # on a busy machine it may give up before it has tried again
            with self.assertRaises(sqlite3.Error) as caught:
                db.execute("SELECT ts_flush('cpu')").fetchall()
            if "is damaged" in str(caught.exception):
                break
        self.assertIn("is damaged (its checksum is wrong): " + damaged, str(caught.exception))
        self.assertEqual(len(glob.glob(self.path("archive", "cpu", "*", "*.sqlite"))), 2)
        self.assertTrue(os.path.exists(damaged))

    def by_cksumvfs(self, path):
        """What SQLite's own checksum VFS says of a file, without the extension: whether it checks, the rows, the integrity check."""
        code = ("import sqlite3\nfirst = sqlite3.connect(':memory:')\nfirst.enable_load_extension(True)\n"
                "first.load_extension(%r)\ndb = sqlite3.connect(%r)\nask = lambda sql: db.execute(sql).fetchone()\n"
                "try: print(*ask('PRAGMA checksum_verification'), *ask('SELECT count(*), sum(n) FROM cpu'),"
                " *ask('PRAGMA integrity_check'))\n"
                "except sqlite3.Error as e: print(e)\n")
        return support.python(code % (os.path.join(os.environ["TIMESERIES_STOCK"], "cksumvfs"), path)).stdout.strip()

    def test_sqlites_own_checksum_vfs_finds_what_the_extension_finds(self):
        """SQLite's ext/misc/cksumvfs.c, an independent reader, checks whole files and refuses each with a changed page."""
        if not os.path.exists(os.path.join(os.environ.get("TIMESERIES_STOCK", ""), "cksumvfs.so")):
            self.skipTest("tests/support/stock-cksumvfs.sh has not made SQLite's cksumvfs")
        pages = 0
        for count, version in ((3000, 2), (3, 1)):
            self.store(count, self.file_location())
            path, whole = self.one_file()
            self.assertEqual(int.from_bytes(whole[60:64], "big"), version)
            self.assertEqual(self.by_cksumvfs(path), "1 %d %d ok" % (count, 3 * count * (count - 1) // 2))
            size = page_checksums.page_bytes(whole)
            for page in page_checksums.some_pages(whole, random.Random(count))[:8]:
                data = bytearray(whole)
                data[page * size - 9] ^= 4  # the last byte before the checksum
                with open(self.path("changed.sqlite"), "wb") as f:
                    f.write(data)
                self.assertEqual(self.by_cksumvfs(self.path("changed.sqlite")), "disk I/O error", "page %d" % page)
                pages += 1
            os.remove(path)
        print(" %d pages flipped, all refused by cksumvfs too" % pages, flush=True)

    def test_unpacked_files_carry_checksums(self):
        self.store(3000, self.file_location())
        path, _ = self.one_file()
        db = self.connect()
        db.execute("SELECT ts_unpack(?, ?)", (path, self.path("rows.sqlite"))).fetchone()
        with open(self.path("rows.sqlite"), "rb") as f:
            data = f.read()
        self.assertTrue(page_checksums.carried(data))
        self.assertEqual(page_checksums.damaged(data), [])


if __name__ == "__main__":
    unittest.main()
