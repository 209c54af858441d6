# What a cold query costs on the server: requests and bytes, counted by ts_last_query(), over files above and below the limit up to
# which a file is read whole where nobody knows better. Their rows are random numbers, which hardly pack: 42 bytes each.
import unittest

from . import support

START = 1795392000000  # 2026-11-23
HOUR = 3600000
HOSTS = 40
MIB = 1 << 20
HEAD, BLOCK, PART = MIB // 4, MIB // 16, 2 * MIB
LARGE, SMALL = 3000, 1000  # rows of each host: 5.0 and 1.7 MB

WRITE = """
import random
db = support.connect(isolation_level=None)
db.execute(sys.argv[1])
source = random.Random(7)
for day, rows in enumerate(map(int, sys.argv[2:])):
    db.execute("BEGIN")
    db.executemany("INSERT INTO cpu VALUES(?, ?, ?, ?, ?, ?, ?)",
                   ((%d + day * 24 * %d + i * 10000, "host%%d" %% (100 + host), *(source.random() for _ in range(5)))
                    for host in range(%d) for i in range(rows)))
    db.execute("COMMIT")
print(db.execute("SELECT ts_flush('cpu')").fetchone()[0])
print(*(row[0] for row in db.execute("SELECT bytes FROM ts_files('cpu') ORDER BY start")))
""" % (START, HOUR, HOSTS)
READ = """
db = support.connect()
db.execute(sys.argv[1])
db.execute("CREATE VIRTUAL TABLE hourly USING timeseries_rollup(cpu, '1 hour')")
print(sorted(db.execute(sys.argv[2]).fetchall()))
print(*db.execute("SELECT requests, bytes_read, files_read FROM ts_last_query()").fetchone())
"""


class Requests(support.TimeseriesCase):
    def declaration(self, spool):
        return ("CREATE VIRTUAL TABLE cpu USING timeseries(ts TIMESTAMP, host TEXT TAG, a REAL, b REAL, c REAL, d REAL, e REAL, "
                "location='%s', spool='%s', partition='day', flush_interval='1d', flush_size='4GB', hedge='off')" %
                (self.location, self.path(spool + self.location[-32:])))

    def archive(self, *rows):
        """Writes files of so many rows a host, a day each; their sizes."""
        self.location = self.s3_location()
        files, sizes = support.python(WRITE, self.declaration("writer"), *rows).stdout.splitlines()
        self.assertEqual(int(files), len(rows))
        self.ask("SELECT count(*) FROM cpu LIMIT 1")  # the reader's spool knows the archive's schema from now on
        return list(map(int, sizes.split()))

    def ask(self, sql):
        """(answer, requests, bytes, files) of a query in a new process."""
        answer, counts = support.python(READ, self.declaration("reader"), sql).stdout.splitlines()
        return (answer, *map(int, counts.split()))

    def test_one_series_costs_the_head_and_one_range(self):
        """One host of one file: LIST, head, range, whether one GET would bring the file or not."""
        for rows in (LARGE, SMALL):
            with self.subTest(rows=rows):
                size, = self.archive(rows)
                self.assertGreater(size, MIB)
                answer, requests, read, files = self.ask("SELECT count(*), max(a) < 1 FROM cpu WHERE host = 'host120'")
                self.assertEqual((answer, requests, files), ("[(%d, 1)]" % rows, 3, 1))
                self.assertLess(read, HEAD + size // HOSTS + 4 * BLOCK)

    def test_newest_rows_cost_the_head_and_the_last_chunks(self):
        """The newest rows of three hosts that lie apart: LIST, head, three ranges of the newest file alone."""
        size = self.archive(LARGE, LARGE)[-1]
        self.assertGreater(size, 4 * MIB)
        answer, requests, read, files = self.ask(
            "SELECT host FROM cpu WHERE host IN ('host105', 'host120', 'host135') ORDER BY ts DESC LIMIT 3")
        self.assertEqual(answer, "[('host105',), ('host120',), ('host135',)]")
        self.assertEqual((requests, files), (5, 1))
        self.assertLess(read, HEAD + 6 * BLOCK + 4000)

    def test_a_rollup_of_everything_reads_each_file_once_in_parts(self):
        """A rollup over all series: LIST, and each file in as many parts as it has two MiB, or one if it has up to four MiB."""
        sizes = self.archive(LARGE, SMALL)
        self.assertTrue(sizes[0] > 4 * MIB > sizes[1] > MIB)
        answer, requests, read, files = self.ask("SELECT sum(rows), count(DISTINCT ts) FROM hourly")
        self.assertEqual(answer, "[(%d, %d)]" % (HOSTS * (LARGE + SMALL), -(-LARGE // 360) + -(-SMALL // 360)))
        self.assertEqual((requests, files), (1 + -(-sizes[0] // PART) + 1, 2))
        self.assertLess(read, sum(sizes) + 4000)

    def test_a_whole_scan_reads_each_file_once_in_parts(self):
        """All rows with all columns, in no order and in the order of time: the same requests as a rollup of everything."""
        sizes = self.archive(LARGE, SMALL)
        for order in ("", " ORDER BY ts"):
            with self.subTest(order=order):
                answer, requests, read, files = self.ask(
                    "SELECT count(*), count(DISTINCT host), min(a + b + c + d + e) > 0 FROM (SELECT * FROM cpu%s)" % order)
                self.assertEqual(answer, "[(%d, %d, 1)]" % (HOSTS * (LARGE + SMALL), HOSTS))
                self.assertEqual((requests, files), (1 + -(-sizes[0] // PART) + 1, 2))
                self.assertLess(read, sum(sizes) + 4000)


if __name__ == "__main__":
    unittest.main()
