# Columns that come, are renamed and go while an archive is in use: files of before and after in one query, writers of before and after
# side by side, two that change the schema at once, and a process that dies while it does.
import glob
import json
import os
import shutil
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor

from . import support

DAY = 86_400_000
START = 1_795_392_000_000  # 2026-11-23
FIRST = "ts TIMESTAMP, host TEXT TAG, usage REAL"
CHILD = """
db = support.connect(":memory:", isolation_level=None)
db.execute("CREATE VIRTUAL TABLE cpu USING timeseries(%s)" % sys.argv[1])
for statement in sys.argv[2:]:
    print(db.execute(statement).fetchall())
"""


class Case(support.TimeseriesCase):
    def setUp(self):
        super().setUp()
        self.location = self.file_location()

    def options(self, columns="", spool="spool", **more):
        parts = [columns] if columns else []
        more = {"location": self.location, "spool": self.path(spool), "flush_on_close": "never",
                "flush_timeout": "%dms" % (300 * support.PATIENCE), **more}
        return ", ".join(parts + ["%s='%s'" % pair for pair in more.items()])

    def create(self, db, columns="", name="cpu", **options):
        db.execute("CREATE VIRTUAL TABLE %s USING timeseries(%s)" % (name, self.options(columns, **options)))
        return db

    def open(self, columns="", so=None, **options):
        return self.create(self.connect(so=so or support.WITH_FAILPOINTS, isolation_level=None), columns, **options)

    def one(self, db, sql, *arguments):
        return db.execute(sql, arguments).fetchone()[0]

    def columns(self, db, table="cpu"):
        return [name for _, name, *_ in db.execute("PRAGMA table_info(%s)" % table)]

    def schema(self, number):
        with open(self.path("archive", "cpu", "schema-%06d.json" % number)) as file:
            return json.load(file)

    def numbers(self):
        return sorted(int(name[-11:-5]) for name in glob.glob(self.path("archive", "cpu", "schema-*.json")))


def rows(first, count, *values, hosts=2):
    """`count` rows of each host, one each second."""
    return [(START + (first + i) * 1000, "h%d" % h, (first + i) / 4 + h, *(v(i) if callable(v) else v for v in values))
            for h in range(hosts) for i in range(count)]


class Mixed(Case):
    """One table with rows of four declarations everywhere a row can be, beside an ordinary one with the same rows."""

    QUERIES = (
        "SELECT * FROM {T}", "SELECT count(*), count(note), count(rack), sum(n) FROM {T}",
        "SELECT * FROM {T} WHERE note IS NULL", "SELECT * FROM {T} WHERE note IS NOT NULL", "SELECT * FROM {T} WHERE rack IS NULL",
        "SELECT * FROM {T} WHERE rack IS NOT NULL AND n IS NOT NULL", "SELECT * FROM {T} WHERE note = 'x3' OR rack = 'r1'",
        "SELECT * FROM {T} WHERE rack IN ('r0', 'r1') AND host = 'h0'", "SELECT * FROM {T} WHERE rack IS 'r1'",
        "SELECT * FROM {T} WHERE n > 2 OR note < 'x5'", "SELECT * FROM {T} WHERE NOT (n > 2)", "SELECT * FROM {T} WHERE rack <> 'r1'",
        "SELECT typeof(n), typeof(note), count(*) FROM {T} GROUP BY 1, 2", "SELECT rack, host, count(*), max(n) FROM {T} GROUP BY 1, 2",
        "SELECT DISTINCT rack FROM {T}", "SELECT a.ts, b.note FROM {T} a LEFT JOIN {T} b ON a.ts = b.ts AND b.rack = 'r1' WHERE a.n = 3",
        "SELECT host, ts FROM {T} WHERE rack = 'r1' AND ts < %d" % (START + DAY),
    )
    ORDERED = (
        "SELECT ts FROM {T} ORDER BY ts", "SELECT ts, note IS NULL FROM {T} WHERE rack = 'r0' ORDER BY ts DESC LIMIT 7",
        "SELECT ts FROM {T} WHERE note IS NULL ORDER BY ts DESC LIMIT 5", "SELECT ts FROM {T} ORDER BY ts LIMIT 20 OFFSET 100",
        "SELECT host, rack, ts FROM {T} ORDER BY host, rack, ts", "SELECT host, rack FROM {T} ORDER BY host, rack",
        "SELECT host FROM {T} ORDER BY host", "SELECT host, rack, count(*), min(n) FROM {T} GROUP BY host, rack ORDER BY host, rack",
    )

    def fill(self):
        """Connections: of the first declaration, which goes on as it was declared, and of the newest. `p` in the latter has all rows."""
        self.setenv("TIMESERIES_FAILPOINT", "none=error")
        old, new = self.open(FIRST), self.open(FIRST)
        new.execute("CREATE TABLE p(ts INTEGER, host TEXT, usage REAL, note TEXT, rack TEXT, n INTEGER)")
        self.put(old, new, rows(0, 1500), 3)  # packed
        self.assertEqual(support.flush(old, "cpu"), 1)
        self.put(old, new, rows(100, 2, hosts=4), 3)  # plain
        self.assertEqual(support.flush(old, "cpu"), 1)
        new.execute("DROP TABLE cpu")
        self.create(new)
        self.assertEqual(self.one(new, "SELECT ts_add_column('cpu', 'note TEXT')"), 2)
        self.put(new, new, rows(200, 1500, lambda i: "x%d" % (i % 7)), 4)
        self.put(old, new, rows(900, 3), 3)
        self.assertEqual(support.flush(old, "cpu"), 2)
        self.assertEqual(self.one(new, "SELECT ts_add_column('cpu', 'rack TEXT TAG')"), 3)
        self.assertEqual(self.one(new, "SELECT ts_add_column('cpu', 'n INTEGER')"), 4)
        several = [row + (rack, i % 5) for rack in ("r0", "r1", None) for i, row in enumerate(rows(300, 600, "y"))]
        self.put(new, new, several, 6)
        self.put(new, new, rows(50, 2, None, "r1", 3, hosts=3), 6)
        self.assertEqual(support.flush(new, "cpu"), 1)
        self.put(new, new, rows(60, 2, "z", "r1", 3, hosts=3), 6)
        support.flush(new, "cpu")
        os.environ["TIMESERIES_FAILPOINT"] = "upload.attempted=error"
        self.put(old, new, rows(70, 4), 3)
        self.put(new, new, rows(71, 4, "s", "r0", 1), 6)
        with self.assertRaises(support.sqlite3.OperationalError):
            new.execute("SELECT ts_flush('cpu')").fetchone()
        self.put(old, new, rows(80, 4), 3)
        self.put(new, new, rows(81, 4, None, None, 1), 6)
        self.assertEqual({s for (s,) in new.execute("SELECT state FROM ts_files('cpu')")}, {"open", "sealed", "stored"})
        return old, new

    def put(self, db, plain, batch, width):
        db.execute("BEGIN")
        db.executemany("INSERT INTO cpu VALUES(%s)" % ",".join("?" * width), batch)
        db.execute("COMMIT")
        plain.executemany("INSERT INTO p VALUES(?,?,?,?,?,?)", [row + (None,) * (6 - width) for row in batch])

    def compare(self, db, statements, table="cpu", how=sorted):
        for sql in statements:
            with self.subTest(sql=sql):
                found = db.execute(sql.replace("{T}", table)).fetchall()
                expected = db.execute(sql.replace("{T}", "p")).fetchall()
                self.assertGreater(len(expected), 0)
                self.assertEqual(how(map(repr, found)), how(map(repr, expected)))

    def test_mixed_files_answer_as_one_table(self):
        """Rows of four declarations, everywhere a row can be, answer as an ordinary table does in which the columns were NULL."""
        old, new = self.fill()
        self.compare(new, self.QUERIES)
        self.compare(new, self.ORDERED, how=list)
        with self.subTest("own rows"):
            new.execute("BEGIN")
            batch = rows(90, 3, "own", "r1", 9)
            new.executemany("INSERT INTO cpu VALUES(?,?,?,?,?,?)", batch)
            new.executemany("INSERT INTO p VALUES(?,?,?,?,?,?)", batch)
            self.compare(new, self.QUERIES + self.ORDERED)
            new.execute("ROLLBACK")
        self.assertEqual(self.columns(old), ["ts", "host", "usage"])
        first = sorted(new.execute("SELECT ts, host, usage FROM p").fetchall())
        self.assertEqual(sorted(old.execute("SELECT * FROM cpu").fetchall()), first)
        by_tags = sorted(((h, t) for t, h, _ in first))
        self.assertEqual(old.execute("SELECT host, ts FROM cpu ORDER BY host, ts").fetchall(), by_tags)
        self.assertEqual(self.one(new, "SELECT count(*) FROM ts_verify('cpu') WHERE state <> 'ok'"), 0)
        self.assertEqual(self.one(old, "SELECT count(*) FROM ts_verify('cpu') WHERE state <> 'ok'"), 0)

    def test_rollups_over_mixed_files(self):
        """A rollup of mixed files is the GROUP BY of an ordinary table, also by a tag that came later."""
        old, new = self.fill()
        new.execute("CREATE VIRTUAL TABLE r USING timeseries_rollup(cpu, '5 minutes')")
        new.execute("CREATE VIRTUAL TABLE b USING timeseries_rollup(cpu, '1 day', by='rack')")
        new.execute("CREATE VIRTUAL TABLE a USING timeseries_rollup(cpu, '1 day', by='')")
        bucket = "ts / 300000 * 300000"
        values = "count(*), count(n), sum(n), min(n), max(n), avg(n), count(usage), sum(usage)"
        columns = "rows, n_count, n_sum, n_min, n_max, n_avg, usage_count, usage_sum"
        for name, keys, plain in (("r", "ts, host, rack", bucket + ", host, rack"), ("b", "ts, rack", "ts / 86400000 * 86400000, rack"),
                                  ("a", "ts", "ts / 86400000 * 86400000")):
            for where in ("", " WHERE rack = 'r1'", " WHERE rack IS NULL", " WHERE ts >= %d" % (START + 300000)):
                if "rack" not in keys and "rack" in where:
                    continue
                condition = where.replace("ts >=", plain.split(",")[0] + " >=")
                with self.subTest(rollup=name, where=where):
                    found = new.execute("SELECT %s, %s FROM %s%s" % (keys, columns, name, where)).fetchall()
                    expected = new.execute("SELECT %s, %s FROM p%s GROUP BY %s" % (plain, values, condition, plain)).fetchall()
                    self.assertEqual(sorted(map(repr, found)), sorted(map(repr, expected)))
        old.execute("CREATE VIRTUAL TABLE r USING timeseries_rollup(cpu, '1 day')")
        self.assertEqual(sorted(old.execute("SELECT ts, host, rows, usage_sum FROM r").fetchall()),
                         sorted(new.execute("SELECT ts / 86400000 * 86400000, host, count(*), sum(usage) FROM p GROUP BY 1, 2").fetchall()))

    def test_files_are_what_stock_sqlite_reads(self):
        """Each file has the columns of whoever wrote it, for SQLite alone too, and no file was touched by a change."""
        old, new = self.fill()
        seen = set()
        found = []
        for path in glob.glob(self.path("archive", "cpu", "*", "*.sqlite")):
            out, _, _ = support.shell("PRAGMA integrity_check; SELECT group_concat(name) FROM pragma_table_info('cpu'); "
                                      "SELECT count(*) FROM cpu", path, load_extension=False)
            check, names, count = out.split()
            self.assertEqual(check, "ok")
            self.assertIn("_%srows_" % count, path)
            seen.add((names, self.format(path)))
            found.append(int(count))
        self.assertEqual(seen, {(names, form) for names in ("ts,host,usage", "ts,host,usage,note", "ts,host,usage,note,rack,n")
                                for form in (1, 2)} - {("ts,host,usage,note", 1)})
        self.assertEqual(sum(found), self.one(new, "SELECT sum(rows) FROM ts_files('cpu') WHERE state = 'stored'"))

    def format(self, path):
        with open(path, "rb") as file:
            return int.from_bytes(file.read(64)[60:64], "big")

    def test_import_takes_the_new_columns(self):
        old, new = self.fill()
        with open(self.path("more.csv"), "w") as file:
            file.write("ts,host,rack,note\n%d,h9,r9,imported\n" % START)
        self.assertEqual(self.one(new, "SELECT ts_import('cpu', ?)", self.path("more.csv")), 1)
        self.assertEqual(new.execute("SELECT * FROM cpu WHERE host = 'h9'").fetchall(), [(START, "h9", None, "imported", "r9", None)])
        self.assertEqual(old.execute("SELECT * FROM cpu WHERE host = 'h9'").fetchall(), [(START, "h9", None)])


class Declarations(Case):
    def test_who_has_the_column_when(self):
        """Without columns a table has the newest: at once where it was added, else when it is connected. A declared one stays as it is."""
        declared, adder, other = self.open(FIRST), self.open(spool="spool"), None
        declared.execute("SELECT ts_insert('cpu', 1, 'a', 0.5)").fetchone()
        other = self.open()
        self.assertEqual(self.one(adder, "SELECT ts_add_column('cpu', 'note TEXT DEFAULT ''none''')"), 2)
        self.assertEqual([self.columns(db) for db in (declared, adder, other)],
                         [["ts", "host", "usage"], ["ts", "host", "usage", "note"], ["ts", "host", "usage"]])
        other.execute("PRAGMA writable_schema=RESET")
        self.assertEqual(self.columns(other), ["ts", "host", "usage", "note"])
        self.assertEqual(self.columns(self.open(spool="elsewhere")), ["ts", "host", "usage", "note"])
        adder.execute("SELECT ts_insert('cpu', '{\"ts\":2,\"host\":\"b\"}')").fetchone()
        adder.execute("INSERT INTO cpu(ts, host, note) VALUES(3, 'c', 'here')")
        declared.execute("INSERT INTO cpu VALUES(4, 'd', 1.5)")
        expected = [(1, "a", 0.5, None), (2, "b", None, "none"), (3, "c", None, "here"), (4, "d", 1.5, None)]
        self.assertEqual(other.execute("SELECT * FROM cpu ORDER BY ts").fetchall(), expected)
        self.assertEqual(declared.execute("SELECT * FROM cpu ORDER BY ts").fetchall(), [row[:3] for row in expected])
        declared.execute("DROP TABLE cpu")
        self.create(declared, FIRST + ", note TEXT")
        self.assertEqual(declared.execute("SELECT * FROM cpu ORDER BY ts").fetchall(), expected)
        self.assertEqual(self.one(adder, "SELECT ts_flush('cpu')"), 2)
        far = self.open(FIRST, spool="far")
        self.assertEqual(far.execute("SELECT * FROM cpu ORDER BY ts").fetchall(), [row[:3] for row in expected])

    def test_a_database_opened_again_has_the_new_column(self):
        path = self.path("host.db")
        db = self.connect(path, isolation_level=None)
        self.create(db, FIRST)
        db.execute("INSERT INTO cpu VALUES(1, 'a', 0.5)")
        db.execute("SELECT ts_flush('cpu')").fetchone()
        db.execute("CREATE VIRTUAL TABLE newest USING timeseries(%s, table='cpu')" % self.options())
        db.close()
        db = self.connect(path, isolation_level=None)
        self.assertEqual(self.one(db, "SELECT ts_add_column('newest', 'note TEXT')"), 2)
        db.close()
        db = self.connect(path, isolation_level=None)
        self.assertEqual(self.columns(db, "newest"), ["ts", "host", "usage", "note"])
        self.assertEqual(self.columns(db), ["ts", "host", "usage"])
        self.assertEqual(db.execute("SELECT * FROM newest").fetchall(), [(1, "a", 0.5, None)])

    def test_two_declarations_in_one_transaction(self):
        """Rows of one transaction by two declarations of a table: all or none, and each sees the other's."""
        db = self.open(FIRST)
        db.execute("SELECT ts_add_column('cpu', 'note TEXT')").fetchone()
        self.create(db, FIRST + ", note TEXT", name="wide", table="cpu")
        for end, rows in (("ROLLBACK", 0), ("COMMIT", 2)):
            db.execute("BEGIN")
            db.execute("INSERT INTO cpu VALUES(1, 'a', 0.5)")
            db.execute("INSERT INTO wide VALUES(2, 'b', 1.5, 'x')")
            db.execute("SAVEPOINT s")
            db.execute("INSERT INTO cpu VALUES(3, 'c', 0.5)")
            db.execute("INSERT INTO wide VALUES(4, 'd', 1.5, 'x')")
            self.assertEqual(self.one(db, "SELECT count(*) FROM wide"), 4)
            db.execute("ROLLBACK TO s")
            self.assertEqual(db.execute("SELECT * FROM wide ORDER BY ts").fetchall(), [(1, "a", 0.5, None), (2, "b", 1.5, "x")])
            mine = db.execute("SELECT * FROM cpu WHERE ts = 1 OR host = 'b' ORDER BY ts").fetchall()
            self.assertEqual(mine, [(1, "a", 0.5), (2, "b", 1.5)])
            db.execute(end)
            self.assertEqual(self.one(db, "SELECT count(*) FROM cpu"), rows)
        self.assertEqual(self.one(db, "SELECT ts_flush('wide')"), 2)
        self.assertEqual(db.execute("SELECT * FROM wide ORDER BY ts").fetchall(), [(1, "a", 0.5, None), (2, "b", 1.5, "x")])

    def test_more_columns_than_the_archive_is_told_how_to_add_them(self):
        db = self.open(FIRST)
        db.execute("INSERT INTO cpu VALUES(1, 'a', 0.5)")
        db.execute("SELECT ts_flush('cpu')").fetchone()
        remedy = ("; a column is added to an archive with SELECT ts_add_column('cpu', '\"it''s\" TEXT TAG DEFAULT ''x'' COLLATE NOCASE') "
                  "over a table that does not declare it; or leave it out")
        columns = FIRST + ", \"it's\" TEXT TAG DEFAULT 'x' COLLATE NOCASE"
        fresh = self.connect(isolation_level=None)
        missing = "column \"it's\" is declared here and missing in the archive" + remedy
        self.assertFails(fresh, "CREATE VIRTUAL TABLE cpu USING timeseries(%s)" % self.options(columns),
                         "timeseries: the declaration of cpu contradicts what the spool %s remembers of it: " % self.path("spool")
                         + missing)
        far = self.open(columns, spool="far")
        self.assertFails(far, "SELECT * FROM cpu",
                         "archive: the declaration of cpu contradicts the archive at %s/cpu: " % self.location + missing)
        statement = remedy[remedy.index("SELECT"):remedy.index(" over")]
        self.assertEqual(self.one(db, statement), 2)
        self.create(fresh, columns)
        for other in (far, fresh):
            self.assertEqual(other.execute("SELECT * FROM cpu").fetchall(), [(1, "a", 0.5, None)])

    def test_old_writers_go_on_and_are_told(self):
        old = self.open(FIRST)
        told = ("archive: cpu has a newer schema in the archive, number 2, than is declared here: with %s; rows go on being written and "
                "read as declared; declare the table anew, or without columns, to have the newer one")
        old.execute("INSERT INTO cpu VALUES(1, 'a', 0.5)")
        old.execute("SELECT ts_flush('cpu')").fetchone()
        done = support.python(CHILD, self.options(spool="far"), "SELECT ts_add_column('cpu', 'note TEXT')",
                              "SELECT ts_insert('cpu', 2, 'b', 1, 'x')", "SELECT ts_flush('cpu')")
        self.assertEqual(done.stdout.split(), ["[(2,)]", "[(1,)]", "[(1,)]"])
        self.assertIsNone(self.one(old, "SELECT last_error FROM ts_status('cpu')"))
        self.assertEqual(old.execute("SELECT * FROM cpu").fetchall(), [(1, "a", 0.5), (2, "b", 1.0)])  # a file of the newer schema
        self.assertEqual(self.one(old, "SELECT last_error FROM ts_status('cpu')"), told % '"note" TEXT')
        old.execute("INSERT INTO cpu VALUES(3, 'c', 0.5)")
        self.assertEqual(self.one(old, "SELECT ts_flush('cpu')"), 1)
        self.assertEqual(self.one(old, "SELECT last_error FROM ts_status('cpu')"), told % '"note" TEXT')
        notes = self.open(spool="far").execute("SELECT ts, note FROM cpu ORDER BY ts").fetchall()
        self.assertEqual(notes, [(1, None), (2, "x"), (3, None)])

    def test_the_store_is_away(self):
        """Without columns a table is connected as the spool remembers it; what is refused for lack of knowledge is said."""
        db = self.open(FIRST)
        db.execute("INSERT INTO cpu VALUES(1, 'a', 0.5)")
        db.execute("SELECT ts_flush('cpu')").fetchone()
        db.execute("SELECT ts_add_column('cpu', 'note TEXT')").fetchone()
        os.rename(self.path("archive"), self.path("away"))
        try:
            self.assertEqual(self.columns(self.open()), ["ts", "host", "usage", "note"])
            wide = self.open(FIRST + ", note TEXT")
            wide.execute("INSERT INTO cpu VALUES(2, 'b', 1, 'x')")
        finally:
            os.rename(self.path("away"), self.path("archive"))
        self.assertEqual(self.one(wide, "SELECT ts_flush('cpu')"), 1)
        self.assertEqual(wide.execute("SELECT * FROM cpu ORDER BY ts").fetchall(), [(1, "a", 0.5, None), (2, "b", 1.0, "x")])

    def test_a_spool_of_before(self):
        """A spool that an earlier version left, with rows in it, is taken over."""
        db = self.open(FIRST)
        db.execute("INSERT INTO cpu VALUES(1, 'a', 0.5)")
        db.execute("SELECT ts_flush('cpu')").fetchone()
        db.execute("INSERT INTO cpu VALUES(2, 'b', 0.5)")
        db.close()
        spool = support.sqlite3.connect(self.path("spool", "spool.db"))
        spool.executescript("DROP TABLE declared; DROP TABLE archive; ALTER TABLE sealed DROP COLUMN declared")
        spool.close()
        db = self.open()
        self.assertEqual(self.one(db, "SELECT ts_add_column('cpu', 'note TEXT')"), 2)
        db.execute("INSERT INTO cpu VALUES(3, 'c', 0.5, 'x')")
        self.assertEqual(self.one(db, "SELECT ts_flush('cpu')"), 2)
        self.assertEqual(db.execute("SELECT * FROM cpu ORDER BY ts").fetchall(),
                         [(1, "a", 0.5, None), (2, "b", 0.5, None), (3, "c", 0.5, "x")])


class Changes(Case):
    def test_what_is_refused(self):
        db = self.open(FIRST + ", n INTEGER NOT NULL")
        add = "SELECT ts_add_column('cpu', '%s')"
        cpu = "ts_add_column: cpu: "
        rename = "SELECT ts_rename_column('cpu', '%s', '%s')"
        drop = "SELECT ts_drop_column('cpu', '%s')"
        for sql, text in (
                (add % "more REAL NOT NULL",
                 'ts_add_column: cpu: column "more" is NOT NULL and has no DEFAULT: writers that do not know it yet could insert nothing; '
                 "add a DEFAULT, or leave NOT NULL out"),
                (add % "usage TEXT",
                 'ts_add_column: cpu: the archive has a column "usage" REAL already: column "usage" is TEXT here and REAL in the archive; '
                 "a column's declaration never changes"),
                (add % "usage REAL DEFAULT 1",
                 'ts_add_column: cpu: the archive has a column "usage" REAL already: their DEFAULTs differ; '
                 "a column's declaration never changes"),
                (add % "host TEXT",
                 'ts_add_column: cpu: the archive has a column "host" TEXT TAG already: column "host" is a TAG in the archive and not '
                 "here; a column's declaration never changes"),
                (add % "at TIMESTAMP",
                 'timeseries: column "at": a timeseries has exactly one TIMESTAMP already; declare the other INTEGER'),
                (add % "a TEXT, b TEXT", 'timeseries: column "a": "TEXT, b TEXT" is no type; write words, as in VARCHAR(20)'),
                (add % "a TEXT UNIQUE",
                 'timeseries: column "a": UNIQUE is not supported: duplicate rows are rows in a timeseries; leave it out and mark what '
                 "identifies a series with TAG"),
                (add % "_file TEXT",
                 'timeseries: column "_file": the name is taken: the hidden column _file names the shard a row came from; choose another '
                 "name"),
                (add % "", "timeseries: there is no column; write one as: host TEXT TAG"),
                ("SELECT ts_add_column('cpu', NULL)", "ts_add_column: give text, as in ts_add_column('cpu', 'note TEXT')"),
                (rename % ("usage", "HOST"), 'ts_rename_column: cpu: there is a column "HOST" already; choose another name'),
                (rename % ("nix", "x"), 'ts_rename_column: cpu: there is no column "nix" in the archive\'s schema'),
                (rename % ("ts", "at"), 'ts_rename_column: cpu: column "ts" is the time, whose name is the same in every file'),
                (rename % ("usage", "rowid"),
                 'ts_rename_column: cpu: the name "rowid" is taken: it is SQLite\'s name for a row\'s number; choose another name'),
                (drop % "ts", 'ts_drop_column: cpu: column "ts" is the time, without which there is no timeseries'),
                (drop % "host",
                 'ts_drop_column: cpu: column "host" is a TAG: without it rows of different series would look like rows of one; leave it '
                 "out of queries, or rename it"),
                (drop % "nix", 'ts_drop_column: cpu: there is no column "nix" in the archive\'s schema')):
            with self.subTest(sql=sql):
                self.assertFails(db, sql, text)
        db.execute("BEGIN")
        self.assertFails(db, add % "a TEXT", "ts_add_column: a transaction is open; commit first")
        db.execute("ROLLBACK")
        db.execute("CREATE VIEW v AS SELECT ts_add_column('cpu', 'a TEXT')")
        self.assertFails(db, "SELECT * FROM v", "unsafe use of ts_add_column()")
        self.assertEqual(self.numbers(), [1])
        self.assertEqual(self.one(db, add % "USAGE real"), 1)  # it is there
        self.assertEqual(self.one(db, add % "a INTEGER NOT NULL DEFAULT 7"), 2)
        db.execute("DROP TABLE cpu")
        self.create(db)
        self.assertFails(db, "INSERT INTO cpu VALUES(1, 'a', 1, 1, NULL)", "NOT NULL constraint failed: cpu.a")

    def test_renamed(self):
        """A column has its values under every name that it had, in files and for tables that declare another of its names."""
        old = self.open(FIRST + ", note TEXT")
        batch = rows(0, 1500, "x")
        old.execute("BEGIN")
        old.executemany("INSERT INTO cpu VALUES(?,?,?,?)", batch)
        old.execute("COMMIT")
        support.flush(old, "cpu")
        new = self.open(spool="far")
        for number, (a, b) in enumerate((("usage", "load"), ("host", "machine"), ("load", "power"), ("note", "remark")), 2):
            self.assertEqual(self.one(new, "SELECT ts_rename_column('cpu', ?, ?)", a, b), number)
            self.assertEqual(self.one(new, "SELECT ts_rename_column('cpu', ?, ?)", a, b), number)
        self.assertEqual(self.columns(new), ["ts", "machine", "power", "remark"])
        self.assertEqual(self.schema(5)["columns"][2], {"name": "power", "type": "REAL", "also": ["usage", "load"]})
        self.assertFails(new, "SELECT ts_add_column('cpu', 'load REAL')", 'ts_add_column: cpu: "load" is a former name of column '
                                                            '"power", and '
                         "files hold its values by that name; choose another name")
        self.assertFails(new, "SELECT ts_drop_column('cpu', 'load')", 'ts_drop_column: cpu: column "load" is called "power" now')
        more = rows(5000, 1500, "y")
        new.execute("BEGIN")
        new.executemany("INSERT INTO cpu VALUES(?,?,?,?)", more)
        new.execute("COMMIT")
        support.flush(new, "cpu")
        old.execute("INSERT INTO cpu VALUES(1, 'old', 9, 'still')")
        support.flush(old, "cpu")
        both = self.open("ts TIMESTAMP, host TEXT TAG, load REAL, remark TEXT", spool="both")
        expected = sorted(batch + more + [(1, "old", 9.0, "still")])
        for db in (old, new, both):
            self.assertEqual(sorted(db.execute("SELECT * FROM cpu").fetchall()), expected)
        self.assertEqual(self.one(new, "SELECT count(*) FROM cpu WHERE power >= 10 AND machine = 'h0'"),
                         sum(row[2] >= 10 and row[1] == "h0" for row in expected))
        self.assertEqual(new.execute("SELECT machine, ts FROM cpu ORDER BY machine, ts").fetchall(), sorted((r[1], r[0]) for r in expected))
        new.execute("CREATE VIRTUAL TABLE r USING timeseries_rollup(cpu, '1 day', by='')")
        self.assertEqual(self.one(new, "SELECT sum(power_sum) FROM r"), sum(row[2] for row in expected))
        self.assertEqual(self.one(new, "SELECT ts_rename_column('cpu', 'power', 'usage')"), 6)
        self.assertEqual(self.schema(6)["columns"][2], {"name": "usage", "type": "REAL", "also": ["load", "power"]})
        self.assertEqual(sorted(new.execute("SELECT ts, machine, usage, remark FROM cpu").fetchall()), expected)
        fresh = self.connect(isolation_level=None)
        self.create(fresh, FIRST + ", load REAL", spool="fresh")
        self.assertFails(fresh, "SELECT * FROM cpu",
                         "archive: the declaration of cpu contradicts the archive at %s/cpu: columns \"usage\" and \"load\" are one column "
                         "in the archive, which was renamed; declare it as the archive does, or choose another table= or location="
                         % self.location)

    def test_renamed_while_rows_of_both_names_wait_in_the_spool(self):
        old = self.open(FIRST)
        old.execute("INSERT INTO cpu VALUES(1, 'a', 0.5)")
        new = self.open()
        new.execute("SELECT ts_rename_column('cpu', 'usage', 'load')").fetchone()
        new.execute("INSERT INTO cpu VALUES(2, 'b', 1.5)")
        old.execute("INSERT INTO cpu VALUES(3, 'c', NULL)")
        expected = [(1, "a", 0.5), (2, "b", 1.5), (3, "c", None)]
        for _ in range(2):
            self.assertEqual(old.execute("SELECT ts, host, usage FROM cpu ORDER BY ts").fetchall(), expected)
            self.assertEqual(new.execute("SELECT ts, host, load FROM cpu ORDER BY ts").fetchall(), expected)
            self.assertEqual(new.execute("SELECT ts FROM cpu WHERE load = 0.5 OR load = '1.5'").fetchall(), [(1,), (2,)])
            support.flush(new, "cpu")

    def test_dropped(self):
        """A dropped column is gone for who has the newest schema; its name never comes back as another column."""
        old = self.open(FIRST + ", note TEXT")
        old.execute("INSERT INTO cpu VALUES(1, 'a', 0.5, 'secret')")
        support.flush(old, "cpu")
        new = self.open(spool="far")
        self.assertEqual(self.one(new, "SELECT ts_drop_column('cpu', 'note')"), 2)
        self.assertEqual(self.one(new, "SELECT ts_drop_column('cpu', 'note')"), 2)
        self.assertEqual(self.schema(2)["dropped"], [{"name": "note", "type": "TEXT"}])
        taken = 'column "note" was dropped, and files hold its values by that name; choose another name'
        self.assertFails(new, "SELECT ts_add_column('cpu', 'note TEXT')", "ts_add_column: cpu: " + taken)
        self.assertEqual(self.one(new, "SELECT ts_add_column('cpu', 'remark TEXT')"), 3)
        self.assertFails(new, "SELECT ts_rename_column('cpu', 'remark', 'note')", "ts_rename_column: cpu: " + taken)
        new.execute("INSERT INTO cpu VALUES(2, 'b', 1, 'new')")
        support.flush(new, "cpu")
        self.assertEqual(new.execute("SELECT * FROM cpu ORDER BY ts").fetchall(), [(1, "a", 0.5, None), (2, "b", 1.0, "new")])
        self.assertEqual(self.one(new, "SELECT count(*) FROM ts_verify('cpu') WHERE state <> 'ok'"), 0)
        old.execute("INSERT INTO cpu VALUES(3, 'c', 1, 'more')")
        support.flush(old, "cpu")
        kept = [(1, "a", 0.5, "secret"), (2, "b", 1.0, None), (3, "c", 1.0, "more")]
        self.assertEqual(old.execute("SELECT * FROM cpu ORDER BY ts").fetchall(), kept)
        self.assertEqual(new.execute("SELECT ts, remark FROM cpu ORDER BY ts").fetchall(), [(1, None), (2, "new"), (3, None)])

    def test_of_many_that_add_at_once_each_wins_a_number(self):
        """Each column is added once, by one number of its own, whoever adds it how often."""
        db = self.open(FIRST)
        db.execute("INSERT INTO cpu VALUES(1, 'a', 0.5)")
        support.flush(db, "cpu")
        start, count = threading.Barrier(6), 5

        def add(worker):
            own = support.connect(so=support.WITH_FAILPOINTS, isolation_level=None, check_same_thread=False)
            self.create(own, spool="spool%d" % worker)
            start.wait(60)
            found = []
            for i in range(count):
                for name in ("own%d_%d" % (worker, i), "shared%d" % i):
                    found.append((name, self.one(own, "SELECT ts_add_column('cpu', ?)", name + " TEXT")))
            own.close()
            return found

        with ThreadPoolExecutor(6) as pool:
            found = [pair for each in pool.map(add, range(6)) for pair in each]
        names = {name for name, _ in found}
        self.assertEqual(self.numbers(), list(range(1, len(names) + 2)))
        added = {c["name"]: c["added"] for c in self.schema(len(names) + 1)["columns"] if "added" in c}
        self.assertEqual(sorted(added.values()), list(range(2, len(names) + 2)))
        self.assertEqual(set(added), names)
        for name, number in found:
            self.assertGreaterEqual(number, added[name])
        self.assertEqual(self.columns(self.open(spool="after")), ["ts", "host", "usage"] + sorted(added, key=added.get))

    def test_killed_at_each_step(self):
        """A process that dies before the PUT has changed nothing; after it the column is there, and adding it again is no error."""
        db = self.open(FIRST)
        db.execute("INSERT INTO cpu VALUES(1, 'a', 0.5)")
        support.flush(db, "cpu")
        add = "SELECT ts_add_column('cpu', 'note TEXT')"
        for failpoint, numbers in (("schema.before_put", [1]), ("schema.put", [1, 2])):
            with self.subTest(failpoint=failpoint):
                done = support.python(CHILD, self.options(), add, so=support.WITH_FAILPOINTS, check=False,
                                      env=support.environment(TIMESERIES_FAILPOINT=failpoint + "=kill"))
                self.assertKilled(done)
                self.assertEqual(self.numbers(), numbers)
                self.assertEqual(db.execute("SELECT * FROM cpu").fetchall(), [(1, "a", 0.5)])
        self.assertEqual(self.one(db, add), 2)
        self.assertEqual(self.one(self.open(), add), 2)
        self.assertEqual(self.numbers(), [1, 2])

    def test_on_s3(self):
        """The same on a real server, from two processes, each with a spool and a declaration of its own."""
        self.location = self.s3_location()
        old = self.open(FIRST, flush_timeout="15s")
        old.execute("INSERT INTO cpu VALUES(1, 'a', 0.5)")
        old.execute("SELECT ts_flush('cpu')").fetchone()
        far = self.options(spool="far", flush_timeout="15s")
        done = support.python(CHILD, far, "SELECT ts_add_column('cpu', 'note TEXT')", "SELECT ts_add_column('cpu', 'rack TEXT TAG')",
                              "SELECT ts_rename_column('cpu', 'usage', 'load')", "SELECT ts_insert('cpu', 2, 'b', 1, 'x', 'r')",
                              "SELECT ts_flush('cpu')")
        self.assertEqual(done.stdout.split(), ["[(2,)]", "[(3,)]", "[(4,)]", "[(1,)]", "[(1,)]"])
        self.assertEqual(old.execute("SELECT * FROM cpu ORDER BY ts").fetchall(), [(1, "a", 0.5), (2, "b", 1.0)])
        self.assertEqual(self.open(spool="new", flush_timeout="15s").execute("SELECT * FROM cpu ORDER BY ts").fetchall(),
                         [(1, "a", 0.5, None, None), (2, "b", 1.0, "x", "r")])


class Stored(Case):
    def test_an_archive_that_was_changed_stays_readable(self):
        """tests/data/evolution holds what docs/FORMAT.md says of columns that change, as it was first written: it is read so for ever."""
        shutil.copytree(os.path.join(support.ROOT, "tests/data/evolution"), self.path("archive"), dirs_exist_ok=True)
        newest = self.open()
        self.assertEqual(self.columns(newest), ["ts", "host", "load", "rack"])
        self.assertEqual(newest.execute("SELECT * FROM cpu WHERE ts >= ? ORDER BY ts, host", (START + DAY,)).fetchall(),
                         [(START + DAY, "a", 1.5, None), (START + DAY, "b", 2.5, "r1")])
        self.assertEqual(newest.execute("SELECT rack, count(*), sum(load), count(load) FROM cpu GROUP BY rack ORDER BY rack").fetchall(),
                         [(None, 1501, 562126.5, 1501), ("r1", 1501, 2.5, 1)])
        self.assertEqual(self.one(newest, "SELECT count(*) FROM ts_verify('cpu') WHERE state <> 'ok'"), 0)
        first = self.open(FIRST + ", note TEXT", spool="first")
        self.assertEqual(first.execute("SELECT note, count(*), sum(usage) FROM cpu GROUP BY note ORDER BY note").fetchall(),
                         [(None, 1502, 2.5 + 1.5), ("x", 1500, 562125.0)])
        self.assertEqual([self.schema(n)["format"] for n in self.numbers()], [1, 2, 2, 2])


class Beside(Case):
    def test_writers_of_two_declarations_in_two_processes(self):
        """Writers that were there before go on beside a change, in their own process on the same spool: each row once, whole."""
        code = """
db = support.connect(":memory:", isolation_level=None)
db.execute("CREATE VIRTUAL TABLE cpu USING timeseries(%s)" % sys.argv[1])
print("ready", flush=True)
for n in range(int(sys.argv[2])):
    db.execute("SELECT ts_insert('cpu', ?, 'old', ?)", (n, n)).fetchone()
    if n % 50 == 49:
        db.execute("SELECT ts_flush('cpu')").fetchone()
print(db.execute("SELECT count(*), count(DISTINCT ts) FROM cpu WHERE host = 'old'").fetchone())
"""
        count = 200
        first = self.open(FIRST)
        first.execute("INSERT INTO cpu VALUES(0, 'first', 0)")
        support.flush(first, "cpu")
        options = self.options(FIRST, flush_timeout="15s")
        with ThreadPoolExecutor(1) as pool:
            child = pool.submit(support.python, code, options, count)
            new = self.open(flush_timeout="15s")
            for n in range(10):
                new.execute("SELECT ts_add_column('cpu', ?)", ("c%d INTEGER" % n,)).fetchone()
                width = len(self.columns(new))
                for _ in range(5):
                    new.execute("SELECT ts_insert('cpu', ?, 'new', ?%s)" % (", 1" * (width - 3)), (n, n)).fetchone()
                self.assertEqual(self.one(new, "SELECT count(*) FROM cpu WHERE host = 'new'"), 5 * (n + 1))
                if n % 3 == 2:
                    new.execute("SELECT ts_flush('cpu')").fetchone()
            self.assertEqual(child.result().stdout.split("\n")[1], "(%d, %d)" % (count, count))
        self.assertEqual(self.one(new, "SELECT count(*) FROM cpu"), count + 51)
        self.assertEqual(self.one(new, "SELECT sum(c0 IS NOT NULL) FROM cpu WHERE host = 'new'"), 50)
        self.assertEqual(self.one(new, "SELECT sum(c9 IS NOT NULL) FROM cpu"), 5)
        new.execute("SELECT ts_flush('cpu')").fetchone()
        alone = self.open(spool="alone")
        self.assertEqual(alone.execute("SELECT host, count(*), count(c9) FROM cpu GROUP BY host ORDER BY host").fetchall(),
                         [("first", 1, 0), ("new", 50, 5), ("old", count, 0)])

    def test_half_a_statement_goes_on(self):
        """A statement that is half read when the schema changes under it ends as it began."""
        db = self.open(FIRST)
        db.execute("BEGIN")
        db.executemany("INSERT INTO cpu VALUES(?,?,?)", rows(0, 3000))
        db.execute("COMMIT")
        support.flush(db, "cpu")
        newest = self.open()
        reading = newest.execute("SELECT * FROM cpu ORDER BY ts")
        head = [reading.fetchone() for _ in range(10)]
        self.assertEqual(self.one(newest, "SELECT ts_add_column('cpu', 'note TEXT')"), 2)
        found = head + reading.fetchall()
        self.assertEqual(len(found), 6000)
        self.assertEqual({len(row) for row in found}, {3})
        self.assertEqual({len(row) for row in newest.execute("SELECT * FROM cpu LIMIT 5")}, {4})


if __name__ == "__main__":
    unittest.main()
