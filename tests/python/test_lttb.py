# lttb against the algorithm of Steinarsson's thesis, written down here by itself.
import json
import math
import random

from . import support


def reference(points, n):
    """Largest-Triangle-Three-Buckets over [(x, y)] in the order of x."""
    if n >= len(points):
        return points
    origin = points[0][0]  # small numbers, so that a tie is one for both
    points = [(x - origin, y) for x, y in points]
    kept = [points[0]]
    for i in range(n - 2):
        low, high, end = ((i + k) * (len(points) - 2) // (n - 2) + 1 for k in (0, 1, 2))
        behind = points[high:min(end, len(points))] or points[-1:]
        x, y = (sum(p[k] for p in behind) / len(behind) for k in (0, 1))
        a = kept[-1]
        kept.append(max(points[low:high], key=lambda p: abs((a[0] - x) * (p[1] - a[1]) - (a[0] - p[0]) * (y - a[1]))))
    return [(x + origin, y) for x, y in kept + [points[-1]]]


class Lttb(support.TimeseriesCase):
    def setUp(self):
        super().setUp()
        self.db = self.connect()
        self.db.execute("CREATE TABLE s(v, ts)")

    def lttb(self, rows, n, suffix=""):
        self.db.execute("DELETE FROM s")
        self.db.executemany("INSERT INTO s VALUES(?, ?)", [(v, ts) for ts, v in rows])
        text = self.db.execute("SELECT lttb%s(v, ts, ?) FROM s" % suffix, (n,)).fetchone()[0]
        return text and [tuple(point) for point in json.loads(text)]

    def test_keeps_the_points_of_the_algorithm_in_any_order_of_rows(self):
        rng = random.Random(17)
        for _ in range(200):
            count = rng.randrange(1, 200)
            rows, ts = [], 0
            for _ in range(count):
                ts += rng.choice([0, 1, 1, 5, 1000])
                rows.append((ts, rng.randrange(-50, 50)))
            n = rng.randrange(2, 60)
            wanted = reference(rows, n)
            self.assertEqual(self.lttb(rows, n), wanted, (rows, n))
            order = list(range(count))
            rng.shuffle(order)
            if len({ts for ts, _ in rows}) == count:
                self.assertEqual(self.lttb([rows[i] for i in order], n, rng.choice(["", "_s", "_us", "_ns"])), wanted)

    def test_few_samples_are_kept_whole_and_two_points_are_the_ends(self):
        self.assertIsNone(self.lttb([], 5))
        self.assertIsNone(self.lttb([(1, None), (None, 1)], 5))
        self.assertEqual(self.lttb([(7, 0.1)], 5), [(7, 0.1)])
        rows = [(i, i * i) for i in range(9)]
        self.assertEqual((self.lttb(rows, 9), self.lttb(rows, 1_000_000), self.lttb(rows, 2)), (rows, rows, [rows[0], rows[-1]]))
        self.assertIsNone(self.lttb(rows, None))

    def test_a_spike_survives(self):
        rows = [(i, 0.0) for i in range(100_000)]
        rows[31_415] = (31_415, 1.0)
        self.assertIn((31_415, 1.0), self.lttb(rows, 100))
        self.assertEqual(len(self.lttb(rows, 100)), 100)

    def test_huge_and_infinite_values_are_points_too(self):
        rows = [(-(2 ** 63) + 1, 1e308), (0, -1e308), (5, math.inf), (6, 1), (2 ** 63 - 1, 0)]
        got = self.lttb(rows, 3)
        self.assertEqual((got[0], got[-1], got[1] in rows), (rows[0], rows[-1], True))
        self.assertEqual(self.lttb(rows, 5), rows)

    def test_answers_over_windows_as_over_their_frames(self):
        rows = [(i, i * 7 % 5) for i in range(30)]
        self.lttb(rows, 2)
        over = self.db.execute("SELECT lttb(v, ts, 4) OVER (ORDER BY ts ROWS 9 PRECEDING) FROM s").fetchall()
        for n, (text,) in enumerate(over):
            self.assertEqual([tuple(p) for p in json.loads(text)], reference(rows[max(0, n - 9):n + 1], 4))

    def test_is_json_for_sqlite(self):
        self.assertEqual(self.db.execute("SELECT json_array(lttb(1, 2, 3))").fetchone()[0], "[[[2,1]]]")

    def test_what_is_no_sample_or_number_of_points_is_an_error(self):
        for call, message in (("lttb('x', 1, 5)", 'lttb: "x" is no number; CAST it to REAL'),
                              ("lttb(1, 1, 1)", "lttb: 1 is no number of points; write 2 to 1000000"),
                              ("lttb(1, 1, 1000001)", "lttb: 1000001 is no number of points; write 2 to 1000000"),
                              ("lttb(1, ts_s('2026-11-23'), 5)",
                               "lttb: the time counts 's' and the function 'ms'; use the form of the time's unit")):
            self.assertFails(self.db, "SELECT " + call, message)
