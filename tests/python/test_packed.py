# What comes out of a stored file is what went in, by type and bits: read by SQLite alone (several versions) and by the extension.
#
# The measure is an ordinary table with the same declarations and the same rows. Rows are compared as multisets. Nothing here
# knows how a file holds its rows, but for two things: its format version, and that from version 2 on tags are looked up.
# TIMESERIES_PACKED_SEED (default 1) says which random tables are made; a failure prints the seed.
import datetime
import glob
import math
import os
import random
import re
import sqlite3
import string
import struct
import unittest
import urllib.parse

from . import page_checksums, stock, support
from .stock import Text, quoted

SEED = int(os.environ.get("TIMESERIES_PACKED_SEED", "1"))
ROUNDS = int(os.environ.get("TIMESERIES_PACKED_ROUNDS", "12"))
UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
SECOND = 1795392000  # 2026-11-23, 0:00
T = SECOND * 1000
INT_MIN, INT_MAX = -(2**63), 2**63 - 1
INF = float("inf")
SMALLEST, LARGEST = 5e-324, 1.7976931348623157e308
WORDS = ["group", "order", "select", "values", "index", "table", "default", "primary", "null", "from", "n", "i", "id", "t0", "t1", "z", "k",
         "c", "s", "r", "v", "b", "usage", "usage_base", "usage_data", "usage_mini", "usage_slope", "usage_scale", "usage_min", "usage_sum",
         "usage_count", "first_chunk", "last_chunk", "chunk", "series", "value", "data", "base", "rows", "count", "min", "max", "step",
         "cpu", "cpu_chunk", "cpu_series", "cpu_value", "key", "it's", 'a"b', 'a""b', "a b", " ", "ünï☃", "Ä", "ä", "a.b", "a]b", "[x]",
         "`", "--", "/*", "*/", "a\nb", "1", "%", "?1", ":x", "''", '"', ";", "x'00'", "substr", "instr", "cast", "main", "sqlite_master"]
METADATA = ["integrity_check", "application_id", "user_version", "journal_mode"]


def double(bits):
    return struct.unpack(">d", struct.pack(">Q", bits))[0]


def next_up(x):
    """The next double above a positive one."""
    return double(struct.unpack(">Q", struct.pack(">d", x))[0] + 1)


def count_of(text, unit):
    """A time of a file's name, in units."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    at = datetime.datetime.strptime(whole, "%Y%m%dT%H%M%S").replace(tzinfo=datetime.timezone.utc)
    seconds = int((at - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)).total_seconds())
    return seconds * unit + int(fraction or 0)


class Walk:
    """Kinds of columns: each makes the next value of a series, from a random generator."""

    def __init__(self, rng):
        self.rng, self.at, self.words = rng, rng.randrange(1000), ["".join(rng.choices(string.ascii_letters, k=rng.randrange(12)))
                                                                   for _ in range(9)]

    def two_decimals(self):
        self.at += self.rng.randrange(-30, 31)
        return self.at / 100

    def counter(self):
        self.at += self.rng.choice([0, 1, 1, 1, 7, 250])
        return int(self.at)

    def regular(self):
        self.at += 10
        return int(self.at)

    def random_double(self):
        return self.rng.random() * 10 ** self.rng.randrange(-3, 4)

    def any_double(self):
        bits = self.rng.getrandbits(64)
        return double(bits) if not math.isnan(double(bits)) else -0.0

    def boolean(self):
        return self.rng.randrange(2)

    def constant(self):
        return 42.5

    def nothing(self):
        return None

    def small(self):
        return self.rng.randrange(-9, 10)

    def any_integer(self):
        return self.rng.getrandbits(64) - 2**63

    def word(self):
        return self.rng.choice(self.words)

    def log_line(self):
        self.at += 1
        return "%d GET /%s?%s HTTP/1.1 %d" % (self.at, self.word(), self.rng.getrandbits(90), self.rng.choice([200, 404]))

    def blob(self):
        return self.rng.randbytes(self.rng.randrange(20))

    def digits(self):
        return self.rng.choice(["1", "1.0", "01", "1e3", "-0", " 5 ", "0x10", "", "9223372036854775808", "0.1"])

    def anything(self):
        return self.rng.choice([None, 0, 1, -1, 1.0, 0.0, -0.0, 0.5, "1", "1.0", "a", "A", "", b"1", b"", 2**53, 2.0**53, 2**63 - 1,
                                9.25e18, "a\0b", b"\0", INF, -INF, SMALLEST])

    KINDS = [two_decimals, counter, regular, random_double, any_double, boolean, constant, nothing, small, any_integer, word, log_line,
             blob, digits, anything]


class PackedCase(support.TimeseriesCase):
    """check() is the law; a test only thinks of rows."""

    @classmethod
    def setUpClass(cls):
        stock.require()

    def setUp(self):
        super().setUp()
        self.checked = 0

    def check(self, columns, rows, table="cpu", ordered=False, **options):
        """Rows go in by INSERT, ts_insert and executemany, are flushed, and come out the same; returns the stored files."""
        self.checked += 1
        directory = "archive%d" % self.checked
        location = self.file_location(directory)
        options.setdefault("precision", "ms")
        options.setdefault("partition", "day")
        columns = list(columns)
        measure_path = self.path("plain%d.sqlite" % self.checked)
        measure = sqlite3.connect(measure_path, isolation_level=None)
        self.addCleanup(measure.close)
        stock.create_plain(measure, table, columns)
        db = self.connect(self.path("main%d.db" % self.checked), isolation_level=None)
        options_text = "".join(", %s='%s'" % item for item in options.items())
        db.execute("CREATE VIRTUAL TABLE %s USING timeseries(%s, location='%s'%s)"
                   % (quoted(table), ", ".join("%s %s" % (quoted(n), d) for n, d in columns), location, options_text))
        if not ordered:
            rows = list(rows)
            random.Random(len(rows)).shuffle(rows)
        for to in (measure, db):
            to.execute("BEGIN")
            self.insert(to, table, rows, by_function=to is db and len(columns) < 100)
            to.execute("COMMIT")
        measure.close()
        flushed = db.execute("SELECT ts_flush(?)", (table,)).fetchone()[0]
        (expected,) = stock.query("system", measure_path, "SELECT * FROM " + quoted(table))
        files = sorted(glob.glob(glob.escape(self.path(directory)) + "/*/*/*.sqlite"))
        self.assertEqual(flushed, len(files))
        self.assertEqual(len(expected), len(rows))
        self.check_extension(db, table, expected, "the writer")
        elsewhere = self.connect(isolation_level=None)
        elsewhere.execute("CREATE VIRTUAL TABLE x USING timeseries(location='%s', table='%s', spool='%s')"
                          % (location, table.replace("'", "''"), self.path("elsewhere%d" % self.checked)))
        self.check_extension(elsewhere, "x", expected, "the extension elsewhere")
        self.check_stock(files, table, columns, expected, options)
        return files

    def insert(self, db, table, rows, by_function):
        into = "INSERT INTO %s VALUES" % quoted(table)
        rest = []
        for number, row in enumerate(rows):
            texts = any(isinstance(v, Text) for v in row)
            if not texts and number >= 40:
                rest.append(row)
                continue
            values = "(%s)" % ", ".join("CAST(? AS TEXT)" if isinstance(v, Text) else "?" for v in row)
            row = tuple(bytes(v) if isinstance(v, Text) else v for v in row)
            if number % 2 and by_function:
                db.execute("SELECT ts_insert(?, " + values[1:], (table, *row)).fetchall()
            else:
                db.execute(into + values, row)
        if rest:
            db.executemany(into + "(%s)" % ", ".join("?" * len(rest[0])), rest)

    def check_extension(self, db, table, expected, who):
        db.text_factory = Text
        found = [stock.line(row) for row in db.execute("SELECT * FROM " + quoted(table))]
        self.assertEqual(stock.difference(expected, found), "", "read by " + who)
        db.text_factory = str

    def check_stock(self, files, table, columns, expected, options):
        name = quoted(table)
        statements = ["SELECT * FROM %s" % name, "SELECT count(*) FROM %s" % name, "PRAGMA table_info(%s)" % name,
                      "SELECT key, value FROM timeseries_meta"] + ["PRAGMA " + p for p in METADATA]
        self.assertEqual([os.path.basename(os.path.dirname(os.path.dirname(f))) for f in files], [encoded(table)] * len(files))
        self.versions = set()
        for version in stock.VERSIONS:
            found = []
            for path in files:
                rows, (count,), info, meta, *pragmas = stock.query(version, path, *statements)
                self.assertEqual(int(count[1:]), len(rows), version)
                found += rows
                self.assertEqual([stock.parsed(line)[1] for line in info], [n for n, _ in columns], version)
                check, application, format_version, journal = [stock.parsed(p[0])[0] for p in pragmas]
                self.assertEqual((check, application, journal), ("ok", 0x54536531, "delete"), version)
                self.assertIn(format_version, (1, 2))
                self.check_meta(path, dict(map(stock.parsed, meta)), table, columns, options, len(rows), format_version)
                self.versions.add(format_version)
            self.assertEqual(stock.difference(expected, found), "", "read by SQLite %s alone" % version)

    def check_meta(self, path, meta, table, columns, options, rows, format_version):
        with open(path, "rb") as f:
            data = f.read()
        self.assertEqual(data[18:20], b"\1\1", "not WAL")
        self.assertTrue(page_checksums.carried(data))
        self.assertEqual(page_checksums.damaged(data), [])
        partition = os.path.basename(os.path.dirname(path))
        start, end, count, writer, ulid = os.path.basename(path)[:-len(".sqlite")].split("_")
        time = next(n for n, d in columns if "TIMESTAMP" in d)
        unit = UNITS[options["precision"]]
        expected = {"format": format_version, "table": table, "partition": partition, "precision": options["precision"],
                    "time_column": time, "start": count_of(start, unit), "end": count_of(end, unit), "rows": rows, "writer": writer,
                    "id": ulid, "checksum": "cksumvfs"}
        self.assertEqual({k: meta.get(k) for k in expected}, expected)
        self.assertEqual(count, "%drows" % rows)
        self.assertIn("schema", meta)


def encoded(table):
    return "".join(c if c in string.ascii_letters + string.digits + "_.-" else urllib.parse.quote(c, safe="") for c in table)


CPU = [("ts", "TIMESTAMP"), ("host", "TEXT TAG")]


class Measure(PackedCase):
    """The measure itself can tell."""

    def test_one_changed_value_is_noticed(self):
        columns = CPU + [("r", "REAL"), ("u", ""), ("t", "TEXT")]
        (path,) = self.check(columns, [(T + i, "web1", i / 2, float(i), "x") for i in range(3)])
        plain = sqlite3.connect(self.path("plain1.sqlite"), isolation_level=None)
        self.addCleanup(plain.close)
        for change in ("u = 1 WHERE u = 1.0", "u = -0.0 WHERE u = 0", "t = x'78'", "t = t || char(0)", "t = NULL", "u = '1.0' WHERE u = 1",
                       "r = r + 1e-16 WHERE r = 0.5", "ts = ts + 1", "host = 'Web1'"):
            with self.subTest(change=change):
                plain.execute("BEGIN")
                plain.execute("UPDATE cpu SET " + change)
                plain.text_factory = Text
                changed = [stock.line(row) for row in plain.execute("SELECT * FROM cpu")]
                plain.execute("ROLLBACK")
                with self.assertRaises(AssertionError):
                    self.check_stock([path], "cpu", columns, changed, {"precision": "ms"})
        (expected,) = stock.query("system", self.path("plain1.sqlite"), "SELECT * FROM cpu")
        self.check_stock([path], "cpu", columns, expected, {"precision": "ms"})
        with self.assertRaises(AssertionError):
            self.check_stock([path], "cpu", columns, expected[:1] + expected, {"precision": "ms"})

    def test_the_stock_versions_are_what_they_say(self):
        for version in stock.VERSIONS:
            ((line,),) = stock.query(version, ":memory:", "SELECT sqlite_version()")
            if version != "system":
                self.assertEqual(stock.parsed(line), (version,))


class Values(PackedCase):
    """Storage classes and extreme values."""

    def series(self, values, per_series=None, step=1000):
        """Rows of CPU and one column from the values: in one series, or in several of so many rows."""
        per_series = per_series or len(values)
        return [(T + i * step, "web%d" % (i // per_series), v) for i, v in enumerate(values)]

    def test_nulls(self):
        types = ["INTEGER", "REAL", "TEXT", "BLOB", "", "NUMERIC"]
        value = {"INTEGER": 7, "REAL": 2.25, "TEXT": "x", "BLOB": b"x", "": "y", "NUMERIC": 3.5}
        where = {"none": lambda i: False, "all": lambda i: True, "some": lambda i: i % 7 == 3, "most": lambda i: i % 199 != 5,
                 "first": lambda i: i == 0, "last": lambda i: i == 2599, "half": lambda i: i >= 1300, "one": lambda i: i != 1300}
        columns = CPU + [("%s_%s" % (w, t or "any"), t) for w in where for t in types]
        rows = [(T + i * 1000, "web%d" % (i % 2), *(None if where[w](i) else value[t] if w == "one" or i % 3 else
                                                    {"INTEGER": i, "REAL": i / 8, "NUMERIC": i}.get(t, value[t])
                                                    for w in where for t in types)) for i in range(2600)]
        self.check(columns, rows)

    def test_null_beside_every_range_of_integers(self):
        rows = []
        for width in range(64):  # one series for each: a code for NULL may never be one of a value
            top = 2**width - 1
            values = range(top + 1) if top < 300 else [0, 1, 2, top - 2, top - 1, top]
            for i, v in enumerate([None, *values, None]):
                rows.append((T + i, "web%d" % width, v, None if v is None else -v, None if v is None else v - 2**62, v))
        self.check(CPU + [("up", "INTEGER"), ("down", "INTEGER"), ("low", "INTEGER"), ("any", "")], rows)

    def test_zeros_with_a_sign(self):
        columns = CPU + [("r", "REAL"), ("u", ""), ("b", "BLOB"), ("n", "NUMERIC"), ("i", "INTEGER")]
        zeros = [-0.0, 0.0, 0, None, -0.0, 1.0, -1.0, 0.5]
        rows = [(T + i, "all", *[zeros[(i + k) % 8] for k in range(5)]) for i in range(64)]
        rows += [(T + i, "negative", *[-0.0] * 5) for i in range(1600)]
        rows += [(T + i, "one", *[-0.0 if i == 700 else 0.0] * 5) for i in range(1100)]
        rows += [(T + i, "decimals", *[-0.0 if i == 77 else i / 100] * 5) for i in range(300)]
        self.check(columns, rows)

    def test_extreme_doubles(self):
        special = [SMALLEST, -SMALLEST, 2.2250738585072014e-308, 2.225073858507201e-308, LARGEST, -LARGEST, 1e308, -1e308, INF, -INF, 1.0,
                   next_up(1.0), 2.0**52 + 0.5, 2.0**53, 2.0**53 + 2, -(2.0**53), 2.0**62, 2.0**63, -(2.0**63), 2.0**64, 9.2e18, 1e15,
                   1e16, 1e17, 1e22, 1e23, 0.1, 0.2, 0.1 + 0.2, 1 / 3, math.pi, 1e-5, 1e-17, 4.35, 4.349999999999999, 123456789.123456789]
        rng = random.Random(5)
        rows = [(T + i, "all", v, v, v) for i, v in enumerate(special)]
        rows += [(T + i, "each%d" % k, v, v, v) for k, v in enumerate(special) for i in range(3)]
        for k, v in enumerate(special):  # one of them among plain decimals
            rows += [(T + i, "among%d" % k, *[v if i == 9 else i / 4 if k % 2 else i / 1000] * 3) for i in range(30)]
        for exponent in range(0, 2047, 31):
            for sign in (0, 1):
                v = double(sign << 63 | exponent << 52 | rng.getrandbits(52))
                rows.append((T + exponent, "exponents", v, v, v))
        rows += [(T + i, "subnormal", *[double(i * 3 + 1)] * 3) for i in range(1200)]
        rows += [(T + i, "infinite", *[INF if i % 2 else -INF] * 3) for i in range(50)]
        self.check(CPU + [("r", "REAL"), ("u", ""), ("b", "BLOB")], rows)

    def test_decimals_of_every_scale(self):
        rng = random.Random(6)
        rows = []
        for scale in range(23):
            for digits in (3, 9, 15, 17):
                for i in range(12):
                    v = float("%d.%de-%d" % (rng.randrange(-9, 10), rng.randrange(10**digits), scale))
                    whole = float(rng.randrange(10**digits)) / 10**scale
                    rows.append((T + i, "s%d d%d" % (scale, digits), v, whole, whole if i != 5 else next_up(abs(whole) or 1.0)))
        walk = Walk(rng)
        rows += [(T + i, "walk", walk.two_decimals(), 0.1 * i, i / 100 if i != 1000 else 10.000000000000002) for i in range(1700)]
        self.check(CPU + [("a", "REAL"), ("b", "REAL"), ("c", "REAL")], rows)

    def test_extreme_integers(self):
        rng = random.Random(7)
        rows = [(T + i, "ends", v) for i, v in enumerate([INT_MIN, INT_MAX] * 40)]
        rows += [(T + i, "one low", INT_MIN if i == 30 else i) for i in range(60)]
        rows += [(T + i, "one high", INT_MAX if i == 30 else -i) for i in range(60)]
        rows += [(T + i, "random", rng.getrandbits(64) - 2**63) for i in range(1600)]
        rows += [(T + i, "slope", INT_MIN + i * (2**64 // 1000)) for i in range(1000)]
        rows += [(T + i, "down", INT_MAX - i * (2**64 // 1000)) for i in range(1000)]
        rows += [(T + i, "steep", (-1) ** i * i * 2**52) for i in range(1000)]
        rows += [(T + i, "high", INT_MAX - rng.randrange(100)) for i in range(100)]
        rows += [(T + i, "low", INT_MIN + rng.randrange(100)) for i in range(100)]
        rows += [(T + i, "62", rng.randrange(-(2**62) - 5, 2**62 + 5)) for i in range(300)]
        for bits in range(64):
            rows += [(T + i, "w%d" % bits, v) for i, v in enumerate([0, 2**bits - 1, 2**bits // 2, rng.getrandbits(bits)])]
            low = [-(2**bits), 1 - 2**bits, INT_MIN + 2**bits - 1, INT_MAX - 2**bits + 1]
            rows += [(T + i, "w%d" % bits, v) for i, v in enumerate(low)]
        self.check(CPU + [("i", "INTEGER"), ("u", ""), ("n", "NUMERIC")], [(*r, r[2], r[2]) for r in rows])

    def test_slopes_with_and_without_noise(self):
        rng = random.Random(8)
        rows = []
        for slope in (-(10**9), -1000, -1, 1, 3, 1000, 10**9, 10**15, 2**40 + 1):
            for noise in (0, 1, 1000, 2**33):
                name = "%d %d" % (slope, noise)
                rows += [(T + i, name, 5 + slope * i + rng.randrange(-noise, noise + 1), None if i % 50 == 7 else slope * i,
                          (slope * i + rng.randrange(-noise, noise + 1)) / 1000) for i in range(130)]
        self.check(CPU + [("i", "INTEGER"), ("j", "INTEGER"), ("r", "REAL")], rows)

    def test_text_and_blobs_in_numeric_columns(self):
        columns = CPU + [("i", "INTEGER"), ("r", "REAL"), ("n", "NUMERIC"), ("d", "DECIMAL(10,2)"), ("few", "REAL")]
        strange = ["", "a", "1", "1.5", " 7 ", "1e3", "0x10", "9223372036854775808", "-0", "-0.0", ".5", "5.", "1e400", "nan", "inf", b"",
                   b"1", b"\0", "1 2", 3, 3.0, 3.5, None, "٣"]
        rows = [(T + i, "mixed", *[strange[(i + 5 * k) % len(strange)] for k in range(4)], "high" if i == 60 else i / 2)
                for i in range(240)]
        rows += [(T + i, "numbers", i, i / 2, i / 4, i / 8, i) for i in range(1500)]
        rows += [(T + i, "text", "n/a", "n/a", "n/a", b"n/a", "n/a") for i in range(100)]
        self.check(columns, rows)

    def test_numbers_in_text_columns(self):
        numbers = [0, 1, -1, 1.0, -0.0, 0.5, 1e100, 2**53 + 1, INT_MIN, INT_MAX, 1e15, 1e16, INF, SMALLEST, b"1", b"", None, "1",
                   "1.0", "01"]
        rows = [(T + i, "web1", numbers[i % 20], numbers[i * 3 % 20]) for i in range(200)]
        rows += [(T + i, "web2", i, i / 100) for i in range(1100)]
        self.check(CPU + [("t", "TEXT"), ("v", "VARCHAR(10) COLLATE NOCASE")], rows)

    def test_integers_and_reals_of_the_same_value_in_columns_without_a_type(self):
        rows = [(T + i, "mixed", [1, 1.0][i % 2], [i, float(i)][i % 3 == 0], i if i != 50 else 50.0) for i in range(1600)]
        rows += [(T + i, "big", *[[2**53, 2.0**53, 2**60, 2.0**60, 2**53 + 1, -(2**63), -(2.0**63)][(i + k) % 7] for k in range(3)])
                 for i in range(70)]
        rows += [(T + i, "reals", 1.0, float(i), i / 100) for i in range(100)]
        rows += [(T + i, "integers", 1, i, -i) for i in range(100)]
        self.check(CPU + [("u", ""), ("b", "BLOB"), ("w", "")], rows)

    def test_numeric_columns(self):
        columns = CPU + [("n", "NUMERIC"), ("d", "DECIMAL(10,2)"), ("b", "BOOLEAN"), ("t", "DATE")]
        values = [1, 1.0, 1.5, 2.25, "1", "1.50", "2.0", 0, -3, 1e3, 1e15, 1e20, 2.0**53, None, "2026-11-23"]
        rows = [(T + i, "mixed", *[values[(i * (k + 1)) % 15] for k in range(4)]) for i in range(150)]
        rows += [(T + i, "price", i / 100, i / 4, i % 2, i) for i in range(1600)]  # every fourth is an integer
        self.check(columns, rows)

    def test_distinct_values_that_compare_equal(self):
        # A dictionary of values must not take one for the other, whatever the column's collation says.
        alike = ["a", "A", "a ", "A  ", "", " ", b"a", b"A", 1, 1.0, "1", "1.0", b"1", 0, 0.0, -0.0, None, "ä", "Ä", "a\0", "a\0b", "a\0c"]
        columns = CPU + [("nc", "TEXT COLLATE NOCASE"), ("rt", "TEXT COLLATE RTRIM"), ("bin", "TEXT"), ("u", "COLLATE NOCASE"),
                         ("bl", "BLOB COLLATE RTRIM"), ("i", "INTEGER COLLATE NOCASE")]
        rows = [(T + i, "web%d" % (i % 3), *[alike[(i // 3 + 7 * k) % len(alike)] for k in range(6)]) for i in range(3 * 110)]
        self.check(columns, rows)

    def test_text_that_is_hard(self):
        invalid = [Text(b) for b in (b"\xff", b"\xc3", b"a\xc3b", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\0", b"\0\0", b"a\0b", b"a\0c",
                                     b"", b"\xc0\x80", b"\xef\xbb\xbfx", b"\xfe\xff\0a", bytes(range(256)))]
        texts = invalid + ["", "\0", "a\0", "a", "'", '"', "''", "\n", "\r\n", "\ufeff", "\u0000x", "😀", "é", "e\u0301", "\ufffd",
                           "x" * 100]
        rows = [(T + i, texts[i % 30], texts[i * 7 % 30], texts[i * 11 % 30], bytes(texts[i % 14])) for i in range(90)]
        rows += [(T + i, "many", texts[i * 7 % 30], texts[i * 11 % 30], b"") for i in range(1200)]
        self.check(CPU + [("t", "TEXT"), ("u", ""), ("b", "BLOB")], rows)

    def test_long_values(self):
        rng = random.Random(9)
        rows = [(T + i, "web%d" % (i % 2), rng.randbytes(n), "é" * n, None if i % 3 else Text(rng.randbytes(n)))
                for i, n in enumerate([0, 1, 100, 4000, 4096, 5000, 65535, 65536, 300_000, 1_000_000])]
        self.check(CPU + [("b", "BLOB"), ("t", "TEXT"), ("u", "")], rows)

    def test_how_many_different_values_a_column_has(self):
        rows = []
        for distinct in (1, 2, 3, 127, 128, 129, 255, 256, 257, 1023, 1024, 1025):
            values = ["v%d" % (i % distinct) for i in range(distinct + 9)]
            rows += [(T + i, "d%d" % distinct, v, v if i % 5 else None) for i, v in enumerate(values)]
        rows += [(T + i, "many", "unique %d" % i, b"%d" % (i // 2)) for i in range(70_000 if not support.SANITIZE else 5000)]
        self.check(CPU + [("t", "TEXT"), ("u", "")], rows)

    def test_what_metrics_and_logs_are_like(self):
        rng = random.Random(10)
        kinds = Walk.KINDS
        rows = []
        for host in range(4):
            walks = [Walk(rng) for _ in kinds]
            rows += [(T + i * 10_000 + host, "web%d" % host, *(kind(walk) for kind, walk in zip(kinds, walks))) for i in range(1100)]
        declared = {"two_decimals": "REAL", "counter": "INTEGER", "regular": "INTEGER", "random_double": "REAL", "any_double": "REAL",
                    "boolean": "BOOLEAN", "constant": "REAL", "nothing": "REAL", "small": "INTEGER", "any_integer": "INTEGER",
                    "word": "TEXT", "log_line": "TEXT", "blob": "BLOB", "digits": "TEXT", "anything": ""}
        self.check(CPU + [(k.__name__, declared[k.__name__]) for k in kinds], rows)


class Shapes(PackedCase):
    """How many rows, series, columns and files there are."""

    def test_rows_per_series_around_the_sizes_of_chunks(self):
        rng = random.Random(11)
        rows = []
        for n in (1, 2, 3, 7, 8, 9, 31, 32, 33, 63, 64, 65, 127, 128, 129, 1023, 1024, 1025, 1499, 1500, 1501, 2047, 2048, 2049, 3000):
            walk = Walk(rng)
            rows += [(T + i * 1000, "n%d" % n, walk.two_decimals(), i, "s%d" % (i % 3)) for i in range(n)]
        self.check(CPU + [("usage", "REAL"), ("n", "INTEGER"), ("state", "TEXT")], rows)

    def test_one_series_of_each_size(self):
        for n in (1, 2, 1023, 1024, 1025, 1499, 1500, 1501, 3000):
            with self.subTest(n=n):
                self.check(CPU + [("usage", "REAL"), ("state", "TEXT"), ("c", "")],
                           [(T + i * 1000, "web1", i / 100, "s%d" % (i % 5), 1) for i in range(n)])

    def test_one_row_per_series(self):
        columns = CPU + [("usage", "REAL"), ("n", "INTEGER"), ("note", "TEXT")]
        for count in (1, 2, 7, 5000):
            with self.subTest(count=count):
                self.check(columns, [(T + i % 977, "web%d" % i, i / 100, i * i, None if i % 3 else "n%d" % i) for i in range(count)])

    def test_a_hundred_thousand_series(self):
        count = 100_000 if not support.SANITIZE else 5000
        self.check([("ts", "TIMESTAMP"), ("id", "INTEGER TAG"), ("v", "REAL")],
                   [(T + i % 86_000, i // 2 * 7 if i % 50 == 0 else i * 7, i % 1000 / 100) for i in range(count)])

    def test_few_rows_in_each_of_many_series(self):
        rows = [(T + i * 1000 + h % 7, "web%d" % h, "eu" if h % 2 else "us", h * i % 100 / 4, h)
                for h in range(700) for i in range(1 + h % 9)]
        self.check([("ts", "TIMESTAMP"), ("host", "TEXT TAG"), ("region", "TEXT TAG"), ("usage", "REAL"), ("n", "INTEGER")], rows)

    def test_many_columns(self):
        for columns, rows in ((200, 300), (1000, 12)):
            with self.subTest(columns=columns):
                rng = random.Random(columns)
                kinds = [rng.choice(Walk.KINDS) for _ in range(columns - 2)]
                types = [rng.choice(["INTEGER", "REAL", "TEXT", "", "NUMERIC"]) for _ in kinds]
                walks = [Walk(rng) for _ in kinds]
                self.check(CPU + [("c%d" % i, t) for i, t in enumerate(types)],
                           [(T + i, "web%d" % (i % 2), *(kind(walk) for kind, walk in zip(kinds, walks))) for i in range(rows)])

    def test_many_columns_of_numbers_and_many_tags(self):
        for tags, fields in ((2, 997), (500, 499), (999, 0)):
            with self.subTest(tags=tags):
                columns = [("ts", "TIMESTAMP")] + [("t%d" % i, "TEXT TAG") for i in range(tags)]
                columns += [("f%d" % i, "REAL") for i in range(fields)]
                self.check(columns, [(T + i, *["t%d" % (i % 3 * k % 7) for k in range(tags)], *[(i * k) % 911 / 100 for k in range(fields)])
                                     for i in range(9)])

    def test_times(self):
        rng = random.Random(12)
        n = 1600
        at = {"regular": [T + i * 10_000 for i in range(n)], "jittered": [T + i * 10_000 + rng.randrange(-40, 41) + 100 for i in range(n)],
              "irregular": [T + rng.randrange(86_400_000) for i in range(n)], "equal": [T + 5] * n, "pairs": [T + i // 2 for i in range(n)],
              "gap": [T + i + (80_000_000 if i > n // 2 else 0) for i in range(n)],
              "one late": [T + i for i in range(n)] + [T + 86_399_999], "falling": [T + 40_000_000 - i * 10_000 for i in range(n)]}
        rows = [(t, name, i / 4) for name, times in at.items() for i, t in enumerate(times)]
        self.check(CPU + [("usage", "REAL")], rows)
        self.check(CPU + [("usage", "REAL")], sorted(rows, reverse=True), ordered=True)
        self.check(CPU + [("usage", "REAL")], rows, ordered=True, partition="month")

    def test_duplicate_rows(self):
        rows = [(T, "web1", 0.5, "x")] * 1700 + [(T + i // 3, "web2", 0.5, None) for i in range(300)] * 2 + [(T, "web3", None, None)] * 2
        self.check(CPU + [("usage", "REAL"), ("note", "TEXT")], rows)

    def test_precisions_and_partitions(self):
        for precision, partition in (("s", "hour"), ("us", "day"), ("ns", "month"), ("ms", "month"), ("ns", "hour")):
            with self.subTest(precision=precision, partition=partition):
                unit = UNITS[precision]
                step = {"hour": 700, "day": 20_000, "month": 900_000}[partition]
                rows = [((SECOND + i * step) * unit + (i * 7919 % unit), "web%d" % (i % 2), i / 100) for i in range(9)]
                rows += [((SECOND + i) * unit + i % min(unit, 3), "web3", i / 100) for i in range(1500)]
                files = self.check(CPU + [("usage", "REAL")], rows, precision=precision, partition=partition)
                self.assertGreater(len(files), 1)

    def test_times_at_the_ends(self):
        for precision, first, last in (("s", -62135596800, 253402300799), ("ms", -62135596800_000, 253402300799_999),
                                       ("us", -62135596800_000_000, 253402300799_999_999),
                                       ("ns", INT_MIN // 10**9 * 10**9 + 10**16, 9 * 10**18)):
            with self.subTest(precision=precision):
                rows = [(t, "web1", i) for i, t in enumerate([first, first + 1, -1, 0, 1, last - 1, last])]
                self.check(CPU + [("n", "INTEGER")], rows, precision=precision, partition="month")

    def test_without_tags(self):
        self.check([("ts", "TIMESTAMP"), ("usage", "REAL"), ("note", "")],
                   [(T + i * 10, i / 100, "n" if i % 100 else i) for i in range(3100)])
        self.check([("usage", "REAL"), ("ts", "TIMESTAMP")], [(0.5, T)])
        self.check([("ts", "TIMESTAMP")], [(T + i % 100,) for i in range(1600)])

    def test_tags_and_nothing_else(self):
        self.check(CPU, [(T + i % 7, "web%d" % (i % 3)) for i in range(100)])
        self.check([("host", "TEXT TAG"), ("ts", "TIMESTAMP"), ("region", "TAG")], [("a", T + i, i % 2) for i in range(3)])

    def test_tags_of_every_kind(self):
        tags = [None, 0, 0.0, -0.0, 1, 1.0, 1.5, "", "1", "1.0", "a", "A", "a ", "a\0b", "ä", b"", b"a", b"1", INT_MIN, INT_MAX, INF, -INF,
                2**53 + 1, 2.0**53, "x" * 500]
        for declaration in ("TAG", "TEXT TAG", "TEXT TAG COLLATE NOCASE", "TEXT TAG COLLATE RTRIM", "INTEGER TAG", "REAL TAG",
                            "NUMERIC TAG", "BLOB TAG COLLATE NOCASE"):
            with self.subTest(declaration=declaration):
                columns = [("ts", "TIMESTAMP"), ("a", declaration), ("b", "TAG"), ("usage", "REAL")]
                rows = [(T + i, a, tags[(k * 7 + i) % len(tags)], i / 4) for k, a in enumerate(tags) for i in range(9)]
                rows += [(T + i, "a" if i % 2 else "A", "b", i / 4) for i in range(1100)]
                self.check(columns, rows)

    def test_the_order_of_columns_is_the_users(self):
        columns = [("usage", "REAL"), ("region", "TEXT TAG"), ("note", "TEXT"), ("ts", "TIMESTAMP"), ("host", "TEXT TAG"),
                   ("n", "INTEGER NOT NULL")]
        self.check(columns, [(i / 4, "r%d" % (i % 2), "note", T + i, "h%d" % (i % 3), i) for i in range(50)])


class Names(PackedCase):
    """A name is never taken for another or for SQL."""

    def test_columns(self):
        rows = [(T + i * 1000, "web%d" % (i % 2), *[[i, i / 100, "v%d" % (i % 5), None][(i // 10 + k) % 4] if k % 5 == 4 else
                                                    [i + k, (i + k) / 100, "v%d" % (i % 5), 7][k % 4] for k in range(len(WORDS))])
                for i in range(40)]
        types = ["INTEGER", "REAL", "TEXT", ""]
        self.check(CPU + [(w, types[k % 4]) for k, w in enumerate(WORDS)], rows)
        self.check(CPU + [(w, "TAG" if k % 2 else types[k // 2 % 4]) for k, w in enumerate(WORDS)], rows)

    def test_the_time_column(self):
        for name in ("group", "n", "t0", 'a"b', "it's", "rows", "value"):
            with self.subTest(name=name):
                self.check([(name, "TIMESTAMP"), ("h", "TEXT TAG"), ("usage", "REAL")], [(T + i * i, "a", i / 4) for i in range(30)])

    def test_tables(self):
        columns = CPU + [("usage", "REAL"), ("cpu_chunk", "TEXT"), ("n", "INTEGER")]
        rows = [(T + i * 1000, "web%d" % (i % 2), i / 100, "note %d" % (i % 3), i) for i in range(30)]
        for table in ("cpu_chunk", "cpu_series", "group", "it's", 'a"b', "a b", "ünï☃", "n", "i", "id", "t0", "key", "usage", "host", "ts",
                      "rows", "a.b", "value", "chunk", "series", "main", "substr", "[x]", "%", "x" * 200, "CPU", "timeseries", "1", "a\nb",
                      "--"):
            with self.subTest(table=table):
                self.check(columns, rows, table=table)


class Random(PackedCase):
    def test_random_tables(self):
        for number in range(ROUNDS):
            seed = SEED * 1000 + number
            with self.subTest(seed="TIMESERIES_PACKED_SEED=%d round %d" % (SEED, number)):
                self.random_table(random.Random(seed))

    def random_table(self, rng):
        precision, partition = rng.choice(list(UNITS)), rng.choice(["hour", "day", "day", "month"])
        unit = UNITS[precision]
        types = ["INTEGER", "REAL", "TEXT", "BLOB", "", "NUMERIC", "DECIMAL(10,2)", "VARCHAR(20)", "BIGINT", "DOUBLE PRECISION"]
        collations = ["", "", "", " COLLATE NOCASE", " COLLATE RTRIM"]
        names = rng.sample(WORDS, 14)
        tags = [(name, rng.choice(types) + " TAG" + rng.choice(collations)) for name in names[:rng.randrange(4)]]
        fields = [(name, rng.choice(types) + rng.choice(collations)) for name in names[4:4 + rng.randrange(1, 10)]]
        kinds = [rng.choice(Walk.KINDS) for _ in fields]
        columns = [("ts", "TIMESTAMP")] + tags + fields
        order = list(range(len(columns)))
        rng.shuffle(order)
        rows = []
        for _ in range(rng.choice([1, 2, 5, 40])):
            tag_walk = Walk(rng)
            series = [rng.choice([tag_walk.word, tag_walk.small, tag_walk.anything])() for _ in tags]
            walks = [Walk(rng) for _ in fields]
            nulls = [rng.choice([0, 0, 0, 0.02, 0.5, 0.98]) for _ in fields]
            stray = [rng.choice([0, 0, 0.01]) for _ in fields]
            at = SECOND * unit + rng.randrange(80_000) * unit
            step = rng.choice([0, 1, unit, 10 * unit])
            for _ in range(rng.choice([1, 3, 50, 700, 1024, 1501])):
                at += step + (rng.randrange(3) if step else 0)
                values = [None if rng.random() < nulls[k] else walks[k].anything() if rng.random() < stray[k] else kind(walks[k])
                          for k, kind in enumerate(kinds)]
                row = [at, *series, *values]
                rows.append(tuple(row[k] for k in order))
                if len(rows) > 6000:
                    break
        rows += rng.sample(rows, min(3, len(rows)))
        self.check([columns[k] for k in order], rows, precision=precision, partition=partition)


class Questions(PackedCase):
    """WHERE, GROUP BY and ORDER BY on a stored file mean what they mean on an ordinary table."""

    COLUMNS = [("ts", "TIMESTAMP"), ("host", "TEXT TAG"), ("zone", "TEXT TAG COLLATE NOCASE"), ("usage", "REAL"), ("n", "INTEGER"),
               ("state", "TEXT COLLATE NOCASE"), ("note", "TEXT"), ("price", "DECIMAL(10,2)"), ("raw", "BLOB"), ("any", ""),
               ("pad", "TEXT COLLATE RTRIM")]
    CONDITIONS = """
        host = 'web1'
        host = 'WEB1'
        zone = 'eu'
        zone = 'EU' COLLATE BINARY
        zone IN ('Eu', 'US')
        host = 'web1' AND zone = 'eu' AND n > 5
        host > 'web1'
        host IS NULL
        host IS NOT NULL AND usage IS NULL
        host = 5
        host LIKE 'WEB%' AND host GLOB 'web[12]'
        usage = 5
        usage = '5'
        usage = '5.0'
        usage = 'x'
        usage < '7'
        usage BETWEEN 2 AND 4.5
        usage IN (1, '2', 3.5, 'x', NULL)
        n = 5
        n = '5'
        n = 5.0
        n >= '10' AND n < 12.5
        n IN ('5', 7)
        n + 0 = '5'
        note = 5
        note = '5'
        note IN (5, '7')
        note > 5
        note > '5'
        note = x'35'
        state = 'OPEN'
        state > 'Open'
        state IN ('open', 'SHUT')
        pad = 'x'
        pad = 'x   '
        price = '2.50'
        price = 2.5
        price < '3'
        raw = x'0001'
        raw > x''
        raw = '1'
        any = 5
        any = '5'
        any > 5
        n = any
        note = n
        usage = n
        any = usage
        ts >= 1795392000000 + 30000 AND ts < 1795392000000 + 60000
        ts = '1795392000000'
        ts > 'x'
        ts = 1795392000000 OR host = 'web2' AND n % 7 = 3
        NOT (usage > 3 OR n < 20)
    """
    BAGS = """
        SELECT host, count(*), count(usage), min(usage), max(usage), sum(n), min(note), max(raw) FROM cpu GROUP BY host
        SELECT lower(zone), count(*), total(n) FROM cpu GROUP BY zone
        SELECT lower(state), count(*), max(ts) FROM cpu GROUP BY state
        SELECT rtrim(pad), count(*) FROM cpu GROUP BY pad
        SELECT usage, count(*) FROM cpu GROUP BY usage HAVING count(*) > 1
        SELECT price, count(*) FROM cpu GROUP BY price
        SELECT typeof(any), typeof(price), typeof(usage), count(*) FROM cpu GROUP BY 1, 2, 3
        SELECT ts / 60000, host, sum(n) FROM cpu GROUP BY 1, 2
        SELECT count(DISTINCT zone), count(DISTINCT host), count(DISTINCT usage) FROM cpu
        SELECT count(*) FROM cpu
        SELECT count(*) FROM cpu WHERE zone = 'eu'
        SELECT min(ts), max(ts) FROM cpu
        SELECT DISTINCT host, n % 3 FROM cpu
        SELECT a.ts, b.n FROM cpu a JOIN cpu b ON a.n = b.n + 1 AND a.host = b.host WHERE a.n < 40
        SELECT a.n, b.n FROM cpu a LEFT JOIN cpu b ON b.usage = a.n WHERE a.n < 12
        SELECT n FROM cpu WHERE usage > (SELECT avg(usage) FROM cpu) AND n IN (SELECT any FROM cpu WHERE host = 'web1')
        SELECT ts FROM cpu UNION ALL SELECT n FROM cpu
        SELECT note FROM cpu WHERE host = 'web1' EXCEPT SELECT note FROM cpu WHERE host = 'web2'
        SELECT typeof(ts), typeof(host), typeof(usage), typeof(n), typeof(note), typeof(price), typeof(raw), typeof(any) FROM cpu
    """
    LISTS = """
        SELECT * FROM cpu ORDER BY n
        SELECT * FROM cpu ORDER BY ts DESC, n LIMIT 10
        SELECT * FROM cpu ORDER BY host, n DESC
        SELECT n, zone FROM cpu ORDER BY zone, n
        SELECT n, state FROM cpu ORDER BY state DESC, n LIMIT 20 OFFSET 5
        SELECT n, any FROM cpu ORDER BY any, n
        SELECT n, note FROM cpu ORDER BY note, n
        SELECT n, usage FROM cpu ORDER BY usage DESC, n
        SELECT n, raw FROM cpu ORDER BY raw, n
        SELECT n, pad FROM cpu ORDER BY pad, n
        SELECT n, price FROM cpu ORDER BY price, n
        SELECT host, n FROM cpu WHERE zone = 'us' ORDER BY ts, n
        SELECT host, sum(n) FROM cpu GROUP BY host ORDER BY 2 DESC, 1
        SELECT DISTINCT host FROM cpu ORDER BY host DESC
        SELECT n, sum(n) OVER (PARTITION BY host ORDER BY n) FROM cpu ORDER BY n
        SELECT n FROM cpu ORDER BY usage IS NULL, n % 5, n
    """

    def rows(self):
        hosts, zones, states = [None, "web1", "web2", "web3", "5"], ["eu", "EU", "us", "Us"], ["open", "OPEN", "shut", "Open"]
        notes = ["5", "7"] + ["note %d" % i for i in range(9)]
        return [(T + i * 250, hosts[i % 5], zones[i // 5 % 4], None if i % 11 == 4 else i % 40 / 4, i, states[i % 4], notes[i % 11],
                 i % 20 / 4, bytes([0, i % 3]), i % 30, ["x", "x ", "x  ", "y"][i // 3 % 4]) for i in range(400)] + [
                (T + i * 250, "web9", "eu", i % 900 / 100, i, "open", "note %d" % (i % 50), 2.5, b"", i % 30, "x")
                for i in range(400, 2000)]

    def setUp(self):
        super().setUp()
        (self.file,) = self.check(self.COLUMNS, self.rows())
        self.plain = self.path("plain1.sqlite")

    def test_every_question_has_the_answer_of_an_ordinary_table(self):
        conditions, bags, lists = (text.strip().splitlines() for text in (self.CONDITIONS, self.BAGS, self.LISTS))
        asked = ["SELECT * FROM cpu WHERE " + c for c in conditions] + bags + lists
        answered = 0
        for version in stock.VERSIONS:
            found, expected = (stock.query(version, path, *asked) for path in (self.file, self.plain))
            for number, (sql, a, b) in enumerate(zip(asked, found, expected)):
                with self.subTest(version=version, sql=sql.strip()):
                    self.assertEqual(stock.difference(b, a), "")
                    if number >= len(asked) - len(lists):
                        self.assertEqual([stock.parsed(x) for x in a], [stock.parsed(x) for x in b])
                answered += bool(b)
        self.assertGreater(answered, 0.75 * len(asked) * len(stock.VERSIONS), "most questions have an answer that is not empty")

    def test_attached_and_under_unusual_settings(self):
        for version in stock.VERSIONS:
            with self.subTest(version=version):
                (expected,) = stock.query(version, self.plain, "SELECT * FROM cpu")
                # As any other name, beside a file with tables of the same names; whatever the order of a scan.
                attach = "ATTACH '%s' AS %s"
                found = stock.query(version, self.plain, attach % (self.file, '"other one"'), 'SELECT * FROM "other one".cpu',
                                    "PRAGMA reverse_unordered_selects=ON", 'SELECT * FROM "other one".cpu',
                                    "PRAGMA automatic_index=OFF", 'SELECT * FROM "other one".cpu', "PRAGMA trusted_schema=OFF",
                                    'SELECT * FROM "other one".cpu', "PRAGMA case_sensitive_like=ON", 'SELECT * FROM "other one".cpu')
                for rows in found[1::2]:
                    self.assertEqual(stock.difference(expected, rows), "")

    def test_files_attached_together(self):
        files = self.check(self.COLUMNS, [(r[0] + r[4] % 3 * 86_400_000, *r[1:]) for r in self.rows()])
        self.assertEqual(len(files), 3)
        attach = ["ATTACH '%s' AS f%d" % (f, i) for i, f in enumerate(files)]
        together = "(%s)" % " UNION ALL ".join("SELECT * FROM f%d.cpu" % i for i in range(len(files)))
        sql = "SELECT * FROM %s WHERE host = 'web1' OR n < 30", "SELECT host, sum(n), count(*) FROM %s GROUP BY host"
        for version in stock.VERSIONS:
            with self.subTest(version=version):
                found = stock.query(version, ":memory:", *attach, *(s % together for s in sql))[-2:]
                expected = stock.query(version, self.path("plain2.sqlite"), *(s % "cpu" for s in sql))
                for a, b in zip(found, expected):
                    self.assertEqual(stock.difference(b, a), "")

    def test_a_tag_is_looked_up_and_not_searched_for(self):
        if self.versions == {1}:
            return  # plain rows: version 1 has no directory of series
        for version in stock.VERSIONS:
            with self.subTest(version=version):
                roots = "SELECT rootpage FROM sqlite_master WHERE name IN ('cpu_series', 'cpu_series_tags')"
                root, code = stock.query(version, self.file, roots,
                                         "EXPLAIN SELECT usage FROM cpu WHERE host = 'web1'")
                code = [stock.parsed(line) for line in code]
                pages = {stock.parsed(line)[0] for line in root}  # its index has the tags where one of them is NULL
                cursors = {p1 for _, op, p1, p2, p3, *_ in code if op == "OpenRead" and p2 in pages and p3 == 0}
                used = {op for _, op, p1, *_ in code if p1 in cursors}
                self.assertTrue(any(op.startswith("Seek") for op in used), "no look-up: %s" % sorted(used))
                self.assertFalse(used & {"Rewind", "Last"}, "a scan")
                plan = stock.query(version, self.file, "EXPLAIN QUERY PLAN SELECT usage FROM cpu WHERE host = 'web1'")[0]
                told = [stock.parsed(line)[-1] for line in plan]
                self.assertTrue(any(re.match(r"SEARCH .*\(.*=\?", t) for t in told), told)


if __name__ == "__main__":
    unittest.main()
