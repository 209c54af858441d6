# Prometheus as an oracle: its answers over random series, through the SQL functions, within 1e-6 relative.
#
# The pinned answers are tests/data/prometheus/answers.json, made by ask.py beside it. In make check a server is asked, with other seeds.
import json
import math
import os

from . import prometheus, support, test_promql

# The least share of the answers that is compared, which tells a server of silence from one that agrees.
LEAST = 0.95
# What rounding may leave of a series' largest value: the sums of Prometheus 2 are compensated only in part.
ROUNDING = 4e-15


def window(series, case, end):
    return [(ts, test_promql.number(value)) for ts, value in series["samples"] if end - case["range_ms"] < ts <= end]


def largest(series):
    """The largest value but infinity, 0 without one."""
    return max((abs(value) for one in series for _, value in one["samples"] if isinstance(value, float)), default=0)


def extrapolates_otherwise(samples, begin):
    """Whether Prometheus before 3 let a counter reach its zero further than half a mean gap into a wide gap at the window's begin."""
    if len(samples) < 2 or samples[0][1] < 0 or any(math.isinf(value) for _, value in samples):
        return False
    values = [value for _, value in samples]
    risen = values[-1] - values[0] + sum(a for a, b in zip(values, values[1:]) if b < a)
    if risen <= 0:
        return False
    sampled = samples[-1][0] - samples[0][0]
    mean, zero = sampled / (len(samples) - 1), sampled * values[0] / risen
    return samples[0][0] - begin >= 1.1 * mean and mean / 2 < zero < 1.1 * mean


def otherwise(case, samples, begin, answer):
    """Whether Prometheus 3, or we by reason, answer otherwise: no number is infinity times 0, which is NaN in Prometheus' quantile."""
    if {"rate", "increase"} & {case["fn"], case["inner"]}:
        return extrapolates_otherwise(samples, begin)
    return case["fn"] == "quantile_over_time" and answer is None and any(math.isinf(value) for _, value in samples)


class Prometheus(test_promql.CaseRunner):
    def expected(self, case, series):
        """{labels: a value for each time}; what is answered otherwise is ANY."""
        found = {test_promql.labels_of(e): [test_promql.number(v) for v in e["values"]] for e in case["expect"]}
        for one in series:
            values = found.get(test_promql.labels_of(one), [])
            for i, value in enumerate(values):
                end = case["start_ms"] + i * case["step_ms"] - case["offset_ms"]
                begin = end - case["range_ms"]
                if value is not test_promql.ANY and otherwise(case, window(one, case, end), begin, value):
                    values[i] = test_promql.ANY
        return found

    def check(self, sets):
        """How many answers of ours were compared."""
        db, compared, all_values = self.connect(), 0, 0
        for one in sets:
            labels = self.load(db, one["series"])
            rests = [ROUNDING * largest(series for series in one["series"] if test_promql.labels_of(series) == label) for label in labels]
            for case in one["cases"]:
                with self.subTest(query=case["query"], start=case["start_ms"], step=case["step_ms"]):
                    expected = self.expected(case, one["series"])
                    all_values += prometheus.POINTS * len(labels) * len(self.answers(db, case, 0, [case["start_ms"]]))
                    compared += self.compare(db, case, labels, expected, rests)
        self.assertGreaterEqual(compared, LEAST * all_values)
        return compared

    def test_pinned_answers_of_prometheus_are_ours(self):
        with open(os.path.join(support.ROOT, "tests/data/prometheus/answers.json"), encoding="utf-8") as f:
            sets = json.load(f)["sets"]
        self.assertEqual({case["fn"] for one in sets for case in one["cases"]}, {*prometheus.QUERIES, "histogram_quantile"})
        for one in sets:
            self.assertGreater(sum(v is not None for case in one["cases"] for e in case["expect"] for v in e["values"]), 20)
        self.check(sets)

    if support.ORACLE_SEEDS:
        def test_a_prometheus_asked_now_answers_as_we_do(self):
            prometheus.require()
            seeds = [int.from_bytes(os.urandom(4), "big") for _ in range(support.ORACLE_SEEDS)]
            print("%d values of Prometheus compared" % self.check(prometheus.answered(self.dir, seeds)[1]))
