# The cache on disk end to end: what it spares, in new processes too; several processes at once; kill -9 at each of its steps.
#
# Requests are counted by ts_last_query(). Files are larger than what SQLite's first reads bring, and their rows do not compress.
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import unittest

from . import support

START = 1795392000000  # 2026-11-23
HOUR = 3600000
ROWS = 6000


def failpoints():
    names = set()
    for file in ("cache_entry.cc", "caching_store.cc"):
        with open(os.path.join(support.ROOT, "vfs", file)) as f:
            names |= set(re.findall(r'TS_FAILPOINT\("([^"]+)"\)', f.read()))
    return sorted(names)


READ = """
db = support.connect()
db.execute(sys.argv[1])
print(db.execute("SELECT count(*), total(n), total(length(pad)) FROM cpu").fetchone())
print(*db.execute("SELECT requests, bytes_read, files_read FROM ts_last_query()").fetchone())
"""
WRITE = """
db = support.connect(isolation_level=None)
db.execute(sys.argv[1])
with open(sys.argv[2], "rb") as f:
    pads = f.read()
for hour in range(int(sys.argv[3]), int(sys.argv[4])):
    db.execute("BEGIN")
    db.executemany("INSERT INTO cpu VALUES(?, ?, ?, ?)",
                   ((%d + hour * %d + i, "h", i, pads[i * 90:i * 90 + 90]) for i in range(%d)))
    db.execute("COMMIT")
    db.execute("SELECT ts_flush('cpu')").fetchall()
    print(hour, flush=True)
""" % (START, HOUR, ROWS)


class Cache(support.TimeseriesCase):
    def setUp(self):
        super().setUp()
        self.cache = self.path("cache")
        self.spools = 0
        with open(self.path("pads"), "wb") as f:
            f.write(random.Random(4).randbytes(ROWS * 90))

    def declaration(self, location, options="", spool=None):
        """Of a reader that knows nothing, unless a spool is named."""
        self.spools += 1
        return ("CREATE VIRTUAL TABLE cpu USING timeseries(ts TIMESTAMP, host TEXT TAG, n INTEGER, pad BLOB, location='%s', spool='%s', "
                "partition='hour', flush_interval='1d', flush_size='4GB'%s)" %
                (location, spool or self.path("spool-%d" % self.spools), options and ", " + options))

    def caching(self, location, more="", spool=None, cache=None):
        return self.declaration(location, "cache_dir='%s'%s" % (cache or self.cache, more), spool)

    def write(self, declaration, first, last, so=None, env=None, check=True):
        return support.python(WRITE, declaration, self.path("pads"), first, last, so=so, env=env, check=check)

    def read(self, declaration, so=None, env=None):
        """(answer, requests, bytes, files) of a query in a new process."""
        answer, counts = support.python(READ, declaration, so=so, env=env).stdout.splitlines()
        return (answer, *map(int, counts.split()))

    def whole(self, files):
        return str((files * ROWS, files * sum(range(ROWS)) * 1.0, files * ROWS * 90.0))

    def archive(self, files=2):
        location = self.s3_location()
        self.write(self.declaration(location), 0, files)
        return location

    def known(self, location):
        """A spool that has compared its schema with the archive's: a new one asks for it once. Nothing gets into the cache."""
        spool = self.path("known")
        self.read(self.declaration(location, spool=spool))
        return spool

    def test_a_warm_query_makes_the_list_and_nothing_else(self):
        """A warm query makes the LIST and nothing else, in a new process too."""
        location = self.archive()
        plain, cold = self.read(self.declaration(location)), self.read(self.caching(location))
        self.assertEqual(plain, cold)
        self.assertEqual(cold[0], self.whole(2))
        self.assertGreater(cold[1], 3)
        warm = self.read(self.caching(location, spool=self.known(location)))
        self.assertEqual((warm[0], warm[1]), (self.whole(2), 1))
        self.assertLess(warm[2], 2000)

    def test_the_writer_keeps_what_it_has_stored(self):
        """After ts_flush a query needs no GET of the new files, in the writer's process or in another one."""
        location = self.s3_location()
        db = self.connect(isolation_level=None)
        db.execute(self.caching(location))
        for hour in range(3):
            db.executemany("INSERT INTO cpu VALUES(?, 'h', ?, randomblob(90))", ((START + hour * HOUR + i, i) for i in range(ROWS)))
        self.assertEqual(support.flush(db, "cpu"), 3)
        self.wait_retired(db)
        self.assertEqual(db.execute("SELECT count(*), total(length(pad)) FROM cpu").fetchone(), (3 * ROWS, 3 * ROWS * 90.0))
        self.assertEqual(db.execute("SELECT requests, files_read FROM ts_last_query()").fetchone(), (1, 3))
        answer, requests, size, files = self.read(self.caching(location, spool=self.known(location)))
        self.assertEqual((answer, requests, files), (self.whole(3), 1, 3))
        self.assertLess(size, 4000)

    def wait_retired(self, db):
        """Until the stored files have left the spool."""
        sealed = [row[0] for row in db.execute("SELECT name FROM ts_files('cpu') WHERE state<>'stored'")]
        self.assertEqual(sealed, [])
        folder = self.path("spool-%d" % self.spools, "sealed")
        while [f for f in os.listdir(folder) if f.endswith(".sqlite")]:
            db.execute("SELECT ts_flush('cpu')").fetchall()

    def test_two_archives_share_no_entry(self):
        """Two archives with files of one name and other content under one cache_dir are never mixed up."""
        one, two = self.s3_location(), self.file_location("two")
        for number, location in enumerate((one, two)):
            db = self.connect(isolation_level=None)
            db.execute(self.caching(location))
            db.executemany("INSERT INTO cpu VALUES(?, 'h', ?, NULL)", ((START + i, number) for i in range(100)))
            support.flush(db, "cpu")
            db.close()
        for number, location in enumerate((one, two)):
            for _ in range(2):
                self.assertEqual(self.read(self.caching(location))[0], str((100, number * 100.0, 0.0)))

    def test_a_damaged_cache_is_fetched_again(self):
        """Bytes of cached files that were changed cost requests, never an answer, and are good again afterwards."""
        location = self.archive(1)
        spool = self.known(location)
        for _ in range(2):
            warm = self.read(self.caching(location, spool=spool))
        self.assertEqual(warm[1], 1)
        luck = random.Random(5)
        for name in os.listdir(self.cache):
            with open(os.path.join(self.cache, name), "r+b") as f:
                data = bytearray(f.read())
                for _ in range(20):
                    data[luck.randrange(len(data))] ^= 1 << luck.randrange(8)
                f.seek(0)
                f.write(data)
        again = self.read(self.caching(location, spool=spool))
        self.assertEqual(again[0], self.whole(1))
        self.assertGreater(again[1], 1)
        self.assertEqual(self.read(self.caching(location, spool=spool))[:2], (self.whole(1), 1))

    def test_a_cache_that_cannot_be_made(self):
        """A cache_dir that cannot be made costs requests, never an answer."""
        location = self.archive(1)
        plain = self.read(self.declaration(location))
        open(self.path("file"), "w").close()
        for _ in range(2):
            self.assertEqual(self.read(self.caching(location, cache=self.path("file", "cache"))), plain)

    def test_the_limit_holds_for_all_processes(self):
        """cache_size bounds what several processes leave in the directory together, and what a writer's files become."""
        location, limit = self.s3_location(), 1500000
        self.write(self.caching(location, ", cache_size='%d'" % limit), 0, 6)  # about 600 kB each
        self.assertLessEqual(self.allocated(), limit)
        self.assertGreater(self.allocated(), 0)
        for _ in range(2):
            self.assertEqual(self.read(self.caching(location, ", cache_size='%d'" % limit))[0], self.whole(6))
            self.assertLessEqual(self.allocated(), limit)

    def allocated(self):
        return sum(os.stat(os.path.join(self.cache, name)).st_blocks * 512 for name in os.listdir(self.cache) if "." in name)

    def test_processes_that_fill_it_at_once(self):
        """Processes that read the same new files at once get the whole answer each, and leave the whole cache."""
        location = self.archive(3)
        code = "import sys; sys.path.insert(0, %r)\nfrom python import support\nsys.stdin.readline()\n%s" % (
            os.path.join(support.ROOT, "tests"), READ)
        children = [subprocess.Popen([sys.executable, "-c", code, self.caching(location)], text=True, stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, env=support.environment()) for _ in range(4)]
        for child in children:
            child.stdin.write("go\n")
            child.stdin.flush()
        for child in children:
            out = child.communicate(timeout=60 * support.PATIENCE)[0]
            self.assertEqual(out.splitlines()[0], self.whole(3))
        self.assertEqual(self.read(self.caching(location, spool=self.known(location)))[:2], (self.whole(3), 1))

    def test_killed_at_each_step(self):
        """A reader or writer killed at any step of the cache leaves nothing that is served wrong, and no row twice or missing."""
        names, kills = failpoints(), 0
        self.assertGreaterEqual(len(names), 8)
        for name in names:
            for passage in (1, 2):
                with self.subTest(failpoint=name, passage=passage):
                    shutil.rmtree(self.cache, ignore_errors=True)
                    location, spool = self.file_location("%s-%d" % (name, passage)), self.path("w-%s-%d" % (name, passage))
                    env = support.environment(TIMESERIES_FAILPOINT="%s@%d=kill" % (name, passage))
                    small = ", cache_size='1000000'"  # of which two files are more: the third evicts
                    writing = self.write(self.caching(location, small, spool), 0, 3, so=support.WITH_FAILPOINTS, env=env, check=False)
                    stored = len(writing.stdout.split())
                    self.write(self.declaration(location, spool=spool), stored + 1, 4)
                    expected = self.read(self.declaration(location))
                    read = support.python(READ, self.caching(location, small), so=support.WITH_FAILPOINTS, env=env, check=False)
                    codes = (writing.returncode, read.returncode)
                    self.assertLessEqual(set(codes), {0, -signal.SIGKILL}, writing.stderr + read.stderr)
                    kills += codes.count(-signal.SIGKILL)
                    self.assertTrue(passage > 1 or any(codes), "the failpoint was not passed")
                    for _ in range(2):
                        self.assertEqual(self.read(self.caching(location, small))[0], expected[0])
        print(" %d kills at %d failpoints" % (kills, len(names)), flush=True)


if __name__ == "__main__":
    unittest.main()
