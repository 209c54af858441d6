# locf, ema and session_id over whole partitions, over frames that move, with NULL, late rows, infinities and what is no number.
import math
import random

from . import support

FRAMES = {"ROWS UNBOUNDED PRECEDING": lambda i, n: range(i + 1), "ROWS 4 PRECEDING": lambda i, n: range(max(0, i - 4), i + 1),
          "ROWS BETWEEN 2 PRECEDING AND 3 FOLLOWING": lambda i, n: range(max(0, i - 2), min(n, i + 4)),
          "ROWS BETWEEN 5 PRECEDING AND 3 PRECEDING": lambda i, n: range(max(0, i - 5), max(0, i - 2)),
          "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING": lambda i, n: range(n)}


def locf(rows):
    return next((v for _, v in reversed(rows) if v is not None), None)


def ema(rows, alpha):
    level = None
    for _, v in rows:
        if v is not None:
            level = v if level is None else level + alpha * (v - level)
    return level


def ema_by_time(rows, half_life):
    level = before = None
    for ts, v in sorted((r for r in rows if r[1] is not None), key=lambda r: r[0]):
        share = 1 if level is None else 1 - 2.0 ** (-(ts - before) / half_life)
        level, before = (v if share == 1 else level + share * (v - level)), ts
    return level


def sessions(rows, gap):
    times = sorted(ts for ts, _ in rows)
    return 1 + sum(b - a > gap for a, b in zip(times, times[1:])) if times else None


class WindowFunctions(support.TimeseriesCase):
    def setUp(self):
        super().setUp()
        self.db = self.connect()
        self.db.execute("CREATE TABLE s(n INTEGER PRIMARY KEY, ts, v)")

    def over(self, call, frame, rows):
        self.db.execute("DELETE FROM s")
        self.db.executemany("INSERT INTO s(ts, v) VALUES(?, ?)", rows)
        return [x for (x,) in self.db.execute("SELECT %s OVER (ORDER BY n %s) FROM s ORDER BY n" % (call, frame))]

    def assertSame(self, got, wanted, what):
        for i, (g, w) in enumerate(zip(got, wanted)):
            near = g == w or (g is not None and w is not None and abs(g - w) <= 1e-12 * abs(w))
            self.assertTrue(near, "%s, row %d: %r, not %r" % (what, i, g, w))
        self.assertEqual(len(got), len(wanted))

    def test_every_frame_answers_as_its_rows_alone(self):
        r = random.Random(5)
        for late in (False, True):
            rows = [(i * 1000 + r.choice([0, 0, 700] + [-2500] * late), r.choice([None, r.gauss(0, 1), r.randrange(3)])) for i in range(60)]
            for frame, of in FRAMES.items():
                frames = [[rows[j] for j in of(i, len(rows))] for i in range(len(rows))]
                for call, fold in (("locf(v)", locf), ("ema(v, 0.25)", lambda f: ema(f, 0.25)), ("ema(v, 1)", lambda f: ema(f, 1)),
                                   ("ema(v, ts, 1500)", lambda f: ema_by_time(f, 1500)),
                                   ("session_id(ts, 1000)", lambda f: sessions(f, 1000)),
                                   ("session_id(ts, '1s')", lambda f: sessions(f, 1000))):
                    self.assertSame(self.over(call, frame, rows), [fold(f) for f in frames], (call, frame, late))

    def test_session_id_numbers_sessions(self):
        rows = [(0, None), (5, None), (30, None), (60, None), (91, None), (None, None), (200, None)]
        self.assertEqual(self.over("session_id(ts, 30)", "", rows), [1, 1, 1, 1, 2, 2, 3])
        self.assertEqual(self.over("session_id_ns(ts, '30ns')", "", rows[::-1]), [1, 1, 2, 3, 3, 3, 3])  # as many as the rows before make
        self.assertEqual(self.over("session_id(ts, 1)", "", [(-2 ** 63, None), (2 ** 63 - 1, None)]), [1, 2])
        self.assertEqual(self.over("session_id(ts, 1)", "", [(None, None), (7, None)]), [None, 1])
        self.assertEqual(self.over("session_id(ts, NULL)", "", rows[:2]), [None, None])

    def test_locf_keeps_types(self):
        rows = [(0, None), (1, "a"), (2, None), (3, b"\0"), (4, None), (5, 2 ** 63 - 1), (6, None), (7, 0.5), (8, None)]
        got = self.over("locf(v)", "", rows)
        self.assertEqual(got, [None, "a", "a", b"\0", b"\0", 2 ** 63 - 1, 2 ** 63 - 1, 0.5, 0.5])
        self.assertEqual(self.over("locf(v)", "ROWS 1 PRECEDING", rows[1:4] + [(4, None), (5, None)]), ["a", "a", b"\0", b"\0", None])

    def test_ema_by_time_and_its_units(self):
        for suffix, second in (("", 10 ** 3), ("_s", 1), ("_us", 10 ** 6), ("_ns", 10 ** 9)):
            rows = [(0, 8), (second, 0), (3 * second, 0), (3 * second, 100), (4 * second, 1)]
            self.assertEqual(self.over("ema%s(v, ts, %d)" % (suffix, second), "", rows), [8, 4, 1, 1, 1], suffix)
        self.assertEqual(self.db.execute("SELECT ema(v, ts, 1000) FROM (SELECT 8 AS v, 0 AS ts UNION ALL SELECT 0, 1000 ORDER BY 2 DESC)")
                         .fetchone()[0], 4)
        self.assertFails(self.db, "SELECT ema(1, ts_s('2026-11-23'), 5)",
                         "ema: the time counts 's' and the function 'ms'; use the form of the time's unit")

    def test_infinities_and_huge_numbers(self):
        rows = [(0, 1), (1, math.inf), (2, 1), (3, -math.inf), (4, 1)]
        self.assertEqual(self.over("ema(v, 0.5)", "", rows), [1, math.inf, math.inf, None, None])
        self.assertEqual(self.over("ema(v, 0.5)", "", [(0, 1e308), (1, -1e308), (2, 5)]), [1e308, 0, 2.5])
        self.assertEqual(self.over("ema(v, 0.1)", "", [(i, 0.3) for i in range(9)]), [0.3] * 9)

    def test_groups_without_an_answer_are_null(self):
        for call in ("locf(v)", "ema(v, 0.5)", "ema(v, ts, 5)", "session_id(ts, 5)"):
            self.assertEqual(self.db.execute("SELECT %s FROM s" % call).fetchone(), (None,))
            self.assertEqual(self.over(call, "", [(None, None)]), [None])
        self.assertEqual(self.over("ema(v, NULL)", "", [(0, 1)]), [None])
        self.assertEqual(self.over("ema(v, ts, NULL)", "", [(0, 1)]), [None])

    def test_what_has_no_meaning_is_an_error(self):
        for call, message in (
                ("ema('x', 0.5)", 'ema: "x" is no number; CAST it to REAL'),
                ("ema(1, 0)", "ema: alpha 0 lies not above 0 and up to 1"),
                ("ema(1, 1.5)", "ema: alpha 1.5 lies not above 0 and up to 1"),
                ("ema(1, 1, 0)", "ema: the half-life 0 is no length of time; give a number of the ts's units"),
                ("ema(1, 1, 9e999)", "ema: the half-life Inf is no length of time; give a number of the ts's units"),
                ("ema(1, 'x', 1)", 'ema: the time "x" is no whole number; ts(\'...\') makes one from text'),
                ("session_id(0.5, 1)", "session_id: the time 0.5 is no whole number; ts('...') makes one from text"),
                ("session_id(1, '1 month')", "session_id: months and years are of no fixed length; write days")):
            self.assertFails(self.db, "SELECT " + call, message)
        self.over("locf(v)", "", [(1, 1), (2, 0.5)])
        self.assertFails(self.db, "SELECT ema(v, v) FROM s", "ema: alpha must be the same in all rows of a group; add it to GROUP BY")
        self.assertFails(self.db, "SELECT session_id(ts, ts) FROM s",
                         "session_id: the gap must be the same in all rows of a group; add it to GROUP BY")
