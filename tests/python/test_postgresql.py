# PostgreSQL as an oracle: date_trunc and date_bin of time_bucket, and the aggregates of SQL:2003, over random times and numbers.
#
# The pinned answers are tests/data/postgresql/*.json, made by ask.py beside them. In make check a server is asked, with other seeds.
import datetime
import json
import os
import zoneinfo

from . import postgresql, support

BUCKETS = 500  # a seed
FORMS = {"_s": 10 ** 9, "": 10 ** 6, "_us": 10 ** 3, "_ns": 1}


def wall_clock(us, zone):
    """What a clock of the zone shows, and whether for the second time."""
    local = (postgresql.EPOCH + datetime.timedelta(microseconds=us)).astimezone(zoneinfo.ZoneInfo(zone))
    return local.replace(tzinfo=None, fold=0), local.fold


class Postgresql(support.TimeseriesCase):
    def ours(self, db, kind, width, ts, zone, origin):
        """The start in microseconds, which the forms of all units agree on in which the times are whole."""
        text, starts = postgresql.UNITS[width] if kind == "trunc" else "%ds" % width, set()
        for form, nanos in FORMS.items():
            times = [time * 1000 for time in (ts, origin) if time is not None]
            if any(time % nanos for time in times):
                continue
            counted = [time // nanos for time in times]
            arguments = (text, counted[0], *([zone] if zone else []), *counted[1:])
            call = "SELECT time_bucket%s(%s)" % (form, ",".join("?" * len(arguments)))
            starts.add(db.execute(call, arguments).fetchone()[0] * nanos)
        self.assertEqual(len(starts), 1, (kind, width, ts, zone, origin, starts))
        return starts.pop() // 1000

    def check(self, asked, answers):
        """How many buckets begin at a time that is shown twice, where ours is the first and PostgreSQL's the second."""
        self.assertEqual(len(asked), len(answers))
        db, twice, differ = self.connect(), 0, []
        for one, theirs in zip(asked, answers):
            ours, (kind, _, _, zone, _) = self.ours(db, *one), one
            if ours == theirs:
                continue
            if kind in ("trunc", "local"):
                (our_clock, our_fold), (their_clock, their_fold) = wall_clock(ours, zone), wall_clock(theirs, zone)
                if our_clock == their_clock and our_fold == 0 and their_fold == 1:
                    twice += 1
                    continue
            differ.append((one, ours - theirs))
        self.assertEqual(differ, [])
        return twice

    def check_statistics(self, asked, answers):
        """The number of answers."""
        self.assertEqual(len(asked), len(answers))
        db = self.connect()
        for (p, rows), theirs in zip(asked, answers):
            calls = list(postgresql.STATISTICS)
            ours = db.execute("SELECT %s FROM %s" % (", ".join(calls) % {"p": p}, postgresql.rows_sql(rows, "REAL"))).fetchone()
            # PostgreSQL's sums are rounded.
            rest = 1e-10 * max((abs(value) for row in rows for value in row if value is not None), default=0)
            for call, a, b in zip(calls, ours, theirs):
                self.assertTrue(a == b or None not in (a, b) and abs(a - b) <= 1e-9 * abs(b) + rest, (call, p, rows, a, b))
        return len(answers) * len(postgresql.STATISTICS)

    def test_pinned_statistics_of_postgresql_are_ours(self):
        with open(os.path.join(support.ROOT, "tests/data/postgresql/statistics.json"), encoding="utf-8") as f:
            rows = json.load(f)["groups"]
        self.assertGreater(self.check_statistics([row[:2] for row in rows], [row[2] for row in rows]), 1000)

    def test_pinned_answers_of_postgresql_are_ours_but_for_times_shown_twice(self):
        with open(os.path.join(support.ROOT, "tests/data/postgresql/answers.json"), encoding="utf-8") as f:
            rows = json.load(f)["buckets"]
        self.assertEqual({row[0] for row in rows}, {"trunc", "bin", "local", "short"})
        self.assertGreater(self.check([row[:5] for row in rows], [row[5] for row in rows]), 0)

    if support.ORACLE_SEEDS:
        def test_a_postgresql_asked_now_answers_as_we_do(self):
            postgresql.require()
            asked = [one for _ in range(support.ORACLE_SEEDS) for one in postgresql.buckets(int.from_bytes(os.urandom(4), "big"), BUCKETS)]
            with postgresql.Server() as server:
                answers = postgresql.ask(server, asked)
                groups = [one for _ in range(support.ORACLE_SEEDS) for one in postgresql.groups(int.from_bytes(os.urandom(4), "big"), 20)]
                statistics = postgresql.ask_statistics(server, groups)
            print("%d buckets of PostgreSQL compared, %d begin at a time shown twice" % (len(asked), self.check(asked, answers)))
            print("%d statistics of PostgreSQL compared" % self.check_statistics(groups, statistics))
