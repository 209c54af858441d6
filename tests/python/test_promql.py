# Prometheus' own answers: its acceptance tests' cases through the SQL functions, within 1e-6 relative.
#
# The cases and their origin are in tests/data/promql. Each function is asked as a plain aggregate per window, and as the form
# for grids where it has one.
import json
import math
import os

from . import support

WINDOW = "FROM (SELECT * FROM samples WHERE series=:series AND ts > :from AND ts <= :to ORDER BY random())"
# PromQL function: the SQL of one window's answer.
PLAIN = {
    "rate": "SELECT rate(v, ts, :from, :to) " + WINDOW,
    "increase": "SELECT increase(v, ts, :from, :to) " + WINDOW,
    "delta": "SELECT delta(v, ts, :from, :to) " + WINDOW,
    "irate": "SELECT irate(v, ts) " + WINDOW,
    "idelta": "SELECT idelta(v, ts) " + WINDOW,
    "deriv": "SELECT deriv(v, ts) " + WINDOW,
    "resets": "SELECT num_resets(v, ts) " + WINDOW,
    "changes": "SELECT num_changes(v, ts) " + WINDOW,
    "predict_linear": "SELECT predict_linear(v, ts, :at + CAST(:p0 * 1000 AS INTEGER)) " + WINDOW,
    "double_exponential_smoothing": "SELECT double_exponential_smoothing(v, ts, :p0, :p1) " + WINDOW,
    "sum_over_time": "SELECT sum(v) " + WINDOW,
    "min_over_time": "SELECT min(v) " + WINDOW,
    "max_over_time": "SELECT max(v) " + WINDOW,
    "count_over_time": "SELECT nullif(count(v), 0) " + WINDOW,
    "present_over_time": "SELECT nullif(count(*) > 0, 0) " + WINDOW,
    "stddev_over_time": "SELECT stddev_pop(v) " + WINDOW,
    "stdvar_over_time": "SELECT var_pop(v) " + WINDOW,
    "quantile_over_time": "SELECT quantile(v, :p0) " + WINDOW,
    "mad_over_time": "SELECT mad(v) " + WINDOW,
    "last_over_time": "SELECT last(v, ts) " + WINDOW,
    "first_over_time": "SELECT first(v, ts) " + WINDOW,
    "ts_of_max_over_time": "SELECT max(ts) / 1e3 FROM (SELECT ts, v, max(v) OVER () AS most " + WINDOW + ") WHERE v = most",
    "ts_of_min_over_time": "SELECT max(ts) / 1e3 FROM (SELECT ts, v, min(v) OVER () AS least " + WINDOW + ") WHERE v = least",
    "ts_of_last_over_time": "SELECT last(ts, ts) / 1e3 " + WINDOW,
    "ts_of_first_over_time": "SELECT first(ts, ts) / 1e3 " + WINDOW,
}
# PromQL function: the form for grids.
GRID = {"rate": "rate", "increase": "increase", "delta": "delta", "irate": "irate", "idelta": "idelta", "deriv": "deriv",
        "resets": "num_resets", "changes": "num_changes", "double_exponential_smoothing": "double_exponential_smoothing",
        "sum_over_time": "sum",
        "avg_over_time": "avg", "min_over_time": "min", "max_over_time": "max", "count_over_time": "count",
        "last_over_time": "last", "first_over_time": "first",
        "quantile_over_time": "quantile", "mad_over_time": "mad", "stddev_over_time": "stddev_pop", "stdvar_over_time": "var_pop"}
# Of a classic histogram, a series is what has the same labels but le; an instant's count is the last of five minutes.
HISTOGRAM = {"histogram_quantile": "SELECT histogram_quantile(:p0, le, n) FROM (SELECT le, %s AS n " + WINDOW + " GROUP BY le)",
             "histogram_fraction": "SELECT histogram_fraction(:p0, :p1, le, n) FROM (SELECT le, %s AS n " + WINDOW + " GROUP BY le)"}
COUNT = {None: "last(v, ts)", "rate": "rate(v, ts, :from, :to)"}


# SQLite stores NaN as NULL, and aggregates leave NULL out: where Prometheus answers NaN because a sample is, SQL answers for the others.
WITHOUT_NAN = {("functions.test", 324): [None, None, None, 4.0, 6.0], ("functions.test", 1051): [2.0], ("functions.test", 1054): [2.0],
               ("functions.test", 1307): [1.0]}

ANY = object()  # an expected value that is not compared


def number(value):
    return {"Inf": math.inf, "+Inf": math.inf, "-Inf": -math.inf, "NaN": None, "stale": None}[value] if isinstance(value, str) else value


def labels_of(series):
    return json.dumps({k: v for k, v in series["labels"].items() if k not in ("__name__", "le")}, sort_keys=True)


def near(got, wanted, rest=0):
    """Within 1e-6 relative; `rest` is what may be left where large numbers cancel out."""
    if got is None or wanted is None:
        return got is None and wanted is None
    return got == wanted or abs(got - wanted) <= 1e-6 * abs(wanted) + rest


class CaseRunner(support.TimeseriesCase):
    """Runs cases of the form that tests/data/promql/README.md tells, on a table samples(series, le, ts, v)."""

    def answers(self, db, case, series, times):
        """{name of the form: one value for each time}"""
        shift = case["offset_ms"] or 0
        ends = [(t if case["at_ms"] is None else case["at_ms"]) - shift for t in times]
        names = {"p%d" % i: number(p) for i, p in enumerate(case["args"])}
        forms = {}
        plain = HISTOGRAM[case["fn"]] % COUNT[case["inner"]] if case["fn"] in HISTOGRAM else PLAIN.get(case["fn"])
        if plain:
            forms["plain"] = [db.execute(plain, {"series": series, "from": end - case["range_ms"], "to": end, "at": t, **names})
                              .fetchone()[0] for t, end in zip(times, ends)]
        if case["fn"] in GRID:
            parameters = "".join(", :" + name for name in names)
            sql = "SELECT %s_to_grid(v, ts%s, :start, :stop, :step, :range) FROM samples WHERE series=:series"
            sql %= (GRID[case["fn"]], parameters)
            text = db.execute(sql, {"start": ends[0], "stop": ends[-1], "step": case["step_ms"], "range": case["range_ms"],
                                    "series": series, **names}).fetchone()[0]
            points = dict(db.execute("SELECT value->>0, value->>1 FROM json_each(?)", (text,))) if text else {}
            forms["grid"] = [points.get(end) for end in ends]
        return forms

    def load(self, db, series):
        """The labels of the series, which are in the table by their places."""
        db.execute("DROP TABLE IF EXISTS samples")
        db.execute("CREATE TABLE samples(series, le, ts, v)")
        labels = list(dict.fromkeys(map(labels_of, series)))
        for one in series:
            i, le = labels.index(labels_of(one)), one["labels"].get("le")
            rows = [(i, le, ts, number(v)) for ts, v in one["samples"] if v != "stale"]
            db.executemany("INSERT INTO samples VALUES(?, ?, ?, ?)", rows)
        return labels

    def compare(self, db, case, labels, expected, rests=()):
        """Holds our answers against {labels: a value for each time}, near() with each series' rest; the number of values compared."""
        times = list(range(case["start_ms"], case["end_ms"] + 1, case["step_ms"]))
        self.assertLessEqual(set(expected), set(labels))
        compared = 0
        for i, label in enumerate(labels):
            wanted = expected.get(label, [None] * len(times))
            self.assertEqual(len(wanted), len(times))
            forms = self.answers(db, case, i, times)
            self.assertTrue(forms, "no SQL form of " + case["fn"])
            for form, got in forms.items():
                for t, g, w in zip(times, got, wanted):
                    self.assertTrue(w is ANY or near(g, w, rests[i] if rests else 0), "%s %s at %d: %r, not %r" % (form, label, t, g, w))
                    compared += w is not ANY
        return compared


class Promql(CaseRunner):
    def setUp(self):
        super().setUp()
        with open(os.path.join(support.ROOT, "tests/data/promql/cases.json"), encoding="utf-8") as f:
            self.cases = json.load(f)

    def check(self, db, case):
        expected = {labels_of(e): [number(v) for v in e["values"]] for e in case["expect"]}
        labels = self.load(db, case["series"])
        if (case["file"], case["line"]) in WITHOUT_NAN:
            self.assertIn("NaN", case["expect"][0]["values"])
            self.assertIn("NaN", [v for _, v in case["series"][0]["samples"]])
            self.assertEqual(len(labels), 1)
            expected[labels[0]] = WITHOUT_NAN[case["file"], case["line"]]
        self.compare(db, case, labels, expected)

    def test_cases_of_prometheus_answer_the_same(self):
        db = self.connect()
        self.assertEqual(len(self.cases), 103)
        for case in self.cases:
            with self.subTest(file=case["file"], line=case["line"], query=case["query"]):
                self.check(db, case)
