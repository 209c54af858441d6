# Random queries on a timeseries table and on an ordinary table with the same rows: the answers are the same.
#
# The rows lie everywhere a row can be: in stored files, in sealed ones that wait for the store, in open shards of several
# connections, in the reader's own transaction; and beside the queries files are merged. TIMESERIES_DIFFERENTIAL_QUERIES says how many
# queries; TIMESERIES_DIFFERENTIAL_SEED (default 1) which ones. A failure prints the round's seed, the query and its arguments.
import collections
import os
import random
import struct
import unittest

from . import support
from .stock import Text, quoted

SEED = int(os.environ.get("TIMESERIES_DIFFERENTIAL_SEED", "1"))
QUERIES_PER_ROUND = 125
UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
SPAN = {"hour": 3600, "day": 86400, "month": 31 * 86400}  # seconds
BASE = 1795392000  # 2026-11-23

# name, declaration, and what is written into it beside NULL
TEXTS = ["a", "A", "b", "B ", "ab", "aB", "abc", "Z", "ä", "Ä", "", " ", "a%b", "a\0b", "5", "5.0", "-1", "0x10", "1e2",
         "9223372036854775808"]
NUMBERS = [0, 1, -1, 2, 5, 16, 100, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 0.0, -0.0, 0.5, 1.0, 5.0, -1.5, 100.25, 1e18, 9.3e18, -1e300]
BLOBS = [b"", b"a", b"A", b"ab", b"5", b"\0", b"\xff\xfe"]
COLUMNS = [
    ("tag", "TEXT TAG", "TEXT"),
    ("nocase", "TEXT COLLATE NOCASE", "TEXT COLLATE NOCASE"),
    ("rt", "VARCHAR(10) COLLATE RTRIM", "VARCHAR(10) COLLATE RTRIM"),
    ("i", "INTEGER", "INTEGER"),
    ("r", "REAL", "REAL"),
    ("n", "NUMERIC", "NUMERIC"),
    ("bl", "BLOB", "BLOB"),
    ("none", "", ""),
    ("nonenc", "COLLATE NOCASE", "COLLATE NOCASE"),
    ("order", "TEXT TAG", "TEXT"),
]
NAMES = [name for name, _, _ in COLUMNS]


def literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return "x'%s'" % value.hex()
    if isinstance(value, str):
        return "'%s'" % value.replace("'", "''")
    if value == -(2**63):
        return "(-9223372036854775807-1)"
    return repr(value)


class Rows:
    """Rows of one round: (ts, id, values of COLUMNS)."""

    def __init__(self, rng, unit, span):
        self.rng, self.unit, self.span = rng, unit, span
        self.times = []
        for _ in range(40):  # few of them, so that rows share them
            second = BASE + rng.randrange(6) * span + rng.choice([0, 0, 1, span // 2, span - 1, rng.randrange(span)])
            self.times.append(second * unit + (rng.randrange(unit) if unit > 1 and rng.random() < 0.5 else 0))
        self.next_id = 0

    def value(self):
        kind = self.rng.random()
        if kind < 0.12:
            return None
        return self.rng.choice(TEXTS if kind < 0.45 else NUMBERS if kind < 0.85 else BLOBS)

    def make(self, count):
        rows = []
        for _ in range(count):
            if rows and self.rng.random() < 0.1:
                rows.append(self.rng.choice(rows))  # the same row twice
                continue
            self.next_id += 1
            rows.append((self.rng.choice(self.times), self.next_id, *(self.value() for _ in COLUMNS)))
        return rows


class Generator:
    """Random SQL about the table {T}; `folds`: which of several equal values comes out is open (1 or 1.0, 'a' or 'A')."""

    def __init__(self, rng, rows):
        self.rng, self.rows = rng, rows

    def pick(self, *choices):
        return self.rng.choice(choices)

    def maybe(self, chance, text):
        return text if self.rng.random() < chance else ""

    def constant(self, value):
        if self.rng.random() < 0.4 and not (isinstance(value, str) and "\0" in value):
            return literal(value)
        return self.argument(value)

    def time_value(self):
        rng, rows = self.rng, self.rows
        at = rng.choice(rows.times)
        return rng.choice([at, at, at, at + rng.choice([-1, 1]), float(at), at + 0.5, at // 2, None, b"", b"z", 2**63 - 1, -(2**63), 0,
                           1e300, -1e300, float("inf"), 9.3e18, BASE * rows.unit + rng.randrange(6) * rows.span * rows.unit])

    def time_operand(self, other=None):
        kind = self.rng.random()
        if kind < 0.75 or not other:
            value = self.time_value()
            if value in (float("inf"),):
                return "9e999"
            text = self.constant(value)
            return self.pick(text, text, text, "(SELECT %s)" % text, "+%s" % text) if not isinstance(value, bytes) else text
        return "%s.%s" % (other, self.pick("t", "t", "tr", "tn"))

    def operand(self, other=None):
        kind = self.rng.random()
        if other and kind < 0.3:
            return "%s.%s" % (other, self.pick("x", "y", "z", "w", "t"))
        value = self.rows.value()
        text = self.constant(value)
        if kind < 0.7:
            return text
        return self.pick("CAST(%s AS TEXT)" % text, "CAST(%s AS INTEGER)" % text, "CAST(%s AS NUMERIC)" % text, "(SELECT %s)" % text,
                         "+" + text, "coalesce(NULL, %s)" % text, "(%s || '')" % text, "lower(%s)" % text,
                         "(SELECT %s FROM k ORDER BY kid LIMIT 1)" % self.pick("x", "y", "z", "w"))

    def column(self, alias):
        return "%s.%s" % (alias, quoted(self.rng.choice(NAMES)))

    def comparison(self, alias, other=None):
        """One condition; all of them are NULL-safe to negate."""
        rng = self.rng
        op = self.pick("=", "=", "==", "<", "<=", ">", ">=", "<>", "IS", "IS NOT")
        kind = rng.random()
        if kind < 0.3:
            time = alias + ".ts"
            if kind < 0.17:
                left, right = time, self.time_operand(other)
                if rng.random() < 0.2:
                    flipped = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(op, op)
                    return "%s %s %s" % (right, flipped, left)
                return "%s %s %s" % (left, op, right)
            if kind < 0.22:
                return "%s %sBETWEEN %s AND %s" % (time, self.maybe(0.2, "NOT "), self.time_operand(other), self.time_operand(other))
            if kind < 0.27:
                members = ", ".join(self.time_operand() for _ in range(rng.randrange(5)))
                inside = self.pick(members, members, "SELECT t FROM k", "SELECT tr FROM k WHERE kid<4")
                return "%s %sIN (%s)" % (time, self.maybe(0.2, "NOT "), inside)
            return "%s %s" % (time, self.pick("IS NULL", "IS NOT NULL", "NOTNULL"))
        left = self.column(alias)
        if kind < 0.6:
            collate = self.maybe(0.1, " COLLATE " + self.pick("NOCASE", "BINARY", "RTRIM"))
            right = self.operand(other)
            if rng.random() < 0.2:
                return "%s %s %s%s" % (right, op, left, collate)
            return "%s%s %s %s" % (left, collate, op, right)
        if kind < 0.68:
            return "%s %sBETWEEN %s AND %s" % (left, self.maybe(0.2, "NOT "), self.operand(other), self.operand(other))
        if kind < 0.8:
            members = ", ".join(self.operand() for _ in range(rng.randrange(6)))
            inside = self.pick(members, members, "SELECT %s FROM k" % self.pick("x", "y", "z", "w"),
                               "SELECT u.%s FROM {T} u" % quoted(rng.choice(NAMES)))
            return "%s %sIN (%s)" % (left, self.maybe(0.25, "NOT "), inside)
        if kind < 0.86:
            return "%s %s" % (left, self.pick("IS NULL", "IS NOT NULL", "NOTNULL", "IS 5", "IS TRUE", "IS NOT FALSE"))
        if kind < 0.92:
            return "%s %s%s" % (left, self.maybe(0.2, "NOT "), self.pick("LIKE 'a%'", "LIKE 'A_'", "GLOB 'a*'", "GLOB '[ab]*'",
                    "LIKE '5%'", "LIKE 'AB%'",
                                                                         "LIKE " + self.argument("a%"), "LIKE 'a\\%b' ESCAPE '\\'"))
        if kind < 0.95:
            return "%s.id %s %d" % (alias, self.pick("<", ">", "=", "<>", ">="), rng.randrange(self.rows.next_id + 1))
        # row values
        a, b = self.pick(("ts", "id"), ("ts", quoted("i")), ("id", "ts"), ("ts", quoted("tag")))
        values = {"ts": self.time_operand, "id": lambda: str(rng.randrange(60))}
        pairs = [tuple(values.get(c, self.operand)() for c in (a, b)) for _ in range(2)]
        row = "(%s.%s, %s.%s)" % (alias, a, alias, b)
        if rng.random() < 0.4:
            return "%s %sIN (VALUES (%s, %s), (%s, %s))" % (row, self.maybe(0.2, "NOT "), *pairs[0], *pairs[1])
        return "%s %s (%s, %s)" % (row, self.pick("=", "<", "<=", ">", ">=", "<>", "IS"), *pairs[0])

    def argument(self, value):
        name = "a%d" % len(self.arguments)
        self.arguments[name] = value
        return ":" + name

    def condition(self, alias, other=None, depth=0):
        kind = self.rng.random()
        if depth < 3 and kind < 0.25:
            return "(%s AND %s)" % (self.condition(alias, other, depth + 1), self.condition(alias, other, depth + 1))
        if depth < 3 and kind < 0.45:
            arms = [self.condition(alias, other, depth + 2) for _ in range(self.rng.choice([2, 3, 3]))]
            return "(%s)" % " OR ".join(arms)
        if kind < 0.52:
            return "NOT %s" % self.condition(alias, other, depth + 1)
        if kind < 0.55:
            return self.pick("EXISTS (SELECT 1 FROM k WHERE k.t >= %s.ts)",
                             "EXISTS (SELECT 1 FROM {T} e WHERE e.ts > %s.ts AND e.i IS NOT NULL)",
                             "NOT EXISTS (SELECT 1 FROM {T} e WHERE e.id = %s.id + 1)") % alias
        return self.comparison(alias, other)

    def select_list(self, alias):
        names = self.rng.sample(NAMES, self.rng.randrange(1, 5))
        columns = ["%s.%s" % (alias, quoted(n)) for n in names]
        columns += self.rng.sample(["%s.ts" % alias, "%s.id" % alias], self.rng.randrange(3))
        self.rng.shuffle(columns)
        return ", ".join(columns)

    def where(self, alias, other=None, chance=0.9):
        return "" if self.rng.random() > chance else " WHERE " + self.condition(alias, other)

    def limit(self):
        return self.pick("", " LIMIT %d" % self.rng.randrange(12),
                         " LIMIT %d OFFSET %d" % (self.rng.randrange(12), self.rng.randrange(12)),
                         " LIMIT -1 OFFSET 3", " LIMIT " + self.argument(self.rng.randrange(8)))

    def query(self):
        """(sql, arguments, how the answers are compared: list, bag or fold)"""
        self.arguments = {}
        make, how = self.rng.choice(self.FORMS)
        return make(self), self.arguments, how

    def plain(self):
        return "SELECT %s FROM {T} t%s" % (self.pick(self.select_list("t"), "t.*"), self.where("t"))

    def ordered(self):
        order = self.pick("t.ts, t.id", "t.ts DESC, t.id", "t.ts, t.id DESC", "t.id", "t.i, t.ts, t.id", "t.ts + 0, t.id",
                          "t.id DESC, t.ts", "t.tag DESC, t.ts DESC, t.id",
                          "t.nocase, t.id", "t.r DESC, t.id", "2, 1, t.id")
        return "SELECT t.ts, t.id, %s FROM {T} t%s ORDER BY %s%s" % (self.select_list("t"), self.where("t"), order, self.limit())

    def by_time(self):
        return "SELECT t.ts FROM {T} t%s ORDER BY t.ts%s%s" % (self.where("t"), self.pick("", " DESC"), self.limit())

    def count_limited(self):
        return "SELECT count(*), count(x.ts) FROM (SELECT t.ts FROM {T} t%s%s) x" % (self.where("t"), self.limit())

    def aggregate(self):
        column = self.column("t")
        return ("SELECT count(*), count(%s), total(length(%s)), min(t.ts), max(t.ts), sum(t.id) FILTER (WHERE %s), avg(t.id), "
                "count(DISTINCT t.id), max(t.id) FROM {T} t%s"
                % (column, column, self.comparison("t"), self.where("t")))

    def extreme(self):
        return "SELECT %s(%s) FROM {T} t%s" % (self.pick("min", "max"), self.pick(self.column("t"), "t.ts"), self.where("t"))

    def grouped(self):
        key = self.pick(self.column("t"), "t.ts", "t.ts / 3600", "typeof(%s)" % self.column("t"), "t.ts, t.tag")
        having = self.maybe(0.3, " HAVING count(*) > %d" % self.rng.randrange(4))
        order = self.maybe(0.3, " ORDER BY %s" % key)
        return "SELECT %s, count(*), sum(t.id), min(t.ts) FROM {T} t%s GROUP BY %s%s%s" % (key, self.where("t"), key, having, order)

    def distinct(self):
        columns = self.pick(self.column("t"), "t.ts", "t.ts, " + self.column("t"), "typeof(%s)" % self.column("t"))
        return "SELECT DISTINCT %s FROM {T} t%s%s" % (columns, self.where("t"),
                                                      self.maybe(0.3, " ORDER BY t.ts") if columns == "t.ts" else "")

    def window(self):
        over = self.pick("ORDER BY t.ts, t.id", "PARTITION BY t.i IS NULL ORDER BY t.ts DESC, t.id", "PARTITION BY t.ts ORDER BY t.id",
                         "ORDER BY t.id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW")
        function = self.pick("row_number()", "count(*)", "lag(t.id)", "first_value(t.ts)")
        return "SELECT t.id, %s OVER (%s), sum(t.id) OVER (%s) FROM {T} t%s" % (function,
                                                                             over, over, self.where("t"))

    def join(self):
        kind = self.pick("JOIN", "JOIN", "LEFT JOIN", "CROSS JOIN", ",")
        first, second = self.pick(("k", "{T} t"), ("{T} t", "k"))
        on = "" if kind == "," else " ON " + self.condition("t", "k")
        return "SELECT k.kid, t.id, %s FROM %s %s %s%s%s" % (self.select_list("t"), first, kind, second, on,
                                                             self.where("t", "k", 0.5 if on else 1))

    def outer_join(self):
        kind = self.pick("LEFT JOIN", "RIGHT JOIN", "FULL JOIN") if support.sqlite3.sqlite_version_info >= (3, 39) else "LEFT JOIN"
        on = self.pick("t.ts = k.t", "t.ts >= k.t AND t.ts < k.t + %d" % (self.rows.span * self.rows.unit), self.condition("t", "k"))
        return "SELECT k.kid, t.id, t.ts FROM k %s {T} t ON %s%s" % (kind, on, self.where("t", None, 0.4))

    def self_join(self):
        on = self.pick("a.ts = b.ts", "a.id = b.id + 1", "a.ts < b.ts AND b.id < 20 AND a.id < 20", "a.tag = b.tag",
                       "a.nocase = b.nocase AND a.ts <= b.ts", "a.n = b.none")
        kind = self.pick("JOIN", "LEFT JOIN")
        return "SELECT a.id, b.id, b.ts FROM {T} a %s {T} b ON %s%s" % (kind, on, self.where("a"))

    def correlated(self):
        inner = self.pick("SELECT count(*) FROM {T} t WHERE t.ts <= k.t",
                          "SELECT max(t.ts) FROM {T} t WHERE t.ts < k.t AND %s" % self.condition("t", "k"),
                          "SELECT t.id FROM {T} t WHERE t.ts >= k.t ORDER BY t.ts, t.id LIMIT 1",
                          "SELECT sum(t.id) FROM {T} t WHERE t.i = k.x OR t.ts = k.t OR t.tag = k.y")
        return "SELECT k.kid, (%s) FROM k" % inner

    def in_subquery(self):
        left = self.pick("k.x", "k.y", "k.z", "k.w", "k.t") + self.maybe(0.3, " NOT")
        return "SELECT k.kid FROM k WHERE %s IN (SELECT %s FROM {T} t%s)" % (left, self.column("t"), self.where("t"))

    def recursive(self):
        step = self.pick("SELECT c.depth + 1, (SELECT min(u.ts) FROM {T} u WHERE u.ts > c.at) FROM c WHERE c.depth < 6 AND c.at IS NOT "
                         "NULL",
                         "SELECT c.depth + 1, u.ts FROM c JOIN {T} u ON u.id = c.depth + 1 AND u.ts >= c.at WHERE c.depth < 8",
                         "SELECT c.depth + 1, u.ts FROM {T} u, c WHERE u.ts = c.at AND c.depth < 2")
        return "WITH RECURSIVE c(depth, at) AS (SELECT 0, min(t.ts) FROM {T} t%s UNION %s) SELECT * FROM c" % (self.where("t"), step)

    def compound(self):
        arms = ["SELECT t.ts, %s FROM {T} t%s" % (quoted(n), self.where("t")) for n in self.rng.sample(NAMES, 2)]
        return self.pick(" UNION ", " EXCEPT ", " INTERSECT ").join(arms)

    def union_all(self):
        tail = self.maybe(0.4, " ORDER BY 1, 2")
        return " UNION ALL ".join("SELECT t.ts, t.id FROM {T} t%s" % self.where("t") for _ in range(self.rng.choice([2, 3]))) + tail

    def from_view(self):
        parts = (self.where("t"), self.where("x"), self.limit())
        return "WITH x AS (SELECT * FROM {T} t%s) SELECT x.id, x.ts FROM x%s ORDER BY x.ts, x.id%s" % parts

    FORMS = ([(plain, "bag")] * 8 + [(ordered, "list")] * 6 + [(by_time, "list")] * 4 + [(count_limited, "list")] * 2
             + [(aggregate, "list")] * 3 + [(extreme, "fold")] * 2
             + [(grouped, "groups")] * 3 + [(distinct, "fold")] * 2 + [(window, "bag")] * 2 + [(join, "bag")] * 5
             + [(outer_join, "bag")] * 4 + [(self_join, "bag")] * 2
             + [(correlated, "bag")] * 3 + [(in_subquery, "bag")] * 2 + [(recursive, "bag")] * 2 + [(compound, "fold")] * 2
             + [(union_all, "bag")] * 2 + [(from_view, "list")] * 2)


def exact(value):
    """By value and storage class: -0.0 is not 0.0 and 1 is not 1.0."""
    return (type(value).__name__, struct.pack("<d", value) if isinstance(value, float) else value)


def folded(value):
    """What equal values under any collation have in common."""
    if isinstance(value, float) and value == value and abs(value) < 1e300 and value == int(value):
        value = int(value)
    if isinstance(value, Text):
        value = value.lower().rstrip(b" ")
    return (type(value).__name__ if not isinstance(value, (int, float)) else "number", value)


def comparable(rows, how):
    if how == "list":
        return [tuple(map(exact, row)) for row in rows]
    if how == "groups":
        return collections.Counter((folded(row[0]),) + tuple(map(folded, row[1:-3])) + tuple(map(exact, row[-3:])) for row in rows)
    return collections.Counter(tuple(map(folded if how == "fold" else exact, row)) for row in rows)


class Differential(support.TimeseriesCase):
    def fill(self, rng, location, precision, partition, own, later=0):
        """A connection that sees the same rows in `v` (everywhere a row can be) and in `p` (an ordinary table).

        The last `later` columns are added between the batches of rows; other connections stay with what they had, or connect anew."""
        rows = Rows(rng, UNITS[precision], SPAN[partition])
        known = len(COLUMNS) - later
        columns = ", ".join("%s %s" % (quoted(n), d) for n, d, _ in COLUMNS[:known])
        create = ("CREATE VIRTUAL TABLE v USING timeseries(%s, location='%s', precision='%s', partition='%s', flush_on_close='never', "
                  "flush_timeout='%dms')"
                  % ("ts TIMESTAMP, id INTEGER, " + columns, location, precision, partition, 300 * support.PATIENCE))
        newest = create.replace("ts TIMESTAMP, id INTEGER, " + columns + ", ", "")
        insert = "INSERT INTO {} VALUES(%s)" % ",".join("?" * (2 + len(COLUMNS)))
        writers = [self.connect(so=support.WITH_FAILPOINTS, isolation_level=None) for _ in range(3)]
        for db in writers:
            db.execute(create)
        reader = writers[0]
        reader.text_factory = Text
        reader.execute("CREATE TABLE p(ts INTEGER, id INTEGER, %s)" % ", ".join("%s %s" % (quoted(n), d) for n, _, d in COLUMNS))

        width = {db: 2 + known for db in writers}

        def again(db, sql=newest):
            db.execute("DROP TABLE v")
            db.execute(sql)
            width[db] = 2 + known

        def grow():
            nonlocal known
            if known == len(COLUMNS):
                return
            for name, declared, _ in COLUMNS[known:known + rng.choice([1, 2])]:
                known += 1
                again(reader)
                reader.execute("SELECT ts_add_column('v', ?)", ("%s %s" % (quoted(name), declared),)).fetchone()
            for db in rng.sample(writers, 2) + [reader]:
                again(db)

        def add(db, batch):
            batch = [row[:width[db]] + (None,) * (2 + len(COLUMNS) - width[db]) for row in batch]
            db.execute("BEGIN")
            db.executemany("INSERT INTO v VALUES(%s)" % ",".join("?" * width[db]), [row[:width[db]] for row in batch])
            db.execute("COMMIT")
            reader.executemany(insert.format("p"), batch)

        os.environ["TIMESERIES_FAILPOINT"] = "none=error"
        for _ in range(2):
            add(rng.choice(writers), rows.make(30))
            support.flush(reader, "v")
            grow()
        os.environ["TIMESERIES_FAILPOINT"] = "upload.attempted=error"
        add(rng.choice(writers), rows.make(25))
        grow()
        with self.assertRaises(support.sqlite3.OperationalError):
            reader.execute("SELECT ts_flush('v')").fetchone()
        for db in writers:
            add(db, rows.make(10))
            while known < len(COLUMNS) and db is writers[1]:
                grow()
        if later:
            again(reader)
            again(writers[1])
        states = {bytes(s).decode() for (s,) in reader.execute("SELECT state FROM ts_files('v')")}
        self.assertEqual(states, {"open", "sealed", "stored"})

        reader.execute("CREATE TABLE k(kid INTEGER, t INTEGER, tr REAL, tn NUMERIC, x INTEGER, y TEXT, z, w REAL)")
        for kid in range(8):
            at = rng.choice(rows.times)
            times = (kid, rng.choice([at, at, None]), rng.choice([at, at + 0.5, None]), at)
            reader.execute("INSERT INTO k VALUES(?,?,?,?,?,?,?,?)", (*times,
                                                                    rows.value(), rows.value(), rows.value(), rows.value()))
        if own:
            reader.execute("BEGIN")
            for step in range(3):
                batch = rows.make(6)
                reader.executemany(insert.format("v"), batch)
                reader.executemany(insert.format("p"), batch)
                reader.execute("SAVEPOINT s")
                reader.executemany(insert.format("v"), rows.make(4))
                reader.execute("ROLLBACK TO s")
                if step != 1:
                    reader.execute("RELEASE s")
        self.writers = writers
        return reader, rows

    def answer(self, db, sql, arguments, table):
        try:
            return db.execute(sql.replace("{T}", table), arguments).fetchall(), None
        except support.sqlite3.Error as e:
            return None, str(e)

    def run_round(self, number, count, location, later=0):
        rng = random.Random(SEED * 1_000_003 + number)
        precision, partition = rng.choice(list(UNITS)), rng.choice(list(SPAN))
        own = number % 2 == 1
        self.setenv("TIMESERIES_FAILPOINT", "none=error")
        db, rows = self.fill(rng, location, precision, partition, own, later)
        compactor = self.connect(so=support.WITH_FAILPOINTS, isolation_level=None)
        spool = self.path("compactor-" + os.path.basename(location))
        compactor.execute("CREATE VIRTUAL TABLE v USING timeseries(location='%s', spool='%s')" % (location, spool))
        merged = 0
        generator = Generator(rng, rows)
        errors = 0
        for n in range(count):
            if later and n % 20 == 0:
                self.add_beside(rng, rows, n, db if not own else None)
            if not later and n % 10 == 5:  # somebody else merges the files of a partition
                merged += len(compactor.execute("SELECT * FROM ts_compact('v') LIMIT 1").fetchall())
            sql, arguments, how = generator.query()
            told = "seed %d round %d (%s, %s, own=%s): %s %r" % (SEED, number, precision, partition, own, sql, arguments)
            expected, wrong = self.answer(db, sql, arguments, "p")
            found, error = self.answer(db, sql, arguments, "v")
            errors += wrong is not None
            self.assertEqual(error, wrong, told)
            if wrong is None:
                self.assertEqual(comparable(found, how), comparable(expected, how), told)
        self.assertLess(errors, count / 20)
        self.assertTrue(merged > 0 or later or count < 100, "no files were merged")
        if own:
            db.execute("ROLLBACK")

    def add_beside(self, rng, rows, number, reader):
        """Another connection adds a column that the reader does not have, and a row with it where the reader would see it."""
        other = self.writers[1]
        other.execute("SELECT ts_add_column('v', ?)", ("extra%d %s" % (number, rng.choice(["INTEGER", "TEXT TAG"])),)).fetchone()
        if not reader:
            return  # its transaction goes on with what it has seen
        row = rows.make(1)[0]
        names = ", ".join(["ts", "id"] + list(map(quoted, NAMES)))
        other.execute("INSERT INTO v(%s, extra%d) VALUES(%s)" % (names, number, ",".join("?" * (len(row) + 1))), (*row, number))
        reader.execute("INSERT INTO p VALUES(%s)" % ",".join("?" * len(row)), row)

    def test_random_queries_beside_changes(self):
        """The same while columns come: the last five between the rows, tags among them, and others beside the queries."""
        for number in range(2000, 2000 + max(2, support.DIFFERENTIAL_QUERIES // 500)):
            with self.subTest(round=number):
                self.run_round(number, min(QUERIES_PER_ROUND, support.DIFFERENTIAL_QUERIES), self.file_location("archive%d" % number), 5)

    def test_random_queries_on_files(self):
        """A random query answers as it does on an ordinary table, wherever the rows lie."""
        done = 0
        while done < support.DIFFERENTIAL_QUERIES:
            count = min(QUERIES_PER_ROUND, support.DIFFERENTIAL_QUERIES - done)
            number = done // QUERIES_PER_ROUND
            with self.subTest(round=number):
                self.run_round(number, count, self.file_location("archive%d" % number))
            done += count

    def test_queries_that_once_differed(self):
        """What the random queries found stays found: each of these was wrong once."""
        self.setenv("TIMESERIES_FAILPOINT", "none=error")
        db, _ = self.fill(random.Random(5), self.file_location(), "ms", "day", True)
        for sql in ("SELECT id FROM {T} WHERE ts = -1e300",
                    # ON conditions about the left table, which SQLite hands to it.
                    "SELECT t.id, k.kid FROM {T} t LEFT JOIN k ON t.tag IS NULL",
                    "SELECT t.id, k.kid FROM {T} t LEFT JOIN k ON t.tag IS NOT NULL",
                    "SELECT t.id, k.kid FROM {T} t LEFT JOIN k ON t.tag <> 'a'",
                    "SELECT t.id, k.kid FROM {T} t LEFT JOIN k ON t.ts <> 5 AND t.ts IS NOT 7",
                    "SELECT t.id, k.kid FROM {T} t LEFT JOIN k ON t.ts IS NULL",
                    # SQLite hands over only the first part of a row value, as >=, but the LIMIT too.
                    "SELECT ts FROM {T} WHERE (ts, id) > ((SELECT min(ts) FROM {T}), 9e9) ORDER BY ts LIMIT 3",
                    "SELECT count(*) FROM (SELECT 1 FROM {T} WHERE (id, ts) <= (20, 0) LIMIT 5)",
                    "SELECT ts FROM {T} WHERE (ts, id) < ((SELECT max(ts) FROM {T}), 0) ORDER BY ts DESC LIMIT 3 OFFSET 2"):
            with self.subTest(sql=sql):
                found, expected = self.answer(db, sql, (), "v"), self.answer(db, sql, (), "p")
                self.assertEqual(found[1], expected[1])
                self.assertEqual(comparable(found[0], "bag"), comparable(expected[0], "bag"))

    def test_random_queries_on_s3(self):
        """The same with the stored files on S3."""
        for number in (1000, 1001):
            with self.subTest(round=number):
                self.run_round(number, min(60, support.DIFFERENTIAL_QUERIES), self.s3_location())


if __name__ == "__main__":
    unittest.main()
