# forecast against Holt-Winters written down here by itself: its recurrences, its fit and its intervals.
import itertools
import json
import math
import random
import statistics

from . import support


def smooth(values, season, alpha, beta, gamma):
    """(forecast of step h, mean squared error) of the additive method, begun as docs/FUNCTIONS.md says."""
    first = statistics.fmean(values[:season])
    trend = (statistics.fmean(values[season:2 * season]) - first) / season
    level = first - trend * (season + 1) / 2
    seasonal = [y - level - trend * (i + 1) for i, y in enumerate(values[:season])]
    errors = []
    for y in values:
        s = seasonal.pop(0)
        errors.append((y - level - trend - s) ** 2)
        before, level = level, alpha * (y - s) + (1 - alpha) * (level + trend)
        trend = beta * (level - before) + (1 - beta) * trend
        seasonal.append(gamma * (y - level) + (1 - gamma) * s if season > 1 else s)
    return lambda h: level + h * trend + seasonal[(h - 1) % season], statistics.fmean(errors)


def series(rng, count, season):
    noise = 0
    for i in range(count):
        noise = 0.7 * noise + rng.gauss(0, 1)
        yield 50 + 0.2 * i + 8 * math.sin(2 * math.pi * i / season) + noise


class Forecast(support.TimeseriesCase):
    def setUp(self):
        super().setUp()
        self.db = self.connect()

    def forecast(self, values, *arguments, step=1000, columns="ts, value, lower, upper"):
        samples = json.dumps([[7 + i * step, v] for i, v in enumerate(values)])
        call = "SELECT %s FROM forecast(%s)" % (columns, ",".join("?" * (1 + len(arguments))))
        return self.db.execute(call, (samples, *arguments)).fetchall()

    def assertClose(self, got, wanted, tolerance=1e-9):
        self.assertEqual(len(got), len(wanted))
        for a, b in zip(got, wanted, strict=True):
            self.assertTrue(math.isclose(a, b, rel_tol=tolerance, abs_tol=1e-7), (a, b))

    def test_given_factors_give_the_methods_recurrences(self):
        rng = random.Random(19)
        for _ in range(100):
            season = rng.randrange(1, 12)
            values = [round(v, 3) for v in series(rng, rng.randrange(2 * season, 80), season)]
            factors = [rng.random() for _ in range(3)]
            at, error = smooth(values, season, *factors)
            got = self.forecast(values, 20, season, *factors)
            self.assertEqual([ts for ts, *_ in got], [7 + (len(values) + h) * 1000 for h in range(20)])
            self.assertClose([v for _, v, _, _ in got], [at(h) for h in range(1, 21)])
            alpha, beta, gamma = factors
            weights, reach = 1, []
            for h in range(1, 21):
                reach.append(1.959963984540054 * math.sqrt(error * weights))
                weights += (alpha * (1 + h * beta) + (gamma * (1 - alpha) if season > 1 and h % season == 0 else 0)) ** 2
            self.assertClose([upper - v for _, v, _, upper in got], reach, 1e-6)
            self.assertClose([v - lower for _, v, lower, _ in got], reach, 1e-6)

    def test_fitted_factors_err_no_more_than_any_of_a_fine_grid(self):
        rng = random.Random(23)
        for season in (1, 4, 7):
            values = list(series(rng, 60, season))
            factors = self.forecast(values, 1, season, columns="alpha, beta, gamma")[0]
            grid = [i / 10 for i in range(11)]
            least = min(smooth(values, season, *by)[1] for by in itertools.product(grid, grid, grid if season > 1 else [0]))
            self.assertLessEqual(smooth(values, season, *factors)[1], least * (1 + 1e-9), (season, factors))
            fixed = self.forecast(values, 1, season, None, 0.25, columns="alpha, beta, gamma")[0]
            self.assertEqual(fixed[1], 0.25)
            least = min(smooth(values, season, a, 0.25, g)[1] for a in grid for g in (grid if season > 1 else [0]))
            self.assertLessEqual(smooth(values, season, *fixed)[1], least * (1 + 1e-9))

    def test_a_line_with_a_season_goes_on_exactly(self):
        values = [3 + 2 * i + [0, 5, -5, 1][i % 4] for i in range(24)]
        got = self.forecast(values, 12, 4)
        self.assertClose([v for _, v, _, _ in got], [3 + 2 * i + [0, 5, -5, 1][i % 4] for i in range(24, 36)])
        self.assertClose([u - low for _, _, low, u in got], [0] * 12)
        self.assertEqual([v for _, v, _, _ in self.forecast([5, 7], 3, 1)], [9, 11, 13])
        self.assertEqual([v for _, v, _, _ in self.forecast([5] * 9, 3, 3)], [5, 5, 5])

    def test_samples_come_in_any_order_and_from_other_functions(self):
        want = [("2026-11-23T05:00:00.000Z", 5.0), ("2026-11-23T06:00:00.000Z", 6.0)]
        self.db.execute("CREATE TABLE s(ts, v)")
        self.db.executemany("INSERT INTO s VALUES(ts(?), ?)", [("2026-11-23T%02d:00:00Z" % h, h) for h in (3, 0, 4, 1, 2)])
        for samples in ("json_group_array(json_array(ts, v))", "lttb(v, ts, 100)"):
            got = self.db.execute("SELECT ts_text(f.ts), f.value FROM (SELECT %s AS g FROM s) JOIN forecast(g, 2, 1) AS f" % samples)
            self.assertEqual([(ts, round(v, 9)) for ts, v in got], want, samples)

    def test_the_same_samples_give_the_same_bits(self):
        values = list(series(random.Random(29), 100, 5))
        self.assertEqual(self.forecast(values, 30, 5), [row for row in self.connect().execute(
            "SELECT ts, value, lower, upper FROM forecast(?, 30, 5)", (json.dumps([[7 + i * 1000, v] for i, v in enumerate(values)]),))])

    def test_null_gives_no_rows_and_huge_values_end_in_null_not_in_an_error(self):
        for arguments in ("NULL, 1, 1", "'[[1,1],[2,2]]', NULL, 1", "'[[1,1],[2,2]]', 1, NULL"):
            self.assertEqual(self.db.execute("SELECT * FROM forecast(%s)" % arguments).fetchall(), [])
        for _, value, lower, upper in self.forecast([1e308, -1e308] * 4, 3, 2):
            self.assertTrue(value is None or abs(value) <= math.inf, (value, lower, upper))
        self.assertEqual(len(self.forecast(list(range(5000)), 100_000, 1)), 100_000)

    def test_what_cannot_be_forecast_is_an_error(self):
        write = "; write [[ts, value], ...], as json_group_array(json_array(ts, value)) makes it"
        apart = ("forecast: the samples at %d and %d are not as far apart as the first two; take one sample for each bucket, as gapfill "
                 "and interpolate make them")
        for arguments, message in (
                ("'[[1,1],[2,2],[4,3]]', 1, 1", apart % (2, 4)), ("'[[1,1],[1,2]]', 1, 1", apart % (1, 1)),
                ("'[[-9223372036854775807,1],[9223372036854775807,2]]', 1, 1", apart % (-(2 ** 63) + 1, 2 ** 63 - 1)),
                ("'[[1,1],[2,2]]', 1, 2", "forecast: two seasons of 2 are more than the 2 samples"),
                ("'[]', 1, 1", "forecast: two seasons of 1 are more than the 0 samples"),
                ("'[[1,1],[2,2]]', 0, 1", "forecast: the horizon 0 is not between 1 and 100000"),
                ("'[[1,1],[2,2]]', 100001, 1", "forecast: the horizon 100001 is not between 1 and 100000"),
                ("'[[1,1],[2,2]]', 1, 'x'", 'forecast: the season "x" is not between 1 and 4611686018427387903'),
                ("'[[1,1],[2,2]]', 1, 1, 1.5", "forecast: the factor 1.5 lies not between 0 and 1"),
                ("'[[1,1],[9223372036854775806,2]]', 2, 1", "forecast: the horizon is behind all times"),
                ("'[[1,1],[2,null]]', 1, 1", 'forecast: no samples begin at "null]]"; a sample is NULL: leave it out, or interpolate it'),
                ("'[[1,1],[2,9e999]]', 1, 1", 'forecast: no samples begin at "9e999]]"' + write),
                ("'[[1,1],[2,2]', 1, 1", 'forecast: no samples begin at ""' + write),
                ("'[[1,1],[2,2]] x', 1, 1", 'forecast: no samples begin at "x"' + write),
                ("'[[1.5,1],[2,2]]', 1, 1", 'forecast: no samples begin at ".5,1],[2,2]]"' + write),
                ("'{}', 1, 1", 'forecast: no samples begin at "{}"' + write),
                ("x'ff5b', 1, 1", 'forecast: no samples begin at "?["' + write),
                ("'[[1,1],[2,2]]', 1", "forecast: an argument is missing; write forecast(samples, horizon, season)")):
            self.assertFails(self.db, "SELECT * FROM forecast(%s)" % arguments, message)
