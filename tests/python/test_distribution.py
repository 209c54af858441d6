# The distribution functions against Python's statistics and NumPy, and where rows are none, one, NULL, infinite or of the wrong kind.
import json
import math
import random
import statistics

import numpy  # Debian's python3-numpy

from . import support

ONE = ["quantile(v, 0.5)", "percentile_cont(v, 0.5)", "median(v)", "mad(v)", "stddev_pop(v)", "stddev_samp(v)", "var_pop(v)", "var_samp(v)"]
TWO = ["covar_pop(v, w)", "covar_samp(v, w)", "corr(v, w)", "regr_slope(v, w)", "regr_intercept(v, w)", "regr_r2(v, w)"]
BUCKETS = ["histogram_quantile(0.5, w, v)", "histogram_fraction(0, 1, w, v)"]


class Distribution(support.TimeseriesCase):
    def setUp(self):
        super().setUp()
        self.db = self.connect()
        self.db.execute("CREATE TABLE s(n INTEGER PRIMARY KEY, v, w)")

    def fill(self, v, w=None):
        self.db.execute("DELETE FROM s")
        self.db.executemany("INSERT INTO s(v, w) VALUES(?, ?)", list(zip(v, w or [None] * len(v))))

    def ask(self, call, order="n"):
        return self.db.execute("SELECT %s FROM (SELECT * FROM s ORDER BY %s)" % (call, order)).fetchone()[0]

    def assertNear(self, got, wanted, what):
        self.assertTrue(got == wanted or abs(got - wanted) <= 1e-12 * abs(wanted), "%s: %r, not %r" % (what, got, wanted))

    def samples(self, seed):
        r = random.Random(seed)
        n = r.choice([2, 3, 10, 101, 1000])
        kind = r.choice([lambda: r.gauss(0, 1), lambda: r.gauss(1e9, 1e-3), lambda: r.expovariate(1e-6), lambda: r.randrange(-5, 5)])
        v = [kind() for _ in range(n)]
        return r, v, [r.gauss(0, 1) * 1e3 + 0.1 * x for x in v]

    def test_one_variable_as_pythons_statistics(self):
        for seed in range(60):
            _, v, _ = self.samples(seed)
            self.fill(v)
            middle = statistics.median(v)
            wanted = {"median(v)": middle, "mad(v)": statistics.median(abs(x - middle) for x in v), "var_pop(v)": statistics.pvariance(v),
                      "var_samp(v)": statistics.variance(v), "stddev_pop(v)": statistics.pstdev(v), "stddev_samp(v)": statistics.stdev(v)}
            for call, answer in wanted.items():
                self.assertNear(self.ask(call), answer, (seed, call))
            self.assertEqual(self.ask("mode(v)"), min(statistics.multimode(v)), seed)

    def test_quantiles_and_pairs_as_numpy(self):
        for seed in range(60):
            r, v, w = self.samples(seed)
            self.fill(v, w)
            for p in (0, 0.25, 0.5, 0.99, 1, r.random()):
                for name in ("quantile", "percentile_cont"):
                    self.assertNear(self.ask("%s(v, %r)" % (name, p)), float(numpy.quantile(v, p)), (seed, name, p))
            y, x = [numpy.array(z, dtype=numpy.longdouble) - numpy.longdouble(z[0]) for z in (v, w)]
            cov = ((y - y.mean()) * (x - x.mean())).sum()
            slope = cov / ((x - x.mean()) ** 2).sum()
            r_value = cov / numpy.sqrt(((x - x.mean()) ** 2).sum() * ((y - y.mean()) ** 2).sum())
            for call, answer in (("covar_pop(v, w)", cov / len(v)), ("covar_samp(v, w)", cov / (len(v) - 1)), ("regr_slope(v, w)", slope),
                                 ("corr(v, w)", r_value), ("regr_r2(v, w)", r_value ** 2),
                                 ("regr_intercept(v, w)", y.mean() + v[0] - slope * (x.mean() + w[0]))):
                self.assertTrue(abs(self.ask(call) - float(answer)) <= 1e-9 * abs(float(answer)), (seed, call, self.ask(call), answer))
            numpy_s = float(numpy.corrcoef(v, w)[0, 1])
            self.assertLess(abs(self.ask("corr(v, w)") - numpy_s), 1e-6, seed)

    def test_answers_do_not_depend_on_the_order_of_rows(self):
        for seed in range(20):
            _, v, w = self.samples(seed)
            self.fill(v, w)
            for call in ONE + TWO + ["mode(v)"] + BUCKETS:
                answer = self.ask(call)
                for _ in range(3):
                    self.assertEqual(self.ask(call, "random()"), answer, (seed, call))

    def test_groups_without_an_answer_are_null(self):
        for rows in ([], [(None, None)], [(None, 1)]):
            self.fill([v for v, _ in rows], [w for _, w in rows])
            for call in ONE + TWO + BUCKETS + ["mode(v)"]:
                self.assertIsNone(self.ask(call), (call, rows))
        self.fill([7], [3])
        single = {call: self.ask(call) for call in ONE + TWO}
        self.assertEqual({call for call, answer in single.items() if answer is None},
                         {"stddev_samp(v)", "var_samp(v)", "covar_samp(v, w)", "corr(v, w)", "regr_slope(v, w)", "regr_intercept(v, w)",
                          "regr_r2(v, w)"})
        self.assertEqual([single[call] for call in ("median(v)", "mad(v)", "stddev_pop(v)", "var_pop(v)", "covar_pop(v, w)")],
                         [7, 0, 0, 0, 0])
        self.fill([1, 2, 3], [5, 5, 5])  # no variation in w
        self.assertEqual([self.ask(call) for call in TWO], [0, 0, None, None, None, None])
        self.fill([5, 5, 5], [1, 2, 3])
        self.assertEqual([self.ask(call) for call in TWO], [0, 0, None, 0, 5, 1])

    def test_rows_with_null_are_left_out(self):
        self.fill([1, None, 3, 8, None], [2, 9, None, 4, None])
        self.assertEqual([self.ask(call) for call in ("median(v)", "var_pop(v)", "regr_slope(v, w)", "mode(v)")], [3, 26 / 3, 3.5, 1])
        self.assertIsNone(self.ask("quantile(v, NULL)"))
        self.assertIsNone(self.ask("histogram_quantile(NULL, v, w)"))
        self.assertIsNone(self.ask("histogram_fraction(0, NULL, v, w)"))

    def test_infinities_and_huge_numbers(self):
        inf = math.inf
        self.fill([1, inf, 2, -inf, 3])
        self.assertEqual([self.ask("quantile(v, %s)" % p) for p in (0, 0.25, 0.5, 0.75, 1, 0.1)], [-inf, 1, 2, 3, inf, -inf])
        self.assertEqual([self.ask(c) for c in ("median(v)", "mad(v)", "mode(v)", "var_pop(v)")], [2, 1, -inf, None])
        self.fill([inf, inf, -inf])
        self.assertEqual([self.ask("quantile(v, %s)" % p) for p in (0.25, 0.75)], [None, inf])
        self.assertIsNone(self.ask("mad(v)"))
        self.fill([1e308, -1e308], [1, 2])
        self.assertEqual([self.ask(c) for c in ("var_pop(v)", "stddev_pop(v)", "median(v)", "corr(v, w)")], [inf, 1e308, 0, -1])
        self.fill([5e-324, 0, -5e-324], [1, 0, -1])
        self.assertEqual([self.ask(c) for c in ("var_samp(v)", "stddev_samp(v)", "corr(v, w)")], [0, 5e-324, 1])
        self.fill([1e100, 1e100, 1e100])
        self.assertEqual([self.ask(c) for c in ("var_pop(v)", "stddev_samp(v)")], [0, 0])
        self.fill([2 ** 53 + 1, 2 ** 53 + 1, 2 ** 53])
        self.assertEqual(self.ask("mode(v)"), 2 ** 53 + 1)

    def test_sums_are_exact(self):
        """Values far from 0 that differ little: a sum of squares in doubles would have no digit left."""
        self.fill([1e15 + d for d in (0, 1, 2, 3, 4)], [-1e15 + d for d in (0, 2, 4, 6, 8)])
        self.assertEqual([self.ask(c) for c in ("var_pop(v)", "var_samp(v)", "regr_slope(v, w)", "corr(v, w)")], [2, 2.5, 0.5, 1])
        self.fill([-3, 1e15, 1e15 + 1, 1e15 + 2])
        self.assertNear(self.ask("var_samp(v)"), statistics.variance([-3, 10 ** 15, 10 ** 15 + 1, 10 ** 15 + 2]), "far from the first")

    def test_mode_takes_any_type_and_the_least_of_equals(self):
        for values, wanted in ((["b", "a", "b"], "b"), (["b", "a"], "a"), ([b"x", "x", b"x"], b"x"), ([1, 1.0, 2, 2.5], 1),
                               ([2.0, 2.0, 3], 2.0), ([None, None, 4], 4), (["", ""], ""),
                               ([2 ** 63 - 1, float(2 ** 63), float(2 ** 63)], float(2 ** 63))):
            self.fill(values)
            got = self.ask("mode(v)")
            self.assertEqual((type(got), got), (type(wanted), wanted))

    def test_windows_of_rows_answer_as_the_aggregate_over_their_frame(self):
        r = random.Random(7)
        v = [r.choice([None, r.gauss(0, 1), r.randrange(4), 1e9]) for _ in range(300)]
        w = [r.choice([None, r.gauss(0, 1)]) for _ in v]
        self.fill(v, w)
        frames = list(range(len(v)))
        for call in ONE + TWO + BUCKETS + ["mode(v)"]:
            over = self.db.execute("SELECT %s OVER (ORDER BY n ROWS BETWEEN 6 PRECEDING AND 2 FOLLOWING) FROM s" % call).fetchall()
            for n in frames:
                wanted = self.db.execute("SELECT %s FROM s WHERE n BETWEEN ? AND ?" % call, (n + 1 - 6, n + 1 + 2)).fetchone()[0]
                self.assertEqual(over[n][0], wanted, "%s at %d" % (call, n))

    def test_grids_answer_as_the_aggregate_over_each_window(self):
        r = random.Random(3)
        self.fill([r.gauss(5, 2) for _ in range(50)], [i * 900 for i in range(50)])
        for name in ("quantile", "median", "mad", "stddev_pop", "stddev_samp", "var_pop", "var_samp"):
            p = ", 0.9" if name == "quantile" else ""
            wanted = []
            for at in range(2000, 45001, 4000):
                answer = self.db.execute("SELECT %s(v%s) FROM s WHERE w > ? AND w <= ?" % (name, p), (at - 7000, at)).fetchone()[0]
                wanted += [] if answer is None else [[at, answer]]
            self.assertEqual(json.loads(self.ask("%s_to_grid(v, w%s, 2000, 45000, 4000, 7000)" % (name, p), "random()")), wanted, name)

    def test_width_bucket(self):
        for arguments, wanted in (("5.35, 0.024, 10.06, 5", 3), ("0, 0, 10, 5", 1), ("-1, 0, 10, 5", 0), ("10, 0, 10, 5", 6),
                                  ("9.999, 0, 10, 5", 5), ("9, 10, 0, 5", 1), ("10, 10, 0, 5", 1), ("11, 10, 0, 5", 0),
                                  ("0, 10, 0, 5", 6), ("9e999, 0, 10, 5", 6),
                                  ("-9e999, 0, 10, 5", 0), ("0, -1.7e308, 1.7e308, 4", 3), ("NULL, 0, 1, 2", None), ("1, NULL, 1, 2", None),
                                  ("1, 0, 1, NULL", None), ("0.1, 0, 1, 9223372036854775806", 922337203685477633)):
            self.assertEqual(self.db.execute("SELECT width_bucket(%s)" % arguments).fetchone()[0], wanted, arguments)
        r = random.Random(1)
        for _ in range(1000):  # the last bucket's values never round into the one behind it
            upper = r.random()
            below = math.nextafter(upper, 0)
            got = self.db.execute("SELECT width_bucket(?, 0, ?, ?)", (below, upper, 3)).fetchone()[0]
            self.assertEqual(got, 3)

    def test_bounds_of_buckets_are_numbers_or_labels(self):
        for bounds in ([0.1, 0.2, math.inf], [".1", "2e-1", "+Inf"], ["+0.1", "0.20", "inf"], [0.1, "0.2", "Infinity"]):
            self.fill([2, 6, 8], bounds)
            self.assertEqual(self.ask("histogram_quantile(0.5, w, v)"), 0.1 + (0.2 - 0.1) * 0.5, bounds)
            self.assertEqual(self.ask("histogram_fraction(0, 0.1, w, v)"), 0.25, bounds)
        self.fill([2, 6], [0.1, 0.2])
        self.assertEqual([self.ask(call) for call in ("histogram_quantile(0.5, w, v)", "histogram_fraction(0, 1, w, v)")], [None, None])
        self.assertEqual([self.ask("histogram_quantile(%d, w, v)" % p) for p in (-1, 2)], [-math.inf, math.inf])
        self.fill([0, 0], [1, math.inf])
        self.assertEqual([self.ask(call) for call in ("histogram_quantile(0.5, w, v)", "histogram_fraction(0, 1, w, v)")], [None, None])

    def test_what_is_no_number_is_an_error(self):
        for call, message in (
                ("median('x')", 'median: "x" is no number; CAST it to REAL'),
                ("corr(1, x'00')", "corr: a blob is no number; CAST it to REAL"),
                ("percentile_cont(1, 1.5)", "percentile_cont: p is 1.5 and lies not between 0 and 1"),
                ("quantile(1, 'x')", 'quantile: "x" is no number; CAST it to REAL'),
                ("histogram_quantile(0.5, 'x', 1)", 'histogram_quantile: le is "x", which is no number and not \'+Inf\''),
                ("histogram_quantile(0.5, 'nan', 1)", 'histogram_quantile: le is "nan", which is no number and not \'+Inf\''),
                ("width_bucket(1, 2, 2, 5)", "width_bucket: from 2 to 2 is no range"),
                ("width_bucket(1, 2, 9e999, 5)", "width_bucket: from 2 to Inf is no range"),
                ("width_bucket(1, 2, 3, 0)", "width_bucket: the number of buckets is 0; give an INTEGER of at least 1"),
                ("width_bucket(1, 2, 3, 2.5)", "width_bucket: the number of buckets is 2.5; give an INTEGER of at least 1")):
            self.assertFails(self.db, "SELECT " + call, message)
        self.fill([1, 2], [0.1, 0.2])
        for call, what in (("quantile(v, w)", "p"), ("histogram_quantile(w, 1, 1)", "p"), ("histogram_fraction(0, w, 1, 1)", "the range")):
            self.assertFails(self.db, "SELECT %s FROM s" % call,
                             "%s: %s must be the same in all rows of a group; add it to GROUP BY" % (call[:call.index("(")], what))
        self.assertEqual(self.db.execute("SELECT quantile(v, w) FROM s GROUP BY w ORDER BY w").fetchall(), [(1,), (2,)])
