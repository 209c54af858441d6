# README.md is true: its runnable blocks run and print what it says, everything that can be called or set is in it, and every
# error text of its troubleshooting table occurs.
#
# A block fenced ```sql run goes through the stock sqlite3 shell on metrics.db, ```python run through Python, ```sh run through
# bash, in the README's order, in one directory that holds timeseries.so. A ```text block that follows at once is the output.
# file:///tmp/metrics-archive becomes a directory of the test; a shard's writer and id are replaced on both sides.
import json
import os
import re
import shutil
import sqlite3
import struct
import subprocess
import sys
import unittest

from . import page_checksums, support

README = os.path.join(support.ROOT, "README.md")
ARCHIVE = "/tmp/metrics-archive"
WRITER_AND_ID = re.compile(r"_[A-Za-z0-9.-]+_[0-7][0-9A-HJKMNP-TV-Z]{25}\.sqlite")


def readme():
    with open(README, encoding="utf-8") as f:
        return f.read()


def reference():
    with open(os.path.join(support.ROOT, "docs/FUNCTIONS.md"), encoding="utf-8") as f:
        return f.read()


def runnable(page):
    """(line, language, code, expected output or None) of every runnable block."""
    fence = re.compile(r"^```(\w+)( run)?\n(.*?)^```\n", re.M | re.S)
    blocks = list(fence.finditer(page))
    for i, block in enumerate(blocks):
        if not block[2]:
            continue
        after = blocks[i + 1] if i + 1 < len(blocks) else None
        adjacent = after and after[1] == "text" and not page[block.end():after.start()].strip()
        yield page.count("\n", 0, block.start()) + 1, block[1], block[3], after[3] if adjacent else None


def forms_by_unit(arguments):
    """The suffixes of a function with such arguments in docs/FUNCTIONS.md."""
    return ("", "_s", "_us", "_ns") if re.search(r"\b(ts|width|from)\b", arguments) else ("",)


def in_reference():
    """The functions of docs/FUNCTIONS.md with their forms by unit."""
    sections = re.findall(r"^### (\w+)\((.*)\)$", reference(), re.M)
    return {name + suffix for name, arguments in sections for suffix in forms_by_unit(arguments)}


def troubleshooting():
    """The texts of the table, as the user is told to look for them."""
    section = readme().split("\n## Troubleshooting\n")[1].split("\n## ")[0]
    return [text for line in section.splitlines() if line.startswith("| `") for text in re.findall(r"`([^`]+)`", line.split(" | ")[0])]


class Readme(support.TimeseriesCase):
    def run_block(self, language, code):
        code = code.replace(ARCHIVE, self.path("archive"))
        command = {"sql": ["sqlite3", "-batch", "-bail", "metrics.db"], "python": [sys.executable, "-"], "sh": ["bash", "-e"]}[language]
        # What bash runs here is stock; and a bash of Debian does not bear ThreadSanitizer's runtime.
        env = support.environment(LD_PRELOAD=None) if language == "sh" else support.environment()
        done = subprocess.run(command, input=code, text=True, capture_output=True, cwd=self.dir, env=env, timeout=60 * support.PATIENCE)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_blocks_print_what_it_says(self):
        os.symlink(support.PRODUCT, self.path("timeseries.so"))
        blocks = list(runnable(readme()))
        self.assertGreater(len(blocks), 4)
        for line, language, code, expected in blocks:
            output = self.run_block(language, code)
            if expected is not None:
                self.assertEqual(WRITER_AND_ID.sub("_WRITER_ID.sqlite", output), WRITER_AND_ID.sub("_WRITER_ID.sqlite", expected),
                                 "README.md:%d" % line)

    def test_links_lead_somewhere(self):
        headings = {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in re.findall(r"^#+ (.*)$", readme(), re.M)}
        for target in re.findall(r"\]\(([^)]+)\)", readme()):
            if target.startswith("#"):
                self.assertIn(target[1:], headings)
            elif "://" not in target:
                self.assertTrue(os.path.exists(os.path.join(support.ROOT, target)), target)

    def assertDocumented(self, names):
        self.assertTrue(names)
        text = readme()
        self.assertEqual([name for name in sorted(names) if not re.search(r"(?<![\w])%s(?![\w])" % re.escape(name), text)], [])

    def test_names_every_function_and_module(self):
        plain = sqlite3.connect(":memory:")
        self.addCleanup(plain.close)
        loaded = self.connect()
        for what in ("function", "module"):
            names = [{name for (name,) in db.execute("SELECT name FROM pragma_%s_list" % what)} for db in (plain, loaded)]
            self.assertDocumented(names[1] - names[0] - in_reference())

    def test_the_reference_has_a_section_for_each_function_and_no_other(self):
        db = self.connect()
        known = {name for what in ("function", "module") for (name,) in db.execute("SELECT name FROM pragma_%s_list" % what)}
        self.assertEqual(sorted(in_reference() - known), [])

    def test_examples_of_the_reference_print_what_it_says(self):
        examples = [(line, code, expected) for line, _, code, expected in runnable(reference())]
        self.assertGreater(len(examples), 2)
        for line, code, expected in examples:
            self.assertEqual(support.shell(code)[0], expected, "FUNCTIONS.md:%d" % line)

    def test_names_every_column_of_the_tables_of_facts(self):
        db = self.connect()
        db.execute("CREATE VIRTUAL TABLE temp.cpu USING timeseries(ts TIMESTAMP, location='%s')" % self.file_location())
        for table in ("ts_files('cpu')", "ts_status('cpu')", "ts_verify('cpu')", "ts_last_query()",
                      "ts_expire('cpu', 0)"):
            self.assertDocumented({"`%s`" % column[0] for column in db.execute("SELECT * FROM " + table).description})

    def test_names_every_option_and_its_default(self):
        db = self.connect()
        with self.assertRaises(sqlite3.OperationalError) as caught:
            db.execute("CREATE VIRTUAL TABLE temp.t USING timeseries(ts TIMESTAMP, nonsense=1)")
        options = str(caught.exception).split("the options are ")[1].split(", ")
        self.assertGreater(len(options), 10)
        rows = re.findall(r"^\| `(\w+)` \|", readme().split("\n### Options\n")[1].split("\n### ")[0], re.M)
        self.assertEqual(rows, options)

    def test_twins_of_options_are_read_from_the_environment(self):
        self.setenv("TIMESERIES_LOCATION", self.file_location())
        self.setenv("TIMESERIES_PARTITION", "fortnight")
        self.assertFails(self.connect(), "CREATE VIRTUAL TABLE temp.t USING timeseries(ts TIMESTAMP)",
                         "timeseries: TIMESERIES_PARTITION: \"fortnight\" is none of 'hour', 'day', 'month'")
        self.setenv("TIMESERIES_PARTITION", "month")
        db = self.connect(isolation_level=None)
        db.execute("CREATE VIRTUAL TABLE temp.t USING timeseries(ts TIMESTAMP)")
        db.execute("INSERT INTO t VALUES('2026-11-23')")
        db.execute("SELECT ts_flush('t')").fetchone()
        self.assertEqual(sorted(os.listdir(self.path("archive", "t"))), ["2026-11", "schema-000001.json"])

    def test_every_text_of_the_troubleshooting_table_is_one_that_test_errors_meets(self):
        """Tests of errors assert whole messages; each text of the table must be part of one of them."""
        from . import test_errors, test_evolution, test_explain, test_fan_out, test_publish, test_rollup
        met = ""
        for module in (test_errors, test_evolution, test_explain, test_fan_out, test_publish, test_rollup):
            with open(module.__file__, encoding="utf-8") as f:
                met += f.read()
        met = re.sub(r'"\s*\n\s*"', "", met).replace("\\\"", "\"").replace("%%", "%")
        met = re.sub(r"\"\s*%\s*\"", "", met)
        self.assertEqual([text for text in troubleshooting() if text not in met], [])


class Unreadable(support.TimeseriesCase):
    """What the README says about comparisons of the time with text that nobody can notice."""

    SILENT = ["ts < '2026-11-22' OR v + 0 > 1e9", "NOT ts < '2026-11-22'", "ts NOT IN ('2026-11-22')",
              "ts NOT BETWEEN '2026' AND '2027-01'",
              "CASE WHEN ts < '2026-11-22' THEN 1 END", "+ts < '2026-11-22'", "ts + 0 < '2026-11-22'",
              "ts LIKE '2026%'"]
    NOTICED = ["ts < '2026-11-22'", "'2026-11-22' > ts", "ts = '2026-11-22'", "ts <> '2026-11-22'", "ts IS '2026-11-22'",
               "ts IS NOT '2026-11-22'",
               "ts BETWEEN '2026-11-22' AND '2027'", "ts IN ('2026-11-22', '2026-11-23')", "(ts, v) > ('2026-11-22', 1)",
               "ts > (SELECT '2026-11-22')", "ts IN (SELECT '2026-11-22')", "ts > date('2026-11-22')", "ts > CAST('2026-11-22' AS TEXT)"]

    def setUp(self):
        super().setUp()
        self.db = self.connect(isolation_level=None)
        self.db.execute("CREATE VIRTUAL TABLE temp.cpu USING timeseries(ts TIMESTAMP, v REAL, location='%s')" % self.file_location())
        self.db.execute("CREATE TABLE plain(ts INTEGER, v REAL)")
        for table in ("cpu", "plain"):
            self.db.execute("INSERT INTO %s VALUES(1795219200000, 1), (1795318200000, 2)" % table)

    def test_follow_the_rules_of_an_ordinary_table(self):
        for condition in self.SILENT:
            with self.subTest(condition):
                answers = [self.db.execute("SELECT count(*) FROM %s WHERE %s" % (t, condition)).fetchone() for t in ("cpu", "plain")]
                self.assertEqual(answers[0], answers[1])
        for expression in ("count(*) FILTER (WHERE ts < '2026-11-22')", "sum(ts < '2026-11-22')"):
            answers = [self.db.execute("SELECT %s FROM %s" % (expression, t)).fetchone() for t in ("cpu", "plain")]
            self.assertEqual(answers[0], answers[1])

    def test_are_an_error_everywhere_else(self):
        for condition in self.NOTICED:
            with self.subTest(condition):
                self.assertFails(self.db, "SELECT count(*) FROM cpu WHERE " + condition,
                                 "timeseries: column \"ts\" of cpu is a time and cannot be compared with the text '2026-11-22'; "
                                 "write ts('2026-11-22')")
        for query in ("SELECT * FROM cpu a LEFT JOIN cpu b ON b.ts = '2026-11-22'",
                      "SELECT * FROM cpu a CROSS JOIN cpu b WHERE b.ts = '2026-11-22'",
                      "SELECT * FROM (SELECT ts FROM cpu) WHERE ts > '2026-11-22'"):
            with self.subTest(query):
                self.assertFails(self.db, query, "timeseries: column \"ts\" of cpu is a time and cannot be compared with the text "
                                                 "'2026-11-22'; "
                                 "write ts('2026-11-22')")


def write_rows(db, location, spool):
    db.execute("CREATE VIRTUAL TABLE temp.cpu USING timeseries(ts TIMESTAMP, host TEXT NOT NULL COLLATE NOCASE TAG, usage REAL "
               "DEFAULT 0.5, any, location='%s', spool='%s', flush_on_close='never')" % (location, spool))
    rows = [(1795219200000 + i * 7000000, "wEb"[i % 3:], [None, 1, 2.5, "x", b"\x00"][i % 5],
             [None, 1, 2.5, "x", b"\x00"][i % 4]) for i in range(60)]
    rows += [(1795564800000, "once %d" % i, None, "once") for i in range(8)]  # packing pays where a series has rows
    rows += [(1795651200000 + i * i, "h%d" % (i % 2), i / 8 if i < 700 else 0.1 ** (i % 9), (-1) ** i << i % 62) for i in range(1900)]
    db.execute("BEGIN")
    db.executemany("INSERT INTO cpu VALUES(?, ?, ?, ?)", rows)
    db.execute("COMMIT")
    return db


class Format(support.TimeseriesCase):
    """docs/FORMAT.md is enough: a reader that knows nothing else gets the same rows."""

    NAME = re.compile(r"(\d{8}T\d{6}\.\d{3}Z)_(\d{8}T\d{6}\.\d{3}Z)_([1-9]\d*)rows_([A-Za-z0-9.-]+)_([0-7][0-9A-HJKMNP-TV-Z]{25})\.sqlite")

    @staticmethod
    def count(text):
        """Milliseconds of the form in names, by SQLite's own arithmetic."""
        iso = "%s-%s-%sT%s:%s:%s" % (text[:4], text[4:6], text[6:8], text[9:11], text[11:13], text[13:15])
        seconds = sqlite3.connect(":memory:").execute("SELECT CAST(strftime('%s', ?) AS INTEGER)", (iso,)).fetchone()[0]
        return seconds * 1000 + int(text[16:19])

    def setUp(self):
        super().setUp()
        self.versions = set()

    def read(self, archive, table):
        directory = os.path.join(archive, table)
        with open(os.path.join(directory, max(n for n in os.listdir(directory) if n.startswith("schema-"))), encoding="utf-8") as f:
            schema = json.load(f)
        self.assertEqual((schema["format"], schema["precision"], schema["partition"], schema["time"]), (1, "ms", "day", "ts"))
        rows = []
        for partition in sorted(n for n in os.listdir(directory) if not n.startswith("schema-")):
            for name in sorted(os.listdir(os.path.join(directory, partition))):
                rows += self.read_shard(os.path.join(directory, partition, name), partition, self.NAME.fullmatch(name), schema)
        return rows

    def read_shard(self, path, partition, name, schema):
        start, end, count = self.count(name[1]), self.count(name[2]), int(name[3])
        with open(path, "rb") as f:
            data = f.read()
        header, version = data[:100], data[63]
        self.assertEqual((header[20], page_checksums.damaged(data)), (8, []))
        self.assertEqual((header[18], header[19], header[60:63], header[68:72]), (1, 1, bytes(3), b"TSe1"))
        db = sqlite3.connect(path)
        self.addCleanup(db.close)
        meta = dict(db.execute("SELECT key, value FROM timeseries_meta"))
        self.assertEqual(json.loads(meta.pop("schema")), schema)
        self.assertEqual(meta, {"format": version, "table": "cpu", "partition": partition, "precision": "ms", "time_column": "ts",
                                "start": start, "end": end, "rows": count, "writer": name[4], "id": name[5], "checksum": "cksumvfs"})
        rows = {1: self.plain_rows, 2: self.packed_rows}[version](db, schema, count)
        order = [c["name"] for c in schema["columns"]]
        host, ts = order.index("host"), order.index("ts")
        self.assertEqual([(row[host], row[ts]) for row in rows], sorted((row[host], row[ts]) for row in rows))
        self.assertTrue(all(type(row[ts]) is int for row in rows))
        self.assertEqual((min(row[ts] for row in rows), max(row[ts] for row in rows), len(rows)), (start, end, count))
        self.versions.add(version)
        return rows

    def plain_rows(self, db, schema, count):
        self.assertEqual([tuple(row) for row in db.execute("SELECT type, name FROM sqlite_schema ORDER BY name")],
                         [("table", "cpu"), ("table", "timeseries_meta")])
        columns = db.execute("SELECT name, type FROM pragma_table_xinfo('cpu')").fetchall()
        self.assertEqual(columns, [(c["name"], c["type"]) for c in schema["columns"]])
        self.assertEqual([r for (r,) in db.execute("SELECT rowid FROM cpu")], list(range(1, count + 1)))
        return db.execute("SELECT * FROM cpu ORDER BY rowid").fetchall()

    def packed_rows(self, db, schema, count):
        """The chunks, decoded by the document's formula and not by the view."""
        def elements(blob, width, wanted):
            bits = int.from_bytes(blob, "big")
            total = 8 * len(blob)
            return [bits >> (total - (k + 1) * width) & ((1 << width) - 1) for k in range(wanted)]

        db.row_factory = sqlite3.Row
        values = {}
        if db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'cpu_value'").fetchone():
            values = {v["id"]: v["v"] for v in db.execute("SELECT * FROM cpu_value")}
        tags = [c["name"] for c in schema["columns"] if c.get("tag")]
        rows = []
        for series in db.execute("SELECT * FROM cpu_series ORDER BY first_chunk").fetchall():
            chunks = db.execute("SELECT * FROM cpu_chunk WHERE id BETWEEN ? AND ? ORDER BY id",
                                (series["first_chunk"], series["last_chunk"]))
            for c in chunks.fetchall():
                self.assertEqual(c["id"], len(rows) + 1)
                n, columns = c["n"], {}
                for name in (column["name"] for column in schema["columns"] if column["name"] not in tags):
                    def part(suffix, default):
                        return c[name + suffix] if name + suffix in c.keys() else default

                    base = part("_base", c["t0"] if name == "ts" else 0)
                    if base is None:
                        columns[name] = [None] * n
                        continue
                    step, width = part("_step", 0), part("_bits", 0)
                    mini = elements(part("_mini", b"\0"), part("_mbits", 0), ((n - 1) >> step) + 1)
                    data = elements(part("_data", b"\0"), width, n)
                    null = part("_null", None)
                    scale = part("_scale", None)
                    column = []
                    for i in range(n):
                        if null is not None and data[i] == (1 << width) - 1:
                            column.append(None)
                            continue
                        integer = base + part("_slope", 0) * i + mini[i >> step] + data[i]
                        if integer >= 1 << 63:
                            integer -= 1 << 64
                        if scale == "value":
                            column.append(values[integer])
                        elif scale == "ieee":
                            column.append(struct.unpack(">d", struct.pack(">q", integer))[0])
                        else:
                            column.append(integer if scale is None else integer / scale)
                    columns[name] = column
                self.assertEqual((columns["ts"][0], columns["ts"][-1]), (c["t0"], c["t1"]))
                for i in range(n):
                    rows.append(tuple(series[d["name"]] if d["name"] in tags else columns[d["name"]][i] for d in schema["columns"]))
        return rows

    def write(self):
        """A connection, 1,968 rows of every class committed through it, nothing flushed."""
        return write_rows(self.connect(isolation_level=None), self.file_location(), self.path("spool"))

    def test_a_reader_made_from_the_document_reads_the_same(self):
        db = self.write()
        self.assertGreater(db.execute("SELECT ts_flush('cpu')").fetchone()[0], 1)
        mine, theirs = self.read(self.path("archive"), "cpu"), db.execute("SELECT * FROM cpu").fetchall()
        self.assertEqual(len(mine), 1968)
        self.assertEqual(self.versions, {1, 2})
        self.assertEqual(sorted(map(repr, mine)), sorted(map(repr, theirs)))

    def test_rows_on_the_disk_of_a_dead_machine_can_be_saved(self):
        self.assertKilled(support.python("""
import os, signal
from python import test_readme
db = test_readme.write_rows(support.connect(isolation_level=None), *sys.argv[1:])
os.kill(os.getpid(), signal.SIGKILL)""", self.file_location(), self.path("spool"), check=False))
        shutil.copytree(self.path("spool"), self.path("copy"))
        db = self.connect(isolation_level=None)
        db.execute("CREATE VIRTUAL TABLE temp.cpu USING timeseries(table='cpu', location='%s', spool='%s')"
                   % (self.file_location(), self.path("copy")))
        self.assertGreater(db.execute("SELECT ts_flush('cpu')").fetchone()[0], 1)
        self.assertEqual(len(self.read(self.path("archive"), "cpu")), 1968)


if __name__ == "__main__":
    unittest.main()
