# Rollups: always what the same GROUP BY over the base table says, in one snapshot with it; and what a wrong declaration is told.
#
# The differential test makes random tables whose rows lie everywhere a row can be, an ordinary table with the same rows, and
# from that by SQLite's own aggregates what the rollup must hold; sums it adds up exactly, value by value. How many queries and
# which: as in test_differential.py.
import collections
import math
import os
import random
import sqlite3
import threading
import unittest

from . import support
from .test_differential import SEED, SPAN, UNITS, Text, quoted

BASE = 1795392000  # 2026-11-23
DAY = 86_400_000
T0 = BASE * 1000
STATISTICS = ["count", "sum", "min", "max", "avg", "first", "last"]
MONTH_ORIGIN = 2000 * 12
WEEK_ORIGIN = 946857600  # 2000-01-03


def days_of(year, month):
    """Days from 1970-01-01 to the first of a month, of any year."""
    year -= month <= 2
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * ((month + 9) % 12) + 2) // 5 - 719468


def month_of(day):
    year = 1970 + day * 400 // 146097 - 1
    while days_of(year + 1, 1) <= day:
        year += 1
    month = 12
    while days_of(year, month) > day:
        month -= 1
    return year * 12 + month - 1


def bucket_function(width, unit):
    """Width as (count, seconds or 'months'), or (count, None) for units of the table: a function from times to starts."""
    count, what = width
    if what == "months":
        def start(time):
            first = (month_of(time // (86400 * unit)) - MONTH_ORIGIN) // count * count + MONTH_ORIGIN
            return days_of(first // 12, first % 12 + 1) * 86400 * unit
        return start
    units, origin = count * (what * unit if what else 1), WEEK_ORIGIN * unit
    return lambda time: (time - origin) // units * units + origin


WIDTHS = {"1 hour": (1, 3600), "7 minutes": (7, 60), "90 s": (90, 1), "36 h": (36, 3600), "1 day": (1, 86400), "2 weeks": (14, 86400),
          "1 month": (1, "months"), "5 months": (5, "months"), "1 year": (12, "months"), "100 years": (1200, "months"),
          "3600": (3600, None), "86400000": (86400000, None)}
TEXTS = ["a", "A", "b", "B ", "ab", "aB", "a ", "", " ", "a\0b", "A\0c", "5", "1e2", "ä"]
TAGS = [("t_text", "TEXT TAG"), ("t_nocase", "TEXT COLLATE NOCASE TAG"), ("t_rtrim", "VARCHAR COLLATE RTRIM TAG"),
        ("t_int", "INTEGER TAG"), ("t_real", "REAL TAG"), ("t_any", "TAG"), ("t num", "NUMERIC TAG")]
NUMERIC = [("i", "INTEGER"), ("big", "BIGINT"), ("r", "REAL"), ("d", "DECIMAL(10,2)"), ("n", "NUMERIC"), ("f", "DOUBLE"),
           ("nc", "NUMERIC COLLATE NOCASE")]
OTHER = [("note", "TEXT"), ("any", ""), ("bl", "BLOB")]


class Rows:
    """A random table: which columns, which values each is fond of, and which times."""

    def __init__(self, rng, unit, span):
        self.rng, self.unit = rng, unit
        self.time = rng.choice(["ts", "at", "time of event"])
        self.tags = rng.sample(TAGS, rng.randrange(4))
        self.numeric = rng.sample(NUMERIC, rng.randrange(1, 4))
        columns = self.tags + self.numeric + rng.sample(OTHER, rng.randrange(3))
        rng.shuffle(columns)
        self.columns = [(name, kind) for name, kind in columns]
        self.columns.insert(rng.randrange(len(columns) + 1), (self.time, "TIMESTAMP"))
        self.values = {name: self.fondness(name) for name, _ in self.columns}
        self.times = []
        for _ in range(30):
            second = BASE + rng.randrange(4) * span + rng.choice([0, 1, span - 1, rng.randrange(span)])
            self.times.append(second * unit + (rng.randrange(unit) if rng.random() < 0.5 else 0))
        first, last = {1: (-62135596800, 253402300799)}.get(unit, (-62135596800 * unit, 253402300800 * unit - 1))
        if unit == 10**9:
            first, last = -9214560000000000000, 9214646399999999999
        self.times += rng.sample([first, last, -1, 0, -86400 * unit * 40, WEEK_ORIGIN * unit - 1], 2)

    def fondness(self, name):
        rng = self.rng
        if name in dict(TAGS):
            pool = TEXTS if "text" in name or "nocase" in name or "rtrim" in name else [0, 1, 1.0, 2.5, "a", b"a", "1", -(2**63), 9.3e18]
            return rng.sample(pool, rng.randrange(1, 4)) + [None] * rng.randrange(2)
        small = [0, 1, -7, 25, 1000]
        decimals = [0.1, 0.25, -3.75, 19.99, 1e6]
        wild = [2**63 - 1, -(2**63), 2**62, 2**53 + 1]
        odd = ["abc", "5x", "", "-2.5e1z", "0x10", b"12", b"", "Abc", "aBC"]
        infinite = [float("inf"), float("-inf"), 1e300]
        kinds = rng.choice([[small], [decimals], [small, decimals], [small, wild], [small, odd], [decimals, infinite], [decimals, odd],
                            [small, wild, odd], [decimals, wild], [small, decimals, wild, odd, infinite]])
        return [v for kind in kinds for v in kind] + [None] * rng.choice([0, 1, 8])

    def make(self, count):
        rng = self.rng
        return [tuple(rng.choice(self.times) if name == self.time else rng.choice(self.values[name]) for name, _ in self.columns)
                for _ in range(count)]


def total(values):
    """sum() of numbers that SQLite made of each value: exact for integers, correctly rounded with reals among them."""
    if not values:
        return None
    if all(isinstance(v, int) for v in values):
        exact = sum(values)
        return exact if -(2**63) <= exact < 2**63 else OverflowError
    return real_total(values)


def real_total(values):
    if any(math.isinf(v) for v in values):
        infinite = {v for v in values if math.isinf(v)}
        return infinite.pop() if len(infinite) == 1 else None
    integers = sum(v for v in values if isinstance(v, int))
    return math.fsum([v for v in values if isinstance(v, float)] + [float(integers // 2**40 * 2**40), float(integers % 2**40)])


class Oracle:
    """The rollup as rows, made from the ordinary table p."""

    def __init__(self, db, rows, tags, start):
        self.db, self.tags = db, tags
        self.numeric = [name for name, _ in rows.columns if name in dict(rows.numeric)]
        db.create_function("start_of", 1, start, deterministic=True)
        group = ", ".join(["start_of(%s)" % quoted(rows.time)] + [quoted(t) for t in tags])
        grouped = "(SELECT dense_rank() OVER (ORDER BY %s) AS g, start_of(%s) AS start, * FROM p)" % (group, quoted(rows.time))
        self.names = ["ts"] + tags + ["rows"] + ["%s_%s" % (c, s) for c in self.numeric for s in STATISTICS]
        parts = ["g", "min(start)"] + [quoted(t) for t in tags] + ["count(*)"]
        for c in self.numeric:
            parts += ["%s(%s)" % (f, quoted(c)) for f in ("count", "min", "max")]
        self.groups = {}
        for g, bucket, *more in db.execute("SELECT %s FROM %s GROUP BY g" % (", ".join(parts), grouped)):
            answer = {"ts": bucket, "rows": more[len(tags)], **dict(zip(tags, more))}
            for i, c in enumerate(self.numeric):
                for j, s in enumerate(("count", "min", "max")):
                    answer["%s_%s" % (c, s)] = more[len(tags) + 1 + 3 * i + j]
            self.groups[g] = answer
        for c in self.numeric:
            numbers = collections.defaultdict(list)
            for g, value in db.execute("SELECT g, (SELECT sum(x) FROM (SELECT q.%s AS x)) FROM %s q WHERE %s IS NOT NULL"
                                       % (quoted(c), grouped, quoted(c))):
                numbers[g].append(value)
            for g, answer in self.groups.items():
                answer[c + "_sum"] = total(numbers[g])
                mean = real_total(numbers[g]) if numbers[g] else None
                answer[c + "_avg"] = None if mean is None else mean / len(numbers[g])
            for s, direction in (("first", ""), ("last", "DESC")):
                order = "%s %s, %s COLLATE BINARY %s" % (quoted(rows.time), direction, quoted(c), direction)
                for g, value in db.execute("SELECT g, %s FROM (SELECT *, row_number() OVER (PARTITION BY g ORDER BY %s) AS nth FROM %s) "
                                           "WHERE nth = 1" % (quoted(c), order, grouped)):
                    self.groups[g]["%s_%s" % (c, s)] = value
        # What conditions are asked of, as a table: values of the columns that conditions name.
        collations = {name: kind.replace(" TAG", "").replace("TAG", "") for name, kind in rows.tags}
        db.execute("DROP TABLE IF EXISTS o")
        db.execute("CREATE TABLE o(g, ts INTEGER, %s rows INTEGER)" % "".join(
            "%s %s, " % (quoted(t), collations[t]) for t in tags))
        for g, a in self.groups.items():
            texts = ["CAST(? AS TEXT)" if isinstance(a[t], Text) else "?" for t in tags]
            db.execute("INSERT INTO o VALUES(%s)" % ", ".join(["?", "?"] + texts + ["?"]), (g, a["ts"], *(a[t] for t in tags), a["rows"]))

    def answer(self, where, order, arguments, names):
        """Rows for the conditions, or OverflowError where one of them cannot be given."""
        found = []
        for (g,) in self.db.execute("SELECT g FROM o %s %s" % (where, order), arguments).fetchall():
            found.append(tuple(self.groups[g][n] for n in names))
            if OverflowError in found[-1]:
                return OverflowError
        return found


class Generator:
    """Random conditions on a rollup's bucket, tags and counts."""

    def __init__(self, rng, rows, oracle):
        self.rng, self.rows, self.oracle = rng, rows, oracle
        self.starts = sorted({a["ts"] for a in oracle.groups.values()})
        self.plain = [t for t in oracle.tags if t in ("t_text", "t_int", "t_real", "t num")]

    def constant(self, value):
        name = "a%d" % len(self.arguments)
        self.arguments[name] = value
        return ":" + name

    def time(self):
        rng = self.rng
        at = rng.choice(self.starts)
        value = rng.choice([at, at, at, at + 1, at - 1, float(at), at + 0.5, None, b"", 2**63 - 1, -(2**63), 1e300,
                            rng.choice(self.rows.times)])
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            value = at
        return self.constant(value)

    def condition(self, depth=0):
        rng = self.rng
        kind = rng.random()
        if depth < 2 and kind < 0.3:
            return "(%s %s %s)" % (self.condition(depth + 1), rng.choice(["AND", "AND", "OR"]), self.condition(depth + 1))
        if kind < 0.35:
            return "NOT (%s)" % self.condition(depth + 1)
        if kind < 0.6:
            form = rng.random()
            if form < 0.6:
                return "ts %s %s" % (rng.choice(["=", "<", "<=", ">", ">=", "<>", "IS", "IS NOT"]), self.time())
            if form < 0.75:
                return "ts BETWEEN %s AND %s" % (self.time(), self.time())
            return "ts IN (%s)" % rng.choice([", ".join(self.time() for _ in range(rng.randrange(4))), "SELECT ts FROM o WHERE g < 4"])
        if kind < 0.65 or not self.oracle.tags:
            return "rows %s %d" % (rng.choice("<>="), rng.randrange(5))
        tag = rng.choice(self.oracle.tags)
        pool = TEXTS if tag in ("t_text", "t_nocase", "t_rtrim") else [0, 1, 1.0, 2.5, "a", b"a", "1", 9.3e18]
        value = self.constant(rng.choice(pool + [None]))
        form = rng.random()
        if form < 0.4:
            return "%s %s %s" % (quoted(tag), rng.choice(["=", "<>", "IS"]), value)
        if form < 0.55:
            return "%s %s %s" % (quoted(tag), rng.choice(["<", "<=", ">", ">="]), value)
        if form < 0.75:
            return "%s IN (%s)" % (quoted(tag), ", ".join(self.constant(rng.choice(pool)) for _ in range(rng.randrange(4))))
        if form < 0.85 and tag in self.plain:
            return "%s COLLATE NOCASE = %s" % (quoted(tag), value)
        return "%s IS %sNULL" % (quoted(tag), rng.choice(["", "NOT "]))

    def query(self):
        rng = self.rng
        self.arguments = {}
        names = rng.sample(self.oracle.names, rng.randrange(1, min(8, len(self.oracle.names)) + 1))
        where = "WHERE " + self.condition() if rng.random() < 0.8 else ""
        order = ""
        if rng.random() < 0.5:
            down = rng.choice(["", " DESC"])
            order = "ORDER BY ts%s" % down + "".join(", %s%s" % (quoted(t), rng.choice(["", "", " DESC"])) for t in self.oracle.tags)
        return names, where, order


class Differential(support.TimeseriesCase):
    def fill(self, rng, number):
        precision, partition = rng.choice(list(UNITS)), rng.choice(list(SPAN))
        unit = UNITS[precision]
        rows = Rows(rng, unit, SPAN[partition])
        create = ("CREATE VIRTUAL TABLE v USING timeseries(%s, location='%s', precision='%s', partition='%s', flush_on_close='never', "
                  "flush_timeout='200ms')" % (", ".join("%s %s" % (quoted(n), k) for n, k in rows.columns),
                                              self.file_location("archive%d" % number), precision, partition))
        insert = "INSERT INTO {} VALUES(%s)" % ",".join("?" * len(rows.columns))
        writers = [self.connect(so=support.WITH_FAILPOINTS, isolation_level=None) for _ in range(3)]
        for db in writers:
            db.execute(create)
        reader = writers[0]
        reader.text_factory = Text
        plain = [(n, "INTEGER" if k == "TIMESTAMP" else k.replace(" TAG", "").replace("TAG", "")) for n, k in rows.columns]
        reader.execute("CREATE TABLE p(%s)" % ", ".join("%s %s" % (quoted(n), k) for n, k in plain))

        def add(db, batch):
            db.execute("BEGIN")
            db.executemany(insert.format("v"), batch)
            db.execute("COMMIT")
            reader.executemany(insert.format("p"), batch)

        os.environ["TIMESERIES_FAILPOINT"] = "none=error"
        for _ in range(2):  # the second one's rows are late
            add(rng.choice(writers), rows.make(rng.randrange(1, 60)))
            support.flush(reader, "v")
        os.environ["TIMESERIES_FAILPOINT"] = "upload.attempted=error"
        add(rng.choice(writers), rows.make(25))
        with self.assertRaises(sqlite3.OperationalError):
            reader.execute("SELECT ts_flush('v')").fetchone()
        for db in writers:
            add(db, rows.make(10))
        if number % 2:
            reader.execute("BEGIN")
            for _ in range(2):
                batch = rows.make(6)
                reader.executemany(insert.format("v"), batch)
                reader.executemany(insert.format("p"), batch)
                reader.execute("SAVEPOINT s")
                reader.executemany(insert.format("v"), rows.make(4))
                reader.execute("ROLLBACK TO s")
        return reader, rows, unit

    def equal(self, name, found, expected):
        if found is None or expected is None or name in ("ts", "rows") or name.endswith("_count"):
            return found == expected and type(found) is type(expected)
        numbers = isinstance(found, (int, float)) and isinstance(expected, (int, float))
        if name.endswith("_sum") or name.endswith("_avg"):
            if type(found) is not type(expected):
                return False
            if isinstance(found, int) or math.isinf(found) or math.isinf(expected):
                return found == expected
            return math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-9 * self.scale)
        if numbers:
            return found == expected  # 1 or 1.0: which of several equal values comes out is open
        if isinstance(found, bytes) and isinstance(expected, bytes) and type(found) is type(expected):
            fold = (lambda v: v.split(b"\0")[0].lower().rstrip(b" ")) if type(found) is Text else (lambda v: v)
            return fold(found) == fold(expected)
        return False

    def assertSame(self, names, found, expected, ordered, told):
        self.assertEqual(len(found), len(expected), told)
        left = list(expected)
        for i, row in enumerate(found):
            candidates = [0] if ordered else range(len(left))
            match = next((j for j in candidates if all(self.equal(n, a, b) for n, a, b in zip(names, row, left[j]))), None)
            self.assertIsNotNone(match, "%s\nrow %d is %r; left are %r" % (told, i, row, left[:5]))
            left.pop(match)

    def run_round(self, number, count):
        rng = random.Random(SEED * 1_000_003 + number)
        self.setenv("TIMESERIES_FAILPOINT", "none=error")
        db, rows, unit = self.fill(rng, number)
        overflows = 0
        for nth in range(3):
            while True:
                width = rng.choice(list(WIDTHS))
                if not (width == "100 years" and unit == 10**9) or rng.random() < 0.2:
                    break
            start = bucket_function(WIDTHS[width], unit)
            if any(not -(2**63) <= start(t) for t in rows.times):
                continue
            names = [n for n, k in rows.columns if n in dict(rows.tags)]
            by = rng.choice([None, None, names, rng.sample(names, rng.randrange(len(names) + 1))])
            name = "temp.rolled%d" % nth
            option = "" if by is None else ", by='%s'" % ", ".join(quoted(t) for t in by)
            db.execute("CREATE VIRTUAL TABLE %s USING timeseries_rollup(v, '%s'%s)" % (name, width, option))
            oracle = Oracle(db, rows, names if by is None else by, start)
            self.assertEqual([c[0].decode() if isinstance(c[0], bytes) else c[0] for c in
                              db.execute("SELECT * FROM %s LIMIT 0" % name).description], oracle.names)
            reals = [abs(v) for vs in rows.values.values() for v in vs if isinstance(v, float) and not math.isinf(v)]
            self.scale = max(reals + [1])
            generator = Generator(rng, rows, oracle)
            for _ in range(count // 3 + 1):
                columns, where, order = generator.query()
                sql = "SELECT %s FROM %s %s %s" % (", ".join(map(quoted, columns)), name, where, order)
                told = "seed %d round %d (%s, by %r, %r): %s %r" % (SEED, number, width, by, rows.columns, sql, generator.arguments)
                expected = oracle.answer(where, order, generator.arguments, columns)
                if expected is OverflowError:
                    overflows += 1
                    with self.assertRaises(sqlite3.Error, msg=told) as caught:
                        db.execute(sql, generator.arguments).fetchall()
                    self.assertEqual(str(caught.exception), "integer overflow", told)
                    continue
                try:
                    found = db.execute(sql, generator.arguments).fetchall()
                except sqlite3.Error as e:
                    self.fail("%s\n%s" % (told, e))
                # Equal tags may be ordered as either of them stands for the others.
                exact = all(t in ("t_text", "t_int", "t_real", "t num") for t in oracle.tags)
                self.assertSame(columns, found, expected, bool(order) and exact, told)
        if number % 2:
            db.execute("ROLLBACK")
        return overflows

    def test_random_tables_and_queries(self):
        """A rollup answers as the GROUP BY of an ordinary table with the same rows, wherever they lie."""
        done, number, overflows = 0, 0, 0
        while done < support.DIFFERENTIAL_QUERIES:
            with self.subTest(round=number):
                overflows += self.run_round(number, 60)
            done, number = done + 60, number + 1
        if done >= 1000:
            self.assertGreater(overflows, 0)


class RollupCase(support.TimeseriesCase):
    COLUMNS = "ts TIMESTAMP, host TEXT TAG, region TEXT COLLATE NOCASE TAG, usage REAL, n INTEGER, note TEXT"

    def open(self, path=":memory:", location=None, so=None):
        db = self.connect(path, so=so, isolation_level=None)
        self.create(db, location=location)
        return db

    def create(self, db, name="cpu", location=None, columns=None, more=""):
        db.execute("CREATE VIRTUAL TABLE %s USING timeseries(%s, location='%s', flush_on_close='never'%s)"
                   % (name, columns or self.COLUMNS, location or self.file_location(), more))

    def insert(self, db, first, last, step=DAY // 8, table="cpu"):
        db.execute("BEGIN")
        db.executemany("INSERT INTO %s VALUES(?,?,?,?,?,?)" % table,
                       [(T0 + i * step, "web%d" % (i % 3), "EU" if i % 2 else "eu", i / 4, i, "x") for i in range(first, last)])
        db.execute("COMMIT")

    def one(self, db, sql, *arguments):
        return db.execute(sql, arguments).fetchone()[0]

    def assertSameAsGroupBy(self, db, rollup="hourly", base="cpu", width=3_600_000):
        sums = "count(*), count(usage), sum(usage), min(usage), max(usage), sum(n), min(n), max(n)"
        expected = db.execute("SELECT ts / %d * %d, host, lower(region), %s FROM %s GROUP BY 1, host, region ORDER BY 1, 2, 3"
                              % (width, width, sums, base)).fetchall()
        found = db.execute("SELECT ts, host, lower(region), rows, usage_count, usage_sum, usage_min, usage_max, n_sum, n_min, n_max "
                           "FROM %s ORDER BY 1, 2, 3" % rollup).fetchall()
        self.assertEqual(found, expected)
        return len(found)


class Snapshots(RollupCase):
    FORMS = {
        "alone": "SELECT count(*), sum(rows) FROM hourly",
        "both": "SELECT (SELECT count(*) FROM cpu), (SELECT sum(rows) FROM hourly)",
        "join": "SELECT count(*) FROM cpu JOIN hourly ON hourly.ts = cpu.ts / 3600000 * 3600000 AND hourly.host = cpu.host",
        "join the other way": "SELECT count(*) FROM hourly CROSS JOIN cpu ON cpu.ts >= hourly.ts AND cpu.ts < hourly.ts + 3600000 "
                              "AND cpu.host = hourly.host",
        "two rollups": "SELECT count(*) FROM hourly JOIN daily ON daily.ts = hourly.ts / 86400000 * 86400000",
        "or": "SELECT count(*) FROM hourly WHERE ts = {a} OR host = 'web1' OR rows > 5 OR region = 'EU'",
        "in": "SELECT count(*) FROM hourly WHERE ts IN ({b}, {a})",
        "correlated": "SELECT at, (SELECT sum(rows) FROM hourly WHERE ts <= at) FROM k ORDER BY at DESC",
        "exists": "SELECT count(*) FROM cpu WHERE EXISTS (SELECT 1 FROM daily WHERE daily.ts = cpu.ts)",
        "union all": "SELECT n FROM cpu UNION ALL SELECT rows FROM hourly UNION ALL SELECT n_sum FROM daily",
    }

    def test_each_form_lists_once(self):
        """However a statement combines a table and its rollups, it lists the store once."""
        location = self.s3_location()
        db, other = self.open(location=location), self.open(location=location)
        self.insert(db, 0, 20)
        db.execute("SELECT ts_flush('cpu')").fetchone()
        self.insert(db, 20, 30)
        self.insert(other, 30, 40)
        db.execute("CREATE VIRTUAL TABLE hourly USING timeseries_rollup(cpu, '1 hour')")
        db.execute("CREATE VIRTUAL TABLE daily USING timeseries_rollup(cpu, '1 day', by='')")
        db.execute("CREATE TABLE k(at INTEGER)")
        db.executemany("INSERT INTO k VALUES(?)", [(T0 + n * DAY,) for n in (4, 0, 2, 1, 3)])
        for name, form in self.FORMS.items():
            with self.subTest(form=name):
                sql = form.format(a=T0 + DAY, b=T0 + 4 * DAY)
                first = db.execute(sql).fetchall()
                # Now every file is open: what goes out is the listing.
                self.assertEqual(db.execute(sql).fetchall(), first)
                self.assertEqual(self.one(db, "SELECT requests FROM ts_last_query()"), 1)

    def test_a_join_with_the_base_counts_every_row_once(self):
        db = self.open()
        self.insert(db, 0, 100, step=DAY // 100)
        db.execute("SELECT ts_flush('cpu')").fetchone()
        self.insert(db, 20, 60, step=DAY // 100)
        db.execute("CREATE VIRTUAL TABLE hourly USING timeseries_rollup(cpu, '1 hour')")
        for kind in ("JOIN", "CROSS JOIN"):
            for tables in ("cpu %s hourly", "hourly %s cpu"):
                sql = ("SELECT count(*), sum(n), count(DISTINCT hourly.rowid) FROM %s ON hourly.ts = cpu.ts / 3600000 * 3600000 "
                       "AND hourly.host = cpu.host AND hourly.region = cpu.region" % tables % kind)
                self.assertEqual(db.execute(sql).fetchone(), (140, 99 * 50 + 79 * 20, self.one(db, "SELECT count(*) FROM hourly")))

    def test_uncommitted_rows_and_late_rows(self):
        """A connection's own uncommitted rows count in its rollups, no other's do; a rollback takes them away again."""
        location = self.file_location()
        db, other = self.open(location=location), self.open(location=location)
        for d in (db, other):
            d.execute("CREATE VIRTUAL TABLE hourly USING timeseries_rollup(cpu, '1 hour')")
        self.insert(db, 0, 30)
        db.execute("SELECT ts_flush('cpu')").fetchone()
        self.insert(other, 0, 30)  # late
        db.execute("BEGIN")
        db.executemany("INSERT INTO cpu VALUES(?, 'web1', 'eu', 1.5, 2, NULL)", [(T0 + i,) for i in range(5)])
        self.assertEqual(self.one(db, "SELECT sum(rows) FROM hourly"), 65)
        self.assertSameAsGroupBy(db)
        self.assertEqual(self.one(other, "SELECT sum(rows) FROM hourly"), 60)
        db.execute("ROLLBACK")
        self.assertEqual(self.one(db, "SELECT sum(rows) FROM hourly"), 60)

    def test_an_insert_from_the_rollup_never_sees_itself(self):
        db = self.open()
        db.execute("CREATE VIRTUAL TABLE daily USING timeseries_rollup(cpu, '1 day', by='host')")
        self.insert(db, 0, 24)
        db.execute("BEGIN")
        for rows in (24, 33, 42):
            self.assertEqual(self.one(db, "SELECT sum(rows) FROM daily"), rows)
            db.execute("INSERT INTO cpu SELECT ts, host, 'eu', usage_sum, n_sum, 'rolled up' FROM daily")
        db.execute("COMMIT")
        self.assertEqual(self.one(db, "SELECT count(*) FROM cpu"), 51)

    def test_interrupt(self):
        """Ctrl-C ends the aggregation of open shards and of files."""
        db = self.open()
        db.execute("CREATE VIRTUAL TABLE daily USING timeseries_rollup(cpu, '1 day')")
        db.execute("INSERT INTO cpu SELECT %d + value, 'h', 'r', value, value, 'x' FROM (WITH RECURSIVE c(value) AS (SELECT 1 UNION ALL "
                   "SELECT value + 1 FROM c WHERE value < 300000) SELECT value FROM c)" % T0)
        for flush in (False, True):
            if flush:
                db.execute("SELECT ts_flush('cpu')").fetchone()
            done = threading.Event()

            def press():
                while not done.wait(0.005):
                    db.interrupt()

            thread = threading.Thread(target=press)
            thread.start()
            try:
                with self.assertRaises(sqlite3.OperationalError) as caught:
                    for _ in range(200):
                        db.execute("SELECT usage_sum, n_first FROM daily").fetchall()
            finally:
                done.set()
                thread.join()
            self.assertEqual(str(caught.exception), "interrupted")
            self.assertEqual(self.one(db, "SELECT sum(rows) FROM daily"), 300000)


class Plans(RollupCase):
    def setUp(self):
        super().setUp()
        self.db = self.open()
        self.insert(self.db, 0, 400, step=DAY // 50)
        self.db.execute("SELECT ts_flush('cpu')").fetchone()
        self.db.execute("CREATE VIRTUAL TABLE hourly USING timeseries_rollup(cpu, '1 hour')")

    def plan(self, sql):
        details = [row[3] for row in self.db.execute("EXPLAIN QUERY PLAN " + sql)]
        return [d.split("VIRTUAL TABLE INDEX ")[1].split(":", 1)[1] if "VIRTUAL" in d else d for d in details]

    def test_the_plan_says_what_files_answer(self):
        in_one = "ts:in?" if sqlite3.sqlite_version_info >= (3, 38) else "ts=?"
        for sql, plan in (
                ("SELECT rows FROM hourly", ["columns:3"]),
                ("SELECT usage_sum FROM hourly WHERE ts >= ts('2026-11-23') AND ts < ts('2026-11-24') AND host = 'web1' ORDER BY ts DESC, "
                 "host", ["ts>=? ts<? host=? order:desc columns:1,5"]),
                ("SELECT ts, host, rows FROM hourly WHERE ts IN (1, 2)", [in_one + " columns:1,3"]),
                ("SELECT rows FROM hourly WHERE region = 'eu' AND rows > 2", ["region=? columns:2,3"]),
                ("SELECT rows FROM hourly WHERE region = 'eu' COLLATE BINARY", ["columns:2,3"]),
                ("SELECT rows FROM hourly WHERE host = 'eu' COLLATE NOCASE", ["host@NOCASE=? columns:1,3"]),
                ("SELECT rows FROM hourly ORDER BY ts, host", ["order:asc columns:1,3"]),
                ("SELECT rows FROM hourly ORDER BY ts, host DESC", ["columns:1,3", "USE TEMP B-TREE FOR RIGHT PART OF ORDER BY"]),
                ("SELECT rows FROM hourly ORDER BY ts, host, region", ["columns:1,2,3", "USE TEMP B-TREE FOR RIGHT PART OF ORDER BY"]),
                ("SELECT rows FROM hourly ORDER BY host, ts", ["columns:1,3", "USE TEMP B-TREE FOR ORDER BY"]),
                ("SELECT ts, sum(rows) FROM hourly GROUP BY ts", ["order:asc columns:3"])):
            with self.subTest(sql):
                found = self.plan(sql)
                self.assertEqual([f for f in found if "TEMP" not in f], [p for p in plan if "TEMP" not in p])
                self.assertEqual(len(found), len(plan))

    def test_bounds_on_buckets_leave_files_out(self):
        for condition, files in (("ts = ts('2026-11-25T05:00')", 1), ("ts > ts('2026-11-30T02:00')", 1), ("ts < ts('2026-11-24')", 1),
                                 ("ts BETWEEN ts('2026-11-24') AND ts('2026-11-25')", 2), ("ts = ts('2026-11-25T05:30')", 0),
                                 ("ts IN (%d, %d)" % (T0, T0 + 5 * DAY), 2)):
            with self.subTest(condition):
                whole = {row for row in self.db.execute("SELECT ts, host, region, rows, n_sum FROM hourly")}
                rows = self.db.execute("SELECT ts, host, region, rows, n_sum FROM hourly WHERE " + condition).fetchall()
                self.assertEqual(self.one(self.db, "SELECT files_read FROM ts_last_query()"), files)
                self.assertTrue(whole.issuperset(rows))
                buckets = "SELECT ts / 3600000 * 3600000 AS ts, host, region FROM cpu"
                self.assertEqual(len(rows), self.one(self.db, "SELECT count(*) FROM (SELECT 1 FROM (%s) WHERE %s GROUP BY ts, host, region)"
                                                     % (buckets, condition)))

    def test_a_condition_under_another_collation_leaves_groups_whole(self):
        whole = set(self.db.execute("SELECT ts, host, region, rows, n_sum FROM hourly"))
        for value in ("eu", "EU"):
            rows = self.db.execute("SELECT ts, host, region, rows, n_sum FROM hourly WHERE region COLLATE BINARY = ?", (value,)).fetchall()
            self.assertTrue(whole.issuperset(rows))

    def test_only_what_is_asked_for_is_read(self):
        self.assertEqual(self.one(self.db, "SELECT sum(rows) FROM hourly"), 400)
        self.assertEqual(self.db.execute("SELECT rows_read, rows_returned FROM ts_last_query()").fetchone(),
                         (400, self.one(self.db, "SELECT count(*) FROM hourly")))

    def test_a_scan_that_asks_the_same_again_is_not_computed_again(self):
        self.db.execute("CREATE TABLE k AS SELECT value FROM (WITH RECURSIVE c(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM c WHERE "
                        "value < 100) SELECT value FROM c)")
        self.assertEqual(self.db.execute("SELECT sum(rows) FROM k CROSS JOIN hourly").fetchone(), (40000,))
        self.assertEqual(self.one(self.db, "SELECT rows_read FROM ts_last_query()"), 400)


class ManyColumns(RollupCase):
    """SQLite tells of 63 columns which are used, and of those after them only whether any is."""

    def test_any_columns_of_a_wide_table_are_those_of_its_group_by(self):
        names = ["c%02d" % i for i in range(14)]  # the rollup has 3 + 7 * 14 columns
        db = self.connect(isolation_level=None)
        self.create(db, columns="ts TIMESTAMP, host TEXT TAG, " + ", ".join(n + " INTEGER" for n in names))
        for batch in range(3):
            db.execute("BEGIN")
            db.executemany("INSERT INTO cpu VALUES(%s)" % ",".join("?" * 16),
                           [(T0 + (batch * 2000 + i) * 1000, "web%d" % (i % 4), *((i * (7 + c) + batch) % 100 for c in range(14)))
                            for i in range(2000)])
            db.execute("COMMIT")
            support.flush(db, "cpu")
        db.execute("CREATE VIRTUAL TABLE daily USING timeseries_rollup(cpu, '1 day')")
        plain = {(host, s, n): value for s in ("count", "sum", "min", "max") for n in names
                 for host, value in db.execute("SELECT host, %s(%s) FROM cpu GROUP BY host" % (s, n))}
        for s, function in (("first", "min"), ("last", "max")):
            for host, _, *values in db.execute("SELECT host, %s(ts), %s FROM cpu GROUP BY host" % (function, ", ".join(names))):
                plain.update({(host, s, n): value for n, value in zip(names, values)})
        rng = random.Random(SEED)
        forms = [[(n, "last") for n in names], [(n, "first") for n in names], [("c00", "last"), ("c13", "first")],
                 [("c00", "last"), ("c12", "sum"), ("c13", "last")], [("c13", "max")], [("c00", "sum"), ("c13", "last")]]
        forms += [[(rng.choice(names), rng.choice(["last", "last", "first", "count", "sum", "min", "max"])) for _ in range(3)]
                  for _ in range(40)]
        for form in forms:
            for order in ("host", "ts DESC, host"):
                sql = "SELECT host, %s FROM daily ORDER BY %s" % (", ".join("%s_%s" % part for part in form), order)
                with self.subTest(sql):
                    expected = [("web%d" % h, *(plain["web%d" % h, s, n] for n, s in form)) for h in range(4)]
                    self.assertEqual(db.execute(sql).fetchall(), expected)
        self.assertEqual(db.execute("SELECT count(*) FROM daily a JOIN daily b USING (host) WHERE a.c00_last = b.c00_last "
                                    "AND a.c13_sum = b.c13_sum AND b.c12_last IS NOT NULL").fetchone(), (4,))


class Declarations(RollupCase):
    def setUp(self):
        super().setUp()
        self.db = self.open()

    def refused(self, arguments, text, name="hourly"):
        self.assertFails(self.db, "CREATE VIRTUAL TABLE %s USING timeseries_rollup(%s)" % (name, arguments), text)

    def test_arguments(self):
        self.refused("", "timeseries_rollup: name a timeseries table and a width, as in timeseries_rollup(cpu, '1 hour')")
        self.refused("cpu", "timeseries_rollup: the width is missing; write it behind the table, as in timeseries_rollup(cpu, '1 hour')")
        understood = "; write a whole number with ms, s, m, h, days, weeks, months or years, as in '1 hour', or a number of ms"
        self.refused("cpu, '1 parsec'", "timeseries_rollup: the width '1 parsec' is not understood" + understood)
        self.refused("cpu, 1.5", "timeseries_rollup: the width '1.5' is not understood" + understood)
        self.refused("cpu, '0 hours'", "timeseries_rollup: the width '0 hours' is not positive; write one as in '1 hour'")
        self.refused("cpu, -3", "timeseries_rollup: the width '-3' is not positive; write one as in '1 hour'")
        self.refused("cpu, '20000 years'", "timeseries_rollup: the width '20000 years' is too wide; the limit is 9998 years")
        self.refused("cpu, '3 us'",
                     "timeseries_rollup: the width '3 us' is no whole number of ms, in which the time counts; write whole ms")
        self.refused("cpu, '1 hour', 'host'", "timeseries_rollup: \"'host'\" is not understood; the arguments are a table, a width and "
                                              "perhaps by='tag, tag'")
        self.refused("cpu, '1 hour', bye='host'", "timeseries_rollup: unknown option \"bye\"; the only one is by='tag, tag'")
        self.refused("cpu, '1 hour', by='host', by=''", "timeseries_rollup: by: given twice; leave one out")
        self.refused("cpu, '1 hour', by=", "timeseries_rollup: by: has no value; write by='host', or by='' for no tags")
        self.refused("cpu + 1, '1 hour'", "timeseries_rollup: \"cpu + 1\" names no table; write one as in timeseries_rollup(cpu, '1 hour')")

    def test_tags(self):
        known = "; its tags are host, region"
        self.refused("cpu, '1 hour', by='hots'", "timeseries_rollup: by: cpu has no column \"hots\"" + known)
        self.refused("cpu, '1 hour', by='host, usage'", "timeseries_rollup: by: \"usage\" is no tag of cpu" + known)
        self.refused("cpu, '1 hour', by='host, Host'", "timeseries_rollup: by: \"host\" is named twice; leave one out")
        self.refused("cpu, '1 hour', by='host region'", "timeseries_rollup: by: \"host region\" is no list of tags; write one as in "
                                                        "by='host, region'")
        self.create(self.db, "bare", columns="ts TIMESTAMP, v REAL")
        self.refused("bare, '1 hour', by='host'", "timeseries_rollup: by: bare has no column \"host\"; it has none, write by=''")

    def test_names(self):
        self.create(self.db, "odd", columns="at TIMESTAMP, ts TEXT TAG, Rows TEXT TAG, v_sum INTEGER TAG, V REAL, v_max_sum REAL")
        leave = "; leave the tag out with by='%s'"
        two = "timeseries_rollup: two columns of hourly would be called "
        self.refused("odd, '1 hour'", two + "\"ts\": the bucket's start and the tag of odd" + leave % "Rows, v_sum")
        self.refused("odd, '1 hour', by='rows'", two + "\"rows\": the tag of odd and the number of rows" + leave % "")
        self.refused("odd, '1 hour', by='v_sum'", two + "\"V_sum\": the tag of odd and the sum of \"V\"" + leave % "")
        self.db.execute("CREATE VIRTUAL TABLE hourly USING timeseries_rollup(odd, '1 hour', by='')")
        self.create(self.db, "wide", columns="ts TIMESTAMP, " + ", ".join("c%d REAL" % i for i in range(300)))
        self.refused("wide, '1 hour'", "timeseries_rollup: wide has so many numeric columns that w would have 2102, and SQLite takes no "
                                       "more than 2000; write a GROUP BY over wide", "w")

    def test_base_tables(self):
        missing = "timeseries_rollup: there is no table %s to compute hourly from; create it with CREATE VIRTUAL TABLE \"%s\" USING " \
                  "timeseries(...)"
        self.refused("cpux, '1 hour'", missing % ("cpux", "cpux"))
        self.refused("'main.cpux', '1 hour'", missing % ("main.cpux", "cpux"))
        self.db.execute("CREATE TABLE plain(ts INTEGER, v REAL)")
        other = "timeseries_rollup: %s is no timeseries table; name one that was created USING timeseries(...)"
        self.refused("plain, '1 hour'", other % "plain")
        self.refused("hourly, '1 hour'", other % "hourly")
        self.db.execute("CREATE VIRTUAL TABLE daily USING timeseries_rollup(cpu, '1 day')")
        self.refused("daily, '1 day'", other % "daily")
        self.create(self.db, "temp.mem")
        elsewhere = ("timeseries_rollup: main.hourly cannot be computed from temp.mem, which is not there whenever main is; write CREATE "
                     "VIRTUAL TABLE temp.\"hourly\" USING timeseries_rollup(...)")
        self.refused("mem, '1 hour'", elsewhere)
        self.refused("temp.mem, '1 hour'", elsewhere)

    def test_names_of_base_tables(self):
        """The base table is named as a view in the rollup's schema would name it."""
        self.insert(self.db, 0, 5)
        for i, name in enumerate(("cpu", "CPU", "'cpu'", '"cpu"', "main.cpu", "'main.cpu'", "[main].`cpu`")):
            self.db.execute("CREATE VIRTUAL TABLE r%d USING timeseries_rollup(%s, 86400000)" % (i, name))
            self.assertEqual(self.one(self.db, "SELECT sum(rows) FROM r%d" % i), 5)
        self.db.execute("CREATE VIRTUAL TABLE temp.t1 USING timeseries_rollup(cpu, '1 day')")
        self.db.execute("ATTACH ':memory:' AS aux")
        self.create(self.db, "aux.other", more=", table='cpu'")
        self.create(self.db, "aux.cpu", more=", table='aux_cpu'")
        self.db.execute("CREATE VIRTUAL TABLE temp.t2 USING timeseries_rollup(other, '1 day')")
        self.db.execute("CREATE VIRTUAL TABLE aux.a1 USING timeseries_rollup(cpu, '1 day')")
        self.db.execute("CREATE VIRTUAL TABLE aux.a2 USING timeseries_rollup(other, '1 day')")
        self.create(self.db, "\"a.b\"", more=", table='cpu'")
        self.db.execute("CREATE VIRTUAL TABLE dotted USING timeseries_rollup('a.b', '1 day')")
        for name, rows in (("t1", 5), ("t2", 5), ("a1", None), ("a2", 5), ("dotted", 5)):
            self.assertEqual(self.one(self.db, "SELECT sum(rows) FROM " + name), rows, name)
        # A table of temp now stands before that of main for a rollup in temp, and not for one in main.
        self.create(self.db, "temp.cpu", more=", table='temp_cpu'")
        self.assertEqual(self.one(self.db, "SELECT sum(rows) FROM t1"), None)
        self.assertEqual(self.one(self.db, "SELECT sum(rows) FROM r0"), 5)

    def test_it_cannot_be_written(self):
        self.db.execute("CREATE VIRTUAL TABLE daily USING timeseries_rollup(cpu, '1 day', by='')")
        self.insert(self.db, 0, 3)
        told = "timeseries_rollup: daily is computed from cpu and cannot be written; insert into cpu"
        for sql in ("INSERT INTO daily(ts) VALUES(1)", "UPDATE daily SET rows = 1", "DELETE FROM daily"):
            self.assertFails(self.db, sql, told)
        self.assertFails(self.db, "SELECT ts_insert('daily', 1)", "timeseries: 'daily' is not a timeseries table of this connection; "
                                                                  "create it with CREATE VIRTUAL TABLE \"daily\" USING timeseries(...)")

    def test_comparisons_with_what_is_no_time(self):
        self.db.execute("CREATE VIRTUAL TABLE daily USING timeseries_rollup(cpu, '1 day')")
        self.assertFails(self.db, "SELECT * FROM daily WHERE ts >= '2026-11-23'", "timeseries: column \"ts\" of daily is a time and cannot "
                         "be compared with the text '2026-11-23'; write ts('2026-11-23')")
        self.assertFails(self.db, "SELECT * FROM daily WHERE ts >= ts_s('2026-11-23')",
                         "timeseries: column \"ts\" of daily counts ms, but the value is in s; write ts(...)")

    def test_sums_that_are_no_integer(self):
        self.db.execute("CREATE VIRTUAL TABLE daily USING timeseries_rollup(cpu, '1 day', by='')")
        for n in (2**63 - 1, 1):
            self.db.execute("INSERT INTO cpu VALUES(?, 'a', 'b', 1, ?, '')", (T0, n))
        self.assertFails(self.db, "SELECT n_sum FROM daily", "integer overflow")
        self.assertEqual(self.db.execute("SELECT n_avg, n_count FROM daily").fetchone(), (2.0**62, 2))
        self.db.execute("INSERT INTO cpu VALUES(?, 'a', 'b', 1, -1, '')", (T0,))
        self.assertEqual(self.one(self.db, "SELECT n_sum FROM daily"), 2**63 - 1)


class Reopened(RollupCase):
    GONE = ("timeseries_rollup: there is no table cpu to compute hourly from; create it with CREATE VIRTUAL TABLE \"cpu\" USING "
            "timeseries(...)")
    CHANGED = ("timeseries_rollup: cpu has other columns than when hourly was opened; open the database again, or drop hourly and create "
               "it again")

    def setUp(self):
        super().setUp()
        self.database = self.path("m.db")
        db = self.connect(self.database, isolation_level=None)
        self.create(db)
        db.execute("CREATE VIRTUAL TABLE hourly USING timeseries_rollup(cpu, '1 hour')")
        db.execute("CREATE VIRTUAL TABLE daily USING timeseries_rollup('main.cpu', '1 day', by='region')")
        self.insert(db, 0, 30)
        db.close()

    def again(self):
        return self.connect(self.database, isolation_level=None)

    def test_touched_before_the_base(self):
        db = self.again()
        self.assertEqual(self.one(db, "SELECT sum(rows) FROM daily"), 30)
        db = self.again()
        self.assertEqual(db.execute("SELECT sum(h.rows), (SELECT count(*) FROM cpu) FROM hourly h JOIN daily d ON d.ts = h.ts / 86400000 * "
                                    "86400000 AND d.region = h.region").fetchone(), (30, 30))
        self.assertSameAsGroupBy(db)

    def test_renamed(self):
        db = self.again()
        db.execute("ALTER TABLE daily RENAME TO by_day")
        self.assertEqual(self.one(db, "SELECT sum(rows) FROM by_day"), 30)
        self.assertEqual(self.one(self.again(), "SELECT sum(rows) FROM by_day"), 30)

    def test_the_base_is_dropped_and_comes_again(self):
        db = self.again()
        self.assertEqual(self.one(db, "SELECT sum(rows) FROM hourly"), 30)
        db.execute("DROP TABLE cpu")
        self.assertFails(db, "SELECT sum(rows) FROM hourly", self.GONE)
        db.execute("CREATE TABLE cpu(x)")
        self.assertFails(db, "SELECT sum(rows) FROM hourly",
                         "timeseries_rollup: cpu is no timeseries table; name one that was created USING timeseries(...)")
        db.execute("DROP TABLE cpu")
        self.create(db)
        self.assertEqual(self.one(db, "SELECT sum(rows) FROM hourly"), 30)
        db.execute("DROP TABLE cpu")
        self.create(db, columns="ts TIMESTAMP, host TEXT TAG, usage REAL", more=", table='other'")
        self.assertFails(db, "SELECT sum(rows) FROM hourly", self.CHANGED)
        self.assertEqual(self.again().execute("SELECT * FROM hourly").description[1][0], "host")
        # Only the places of the columns differ: the rollup is the same.
        db.execute("DROP TABLE cpu")
        self.create(db, columns="usage REAL, region TEXT COLLATE NOCASE TAG, note TEXT, ts TIMESTAMP, n INTEGER, host TEXT TAG",
                    more=", table='third'")
        self.assertFails(db, "SELECT sum(rows) FROM hourly", self.CHANGED)  # tags and statistics come in the table's order
        self.assertIsNone(self.one(db, "SELECT sum(rows) FROM main.daily"))

    def test_a_prepared_statement_finds_the_base_anew(self):
        """A rollup in temp over a table of main, which the statement itself does not name."""
        db = self.again()
        db.execute("CREATE VIRTUAL TABLE temp.mine USING timeseries_rollup(cpu, '1 day', by='')")
        sql = "SELECT sum(rows) FROM mine"
        self.assertEqual(self.one(db, sql), 30)
        db.execute("DROP TABLE main.cpu")
        self.assertFails(db, sql, self.GONE.replace("hourly", "mine"))
        self.create(db, "temp.cpu")
        self.assertEqual(self.one(db, sql), 30)

    def test_without_its_base_it_can_still_be_dropped(self):
        db = self.again()
        db.execute("DROP TABLE cpu")
        db.close()
        db = self.again()
        self.assertFails(db, "SELECT * FROM hourly", self.GONE)
        self.create(db)
        self.assertFails(db, "SELECT * FROM hourly", self.CHANGED)
        self.assertEqual(self.one(self.again(), "SELECT sum(rows) FROM hourly"), 30)
        db.execute("DROP TABLE cpu")
        db.close()
        db = self.again()
        db.execute("DROP TABLE hourly")
        db.execute("DROP TABLE daily")
        self.assertEqual(self.one(self.again(), "SELECT count(*) FROM sqlite_schema"), 0)

    def test_untrusted_schema(self):
        """A view over a rollup follows SQLite's rule for virtual tables: refused where the schema is not trusted."""
        db = self.again()
        db.execute("CREATE VIEW seen AS SELECT sum(rows) AS rows FROM daily")
        self.assertEqual(self.one(db, "SELECT rows FROM seen"), 30)
        db.execute("PRAGMA trusted_schema=OFF")
        self.assertFails(db, "SELECT rows FROM seen", 'unsafe use of virtual table "daily"')


if __name__ == "__main__":
    unittest.main()
