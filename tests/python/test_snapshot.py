# What one statement sees: one listing and one moment for all of its scans, its own connection's rows, never its own inserts,
# and every row once while rows move from open to sealed to stored.
import os
import sqlite3
import subprocess
import sys
import threading
import unittest

from . import support

DAY = 86_400_000
T0 = 1_795_392_000_000  # 2026-11-23
SECONDS = 3 * support.PATIENCE  # of each race


class SnapshotCase(support.TimeseriesCase):
    def create(self, db, location, name="cpu", options="flush_on_close='never'", columns="ts TIMESTAMP, host TEXT TAG, n INTEGER"):
        db.execute("CREATE VIRTUAL TABLE %s USING timeseries(%s, location='%s', %s)" % (name, columns, location, options))

    def open(self, location, path=":memory:", so=None, **more):
        db = self.connect(path, so=so, isolation_level=None, **more)
        self.create(db, location)
        return db

    def insert(self, db, first, last, step=DAY // 4):
        db.execute("BEGIN")
        db.executemany("INSERT INTO cpu VALUES(?,?,?)", [(T0 + n * step, "web%d" % (n % 3), n) for n in range(first, last)])
        db.execute("COMMIT")

    def requests(self, db):
        return db.execute("SELECT requests FROM ts_last_query()").fetchone()[0]

    def one(self, db, sql, *arguments):
        return db.execute(sql, arguments).fetchone()[0]


class OneListing(SnapshotCase):
    FORMS = {
        "one scan": "SELECT count(*) FROM cpu",
        "or": "SELECT count(*) FROM cpu WHERE ts < {a} OR ts > {b} OR n = 7",
        "or of times": "SELECT count(*) FROM cpu WHERE ts = {b} OR ts BETWEEN {a} AND {a} + 10 OR ts IN ({a}, {b})",
        "in": "SELECT count(*) FROM cpu WHERE ts IN ({b}, {a})",
        "join": "SELECT count(*) FROM k JOIN cpu ON cpu.ts = k.at",
        "left join": "SELECT count(*) FROM k LEFT JOIN cpu ON cpu.ts BETWEEN k.at AND k.at + 1000",
        "self-join": "SELECT count(*) FROM cpu a JOIN cpu b ON a.ts = b.ts AND b.n < 5",
        "correlated": "SELECT k.at, (SELECT count(*) FROM cpu WHERE ts <= k.at) FROM k ORDER BY k.at DESC",
        "correlated, backwards": "SELECT k.at, (SELECT max(n) FROM cpu WHERE ts BETWEEN k.at - 1000 AND k.at) FROM k ORDER BY k.at DESC",
        "exists": "SELECT count(*) FROM k WHERE EXISTS (SELECT 1 FROM cpu WHERE ts = k.at)",
        "union all": "SELECT count(*) FROM (SELECT n FROM cpu WHERE ts > {b} UNION ALL SELECT n FROM cpu WHERE ts < {a} UNION ALL "
                     "SELECT n FROM cpu)",
        "recursive": "WITH RECURSIVE c(i, at) AS (SELECT 0, max(ts) FROM cpu UNION ALL "
                     "SELECT i + 1, (SELECT max(ts) FROM cpu WHERE ts < c.at) FROM c WHERE i < 9) SELECT count(*), count(DISTINCT at) "
                     "FROM c",
        "recursive join": "WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT cpu.n FROM c JOIN cpu ON cpu.n = c.i + 1 AND cpu.ts >= "
                          "{a}) SELECT count(*) FROM c",
        "scalar and in": "SELECT (SELECT min(ts) FROM cpu), (SELECT max(ts) FROM cpu), 5 IN (SELECT n FROM cpu WHERE ts < {a})",
        "view": "SELECT count(*) FROM back_and_forth",
    }

    def setUp(self):
        super().setUp()
        location = self.s3_location()
        self.db = self.open(location)
        self.other = self.open(location)
        self.insert(self.db, 0, 20)
        self.db.execute("SELECT ts_flush('cpu')").fetchone()
        self.insert(self.db, 20, 30)
        self.insert(self.other, 30, 40)
        self.db.execute("CREATE TABLE k(at INTEGER)")
        self.db.executemany("INSERT INTO k VALUES(?)", [(T0 + n * DAY,) for n in (4, 0, 2, 1, 3)])
        self.db.execute("CREATE TEMP VIEW back_and_forth AS SELECT k.at, (SELECT max(n) FROM cpu WHERE ts BETWEEN k.at - 1000 AND k.at) "
                        "FROM k ORDER BY k.at DESC")

    def assertOneListing(self, told):
        for name, form in self.FORMS.items():
            sql = form.format(a=T0 + DAY, b=T0 + 4 * DAY)
            with self.subTest(form=name, beside=told):
                first = self.db.execute(sql).fetchall()
                # Now every file is open: what goes out is the listing.
                self.assertEqual(self.db.execute(sql).fetchall(), first)
                self.assertEqual(self.requests(self.db), 1)

    def test_each_form_lists_once(self):
        """However often a statement scans the table, it lists the store once."""
        self.assertOneListing("nothing")

    def test_each_form_lists_once_beside_half_stepped_statements(self):
        """Half-stepped statements, of this table or another, neither share a listing with another statement nor cost it one."""
        mine = self.db.execute("SELECT n FROM cpu ORDER BY ts")
        self.assertEqual(mine.fetchone(), (0,))
        ordinary = self.db.execute("SELECT at FROM k")
        ordinary.fetchone()
        self.assertOneListing("two half-stepped ones")
        self.assertEqual(len(mine.fetchall()), 39)

    def test_a_trigger_program_lists_once(self):
        """A trigger that reads the table for each of a statement's rows lists once for all of them."""
        self.db.execute("CREATE TABLE log(seen)")
        self.db.execute("CREATE TEMP TRIGGER looks AFTER INSERT ON main.k BEGIN INSERT INTO log SELECT count(*) FROM cpu WHERE ts >= "
                        "new.at; "
                        "INSERT INTO log SELECT max(n) FROM cpu; END")
        for half in (None, "SELECT at FROM k"):
            statement = self.db.execute(half) if half else None
            statement and statement.fetchone()
            for _ in range(2):
                self.db.execute("INSERT INTO k VALUES(?),(?),(?)", (T0 + 5 * DAY, T0, T0 + DAY))
            self.assertEqual(self.requests(self.db), 1)

    def test_a_large_archive_is_listed_page_by_page(self):
        """Where a page is not all, a statement lists what its ranges need: far fewer pages than it has ranges, and all of them right."""
        self.setenv("TIMESERIES_LIST_PAGE", "4")
        db = self.open(self.s3_location(), so=support.WITH_FAILPOINTS)
        self.insert(db, 0, 60, step=DAY)
        self.assertEqual(self.one(db, "SELECT ts_flush('cpu')"), 60)
        db.execute("CREATE TABLE k(at INTEGER)")
        sql = "SELECT k.at, (SELECT max(n) FROM cpu WHERE ts BETWEEN k.at AND k.at + 1000) FROM k ORDER BY k.at %s"
        db.executemany("INSERT INTO k VALUES(?)", [(T0 + n * DAY,) for n in range(60)])
        for order, days in (("DESC", range(59, -1, -1)), ("ASC", range(60))):
            for _ in range(3):
                self.assertEqual(db.execute(sql % order).fetchall(), [(T0 + n * DAY, n) for n in days])
            # 15 pages hold everything; files beyond the few that stay open cost one request each.
            self.assertLessEqual(self.requests(db), 60 + 2 * 15)
        self.assertEqual(db.execute("SELECT n FROM cpu WHERE ts >= ? AND ts < ?", (T0 + 50 * DAY, T0 + 51 * DAY)).fetchall(), [(50,)])
        self.assertLessEqual(self.requests(db), 2)

    def test_a_statement_that_is_compiled_again_lists_once(self):
        """After a change of schema the same statement still lists once, also beside a half-stepped one."""
        sql = "SELECT k.at, (SELECT count(*) FROM cpu WHERE ts <= k.at) FROM k ORDER BY k.at DESC"
        self.db.execute(sql).fetchall()
        half = self.db.execute("SELECT at FROM k")
        half.fetchone()
        for i in range(3):
            self.db.execute("CREATE TABLE another%d(x)" % i)
            self.db.execute(sql).fetchall()
            self.assertEqual(self.requests(self.db), 1)


class OneMoment(SnapshotCase):
    def setUp(self):
        super().setUp()
        location = self.file_location()
        self.db = self.open(location)
        self.other = self.open(location)
        self.insert(self.other, 0, 20)
        self.other.execute("SELECT ts_flush('cpu')").fetchone()
        self.insert(self.other, 20, 40)
        self.insert(self.db, 40, 50)

    def test_a_half_stepped_statement_keeps_its_snapshot(self):
        """Rows that are inserted, sealed and stored while a statement is half done change nothing of its answer."""
        for sql in ("SELECT n FROM cpu", "SELECT n FROM cpu ORDER BY ts", "SELECT n FROM cpu ORDER BY ts DESC",
                    "SELECT n FROM cpu WHERE n % 2 OR ts >= 0 OR n = 3"):
            with self.subTest(sql=sql):
                before = self.db.execute(sql).fetchall()
                statement = self.db.execute(sql)
                rows = [statement.fetchone()]
                top = self.one(self.db, "SELECT max(n) FROM cpu")
                self.insert(self.other, top + 1, top + 10)
                rows.append(statement.fetchone())
                self.other.execute("SELECT ts_flush('cpu')").fetchone()
                rows.append(statement.fetchone())
                self.insert(self.db, top + 10, top + 20)
                self.other.execute("SELECT ts_flush('cpu')").fetchone()
                self.assertEqual(rows + statement.fetchall(), before)
                self.assertEqual(self.one(self.db, "SELECT count(*) FROM cpu"), top + 20)

    def test_every_scan_of_a_half_stepped_statement_sees_the_same(self):
        """A subquery that is run again for each outer row answers from the statement's first moment, not from its own."""
        self.db.execute("CREATE TABLE k(i)")
        self.db.executemany("INSERT INTO k VALUES(?)", [(i,) for i in range(6)])
        for inner in ("SELECT count(*) + 0 * k.i FROM cpu", "SELECT count(*) FROM cpu WHERE n + 0 * k.i >= 0 OR n = k.i OR ts = k.i"):
            statement = self.db.execute("SELECT (%s) FROM k" % inner)
            seen = set()
            for i, (count,) in enumerate(statement):
                seen.add(count)
                top = self.one(self.db, "SELECT max(n) FROM cpu")
                self.insert(self.other, top + 1, top + 4)
                if i % 2:
                    self.other.execute("SELECT ts_flush('cpu')").fetchone()
            self.assertEqual(len(seen), 1)

    def test_the_same_sql_sees_what_is_new(self):
        """A statement that is run again takes a new snapshot, also beside half-stepped ones and when it is compiled again."""
        half = self.db.execute("SELECT 1 UNION ALL SELECT 2")
        half.fetchone()
        half_of_ours = self.db.execute("SELECT n FROM cpu")
        half_of_ours.fetchone()
        for i in range(12):
            self.assertEqual(self.one(self.db, "SELECT count(*) FROM cpu"), 50 + i)
            if i % 3 == 1:
                self.db.execute("CREATE TABLE again%d(x)" % i)
            self.insert(self.other, 50 + i, 51 + i)
            if i % 4 == 3:
                self.other.execute("SELECT ts_flush('cpu')").fetchone()
        self.assertEqual(len(half_of_ours.fetchall()), 49)

    def test_a_trigger_sees_what_is_new(self):
        """A statement whose trigger reads the table takes a new snapshot at each run, also beside a half-stepped one."""
        self.db.execute("CREATE TABLE k(i)")
        self.db.execute("CREATE TABLE log(seen)")
        self.db.execute("CREATE TEMP TRIGGER looks AFTER INSERT ON main.k BEGIN INSERT INTO log SELECT count(*) FROM cpu; END")
        half = self.db.execute("SELECT 1 UNION ALL SELECT 2")
        half.fetchone()
        for i in range(4):
            self.db.execute("INSERT INTO k VALUES(1),(2)")
            self.insert(self.other, 50 + i, 51 + i)
        self.assertEqual(self.db.execute("SELECT seen FROM log ORDER BY rowid").fetchall(), [(50 + i // 2,) for i in range(8)])

    def test_a_statement_inside_another(self):
        """A function of a running statement that queries the table takes a snapshot of its own and leaves the outer one alone."""
        def count(_):
            top = self.one(self.other, "SELECT max(n) FROM cpu")
            self.insert(self.other, top + 1, top + 2)
            return self.db.execute("SELECT count(*) FROM cpu").fetchone()[0]

        self.db.create_function("counted", 1, count)
        rows = self.db.execute("SELECT n, counted(n), (SELECT count(*) FROM cpu WHERE n + 0 * c.n >= 0) FROM cpu c WHERE n < 5").fetchall()
        self.assertEqual([inner for _, inner, _ in rows], [51, 52, 53, 54, 55])
        self.assertEqual({outer for _, _, outer in rows}, {50})

    def test_statements_at_the_same_address(self):
        """A new statement where a finished one lay in memory takes a snapshot of its own."""
        db = self.open(self.file_location(), cached_statements=0)
        for i in range(60):
            self.assertEqual(db.execute("SELECT count(*) FROM cpu" + " " * (i % 3)).fetchall(), [(50 + i,)])
            self.insert(self.other, 50 + i, 51 + i)

    def test_an_ended_statement_lets_go(self):
        """A connection holds a shard that was stored and removed for no longer than the statement that reads it."""
        reader = self.open(self.file_location())
        half = reader.execute("SELECT n FROM cpu")
        half.fetchone()
        self.other.execute("SELECT ts_flush('cpu')").fetchone()
        # The writers leave their old shards at their next insert.
        self.insert(self.other, 50, 51)
        self.insert(self.db, 51, 52)
        self.assertNotEqual(self.deleted_open_shards(), [])
        self.assertEqual(len(half.fetchall()), 49)
        self.assertEqual(self.one(reader, "SELECT count(*) FROM cpu WHERE n >= 0 OR ts < 5"), 52)
        self.assertEqual(self.deleted_open_shards(), [])

    def deleted_open_shards(self):
        links = []
        for fd in os.listdir("/proc/self/fd"):
            try:
                links.append(os.readlink("/proc/self/fd/" + fd))
            except OSError:
                pass  # the directory's own
        return [link for link in links if "/open/" in link and link.endswith("(deleted)")]


class OwnRows(SnapshotCase):
    def setUp(self):
        super().setUp()
        self.db = self.open(self.file_location())

    def count(self):
        return self.db.execute("SELECT count(*), count(DISTINCT n), max(n) FROM cpu").fetchone()

    def test_uncommitted_rows_are_seen_by_their_own_connection_only(self):
        """A connection sees its uncommitted rows, no other does, and a rollback takes them from everybody's sight."""
        other = self.open(self.file_location())
        self.insert(self.db, 0, 5)
        self.db.execute("BEGIN")
        self.db.execute("INSERT INTO cpu VALUES(?, 'x', 5)", (T0,))
        self.db.execute("SELECT ts_insert('cpu', ?, 'x', 6)", (T0,)).fetchone()
        self.assertEqual(self.count(), (7, 7, 6))
        self.assertEqual(self.one(other, "SELECT count(*) FROM cpu"), 5)
        self.db.execute("ROLLBACK")
        self.assertEqual(self.count(), (5, 5, 4))
        self.assertEqual(self.one(other, "SELECT count(*) FROM cpu"), 5)

    def test_savepoints(self):
        """Rows of a savepoint that was rolled back are gone, those before and after it are there, read in between or not."""
        for reads in (False, True):
            with self.subTest(reads=reads):
                self.db.execute("BEGIN")
                for n, sql in enumerate(["SAVEPOINT a", "SAVEPOINT b", "ROLLBACK TO b", "RELEASE b", "ROLLBACK TO a", "SAVEPOINT c",
                                         "RELEASE c"]):
                    self.db.execute("INSERT INTO cpu VALUES(?, 'x', ?)", (T0, n))
                    if reads:
                        self.count()
                    self.db.execute(sql)
                # 0 | a: 1 | b: 2, 3 ... each ROLLBACK TO takes what came after its savepoint
                self.assertEqual([n for (n,) in self.db.execute("SELECT n FROM cpu ORDER BY n")], [0, 5, 6])
                self.db.execute("ROLLBACK")
                self.assertEqual(self.one(self.db, "SELECT count(*) FROM cpu"), 0)

    def test_a_rollback_ends_a_statement_that_reads_the_rows(self):
        """A half-stepped statement whose uncommitted rows are rolled back fails with a sentence rather than going on without them."""
        self.db.execute("BEGIN")
        self.db.execute("SAVEPOINT s")
        self.db.executemany("INSERT INTO cpu VALUES(?, 'x', ?)", [(T0, n) for n in range(10)])
        half = self.db.execute("SELECT n FROM cpu")
        half.fetchone()
        half.fetchone()
        self.db.execute("ROLLBACK TO s")
        with self.assertRaises(sqlite3.Error) as caught:
            half.fetchall()
        told = "timeseries: the transaction whose rows this statement reads was rolled back; run the statement again"
        self.assertIn(str(caught.exception), (told,
                                              "abort due to ROLLBACK"))
        self.db.execute("ROLLBACK")

    def test_a_statement_never_sees_its_own_inserts(self):
        """INSERT ... SELECT from the same table takes each row there was before it once."""
        self.insert(self.db, 0, 10)
        self.db.execute("SELECT ts_flush('cpu')").fetchone()
        self.insert(self.db, 10, 20)
        doubles = "INSERT INTO cpu SELECT ts, host, n + 1000 FROM cpu"
        self.db.execute(doubles)
        self.assertEqual(self.count(), (40, 40, 1019))
        self.db.execute("BEGIN")
        self.db.execute("INSERT INTO cpu SELECT ts, host, n + 5000 FROM cpu WHERE n < 5 OR ts < %d OR host = 'web1' ORDER BY ts"
                        % (T0 + DAY))
        before = self.count()[0]
        self.assertEqual(before, 40 + self.one(self.db, "SELECT count(*) FROM cpu WHERE n < 5000 AND (n < 5 OR ts < ? OR host = 'web1')",
                                               T0 + DAY))
        self.db.execute("INSERT INTO cpu SELECT ts, host, n + 10000 FROM cpu")
        self.assertEqual(self.count()[0], 2 * before)
        self.db.execute("COMMIT")
        self.assertEqual(self.count()[0], 2 * before)
        # Row by row, through the function: each of them is committed before the next is read.
        self.db.execute("SELECT count(ts_insert('cpu', ts, host, n + 100000)) FROM cpu").fetchone()
        self.assertEqual(self.count()[0], 4 * before)

    def test_a_trigger_that_inserts_and_reads(self):
        """A trigger that inserts into the table and then counts it counts what there was before the statement."""
        self.insert(self.db, 0, 10)
        self.db.execute("CREATE TABLE k(i)")
        self.db.execute("CREATE TABLE log(seen)")
        self.db.execute("CREATE TEMP TRIGGER both AFTER INSERT ON main.k BEGIN INSERT INTO cpu VALUES(%d, 'x', new.i); INSERT INTO log "
                        "SELECT count(*) FROM cpu; END" % T0)
        self.db.execute("INSERT INTO k VALUES(100),(101),(102)")
        self.assertEqual(self.db.execute("SELECT seen FROM log").fetchall(), [(10,)] * 3)
        self.assertEqual(self.count()[0], 13)

    def test_beyond_the_spill_bound(self):
        """A transaction larger than its memory bound (32 MB) is read, doubled and partly rolled back as a small one is."""
        db = self.connect(isolation_level=None)
        self.create(db, self.file_location("big"), columns="ts TIMESTAMP, n INTEGER, pad TEXT")
        rows, pad = 45_000, "x" * 1000

        def count():
            return db.execute("SELECT count(*), count(DISTINCT n), sum(n) FROM cpu").fetchone()

        db.execute("BEGIN")
        db.executemany("INSERT INTO cpu VALUES(?,?,?)", ((T0 + n, n, pad) for n in range(rows)))
        self.assertEqual(count(), (rows, rows, rows * (rows - 1) // 2))
        db.execute("SAVEPOINT s")
        db.executemany("INSERT INTO cpu VALUES(?,?,?)", ((T0 + n, n, pad) for n in range(rows, rows + 40_000)))
        self.assertEqual(count()[0], rows + 40_000)
        db.execute("ROLLBACK TO s")
        self.assertEqual(count(), (rows, rows, rows * (rows - 1) // 2))
        db.execute("INSERT INTO cpu SELECT ts, n + 1000000, pad FROM cpu")
        self.assertEqual(count()[:2], (2 * rows, 2 * rows))
        either = "SELECT count(*) FROM cpu WHERE n < 10 OR ts = ? OR n = 1000001 OR n >= 1000000"
        self.assertEqual(self.one(db, either, T0 + 11), rows + 11)
        db.execute("COMMIT")
        self.assertEqual(count()[:2], (2 * rows, 2 * rows))

    def test_a_statement_that_spills_while_it_reads(self):
        """A half-stepped statement goes on from its snapshot when later inserts of its transaction spill to disk."""
        db = self.connect(isolation_level=None)
        self.create(db, self.file_location("big"), columns="ts TIMESTAMP, n INTEGER, pad TEXT")
        db.execute("CREATE TABLE k(i)")
        db.executemany("INSERT INTO k VALUES(?)", [(i,) for i in range(3)])
        db.execute("BEGIN")
        db.executemany("INSERT INTO cpu VALUES(?,?,'')", ((T0 + n, n) for n in range(100)))
        plain = db.execute("SELECT rowid, n FROM cpu")
        rows = [plain.fetchone()]
        again = db.execute("SELECT (SELECT group_concat(rowid || ':' || n) FROM cpu WHERE n + k.i >= 0) FROM k")
        seen = {again.fetchone()}
        db.executemany("INSERT INTO cpu VALUES(?,?,?)", ((T0 + n, n, "x" * 1000) for n in range(100, 40_100)))
        rows += plain.fetchall()
        seen |= set(again.fetchall())
        self.assertEqual([n for _, n in rows], list(range(100)))
        self.assertEqual(seen, {(",".join("%d:%d" % row for row in rows),)})
        db.execute("ROLLBACK")


class Rowid(SnapshotCase):
    def test_rowid_is_the_same_in_every_scan_of_a_statement(self):
        """However a statement reaches a row, its rowid is the same, and no two rows share one."""
        location = self.file_location()
        db, other = self.open(location), self.open(location)
        self.insert(db, 0, 20)
        db.execute("SELECT ts_flush('cpu')").fetchone()
        self.insert(db, 20, 30)
        self.insert(other, 30, 40)
        db.execute("BEGIN")
        db.execute("INSERT INTO cpu VALUES(?, 'x', 40)", (T0,))
        scans = ["SELECT rowid AS r, n FROM cpu", "SELECT rowid, n FROM cpu WHERE ts >= %d" % (T0 + DAY),
                 "SELECT * FROM (SELECT rowid, n FROM cpu ORDER BY ts DESC LIMIT 30)",
                 "SELECT rowid, n FROM cpu WHERE n IN (3, 23, 33, 40)",
                 "SELECT rowid, n FROM cpu WHERE host = 'web1' OR n = 4 OR ts = %d" % T0]
        pairs = set(db.execute(" UNION ALL ".join(scans)).fetchall())
        self.assertEqual(len(pairs), 41)
        self.assertEqual(len({r for r, _ in pairs}), 41)
        self.assertEqual(db.execute("SELECT count(*) FROM cpu a JOIN cpu b ON a.rowid = b.rowid AND a.n = b.n").fetchone(), (41,))
        db.execute("COMMIT")


WRITER = """
import sys, time
location, seconds, flush = sys.argv[1], float(sys.argv[2]), sys.argv[3] == 'flush'
db = support.connect(isolation_level=None, so=support.WITH_FAILPOINTS)
columns = "ts TIMESTAMP, host TEXT TAG, n INTEGER"
db.execute("CREATE VIRTUAL TABLE cpu USING timeseries(%s, location='%s', flush_on_close='never')" % (columns, location))
n, end, stored = 0, time.monotonic() + seconds, -1
while time.monotonic() < end:
    if n % 2:
        db.execute('BEGIN')
        for i in range(3):
            db.execute('INSERT INTO cpu VALUES(?,?,?)', (1795392000000 + n + i, 'w', n + i))
        db.execute('COMMIT')
    else:
        db.execute("INSERT INTO cpu VALUES(?,'w',?),(?,'w',?),(?,'w',?)", [x for i in range(3) for x in (1795392000000 + n + i, n + i)])
    n += 3
    print('committed', n, flush=True)
    if flush and n % 60 == 0:
        db.execute("SELECT ts_flush('cpu')").fetchone()
        print('stored', n, flush=True)
    time.sleep(0.0005)
"""


class Moving(SnapshotCase):
    """One process inserts and flushes, another reads. Rows are numbered, three to a transaction."""

    def race(self, location, foreign, page):
        self.setenv("TIMESERIES_LIST_PAGE", str(page))
        prelude = "import sys; sys.path.insert(0, %r)\nfrom python import support\n" % os.path.join(support.ROOT, "tests")
        writer = subprocess.Popen([sys.executable, "-c", prelude + WRITER, location, str(SECONDS), "flush"], stdout=subprocess.PIPE,
                                  text=True,
                                  env=support.environment())
        self.addCleanup(writer.stdout.close)
        self.assertTrue(writer.stdout.readline().startswith("committed"))
        known, looks = {"committed": 0, "stored": 0}, 0

        def listen():
            for line in writer.stdout:
                what, number = line.split()
                known[what] = int(number)

        listener = threading.Thread(target=listen)
        listener.start()
        self.addCleanup(listener.join)
        self.addCleanup(writer.wait)
        self.addCleanup(writer.kill)
        if foreign:
            self.setenv("XDG_STATE_HOME", self.path("elsewhere"))
        db = self.open(location, so=support.WITH_FAILPOINTS)
        forms = ["SELECT count(*), count(DISTINCT n), max(n), max(n) FROM cpu",
                 "SELECT count(*), count(DISTINCT n), max(n), (SELECT max(n) FROM cpu) FROM (SELECT n FROM cpu ORDER BY ts DESC)",
                 "SELECT count(*), count(DISTINCT n), max(n), (SELECT count(*) - 1 FROM cpu) FROM cpu WHERE n % 3 = 0 OR n % 3 = 1 OR "
                 "ts >= 0"]
        while writer.poll() is None:
            at_least = known["stored" if foreign else "committed"]
            count, distinct, last, again = db.execute(forms[looks % 3]).fetchone()
            looks += 1
            told = "%d rows, %d different, last %r, again %r, known before %r" % (count, distinct, last, again, at_least)
            self.assertEqual(count, distinct, told)
            self.assertEqual(count, 0 if last is None else last + 1, told)
            self.assertEqual(last, again if count else last, told)
            if not foreign:
                self.assertEqual(count % 3, 0, told)
            self.assertGreaterEqual(count, at_least, told)
        self.assertEqual(writer.returncode, 0)
        self.assertGreater(looks, 10)

    def test_rows_move_on_files(self):
        """A reader on the writer's spool sees, at every moment, each committed row once, whole transactions and no gap."""
        self.race(self.file_location(), False, 1000)

    def test_rows_move_on_files_with_pages_of_two_keys(self):
        """The same when a listing takes many pages."""
        self.race(self.file_location(), False, 2)

    def test_rows_move_on_s3_with_pages_of_two_keys(self):
        """The same on S3."""
        self.race(self.s3_location(), False, 2)

    def test_another_spool_sees_what_was_flushed(self):
        """A reader elsewhere sees, at every moment, each row once and every row that a ts_flush has acknowledged."""
        self.race(self.s3_location(), True, 2)


if __name__ == "__main__":
    unittest.main()
