# Bad input: each gives exactly the text the README promises, names the thing and the remedy, and loses nothing.
#
# Messages are compared whole. Where one holds what differs from run to run (sizes, waiting times), a test says so by `vary`.
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import unittest
import uuid

from . import page_checksums, support

COLUMNS = "ts TIMESTAMP, host TEXT TAG, n INTEGER NOT NULL, v REAL DEFAULT 1.5, note TEXT"
NOT_A_TIME = "; give an integer (ms since 1970-01-01 UTC) or ISO-8601 text such as '2026-11-23T07:16:00Z'"
NO_DUPLICATES = " is not supported: duplicate rows are rows in a timeseries; leave it out and mark what identifies a series with TAG"
IN_A_VIEW = " is not supported: a timeseries stores what is inserted; leave the column out and compute it in a view"
WHEN_GONE = "; the rows are safe in the spool %s and will be stored when the cause is gone: "


def vary(text):
    """Numbers that no test can know: bytes of a spool, tries and seconds of a retry."""
    text = re.sub(r"holds \d+ bytes", "holds N bytes", text)
    return re.sub(r"\d tries in \d+\.\d s", "N tries in S s", text)


class Case(support.TimeseriesCase):
    def open(self, path=":memory:"):
        return self.connect(path, isolation_level=None)

    def create(self, db, columns=COLUMNS, name="cpu", schema="temp.", **options):
        options.setdefault("location", self.file_location())
        arguments = ([columns] if columns else []) + ["%s='%s'" % option for option in options.items()]
        db.execute("CREATE VIRTUAL TABLE %s%s USING timeseries(%s)" % (schema, name, ", ".join(arguments)))

    def refused(self, text, columns=COLUMNS, **options):
        with self.assertRaises(sqlite3.Error) as caught:
            self.create(self.open(), columns, **options)
        self.assertEqual(str(caught.exception), text)

    def assertFailsLike(self, db, sql, text):
        with self.assertRaises(sqlite3.Error) as caught:
            db.execute(sql).fetchall()
        self.assertEqual(vary(str(caught.exception)), text)

    def one(self, db, sql):
        return db.execute(sql).fetchone()[0]


class Declarations(Case):
    def test_unknown_option_and_missing_location(self):
        self.refused('timeseries: unknown option "flush_sise"; the options are location, table, spool, precision, partition, flush_size, '
                     "flush_interval, flush_timeout, spool_limit, durability, cache_dir, cache_size, max_staleness, compact_grace, "
                     "retention, flush_on_close, compact, compact_interval, compact_target, endpoint, region, profile, anonymous, hedge, "
                     "snapshot, slice, max_bytes, max_requests, prices, link", flush_sise="1MB")
        self.assertFails(self.open(), "CREATE VIRTUAL TABLE temp.cpu USING timeseries(ts TIMESTAMP)",
                         "timeseries: location is missing; say where the files are, as in location='s3://bucket/prefix' or "
                         "location='file:///var/lib/metrics'")

    def test_no_time_column_or_two(self):
        self.refused('timeseries: no column is TIMESTAMP (there are "ts", "v"); declare the time, as in: ts TIMESTAMP',
                     "ts INTEGER, v REAL")
        self.refused('timeseries: columns "ts" and "seen" are both TIMESTAMP; a timeseries has exactly one, declare the other INTEGER',
                     "ts TIMESTAMP, seen TIMESTAMP")

    def test_constraints_by_name(self):
        for constraint, text in (
                ("PRIMARY KEY", "PRIMARY KEY" + NO_DUPLICATES), ("UNIQUE", "UNIQUE" + NO_DUPLICATES),
                ("CHECK (x > 1)", "CHECK is not supported: rows of other writers are not checked against it; leave it out and check "
                                  "before the insert"),
                ("REFERENCES o(x)", "REFERENCES is not supported: files in an archive cannot follow changes of another table; leave it out "
                                    "and join in the query"),
                ("GENERATED ALWAYS AS (1)", "GENERATED" + IN_A_VIEW), ("AS (1)", "AS (a generated column)" + IN_A_VIEW)):
            with self.subTest(constraint):
                self.refused('timeseries: column "x": ' + text, "ts TIMESTAMP, x INTEGER " + constraint)
        self.refused("timeseries: PRIMARY KEY" + NO_DUPLICATES, "ts TIMESTAMP, x INTEGER, PRIMARY KEY (ts, x)")
        self.refused("timeseries: UNIQUE" + NO_DUPLICATES, "ts TIMESTAMP, x INTEGER, UNIQUE (x)")

    def test_names_and_collations(self):
        self.refused('timeseries: column "_file": the name is taken: the hidden column _file names the shard a row came from; choose '
                     'another name',
                     "ts TIMESTAMP, _file TEXT")
        self.refused('timeseries: column "x": COLLATE must be BINARY, NOCASE or RTRIM: the files are read by any SQLite, which has '
                     'no other',
                     "ts TIMESTAMP, x TEXT COLLATE german")

    def test_values_of_options(self):
        self.refused("timeseries: precision: \"min\" is none of 's', 'ms', 'us', 'ns'", precision="min")
        self.refused("timeseries: flush_on_close: \"sometimes\" is none of 'due', 'always', 'never'", flush_on_close="sometimes")
        self.refused("timeseries: flush_size: \"many\" is no size; write a whole number of bytes, kB, MB, GB or TB, as in '64MB'",
                     flush_size="many")
        self.refused("timeseries: flush_interval: \"5\" is no duration; write a whole number with ms, s, m, h or days, as in '5m'",
                     flush_interval="5")
        self.refused("timeseries: spool_limit: must be at least 1MB, or 0 for no limit", spool_limit="10kB")
        self.refused("timeseries: spool='here' is no absolute path; write spool='/path'", spool="here")

    def test_secrets_never_reach_sqlite_schema_nor_the_message(self):
        text = (": secrets do not belong in SQL text (it is stored in sqlite_schema); use the environment (AWS_ACCESS_KEY_ID, "
                "AWS_SECRET_ACCESS_KEY) or a profile")
        self.refused("timeseries: secret_access_key" + text, secret_access_key="hunter2")
        self.refused("timeseries: session_token" + text, session_token="hunter2")
        self.refused("timeseries: location" + text, location="s3://key:hunter2@bucket/prefix")
        self.refused("timeseries: endpoint" + text, location="s3://bucket/prefix", endpoint="https://key:hunter2@host")

    def test_locations(self):
        self.refused("location: Azure Blob Storage is not supported; use s3:// (a gateway that speaks S3) or file:///: az://box/x",
                     location="az://box/x")
        self.refused("location: '.' and '..' are not allowed; write the path out: https://host/../x", location="https://host/../x")
        self.refused("location: Google Cloud Storage is reached through its S3 interface; write s3://bucket/prefix with "
                     "endpoint='https://storage.googleapis.com' and HMAC keys: gs://bucket/x", location="gs://bucket/x")
        self.refused("location: a directory is written file:///dir: /var/x", location="/var/x")
        self.refused("location: '..' is not allowed in a location; write the path out: file:///a/../x", location="file:///a/../x")
        self.refused("location: a bucket name has lower-case letters, digits, '-' and '.' only: s3://Bad_Bucket/x",
                     location="s3://Bad_Bucket/x")
        self.refused("endpoint: it is written http://host:port or https://host: localhost:9000", location="s3://bucket/x",
                     endpoint="localhost:9000")

    def test_no_columns_and_no_archive(self):
        self.refused("timeseries: there is no table cpu at %s yet; declare its columns, one of them TIMESTAMP, for example "
                     "(ts TIMESTAMP, host TEXT TAG, value REAL)" % self.file_location(), "")

    def test_no_home(self):
        self.setenv("XDG_STATE_HOME", None)
        self.setenv("HOME", None)
        self.refused("timeseries: no place for the spool: neither XDG_STATE_HOME nor HOME is set; name a directory with spool='/path'")


class Rows(Case):
    def setUp(self):
        super().setUp()
        self.db = self.open()
        self.create(self.db)
        self.db.execute("INSERT INTO cpu VALUES(1, 'a', 1, 1, NULL)")

    def tearDown(self):
        self.assertEqual(self.db.execute("SELECT * FROM cpu").fetchall(), [(1, "a", 1, 1.0, None)], "lost or half stored")

    def test_what_is_no_time(self):
        for value, text in (
                ("'yesterday'", "'yesterday' is no time"), ("'1795418160000'", "'1795418160000' is no time"),
                ("'07:16:00'", "'07:16:00' is no time"),
                ("'2026-02-30'", "'2026-02-30' is no time"), ("''", "'' is no time"), ("1.5", "1.5 is no whole number"),
                ("x'00'", "a blob is no time"),
                ("9999999999999999", "9999999999999999 ms lies outside 0001-01-01T00:00:00.000Z to 9999-12-31T23:59:59.999Z")):
            for insert in ("INSERT INTO cpu VALUES(%s, 'a', 1, 1, NULL)", "SELECT ts_insert('cpu', %s, 'a', 1, 1, NULL)"):
                with self.subTest(insert % value):
                    self.assertFails(self.db, insert % value, 'timeseries: column "ts" of cpu: ' + text + NOT_A_TIME)
        self.assertFails(self.db, "INSERT INTO cpu VALUES(NULL, 'a', 1, 1, NULL)", 'timeseries: column "ts" of cpu may not be NULL')

    def test_another_unit(self):
        text = 'timeseries: column "ts" of cpu counts ms, but the value is in %s; write ts(...)'
        for unit in ("s", "us", "ns"):
            call = "ts_%s('2026-11-23')" % unit
            self.assertFails(self.db, "INSERT INTO cpu VALUES(%s, 'a', 1, 1, NULL)" % call, text % unit)
            self.assertFails(self.db, "SELECT ts_insert('cpu', %s, 'a', 1, 1, NULL)" % call, text % unit)
            self.assertFails(self.db, "SELECT * FROM cpu WHERE ts < " + call, text % unit)
            self.assertFails(self.db, "SELECT * FROM cpu WHERE ts BETWEEN 0 AND " + call, text % unit)
        self.create(self.db, name="fine", precision="ns")
        self.assertFails(self.db, "SELECT * FROM fine WHERE ts < ts('now')",
                         'timeseries: column "ts" of fine counts ns, but the value is in ms; write ts_ns(...)')

    def test_text_compared_with_the_time(self):
        text = 'timeseries: column "ts" of cpu is a time and cannot be compared with the text \'2026-11-23\'; write ts(\'2026-11-23\')'
        self.assertFails(self.db, "SELECT * FROM cpu WHERE ts >= '2026-11-23'", text)
        self.assertFails(self.db, "SELECT * FROM cpu WHERE ts >= ?", text, ("2026-11-23",))

    def test_time_functions(self):
        self.assertFails(self.db, "SELECT ts('foo')", "ts: \"foo\" is no time; write a date as '2026-11-23' or '2026-11-23T07:16:00Z'")
        self.assertFails(self.db, "SELECT ts_ns('12:00')", "ts_ns: \"12:00\" is no time; write a date as '2026-11-23' or "
                                                           "'2026-11-23T07:16:00Z'")
        self.assertFails(self.db, "SELECT ts(1795418160)", "ts: 1795418160 is a number of what? Say so: ts(1795418160, 'unixepoch'), or "
                                                           "'julianday' or 'auto'")
        self.assertFails(self.db, "SELECT ts_text('x')", "ts_text: \"x\" is no integer; ts('...') makes one from text")

    def test_number_of_values_and_names_of_tables(self):
        self.assertFails(self.db, "SELECT ts_insert('cpu', 1, 'a', 1)",
                         "ts_insert: cpu has 5 columns (ts, host, n, v, note), but 3 values were given")
        self.assertFails(self.db, "SELECT ts_insert('cpu')", "ts_insert: give a table and its values, or a table and JSON: "
                                                             "ts_insert('cpu', ...)")
        self.assertFails(self.db, "INSERT INTO cpu VALUES(1, 'a')", "table cpu has 5 columns but 2 values were supplied")
        self.assertFails(self.db, "INSERT INTO cpu VALUES(1, 'a', NULL, 1, NULL)", "NOT NULL constraint failed: cpu.n")
        self.assertFails(self.db, "SELECT ts_insert('cpu', 1, 'a', NULL, 1, NULL)", "NOT NULL constraint failed: cpu.n")
        self.db.execute("CREATE TABLE plain(x)")
        for name in ("nope", "plain", "main.cpu"):
            last = name.split(".")[-1]
            text = ("timeseries: '%s' is not a timeseries table of this connection; create it with CREATE VIRTUAL TABLE \"%s\" USING "
                    "timeseries(...)"
                    % (name, last))
            self.assertFails(self.db, "SELECT ts_insert('%s', 1)" % name, text)
            self.assertFails(self.db, "SELECT ts_flush('%s')" % name, text)
            self.assertFails(self.db, "SELECT * FROM ts_files('%s')" % name, text)
        self.assertFails(self.db, "SELECT ts_insert(NULL, 1)", "timeseries: the first argument is the name of a timeseries table, as text")
        self.assertFails(self.db, "SELECT * FROM ts_status", "ts_status: name the table: ts_status('cpu')")

    def test_json(self):
        for text, message in (
                ("nonsense", "malformed JSON at byte 1: expected an object or an array of objects, found 'n'"),
                ("", "malformed JSON at byte 1: expected an object or an array of objects, found the end of the text"),
                ('{"ts":1,}', "malformed JSON at byte 9: expected a key in double quotes, found '}'"),
                ('{"ts":1,"n":1', "malformed JSON at byte 14: expected ',' or '}' after a value, found the end of the text"),
                ('[{"ts":1,"n":1},7]', "malformed JSON at byte 17: expected an object, found '7'"),
                ('[{"ts":1,"n":1},{"ts":2,"n":1,"foo":2}]', 'unknown key "foo" at byte 31; the columns are ts, host, n, v, note'),
                ('{"n":1,"N":2}', 'key "n" is given twice, at byte 8'),
                ('{"_file":"x","n":1}', 'key "_file" cannot be inserted, it names the shard a row came from; leave it out, at byte 2'),
                ('{"n":1,"v":1e999}', "the number 1e999 at byte 12 is too large for a double")):
            with self.subTest(text):
                self.assertFails(self.db, "SELECT ts_insert('cpu', ?)", "ts_insert: " + message, (text,))
        for text, message in (
                ('[{"ts":1,"n":1},{"ts":"soon","n":1}]', 'timeseries: column "ts" of cpu: \'soon\' is no time' + NOT_A_TIME),
                ('{"ts":1.5,"n":1}', 'timeseries: column "ts" of cpu: 1.5 is no whole number' + NOT_A_TIME),
                ('{"ts":null,"n":1}', 'timeseries: column "ts" of cpu may not be NULL'),
                ('[{"n":1},{"ts":1}]', "NOT NULL constraint failed: cpu.n")):
            with self.subTest(text):
                self.assertFails(self.db, "SELECT ts_insert('cpu', ?)", message, (text,))

    def test_only_appends(self):
        self.assertFails(self.db, "DELETE FROM cpu", "timeseries: cpu is append-only; DELETE is not possible; "
                         "ts_expire removes what is older than a time, by whole partitions")
        self.assertFails(self.db, "UPDATE cpu SET v = 2", "timeseries: cpu is append-only; UPDATE is not possible")
        self.assertFails(self.db, "INSERT INTO cpu(ts, n, _file) VALUES(1, 1, 'x')",
                         "timeseries: _file of cpu tells where a row lies and cannot be inserted")

    def test_flush_inside_a_transaction(self):
        self.db.execute("BEGIN")
        self.assertFails(self.db, "SELECT ts_flush('cpu')", "ts_flush: a transaction is open; commit first")
        self.db.execute("COMMIT")
        self.db.execute("SELECT ts_insert('cpu', 2, 'b', 1, 1, NULL)").fetchone()
        self.assertFails(self.db, "INSERT INTO cpu SELECT 3, 'b', ts_flush('cpu'), 1, NULL",
                         "ts_flush: a transaction is open; commit first")
        self.assertEqual(self.one(self.db, "SELECT count(*) FROM cpu"), 2)
        self.tearDown = lambda: None  # it asked for one row more


class Names(Case):
    def test_tables_with_any_name(self):
        for name, directory in (("a b", "a%20b"), ("100%", "100%25"), ("größe", "gr%C3%B6%C3%9Fe"), ("x/y", "x%2Fy"), ("../x", "..%2Fx"),
                                ("it's", "it%27s"),
                                ('q"q', "q%22q"), ("a.b", "a.b")):
            with self.subTest(name):
                db = self.open()
                self.create(db, "ts TIMESTAMP, v", '"%s"' % name.replace('"', '""'))
                self.assertEqual(self.one(db, "SELECT ts_insert(%s, 1795418160000, 7)" % self.literal(name)), 1)
                self.assertEqual(self.one(db, "SELECT ts_flush(%s)" % self.literal(name)), 1)
                self.assertEqual(os.listdir(self.path("archive", directory, "2026-11-23"))[0][-7:], ".sqlite")
                other = self.open()
                self.create(other, "", table=name.replace("'", "''"), spool=self.path("other-spool"))
                self.assertEqual(other.execute("SELECT * FROM cpu").fetchall(), [(1795418160000, 7)])
                other.close()
        self.assertEqual(sorted(os.listdir(self.dir)), ["archive", "other-spool", "state"])

    @staticmethod
    def literal(text):
        return "'%s'" % text.replace("'", "''")

    def test_that_are_none(self):
        self.refused('timeseries: ".." cannot be a directory of the archive; name another with table=\'...\'', table="..")
        self.refused('timeseries: "." cannot be a directory of the archive; name another with table=\'...\'', table=".")
        self.refused("timeseries: a table may not be called timeseries_meta in the archive; choose another name with table='...'",
                     table="timeseries_meta")
        self.refused("timeseries: a table may not be called sqlite_x in the archive; choose another name with table='...'",
                     table="sqlite_x")
        self.refused("timeseries: the table's name is longer than 255 bytes as a directory of the archive; name a shorter one with "
                     "table='...'",
                     table="x" * 256)

    def test_case_matters_in_the_archive_and_not_in_sql(self):
        db = self.open()
        self.create(db, "ts TIMESTAMP, v", "lower", table="load")
        self.create(db, "ts TIMESTAMP, v", "upper", table="LOAD")
        db.execute("INSERT INTO Lower VALUES(1, 'l')")
        db.execute("INSERT INTO UPPER VALUES(1, 'u')")
        self.assertEqual(db.execute("SELECT v FROM lower").fetchall(), [("l",)])
        db.execute("SELECT ts_flush('upper'), ts_flush('lower')").fetchone()
        self.assertEqual(db.execute("SELECT v FROM lower UNION ALL SELECT v FROM upper").fetchall(), [("l",), ("u",)])

    def test_renaming_never_moves_data(self):
        path = self.path("main.db")
        db = self.open(path)
        self.create(db, schema="")
        db.execute("INSERT INTO cpu VALUES(1, 'a', 1, 1, NULL)")
        self.assertFails(db, "ALTER TABLE cpu RENAME TO load",
                         "timeseries: cpu is called so in the archive too, and renaming never moves data; drop it and create it under "
                         "the new "
                         "name with table='cpu'")
        self.create(db, "", "a", "", table="cpu")
        db.execute("ALTER TABLE a RENAME TO b")
        self.assertEqual(self.one(db, "SELECT count(*) FROM b"), 1)
        self.assertEqual(self.one(db, "SELECT ts_insert('b', 2, 'a', 1, 1, NULL)"), 1)
        db.execute("DROP TABLE b")
        self.assertEqual(self.one(db, "SELECT count(*) FROM cpu"), 2)
        db.close()
        self.assertEqual(self.one(self.open(path), "SELECT count(*) FROM cpu"), 2)


class Trust(Case):
    def test_views_and_triggers(self):
        db = self.open(self.path("main.db"))
        self.create(db, "ts TIMESTAMP, v", schema="")
        db.executescript("CREATE VIEW rows AS SELECT * FROM cpu; CREATE VIEW now AS SELECT ts('2026-11-23'), ts_text(0);"
                         "CREATE TABLE raw(x); CREATE TRIGGER copy AFTER INSERT ON raw BEGIN INSERT INTO cpu VALUES(new.x, 1); END;")
        db.execute("INSERT INTO raw VALUES(1)")
        self.assertEqual(self.one(db, "SELECT count(*) FROM rows"), 1)
        db.execute("PRAGMA trusted_schema=OFF")
        self.assertFails(db, "INSERT INTO raw VALUES(2)", 'unsafe use of virtual table "cpu"')
        self.assertFails(db, "SELECT * FROM rows", 'unsafe use of virtual table "cpu"')
        self.assertEqual(self.one(db, "SELECT * FROM now"), 1795392000000)
        self.assertEqual(self.one(db, "SELECT count(*) FROM cpu"), 1)
        self.assertEqual(self.one(db, "SELECT ts_insert('cpu', 2, 2)"), 1)

    def test_side_effects_from_top_level_only(self):
        db = self.open(self.path("main.db"))
        self.create(db, "ts TIMESTAMP, v", schema="")
        for call, text in (("ts_insert('cpu', 1, 1)", "unsafe use of ts_insert()"), ("ts_flush('cpu')", "unsafe use of ts_flush()"),
                           ("timeseries_debug()", "unsafe use of timeseries_debug()")):
            db.execute("CREATE VIEW v AS SELECT " + call)
            self.assertFails(db, "SELECT * FROM v", text)
            db.execute("DROP VIEW v")
        for table in ("ts_files('cpu')", "ts_status('cpu')", "ts_last_query()"):
            db.execute("CREATE VIEW v AS SELECT * FROM " + table)
            self.assertFails(db, "SELECT * FROM v", 'unsafe use of virtual table "%s"' % table.split("(")[0])
            db.execute("DROP VIEW v")
        self.assertEqual(self.one(db, "SELECT count(*) FROM cpu"), 0)


class Schemas(Case):
    def test_spool_remembers_while_the_store_is_away(self):
        spool = self.path("spool")
        self.create(self.open(), spool=spool)
        remembers = "timeseries: the declaration of cpu contradicts what the spool %s remembers of it: " % spool
        remedy = "; declare it as before, or choose another table= or spool="
        for columns, text in ((COLUMNS.replace("n INTEGER", "n TEXT"), 'column "n" is TEXT here and INTEGER in the archive'),
                              (COLUMNS.replace("TEXT TAG", "TEXT"), 'column "host" is a TAG in the archive and not here'),
                              (COLUMNS.replace(", note TEXT", ""), 'column "note" is in the archive and not declared here')):
            self.refused(remembers + text + remedy, columns, spool=spool)
        self.refused(remembers + 'column "more" is declared here and missing in the archive; a column is added to an archive with SELECT '
                     "ts_add_column('cpu', '\"more\" REAL') over a table that does not declare it; or leave it out",
                     COLUMNS + ", more REAL", spool=spool)
        self.refused(remembers + "precision is 's' here and 'ms' in the archive" + remedy, spool=spool, precision="s")
        self.refused("timeseries: precision='s' contradicts the archive's 'ms' of cpu; leave the option out", "", spool=spool,
                     precision="s")
        self.refused("timeseries: partition='hour' contradicts the archive's 'day' of cpu; leave the option out", "", spool=spool,
                     partition="hour")

    def test_of_two_first_writers_one_wins_and_nothing_is_lost(self):
        first, second = self.open(), self.open()
        spools = [self.path("spool1"), self.path("spool2")]
        self.create(first, spool=spools[0])
        self.create(second, COLUMNS.replace("v REAL", "v TEXT"), spool=spools[1], flush_timeout="300ms")
        for db in (first, second):
            db.execute("SELECT ts_insert('cpu', 1, 'a', 1, 2, NULL)").fetchone()
        self.assertEqual(self.one(first, "SELECT ts_flush('cpu')"), 1)
        text = ("archive: the declaration of cpu contradicts the archive at %s/cpu: column \"v\" is TEXT here and REAL in the archive; "
                "declare it as "
                "the archive does, or choose another table= or location=" % self.file_location())
        self.assertFails(second, "SELECT ts_flush('cpu')",
                         "ts_flush: gave up after 300 ms without progress (flush_timeout)" + WHEN_GONE % spools[1] + text)
        self.assertFails(second, "SELECT * FROM cpu", text)
        self.assertEqual(second.execute("SELECT buffered_rows, last_error FROM ts_status('cpu')").fetchone(), (1, text))
        self.assertEqual(first.execute("SELECT * FROM cpu").fetchall(), [(1, "a", 1, 2.0, None)])

    def test_one_spool_holds_rows_for_one_location(self):
        spool = self.path("spool")
        db = self.open()
        self.create(db, spool=spool)
        text = ("spool: %s holds rows for %s, not for file://%s; choose another spool= for this location"
                % (spool, self.file_location(), self.path("other")))
        self.refused(text, spool=spool, location="file://" + self.path("other"))
        db.close()
        self.refused(text, spool=spool, location="file://" + self.path("other"))


class Damage(Case):
    """An archive of three days; one file of the first is not what was uploaded."""

    def setUp(self):
        super().setUp()
        db = self.open()
        self.create(db, "ts TIMESTAMP, host TEXT TAG, v REAL")
        db.execute("WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < 299) "
                   "INSERT INTO cpu SELECT ts('2026-11-21') + i * 864000, 'h' || (i % 3), i FROM c")
        self.assertEqual(self.one(db, "SELECT ts_flush('cpu')"), 3)
        db.close()
        day = self.path("archive", "cpu", "2026-11-21")
        (self.name,) = os.listdir(day)
        self.file = os.path.join(day, self.name)
        self.object = "file://" + self.file

    def reader(self):
        db = self.open()
        self.create(db, "ts TIMESTAMP, host TEXT TAG, v REAL", spool=self.path(uuid.uuid4().hex))
        return db

    def assertReadFails(self, text, query="SELECT count(v), sum(v) FROM cpu"):
        db = self.reader()
        self.assertFails(db, query, text)
        self.assertEqual(self.one(db, "SELECT count(*) FROM cpu WHERE ts >= ts('2026-11-22')"), 200, "the others can still be read")
        db.close()

    def edit(self, sql):
        db = sqlite3.connect(self.file)
        db.executescript(sql)
        db.close()
        page_checksums.stamp(self.file)

    def test_bytes_that_are_no_database(self):
        with open(self.file, "rb") as f:
            whole = f.read()
        for data, text in ((b"hello" * 1000, " is not an SQLite database"), (b"", " is empty, not an SQLite database"),
                           (whole[:60], " is not an SQLite database"),
                           (whole[:-4096], " is truncated: %d of %d bytes are there; upload it again" % (len(whole) - 4096, len(whole)))):
            with self.subTest(text):
                with open(self.file, "wb") as f:
                    f.write(data)
                self.assertReadFails("shard: " + self.object + text)

    def test_pages_that_are_garbage(self):
        with open(self.file, "r+b") as f:
            f.seek(4096)
            f.write(b"\xff" * (os.path.getsize(self.file) - 4096))
        self.assertReadFails("shard: page 4 is damaged (its checksum is wrong): %s; restore the object, or empty cache_dir if the object "
                             "itself is whole" % self.object)
        page_checksums.stamp(self.file)
        self.assertReadFails("shard: damaged (cannot run [SELECT value FROM main.timeseries_meta WHERE key=?1]: database disk image is "
                             "malformed): "
                             + self.object)

    def test_wal_mode(self):
        self.edit("PRAGMA journal_mode=WAL")
        self.assertReadFails("shard: " + self.object + " is in WAL mode; run PRAGMA journal_mode=DELETE on it before uploading")

    def edited(self, whole, edits):
        for sql, text in edits:
            with self.subTest(sql):
                with open(self.file, "wb") as f:
                    f.write(whole)
                self.edit(sql)
                text = text % self.object if "%s" in text else "%s: %s" % (text, self.object)
                self.assertReadFails("shard: " + text)

    def test_edits_of_packed_columns(self):
        with open(self.file, "rb") as f:
            whole = f.read()
        self.edited(whole, (
            ("UPDATE timeseries_meta SET value=3 WHERE key='rows'", "timeseries_meta says rows=3 where its name says 100"),
            ("PRAGMA application_id=7", "not a timeseries shard"), ("PRAGMA user_version=0", "unknown format version 0"),
            ("DROP TABLE timeseries_meta", "does not hold the tables of a packed shard"),
            ("DROP TABLE timeseries_meta; CREATE VIEW timeseries_meta AS SELECT 1 AS key, 2 AS value",
             "does not hold the tables of a packed shard"),
            ("DROP TABLE cpu_series", "does not hold the tables of a packed shard"),
            ("CREATE TABLE more(x)", 'holds a table that no packed shard has, "more"'),
            ("CREATE TRIGGER t INSTEAD OF INSERT ON cpu BEGIN SELECT 1; END", 'holds a trigger that no packed shard has, "t"'),
            ("ALTER TABLE cpu_series ADD COLUMN more", "its series table is not what its schema says"),
            ("ALTER TABLE cpu_chunk ADD COLUMN more", 'its chunk table has a column that its schema does not explain, "more"'),
            ("DELETE FROM cpu_chunk WHERE id=(SELECT max(id) FROM cpu_chunk)", "holds 67 rows where its name says 100"),
            ("UPDATE cpu_chunk SET t0=5", "the times of a chunk are not what its directory says"),
            ("UPDATE cpu_chunk SET n=-1", "a chunk has an impossible number of rows"),
            ("UPDATE cpu_chunk SET v_scale=-1.0", "damaged chunk in %s: an impossible scale")))

    def test_edits(self):
        plain = self.path("plain.sqlite")  # the same shard as format 1
        self.reader().execute("SELECT ts_unpack(?, ?)", (self.file, plain)).fetchone()
        with open(plain, "rb") as f:
            whole = f.read()
        name_says = "timeseries_meta says %s where its name says %s"
        self.edited(whole, (
                ("UPDATE timeseries_meta SET value=3 WHERE key='rows'", name_says % ("rows=3", "100")),
                ("DELETE FROM timeseries_meta WHERE key='start'", name_says % ("start=", "1795219200000")),
                ("UPDATE timeseries_meta SET value='mem' WHERE key='table'", name_says % ("table=mem", "cpu")),
                ("UPDATE timeseries_meta SET value='s' WHERE key='precision'", name_says % ("precision=s", "ms")),
                ("UPDATE timeseries_meta SET value='2026-11-22' WHERE key='partition'", name_says % ("partition=2026-11-22", "2026-11-21")),
                ("UPDATE timeseries_meta SET value=replace(value, 'REAL', 'TEXT') WHERE key='schema'",
                 "its schema contradicts the table's: column \"v\" is REAL here and TEXT in the archive"),
                ("PRAGMA application_id=7", "not a timeseries shard"), ("PRAGMA user_version=0", "unknown format version 0"),
                ("ALTER TABLE cpu RENAME TO real; CREATE VIEW cpu AS SELECT * FROM real", "does not hold the two tables of a shard"),
                ("CREATE TRIGGER t AFTER INSERT ON cpu BEGIN SELECT 1; END", "does not hold the two tables of a shard"),
                ("DROP TABLE timeseries_meta", "does not hold the two tables of a shard"),
                ("ALTER TABLE cpu RENAME COLUMN v TO w", 'its table is not what its schema says, from column "w" on'),
                ("ALTER TABLE cpu ADD COLUMN w AS (v * 2)", 'its table is not what its schema says, from column "w" on'),
                ("CREATE TABLE c AS SELECT ts, host FROM cpu; DROP TABLE cpu; ALTER TABLE c RENAME TO cpu",
                 'its table is not what its schema says, from column "ts" on'),
                ("CREATE TABLE c(ts INTEGER, host TEXT); DROP TABLE cpu; ALTER TABLE c RENAME TO cpu", 'its table lacks the column "v"'),
                ("DELETE FROM cpu WHERE v=3", "holds 99 rows where its name says 100"),
                ("UPDATE cpu SET ts=5 WHERE v=3", "a row's time lies outside the range its name says"),
                ("UPDATE cpu SET ts='x' WHERE v=3", "damaged (a row without a time)"),
                ("UPDATE cpu SET ts=NULL WHERE v=3", "damaged (a row without a time)")))
        with open(self.file, "wb") as f:
            f.write(whole)
        self.edit("PRAGMA user_version=7")
        self.assertReadFails("shard: written by a newer version (format 7); upgrade timeseries: " + self.object)

    def test_names(self):
        renamed = self.file.replace("100rows", "101rows")
        os.rename(self.file, renamed)
        self.assertReadFails("shard: timeseries_meta says rows=100 where its name says 101: file://" + renamed)
        os.makedirs(self.path("archive", "cpu", "2026-11-20"))
        moved = self.path("archive", "cpu", "2026-11-20", self.name)
        os.rename(renamed, moved)
        self.assertReadFails("archive: a shard's name contradicts itself or its partition: file://" + moved)

    def while_paused(self, failpoint, query, meanwhile):
        """The query's rows or error; `meanwhile` runs when it has come to the failpoint."""
        pause = self.path("pause")
        self.setenv("TIMESERIES_FAILPOINT", "%s=pause:%s" % (failpoint, pause))
        db = self.connect(so=support.WITH_FAILPOINTS, check_same_thread=False)
        self.create(db, "ts TIMESTAMP, host TEXT TAG, v REAL", spool=self.path(uuid.uuid4().hex))
        outcome = []

        def run():
            try:
                outcome.append(db.execute(query).fetchall())
            except sqlite3.Error as e:
                outcome.append(str(e))

        thread = threading.Thread(target=run)
        thread.start()
        while thread.is_alive() and not os.path.exists(pause):
            time.sleep(0.001)
        meanwhile()
        self.setenv("TIMESERIES_FAILPOINT", None)
        os.remove(pause)
        thread.join()
        return outcome[0]

    def test_a_file_that_vanishes_before_the_first_row_is_listed_no_more(self):
        for query, answer in (("SELECT count(*), sum(v) FROM cpu", [(200, 39900.0)]),
                              ("SELECT count(*) FROM (SELECT v FROM cpu WHERE v >= 0 ORDER BY ts LIMIT 1000)", [(200,)]),
                              ("SELECT host, count(*) FROM cpu GROUP BY host ORDER BY 1", [("h0", 66), ("h1", 67), ("h2", 67)])):
            with self.subTest(query):
                found = self.while_paused("snapshot.listed", query, lambda: os.rename(self.file, self.path("away")))
                self.assertEqual(found, answer)
                os.rename(self.path("away"), self.file)

    def test_a_file_that_vanishes_after_the_list(self):
        db = self.open()
        self.create(db, "ts TIMESTAMP, host TEXT TAG, v REAL")
        # More newer files than are fetched ahead: the one that goes was not looked at yet.
        db.execute("WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < 79) "
                   "INSERT INTO cpu SELECT ts('2026-12-01') + i * 86400000, 'h', i FROM c")
        self.assertEqual(self.one(db, "SELECT ts_flush('cpu')"), 80)
        db.close()
        db = self.reader()
        rows = db.execute("SELECT ts FROM cpu ORDER BY ts DESC")
        self.assertIsNotNone(rows.fetchone())
        os.rename(self.file, self.path("away"))
        with self.assertRaises(sqlite3.Error) as caught:
            rows.fetchall()
        self.assertEqual(str(caught.exception), "file store: the file is gone although it was listed: " + self.object)

    def test_foreign_files_are_ignored(self):
        archive = self.path("archive")
        for name in ("cpu/2026-11-21/README.txt", "cpu/2026-11-21/x.sqlite", "cpu/notes.md", "cpu/other/" + self.name,
                     "cpu/2026-11-21/deep/" + self.name,
                     "cpu2/merge-1"):
            os.makedirs(os.path.dirname(os.path.join(archive, name)), exist_ok=True)
            shutil.copy(self.file, os.path.join(archive, name))
        self.assertEqual(self.reader().execute("SELECT count(*), sum(v) FROM cpu").fetchone(), (300, 44850.0))

    def test_reserved_names_are_of_a_newer_version(self):
        for name in ("merge-000001.json", "index", "2026-11-21/index.bin", "schema-x", "schema-2.json"):
            with self.subTest(name):
                path = self.path("archive", "cpu", name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w") as f:
                    f.write("{}")
                db = self.reader()
                self.assertFails(db, "SELECT count(*) FROM cpu",
                                 "archive: written by a newer version (unknown object file://%s); upgrade timeseries" % path)
                db.close()
                os.remove(path)
        path = self.path("archive", "cpu", "schema-000002.json")
        with open(path, "w") as f:
            f.write('{"format":3}')
        self.assertFails(self.reader(), "SELECT count(*) FROM cpu", "schema: archive written by a newer version, its format is 3 and "
                                                                    "this version reads 1 and 2: "
                         "file://" + path)
        with open(path, "w") as f:
            f.write("{")
        self.assertFails(self.reader(), "SELECT count(*) FROM cpu", "schema: does not parse as JSON: file://" + path)


class Forwarder(threading.Thread):
    """Makes a closed port an open one: what comes in goes to another server of this machine."""

    def __init__(self, port, target):
        super().__init__(daemon=True)
        self.target, self.server = target, socket.create_server(("127.0.0.1", port))
        self.start()

    def run(self):
        while True:
            try:
                client = self.server.accept()[0]
            except OSError:
                return
            upstream = socket.create_connection(self.target)
            for a, b in ((client, upstream), (upstream, client)):
                threading.Thread(target=self.copy, args=(a, b), daemon=True).start()

    @staticmethod
    def copy(a, b):
        try:
            while data := a.recv(65536):
                b.sendall(data)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Stores(Case):
    """What S3 refuses, with a writer whose rows wait until it no longer does."""

    def setUp(self):
        super().setUp()
        self.location = self.s3_location()
        self.endpoint = os.environ["S3_ENDPOINT"]
        self.spool = self.path("spool")

    def writer(self, timeout="300ms", location=None, rows=1, **options):
        db = self.open()
        self.create(db, "ts TIMESTAMP, v REAL", location=location or self.location, spool=self.spool, flush_timeout=timeout, **options)
        for i in range(rows):
            self.assertEqual(self.one(db, "SELECT ts_insert('cpu', %d, 0.5)" % i), 1)
        return db

    def assertWaiting(self, db, cause, flush=None):
        """Every way to ask names the cause, and the row is safe."""
        gave_up = "ts_flush: gave up after 300 ms without progress (flush_timeout)" + WHEN_GONE % self.spool
        self.assertFailsLike(db, "SELECT ts_flush('cpu')", gave_up + (flush or cause))
        self.assertFailsLike(db, "SELECT * FROM cpu", cause)
        self.assertEqual(self.one(db, "SELECT buffered_rows FROM ts_status('cpu')"), 1)

    def assertArrives(self):
        db = self.writer("60s", rows=0)
        self.assertEqual(self.one(db, "SELECT buffered_rows FROM ts_status('cpu')"), 1)
        self.assertEqual(self.one(db, "SELECT ts_flush('cpu')"), 1)
        self.assertEqual(db.execute("SELECT * FROM cpu").fetchall(), [(0, 0.5)])
        self.assertEqual(db.execute("SELECT buffered_rows, uploads, last_error FROM ts_status('cpu')").fetchone(), (0, 1, None))

    def test_closed_port(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        self.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:%d" % port)
        db = self.writer(timeout="100ms")
        cause = ("s3: connection refused by 127.0.0.1:%d: %s/cpu/schema-; check that the server runs and is reachable (N tries in S s)"
                 % (port, self.location))
        with self.assertRaises(sqlite3.Error) as caught:
            db.execute("SELECT ts_flush('cpu')").fetchall()
        gave_up, why = vary(str(caught.exception)).split("when the cause is gone: ")
        self.assertEqual(gave_up + "when the cause is gone: ", "ts_flush: gave up after 100 ms without progress "
                                                               "(flush_timeout)" + WHEN_GONE % self.spool)
        self.assertIn(why, ("no answer yet from " + self.location, cause,  # while it still tries, and after it
                            "a writer of this spool is stopped in the middle of a transaction"))  # not even sealed in that time
        self.assertFailsLike(db, "SELECT * FROM cpu", cause)
        self.assertFailsLike(self.open(), "CREATE VIRTUAL TABLE temp.cpu USING timeseries(location='%s', spool='%s')"
                             % (self.location, self.path("s2")), cause)
        db.close()
        host, real = self.endpoint.split("//")[1].split(":")
        forwarder = Forwarder(port, (host, int(real)))
        self.addCleanup(forwarder.server.close)
        self.assertArrives()

    def test_no_such_host(self):
        self.setenv("AWS_ENDPOINT_URL_S3", "http://no-such-host.invalid")
        db = self.writer()
        with self.assertRaises(sqlite3.Error) as caught:
            db.execute("SELECT * FROM cpu").fetchall()
        self.assertIn("s3: the host name no-such-host.invalid cannot be resolved: %s/cpu/schema-; check its spelling and DNS"
                      % self.location,
                      str(caught.exception))

    def test_no_such_bucket(self):
        bucket = "t" + uuid.uuid4().hex
        self.location = "s3://%s/metrics" % bucket
        db = self.writer()
        self.assertWaiting(db, "s3: the bucket does not exist (HTTP 404 NoSuchBucket): %s/cpu/schema-; create it, or check its name and "
                               "the endpoint"
                           % self.location)
        db.close()
        subprocess.run(["curl", "-sf", "-o", os.devnull, "-X", "PUT", "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", "--aws-sigv4",
                        "aws:amz:us-east-1:s3",
                        "-u", "%s:%s" % (os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]), "%s/%s"
                        % (self.endpoint, bucket)], check=True, env=dict(os.environ, LD_PRELOAD=""))  # no sanitizer in curl
        self.assertArrives()

    def refusal(self, what, after):
        return "s3: %s: %s/cpu/schema-%s; %s" % (what, self.location, "%s", after)

    def test_wrong_secret(self):
        right = os.environ["AWS_SECRET_ACCESS_KEY"]
        self.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
        db = self.writer()
        text = self.refusal("the server refuses the signature: the secret key does not belong to the access key (HTTP 403 "
                            "SignatureDoesNotMatch)",
                            "check AWS_SECRET_ACCESS_KEY")
        self.assertWaiting(db, text % "", text % "000001.json")
        db.close()
        self.setenv("AWS_SECRET_ACCESS_KEY", right)
        self.assertArrives()

    def test_wrong_key(self):
        right = os.environ["AWS_ACCESS_KEY_ID"]
        self.setenv("AWS_ACCESS_KEY_ID", "WRONG")
        db = self.writer()
        text = self.refusal("the server does not know the access key (HTTP 403 InvalidAccessKeyId)",
                            "check AWS_ACCESS_KEY_ID and that it belongs to this endpoint")
        self.assertWaiting(db, text % "", text % "000001.json")
        db.close()
        self.setenv("AWS_ACCESS_KEY_ID", right)
        self.assertArrives()

    def test_no_credentials(self):
        right = {name: os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
        files = [self.path("credentials"), self.path("config")]
        for name, value in zip(("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"), files):
            self.setenv(name, value)
        for name in right:
            self.setenv(name, None)
        db = self.writer()
        self.assertWaiting(
            db, "s3: no credentials found: looked at the environment (AWS_ACCESS_KEY_ID is not set), web identity "
                "(AWS_WEB_IDENTITY_TOKEN_FILE is not set), "
                "profile 'default' (not found in %s and %s), the container (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set) and the "
                "instance metadata "
                "(disabled); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write anonymous=1 for a public bucket" % tuple(files))
        db.close()
        for name, value in right.items():
            self.setenv(name, value)
        self.assertArrives()

    def test_forbidden(self):
        db = self.writer(anonymous=1)
        text = self.refusal("access denied (HTTP 403 AccessDenied)", "the credentials need %s there")
        self.assertWaiting(db, text % ("", "s3:ListBucket"), text % ("000001.json", "s3:PutObject"))
        db.close()
        self.assertArrives()

    def test_no_such_profile(self):
        with open(self.path("credentials"), "w") as f:
            f.write("[other]\naws_access_key_id=a\naws_secret_access_key=b\n")
        self.setenv("AWS_SHARED_CREDENTIALS_FILE", self.path("credentials"))
        self.setenv("AWS_CONFIG_FILE", self.path("config"))
        self.refused("s3: there is no profile 'mine' in %s and %s; check its name" % (self.path("credentials"), self.path("config")),
                     location=self.location, profile="mine")

    def test_of_two_first_writers_one_wins_on_s3(self):
        first = self.writer("60s")
        second = self.open()
        self.spool = self.path("spool2")
        self.create(second, "ts TIMESTAMP, v REAL, more TEXT", location=self.location, spool=self.spool, flush_timeout="300ms")
        second.execute("SELECT ts_insert('cpu', 0, 0.5, 'x')").fetchone()
        self.assertEqual(self.one(first, "SELECT ts_flush('cpu')"), 1)
        self.assertWaiting(second, "archive: the declaration of cpu contradicts the archive at %s/cpu: column \"more\" is declared here "
                                   "and missing in the archive; a column is added to an archive with SELECT ts_add_column('cpu', "
                                   "'\"more\" TEXT') over a table that does not declare it; or leave it out" % self.location)


class Spools(Case):
    def child(self, code, wrapper=()):
        """Python in another process, perhaps under a wrapper; its output."""
        prelude = ("import os, sqlite3, sys\nsys.path.insert(0, %r)\nfrom python import support\ndb = "
                   "support.connect(isolation_level=None)\n"
                   "def text(sql):\n  try: return str(db.execute(sql).fetchall())\n  except sqlite3.Error as e: return str(e)\n"
                   % os.path.join(support.ROOT, "tests"))
        done = subprocess.run([*wrapper, sys.executable, "-c", prelude + code], text=True, capture_output=True,
                              timeout=60 * support.PATIENCE,
                              env=support.environment())
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.splitlines()

    def declaration(self, spool, **options):
        options = dict(options, location=self.file_location(), spool=spool)
        return "CREATE VIRTUAL TABLE temp.cpu USING timeseries(ts TIMESTAMP, v, %s)" % ", ".join("%s='%s'" % o for o in options.items())

    def test_read_only(self):
        # Root may write anywhere; without that capability it is an owner like any other.
        wrapper = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
        spool = self.path("spool")
        db = self.open()
        db.execute(self.declaration(spool, flush_on_close="never"))
        db.execute("SELECT ts_insert('cpu', 1, 1)").fetchone()
        db.close()
        directories = [spool, spool + "/open", spool + "/sealed"]
        for directory in directories:
            os.chmod(directory, 0o500)
        try:
            out = self.child("print(text(%r))\nprint(text(%r))" % (self.declaration(self.path("spool", "new")), self.declaration(spool)
                                                                   .replace("temp.cpu", "temp.cpu2")), wrapper)
        finally:
            for directory in directories:
                os.chmod(directory, 0o700)
        self.assertEqual(out[0], "spool: file: cannot create directory: %s/new: Permission denied; check the permissions there; choose a "
                                 "directory that "
                         "this user can write with spool='/path'" % spool)
        db = self.open()
        db.execute(self.declaration(spool))
        self.assertEqual(db.execute("SELECT * FROM cpu").fetchall(), [(1, 1)])

    def test_turns_read_only_under_a_writer(self):
        wrapper = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
        spool = self.path("spool")
        out = self.child("""
spool = %r
def mode(bits):
  for directory in (spool, spool + '/open', spool + '/sealed'): os.chmod(directory, bits)
print(text(%r))
print(text("SELECT ts_insert('cpu', 1, 1)"))
mode(0o500)
print(text("SELECT ts_flush('cpu')"))
stored = 0
for i in range(5):
  stored += text("SELECT ts_insert('cpu', 2, 2)") == '[(1,)]'
mode(0o700)
print(text("SELECT ts_flush('cpu') > 0"))
print(text("SELECT count(*) - %%d FROM cpu" %% stored))
""" % (spool, self.declaration(spool, flush_timeout="500ms")), wrapper)
        self.assertEqual(out[:2], ["[]", "[(1,)]"])
        self.assertEqual(re.sub(r"/[0-9A-Z]{26}", "/ID", out[2]), "ts_flush: gave up after 500 ms without progress "
                                                                  "(flush_timeout)" + WHEN_GONE % spool
                         + "cannot open %s/sealed/ID.tmp: unable to open database file" % spool)
        self.assertEqual(out[3:], ["[(1,)]", "[(1,)]"])

    def test_limit(self):
        spool, archive = self.path("spool"), self.path("archive")
        db = self.open()
        db.execute(self.declaration(spool, spool_limit="1MB", flush_timeout="60s"))
        full = ("timeseries: the spool is full: %s holds N bytes, spool_limit is 1048576; what waits there goes to file://%s: ts_status "
                "says what hinders "
                "it, or raise spool_limit" % (spool, archive))
        os.rmdir(archive)
        open(archive, "w").close()  # no directory: nothing can be stored
        insert = "INSERT INTO cpu VALUES(%d, zeroblob(600000))"
        db.execute(insert % 1)
        self.assertFailsLike(db, insert % 2, full)
        self.assertFailsLike(db, "SELECT ts_insert('cpu', 2, zeroblob(600000))", full)
        db.execute("BEGIN")
        db.execute(insert % 2)
        self.assertFailsLike(db, "COMMIT", full)
        self.assertFalse(db.in_transaction)
        try:
            db.execute(insert % 2)
        except sqlite3.OperationalError as e:
            self.assertEqual(e.sqlite_errorcode if hasattr(e, "sqlite_errorcode") else sqlite3.SQLITE_FULL, sqlite3.SQLITE_FULL)
        deadline = time.monotonic() + 20 * support.PATIENCE
        error = None
        while error is None and time.monotonic() < deadline:
            error = self.one(db, "SELECT last_error FROM ts_status('cpu')")
        self.assertEqual(error, "file store: cannot open the directory (Not a directory): file://%s" % archive)
        os.remove(archive)
        os.mkdir(archive)
        self.assertEqual(self.one(db, "SELECT ts_flush('cpu')"), 1)
        while time.monotonic() < deadline:  # the local copy goes a moment after the flush
            try:
                db.execute(insert % 2)
                break
            except sqlite3.OperationalError:
                time.sleep(0.01)
        self.assertEqual(db.execute("SELECT ts, length(v) FROM cpu ORDER BY ts").fetchall(), [(1, 600000), (2, 600000)])

    def test_full_disk(self):
        disk = self.path("disk")
        os.mkdir(disk)
        wrapper = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o size=4m tmpfs "$0" && exec "$@"', disk]
        if subprocess.run([*wrapper, "true"], capture_output=True).returncode != 0:
            self.skipTest("needs a mount of its own: run as root")
        out = self.child("""
print(text(%r))
stored = 0
for i in range(100):
  answer = text("SELECT ts_insert('cpu', %%d, zeroblob(100000))" %% i)
  if answer != '[(1,)]': break
  stored += 1
print(0 < stored < 100)
print(answer)
print(text("SELECT count(*) - %%d FROM cpu" %% stored))
import subprocess
subprocess.run(["mount", "-o", "remount,size=8m", %r], check=True)
print(text("SELECT count(*) - %%d FROM cpu" %% stored))
""" % (self.declaration(disk + "/spool", flush_on_close="never"), disk), wrapper)
        self.assertEqual(out[:2], ["[]", "True"])
        self.assertRegex(out[2], r"^(spool: cannot write to [0-9A-Z]{26}\.db: database or disk is full|cannot run .*: database or disk "
                                 r"is full|file: cannot \w+: .*: No space left on device; make room there)")
        # Without a free byte a query may fail, never answer wrongly; with room again every row is there.
        self.assertRegex(out[3], r"^\[\(0,\)\]$|disk I/O error|disk is full|No space left on device")
        self.assertEqual(out[4], "[(0,)]")


class RemoteFiles(Case):
    def test_the_sentence_behind_unable_to_open_database_file(self):
        # In a process of its own: the VFSs s3 and http belong to whichever module a process loads first.
        for uri, text in (("file:s3://bucket?vfs=s3", "vfs s3: not the name of an object: s3://bucket; write "
                                                      "file:s3://bucket/key.sqlite?vfs=s3, and for a "
                           "local file add ?vfs=unix"),
                          ("file:s3://bucket/x.sqlite?vfs=s3&secret=hunter2",
                           "vfs s3: unknown parameter 'secret': s3://bucket/x.sqlite; known are endpoint, "
                           "region, anonymous and hedge, secrets come from the environment"),
                          ("file:https://host/?vfs=http", "vfs http: not the URL of a file: https://host/; write "
                                                          "file:https://host/x.sqlite?vfs=http, and for "
                           "a local file add ?vfs=unix")):
            with self.subTest(uri):
                done = support.python("import sqlite3\ndb = support.connect()\n"
                                      "try: sqlite3.connect(%r, uri=True).execute('SELECT * FROM sqlite_schema')\n"
                                      "except sqlite3.OperationalError as e: print(e)\n"
                                      "print(db.execute('SELECT timeseries_debug()').fetchone()[0])" % uri)
                lines = done.stdout.splitlines()
                self.assertEqual(lines[0], "unable to open database file")
                self.assertEqual(lines[-1], "last VFS error: " + text)


if __name__ == "__main__":
    unittest.main()
