# Archives with merge records and merged files: what SQL sees of them is what it saw before the merge, and what ts_verify says of each.
import glob
import json
import os
import shutil
import unittest

from . import support

T = 1795392000000  # 2026-11-23
DAY = 86400000
QUERIES = (
    "SELECT ts, host, v FROM cpu",
    "SELECT ts, host, v FROM cpu ORDER BY ts",
    "SELECT ts, host, v FROM cpu ORDER BY ts DESC LIMIT 25",
    "SELECT ts, host, v FROM cpu ORDER BY ts LIMIT 25",
    "SELECT ts, host, v FROM cpu ORDER BY host, ts",
    "SELECT min(ts), max(ts), count(*), sum(v) FROM cpu",
    "SELECT host, count(*), sum(v) FROM cpu WHERE ts >= %d AND ts < %d GROUP BY host" % (T + DAY // 2, T + DAY + DAY // 2),
    "SELECT ts, host, rows, v_sum, v_last FROM cpu_hourly",
    "SELECT a.ts FROM cpu a JOIN cpu b ON a.ts = b.ts AND a.host = b.host WHERE a.v > 20",
)


def ulid_of(path):
    return path[-33:-7]


class Merged(support.TimeseriesCase):
    def setUp(self):
        super().setUp()
        self.db = self.table("archive")
        self.rows = [(T + day * DAY + i * 60000, "web%d" % (i % 3), day * 100 + i * 0.25) for day in range(3) for i in range(100)]
        for part in range(5):
            self.write(self.db, self.rows[part::5])
        self.db.execute("CREATE VIRTUAL TABLE cpu_hourly USING timeseries_rollup(cpu, '1 hour')")

    def table(self, archive, spool=None, options=""):
        db = self.connect(isolation_level=None)
        db.execute("CREATE VIRTUAL TABLE cpu USING timeseries(ts TIMESTAMP, host TEXT TAG, v REAL, location='%s', spool='%s'%s)"
                   % (self.file_location(archive), self.path(spool or archive + "-spool"), options))
        return db

    def write(self, db, rows):
        db.execute("BEGIN")
        db.executemany("INSERT INTO cpu VALUES(?,?,?)", rows)
        db.execute("COMMIT")
        db.execute("SELECT ts_flush('cpu')").fetchall()

    def shards(self, day):
        return sorted(glob.glob(self.path("archive", "cpu", day, "2*.sqlite")))

    def merge(self, day, remove=True, sequence=1):
        """All shards of a day become one file, made by sealing their rows elsewhere, and a record says so."""
        shards = self.shards(day)
        rows = self.db.execute("SELECT ts, host, v FROM cpu WHERE ts >= ts(?) AND ts < ts(?, '+1 day')", (day, day)).fetchall()
        elsewhere = self.table("made-%s-%d" % (day, sequence))
        self.write(elsewhere, rows)
        elsewhere.close()
        (made,) = glob.glob(self.path("made-%s-%d" % (day, sequence), "cpu", day, "*.sqlite"))
        folder = self.path("archive", "cpu", day)
        os.makedirs(folder + "/merged", exist_ok=True)
        shutil.copy(made, folder + "/merged/")
        name = os.path.basename(made)
        record = {"format": 1, "table": "cpu", "partition": day, "sequence": sequence, "id": "01KAQ5Z8K3M2T4V6X8Z0B2D4F6",
                  "live": [{"name": name, "bytes": os.path.getsize(made), "etag": "of-where-it-was-made"}],
                  "dead": [{"remove_from_ms": T, "ids": "".join(sorted(map(ulid_of, shards)))}]}
        with open("%s/merge-%06d.json" % (folder, sequence), "w") as f:
            json.dump(record, f)
        if remove:
            for shard in shards:
                os.unlink(shard)
        return "cpu/%s/merged/%s" % (day, name)

    def answers(self):
        return [sorted(self.db.execute(sql).fetchall()) for sql in QUERIES]

    def test_every_query_says_what_it_said_before(self):
        before = self.answers()
        self.assertEqual(len(before[0]), 300)
        self.merge("2026-11-24")
        self.assertEqual(self.answers(), before)
        merged = self.merge("2026-11-23", remove=False)
        self.assertEqual(self.answers(), before)
        self.assertEqual(self.db.execute("SELECT count(*) FROM cpu WHERE _file = ?", (merged,)).fetchone(), (100,))
        self.assertEqual(self.db.execute("SELECT rows, state FROM ts_files('cpu') WHERE name = ?", (merged,)).fetchall(), [(100, "stored")])
        self.assertEqual(self.db.execute("SELECT count(*), sum(rows) FROM ts_files('cpu')").fetchone(), (7, 300))
        self.db.execute("SELECT count(*) FROM cpu").fetchall()
        self.assertEqual(self.db.execute("SELECT files_listed, files_read FROM ts_last_query()").fetchone(), (7, 7))

    def test_late_rows_are_seen_beside_the_merged_file(self):
        self.merge("2026-11-23")
        self.write(self.db, [(T + 5, "web9", 1.0)])
        self.assertEqual(self.db.execute("SELECT count(*) FROM cpu").fetchone(), (301,))
        self.assertEqual(self.db.execute("SELECT ts, host FROM cpu ORDER BY ts LIMIT 2 OFFSET 1").fetchone(), (T + 5, "web9"))

    def test_the_newest_rows_are_found_without_reading_older_records(self):
        for day in ("2026-11-23", "2026-11-24", "2026-11-25"):
            self.merge(day)
        other = self.table("archive", "other-spool", ", max_staleness='0'")
        self.assertEqual(other.execute("SELECT ts FROM cpu ORDER BY ts DESC LIMIT 1").fetchone(), (T + 2 * DAY + 99 * 60000,))
        self.assertEqual(other.execute("SELECT files_listed, files_read FROM ts_last_query()").fetchone(), (1, 1))

    def test_a_statement_whose_listing_is_outdated_plans_again(self):
        young = self.table("archive", options=", max_staleness='1h'")
        self.assertEqual(young.execute("SELECT count(*) FROM cpu").fetchone(), (300,))
        self.merge("2026-11-23")  # and the shards are gone
        self.assertEqual(young.execute("SELECT count(*), sum(v) FROM cpu").fetchone(), self.db.execute("SELECT 300, sum(v) FROM cpu")
                         .fetchone())

    def test_a_file_whose_answer_was_lost_and_that_was_merged_counts_once_on_its_own_machine(self):
        before = self.db.execute("SELECT count(*), sum(v) FROM cpu").fetchone()
        # As after a lost answer: the object lies there, and the spool knows of the attempt only.
        shard = self.shards("2026-11-23")[0]
        shutil.copy(shard, self.path("archive-spool", "sealed", "again.sqlite"))
        spool = support.connect(self.path("archive-spool", "spool.db"))
        spool.execute("UPDATE sealed SET state='attempted', file='again.sqlite', local=1 WHERE key LIKE ?",
                      ("%" + os.path.basename(shard),))
        spool.commit()
        spool.close()
        self.merge("2026-11-23", remove=False)
        for sql in ("SELECT count(*), sum(v) FROM cpu", "SELECT count(*), sum(v) FROM (SELECT * FROM cpu ORDER BY ts DESC LIMIT 1000)",
                    "SELECT sum(rows), sum(v_sum) FROM cpu_hourly"):
            self.assertEqual(self.db.execute(sql).fetchone(), before, sql)

    def test_verify_knows_what_counts(self):
        merged = self.merge("2026-11-23", remove=False)
        unnamed = self.path("archive", "cpu", "2026-11-23", "merged", os.path.basename(merged)[:-9] + "XX.sqlite")
        shutil.copy(self.path("archive", merged), unnamed)
        states = self.db.execute("SELECT state, count(*) FROM ts_verify('cpu') GROUP BY 1 ORDER BY 1").fetchall()
        self.assertEqual(states, [("dead", 5), ("ok", 12), ("unnamed", 1)])
        self.assertEqual(self.db.execute("SELECT DISTINCT problem FROM ts_verify('cpu') WHERE state='dead'").fetchall(),
                         [("it was merged or has expired, and does not count; to be removed from 2026-11-23T00:00:00.000Z on",)])
        self.assertEqual(self.db.execute("SELECT state FROM ts_verify('cpu') WHERE name=?", (merged,)).fetchall(), [("ok",)])
        os.unlink(self.path("archive", merged))
        self.assertEqual(self.db.execute("SELECT name, state, problem FROM ts_verify('cpu') WHERE state NOT IN ('ok', 'dead', 'unnamed')")
                         .fetchall(), [(merged, "missing", "the partition's merge record 1 names it and it is not there: queries fail")])
        with self.assertRaisesRegex(Exception, "merged/"):
            self.db.execute("SELECT count(v) FROM cpu").fetchall()

    def test_a_damaged_record_makes_its_partition_an_error_that_names_it(self):
        self.merge("2026-11-23")
        path = self.path("archive", "cpu", "2026-11-23", "merge-000002.json")
        with open(path, "w") as f:
            f.write("{}")
        self.assertFails(self.db, "SELECT count(*) FROM cpu", "merge record: lacks \"format\": file://" + path)
        self.assertEqual(self.db.execute("SELECT count(*) FROM cpu WHERE ts >= ts('2026-11-24')").fetchone(), (200,))
        self.assertEqual(self.db.execute("SELECT state, problem FROM ts_verify('cpu') WHERE name LIKE '%000002.json'").fetchall(),
                         [("damaged", "merge record: lacks \"format\": file://" + path)])


if __name__ == "__main__":
    unittest.main()
