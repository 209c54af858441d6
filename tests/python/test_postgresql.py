# PostgreSQL as an oracle of time_bucket: date_trunc and date_bin over random times, zones, widths and origins.
#
# The pinned answers are tests/data/postgresql/answers.json, made by ask.py beside it. In make check a server is asked, with other seeds.
import datetime
import json
import os
import zoneinfo

from . import postgresql, support

BUCKETS = 500  # a seed


def wall_clock(us, zone):
    """What a clock of the zone shows, and whether for the second time."""
    local = (postgresql.EPOCH + datetime.timedelta(microseconds=us)).astimezone(zoneinfo.ZoneInfo(zone))
    return local.replace(tzinfo=None, fold=0), local.fold


class Postgresql(support.TimeseriesCase):
    def ours(self, db, kind, width, ts, zone, origin):
        text = postgresql.UNITS[width] if kind == "trunc" else "%ds" % width
        more = [argument for argument in (zone, origin) if argument is not None]
        return db.execute("SELECT time_bucket_us(%s)" % ",".join("?" * (2 + len(more))), (text, ts, *more)).fetchone()[0]

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
