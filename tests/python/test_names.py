# What a table's name means to ts_insert, whose second call with the same name is answered from memory.
import sqlite3
import unittest

from . import support

T = 1795418160000


class Names(support.TimeseriesCase):
    def setUp(self):
        super().setUp()
        self.location = self.file_location()
        self.db = self.connect(self.path("main.db"), isolation_level=None)

    def create(self, name, archive):
        self.db.execute("CREATE VIRTUAL TABLE %s USING timeseries(ts TIMESTAMP, n INTEGER, location='%s', table='%s')"
                        % (name, self.location, archive))

    def insert(self, name, n):
        return self.db.execute("SELECT ts_insert(?, ?, ?)", (name, T + n, n)).fetchall()

    def numbers(self, name):
        return [n for (n,) in self.db.execute("SELECT n FROM %s ORDER BY n" % name)]

    def test_a_timeseries_table_in_temp_comes_first_while_it_is_there(self):
        self.create("main.cpu", "one")
        self.insert("cpu", 1)
        self.create("temp.cpu", "two")
        self.insert("cpu", 2)
        self.insert("main.cpu", 3)
        self.db.execute("DROP TABLE temp.cpu")
        self.insert("cpu", 4)
        self.create("temp.cpu", "two")
        self.assertEqual(self.numbers("main.cpu"), [1, 3, 4])
        self.assertEqual(self.numbers("temp.cpu"), [2])

    def test_an_ordinary_table_or_view_in_temp_comes_first_too(self):
        self.create("cpu", "cpu")
        for kind in ("TABLE cpu(x)", "VIEW cpu AS SELECT 1 AS x"):
            self.insert("cpu", 1)
            self.db.execute("CREATE TEMP " + kind)
            with self.assertRaisesRegex(sqlite3.OperationalError, "'cpu' is not a timeseries table of this connection"):
                self.insert("cpu", 2)
            self.db.execute("DROP %s temp.cpu" % kind.split()[0])
        self.insert("cpu", 3)
        self.assertEqual(self.numbers("cpu"), [1, 1, 3])

    def test_an_ordinary_table_in_main_comes_before_an_attached_one(self):
        self.db.execute("ATTACH ? AS other", (self.path("other.db"),))
        self.create("other.cpu", "cpu")
        self.insert("cpu", 1)
        self.db.execute("CREATE TABLE main.cpu(x)")
        with self.assertRaisesRegex(sqlite3.OperationalError, "'cpu' is not a timeseries table of this connection"):
            self.insert("cpu", 2)
        self.insert("other.cpu", 3)
        self.assertEqual(self.numbers("other.cpu"), [1, 3])

    def test_dropped_renamed_and_made_again(self):
        self.create("cpu", "cpu")
        self.insert("cpu", 1)
        self.db.execute("ALTER TABLE cpu RENAME TO load")
        with self.assertRaisesRegex(sqlite3.OperationalError, "'cpu' is not a timeseries table"):
            self.insert("cpu", 2)
        self.insert("load", 3)
        self.db.execute("DROP TABLE load")
        with self.assertRaisesRegex(sqlite3.OperationalError, "'load' is not a timeseries table"):
            self.insert("load", 4)
        self.create("load", "cpu")
        self.insert("load", 5)
        self.assertEqual(self.numbers("load"), [1, 3, 5])

    def test_one_statement_with_several_names(self):
        for name in ("a", "b"):
            self.create(name, name)
        statement = "SELECT ts_insert(name, ?, n) FROM (SELECT 'a' AS name, 1 AS n UNION ALL SELECT 'b', 2 UNION ALL SELECT 'a', 3)"
        self.db.execute(statement, (T,)).fetchall()
        self.assertEqual((self.numbers("a"), self.numbers("b")), ([1, 3], [2]))

    def test_the_connection_closes_although_a_name_is_remembered(self):
        db = self.connect(self.path("again.db"), isolation_level=None)
        db.execute("CREATE VIRTUAL TABLE cpu USING timeseries(ts TIMESTAMP, n INTEGER, location='%s')" % self.location)
        db.execute("SELECT ts_insert('cpu', ?, 1)", (T,)).fetchall()
        db.close()


class Encodings(support.TimeseriesCase):
    def test_text_of_a_utf16_host_is_stored_as_it_is(self):
        db = self.connect(self.path("main.db"), isolation_level=None)
        db.execute("PRAGMA encoding='UTF-16'")
        db.execute("CREATE VIRTUAL TABLE cpu USING timeseries(ts TIMESTAMP, host TEXT TAG, note, location='%s')" % self.file_location())
        rows = [(T, "h\u00f6\u20acx", ""), (T + 1, "\u00df", b"\x00\x01"), (T + 2, "\U0001f600", None)]
        db.execute("INSERT INTO cpu VALUES(?, ?, ?)", rows[0])
        for row in rows[1:]:
            db.execute("SELECT ts_insert('cpu', ?, ?, ?)", row).fetchall()
        for _ in range(2):  # open, then stored
            self.assertEqual(db.execute("SELECT * FROM cpu ORDER BY ts").fetchall(), rows)
            db.execute("SELECT ts_flush('cpu')").fetchall()


if __name__ == "__main__":
    unittest.main()
