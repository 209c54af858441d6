# Sketches against exact counts and quantiles, within the errors that are stated; merged, and read from hostile blobs.
import bisect
import math
import random
import struct

from . import support

COUNTS = (0, 1, 2, 10, 100, 1000, 10000, 50000, 200000)
KINDS = {"uniform": lambda r: r.random(), "normal": lambda r: r.gauss(0, 1), "heavy": lambda r: r.paretovariate(0.5),
         "few": lambda r: r.randrange(5), "huge": lambda r: r.choice([-1, 1]) * 1e308 * r.random()}
PLACES = (0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1)


def numbered(n):
    return "(WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < %d) SELECT i FROM c WHERE i <= %d)" % (n, n)


class Sketches(support.TimeseriesCase):
    def setUp(self):
        super().setUp()
        self.db = self.connect()
        self.db.execute("CREATE TABLE s(n INTEGER PRIMARY KEY, part, v)")

    def one(self, sql, *arguments):
        return self.db.execute(sql, arguments).fetchone()[0]

    def fill(self, values, parts=1):
        self.db.execute("DELETE FROM s")
        self.db.executemany("INSERT INTO s(part, v) VALUES(?, ?)", [(i % parts, v) for i, v in enumerate(values)])

    def test_distinct_counts_are_within_the_stated_error(self):
        """Four standard errors of 0.81 % for each, and two for their mean, which a wrong estimate at any size would leave."""
        errors = []
        for n in COUNTS:
            for form in ("i", "'host-' || i", "i / 7.0", "CAST(i * 977 AS BLOB)"):
                got = self.one("SELECT approx_count_distinct(%s) FROM %s" % (form, numbered(n)))
                if n <= 100:
                    self.assertLessEqual(abs(got - n), n // 100, form)
                else:
                    errors.append((got - n) / n)
                    self.assertLess(abs(errors[-1]), 4 * 1.04 / math.sqrt(2 ** 14), (n, form))
        self.assertLess(abs(sum(errors) / len(errors)), 2 * 1.04 / math.sqrt(2 ** 14) / math.sqrt(len(errors)))

    def test_values_that_are_equal_count_once(self):
        self.fill([1, 1.0, None, "1", b"1", "", b"", 0.0, -0.0, 0, math.inf, 2 ** 63 - 1, 2 ** 63 - 1, 1])
        self.assertEqual(self.one("SELECT approx_count_distinct(v) FROM s"), 8)
        self.assertEqual(self.one("SELECT count(DISTINCT v) FROM s"), 8)

    def test_counts_rolled_up_are_those_of_all_values(self):
        self.fill([i * i % 5003 for i in range(20000)], parts=7)
        whole = self.one("SELECT hyperloglog(v) FROM s")
        rolled = self.one("SELECT rollup(h) FROM (SELECT hyperloglog(v) AS h FROM s GROUP BY part)")
        self.assertEqual(rolled, whole)
        self.assertEqual(self.one("SELECT distinct_count(?)", whole), self.one("SELECT approx_count_distinct(v) FROM s"))
        self.assertEqual(self.one("SELECT hyperloglog(v) FROM (SELECT v FROM s ORDER BY random())"), whole)
        self.assertEqual(len(self.one("SELECT hyperloglog(v) FROM s WHERE n = 1")), 8)
        self.assertLessEqual(len(whole), 16389)

    def digest_error(self, values, digest, worse=1):
        """Holds every quantile of the digest to the stated error in ranks."""
        ordered = sorted(values)
        for p in PLACES:
            got = self.one("SELECT approx_percentile(?, ?)", p, digest)
            low, high = bisect.bisect_left(ordered, got) / len(ordered), bisect.bisect_right(ordered, got) / len(ordered)
            error = max(0, low - p, p - high)
            allowed = worse * 2 * math.pi * math.sqrt(p * (1 - p)) / 200 + 1 / len(ordered)
            self.assertLessEqual(error, allowed, (p, got))

    def test_percentiles_are_within_the_stated_error_in_any_order(self):
        r = random.Random(11)
        for kind, value in KINDS.items():
            values = [value(r) for _ in range(30000)]
            for order in (values, sorted(values), sorted(values, reverse=True)):
                with self.subTest(kind=kind):
                    self.fill(order, parts=37)
                    self.digest_error(values, self.one("SELECT tdigest(v) FROM (SELECT v FROM s ORDER BY n)"))
                    rolled = self.one("SELECT rollup(d) FROM (SELECT tdigest(v) AS d FROM s GROUP BY part)")
                    self.digest_error(values, rolled, 2)
                    self.assertLessEqual(len(rolled), 3300)

    def test_percentiles_of_few_values_are_exact(self):
        for values in ([7], [1, 2], [3, 1, 2, 9, 8], [math.inf, 1, 2], [-math.inf, math.inf, 5], [1e308, -1e308], [math.inf], [-math.inf]):
            self.fill(values)
            for p in (0, 0.5, 1):
                self.assertEqual(self.one("SELECT approx_percentile(?, tdigest(v)) FROM s", p), self.one("SELECT quantile(v, ?) FROM s", p))
        self.fill([None, 4, None])
        self.assertEqual(self.one("SELECT approx_percentile(0.3, tdigest(v)) FROM s"), 4)

    def test_the_same_rows_give_the_same_digest(self):
        r = random.Random(2)
        self.fill([r.gauss(0, 1) for _ in range(10000)])
        digests = {self.one("SELECT tdigest(v) FROM (SELECT v FROM s ORDER BY n)") for _ in range(3)}
        self.assertEqual(len(digests), 1)
        self.assertEqual(self.one("SELECT rollup(?)", *digests), *digests)

    def test_groups_without_values(self):
        for call in ("hyperloglog(v)", "tdigest(v)", "rollup(v)"):
            self.assertIsNone(self.one("SELECT %s FROM s" % call))
            self.assertIsNone(self.one("SELECT %s FROM (SELECT NULL AS v)" % call))
        self.assertEqual(self.one("SELECT approx_count_distinct(v) FROM s"), 0)
        self.assertIsNone(self.one("SELECT approx_percentile(0.5, NULL)"))
        self.assertIsNone(self.one("SELECT distinct_count(NULL)"))

    def test_blobs_that_are_no_sketch_are_refused(self):
        digest = self.one("SELECT tdigest(i) FROM " + numbered(3))
        count = self.one("SELECT hyperloglog(i) FROM " + numbered(3))
        ends = struct.pack("<2d", 1, 3)
        centroid = struct.pack("<dQ", 1, 2)
        nan = struct.pack("<d", math.nan)
        for blob, fault in (
                (b"", "it does not begin as one"), (b"tdg2" + digest[4:], "it does not begin as one"),
                (count, "it does not begin as one"), (digest[:-1], "its length is wrong"), (digest[:20], "its length is wrong"),
                (digest + centroid * 1000, "its length is wrong"),
                (b"tdg1" + struct.pack("<2Q", 2 ** 53, 0) + ends, "it counts too many values"),
                (b"tdg1" + struct.pack("<2Q", 2 ** 64 - 1, 2) + ends, "it counts too many values"),
                (b"tdg1" + bytes(16) + nan + nan + centroid, "its ends are no numbers"),
                (b"tdg1" + bytes(16) + ends + struct.pack("<dQ", 4, 2), "its centroids are out of order"),
                (b"tdg1" + bytes(16) + ends + nan + bytes(8), "its centroids are out of order"),
                (b"tdg1" + bytes(16) + ends + struct.pack("<dQdQ", 2, 1, 1, 1), "its centroids are out of order"),
                (b"tdg1" + bytes(16) + ends + struct.pack("<dQ", 2, 0), "it counts too many values, or none"),
                (b"tdg1" + bytes(16) + ends + struct.pack("<dQdQ", 2, 2 ** 52, 2, 2 ** 52), "it counts too many values, or none"),
                (b"tdg1" + bytes(16) + ends, "it holds no value"), ("x", 'it is "x"'), (5, "it is 5")):
            message = "this is no t-digest: %s; tdigest(value) makes one" % fault
            self.assertFails(self.db, "SELECT approx_percentile(0.5, ?)", "approx_percentile: " + message, (blob,))
            if blob != count:
                self.assertFails(self.db, "SELECT rollup(?)", "rollup: " + message, (blob,))
        for blob, fault in (
                (b"hll1", "it does not begin as one"), (digest, "it does not begin as one"), (b"hll1x", "its length is wrong"),
                (count[:-1], "its length is wrong"), (b"hll1d" + bytes(16383), "its length is wrong"),
                (b"hll1s" + b"\x01\0\x01" * 2, "its registers are out of order"),
                (b"hll1s" + b"\0\x40\x01", "its registers are out of order"),
                (b"hll1s" + b"\x01\0\x34", "a register holds 52"), (b"hll1s" + b"\x01\0\0", "a register holds 0"),
                (b"hll1d" + b"\xff" * 16384, "a register holds 255")):
            self.assertFails(self.db, "SELECT distinct_count(?)",
                             "distinct_count: this is no HyperLogLog: %s; hyperloglog(x) makes one" % fault, (blob,))
        self.assertFails(self.db, "SELECT rollup(column1) FROM (VALUES(?), (?))",
                         "rollup: the group holds different kinds of sketches; add the kind to GROUP BY", (count, digest))
        many = b"tdg1" + bytes(16) + ends + struct.pack("<dQ", 2, 2 ** 53 - 1)
        self.assertFails(self.db, "SELECT rollup(column1) FROM (VALUES(?), (?))", "rollup: the digests hold more than 2^53 values",
                         (many, many))
        self.assertFails(self.db, "SELECT approx_percentile(2, ?)", "approx_percentile: p is 2 and lies not between 0 and 1", (digest,))
        self.assertFails(self.db, "SELECT tdigest('x')", 'tdigest: "x" is no number; CAST it to REAL')

    def test_damaged_sketches_answer_or_are_refused(self):
        """Random damage never does more than an error with a name or some number."""
        r = random.Random(4)
        self.fill([r.gauss(0, 1) for _ in range(3000)])
        sketches = [self.one("SELECT %s(v) FROM s" % name) for name in ("tdigest", "hyperloglog")]
        refused = 0
        for i in range(2000):
            blob = bytearray(sketches[i % 2])
            for _ in range(r.choice([1, 2, 8])):
                blob[r.randrange(4, len(blob))] = r.choice([0, 1, 127, 128, 255, r.randrange(256)])
            ask = "approx_percentile(0.37, rollup(?))" if i % 2 == 0 else "distinct_count(rollup(?))"
            try:
                got = self.one("SELECT " + ask, bytes(blob))
                self.assertTrue(got is not None and got == got, ask)
            except support.sqlite3.OperationalError as e:
                self.assertRegex(str(e), "^rollup: this is no (t-digest|HyperLogLog): ")
                refused += 1
        self.assertGreater(refused, 100)
