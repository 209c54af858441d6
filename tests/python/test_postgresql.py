# PostgreSQL as an oracle of time_bucket: date_trunc and date_bin over random times, zones, widths and origins.
#
# The pinned answers are tests/data/postgresql/answers.json, made by ask.py beside it. In make check a server is asked, with other seeds.
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
            print("%d buckets of PostgreSQL compared, %d begin at a time shown twice" % (len(asked), self.check(asked, answers)))
