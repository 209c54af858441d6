# Transactions: all or none, whatever SQLite's callbacks do: savepoints, failing statements, locks, retries, spilling.
import sqlite3
import threading
import unittest

from . import support

T = 1795418160000


class TransactionCase(support.TimeseriesCase):
    def table(self, db, name="cpu", location=None, columns="ts TIMESTAMP, host TEXT TAG, n INTEGER", options=""):
        db.execute("CREATE VIRTUAL TABLE %s USING timeseries(%s, location='%s'%s)" % (name, columns, location or self.location, options))

    def setUp(self):
        super().setUp()
        self.location = self.file_location()
        self.db = self.connect(self.path("main.db"), isolation_level=None, timeout=0)
        self.table(self.db)

    def rows(self, name="cpu", db=None):
        return [n for (n,) in (db or self.db).execute("SELECT n FROM %s ORDER BY n" % name)]

    def insert(self, *numbers, name="cpu", db=None):
        for n in numbers:
            (db or self.db).execute("INSERT INTO %s VALUES(?, 'h', ?)" % name, (T + n, n))

    def ts_insert(self, *numbers, name="cpu", db=None):
        for n in numbers:
            (db or self.db).execute("SELECT ts_insert(?, ?, 'h', ?)", (name, T + n, n)).fetchall()

    def others(self, name="cpu"):
        """What another connection sees."""
        db = support.connect(isolation_level=None)
        self.table(db, name)
        found = self.rows(name, db)
        db.close()
        return found

    def run_sql(self, *statements):
        for statement in statements:
            self.db.execute(statement)


class Transactions(TransactionCase):
    def test_commit_and_rollback(self):
        """A transaction's rows are seen by itself at once, by others after COMMIT, by nobody after ROLLBACK."""
        for insert in (self.insert, self.ts_insert):
            with self.subTest(insert=insert.__name__):
                before = self.others()
                self.db.execute("BEGIN")
                insert(1, 2)
                self.assertEqual(self.rows(), sorted(before + [1, 2]))
                self.assertEqual(self.others(), before)
                self.db.execute("ROLLBACK")
                self.assertEqual((self.rows(), self.others()), (before, before))
                self.db.execute("BEGIN")
                insert(1, 2)
                self.db.execute("COMMIT")
                self.assertEqual((self.rows(), self.others()), (sorted(before + [1, 2]),) * 2)

    def test_savepoints(self):
        """ROLLBACK TO takes back what came after the savepoint, RELEASE keeps it, nested as one likes."""
        self.db.execute("BEGIN")
        self.insert(1)
        self.db.execute("SAVEPOINT a")
        self.ts_insert(2)
        self.db.execute("SAVEPOINT b")
        self.insert(3)
        self.db.execute("RELEASE b")
        self.db.execute("SAVEPOINT c")
        self.insert(4)
        self.db.execute("ROLLBACK TO c")
        self.assertEqual(self.rows(), [1, 2, 3])
        self.insert(5)
        self.db.execute("ROLLBACK TO a")
        self.assertEqual(self.rows(), [1])
        self.insert(6)
        self.run_sql("ROLLBACK TO a", "RELEASE a")
        self.insert(7)
        self.db.execute("COMMIT")
        self.assertEqual(self.others(), [1, 7])

    def test_savepoints_that_were_never_announced(self):
        """A savepoint opened before the table took part means: none of its rows."""
        for insert in (self.insert, self.ts_insert):
            with self.subTest(insert=insert.__name__):
                before = self.others()
                self.run_sql("SAVEPOINT a", "SAVEPOINT b", "SAVEPOINT c")
                insert(1)
                self.db.execute("SAVEPOINT d")
                insert(2)
                self.db.execute("ROLLBACK TO b")
                self.assertEqual(self.rows(), before)
                insert(3)
                self.db.execute("RELEASE b")
                insert(4)
                self.db.execute("ROLLBACK TO a")
                self.assertEqual(self.rows(), before)
                self.run_sql("SAVEPOINT e", "RELEASE e", "RELEASE a")
                self.assertEqual(self.others(), before)

    def test_outermost_savepoint_commits(self):
        """RELEASE of the outermost savepoint is a COMMIT."""
        self.db.execute("SAVEPOINT a")
        self.ts_insert(1)
        self.insert(2)
        self.assertEqual(self.others(), [])
        self.db.execute("RELEASE a")
        self.assertEqual(self.others(), [1, 2])

    def test_random_savepoints_against_an_ordinary_table(self):
        """Any sequence of savepoints, releases, rollbacks and failing inserts leaves what an ordinary table is left with."""
        import random
        dice = random.Random(11)
        self.table(self.db, "mem")
        self.db.execute("CREATE TABLE plain(ts INTEGER, host TEXT, n INTEGER)")
        n = steps = 0
        for _ in range(60):
            self.db.execute(dice.choice(["BEGIN", "SAVEPOINT s0"]))
            stack = ["s0"] if self.db.in_transaction else []
            for _ in range(dice.randrange(1, 25)):
                action = dice.choice("iiijjtsssrrxf")
                steps += 1
                if action in "ijt":
                    n += 1
                    if action == "i":
                        self.insert(n)
                    elif action == "j":
                        self.ts_insert(n)
                    else:
                        self.insert(n, name="mem")
                        continue
                    self.db.execute("INSERT INTO plain VALUES(?, 'h', ?)", (T + n, n))
                elif action == "s":
                    stack.append("s%d" % (len(stack) + 1))
                    self.db.execute("SAVEPOINT " + stack[-1])
                elif action == "f":
                    n += 3
                    for name in ("cpu", "plain"):
                        try:
                            self.db.execute("INSERT INTO %s SELECT CASE WHEN value = 2 THEN abs(-9223372036854775808) ELSE ? END + value,"
                                            " 'h', ? + value FROM json_each('[0,1,2]')" % name, (T + n, n))
                            self.fail("no integer overflow")
                        except sqlite3.OperationalError:
                            pass
                elif len(stack) > 1:
                    chosen = dice.randrange(1, len(stack))
                    self.db.execute(("RELEASE " if action == "r" else "ROLLBACK TO ") + stack[chosen])
                    del stack[chosen + (action == "x"):]
                self.assertEqual(self.rows(), self.rows("plain"))
            self.db.execute(dice.choice(["COMMIT", "COMMIT", "ROLLBACK"]))
            self.assertEqual(self.rows(), self.rows("plain"))
        self.assertEqual(self.others(), self.rows("plain"))
        print(" %d steps, %d rows" % (steps, len(self.rows())), flush=True)

    def test_failing_statement(self):
        """A multi-row INSERT that fails at a row leaves none of its rows, in a transaction and outside."""
        bad = "INSERT INTO cpu VALUES(%d, 'h', 1), (%d, 'h', 2), ('no time', 'h', 3)" % (T, T)
        for begin in (None, "BEGIN", "SAVEPOINT a"):
            with self.subTest(begin=begin):
                before = self.others()
                if begin:
                    self.db.execute(begin)
                    self.insert(100)
                with self.assertRaises(sqlite3.Error):
                    self.db.execute(bad)
                with self.assertRaises(sqlite3.Error):
                    self.db.execute("SELECT ts_insert('cpu', 'no time', 'h', 3)").fetchall()
                self.assertEqual(self.rows(), before + ([100] if begin else []))
                if begin:
                    self.db.execute("COMMIT" if begin == "BEGIN" else "RELEASE a")
                self.assertEqual(self.others(), before + ([100] if begin else []))

    def test_conflict_clauses(self):
        """OR FAIL keeps the rows before the one that fails, OR IGNORE skips it, OR ABORT undoes the statement, OR ROLLBACK everything."""
        self.table(self.db, "strict", columns="ts TIMESTAMP, host TEXT TAG, n INTEGER NOT NULL")
        values = "VALUES(%d, 'h', 1), (%d, 'h', NULL), (%d, 'h', 3)" % (T, T, T)
        cases = (("FAIL", [0, 1], True), ("IGNORE", [0, 1, 3], True), ("ABORT", [0], True), ("ROLLBACK", [], False))
        for clause, kept, open_after in cases:
            with self.subTest(clause=clause):
                self.db.execute("BEGIN")
                self.insert(0, name="strict")
                try:
                    self.db.execute("INSERT OR %s INTO strict %s" % (clause, values))
                except sqlite3.IntegrityError as e:
                    self.assertEqual(str(e), "NOT NULL constraint failed: strict.n")
                self.assertEqual(self.db.in_transaction, open_after)
                self.assertEqual(self.rows("strict"), kept)
                if open_after:
                    self.db.execute("ROLLBACK")
                self.assertEqual(self.rows("strict"), [])

    def test_two_tables_of_one_spool(self):
        """A transaction over two tables appears in both or in neither."""
        self.table(self.db, "mem")
        self.db.execute("BEGIN")
        self.insert(1)
        self.ts_insert(2, name="mem")
        self.db.execute("ROLLBACK")
        self.db.execute("BEGIN")
        self.insert(3)
        self.db.execute("SAVEPOINT a")
        self.insert(4, name="mem")
        self.insert(5)
        self.db.execute("ROLLBACK TO a")
        self.ts_insert(6, name="mem")
        self.db.execute("COMMIT")
        self.assertEqual((self.others(), self.others("mem")), ([3], [6]))
        self.db.execute("SELECT ts_flush('cpu')").fetchall()
        self.db.execute("SELECT ts_flush('mem')").fetchall()
        self.assertEqual((self.rows(), self.rows("mem")), ([3], [6]))

    def test_two_spools(self):
        """A transaction over two spools commits and rolls back in both."""
        self.table(self.db, "far", self.file_location("other"))
        for end, kept in (("ROLLBACK", []), ("COMMIT", [1])):
            self.db.execute("BEGIN")
            self.insert(1)
            self.insert(1, name="far")
            self.db.execute(end)
            self.assertEqual((self.rows(), self.rows("far")), (kept, kept))

    def test_python_transactions(self):
        """Python's implicit transactions, its context manager and executemany do as with an ordinary table."""
        db = self.connect(self.path("implicit.db"))
        self.table(db)
        db.executemany("INSERT INTO cpu VALUES(?, 'h', ?)", [(T + n, n) for n in range(5)])
        self.assertTrue(db.in_transaction)
        self.assertEqual(self.others(), [])
        db.rollback()
        with db:
            db.executemany("INSERT INTO cpu VALUES(?, 'h', ?)", [(T + n, n) for n in range(5)])
        with self.assertRaises(ZeroDivisionError), db:
            db.execute("INSERT INTO cpu VALUES(?, 'h', 9)", (T,))
            1 / 0
        self.assertEqual(self.others(), list(range(5)))

    def test_triggers_and_defaults(self):
        """A trigger's INSERT belongs to the statement that fired it; NOT NULL counts, DEFAULT only in JSON (SQLite tells no more)."""
        self.table(self.db, "log", columns="ts TIMESTAMP, host TEXT TAG DEFAULT 'nobody', n INTEGER NOT NULL DEFAULT 7")
        self.run_sql("CREATE TABLE event(t, n)",
                     "CREATE TRIGGER copy AFTER INSERT ON event BEGIN INSERT INTO log(ts, n) VALUES(new.t, new.n); END")
        self.db.execute("INSERT INTO event VALUES(?, 1), (?, 2)", (T, T + 1))
        with self.assertRaises(sqlite3.IntegrityError):
            self.db.execute("INSERT INTO event VALUES(?, 3), (?, NULL)", (T, T + 1))
        self.db.execute("SELECT ts_insert('log', ?)", ('{"ts": %d}' % T,)).fetchall()
        self.assertEqual(self.db.execute("SELECT host, n FROM log ORDER BY n").fetchall(), [(None, 1), (None, 2), ("nobody", 7)])
        self.assertEqual(self.db.execute("SELECT count(*) FROM event").fetchone(), (2,))

    def test_select_of_itself(self):
        """INSERT INTO cpu SELECT ... FROM cpu reads what was there before the statement."""
        self.insert(1, 2, 3)
        for _ in range(3):
            self.db.execute("INSERT INTO cpu SELECT ts, host, n + 10 FROM cpu")
        self.assertEqual(len(self.rows()), 24)


class Locks(TransactionCase):
    def locked(self, mode="EXCLUSIVE"):
        """Another connection in a transaction; "DEFERRED" reads, so that the main file can be prepared for a commit, not committed."""
        other = sqlite3.connect(self.path("main.db"), isolation_level=None, timeout=0)
        self.addCleanup(other.close)
        other.execute("BEGIN " + mode)
        if mode == "DEFERRED":
            other.execute("SELECT count(*) FROM sqlite_schema").fetchall()
        return other

    def test_ts_insert_takes_no_lock_on_main(self):
        """ts_insert goes on while another connection holds the main file exclusively, outside and inside of a transaction."""
        self.ts_insert(1)
        other = self.locked()
        self.ts_insert(2)
        self.db.execute("BEGIN")
        self.ts_insert(3)
        self.db.execute("SAVEPOINT a")
        self.ts_insert(4)
        self.db.execute("ROLLBACK TO a")
        self.db.execute("COMMIT")
        other.execute("ROLLBACK")
        self.assertEqual(self.others(), [1, 2, 3])

    def test_insert_into_a_locked_main(self):
        """INSERT takes the main file's write lock: SQLITE_BUSY, and nothing is stored."""
        other = self.locked("IMMEDIATE")
        self.assertFails(self.db, "INSERT INTO cpu VALUES(%d, 'h', 1)" % T, "database is locked")
        other.execute("ROLLBACK")
        self.assertEqual((self.rows(), self.others()), ([], []))
        self.insert(2)
        self.assertEqual(self.others(), [2])

    def test_rows_that_were_durable_already_go(self):
        """A reader of the main file lets xSync pass and the commit fail: xRollback takes the durable rows back everywhere."""
        for _ in range(3):
            other = self.locked("DEFERRED")
            self.assertFails(self.db, "INSERT INTO cpu VALUES(%d, 'h', 1)" % T, "database is locked")
            other.execute("ROLLBACK")
            self.assertEqual(self.others(), [])
        self.insert(2)
        self.db.execute("SELECT ts_flush('cpu')").fetchall()
        self.assertEqual((self.rows(), self.others()), ([2], [2]))

    def test_commit_that_is_tried_again(self):
        """After a COMMIT that was answered SQLITE_BUSY the transaction goes on: later rows, savepoints and COMMIT count as ever."""
        expected = []
        for spill in (0, 40):
            with self.subTest(spill=spill):
                large = list(range(1000, 1000 + spill))
                self.db.execute("BEGIN")
                self.insert(1)
                self.db.execute("INSERT INTO cpu SELECT %d, zeroblob(1000000), value FROM json_each(?)" % T, (str(large),))
                self.db.execute("SAVEPOINT a")
                self.insert(2)
                other = self.locked("DEFERRED")
                self.assertFails(self.db, "COMMIT", "database is locked")
                self.assertTrue(self.db.in_transaction)
                self.assertEqual(self.others(), expected)
                self.insert(3)
                self.assertEqual(self.rows(), sorted(expected + [1, 2, 3] + large))
                self.assertFails(self.db, "COMMIT", "database is locked")
                self.db.execute("ROLLBACK TO a")
                self.assertEqual(self.rows(), sorted(expected + [1] + large))
                self.insert(4)
                self.assertFails(self.db, "COMMIT", "database is locked")
                self.assertEqual(self.others(), expected)
                other.execute("ROLLBACK")
                self.db.execute("COMMIT")
                expected = sorted(expected + [1, 4] + large)
                self.assertEqual((self.rows(), self.others()), (expected, expected))
                self.db.execute("SELECT ts_flush('cpu')").fetchall()
                self.assertEqual(self.others(), expected)

    def test_commit_that_fails_and_is_rolled_back(self):
        """ROLLBACK after a COMMIT that was answered SQLITE_BUSY leaves nothing, also of a transaction that spilled."""
        for spill in (0, 40):
            self.db.execute("BEGIN")
            self.insert(1)
            self.db.execute("INSERT INTO cpu SELECT %d, zeroblob(1000000), value FROM json_each(?)" % T, (str(list(range(spill))),))
            other = self.locked("DEFERRED")
            self.assertFails(self.db, "COMMIT", "database is locked")
            self.db.execute("ROLLBACK")
            other.execute("ROLLBACK")
            self.assertEqual((self.rows(), self.others()), ([], []))
        self.db.execute("SELECT ts_flush('cpu')").fetchall()
        self.assertEqual((self.rows(), self.others()), ([], []))


class Large(TransactionCase):
    def test_spills(self):
        """A transaction of 200,000 rows beyond the memory bound is seen whole by itself, by nobody else, and whole after COMMIT."""
        def fill(first, count):
            self.db.execute("WITH RECURSIVE c(x) AS (SELECT ? UNION ALL SELECT x + 1 FROM c LIMIT ?)"
                            " INSERT INTO cpu SELECT %d + x, printf('%%0200d', x %% 100), x FROM c" % T, (first, count))

        def summary(db=None):
            return (db or self.db).execute("SELECT count(*), count(DISTINCT n), sum(n) FROM cpu").fetchone()

        self.insert(0)
        self.db.execute("BEGIN")
        fill(1, 150000)
        self.db.execute("SAVEPOINT a")
        fill(1000000, 200000)
        self.assertEqual(summary()[:2], (350001, 350001))
        self.db.execute("ROLLBACK TO a")
        self.assertEqual(summary(), (150001, 150001, 150000 * 150001 // 2))
        fill(150001, 50000)
        whole = (200001, 200001, 200000 * 200001 // 2)
        self.assertEqual(summary(), whole)
        self.assertEqual(self.others(), [0])
        self.db.execute("COMMIT")
        self.assertEqual(summary(), whole)
        self.assertEqual(len(self.others()), 200001)
        self.db.execute("BEGIN")
        fill(5000000, 250000)
        self.db.execute("ROLLBACK")
        self.assertEqual(summary(), whole)
        self.insert(7000000)
        self.db.execute("SELECT ts_flush('cpu')").fetchall()
        self.assertEqual(summary(), (200002, 200002, whole[2] + 7000000))


if __name__ == "__main__":
    unittest.main()
